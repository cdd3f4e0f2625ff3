//! What may happen to a case, by table and over random sequences of commands.

use proptest::prelude::*;

use super::*;

const NOW: Time = Time::from_seconds(1_763_786_000);
const SPAN: Duration = Duration::from_secs(300);

fn case(kind: Kind) -> Case {
    let appeal = Appeal {
        appeal_id: "app_1".to_owned(),
        appealed_decision_id: "dec_1".to_owned(),
        appealed_case_id: "case_0".to_owned(),
        grounds: "it was satire".to_owned(),
        excluded_reviewer_id: "rvw_first".to_owned(),
    };
    Case {
        case_id: "case_1".to_owned(),
        kind,
        state: State::Open,
        subject: Subject::default(),
        area: "spam".to_owned(),
        queue: "general".to_owned(),
        escalated: false,
        severity: Severity::Low,
        source: Source::User,
        report_count: i64::from(kind == Kind::Reports),
        impersonation_count: 0,
        first_reason: "spam.link".to_owned(),
        language: String::new(),
        suggested_policies: vec!["spam".to_owned()],
        due_time: NOW.plus(Duration::from_secs(86_400)),
        rank_time: NOW.plus(Duration::from_secs(86_400)),
        lease: None,
        fencing_token: 0,
        version: 1,
        decision_id: String::new(),
        appeal: (kind == Kind::Appeal).then_some(appeal),
        create_time: NOW,
        update_time: NOW,
    }
}

fn added(severity: Severity) -> Added<'static> {
    Added {
        severity,
        source: Source::User,
        due_time: NOW.plus(Duration::from_secs(90_000)),
        policy: "spam",
        language: "en",
    }
}

fn by(reviewer_id: &str, fencing_token: i64) -> Held<'_> {
    Held { reviewer_id, fencing_token }
}

/// Runs the command; a refusal must leave the case as it was.
fn refused<T: std::fmt::Debug>(
    case: &Case,
    command: impl FnOnce(&mut Case) -> Result<T, Refusal>,
) -> Refusal {
    let mut after = case.clone();
    let refusal = command(&mut after).unwrap_err();
    assert_eq!(&after, case);
    refusal
}

#[test]
fn a_case_is_held_by_one_reviewer_at_a_time() {
    let mut case = case(Kind::Reports);
    case.claim("rvw_a", SPAN, NOW).unwrap();
    assert_eq!(case.fencing_token, 1);
    let until = NOW.plus(SPAN);
    assert_eq!(refused(&case, |case| case.claim("rvw_b", SPAN, NOW)), Refusal::Leased(until));

    // The holder's own claim prolongs under the same token, and never shortens.
    case.claim("rvw_a", SPAN / 2, NOW).unwrap();
    assert_eq!((case.fencing_token, case.live_lease(NOW).unwrap().until), (1, until));

    // At the end of the lease it is free, to the microsecond.
    let last = Time::from_micros(until.micros() - 1);
    assert_eq!(refused(&case, |case| case.claim("rvw_b", SPAN, last)), Refusal::Leased(until));
    case.claim("rvw_b", SPAN, until).unwrap();
    assert_eq!(case.fencing_token, 2);
    assert_eq!(case.etag(), "v1", "leases do not change the etag");
}

#[test]
fn who_lost_the_lease_can_change_nothing() {
    let mut case = case(Kind::Reports);
    case.claim("rvw_a", SPAN, NOW).unwrap();
    let end = NOW.plus(SPAN);
    let decide =
        |case: &mut Case, held, now| case.decide(held, "v1", Outcome::NoViolation, "dec_1", now);
    let lost = Refusal::LeaseLost(1);
    for (held, now) in
        [(by("rvw_a", 1), end), (by("rvw_b", 1), NOW), (by("rvw_a", 0), NOW), (by("rvw_a", 2), NOW)]
    {
        assert_eq!(refused(&case, |case| case.renew(held, SPAN, now)), lost);
        assert_eq!(refused(&case, |case| case.release(held, now)), lost);
        assert_eq!(refused(&case, |case| case.escalate(held, "senior", now)), lost);
        assert_eq!(refused(&case, |case| decide(case, held, now)), lost);
    }
    case.claim("rvw_b", SPAN, end).unwrap();
    case.claim("rvw_a", SPAN, end.plus(SPAN)).unwrap();
    // The same reviewer under the token of an earlier lease is somebody else.
    let late = end.plus(SPAN);
    assert_eq!(refused(&case, |case| decide(case, by("rvw_a", 1), late)), Refusal::LeaseLost(3));
    decide(&mut case, by("rvw_a", 3), late).unwrap();
    assert_eq!(
        (case.state, case.lease, case.decision_id.as_str()),
        (State::Decided, None, "dec_1")
    );
}

