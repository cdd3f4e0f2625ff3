//! Compiles the rules out of the descriptors, and refuses what it cannot enforce.

use std::collections::HashMap;

use prost_reflect::{
    DescriptorPool, DynamicMessage, ExtensionDescriptor, FieldDescriptor, MessageDescriptor, Value,
};
use regex::Regex;

use super::model::{
    Checks, Element, EnumChecks, Field, Ignore, IntChecks, IntIds, Kind, Message, Oneof, Shape,
    Size, StringChecks, TimestampChecks,
};
use super::range::{self, Range, RangeIds};

/// Number of the `buf.validate` extensions, on every kind of options.
const EXTENSION_NUMBER: u32 = 1159;
/// Nanoseconds in a second.
const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// The ids of the rules of one width.
macro_rules! int_ids {
    ($name:literal) => {{
        static IDS: IntIds = IntIds {
            constant: concat!($name, ".const"),
            one_of: concat!($name, ".in"),
            none_of: concat!($name, ".not_in"),
        };
        &IDS
    }};
}

type Compiled = (Vec<Message>, HashMap<String, usize>);

/// Compiles the rules of all messages of the pool.
pub(super) fn compile(pool: &DescriptorPool) -> Result<Compiled, Vec<String>> {
    let by_name: HashMap<String, usize> = pool
        .all_messages()
        .enumerate()
        .map(|(index, message)| (message.full_name().to_owned(), index))
        .collect();
    let mut compiler = Compiler {
        field_rules: pool.get_extension_by_name("buf.validate.field"),
        oneof_rules: pool.get_extension_by_name("buf.validate.oneof"),
        by_name: &by_name,
        mistakes: Vec::new(),
    };
    let messages = pool.all_messages().map(|message| compiler.message(&message)).collect();
    let mistakes = compiler.mistakes;
    if mistakes.is_empty() { Ok((messages, by_name)) } else { Err(mistakes) }
}

struct Compiler<'p> {
    field_rules: Option<ExtensionDescriptor>,
    oneof_rules: Option<ExtensionDescriptor>,
    by_name: &'p HashMap<String, usize>,
    mistakes: Vec<String>,
}

