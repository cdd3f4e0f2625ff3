//! FileReport through the reports service over its socket, against a bare insert of the same rows
//! (report, event, answer kept for the request id) in a transaction of its own, by as many callers
//! on the same database.

use bytes::Bytes;
use contracts::reports::v1 as proto;
use contracts::reports::v1::reports_service_client::ReportsServiceClient;
use contracts::types::v1::{Subject, SubjectType};
use kit::{Clock, Ids};
use recourse::caller::{Credentials, Suite, persist};
use recourse::cli::Service;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgPool, SqlitePool};

use super::load::{self, Place, Rate};

/// How many callers.
const CALLERS: [usize; 4] = [1, 16, 64, 256];
/// How many connections the callers of the suite share.
const CONNECTIONS: usize = 4;
/// How many connections the bare inserts have on PostgreSQL.
const POOL: u32 = 16;

const REPORT: &str = "INSERT INTO reports (report_id, reporter, subject_type, subject_id, \
    owner_account_id, reason, source, pack_version, notice, create_time, state, outcome, \
    outcome_corrected, case_id, update_time) \
    VALUES ($1, $2, 3, $3, $4, 'hate_speech.other', 1, 1, $5, $6, 1, 0, FALSE, '', $6)";
const EVENT: &str = "INSERT INTO bare_events (event_id, key, kind, time, payload) \
    VALUES ($1, $2, 'report_filed', $3, $4)";
const ANSWER: &str = "INSERT INTO requests (caller, request_id, fingerprint, response, time) \
    VALUES ($1, $2, $3, $4, $5)";

/// A pool on the service's own schema.
#[derive(Clone)]
enum Pool {
    Postgres(PgPool),
    Sqlite(SqlitePool),
}

/// Measures and prints.
pub async fn measure() {
    for place in Place::each() {
        println!("\nFileReport on {}, against a bare insert a transaction", place.kind());
        for callers in CALLERS {
            let suite = load::suite(&place, &[Service::Policy, Service::Reports]).await;
            let ours = through_the_suite(&suite.url(), callers).await;
            suite.stop().await.expect("a good end");
            let bare = bare(&place, callers).await;
            let ratio = ours.per_second / bare.per_second;
            println!("{callers:>4} callers  suite  {ours}");
            println!("              bare   {bare}");
            println!("              ratio  {ratio:.2}");
        }
    }
}

fn subject(ids: &Ids) -> Subject {
    Subject {
        r#type: SubjectType::Comment as i32,
        id: ids.new_uuid(),
        owner_account_id: "creator".to_owned(),
    }
}

async fn through_the_suite(url: &str, callers: usize) -> Rate {
    let connections: Vec<Suite> = (0..CONNECTIONS.min(callers))
        .map(|_| Suite::at(url, Credentials::Open).expect("an address"))
        .collect();
    load::run(callers, |number| {
        let suite = connections[number % connections.len()].clone();
        let (client, ids) = (ReportsServiceClient::new(suite.channel()), Ids::system());
        let who = format!("viewer_{number}");
        move || {
            let request = proto::FileReportRequest {
                request_id: ids.new_uuid(),
                subject: Some(subject(&ids)),
                reason: "hate_speech.other".to_owned(),
                ..proto::FileReportRequest::default()
            };
            let (client, suite, who) = (client.clone(), suite.clone(), who.clone());
            async move {
                persist(|| {
                    let mut client = client.clone();
                    let request = suite.request(&who, request.clone());
                    async move { client.file_report(request).await }
                })
                .await
                .expect("a receipt");
            }
        }
    })
    .await
}

async fn bare(place: &Place, callers: usize) -> Rate {
    let pool = open(place).await;
    load::run(callers, |number| {
        let (pool, ids, clock) = (pool.clone(), Ids::system(), Clock::system());
        let who = format!("viewer_{number}");
        // As large as what the suite stores.
        let bytes = Bytes::from(vec![7; 160]);
        move || {
            let now = clock.now();
            let row = Row {
                report_id: ids.new_id("rep", now),
                event_id: ids.new_id("evt", now),
                request_id: ids.new_uuid(),
                subject_id: ids.new_uuid(),
                reporter: who.clone(),
                bytes: bytes.clone(),
                time: now.micros(),
            };
            let pool = pool.clone();
            async move { insert(&pool, &row).await.expect("an insert") }
        }
    })
    .await
}

struct Row {
    report_id: String,
    event_id: String,
    request_id: String,
    subject_id: String,
    reporter: String,
    bytes: Bytes,
    time: i64,
}

/// The same statements on either driver.
macro_rules! insert {
    ($pool:expr, $begin:literal, $row:expr) => {{
        let mut tx = $pool.begin_with($begin).await?;
        sqlx::query(REPORT)
            .bind(&$row.report_id)
            .bind(&$row.reporter)
            .bind(&$row.subject_id)
            .bind("creator")
            .bind(&$row.bytes[..])
            .bind($row.time)
            .execute(&mut *tx)
            .await?;
        sqlx::query(EVENT)
            .bind(&$row.event_id)
            .bind(&$row.subject_id)
            .bind($row.time)
            .bind(&$row.bytes[..])
            .execute(&mut *tx)
            .await?;
        sqlx::query(ANSWER)
            .bind(&$row.reporter)
            .bind(&$row.request_id)
            .bind(&$row.bytes[..32])
            .bind(&$row.bytes[..60])
            .bind($row.time)
            .execute(&mut *tx)
            .await?;
        tx.commit().await
    }};
}

#[expect(clippy::disallowed_methods, reason = "the floor is sqlx without our own transactions")]
async fn insert(pool: &Pool, row: &Row) -> Result<(), sqlx::Error> {
    match pool {
        Pool::Postgres(pool) => insert!(pool, "BEGIN", row),
        Pool::Sqlite(pool) => insert!(pool, "BEGIN IMMEDIATE", row),
    }
}

/// A plain pool on the reports service's schema, with a table of events whose numbers cost nothing.
async fn open(place: &Place) -> Pool {
    match place {
        Place::Postgres(database) => {
            let pool = PgPoolOptions::new().max_connections(POOL).test_before_acquire(false);
            let options: sqlx::postgres::PgConnectOptions = database.url().parse().expect("a URL");
            let options = options.options([("search_path", "reports")]);
            let pool = pool.connect_with(options).await.expect("a pool");
            sqlx::query(
                "CREATE TABLE IF NOT EXISTS bare_events (seq BIGSERIAL PRIMARY KEY, \
                 event_id TEXT, key TEXT, kind TEXT, time BIGINT, payload BYTEA)",
            )
            .execute(&pool)
            .await
            .expect("a table");
            Pool::Postgres(pool)
        }
        Place::Folder(folder) => {
            let options = SqliteConnectOptions::new()
                .filename(folder.path().join("reports.sqlite"))
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full);
            let pool = SqlitePoolOptions::new()
                .max_connections(1)
                .acquire_timeout(std::time::Duration::from_secs(30))
                .test_before_acquire(false);
            let pool = pool.connect_with(options).await.expect("a pool");
            sqlx::query(
                "CREATE TABLE IF NOT EXISTS bare_events (seq INTEGER PRIMARY KEY, event_id TEXT, \
                 key TEXT, kind TEXT, time BIGINT, payload BYTEA)",
            )
            .execute(&pool)
            .await
            .expect("a table");
            Pool::Sqlite(pool)
        }
    }
}
