//! Rules against values, on the wire.

use proptest::prelude::*;

use super::*;
use crate::fixture::wire::{bytes, double, seconds, varint};
use crate::fixture::{CONTRACT, pool_of};

const NOW: Time = Time::from_seconds(1_000_000);

fn rules(name: &str) -> MessageRules {
    CONTRACT.rules().message(&format!("recourse.sample.v1.{name}")).unwrap()
}

/// `field:rule` of each violation, sorted.
fn broken(name: &str, message: &[u8]) -> Vec<String> {
    let violations = rules(name).violations(message, NOW);
    assert!(violations.iter().all(|violation| !violation.description.is_empty()));
    let mut broken: Vec<String> =
        violations.iter().map(|one| format!("{}:{}", one.field, one.rule)).collect();
    broken.sort();
    broken
}

const UUID: &str = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

#[test]
fn each_rule_holds_and_breaks_at_its_limit() {
    let at = |offset: i64| seconds(NOW.seconds() + offset, 0);
    let negative = |number: i64| number as u64;
    // A message that keeps the rule, one that breaks it, and what is then said.
    let table: Vec<(Vec<u8>, Vec<u8>, &str)> = vec![
        (bytes(1, "a"), bytes(1, "b"), "const:string.const"),
        (bytes(2, "éé"), bytes(2, "é"), "len:string.len"),
        (bytes(3, "éé"), bytes(3, "é"), "min_len:string.min_len"),
        (bytes(4, "éé"), bytes(4, "ééé"), "max_len:string.max_len"),
        (bytes(5, "éa"), bytes(5, "é"), "min_bytes:string.min_bytes"),
        (bytes(6, "éa"), bytes(6, "éé"), "max_bytes:string.max_bytes"),
        (bytes(7, "abc"), bytes(7, "aBc"), "pattern:string.pattern"),
        (bytes(8, "a_x"), bytes(8, "ax"), "prefix:string.prefix"),
        (bytes(9, "x_z"), bytes(9, "xz"), "suffix:string.suffix"),
        (bytes(10, "a@b"), bytes(10, "ab"), "contains:string.contains"),
        (bytes(11, "ab"), bytes(11, "a b"), "not_contains:string.not_contains"),
        (bytes(12, "y"), bytes(12, "z"), "in:string.in"),
        (bytes(13, "z"), bytes(13, "y"), "not_in:string.not_in"),
        (bytes(14, UUID), bytes(14, &UUID[1..]), "uuid:string.uuid"),
        (bytes(14, UUID.to_uppercase()), bytes(14, UUID.replace('-', "0")), "uuid:string.uuid"),
        (bytes(14, UUID), bytes(14, ""), "uuid:string.uuid_empty"),
        (bytes(15, [1, 2]), bytes(15, [1]), "bytes_len:bytes.len"),
        (bytes(16, [1, 2]), bytes(16, [1]), "bytes_min:bytes.min_len"),
        (bytes(17, [1, 2]), bytes(17, [1, 2, 3]), "bytes_max:bytes.max_len"),
        (bytes(18, b"abc"), bytes(18, b"ba"), "bytes_prefix:bytes.prefix"),
        (varint(19, negative(-1)), varint(19, negative(-2)), "int32:int32.gte_lte"),
        (varint(19, 5), varint(19, 6), "int32:int32.gte_lte"),
        (varint(20, 1), varint(20, 0), "int64:int64.gt"),
        (varint(21, 4), varint(21, 5), "uint32:uint32.lt"),
        (varint(22, 2), varint(22, 3), "uint64:uint64.in"),
        (double(23, 1.0), double(23, 1.1), "double:double.gte_lte"),
        (varint(24, 1), varint(24, 0), "bool:bool.const"),
        (varint(25, 5), varint(25, 2), "color:enum.defined_only"),
        (varint(25, 1), varint(25, 0), "color:enum.not_in"),
        (bytes(26, seconds(10, 0)), bytes(26, seconds(10, 1)), "duration:duration.gt_lte"),
        (bytes(26, seconds(1, 1)), bytes(26, seconds(1, 0)), "duration:duration.gt_lte"),
        (bytes(27, at(-1)), bytes(27, at(0)), "past:timestamp.lt_now"),
        (bytes(28, at(1)), bytes(28, at(0)), "future:timestamp.gt_now"),
        (bytes(29, at(-60)), bytes(29, at(-61)), "near:timestamp.within"),
        (bytes(30, seconds(100, 1)), bytes(30, seconds(100, 0)), "after:timestamp.gt"),
        (varint(31, 7), varint(31, 8), "constant:int64.const"),
        (varint(32, 2), varint(32, 3), "not_in_int:int32.not_in"),
    ];
    for (good, bad, expected) in table {
        assert_eq!(broken("Each", &good), [""; 0], "{expected}");
        assert_eq!(broken("Each", &bad), [expected], "{bad:?}");
    }
    let nan = broken("Each", &double(23, f64::NAN));
    assert_eq!(nan, ["double:double.finite", "double:double.gte_lte"]);
    assert_eq!(broken("Each", &[]), [""; 0], "nothing is set, nothing is broken");
}