impl Compiler<'_> {
    fn message(&mut self, message: &MessageDescriptor) -> Message {
        if has_rules(&message.options(), None) {
            self.mistake(message.full_name(), "rules on a whole message are not supported");
        }
        let real: Vec<_> = message.oneofs().filter(|oneof| !is_synthetic(oneof)).collect();
        let mut fields: Vec<Field> = Vec::new();
        for field in message.fields() {
            let oneof = field.containing_oneof();
            let index = oneof.and_then(|oneof| real.iter().position(|one| *one == oneof));
            fields.push(self.field(&field, index));
        }
        fields.sort_by_key(|field| field.number);
        let oneofs = real
            .iter()
            .map(|oneof| {
                let rules = self.rules(&oneof.options(), self.oneof_rules.clone());
                let mut rules = RuleSet::new(oneof.full_name(), rules);
                let required = rules.bool("required");
                self.mistakes.extend(rules.unknown());
                Oneof { name: oneof.name().to_owned(), required }
            })
            .collect();
        Message { name: message.full_name().to_owned(), fields, oneofs }
    }

    fn field(&mut self, field: &FieldDescriptor, oneof: Option<usize>) -> Field {
        let place = field.full_name();
        if !has_rules(&field.options(), self.field_rules.as_ref()) {
            let unknown = field.options().unknown_fields().any(|f| f.number() == EXTENSION_NUMBER);
            if unknown {
                self.mistake(place, "its file does not import buf/validate/validate.proto");
            }
        }
        let rules = self.rules(&field.options(), self.field_rules.clone());
        let mut rules = RuleSet::new(place, rules);
        let required = rules.bool("required");
        let ignore = rules.ignore();
        let shape = if field.is_map() {
            self.map(field, &mut rules)
        } else if field.is_list() {
            self.list(field, &mut rules)
        } else {
            let checks = self.checks(field, &mut rules);
            Shape::One(Element { kind: self.kind(field), checks, ignore: Ignore::Never })
        };
        self.mistakes.extend(rules.unknown());
        Field {
            number: field.number(),
            name: field.name().to_owned(),
            presence: field.supports_presence(),
            required,
            ignore,
            oneof,
            shape,
        }
    }

    fn list(&mut self, field: &FieldDescriptor, rules: &mut RuleSet) -> Shape {
        let mut list = rules.sub("repeated");
        let size = Size { min: list.uint("min_items"), max: list.uint("max_items") };
        let unique = list.bool("unique");
        let element = self.element(field, list.sub("items"));
        if unique && matches!(element.kind, Kind::Message(_)) {
            self.mistake(field.full_name(), "`unique` is for scalar and enum items only");
        }
        self.mistakes.extend(list.unknown());
        Shape::List { element, size, unique }
    }

    fn map(&mut self, field: &FieldDescriptor, rules: &mut RuleSet) -> Shape {
        let mut map = rules.sub("map");
        let size = Size { min: map.uint("min_pairs"), max: map.uint("max_pairs") };
        let kind = field.kind();
        let (Some(entry), keys, values) = (kind.as_message(), map.sub("keys"), map.sub("values"))
        else {
            unreachable!("a map field's type is its entry message");
        };
        let key = Box::new(self.element(&entry.map_entry_key_field(), keys));
        let value = self.element(&entry.map_entry_value_field(), values);
        self.mistakes.extend(map.unknown());
        Shape::Map { key, value, size }
    }

    /// A list item, map key or map value with rules of its own.
    fn element(&mut self, field: &FieldDescriptor, mut rules: RuleSet) -> Element {
        let ignore = rules.ignore();
        let checks = self.checks(field, &mut rules);
        self.mistakes.extend(rules.unknown());
        Element { kind: self.kind(field), checks, ignore }
    }

    /// The rules proper to the type. Rules of another type stay unread, hence a mistake.
    fn checks(&mut self, field: &FieldDescriptor, rules: &mut RuleSet) -> Checks {
        use prost_reflect::Kind as Type;
        let name = match field.kind() {
            Type::Double => "double",
            Type::Int32 => "int32",
            Type::Int64 => "int64",
            Type::Uint32 => "uint32",
            Type::Uint64 => "uint64",
            Type::Bool => "bool",
            Type::String => "string",
            Type::Bytes => "bytes",
            Type::Enum(_) => "enum",
            Type::Message(message) => match message.full_name() {
                "google.protobuf.Duration" => "duration",
                "google.protobuf.Timestamp" => "timestamp",
                _ => return Checks::None,
            },
            _ => return Checks::None,
        };
        let mut typed = rules.sub(name);
        if typed.message.is_none() {
            return Checks::None;
        }
        let checks = match name {
            "double" => Checks::Double {
                range: typed.range(&range::DOUBLE, Value::as_f64),
                constant: typed.take("const").and_then(|value| value.as_f64()),
                finite: typed.bool("finite"),
            },
            "int32" => typed.int(&range::INT32, int_ids!("int32")),
            "int64" => typed.int(&range::INT64, int_ids!("int64")),
            "uint32" => typed.int(&range::UINT32, int_ids!("uint32")),
            "uint64" => typed.int(&range::UINT64, int_ids!("uint64")),
            "bool" => match typed.take("const").and_then(|value| value.as_bool()) {
                Some(constant) => Checks::Bool { constant },
                None => Checks::None,
            },
            "string" => self.string(&mut typed),
            "bytes" => Checks::Bytes {
                len: typed.uint("len"),
                min: typed.uint("min_len"),
                max: typed.uint("max_len"),
                prefix: typed.take("prefix").and_then(|v| v.as_bytes().map(|b| b.to_vec())),
            },
            "enum" => enumeration(field, &mut typed),
            "duration" => Checks::Duration { range: typed.range(&range::DURATION, nanos) },
            _ => Checks::Timestamp(TimestampChecks {
                range: typed.range(&range::TIMESTAMP, nanos),
                before_now: typed.bool("lt_now"),
                after_now: typed.bool("gt_now"),
                within: typed.take("within").and_then(|value| nanos(&value)),
            }),
        };
        self.mistakes.extend(typed.unknown());
        checks
    }

    fn string(&mut self, rules: &mut RuleSet) -> Checks {
        let pattern = rules.string("pattern").and_then(|pattern| match Regex::new(&pattern) {
            Ok(regex) => Some(regex),
            Err(error) => {
                self.mistake(&rules.place, &format!("`pattern` is no regular expression: {error}"));
                None
            }
        });
        Checks::String(Box::new(StringChecks {
            constant: rules.string("const"),
            len: rules.uint("len"),
            min_len: rules.uint("min_len"),
            max_len: rules.uint("max_len"),
            min_bytes: rules.uint("min_bytes"),
            max_bytes: rules.uint("max_bytes"),
            pattern,
            prefix: rules.string("prefix"),
            suffix: rules.string("suffix"),
            contains: rules.string("contains"),
            not_contains: rules.string("not_contains"),
            one_of: rules.list("in", |value| value.as_str().map(str::to_owned)),
            none_of: rules.list("not_in", |value| value.as_str().map(str::to_owned)),
            uuid: rules.bool("uuid"),
        }))
    }

    fn kind(&self, field: &FieldDescriptor) -> Kind {
        use prost_reflect::Kind as Type;
        match field.kind() {
            Type::Double => Kind::Double,
            Type::Float => Kind::Float,
            Type::Int32 => Kind::Int32,
            Type::Int64 => Kind::Int64,
            Type::Uint32 => Kind::Uint32,
            Type::Uint64 => Kind::Uint64,
            Type::Sint32 => Kind::Sint32,
            Type::Sint64 => Kind::Sint64,
            Type::Fixed32 => Kind::Fixed32,
            Type::Fixed64 => Kind::Fixed64,
            Type::Sfixed32 => Kind::Sfixed32,
            Type::Sfixed64 => Kind::Sfixed64,
            Type::Bool => Kind::Bool,
            Type::String => Kind::String,
            Type::Bytes => Kind::Bytes,
            Type::Enum(_) => Kind::Enum,
            // Every message of the pool has its index.
            Type::Message(message) => Kind::Message(self.by_name[message.full_name()]),
        }
    }

    fn rules(
        &mut self,
        options: &DynamicMessage,
        extension: Option<ExtensionDescriptor>,
    ) -> Option<DynamicMessage> {
        let extension = extension.filter(|extension| options.has_extension(extension))?;
        options.get_extension(&extension).as_message().cloned()
    }

    fn mistake(&mut self, place: &str, what: &str) {
        self.mistakes.push(format!("{place}: {what}"));
    }
}

