//! The appeals service through its RPCs, on each database that there is, beside an
//! account-health service that says what the test wants.

#![expect(clippy::unwrap_used, reason = "what a helper cannot do fails its test")]

mod account_health;
mod claiming;
mod filing;
mod following;
mod impersonation;
mod reading;
mod socket;
mod stack;
mod withdrawing;
mod world;

#[tokio::test]
async fn every_statement_is_understood_by_each_database() {
    for db in testkit::db::each(&appeals::MIGRATIONS).await {
        for sql in appeals::store::ALL {
            db.prepare(sql).await.unwrap_or_else(|error| panic!("{error}: {}", sql.postgres()));
        }
    }
}
