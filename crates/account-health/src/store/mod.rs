//! All SQL of this service, by noun. It knows rows; what they mean is the domain's.

pub mod accounts;
pub mod activations;
pub mod entries;
pub mod statements;

use kit::db::Sql;
use serde::Serialize;

/// Every statement of this service, for the test that prepares them on both databases.
pub fn all() -> Vec<&'static Sql> {
    let nouns: [&[&'static Sql]; 4] =
        [accounts::ALL, activations::ALL, entries::ALL, statements::ALL];
    nouns.concat()
}

/// Ids as the one JSON parameter of a statement.
#[derive(Serialize)]
struct Key<'a> {
    id: &'a str,
}

fn keys<'a>(ids: impl IntoIterator<Item = &'a str>) -> kit::db::Arg {
    let keys: Vec<Key<'a>> = ids.into_iter().map(|id| Key { id }).collect();
    kit::db::json(&keys)
}
