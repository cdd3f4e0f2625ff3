//! The population: what is observed is checked by itself, whichever of the two came first.

use std::time::Duration;

use contracts::impersonation::v1::impersonation_event::Event;
use contracts::impersonation::v1::r#match::State;
use contracts::impersonation::v1::{
    Consequence, EndProtectionRequest, ForgetProfilesRequest, GetMatchRequest, Match,
    ObserveProfilesRequest, Profile, Threshold, Thresholds, WatchImpersonationEventsRequest,
};
use futures_util::StreamExt as _;

use crate::checking::thresholds;
use crate::world::{
    World, copy_of, each, enrol, jane, matches, observe, reason, request_id, said, somebody,
    stranger, within, wrong_fields,
};

fn counts(answer: contracts::impersonation::v1::ObserveProfilesResponse) -> (i32, i32, i32) {
    (answer.created_count, answer.changed_count, answer.unchanged_count)
}

async fn found(world: &World) -> Vec<(String, bool)> {
    let of = |event| match event {
        Event::MatchFound(found) => Some((found.r#match.unwrap().account_id, found.found_again)),
        _ => None,
    };
    said(world.events().await).into_iter().filter_map(of).collect()
}

#[tokio::test]
async fn whoever_came_first_the_pair_is_found_once() {
    for world in each().await {
        let mut staff = world.service.staff();
        observe(&mut staff, vec![copy_of(&jane(), "before"), stranger("s1")]).await;
        let identity = enrol(&mut staff, jane()).await;
        observe(&mut staff, vec![copy_of(&jane(), "after"), stranger("s2")]).await;
        observe(&mut staff, vec![copy_of(&jane(), "account-jane")]).await;
        for account in ["before", "after"] {
            let found = world.one_match(account, State::Open).await;
            assert_eq!(found.identity_id, identity.identity_id);
            let (like, me) = (found.likeness.unwrap(), found.identity.unwrap());
            assert!(like.probability > 0.5 && !like.evidence.is_empty());
            assert_eq!(me.handle, "janedoemusic");
            assert_eq!(found.profile.unwrap().handle, "janedoemusic");
        }
        let mut all = found(&world).await;
        all.sort();
        assert_eq!(all, [("after".to_owned(), false), ("before".to_owned(), false)]);
        for nobody in ["s1", "s2", "account-jane"] {
            assert!(matches(&mut staff, nobody).await.is_empty());
        }
    }
}

#[tokio::test]
async fn what_changed_is_told_apart() {
    for world in each().await {
        let mut staff = world.service.staff();
        assert_eq!(
            counts(observe(&mut staff, vec![stranger("a"), stranger("b")]).await),
            (2, 0, 0)
        );
        assert_eq!(counts(observe(&mut staff, vec![stranger("a")]).await), (0, 0, 1));
        let famous = Profile { followers: Some(9), ..stranger("a") };
        assert_eq!(counts(observe(&mut staff, vec![famous.clone()]).await), (0, 0, 1));
        let renamed = Profile { handle: "loud".to_owned(), ..famous };
        let all = vec![renamed, stranger("b"), stranger("c")];
        assert_eq!(counts(observe(&mut staff, all).await), (1, 1, 1));
        let observed = said(world.events().await).into_iter().filter_map(|event| match event {
            Event::ProfilesObserved(observed) => Some(observed.account_ids.join(" ")),
            _ => None,
        });
        assert!(observed.eq(["a b", "a c"]));
    }
}

#[tokio::test]
async fn a_rename_or_a_new_picture_is_checked_at_once_and_undone_it_falls_away() {
    for world in each().await {
        let mut staff = world.service.staff();
        enrol(&mut staff, jane()).await;
        observe(&mut staff, vec![stranger("x"), stranger("y")]).await;
        observe(&mut staff, vec![copy_of(&jane(), "x")]).await;
        let first = world.one_match("x", State::Open).await;
        observe(&mut staff, vec![stranger("x")]).await;
        let gone = world.one_match("x", State::Superseded).await;
        assert_eq!(gone.match_id, first.match_id);
        observe(&mut staff, vec![copy_of(&jane(), "x")]).await;
        let again = world.one_match("x", State::Open).await;
        assert_eq!((again.match_id, again.reopen_count), (first.match_id, 1));
        assert_eq!(found(&world).await, [("x".to_owned(), false), ("x".to_owned(), true)]);
    }
}

#[tokio::test]
async fn new_thresholds_judge_open_matches_again() {
    for world in each().await {
        let mut staff = world.service.staff();
        let identity = enrol(&mut staff, jane()).await;
        let set = |all: [f64; 3]| {
            let [suggest, open_case, hold] =
                all.map(|probability| Some(Threshold { probability, ..Threshold::default() }));
            Thresholds { suggest, open_case, hold }
        };
        thresholds(&mut staff, set([0.6, 0.95, 0.999])).await.unwrap();
        let named = Profile { avatars: Vec::new(), ..copy_of(&jane(), "named") };
        observe(&mut staff, vec![copy_of(&jane(), "copy"), named]).await;
        let consequence =
            |found: &Match| found.likeness.as_ref().map(|likeness| likeness.consequence());
        let one = async |account: &str, state: State, wanted: Consequence| {
            let is_it = |found: &[Match]| {
                found.len() == 1
                    && found[0].state() == state
                    && consequence(&found[0]) == Some(wanted)
            };
            world.matches_when(account, is_it).await;
        };
        one("copy", State::Open, Consequence::OpenCase).await;
        one("named", State::Open, Consequence::Suggest).await;
        // Two from which a case follows now, one told again since none followed before.
        thresholds(&mut staff, set([0.6, 0.7, 0.999])).await.unwrap();
        one("named", State::Open, Consequence::OpenCase).await;
        let told = found(&world).await;
        assert_eq!(told.iter().filter(|(account, _)| account == "named").count(), 2);
        assert_eq!(told.iter().filter(|(account, _)| account == "copy").count(), 1);
        // One from which less follows, and one from which nothing does.
        thresholds(&mut staff, set([0.9, 0.999, 0.999])).await.unwrap();
        one("copy", State::Open, Consequence::Suggest).await;
        one("named", State::Superseded, Consequence::OpenCase).await;
        assert_eq!(matches(&mut staff, "copy").await[0].identity_id, identity.identity_id);
        let resolved = said(world.events().await).into_iter().filter_map(|event| match event {
            Event::MatchResolved(resolved) => Some(resolved),
            _ => None,
        });
        assert_eq!(resolved.count(), 1);
    }
}

#[tokio::test]
async fn what_is_forgotten_or_no_longer_protected_falls_away() {
    for world in each().await {
        let mut staff = world.service.staff();
        let identity = enrol(&mut staff, jane()).await;
        observe(&mut staff, vec![copy_of(&jane(), "x"), copy_of(&jane(), "y")]).await;
        world.one_match("x", State::Open).await;
        world.one_match("y", State::Open).await;
        let forget = ForgetProfilesRequest {
            request_id: request_id(),
            account_ids: vec!["x".to_owned(), "unknown".to_owned()],
        };
        let forgotten = staff.forget_profiles(forget).await.unwrap().into_inner();
        assert_eq!(forgotten.forgotten_count, 1);
        world.one_match("x", State::Superseded).await;
        world.one_match("y", State::Open).await;
        let end = EndProtectionRequest {
            request_id: request_id(),
            identity_id: identity.identity_id,
            reason: "asked for it".to_owned(),
        };
        staff.end_protection(end).await.unwrap();
        world.one_match("y", State::Superseded).await;
    }
}

#[tokio::test]
async fn a_batch_is_taken_whole_or_every_wrong_one_is_named_and_repeats_are_the_same() {
    for world in each().await {
        let mut staff = world.service.staff();
        let mut profiles: Vec<Profile> =
            (0..500).map(|number| stranger(&number.to_string())).collect();
        profiles[7].account_id.clear();
        profiles[9].account_id.clear();
        let request = ObserveProfilesRequest { request_id: request_id(), profiles };
        let status = staff.observe_profiles(request.clone()).await.unwrap_err();
        assert_eq!(reason(&status), "BATCH_REFUSED");
        assert_eq!(wrong_fields(&status), ["profiles[7].account_id", "profiles[9].account_id"]);
        let mut good = request;
        good.profiles[7].account_id = "7".to_owned();
        good.profiles[9].account_id = "9".to_owned();
        let first = staff.observe_profiles(good.clone()).await.unwrap().into_inner();
        let again = staff.observe_profiles(good).await.unwrap().into_inner();
        assert_eq!((first, counts(first)), (again, (500, 0, 0)));
        assert_eq!(world.events().await.len(), 1);
    }
}

#[tokio::test]
async fn concurrent_observations_of_one_account_make_one_row_and_one_match() {
    for world in each().await {
        let mut staff = world.service.staff();
        enrol(&mut staff, jane()).await;
        let calls = (0..32).map(|number: i64| {
            let mut staff = staff.clone();
            async move {
                let own = Profile { followers: Some(number), ..copy_of(&jane(), "x") };
                let answer = observe(&mut staff, vec![own, stranger(&number.to_string())]).await;
                answer.created_count
            }
        });
        let created: i32 = futures_util::future::join_all(calls).await.into_iter().sum();
        assert_eq!(created, 33);
        world.one_match("x", State::Open).await;
    }
}

#[tokio::test]
async fn an_owner_reads_the_matches_of_its_own_identity_only() {
    for world in each().await {
        let mut staff = world.service.staff();
        enrol(&mut staff, jane()).await;
        enrol(&mut staff, somebody(1)).await;
        observe(&mut staff, vec![copy_of(&jane(), "x")]).await;
        let found = world.one_match("x", State::Open).await;
        let get = GetMatchRequest { match_id: found.match_id.clone() };
        let mut owner = world.service.person("account-jane");
        let read = owner.get_match(get.clone()).await.unwrap().into_inner();
        assert_eq!(read.r#match, Some(found));
        let mut other = world.service.person("account-1");
        assert_eq!(reason(&other.get_match(get).await.unwrap_err()), "MATCH_NOT_FOUND");
    }
}

#[tokio::test]
async fn the_stream_leaves_profiles_out_unless_asked() {
    for world in each().await {
        let mut staff = world.service.staff();
        observe(&mut staff, vec![stranger("a")]).await;
        enrol(&mut staff, somebody(1)).await;
        for (include_profiles, count) in [(false, 1), (true, 2)] {
            let request =
                WatchImpersonationEventsRequest { include_profiles, ..Default::default() };
            let stream = staff.watch_impersonation_events(request).await.unwrap().into_inner();
            let events = stream.map(Result::unwrap).take_while(|message| {
                let more = message.event.is_some();
                async move { more }
            });
            let events: Vec<_> = within(events.collect::<Vec<_>>()).await;
            assert_eq!(events.len(), count);
        }
        kit::clock::sleep(Duration::ZERO).await;
    }
}
