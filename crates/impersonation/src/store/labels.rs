//! Rows of labels: what was decided about matches, with what the detector knew then.

use contracts::impersonation::v1::{DriftBucket, Label, Match, MatchLabelled};
use kit::db::{Db, DbError, Sql, Tx};
use kit::{Time, args};
use prost::Message as _;

use super::{decode, rows};

/// Sorts before every label's id.
pub const ID_MIN: &str = "";

/// Tenths of probability.
const BUCKETS: usize = 10;

static INSERT: Sql = Sql::new(
    "INSERT INTO labels (label_id, match_id, decision_id, imitation, corrected, probability,
                         snapshot, model_version, pack_version, decide_time)
     VALUES ($1, $2, $3, $4, false, $5, $6, $7, $8, $9)
     ON CONFLICT (decision_id, match_id) DO NOTHING",
);
static CORRECT: Sql = Sql::new(
    "UPDATE labels SET decision_id = $2, imitation = $3, corrected = true
      WHERE decision_id = $1 AND imitation <> $3
     RETURNING label_id, match_id, decision_id, imitation, corrected, snapshot, model_version,
               pack_version, decide_time",
);
static LIST: Sql = Sql::new(
    "SELECT label_id, match_id, decision_id, imitation, corrected, snapshot, model_version,
            pack_version, decide_time
       FROM labels WHERE label_id > $1 ORDER BY label_id LIMIT $2",
);
static DRIFT: Sql = Sql::new(
    "SELECT bucket, CAST(sum(imitation) AS BIGINT) AS confirmed,
            CAST(count(*) AS BIGINT) AS decided, sum(probability) AS probability,
            sum((probability - imitation) * (probability - imitation)) AS squares
       FROM (SELECT CASE WHEN probability < 0.1 THEN 0 WHEN probability < 0.2 THEN 1
                         WHEN probability < 0.3 THEN 2 WHEN probability < 0.4 THEN 3
                         WHEN probability < 0.5 THEN 4 WHEN probability < 0.6 THEN 5
                         WHEN probability < 0.7 THEN 6 WHEN probability < 0.8 THEN 7
                         WHEN probability < 0.9 THEN 8 ELSE 9 END AS bucket,
                    probability, CASE WHEN imitation THEN 1.0 ELSE 0.0 END AS imitation
               FROM labels WHERE decide_time >= $1 AND decide_time < $2) AS l
      GROUP BY bucket ORDER BY bucket",
);

pub(super) static STATEMENTS: [&Sql; 4] = [&INSERT, &CORRECT, &LIST, &DRIFT];

/// What was decided about a match.
#[derive(Clone, Copy, Debug)]
pub struct New<'a> {
    /// `lbl_…`.
    pub label_id: &'a str,
    /// The match as it was decided about.
    pub found: &'a Match,
    /// The decision.
    pub decision_id: &'a str,
    /// Whether it is an imitation.
    pub imitation: bool,
    /// The pack under which it was decided.
    pub pack_version: i64,
    /// When.
    pub decide_time: Time,
}

/// Stores what was decided, and says it as others are told; the same again changes nothing and is
/// `None`.
///
/// # Errors
/// If the statement fails.
pub async fn insert(tx: &mut Tx, new: New<'_>) -> Result<Option<MatchLabelled>, DbError> {
    let likeness = new.found.likeness.clone().unwrap_or_default();
    let snapshot = Match {
        likeness: new.found.likeness.clone(),
        identity: new.found.identity.clone(),
        profile: new.found.profile.clone(),
        ..Match::default()
    };
    let arguments = args![
        new.label_id,
        &new.found.match_id,
        new.decision_id,
        new.imitation,
        likeness.probability,
        snapshot.encode_to_vec(),
        &likeness.model_version,
        new.pack_version,
        new.decide_time,
    ];
    let is_new = tx.execute(&INSERT, arguments).await? == 1;
    let label = Label {
        match_id: new.found.match_id.clone(),
        decision_id: new.decision_id.to_owned(),
        imitation: new.imitation,
        model_version: likeness.model_version.clone(),
        decide_time: Some(new.decide_time.into()),
        likeness: Some(likeness),
        ..Label::default()
    };
    Ok(is_new.then(|| told(new.label_id, label)))
}

