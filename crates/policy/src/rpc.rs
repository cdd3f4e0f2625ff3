//! The RPCs: who calls, what is asked, the one decision, the one transaction, the answer.
//!
//! Requests come checked against the rules of the contract. It holds no SQL and does not know how
//! a pack is written.

use std::sync::Arc;

use contracts::policy::v1::policy_event::Event;
use contracts::policy::v1::policy_service_server::PolicyService;
use contracts::policy::v1::{
    ActivatePackRequest, ActivatePackResponse, CheckPackRequest, CheckPackResponse,
    DiffPacksRequest, DiffPacksResponse, GetPackRequest, GetPackResponse, ListPacksRequest,
    ListPacksResponse, Pack, PackActivated, PackFile, PackMistake, PackPublished, PackVersion,
    PolicyEvent, PreviewPolicyRequest, PreviewPolicyResponse, PublishPackRequest,
    PublishPackResponse, WatchPolicyEventsRequest, WatchPolicyEventsResponse,
};
use kit::db::{Db, Tx};
use kit::events::NewEvent;
use kit::idempotency::{Call, Claim};
use kit::watch::{Item, WatchOptions, WatchStream};
use kit::{Caller, Clock, Error, Ids, Time, page, tx};
use tonic::{Request, Response, Status};

use crate::versions::{Versions, not_found};
use crate::{check, diff, store};

/// Versions on a page unless asked otherwise.
const PAGE_SIZE_DEFAULT: u32 = 50;
/// Versions on a page at most.
const PAGE_SIZE_MAX: u32 = 100;
/// How many mistakes an error names: details of errors travel in headers, which are small.
/// CheckPack lists all.
const MISTAKES_IN_ERROR_MAX: usize = 20;
/// How long the description of each may be there, in characters.
const MISTAKE_CHARS_MAX: usize = 160;

/// The policy service. Cheap to clone.
#[derive(Clone)]
pub struct Policies(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Clock,
    ids: Ids,
    versions: Versions,
}

impl Policies {
    /// On a migrated database.
    pub fn new(db: Db, clock: Clock, ids: Ids) -> Policies {
        let versions = Versions::new(db.clone());
        Policies(Arc::new(Inner { db, clock, ids, versions }))
    }

    /// Publishes the files of a pack; equal ones answer with the version that they are already.
    async fn publish(
        &self,
        caller: &Caller,
        request: PublishPackRequest,
    ) -> Result<PublishPackResponse, Error> {
        let now = self.0.clock.now();
        let call = Call::new(&caller.subject, &request.request_id, "PublishPack", &request, now);
        if let Some(response) = call.answered(&self.0.db).await? {
            return Ok(response);
        }
        let (compiled, files) = compile(request.files).await?;
        let compiled = compiled.map_err(|mistakes| pack_invalid(&mistakes))?;
        tx!(self.0.db, "publish_pack", |tx| -> Result<PublishPackResponse, Error> {
            let pending = match call.claim(tx).await? {
                Claim::Replay(response) => return Ok(response),
                Claim::Fresh(pending) => pending,
            };
            let head = store::lock_head(tx).await?;
            let pack = match store::with_digest(tx, &compiled.digest).await? {
                Some(known) => known.render(head.active_version),
                None => {
                    let version = head.last_version + 1;
                    let create_time = Some(now.into());
                    let pack = Pack { version, create_time, ..compiled.clone() };
                    let row = store::publish(tx, head, &pack, &files, &caller.subject, now).await?;
                    let pack = row.render(head.active_version);
                    let event = PackPublished { pack: Some(pack.clone()) };
                    self.append(tx, "pack_published", now, &pack, Event::PackPublished(event));
                    pack
                }
            };
            let response = PublishPackResponse { pack: Some(pack) };
            pending.answer(tx, &response).await?;
            Ok(response)
        })
    }

