//! What review's decisions do to matches: outcomes, labels, drift, and the memory of dismissals.

use std::time::Duration;

use contracts::impersonation::v1::avatar::Picture;
use contracts::impersonation::v1::impersonation_event::Event;
use contracts::impersonation::v1::r#match::State;
use contracts::impersonation::v1::material_change::Kind;
use contracts::impersonation::v1::{
    Avatar, DismissMatchRequest, GetDriftRequest, Label, ListLabelsRequest, Match, MatchLabelled,
    Profile,
};
use impersonation::follow::{Ruling, Step};

use crate::claiming::{reviewed, ruling};
use crate::world::{
    World, copy_of, each, enrol, jane, matches, observe, picture, reason, request_id, said,
};

async fn taken(world: &World, account: &str, case_id: &str) -> Match {
    let found = world.one_match(account, State::Open).await;
    reviewed(world, &[Step::MatchTaken(found.match_id.clone(), case_id.to_owned())]).await;
    let found = world.one_match(account, State::CaseOpened).await;
    assert_eq!(found.case_id, case_id);
    found
}

async fn labels(world: &World) -> Vec<Label> {
    let list = world.service.staff().list_labels(ListLabelsRequest::default()).await;
    list.unwrap().into_inner().labels
}

/// That others were told of a label, and of its correction, what the detector is measured by.
async fn labels_were_told(world: &World, found: &Match, version: &str) {
    let told = said(world.events().await).into_iter().filter_map(|event| match event {
        Event::MatchLabelled(label) => Some(label),
        _ => None,
    });
    let told: Vec<MatchLabelled> = told.collect();
    let [first, second] = <[MatchLabelled; 2]>::try_from(told).expect("told twice");
    assert_eq!((first.decision_id.as_str(), second.decision_id.as_str()), ("dec_1", "dec_2"));
    assert_eq!((first.imitation, second.imitation), (true, false));
    assert_eq!((first.corrected, second.corrected), (false, true));
    let likeness = found.likeness.clone().unwrap_or_default();
    for told in [&first, &second] {
        assert_eq!((&told.label_id, &told.match_id), (&first.label_id, &found.match_id));
        assert_eq!((told.probability, &*told.model_version), (likeness.probability, version));
        assert_eq!(told.signals, ["avatar", "display_name", "handle"]);
        assert_eq!(told.decide_time, first.decide_time);
    }
}

fn decided(case_id: &str, ruling: Ruling) -> Step {
    Step::Decided { case_id: case_id.to_owned(), ruling }
}

