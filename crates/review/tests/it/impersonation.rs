//! Matches and claims of impersonation: one case for an account, side by side, closed when what
//! brought it falls away.

use contracts::impersonation::v1 as proto;
use contracts::impersonation::v1::impersonation_event::Event as Told;
use contracts::impersonation::v1::r#match::State as MatchState;
use contracts::impersonation::v1::{Consequence, Evidence, Likeness, ProfileSnapshot};
use contracts::reports::v1 as reports;
use contracts::reports::v1::report_event::Event as OfReport;
use contracts::review::v1::decide_case_request::Verdict;
use contracts::review::v1::review_event::Event;
use contracts::review::v1::review_service_server::ReviewService as _;
use contracts::review::v1::{ListCasesRequest, NoViolation, case};
use contracts::types::v1::{Severity, Source, Subject, SubjectType};
use tonic::Request;

use crate::world::{World, appeal_filed, overturned, reason, report, violation};

fn a_match(number: u32, account: &str, consequence: Consequence) -> proto::Match {
    let snapshot = |name: &str| ProfileSnapshot {
        account_id: account.to_owned(),
        display_name: name.to_owned(),
        ..ProfileSnapshot::default()
    };
    proto::Match {
        match_id: format!("mat_{number}"),
        identity_id: "idn_1".to_owned(),
        account_id: account.to_owned(),
        likeness: Some(Likeness {
            probability: 0.97,
            score: 5.0,
            evidence: vec![Evidence {
                signal: "name.confusable".to_owned(),
                points: 5.0,
                words: "equal after replacing 1 letter".to_owned(),
            }],
            consequence: consequence as i32,
            ..Likeness::default()
        }),
        identity: Some(snapshot("Ada Star")),
        profile: Some(snapshot("Adа Star")),
        ..proto::Match::default()
    }
}

fn found(number: u32, account: &str) -> Told {
    found_as(a_match(number, account, Consequence::OpenCase))
}

