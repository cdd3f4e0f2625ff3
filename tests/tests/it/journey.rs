//! The whole way of a report over real sockets, with its branches, on every database.

use crate::support::story::{Story, call};
use crate::support::{Place, options, start};
use contracts::accounthealth::v1 as health;
use contracts::appeals::v1 as appeals;
use contracts::reports::v1 as reports;
use contracts::review::v1 as review;
use contracts::review::v1::decide_case_request::Verdict;
use contracts::types::v1::{Feature, Severity, Tier};
use recourse::caller::reason;

/// A standing without the instant at which it was worked out.
fn timeless(standing: health::Standing) -> health::Standing {
    health::Standing { as_of_time: None, pack_version: 0, ..standing }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overturned_decision_is_undone_exactly() {
    for place in Place::each() {
        let suite = start(options(&place)).await;
        let story = Story::on(&suite.url());
        let account = "creator";
        // An earlier violation stands, so that undoing must not undo too much.
        story.violation_of(&Story::comment("earlier", account), "ana").await;
        let before = timeless(story.standing(account).await);
        assert_eq!(before.active_violation_count, 1);

        let subject = Story::comment("later", account);
        let (report_id, case_id, decision_id) = story.violation_of(&subject, "ana").await;
        assert_eq!(story.standing(account).await.active_violation_count, 2);
        let outcome = story.report("viewer", &report_id).await.expect("a report").outcome();
        assert_eq!(outcome, reports::report::Outcome::Actioned);

        let appeal_id = story.appeal(account, &decision_id).await.expect("an appeal");
        let hearing = story.hearing_of(&appeal_id).await;
        let refused = story.claim("ana", &hearing).await.expect_err("the first decider");
        assert_eq!(reason(&refused), "REVIEWER_EXCLUDED");
        let case = story.claim("ben", &hearing).await.expect("a claim");
        let reasons = "A marked quotation.".to_owned();
        let verdict =
            Verdict::Overturned(review::Overturned { reasons: reasons.clone(), violation: None });
        story.decide("ben", &case, verdict).await.expect("a decision");
        story.board.wait(|known| known.corrected.contains(&report_id).then_some(())).await;
        story.board.wait(|known| known.voided.contains(&decision_id).then_some(())).await;
        story.board.wait(|known| known.appeal_decided.get(&appeal_id).copied()).await;

        assert_eq!(timeless(story.standing(account).await), before, "the standing");
        let report = story.report("viewer", &report_id).await.expect("a report");
        assert_eq!(report.outcome(), reports::report::Outcome::NoViolation);
        assert!(report.outcome_corrected);
        let decision = story.case(&case_id).await.decision.expect("a decision");
        assert!(!decision.overturned_by_decision_id.is_empty(), "the first decision");
        let appeal = story.get_appeal(account, &appeal_id).await;
        assert_eq!(appeal.outcome(), appeals::appeal::Outcome::Overturned);
        assert_eq!(appeal.outcome_reasons, reasons);
        // The statement that stands now says that it fell, and names the one that it replaces.
        let request = health::ListStatementsRequest::default();
        let statements = call!(story, account, health.list_statements(request)).expect("a list");
        let newest = &statements.statements[0];
        assert_eq!(newest.kind, "overturned");
        let replaced = |statement: &&health::Statement| {
            statement.statement_id == newest.supersedes_statement_id
        };
        let first = statements.statements.iter().find(replaced).expect("the first statement");
        assert_eq!(first.decision_id, decision_id);
        assert_eq!(first.state(), health::statement::State::Superseded);
        suite.stop().await.expect("a good end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partial_overturn_puts_the_milder_violation_in_its_place() {
    for place in Place::each() {
        let suite = start(options(&place)).await;
        let story = Story::on(&suite.url());
        let subject = Story::comment("harsh", "creator");
        let report_id = story.file("viewer", &subject).await;
        let case_id = story.case_of(&report_id).await;
        let case = story.claim("ana", &case_id).await.expect("a claim");
        let violation = |severity: Severity| review::Violation {
            policy: "hate_speech".to_owned(),
            severity: severity as i32,
            facts: "It demeans a group.".to_owned(),
            ..review::Violation::default()
        };
        let verdict = Verdict::Violation(violation(Severity::Critical));
        let decided = story.decide("ana", &case, verdict).await.expect("a decision");
        let decision_id = decided.decision.expect("a decision").decision_id;
        story.board.wait(|known| known.stated.contains(&decision_id).then_some(())).await;
        let harsh = story.standing("creator").await;

        let appeal_id = story.appeal("creator", &decision_id).await.expect("an appeal");
        let hearing = story.hearing_of(&appeal_id).await;
        let case = story.claim("ben", &hearing).await.expect("a claim");
        let verdict = Verdict::PartiallyOverturned(review::PartiallyOverturned {
            reasons: "Less grave than first found.".to_owned(),
            violation: Some(violation(Severity::Low)),
        });
        let decided = story.decide("ben", &case, verdict).await.expect("a decision");
        let second = decided.decision.expect("a decision").decision_id;
        story.board.wait(|known| known.stated.contains(&second).then_some(())).await;
        story.board.wait(|known| known.voided.contains(&decision_id).then_some(())).await;

        let milder = story.standing("creator").await;
        assert_eq!(milder.active_violation_count, 1);
        let points = |standing: &health::Standing| -> i32 {
            standing.ladders.iter().map(|ladder| ladder.points).sum()
        };
        assert!(points(&milder) < points(&harsh), "{milder:?} after {harsh:?}");
        assert!(milder.tier() < harsh.tier(), "{milder:?} after {harsh:?}");
        suite.stop().await.expect("a good end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grave_violation_restricts_and_eligibility_says_so() {
    for place in Place::each() {
        let suite = start(options(&place)).await;
        let story = Story::on(&suite.url());
        let report_id = story.file("viewer", &Story::comment("grave", "creator")).await;
        let case = story.claim("ana", &story.case_of(&report_id).await).await.expect("a claim");
        let verdict = Verdict::Violation(review::Violation {
            policy: "hate_speech".to_owned(),
            severity: Severity::Critical as i32,
            facts: "A call to violence against a group.".to_owned(),
            ..review::Violation::default()
        });
        let decided = story.decide("ana", &case, verdict).await.expect("a decision");
        let decision_id = decided.decision.expect("a decision").decision_id;
        story.board.wait(|known| known.stated.contains(&decision_id).then_some(())).await;
        let standing = story.standing("creator").await;
        assert!(standing.tier() >= Tier::Restricted, "{standing:?}");
        let restricted = standing.restrictions[0].feature;
        let check = |account: &str| health::CheckEligibilityRequest {
            account_id: account.to_owned(),
            feature: restricted,
        };
        Story::until("the restriction", || async {
            !call!(story, "gateway", health.check_eligibility(check("creator"))).unwrap().eligible
        })
        .await;
        let other = call!(story, "gateway", health.check_eligibility(check("somebody"))).unwrap();
        assert!(other.eligible && other.restrictions.is_empty());
        assert!(Feature::try_from(restricted).is_ok());
        suite.stop().await.expect("a good end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn appeals_that_are_not_admissible_are_refused_by_name() {
    for place in Place::each() {
        let suite = start(options(&place)).await;
        let story = Story::on(&suite.url());
        let (_, _, decision_id) = story.violation_of(&Story::comment("c", "creator"), "ana").await;
        let foreign = story.appeal("somebody", &decision_id).await.expect_err("not theirs");
        assert_eq!(reason(&foreign), "DECISION_NOT_FOUND");
        let appeal_id = story.appeal("creator", &decision_id).await.expect("an appeal");
        let again = story.appeal("creator", &decision_id).await.expect_err("a duplicate");
        assert_eq!(reason(&again), "APPEAL_DUPLICATE");
        let request = appeals::WithdrawAppealRequest {
            request_id: story.ids.new_uuid(),
            appeal_id: appeal_id.clone(),
        };
        let hearing = story.hearing_of(&appeal_id).await;
        call!(story, "creator", appeals.withdraw_appeal(request)).expect("a withdrawal");
        Story::until("the closed hearing", || async {
            story.case(&hearing).await.state() == review::case::State::Withdrawn
        })
        .await;
        let again = story.appeal("creator", &decision_id).await.expect_err("a duplicate");
        assert_eq!(reason(&again), "APPEAL_DUPLICATE");
        suite.stop().await.expect("a good end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_report_closes_its_case_and_reports_stay_private() {
    for place in Place::each() {
        let suite = start(options(&place)).await;
        let story = Story::on(&suite.url());
        let subject = Story::comment("c", "creator");
        let first = story.file("mia", &subject).await;
        let second = story.file("leo", &subject).await;
        let case_id = story.case_of(&first).await;
        assert_eq!(story.case_of(&second).await, case_id, "one case for one subject and area");
        let withdraw = |report_id: &str| reports::WithdrawReportRequest {
            request_id: story.ids.new_uuid(),
            report_id: report_id.to_owned(),
        };
        let foreign = call!(story, "leo", reports.withdraw_report(withdraw(&first)));
        assert_eq!(reason(&foreign.expect_err("not theirs")), "REPORT_NOT_FOUND");
        call!(story, "mia", reports.withdraw_report(withdraw(&first))).expect("a withdrawal");
        Story::until("one report left", || async { story.case(&case_id).await.report_count == 1 })
            .await;
        call!(story, "leo", reports.withdraw_report(withdraw(&second))).expect("a withdrawal");
        Story::until("the closed case", || async {
            story.case(&case_id).await.state() == review::case::State::Withdrawn
        })
        .await;
        let shown = format!("{:?}", story.case(&case_id).await);
        assert!(!shown.contains("mia") && !shown.contains("leo"), "{shown}");
        suite.stop().await.expect("a good end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_again_answers_the_same_and_another_is_refused() {
    for place in Place::each() {
        let suite = start(options(&place)).await;
        let story = Story::on(&suite.url());
        let request = story.report_of(&Story::comment("c", "creator"));
        let first = call!(story, "mia", reports.file_report(request.clone())).expect("a receipt");
        let again = call!(story, "mia", reports.file_report(request.clone())).expect("a receipt");
        assert_eq!(first, again);
        let other = reports::FileReportRequest { explanation: "other".to_owned(), ..request };
        let refused = call!(story, "mia", reports.file_report(other)).expect_err("a conflict");
        assert_eq!(reason(&refused), "REQUEST_ID_CONFLICT");
        suite.stop().await.expect("a good end");
    }
}
