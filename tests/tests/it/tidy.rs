//! The tree keeps its own rules: module docs, sizes, no forgotten marks, every RPC scoped, every
//! error reason declared.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use prost_reflect::{DescriptorPool, Value};

/// The longest line, in characters.
const COLUMNS_MAX: usize = 100;
/// The longest file, in lines.
const FILE_LINES_MAX: usize = 400;
/// The longest function, in lines.
const FUNCTION_LINES_MAX: usize = 70;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file with an extension below the folders of our own.
fn files(extension: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, extension: &str, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() && name != "target" && name != "node_modules" {
                walk(&path, extension, found);
            } else if path.extension().is_some_and(|have| have == extension) {
                let text = fs::read_to_string(&path).expect("a readable file");
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    for folder in ["crates", "tests"] {
        walk(&root().join(folder), extension, &mut found);
    }
    assert!(!found.is_empty(), "no .{extension} files found: the test looks in the wrong place");
    found.sort();
    found
}

fn assert_none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn every_module_says_what_it_is() {
    let silent = files("rs").into_iter().filter(|(_, text)| !text.starts_with("//!"));
    assert_none(silent.map(|(path, _)| format!("{}: no //! at its top", path.display())).collect());
}

#[test]
fn lines_and_files_are_short() {
    let mut complaints = Vec::new();
    for (path, text) in files("rs") {
        let count = text.lines().count();
        if count > FILE_LINES_MAX {
            complaints.push(format!("{}: {count} lines", path.display()));
        }
        for (number, line) in text.lines().enumerate() {
            let columns = line.chars().count();
            if columns > COLUMNS_MAX {
                complaints.push(format!("{}:{}: {columns} columns", path.display(), number + 1));
            }
        }
    }
    assert_none(complaints);
}

/// A function's first line, by its keyword; the formatter puts its closing brace at the same
/// indent.
fn opens_function(line: &str) -> bool {
    let mut words = line.trim_start().split(' ').skip_while(|word| {
        word.starts_with("pub") || matches!(*word, "const" | "async" | "unsafe" | "extern")
    });
    words.next() == Some("fn")
}

#[test]
fn functions_are_short() {
    let mut complaints = Vec::new();
    for (path, text) in files("rs") {
        let lines: Vec<&str> = text.lines().collect();
        for (start, line) in lines.iter().enumerate().filter(|(_, line)| opens_function(line)) {
            let indent = line.len() - line.trim_start().len();
            let closes = |line: &&str| {
                line.len() > indent
                    && line.as_bytes()[indent] == b'}'
                    && line[..indent].trim().is_empty()
            };
            let Some(length) = lines[start..].iter().position(closes) else { continue };
            if length + 1 > FUNCTION_LINES_MAX {
                let place = format!("{}:{}", path.display(), start + 1);
                complaints.push(format!("{place}: a function of {} lines", length + 1));
            }
        }
    }
    assert_none(complaints);
}

#[test]
fn nothing_is_left_for_later() {
    // Written apart, so that this file does not find itself.
    let marks = ["#[ign", "todo!", "unimpl", "FIX", "XX"];
    let ends = ["ore", "(", "emented!", "ME", "X"];
    let mut complaints = Vec::new();
    for (path, text) in files("rs") {
        for (mark, end) in marks.iter().zip(ends) {
            if text.contains(&format!("{mark}{end}")) {
                complaints.push(format!("{}: {mark}{end}", path.display()));
            }
        }
    }
    assert_none(complaints);
}

#[test]
fn every_rpc_is_scoped() {
    let pool = DescriptorPool::decode(contracts::DESCRIPTOR_SET).expect("descriptors");
    let access = pool.get_extension_by_name("recourse.options.v1.access").expect("the option");
    let mut methods = 0;
    let mut complaints = Vec::new();
    for service in pool.services().filter(|service| service.full_name().starts_with("recourse.")) {
        for method in service.methods() {
            methods += 1;
            let options = method.options();
            let scope = match options.has_extension(&access).then(|| options.get_extension(&access))
            {
                Some(value) => match value.as_ref() {
                    Value::Message(access) => access
                        .get_field_by_name("scope")
                        .and_then(|scope| scope.as_str().map(str::to_owned))
                        .unwrap_or_default(),
                    _ => String::new(),
                },
                None => String::new(),
            };
            if scope.is_empty() {
                complaints.push(format!("{}: no scope", method.full_name()));
            }
        }
    }
    assert!(methods > 30, "only {methods} RPCs found");
    assert_none(complaints);
}

#[test]
fn every_mutating_rpc_takes_a_request_id_and_every_list_a_page() {
    let pool = DescriptorPool::decode(contracts::DESCRIPTOR_SET).expect("descriptors");
    let reads = ["Get", "List", "Check", "Diff", "Preview", "Watch", "Stream", "Find"];
    let mut complaints = Vec::new();
    for service in pool.services().filter(|service| service.full_name().starts_with("recourse.")) {
        for method in service.methods() {
            let input = method.input();
            let read = reads.iter().any(|read| method.name().starts_with(read));
            let mut wants = vec![];
            if !read {
                wants.push("request_id");
            }
            if method.name().starts_with("List") {
                wants.extend(["page_size", "page_token"]);
            }
            for field in wants {
                if input.get_field_by_name(field).is_none() {
                    complaints.push(format!("{}: no {field}", method.full_name()));
                }
            }
        }
    }
    assert_none(complaints);
}

#[test]
fn every_error_reason_is_declared() {
    let pool = DescriptorPool::decode(contracts::DESCRIPTOR_SET).expect("descriptors");
    let declared: BTreeSet<String> = pool
        .all_enums()
        .filter(|found| found.name() == "ErrorReason")
        .flat_map(|found| found.values().map(|v| v.name().to_owned()).collect::<Vec<_>>())
        .filter_map(|name| name.strip_prefix("ERROR_REASON_").map(str::to_owned))
        .collect();
    let makers = [
        "invalid_argument(",
        "not_found(",
        "already_exists(",
        "failed_precondition(",
        "aborted(",
        "out_of_range(",
        "unavailable(",
        "resource_exhausted(",
        "unimplemented(",
    ];
    let mut complaints = Vec::new();
    for (path, text) in files("rs") {
        // A tests module or folder may make up reasons to test the machinery with.
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        if path.components().any(|part| part.as_os_str() == "tests") {
            continue;
        }
        for maker in makers {
            for (at, _) in text.match_indices(&format!("Error::{maker}\"")) {
                let rest = &text[at + "Error::".len() + maker.len() + 1..];
                let reason = rest.split('"').next().unwrap_or_default();
                if !declared.contains(reason) {
                    complaints.push(format!("{}: undeclared {reason}", path.display()));
                }
            }
        }
    }
    assert_none(complaints);
}
