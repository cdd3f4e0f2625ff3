//! What a value on the wire is, given the kind of its field.

use std::borrow::Cow;

use super::check::Value;
use super::model::{Kind, Shape};
use super::scan::{Malformed, Raw, Scanner};

/// Nanoseconds in a second.
const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// Whether a value on the wire may be one of the field's.
pub(super) fn fits(shape: &Shape, raw: Raw<'_>) -> bool {
    match shape {
        Shape::One(element) => fits_kind(element.kind, raw),
        Shape::List { element, .. } => {
            // Any bytes may be a packed list, whatever the proto says of packing.
            fits_kind(element.kind, raw) || matches!(raw, Raw::Bytes(_))
        }
        Shape::Map { .. } => matches!(raw, Raw::Bytes(_)),
    }
}

pub(super) fn fits_kind(kind: Kind, raw: Raw<'_>) -> bool {
    matches!(
        (zero(kind), raw),
        (Raw::Varint(_), Raw::Varint(_))
            | (Raw::Fixed64(_), Raw::Fixed64(_))
            | (Raw::Fixed32(_), Raw::Fixed32(_))
            | (Raw::Bytes(_), Raw::Bytes(_))
    )
}

/// The zero value as it would stand on the wire.
pub(super) fn zero(kind: Kind) -> Raw<'static> {
    match kind {
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => Raw::Fixed64(0),
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => Raw::Fixed32(0),
        Kind::String | Kind::Bytes | Kind::Message(_) => Raw::Bytes(&[]),
        _ => Raw::Varint(0),
    }
}

pub(super) fn is_zero(raw: Raw<'_>) -> bool {
    match raw {
        Raw::Varint(bits) | Raw::Fixed64(bits) => bits == 0,
        Raw::Fixed32(bits) => bits == 0,
        Raw::Bytes(bytes) => bytes.is_empty(),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "protobuf cuts a wide varint to the type")]
#[expect(clippy::cast_possible_wrap, reason = "protobuf stores negative numbers so")]
pub(super) fn scalar(kind: Kind, raw: Raw<'_>) -> Value<'_> {
    match (kind, raw) {
        (Kind::Bool, Raw::Varint(bits)) => Value::Bool(bits != 0),
        (Kind::Enum, Raw::Varint(bits)) => Value::Enum(bits as i32),
        (Kind::Int32, Raw::Varint(bits)) => Value::Int(i128::from(bits as i32)),
        (Kind::Int64, Raw::Varint(bits)) => Value::Int(i128::from(bits as i64)),
        (Kind::Uint32, Raw::Varint(bits)) => Value::Int(i128::from(bits as u32)),
        (Kind::Sint32 | Kind::Sint64, Raw::Varint(bits)) => {
            Value::Int(i128::from((bits >> 1) as i64 ^ -((bits & 1) as i64)))
        }
        (Kind::Double, Raw::Fixed64(bits)) => Value::Double(f64::from_bits(bits)),
        (Kind::Float, Raw::Fixed32(bits)) => Value::Double(f64::from(f32::from_bits(bits))),
        (Kind::Sfixed64, Raw::Fixed64(bits)) => Value::Int(i128::from(bits as i64)),
        (Kind::Sfixed32, Raw::Fixed32(bits)) => Value::Int(i128::from(bits as i32)),
        (_, Raw::Varint(bits) | Raw::Fixed64(bits)) => Value::Int(i128::from(bits)),
        (_, Raw::Fixed32(bits)) => Value::Int(i128::from(bits)),
        (_, Raw::Bytes(bytes)) => Value::Bytes(bytes),
    }
}

/// Bytes that are equal exactly for equal values.
pub(super) fn identity<'b>(kind: Kind, raw: Raw<'b>) -> Cow<'b, [u8]> {
    match scalar(kind, raw) {
        Value::Bytes(bytes) => Cow::Borrowed(bytes),
        Value::Int(number) => Cow::Owned(number.to_le_bytes().to_vec()),
        Value::Enum(number) => Cow::Owned(number.to_le_bytes().to_vec()),
        Value::Bool(yes) => Cow::Owned(vec![u8::from(yes)]),
        // Adding zero makes one of the two zeroes.
        Value::Double(number) => Cow::Owned((number + 0.0).to_le_bytes().to_vec()),
        Value::String(_) | Value::Nanos(_) => Cow::Borrowed(&[]),
    }
}

/// Several encodings of a message one after the other are the encoding of their merger.
pub(super) fn joined<'b>(parts: impl Iterator<Item = Raw<'b>>) -> Vec<u8> {
    parts.fold(Vec::new(), |mut all, part| {
        if let Raw::Bytes(bytes) = part {
            all.extend_from_slice(bytes);
        }
        all
    })
}

/// The nanoseconds of a Duration or Timestamp message.
pub(super) fn nanos(bytes: &[u8]) -> i128 {
    let (mut seconds, mut nanos) = (0, 0);
    let mut scanner = Scanner::new(bytes);
    while let Ok(Some((number, raw))) = scanner.field() {
        match (number, raw.map(|raw| scalar(Kind::Int64, raw))) {
            (1, Some(Value::Int(value))) => seconds = value,
            (2, Some(Value::Int(value))) => nanos = value,
            _ => {}
        }
    }
    seconds * NANOS_PER_SECOND + nanos
}

/// The items of one occurrence of a list field: itself, or what is packed into it.
pub(super) enum Packed<'b> {
    Single(Option<Raw<'b>>),
    Run(Kind, Scanner<'b>),
}

impl<'b> Packed<'b> {
    pub fn new(kind: Kind, raw: Raw<'b>) -> Packed<'b> {
        match raw {
            Raw::Bytes(bytes) if !fits_kind(kind, raw) => Packed::Run(kind, Scanner::new(bytes)),
            _ => Packed::Single(Some(raw)),
        }
    }

    pub fn next(&mut self) -> Option<Result<Raw<'b>, Malformed>> {
        match self {
            Packed::Single(raw) => raw.take().map(Ok),
            Packed::Run(_, scanner) if scanner.is_at_end() => None,
            Packed::Run(kind, scanner) => Some(match zero(*kind) {
                Raw::Fixed64(_) => scanner.fixed64().map(Raw::Fixed64),
                Raw::Fixed32(_) => scanner.fixed32().map(Raw::Fixed32),
                _ => scanner.varint().map(Raw::Varint),
            }),
        }
    }
}
