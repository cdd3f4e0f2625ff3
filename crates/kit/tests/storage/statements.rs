//! Every statement on both databases, and every kind of value through both drivers.

use kit::args;
use kit::db::{DbError, Hex, Sql, json};

use crate::MIGRATIONS;

#[tokio::test]
async fn every_statement_of_the_kit_is_prepared() {
    for db in testkit::db::each(&MIGRATIONS).await {
        let all = kit::db::STATEMENTS
            .into_iter()
            .chain(kit::events::STATEMENTS)
            .chain(kit::idempotency::STATEMENTS)
            .chain(kit::follow::STATEMENTS);
        for sql in all {
            if let Err(error) = db.prepare(sql).await {
                panic!("{:?}: {error:?}: {}", db.config(), sql.postgres());
            }
        }
    }
}

#[tokio::test]
async fn a_wrong_statement_is_found_by_preparing_it() {
    static WRONG: Sql = Sql::new("SELECT colour FROM things");
    for db in testkit::db::each(&MIGRATIONS).await {
        assert!(db.prepare(&WRONG).await.is_err());
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Thing {
    id: String,
    amount: i64,
    flag: Option<bool>,
    ratio: Option<f64>,
    data: Option<Vec<u8>>,
    extra: Option<sqlx::types::Json<Vec<i64>>>,
    owner: Option<String>,
}

kit::record!(Thing: id, amount, flag, ratio, data, extra, owner);

fn things() -> Vec<Thing> {
    vec![
        Thing {
            id: "full".to_owned(),
            amount: i64::MAX,
            flag: Some(true),
            ratio: Some(1.0),
            data: Some(vec![0, 1, 254, 255]),
            extra: Some(sqlx::types::Json(vec![1, -2])),
            owner: Some("ümläut \"quoted\" \\ 'n' \n line".to_owned()),
        },
        Thing {
            id: "none".to_owned(),
            amount: 0,
            flag: None,
            ratio: None,
            data: None,
            extra: None,
            owner: None,
        },
        Thing {
            id: "some".to_owned(),
            amount: 1,
            flag: Some(false),
            ratio: Some(-0.125),
            data: Some(vec![]),
            extra: Some(sqlx::types::Json(vec![])),
            owner: Some(String::new()),
        },
    ]
}

static ALL: Sql =
    Sql::new("SELECT id, amount, flag, ratio, data, extra, owner FROM things ORDER BY id");

#[tokio::test]
async fn every_kind_of_value_goes_in_and_out_one_by_one() {
    static INSERT: Sql = Sql::new(
        "INSERT INTO things (id, amount, flag, ratio, data, extra, owner)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    );
    for db in testkit::db::each(&MIGRATIONS).await {
        kit::tx!(*db, "put_things", |tx| -> Result<(), DbError> {
            for thing in things() {
                let extra = thing.extra.map_or(kit::db::Arg::Json(None), |extra| json(&extra.0));
                let args = args![
                    thing.id,
                    thing.amount,
                    thing.flag,
                    thing.ratio,
                    thing.data,
                    extra,
                    thing.owner
                ];
                assert_eq!(tx.execute(&INSERT, args).await?, 1);
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(db.read().fetch_all::<Thing>(&ALL, args![]).await.unwrap(), things());
    }
}

#[derive(serde::Serialize)]
struct Row<'a> {
    id: &'a str,
    amount: i64,
    flag: Option<bool>,
    ratio: Option<f64>,
    data: Option<Hex<'a>>,
    extra: Option<&'a Vec<i64>>,
    owner: Option<&'a str>,
}

#[tokio::test]
async fn every_kind_of_value_goes_in_as_a_batch_and_a_conflict_updates() {
    static UPSERT: Sql = Sql::new(
        "INSERT INTO things (id, amount, flag, ratio, data, extra, owner)
         SELECT id, amount, flag, ratio, data, extra, owner
           FROM jsonb_to_recordset($1) AS n(id text, amount bigint, flag boolean,
                ratio double precision, data bytea, extra jsonb, owner text)
          WHERE true
         ON CONFLICT (id) DO UPDATE SET owner = excluded.owner
         RETURNING id",
    );
    for db in testkit::db::each(&MIGRATIONS).await {
        for owner in [None, Some("second time")] {
            let things: Vec<Thing> = things()
                .into_iter()
                .map(|thing| Thing { owner: owner.map(str::to_owned).or(thing.owner), ..thing })
                .collect();
            let rows: Vec<Row<'_>> = things
                .iter()
                .map(|thing| Row {
                    id: &thing.id,
                    amount: thing.amount,
                    flag: thing.flag,
                    ratio: thing.ratio,
                    data: thing.data.as_deref().map(Hex),
                    extra: thing.extra.as_ref().map(|extra| &extra.0),
                    owner: thing.owner.as_deref(),
                })
                .collect();
            let ids = kit::tx!(*db, "upsert_things", |tx| -> Result<Vec<(String,)>, DbError> {
                tx.fetch_all(&UPSERT, args![json(&rows)]).await
            })
            .unwrap();
            assert_eq!(ids.len(), 3);
            assert_eq!(db.read().fetch_all::<Thing>(&ALL, args![]).await.unwrap(), things);
        }
    }
}

#[tokio::test]
async fn greatest_and_least_mean_the_same() {
    static BOTH: Sql = Sql::new(
        "SELECT greatest(CAST($1 AS BIGINT), CAST($2 AS BIGINT)),
                least(CAST($1 AS BIGINT), CAST($2 AS BIGINT))",
    );
    for db in testkit::db::each(&MIGRATIONS).await {
        let row: (i64, i64) = db.read().fetch_one(&BOTH, args![3, 5]).await.unwrap();
        assert_eq!(row, (5, 3));
    }
}

#[tokio::test]
async fn reads_outside_transactions_cannot_write_on_sqlite() {
    static DELETE: Sql = Sql::new("DELETE FROM things RETURNING id");
    let db = testkit::db::sqlite(&MIGRATIONS).await;
    assert!(db.read().fetch_all::<(String,)>(&DELETE, args![]).await.is_err());
}
