//! Protected identities: enrolment, change, verification, end.

use contracts::impersonation::v1::protected_identity::State;
use contracts::impersonation::v1::verification::State as Verified;
use contracts::impersonation::v1::{
    EndProtectionRequest, EndProtectionResponse, EnrolIdentityRequest, EnrolIdentityResponse,
    GetIdentityRequest, GetIdentityResponse, IdentitySpec, ImportIdentitiesRequest,
    ImportIdentitiesResponse, ListIdentitiesRequest, ListIdentitiesResponse, UpdateIdentityRequest,
    UpdateIdentityResponse, Verification, VerifyAttributeRequest, VerifyAttributeResponse,
};
use kit::db::{DbError, Tx};
use kit::idempotency::{Call, Claim};
use kit::{Caller, Error, page, tx};
use tonic::{Request, Response, Status};

use super::{Answer, Inner, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX, READ_ALL};
use crate::events::Events;
use crate::identity::{self, ID_PREFIX, Identity};
use crate::picture::Pictures;
use crate::store::identities;

pub(super) fn not_found(identity_id: &str) -> Error {
    Error::not_found("IDENTITY_NOT_FOUND")
        .message("there is no such protected identity, or it is not the caller's")
        .resource("identity", identity_id)
}

pub(super) fn ended(identity: &Identity) -> Error {
    let name = format!("identities/{}", identity.identity_id);
    Error::failed_precondition("IDENTITY_ENDED")
        .message("the protection of the identity has ended")
        .violation("STATE", name, "the identity must be protected")
}

fn account_enrolled(account_id: &str) -> Error {
    Error::already_exists("ACCOUNT_ENROLLED")
        .message("the account is enrolled with another identity")
        .resource("account", account_id)
}

/// The constraint that two transactions meet on which enrol one account.
fn lost_race(error: DbError) -> Error {
    if error.on_constraint("identity_accounts_own") {
        return account_enrolled("");
    }
    error.into()
}

/// Refuses a spec by itself.
fn check(spec: &IdentitySpec, now: kit::Time) -> Result<(), Error> {
    identity::check(spec, "spec", now, Error::invalid_request()).if_any_invalid()
}

async fn pictures(inner: &Inner, spec: &IdentitySpec, known: &Pictures) -> Result<Pictures, Error> {
    let unreadable = Error::invalid_argument("PICTURE_UNREADABLE");
    let path = "spec.avatars".to_owned();
    let read = inner.checker.pictures(&spec.avatars, known, path, unreadable);
    let (pictures, wrong) = read.await?;
    wrong.if_any_invalid()?;
    Ok(pictures)
}

/// Refuses accounts that are another identity's own.
async fn none_enrolled(tx: &mut Tx, spec: &IdentitySpec, of: &str) -> Result<(), Error> {
    let accounts = spec.account_ids.iter().map(String::as_str);
    match identities::enrolled(tx, accounts, of).await?.first() {
        Some(account_id) => Err(account_enrolled(account_id)),
        None => Ok(()),
    }
}

/// See the contract.
pub(super) async fn enrol_identity(
    inner: &Inner,
    request: Request<EnrolIdentityRequest>,
) -> Answer<EnrolIdentityResponse> {
    let caller = Caller::of(&request);
    let message = request.into_inner();
    let (now, ids) = (inner.clock.now(), &inner.ids);
    let call = Call::new(&caller.subject, &message.request_id, "EnrolIdentity", &message, now);
    if let Some(answer) = call.answered(&inner.db).await? {
        return Ok(Response::new(answer));
    }
    let spec = message.spec.unwrap_or_default();
    check(&spec, now)?;
    let pictures = pictures(inner, &spec, &Pictures::default()).await?;
    let new = identity::enrol(spec, pictures, ids.new_id(ID_PREFIX, now), now);
    let answer = tx!(inner.db, "enrol_identity", |tx| -> Result<EnrolIdentityResponse, Error> {
        let pending = match call.claim(tx).await? {
            Claim::Replay(answer) => return Ok(answer),
            Claim::Fresh(pending) => pending,
        };
        none_enrolled(tx, &new.spec, "").await?;
        let mut new = vec![new.clone()];
        identities::insert(tx, &mut new).await.map_err(lost_race)?;
        tx.append(Events { ids, now }.enrolled(&new));
        let answer = EnrolIdentityResponse { identity: new.first().map(Identity::render) };
        pending.answer(tx, &answer).await?;
        Ok(answer)
    })?;
    Ok(Response::new(answer))
}