/// Corrects what a decision said about its matches, and says it as others are told: from now on
/// another holds, which may be corrected in turn.
///
/// # Errors
/// If the statement fails.
pub async fn correct(
    tx: &mut Tx,
    decision_id: &str,
    by: &str,
    imitation: bool,
) -> Result<Vec<MatchLabelled>, DbError> {
    let corrected = tx.fetch_all(&CORRECT, args![decision_id, by, imitation]).await?;
    let mut labels = corrected.into_iter().map(Row::label).collect::<Result<Vec<_>, _>>()?;
    // In whichever order the database came to them.
    labels.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(labels.into_iter().map(|(label_id, label)| told(&label_id, label)).collect())
}

/// A label as others are told of it: what the detector is measured by, and nobody's profile.
fn told(label_id: &str, label: Label) -> MatchLabelled {
    let likeness = label.likeness.unwrap_or_default();
    let speaking = likeness.evidence.into_iter().filter(|evidence| evidence.points > 0.0);
    let mut signals: Vec<String> = speaking.map(|evidence| evidence.signal).collect();
    signals.sort_unstable();
    MatchLabelled {
        label_id: label_id.to_owned(),
        match_id: label.match_id,
        decision_id: label.decision_id,
        imitation: label.imitation,
        corrected: label.corrected,
        probability: likeness.probability,
        signals,
        model_version: label.model_version,
        decide_time: label.decide_time,
    }
}

struct Row {
    label_id: String,
    match_id: String,
    decision_id: String,
    imitation: bool,
    corrected: bool,
    snapshot: Vec<u8>,
    model_version: String,
    pack_version: i64,
    decide_time: i64,
}

kit::record!(
    Row:
    label_id, match_id, decision_id, imitation, corrected, snapshot, model_version, pack_version,
    decide_time
);

impl Row {
    /// The label and its id.
    fn label(self) -> Result<(String, Label), DbError> {
        let snapshot: Match = decode(&self.snapshot, &self.label_id)?;
        let label = Label {
            match_id: self.match_id,
            decision_id: self.decision_id,
            imitation: self.imitation,
            corrected: self.corrected,
            likeness: snapshot.likeness,
            identity: snapshot.identity,
            profile: snapshot.profile,
            model_version: self.model_version,
            pack_version: self.pack_version,
            decide_time: Some(Time::from_micros(self.decide_time).into()),
        };
        Ok((self.label_id, label))
    }
}

/// A page of labels after an id, oldest first, each with its id.
///
/// # Errors
/// If the database cannot be read.
pub async fn list(db: &Db, after: &str, limit: usize) -> Result<Vec<(String, Label)>, DbError> {
    let found: Vec<Row> = db.read().fetch_all(&LIST, args![after, rows(limit)]).await?;
    found.into_iter().map(Row::label).collect()
}

struct DriftRow {
    bucket: i32,
    confirmed: i64,
    decided: i64,
    probability: f64,
    squares: f64,
}

kit::record!(DriftRow: bucket, confirmed, decided, probability, squares);

/// By tenth of probability, what was decided from `start` until before `end`; and the mean squared
/// difference between probability and decision, 0 where nothing was decided.
///
/// # Errors
/// If the database cannot be read.
pub async fn drift(db: &Db, start: Time, end: Time) -> Result<(Vec<DriftBucket>, f64), DbError> {
    let found: Vec<DriftRow> = db.read().fetch_all(&DRIFT, args![start, end]).await?;
    let mut buckets: Vec<DriftBucket> = (0..BUCKETS)
        .map(|at| DriftBucket {
            min_probability: tenths(at),
            max_probability: tenths(at + 1),
            ..DriftBucket::default()
        })
        .collect();
    let (mut squares, mut decided) = (0.0, 0_i64);
    for row in found {
        squares += row.squares;
        decided += row.decided;
        let at = usize::try_from(row.bucket).unwrap_or_default();
        if let Some(bucket) = buckets.get_mut(at) {
            bucket.mean_probability = row.probability / float(row.decided);
            bucket.confirmed_count = row.confirmed;
            bucket.dismissed_count = row.decided - row.confirmed;
        }
    }
    let brier = if decided == 0 { 0.0 } else { squares / float(decided) };
    Ok((buckets, brier))
}

fn tenths(count: usize) -> f64 {
    float(i64::try_from(count).unwrap_or_default()) / 10.0
}

/// A count as a number to divide by: exact up to 2⁵³.
#[expect(clippy::cast_precision_loss, reason = "counts of rows stay far below 2^53")]
pub fn float(count: i64) -> f64 {
    count as f64
}
