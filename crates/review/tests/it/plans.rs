//! Statements: every one is prepared on both databases, and the hot ones walk their index.

use kit::args;
use kit::db::{Arg, Sql, json};
use review::store;

use crate::world::World;

/// Cases in the database when plans are looked at: enough that a scan is the dearer way.
const CASES: i64 = 50_000;

static FILL: Sql = Sql::new(
    "WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $1)
     INSERT INTO cases (case_id, kind, state, subject_type, subject_id, owner_account_id, area,
            queue, escalated, severity, source, report_count, first_reason, language,
            suggested_policies, due_time, rank_time, lease_reviewer_id, lease_until,
            fencing_token, version, decision_id, appeal_id, appealed_decision_id,
            appealed_case_id, appeal_grounds, excluded_reviewer_id, create_time, update_time)
     SELECT 'case_' || i, 1, 1, 2, 'vid_' || i, 'acc_' || i, 'spam',
            CASE WHEN i % 9 = 0 THEN 'general' ELSE 'senior' END, false, 1, 1, 1,
            'spam.link', 'en', 'spam_links', i, i, '', 0, 0, 1, '', '', '', '', '', '', i, i
       FROM n",
);
/// As a statement is planned once it has run a few times: without a look at its parameters.
static GENERIC: Sql = Sql::new("SET LOCAL plan_cache_mode = force_generic_plan");
static FORGET: Sql = Sql::new("DEALLOCATE explained");
static ANALYZE: Sql = Sql::new("ANALYZE cases");

#[tokio::test]
async fn every_statement_is_understood_by_both_databases() {
    for world in World::each().await {
        for sql in store::statements() {
            world.db.prepare(sql).await.unwrap_or_else(|error| {
                panic!("{}: {:?}", sql.postgres(), std::error::Error::source(&error))
            });
        }
    }
}

/// The statement that contains all of these words.
fn statement(words: &[&str]) -> &'static Sql {
    let all = store::statements();
    let mut found = all.iter().filter(|sql| words.iter().all(|word| sql.postgres().contains(word)));
    let first = found.next().unwrap_or_else(|| panic!("no statement with {words:?}"));
    assert!(found.next().is_none(), "several statements with {words:?}");
    first
}

async fn plan(world: &World, sql: &'static Sql, args: Vec<Arg>) -> String {
    if world.db.is_postgres() {
        let prepare = once(format!("PREPARE explained AS {}", sql.postgres()));
        let literals: Vec<String> = args.iter().map(literal).collect();
        let explain = once(format!("EXPLAIN EXECUTE explained({})", literals.join(", ")));
        let rows = kit::tx!(world.db, "test_explain", |tx| -> Result<Vec<(String,)>, kit::Error> {
            tx.execute(&GENERIC, args![]).await?;
            tx.execute(prepare, args![]).await?;
            let rows = tx.fetch_all(explain, args![]).await?;
            tx.execute(&FORGET, args![]).await?;
            Ok(rows)
        });
        rows.unwrap().into_iter().map(|(line,)| line + "\n").collect()
    } else {
        let explain = once(format!("EXPLAIN QUERY PLAN {}", sql.postgres()));
        let rows: Vec<(i64, i64, i64, String)> =
            world.db.read().fetch_all(explain, args).await.unwrap();
        rows.into_iter().map(|(_, _, _, line)| line + "\n").collect()
    }
}

/// A statement made by a test; a handful in its lifetime.
fn once(text: String) -> &'static Sql {
    Box::leak(Box::new(Sql::new(Box::leak(text.into_boxed_str()))))
}

fn literal(arg: &Arg) -> String {
    match arg {
        Arg::Text(Some(text)) | Arg::Json(Some(text)) => format!("'{text}'"),
        Arg::Int(Some(number)) => number.to_string(),
        other => panic!("no literal of {other:?} is needed"),
    }
}

#[tokio::test]
async fn claims_lists_and_batches_walk_an_index() {
    for world in World::each().await {
        kit::tx!(world.db, "test_analyze", |tx| -> Result<u64, kit::Error> {
            tx.execute(&FILL, args![CASES]).await?;
            Ok(tx.execute(&ANALYZE, args![]).await?)
        })
        .unwrap();
        #[derive(serde::Serialize)]
        struct Key {
            queue: &'static str,
            id: &'static str,
            subject_type: i64,
            subject_id: &'static str,
            area: &'static str,
        }
        let keys = || {
            let (queue, id) = ("general", "case_1");
            json(&[Key { queue, id, subject_type: 2, subject_id: "vid_1", area: "spam" }])
        };
        let now = 1_i64;
        for (words, args, index) in [
            (
                &["c.rank_time, c.case_id LIMIT 1 FOR UPDATE"][..],
                args!["general", "rvw_1"],
                "cases_free",
            ),
            (&["AS first_end"], args![keys(), "rvw_1", now], "cases_free"),
            (&["AS first_end"], args![keys(), "rvw_1", now], "cases_held"),
            (&["LIMIT 100 FOR UPDATE", "lease_until <= $1"], args![now], "cases_held"),
            (&["queue > $1"], args!["general"], "cases_by_queue"),
            (&["k.subject_type"], args![keys()], "cases_one_open"),
            (&["k(id text) CROSS JOIN cases AS c", "c.case_id = k.id"], args![keys()], "case_id"),
            (&["c.appeal_id = k.id"], args![keys()], "cases_one_per_appeal"),
            (
                &["c.subject_id = $1"],
                args!["vid_1", 2_i64, "", 0_i64, 0_i64, "", "", 10_i64],
                "cases_by_subject",
            ),
            (
                &["WHERE queue = $1 AND state = $2"],
                args!["general", 1_i64, 1_i64, "", 10_i64],
                "cases_by_queue",
            ),
        ] {
            let plan = plan(&world, statement(words), args).await;
            let index = match (index, world.db.is_postgres()) {
                ("case_id", true) => "cases_pkey",
                ("case_id", false) => "sqlite_autoindex_cases_1",
                _ => index,
            };
            assert!(plan.contains(index), "{words:?} does not use {index}:\n{plan}");
            for scan in
                ["Seq Scan on cases", "SCAN c\n", "SCAN cases\n", "TEMP B-TREE FOR ORDER BY"]
            {
                let sorted = plan.contains("SCAN json_each") || words[0].contains("CROSS JOIN");
                assert!(
                    !plan.contains(scan) || (scan.contains("B-TREE") && sorted),
                    "{words:?}: {scan}\n{plan}"
                );
            }
        }
    }
}