#[test]
fn all_violations_are_named_at_once() {
    let message = [bytes(1, "b"), bytes(14, "x"), varint(19, 9)].concat();
    let expected = ["const:string.const", "int32:int32.gte_lte", "uuid:string.uuid"];
    assert_eq!(broken("Each", &message), expected);
}

#[test]
fn presence_counts_as_protovalidate_says() {
    let expected = [
        "inner:required",
        "list:required",
        "plain:string.min_len",
        "required:required",
        "set:required",
    ];
    assert_eq!(broken("Presence", &[]), expected);
    let echo = bytes(1, "hi");
    let good = [
        bytes(1, "x"),
        bytes(3, "x"),
        bytes(4, &echo),
        bytes(5, ""),
        bytes(6, ""),
        bytes(7, bytes(1, "much too long")),
        bytes(9, "abc"),
    ]
    .concat();
    assert_eq!(broken("Presence", &good), [""; 0]);
    let more = [good.clone(), bytes(2, "ab"), bytes(9, "")].concat();
    assert_eq!(broken("Presence", &more), ["lenient:string.min_len", "lenient_set:string.min_len"]);
    let inner = [good, bytes(8, "")].concat();
    assert_eq!(broken("Presence", &inner), ["free.text:string.min_len"]);
}

/// A `Nested` with what it requires.
fn nested(more: &[u8]) -> Vec<u8> {
    [bytes(1, "ab"), bytes(8, "ok"), more.to_vec()].concat()
}

#[test]
fn collections_are_checked_as_wholes_and_item_by_item() {
    let table: Vec<(Vec<u8>, Vec<&str>)> = vec![
        (nested(&[]), vec![]),
        (bytes(8, "ok"), vec!["names:repeated.min_items"]),
        (nested(&[bytes(1, "cd"), bytes(1, "ef")].concat()), vec![]),
        (
            nested(&[bytes(1, "cd"), bytes(1, "ef"), bytes(1, "g")].concat()),
            vec!["names:repeated.max_items", "names[3]:string.min_len"],
        ),
        (nested(&bytes(1, "ab")), vec!["names:repeated.unique"]),
        (nested(&bytes(2, [1, 2, 3])), vec![]),
        (nested(&[bytes(2, [1, 2]), varint(2, 1)].concat()), vec!["numbers:repeated.unique"]),
        (nested(&varint(2, -1_i64 as u64)), vec!["numbers[0]:int32.gte"]),
        (nested(&entry(3, "en", "x")), vec![]),
        (nested(&entry(3, "toolong", "x")), vec!["labels[\"toolong\"]:string.max_len"]),
        (nested(&entry(3, "en", "")), vec!["labels[\"en\"]:string.min_len"]),
        (
            nested(&[entry(3, "a", "x"), entry(3, "b", "x"), entry(3, "c", "x")].concat()),
            vec!["labels:map.max_pairs"],
        ),
        (nested(&[entry(3, "a", "x"), entry(3, "b", "x"), entry(3, "a", "y")].concat()), vec![]),
        (
            nested(&bytes(4, [varint(1, 7), bytes(2, "")].concat())),
            vec!["by_number[7].text:string.min_len"],
        ),
        (
            nested(&[bytes(5, bytes(1, "x")), bytes(5, "")].concat()),
            vec!["echoes[1].text:string.min_len"],
        ),
        (
            nested(&bytes(6, bytes(6, bytes(8, "ok")))),
            vec![
                "deeper.choice:required",
                "deeper.deeper.names:repeated.min_items",
                "deeper.names:repeated.min_items",
            ],
        ),
    ];
    for (message, expected) in table {
        assert_eq!(broken("Nested", &message), expected, "{message:?}");
    }
}