/// Whether options carry rules: any extension of `buf.validate`, known to us or not, besides
/// the one that is compiled.
fn has_rules(options: &DynamicMessage, compiled: Option<&ExtensionDescriptor>) -> bool {
    options.extensions().any(|(extension, _)| {
        extension.package_name() == "buf.validate" && Some(&extension) != compiled
    }) || compiled.is_some_and(|extension| options.has_extension(extension))
}

/// The oneof that protoc makes for a proto3 `optional` field.
fn is_synthetic(oneof: &prost_reflect::OneofDescriptor) -> bool {
    oneof.fields().any(|field| field.field_descriptor_proto().proto3_optional())
}

fn enumeration(field: &FieldDescriptor, rules: &mut RuleSet) -> Checks {
    let number = |value: &Value| value.as_i32();
    let kind = field.kind();
    let mut defined: Vec<i32> =
        kind.as_enum().into_iter().flat_map(|one| one.values()).map(|v| v.number()).collect();
    defined.sort_unstable();
    let defined_only = rules.bool("defined_only");
    Checks::Enum(EnumChecks {
        constant: rules.take("const").as_ref().and_then(number),
        defined: defined_only.then_some(defined),
        one_of: rules.list("in", number),
        none_of: rules.list("not_in", number),
    })
}