/// The identities of an import, or every one that is wrong.
async fn imported(
    inner: &Inner,
    specs: Vec<IdentitySpec>,
    now: kit::Time,
) -> Result<Vec<Identity>, Error> {
    let mut wrong = Error::invalid_argument("BATCH_REFUSED");
    let mut new = Vec::with_capacity(specs.len());
    let mut accounts = std::collections::BTreeSet::new();
    for (index, spec) in specs.into_iter().enumerate() {
        let path = format!("specs[{index}]");
        wrong = identity::check(&spec, &path, now, wrong);
        for (at, account_id) in spec.account_ids.iter().enumerate() {
            if !accounts.insert(account_id.clone()) {
                let field = format!("{path}.account_ids[{at}]");
                wrong = wrong.and_invalid(field, "must not be an account of another identity");
            }
        }
        let (avatars, none) = (format!("{path}.avatars"), Pictures::default());
        let read = inner.checker.pictures(&spec.avatars, &none, avatars, wrong);
        let pictures;
        (pictures, wrong) = read.await?;
        new.push(identity::enrol(spec, pictures, inner.ids.new_id(ID_PREFIX, now), now));
    }
    wrong.if_any_invalid()?;
    Ok(new)
}

/// Refuses an import whose accounts are other identities' own, naming each.
async fn none_of_all_enrolled(tx: &mut Tx, new: &[Identity]) -> Result<(), Error> {
    let accounts = || new.iter().flat_map(|identity| &identity.spec.account_ids);
    let enrolled = identities::enrolled(tx, accounts().map(String::as_str), "").await?;
    let mut wrong = Error::invalid_argument("BATCH_REFUSED");
    for (index, identity) in new.iter().enumerate() {
        for (at, account_id) in identity.spec.account_ids.iter().enumerate() {
            if enrolled.binary_search(account_id).is_ok() {
                let field = format!("specs[{index}].account_ids[{at}]");
                wrong = wrong.and_invalid(field, "must not be an account of another identity");
            }
        }
    }
    wrong.if_any_invalid()
}

/// See the contract.
pub(super) async fn import_identities(
    inner: &Inner,
    request: Request<ImportIdentitiesRequest>,
) -> Answer<ImportIdentitiesResponse> {
    let caller = Caller::of(&request);
    let message = request.into_inner();
    let (now, ids) = (inner.clock.now(), &inner.ids);
    let call = Call::new(&caller.subject, &message.request_id, "ImportIdentities", &message, now);
    if let Some(answer) = call.answered(&inner.db).await? {
        return Ok(Response::new(answer));
    }
    let new = imported(inner, message.specs, now).await?;
    let answer =
        tx!(inner.db, "import_identities", |tx| -> Result<ImportIdentitiesResponse, Error> {
            let pending = match call.claim(tx).await? {
                Claim::Replay(answer) => return Ok(answer),
                Claim::Fresh(pending) => pending,
            };
            none_of_all_enrolled(tx, &new).await?;
            let mut new = new.clone();
            identities::insert(tx, &mut new).await.map_err(lost_race)?;
            tx.append(Events { ids, now }.enrolled(&new));
            let identity_ids = new.into_iter().map(|identity| identity.identity_id).collect();
            let answer = ImportIdentitiesResponse { identity_ids };
            pending.answer(tx, &answer).await?;
            Ok(answer)
        })?;
    Ok(Response::new(answer))
}

