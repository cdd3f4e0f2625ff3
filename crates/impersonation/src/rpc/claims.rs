//! Claims of the imitated. Nobody sees another's claim, nor who claims.

use contracts::impersonation::v1::{
    Claim, FileClaimRequest, FileClaimResponse, FindDecidedClaimRequest, FindDecidedClaimResponse,
    GetClaimProofRequest, GetClaimProofResponse, GetClaimRequest, GetClaimResponse,
    GetClaimantStandingRequest, GetClaimantStandingResponse, ListClaimsRequest, ListClaimsResponse,
    WithdrawClaimRequest, WithdrawClaimResponse,
};
use kit::db::Tx;
use kit::idempotency::{Call, Claim as Claimed};
use kit::{Caller, Error, Time, page, tx};
use tonic::{Request, Response};

use super::identities;
use super::{Answer, Inner, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX};
use crate::claim::{self, Change, ID_PREFIX};
use crate::claimant;
use crate::events::Events;
use crate::proof::{Keys, Sealed};
use crate::store::claims::{self, Stored, Whose};
use crate::store::{identities as rows, matches};

/// Lifts the limit to the caller's own claims.
const READ_ALL: &str = "impersonation.claims_read_all";
/// The type prefix of a look at a proof.
const LOOK_PREFIX: &str = "look";

fn not_found(claim_id: &str) -> Error {
    Error::not_found("CLAIM_NOT_FOUND")
        .message("there is no such claim, or it is not the caller's")
        .resource("claim", claim_id)
}

fn keys(inner: &Inner) -> Result<&Keys, Error> {
    inner.proof_keys.as_ref().ok_or_else(|| {
        Error::failed_precondition("PROOF_KEY_MISSING")
            .message("this service was given no key to encrypt proofs with")
            .violation("KEY", "impersonation", "set impersonation.proof_key_file")
    })
}

/// See the contract.
pub(super) async fn file_claim(
    inner: &Inner,
    request: Request<FileClaimRequest>,
) -> Answer<FileClaimResponse> {
    let caller = Caller::of(&request);
    let message = request.into_inner();
    let now = inner.clock.now();
    let claimant = caller.subject.as_str();
    let call = Call::new(claimant, &message.request_id, "FileClaim", &message, now);
    let claim_id = inner.ids.new_id(ID_PREFIX, now);
    let proof = message.proof.as_ref();
    let sealed = match proof {
        Some(proof) => Some(keys(inner)?.seal(&claim_id, proof).map_err(Error::internal)?),
        None => None,
    };
    let answer = tx!(inner.db, "file_claim", |tx| -> Result<FileClaimResponse, Error> {
        let pending = match call.claim(tx).await? {
            Claimed::Replay(answer) => return Ok(answer),
            Claimed::Fresh(pending) => pending,
        };
        let of = &message.identity_id;
        let identity = if of.is_empty() { None } else { rows::get_in(tx, of).await? };
        if identity.is_none() && !of.is_empty() {
            return Err(identities::not_found(of));
        }
        claim::check(&message, claimant, identity.as_ref())?;
        check_standing(tx, claimant, now).await?;
        let found = matches::of_pair(tx, of, &message.imitator_account_id).await?;
        let match_id = found.map(|found| found.shown.match_id).unwrap_or_default();
        let shown = claim::file(&message, claim_id.clone(), match_id, now);
        let new = Stored { shown, claimant: claimant.to_owned() };
        take(inner, tx, &new, (message.good_faith, sealed.as_ref()), now).await?;
        let answer = FileClaimResponse { claim: Some(new.shown) };
        pending.answer(tx, &answer).await?;
        Ok(answer)
    })?;
    Ok(Response::new(answer))
}

/// Refuses somebody whose claims are not processed for a while.
async fn check_standing(tx: &mut Tx, claimant: &str, now: Time) -> Result<(), Error> {
    let history = claims::history_in(tx, claimant).await?;
    let Some(end) = claimant::standing(&history, now).suspend_end else { return Ok(()) };
    Err(Error::failed_precondition("CLAIMANT_SUSPENDED")
        .message("claims are not processed for a while after too many manifestly unfounded ones")
        .meta("suspend_end_time", end.to_string())
        .violation("STANDING", "claimant", format!("file it again from {end} on")))
}

async fn take(
    inner: &Inner,
    tx: &mut Tx,
    new: &Stored,
    (good_faith, sealed): (bool, Option<&Sealed>),
    now: Time,
) -> Result<(), Error> {
    claims::insert(tx, new, good_faith, now).await?;
    if let Some(sealed) = sealed {
        claims::keep_proof(tx, &new.shown.claim_id, sealed).await?;
    }
    tx.append(Events { ids: &inner.ids, now }.claim_filed(&new.shown));
    Ok(())
}

/// A claim that the caller may see.
async fn visible(inner: &Inner, caller: &Caller, claim_id: &str) -> Result<Stored, Error> {
    let stored = claims::get(&inner.db, claim_id).await?;
    let stored = stored.filter(|stored| stored.claimant == caller.subject || caller.has(READ_ALL));
    stored.ok_or_else(|| not_found(claim_id))
}

/// See the contract.
pub(super) async fn get_claim(
    inner: &Inner,
    request: Request<GetClaimRequest>,
) -> Answer<GetClaimResponse> {
    let caller = Caller::of(&request);
    let stored = visible(inner, &caller, &request.get_ref().claim_id).await?;
    Ok(Response::new(GetClaimResponse { claim: Some(stored.shown) }))
}

