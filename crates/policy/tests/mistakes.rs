//! Every kind of mistake: the tiny pack with one place changed, and exactly what is said of it.
//! The table is mistakes.txt.

mod tiny;

use contracts::policy::v1::PackFile;
use policy::check::limits;

/// One block of the table.
#[derive(Debug, Default)]
struct Case {
    path: String,
    from: String,
    to: String,
    expected: Vec<String>,
}

fn cases() -> Vec<Case> {
    let plain = |text: &str| text.replace("\\n", "\n").replace("\\\\", "\\");
    let mut cases: Vec<Case> = Vec::new();
    for line in include_str!("mistakes.txt").lines() {
        let Some((sign, rest)) = line.split_at_checked(2) else { continue };
        if sign == "= " {
            cases.push(Case { path: rest.to_owned(), ..Case::default() });
        }
        let Some(case) = cases.last_mut() else { continue };
        match sign {
            "- " => case.from = plain(rest),
            "+ " => case.to = plain(rest),
            "! " => case.expected.push(rest.to_owned()),
            _ => {}
        }
    }
    cases
}

/// All that is said of a pack, as "path:line description".
fn said(files: &[PackFile]) -> Vec<String> {
    let mistakes = policy::check(files).err().unwrap_or_default();
    mistakes
        .iter()
        .map(|mistake| format!("{}:{} {}", mistake.path, mistake.line, mistake.description))
        .collect()
}

#[test]
fn each_mistake_is_told_with_its_file_and_line_and_nothing_else_is() {
    let cases = cases();
    assert!(cases.len() > 100, "{} cases", cases.len());
    for case in cases {
        let said = said(&tiny::changed(&case.path, &case.from, &case.to));
        let matches = said.len() == case.expected.len()
            && said.iter().zip(&case.expected).all(|(said, expected)| said.starts_with(expected));
        assert!(matches, "{case:#?} says\n{}", said.join("\n"));
    }
}

#[test]
fn good_changes_are_no_mistakes() {
    let policies = "policies/hate.yaml";
    for (path, from, to) in [
        ("pack.yaml", "tiny", "tiny.pack-2_b"),
        ("pack.yaml", "[en, fr]", "[fr, en]"),
        ("areas.yaml", "areas:", "# a comment\n---\nareas:"),
        (policies, "            effective_time: 2026-06-01\n", ""),
        (policies, "appeal_window_days: 180", "appeal_window_days: 3660"),
        (policies, "ground: ILLEGAL_CONTENT", "appealable: false"),
        (policies, "points: {CRITICAL: 9}", "points: {}"),
        ("queues.yaml", "    escalates_to: experts\n", ""),
        ("reasons.yaml", "    exclusive_queue: experts\n", ""),
        ("ladders.yaml", "    first_warning_days: 90\n    first_warning_max_severity: LOW\n", ""),
    ] {
        let said = said(&tiny::changed(path, from, to));
        assert!(said.is_empty(), "{path} {to:?}: {said:?}");
    }
}

#[test]
fn bytes_that_are_no_text_and_paths_that_come_twice() {
    let mut files = tiny::files();
    files[0].content = b"areas:\n  - code: \xff\n...\n".to_vec();
    assert_eq!(said(&files), ["areas.yaml:2 not UTF-8"]);
    files = tiny::files();
    files.push(files[0].clone());
    assert_eq!(said(&files), ["areas.yaml:0 this path is there twice"]);
}

#[test]
fn limits_hold_at_the_limit_and_one_past_it() {
    let name = |length: usize| "a".repeat(length);
    let code = |length| tiny::changed("pack.yaml", "tiny", &name(length));
    assert!(policy::check(&code(limits::CODE_CHARS_MAX)).is_ok());
    assert!(policy::check(&code(limits::CODE_CHARS_MAX + 1)).is_err());
    let title = |length| tiny::changed("areas.yaml", "Speech", &"ü".repeat(length));
    assert!(policy::check(&title(limits::TITLE_CHARS_MAX)).is_ok());
    assert!(policy::check(&title(limits::TITLE_CHARS_MAX + 1)).is_err());
    let wording = |length| tiny::changed("policies/hate.yaml", "No hate.", &"ü".repeat(length));
    assert!(policy::check(&wording(limits::TEXT_CHARS_MAX)).is_ok());
    assert!(policy::check(&wording(limits::TEXT_CHARS_MAX + 1)).is_err());
    let reference = |length| tiny::changed("policies/hate.yaml", "Rules, section 1", &name(length));
    assert!(policy::check(&reference(limits::REFERENCE_CHARS_MAX)).is_ok());
    assert!(policy::check(&reference(limits::REFERENCE_CHARS_MAX + 1)).is_err());
    let points = |points: i32| {
        tiny::changed("policies/hate.yaml", "CRITICAL: 8", &format!("CRITICAL: {points}"))
    };
    assert!(policy::check(&points(limits::POINTS_MAX)).is_ok());
    assert!(policy::check(&points(limits::POINTS_MAX + 1)).is_err());
    let areas = |count: usize| {
        let more: String = (1..count)
            .map(|at| format!("  - {{code: a{at}, title: {{en: A, fr: A}}}}\n"))
            .collect();
        tiny::changed("areas.yaml", "...", &format!("{more}..."))
    };
    assert!(policy::check(&areas(100)).is_ok());
    assert!(policy::check(&areas(101)).is_err());
}
