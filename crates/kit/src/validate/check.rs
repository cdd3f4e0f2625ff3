//! Holds one value against its rules.

use super::model::{Checks, EnumChecks, IntChecks, StringChecks, TimestampChecks};
use super::range::Seconds;
use crate::clock::Time;

/// Nanoseconds in a microsecond.
const NANOS_PER_MICRO: i128 = 1_000;

/// A value, decoded as far as its rules need.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Int(i128),
    Double(f64),
    Bool(bool),
    Enum(i32),
    String(&'a str),
    Bytes(&'a [u8]),
    /// A Duration or Timestamp message, in nanoseconds.
    Nanos(i128),
}

/// Calls `broken(rule id, what must hold)` for each rule that the value breaks. A value of
/// another type than the rules' breaks none: compilation has matched them.
pub(super) fn check(
    checks: &Checks,
    value: Value<'_>,
    now: Time,
    broken: &mut dyn FnMut(&'static str, String),
) {
    match (checks, value) {
        (Checks::Int(checks), Value::Int(value)) => int(checks, value, broken),
        (Checks::Double { range, constant, finite }, Value::Double(value)) => {
            if let Some(constant) = constant.filter(|constant| *constant != value) {
                broken("double.const", format!("must be {constant}"));
            }
            if let Some(id) = range.broken_by(value) {
                broken(id, range.describe(|bound| bound));
            }
            if *finite && !value.is_finite() {
                broken("double.finite", "must be finite".to_owned());
            }
        }
        (Checks::Bool { constant }, Value::Bool(value)) if *constant != value => {
            broken("bool.const", format!("must be {constant}"));
        }
        (Checks::String(checks), Value::String(value)) => string(checks, value, broken),
        (Checks::Bytes { len, min, max, prefix }, Value::Bytes(value)) => {
            let count = count(value.len());
            length("bytes", [*len, *min, *max], count, "bytes", broken);
            if prefix.as_ref().is_some_and(|prefix| !value.starts_with(prefix)) {
                broken("bytes.prefix", "must begin with the prefix in the proto".to_owned());
            }
        }
        (Checks::Enum(checks), Value::Enum(value)) => enumeration(checks, value, broken),
        (Checks::Duration { range }, Value::Nanos(value)) => {
            if let Some(id) = range.broken_by(value) {
                broken(id, range.describe(Seconds));
            }
        }
        (Checks::Timestamp(checks), Value::Nanos(value)) => timestamp(checks, value, now, broken),
        _ => {}
    }
}

fn int(checks: &IntChecks, value: i128, broken: &mut dyn FnMut(&'static str, String)) {
    if let Some(constant) = checks.constant.filter(|constant| *constant != value) {
        broken(checks.ids.constant, format!("must be {constant}"));
    }
    if let Some(id) = checks.range.broken_by(value) {
        broken(id, checks.range.describe(|bound| bound));
    }
    if !checks.one_of.is_empty() && !checks.one_of.contains(&value) {
        broken(checks.ids.one_of, format!("must be one of {:?}", checks.one_of));
    }
    if checks.none_of.contains(&value) {
        broken(checks.ids.none_of, format!("must be none of {:?}", checks.none_of));
    }
}

fn enumeration(checks: &EnumChecks, value: i32, broken: &mut dyn FnMut(&'static str, String)) {
    if let Some(constant) = checks.constant.filter(|constant| *constant != value) {
        broken("enum.const", format!("must be {constant}"));
    }
    if checks.defined.as_ref().is_some_and(|defined| defined.binary_search(&value).is_err()) {
        broken("enum.defined_only", "must be a value that the enum defines".to_owned());
    }
    if !checks.one_of.is_empty() && !checks.one_of.contains(&value) {
        broken("enum.in", format!("must be one of {:?}", checks.one_of));
    }
    if checks.none_of.contains(&value) {
        let description = match (value, checks.none_of.as_slice()) {
            (0, [0]) => "must be specified".to_owned(),
            (_, none_of) => format!("must be none of {none_of:?}"),
        };
        broken("enum.not_in", description);
    }
}

fn string(checks: &StringChecks, value: &str, broken: &mut dyn FnMut(&'static str, String)) {
    if checks.constant.as_ref().is_some_and(|constant| constant != value) {
        broken("string.const", format!("must be {:?}", checks.constant.as_deref().unwrap_or("")));
    }
    let lengths = [checks.len, checks.min_len, checks.max_len];
    if lengths.iter().any(Option::is_some) {
        length("string", lengths, count(value.chars().count()), "characters", broken);
    }
    let bytes = count(value.len());
    if let Some(min) = checks.min_bytes.filter(|min| bytes < *min) {
        broken("string.min_bytes", format!("must be at least {min} bytes"));
    }
    if let Some(max) = checks.max_bytes.filter(|max| bytes > *max) {
        broken("string.max_bytes", format!("must be at most {max} bytes"));
    }
    if let Some(pattern) = checks.pattern.as_ref().filter(|pattern| !pattern.is_match(value)) {
        broken("string.pattern", format!("must match {pattern}"));
    }
    if let Some(prefix) = checks.prefix.as_ref().filter(|part| !value.starts_with(*part)) {
        broken("string.prefix", format!("must begin with {prefix:?}"));
    }
    if let Some(suffix) = checks.suffix.as_ref().filter(|part| !value.ends_with(*part)) {
        broken("string.suffix", format!("must end with {suffix:?}"));
    }
    if let Some(part) = checks.contains.as_ref().filter(|part| !value.contains(*part)) {
        broken("string.contains", format!("must contain {part:?}"));
    }
    if let Some(part) = checks.not_contains.as_ref().filter(|part| value.contains(*part)) {
        broken("string.not_contains", format!("must not contain {part:?}"));
    }
    if !checks.one_of.is_empty() && !checks.one_of.iter().any(|one| one == value) {
        broken("string.in", format!("must be one of {:?}", checks.one_of));
    }
    if checks.none_of.iter().any(|one| one == value) {
        broken("string.not_in", format!("must be none of {:?}", checks.none_of));
    }
    if checks.uuid && value.is_empty() {
        broken("string.uuid_empty", "must be a UUID, not empty".to_owned());
    } else if checks.uuid && !is_uuid(value) {
        broken("string.uuid", "must be a UUID in its 36-character form".to_owned());
    }
}

/// `[exactly, at least, at most]` of strings and bytes.
fn length(
    of: &str,
    [len, min, max]: [Option<u64>; 3],
    count: u64,
    unit: &str,
    broken: &mut dyn FnMut(&'static str, String),
) {
    let ids = match of {
        "string" => ["string.len", "string.min_len", "string.max_len"],
        _ => ["bytes.len", "bytes.min_len", "bytes.max_len"],
    };
    if let Some(len) = len.filter(|len| count != *len) {
        broken(ids[0], format!("must be {len} {unit}"));
    }
    if let Some(min) = min.filter(|min| count < *min) {
        broken(ids[1], format!("must be at least {min} {unit}"));
    }
    if let Some(max) = max.filter(|max| count > *max) {
        broken(ids[2], format!("must be at most {max} {unit}"));
    }
}

fn timestamp(
    checks: &TimestampChecks,
    value: i128,
    now: Time,
    broken: &mut dyn FnMut(&'static str, String),
) {
    if let Some(id) = checks.range.broken_by(value) {
        broken(id, checks.range.describe(|bound| format!("{} after 1970", Seconds(bound))));
    }
    let now = i128::from(now.micros()) * NANOS_PER_MICRO;
    if checks.before_now && value >= now {
        broken("timestamp.lt_now", "must be in the past".to_owned());
    }
    if checks.after_now && value <= now {
        broken("timestamp.gt_now", "must be in the future".to_owned());
    }
    if let Some(within) = checks.within.filter(|within| (value - now).abs() > *within) {
        broken("timestamp.within", format!("must be within {} of now", Seconds(within)));
    }
}

/// Eight, four, four, four and twelve hexadecimal digits with hyphens between.
fn is_uuid(value: &str) -> bool {
    value.len() == 36
        && value.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// A length as the rules count it.
pub(super) fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
