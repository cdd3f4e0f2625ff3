//! All SQL of this service. It decides nothing: what a count means is [`drift`](crate::drift)'s.

use kit::db::{Db, DbError, Sql, Tx, json};
use kit::{Time, args};
use serde::Serialize;

use crate::drift::{Cell, Counts, Span, WEEK};

/// The number of the band that a probability falls into; the bounds are
/// [`BOUNDS`](crate::drift::BOUNDS).
macro_rules! by_band {
    ($head:literal, $tail:literal) => {
        Sql::new(concat!(
            $head,
            "CASE WHEN probability < 0.1 THEN 0 WHEN probability < 0.2 THEN 1
                  WHEN probability < 0.3 THEN 2 WHEN probability < 0.4 THEN 3
                  WHEN probability < 0.5 THEN 4 WHEN probability < 0.6 THEN 5
                  WHEN probability < 0.7 THEN 6 WHEN probability < 0.8 THEN 7
                  WHEN probability < 0.9 THEN 8 WHEN probability < 0.95 THEN 9
                  WHEN probability < 0.99 THEN 10 WHEN probability < 0.999 THEN 11
                  ELSE 12 END AS band",
            $tail
        ))
    };
}

static ADD_FINDINGS: Sql = Sql::new(
    "INSERT INTO findings (event_id, find_time, probability, model_version)
     SELECT event_id, find_time, probability, model_version
       FROM jsonb_to_recordset($1) AS n(event_id text, find_time bigint,
                                        probability double precision, model_version text)
      WHERE true
     ON CONFLICT (event_id) DO NOTHING",
);
static PUT_LABEL: Sql = Sql::new(
    "INSERT INTO labels (label_id, decide_time, probability, imitation, corrected, signals,
                         model_version)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (label_id) DO UPDATE
        SET imitation = excluded.imitation, corrected = excluded.corrected",
);
static COUNT_UNTIL: Sql = Sql::new(
    "INSERT INTO counted (stream, event_time) VALUES ($1, $2)
     ON CONFLICT (stream) DO UPDATE SET event_time = excluded.event_time",
);
static COUNTED_UNTIL: Sql = Sql::new("SELECT event_time FROM counted WHERE stream = $1");
static FOUND: Sql = by_band!(
    "SELECT later, week, band, CAST(count(*) AS BIGINT) AS found
       FROM (SELECT find_time >= $2 AS later, ($3 - 1 - find_time) / $4 AS week, ",
    " FROM findings WHERE find_time >= $1 AND find_time < $3
         AND ($5 = '' OR model_version = $5)) AS f
      GROUP BY later, week, band"
);
static DECIDED: Sql = by_band!(
    "SELECT later, week, band, CAST(count(*) AS BIGINT) AS decided,
            CAST(sum(imitation) AS BIGINT) AS confirmed,
            CAST(sum(corrected) AS BIGINT) AS corrected, sum(probability) AS expected,
            sum((probability - imitation) * (probability - imitation)) AS squares
       FROM (SELECT decide_time >= $2 AS later, ($3 - 1 - decide_time) / $4 AS week, probability,
                    CASE WHEN imitation THEN 1.0 ELSE 0.0 END AS imitation,
                    CASE WHEN corrected THEN 1.0 ELSE 0.0 END AS corrected, ",
    " FROM labels WHERE decide_time >= $1 AND decide_time < $3
         AND ($5 = '' OR model_version = $5)) AS l
      GROUP BY later, week, band"
);
static SIGNALS: Sql = Sql::new(
    "SELECT later, signals, CAST(count(*) AS BIGINT) AS decided,
            CAST(sum(imitation) AS BIGINT) AS confirmed, sum(probability) AS expected
       FROM (SELECT decide_time >= $2 AS later, signals, probability,
                    CASE WHEN imitation THEN 1 ELSE 0 END AS imitation
               FROM labels WHERE decide_time >= $1 AND decide_time < $3
                AND ($4 = '' OR model_version = $4)) AS l
      GROUP BY later, signals",
);

/// Every statement, for the test that prepares them on both databases.
pub static ALL: [&Sql; 7] =
    [&ADD_FINDINGS, &PUT_LABEL, &COUNT_UNTIL, &COUNTED_UNTIL, &FOUND, &DECIDED, &SIGNALS];

/// Something that the detector found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The event that told it.
    pub event_id: String,
    /// When, in microseconds UTC.
    pub find_time: i64,
    /// How probable an imitation seemed.
    pub probability: f64,
    /// The weights that said so.
    pub model_version: String,
}

