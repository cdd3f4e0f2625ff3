//! All SQL of this service. It decides nothing: which standing follows which is
//! [`standing`](crate::standing)'s.

use contracts::reports::v1::Report;
use contracts::reports::v1::report::{Outcome, State};
use contracts::types::v1::Subject;
use kit::Time;
use kit::args;
use kit::db::{Arg, Db, DbError, Hex, Sql, Tx, json};
use prost::Message as _;
use serde::Serialize;

use crate::report;
use crate::standing::Standing;

/// Reports of one case that one statement changes. A literal in [`MOVE_CASE`], so that its plan
/// knows it.
const MOVE_BATCH_REPORTS: usize = 1_000;
/// Sorts after every report's id, in any collation: ids begin with a digit up to 7.
pub const ID_MAX: &str = "rep_z";

static FILE: Sql = Sql::new(
    "INSERT INTO reports (report_id, reporter, subject_type, subject_id, owner_account_id, reason,
                          source, pack_version, notice, create_time, state, outcome,
                          outcome_corrected, case_id, update_time)
     SELECT report_id, reporter, subject_type, subject_id, owner_account_id, reason,
            source, pack_version, notice, create_time, CAST($2 AS BIGINT), CAST($3 AS BIGINT),
            false, '', create_time
       FROM jsonb_to_recordset($1) AS n(report_id text, reporter text, subject_type bigint,
                                        subject_id text, owner_account_id text, reason text,
                                        source bigint, pack_version bigint, notice bytea,
                                        create_time bigint)",
);
/// Whole rows: what [`Stored`] reads.
macro_rules! select {
    ($which:literal) => {
        Sql::new(concat!(
            "SELECT report_id, reporter, subject_type, subject_id, owner_account_id, reason, source,
                    pack_version, notice, create_time, state, outcome, outcome_corrected, case_id,
                    update_time
               FROM reports ",
            $which
        ))
    };
}

static GET: Sql = select!("WHERE report_id = $1");
static LOCK: Sql = select!("WHERE report_id = $1 FOR UPDATE");
static LIST_OWN: Sql =
    select!("WHERE reporter = $1 AND report_id < $2 ORDER BY report_id DESC LIMIT $3");
static LIST_SUBJECT: Sql = select!(
    "WHERE subject_type = $1 AND subject_id = $2 AND report_id < $3
     ORDER BY report_id DESC LIMIT $4"
);
static PUT: Sql = Sql::new(
    "UPDATE reports SET state = $2, outcome = $3, outcome_corrected = $4, update_time = $5
      WHERE report_id = $1",
);
static TAKE_UP: Sql = Sql::new(
    "UPDATE reports SET case_id = n.case_id, state = $2, update_time = $3
       FROM jsonb_to_recordset($1) AS n(report_id text, case_id text)
      WHERE reports.report_id = n.report_id AND reports.state = $4
     RETURNING reports.report_id",
);
static MOVE_CASE: Sql = Sql::new(
    "UPDATE reports SET state = $2, outcome = $3, outcome_corrected = $4, update_time = $5
      WHERE report_id IN (SELECT report_id FROM reports
                           WHERE case_id = $1 AND case_id <> '' AND report_id > $6
                             AND state = $7 AND outcome = $8 AND outcome_corrected = $9
                           ORDER BY report_id LIMIT 1000)
     RETURNING report_id",
);

/// Every statement, for the test that prepares them on both databases.
pub static ALL: [&Sql; 8] =
    [&FILE, &GET, &LOCK, &LIST_OWN, &LIST_SUBJECT, &PUT, &TAKE_UP, &MOVE_CASE];

/// A report as it is stored. Who reported cannot be read from it, only asked.
pub struct Stored {
    report_id: String,
    reporter: String,
    subject_type: i64,
    subject_id: String,
    owner_account_id: String,
    reason: String,
    source: i64,
    pack_version: i64,
    notice: Vec<u8>,
    create_time: i64,
    state: i64,
    outcome: i64,
    outcome_corrected: bool,
    case_id: String,
    update_time: i64,
}

kit::record!(
    Stored:
    report_id, reporter, subject_type, subject_id, owner_account_id, reason, source,
    pack_version, notice, create_time, state, outcome, outcome_corrected, case_id, update_time
);