/// See the contract.
pub(super) async fn list_claims(
    inner: &Inner,
    request: Request<ListClaimsRequest>,
) -> Answer<ListClaimsResponse> {
    let caller = Caller::of(&request);
    let request = request.into_inner();
    let about = &request.imitator_account_id;
    let (whose, binding) = match (about.as_str(), request.all_claimants) {
        ("", false) => (Whose::Claimant(&caller.subject), ["own", caller.subject.as_str()]),
        ("", true) => (Whose::All, ["all", ""]),
        (about, _) => (Whose::Imitator(about), ["about", about]),
    };
    if !matches!(whose, Whose::Claimant(_)) {
        caller.require(READ_ALL)?;
    }
    let size = page::size(request.page_size, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
    let state = request.state();
    let binding = page::binding(&["ListClaims", binding[0], binding[1], state.as_str_name()]);
    let before: Option<String> = page::read(&request.page_token, &binding)?;
    let before = before.unwrap_or_else(|| claims::ID_MAX.to_owned());
    let found = claims::list(&inner.db, whose, state, &before, size + 1).await;
    let found = found.map_err(Error::from)?;
    let (found, next_page_token) =
        page::cut(found, size, &binding, |last| last.shown.claim_id.clone());
    let claims: Vec<Claim> = found.into_iter().map(|stored| stored.shown).collect();
    Ok(Response::new(ListClaimsResponse { claims, next_page_token }))
}

/// See the contract.
pub(super) async fn find_decided_claim(
    inner: &Inner,
    request: Request<FindDecidedClaimRequest>,
) -> Answer<FindDecidedClaimResponse> {
    let FindDecidedClaimRequest { decision_id, claimant } = request.into_inner();
    let found = claims::of_decision(&inner.db, &claimant, &decision_id).await;
    let stored = found.map_err(Error::from)?.ok_or_else(|| {
        Error::not_found("CLAIM_NOT_FOUND")
            .message("the decision settled no such claim, or it is another's")
            .resource("decision", &decision_id)
    })?;
    Ok(Response::new(FindDecidedClaimResponse { claim: Some(stored.shown) }))
}

/// See the contract.
pub(super) async fn withdraw_claim(
    inner: &Inner,
    request: Request<WithdrawClaimRequest>,
) -> Answer<WithdrawClaimResponse> {
    let caller = Caller::of(&request);
    let message = request.into_inner();
    let (ids, now, id) = (&inner.ids, inner.clock.now(), &message.claim_id);
    let call = Call::new(&caller.subject, &message.request_id, "WithdrawClaim", &message, now);
    let answer = tx!(inner.db, "withdraw_claim", |tx| -> Result<WithdrawClaimResponse, Error> {
        let pending = match call.claim(tx).await? {
            Claimed::Replay(answer) => return Ok(answer),
            Claimed::Fresh(pending) => pending,
        };
        let stored = claims::lock(tx, id).await?;
        let stored = stored.filter(|stored| stored.claimant == caller.subject);
        let stored = stored.ok_or_else(|| not_found(id))?;
        let changed = claim::after(&stored.shown, &Change::Withdrawn, now)?;
        let shown = match changed {
            Some(changed) => {
                claims::update(tx, &changed, now).await?;
                tx.append(Events { ids, now }.claim_withdrawn(&changed));
                changed
            }
            None => stored.shown,
        };
        let answer = WithdrawClaimResponse { claim: Some(shown) };
        pending.answer(tx, &answer).await?;
        Ok(answer)
    })?;
    Ok(Response::new(answer))
}

/// See the contract.
pub(super) async fn get_claim_proof(
    inner: &Inner,
    request: Request<GetClaimProofRequest>,
) -> Answer<GetClaimProofResponse> {
    let caller = Caller::of(&request);
    let claim_id = request.into_inner().claim_id;
    let (ids, now) = (&inner.ids, inner.clock.now());
    // The look is recorded before anything is shown, in the transaction that reads the proof.
    let sealed = tx!(inner.db, "look_at_proof", |tx| -> Result<Sealed, Error> {
        claims::lock(tx, &claim_id).await?.ok_or_else(|| not_found(&claim_id))?;
        let sealed = claims::proof(tx, &claim_id).await?.ok_or_else(|| {
            Error::not_found("PROOF_NOT_KEPT")
                .message("the claim's proof was dropped after the decision, or there never was one")
                .resource("proof", &claim_id)
        })?;
        let look_id = ids.new_id(LOOK_PREFIX, now);
        claims::look(tx, &look_id, &claim_id, &caller.subject, now).await?;
        Ok(sealed)
    })?;
    let proof = keys(inner)?.open(&claim_id, &sealed).map_err(Error::internal)?;
    Ok(Response::new(GetClaimProofResponse { proof: Some(proof) }))
}

/// See the contract.
pub(super) async fn get_claimant_standing(
    inner: &Inner,
    request: Request<GetClaimantStandingRequest>,
) -> Answer<GetClaimantStandingResponse> {
    let caller = Caller::of(&request);
    let claim_id = request.into_inner().claim_id;
    let claimant = if claim_id.is_empty() {
        caller.subject.clone()
    } else {
        caller.require(READ_ALL)?;
        visible(inner, &caller, &claim_id).await?.claimant
    };
    let history = claims::history(&inner.db, &claimant).await.map_err(Error::from)?;
    let standing = claimant::standing(&history, inner.clock.now()).render();
    Ok(Response::new(GetClaimantStandingResponse { standing: Some(standing) }))
}
