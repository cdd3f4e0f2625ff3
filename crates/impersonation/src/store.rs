//! All SQL of this service, one file for each noun. It decides nothing: what a statement writes
//! was worked out by the pure modules.

pub mod campaigns;
pub mod claims;
pub mod cursors;
pub mod digests;
pub mod exemptions;
pub mod identities;
pub mod labels;
pub mod matches;
pub mod profiles;
pub mod settings;

use kit::args;
use kit::db::{DbError, Sql, Tx};
use serde::Serialize;

/// Sorts after every id with the prefix of three letters, in any collation: ids begin with a
/// digit up to 7.
macro_rules! id_max {
    ($prefix:literal) => {
        concat!($prefix, "_z")
    };
}
pub(crate) use id_max;

static COUNT: Sql =
    Sql::new("UPDATE counters SET value = value + $2 WHERE name = $1 RETURNING value");

/// Every statement, for the test that prepares them on both databases.
pub fn statements() -> Vec<&'static Sql> {
    let groups: [&[&'static Sql]; 11] = [
        &[&COUNT],
        &campaigns::STATEMENTS,
        &claims::STATEMENTS,
        &cursors::STATEMENTS,
        &digests::STATEMENTS,
        &exemptions::STATEMENTS,
        &identities::STATEMENTS,
        &labels::STATEMENTS,
        &matches::STATEMENTS,
        &profiles::STATEMENTS,
        &settings::STATEMENTS,
    ];
    groups.concat()
}

/// One text of a batch that narrows a statement down.
#[derive(Serialize)]
struct Key<'a> {
    k: &'a str,
}

/// The texts as rows, in order and once.
fn keys<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<Key<'a>> {
    let mut texts: Vec<&str> = texts.into_iter().collect();
    texts.sort_unstable();
    texts.dedup();
    texts.into_iter().map(|k| Key { k }).collect()
}

/// Gives out `count` numbers: answers the first.
async fn numbers(tx: &mut Tx, counter: &str, count: usize) -> Result<i64, DbError> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let (last,): (i64,) = tx.fetch_one(&COUNT, args![counter, count]).await?;
    Ok(last - count + 1)
}

/// A number of rows as SQL takes it.
pub(crate) fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A stored message.
fn decode<M: prost::Message + Default>(bytes: &[u8], of: &str) -> Result<M, DbError> {
    M::decode(bytes).map_err(|error| DbError::internal(format!("{of} does not decode: {error}")))
}

/// A number of one of the contract's enums.
fn number(stored: i64) -> i32 {
    i32::try_from(stored).unwrap_or_default()
}