impl Stored {
    /// Whether it was filed by this subject of credentials.
    pub fn is_of(&self, subject: &str) -> bool {
        self.reporter == subject
    }

    /// Its id.
    pub fn report_id(&self) -> &str {
        &self.report_id
    }

    /// What it is about.
    pub fn subject(&self) -> Subject {
        Subject {
            r#type: number(self.subject_type),
            id: self.subject_id.clone(),
            owner_account_id: self.owner_account_id.clone(),
        }
    }

    /// Where it stands.
    ///
    /// # Errors
    /// If the row has a number that this program does not know.
    pub fn standing(&self) -> Result<Standing, DbError> {
        let state = State::try_from(number(self.state));
        let outcome = Outcome::try_from(number(self.outcome));
        match (state, outcome) {
            (Ok(state), Ok(outcome)) => {
                Ok(Standing { state, outcome, corrected: self.outcome_corrected })
            }
            _ => Err(DbError::internal(format!("{} has an unknown standing", self.report_id))),
        }
    }

    /// As the contract shows it.
    ///
    /// # Errors
    /// If the stored notice does not decode.
    pub fn render(self) -> Result<Report, DbError> {
        let notice = Report::decode(self.notice.as_slice()).map_err(|error| {
            DbError::internal(format!("the notice of {} does not decode: {error}", self.report_id))
        })?;
        Ok(Report {
            subject: Some(self.subject()),
            report_id: self.report_id,
            reason: self.reason,
            source: number(self.source),
            state: number(self.state),
            outcome: number(self.outcome),
            outcome_corrected: self.outcome_corrected,
            case_id: self.case_id,
            create_time: Some(Time::from_micros(self.create_time).into()),
            update_time: Some(Time::from_micros(self.update_time).into()),
            pack_version: self.pack_version,
            ..notice
        })
    }
}

/// A number of one of the contract's enums.
fn number(stored: i64) -> i32 {
    i32::try_from(stored).unwrap_or_default()
}

/// A row of [`FILE`], made by the caller's task, so that the one writer only has to pass it on.
#[derive(Clone, Debug)]
pub struct NewRow(Box<str>);

#[derive(Serialize)]
struct NewColumns<'a> {
    report_id: &'a str,
    reporter: &'a str,
    subject_type: i32,
    subject_id: &'a str,
    owner_account_id: &'a str,
    reason: &'a str,
    source: i32,
    pack_version: i64,
    notice: Hex<'a>,
    create_time: i64,
}

impl NewRow {
    /// The row of a report that `reporter` files at `now`.
    pub fn of(report: &Report, reporter: &str, now: Time) -> NewRow {
        let subject = report.subject.clone().unwrap_or_default();
        let notice = report::notice_of(report).encode_to_vec();
        let columns = NewColumns {
            report_id: &report.report_id,
            reporter,
            subject_type: subject.r#type,
            subject_id: &subject.id,
            owner_account_id: &subject.owner_account_id,
            reason: &report.reason,
            source: report.source,
            pack_version: report.pack_version,
            notice: Hex(&notice),
            create_time: now.micros(),
        };
        let text = serde_json::to_string(&columns).expect("columns are plain values");
        NewRow(text.into_boxed_str())
    }
}

/// Stores new reports.
///
/// # Errors
/// If the statement fails.
pub async fn file(tx: &mut Tx, rows: &[&NewRow]) -> Result<(), DbError> {
    let mut document = String::with_capacity(rows.iter().map(|row| row.0.len() + 1).sum());
    for row in rows {
        document.push(if document.is_empty() { '[' } else { ',' });
        document.push_str(&row.0);
    }
    document.push(']');
    let begin = Standing::FILED;
    let arguments = args![Arg::Json(Some(document)), begin.state as i32, begin.outcome as i32];
    tx.execute(&FILE, arguments).await.map(drop)
}

/// A report, as committed.
///
/// # Errors
/// If the database cannot be read.
pub async fn get(db: &Db, report_id: &str) -> Result<Option<Stored>, DbError> {
    db.read().fetch_optional(&GET, args![report_id]).await
}

