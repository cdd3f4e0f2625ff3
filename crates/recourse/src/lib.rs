//! The one binary of the suite as a library: the suite in one process, the demo, the replay, the
//! policy commands and the detector's laboratory.
//!
//! It wires services and calls them; it must hold no rule of the domain and no SQL.

pub mod board;
pub mod caller;
pub mod cli;
pub mod config;
pub mod databases;
pub mod demo;
pub mod lab;
pub mod labels;
pub mod packs;
pub mod pictures;
pub mod proofs;
pub mod replay;
pub mod suite;
