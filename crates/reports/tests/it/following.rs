//! What review does to cases reaches every report of theirs, once.

use contracts::reports::v1::report::{Outcome, State};
use contracts::reports::v1::report_event;
use contracts::review::v1 as review;
use contracts::review::v1::decision::Outcome as Verdict;
use contracts::review::v1::review_event::Event;
use futures_util::future::join_all;
use kit::{Error, Ids, tx};
use reports::events::Events;
use reports::follow;
use reports::standing::{Change, Standing};
use reports::store;

use crate::world::{START, World, decoded, each, file, get, withdraw};

/// Events of review applied in one transaction at most, as the follower does.
const BATCH: usize = 128;

fn event(event: Event) -> review::ReviewEvent {
    review::ReviewEvent { event: Some(event), ..Default::default() }
}

/// A case was opened by a report.
pub fn opened(report_id: &str, case_id: &str) -> review::ReviewEvent {
    let case = review::Case { case_id: case_id.to_owned(), ..Default::default() };
    let report_id = report_id.to_owned();
    event(Event::CaseOpened(review::CaseOpened {
        case: Some(case),
        report_id,
        ..Default::default()
    }))
}

/// A report was added to a case.
pub fn added(report_id: &str, case_id: &str) -> review::ReviewEvent {
    event(Event::ReportAdded(review::ReportAdded {
        case_id: case_id.to_owned(),
        report_id: report_id.to_owned(),
        report_count: 2,
    }))
}

fn decision(outcome: Verdict) -> Option<review::Decision> {
    Some(review::Decision { outcome: outcome.into(), ..Default::default() })
}

/// A case was decided.
pub fn decide(case_id: &str, violation: bool) -> review::ReviewEvent {
    let outcome = if violation { Verdict::Violation } else { Verdict::NoViolation };
    event(Event::CaseDecided(review::CaseDecided {
        case_id: case_id.to_owned(),
        decision: decision(outcome),
        ..Default::default()
    }))
}

fn heard(case_id: &str, outcome: Verdict) -> review::ReviewEvent {
    event(Event::AppealCaseDecided(review::AppealCaseDecided {
        case_id: "case_of_appeal".to_owned(),
        appealed_case_id: case_id.to_owned(),
        decision: decision(outcome),
        ..Default::default()
    }))
}

/// The decision of a case was overturned.
pub fn overturn(case_id: &str) -> review::ReviewEvent {
    heard(case_id, Verdict::Overturned)
}

impl World {
    /// Review has done this.
    pub async fn review(&self, batch: &[review::ReviewEvent]) {
        let ids = Ids::system();
        let now = self.service.clock.now();
        let done: Result<(), Error> = tx!(self.db, "test_follow", |tx| {
            follow::apply(tx, batch, Events { ids: &ids, now }).await
        });
        done.unwrap();
    }
}

#[tokio::test]
async fn a_report_goes_the_way_of_its_case() {
    for world in each().await {
        let mut client = world.person("p1");
        let mut ids = Vec::new();
        for _ in 0..4 {
            ids.push(file(&mut client, "v1").await.report_id);
        }
        let [first, second, withdrawn, other] = &ids[..] else { panic!() };
        let taken = [
            opened(first, "case_1"),
            added(second, "case_1"),
            added(withdrawn, "case_1"),
            opened(other, "case_2"),
        ];
        world.review(&taken).await;
        let report = get(&mut client, second).await.unwrap();
        assert_eq!((report.state(), report.case_id.as_str()), (State::InReview, "case_1"));
        withdraw(&mut client, withdrawn).await.unwrap();

        world.review(&[decide("case_1", true), decide("case_2", false)]).await;
        for (report_id, state, outcome) in [
            (first, State::Resolved, Outcome::Actioned),
            (second, State::Resolved, Outcome::Actioned),
            (withdrawn, State::Withdrawn, Outcome::Unspecified),
            (other, State::Resolved, Outcome::NoViolation),
        ] {
            let report = get(&mut client, report_id).await.unwrap();
            assert_eq!((report.state(), report.outcome()), (state, outcome));
        }

        let before = world.events().await.len();
        world.review(&[heard("case_1", Verdict::PartiallyOverturned)]).await;
        world.review(&[heard("case_1", Verdict::Upheld)]).await;
        assert_eq!(world.events().await.len(), before, "the outcome stands");

        world.review(&[overturn("case_1")]).await;
        for report_id in [first, second] {
            let report = get(&mut client, report_id).await.unwrap();
            assert_eq!((report.state(), report.outcome()), (State::Resolved, Outcome::NoViolation));
            assert!(report.outcome_corrected);
        }
        assert!(!get(&mut client, other).await.unwrap().outcome_corrected);

        let told: Vec<String> = world.events().await.iter().map(told).collect();
        let resolved = |id: &str, case: &str, outcome, corrected: bool| {
            format!("resolved {id} {case} {outcome:?} {corrected}")
        };
        let expected = [
            format!("in_review {first} case_1"),
            format!("in_review {second} case_1"),
            format!("in_review {withdrawn} case_1"),
            format!("in_review {other} case_2"),
            "-".to_owned(),
            resolved(first, "case_1", Outcome::Actioned, false),
            resolved(second, "case_1", Outcome::Actioned, false),
            resolved(other, "case_2", Outcome::NoViolation, false),
            resolved(first, "case_1", Outcome::NoViolation, true),
            resolved(second, "case_1", Outcome::NoViolation, true),
        ];
        assert_eq!(told[4..], expected);
    }
}

