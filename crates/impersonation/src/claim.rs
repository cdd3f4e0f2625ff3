//! A claim of somebody who is imitated, and everything that may happen to it.
//!
//! Pure: no IO, no clock, no ids. Nothing here knows who the claimant is.

use std::time::Duration;

use contracts::impersonation::v1::appeal_route::Side;
use contracts::impersonation::v1::claim::{Outcome, Role, State};
use contracts::impersonation::v1::{AppealRoute, Claim, FileClaimRequest};
use kit::{Error, Time};

use crate::identity::Identity;

/// The type prefix of a claim's id.
pub const ID_PREFIX: &str = "clm";
/// How long a decision on a claim can be appealed against (Art. 20 DSA: at least six months).
pub const APPEAL_WINDOW: Duration = Duration::from_secs(180 * 86_400);

/// Whether a claim, well-formed as the contract's rules say, can be taken from `claimant`.
/// `identity` is the one that it names.
///
/// # Errors
/// INVALID_REQUEST naming every wrong field; PROOF_REQUIRED.
pub fn check(
    request: &FileClaimRequest,
    claimant: &str,
    identity: Option<&Identity>,
) -> Result<(), Error> {
    let mut wrong: Vec<(&str, &str)> = Vec::new();
    if request.identity_id.is_empty() && request.account_id.is_empty() {
        wrong.push(("identity_id", "identity_id or account_id must be given"));
    }
    if request.account_id == request.imitator_account_id {
        wrong.push(("imitator_account_id", "must not be the account that is imitated"));
    }
    if identity.is_some_and(|identity| identity.is_own(&request.imitator_account_id)) {
        wrong.push(("imitator_account_id", "must not be an account of the identity itself"));
    }
    if let Some((field, expected)) = wrong.first() {
        let error = Error::invalid(*field, *expected);
        return Err(wrong[1..]
            .iter()
            .fold(error, |e, (field, expected)| e.and_invalid(*field, *expected)));
    }
    if request.proof.is_none() && proof_needed(request, claimant, identity) {
        return Err(Error::invalid_argument("PROOF_REQUIRED")
            .message("a proof of identity or of authority is needed in this role")
            .and_invalid("proof", "must be given, unless the caller's own account is imitated"));
    }
    Ok(())
}

/// Whether more than the caller's own account must show who claims: whoever claims for their own
/// account has shown it by signing in.
fn proof_needed(request: &FileClaimRequest, claimant: &str, of: Option<&Identity>) -> bool {
    let own_account = request.account_id == claimant && of.is_none();
    let own_identity = of.is_some_and(|identity| identity.is_own(claimant));
    request.role() != Role::PersonImitated || !(own_account || own_identity)
}

/// The claim that a request becomes.
pub fn file(request: &FileClaimRequest, claim_id: String, match_id: String, now: Time) -> Claim {
    Claim {
        claim_id,
        role: request.role,
        identity_id: request.identity_id.clone(),
        account_id: request.account_id.clone(),
        imitator_account_id: request.imitator_account_id.clone(),
        explanation: request.explanation.clone(),
        evidence_urls: request.evidence_urls.clone(),
        proof_kept: request.proof.is_some(),
        state: State::Filed.into(),
        outcome: Outcome::Unspecified.into(),
        outcome_corrected: false,
        case_id: String::new(),
        appeal_route: None,
        match_id,
        create_time: Some(now.into()),
        update_time: Some(now.into()),
    }
}

/// What happens to a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It became part of a case.
    TakenUp(String),
    /// Its case was decided.
    Decided {
        /// The decision.
        decision_id: String,
        /// What was found.
        outcome: Outcome,
    },
    /// An appeal changed what was found, by this decision.
    Corrected {
        /// The decision on the appeal.
        decision_id: String,
        /// What holds now.
        outcome: Outcome,
    },
    /// Its claimant took it back.
    Withdrawn,
}

/// A claim after a change; `None` when the change leaves it as it is.
///
/// # Errors
/// CLAIM_NOT_OPEN if a claim that is decided or withdrawn is to be withdrawn.
pub fn after(claim: &Claim, change: &Change, now: Time) -> Result<Option<Claim>, Error> {
    let mut next = claim.clone();
    match (claim.state(), change) {
        (State::Decided | State::Withdrawn, Change::Withdrawn) => return Err(not_open(claim)),
        (_, Change::Withdrawn) => {
            next.set_state(State::Withdrawn);
            next.proof_kept = false;
        }
        (State::Filed, Change::TakenUp(case_id)) => {
            next.set_state(State::InReview);
            next.case_id.clone_from(case_id);
        }
        (State::InReview, Change::Decided { decision_id, outcome }) => {
            next.set_state(State::Decided);
            next.set_outcome(*outcome);
            next.proof_kept = false;
            next.appeal_route = Some(route(decision_id, *outcome, now));
        }
        (State::Decided, Change::Corrected { decision_id, outcome })
            if claim.outcome() != *outcome =>
        {
            next.set_outcome(*outcome);
            next.outcome_corrected = true;
            next.appeal_route = Some(route(decision_id, *outcome, now));
        }
        _ => return Ok(None),
    }
    next.update_time = Some(now.into());
    Ok(Some(next))
}