/// An identity that is protected, locked.
async fn lock_active(tx: &mut Tx, identity_id: &str) -> Result<Identity, Error> {
    let identity = identities::lock(tx, identity_id).await?;
    let identity = identity.ok_or_else(|| not_found(identity_id))?;
    if identity.state == State::Active { Ok(identity) } else { Err(ended(&identity)) }
}

/// See the contract.
pub(super) async fn update_identity(
    inner: &Inner,
    request: Request<UpdateIdentityRequest>,
) -> Answer<UpdateIdentityResponse> {
    let caller = Caller::of(&request);
    let message = request.into_inner();
    let (now, ids) = (inner.clock.now(), &inner.ids);
    let call = Call::new(&caller.subject, &message.request_id, "UpdateIdentity", &message, now);
    if let Some(answer) = call.answered(&inner.db).await? {
        return Ok(Response::new(answer));
    }
    let UpdateIdentityRequest { identity_id, etag, spec, .. } = message;
    let spec = spec.unwrap_or_default();
    check(&spec, now)?;
    // Read before the pictures are: the etag vouches for it.
    let known = identities::get(&inner.db, &identity_id).await?;
    let known = known.ok_or_else(|| not_found(&identity_id))?;
    let pictures = pictures(inner, &spec, &known.pictures).await?;
    let answer = tx!(inner.db, "update_identity", |tx| -> Result<UpdateIdentityResponse, Error> {
        let pending = match call.claim(tx).await? {
            Claim::Replay(answer) => return Ok(answer),
            Claim::Fresh(pending) => pending,
        };
        let mut identity = lock_active(tx, &identity_id).await?;
        if identity.etag() != etag {
            return Err(Error::aborted("ETAG_MISMATCH")
                .message("the identity has changed: look at it again")
                .meta("etag", identity.etag()));
        }
        none_enrolled(tx, &spec, &identity_id).await?;
        let changed = identity.update(spec.clone(), pictures.clone(), now);
        identities::update(tx, &identity).await.map_err(lost_race)?;
        tx.append(Events { ids, now }.changed(&identity_id, changed));
        let answer = UpdateIdentityResponse { identity: Some(identity.render()) };
        pending.answer(tx, &answer).await?;
        Ok(answer)
    })?;
    inner.checker.memory.shelf().take_off([known.number]);
    Ok(Response::new(answer))
}

/// See the contract.
pub(super) async fn verify_attribute(
    inner: &Inner,
    request: Request<VerifyAttributeRequest>,
) -> Answer<VerifyAttributeResponse> {
    let caller = Caller::of(&request);
    let message = request.into_inner();
    let (now, ids) = (inner.clock.now(), &inner.ids);
    let call = Call::new(&caller.subject, &message.request_id, "VerifyAttribute", &message, now);
    let expire = message.expire_time.as_ref().and_then(kit::Time::from_timestamp);
    if expire.is_some_and(|expire| expire <= now) {
        return Err(Error::invalid("expire_time", "must be in the future").into());
    }
    let id = &message.identity_id;
    let (answer, number) =
        tx!(inner.db, "verify_attribute", |tx| -> Result<(VerifyAttributeResponse, _), Error> {
            let pending = match call.claim(tx).await? {
                Claim::Replay(answer) => return Ok((answer, None)),
                Claim::Fresh(pending) => pending,
            };
            let mut identity = lock_active(tx, id).await?;
            if !identity.holds(message.attribute(), &message.value) {
                return Err(Error::failed_precondition("VALUE_NOT_HELD")
                    .message("the identity does not have this value")
                    .violation(
                        "VALUE",
                        format!("identities/{id}"),
                        "the value must be the identity's",
                    ));
            }
            let verification = Verification {
                attribute: message.attribute,
                value: message.value.clone(),
                method: message.method.clone(),
                state: Verified::Valid.into(),
                verify_time: Some(now.into()),
                expire_time: message.expire_time,
                lapse_time: None,
            };
            identity.verify(verification, now);
            identities::update(tx, &identity).await?;
            tx.append(Events { ids, now }.changed(id, identity::Changed::default()));
            let answer = VerifyAttributeResponse { identity: Some(identity.render()) };
            pending.answer(tx, &answer).await?;
            Ok((answer, Some(identity.number)))
        })?;
    inner.checker.memory.shelf().take_off(number);
    Ok(Response::new(answer))
}

