//! Our interpreter of the `buf.validate` rules says the same as protovalidate's own, on random
//! messages that `scripts/validation-oracle` makes.

use std::fs;

use kit::{Clock, Contract};

/// What protovalidate for Python 1.2 does not see: an undefined number in an enum that is two
/// messages deep. One message deep it does, and the rule is the same.
fn unseen(broken: &str) -> bool {
    broken.matches('.').count() >= 3 && broken.ends_with(" enum.defined_only")
}

#[test]
fn the_interpreter_agrees_with_protovalidate() {
    let Ok(path) = std::env::var("RECOURSE_TEST_ORACLE") else {
        eprintln!("skipped, because RECOURSE_TEST_ORACLE is not set: scripts/validation-oracle");
        return;
    };
    let contract = Contract::load(contracts::DESCRIPTOR_SET).expect("the contract");
    let now = Clock::system().now();
    let (mut compared, mut broken, mut differences) = (0, 0, Vec::new());
    for line in fs::read_to_string(path).expect("the verdicts").lines() {
        let mut parts = line.split('\t');
        let mut part = || parts.next().expect("three parts");
        let (name, hex, expected) = (part(), part(), part());
        let bytes: Vec<u8> = (0..hex.len() / 2)
            .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hexadecimal"))
            .collect();
        let rules = contract.rules().message(name).expect("a message of the contract");
        let found = rules.violations(&bytes, now);
        if found.len() >= kit::validate::VIOLATIONS_MAX {
            continue;
        }
        let mut found: Vec<String> =
            found.iter().map(|found| format!("{} {}", found.field, found.rule)).collect();
        found.retain(|broken| !unseen(broken));
        found.sort();
        compared += 1;
        broken += usize::from(!expected.is_empty());
        let expected: Vec<&str> =
            expected.split('|').filter(|broken| !broken.is_empty() && !unseen(broken)).collect();
        if found.join("|") != expected.join("|") {
            differences.push(format!("{name}: {found:?}, protovalidate {expected:?}"));
        }
    }
    println!("{compared} messages compared, {broken} of them break a rule");
    assert!(compared > 1_000 && broken > 100 && broken < compared, "{compared}, {broken}");
    assert!(differences.is_empty(), "{}", differences[..differences.len().min(20)].join("\n"));
}
