//! gRPC in: who calls, what is asked, one transaction, the answer. What may happen to a case is
//! decided by `case`; here it is only asked and its refusals are put into words.

mod claim;
mod decide;
mod note;
mod read;
mod refusal;

use contracts::review::v1 as proto;
use contracts::review::v1::review_service_server::ReviewService;
use kit::db::Db;
use kit::watch::{Item, WatchOptions, WatchStream};
use kit::{Clock, Ids};
use pack::PackSource;
use tonic::{Request, Response, Status};

/// The service behind its port.
#[derive(Clone, Debug)]
pub struct Review {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    pub(crate) packs: PackSource,
}

impl Review {
    /// The service on its database, under these packs.
    pub fn new(db: Db, clock: Clock, ids: Ids, packs: PackSource) -> Review {
        Review { db, clock, ids, packs }
    }
}

#[tonic::async_trait]
impl ReviewService for Review {
    async fn claim_next_case(
        &self,
        request: Request<proto::ClaimNextCaseRequest>,
    ) -> Result<Response<proto::ClaimNextCaseResponse>, Status> {
        claim::next(self, request).await
    }

    async fn claim_case(
        &self,
        request: Request<proto::ClaimCaseRequest>,
    ) -> Result<Response<proto::ClaimCaseResponse>, Status> {
        claim::named(self, request).await
    }

    async fn renew_lease(
        &self,
        request: Request<proto::RenewLeaseRequest>,
    ) -> Result<Response<proto::RenewLeaseResponse>, Status> {
        claim::renew(self, request).await
    }

    async fn release_case(
        &self,
        request: Request<proto::ReleaseCaseRequest>,
    ) -> Result<Response<proto::ReleaseCaseResponse>, Status> {
        claim::release(self, request).await
    }

    async fn decide_case(
        &self,
        request: Request<proto::DecideCaseRequest>,
    ) -> Result<Response<proto::DecideCaseResponse>, Status> {
        decide::decide(self, request).await
    }

    async fn escalate_case(
        &self,
        request: Request<proto::EscalateCaseRequest>,
    ) -> Result<Response<proto::EscalateCaseResponse>, Status> {
        decide::escalate(self, request).await
    }

    async fn add_note(
        &self,
        request: Request<proto::AddNoteRequest>,
    ) -> Result<Response<proto::AddNoteResponse>, Status> {
        note::add(self, request).await
    }

    async fn list_notes(
        &self,
        request: Request<proto::ListNotesRequest>,
    ) -> Result<Response<proto::ListNotesResponse>, Status> {
        note::list(self, request).await
    }

    async fn get_case(
        &self,
        request: Request<proto::GetCaseRequest>,
    ) -> Result<Response<proto::GetCaseResponse>, Status> {
        read::case(self, request).await
    }

    async fn list_cases(
        &self,
        request: Request<proto::ListCasesRequest>,
    ) -> Result<Response<proto::ListCasesResponse>, Status> {
        read::cases(self, request).await
    }

    async fn get_decision(
        &self,
        request: Request<proto::GetDecisionRequest>,
    ) -> Result<Response<proto::GetDecisionResponse>, Status> {
        read::decision(self, request).await
    }

    type WatchReviewEventsStream = WatchStream<proto::WatchReviewEventsResponse>;

    async fn watch_review_events(
        &self,
        request: Request<proto::WatchReviewEventsRequest>,
    ) -> Result<Response<Self::WatchReviewEventsStream>, Status> {
        let token = &request.get_ref().resume_token;
        let render = |item: Item<'_>| {
            let event = item.event.map(|event| event.decode::<proto::ReviewEvent>()).transpose()?;
            Ok(Some(proto::WatchReviewEventsResponse { event, resume_token: item.token }))
        };
        let stream = kit::watch::watch(&self.db, token, WatchOptions::default(), render).await?;
        Ok(Response::new(stream))
    }
}
