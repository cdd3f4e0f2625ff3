//! Migrations, and the refusal of schemas that the program does not know.

use kit::db::{Db, Migrations};

use crate::MIGRATIONS;

static EMPTY: Migrations = Migrations::new(&[]);
static CHANGED: Migrations =
    Migrations::new(&[("0001_things", "CREATE TABLE things (id TEXT NOT NULL PRIMARY KEY);")]);
static GAP: Migrations = Migrations::new(&[("0002_late", "SELECT 1;")]);
static BROKEN: Migrations =
    Migrations::new(&[("0001_broken", "CREATE TABLE half (id TEXT); CREATE NONSENSE;")]);

#[tokio::test]
async fn migrating_again_changes_nothing_and_many_may_do_it_at_once() {
    for db in testkit::db::each(&MIGRATIONS).await {
        let others = [db.another().await, db.another().await];
        let (a, b, c) = tokio::join!(
            db.migrate(&MIGRATIONS),
            others[0].migrate(&MIGRATIONS),
            others[1].migrate(&MIGRATIONS)
        );
        a.and(b).and(c).unwrap();
        db.check_schema(&MIGRATIONS).await.unwrap();
    }
}

#[tokio::test]
async fn another_schema_than_the_programs_is_refused_in_words() {
    for db in testkit::db::each(&EMPTY).await {
        let error = db.check_schema(&MIGRATIONS).await.unwrap_err().to_string();
        assert!(error.contains("lacks migration 0001 (things): run `recourse migrate`"), "{error}");
        db.migrate(&MIGRATIONS).await.unwrap();
        let error = db.check_schema(&EMPTY).await.unwrap_err().to_string();
        assert!(error.contains("0001, which this program does not know"), "{error}");
        let error = db.check_schema(&CHANGED).await.unwrap_err().to_string();
        assert!(error.contains("changed after it was applied"), "{error}");
        let error = db.migrate(&CHANGED).await.unwrap_err().to_string();
        assert!(error.contains("migration 1"), "{error}");
        let error = db.migrate(&GAP).await.unwrap_err().to_string();
        assert!(error.contains("should be number 0001"), "{error}");
        db.migrate(&MIGRATIONS).await.unwrap();
    }
}

#[tokio::test]
async fn a_schema_that_was_never_migrated_is_refused_in_words() {
    let directory = tempfile::tempdir().unwrap();
    let config = kit::db::DbConfig::at(&directory.path().to_string_lossy(), "new");
    let db = Db::open(&config).await.unwrap();
    let error = db.check_schema(&MIGRATIONS).await.unwrap_err().to_string();
    assert!(error.contains("was never migrated: run `recourse migrate` first"), "{error}");
}

#[tokio::test]
async fn a_broken_migration_is_undone_and_does_not_keep_the_lock() {
    for db in testkit::db::each(&EMPTY).await {
        db.migrate(&BROKEN).await.unwrap_err();
        db.another().await.migrate(&MIGRATIONS).await.unwrap();
    }
}

#[test]
fn a_forgotten_file_is_found() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["0001_things.sql", "0002_more.sql"] {
        std::fs::write(directory.path().join(name), "").unwrap();
    }
    assert!(MIGRATIONS.are_in(directory.path()));
    assert_eq!(MIGRATIONS.unlisted(directory.path()).unwrap(), ["0002_more.sql"]);
}

#[test]
fn the_url_is_not_shown() {
    let config = kit::db::DbConfig::at("postgres://u:secret@h/d", "account-health");
    assert_eq!(format!("{config:?}"), "PostgreSQL, schema account_health");
}
