//! Notes on cases.

use contracts::review::v1::Note;
use kit::db::{Db, DbError, Sql, Tx};
use kit::{Time, args};

static INSERT: Sql = Sql::new(
    "INSERT INTO notes (note_id, case_id, reviewer_id, text, create_time)
     VALUES ($1, $2, $3, $4, $5)",
);
static OF_CASE: Sql = Sql::new(
    "SELECT note_id, reviewer_id, text, create_time FROM notes
      WHERE case_id = $1 AND note_id > $2 ORDER BY note_id LIMIT $3",
);

pub(super) static STATEMENTS: [&Sql; 2] = [&INSERT, &OF_CASE];

struct NoteRow {
    note_id: String,
    reviewer_id: String,
    text: String,
    create_time: i64,
}

kit::record!(NoteRow: note_id, reviewer_id, text, create_time);

/// Writes a note, written at `now`.
pub async fn insert(tx: &mut Tx, note: &Note, now: Time) -> Result<(), DbError> {
    let args = args![&note.note_id, &note.case_id, &note.reviewer_id, &note.text, now];
    tx.execute(&INSERT, args).await?;
    Ok(())
}

/// The first `limit` committed notes of a case after the note `after`, oldest first.
pub async fn page(db: &Db, case_id: &str, after: &str, limit: i64) -> Result<Vec<Note>, DbError> {
    let rows: Vec<NoteRow> = db.read().fetch_all(&OF_CASE, args![case_id, after, limit]).await?;
    let note = |row: NoteRow| Note {
        note_id: row.note_id,
        case_id: case_id.to_owned(),
        reviewer_id: row.reviewer_id,
        text: row.text,
        create_time: Some(Time::from_micros(row.create_time).into()),
    };
    Ok(rows.into_iter().map(note).collect())
}
