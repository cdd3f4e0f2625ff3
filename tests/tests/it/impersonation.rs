//! The way of a match over real sockets: found, reviewed, restricted, appealed against, overturned,
//! remembered, and found again; and of a claim.

use contracts::accounthealth::v1 as health;
use contracts::appeals::v1 as appeals;
use contracts::impersonation::v1 as proto;
use contracts::impersonation::v1::avatar::Picture;
use contracts::impersonation::v1::claim;
use contracts::impersonation::v1::r#match::State;
use contracts::impersonation::v1::material_change::Kind;
use contracts::insights::v1 as insights;
use contracts::review::v1 as review;
use contracts::review::v1::decide_case_request::Verdict;
use contracts::types::v1::Severity;
use tonic_types::StatusExt as _;

use crate::support::story::{Story, call};
use crate::support::{Place, options, start};

fn picture() -> proto::Avatar {
    let pdq = (0_u32..32).map(|byte| (byte.wrapping_mul(151) % 251) as u8).collect();
    proto::Avatar { picture: Some(Picture::Pdq(pdq)), quality: 95, ..proto::Avatar::default() }
}

fn star() -> proto::IdentitySpec {
    proto::IdentitySpec {
        kind: proto::IdentityKind::Person as i32,
        account_ids: vec!["star".to_owned()],
        handle: "amaliakvistgaard".to_owned(),
        display_name: "Amalia Kvistgaard".to_owned(),
        avatars: vec![picture()],
        bio: "Cellist. Bach, Britten and bicycles.".to_owned(),
        links: vec!["https://kvistgaard.example".to_owned()],
        followers: 3_000_000,
        monitored: true,
        ..proto::IdentitySpec::default()
    }
}

fn imitator() -> proto::Profile {
    proto::Profile {
        account_id: "fake".to_owned(),
        handle: "amaliakvistgaard_".to_owned(),
        display_name: "Amalia Kvistgaard".to_owned(),
        avatars: vec![picture()],
        bio: "Cellist. Bach, Britten and bicycles.".to_owned(),
        followers: Some(40),
        ..proto::Profile::default()
    }
}

async fn enrol(story: &Story) -> String {
    let request =
        proto::EnrolIdentityRequest { request_id: story.ids.new_uuid(), spec: Some(star()) };
    let enrolled = call!(story, "staff", impersonation.enrol_identity(request)).expect("protected");
    enrolled.identity.expect("an identity").identity_id
}

async fn observe(story: &Story, profile: proto::Profile) {
    let request =
        proto::ObserveProfilesRequest { request_id: story.ids.new_uuid(), profiles: vec![profile] };
    call!(story, "staff", impersonation.observe_profiles(request)).expect("observed");
}

/// The match of the imitator once it stands so.
async fn found(story: &Story, state: State) -> proto::Match {
    let request = proto::ListMatchesRequest {
        account_id: "fake".to_owned(),
        state: state as i32,
        ..proto::ListMatchesRequest::default()
    };
    let list = || async {
        let request = request.clone();
        call!(story, "staff", impersonation.list_matches(request)).expect("a list").matches
    };
    Story::until(state.as_str_name(), || async { !list().await.is_empty() }).await;
    list().await.remove(0)
}

/// What insights has counted lately, once it is this: findings, confirmed, decided, corrected.
async fn counted(story: &Story, wanted: [i64; 4]) -> insights::DetectorPeriod {
    let period = || async {
        let request = insights::GetDetectorDriftRequest::default();
        let answer = call!(story, "analyst", insights.get_detector_drift(request));
        answer.expect("an answer").period.expect("a period")
    };
    let counts = |period: &insights::DetectorPeriod| {
        let share = period.confirmed.unwrap_or_default();
        [period.found_count, share.count, share.total, period.corrected_count]
    };
    let what = format!("counts of {wanted:?}");
    Story::until(&what, || async { counts(&period().await) == wanted }).await;
    period().await
}

fn imitates() -> Verdict {
    Verdict::Violation(review::Violation {
        policy: "impersonation".to_owned(),
        severity: Severity::Critical as i32,
        facts: "It shows the name and the picture of a protected person.".to_owned(),
        ..review::Violation::default()
    })
}

