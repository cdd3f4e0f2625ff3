//! What is known of impersonation that concerns cases.

use std::collections::BTreeSet;

use contracts::impersonation::v1::{Claim, Exemption, Match};
use contracts::review::v1::{CaseClaim, CaseMatch};
use kit::db::{Db, DbError, Hex, Sql, Tx, json};
use kit::{Time, args};
use prost::Message;
use serde::Serialize;

use super::row::{CaseRow, case_columns, cases};
use crate::case::Case;
use crate::intake::{Item, Items, StoredItem};
use crate::store::list::Filter;

/// Items of each kind that one case is shown with at most.
pub const ITEMS_SHOWN_MAX: i64 = 100;

/// The numbers of column `kind`.
const MATCH: i64 = 1;
const CLAIM: i64 = 2;
const EXEMPTION: i64 = 3;

static KNOWN: Sql = Sql::new(
    "SELECT i.item_id, i.case_id, i.withdrawn
       FROM jsonb_to_recordset($1) AS k(id text) CROSS JOIN case_impersonations AS i
       CROSS JOIN cases AS c
      WHERE i.item_id = k.id AND c.case_id = i.case_id AND c.state = 1",
);
static PUT: Sql = Sql::new(
    "INSERT INTO case_impersonations
            (case_id, item_id, kind, campaign_id, item, withdrawn, add_time)
     SELECT case_id, item_id, kind, campaign_id, item, withdrawn, add_time
       FROM jsonb_to_recordset($1) AS n(case_id text, item_id text, kind bigint,
            campaign_id text, item bytea, withdrawn boolean, add_time bigint)
      WHERE true
     ON CONFLICT (case_id, item_id) DO UPDATE SET campaign_id = excluded.campaign_id,
            item = excluded.item, withdrawn = excluded.withdrawn, add_time = excluded.add_time",
);
static FALL: Sql = Sql::new(
    "UPDATE case_impersonations SET withdrawn = true
       FROM jsonb_to_recordset($1) AS n(case_id text, item_id text)
      WHERE case_impersonations.case_id = n.case_id
        AND case_impersonations.item_id = n.item_id",
);
static JOIN_CAMPAIGN: Sql = Sql::new(
    "UPDATE case_impersonations SET campaign_id = $2
       FROM jsonb_to_recordset($1) AS k(id text)
      WHERE case_impersonations.item_id = k.id",
);
static OF_CASE: Sql = Sql::new(
    "SELECT campaign_id, item, withdrawn, add_time FROM case_impersonations
      WHERE case_id = $1 AND kind = $2 ORDER BY item_id LIMIT $3",
);
static OF_CAMPAIGN: Sql = Sql::new(concat!(
    "SELECT ",
    case_columns!(),
    " FROM (SELECT DISTINCT i.case_id AS listed FROM case_impersonations AS i
             WHERE i.campaign_id = $1 AND i.campaign_id <> '' AND i.case_id > $2) AS k
      CROSS JOIN cases AS c
      WHERE c.case_id = k.listed AND ($3 = 0 OR c.state = $3) AND ($4 = 0 OR c.kind = $4)
        AND ($5 = '' OR c.queue = $5) AND ($6 = '' OR c.owner_account_id = $6)
        AND ($7 = '' OR (c.subject_id = $7 AND c.subject_type = $8))
      ORDER BY c.case_id LIMIT $9",
));

pub(super) static STATEMENTS: [&Sql; 6] =
    [&KNOWN, &PUT, &FALL, &JOIN_CAMPAIGN, &OF_CASE, &OF_CAMPAIGN];

#[derive(Serialize)]
struct IdRow<'a> {
    id: &'a str,
}

struct KnownRow {
    item_id: String,
    case_id: String,
    withdrawn: bool,
}

kit::record!(KnownRow: item_id, case_id, withdrawn);

/// In which open cases these items are.
pub async fn known(tx: &mut Tx, item_ids: &BTreeSet<&str>) -> Result<Vec<StoredItem>, DbError> {
    if item_ids.is_empty() {
        return Ok(Vec::new());
    }
    let wanted: Vec<IdRow<'_>> = item_ids.iter().map(|id| IdRow { id }).collect();
    let rows: Vec<KnownRow> = tx.fetch_all(&KNOWN, args![json(&wanted)]).await?;
    let stored = |row: KnownRow| StoredItem {
        item_id: row.item_id,
        case_id: row.case_id,
        withdrawn: row.withdrawn,
    };
    Ok(rows.into_iter().map(stored).collect())
}

#[derive(Serialize)]
struct NewRow<'a> {
    case_id: &'a str,
    item_id: &'a str,
    kind: i64,
    campaign_id: &'a str,
    item: Hex<'a>,
    withdrawn: bool,
    add_time: Time,
}

