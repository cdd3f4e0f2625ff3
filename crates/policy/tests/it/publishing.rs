//! CheckPack and PublishPack: what is stored, what is refused, and what equal packs are.

use std::collections::BTreeSet;

use contracts::policy::v1::policy_event::Event;
use contracts::policy::v1::{CheckPackRequest, Pack, PublishPackRequest};
use tonic::Code;

use crate::tiny;
use crate::world::{each, get, meta, publish, reason, request_id, tiny, wrong_fields};

#[tokio::test]
async fn a_published_pack_is_what_its_files_say() {
    for world in each().await {
        let files = tiny("one");
        let version = publish(&world.client, files.clone()).await.unwrap();
        assert_eq!((version.version, version.name.as_str()), (1, "one"));
        assert_eq!(version.digest, policy::files::digest(&files));
        assert!(!version.active && version.activate_time.is_none());
        let compiled = policy::check(&files).unwrap();
        let create_time = Some(crate::world::START.into());
        assert_eq!(version.create_time, create_time);
        let stored = get(&world.client, 1).await.unwrap();
        assert_eq!(stored, Pack { version: 1, create_time, ..compiled });
        let events = world.events().await;
        let Some(Event::PackPublished(event)) = &events[0].event else { panic!("{events:?}") };
        assert_eq!((events.len(), event.pack.as_ref()), (1, Some(&version)));
    }
}

#[tokio::test]
async fn equal_files_are_one_version_and_other_files_the_next() {
    for world in each().await {
        let first = publish(&world.client, tiny("one")).await.unwrap();
        let mut turned = tiny("one");
        turned.reverse();
        assert_eq!(publish(&world.client, turned).await.unwrap(), first);
        assert_eq!(publish(&world.client, tiny("two")).await.unwrap().version, 2);
        assert_eq!(publish(&world.client, tiny("one")).await.unwrap(), first);
        assert_eq!(world.events().await.len(), 2, "only what is new is an event");
    }
}

#[tokio::test]
async fn the_default_pack_goes_through_the_wire_both_ways() {
    for world in each().await {
        publish(&world.client, policy::default_pack()).await.unwrap();
        let pack = get(&world.client, 1).await.unwrap();
        assert_eq!((pack.name.as_str(), pack.locales.len()), ("default", 3));
    }
}

#[tokio::test]
async fn a_bad_pack_is_refused_with_file_and_line_and_nothing_is_stored() {
    for world in each().await {
        let bad = tiny::changed("policies/hate.yaml", "window_days: 180", "window_days: 7");
        let status = publish(&world.client, bad.clone()).await.unwrap_err();
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::InvalidArgument, "PACK_INVALID")
        );
        assert_eq!(wrong_fields(&status), ["policies/hate.yaml:18"]);
        assert_eq!(meta(&status, "mistake_count"), "1");
        let mut client = world.client.clone();
        let checked = client.check_pack(CheckPackRequest { files: bad }).await.unwrap();
        let mistakes = checked.into_inner().mistakes;
        assert_eq!((mistakes.len(), mistakes[0].line), (1, 18));
        let good = client.check_pack(CheckPackRequest { files: tiny("one") }).await.unwrap();
        assert_eq!(good.into_inner().mistakes, []);
        assert_eq!(get(&world.client, 1).await.unwrap_err().code(), Code::NotFound);
        assert!(world.events().await.is_empty());
    }
}

#[tokio::test]
async fn a_pack_full_of_mistakes_still_fits_the_headers_of_an_error() {
    for world in each().await {
        let files: Vec<_> = (0..200)
            .map(|at| contracts::policy::v1::PackFile {
                path: format!("{}{at}.yaml", "x".repeat(190)),
                content: vec![0xff],
            })
            .collect();
        let status = publish(&world.client, files.clone()).await.unwrap_err();
        assert_eq!(reason(&status), "PACK_INVALID");
        assert_eq!(wrong_fields(&status).len(), 20);
        assert!(status.details().len() < 12 * 1024, "{} bytes", status.details().len());
        let mut client = world.client.clone();
        let checked = client.check_pack(CheckPackRequest { files }).await.unwrap();
        let mistakes = checked.into_inner().mistakes;
        assert_eq!(meta(&status, "mistake_count"), mistakes.len().to_string());
    }
}

#[tokio::test]
async fn a_repeated_publication_gets_the_same_answer_and_another_payload_a_conflict() {
    for world in each().await {
        let mut client = world.client.clone();
        let request = PublishPackRequest { request_id: request_id(), files: tiny("one") };
        let first = client.publish_pack(request.clone()).await.unwrap().into_inner();
        crate::world::activate(&client, 1, 0).await.unwrap();
        let again = client.publish_pack(request.clone()).await.unwrap().into_inner();
        assert_eq!(again, first, "as it was answered, not as it is now");
        let other = PublishPackRequest { files: tiny("two"), ..request };
        let status = client.publish_pack(other).await.unwrap_err();
        assert_eq!(reason(&status), "REQUEST_ID_CONFLICT");
        assert_eq!(world.events().await.len(), 2);
    }
}

#[tokio::test]
async fn publications_at_once_get_numbers_without_gaps_and_equal_ones_get_one() {
    for world in each().await {
        let other = world.replica().await;
        let mut calls = tokio::task::JoinSet::new();
        for at in 0..24 {
            let client = if at % 2 == 0 { world.client.clone() } else { other.clone() };
            let files = tiny(&format!("pack-{}", at % 6));
            calls.spawn(async move { publish(&client, files).await.unwrap() });
        }
        let versions = calls.join_all().await;
        let different: BTreeSet<(i64, String)> =
            versions.into_iter().map(|pack| (pack.version, pack.digest)).collect();
        let numbers: Vec<i64> = different.into_iter().map(|(version, _)| version).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
        assert_eq!(world.events().await.len(), 6);
    }
}
