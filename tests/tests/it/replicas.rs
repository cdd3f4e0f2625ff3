//! Two replicas of every service on one PostgreSQL: each event takes effect once, no case is held
//! or decided twice, and both replicas answer the same.

use crate::support::story::Story;
use crate::support::{Place, options, start};
use contracts::review::v1::decide_case_request::Verdict;
use contracts::review::v1::{Overturned, Upheld};
use futures_util::future::join_all;
use recourse::caller::reason;

/// How many reports go the whole way at once.
const STORIES: usize = 24;

/// One report's whole way; every other one is overturned. Steps alternate between the replicas.
async fn walk(number: usize, replicas: &[Story; 2]) {
    let (here, there) = (&replicas[number % 2], &replicas[(number + 1) % 2]);
    let account = format!("creator_{}", number % 3);
    let subject = Story::comment(&format!("comment_{number}"), &account);
    let report_id = here.file("viewer", &subject).await;
    let case_id = there.case_of(&report_id).await;
    // Both replicas are asked for the case at once: one reviewer gets it.
    let (first, second) = tokio::join!(here.claim("ana", &case_id), there.claim("cleo", &case_id));
    let (reviewer, case) = match (first, second) {
        (Ok(case), Err(refused)) => {
            assert_eq!(reason(&refused), "CASE_LEASED");
            ("ana", case)
        }
        (Err(refused), Ok(case)) => {
            assert_eq!(reason(&refused), "CASE_LEASED");
            ("cleo", case)
        }
        (first, second) => panic!("one reviewer should hold it: {first:?}, {second:?}"),
    };
    let decided = there.decide(reviewer, &case, Story::violation()).await.expect("a decision");
    let decision_id = decided.decision.expect("a decision").decision_id;
    here.board.wait(|known| known.stated.contains(&decision_id).then_some(())).await;
    let appeal_id = there.appeal(&account, &decision_id).await.expect("an appeal");
    let hearing = here.hearing_of(&appeal_id).await;
    let case = there.claim("ben", &hearing).await.expect("a claim");
    let reasons = "Heard.".to_owned();
    let verdict = match number % 2 {
        0 => Verdict::Upheld(Upheld { reasons }),
        _ => Verdict::Overturned(Overturned { reasons, violation: None }),
    };
    here.decide("ben", &case, verdict).await.expect("a decision");
    there.board.wait(|known| known.appeal_decided.get(&appeal_id).copied()).await;
    if number % 2 == 1 {
        here.board.wait(|known| known.voided.contains(&decision_id).then_some(())).await;
        here.board.wait(|known| known.corrected.contains(&report_id).then_some(())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_do_everything_once() {
    let Some(database) = testkit::database::fresh() else { return };
    let place = Place::Postgres(database);
    let (one, two) = (start(options(&place)).await, start(options(&place)).await);
    let replicas = [Story::on(&one.url()), Story::on(&two.url())];
    // A reviewer may hold 25 cases.
    join_all((0..STORIES).map(|number| walk(number, &replicas))).await;
    let expected: Vec<i64> = (0..3)
        .map(|account| (0..STORIES).filter(|n| n % 3 == account && n % 2 == 0).count() as i64)
        .collect();
    for story in &replicas {
        for (account, expected) in expected.iter().enumerate() {
            let standing = story.standing(&format!("creator_{account}")).await;
            assert_eq!(standing.active_violation_count, *expected, "creator_{account}");
        }
    }
    one.stop().await.expect("a good end");
    two.stop().await.expect("a good end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_stops_hands_its_work_over() {
    let Some(database) = testkit::database::fresh() else { return };
    let place = Place::Postgres(database);
    let (one, two) = (start(options(&place)).await, start(options(&place)).await);
    let story = Story::on(&two.url());
    story.violation_of(&Story::comment("before", "creator"), "ana").await;
    one.stop().await.expect("a good end");
    story.violation_of(&Story::comment("after", "creator"), "ana").await;
    assert_eq!(story.standing("creator").await.active_violation_count, 2);
    two.stop().await.expect("a good end");
}
