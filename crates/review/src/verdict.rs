//! What a reviewer finds, completed from the policy in force. Pure: no IO, no clock.

use contracts::review::v1::Violation;
use contracts::review::v1::decide_case_request::Verdict;
use contracts::review::v1::decision::Outcome;
use contracts::types::v1::Severity;
use kit::{Error, Time};
use pack::Pack;

/// Characters of an ISO 3166-1 alpha-2 code.
const REGION_CHARS: usize = 2;

/// The outcome that a verdict amounts to.
pub fn outcome(verdict: &Verdict) -> Outcome {
    match verdict {
        Verdict::Violation(_) => Outcome::Violation,
        Verdict::NoViolation(_) => Outcome::NoViolation,
        Verdict::Upheld(_) => Outcome::Upheld,
        Verdict::Overturned(_) => Outcome::Overturned,
        Verdict::PartiallyOverturned(_) => Outcome::PartiallyOverturned,
    }
}

/// What the appellant is told; empty for a case of reports.
pub fn appeal_reasons(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::Violation(_) | Verdict::NoViolation(_) => "",
        Verdict::Upheld(upheld) => &upheld.reasons,
        Verdict::Overturned(overturned) => &overturned.reasons,
        Verdict::PartiallyOverturned(partially) => &partially.reasons,
    }
}

/// Whether a verdict says that what brought the case was manifestly unfounded.
pub fn manifestly_unfounded(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::NoViolation(none) if none.manifestly_unfounded)
}

/// The violation that a verdict names, with what the reviewer left to the policy filled in:
/// severity and actions of the rule that holds in the region now. `None` without a violation.
///
/// # Errors
/// INVALID_REQUEST for a region that is not a code; POLICY_UNKNOWN.
pub fn violation(verdict: &Verdict, pack: &Pack, now: Time) -> Result<Option<Violation>, Error> {
    let (found, field) = match verdict {
        Verdict::Violation(violation) => (Some(violation), "violation"),
        Verdict::PartiallyOverturned(partially) => {
            (partially.violation.as_ref(), "partially_overturned.violation")
        }
        Verdict::NoViolation(_) | Verdict::Upheld(_) | Verdict::Overturned(_) => (None, ""),
    };
    let Some(found) = found else { return Ok(None) };
    let letters = found.region.bytes().all(|byte| byte.is_ascii_uppercase());
    let code = letters && found.region.len() == REGION_CHARS;
    if !code && !found.region.is_empty() {
        return Err(Error::invalid(
            format!("{field}.region"),
            "must be empty or an ISO 3166-1 alpha-2 code in capitals",
        ));
    }
    let Some(effective) = pack.resolve(&found.policy, &found.region, now) else {
        return Err(Error::invalid_argument("POLICY_UNKNOWN")
            .message("the active pack has no such policy in force")
            .meta("policy", &found.policy)
            .meta("pack_version", pack.version().to_string())
            .and_invalid(
                format!("{field}.policy"),
                "must be a policy in force in the active pack",
            ));
    };
    let mut complete = found.clone();
    if complete.severity() == Severity::Unspecified {
        complete.severity = effective.rule.severity;
    }
    if complete.actions.is_empty() {
        complete.actions.clone_from(&effective.rule.actions);
    }
    Ok(Some(complete))
}

#[cfg(test)]
mod tests {
    use contracts::policy::v1::{
        LocalizedText, Pack as PackProto, Policy, PolicyEdition, RegionalOverlay, Rule,
    };
    use contracts::review::v1::{NoViolation, Overturned, PartiallyOverturned, Upheld};
    use contracts::types::v1::ContentAction;

    use super::*;

    const NOW: Time = Time::from_seconds(1_000);

    fn pack() -> Pack {
        let rule = |severity: Severity, action: ContentAction| {
            Some(Rule {
                severity: severity as i32,
                actions: vec![action as i32],
                ..Rule::default()
            })
        };
        let at = |seconds| Some(Time::from_seconds(seconds).into());
        let edition = PolicyEdition {
            effective_time: at(500),
            title: Some(LocalizedText::default()),
            text: Some(LocalizedText::default()),
            rule: rule(Severity::Medium, ContentAction::Remove),
            overlays: vec![RegionalOverlay {
                regions: vec!["DE".to_owned()],
                effective_time: at(600),
                rule: rule(Severity::High, ContentAction::Disable),
                ..RegionalOverlay::default()
            }],
            ..PolicyEdition::default()
        };
        let policy =
            Policy { code: "hate".to_owned(), area: "hate".to_owned(), editions: vec![edition] };
        Pack::new(PackProto { version: 7, policies: vec![policy], ..PackProto::default() })
    }

    fn found(change: impl FnOnce(&mut Violation)) -> Verdict {
        let mut violation = Violation { policy: "hate".to_owned(), ..Violation::default() };
        change(&mut violation);
        Verdict::Violation(violation)
    }

    #[test]
    fn what_the_reviewer_leaves_open_the_rule_in_force_fills_in() {
        let medium = (Severity::Medium, vec![ContentAction::Remove as i32]);
        let high = (Severity::High, vec![ContentAction::Disable as i32]);
        let own = (Severity::Low, vec![ContentAction::Label as i32]);
        for (verdict, expected) in [
            (found(|_| {}), &medium),
            (found(|v| v.region = "DE".to_owned()), &high),
            (found(|v| v.region = "FR".to_owned()), &medium),
            (
                found(|v| {
                    v.severity = Severity::Low as i32;
                    v.actions = vec![ContentAction::Label as i32];
                }),
                &own,
            ),
        ] {
            let complete = violation(&verdict, &pack(), NOW).unwrap().unwrap();
            assert_eq!(&(complete.severity(), complete.actions), expected, "{verdict:?}");
        }
    }

    #[test]
    fn a_policy_that_is_not_in_force_is_refused() {
        let refused =
            |verdict, now| violation(&verdict, &pack(), now).unwrap_err().reason().to_owned();
        let other = || found(|v| v.policy = "spam".to_owned());
        assert_eq!(refused(other(), NOW), "POLICY_UNKNOWN");
        assert_eq!(refused(found(|_| {}), Time::from_seconds(499)), "POLICY_UNKNOWN");
        for region in ["D", "de", "D1"] {
            let verdict = found(|v| v.region = region.to_owned());
            assert_eq!(refused(verdict, NOW), "INVALID_REQUEST", "{region}");
        }
        let Verdict::Violation(wrong) = other() else { unreachable!() };
        let partially = PartiallyOverturned { violation: Some(wrong), ..Default::default() };
        assert_eq!(refused(Verdict::PartiallyOverturned(partially), NOW), "POLICY_UNKNOWN");
    }

    #[test]
    fn only_some_verdicts_name_a_violation_or_tell_the_appellant() {
        let reasons = || "since".to_owned();
        for (verdict, expected, told) in [
            (Verdict::NoViolation(NoViolation::default()), Outcome::NoViolation, ""),
            (Verdict::Upheld(Upheld { reasons: reasons() }), Outcome::Upheld, "since"),
            (Verdict::Overturned(Overturned { reasons: reasons() }), Outcome::Overturned, "since"),
        ] {
            assert_eq!(violation(&verdict, &pack(), NOW).unwrap(), None);
            assert_eq!((outcome(&verdict), appeal_reasons(&verdict)), (expected, told));
        }
        assert_eq!(outcome(&found(|_| {})), Outcome::Violation);
    }
}
