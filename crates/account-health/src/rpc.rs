//! The RPCs: who may ask, what is wrong with a request, and the answer. It must not know SQL nor
//! how a standing is worked out.

use std::sync::Arc;

use contracts::accounthealth::v1 as proto;
use contracts::accounthealth::v1::account_health_service_server::AccountHealthService;
use contracts::accounthealth::v1::get_statement_request::Key;
use kit::db::Db;
use kit::idempotency::{Call, Claim};
use kit::watch::{Item, WatchOptions, WatchStream};
use kit::{Caller, Clock, Error, Ids, Time, page, tx};
use pack::PackSource;
use tonic::{Request, Response, Status};

use crate::eligibility::Eligibility;
use crate::ladder;
use crate::ledger::Entry;
use crate::message;
use crate::standing::Timeline;
use crate::statement;
use crate::store::{accounts, activations, entries, statements};

/// The scope that lifts the limit to the caller's own account.
const READ_ALL: &str = "accounthealth.read_all";
/// Records on a page unless asked otherwise.
const PAGE_SIZE_DEFAULT: u32 = 50;
/// Records on a page at most.
const PAGE_SIZE_MAX: u32 = 100;

/// The service as its callers see it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AccountHealth {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    pub(crate) packs: PackSource,
    pub(crate) eligibility: Arc<Eligibility>,
}

#[tonic::async_trait]
impl AccountHealthService for AccountHealth {
    async fn get_account_health(
        &self,
        request: Request<proto::GetAccountHealthRequest>,
    ) -> Result<Response<proto::GetAccountHealthResponse>, Status> {
        let caller = Caller::of(&request);
        let request = request.into_inner();
        let account_id = account_of(&caller, &request.account_id)?;
        let as_of = as_of(request.as_of_time.as_ref(), self.clock.now())?;
        let standing = self.standing(&account_id, as_of).await?;
        Ok(Response::new(proto::GetAccountHealthResponse { standing: Some(standing) }))
    }

    async fn check_eligibility(
        &self,
        request: Request<proto::CheckEligibilityRequest>,
    ) -> Result<Response<proto::CheckEligibilityResponse>, Status> {
        let request = request.get_ref();
        let (feature, now) = (request.feature(), self.clock.now());
        let restrictions = self.eligibility.against(&request.account_id, feature, now)?;
        let eligible = restrictions.is_empty();
        Ok(Response::new(proto::CheckEligibilityResponse { eligible, restrictions }))
    }