fn entry(field: u32, key: &str, value: &str) -> Vec<u8> {
    bytes(field, [bytes(1, key), bytes(2, value)].concat())
}

#[test]
fn repeated_fields_on_the_wire_mean_what_decoding_makes_of_them() {
    let name = bytes(1, "ab");
    // The last value of a singular field wins.
    let last = [name.clone(), bytes(8, "long"), bytes(8, "ok")].concat();
    assert_eq!(broken("Nested", &last), [""; 0]);
    // Parts of a message are merged: either alone would lack the text.
    let merged = [name.clone(), bytes(7, ""), bytes(7, bytes(1, "x"))].concat();
    assert_eq!(broken("Nested", &merged), [""; 0]);
    // A member of a oneof displaces the others, and what was there of it before.
    let displaced = [name.clone(), bytes(7, bytes(1, "x")), bytes(8, "ok"), bytes(7, "")].concat();
    assert_eq!(broken("Nested", &displaced), ["echo.text:string.min_len"]);
    let kept = [name.clone(), bytes(8, "too long"), bytes(7, bytes(1, "x"))].concat();
    assert_eq!(broken("Nested", &kept), [""; 0]);
    assert_eq!(broken("Nested", &name), ["choice:required"]);
}

#[test]
fn bytes_that_are_no_protobuf_are_refused_naming_the_field() {
    let deep = |depth| (0..depth).fold(nested(&[]), |inner, _| nested(&bytes(6, inner)));
    let table: Vec<(Vec<u8>, Vec<&str>)> = vec![
        (nested(&[0x0a, 0x05, b'x']), vec!["names:wire"]),
        (nested(&[0x80]), vec![":wire"]),
        (nested(&varint(1, 5)), vec!["names:wire"]),
        (nested(&bytes(11, "x")), vec!["zigzag:wire"]),
        (nested(&bytes(9, [0; 7])), vec!["doubles[0]:wire"; 0]),
        (nested(&bytes(1, [0xff, 0xfe])), vec!["names[1]:string.utf8"]),
        (nested(&bytes(1, "a\0b")), vec!["names[1]:string.nul"]),
        (nested(&bytes(3, [0x0a])), vec!["labels:wire"]),
    ];
    for (message, expected) in table {
        let found = broken("Nested", &message);
        match expected.as_slice() {
            [] => assert_eq!(found, ["doubles:wire"]),
            expected => assert_eq!(found, expected, "{message:?}"),
        }
    }
    assert_eq!(broken("Nested", &deep(DEPTH_MAX)), [""; 0]);
    let found = broken("Nested", &deep(DEPTH_MAX + 1));
    assert!(found.len() == 1 && found[0].ends_with("…:wire"), "{found:?}");
    // Even where the rules are ignored.
    let ignored = bytes(7, bytes(1, [0xff]));
    assert!(broken("Presence", &ignored).contains(&"ignored.text:string.utf8".to_owned()));
}

