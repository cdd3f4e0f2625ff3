//! The RPCs: who calls, what is asked, the one decision, the one transaction, the answer.
//!
//! Requests come checked against the rules of the contract. It holds no SQL and decides nothing
//! about reports beyond who may see which.

mod stream;

use std::sync::Arc;

use contracts::reports::v1::reports_service_server::ReportsService;
use contracts::reports::v1::{
    FileReportRequest, FileReportResponse, GetReportRequest, GetReportResponse, ListReportsRequest,
    ListReportsResponse, Report, StreamReportsRequest, StreamReportsResponse,
    WatchReportEventsRequest, WatchReportEventsResponse, WithdrawReportRequest,
    WithdrawReportResponse,
};
use contracts::types::v1::Source;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use kit::auth::Scopes;
use kit::db::Db;
use kit::group_commit::GroupCommit;
use kit::idempotency::{Call, Claim};
use kit::validate::MessageRules;
use kit::watch::{Item, WatchOptions, WatchStream};
use kit::{Caller, Clock, Error, Ids, page, tx};
use pack::PackSource;
use tokio::sync::watch;
use tonic::{Request, Response, Status, Streaming};

use crate::events::Events;
use crate::filing::{Filing, Job};
use crate::report;
use crate::standing::Change;
use crate::store;

/// Lifts the limit to the caller's own reports.
const READ_ALL: &str = "reports.read_all";
/// Makes a caller a trusted flagger (Art. 22 DSA).
const TRUSTED_FLAGGER: &str = "reports.trusted_flagger";
/// Makes a caller a model of the platform's own.
const DETECTOR: &str = "reports.detector";
/// Reports on a page unless asked otherwise.
const PAGE_SIZE_DEFAULT: u32 = 50;
/// Reports on a page at most.
const PAGE_SIZE_MAX: u32 = 100;

/// The service. Cheap to clone.
#[derive(Clone)]
pub struct Reports(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Clock,
    ids: Ids,
    packs: PackSource,
    filing: GroupCommit<Filing>,
    /// The rules of one report of a stream.
    rules: MessageRules,
    /// True once streams are to end.
    stop: watch::Receiver<bool>,
}

impl Reports {
    pub(crate) fn new(
        db: Db,
        clock: Clock,
        ids: Ids,
        packs: PackSource,
        filing: GroupCommit<Filing>,
        rules: MessageRules,
        stop: watch::Receiver<bool>,
    ) -> Reports {
        Reports(Arc::new(Inner { db, clock, ids, packs, filing, rules, stop }))
    }

    /// Takes a report that the rules of the contract let pass.
    async fn file(
        &self,
        caller: &Caller,
        notice: FileReportRequest,
    ) -> Result<FileReportResponse, Status> {
        let Inner { db, clock, ids, packs, filing, .. } = &*self.0;
        let (pack, now) = (packs.current()?, clock.now());
        let call = Call::new(&caller.subject, &notice.request_id, "FileReport", &notice, now);
        if let Err(refusal) = report::check(&notice, &pack) {
            // It may have been taken under an earlier pack: then the answer is the same again.
            let answered = call.answered(db).await?;
            return answered.ok_or_else(|| refusal.into());
        }
        let reporter = (caller.subject.as_str(), source(caller));
        filing.submit(Job::new(call, notice, reporter, &pack, ids, now)).await
    }

    /// Takes one report of a stream.
    async fn file_item(
        &self,
        caller: &Caller,
        item: StreamReportsRequest,
    ) -> Result<FileReportResponse, Status> {
        let notice = item.report.unwrap_or_default();
        self.0.rules.check(&notice, self.0.clock.now())?;
        self.file(caller, notice).await
    }
}

/// Who brings what this caller reports. In open mode, where everyone holds every scope, a
/// person.
fn source(caller: &Caller) -> Source {
    match &caller.scopes {
        Scopes::All => Source::User,
        scopes if scopes.has(TRUSTED_FLAGGER) => Source::TrustedFlagger,
        scopes if scopes.has(DETECTOR) => Source::Detector,
        _ => Source::User,
    }
}

fn not_found(report_id: &str) -> Error {
    Error::not_found("REPORT_NOT_FOUND")
        .message("there is no such report, or it is not the caller's")
        .resource("report", report_id)
}

#[tonic::async_trait]
impl ReportsService for Reports {
    type StreamReportsStream = BoxStream<'static, Result<StreamReportsResponse, Status>>;
    type WatchReportEventsStream = WatchStream<WatchReportEventsResponse>;

    async fn file_report(
        &self,
        request: Request<FileReportRequest>,
    ) -> Result<Response<FileReportResponse>, Status> {
        let caller = Caller::of(&request);
        self.file(&caller, request.into_inner()).await.map(Response::new)
    }

