//! Walks the wire bytes of a message with its compiled rules and collects what is broken.
//!
//! Reads as decoding would: the last of several values of a singular field wins, several
//! values of a message field are merged, a member of a oneof displaces the others. Otherwise a
//! message could pass here and mean something else to the handler. What is merged, displaced or
//! not the last is decoded all the same, so that it must be well-formed by itself.

use std::collections::HashSet;

use super::check::{self, Value};
use super::model::{Checks, Element, Field, Ignore, Kind, Message, Shape, Size};
use super::place::{Segment, key_text, place};
use super::scan::{Malformed, Raw, Scanner};
use super::value::{Packed, fits, fits_kind, identity, is_zero, joined, nanos, scalar, zero};
use super::{DEPTH_MAX, VIOLATION_BYTES_MAX, VIOLATIONS_MAX, Violation};
use crate::clock::Time;

/// Every rule that the encoded message of the type at `index` breaks.
pub(super) fn walk(messages: &[Message], index: usize, bytes: &[u8], now: Time) -> Vec<Violation> {
    let mut walk = Walk::new(messages, now);
    // It stops early when the bytes make no sense or enough is found; either is in `found`.
    let _stopped = walk.message(index, bytes, 0);
    if walk.passed_over && walk.found.is_empty() {
        return walk_bytes(messages, index, bytes);
    }
    walk.found
}

/// Only what keeps the bytes from being decoded.
pub(super) fn walk_bytes(messages: &[Message], index: usize, bytes: &[u8]) -> Vec<Violation> {
    let mut walk = Walk { muted: 1, ..Walk::new(messages, Time::EPOCH) };
    let _stopped = walk.message(index, bytes, 0);
    walk.found
}

/// Nothing more is looked at.
struct Stop;

/// A value of a known field, as met on the wire.
#[derive(Clone, Copy)]
struct Seen<'b> {
    field: usize,
    /// How often the oneof had changed its member by then.
    turn: u32,
    raw: Raw<'b>,
}

struct Walk<'m> {
    messages: &'m [Message],
    now: Time,
    path: Vec<Segment<'m>>,
    found: Vec<Violation>,
    /// Of what is found.
    bytes: usize,
    /// Above zero inside a field whose rules are ignored: only the bytes are checked, those of
    /// each value.
    muted: u32,
    /// Whether there were values whose own bytes were not looked at: merged ones, displaced ones
    /// and all but the last.
    passed_over: bool,
}

impl<'m> Walk<'m> {
    fn new(messages: &'m [Message], now: Time) -> Walk<'m> {
        let (path, found) = (Vec::new(), Vec::new());
        Walk { messages, now, path, found, bytes: 0, muted: 0, passed_over: false }
    }

    fn message(&mut self, index: usize, bytes: &[u8], depth: usize) -> Result<(), Stop> {
        let messages = self.messages;
        let message = &messages[index];
        if depth > DEPTH_MAX {
            return self.malformed(Malformed::TooDeep);
        }
        let (seen, turns) = self.scan(message, bytes)?;
        let mut from = 0;
        for (index, field) in message.fields.iter().enumerate() {
            let mut to = from;
            while seen.get(to).is_some_and(|one| one.field == index) {
                to += 1;
            }
            let oneof = field.oneof.filter(|_| self.muted == 0);
            let last_turn = oneof.map_or(0, |oneof| turns[oneof].1);
            let displaced = seen[from..to].iter().take_while(|one| one.turn < last_turn).count();
            self.passed_over |= displaced > 0;
            let values = &seen[from + displaced..to];
            from = to;
            if values.is_empty() && !needs_a_look_when_absent(field) {
                continue;
            }
            self.path.push(Segment::Field(&field.name));
            self.field(field, values, depth)?;
            self.path.pop();
        }
        for (oneof, (member, _)) in message.oneofs.iter().zip(&turns) {
            if oneof.required && member.is_none() {
                self.path.push(Segment::Field(&oneof.name));
                self.add("required", "exactly one of its members must be set".to_owned())?;
                self.path.pop();
            }
        }
        Ok(())
    }

    /// The known fields' values in field order, and for each oneof its last member and how
    /// often it had changed by then.
    #[expect(clippy::type_complexity, reason = "used in one place, right above")]
    fn scan<'b>(
        &mut self,
        message: &'m Message,
        bytes: &'b [u8],
    ) -> Result<(Vec<Seen<'b>>, Vec<(Option<usize>, u32)>), Stop> {
        let mut seen: Vec<Seen<'b>> = Vec::with_capacity(message.fields.len());
        let mut turns = vec![(None, 0); message.oneofs.len()];
        let mut scanner = Scanner::new(bytes);
        loop {
            let (number, raw) = match scanner.field() {
                Ok(Some(field)) => field,
                Ok(None) => break,
                Err((number, malformed)) => {
                    let field = message.fields.iter().find(|field| field.number == number);
                    self.path.extend(field.map(|field| Segment::Field(field.name.as_str())));
                    return self.malformed(malformed);
                }
            };
            let Some(index) = find(&message.fields, number) else { continue };
            let field = &message.fields[index];
            let Some(raw) = raw.filter(|raw| fits(&field.shape, *raw)) else {
                self.path.push(Segment::Field(&field.name));
                return self.malformed(Malformed::WrongType);
            };
            let turn = field.oneof.map_or(0, |oneof| {
                let (member, turn) = &mut turns[oneof];
                if *member != Some(index) {
                    *member = Some(index);
                    *turn += 1;
                }
                *turn
            });
            seen.push(Seen { field: index, turn, raw });
        }
        // Encoders write fields in order, so that this rarely moves anything.
        if !seen.is_sorted_by_key(|one| one.field) {
            seen.sort_by_key(|one| one.field);
        }
        Ok((seen, turns))
    }