#[test]
fn unknown_fields_and_groups_pass() {
    let group = [0xa3, 0x06, 0x08, 0x01, 0xa4, 0x06];
    assert_eq!(broken("Nested", &nested(&[bytes(99, "x"), group.to_vec()].concat())), [""; 0]);
}

#[test]
fn the_answer_is_bounded() {
    let many: Vec<u8> = (0..1_000).flat_map(|_| bytes(5, "")).collect();
    assert_eq!(broken("Nested", &nested(&many)).len(), VIOLATIONS_MAX);
    let just_enough: Vec<u8> = (0..VIOLATIONS_MAX - 1).flat_map(|_| bytes(5, "")).collect();
    assert_eq!(broken("Nested", &nested(&just_enough)).len(), VIOLATIONS_MAX - 1);
    let deep = (0..90).fold(bytes(8, "ok"), |inner, _| nested(&bytes(6, inner)));
    let deep: Vec<u8> = (0..40).flat_map(|_| bytes(6, deep.clone())).collect();
    let violations = rules("Nested").violations(&deep, NOW);
    let size: usize = violations.iter().map(|one| one.field.len() + one.description.len()).sum();
    assert!(size <= VIOLATION_BYTES_MAX + 500);
    let long = "k".repeat(10_000);
    let field = broken("Nested", &nested(&entry(3, &long, "x"))).remove(0);
    assert!(field.len() < 100, "{field}");
}

#[test]
fn what_cannot_be_enforced_is_refused_at_start() {
    let head = "syntax = \"proto3\"; import \"buf/validate/validate.proto\"; message M { ";
    for (field, mistake) in [
        ("int32 a = 1 [(buf.validate.field).string.min_len = 1];", "`string` is not supported"),
        ("float a = 1 [(buf.validate.field).double.gt = 1];", "`double` is not supported"),
        ("string a = 1 [(buf.validate.field).string.pattern = \"(\"];", "no regular expression"),
        ("string a = 1 [(buf.validate.field).repeated.min_items = 1];", "`repeated`"),
        ("M a = 1 [(buf.validate.field).string.min_len = 1];", "`string` is not supported"),
        ("repeated M a = 1 [(buf.validate.field).repeated.unique = true];", "`unique`"),
        ("repeated int32 a = 1 [(buf.validate.field).int32.gt = 1];", "`int32` is not supported"),
        (
            "repeated int32 a = 1 [(buf.validate.field).repeated.items.required = true];",
            "`required` is not supported",
        ),
    ] {
        let mistakes = Rules::compile(&pool_of(&format!("{head}{field} }}"))).unwrap_err();
        assert!(mistakes.len() == 1 && mistakes[0].contains(mistake), "{mistakes:?}");
        assert!(mistakes[0].starts_with("M.a"), "{mistakes:?}");
    }
}

proptest! {
    /// Whatever arrives, it is answered, and what passes can be decoded.
    #[test]
    fn random_bytes_never_panic(message in proptest::collection::vec(any::<u8>(), 0..200)) {
        for name in ["Each", "Presence", "Nested", "EchoRequest"] {
            let violations = rules(name).violations(&message, NOW);
            prop_assert!(violations.len() <= VIOLATIONS_MAX);
            if violations.is_empty() {
                let full = format!("recourse.sample.v1.{name}");
                let pool = prost_reflect::DescriptorPool::decode(*crate::fixture::SAMPLE).unwrap();
                let descriptor = pool.get_message_by_name(&full).unwrap();
                prop_assert!(prost_reflect::DynamicMessage::decode(descriptor, &*message).is_ok());
            }
        }
    }

    /// Random fields, well-formed or nearly, in any order and one inside the other: the walk
    /// agrees with decoding on what is a message.
    #[test]
    fn nearly_valid_bytes_are_judged_as_decoding_does(message in nearly_valid()) {
        let MessageRules { rules, index } = rules("Nested");
        let pool = prost_reflect::DescriptorPool::decode(*crate::fixture::SAMPLE).unwrap();
        let descriptor = pool.get_message_by_name("recourse.sample.v1.Nested").unwrap();
        let decodes = prost_reflect::DynamicMessage::decode(descriptor, &*message).is_ok();
        let broken = walk::walk(&rules.messages, index, &message, NOW);
        let unreadable = walk::walk_bytes(&rules.messages, index, &message);
        prop_assert!(decodes || !broken.is_empty() && !unreadable.is_empty());
        let needless = broken.iter().chain(&unreadable).find(|one| is_malformed(one));
        prop_assert!(!decodes || needless.is_none(), "{needless:?}");
    }
}