#[derive(Serialize)]
struct Place<'a> {
    case_id: &'a str,
    item_id: &'a str,
}

/// Writes what a batch leaves.
pub async fn write(tx: &mut Tx, items: &Items) -> Result<(), DbError> {
    let encoded: Vec<(i64, &str, Vec<u8>)> = items
        .put
        .values()
        .map(|new| match &new.item {
            Item::Match(found) => (MATCH, found.campaign_id.as_str(), found.encode_to_vec()),
            Item::Claim(claim) => (CLAIM, "", claim.encode_to_vec()),
            Item::Exemption(exemption) => (EXEMPTION, "", exemption.encode_to_vec()),
        })
        .collect();
    let rows: Vec<NewRow<'_>> = items
        .put
        .iter()
        .zip(&encoded)
        .map(|(((case_id, item_id), new), (kind, campaign_id, item))| NewRow {
            case_id,
            item_id,
            kind: *kind,
            campaign_id,
            item: Hex(item),
            withdrawn: new.withdrawn,
            add_time: new.add_time,
        })
        .collect();
    if !rows.is_empty() {
        tx.execute(&PUT, args![json(&rows)]).await?;
    }
    let fallen = items.fallen.iter();
    let fallen: Vec<Place<'_>> =
        fallen.map(|(case_id, item_id)| Place { case_id, item_id }).collect();
    if !fallen.is_empty() {
        tx.execute(&FALL, args![json(&fallen)]).await?;
    }
    Ok(())
}

/// Makes matches part of a campaign.
pub async fn join_campaign(
    tx: &mut Tx,
    campaign_id: &str,
    match_ids: &[String],
) -> Result<(), DbError> {
    let ids: BTreeSet<&str> = match_ids.iter().map(String::as_str).collect();
    let rows: Vec<IdRow<'_>> = ids.into_iter().map(|id| IdRow { id }).collect();
    if rows.is_empty() {
        return Ok(());
    }
    tx.execute(&JOIN_CAMPAIGN, args![json(&rows), campaign_id]).await.map(drop)
}

struct ShownRow {
    campaign_id: String,
    item: Vec<u8>,
    withdrawn: bool,
    add_time: i64,
}

kit::record!(ShownRow: campaign_id, item, withdrawn, add_time);

async fn shown(db: &Db, case_id: &str, kind: i64) -> Result<Vec<ShownRow>, DbError> {
    db.read().fetch_all(&OF_CASE, args![case_id, kind, ITEMS_SHOWN_MAX]).await
}

fn decode<M: Message + Default>(bytes: &[u8]) -> Result<M, DbError> {
    M::decode(bytes).map_err(|error| DbError::internal(format!("an item: {error}")))
}

/// What a reviewer sees beside a case.
#[derive(Debug, Default)]
pub struct Shown {
    /// The first matches.
    pub matches: Vec<CaseMatch>,
    /// The first claims.
    pub claims: Vec<CaseClaim>,
    /// The first exemptions.
    pub exemptions: Vec<Exemption>,
}

/// What is known of impersonation that concerns a case.
pub async fn of_case(db: &Db, case_id: &str) -> Result<Shown, DbError> {
    let mut found = Shown::default();
    for row in shown(db, case_id, MATCH).await? {
        found.matches.push(CaseMatch {
            r#match: Some(decode::<Match>(&row.item)?),
            campaign_id: row.campaign_id,
            withdrawn: row.withdrawn,
            add_time: Some(Time::from_micros(row.add_time).into()),
        });
    }
    for row in shown(db, case_id, CLAIM).await? {
        found.claims.push(CaseClaim {
            claim: Some(decode::<Claim>(&row.item)?),
            withdrawn: row.withdrawn,
            add_time: Some(Time::from_micros(row.add_time).into()),
        });
    }
    for row in shown(db, case_id, EXEMPTION).await? {
        found.exemptions.push(decode(&row.item)?);
    }
    Ok(found)
}

/// The first `limit` committed cases of a campaign after `after`, by id.
pub async fn of_campaign(
    db: &Db,
    filter: &Filter<'_>,
    after: &str,
    limit: i64,
) -> Result<Vec<Case>, DbError> {
    let (subject_type, subject_id) = filter.subject.unwrap_or_default();
    let args = args![
        filter.campaign_id,
        after,
        filter.state as i32,
        filter.kind as i32,
        filter.queue,
        filter.owner_account_id,
        subject_id,
        subject_type,
        limit
    ];
    let rows: Vec<CaseRow> = db.read().fetch_all(&OF_CAMPAIGN, args).await?;
    cases(rows)
}
