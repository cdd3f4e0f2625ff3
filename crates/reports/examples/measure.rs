//! throwaway
#![allow(clippy::unwrap_used)]
use contracts::policy::v1 as policy;
use contracts::reports::v1::FileReportRequest;
use contracts::reports::v1::reports_service_server::ReportsService as _;
use contracts::types::v1::{ContentSnapshot, Source, Subject, SubjectType};
use kit::auth::Scopes;
use kit::client::Peer;
use kit::db::*;
use kit::{Caller, Clock, Contract, Credentials, Ids, tx};
use pack::{Pack, PackSource};
use reports::store::{self, NewRow};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

fn notice(ids: &Ids, n: u64) -> FileReportRequest {
    FileReportRequest {
        request_id: ids.new_uuid(),
        subject: Some(Subject {
            r#type: SubjectType::Video.into(),
            id: format!("v{}", n % 1000),
            owner_account_id: "creator-1".into(),
        }),
        reason: "spam".into(),
        explanation: "the same comment everywhere, again and again".into(),
        snapshot: Some(ContentSnapshot {
            text: "buy now".into(),
            media_urls: vec!["https://cdn.example.com/1".into()],
            language: "en".into(),
        }),
        region: "DE".into(),
        good_faith: true,
        ..Default::default()
    }
}

async fn rate<F, Fut>(callers: usize, seconds: u64, f: F) -> f64
where
    F: Fn(u64) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send,
{
    let f = Arc::new(f);
    let n = Arc::new(AtomicU64::new(0));
    let stop = Arc::new(AtomicU64::new(0));
    let w = kit::clock::Stopwatch::start();
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let (f, n, stop) = (f.clone(), n.clone(), stop.clone());
            tokio::spawn(async move {
                while stop.load(Ordering::Relaxed) == 0 {
                    let i = n.fetch_add(1, Ordering::Relaxed);
                    f(i).await;
                }
            })
        })
        .collect();
    kit::clock::sleep(Duration::from_secs(seconds)).await;
    stop.store(1, Ordering::Relaxed);
    for t in tasks {
        t.await.unwrap();
    }
    n.load(Ordering::Relaxed) as f64 / w.elapsed().as_secs_f64()
}

#[tokio::main]
async fn main() {
    let contract = Contract::load(contracts::DESCRIPTOR_SET).unwrap();
    let place = std::env::args().nth(1).unwrap();
    let db = Db::open(&DbConfig::at(&place, "reports_measure")).await.unwrap();
    db.migrate(&reports::MIGRATIONS).await.unwrap();
    let ids = Ids::system();
    let clock = Clock::system();
    let pack = Pack::new(policy::Pack {
        version: 1,
        reasons: vec![policy::Reason { code: "spam".into(), ..Default::default() }],
        ..Default::default()
    });
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    let peer = Peer::new(&contract, "http://127.0.0.1:9", Credentials::open("x")).unwrap();
    let running = reports::start(reports::Deps {
        db: db.clone(),
        clock: clock.clone(),
        ids: ids.clone(),
        peers: reports::Peers { review: peer },
        packs: PackSource::fixed(pack),
        contract,
        stop: stopped,
    })
    .await
    .unwrap();
    let seconds = 3;
    for callers in [1, 16, 64, 256] {
        let (d, i, c) = (db.clone(), ids.clone(), clock.clone());
        let bare = rate(callers, seconds, move |n| {
            let (d, i, c) = (d.clone(), i.clone(), c.clone());
            async move {
                let now = c.now();
                let p = Pack::new(policy::Pack { version: 1, ..Default::default() });
                let report = reports::report::file(
                    notice(&i, n),
                    i.new_id("rep", now),
                    Source::User,
                    &p,
                    now,
                );
                let row = NewRow::of(&report, "p1", now);
                let done: Result<(), DbError> =
                    tx!(d, "bare", |tx| { store::file(tx, &[&row]).await });
                done.unwrap();
            }
        })
        .await;
        let (s, i) = (running.service(), ids.clone());
        let caller = Arc::new(Caller { subject: "p1".into(), actor: None, scopes: Scopes::All });
        let full = rate(callers, seconds, move |n| {
            let (s, i, caller) = (s.clone(), i.clone(), caller.clone());
            async move {
                let mut r = tonic::Request::new(notice(&i, n));
                r.extensions_mut().insert(caller);
                s.file_report(r).await.unwrap();
            }
        })
        .await;
        println!("{callers}: bare {bare:.0}/s, FileReport {full:.0}/s, ratio {:.2}", full / bare);
    }
}
