//! Decisions, sweeps and eligibility over both databases.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use contracts::accounthealth::v1::account_health_event::Event;
use contracts::accounthealth::v1::restriction_lifted::Cause;
use contracts::accounthealth::v1::statement::State;
use contracts::types::v1::{Feature, Severity, Tier};
use kit::Time;

use super::build::{ACCOUNT, DAY, day};
use super::stage::{START_DAY, Stage, each, overturned, reason, violation};
use crate::eligibility::Eligibility;
use crate::{MIGRATIONS, store};

fn count(events: &[Event], is_it: impl Fn(&Event) -> bool) -> usize {
    events.iter().filter(|event| is_it(event)).count()
}

#[tokio::test]
async fn every_statement_is_understood() {
    for db in testkit::db::each(&MIGRATIONS).await {
        for sql in store::all() {
            db.prepare(sql).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_batch_is_stored_once_and_read_back() {
    for (_db, stage) in each().await {
        let now = stage.clock.now();
        let batch = [
            violation("a", ACCOUNT, Severity::High, now),
            violation("b", "somebody else", Severity::Medium, now),
            overturned("v", "a", Some(Severity::Medium), now),
            violation("c", ACCOUNT, Severity::Low, now),
        ];
        stage.apply(&batch).await.unwrap();
        let events = stage.events().await;
        let stored = stage.health(None).await.unwrap();
        assert_eq!((stored.tier(), stored.active_violation_count), (Tier::Restricted, 2));
        assert_eq!((stored.ladders[0].points, stored.pack_version), (5, 1));
        assert_eq!(count(&events, |event| matches!(event, Event::StatementIssued(_))), 4);
        let first = stage.statement("a").await;
        let second = stage.statement("v").await;
        assert_eq!((first.state(), second.state()), (State::Superseded, State::Issued));
        assert_eq!(first.superseded_by_statement_id, second.statement_id);
        assert_eq!(second.supersedes_statement_id, first.statement_id);
        // What the events say is what is stored.
        let Some(Event::StatementIssued(issued)) = events.last() else { panic!("{events:?}") };
        assert_eq!(issued.statement.as_ref(), Some(&stage.statement("c").await));
        // Redelivered, as a whole and one by one.
        stage.apply(&batch).await.unwrap();
        for event in &batch {
            stage.apply(std::slice::from_ref(event)).await.unwrap();
        }
        assert_eq!(stage.events().await, events);
        assert_eq!(stage.health(None).await.unwrap(), stored);
    }
}

#[tokio::test]
async fn a_batch_with_an_event_that_cannot_be_applied_leaves_nothing() {
    for (_db, stage) in each().await {
        let now = stage.clock.now();
        let mut wrong = violation("b", ACCOUNT, Severity::Low, now);
        wrong.event = match wrong.event {
            Some(contracts::review::v1::review_event::Event::CaseDecided(mut decided)) => {
                decided.subject = None;
                Some(contracts::review::v1::review_event::Event::CaseDecided(decided))
            }
            other => other,
        };
        let batch = [violation("a", ACCOUNT, Severity::High, now), wrong];
        assert!(stage.apply(&batch).await.is_err());
        assert!(stage.events().await.is_empty());
        assert_eq!(stage.health(None).await.unwrap().tier(), Tier::Good);
    }
}

#[tokio::test]
async fn readings_as_of_then_answer_what_was_known_then() {
    for (_db, stage) in each().await {
        let mut told = vec![stage.health(None).await.unwrap()];
        for (number, days) in [3_u64, 0, 30, 70].into_iter().enumerate() {
            stage.clock.advance(Duration::from_secs(days * 86_400));
            stage.violate(&number.to_string(), Severity::Medium).await;
            told.push(stage.health(None).await.unwrap());
        }
        stage.clock.advance(Duration::from_secs(1));
        let appeal = [overturned("v", "1", None, stage.clock.now())];
        stage.apply(&appeal).await.unwrap();
        told.push(stage.health(None).await.unwrap());
        stage.clock.advance(Duration::from_secs(1));
        stage.activate(2, stage.clock.now()).await;
        told.push(stage.health(None).await.unwrap());
        stage.clock.advance(Duration::from_secs(86_400));
        for then in told {
            let at = then.as_of_time.as_ref().and_then(Time::from_timestamp).unwrap();
            assert_eq!(stage.health(Some(at)).await.unwrap(), then);
        }
        let micro_ahead = Time::from_micros(stage.clock.now().micros() + 1);
        assert_eq!(reason(stage.health(Some(micro_ahead)).await), "AS_OF_IN_FUTURE");
        assert!(stage.health(Some(stage.clock.now())).await.is_ok());
    }
}

#[tokio::test]
async fn concurrent_decisions_are_each_counted_exactly_once() {
    for (db, stage) in each().await {
        let stage = Arc::new(stage);
        let other = Arc::new(Stage::new(db.another().await, stage.clock.clone(), 2));
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..12 {
            let stage = Arc::clone(if number % 2 == 0 { &stage } else { &other });
            tasks.spawn(async move {
                // Two accounts in each batch, in either order.
                let (id, now) = (number.to_string(), stage.clock.now());
                let mut batch = vec![
                    violation(&id, ACCOUNT, Severity::Low, now),
                    violation(&format!("x{id}"), "a-second", Severity::Low, now),
                ];
                if number % 3 == 0 {
                    batch.reverse();
                }
                stage.apply(&batch).await.unwrap();
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        let standing = stage.health(None).await.unwrap();
        assert_eq!((standing.ladders[0].points, standing.active_violation_count), (11, 12));
        let mut counts = Vec::new();
        let mut restricted: BTreeMap<i32, i32> = BTreeMap::new();
        for event in stage.events().await {
            match event {
                Event::StandingChanged(changed) => {
                    let standing = changed.standing.unwrap();
                    if standing.account_id == ACCOUNT {
                        counts.push(standing.active_violation_count);
                    }
                }
                Event::RestrictionApplied(applied) if applied.account_id == ACCOUNT => {
                    *restricted.entry(applied.restriction.unwrap().feature).or_default() += 1;
                }
                Event::RestrictionLifted(lifted) if lifted.account_id == ACCOUNT => {
                    *restricted.entry(lifted.restriction.unwrap().feature).or_default() -= 1;
                }
                _ => {}
            }
        }
        // No decision was told twice, none saw a ledger without one told before it.
        assert_eq!(counts, (1..=12).collect::<Vec<i64>>());
        // What was applied and not lifted is what is in force.
        let in_force: BTreeMap<i32, i32> =
            standing.restrictions.iter().map(|one| (one.feature, 1)).collect();
        assert_eq!(restricted, in_force);
        assert_eq!(in_force.len(), 3, "live, posting and comments");
    }
}

#[tokio::test]
async fn the_passing_of_time_is_told_once_by_however_many_replicas() {
    for (db, stage) in each().await {
        stage.violate("a", Severity::Medium).await;
        let other = Stage::new(db.another().await, stage.clock.clone(), 2);
        let told = stage.events().await.len();
        assert_eq!(stage.service.sweep().once().await.unwrap(), 0);
        stage.clock.set(Time::from_micros((START_DAY + 7) * DAY - 1));
        assert_eq!(stage.service.sweep().once().await.unwrap(), 0);
        stage.clock.set(day(START_DAY + 7));
        let (here, there) = (stage.service.sweep(), other.service.sweep());
        let (one, two) = tokio::join!(here.once(), there.once());
        assert_eq!(one.unwrap() + two.unwrap(), 1);
        let events = stage.events().await.split_off(told);
        let [Event::StandingChanged(changed), Event::RestrictionLifted(lifted)] = &events[..]
        else {
            panic!("{events:?}")
        };
        assert_eq!(changed.previous_tier(), Tier::Restricted);
        assert_eq!(changed.standing.as_ref().unwrap().tier(), Tier::Caution);
        assert_eq!(lifted.cause(), Cause::Expired);
        stage.clock.set(day(START_DAY + 90));
        assert_eq!(stage.service.sweep().once().await.unwrap(), 1);
        assert_eq!(stage.service.sweep().once().await.unwrap(), 0, "nothing more will happen");
        assert_eq!(stage.health(None).await.unwrap().tier(), Tier::Good);
    }
}

#[tokio::test]
async fn another_pack_settles_every_account_with_entries() {
    for (_db, stage) in each().await {
        let now = stage.clock.now();
        // More than fit into one transaction of the sweep.
        let accounts = i64::try_from(store::accounts::SWEEP_BATCH + 5).unwrap();
        let decided = |number: i64| {
            let severity = if number == 0 { Severity::High } else { Severity::Low };
            violation(&number.to_string(), &format!("acct-{number:03}"), severity, now)
        };
        let batch: Vec<_> = (0..accounts).map(decided).collect();
        stage.apply(&batch).await.unwrap();
        let told = stage.events().await.len();
        stage.clock.advance(Duration::from_secs(60));
        stage.activate(2, stage.clock.now()).await;
        let settled = stage.service.sweep().once().await.unwrap();
        assert_eq!(i64::try_from(settled).unwrap(), accounts);
        let events = stage.events().await.split_off(told);
        // Warnings are none under pack 2: every other account has a point more.
        let changed = count(&events, |event| matches!(event, Event::StandingChanged(_)));
        assert_eq!(i64::try_from(changed).unwrap(), accounts);
        let causes: Vec<Cause> = events
            .iter()
            .filter_map(|event| match event {
                Event::RestrictionLifted(lifted) => Some(lifted.cause()),
                _ => None,
            })
            .collect();
        // 9 points: LIVE by the first step now, POSTING by none.
        assert_eq!(causes.len(), 2);
        assert!(causes.contains(&Cause::PolicyChanged) && causes.contains(&Cause::Replaced));
        assert_eq!(stage.service.sweep().once().await.unwrap(), 0);
    }
}

/// Waits on the level, within the test's own patience.
async fn until(what: &str, mut is_it: impl FnMut() -> bool) {
    for _ in 0..1_000 {
        if is_it() {
            return;
        }
        kit::clock::sleep(Duration::from_millis(5)).await;
    }
    panic!("never {what}");
}

#[tokio::test]
async fn eligibility_is_loaded_and_kept_current_on_every_replica() {
    for (db, stage) in each().await {
        stage.violate("a", Severity::High).await;
        let (here, there) = (stage.db.clone(), db.another().await);
        let replicas = [Arc::new(Eligibility::default()), Arc::new(Eligibility::default())];
        let now = stage.clock.now();
        let against = |replica: &Eligibility, account: &str, feature| {
            replica.against(account, feature, now).map(|found| found.len())
        };
        let error = against(&replicas[0], ACCOUNT, Feature::Live).unwrap_err();
        assert_eq!(error.reason(), "NOT_READY");
        let mut tasks = tokio::task::JoinSet::new();
        for (replica, db) in replicas.iter().zip([here, there]) {
            let (replica, db) = (Arc::clone(replica), db.clone());
            tasks.spawn(async move { replica.follow(&db).await });
        }
        for replica in &replicas {
            until("loaded", || replica.is_ready()).await;
            assert_eq!(against(replica, ACCOUNT, Feature::Live).unwrap(), 1);
            assert_eq!(against(replica, ACCOUNT, Feature::Messaging).unwrap(), 0);
            assert_eq!(against(replica, "unknown", Feature::Live).unwrap(), 0);
            let end = day(START_DAY + 14);
            assert!(replica.against(ACCOUNT, Feature::Live, end).unwrap().is_empty());
            let before = Time::from_micros(end.micros() - 1);
            assert_eq!(replica.against(ACCOUNT, Feature::Live, before).unwrap().len(), 1);
        }
        // Nine, then four more than three: the whole account.
        stage.violate("b", Severity::Medium).await;
        for replica in &replicas {
            until("restricted as a whole", || {
                against(replica, ACCOUNT, Feature::Messaging).unwrap() == 1
            })
            .await;
        }
        let appeals = [overturned("v", "a", None, now), overturned("w", "b", None, now)];
        stage.apply(&appeals).await.unwrap();
        for replica in &replicas {
            until("free", || replica.is_empty()).await;
        }
    }
}