#[tokio::test]
async fn a_decision_becomes_an_outcome_and_a_label_and_an_appeal_corrects_both() {
    for world in each().await {
        let mut staff = world.service.staff();
        enrol(&mut staff, jane()).await;
        observe(&mut staff, vec![copy_of(&jane(), "fake")]).await;
        let found = taken(&world, "fake", "case_1").await;
        let steps = [decided("case_1", ruling("dec_1", true))];
        reviewed(&world, &steps).await;
        reviewed(&world, &steps).await;
        let confirmed = world.one_match("fake", State::Confirmed).await;
        assert_eq!(confirmed.decision_id, "dec_1");
        let label = labels(&world).await;
        assert_eq!(label.len(), 1, "a label for each decision, once");
        assert!(label[0].imitation && !label[0].corrected);
        assert_eq!((&label[0].likeness, &label[0].profile), (&found.likeness, &found.profile));
        let version = world.service.running.memory().engine().version().to_owned();
        assert_eq!((&label[0].model_version, label[0].pack_version), (&version, 7));

        let corrects = Ruling { corrects: "dec_1".to_owned(), ..ruling("dec_2", false) };
        let appeal = [Step::Corrected { case_id: "case_1".to_owned(), ruling: corrects }];
        reviewed(&world, &appeal).await;
        reviewed(&world, &appeal).await;
        world.one_match("fake", State::Dismissed).await;
        let label = labels(&world).await;
        assert_eq!((label.len(), label[0].imitation, label[0].corrected), (1, false, true));
        let told = said(world.events().await).into_iter().filter_map(|event| match event {
            Event::MatchResolved(resolved) => Some((resolved.state(), resolved.corrected)),
            _ => None,
        });
        assert!(told.eq([(State::Confirmed, false), (State::Dismissed, true)]));
        labels_were_told(&world, &found, &version).await;

        // What fell already falls to no effect; what holds now can be corrected in turn.
        let again = |corrects: &str| Step::Corrected {
            case_id: "case_1".to_owned(),
            ruling: Ruling { corrects: corrects.to_owned(), ..ruling("dec_3", true) },
        };
        reviewed(&world, &[again("dec_1")]).await;
        world.one_match("fake", State::Dismissed).await;
        assert!(!labels(&world).await[0].imitation);
        reviewed(&world, &[again("dec_2")]).await;
        world.one_match("fake", State::Confirmed).await;
        assert!(labels(&world).await[0].imitation);
        let back = Ruling { corrects: "dec_3".to_owned(), ..ruling("dec_4", false) };
        let back = Step::Corrected { case_id: "case_1".to_owned(), ruling: back };
        reviewed(&world, &[back]).await;

        let drift = staff.get_drift(GetDriftRequest::default()).await.unwrap().into_inner();
        assert_eq!(drift.buckets.len(), 10);
        let counted: i64 = drift.buckets.iter().map(|bucket| bucket.dismissed_count).sum();
        assert_eq!(counted, 0, "the end of the span is not part of it");
        world.service.clock.advance(Duration::from_secs(1));
        let drift = staff.get_drift(GetDriftRequest::default()).await.unwrap().into_inner();
        let probability = found.likeness.unwrap().probability;
        let of = |p: &&contracts::impersonation::v1::DriftBucket| p.dismissed_count == 1;
        let bucket = drift.buckets.iter().find(of).expect("a bucket");
        assert!(bucket.min_probability <= probability && probability <= bucket.max_probability);
        assert!((bucket.mean_probability - probability).abs() < 1e-9);
        assert!((drift.brier_score - probability * probability).abs() < 1e-9);
        let watched = world.gauges().drift().await.unwrap();
        assert_eq!((watched.confirmed, watched.dismissed), (0, 1));
        assert!((watched.expected - probability).abs() < 1e-9);
        assert!((watched.brier_score - drift.brier_score).abs() < 1e-9);
    }
}

#[tokio::test]
async fn a_dismissal_outlives_a_picture_that_is_saved_anew_and_not_another_picture() {
    let image = |bytes: &[u8]| {
        vec![Avatar { picture: Some(Picture::Image(bytes.to_vec())), ..Avatar::default() }]
    };
    let drawn = image(include_bytes!("../../../lookalike/tests/data/rgb.jpg"));
    let saved_anew = image(include_bytes!("../../../lookalike/tests/data/subsampled.jpg"));
    for world in each().await {
        let mut staff = world.service.staff();
        enrol(&mut staff, jane()).await;
        let showing =
            |avatars: &[Avatar]| Profile { avatars: avatars.to_vec(), ..copy_of(&jane(), "fake") };
        observe(&mut staff, vec![showing(&drawn)]).await;
        let found = taken(&world, "fake", "case_1").await;
        // One picture, with the hashes of its views.
        let [shown] = found.profile.unwrap_or_default().avatars.try_into().expect("one picture");
        assert_eq!((shown.views as usize, shown.view_pdqs.len()), (31, 31));
        reviewed(&world, &[decided("case_1", ruling("dec_1", false))]).await;
        observe(&mut staff, vec![showing(&saved_anew)]).await;
        observe(&mut staff, vec![copy_of(&jane(), "marker")]).await;
        world.one_match("marker", State::Open).await;
        assert_eq!(matches(&mut staff, "fake").await.len(), 1);
        observe(&mut staff, vec![showing(&[picture(7)])]).await;
        let reopened = world.one_match("fake", State::Open).await;
        assert_eq!(reopened.reopen_changes[0].kind(), Kind::Picture);
    }
}