#[test]
fn a_decision_fits_the_case_as_it_was_seen() {
    let mut case = case(Kind::Reports);
    case.claim("rvw_a", SPAN, NOW).unwrap();
    let seen = case.etag();
    case.add_report(added(Severity::High), NOW).unwrap();
    let held = by("rvw_a", 1);
    assert_eq!(
        refused(&case, |case| case.decide(held, &seen, Outcome::Violation, "dec_1", NOW)),
        Refusal::EtagMismatch(case.etag())
    );
    let etag = case.etag();
    case.decide(held, &etag, Outcome::Violation, "dec_1", NOW).unwrap();
    assert_ne!(case.etag(), etag);
}

#[test]
fn a_verdict_fits_the_kind_of_case() {
    for outcome in [
        Outcome::Unspecified,
        Outcome::Violation,
        Outcome::NoViolation,
        Outcome::Upheld,
        Outcome::Overturned,
        Outcome::PartiallyOverturned,
    ] {
        for kind in [Kind::Reports, Kind::Appeal] {
            let mut case = case(kind);
            case.claim("rvw_a", SPAN, NOW).unwrap();
            let decided = case.decide(by("rvw_a", 1), "v1", outcome, "dec_2", NOW);
            let fits = match kind {
                Kind::Reports => matches!(outcome, Outcome::Violation | Outcome::NoViolation),
                _ => !matches!(
                    outcome,
                    Outcome::Unspecified | Outcome::Violation | Outcome::NoViolation
                ),
            };
            let expected = if fits { Ok(()) } else { Err(Refusal::VerdictNotApplicable) };
            assert_eq!(decided, expected, "{kind:?} {outcome:?}");
        }
    }
}

#[test]
fn the_first_decider_may_not_hear_the_appeal() {
    let mut case = case(Kind::Appeal);
    assert_eq!(refused(&case, |case| case.claim("rvw_first", SPAN, NOW)), Refusal::Excluded);
    case.claim("rvw_other", SPAN, NOW).unwrap();
    assert_eq!(refused(&case, |case| case.claim("rvw_first", SPAN, NOW)), Refusal::Excluded);
    assert_eq!(case.release(by("rvw_other", 1), NOW), Ok(Ended::Free));
}

#[test]
fn reports_only_make_a_case_more_urgent() {
    let mut case = case(Kind::Reports);
    let rank = case.rank_time;
    case.add_report(added(Severity::High), NOW).unwrap();
    assert_eq!((case.report_count, case.severity), (2, Severity::High));
    assert_eq!(case.due_time, NOW.plus(Duration::from_secs(86_400)), "the earlier one stands");
    assert!(case.rank_time < rank);
    let rank = case.rank_time;
    let flagger = Added { source: Source::TrustedFlagger, policy: "fraud", ..added(Severity::Low) };
    case.add_report(flagger, NOW).unwrap();
    assert_eq!((case.severity, case.source), (Severity::High, Source::TrustedFlagger));
    assert_eq!(
        (case.suggested_policies.join(" "), case.language.as_str()),
        ("spam fraud".to_owned(), "en")
    );
    assert!(case.rank_time < rank);
}

#[test]
fn a_case_without_reports_is_withdrawn_unless_it_is_held() {
    let mut free = case(Kind::Reports);
    free.withdraw_report(NOW).unwrap();
    assert_eq!((free.state, free.report_count), (State::Withdrawn, 0));

    let mut held = case(Kind::Reports);
    held.claim("rvw_a", SPAN, NOW).unwrap();
    held.withdraw_report(NOW).unwrap();
    assert_eq!(held.state, State::Open);
    let mut decided = held.clone();
    decided.decide(by("rvw_a", 1), "v2", Outcome::NoViolation, "dec_1", NOW).unwrap();
    let mut released = held.clone();
    assert_eq!(released.release(by("rvw_a", 1), NOW), Ok(Ended::Withdrawn));
    let end = NOW.plus(SPAN);
    let closed = Refusal::NotOpen(State::Withdrawn);
    assert_eq!(refused(&held, |case| case.claim("rvw_b", SPAN, end)), closed);
    assert_eq!(held.expire(NOW), None);
    assert_eq!(held.expire(end), Some(Ended::Withdrawn));
    assert_eq!(held.state, State::Withdrawn);

    // With an expired lease, the withdrawal itself closes it.
    let mut expired = case(Kind::Reports);
    expired.claim("rvw_a", SPAN, NOW).unwrap();
    expired.withdraw_report(end).unwrap();
    assert_eq!((expired.state, expired.lease), (State::Withdrawn, None));
}

#[test]
fn an_escalated_case_can_be_claimed_again() {
    let mut case = case(Kind::Reports);
    case.claim("rvw_a", SPAN, NOW).unwrap();
    case.escalate(by("rvw_a", 1), "senior", NOW).unwrap();
    assert_eq!((case.queue.as_str(), case.escalated, &case.lease), ("senior", true, &None));
    case.claim("rvw_b", SPAN, NOW).unwrap();
    assert_eq!(case.fencing_token, 2);

    // A reviewer who escalates a case without reports wants it looked at.
    case.withdraw_report(NOW).unwrap();
    case.escalate(by("rvw_b", 2), "legal", NOW).unwrap();
    case.claim("rvw_c", SPAN, NOW).unwrap();
    assert_eq!((case.state, case.fencing_token), (State::Open, 3));
}