    /// Puts a published version in force. One that is in force stays so, without an event.
    async fn activate(
        &self,
        caller: &Caller,
        request: ActivatePackRequest,
    ) -> Result<ActivatePackResponse, Error> {
        let now = self.0.clock.now();
        let call = Call::new(&caller.subject, &request.request_id, "ActivatePack", &request, now);
        let version = request.version;
        tx!(self.0.db, "activate_pack", |tx| -> Result<ActivatePackResponse, Error> {
            let pending = match call.claim(tx).await? {
                Claim::Replay(response) => return Ok(response),
                Claim::Fresh(pending) => pending,
            };
            let head = store::lock_head(tx).await?;
            let row = store::with_version(tx, version).await?;
            let mut row = row.ok_or_else(|| not_found(version))?;
            let previous_version = head.active_version;
            if previous_version != request.expected_active_version {
                return Err(active_version_changed(previous_version));
            }
            if version != previous_version {
                row.activate_time = Some(now.micros());
                let pack = row.clone().render(version);
                let event = PackActivated { pack: Some(pack.clone()), previous_version };
                let event = Event::PackActivated(event);
                let event_id = self.append(tx, "pack_activated", now, &pack, event);
                store::activate(tx, head, version, &event_id, &caller.subject, now).await?;
            }
            let response = ActivatePackResponse { pack: Some(row.render(version)) };
            pending.answer(tx, &response).await?;
            Ok(response)
        })
    }

    /// Adds an event to the transaction; answers its id.
    fn append(
        &self,
        tx: &mut Tx,
        kind: &'static str,
        now: Time,
        pack: &PackVersion,
        event: Event,
    ) -> String {
        let event_id = self.0.ids.new_id("evt", now);
        let (time, event) = (Some(now.into()), Some(event));
        let message = PolicyEvent { event_id: event_id.clone(), time, event };
        tx.append(NewEvent::of(&event_id, pack.version.to_string(), kind, now, &message));
        event_id
    }

    async fn list(&self, request: ListPacksRequest) -> Result<ListPacksResponse, Error> {
        let binding = page::binding(&["ListPacks"]);
        let below: Option<i64> = page::read(&request.page_token, &binding)?;
        let size = page::size(request.page_size, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
        let active = store::head(&self.0.db).await?.active_version;
        let rows = store::list(&self.0.db, below.unwrap_or(i64::MAX), size + 1).await?;
        let (rows, next_page_token) = page::cut(rows, size, &binding, |row| row.version);
        let packs = rows.into_iter().map(|row| row.render(active)).collect();
        Ok(ListPacksResponse { packs, next_page_token })
    }

    async fn preview(&self, request: PreviewPolicyRequest) -> Result<PreviewPolicyResponse, Error> {
        let at = match &request.at_time {
            None => self.0.clock.now(),
            Some(time) => Time::from_timestamp(time)
                .ok_or_else(|| Error::invalid("at_time", "must be in the years 1 to 9999"))?,
        };
        let pack = self.0.versions.get(request.version).await?;
        let found = pack
            .resolve(&request.policy, &request.region, at)
            .ok_or_else(|| policy_not_found(&request.policy))?;
        let locale = pack.resolve_locale(&request.locale);
        Ok(PreviewPolicyResponse {
            version: pack.version(),
            edition: found.edition.to_owned(),
            overlay: found.overlay.to_owned(),
            rule: Some(found.rule.clone()),
            title: pack.text(found.title, locale).to_owned(),
            text: pack.text(found.text, locale).to_owned(),
            locale: locale.to_owned(),
        })
    }
}

#[tonic::async_trait]
impl PolicyService for Policies {
    async fn check_pack(
        &self,
        request: Request<CheckPackRequest>,
    ) -> Result<Response<CheckPackResponse>, Status> {
        let (checked, _) = compile(request.into_inner().files).await?;
        let mistakes = checked.err().unwrap_or_default();
        Ok(Response::new(CheckPackResponse { mistakes }))
    }