    async fn stream_reports(
        &self,
        request: Request<Streaming<StreamReportsRequest>>,
    ) -> Result<Response<Self::StreamReportsStream>, Status> {
        let caller = Caller::of(&request);
        let service = self.clone();
        let mut stop = self.0.stop.clone();
        let stopped = async move {
            // An error means that nobody is left to say it.
            let _ = stop.wait_for(|stop| *stop).await;
        };
        let answers = stream::answers(request.into_inner(), stopped, move |item| {
            let (service, caller) = (service.clone(), caller.clone());
            async move { service.file_item(&caller, item).await }
        });
        Ok(Response::new(answers.boxed()))
    }

    async fn get_report(
        &self,
        request: Request<GetReportRequest>,
    ) -> Result<Response<GetReportResponse>, Status> {
        let caller = Caller::of(&request);
        let report_id = &request.get_ref().report_id;
        let stored = store::get(&self.0.db, report_id).await?;
        let report = stored
            .filter(|stored| stored.is_of(&caller.subject) || caller.has(READ_ALL))
            .ok_or_else(|| not_found(report_id))?
            .render()?;
        Ok(Response::new(GetReportResponse { report: Some(report) }))
    }

    async fn list_reports(
        &self,
        request: Request<ListReportsRequest>,
    ) -> Result<Response<ListReportsResponse>, Status> {
        let caller = Caller::of(&request);
        let request = request.into_inner();
        let size = page::size(request.page_size, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
        let db = &self.0.db;
        let (binding, stored) = match &request.subject {
            None => {
                // Bound to the caller, but without naming it.
                let binding = page::binding(&["ListReports", "own", &caller.subject]);
                let before = before(&request.page_token, &binding)?;
                (binding, store::list_own(db, &caller.subject, &before, size + 1).await?)
            }
            Some(subject) => {
                caller.require(READ_ALL)?;
                let kind = subject.r#type().as_str_name();
                let binding = page::binding(&["ListReports", "subject", kind, &subject.id]);
                let before = before(&request.page_token, &binding)?;
                (binding, store::list_subject(db, subject, &before, size + 1).await?)
            }
        };
        let (stored, next_page_token) =
            page::cut(stored, size, &binding, |last| last.report_id().to_owned());
        let reports: Result<Vec<Report>, _> =
            stored.into_iter().map(store::Stored::render).collect();
        Ok(Response::new(ListReportsResponse { reports: reports?, next_page_token }))
    }

    async fn withdraw_report(
        &self,
        request: Request<WithdrawReportRequest>,
    ) -> Result<Response<WithdrawReportResponse>, Status> {
        let caller = Caller::of(&request);
        let request = request.into_inner();
        let Inner { db, clock, ids, .. } = &*self.0;
        let now = clock.now();
        let id = &request.report_id;
        let call = Call::new(&caller.subject, &request.request_id, "WithdrawReport", &request, now);
        let response = tx!(db, "withdraw_report", |tx| -> Result<WithdrawReportResponse, Error> {
            let pending = match call.claim(tx).await? {
                Claim::Replay(response) => return Ok(response),
                Claim::Fresh(pending) => pending,
            };
            let stored = store::lock(tx, id).await?;
            let stored = stored.filter(|stored| stored.is_of(&caller.subject));
            let mut stored = stored.ok_or_else(|| not_found(id))?;
            let moved = stored.standing()?.after(Change::Withdrawn);
            if let Some(standing) = moved.map_err(|refusal| refusal.error(id))? {
                store::put(tx, &mut stored, standing, now).await?;
                tx.append(Events { ids, now }.withdrawn(id, stored.subject()));
            }
            let response = WithdrawReportResponse { report: Some(stored.render()?) };
            pending.answer(tx, &response).await?;
            Ok(response)
        })?;
        Ok(Response::new(response))
    }

    async fn watch_report_events(
        &self,
        request: Request<WatchReportEventsRequest>,
    ) -> Result<Response<Self::WatchReportEventsStream>, Status> {
        let token = &request.get_ref().resume_token;
        let options = WatchOptions::default();
        let stream = kit::watch::watch(&self.0.db, token, options, |item: Item<'_>| {
            let event = item.event.map(|event| event.decode()).transpose()?;
            Ok(Some(WatchReportEventsResponse { event, resume_token: item.token }))
        });
        Ok(Response::new(stream.await?))
    }
}

/// The id before which a page begins.
fn before(token: &str, binding: &page::Binding) -> Result<String, Error> {
    Ok(page::read(token, binding)?.unwrap_or_else(|| store::ID_MAX.to_owned()))
}
