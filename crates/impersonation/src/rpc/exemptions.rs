//! Exemptions: declared, granted, ended, listed.

use contracts::impersonation::v1::exemption::State;
use contracts::impersonation::v1::{
    DeclareExemptionRequest, DeclareExemptionResponse, EndExemptionRequest, EndExemptionResponse,
    Exemption, GrantExemptionRequest, GrantExemptionResponse, ListExemptionsRequest,
    ListExemptionsResponse,
};
use kit::db::Tx;
use kit::idempotency::{Call, Claim};
use kit::{Caller, Error, Time, page, tx};
use tonic::{Request, Response};

use super::identities::not_found;
use super::{Answer, Inner, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX, READ_ALL};
use crate::events::Events;
use crate::exemption::{ID_PREFIX, declarable};
use crate::store::{exemptions, identities};

/// Refuses an end that has passed.
fn check(expire_time: &Option<prost_types::Timestamp>, now: Time) -> Result<(), Error> {
    let expire = expire_time.as_ref().and_then(Time::from_timestamp);
    if expire.is_some_and(|expire| expire <= now) {
        return Err(Error::invalid("expire_time", "must be in the future"));
    }
    Ok(())
}

/// Stores a new exemption with its event.
async fn insert(inner: &Inner, tx: &mut Tx, new: &Exemption, now: Time) -> Result<(), Error> {
    let of = &new.identity_id;
    if !of.is_empty() && identities::get_in(tx, of).await?.is_none() {
        return Err(not_found(of));
    }
    inner.checker.memory.shelf().note_exempt([new.account_id.as_str()]);
    exemptions::insert(tx, new, now).await?;
    tx.append(Events { ids: &inner.ids, now }.exemption(new.clone()));
    Ok(())
}

/// See the contract.
pub(super) async fn declare_exemption(
    inner: &Inner,
    request: Request<DeclareExemptionRequest>,
) -> Answer<DeclareExemptionResponse> {
    let caller = Caller::of(&request);
    let message = request.into_inner();
    let now = inner.clock.now();
    let call = Call::new(&caller.subject, &message.request_id, "DeclareExemption", &message, now);
    let kind = message.kind();
    if !declarable(kind) {
        return Err(Error::failed_precondition("EXEMPTION_NOT_DECLARABLE")
            .message("this exemption is granted by staff, not declared")
            .meta("kind", kind.as_str_name())
            .into());
    }
    check(&message.expire_time, now)?;
    let new = Exemption {
        exemption_id: inner.ids.new_id(ID_PREFIX, now),
        account_id: caller.subject.clone(),
        identity_id: message.identity_id,
        kind: message.kind,
        state: State::Declared.into(),
        evidence: message.evidence,
        create_time: Some(now.into()),
        update_time: Some(now.into()),
        expire_time: message.expire_time,
        end_reason: String::new(),
    };
    let answer =
        tx!(inner.db, "declare_exemption", |tx| -> Result<DeclareExemptionResponse, Error> {
            let pending = match call.claim(tx).await? {
                Claim::Replay(answer) => return Ok(answer),
                Claim::Fresh(pending) => pending,
            };
            insert(inner, tx, &new, now).await?;
            let answer = DeclareExemptionResponse { exemption: Some(new.clone()) };
            pending.answer(tx, &answer).await?;
            Ok(answer)
        })?;
    Ok(Response::new(answer))
}

/// See the contract.
pub(super) async fn grant_exemption(
    inner: &Inner,
    request: Request<GrantExemptionRequest>,
) -> Answer<GrantExemptionResponse> {
    let caller = Caller::of(&request);
    let message = request.into_inner();
    let now = inner.clock.now();
    let call = Call::new(&caller.subject, &message.request_id, "GrantExemption", &message, now);
    check(&message.expire_time, now)?;
    let new = Exemption {
        exemption_id: inner.ids.new_id(ID_PREFIX, now),
        account_id: message.account_id,
        identity_id: message.identity_id,
        kind: message.kind,
        state: State::Granted.into(),
        evidence: message.evidence,
        create_time: Some(now.into()),
        update_time: Some(now.into()),
        expire_time: message.expire_time,
        end_reason: String::new(),
    };
    let answer = tx!(inner.db, "grant_exemption", |tx| -> Result<GrantExemptionResponse, Error> {
        let pending = match call.claim(tx).await? {
            Claim::Replay(answer) => return Ok(answer),
            Claim::Fresh(pending) => pending,
        };
        insert(inner, tx, &new, now).await?;
        let answer = GrantExemptionResponse { exemption: Some(new.clone()) };
        pending.answer(tx, &answer).await?;
        Ok(answer)
    })?;
    Ok(Response::new(answer))
}

/// See the contract.
pub(super) async fn end_exemption(
    inner: &Inner,
    request: Request<EndExemptionRequest>,
) -> Answer<EndExemptionResponse> {
    let caller = Caller::of(&request);
    let message = request.into_inner();
    let (now, ids) = (inner.clock.now(), &inner.ids);
    let call = Call::new(&caller.subject, &message.request_id, "EndExemption", &message, now);
    let id = &message.exemption_id;
    let answer = tx!(inner.db, "end_exemption", |tx| -> Result<EndExemptionResponse, Error> {
        let pending = match call.claim(tx).await? {
            Claim::Replay(answer) => return Ok(answer),
            Claim::Fresh(pending) => pending,
        };
        let exemption = exemptions::lock(tx, id).await?;
        let mut exemption = exemption
            .ok_or_else(|| Error::not_found("EXEMPTION_NOT_FOUND").resource("exemption", id))?;
        if exemption.state() == State::Ended {
            return Err(Error::failed_precondition("EXEMPTION_ENDED")
                .message("the exemption has ended already")
                .violation("STATE", format!("exemptions/{id}"), "the exemption must hold"));
        }
        exemptions::end(tx, id, &message.reason, now).await?;
        exemption.set_state(State::Ended);
        exemption.end_reason.clone_from(&message.reason);
        exemption.update_time = Some(now.into());
        tx.append(Events { ids, now }.exemption(exemption.clone()));
        let answer = EndExemptionResponse { exemption: Some(exemption) };
        pending.answer(tx, &answer).await?;
        Ok(answer)
    })?;
    Ok(Response::new(answer))
}

/// See the contract.
pub(super) async fn list_exemptions(
    inner: &Inner,
    request: Request<ListExemptionsRequest>,
) -> Answer<ListExemptionsResponse> {
    let caller = Caller::of(&request);
    let request = request.into_inner();
    let (account_id, of) = match (request.account_id.as_str(), request.identity_id.as_str()) {
        ("", of) if caller.has(READ_ALL) => ("", of),
        ("", "") => (caller.subject.as_str(), ""),
        (account_id, of) => (account_id, of),
    };
    if account_id != caller.subject {
        caller.require(READ_ALL)?;
    }
    let size = page::size(request.page_size, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
    let binding = page::binding(&["ListExemptions", account_id, of]);
    let before = page::read(&request.page_token, &binding)?;
    let before: String = before.unwrap_or_else(|| exemptions::ID_MAX.to_owned());
    let found = exemptions::list(&inner.db, account_id, of, &before, size + 1).await;
    let found = found.map_err(Error::from)?;
    let (exemptions, next_page_token) =
        page::cut(found, size, &binding, |last| last.exemption_id.clone());
    Ok(Response::new(ListExemptionsResponse { exemptions, next_page_token }))
}
