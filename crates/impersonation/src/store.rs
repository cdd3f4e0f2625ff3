//! All SQL of this service, one file for each noun. It decides nothing.

use kit::db::Sql;

/// Every statement, for the test that prepares them on both databases.
pub static ALL: [&[&Sql]; 0] = [];