    fn field(&mut self, field: &'m Field, seen: &[Seen<'_>], depth: usize) -> Result<(), Stop> {
        let muted = u32::from(field.ignore == Ignore::Always);
        self.muted += muted;
        match &field.shape {
            Shape::One(element) => self.one(field, element, seen, depth)?,
            Shape::List { element, size, unique } => {
                let count = self.list(element, seen, *unique, depth)?;
                self.size(field, *size, count, ["repeated.min_items", "repeated.max_items"])?;
            }
            Shape::Map { key, value, size } => {
                let count = self.map(key, value, seen, depth)?;
                self.size(field, *size, count, ["map.min_pairs", "map.max_pairs"])?;
            }
        }
        self.muted -= muted;
        Ok(())
    }

    fn one(
        &mut self,
        field: &'m Field,
        element: &'m Element,
        seen: &[Seen<'_>],
        depth: usize,
    ) -> Result<(), Stop> {
        if self.muted > 0 {
            return seen.iter().try_for_each(|one| self.element(element, one.raw, depth));
        }
        self.passed_over |= seen.len() > 1;
        let bytes;
        let raw = match (element.kind, seen) {
            (_, []) if field.required => return self.required(),
            (_, []) if field.presence => return Ok(()),
            (kind, []) => zero(kind),
            (Kind::Message(_), [_, _, ..]) => {
                bytes = joined(seen.iter().map(|one| one.raw));
                Raw::Bytes(&bytes)
            }
            (_, [.., last]) => last.raw,
        };
        let is_zero = is_zero(raw);
        if is_zero && !field.presence && field.required {
            return self.required();
        }
        let ignored = is_zero && !field.presence && field.ignore == Ignore::IfZero;
        self.muted += u32::from(ignored);
        self.element(element, raw, depth)?;
        self.muted -= u32::from(ignored);
        Ok(())
    }

    /// Checks the items and says how many there are.
    fn list(
        &mut self,
        element: &'m Element,
        seen: &[Seen<'_>],
        unique: bool,
        depth: usize,
    ) -> Result<u64, Stop> {
        let mut count = 0;
        let mut known = HashSet::new();
        let mut repeats = false;
        for one in seen {
            let mut packed = Packed::new(element.kind, one.raw);
            while let Some(raw) = packed.next() {
                let raw = match raw {
                    Ok(raw) => raw,
                    Err(malformed) => return self.malformed(malformed),
                };
                self.path.push(Segment::Index(count));
                self.item(element, raw, depth)?;
                self.path.pop();
                repeats |= unique && !known.insert(identity(element.kind, raw));
                count += 1;
            }
        }
        if repeats {
            self.add("repeated.unique", "must not hold the same item twice".to_owned())?;
        }
        Ok(check::count(count))
    }

    /// Checks the entries and says how many different keys there are.
    fn map(
        &mut self,
        key: &'m Element,
        value: &'m Element,
        seen: &[Seen<'_>],
        depth: usize,
    ) -> Result<u64, Stop> {
        let mut known = HashSet::new();
        for one in seen {
            let Raw::Bytes(entry) = one.raw else { continue };
            let (mut keys, mut values) = (vec![zero(key.kind)], vec![zero(value.kind)]);
            let mut scanner = Scanner::new(entry);
            loop {
                match scanner.field() {
                    Ok(None) => break,
                    Ok(Some((1, Some(raw)))) if fits_kind(key.kind, raw) => keys.push(raw),
                    Ok(Some((2, Some(raw)))) if fits_kind(value.kind, raw) => values.push(raw),
                    Ok(Some((1 | 2, _))) => return self.malformed(Malformed::WrongType),
                    Ok(Some(_)) => {}
                    Err((_, malformed)) => return self.malformed(malformed),
                }
            }
            let last_key = keys[keys.len() - 1];
            known.insert(identity(key.kind, last_key).into_owned());
            self.path.push(Segment::Key(key_text(key.kind, last_key)));
            for (element, raws) in [(key, keys), (value, values)] {
                self.side(element, &raws, depth)?;
            }
            self.path.pop();
        }
        Ok(check::count(known.len()))
    }

    /// Checks the key or the value of a map entry, given the zero and all that were set.
    fn side(&mut self, element: &'m Element, raws: &[Raw<'_>], depth: usize) -> Result<(), Stop> {
        if self.muted > 0 {
            return raws.iter().try_for_each(|raw| self.element(element, *raw, depth));
        }
        self.passed_over |= raws.len() > 2;
        match (element.kind, raws) {
            (Kind::Message(_), [_, _, _, ..]) => {
                self.item(element, Raw::Bytes(&joined(raws.iter().copied())), depth)
            }
            (_, [.., last]) => self.item(element, *last, depth),
            (_, []) => Ok(()),
        }
    }

    /// Checks an item of a list or a side of a map entry.
    fn item(&mut self, element: &'m Element, raw: Raw<'_>, depth: usize) -> Result<(), Stop> {
        let ignored =
            element.ignore == Ignore::Always || element.ignore == Ignore::IfZero && is_zero(raw);
        self.muted += u32::from(ignored);
        self.element(element, raw, depth)?;
        self.muted -= u32::from(ignored);
        Ok(())
    }

    fn size(
        &mut self,
        field: &Field,
        size: Size,
        count: u64,
        [min_id, max_id]: [&'static str; 2],
    ) -> Result<(), Stop> {
        if count == 0 && field.required {
            return self.required();
        }
        if count == 0 && field.ignore == Ignore::IfZero {
            return Ok(());
        }
        if let Some(min) = size.min.filter(|min| count < *min) {
            self.add(min_id, format!("must hold at least {min}, holds {count}"))?;
        }
        if let Some(max) = size.max.filter(|max| count > *max) {
            self.add(max_id, format!("must hold at most {max}, holds {count}"))?;
        }
        Ok(())
    }

    fn element(&mut self, element: &'m Element, raw: Raw<'_>, depth: usize) -> Result<(), Stop> {
        let value = match (element.kind, raw) {
            (Kind::String, Raw::Bytes(bytes)) => {
                let Ok(text) = std::str::from_utf8(bytes) else {
                    return self.add_always("string.utf8", "must be valid UTF-8");
                };
                if bytes.contains(&0) {
                    return self.add_always("string.nul", "must not contain a NUL character");
                }
                Value::String(text)
            }
            (Kind::Message(index), Raw::Bytes(bytes)) => {
                self.message(index, bytes, depth + 1)?;
                match element.checks {
                    Checks::Duration { .. } | Checks::Timestamp(_) => Value::Nanos(nanos(bytes)),
                    _ => return Ok(()),
                }
            }
            (kind, raw) => scalar(kind, raw),
        };
        if self.muted > 0 || matches!(element.checks, Checks::None) {
            return Ok(());
        }
        let mut broken = Vec::new();
        check::check(&element.checks, value, self.now, &mut |rule, description| {
            broken.push((rule, description));
        });
        broken.into_iter().try_for_each(|(rule, description)| self.add(rule, description))
    }

    fn required(&mut self) -> Result<(), Stop> {
        self.add("required", "must be set".to_owned())
    }

    fn malformed<T>(&mut self, malformed: Malformed) -> Result<T, Stop> {
        self.add_always("wire", malformed.describe())?;
        Err(Stop)
    }

    fn add(&mut self, rule: &'static str, description: String) -> Result<(), Stop> {
        if self.muted > 0 {
            return Ok(());
        }
        let field = place(&self.path);
        self.bytes += field.len() + rule.len() + description.len();
        self.found.push(Violation { field, rule, description });
        let full = self.found.len() >= VIOLATIONS_MAX || self.bytes >= VIOLATION_BYTES_MAX;
        if full { Err(Stop) } else { Ok(()) }
    }

    /// What makes the bytes undecodable is found inside ignored fields, too.
    fn add_always(&mut self, rule: &'static str, description: &str) -> Result<(), Stop> {
        let muted = std::mem::take(&mut self.muted);
        let result = self.add(rule, description.to_owned());
        self.muted = muted;
        result
    }
}

/// Whether a field that is not there can break a rule.
fn needs_a_look_when_absent(field: &Field) -> bool {
    let has_checks = match &field.shape {
        Shape::One(element) => !field.presence && !matches!(element.checks, Checks::None),
        Shape::List { size, .. } | Shape::Map { size, .. } => size.min.is_some(),
    };
    field.required || has_checks
}

/// The index of a field: numbers mostly run from one without gaps.
fn find(fields: &[Field], number: u32) -> Option<usize> {
    let guess = usize::try_from(number).ok()?.checked_sub(1)?;
    if fields.get(guess).is_some_and(|field| field.number == number) {
        return Some(guess);
    }
    fields.binary_search_by_key(&number, |field| field.number).ok()
}
