//! The compiled form of the rules: what the walk looks at, nothing of descriptors or wire.

use regex::Regex;

use super::range::Range;

/// A message type.
#[derive(Debug)]
pub(super) struct Message {
    /// The full name.
    pub name: String,
    /// Sorted by number.
    pub fields: Vec<Field>,
    /// The oneofs that the proto spells out.
    pub oneofs: Vec<Oneof>,
}

/// A oneof and whether one of its members must be set.
#[derive(Debug)]
pub(super) struct Oneof {
    pub name: String,
    pub required: bool,
}

/// A field of a message.
#[derive(Debug)]
pub(super) struct Field {
    pub number: u32,
    pub name: String,
    /// Whether "unset" differs from "zero".
    pub presence: bool,
    pub required: bool,
    pub ignore: Ignore,
    /// The oneof that it is a member of.
    pub oneof: Option<usize>,
    pub shape: Shape,
}

/// When rules are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ignore {
    #[default]
    Never,
    IfZero,
    Always,
}

/// How often a field's value occurs.
#[derive(Debug)]
pub(super) enum Shape {
    One(Element),
    List { element: Element, size: Size, unique: bool },
    Map { key: Box<Element>, value: Element, size: Size },
}

/// How many items or entries there may be.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Size {
    pub min: Option<u64>,
    pub max: Option<u64>,
}

/// A single value, a list item, a map key or a map value.
#[derive(Debug)]
pub(super) struct Element {
    pub kind: Kind,
    pub checks: Checks,
    /// For list items, map keys and values; a field has its own.
    pub ignore: Ignore,
}

/// The wire form of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    Enum,
    String,
    Bytes,
    /// The message type at this index.
    Message(usize),
}

/// What must hold for a value.
#[derive(Debug)]
pub(super) enum Checks {
    None,
    Int(IntChecks),
    Double {
        range: Range<f64>,
        constant: Option<f64>,
        finite: bool,
    },
    Bool {
        constant: bool,
    },
    String(Box<StringChecks>),
    Bytes {
        len: Option<u64>,
        min: Option<u64>,
        max: Option<u64>,
        prefix: Option<Vec<u8>>,
    },
    Enum(EnumChecks),
    /// Bounds in nanoseconds.
    Duration {
        range: Range<i128>,
    },
    Timestamp(TimestampChecks),
}

/// Bounds of a whole number of any width.
#[derive(Debug)]
pub(super) struct IntChecks {
    pub ids: &'static IntIds,
    pub range: Range<i128>,
    pub constant: Option<i128>,
    pub one_of: Vec<i128>,
    pub none_of: Vec<i128>,
}

/// The ids of the rules of one width, other than its bounds'.
#[derive(Debug)]
pub(super) struct IntIds {
    pub constant: &'static str,
    pub one_of: &'static str,
    pub none_of: &'static str,
}

/// What a string must look like. Lengths in code points unless named bytes.
#[derive(Debug, Default)]
pub(super) struct StringChecks {
    pub constant: Option<String>,
    pub len: Option<u64>,
    pub min_len: Option<u64>,
    pub max_len: Option<u64>,
    pub min_bytes: Option<u64>,
    pub max_bytes: Option<u64>,
    pub pattern: Option<Regex>,
    pub prefix: Option<String>,
    pub suffix: Option<String>,
    pub contains: Option<String>,
    pub not_contains: Option<String>,
    pub one_of: Vec<String>,
    pub none_of: Vec<String>,
    pub uuid: bool,
}

/// Which numbers an enum field may hold.
#[derive(Debug, Default)]
pub(super) struct EnumChecks {
    pub constant: Option<i32>,
    /// The numbers that the enum defines, sorted, if no others are allowed.
    pub defined: Option<Vec<i32>>,
    pub one_of: Vec<i32>,
    pub none_of: Vec<i32>,
}

/// Bounds of a point in time, in nanoseconds since the epoch.
#[derive(Debug)]
pub(super) struct TimestampChecks {
    pub range: Range<i128>,
    pub before_now: bool,
    pub after_now: bool,
    pub within: Option<i128>,
}