/// Has the case decided.
async fn decide(story: &Story, case_id: &str, verdict: Verdict) -> String {
    decide_as(story, "ana", case_id, verdict).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_match_is_reviewed_overturned_remembered_and_found_again() {
    for place in Place::each() {
        let suite = start(options(&place)).await;
        let story = Story::on(&suite.url());
        let identity_id = enrol(&story).await;
        observe(&story, imitator()).await;
        let match_ = found(&story, State::CaseOpened).await;
        assert_eq!(match_.identity_id, identity_id);

        // The reviewer sees both sides, and why.
        let case = story.case(&match_.case_id).await;
        assert_eq!(case.kind(), review::case::Kind::ImpersonationMatch);
        let shown = case.matches[0].r#match.clone().expect("a match");
        assert_eq!(shown.identity.expect("a side").display_name, "Amalia Kvistgaard");
        assert_eq!(shown.profile.expect("a side").handle, "amaliakvistgaard_");
        let likeness = shown.likeness.expect("a likeness");
        assert!(likeness.evidence.iter().all(|evidence| !evidence.words.is_empty()));
        let points: f64 = likeness.evidence.iter().map(|evidence| evidence.points).sum();
        assert!((points - likeness.score).abs() < 0.01, "{points} is not {}", likeness.score);

        let decision_id = decide(&story, &case.case_id, imitates()).await;
        story.board.wait(|known| known.stated.contains(&decision_id).then_some(())).await;
        assert_eq!(found(&story, State::Confirmed).await.decision_id, decision_id);
        let measured = counted(&story, [1, 1, 1, 0]).await;
        assert!((measured.expected_count - likeness.probability).abs() < 1e-9);
        let standing = story.standing("fake").await;
        assert!(!standing.restrictions.is_empty(), "{standing:?}");
        let request = health::ListStatementsRequest::default();
        let stated = call!(story, "fake", health.list_statements(request)).expect("a list");
        assert_eq!(stated.statements[0].decision_id, decision_id);

        let appeal_id = story.appeal("fake", &decision_id).await.expect("an appeal");
        let hearing = story.hearing_of(&appeal_id).await;
        let case = story.claim("ben", &hearing).await.expect("a claim");
        let reasons = "She has the name by birth.".to_owned();
        let verdict = Verdict::Overturned(review::Overturned { reasons, violation: None });
        story.decide("ben", &case, verdict).await.expect("a decision");
        story.board.wait(|known| known.voided.contains(&decision_id).then_some(())).await;
        assert!(story.standing("fake").await.restrictions.is_empty());
        let dismissed = found(&story, State::Dismissed).await;
        assert_eq!(dismissed.match_id, match_.match_id);
        counted(&story, [1, 0, 1, 1]).await;

        // Remembered: what reads the same opens nothing. A new name does.
        let shouting =
            proto::Profile { display_name: "AMALIA  KVISTGAARD".to_owned(), ..imitator() };
        observe(&story, shouting).await;
        let renamed = proto::Profile {
            display_name: "Amalia Kvistgaard Official".to_owned(),
            handle: "amaliakvistgaard.official".to_owned(),
            ..imitator()
        };
        observe(&story, renamed).await;
        let again = found(&story, State::CaseOpened).await;
        assert_eq!((again.match_id.as_str(), again.reopen_count), (&*match_.match_id, 1));
        assert_ne!(again.case_id, match_.case_id);
        let named = |change: &proto::MaterialChange| {
            change.kind() == Kind::Name && change.words.contains("Official")
        };
        assert!(again.reopen_changes.iter().any(named), "{:?}", again.reopen_changes);
        counted(&story, [2, 0, 1, 1]).await;
        suite.stop().await.expect("a good end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_joins_the_case_of_its_match_and_is_told_what_came_of_it() {
    for place in Place::each() {
        let suite = start(options(&place)).await;
        let story = Story::on(&suite.url());
        let identity_id = enrol(&story).await;
        observe(&story, imitator()).await;
        let match_ = found(&story, State::CaseOpened).await;
        let request = proto::FileClaimRequest {
            request_id: story.ids.new_uuid(),
            role: claim::Role::PersonImitated as i32,
            identity_id,
            imitator_account_id: "fake".to_owned(),
            explanation: "That is not me.".to_owned(),
            good_faith: true,
            ..proto::FileClaimRequest::default()
        };
        let filed = call!(story, "star", impersonation.file_claim(request)).expect("a claim");
        let filed = filed.claim.expect("a claim");
        assert_eq!(filed.match_id, match_.match_id);
        let get = || async {
            let request = proto::GetClaimRequest { claim_id: filed.claim_id.clone() };
            let shown = call!(story, "star", impersonation.get_claim(request)).expect("a claim");
            shown.claim.expect("a claim")
        };
        Story::until("the review of the claim", || async {
            get().await.state() == claim::State::InReview
        })
        .await;
        assert_eq!(get().await.case_id, match_.case_id, "one case for one account");
        let case = story.case(&match_.case_id).await;
        assert_eq!((case.impersonation_count, case.claims.len()), (2, 1));
        assert!(!format!("{:?}", case.claims).contains("star"), "{case:?}");
        let decision_id = decide(&story, &case.case_id, imitates()).await;
        Story::until("the outcome", || async { get().await.state() == claim::State::Decided })
            .await;
        let told = get().await;
        assert_eq!(told.outcome(), claim::Outcome::Imitation);
        assert_eq!(told.appeal_route.expect("a route").decision_id, decision_id);
        suite.stop().await.expect("a good end");
    }
}

async fn claim_of(story: &Story, claim_id: &str) -> proto::Claim {
    let request = proto::GetClaimRequest { claim_id: claim_id.to_owned() };
    let shown = call!(story, "star", impersonation.get_claim(request)).expect("a claim");
    shown.claim.expect("a claim")
}

fn reason(status: &tonic::Status) -> String {
    let details = status.get_error_details();
    details.error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

/// The claim once this decision holds for it.
async fn settled(story: &Story, claim_id: &str, decision_id: &str) -> proto::Claim {
    Story::until("the outcome of the claim", || async {
        let route = claim_of(story, claim_id).await.appeal_route;
        route.is_some_and(|route| route.decision_id == decision_id)
    })
    .await;
    claim_of(story, claim_id).await
}

/// Has an appeal heard.
async fn hear(story: &Story, who: &str, appeal_id: &str, verdict: Verdict) -> String {
    let hearing = story.hearing_of(appeal_id).await;
    decide_as(story, who, &hearing, verdict).await
}

async fn decide_as(story: &Story, who: &str, case_id: &str, verdict: Verdict) -> String {
    let case = story.claim(who, case_id).await.expect("a claim");
    let decided = story.decide(who, &case, verdict).await.expect("a decision");
    decided.decision.expect("a decision").decision_id
}

/// A claim that ana rejected, and her decision.
async fn rejected(story: &Story) -> (String, String) {
    let identity_id = enrol(story).await;
    observe(story, imitator()).await;
    let match_ = found(story, State::CaseOpened).await;
    let request = proto::FileClaimRequest {
        request_id: story.ids.new_uuid(),
        role: claim::Role::PersonImitated as i32,
        identity_id,
        imitator_account_id: "fake".to_owned(),
        good_faith: true,
        ..proto::FileClaimRequest::default()
    };
    let filed = call!(story, "star", impersonation.file_claim(request)).expect("a claim");
    let claim_id = filed.claim.expect("a claim").claim_id;
    Story::until("the review of the claim", || async {
        claim_of(story, &claim_id).await.state() == claim::State::InReview
    })
    .await;
    let none = Verdict::NoViolation(review::NoViolation::default());
    let first = decide(story, &match_.case_id, none).await;
    let told = settled(story, &claim_id, &first).await;
    assert_eq!(told.outcome(), claim::Outcome::NoImitation);
    (claim_id, first)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claimant_appeals_and_wins_and_the_other_side_appeals_in_turn() {
    for place in Place::each() {
        let suite = start(options(&place)).await;
        let story = Story::on(&suite.url());
        let (claim_id, first) = rejected(&story).await;
        found(&story, State::Dismissed).await;

        for stranger in ["viewer", "fake"] {
            let refused = story.appeal(stranger, &first).await.expect_err("not theirs");
            assert_eq!(reason(&refused), "DECISION_NOT_FOUND", "{stranger}");
        }
        let appeal_id = story.appeal("star", &first).await.expect("an appeal");
        let again = story.appeal("star", &first).await.expect_err("once");
        assert_eq!(reason(&again), "APPEAL_DUPLICATE");
        let hearing = story.hearing_of(&appeal_id).await;
        assert_eq!(story.case(&hearing).await.kind(), review::case::Kind::Appeal);
        let same = story.claim("ana", &hearing).await.expect_err("the first decider");
        assert_eq!(reason(&same), "REVIEWER_EXCLUDED");
        let Verdict::Violation(violation) = imitates() else { unreachable!() };
        let reasons = || "We looked again.".to_owned();
        let violation = Some(violation);
        let imitation = Verdict::Overturned(review::Overturned { reasons: reasons(), violation });
        let second = hear(&story, "ben", &appeal_id, imitation).await;
        let won = settled(&story, &claim_id, &second).await;
        assert_eq!((won.outcome(), won.outcome_corrected), (claim::Outcome::Imitation, true));
        assert_eq!(found(&story, State::Confirmed).await.decision_id, second);
        story.board.wait(|known| known.stated.contains(&second).then_some(())).await;
        assert!(!story.standing("fake").await.restrictions.is_empty());
        Story::until("the outcome of the appeal", || async {
            let appeal = story.get_appeal("star", &appeal_id).await;
            appeal.outcome() == appeals::appeal::Outcome::Overturned
        })
        .await;

        // The account answers for it as for a first decision, and may appeal as against one.
        let answer = story.appeal("fake", &second).await.expect("an appeal");
        let overturned = review::Overturned { reasons: reasons(), violation: None };
        let third = hear(&story, "cyd", &answer, Verdict::Overturned(overturned)).await;
        story.board.wait(|known| known.voided.contains(&second).then_some(())).await;
        assert!(story.standing("fake").await.restrictions.is_empty());
        let fell = settled(&story, &claim_id, &third).await;
        assert_eq!(fell.outcome(), claim::Outcome::NoImitation);
        found(&story, State::Dismissed).await;

        // The claimant loses the last appeal: the claim stays rejected.
        let last = story.appeal("star", &third).await.expect("an appeal");
        let upheld = Verdict::Upheld(review::Upheld { reasons: reasons() });
        hear(&story, "ana", &last, upheld).await;
        Story::until("the outcome of the last appeal", || async {
            let appeal = story.get_appeal("star", &last).await;
            appeal.outcome() == appeals::appeal::Outcome::Upheld
        })
        .await;
        assert_eq!(claim_of(&story, &claim_id).await.outcome(), claim::Outcome::NoImitation);
        suite.stop().await.expect("a good end");
    }
}