#[derive(Clone, Debug)]
enum Command {
    Claim(u8),
    Renew(u8, i64),
    Release(u8, i64),
    Escalate(u8, i64),
    Decide(u8, i64, bool, u8),
    AddReport,
    WithdrawReport,
    WithdrawAppeal,
    Expire,
    Wait(u64),
}

fn command() -> impl Strategy<Value = Command> {
    let who = 0_u8..3;
    // Tokens near the present one: stale, right, and never given.
    let back = -1_i64..3;
    prop_oneof![
        4 => who.clone().prop_map(Command::Claim),
        1 => (who.clone(), back.clone()).prop_map(|(who, back)| Command::Renew(who, back)),
        1 => (who.clone(), back.clone()).prop_map(|(who, back)| Command::Release(who, back)),
        1 => (who.clone(), back.clone()).prop_map(|(who, back)| Command::Escalate(who, back)),
        1 => (who, back, any::<bool>(), 0_u8..6)
            .prop_map(|(who, back, fresh, outcome)| Command::Decide(who, back, fresh, outcome)),
        3 => Just(Command::AddReport),
        2 => Just(Command::WithdrawReport),
        1 => Just(Command::WithdrawAppeal),
        1 => Just(Command::Expire),
        2 => (0_u64..400).prop_map(Command::Wait),
    ]
}

fn run(case: &mut Case, command: &Command, now: Time) -> Result<(), Refusal> {
    let names = ["rvw_first", "rvw_a", "rvw_b"];
    let held = |case: &Case, who: u8, back: i64| Held {
        reviewer_id: names[usize::from(who)],
        fencing_token: case.fencing_token - back,
    };
    match *command {
        Command::Claim(who) => case.claim(names[usize::from(who)], SPAN, now),
        Command::Renew(who, back) => case.renew(held(case, who, back), SPAN, now),
        Command::Release(who, back) => case.release(held(case, who, back), now).map(drop),
        Command::Escalate(who, back) => case.escalate(held(case, who, back), "senior", now),
        Command::Decide(who, back, fresh, outcome) => {
            let etag = if fresh { case.etag() } else { "v0".to_owned() };
            let outcome = Outcome::try_from(i32::from(outcome)).unwrap();
            case.decide(held(case, who, back), &etag, outcome, "dec_9", now)
        }
        Command::AddReport if case.kind == Kind::Reports => {
            case.add_report(added(Severity::Medium), now)
        }
        Command::WithdrawReport if case.kind == Kind::Reports => case.withdraw_report(now),
        Command::WithdrawAppeal if case.kind == Kind::Appeal => case.withdraw_appeal(now),
        Command::Expire => {
            case.expire(now);
            Ok(())
        }
        Command::AddReport
        | Command::WithdrawReport
        | Command::WithdrawAppeal
        | Command::Wait(_) => Ok(()),
    }
}

proptest! {
    #[test]
    fn the_invariants_hold_whatever_happens(
        appeal in any::<bool>(), commands in prop::collection::vec(command(), 0..60),
    ) {
        let mut case = case(if appeal { Kind::Appeal } else { Kind::Reports });
        let mut now = NOW;
        for command in &commands {
            if let Command::Wait(seconds) = command {
                now = now.plus(Duration::from_secs(*seconds));
            }
            let before = case.clone();
            let result = run(&mut case, command, now);
            if result.is_err() {
                prop_assert_eq!(&case, &before, "a refusal changes nothing");
            }
            if before.state != State::Open {
                prop_assert_eq!(&case, &before, "decided and withdrawn are final");
            }
            let holder = |case: &Case| case.live_lease(now).map(|held| held.reviewer_id.clone());
            let (was, is) = (holder(&before), holder(&case));
            if is.is_some() && was != is {
                prop_assert!(was.is_none(), "a live lease never passes to somebody else");
                prop_assert_eq!(case.fencing_token, before.fencing_token + 1);
            } else {
                prop_assert_eq!(case.fencing_token, before.fencing_token);
            }
            prop_assert!(case.lease.is_none() || case.state == State::Open);
            prop_assert!(!(appeal && is.as_deref() == Some("rvw_first")));
            prop_assert_eq!(case.state == State::Decided, !case.decision_id.is_empty());
            let (mut a, mut b) = (case.clone(), before.clone());
            for case in [&mut a, &mut b] {
                case.lease = None;
                case.fencing_token = 0;
                case.update_time = NOW;
                case.version = 0;
            }
            prop_assert!(a == b || case.version > before.version, "the etag tells of changes");
            if matches!(command, Command::Claim(_) | Command::Renew(..)) {
                prop_assert_eq!(case.version, before.version, "leases do not change the etag");
            }
        }
    }
}
