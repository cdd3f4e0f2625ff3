//! Following: floods, restarts and what reports do to cases.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use contracts::policy::v1::{Pack as PackProto, Queue};
use contracts::review::v1::case;
use contracts::review::v1::review_event::Event;
use contracts::types::v1::Source;
use kit::client::Peer;
use kit::server::{Server, ServerConfig};
use kit::{Auth, Clock, Contract, Credentials};
use pack::{Pack, PackSource};
use review::rpc::Review;
use review::{Deps, MIGRATIONS, Peers};
use tokio::sync::watch;

use crate::streams::{Log, publish};
use crate::world::{START, World, a_pack, filed, reason, report, withdrawn};

#[tokio::test]
async fn ten_thousand_reports_of_one_subject_are_one_case() {
    const REPORTS: u32 = 10_000;
    const BACK: u32 = 300;
    for world in World::each().await {
        let numbers: Vec<u32> = (0..REPORTS).collect();
        // As many in a transaction as a follower applies at most.
        for batch in numbers.chunks(kit::follow::BATCH_MAX) {
            let events = batch.iter().map(|n| filed(*n, "vid_1", "spam.link")).collect();
            world.reported(events).await;
        }
        let (cases, told) = world.everything().await;
        assert_eq!((cases.len(), told), (1, REPORTS as usize));
        assert_eq!(cases[0].report_count, i64::from(REPORTS));
        let case = world.get(&cases[0].case_id).await;
        assert_eq!(case.reports.len(), 100, "the first of them");
        assert_eq!(case.reports[0].report_id, "rep_000000");
        let events = world.events().await;
        assert!(
            matches!(&events[0], Event::CaseOpened(opened) if opened.report_id == "rep_000000")
        );
        let counted = events.iter().skip(1).zip(2..).all(|(event, count)| {
            matches!(event, Event::ReportAdded(added) if added.report_count == count)
        });
        assert!(counted, "each report was counted once, in order");

        let back: Vec<_> = (0..BACK).map(withdrawn).collect();
        for batch in back.chunks(kit::follow::BATCH_MAX) {
            world.reported(batch.to_vec()).await;
            world.reported(batch.to_vec()).await;
        }
        let case = world.get(&case.case_id).await;
        assert_eq!(
            (case.report_count, case.state()),
            (i64::from(REPORTS - BACK), case::State::Open)
        );
    }
}

#[tokio::test]
async fn a_mixed_batch_lands_where_it_belongs() {
    for world in World::each().await {
        let mut trusted = report(2, "vid_1", "spam.link");
        trusted.source = Source::TrustedFlagger as i32;
        trusted.pack_version = 7;
        let trusted = contracts::reports::v1::report_event::Event::ReportFiled(
            contracts::reports::v1::ReportFiled { report: Some(trusted) },
        );
        world
            .reported(vec![
                filed(1, "vid_1", "spam.link"),
                filed(3, "vid_1", "hate.slur"),
                filed(4, "vid_2", "child.safety"),
                filed(5, "vid_3", "not.in.the.pack"),
                trusted,
            ])
            .await;
        world.reported(vec![filed(6, "vid_1", "spam.bots"), withdrawn(1), withdrawn(99)]).await;
        let (cases, _) = world.everything().await;
        let by_area: HashMap<(String, String), _> = cases
            .into_iter()
            .map(|case| ((case.subject.clone().unwrap().id, case.area.clone()), case))
            .collect();
        let case = |subject: &str, area: &str| &by_area[&(subject.to_owned(), area.to_owned())];
        let spam = case("vid_1", "spam");
        assert_eq!((spam.report_count, spam.queue.as_str()), (2, "urgent"));
        assert_eq!(spam.suggested_policies, ["spam_links", "spam_bots"]);
        assert!(spam.rank_time.unwrap().seconds < spam.due_time.unwrap().seconds);
        assert_eq!(spam.due_time, Some(START.plus(Duration::from_secs(86_400)).into()));
        assert_eq!(case("vid_1", "hate").report_count, 1);
        assert_eq!(case("vid_2", "hate").queue, "central");
        assert_eq!(case("vid_3", "other").suggested_policies, Vec::<String>::new());
        let shown = world.get(&spam.case_id).await.reports;
        let shown: Vec<(&str, bool)> =
            shown.iter().map(|report| (report.report_id.as_str(), report.withdrawn)).collect();
        assert_eq!(shown, [("rep_000001", true), ("rep_000002", false), ("rep_000006", false)]);
        let snapshot = world.get(&spam.case_id).await.reports[0].snapshot.clone();
        assert_eq!(snapshot.unwrap().text, "buy now");
    }
}

