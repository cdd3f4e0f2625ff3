//! From what the detector found to what is answered: the rule for exemptions, the thresholds, the
//! order. And what a name at a form is told.
//!
//! Pure: no IO, no clock.

use contracts::impersonation::v1::check_handle_response::{Outcome, Reason};
use contracts::impersonation::v1::verification::Attribute;
use contracts::impersonation::v1::{Consequence, Evidence, Likeness, Profile};

use crate::detect::Found;
use crate::exemption::{self, Record};
use crate::identity::Identity;
use crate::thresholds::InForce;

/// How a profile looks like one identity, and what follows.
pub fn likeness(
    profile: &Profile,
    identity: &Identity,
    found: &Found,
    record: Record<'_>,
    thresholds: InForce,
) -> Likeness {
    let exempt = exemption::find(profile, identity, record);
    let probability = f64::from(found.probability);
    let evidence = found.evidence.iter().map(|evidence| Evidence {
        signal: evidence.signal.to_owned(),
        points: f64::from(evidence.points),
        words: evidence.words.clone(),
    });
    Likeness {
        identity_id: identity.identity_id.clone(),
        probability,
        score: f64::from(found.score),
        evidence: evidence.collect(),
        consequence: thresholds.consequence(probability, &exempt).into(),
        exemption: Some(exempt.finding),
        model_version: found.model_version.as_ref().to_owned(),
    }
}

/// Puts the most probable first; ties by identity, so that the order is always the same.
pub fn sort(likenesses: &mut [Likeness]) {
    likenesses.sort_by(|a, b| {
        b.probability.total_cmp(&a.probability).then_with(|| a.identity_id.cmp(&b.identity_id))
    });
}

/// What the person at a form is told, who may be an imitator: never whom it looks like or why.
/// Refused is only what looks just like somebody whose name was verified; the rest is for people
/// to look at.
pub fn handle(likenesses: &[(Likeness, &Identity)]) -> (Outcome, Reason) {
    let verified = |identity: &Identity| {
        let spec = &identity.spec;
        identity.verified(Attribute::Handle, &spec.handle)
            || identity.verified(Attribute::DisplayName, &spec.display_name)
    };
    let of = |(likeness, identity): &(Likeness, &Identity)| match likeness.consequence() {
        Consequence::Hold if verified(identity) => Outcome::Refused,
        Consequence::Hold | Consequence::OpenCase => Outcome::Held,
        _ => Outcome::Allowed,
    };
    let gravest = likenesses.iter().map(of).max_by_key(|outcome| *outcome as i32);
    match gravest.unwrap_or(Outcome::Allowed) {
        Outcome::Refused => (Outcome::Refused, Reason::NotAvailable),
        Outcome::Held => (Outcome::Held, Reason::NeedsALook),
        _ => (Outcome::Allowed, Reason::Unspecified),
    }
}

#[cfg(test)]
mod tests {
    use contracts::impersonation::v1::verification::State;
    use contracts::impersonation::v1::{IdentitySpec, Verification};
    use kit::Time;

    use super::*;
    use crate::identity::enrol;
    use crate::picture::Pictures;

    fn identity(verified: bool) -> Identity {
        let spec = IdentitySpec { handle: "jane".to_owned(), ..IdentitySpec::default() };
        let now = Time::from_seconds(0);
        let mut identity = enrol(spec, Pictures::default(), "idn_1".to_owned(), now);
        if verified {
            let verification = Verification {
                attribute: Attribute::Handle.into(),
                value: "jane".to_owned(),
                state: State::Valid.into(),
                ..Verification::default()
            };
            identity.verify(verification, now);
        }
        identity
    }

    #[test]
    fn the_gravest_decides_and_only_a_verified_name_refuses() {
        use Consequence::{Hold, OpenCase, Suggest, Unspecified};
        let like = |consequence: Consequence| Likeness {
            consequence: consequence.into(),
            ..Likeness::default()
        };
        let (plain, verified) = (identity(false), identity(true));
        for (found, outcome) in [
            (vec![], Outcome::Allowed),
            (vec![(Unspecified, &verified), (Suggest, &verified)], Outcome::Allowed),
            (vec![(Suggest, &plain), (OpenCase, &verified)], Outcome::Held),
            (vec![(Hold, &plain)], Outcome::Held),
            (vec![(OpenCase, &plain), (Hold, &verified)], Outcome::Refused),
        ] {
            let found: Vec<(Likeness, &Identity)> =
                found.into_iter().map(|(consequence, of)| (like(consequence), of)).collect();
            assert_eq!(handle(&found).0, outcome);
        }
    }
}
