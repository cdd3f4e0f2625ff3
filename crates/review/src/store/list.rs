//! Lists of cases, by whatever narrows them down most. Every list walks one index in its order.

use contracts::review::v1::case::{Kind, State};
use kit::args;
use kit::db::{Db, DbError, Sql, json};
use serde::Serialize;

use super::row::{CaseRow, case_columns, cases};
use crate::case::Case;

static ALL: Sql = Sql::new(concat!(
    "SELECT ",
    case_columns!(),
    " FROM cases AS c WHERE c.case_id > $1 ORDER BY c.case_id LIMIT $2",
));
/// From the index alone.
static IDS: Sql = Sql::new(
    "SELECT case_id FROM cases WHERE queue = $1 AND state = $2 AND kind = $3 AND case_id > $4
      ORDER BY case_id LIMIT $5",
);
/// The next code after `$1` of a queue that cases are or were in: one probe of the index.
pub(super) static NEXT_QUEUE: Sql =
    Sql::new("SELECT queue FROM cases WHERE queue > $1 ORDER BY queue LIMIT 1");
static SOME: Sql = Sql::new(concat!(
    "SELECT ",
    case_columns!(),
    " FROM jsonb_to_recordset($1) AS k(listed text) CROSS JOIN cases AS c
      WHERE c.case_id = k.listed ORDER BY c.case_id",
));
static BY_SUBJECT: Sql = Sql::new(concat!(
    "SELECT ",
    case_columns!(),
    " FROM cases AS c WHERE c.subject_id = $1 AND c.subject_type = $2 AND c.case_id > $3
        AND ($4 = 0 OR c.state = $4) AND ($5 = 0 OR c.kind = $5) AND ($6 = '' OR c.queue = $6)
        AND ($7 = '' OR c.owner_account_id = $7)
      ORDER BY c.case_id LIMIT $8",
));
static BY_OWNER: Sql = Sql::new(concat!(
    "SELECT ",
    case_columns!(),
    " FROM cases AS c WHERE c.owner_account_id = $1 AND c.case_id > $2
        AND ($3 = 0 OR c.state = $3) AND ($4 = 0 OR c.kind = $4) AND ($5 = '' OR c.queue = $5)
      ORDER BY c.case_id LIMIT $6",
));

pub(super) static STATEMENTS: [&Sql; 6] = [&ALL, &IDS, &NEXT_QUEUE, &SOME, &BY_SUBJECT, &BY_OWNER];

/// What can bring a case.
const KINDS: [Kind; 4] =
    [Kind::Reports, Kind::Appeal, Kind::ImpersonationMatch, Kind::ImpersonationClaim];

/// What is asked for; what is empty or unspecified does not narrow the list.
#[derive(Clone, Copy, Debug)]
pub struct Filter<'a> {
    /// Only in this state.
    pub state: State,
    /// Only of this kind.
    pub kind: Kind,
    /// Only in this queue.
    pub queue: &'a str,
    /// Only about this subject: the number of its type and its id.
    pub subject: Option<(i32, &'a str)>,
    /// Only about what this account answers for.
    pub owner_account_id: &'a str,
    /// Only with a match of this campaign.
    pub campaign_id: &'a str,
}

/// The first `limit` committed cases after `after`, by id.
pub async fn page(
    db: &Db,
    filter: &Filter<'_>,
    after: &str,
    limit: i64,
) -> Result<Vec<Case>, DbError> {
    if !filter.campaign_id.is_empty() {
        return super::impersonation::of_campaign(db, filter, after, limit).await;
    }
    let Filter { state, kind, queue, subject, owner_account_id: owner, .. } = *filter;
    let (state_number, kind_number) = (state as i32, kind as i32);
    let read = db.read();
    let rows: Vec<CaseRow> = if let Some((subject_type, id)) = subject {
        let args = args![id, subject_type, after, state_number, kind_number, queue, owner, limit];
        read.fetch_all(&BY_SUBJECT, args).await?
    } else if !owner.is_empty() {
        let args = args![owner, after, state_number, kind_number, queue, limit];
        read.fetch_all(&BY_OWNER, args).await?
    } else if queue.is_empty() && state == State::Unspecified && kind == Kind::Unspecified {
        read.fetch_all(&ALL, args![after, limit]).await?
    } else {
        by_place(db, filter, after, limit).await?
    };
    cases(rows)
}

#[derive(Serialize)]
struct Listed {
    listed: String,
}

/// By queue, state and kind. What is unspecified is each value in turn, so that one index gives
/// every part in its order; the parts are merged and only the page's cases are read.
async fn by_place(
    db: &Db,
    filter: &Filter<'_>,
    after: &str,
    limit: i64,
) -> Result<Vec<CaseRow>, DbError> {
    let states = match filter.state {
        State::Unspecified => vec![State::Open, State::Decided, State::Withdrawn],
        state => vec![state],
    };
    let kinds = match filter.kind {
        Kind::Unspecified => KINDS.to_vec(),
        kind => vec![kind],
    };
    let queues = match filter.queue {
        "" => queues(db).await?,
        queue => vec![queue.to_owned()],
    };
    let mut found: Vec<(String,)> = Vec::new();
    for queue in &queues {
        for state in &states {
            for kind in &kinds {
                let args = args![queue, *state as i32, *kind as i32, after, limit];
                found.extend(db.read().fetch_all::<(String,)>(&IDS, args).await?);
            }
        }
    }
    found.sort();
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let page: Vec<Listed> = found.into_iter().map(|(listed,)| Listed { listed }).collect();
    db.read().fetch_all(&SOME, args![json(&page)]).await
}

/// All queues that cases are or were in.
async fn queues(db: &Db) -> Result<Vec<String>, DbError> {
    let mut queues: Vec<String> = Vec::new();
    loop {
        let last = queues.last().map_or("", String::as_str);
        let next: Option<(String,)> = db.read().fetch_optional(&NEXT_QUEUE, args![last]).await?;
        let Some((queue,)) = next else { return Ok(queues) };
        queues.push(queue);
    }
}