/// See the contract.
pub(super) async fn end_protection(
    inner: &Inner,
    request: Request<EndProtectionRequest>,
) -> Answer<EndProtectionResponse> {
    let caller = Caller::of(&request);
    let message = request.into_inner();
    let (now, ids) = (inner.clock.now(), &inner.ids);
    let call = Call::new(&caller.subject, &message.request_id, "EndProtection", &message, now);
    let (answer, number) =
        tx!(inner.db, "end_protection", |tx| -> Result<(EndProtectionResponse, _), Error> {
            let pending = match call.claim(tx).await? {
                Claim::Replay(answer) => return Ok((answer, None)),
                Claim::Fresh(pending) => pending,
            };
            let mut identity = lock_active(tx, &message.identity_id).await?;
            identity.end(&message.reason, now);
            identities::update(tx, &identity).await?;
            tx.append(Events { ids, now }.ended(&identity.identity_id, identity.state));
            let answer = EndProtectionResponse { identity: Some(identity.render()) };
            pending.answer(tx, &answer).await?;
            Ok((answer, Some(identity.number)))
        })?;
    inner.checker.memory.shelf().take_off(number);
    Ok(Response::new(answer))
}

/// An identity that the caller may see.
pub(super) async fn visible(
    inner: &Inner,
    caller: &Caller,
    identity_id: &str,
) -> Result<Identity, Error> {
    let identity = identities::get(&inner.db, identity_id).await?;
    identity
        .filter(|identity| identity.is_own(&caller.subject) || caller.has(READ_ALL))
        .ok_or_else(|| not_found(identity_id))
}

/// See the contract.
pub(super) async fn get_identity(
    inner: &Inner,
    request: Request<GetIdentityRequest>,
) -> Answer<GetIdentityResponse> {
    let caller = Caller::of(&request);
    let identity = visible(inner, &caller, &request.get_ref().identity_id).await?;
    Ok(Response::new(GetIdentityResponse { identity: Some(identity.render()) }))
}

/// See the contract.
pub(super) async fn list_identities(
    inner: &Inner,
    request: Request<ListIdentitiesRequest>,
) -> Answer<ListIdentitiesResponse> {
    let caller = Caller::of(&request);
    let request = request.into_inner();
    let account_id = match request.account_id.as_str() {
        "" if caller.has(READ_ALL) => "",
        "" => caller.subject.as_str(),
        account_id => account_id,
    };
    if account_id != caller.subject {
        caller.require(READ_ALL)?;
    }
    let state = request.state();
    let size = page::size(request.page_size, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
    let binding = page::binding(&["ListIdentities", account_id, state.as_str_name()]);
    let after: String = page::read(&request.page_token, &binding)?.unwrap_or_default();
    let found = match account_id {
        "" => identities::list(&inner.db, state, &after, size + 1).await,
        account_id => identities::list_of(&inner.db, account_id, state, &after, size + 1).await,
    };
    let found = found.map_err(Status::from)?;
    let (found, next_page_token) =
        page::cut(found, size, &binding, |last| last.identity_id.clone());
    let identities = found.iter().map(Identity::render).collect();
    Ok(Response::new(ListIdentitiesResponse { identities, next_page_token }))
}
