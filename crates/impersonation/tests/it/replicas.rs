//! Several processes on one database: each sees what the others took, and a restart finds the
//! index where it was left.

use std::time::Duration;

use contracts::impersonation::v1::GetIndexStatusRequest;
use contracts::impersonation::v1::r#match::State;
use kit::clock::{Stopwatch, sleep};

use crate::world::{
    Service, Shape, World, check, copy_of, each, enrol, jane, matches, observe, somebody,
};

/// How soon another replica finds what one took.
const VISIBLE_WITHIN: Duration = Duration::from_secs(1);

#[tokio::test]
async fn what_one_replica_took_the_other_finds_within_a_second() {
    for world in each().await {
        // On the embedded database one process serves; another only looks once a second.
        if !world.db.is_postgres() {
            continue;
        }
        let db = world.db.another().await;
        let other = Service::on(&db, Shape::default()).await;
        let mut checks = other.staff();
        for number in 0..20 {
            enrol(&mut world.service.staff(), somebody(number)).await;
            let begun = Stopwatch::start();
            while check(&mut checks, copy_of(&somebody(number), "x")).await.likenesses.is_empty() {
                assert!(begun.elapsed() < VISIBLE_WITHIN, "not found");
                sleep(Duration::from_millis(2)).await;
            }
        }
        other.stop().await;
    }
}

#[tokio::test]
async fn two_replicas_find_each_imitator_once() {
    for world in each().await {
        let db = world.db.another().await;
        let other = Service::on(&db, Shape::default()).await;
        let (mut one, mut two) = (world.service.staff(), other.staff());
        let all = |from: usize| (from..from + 10).map(|n| copy_of(&somebody(n), &format!("x{n}")));
        observe(&mut one, all(0).collect()).await;
        for number in 0..20 {
            let by = if number % 2 == 0 { &mut one } else { &mut two };
            enrol(by, somebody(number)).await;
        }
        observe(&mut two, all(10).collect()).await;
        for number in 0..20 {
            world.one_match(&format!("x{number}"), State::Open).await;
        }
        other.stop().await;
    }
}

async fn restarted(world: World, shape: impl Fn() -> Shape) -> (World, Service) {
    let World { service, db } = world;
    service.stop().await;
    let service = Service::on(&db, shape()).await;
    let scratch = Service::on(&db, Shape::default()).await;
    (World { service, db }, scratch)
}

#[tokio::test]
async fn a_restart_from_a_snapshot_is_like_one_from_scratch() {
    for db in testkit::db::each(&impersonation::MIGRATIONS).await {
        let directory = tempfile::tempdir().unwrap();
        let shape = || Shape { directory: Some(directory.path().to_owned()), ..Shape::default() };
        let service = Service::on(&db, shape()).await;
        let mut staff = service.staff();
        for number in 0..30 {
            enrol(&mut staff, somebody(number)).await;
        }
        service.current(&db).await;
        let (world, scratch) = restarted(World { service, db }, shape).await;
        let files = std::fs::read_dir(directory.path()).unwrap().count();
        assert_eq!(files, 1, "one file, and nothing beside it");
        let mut staff = world.service.staff();
        let status = staff.get_index_status(GetIndexStatusRequest {}).await.unwrap().into_inner();
        assert!(status.snapshot_time.is_some() && status.rebuild_total == 0, "{status:?}");
        enrol(&mut staff, jane()).await;
        world.current().await;
        scratch.current(&world.db).await;
        for spec in (0..30).map(somebody).chain([jane()]) {
            let profile = copy_of(&spec, "x");
            let same = check(&mut staff, profile.clone()).await.likenesses;
            assert_eq!(same, check(&mut scratch.staff(), profile).await.likenesses);
            assert_eq!(same.len(), 1);
        }
    }
}

#[tokio::test]
async fn a_snapshot_that_does_not_fit_is_passed_over() {
    for db in testkit::db::each(&impersonation::MIGRATIONS).await {
        let directory = tempfile::tempdir().unwrap();
        let shape = || Shape { directory: Some(directory.path().to_owned()), ..Shape::default() };
        let service = Service::on(&db, shape()).await;
        enrol(&mut service.staff(), jane()).await;
        service.current(&db).await;
        service.stop().await;
        let file = std::fs::read_dir(directory.path()).unwrap().next().unwrap().unwrap().path();
        let mut bytes = std::fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
        std::fs::write(&file, bytes).unwrap();
        let service = Service::on(&db, shape()).await;
        let mut staff = service.staff();
        assert_eq!(check(&mut staff, copy_of(&jane(), "x")).await.likenesses.len(), 1);
        assert!(matches(&mut staff, "x").await.is_empty());
        service.stop().await;
    }
}

#[tokio::test]
async fn under_load_what_was_enrolled_is_found_within_a_second() {
    for world in each().await {
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let load = (0..4_usize).map(|caller| {
            let (mut staff, stopped) = (world.service.staff(), stopped.clone());
            tokio::spawn(async move {
                for round in 0.. {
                    if *stopped.borrow() {
                        return;
                    }
                    let profiles = (0..50).map(|number| {
                        let account = format!("{caller}-{number}");
                        copy_of(&somebody(1_000 + round * 50 + number), &account)
                    });
                    observe(&mut staff, profiles.collect()).await;
                    check(&mut staff, copy_of(&somebody(round), "x")).await;
                }
            })
        });
        let load: Vec<_> = load.collect();
        let mut staff = world.service.staff();
        for number in 0..20 {
            enrol(&mut staff, somebody(number)).await;
            let begun = Stopwatch::start();
            while check(&mut staff, copy_of(&somebody(number), "x")).await.likenesses.is_empty() {
                assert!(begun.elapsed() < VISIBLE_WITHIN, "not found");
                sleep(Duration::from_millis(2)).await;
            }
        }
        stop.send_replace(true);
        for task in load {
            task.await.unwrap();
        }
    }
}