/// What reviewers decided about a match.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// `lbl_…`.
    pub label_id: String,
    /// When it was decided first.
    pub decide_time: Time,
    /// How probable an imitation had seemed.
    pub probability: f64,
    /// Whether it is one, as it holds now.
    pub imitation: bool,
    /// Whether an appeal corrected it.
    pub corrected: bool,
    /// What spoke for it: names, alphabetical, separated by commas.
    pub signals: String,
    /// The weights that gave the probability.
    pub model_version: String,
}

/// Stores what was found; the same event again changes nothing.
///
/// # Errors
/// If the statement fails.
pub async fn add_findings(tx: &mut Tx, findings: &[Finding]) -> Result<(), DbError> {
    if findings.is_empty() {
        return Ok(());
    }
    tx.execute(&ADD_FINDINGS, args![json(findings)]).await.map(drop)
}

/// Stores what was decided, or what holds now where it is known already.
///
/// # Errors
/// If the statement fails.
pub async fn put_label(tx: &mut Tx, label: &Label) -> Result<(), DbError> {
    let arguments = args![
        &label.label_id,
        label.decide_time,
        label.probability,
        label.imitation,
        label.corrected,
        &label.signals,
        &label.model_version,
    ];
    tx.execute(&PUT_LABEL, arguments).await.map(drop)
}

/// Says when the last event of a stream that was counted happened.
///
/// # Errors
/// If the statement fails.
pub async fn count_until(tx: &mut Tx, stream: &str, time: Time) -> Result<(), DbError> {
    tx.execute(&COUNT_UNTIL, args![stream, time]).await.map(drop)
}

/// When the last event of a stream that was counted happened.
///
/// # Errors
/// If the database cannot be read.
pub async fn counted_until(db: &Db, stream: &str) -> Result<Option<Time>, DbError> {
    let found: Option<(i64,)> = db.read().fetch_optional(&COUNTED_UNTIL, args![stream]).await?;
    Ok(found.map(|(time,)| Time::from_micros(time)))
}

struct FoundRow {
    later: bool,
    week: i64,
    band: i32,
    found: i64,
}

kit::record!(FoundRow: later, week, band, found);

struct DecidedRow {
    later: bool,
    week: i64,
    band: i32,
    decided: i64,
    confirmed: i64,
    corrected: i64,
    expected: f64,
    squares: f64,
}

kit::record!(DecidedRow: later, week, band, decided, confirmed, corrected, expected, squares);

struct SignalsRow {
    later: bool,
    signals: String,
    decided: i64,
    confirmed: i64,
    expected: f64,
}

kit::record!(SignalsRow: later, signals, decided, confirmed, expected);

fn cell(later: bool, week: i64, band: i32, counts: Counts) -> Cell {
    let index = |number: i64| usize::try_from(number).unwrap_or_default();
    Cell { later, week: index(week), band: index(band.into()), counts }
}

/// What was found and decided in a span and the reference before it, by week and by band. The two
/// are read one after the other: what is counted between them is in the second only.
///
/// # Errors
/// If the database cannot be read.
pub async fn cells(db: &Db, span: &Span) -> Result<Vec<Cell>, DbError> {
    let week = i64::try_from(WEEK.as_micros()).unwrap_or(i64::MAX);
    let arguments = || args![span.reference, span.start, span.end, week, &span.model_version];
    let found: Vec<FoundRow> = db.read().fetch_all(&FOUND, arguments()).await?;
    let decided: Vec<DecidedRow> = db.read().fetch_all(&DECIDED, arguments()).await?;
    let found = found.into_iter().map(|row| {
        cell(row.later, row.week, row.band, Counts { found: row.found, ..Counts::default() })
    });
    let decided = decided.into_iter().map(|row| {
        let counts = Counts {
            found: 0,
            decided: row.decided,
            confirmed: row.confirmed,
            corrected: row.corrected,
            expected: row.expected,
            squares: row.squares,
        };
        cell(row.later, row.week, row.band, counts)
    });
    Ok(found.chain(decided).collect())
}

/// What was decided in a span and the reference before it, by which signals spoke for it: whether
/// in the span itself, the names, the counts.
///
/// # Errors
/// If the database cannot be read.
pub async fn signals(db: &Db, span: &Span) -> Result<Vec<(bool, String, Counts)>, DbError> {
    let arguments = args![span.reference, span.start, span.end, &span.model_version];
    let found: Vec<SignalsRow> = db.read().fetch_all(&SIGNALS, arguments).await?;
    let one = |row: SignalsRow| {
        let SignalsRow { decided, confirmed, expected, .. } = row;
        (row.later, row.signals, Counts { decided, confirmed, expected, ..Counts::default() })
    };
    Ok(found.into_iter().map(one).collect())
}
