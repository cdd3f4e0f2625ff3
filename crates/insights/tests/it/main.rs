//! The insights service through its RPCs, on each database that there is.

#![expect(clippy::unwrap_used, reason = "what a helper cannot do fails its test")]

mod asking;
mod counting;
mod world;

#[tokio::test]
async fn every_statement_is_understood_by_each_database() {
    for db in testkit::db::each(&insights::MIGRATIONS).await {
        for sql in insights::store::ALL {
            db.prepare(sql).await.unwrap_or_else(|error| panic!("{error}: {}", sql.postgres()));
        }
    }
}
