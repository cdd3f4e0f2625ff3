//! The RPCs: who calls, what is asked, the one decision, the one transaction, the answer.
//!
//! Requests come checked against the rules of the contract. It holds no SQL and decides nothing
//! about appeals beyond who may see which.

use std::sync::Arc;

use contracts::appeals::v1::appeals_service_server::AppealsService;
use contracts::appeals::v1::{
    FileAppealRequest, FileAppealResponse, GetAppealRequest, GetAppealResponse, ListAppealsRequest,
    ListAppealsResponse, WatchAppealEventsRequest, WatchAppealEventsResponse,
    WithdrawAppealRequest, WithdrawAppealResponse,
};
use kit::db::Db;
use kit::idempotency::{Call, Claim};
use kit::watch::{Item, WatchOptions, WatchStream};
use kit::{Caller, Clock, Error, Ids, Time, page, tx};
use tonic::{Request, Response, Status};

use crate::admissibility::{Facts, Inadmissible, admit};
use crate::appeal::{self, Against, Change};
use crate::claims::{Answer, Claims};
use crate::events::Events;
use crate::statements::Statements;
use crate::store;

/// Lifts the limit to the caller's own appeals.
const READ_ALL: &str = "appeals.read_all";
/// Appeals on a page unless asked otherwise.
const PAGE_SIZE_DEFAULT: u32 = 50;
/// Appeals on a page at most.
const PAGE_SIZE_MAX: u32 = 100;

/// The service. Cheap to clone.
#[derive(Clone)]
pub struct Appeals(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Clock,
    ids: Ids,
    sources: Sources,
}

/// Who knows what may be appealed against.
pub(crate) struct Sources {
    /// Of the accounts that were decided against.
    pub statements: Statements,
    /// Of the claimants whose claims were rejected.
    pub claims: Claims,
}

impl Appeals {
    pub(crate) fn new(db: Db, clock: Clock, ids: Ids, sources: Sources) -> Appeals {
        Appeals(Arc::new(Inner { db, clock, ids, sources }))
    }

    /// What an account may appeal against by naming a decision: the statement that is addressed
    /// to it, else its own claim.
    async fn against(&self, decision_id: &str, who: &str) -> Result<(Against, Facts), Error> {
        let Inner { db, sources, .. } = &*self.0;
        let statement = sources.statements.of_decision(decision_id).await?;
        if let Some(statement) = statement.filter(|statement| statement.account_id == who) {
            let facts = Facts::of(&statement).ok_or_else(|| {
                Error::internal(format!("{} has no time of issue", statement.statement_id))
            })?;
            return Ok((Against::statement(&statement), facts));
        }
        let answer = sources.claims.of_decision(decision_id, who).await?;
        if let Answer::Claim(claim) = &answer {
            let facts = Facts::of_claim(claim).ok_or_else(|| {
                Error::internal(format!("{} has no time of decision", claim.claim_id))
            })?;
            return Ok((Against::claim(claim, who), facts));
        }
        // A claim that was corrected names the decision that holds now, not the one that fell.
        if let Some(appeal_id) = store::filed(db, decision_id, who).await? {
            return Err(Inadmissible::Duplicate(appeal_id).error(decision_id));
        }
        Err(decision_not_found(decision_id, answer != Answer::NoService))
    }

    /// Files an appeal against what the caller may appeal against.
    async fn file(
        &self,
        call: &Call,
        request: &FileAppealRequest,
        against: &Against,
        facts: Facts,
        now: Time,
    ) -> Result<FileAppealResponse, Error> {
        let Inner { db, ids, .. } = &*self.0;
        let decision_id = &request.decision_id;
        tx!(db, "file_appeal", |tx| -> Result<FileAppealResponse, Error> {
            // Another one that was filed meanwhile is found when the body runs again.
            tx.retry_unique_violations();
            let pending = match call.claim(tx).await? {
                Claim::Replay(response) => return Ok(response),
                Claim::Fresh(pending) => pending,
            };
            let earlier = store::earlier(tx, decision_id, &against.account_id).await?;
            admit(facts, earlier.as_deref(), now).map_err(|no| no.error(decision_id))?;
            let appeal_id = ids.new_id(appeal::ID_PREFIX, now);
            let appeal = appeal::file(request.clone(), appeal_id, against, now);
            store::file(tx, &appeal, &against.case_id).await?;
            tx.append(Events { ids, now }.filed(&appeal, &against.case_id));
            let response = FileAppealResponse { appeal: Some(appeal) };
            pending.answer(tx, &response).await?;
            Ok(response)
        })
    }
}

fn not_found(appeal_id: &str) -> Error {
    Error::not_found("APPEAL_NOT_FOUND")
        .message("there is no such appeal, or it is not the caller's")
        .resource("appeal", appeal_id)
}