fn told(event: &kit::events::Event) -> String {
    match decoded(event).event {
        Some(report_event::Event::ReportInReview(e)) => {
            format!("in_review {} {}", e.report_id, e.case_id)
        }
        Some(report_event::Event::ReportResolved(e)) => format!(
            "resolved {} {} {:?} {}",
            e.report_id,
            e.case_id,
            e.outcome(),
            e.outcome_corrected
        ),
        _ => "-".to_owned(),
    }
}

/// The statements, which change whole cases, do what the pure function says of one report.
#[tokio::test]
async fn whatever_a_report_is_review_changes_it_as_the_pure_function_says() {
    for world in each().await {
        let mut client = world.person("p1");
        for (told, change) in [
            (decide("case_1", true), Change::Decided(Outcome::Actioned)),
            (decide("case_1", false), Change::Decided(Outcome::NoViolation)),
            (overturn("case_1"), Change::Overturned),
        ] {
            let mut put = Vec::new();
            for standing in Standing::ALL {
                let report_id = file(&mut client, "v1").await.report_id;
                world.review(&[opened(&report_id, "case_1")]).await;
                force(&world, &report_id, standing).await;
                put.push((report_id, standing));
            }
            world.review(std::slice::from_ref(&told)).await;
            for (report_id, before) in put {
                let after = before.after(change).unwrap().unwrap_or(before);
                assert_eq!(standing(&world, &report_id).await, after, "{before:?} {change:?}");
                // Out of the case, so that the next round finds only its own.
                force(&world, &report_id, Standing::ALL[5]).await;
            }
        }
        for before in Standing::ALL {
            let report_id = file(&mut client, "v1").await.report_id;
            force(&world, &report_id, before).await;
            world.review(&[added(&report_id, "case_2")]).await;
            let after = before.after(Change::TakenUp).unwrap();
            assert_eq!(standing(&world, &report_id).await, after.unwrap_or(before), "{before:?}");
            let case_id = get(&mut client, &report_id).await.unwrap().case_id;
            assert_eq!(case_id.is_empty(), after.is_none());
        }
    }
}

async fn force(world: &World, report_id: &str, standing: Standing) {
    let done: Result<(), Error> = tx!(world.db, "test_force", |tx| {
        let mut stored = store::lock(tx, report_id).await?.unwrap();
        store::put(tx, &mut stored, standing, START).await?;
        Ok(())
    });
    done.unwrap();
}

async fn standing(world: &World, report_id: &str) -> Standing {
    store::get(&world.db, report_id).await.unwrap().unwrap().standing().unwrap()
}

#[tokio::test]
async fn what_is_told_twice_changes_nothing_the_second_time() {
    for world in each().await {
        let mut client = world.person("p1");
        let report_id = file(&mut client, "v1").await.report_id;
        let told = [opened(&report_id, "case_1"), decide("case_1", true), overturn("case_1")];
        world.review(&told).await;
        let (report, events) = (get(&mut client, &report_id).await, world.events().await.len());
        world.review(&told).await;
        world.review(&[added("rep_of_nobody", "case_1"), decide("case_of_nobody", true)]).await;
        assert_eq!(get(&mut client, &report_id).await.unwrap(), report.unwrap());
        assert_eq!(world.events().await.len(), events);
    }
}

/// A flood of reports of one video, its case decided and the decision overturned.
#[tokio::test]
async fn a_flood_is_taken_resolved_and_corrected_in_full() {
    const FLOOD: usize = 5_000;
    for world in each().await {
        let client = world.person("p1");
        let watch = kit::clock::Stopwatch::start();
        let mut ids = Vec::with_capacity(FLOOD);
        for _ in 0..FLOOD / 250 {
            let filing = (0..250).map(|_| {
                let mut client = client.clone();
                async move { file(&mut client, "v1").await.report_id }
            });
            ids.extend(join_all(filing).await);
        }
        let filed = watch.elapsed();
        let mut told: Vec<_> = ids.iter().map(|id| added(id, "case_1")).collect();
        told[0] = opened(&ids[0], "case_1");
        for batch in told.chunks(BATCH) {
            world.review(batch).await;
        }
        let taken = watch.elapsed();
        world.review(&[decide("case_1", true)]).await;
        let resolved = watch.elapsed();
        world.review(&[overturn("case_1")]).await;
        let kind = if world.db.is_postgres() { "PostgreSQL" } else { "SQLite" };
        println!(
            "{kind}: {FLOOD} filed {filed:?}, taken up {:?}, resolved {:?}, corrected {:?}",
            taken - filed,
            resolved - taken,
            watch.elapsed() - resolved
        );
        let events = world.events().await;
        let count = |kind: &str| events.iter().filter(|event| event.kind == kind).count();
        assert_eq!(count("report_filed"), FLOOD);
        assert_eq!(count("report_in_review"), FLOOD);
        assert_eq!(count("report_resolved"), 2 * FLOOD);
        for report_id in [&ids[0], &ids[FLOOD / 2], &ids[FLOOD - 1]] {
            let report = get(&mut client.clone(), report_id).await.unwrap();
            assert_eq!(report.outcome(), Outcome::NoViolation);
            assert!(report.outcome_corrected);
        }
    }
}
