//! Streams: the one that review serves, and stand-ins for those that it follows.

use contracts::appeals::v1 as appeals;
use contracts::appeals::v1::appeals_service_server::{AppealsService, AppealsServiceServer};
use contracts::reports::v1 as reports;
use contracts::reports::v1::report_event::Event as OfReport;
use contracts::reports::v1::reports_service_server::{ReportsService, ReportsServiceServer};
use contracts::review::v1::WatchReviewEventsRequest;
use contracts::review::v1::review_service_server::ReviewService as _;
use kit::db::{Db, DbError};
use kit::events::NewEvent;
use kit::tx;
use kit::watch::{Item, WatchOptions, WatchStream};
use tokio_stream::StreamExt as _;
use tonic::{Request, Response, Status};

use crate::world::{START, World, filed, no_violation, reason};

/// The other services, as far as review sees them: a log of events.
#[derive(Clone)]
pub struct Log(pub Db);

impl Log {
    pub fn reports(&self) -> ReportsServiceServer<Log> {
        ReportsServiceServer::new(self.clone())
    }

    pub fn appeals(&self) -> AppealsServiceServer<Log> {
        AppealsServiceServer::new(self.clone())
    }
}

/// Appends what happened to reports.
pub async fn publish(db: &Db, events: Vec<OfReport>) {
    tx!(db, "test_publish", |tx| -> Result<(), DbError> {
        for (number, event) in events.iter().enumerate() {
            let message = reports::ReportEvent {
                event_id: format!("evt_{number}"),
                time: Some(START.into()),
                event: Some(event.clone()),
            };
            tx.append(NewEvent::of(format!("evt_{number}"), "key", "report", START, &message));
        }
        Ok(())
    })
    .unwrap();
}

fn nothing<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("review calls nothing else"))
}

#[tonic::async_trait]
impl ReportsService for Log {
    type WatchReportEventsStream = WatchStream<reports::WatchReportEventsResponse>;
    type StreamReportsStream = tokio_stream::Empty<Result<reports::StreamReportsResponse, Status>>;

    async fn watch_report_events(
        &self,
        request: Request<reports::WatchReportEventsRequest>,
    ) -> Result<Response<Self::WatchReportEventsStream>, Status> {
        let token = &request.get_ref().resume_token;
        let stream =
            kit::watch::watch(&self.0, token, WatchOptions::default(), |item: Item<'_>| {
                let event = item.event.map(|event| event.decode()).transpose()?;
                Ok(Some(reports::WatchReportEventsResponse { event, resume_token: item.token }))
            });
        Ok(Response::new(stream.await?))
    }

    async fn file_report(
        &self,
        _: Request<reports::FileReportRequest>,
    ) -> Result<Response<reports::FileReportResponse>, Status> {
        nothing()
    }

    async fn stream_reports(
        &self,
        _: Request<tonic::Streaming<reports::StreamReportsRequest>>,
    ) -> Result<Response<Self::StreamReportsStream>, Status> {
        nothing()
    }

    async fn get_report(
        &self,
        _: Request<reports::GetReportRequest>,
    ) -> Result<Response<reports::GetReportResponse>, Status> {
        nothing()
    }

    async fn list_reports(
        &self,
        _: Request<reports::ListReportsRequest>,
    ) -> Result<Response<reports::ListReportsResponse>, Status> {
        nothing()
    }

    async fn withdraw_report(
        &self,
        _: Request<reports::WithdrawReportRequest>,
    ) -> Result<Response<reports::WithdrawReportResponse>, Status> {
        nothing()
    }
}

#[tonic::async_trait]
impl AppealsService for Log {
    type WatchAppealEventsStream =
        tokio_stream::Pending<Result<appeals::WatchAppealEventsResponse, Status>>;

    async fn watch_appeal_events(
        &self,
        _: Request<appeals::WatchAppealEventsRequest>,
    ) -> Result<Response<Self::WatchAppealEventsStream>, Status> {
        Ok(Response::new(tokio_stream::pending()))
    }

    async fn file_appeal(
        &self,
        _: Request<appeals::FileAppealRequest>,
    ) -> Result<Response<appeals::FileAppealResponse>, Status> {
        nothing()
    }

    async fn get_appeal(
        &self,
        _: Request<appeals::GetAppealRequest>,
    ) -> Result<Response<appeals::GetAppealResponse>, Status> {
        nothing()
    }

    async fn list_appeals(
        &self,
        _: Request<appeals::ListAppealsRequest>,
    ) -> Result<Response<appeals::ListAppealsResponse>, Status> {
        nothing()
    }

    async fn withdraw_appeal(
        &self,
        _: Request<appeals::WithdrawAppealRequest>,
    ) -> Result<Response<appeals::WithdrawAppealResponse>, Status> {
        nothing()
    }
}

#[tokio::test]
async fn what_happens_to_cases_can_be_followed_from_anywhere() {
    for world in World::each().await {
        let watch = |resume_token: String| {
            let request = WatchReviewEventsRequest { resume_token };
            world.review.watch_review_events(Request::new(request))
        };
        let case_id = world.open(1, "spam.link").await;
        world.reported(vec![filed(2, "vid_1", "spam.link")]).await;
        let mut stream = watch(String::new()).await.unwrap().into_inner();
        let mut tokens = Vec::new();
        for _ in 0..2 {
            let message = stream.next().await.unwrap().unwrap();
            assert!(message.event.unwrap().event.is_some());
            tokens.push(message.resume_token);
        }
        // What happens later comes by itself, after checkpoints.
        let case = world.claim("ann", &case_id).await.unwrap();
        world.decide("ann", &case, no_violation()).await.unwrap();
        let later = loop {
            let message = stream.next().await.unwrap().unwrap();
            if let Some(event) = message.event {
                break event;
            }
        };
        let mut again = watch(tokens[1].clone()).await.unwrap().into_inner();
        assert_eq!(again.next().await.unwrap().unwrap().event, Some(later));
        let Err(error) = watch("nonsense".to_owned()).await else { panic!("accepted") };
        assert_eq!(reason::<()>(Err(error)), "RESUME_TOKEN_INVALID");
    }
}
