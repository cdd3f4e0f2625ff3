//! The policy service through its whole stack over a socket, on each database that there is.

#![expect(clippy::unwrap_used, reason = "what a helper cannot do fails its test")]

mod activating;
mod publishing;
mod reading;
mod refusing;
#[path = "../tiny/mod.rs"]
mod tiny;
mod world;

#[tokio::test]
async fn every_statement_is_understood_by_each_database() {
    for db in testkit::db::each(&policy::MIGRATIONS).await {
        for sql in policy::store::ALL {
            db.prepare(sql).await.unwrap_or_else(|error| panic!("{error}: {}", sql.postgres()));
        }
    }
}
