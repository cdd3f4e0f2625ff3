//! Rows of campaigns, and of what matches have in common.

use std::collections::{BTreeMap, BTreeSet};

use contracts::impersonation::v1::Campaign;
use contracts::impersonation::v1::campaign::{Kind, State};
use kit::db::{Db, DbError, Sql, Tx, json};
use kit::{Time, args};
use serde::Serialize;

use super::{keys, number, rows};
use crate::campaign::{Peer, Trait};

/// Sorts after every campaign's id.
pub const ID_MAX: &str = super::id_max!("cmp");
/// Accounts that a campaign is shown with.
const ACCOUNTS_SHOWN: i64 = 100;

/// Whole rows: what [`Row`] reads.
macro_rules! select {
    ($which:literal) => {
        Sql::new(concat!(
            "SELECT c.campaign_id, c.kind, c.state, c.identity_id, c.match_count, c.open_count,
                    c.confirmed_count, c.create_time, c.update_time ",
            $which
        ))
    };
}

/// The newest hundred of each trait: whoever shares a trait with more is of one campaign with all
/// of them already.
static PEERS: Sql = Sql::new(
    "SELECT t.match_id, t.actor, m.campaign_id, coalesce(c.kind, 0) AS kind
       FROM jsonb_to_recordset($1) AS n(k text) CROSS JOIN match_traits AS t
       CROSS JOIN matches AS m LEFT JOIN campaigns AS c ON c.campaign_id = m.campaign_id
      WHERE t.name = n.k AND t.match_id <> $2 AND m.match_id = t.match_id
        AND (m.state <> 4 OR m.campaign_id <> '')
        AND t.match_id IN (SELECT r.match_id FROM match_traits AS r WHERE r.name = n.k
                            ORDER BY r.match_id DESC LIMIT 100)
      ORDER BY t.match_id",
);
static DROP_TRAITS: Sql = Sql::new("DELETE FROM match_traits WHERE match_id = $1");
static ADD_TRAITS: Sql = Sql::new(
    "INSERT INTO match_traits (name, actor, match_id)
     SELECT name, actor, CAST($2 AS TEXT)
       FROM jsonb_to_recordset($1) AS n(name text, actor boolean)",
);
static OF_MATCH: Sql = Sql::new(
    "SELECT m.campaign_id, coalesce(c.kind, 0) AS kind FROM matches AS m
       LEFT JOIN campaigns AS c ON c.campaign_id = m.campaign_id WHERE m.match_id = $1",
);
static JOIN: Sql = Sql::new(
    "UPDATE matches SET campaign_id = $2 WHERE match_id IN
            (SELECT k FROM jsonb_to_recordset($1) AS n(k text))",
);
static ABSORB: Sql = Sql::new(
    "UPDATE matches SET campaign_id = $2
      WHERE campaign_id IN (SELECT k FROM jsonb_to_recordset($1) AS n(k text))
        AND campaign_id <> ''
     RETURNING match_id",
);
static COUNT: Sql = Sql::new(
    "SELECT identity_id, state, CAST(count(*) AS BIGINT) AS matches FROM matches
      WHERE campaign_id = $1 AND campaign_id <> '' GROUP BY identity_id, state
      ORDER BY identity_id, state",
);
static ACCOUNTS: Sql = Sql::new(
    "SELECT account_id FROM matches WHERE campaign_id = $1 AND campaign_id <> ''
      ORDER BY match_id LIMIT $2",
);
static PUT: Sql = Sql::new(
    "INSERT INTO campaigns (campaign_id, kind, state, identity_id, match_count, open_count,
                            confirmed_count, create_time, update_time)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (campaign_id) DO UPDATE SET state = excluded.state,
            identity_id = excluded.identity_id, match_count = excluded.match_count,
            open_count = excluded.open_count, confirmed_count = excluded.confirmed_count,
            update_time = excluded.update_time",
);
static GET: Sql = select!("FROM campaigns AS c WHERE c.campaign_id = $1");
static LOCK: Sql = select!("FROM campaigns AS c WHERE c.campaign_id = $1 FOR UPDATE");
static LIST_IDENTITY: Sql = select!(
    "FROM campaigns AS c WHERE c.identity_id = $1 AND c.campaign_id < $2
        AND ($3 = 0 OR c.state = $3)
      ORDER BY c.campaign_id DESC LIMIT $4"
);
static LIST_STATE: Sql = select!(
    "FROM campaigns AS c WHERE c.state = $1 AND c.campaign_id < $2
      ORDER BY c.campaign_id DESC LIMIT $3"
);
static LIST_ALL: Sql =
    select!("FROM campaigns AS c WHERE c.campaign_id < $1 ORDER BY c.campaign_id DESC LIMIT $2");

