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
        Verdict::Overturned(overturned) => (overturned.violation.as_ref(), "overturned.violation"),
        Verdict::NoViolation(_) | Verdict::Upheld(_) => (None, ""),
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

/// What an appeal is against, as it stands when the appeal is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appealed {
    /// Whether the decision found a violation.
    pub found: bool,
    /// Whether it was overturned before, on another appeal.
    pub overturned: bool,
    /// Whether a violation stands now: its own, or one that took the place of what it found.
    pub stands: bool,
}

/// Whether a verdict on an appeal leaves nothing half done: a rejection only falls with the
/// violation that is found instead, and no second violation comes beside one that stands.
///
/// # Errors
/// INVALID_REQUEST naming the field.
pub fn fits(verdict: &Verdict, appealed: Appealed) -> Result<(), Error> {
    let Appealed { found, overturned, stands } = appealed;
    match verdict {
        Verdict::Overturned(verdict) if verdict.violation.is_some() && stands => {
            Err(Error::invalid("overturned.violation", "must be empty while a violation stands"))
        }
        Verdict::Overturned(verdict) if verdict.violation.is_none() && !found && !overturned => {
            Err(Error::invalid(
                "overturned.violation",
                "must be given, since the appealed decision found no violation",
            ))
        }
        Verdict::PartiallyOverturned(_) if !found || overturned => Err(Error::invalid(
            "partially_overturned",
            "must not be given unless a violation of the appealed decision itself stands",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use contracts::policy::v1::{
        LocalizedText, Pack as PackProto, Policy, PolicyEdition, RegionalOverlay, Rule,
    };
    use contracts::review::v1::{NoViolation, Overturned, PartiallyOverturned, Upheld};
    use contracts::types::v1::ContentAction;
    use tonic_types::StatusExt as _;

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
        let overturned = Overturned { reasons: reasons(), violation: None };
        for (verdict, expected, told) in [
            (Verdict::NoViolation(NoViolation::default()), Outcome::NoViolation, ""),
            (Verdict::Upheld(Upheld { reasons: reasons() }), Outcome::Upheld, "since"),
            (Verdict::Overturned(overturned), Outcome::Overturned, "since"),
        ] {
            assert_eq!(violation(&verdict, &pack(), NOW).unwrap(), None);
            assert_eq!((outcome(&verdict), appeal_reasons(&verdict)), (expected, told));
        }
        assert_eq!(outcome(&found(|_| {})), Outcome::Violation);
    }
    #[test]
    fn a_rejection_falls_only_with_what_is_found_instead() {
        let over = |violation: Option<Violation>| {
            Verdict::Overturned(Overturned { reasons: "since".to_owned(), violation })
        };
        let some = || Some(Violation::default());
        let partly = || Verdict::PartiallyOverturned(PartiallyOverturned::default());
        let upheld = || Verdict::Upheld(Upheld::default());
        let appealed = |found, overturned, stands| Appealed { found, overturned, stands };
        let rejected = appealed(false, false, false);
        let actioned = appealed(true, false, true);
        let corrected = appealed(false, true, true);
        let lifted = appealed(true, true, false);
        let wrong = Some("overturned.violation");
        for (verdict, against, field) in [
            (over(some()), rejected, None),
            (over(None), rejected, wrong),
            (partly(), rejected, Some("partially_overturned")),
            (upheld(), rejected, None),
            (over(None), actioned, None),
            (over(some()), actioned, wrong),
            (partly(), actioned, None),
            (over(None), corrected, None),
            (over(some()), corrected, wrong),
            (partly(), corrected, Some("partially_overturned")),
            (over(None), lifted, None),
            (over(some()), lifted, None),
            (partly(), lifted, Some("partially_overturned")),
        ] {
            let refused = fits(&verdict, against).err().map(tonic::Status::from);
            let named = refused.and_then(|status| {
                let bad = status.get_error_details().bad_request().cloned()?;
                Some(bad.field_violations[0].field.clone())
            });
            assert_eq!(named.as_deref(), field, "{verdict:?} {against:?}");
        }
    }
}