    async fn list_entries(
        &self,
        request: Request<proto::ListEntriesRequest>,
    ) -> Result<Response<proto::ListEntriesResponse>, Status> {
        let caller = Caller::of(&request);
        let request = request.into_inner();
        let account_id = account_of(&caller, &request.account_id)?;
        let only = if request.active_only { "active" } else { "" };
        let binding = page::binding(&["ListEntries", &account_id, only]);
        let before: Option<(i64, String)> = page::read(&request.page_token, &binding)?;
        let size = page::size(request.page_size, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
        let entries = self.entries(&account_id, request.active_only, before, size + 1).await?;
        let (entries, next_page_token) = page::cut(entries, size, &binding, entry_place);
        Ok(Response::new(proto::ListEntriesResponse { entries, next_page_token }))
    }

    async fn get_statement(
        &self,
        request: Request<proto::GetStatementRequest>,
    ) -> Result<Response<proto::GetStatementResponse>, Status> {
        let caller = Caller::of(&request);
        let request = request.into_inner();
        check_locale(&request.locale, true)?;
        let (key, found) = match request.key {
            Some(Key::StatementId(id)) => {
                let found = statements::by_id(&self.db, &id).await?;
                (id, found)
            }
            Some(Key::DecisionId(id)) => {
                let found = statements::by_decision(&self.db, &id).await?;
                (id, found)
            }
            None => return Err(Error::invalid("key", "one of its fields is required").into()),
        };
        let readable = |statement: &proto::Statement| {
            statement.account_id == caller.subject || caller.has(READ_ALL)
        };
        let mut statement = found
            .filter(readable)
            .ok_or_else(|| Error::not_found("STATEMENT_NOT_FOUND").resource("statement", key))?;
        let locale = self.locale(&statement.account_id, request.locale).await?;
        self.render(&mut statement, &locale).await?;
        Ok(Response::new(proto::GetStatementResponse { statement: Some(statement) }))
    }

    async fn list_statements(
        &self,
        request: Request<proto::ListStatementsRequest>,
    ) -> Result<Response<proto::ListStatementsResponse>, Status> {
        let caller = Caller::of(&request);
        let request = request.into_inner();
        let account_id = account_of(&caller, &request.account_id)?;
        check_locale(&request.locale, true)?;
        let binding = page::binding(&["ListStatements", &account_id, &request.locale]);
        let before: Option<(i64, String)> = page::read(&request.page_token, &binding)?;
        let size = page::size(request.page_size, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
        let limit = i64::try_from(size + 1).unwrap_or(i64::MAX);
        let found = statements::page(&self.db, &account_id, before, limit).await?;
        let (mut statements, next_page_token) = page::cut(found, size, &binding, |statement| {
            (statements::issue_time(statement).micros(), statement.statement_id.clone())
        });
        let locale = self.locale(&account_id, request.locale).await?;
        for statement in &mut statements {
            self.render(statement, &locale).await?;
        }
        Ok(Response::new(proto::ListStatementsResponse { statements, next_page_token }))
    }

    async fn set_account_locale(
        &self,
        request: Request<proto::SetAccountLocaleRequest>,
    ) -> Result<Response<proto::SetAccountLocaleResponse>, Status> {
        let caller = Caller::of(&request);
        let request = request.into_inner();
        check_locale(&request.locale, false)?;
        let pack = self.packs.current()?;
        let (id, now) = (&request.request_id, self.clock.now());
        let call = Call::new(&caller.subject, id, "SetAccountLocale", &request, now);
        let response = tx!(self.db, "set_account_locale", |tx| -> Result<
            proto::SetAccountLocaleResponse,
            Error,
        > {
            let pending = match call.claim(tx).await? {
                Claim::Replay(response) => return Ok(response),
                Claim::Fresh(pending) => pending,
            };
            accounts::put_locale(tx, &request.account_id, &request.locale).await?;
            let resolved_locale = pack.resolve_locale(&request.locale).to_owned();
            let response = proto::SetAccountLocaleResponse { resolved_locale };
            pending.answer(tx, &response).await?;
            Ok(response)
        })?;
        Ok(Response::new(response))
    }

    type WatchAccountHealthEventsStream = WatchStream<proto::WatchAccountHealthEventsResponse>;

    async fn watch_account_health_events(
        &self,
        request: Request<proto::WatchAccountHealthEventsRequest>,
    ) -> Result<Response<Self::WatchAccountHealthEventsStream>, Status> {
        let token = &request.get_ref().resume_token;
        let options = WatchOptions::default();
        let stream = kit::watch::watch(&self.db, token, options, |item: Item<'_>| {
            let event = item.event.map(|event| event.decode()).transpose()?;
            let resume_token = item.token;
            Ok(Some(proto::WatchAccountHealthEventsResponse { event, resume_token }))
        });
        Ok(Response::new(stream.await?))
    }
}

impl AccountHealth {
    /// How an account stands at an instant, or now.
    async fn standing(
        &self,
        account_id: &str,
        as_of: Option<Time>,
    ) -> Result<proto::Standing, Error> {
        let entries = entries::of_account(&self.db, account_id).await?;
        let at = as_of.unwrap_or_else(|| self.now(&entries));
        if !entries.iter().any(|entry| entry.create_time <= at) {
            return Ok(message::good_standing(account_id, at));
        }
        let in_force = match as_of {
            Some(at) => activations::as_of(&self.db, at).await?,
            None => activations::in_force(&self.db).await?,
        };
        let version = in_force.ok_or_else(no_pack)?.version;
        let ladders = ladder::ladders(self.packs.version(version).await?.ladders());
        let standing = Timeline::new(&entries, &ladders, at).at(at);
        Ok(message::standing(account_id, &standing, at, version))
    }

