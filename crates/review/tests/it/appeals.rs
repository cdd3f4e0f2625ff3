//! Appeals: heard once, by somebody else, and with effect on the first decision.

use contracts::review::v1::decide_case_request::Verdict;
use contracts::review::v1::decision::Outcome;
use contracts::review::v1::review_event::Event;
use contracts::review::v1::{AppealCaseDecided, Overturned, PartiallyOverturned, Violation, case};
use contracts::types::v1::Source;

use crate::world::{
    START, World, appeal_filed, appeal_withdrawn, bytes_of, no_violation, overturned, reason,
    token, upheld, violation,
};

#[tokio::test]
async fn an_appeal_is_never_heard_by_who_took_the_decision() {
    for world in World::each().await {
        let decided = world.decided(1, "ann").await;
        world.appealed(vec![appeal_filed(1, &decided)]).await.unwrap();
        // Skipped by name of the queue and by turn, refused by name of the case.
        assert_eq!(reason(world.claim_next("ann", &["appeals"]).await), "NO_CASE_AVAILABLE");
        assert_eq!(reason(world.claim_next("ann", &[]).await), "NO_CASE_AVAILABLE");
        let heard = world.claim_next("ben", &[]).await.unwrap();
        assert_eq!((heard.kind(), heard.queue.as_str()), (case::Kind::Appeal, "appeals"));
        assert_eq!(heard.appeal_id, "app_1");
        assert_eq!(heard.appeal_grounds, "it was satire");
        assert_eq!(heard.appealed_decision_id, decided.decision.as_ref().unwrap().decision_id);
        assert_eq!((&heard.subject, &heard.area), (&decided.subject, &decided.area));
        world.release("ben", &heard).await.unwrap();
        assert_eq!(reason(world.claim("ann", &heard.case_id).await), "REVIEWER_EXCLUDED");

        // What waits behind it is not hidden from the first decider.
        let other = world.decided(2, "ben").await;
        world.appealed(vec![appeal_filed(2, &other)]).await.unwrap();
        let turn = world.claim_next("ann", &[]).await.unwrap();
        assert_eq!(turn.appeal_id, "app_2");
        assert!(!bytes_of(&world.events().await).contains("satire"), "grounds were told");
    }
}

#[tokio::test]
async fn an_overturned_decision_says_by_which_one() {
    for world in World::each().await {
        let milder = Violation { policy: "hate".to_owned(), ..Violation::default() };
        let partially =
            PartiallyOverturned { reasons: "it was milder".to_owned(), violation: Some(milder) };
        let verdicts = [
            (upheld(), Outcome::Upheld, "the link was a scam"),
            (overturned(), Outcome::Overturned, "the link was satire"),
            (
                Verdict::PartiallyOverturned(partially),
                Outcome::PartiallyOverturned,
                "it was milder",
            ),
        ];
        for (number, (verdict, outcome, told)) in (1..).zip(verdicts) {
            let first = world.decided(number, "ann").await;
            let first_id = first.decision.as_ref().unwrap().decision_id.clone();
            world.appealed(vec![appeal_filed(number, &first)]).await.unwrap();
            let case = world.claim_next("ben", &["appeals"]).await.unwrap();
            let wrong = world.decide("ben", &case, no_violation()).await;
            assert_eq!(reason(wrong), "VERDICT_NOT_APPLICABLE");
            let wrong = world.decide("ben", &case, violation("spam_links")).await;
            assert_eq!(reason(wrong), "VERDICT_NOT_APPLICABLE");
            let heard = world.decide("ben", &case, verdict).await.unwrap();
            let decision = heard.decision.unwrap();
            assert_eq!((decision.outcome(), decision.appeal_reasons.as_str()), (outcome, told));
            assert_eq!(decision.appealed_decision_id, first_id);
            assert_eq!(decision.violation.is_some(), outcome == Outcome::PartiallyOverturned);
            let by = world.get_decision(&first_id).await.overturned_by_decision_id;
            let expected = if outcome == Outcome::Upheld {
                String::new()
            } else {
                decision.decision_id.clone()
            };
            assert_eq!(by, expected, "{outcome:?}");
            let events = world.events().await;
            let Some(Event::AppealCaseDecided(event)) = events.last() else { panic!() };
            assert_eq!(event.appeal_id, format!("app_{number}"));
            assert_eq!(event.appealed_case_id, first.case_id);
            assert_eq!((event.source(), event.reason.as_str()), (Source::User, "spam.link"));
            assert_eq!(event.decision.as_ref().unwrap().rationale, "");
        }
    }
}

#[tokio::test]
async fn a_decision_on_an_appeal_can_be_appealed_against() {
    for world in World::each().await {
        let first = world.decided(1, "ann").await;
        world.appealed(vec![appeal_filed(1, &first)]).await.unwrap();
        let case = world.claim_next("ben", &["appeals"]).await.unwrap();
        let heard = world.decide("ben", &case, upheld()).await.unwrap();
        world.appealed(vec![appeal_filed(2, &heard)]).await.unwrap();
        assert_eq!(reason(world.claim_next("ben", &["appeals"]).await), "NO_CASE_AVAILABLE");
        assert_eq!(world.claim_next("cid", &[]).await.unwrap().appeal_id, "app_2");
    }
}

