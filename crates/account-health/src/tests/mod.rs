//! Tests of the pure domain by table and by property; of store, follower, sweep and RPCs over
//! both databases.

mod account;
mod build;
mod database;
mod history;
mod properties;
mod rpc;
mod stage;
mod standing;
mod statement;
mod wire;