/// Who may appeal against what was found: the side that it went against.
fn route(decision_id: &str, outcome: Outcome, now: Time) -> AppealRoute {
    let side = match outcome {
        Outcome::Imitation => Side::Account,
        _ => Side::Claimant,
    };
    AppealRoute {
        decision_id: decision_id.to_owned(),
        side: side.into(),
        appeal_end_time: Some(now.plus(APPEAL_WINDOW).into()),
    }
}

fn not_open(claim: &Claim) -> Error {
    let state = if claim.state() == State::Decided { "decided" } else { "withdrawn" };
    Error::failed_precondition("CLAIM_NOT_OPEN")
        .message(format!("the claim is {state}"))
        .meta("state", state)
        .violation(
            "STATE",
            format!("claims/{}", claim.claim_id),
            "only a claim that is filed or in review can be withdrawn",
        )
}

#[cfg(test)]
mod tests {
    use contracts::impersonation::v1::{IdentitySpec, Proof};

    use super::*;
    use crate::identity::enrol;
    use crate::picture::Pictures;

    const NOW: Time = Time::from_seconds(1_763_786_000);

    fn request(role: Role, change: impl FnOnce(&mut FileClaimRequest)) -> FileClaimRequest {
        let mut request = FileClaimRequest {
            role: role.into(),
            account_id: "star".to_owned(),
            imitator_account_id: "fake".to_owned(),
            ..FileClaimRequest::default()
        };
        change(&mut request);
        request
    }

    fn identity() -> Identity {
        let spec = IdentitySpec {
            handle: "star".to_owned(),
            account_ids: vec!["star".to_owned()],
            ..IdentitySpec::default()
        };
        enrol(spec, Pictures::default(), "idn_1".to_owned(), NOW)
    }

    fn refused(request: &FileClaimRequest, who: &str, of: Option<&Identity>) -> String {
        check(request, who, of).err().map(|error| error.reason().to_owned()).unwrap_or_default()
    }

    #[test]
    fn who_needs_a_proof_and_what_makes_no_sense() {
        let star = identity();
        let plain = |role| request(role, |_| {});
        let named = |role| {
            request(role, |r| (r.identity_id, r.account_id) = ("idn_1".into(), String::new()))
        };
        let proof = Proof { document: vec![1], media_type: "image/png".to_owned() };
        let proven = request(Role::Agent, |r| r.proof = Some(proof));
        for (request, who, of, reason) in [
            (plain(Role::PersonImitated), "star", None, ""),
            (plain(Role::PersonImitated), "other", None, "PROOF_REQUIRED"),
            (plain(Role::Agent), "star", None, "PROOF_REQUIRED"),
            (plain(Role::Brand), "star", None, "PROOF_REQUIRED"),
            (proven, "agency", None, ""),
            (named(Role::PersonImitated), "star", Some(&star), ""),
            (named(Role::PersonImitated), "other", Some(&star), "PROOF_REQUIRED"),
            (
                request(Role::PersonImitated, |r| r.account_id.clear()),
                "star",
                None,
                "INVALID_REQUEST",
            ),
            (
                request(Role::PersonImitated, |r| r.imitator_account_id = "star".to_owned()),
                "star",
                None,
                "INVALID_REQUEST",
            ),
            (
                request(Role::PersonImitated, |r| {
                    r.identity_id = "idn_1".to_owned();
                    r.imitator_account_id = "star".to_owned();
                }),
                "star",
                Some(&star),
                "INVALID_REQUEST",
            ),
        ] {
            assert_eq!(refused(&request, who, of), reason, "{request:?} by {who}");
        }
    }

    #[test]
    fn a_claim_goes_its_way_once() {
        let request = request(Role::PersonImitated, |_| {});
        let filed = file(&request, "clm_1".to_owned(), String::new(), NOW);
        let taken = Change::TakenUp("case_1".to_owned());
        let decided = |outcome| Change::Decided { decision_id: "dec_1".to_owned(), outcome };
        let corrected = |outcome| Change::Corrected { decision_id: "dec_2".to_owned(), outcome };
        let told = |claim: &Claim, change: &Change| after(claim, change, NOW).unwrap_err();
        let step = |claim: &Claim, change: &Change| after(claim, change, NOW).unwrap();
        assert_eq!(step(&filed, &decided(Outcome::Imitation)), None);
        let review = step(&filed, &taken).unwrap();
        assert_eq!((review.state(), review.case_id.as_str()), (State::InReview, "case_1"));
        assert_eq!(step(&review, &taken), None);
        let found = step(&review, &decided(Outcome::Imitation)).unwrap();
        let route = found.appeal_route.clone().unwrap();
        assert_eq!((route.side(), route.decision_id.as_str()), (Side::Account, "dec_1"));
        assert_eq!(step(&found, &decided(Outcome::NoImitation)), None);
        assert_eq!(step(&found, &corrected(Outcome::Imitation)), None);
        let fell = step(&found, &corrected(Outcome::NoImitation)).unwrap();
        assert!(fell.outcome_corrected && fell.outcome() == Outcome::NoImitation);
        assert_eq!(fell.appeal_route.unwrap().side(), Side::Claimant);
        assert_eq!(told(&found, &Change::Withdrawn).reason(), "CLAIM_NOT_OPEN");
        let gone = step(&review, &Change::Withdrawn).unwrap();
        assert_eq!(step(&gone, &decided(Outcome::Imitation)), None);
        assert_eq!(told(&gone, &Change::Withdrawn).reason(), "CLAIM_NOT_OPEN");
    }
}
