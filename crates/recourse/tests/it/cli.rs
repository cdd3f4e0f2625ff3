//! What is typed: mistakes are named, all of them, before anything is done; packs are published,
//! compared and activated.

use std::path::Path;
use std::process::{Command, Output};

use crate::process::{BINARY, Suite, root};

pub fn recourse(arguments: &[&str]) -> Output {
    Command::new(BINARY).args(arguments).output().expect("the binary starts")
}

pub fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}

pub fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a file");
    path.to_string_lossy().into_owned()
}

#[test]
fn a_bad_configuration_ends_with_64_and_every_mistake() {
    let folder = tempfile::tempdir().expect("a folder");
    let bad = "[server]\nlisten = \"nowhere\"\ndrain = \"soon\"\n[storage]\ndate = \"x\"\n";
    let path = write(folder.path(), "bad.toml", bad);
    let output = recourse(&["--config", &path, "serve"]);
    assert_eq!(output.status.code(), Some(64), "{}", said(&output));
    for key in ["server.listen", "server.drain", "storage.date"] {
        assert!(said(&output).contains(key), "{key} in {}", said(&output));
    }
}

#[test]
fn without_tokens_only_loopback_is_bound() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().to_string_lossy().into_owned();
    let output = recourse(&["serve", "--listen", "0.0.0.0:0", "--data", &place]);
    assert!(!output.status.success());
    assert!(said(&output).contains("loopback"), "{}", said(&output));
}

#[test]
fn bad_data_is_named_line_by_line_before_anything_is_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let mapping = root().join("deploy/replays/hatecheck.toml");
    let mapping = mapping.to_string_lossy();
    let header = "case_id,templ_id,test_case,label_1,label_2,label_3,label_4,label_5,label_6,\
                  label_7,label_8,label_9,label_10\n";
    let rows = "1,1,text,hateful,hateful,,,,,,,,\n\
                1,1,again,hateful,hateful,,,,,,,,\n\
                3,1,half\n\
                4,,text,maybe,hateful,,,,,,,,\n";
    let data = write(folder.path(), "rows.csv", &format!("{header}{rows}"));
    // Nothing listens there: a call would be tried for minutes.
    let address = "http://127.0.0.1:9";
    let arguments = ["replay", "--address", address, "--mapping", &mapping, "--data", &data];
    let output = recourse(&arguments);
    assert!(!output.status.success());
    let said = said(&output);
    for mistake in ["line 3", "line 4", "line 5: label_1", "\"maybe\""] {
        assert!(said.contains(mistake), "{mistake} in {said}");
    }
    let data = write(folder.path(), "other.csv", "a,b\n1,2\n");
    let output = recourse(&["replay", "--mapping", &mapping, "--data", &data]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("label_10") && said.contains("templ_id"), "{said}");
}

/// The default pack with one file changed, in a folder of its own.
fn pack_with(folder: &Path, file: &str, change: impl Fn(String) -> String) -> String {
    fn copy(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).expect("a folder");
        for entry in std::fs::read_dir(from).expect("the pack").flatten() {
            let target = to.join(entry.file_name());
            if entry.path().is_dir() {
                copy(&entry.path(), &target);
            } else {
                std::fs::copy(entry.path(), target).expect("a copy");
            }
        }
    }
    copy(&root().join("deploy/packs/default"), folder);
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path).expect("the file");
    std::fs::write(&path, change(text)).expect("the file");
    folder.to_string_lossy().into_owned()
}

#[test]
fn packs_are_checked_published_compared_and_activated() {
    let folder = tempfile::tempdir().expect("a folder");
    let broken = pack_with(&folder.path().join("broken"), "ladders.yaml", |text| {
        text[..text.len() / 2].to_owned()
    });
    let output = recourse(&["policy", "check", &broken]);
    assert!(!output.status.success(), "half a file is no pack");
    assert!(said(&output).contains("ladders.yaml"), "{}", said(&output));

    let place = folder.path().join("data");
    let suite = Suite::start("127.0.0.1:0", &place.to_string_lossy());
    let address = ["--address", suite.address.as_str()];
    let run = |arguments: &[&str]| recourse(&[arguments, &address].concat());
    let output = run(&["policy", "publish", &broken]);
    assert!(
        !output.status.success() && said(&output).contains("ladders.yaml"),
        "{}",
        said(&output)
    );

    let changed = pack_with(&folder.path().join("changed"), "pack.yaml", |text| {
        format!("# a comment changes the files, and so the version\n{text}")
    });
    let output = run(&["policy", "publish", &changed]);
    assert!(output.status.success() && said(&output).contains("version 2"), "{}", said(&output));
    let output = run(&["policy", "diff", "1", "2"]);
    assert!(output.status.success(), "{}", said(&output));
    let output = run(&["policy", "activate", "2", "--expect", "7"]);
    assert!(said(&output).contains("ACTIVE_VERSION_CHANGED"), "{}", said(&output));
    let output = run(&["policy", "activate", "2"]);
    assert!(output.status.success() && said(&output).contains("in force"), "{}", said(&output));
}