pub(super) static STATEMENTS: [&Sql; 14] = [
    &PEERS,
    &DROP_TRAITS,
    &ADD_TRAITS,
    &OF_MATCH,
    &JOIN,
    &ABSORB,
    &COUNT,
    &ACCOUNTS,
    &PUT,
    &GET,
    &LOCK,
    &LIST_IDENTITY,
    &LIST_STATE,
    &LIST_ALL,
];

struct Row {
    campaign_id: String,
    kind: i64,
    state: i64,
    identity_id: String,
    match_count: i64,
    open_count: i64,
    confirmed_count: i64,
    create_time: i64,
    update_time: i64,
}

kit::record!(
    Row:
    campaign_id, kind, state, identity_id, match_count, open_count, confirmed_count, create_time,
    update_time
);

impl From<Row> for Campaign {
    fn from(row: Row) -> Campaign {
        Campaign {
            campaign_id: row.campaign_id,
            kind: number(row.kind),
            state: number(row.state),
            identity_id: row.identity_id,
            match_count: row.match_count,
            open_count: row.open_count,
            confirmed_count: row.confirmed_count,
            account_ids: Vec::new(),
            create_time: Some(Time::from_micros(row.create_time).into()),
            update_time: Some(Time::from_micros(row.update_time).into()),
        }
    }
}

fn of_kind(campaign_id: String, kind: i64) -> Option<(String, Kind)> {
    let kind = Kind::try_from(number(kind)).unwrap_or_default();
    (!campaign_id.is_empty() && kind != Kind::Unspecified).then_some((campaign_id, kind))
}

struct PeerRow {
    match_id: String,
    actor: bool,
    campaign_id: String,
    kind: i64,
}

kit::record!(PeerRow: match_id, actor, campaign_id, kind);

/// The matches that share one of these traits with `match_id`, in order of their ids.
///
/// # Errors
/// If the statement fails.
pub async fn peers(
    tx: &mut Tx,
    traits: &BTreeSet<Trait>,
    match_id: &str,
) -> Result<Vec<Peer>, DbError> {
    let names = keys(traits.iter().map(|one| one.name.as_str()));
    let found: Vec<PeerRow> = tx.fetch_all(&PEERS, args![json(&names), match_id]).await?;
    let mut peers: BTreeMap<String, Peer> = BTreeMap::new();
    for row in found {
        let peer = peers.entry(row.match_id.clone()).or_insert_with(|| Peer {
            match_id: row.match_id,
            campaign: of_kind(row.campaign_id, row.kind),
            actor: false,
        });
        peer.actor |= row.actor;
    }
    Ok(peers.into_values().collect())
}

/// Stores what a match has in common with others, in place of what was stored.
///
/// # Errors
/// If a statement fails.
pub async fn put_traits(
    tx: &mut Tx,
    traits: &BTreeSet<Trait>,
    match_id: &str,
) -> Result<(), DbError> {
    #[derive(Serialize)]
    struct New<'a> {
        name: &'a str,
        actor: bool,
    }
    tx.execute(&DROP_TRAITS, args![match_id]).await?;
    let new: Vec<New<'_>> =
        traits.iter().map(|one| New { name: &one.name, actor: one.actor }).collect();
    if new.is_empty() {
        return Ok(());
    }
    tx.execute(&ADD_TRAITS, args![json(&new), match_id]).await.map(drop)
}

/// The campaign of a match; none for a match outside campaigns.
///
/// # Errors
/// If the statement fails.
pub async fn of_match(tx: &mut Tx, match_id: &str) -> Result<Option<(String, Kind)>, DbError> {
    let row: Option<(String, i64)> = tx.fetch_optional(&OF_MATCH, args![match_id]).await?;
    Ok(row.and_then(|(campaign_id, kind)| of_kind(campaign_id, kind)))
}

/// Makes matches part of a campaign.
///
/// # Errors
/// If the statement fails.
pub async fn join(
    tx: &mut Tx,
    match_ids: &BTreeSet<String>,
    campaign_id: &str,
) -> Result<(), DbError> {
    let ids = keys(match_ids.iter().map(String::as_str));
    tx.execute(&JOIN, args![json(&ids), campaign_id]).await.map(drop)
}