/// A rule message from which what is understood is taken out; what is left is a mistake.
struct RuleSet {
    place: String,
    message: Option<DynamicMessage>,
}

impl RuleSet {
    fn new(place: &str, message: Option<DynamicMessage>) -> RuleSet {
        RuleSet { place: place.to_owned(), message }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        let message = self.message.as_mut()?;
        message.take_field_by_name(name)
    }

    fn sub(&mut self, name: &str) -> RuleSet {
        let message = self.take(name).and_then(|value| value.as_message().cloned());
        RuleSet { place: format!("{}: {name}", self.place), message }
    }

    fn bool(&mut self, name: &str) -> bool {
        self.take(name).and_then(|value| value.as_bool()).unwrap_or(false)
    }

    fn uint(&mut self, name: &str) -> Option<u64> {
        self.take(name).and_then(|value| value.as_u64())
    }

    fn string(&mut self, name: &str) -> Option<String> {
        self.take(name).and_then(|value| value.as_str().map(str::to_owned))
    }

    fn list<T>(&mut self, name: &str, read: impl Fn(&Value) -> Option<T>) -> Vec<T> {
        let value = self.take(name);
        value.iter().filter_map(Value::as_list).flatten().filter_map(read).collect()
    }

    fn ignore(&mut self) -> Ignore {
        match self.take("ignore").and_then(|value| value.as_enum_number()) {
            Some(1) => Ignore::IfZero,
            Some(3) => Ignore::Always,
            _ => Ignore::Never,
        }
    }

    fn range<T>(&mut self, ids: &RangeIds, read: impl Fn(&Value) -> Option<T>) -> Range<T>
    where
        T: PartialOrd + Copy,
    {
        let mut bound = |exclusive, inclusive| {
            let value = self.take(exclusive).as_ref().and_then(&read).map(|bound| (bound, false));
            value.or(self.take(inclusive).as_ref().and_then(&read).map(|bound| (bound, true)))
        };
        Range::new(bound("gt", "gte"), bound("lt", "lte"), ids)
    }

    fn int(&mut self, ranges: &RangeIds, ids: &'static IntIds) -> Checks {
        Checks::Int(IntChecks {
            ids,
            range: self.range(ranges, whole),
            constant: self.take("const").as_ref().and_then(whole),
            one_of: self.list("in", whole),
            none_of: self.list("not_in", whole),
        })
    }

    /// What nobody has taken, each with its place.
    fn unknown(mut self) -> Vec<String> {
        let place = &self.place;
        let Some(message) = self.message.as_mut() else { return Vec::new() };
        let named: Vec<String> =
            message.take_fields().map(|(field, _)| field.name().to_owned()).collect();
        let numbered = message.unknown_fields().map(|field| format!("number {}", field.number()));
        named
            .into_iter()
            .chain(numbered)
            .map(|rule| format!("{place}: the rule `{rule}` is not supported here"))
            .collect()
    }
}

fn whole(value: &Value) -> Option<i128> {
    let signed = value.as_i32().map(i128::from).or(value.as_i64().map(i128::from));
    signed.or(value.as_u32().map(i128::from)).or(value.as_u64().map(i128::from))
}

/// The nanoseconds of a Duration or Timestamp.
fn nanos(value: &Value) -> Option<i128> {
    let message = value.as_message()?;
    let seconds = message.get_field_by_name("seconds")?.as_i64()?;
    let nanos = message.get_field_by_name("nanos")?.as_i32()?;
    Some(i128::from(seconds) * NANOS_PER_SECOND + i128::from(nanos))
}