#[tokio::test]
async fn a_dismissal_is_remembered_until_the_profile_changes_materially() {
    for world in each().await {
        let mut staff = world.service.staff();
        enrol(&mut staff, jane()).await;
        let fake = copy_of(&jane(), "fake");
        observe(&mut staff, vec![fake.clone()]).await;
        let found = taken(&world, "fake", "case_1").await;
        reviewed(&world, &[decided("case_1", ruling("dec_1", false))]).await;
        // Case, space, followers and a slightly other picture are the same to a person.
        let louder = Profile {
            display_name: "JANE  DOE music".to_owned(),
            followers: Some(99),
            ..fake.clone()
        };
        observe(&mut staff, vec![louder]).await;
        world.current().await;
        observe(&mut staff, vec![fake.clone()]).await;
        world.current().await;
        let other = Profile { bio: "Bassist from Osaka".to_owned(), ..fake.clone() };
        observe(&mut staff, vec![other]).await;
        // What comes after in the log is looked at after: once this is found, that was passed over.
        observe(&mut staff, vec![copy_of(&jane(), "marker")]).await;
        world.one_match("marker", State::Open).await;
        let kept = matches(&mut staff, "fake").await;
        assert_eq!((kept.len(), kept[0].state()), (1, State::Dismissed));

        let renamed = Profile { display_name: "Jane Doe Music Official".to_owned(), ..fake };
        observe(&mut staff, vec![renamed]).await;
        let again = world.one_match("fake", State::Open).await;
        assert_eq!((&again.match_id, again.reopen_count), (&found.match_id, 1));
        assert!(again.case_id.is_empty() && again.decision_id.is_empty());
        let kinds: Vec<Kind> = again.reopen_changes.iter().map(|change| change.kind()).collect();
        assert!(kinds.contains(&Kind::Name), "{again:?}");
        let told = said(world.events().await).into_iter().find_map(|event| match event {
            Event::MatchFound(found) if found.found_again => Some(found.changes),
            _ => None,
        });
        assert_eq!(told, Some(again.reopen_changes));
    }
}

#[tokio::test]
async fn staff_dismiss_what_is_open_and_has_no_case() {
    for world in each().await {
        let mut staff = world.service.staff();
        enrol(&mut staff, jane()).await;
        let mut fake = copy_of(&jane(), "fake");
        observe(&mut staff, vec![fake.clone()]).await;
        let found = world.one_match("fake", State::Open).await;
        let request = DismissMatchRequest {
            request_id: request_id(),
            match_id: found.match_id.clone(),
            reason: "a friend".to_owned(),
        };
        let first = staff.dismiss_match(request.clone()).await.unwrap().into_inner();
        assert_eq!(staff.dismiss_match(request.clone()).await.unwrap().into_inner(), first);
        let again = DismissMatchRequest { request_id: request_id(), ..request.clone() };
        assert_eq!(reason(&staff.dismiss_match(again).await.unwrap_err()), "MATCH_NOT_OPEN");
        let unknown = DismissMatchRequest {
            request_id: request_id(),
            match_id: "mat_nowhere".to_owned(),
            ..request
        };
        assert_eq!(reason(&staff.dismiss_match(unknown).await.unwrap_err()), "MATCH_NOT_FOUND");
        world.one_match("fake", State::Dismissed).await;
        fake.avatars = vec![picture(7), picture(8)];
        observe(&mut staff, vec![fake]).await;
        let again = world.one_match("fake", State::Open).await;
        assert_eq!(again.reopen_changes[0].kind(), Kind::Picture);
    }
}
