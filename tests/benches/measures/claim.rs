//! ClaimNextCase with 10 thousand, 100 thousand and a million open cases: what a claim costs must
//! not grow with the queue.

use contracts::review::v1 as proto;
use contracts::review::v1::review_service_client::ReviewServiceClient;
use kit::clock::Stopwatch;
use kit::db::{Db, DbConfig, Sql, json};
use kit::{Ids, Time, args, tx};
use recourse::caller::{Credentials, Suite, persist};
use recourse::cli::Service;
use serde::Serialize;

use super::load::{self, Place};

/// How many open cases.
const OPEN: [usize; 3] = [10_000, 100_000, 1_000_000];
/// How many cases are put in at once.
const BATCH: usize = 5_000;
/// How many claims are measured at each size.
const CLAIMS: usize = 400;
/// Reviewers who take turns: one reviewer may hold only so many cases.
const REVIEWERS: usize = 40;

/// Puts cases into review's schema as they lie there when their reports have been followed.
static SEED: Sql = Sql::new(
    "INSERT INTO cases (case_id, kind, state, subject_type, subject_id, owner_account_id, area,
        queue, escalated, severity, source, report_count, first_reason, language,
        suggested_policies, due_time, rank_time, lease_reviewer_id, lease_until, fencing_token,
        version, decision_id, appeal_id, appealed_decision_id, appealed_case_id, appeal_grounds,
        excluded_reviewer_id, create_time, update_time)
     SELECT n.case_id, 1, 1, 3, n.case_id, 'creator', 'hate_speech', 'general', FALSE, 2, 1, 1,
        'hate_speech.other', '', 'hate_speech', n.rank_time, n.rank_time, '', 0, 0, 1, '', '', '',
        '', '', '', n.rank_time, n.rank_time
       FROM jsonb_to_recordset($1) AS n(case_id text, rank_time bigint)",
);

#[derive(Serialize)]
struct Seed {
    case_id: String,
    rank_time: i64,
}

/// Measures and prints.
pub async fn measure() {
    for place in Place::each() {
        println!("\nClaimNextCase on {}, one caller", place.kind());
        let suite = load::suite(&place, &[Service::Policy, Service::Review]).await;
        let caller = Suite::at(&suite.url(), Credentials::Open).expect("an address");
        let config = DbConfig::at(&place.name(), "review");
        let db = Db::open(&config).await.expect("review's database");
        let (mut seeded, mut first) = (0, None);
        for open in OPEN {
            seed(&db, seeded, open).await;
            seeded = open;
            // The first claims after seeding find nothing in the caches.
            claims(&caller, CLAIMS / 4).await;
            let p50_us = claims(&caller, CLAIMS).await;
            let ratio = p50_us / *first.get_or_insert(p50_us);
            println!("  {open:>9} open  p50 {p50_us:>7.0} us  ratio to the smallest {ratio:.2}");
        }
        suite.stop().await.expect("a good end");
    }
}

async fn seed(db: &Db, from: usize, to: usize) {
    let (ids, start) = (Ids::system(), Time::from_micros(1_700_000_000_000_000));
    for batch in (from..to).step_by(BATCH) {
        let rows: Vec<Seed> = (batch..(batch + BATCH).min(to))
            .map(|number| Seed {
                case_id: ids.new_id("case", start),
                // In no order of their identifiers, as ranks are.
                rank_time: start.micros() + (number as i64).wrapping_mul(7_919) % 1_000_003,
            })
            .collect();
        let seeded = tx!(db, "seed", |tx| -> Result<u64, kit::db::DbError> {
            tx.execute(&SEED, args![json(&rows)]).await
        });
        seeded.expect("cases");
    }
}

/// Claims one after another; the median in microseconds.
async fn claims(suite: &Suite, count: usize) -> f64 {
    let (client, ids) = (ReviewServiceClient::new(suite.channel()), Ids::system());
    let mut durations_us = Vec::with_capacity(count);
    for number in 0..count {
        let reviewer = format!("reviewer_{}", number % REVIEWERS);
        let request = proto::ClaimNextCaseRequest {
            request_id: ids.new_uuid(),
            queues: vec!["general".to_owned()],
            lease_seconds: 60,
        };
        let since = Stopwatch::start();
        let claimed = persist(|| {
            let mut client = client.clone();
            let request = suite.request(&reviewer, request.clone());
            async move { client.claim_next_case(request).await }
        });
        let case = claimed.await.expect("a case").case.expect("a case");
        durations_us.push(since.elapsed().as_secs_f64() * 1e6);
        let request = proto::ReleaseCaseRequest {
            request_id: ids.new_uuid(),
            case_id: case.case_id,
            fencing_token: case.lease.expect("a lease").fencing_token,
        };
        let released = persist(|| {
            let mut client = client.clone();
            let request = suite.request(&reviewer, request.clone());
            async move { client.release_case(request).await }
        });
        released.await.expect("a release");
    }
    durations_us.sort_by(f64::total_cmp);
    durations_us[durations_us.len() / 2]
}