fn found_as(found: proto::Match) -> Told {
    Told::MatchFound(proto::MatchFound { r#match: Some(found), ..Default::default() })
}

fn resolved(number: u32, state: MatchState, decision_id: &str) -> Told {
    Told::MatchResolved(proto::MatchResolved {
        match_id: format!("mat_{number}"),
        state: state as i32,
        decision_id: decision_id.to_owned(),
        ..Default::default()
    })
}

fn claimed(number: u32, account: &str) -> Told {
    let claim = proto::Claim {
        claim_id: format!("clm_{number}"),
        imitator_account_id: account.to_owned(),
        explanation: "that is me".to_owned(),
        ..proto::Claim::default()
    };
    Told::ClaimFiled(proto::ClaimFiled { claim: Some(claim) })
}

fn unclaimed(number: u32) -> Told {
    let claim_id = format!("clm_{number}");
    Told::ClaimWithdrawn(proto::ClaimWithdrawn { claim_id, ..Default::default() })
}

fn account(id: &str) -> Subject {
    Subject {
        r#type: SubjectType::Account as i32,
        id: id.to_owned(),
        owner_account_id: id.to_owned(),
    }
}

fn reported(number: u32, id: &str) -> OfReport {
    let report = report(number, id, "identity.impersonation");
    let report = reports::Report { subject: Some(account(id)), ..report };
    OfReport::ReportFiled(reports::ReportFiled { report: Some(report) })
}

async fn only_case(world: &World) -> case::State {
    let (cases, _) = world.everything().await;
    assert_eq!(cases.len(), 1, "{cases:?}");
    cases[0].state()
}

#[tokio::test]
async fn a_match_becomes_a_case_with_both_sides() {
    for world in World::each().await {
        let mild = a_match(9, "acc_mild", Consequence::Suggest);
        world.imitated(vec![found(1, "acc_9"), found_as(mild)]).await;
        let (cases, _) = world.everything().await;
        assert_eq!(cases.len(), 1, "a suggestion opens none");
        let case = world.get(&cases[0].case_id).await;
        assert_eq!(case.kind(), case::Kind::ImpersonationMatch);
        assert_eq!((case.area.as_str(), case.severity()), ("identity", Severity::High));
        assert_eq!(case.subject, Some(account("acc_9")));
        assert_eq!(case.suggested_policies, ["impersonation"]);
        assert_eq!((case.report_count, case.impersonation_count), (0, 1));
        let shown = case.matches[0].r#match.clone().unwrap();
        assert_eq!(shown, a_match(1, "acc_9", Consequence::OpenCase));
        let Event::CaseOpened(opened) = &world.events().await[0] else { panic!("not opened") };
        assert_eq!((opened.match_id.as_str(), opened.report_id.as_str()), ("mat_1", ""));

        // Found again with other evidence: who holds it must see that before deciding.
        let held = world.claim("ann", &case.case_id).await.unwrap();
        let mut again = a_match(1, "acc_9", Consequence::Hold);
        again.profile.as_mut().unwrap().display_name = "ADA STAR".to_owned();
        world.imitated(vec![found_as(again.clone())]).await;
        let stale = world.decide("ann", &held, violation("impersonation")).await;
        assert_eq!(reason(stale), "ETAG_MISMATCH");
        let case = world.get(&case.case_id).await;
        assert_eq!(case.matches[0].r#match, Some(again));
        assert_eq!((case.matches.len(), case.impersonation_count), (1, 1));
        let held = world.claim("ann", &case.case_id).await.unwrap();
        world.decide("ann", &held, violation("impersonation")).await.unwrap();
        let events = world.events().await;
        let Some(Event::CaseDecided(decided)) = events.last() else { panic!("not decided") };
        assert!(decided.imitation_found);
        assert_eq!(decided.source(), Source::Detector);

        // What impersonation says of our own decision changes nothing; a new finding opens anew.
        world.imitated(vec![resolved(1, MatchState::Dismissed, "dec_1")]).await;
        world.imitated(vec![found(1, "acc_9")]).await;
        assert_eq!(world.everything().await.0.len(), 2);
    }
}

#[tokio::test]
async fn reports_matches_and_claims_about_an_account_share_a_case() {
    for world in World::each().await {
        world.reported(vec![reported(1, "acc_9")]).await;
        world.imitated(vec![found(1, "acc_9"), claimed(1, "acc_9"), found(2, "acc_8")]).await;
        let (cases, _) = world.everything().await;
        assert_eq!(cases.len(), 2);
        let case = world.get(&cases[0].case_id).await;
        assert_eq!((case.report_count, case.impersonation_count), (1, 2));
        assert_eq!(case.kind(), case::Kind::Reports);
        assert_eq!((case.reports.len(), case.matches.len(), case.claims.len()), (1, 1, 1));
        let added: Vec<String> = world
            .events()
            .await
            .into_iter()
            .filter_map(|event| match event {
                Event::ImpersonationAdded(added) => Some(added.match_id + &added.claim_id),
                _ => None,
            })
            .collect();
        assert_eq!(added, ["mat_1", "clm_1"]);
        // Nothing that falls away closes it while something is left.
        world.imitated(vec![resolved(1, MatchState::Superseded, ""), unclaimed(1)]).await;
        let case = world.get(&case.case_id).await;
        assert_eq!((case.state(), case.impersonation_count), (case::State::Open, 0));
        assert!(case.matches[0].withdrawn && case.claims[0].withdrawn);
        let held = world.claim("ann", &case.case_id).await.unwrap();
        world.decide("ann", &held, violation("evasion")).await.unwrap();
        let events = world.events().await;
        let Some(Event::CaseDecided(decided)) = events.last() else { panic!("not decided") };
        assert!(!decided.imitation_found, "another policy");
    }
}

#[tokio::test]
async fn what_falls_away_closes_its_case() {
    for world in World::each().await {
        world.imitated(vec![found(1, "acc_9")]).await;
        world.imitated(vec![resolved(1, MatchState::Superseded, "")]).await;
        world.imitated(vec![resolved(1, MatchState::Superseded, "")]).await;
        assert_eq!(only_case(&world).await, case::State::Withdrawn);
        // Within one batch, and again.
        world.imitated(vec![claimed(1, "acc_7"), unclaimed(1), claimed(2, "acc_7")]).await;
        let (cases, _) = world.everything().await;
        let states: Vec<case::State> = cases.iter().map(|case| case.state()).collect();
        assert_eq!(states, [case::State::Withdrawn, case::State::Withdrawn, case::State::Open]);
        let held = world.claim("ann", &cases[2].case_id).await.unwrap();
        world.imitated(vec![unclaimed(2)]).await;
        // Who holds it may still decide.
        let seen = world.get(&held.case_id).await;
        let held = proto_case_with(held, &seen.etag);
        let none = NoViolation { manifestly_unfounded: true };
        let decided = world.decide("ann", &held, Verdict::NoViolation(none)).await.unwrap();
        let decision = world.get_decision(&decided.decision.unwrap().decision_id).await;
        assert!(decision.manifestly_unfounded);
    }
}

fn proto_case_with(held: contracts::review::v1::Case, etag: &str) -> contracts::review::v1::Case {
    contracts::review::v1::Case { etag: etag.to_owned(), ..held }
}

#[tokio::test]
async fn campaigns_and_exemptions_are_shown_beside_the_case() {
    for world in World::each().await {
        world.imitated(vec![found(1, "acc_9"), found(2, "acc_8"), found(3, "acc_7")]).await;
        let campaign = proto::Campaign { campaign_id: "cmp_1".to_owned(), ..Default::default() };
        let exemption = proto::Exemption {
            exemption_id: "exm_1".to_owned(),
            account_id: "acc_8".to_owned(),
            ..proto::Exemption::default()
        };
        world
            .imitated(vec![
                Told::CampaignChanged(proto::CampaignChanged {
                    campaign: Some(campaign),
                    match_ids: vec!["mat_1".to_owned(), "mat_2".to_owned()],
                }),
                Told::ExemptionChanged(proto::ExemptionChanged {
                    exemption: Some(exemption.clone()),
                }),
            ])
            .await;
        let list = |page_token: String| ListCasesRequest {
            campaign_id: "cmp_1".to_owned(),
            page_size: 1,
            page_token,
            ..ListCasesRequest::default()
        };
        let first = world.review.list_cases(Request::new(list(String::new()))).await;
        let first = first.unwrap().into_inner();
        let second = world.review.list_cases(Request::new(list(first.next_page_token))).await;
        let second = second.unwrap().into_inner();
        assert!(second.next_page_token.is_empty());
        let case = world.get(&second.cases[0].case_id).await;
        assert_ne!(case.case_id, first.cases[0].case_id);
        assert_eq!(case.matches[0].campaign_id, "cmp_1");
        assert_eq!(case.exemptions, [exemption]);
        assert!(case.etag != first.cases[0].etag, "the exemption matters to the decision");
    }
}

#[tokio::test]
async fn a_decision_about_a_match_is_appealed_against_like_any_other() {
    for world in World::each().await {
        world.imitated(vec![found(1, "acc_9")]).await;
        let case = world.claim_next("ann", &[]).await.unwrap();
        assert_eq!(
            reason(world.decide("ann", &case, overturned()).await),
            "VERDICT_NOT_APPLICABLE"
        );
        let decided = world.decide("ann", &case, violation("impersonation")).await.unwrap();
        world.appealed(vec![appeal_filed(1, &decided)]).await.unwrap();
        let hearing = world.claim_next("ben", &["appeals"]).await.unwrap();
        world.decide("ben", &hearing, overturned()).await.unwrap();
        let events = world.events().await;
        let Some(Event::AppealCaseDecided(heard)) = events.last() else { panic!("not heard") };
        assert_eq!(
            (heard.appealed_case_id.as_str(), heard.imitation_found),
            (&*case.case_id, false)
        );
    }
}
