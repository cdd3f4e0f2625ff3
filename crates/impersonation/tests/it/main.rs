//! The impersonation service through its RPCs, on each database that there is.

#![expect(clippy::unwrap_used, reason = "what a helper cannot do fails its test")]

mod bad_input;
mod campaigning;
mod checking;
mod claiming;
mod deciding;
mod enrolling;
mod exempting;
mod faults;
mod observing;
mod population;
mod replicas;
mod shards;
mod world;

#[tokio::test]
async fn every_statement_is_understood_by_each_database() {
    for db in testkit::db::each(&impersonation::MIGRATIONS).await {
        for sql in impersonation::store::statements() {
            db.prepare(sql).await.unwrap_or_else(|error| panic!("{error}: {}", sql.postgres()));
        }
    }
}