    /// A ledger before a place, newest first, at most `limit` entries.
    async fn entries(
        &self,
        account_id: &str,
        active_only: bool,
        before: Option<(i64, String)>,
        limit: usize,
    ) -> Result<Vec<proto::Entry>, Error> {
        let entries = entries::of_account(&self.db, account_id).await?;
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let in_force = activations::in_force(&self.db).await?.ok_or_else(no_pack)?;
        let ladders = ladder::ladders(self.packs.version(in_force.version).await?.ladders());
        let at = self.now(&entries);
        let timeline = Timeline::new(&entries, &ladders, at);
        let mut messages = message::entries(&entries, &timeline, at);
        messages.retain(|entry| entry.active || !active_only);
        messages.reverse();
        let after = |entry: &proto::Entry| {
            before.as_ref().is_none_or(|before| entry_place(entry) < *before)
        };
        messages.retain(after);
        messages.truncate(limit);
        Ok(messages)
    }

    /// Now, but not before the last entry, which another replica's clock may have set.
    fn now(&self, entries: &[Entry]) -> Time {
        let last = entries.iter().map(|entry| entry.create_time).max();
        self.clock.now().max(last.unwrap_or(Time::EPOCH))
    }

    /// The wanted language, or that of the account.
    async fn locale(&self, account_id: &str, wanted: String) -> Result<String, Error> {
        if wanted.is_empty() {
            return Ok(accounts::locale(&self.db, account_id).await?);
        }
        Ok(wanted)
    }

    async fn render(&self, one: &mut proto::Statement, locale: &str) -> Result<(), Error> {
        let pack = self.packs.version(one.pack_version).await?;
        statement::render(one, &pack, locale);
        Ok(())
    }
}

/// Where an entry stands in its ledger.
fn entry_place(entry: &proto::Entry) -> (i64, String) {
    let time = entry.create_time.as_ref().and_then(Time::from_timestamp).unwrap_or_default();
    (time.micros(), entry.entry_id.clone())
}

/// The account meant, if the caller may read it.
fn account_of(caller: &Caller, account_id: &str) -> Result<String, Error> {
    if account_id.is_empty() || account_id == caller.subject {
        return Ok(caller.subject.clone());
    }
    if caller.has(READ_ALL) {
        return Ok(account_id.to_owned());
    }
    Err(Error::not_found("ACCOUNT_NOT_FOUND").resource("account", account_id))
}

/// The instant asked for, which must not be to come.
fn as_of(timestamp: Option<&prost_types::Timestamp>, now: Time) -> Result<Option<Time>, Error> {
    let Some(timestamp) = timestamp else { return Ok(None) };
    let at = Time::from_timestamp(timestamp)
        .ok_or_else(|| Error::invalid("as_of_time", "must be a time in the years 1 to 9999"))?;
    if at > now {
        return Err(Error::invalid_argument("AS_OF_IN_FUTURE")
            .message("as_of_time is still to come")
            .and_invalid("as_of_time", "must not be later than now"));
    }
    Ok(Some(at))
}

/// Refuses what has not the form of a BCP 47 tag: letters first, then letters and digits, in
/// parts of up to eight.
fn check_locale(tag: &str, optional: bool) -> Result<(), Error> {
    /// Characters of one part of a tag.
    const PART_CHARS_MAX: usize = 8;
    if tag.is_empty() && optional {
        return Ok(());
    }
    let mut parts = tag.split('-');
    let first = parts.next().unwrap_or_default();
    let language = (2..=PART_CHARS_MAX).contains(&first.len())
        && first.bytes().all(|byte| byte.is_ascii_alphabetic());
    let part = |part: &str| {
        (1..=PART_CHARS_MAX).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    if language && parts.all(part) {
        return Ok(());
    }
    Err(Error::invalid("locale", "must be a BCP 47 tag such as \"de\" or \"zh-Hant\""))
}

fn no_pack() -> Error {
    Error::unavailable("NOT_READY").message("no pack is in force yet")
}
