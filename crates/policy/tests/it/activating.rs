//! ActivatePack: exactly one version is in force, and it changes only from the expected one.

use std::time::Duration;

use contracts::policy::v1::policy_event::Event;
use contracts::policy::v1::{ActivatePackRequest, WatchPolicyEventsRequest};
use tokio_stream::StreamExt as _;
use tonic::Code;

use crate::world::{activate, each, get, meta, publish, reason, request_id, tiny};

#[tokio::test]
async fn nothing_is_active_before_the_first_activation() {
    for world in each().await {
        publish(&world.client, tiny("one")).await.unwrap();
        let status = get(&world.client, 0).await.unwrap_err();
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::FailedPrecondition, "NO_ACTIVE_PACK")
        );
        activate(&world.client, 1, 0).await.unwrap();
        assert_eq!(get(&world.client, 0).await.unwrap().name, "one");
    }
}

#[tokio::test]
async fn an_activation_needs_the_version_that_is_active() {
    for world in each().await {
        for name in ["one", "two", "three"] {
            publish(&world.client, tiny(name)).await.unwrap();
        }
        let status = activate(&world.client, 4, 0).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "PACK_NOT_FOUND"));
        assert_eq!(meta(&status, "version"), "4");
        world.clock.advance(Duration::from_secs(60));
        let now = Some(world.clock.now().into());
        let second = activate(&world.client, 2, 0).await.unwrap();
        assert_eq!((second.version, second.active, second.activate_time), (2, true, now));
        for expected in [0, 1, 3] {
            let status = activate(&world.client, 3, expected).await.unwrap_err();
            assert_eq!(status.code(), Code::Aborted);
            assert_eq!(reason(&status), "ACTIVE_VERSION_CHANGED");
            assert_eq!(meta(&status, "active_version"), "2");
        }
        assert_eq!(activate(&world.client, 2, 2).await.unwrap(), second, "it is active already");
        activate(&world.client, 1, 2).await.unwrap();
        let seen: Vec<(i64, i64)> = world.events().await.iter().filter_map(activated).collect();
        assert_eq!(seen, [(2, 0), (1, 2)], "from which to which");
    }
}

fn activated(event: &contracts::policy::v1::PolicyEvent) -> Option<(i64, i64)> {
    let Some(Event::PackActivated(event)) = &event.event else { return None };
    Some((event.pack.as_ref()?.version, event.previous_version))
}

#[tokio::test]
async fn a_repeated_activation_gets_the_same_answer_and_another_payload_a_conflict() {
    for world in each().await {
        let mut client = world.client.clone();
        publish(&client, tiny("one")).await.unwrap();
        publish(&client, tiny("two")).await.unwrap();
        let request = ActivatePackRequest {
            request_id: request_id(),
            version: 1,
            expected_active_version: 0,
        };
        let first = client.activate_pack(request.clone()).await.unwrap().into_inner();
        activate(&client, 2, 1).await.unwrap();
        let again = client.activate_pack(request.clone()).await.unwrap().into_inner();
        assert_eq!(again, first);
        assert_eq!(get(&client, 0).await.unwrap().version, 2, "and nothing is done again");
        let other = ActivatePackRequest { version: 2, ..request };
        let status = client.activate_pack(other).await.unwrap_err();
        assert_eq!(reason(&status), "REQUEST_ID_CONFLICT");
    }
}

#[tokio::test]
async fn of_activations_at_once_one_wins() {
    for world in each().await {
        for at in 1..=8 {
            publish(&world.client, tiny(&format!("pack-{at}"))).await.unwrap();
        }
        let other = world.replica().await;
        let mut calls = tokio::task::JoinSet::new();
        for version in 1..=8 {
            let client = if version % 2 == 0 { world.client.clone() } else { other.clone() };
            calls.spawn(async move { activate(&client, version, 0).await });
        }
        let (won, lost): (Vec<_>, Vec<_>) =
            calls.join_all().await.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, 7));
        let winner = won[0].as_ref().unwrap().version;
        assert_eq!(get(&other, 0).await.unwrap().version, winner);
        for status in lost.into_iter().map(Result::unwrap_err) {
            assert_eq!(meta(&status, "active_version"), winner.to_string());
        }
    }
}

#[tokio::test]
async fn another_replica_answers_with_the_new_active_version_at_once() {
    for world in each().await {
        let other = world.replica().await;
        for version in 1..=20 {
            publish(&world.client, tiny(&format!("pack-{version}"))).await.unwrap();
            activate(&world.client, version, version - 1).await.unwrap();
            assert_eq!(get(&other, 0).await.unwrap().version, version);
            assert_eq!(get(&world.client, 0).await.unwrap().version, version);
        }
        // More than are kept in memory: the oldest is read again.
        assert_eq!(get(&other, 1).await.unwrap().name, "pack-1");
    }
}

#[tokio::test]
async fn the_watch_tells_of_everything_in_order_and_goes_on_from_a_token() {
    for world in each().await {
        let mut client = world.client.clone();
        publish(&client, tiny("one")).await.unwrap();
        activate(&client, 1, 0).await.unwrap();
        let from = |resume_token: String| WatchPolicyEventsRequest { resume_token };
        let mut all = client.watch_policy_events(from(String::new())).await.unwrap().into_inner();
        let first = all.next().await.unwrap().unwrap();
        assert!(matches!(first.event.unwrap().event, Some(Event::PackPublished(_))));
        let mut rest = client.watch_policy_events(from(first.resume_token)).await.unwrap();
        publish(&client, tiny("two")).await.unwrap();
        for stream in [&mut all, rest.get_mut()] {
            // A message without an event is a checkpoint.
            let mut events = stream.filter_map(|message| message.unwrap().event);
            assert_eq!(activated(&events.next().await.unwrap()), Some((1, 0)));
            let event = events.next().await.unwrap().event;
            let Some(Event::PackPublished(published)) = event else { panic!("{event:?}") };
            assert_eq!(published.pack.unwrap().version, 2);
        }
        let status = client.watch_policy_events(from("nonsense".to_owned())).await.unwrap_err();
        assert_eq!(reason(&status), "RESUME_TOKEN_INVALID");
    }
}
