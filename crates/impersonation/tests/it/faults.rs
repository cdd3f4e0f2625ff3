//! A process that is killed while it enrols, observes, rebuilds or writes a snapshot: afterwards
//! the index is what one built from scratch is, and every imitator that was taken is found once.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use contracts::impersonation::v1::impersonation_event::Event;
use contracts::impersonation::v1::r#match::State;
use kit::db::{Db, DbConfig};
use testkit::db::TestDb;
use testkit::receipt;

use crate::world::{
    Client, Service, Shape, World, check, copy_of, enrol, events, jane, observe, said, somebody,
    stranger,
};

/// Tells the test below that it is the process that is to die, and on which database.
const VICTIM: &str = "IMPERSONATION_TEST_VICTIM";
/// Receipts after which the process is killed, each time a new one.
const RECEIPTS: [usize; 2] = [3, 40];
/// Where the process dies, each time a new one: while it rebuilds the index, before a snapshot is
/// put in its place, around commits.
const POINTS: [&str; 8] = [
    "index_read",
    "snapshot_written",
    "before_commit:2",
    "after_commit:3",
    "before_commit:7",
    "after_commit:11",
    "before_commit:18",
    "after_commit:29",
];
/// How many a victim enrols at most.
const WORK_MAX: usize = 60;

fn shape(directory: &Path) -> Shape {
    Shape { directory: Some(directory.to_owned()), ..Shape::default() }
}

/// Enrols somebody and observes a copy, in turns, from a number on, until it is killed.
async fn work(client: &mut Client, from: usize) {
    for number in from..from + WORK_MAX {
        let copy = copy_of(&somebody(number), &format!("x{number}"));
        if number % 2 == 0 {
            observe(client, vec![copy, stranger(&number.to_string())]).await;
            enrol(client, somebody(number)).await;
        } else {
            enrol(client, somebody(number)).await;
            observe(client, vec![copy, stranger(&number.to_string())]).await;
        }
        receipt::say(&number.to_string());
    }
}

/// Not a test by itself: works, and says each receipt, until it is killed.
#[tokio::test]
async fn victim() {
    let Ok(place) = std::env::var(VICTIM) else { return };
    let parts: Vec<&str> = place.split(' ').collect();
    let [from, directory, place @ ..] = parts.as_slice() else { panic!("{place}") };
    let config = match place {
        [url, schema] => DbConfig::Postgres {
            url: (*url).to_owned(),
            schema: (*schema).to_owned(),
            connections_max: 6,
            force_custom_plan: false,
        },
        path => DbConfig::Sqlite { path: path[0].into() },
    };
    let db = Db::open(&config).await.unwrap();
    let service = Service::on(&db, shape(Path::new(directory))).await;
    work(&mut service.staff(), from.parse().unwrap()).await;
}

fn place(db: &Db) -> String {
    match db.config() {
        DbConfig::Postgres { url, schema, .. } => format!("{url} {schema}"),
        DbConfig::Sqlite { path } => path.to_string_lossy().into_owned(),
    }
}

/// Runs a victim from a number on, until it dies at a point or is killed after some receipts;
/// gives the first number that it cannot have used.
fn run(db: &Db, directory: &Path, from: usize, point: &str, receipts: usize) -> usize {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "faults::victim", "--nocapture"])
        .env(VICTIM, format!("{from} {} {}", directory.display(), place(db)))
        .env(kit::fault::CRASH_AT, point)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut next = from;
    for number in receipt::heard(victim.stderr.take().unwrap()) {
        next = number.parse::<usize>().unwrap() + 1;
        if next >= from + receipts {
            victim.kill().unwrap();
        }
    }
    let ended = victim.wait().unwrap();
    assert!(!ended.success(), "it was to die at {point:?}");
    // One more may have been under way.
    next + 1
}

/// The accounts that were observed.
async fn observed(db: &Db) -> BTreeSet<String> {
    let of = |event| match event {
        Event::ProfilesObserved(observed) => observed.account_ids,
        _ => Vec::new(),
    };
    said(events(db).await).into_iter().flat_map(of).collect()
}

/// That a restarted service is like one from scratch, and every pair is found once.
async fn verify(db: TestDb, directory: &Path, numbers: usize) {
    let service = Service::on(&db, shape(directory)).await;
    let scratch = Service::on(&db, Shape::default()).await;
    let world = World { service, db };
    enrol(&mut world.service.staff(), jane()).await;
    world.current().await;
    scratch.current(&world.db).await;
    let size = |service: &Service| service.running.memory().state().index.len();
    assert_eq!(size(&world.service), size(&scratch));
    let observed = observed(&world.db).await;
    let mut pairs = 0;
    for number in 0..numbers {
        let account = format!("x{number}");
        let profile = copy_of(&somebody(number), &account);
        let found = check(&mut world.service.staff(), profile.clone()).await.likenesses;
        assert_eq!(found, check(&mut scratch.staff(), profile).await.likenesses);
        if !found.is_empty() && observed.contains(&account) {
            world.one_match(&account, State::Open).await;
            pairs += 1;
        }
    }
    assert!(pairs > 0, "nothing was tried");
}

#[tokio::test]
async fn killed_at_any_time_it_comes_back_whole() {
    for db in testkit::db::each(&impersonation::MIGRATIONS).await {
        let directory = tempfile::tempdir().unwrap();
        let mut from = 0;
        for receipts in RECEIPTS {
            from = run(&db, directory.path(), from, "", receipts);
        }
        verify(db, directory.path(), from).await;
    }
}

#[tokio::test]
async fn crashed_at_any_step_it_comes_back_whole() {
    for db in testkit::db::each(&impersonation::MIGRATIONS).await {
        let directory = tempfile::tempdir().unwrap();
        let mut from = 0;
        for point in POINTS {
            from = run(&db, directory.path(), from, point, usize::MAX - from);
        }
        verify(db, directory.path(), from).await;
    }
}
