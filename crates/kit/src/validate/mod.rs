//! Enforces the `buf.validate` rules that stand beside the fields in the protos.
//!
//! Rules are compiled once, from the descriptors; a rule that the interpreter does not know is
//! an error at start-up, never a rule that is silently not enforced. A message is checked on
//! its wire bytes, without building it, and all its violations are collected. Presence follows
//! protovalidate: a rule on a field without presence always applies, unless the field says
//! `ignore = IGNORE_IF_ZERO_VALUE`; on a field with presence it applies when the field is set.
//!
//! Knows nothing of requests, callers or any message by name.

mod check;
mod compile;
mod model;
mod place;
mod range;
mod scan;
mod value;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use prost_reflect::DescriptorPool;

use crate::clock::Time;
use crate::error::Error;

/// Violations named in one answer, at most; the walk stops there.
pub const VIOLATIONS_MAX: usize = 32;

/// Bytes of all violations of one answer, after which the walk stops, too. An answer with its
/// details must fit the 8 KiB of headers that clients accept.
pub const VIOLATION_BYTES_MAX: usize = 4 << 10;

/// Messages inside one another, at most; what decoding allows, too.
pub const DEPTH_MAX: usize = 100;

/// One rule broken by one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field: `evidence[2].uri`, `labels["en"]`. Empty for the message itself.
    pub field: String,
    /// Id of the rule as protovalidate names it: `string.max_len`, `required`. Our own are
    /// `wire` (bytes that are no protobuf), `string.utf8` and `string.nul`.
    pub rule: &'static str,
    /// What must hold, for people: `must be at most 64 characters`.
    pub description: String,
}

/// The compiled rules of every message of a descriptor set. Cheap to clone.
#[derive(Clone)]
pub struct Rules {
    messages: Arc<Vec<model::Message>>,
    by_name: Arc<HashMap<String, usize>>,
}

impl Rules {
    /// Compiles the rules of all messages.
    ///
    /// # Errors
    /// All rules that cannot be enforced, each with its field.
    pub fn compile(pool: &DescriptorPool) -> Result<Rules, Vec<String>> {
        let (messages, by_name) = compile::compile(pool)?;
        Ok(Rules { messages: Arc::new(messages), by_name: Arc::new(by_name) })
    }

    /// The rules of one message, by its full name; `None` if there is no such message.
    pub fn message(&self, full_name: &str) -> Option<MessageRules> {
        let index = *self.by_name.get(full_name)?;
        Some(MessageRules { rules: self.clone(), index })
    }
}

/// The compiled rules of one message and of all that it contains. Cheap to clone.
#[derive(Clone)]
pub struct MessageRules {
    rules: Rules,
    index: usize,
}

impl MessageRules {
    /// Every rule that the encoded message breaks, up to [`VIOLATIONS_MAX`]. `now` is what
    /// `lt_now` and its like compare with.
    pub fn violations(&self, message: &[u8], now: Time) -> Vec<Violation> {
        walk::walk(&self.rules.messages, self.index, message, now)
    }

    /// Checks an encoded message.
    ///
    /// # Errors
    /// INVALID_ARGUMENT, reason INVALID_REQUEST, naming every violation.
    pub fn check_bytes(&self, message: &[u8], now: Time) -> Result<(), Error> {
        collected(self.violations(message, now))
    }

    /// Checks only that the message can be decoded: whole fields of the right types, strings
    /// of UTF-8 without NUL.
    ///
    /// # Errors
    /// INVALID_ARGUMENT, reason INVALID_REQUEST, naming what cannot.
    pub fn check_decodable(&self, message: &[u8]) -> Result<(), Error> {
        collected(walk::walk_bytes(&self.rules.messages, self.index, message))
    }

    /// Checks a decoded message: an item of a request stream, or one read from a file. Costs
    /// an encoding; what came as a unary request is checked already.
    ///
    /// # Errors
    /// INVALID_ARGUMENT, reason INVALID_REQUEST, naming every violation.
    pub fn check(&self, message: &impl prost::Message, now: Time) -> Result<(), Error> {
        self.check_bytes(&message.encode_to_vec(), now)
    }
}

fn collected(violations: Vec<Violation>) -> Result<(), Error> {
    let error = violations.into_iter().fold(Error::invalid_request(), |error, violation| {
        error.and_invalid_rule(violation.field, violation.description, violation.rule)
    });
    error.if_any_invalid()
}

impl std::fmt::Debug for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rules({} messages)", self.messages.len())
    }
}

impl std::fmt::Debug for MessageRules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MessageRules({})", self.rules.messages[self.index].name)
    }
}