#[tokio::test]
async fn cases_leave_a_queue_that_the_pack_no_longer_has() {
    for world in World::each().await {
        let general = world.open(1, "spam.link").await;
        let held = world.open(2, "spam.link").await;
        let case = world.claim("ann", &held).await.unwrap();
        let only = |code: &str| Queue { code: code.to_owned(), ..Queue::default() };
        let proto = PackProto { queues: vec![only("all")], ..a_pack().proto().clone() };
        let packs = PackSource::fixed(Pack::new(proto));
        let review = Review::new(world.db.clone(), world.clock.clone(), world.ids.clone(), packs);
        assert_eq!(review::sweep(&review, false).await.unwrap(), 0);
        assert_eq!(review::sweep(&review, true).await.unwrap(), 1);
        assert_eq!(world.get(&general).await.queue, "all");
        assert_eq!(world.get(&held).await.queue, "general", "not while it is held");
        world.release("ann", &case).await.unwrap();
        assert_eq!(review::sweep(&review, true).await.unwrap(), 1);
        assert_eq!(world.get(&held).await.queue, "all");
    }
}

#[tokio::test]
async fn a_restarted_follower_repeats_nothing_and_loses_nothing() {
    const REPORTS: u32 = 600;
    for db in testkit::db::each(&MIGRATIONS).await {
        let source = testkit::db::sqlite(&MIGRATIONS).await;
        let clock = Clock::system();
        let contract = Contract::load(contracts::DESCRIPTOR_SET).unwrap();
        let (listening, stop_server) = watch::channel(false);
        let server = Server::new(
            &contract,
            ServerConfig::loopback(),
            Arc::new(Auth::Open),
            clock.clone(),
            kit::Ids::system(),
        );
        let log = Log(source.clone());
        let bound = server.add(log.reports()).add(log.appeals()).bind().await.unwrap();
        let address = format!("http://{}", bound.address());
        let mut stop = stop_server.clone();
        let serving = tokio::spawn(bound.serve_until(async move {
            let _ = stop.wait_for(|stop| *stop).await;
        }));

        let world = World::on(db, clock.clone());
        for run in 0..4 {
            let (stopping, stop) = watch::channel(false);
            let peer = || {
                let credentials = Credentials::open("service:review");
                Peer::new(&contract, &address, credentials).unwrap()
            };
            let deps = Deps {
                db: world.db.clone(),
                clock: clock.clone(),
                ids: world.ids.clone(),
                peers: Peers { reports: peer(), appeals: peer(), impersonation: None },
                packs: world.packs.clone(),
                stop,
            };
            let running = review::start(deps).await.unwrap();
            assert!(running.readiness()());
            let from = run * REPORTS / 4;
            let events = (from..from + REPORTS / 4)
                .map(|n| filed(n, &format!("vid_{}", n % 7), "spam.link"));
            publish(&source, events.collect()).await;
            if run % 2 == 1 {
                let token = kit::events::head_token(&source).await.unwrap();
                running.followed_reports(&token).await;
            }
            // Every other run ends in the middle of it.
            stopping.send_replace(true);
            running.finished().await;
        }
        let (cases, told) = world.everything().await;
        assert_eq!((cases.len(), told), (7, REPORTS as usize));
        let counts: i64 = cases.iter().map(|case| case.report_count).sum();
        assert_eq!(counts, i64::from(REPORTS));
        listening.send_replace(true);
        serving.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn nothing_can_be_claimed_of_what_is_gone() {
    for world in World::each().await {
        let case_id = world.open(1, "spam.link").await;
        world.reported(vec![withdrawn(1)]).await;
        assert_eq!(reason(world.claim("ann", &case_id).await), "CASE_NOT_OPEN");
        assert_eq!(reason(world.claim_next("ann", &[]).await), "NO_CASE_AVAILABLE");
        // The next report opens another.
        world.reported(vec![filed(2, "vid_1", "spam.link")]).await;
        assert_ne!(world.claim_next("ann", &[]).await.unwrap().case_id, case_id);
    }
}