/// Makes all matches of campaigns part of another; answers their ids.
///
/// # Errors
/// If the statement fails.
pub async fn absorb(
    tx: &mut Tx,
    campaign_ids: &BTreeSet<String>,
    into: &str,
) -> Result<Vec<String>, DbError> {
    let ids = keys(campaign_ids.iter().map(String::as_str));
    let moved: Vec<(String,)> = tx.fetch_all(&ABSORB, args![json(&ids), into]).await?;
    let mut moved: Vec<String> = moved.into_iter().map(|(id,)| id).collect();
    moved.sort_unstable();
    Ok(moved)
}

/// How many matches of a campaign imitate which identity and stand where.
///
/// # Errors
/// If the statement fails.
pub async fn count(tx: &mut Tx, campaign_id: &str) -> Result<Vec<(String, i32, i64)>, DbError> {
    let found: Vec<(String, i64, i64)> = tx.fetch_all(&COUNT, args![campaign_id]).await?;
    Ok(found.into_iter().map(|(id, state, count)| (id, number(state), count)).collect())
}

/// The first accounts of a campaign, within a transaction.
///
/// # Errors
/// If the statement fails.
pub async fn accounts(tx: &mut Tx, campaign_id: &str) -> Result<Vec<String>, DbError> {
    let found: Vec<(String,)> = tx.fetch_all(&ACCOUNTS, args![campaign_id, ACCOUNTS_SHOWN]).await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// A campaign, locked until the end of the transaction, without its accounts.
///
/// # Errors
/// If the statement fails.
pub async fn lock(tx: &mut Tx, campaign_id: &str) -> Result<Option<Campaign>, DbError> {
    let row: Option<Row> = tx.fetch_optional(&LOCK, args![campaign_id]).await?;
    Ok(row.map(Campaign::from))
}

/// Stores a campaign, new or changed.
///
/// # Errors
/// If the statement fails.
pub async fn put(tx: &mut Tx, campaign: &Campaign) -> Result<(), DbError> {
    let micros = |time: &Option<prost_types::Timestamp>| {
        time.as_ref().and_then(Time::from_timestamp).unwrap_or(Time::EPOCH)
    };
    let arguments = args![
        &campaign.campaign_id,
        campaign.kind,
        campaign.state,
        &campaign.identity_id,
        campaign.match_count,
        campaign.open_count,
        campaign.confirmed_count,
        micros(&campaign.create_time),
        micros(&campaign.update_time),
    ];
    tx.execute(&PUT, arguments).await.map(drop)
}

async fn with_accounts(db: &Db, found: Vec<Row>) -> Result<Vec<Campaign>, DbError> {
    let mut campaigns: Vec<Campaign> = found.into_iter().map(Campaign::from).collect();
    for campaign in &mut campaigns {
        let arguments = args![&campaign.campaign_id, ACCOUNTS_SHOWN];
        let accounts: Vec<(String,)> = db.read().fetch_all(&ACCOUNTS, arguments).await?;
        campaign.account_ids = accounts.into_iter().map(|(id,)| id).collect();
    }
    Ok(campaigns)
}

/// A campaign, as committed.
///
/// # Errors
/// If the database cannot be read.
pub async fn get(db: &Db, campaign_id: &str) -> Result<Option<Campaign>, DbError> {
    let row: Option<Row> = db.read().fetch_optional(&GET, args![campaign_id]).await?;
    Ok(with_accounts(db, row.into_iter().collect()).await?.pop())
}

/// A page of campaigns before an id, newest first; what is empty or unspecified does not narrow it
/// down.
///
/// # Errors
/// If the database cannot be read.
pub async fn list(
    db: &Db,
    identity_id: &str,
    state: State,
    before: &str,
    limit: usize,
) -> Result<Vec<Campaign>, DbError> {
    let (read, limit, state) = (db.read(), rows(limit), state as i32);
    let found = match (identity_id, state) {
        ("", 0) => read.fetch_all(&LIST_ALL, args![before, limit]).await?,
        ("", state) => read.fetch_all(&LIST_STATE, args![state, before, limit]).await?,
        (id, state) => read.fetch_all(&LIST_IDENTITY, args![id, before, state, limit]).await?,
    };
    with_accounts(db, found).await
}
