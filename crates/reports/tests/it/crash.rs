//! A process that dies in the middle of filing loses nothing that it gave a receipt for.

use std::collections::HashSet;
use std::process::{Command, Stdio};

use futures_util::future::join_all;
use kit::db::{Db, DbConfig};
use testkit::receipt;

use crate::world::{PERSON, Service, World, file, get, pack};

/// Tells the test below that it is the process that is to die, and on which database.
const VICTIM: &str = "REPORTS_TEST_VICTIM";
/// Receipts after which the process is killed.
const RECEIPTS: usize = 300;
/// Calls at once.
const CALLERS: usize = 40;

/// Not a test by itself: files reports, and says each receipt, until it is killed.
#[tokio::test]
async fn victim() {
    let Ok(place) = std::env::var(VICTIM) else { return };
    let config = match place.split_once(' ') {
        Some((url, schema)) => DbConfig::Postgres {
            url: url.to_owned(),
            schema: schema.to_owned(),
            connections_max: 4,
            force_custom_plan: false,
        },
        None => DbConfig::Sqlite { path: place.into() },
    };
    let db = Db::open(&config).await.unwrap();
    let service = Service::on(&db, pack(&["spam"], 7)).await;
    let callers = (0..CALLERS).map(|caller| {
        let mut client = service.client("p1", PERSON);
        async move {
            loop {
                let filed = file(&mut client, &format!("v{caller}")).await;
                receipt::say(&filed.report_id);
            }
        }
    });
    join_all::<_>(callers).await;
}

fn place(world: &World) -> String {
    match world.db.config() {
        DbConfig::Postgres { url, schema, .. } => format!("{url} {schema}"),
        DbConfig::Sqlite { path } => path.to_string_lossy().into_owned(),
    }
}

#[tokio::test]
async fn no_receipt_is_lost_when_the_process_is_killed() {
    for world in crate::world::each().await {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::victim", "--nocapture"])
            .env(VICTIM, place(&world))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut receipts = HashSet::new();
        for report_id in receipt::heard(victim.stderr.take().unwrap()) {
            receipts.insert(report_id);
            if receipts.len() == RECEIPTS {
                victim.kill().unwrap();
            }
        }
        victim.wait().unwrap();
        assert!(receipts.len() >= RECEIPTS);
        let mut client = world.person("p1");
        for report_id in &receipts {
            get(&mut client, report_id).await.unwrap();
        }
        let (reports, events, requests) = world.counts().await;
        assert_eq!(usize::try_from(reports).unwrap(), events, "report and event, or neither");
        assert_eq!(reports, requests, "report and answer, or neither");
        // What was under way may be there or not; nothing is there twice.
        assert!(events >= receipts.len() && events <= receipts.len() + CALLERS);
    }
}