/// A report, locked until the end of the transaction.
///
/// # Errors
/// If the statement fails.
pub async fn lock(tx: &mut Tx, report_id: &str) -> Result<Option<Stored>, DbError> {
    tx.fetch_optional(&LOCK, args![report_id]).await
}

/// A reporter's own reports before an id, newest first.
///
/// # Errors
/// If the database cannot be read.
pub async fn list_own(
    db: &Db,
    reporter: &str,
    before: &str,
    limit: usize,
) -> Result<Vec<Stored>, DbError> {
    db.read().fetch_all(&LIST_OWN, args![reporter, before, rows(limit)]).await
}

/// A subject's reports before an id, newest first.
///
/// # Errors
/// If the database cannot be read.
pub async fn list_subject(
    db: &Db,
    subject: &Subject,
    before: &str,
    limit: usize,
) -> Result<Vec<Stored>, DbError> {
    let arguments = args![subject.r#type, &subject.id, before, rows(limit)];
    db.read().fetch_all(&LIST_SUBJECT, arguments).await
}

/// Stores how a report stands now.
///
/// # Errors
/// If the statement fails.
pub async fn put(
    tx: &mut Tx,
    stored: &mut Stored,
    standing: Standing,
    now: Time,
) -> Result<(), DbError> {
    let Standing { state, outcome, corrected } = standing;
    stored.state = (state as i32).into();
    stored.outcome = (outcome as i32).into();
    stored.outcome_corrected = corrected;
    stored.update_time = now.micros();
    let arguments = args![&stored.report_id, stored.state, stored.outcome, corrected, now];
    tx.execute(&PUT, arguments).await.map(drop)
}

/// Makes reports part of cases, given as pairs of ids, where they stand as `before.state` says.
/// Answers the ids of those that were changed.
///
/// # Errors
/// If the statement fails.
pub async fn take_up(
    tx: &mut Tx,
    pairs: &[(String, String)],
    before: Standing,
    after: Standing,
    now: Time,
) -> Result<Vec<String>, DbError> {
    #[derive(Serialize)]
    struct Pair<'a> {
        report_id: &'a str,
        case_id: &'a str,
    }
    let mut batch: Vec<Pair<'_>> =
        pairs.iter().map(|(report_id, case_id)| Pair { report_id, case_id }).collect();
    batch.sort_unstable_by_key(|pair| pair.report_id);
    let arguments = args![json(&batch), after.state as i32, now, before.state as i32];
    let changed: Vec<(String,)> = tx.fetch_all(&TAKE_UP, arguments).await?;
    Ok(changed.into_iter().map(|(report_id,)| report_id).collect())
}

/// Changes the reports of a case that stand as `before` says, at most a thousand after `from`
/// in order of their ids. Answers the ids of those that were changed, in order; when fewer than
/// [`MOVE_BATCH_REPORTS`] there are no more.
async fn move_batch(
    tx: &mut Tx,
    case_id: &str,
    (before, after): (Standing, Standing),
    now: Time,
    from: &str,
) -> Result<Vec<String>, DbError> {
    let arguments = args![
        case_id,
        after.state as i32,
        after.outcome as i32,
        after.corrected,
        now,
        from,
        before.state as i32,
        before.outcome as i32,
        before.corrected,
    ];
    let changed: Vec<(String,)> = tx.fetch_all(&MOVE_CASE, arguments).await?;
    let mut ids: Vec<String> = changed.into_iter().map(|(report_id,)| report_id).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// Changes all reports of a case that stand as the first of `standings` says to the second.
/// Answers the ids of those that were changed, in order.
///
/// # Errors
/// If a statement fails.
pub async fn move_case(
    tx: &mut Tx,
    case_id: &str,
    standings: (Standing, Standing),
    now: Time,
) -> Result<Vec<String>, DbError> {
    let mut changed: Vec<String> = Vec::new();
    loop {
        let from = changed.last().map_or("", String::as_str);
        let batch = move_batch(tx, case_id, standings, now, from).await?;
        let last = batch.len() < MOVE_BATCH_REPORTS;
        changed.extend(batch);
        if last {
            return Ok(changed);
        }
    }
}

/// A number of rows as SQL takes it.
fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
