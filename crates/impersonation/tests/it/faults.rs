//! A process that is killed in the middle of enrolling and observing: afterwards the index is
//! what one built from scratch is, and every imitator that was taken is found once.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use contracts::impersonation::v1::r#match::State;
use kit::db::{Db, DbConfig};

use crate::world::{
    Client, Service, Shape, World, check, copy_of, enrol, jane, observe, somebody, stranger,
};

/// Tells the test below that it is the process that is to die, and on which database.
const VICTIM: &str = "IMPERSONATION_TEST_VICTIM";
/// Receipts after which the process is killed, each time a new one.
const RECEIPTS: [usize; 3] = [3, 20, 55];

fn shape(directory: &Path) -> Shape {
    Shape { directory: Some(directory.to_owned()), ..Shape::default() }
}

/// Enrols somebody and observes a copy, in turns, from a number on, until it is killed.
async fn work(client: &mut Client, from: usize) {
    for number in from.. {
        let copy = copy_of(&somebody(number), &format!("x{number}"));
        if number % 2 == 0 {
            observe(client, vec![copy, stranger(&number.to_string())]).await;
            enrol(client, somebody(number)).await;
        } else {
            enrol(client, somebody(number)).await;
            observe(client, vec![copy, stranger(&number.to_string())]).await;
        }
        writeln!(std::io::stderr(), "receipt {number}").unwrap();
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

/// Runs a victim from a number on, and kills it after some receipts; gives the last one's number.
fn killed_after(db: &Db, directory: &Path, from: usize, receipts: usize) -> usize {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "faults::victim", "--nocapture"])
        .env(VICTIM, format!("{from} {} {}", directory.display(), place(db)))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(victim.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut last = None;
    for line in said {
        let Some((_, number)) = line.split_once("receipt ") else { continue };
        last = Some(number.trim().parse().unwrap());
        if last >= Some(from + receipts - 1) {
            victim.kill().unwrap();
        }
    }
    victim.wait().unwrap();
    last.expect("the victim did something")
}

#[tokio::test]
async fn after_a_kill_the_index_is_as_if_built_from_scratch_and_every_pair_is_found_once() {
    for db in testkit::db::each(&impersonation::MIGRATIONS).await {
        let directory = tempfile::tempdir().unwrap();
        let mut from = 0;
        for receipts in RECEIPTS {
            // What was under way when it was killed may be there: its number is not used again.
            from = killed_after(&db, directory.path(), from, receipts) + 2;
        }
        let service = Service::on(&db, shape(directory.path())).await;
        let scratch = Service::on(&db, Shape::default()).await;
        let world = World { service, db };
        enrol(&mut world.service.staff(), jane()).await;
        world.current().await;
        scratch.current(&world.db).await;
        let ids = |state: &impersonation::memory::State| state.index.len();
        let (kept, built) = (world.service.running.memory(), scratch.running.memory());
        assert_eq!(ids(&kept.state()), ids(&built.state()));
        let mut enrolled = 0;
        for number in 0..from {
            let profile = copy_of(&somebody(number), &format!("x{number}"));
            let found = check(&mut world.service.staff(), profile.clone()).await.likenesses;
            assert_eq!(found, check(&mut scratch.staff(), profile).await.likenesses);
            enrolled += found.len();
        }
        assert!(enrolled >= RECEIPTS.iter().sum());
        // The first victim's numbers are known for certain.
        for number in 0..RECEIPTS[0] {
            world.one_match(&format!("x{number}"), State::Open).await;
        }
    }
}