fn instead(policy: &str) -> Verdict {
    let Verdict::Violation(found) = violation(policy) else { unreachable!() };
    let reasons = "the link was a scam".to_owned();
    Verdict::Overturned(Overturned { reasons, violation: Some(found) })
}

async fn last_heard(world: &World) -> AppealCaseDecided {
    let Some(Event::AppealCaseDecided(event)) = world.events().await.pop() else { panic!() };
    event
}

#[tokio::test]
async fn a_rejection_falls_with_what_is_found_instead_and_once() {
    for world in World::each().await {
        let case_id = world.open(1, "spam.link").await;
        let case = world.claim("ann", &case_id).await.unwrap();
        let first = world.decide("ann", &case, no_violation()).await.unwrap();
        // Two claimants appeal against the same decision.
        world.appealed(vec![appeal_filed(1, &first), appeal_filed(2, &first)]).await.unwrap();
        let one = world.claim_next("ben", &["appeals"]).await.unwrap();
        let two = world.claim_next("cid", &["appeals"]).await.unwrap();
        assert_eq!(reason(world.decide("ben", &one, overturned()).await), "INVALID_REQUEST");
        let heard = world.decide("ben", &one, instead("spam_links")).await.unwrap();
        let decision = heard.decision.clone().unwrap();
        assert_eq!(decision.outcome(), Outcome::Overturned);
        assert_eq!(decision.violation.as_ref().unwrap().policy, "spam_links");
        assert!(!decision.violation.unwrap().actions.is_empty(), "filled in from the policy");
        assert!(!last_heard(&world).await.overturned_before);
        // The second finds no other violation beside it, and takes none away.
        let beside = world.decide("cid", &two, instead("spam_links")).await;
        assert_eq!(reason(beside), "INVALID_REQUEST");
        world.decide("cid", &two, overturned()).await.unwrap();
        assert!(last_heard(&world).await.overturned_before);

        // Whom it went against then appeals in turn; the correction concerns the first case.
        world.appealed(vec![appeal_filed(3, &heard)]).await.unwrap();
        let three = world.claim_next("ann", &["appeals"]).await.unwrap();
        world.decide("ann", &three, overturned()).await.unwrap();
        let event = last_heard(&world).await;
        assert_eq!(event.appealed_case_id, first.case_id);
        assert_eq!(event.decision.unwrap().appealed_decision_id, decision.decision_id);
        assert!(!event.overturned_before);
    }
}

#[tokio::test]
async fn an_appeal_has_one_case_and_closes_when_withdrawn() {
    for world in World::each().await {
        let decided = world.decided(1, "ann").await;
        let filed = || appeal_filed(1, &decided);
        world.appealed(vec![filed(), filed()]).await.unwrap();
        world.appealed(vec![filed()]).await.unwrap();
        let case = world.claim_next("ben", &["appeals"]).await.unwrap();
        assert_eq!(case.due_time, Some(START.plus(review::case::APPEAL_DUE).into()));
        assert_eq!(reason(world.claim_next("cid", &["appeals"]).await), "NO_CASE_AVAILABLE");

        // Withdrawn while it is being heard: closed at once.
        world.appealed(vec![appeal_withdrawn(1), appeal_withdrawn(9)]).await.unwrap();
        let closed = world.get(&case.case_id).await;
        assert_eq!((closed.state(), closed.lease), (case::State::Withdrawn, None));
        assert_eq!(reason(world.decide("ben", &case, upheld()).await), "CASE_NOT_OPEN");
        let events = world.events().await;
        let Some(Event::CaseWithdrawn(event)) = events.last() else { panic!("{events:?}") };
        assert_eq!(event.appeal_id, "app_1");

        // Filed and withdrawn before it was looked at; decided before it was withdrawn.
        world.appealed(vec![appeal_filed(2, &decided), appeal_withdrawn(2)]).await.unwrap();
        assert_eq!(reason(world.claim_next("ben", &["appeals"]).await), "NO_CASE_AVAILABLE");
        world.appealed(vec![appeal_filed(3, &decided)]).await.unwrap();
        let case = world.claim_next("ben", &["appeals"]).await.unwrap();
        assert_eq!(token(&case), 1);
        let heard = world.decide("ben", &case, upheld()).await.unwrap();
        world.appealed(vec![appeal_withdrawn(3)]).await.unwrap();
        assert_eq!(world.get(&case.case_id).await, heard, "the decision prevails");
    }
}

#[tokio::test]
async fn an_appeal_against_nothing_is_not_passed_over() {
    for world in World::each().await {
        let mut decided = world.decided(1, "ann").await;
        decided.decision.as_mut().unwrap().decision_id = "dec_unheard_of".to_owned();
        let error = world.appealed(vec![appeal_filed(1, &decided)]).await.unwrap_err();
        assert_eq!(error.reason(), "INTERNAL");
    }
}