fn decision_not_found(decision_id: &str, claims_asked: bool) -> Error {
    let message = if claims_asked {
        "no statement of reasons to the caller names such a decision, nor was a claim of the \
         caller decided by it"
    } else {
        "no statement of reasons to the caller names such a decision; claims of impersonation \
         cannot be appealed against here, since no impersonation service is configured"
    };
    Error::not_found("DECISION_NOT_FOUND").message(message).resource("decision", decision_id)
}

#[tonic::async_trait]
impl AppealsService for Appeals {
    type WatchAppealEventsStream = WatchStream<WatchAppealEventsResponse>;

    async fn file_appeal(
        &self,
        request: Request<FileAppealRequest>,
    ) -> Result<Response<FileAppealResponse>, Status> {
        let caller = Caller::of(&request);
        let request = request.into_inner();
        let Inner { db, clock, .. } = &*self.0;
        let now = clock.now();
        let call = Call::new(&caller.subject, &request.request_id, "FileAppeal", &request, now);
        // A repeat is answered even when account-health is away or the window has closed.
        if let Some(response) = call.answered(db).await? {
            return Ok(Response::new(response));
        }
        let (against, facts) = self.against(&request.decision_id, &caller.subject).await?;
        let response = self.file(&call, &request, &against, facts, now).await?;
        Ok(Response::new(response))
    }

    async fn get_appeal(
        &self,
        request: Request<GetAppealRequest>,
    ) -> Result<Response<GetAppealResponse>, Status> {
        let caller = Caller::of(&request);
        let appeal_id = &request.get_ref().appeal_id;
        let appeal = store::get(&self.0.db, appeal_id)
            .await?
            .filter(|appeal| appeal.account_id == caller.subject || caller.has(READ_ALL))
            .ok_or_else(|| not_found(appeal_id))?;
        Ok(Response::new(GetAppealResponse { appeal: Some(appeal) }))
    }

    async fn list_appeals(
        &self,
        request: Request<ListAppealsRequest>,
    ) -> Result<Response<ListAppealsResponse>, Status> {
        let caller = Caller::of(&request);
        let request = request.into_inner();
        let account_id = match request.account_id.as_str() {
            "" => &caller.subject,
            account_id => account_id,
        };
        caller.require_own(account_id, READ_ALL)?;
        let size = page::size(request.page_size, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
        let binding = page::binding(&["ListAppeals", account_id]);
        let before: Option<String> = page::read(&request.page_token, &binding)?;
        let before = before.as_deref().unwrap_or(store::ID_MAX);
        let appeals = store::list(&self.0.db, account_id, before, size + 1).await?;
        let (appeals, next_page_token) =
            page::cut(appeals, size, &binding, |last| last.appeal_id.clone());
        Ok(Response::new(ListAppealsResponse { appeals, next_page_token }))
    }

    async fn withdraw_appeal(
        &self,
        request: Request<WithdrawAppealRequest>,
    ) -> Result<Response<WithdrawAppealResponse>, Status> {
        let caller = Caller::of(&request);
        let request = request.into_inner();
        let Inner { db, clock, ids, .. } = &*self.0;
        let now = clock.now();
        let id = &request.appeal_id;
        let call = Call::new(&caller.subject, &request.request_id, "WithdrawAppeal", &request, now);
        let response = tx!(db, "withdraw_appeal", |tx| -> Result<WithdrawAppealResponse, Error> {
            let pending = match call.claim(tx).await? {
                Claim::Replay(response) => return Ok(response),
                Claim::Fresh(pending) => pending,
            };
            let appeal = store::lock(tx, id).await?;
            let appeal = appeal.filter(|appeal| appeal.account_id == caller.subject);
            let appeal = appeal.ok_or_else(|| not_found(id))?;
            let changed = appeal::after(&appeal, &Change::Withdrawn, now);
            let appeal = match changed.map_err(|not_open| not_open.error(id))? {
                Some(withdrawn) => {
                    store::put(tx, &withdrawn).await?;
                    tx.append(Events { ids, now }.withdrawn(&withdrawn));
                    withdrawn
                }
                None => appeal,
            };
            let response = WithdrawAppealResponse { appeal: Some(appeal) };
            pending.answer(tx, &response).await?;
            Ok(response)
        })?;
        Ok(Response::new(response))
    }

    async fn watch_appeal_events(
        &self,
        request: Request<WatchAppealEventsRequest>,
    ) -> Result<Response<Self::WatchAppealEventsStream>, Status> {
        let token = &request.get_ref().resume_token;
        let options = WatchOptions::default();
        let stream = kit::watch::watch(&self.0.db, token, options, |item: Item<'_>| {
            let event = item.event.map(|event| event.decode()).transpose()?;
            Ok(Some(WatchAppealEventsResponse { event, resume_token: item.token }))
        });
        Ok(Response::new(stream.await?))
    }
}