/// Whether decoding fails where this is found. Not so in a map: decoding does not look at its wire
/// type and takes whatever follows for its length, which the walk does not.
fn is_malformed(violation: &Violation) -> bool {
    let is_in_map = ["labels", "by_number"].iter().any(|map| violation.field.ends_with(map));
    ["wire", "string.utf8"].contains(&violation.rule) && !is_in_map
}

/// Encodings of a `Nested`: every field that it has and one that it has not, each mostly of its
/// type, texts mostly UTF-8, some of them cut.
fn nearly_valid() -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof![
        8 => "[^\0]{0,3}".prop_map(String::into_bytes),
        1 => Just(vec![0xff]),
    ];
    let leaf =
        (1_u32..13, 0_u8..3, any::<u64>(), text).prop_map(
            |(field, kind, number, text)| match kind {
                0 => varint(field, number),
                1 => bytes(field, text),
                _ => double(field, f64::from_bits(number)),
            },
        );
    let cut = prop_oneof![9 => Just(0_usize), 1 => 1_usize..4];
    leaf.prop_recursive(4, 60, 5, |inner| {
        let parts = proptest::collection::vec(inner, 0..5).prop_map(|parts| parts.concat());
        // Those that hold messages: entries, echoes, itself and the first member of the oneof.
        let field = proptest::sample::select(vec![3_u32, 4, 5, 6, 6, 6, 7, 7]);
        prop_oneof![
            (field, parts.clone()).prop_map(|(field, message)| bytes(field, message)),
            parts,
        ]
    })
    .prop_flat_map(move |message| (Just(message), cut.clone()))
    .prop_map(|(mut message, cut)| {
        message.truncate(message.len().saturating_sub(cut));
        message
    })
}

#[test]
fn what_is_displaced_merged_or_not_the_last_must_be_well_formed_too() {
    let cut = bytes(1, "xyz");
    let cut = &cut[..2];
    let entry_of = |parts: &[Vec<u8>]| bytes(3, parts.concat());
    let wire = "echo.text:wire";
    for (message, expected) in [
        ([bytes(7, cut), bytes(8, "ok")].concat(), wire),
        ([bytes(8, [0xff]), bytes(8, "ok")].concat(), "text:string.utf8"),
        ([bytes(8, [0xff]), bytes(7, bytes(1, "hi"))].concat(), "text:string.utf8"),
        // Together these two are an encoding, by itself the first is none.
        ([bytes(7, cut), bytes(7, "abc")].concat(), wire),
        ([bytes(8, "ok"), double(4, 0.0)].concat(), "by_number:wire"),
        (
            [bytes(8, "ok"), entry_of(&[bytes(1, [0xff]), bytes(1, "k"), bytes(2, "v")])].concat(),
            "labels[\"k\"]:string.utf8",
        ),
        (
            [bytes(8, "ok"), entry_of(&[bytes(1, "k"), bytes(2, [0xff]), bytes(2, "v")])].concat(),
            "labels[\"k\"]:string.utf8",
        ),
    ] {
        let message = [bytes(1, "ab"), message].concat();
        assert_eq!(broken("Nested", &message), [expected], "{message:?}");
    }
    // Half of it in an empty second part at every level: looked at twice as a whole, not twice
    // at each level.
    let deep =
        (0..90).fold(nested(&[]), |inner, _| nested(&[bytes(6, inner), bytes(6, "")].concat()));
    assert_eq!(broken("Nested", &deep), [""; 0]);
}
