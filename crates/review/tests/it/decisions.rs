//! Deciding: what is recorded, what is told, and that a lost lease or a changed case is noticed.

use contracts::review::v1::decide_case_request::Verdict;
use contracts::review::v1::decision::Outcome;
use contracts::review::v1::review_event::Event;
use contracts::review::v1::review_service_server::ReviewService as _;
use contracts::review::v1::{Case, DecideCaseRequest, Violation, case};
use contracts::types::v1::{ContentAction, Severity, Source};
use tonic::Code;

use crate::world::{
    LEASE, START, World, by, bytes_of, filed, no_violation, overturned, reason, token, violation,
};

#[tokio::test]
async fn a_decision_is_recorded_and_told_without_its_rationale() {
    for world in World::each().await {
        let case = world.decided(1, "ann").await;
        assert_eq!((case.state(), &case.lease), (case::State::Decided, &None));
        let decision = case.decision.clone().unwrap();
        assert_eq!(decision.outcome(), Outcome::Violation);
        assert_eq!((decision.pack_version, decision.case_id.clone()), (7, case.case_id.clone()));
        assert_eq!(decision.decide_time, Some(START.into()));
        assert_eq!(decision.rationale, "as the guideline says");
        let found = decision.violation.clone().unwrap();
        assert_eq!(found.severity(), Severity::Medium, "the policy's own");
        assert_eq!(found.actions, [ContentAction::Remove as i32], "the policy's own");
        assert_eq!(world.get_decision(&decision.decision_id).await, decision);
        assert_eq!(world.get(&case.case_id).await.decision, Some(decision.clone()));

        let events = world.events().await;
        let Some(Event::CaseDecided(told)) = events.last() else { panic!("{events:?}") };
        assert_eq!((told.case_id.clone(), told.area.as_str()), (case.case_id.clone(), "spam"));
        assert_eq!((told.reason.as_str(), told.language.as_str()), ("spam.link", "en"));
        assert_eq!(told.source(), Source::User);
        let told = told.decision.clone().unwrap();
        assert_eq!(told.rationale, "");
        assert_eq!(told.violation, decision.violation);
        let bytes = bytes_of(&events);
        for secret in ["as the guideline says", "ann", "it is a scam", "buy now"] {
            assert!(!bytes.contains(secret), "{secret} was told");
        }
    }
}

#[tokio::test]
async fn a_reviewer_may_depart_from_the_policy() {
    for world in World::each().await {
        let case_id = world.open(1, "spam.link").await;
        let case = world.claim("ann", &case_id).await.unwrap();
        let own = Violation {
            policy: "hate".to_owned(),
            severity: Severity::Critical as i32,
            facts: "f".to_owned(),
            actions: vec![ContentAction::Label as i32, ContentAction::Demote as i32],
            region: "DE".to_owned(),
        };
        let decided = world.decide("ann", &case, Verdict::Violation(own.clone())).await.unwrap();
        let decision = world.get_decision(&decided.decision.unwrap().decision_id).await;
        assert_eq!(decision.violation, Some(own));

        let case = world.open(2, "spam.link").await;
        let case = world.claim("ann", &case).await.unwrap();
        let decided = world.decide("ann", &case, no_violation()).await.unwrap();
        let decision = decided.decision.unwrap();
        assert_eq!((decision.outcome(), decision.violation), (Outcome::NoViolation, None));
    }
}

#[tokio::test]
async fn who_lost_the_lease_while_deciding_decides_nothing() {
    for world in World::each().await {
        let case_id = world.open(1, "spam.link").await;
        let ann = world.claim("ann", &case_id).await.unwrap();
        world.clock.advance(LEASE);
        // Expired and not claimed by anybody: lost all the same.
        let before = world.everything().await;
        let error = world.decide("ann", &ann, violation("spam_links")).await.unwrap_err();
        assert_eq!(error.code(), Code::FailedPrecondition);
        assert_eq!(reason::<()>(Err(error)), "LEASE_LOST");
        assert_eq!(world.everything().await, before);

        let ben = world.claim("ben", &case_id).await.unwrap();
        let before = world.everything().await;
        assert_eq!(reason(world.decide("ann", &ann, violation("spam_links")).await), "LEASE_LOST");
        // Ben's token does not help Ann either.
        let stolen = Case { lease: ben.lease.clone(), ..ann.clone() };
        assert_eq!(reason(world.decide("ann", &stolen, no_violation()).await), "LEASE_LOST");
        assert_eq!(world.everything().await, before, "nothing was written");

        world.decide("ben", &ben, no_violation()).await.unwrap();
        let before = world.everything().await;
        assert_eq!(reason(world.decide("ann", &ann, no_violation()).await), "CASE_NOT_OPEN");
        assert_eq!(reason(world.decide("ben", &ben, no_violation()).await), "CASE_NOT_OPEN");
        assert_eq!(reason(world.claim("ann", &case_id).await), "CASE_NOT_OPEN");
        assert_eq!(world.everything().await, before);
    }
}

#[tokio::test]
async fn a_case_that_has_changed_is_read_again_before_it_is_decided() {
    for world in World::each().await {
        let case_id = world.open(1, "spam.link").await;
        let seen = world.claim("ann", &case_id).await.unwrap();
        world.reported(vec![filed(2, "vid_1", "spam.link")]).await;
        let error = world.decide("ann", &seen, no_violation()).await.unwrap_err();
        assert_eq!(error.code(), Code::Aborted);
        assert_eq!(reason::<()>(Err(error)), "ETAG_MISMATCH");
        let now = world.get(&case_id).await;
        assert_eq!((now.report_count, now.reports.len(), token(&now)), (2, 2, 1));
        world.decide("ann", &now, no_violation()).await.unwrap();
    }
}

#[tokio::test]
async fn a_repeated_decision_is_the_same_decision() {
    for world in World::each().await {
        let case_id = world.open(1, "spam.link").await;
        let case = world.claim("ann", &case_id).await.unwrap();
        let request = DecideCaseRequest {
            request_id: world.ids.new_uuid(),
            case_id: case_id.clone(),
            fencing_token: token(&case),
            etag: case.etag.clone(),
            verdict: Some(no_violation()),
            rationale: String::new(),
        };
        let once = world.review.decide_case(by("ann", request.clone())).await.unwrap();
        let told = world.events().await.len();
        world.clock.advance(LEASE);
        let again = world.review.decide_case(by("ann", request.clone())).await.unwrap();
        assert_eq!(once.get_ref(), again.get_ref());
        assert_eq!(world.events().await.len(), told);
        let other = DecideCaseRequest { verdict: Some(violation("spam_links")), ..request };
        let conflict = world.review.decide_case(by("ann", other)).await;
        assert_eq!(reason(conflict), "REQUEST_ID_CONFLICT");
    }
}

#[tokio::test]
async fn a_verdict_that_does_not_fit_is_refused() {
    for world in World::each().await {
        let case_id = world.open(1, "spam.link").await;
        let case = world.claim("ann", &case_id).await.unwrap();
        let before = world.everything().await;
        for (verdict, why) in
            [(overturned(), "VERDICT_NOT_APPLICABLE"), (violation("unheard_of"), "POLICY_UNKNOWN")]
        {
            let error = world.decide("ann", &case, verdict).await.unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument);
            assert_eq!(reason::<()>(Err(error)), why);
        }
        assert_eq!(world.everything().await, before);
        world.decide("ann", &case, no_violation()).await.unwrap();
    }
}
