//! The contracts: Rust types, clients and servers generated from `proto/`, and the descriptors that
//! reflection, authorisation and validation read. Nothing here is written by hand beside this file.

/// The encoded `FileDescriptorSet` of every contract, custom options included.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor_set.bin"));

#[allow(missing_docs, clippy::all, clippy::pedantic)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/_includes.rs"));
}

pub use generated::recourse::{
    accounthealth, appeals, errors, impersonation, insights, options, policy, reports, review,
    types,
};
