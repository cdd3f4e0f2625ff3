//! The commands around the detector, as they are typed: weights are fitted, written and measured;
//! edited pictures are found; what is wrong with a folder is said.

use std::fmt::Write as _;
use std::path::Path;

use crate::cli::{recourse, said, write};

/// A picture, and the same saved with other settings.
const PICTURE: &[u8] = include_bytes!("../../../lookalike/tests/data/rgb.jpg");
const RESAVED: &[u8] = include_bytes!("../../../lookalike/tests/data/subsampled.jpg");

/// A name like no other of another number.
fn name(number: usize) -> String {
    let syllables =
        ["ba", "do", "fi", "gu", "ke", "la", "mo", "ni", "pu", "ra", "se", "ti", "vo", "zu"];
    let mixed = number * 2_654_435_761 % 1_000_003;
    let places = [1, 14, 196, 2_744, 38_416];
    places.iter().map(|place| syllables[mixed / place % 14]).collect()
}

fn line(id: &str, handle: &str, display: &str, label: &str) -> String {
    format!("{id}\t{handle}\t{display}\tpaints\t\t\t\t100\t\t{label}\n")
}

/// Identities, accounts that imitate every third, and unrelated ones.
fn world(folder: &Path) {
    let (mut protected, mut positives, mut negatives) =
        (String::new(), String::new(), String::new());
    for number in 0..600 {
        let name = name(number);
        protected.push_str(&line(&number.to_string(), &name, &name.to_uppercase(), ""));
        if number % 3 == 0 {
            let (handle, label) = (format!("{name}_"), format!("copied\t{number}\t"));
            positives.push_str(&line("p", &handle, &name.replace('a', "\u{430}"), &label));
        }
    }
    for number in 600..3_600 {
        negatives.push_str(&line("n", &name(number), &name(number), "plain"));
    }
    write(folder, "protected.tsv", &protected);
    write(folder, "positives.tsv", &positives);
    write(folder, "negatives.tsv", &negatives);
}

/// The numbers of the line of a table that starts so.
fn row(text: &str, start: &str) -> Vec<f64> {
    let row = text.lines().find_map(|line| line.strip_prefix(start));
    let row = row.unwrap_or_else(|| panic!("no {start} in {text}"));
    row.split_whitespace().filter_map(|number| number.parse().ok()).collect()
}

#[test]
fn weights_are_fitted_written_and_measured() {
    let folder = tempfile::tempdir().expect("a folder");
    world(folder.path());
    let place = folder.path().to_string_lossy().into_owned();
    let fitted = |name: &str| {
        let out = folder.path().join(name).to_string_lossy().into_owned();
        let fit = ["impersonation", "fit", &place, "--out", &out, "--trees", "20"];
        let output = recourse(&fit);
        assert!(output.status.success(), "{}", said(&output));
        out
    };
    let (one, other) = (fitted("one.tsv"), fitted("other.tsv"));
    // The same accounts and seed give the same weights.
    assert_eq!(std::fs::read(&one).unwrap(), std::fs::read(&other).unwrap());
    let output = recourse(&["impersonation", "eval", &place, "--model", &one]);
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("600 identities built"), "{text}");
    let numbers = row(&text, "copied");
    // Half of the 200 was fitted to; of the other half nearly all are found at every rate.
    let [count, recall @ ..] = numbers.as_slice() else { panic!("{text}") };
    assert!((60.0..140.0).contains(count), "{text}");
    assert!(recall.iter().all(|recall| *recall > 0.9), "{text}");
    assert!(text.contains("600 identities to a file"), "{text}");
}

#[test]
fn edited_pictures_are_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().to_string_lossy().into_owned();
    for name in ["original", "edited"] {
        std::fs::create_dir(folder.path().join(name)).expect("a folder");
    }
    let put = |name: &str, bytes| std::fs::write(folder.path().join(name), bytes).expect("a file");
    put("original/one.jpg", PICTURE);
    put("edited/one.resaved.jpg", RESAVED);
    let output = recourse(&["impersonation", "pictures", &place]);
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    assert_eq!(row(&text, "resaved"), [1.0, 1.0], "{text}");
    // What cannot be measured with is named, and how it should be.
    for (name, bytes, wanted) in [
        ("edited/two.resaved.jpg", RESAVED, "is not called as an original is"),
        ("edited/one.jpg", RESAVED, "is not called as an original is"),
        ("original/zero.png", &b"\x89PNG\r\n\x1a\n"[..], "zero.png: "),
    ] {
        put(name, bytes);
        let output = recourse(&["impersonation", "pictures", &place]);
        assert!(!output.status.success(), "{name}");
        let text = said(&output);
        assert!(text.contains(name.rsplit('/').next().unwrap_or_default()), "{text}");
        assert!(text.contains(wanted), "{text}");
        std::fs::remove_file(folder.path().join(name)).expect("a file");
    }
}

#[test]
fn what_is_wrong_with_a_folder_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    world(folder.path());
    let place = folder.path().to_string_lossy().into_owned();
    let mut short = line("0", "jane", "Jane", "");
    let _ = writeln!(short, "1\tjohn");
    write(folder.path(), "protected.tsv", &short);
    let missing = folder.path().join("missing").to_string_lossy().into_owned();
    let model = write(folder.path(), "model.tsv", "no weights\n");
    let out = folder.path().join("out.tsv").to_string_lossy().into_owned();
    for (arguments, wanted) in [
        (&["eval", &place][..], "protected.tsv: line 2: expected nine fields or more"),
        (&["eval", &missing][..], "protected.tsv: "),
        (&["eval", &place, "--model", &model][..], "line 1"),
        (&["fit", &place, "--out", &out][..], "protected.tsv: line 2"),
        (&["pictures", &missing][..], "missing"),
    ] {
        let arguments: Vec<&str> = ["impersonation"].iter().chain(arguments).copied().collect();
        let output = recourse(&arguments);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(said(&output).contains(wanted), "{wanted} in {}", said(&output));
    }
    assert!(!Path::new(&out).exists(), "nothing is written of what could not be read");
}
