//! What the tests of all crates share. A dev-dependency only; it knows no domain noun.

pub mod database;
pub mod db;
pub mod receipt;