    async fn publish_pack(
        &self,
        request: Request<PublishPackRequest>,
    ) -> Result<Response<PublishPackResponse>, Status> {
        let caller = Caller::of(&request);
        Ok(Response::new(self.publish(&caller, request.into_inner()).await?))
    }

    async fn activate_pack(
        &self,
        request: Request<ActivatePackRequest>,
    ) -> Result<Response<ActivatePackResponse>, Status> {
        let caller = Caller::of(&request);
        Ok(Response::new(self.activate(&caller, request.into_inner()).await?))
    }

    async fn get_pack(
        &self,
        request: Request<GetPackRequest>,
    ) -> Result<Response<GetPackResponse>, Status> {
        let pack = self.0.versions.get(request.into_inner().version).await?;
        Ok(Response::new(GetPackResponse { pack: Some(pack.proto().clone()) }))
    }

    async fn list_packs(
        &self,
        request: Request<ListPacksRequest>,
    ) -> Result<Response<ListPacksResponse>, Status> {
        Ok(Response::new(self.list(request.into_inner()).await?))
    }

    async fn diff_packs(
        &self,
        request: Request<DiffPacksRequest>,
    ) -> Result<Response<DiffPacksResponse>, Status> {
        let DiffPacksRequest { from_version, to_version } = request.into_inner();
        let from = self.0.versions.get(from_version).await?;
        let to = self.0.versions.get(to_version).await?;
        let changes = aside(move || diff::changes(from.proto(), to.proto())).await?;
        Ok(Response::new(DiffPacksResponse { changes }))
    }

    async fn preview_policy(
        &self,
        request: Request<PreviewPolicyRequest>,
    ) -> Result<Response<PreviewPolicyResponse>, Status> {
        Ok(Response::new(self.preview(request.into_inner()).await?))
    }

    type WatchPolicyEventsStream = WatchStream<WatchPolicyEventsResponse>;

    async fn watch_policy_events(
        &self,
        request: Request<WatchPolicyEventsRequest>,
    ) -> Result<Response<Self::WatchPolicyEventsStream>, Status> {
        let token = &request.get_ref().resume_token;
        let stream = kit::watch::watch(&self.0.db, token, WatchOptions::default(), render).await?;
        Ok(Response::new(stream))
    }
}

fn render(item: Item<'_>) -> Result<Option<WatchPolicyEventsResponse>, Error> {
    let event = item.event.map(|event| event.decode::<PolicyEvent>()).transpose()?;
    Ok(Some(WatchPolicyEventsResponse { event, resume_token: item.token }))
}

/// Checks files; gives them back, so that they need not be copied.
async fn compile(
    files: Vec<PackFile>,
) -> Result<(Result<Pack, Vec<PackMistake>>, Vec<PackFile>), Error> {
    aside(move || (check(&files), files)).await
}

/// Runs what takes many milliseconds where it holds up no other call.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}

fn pack_invalid(mistakes: &[PackMistake]) -> Error {
    let count = mistakes.len();
    let error = Error::invalid_argument("PACK_INVALID")
        .message(format!("the pack has {count} mistakes, CheckPack lists all of them"))
        .meta("mistake_count", count.to_string());
    mistakes.iter().take(MISTAKES_IN_ERROR_MAX).fold(error, |error, mistake| {
        let text: String = mistake.description.chars().take(MISTAKE_CHARS_MAX).collect();
        error.and_invalid(format!("{}:{}", mistake.path, mistake.line), text)
    })
}

fn active_version_changed(active: i64) -> Error {
    Error::aborted("ACTIVE_VERSION_CHANGED")
        .message(format!("version {active} is active, not the expected one"))
        .meta("active_version", active.to_string())
}

fn policy_not_found(policy: &str) -> Error {
    Error::not_found("POLICY_NOT_FOUND")
        .message("the pack has no such policy in force at that instant")
        .resource("policy", policy)
        .meta("policy", policy)
}
