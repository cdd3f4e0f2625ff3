//! All SQL of this service. It must not decide anything: what a statement writes was worked out
//! by the pure modules, from rows that were locked here.

pub mod case;
pub mod claim;
pub mod decision;
pub mod impersonation;
pub mod intake;
pub mod list;
pub mod note;
pub mod reviewer;
mod row;

use kit::db::Sql;

/// Every statement, for the test that prepares them on both databases.
pub fn statements() -> Vec<&'static Sql> {
    let groups: [&[&'static Sql]; 8] = [
        &case::STATEMENTS,
        &claim::STATEMENTS,
        &decision::STATEMENTS,
        &impersonation::STATEMENTS,
        &intake::STATEMENTS,
        &list::STATEMENTS,
        &note::STATEMENTS,
        &reviewer::STATEMENTS,
    ];
    groups.concat()
}
