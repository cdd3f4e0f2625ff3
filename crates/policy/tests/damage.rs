//! Damaged packs: cut off anywhere, or with bytes changed. They are refused with a mistake in the
//! damaged file or read as what they were, and nothing panics.

mod tiny;

use contracts::policy::v1::{Pack, PackFile, PackMistake};
use proptest::prelude::*;

/// A pack without what depends on how its files are written.
fn content(pack: Pack) -> Pack {
    Pack { digest: String::new(), ..pack }
}

/// pack.yaml, for the languages, with one file beside it: enough to judge that file by.
fn alone(files: &[PackFile], at: usize, content: Vec<u8>) -> Vec<PackFile> {
    let damaged = PackFile { content, ..files[at].clone() };
    let mut both: Vec<PackFile> = files.to_vec();
    both.retain(|file| file.path == "pack.yaml" && file.path != damaged.path);
    both.push(damaged);
    both
}

fn names(mistakes: &[PackMistake], path: &str) -> bool {
    mistakes.iter().any(|mistake| mistake.path == path && mistake.line > 0)
}

#[test]
fn a_file_cut_anywhere_is_refused_or_equal() {
    let files = tiny::files();
    let whole = content(policy::check(&files).unwrap());
    for at in 0..files.len() {
        for end in (0..files[at].content.len()).step_by(17) {
            let mut cut = files.clone();
            cut[at].content.truncate(end);
            let path = &files[at].path;
            match policy::check(&cut) {
                Ok(pack) => assert!(content(pack) == whole, "{path} cut at {end} says less"),
                Err(mistakes) => assert!(names(&mistakes, path), "{path} at {end}: {mistakes:?}"),
            }
        }
    }
}

#[test]
fn a_file_of_the_default_pack_cut_at_every_50th_byte_is_refused() {
    let files = policy::default_pack();
    for (at, file) in files.iter().enumerate() {
        for end in (0..file.content.len()).step_by(50) {
            let cut = alone(&files, at, file.content[..end].to_vec());
            let mistakes = policy::check(&cut).expect_err("other files are missing");
            assert!(names(&mistakes, &file.path), "{} cut at {end}: {mistakes:?}", file.path);
        }
        let mut half = files.clone();
        half[at].content.truncate(file.content.len() / 2);
        assert!(policy::check(&half).is_err(), "{} cut in half", file.path);
    }
}

#[test]
fn a_missing_file_is_noticed_or_leaves_a_smaller_pack_that_is_good() {
    let files = policy::default_pack();
    for at in 0..files.len() {
        let mut fewer = files.clone();
        let path = fewer.remove(at).path;
        match policy::check(&fewer) {
            Err(_) => {}
            // Nothing else refers to a reason, so that a platform may leave a group of them out.
            Ok(_) => assert!(path.starts_with("reasons/"), "{path}"),
        }
    }
}

#[test]
fn what_is_made_to_cost_time_or_memory_does_not() {
    let files = tiny::files();
    let at = files.iter().position(|file| file.path == "labels.yaml").unwrap();
    let half_a_mebibyte = 512 * 1024;
    for unit in ["[", "{", "- ", "? ", "a: ", "&a ", "'", "\"\\", "|\n", "k: {", "[[],", "!a "] {
        let text = unit.repeat(half_a_mebibyte / unit.len());
        assert!(policy::check(&alone(&files, at, text.into())).is_err(), "{unit:?}");
    }
    for line in ["x: 1\n", "x:\n  - y\n", "a: {b: c}\n", "\"\": ''\n"] {
        let text = line.repeat(half_a_mebibyte / line.len());
        assert!(policy::check(&alone(&files, at, text.into())).is_err(), "{line:?}");
    }
    let keys: String =
        (0..20_000).map(|at| format!("lable{at}: 1\n")).collect::<String>() + "...\n";
    let mistakes = policy::check(&alone(&files, at, keys.into())).expect_err("unknown keys");
    assert_eq!(mistakes.len(), policy::check::limits::MISTAKES_MAX + 1);
}

/// Bytes that mean something in YAML, and some that mean nothing anywhere.
fn byte() -> impl Strategy<Value = u8> {
    let special = b"{}[]:-,'\"|>&*!%#?@`~\\ \n\t\r\0\xff\xef\xbb\xbf0aA.";
    prop_oneof![3 => proptest::sample::select(special.to_vec()), 1 => any::<u8>()]
}

/// A change of a few bytes: where (as a share of the file), how many go, and what comes.
fn change() -> impl Strategy<Value = (f64, usize, Vec<u8>)> {
    (0.0..1.0_f64, 0..4_usize, proptest::collection::vec(byte(), 0..4))
}

fn damage(content: &mut Vec<u8>, changes: &[(f64, usize, Vec<u8>)]) {
    for (share, gone, come) in changes {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1")]
        #[expect(clippy::cast_precision_loss, reason = "any byte will do")]
        let from = (content.len() as f64 * share) as usize;
        let to = (from + gone).min(content.len());
        content.splice(from..to, come.iter().copied());
    }
}

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn changed_bytes_of_a_file_never_panic(
        at in any::<prop::sample::Index>(),
        changes in proptest::collection::vec(change(), 1..6),
    ) {
        let files = policy::default_pack();
        let at = at.index(files.len());
        let mut bytes = files[at].content.clone();
        damage(&mut bytes, &changes);
        prop_assert!(policy::check(&alone(&files, at, bytes)).is_err());
    }

    #[test]
    fn changed_bytes_of_a_pack_never_panic_nor_leave_a_text_out(
        at in any::<prop::sample::Index>(),
        changes in proptest::collection::vec(change(), 1..4),
    ) {
        let mut files = tiny::files();
        let at = at.index(files.len());
        damage(&mut files[at].content, &changes);
        if let Ok(pack) = policy::check(&files) {
            let titles = pack.areas.iter().map(|area| &area.title);
            let titles = titles.chain(pack.reasons.iter().map(|reason| &reason.title));
            for text in titles.chain(pack.labels.iter().map(|label| &label.text)) {
                let texts = &text.as_ref().expect("a text").texts;
                prop_assert!(pack.locales.iter().all(|locale| !texts[locale].trim().is_empty()));
            }
        }
    }
}
