//! Checks a pack as a whole and compiles it. Pure: files in, a pack or every mistake out; no IO,
//! no clock, no memory of other packs.
//!
//! Each file has one meaning by its path. Its YAML is read into nodes that know their lines
//! ([`yaml`]), the nodes into values ([`reader`]), the values into a draft of the pack
//! ([`draft`]), where references are resolved once all files are read. Nothing stops at the
//! first mistake, and a mistake that follows from another is not listed.

mod draft;
mod general;
mod ladders;
mod mistakes;
mod placeholders;
mod policies;
mod queues;
mod reader;
mod reasons;
mod rules;
mod statements;
mod vocabulary;
mod yaml;

use contracts::policy::v1::{Pack, PackFile, PackMistake};
use prost::Message as _;

use crate::files::{PACK_BYTES_MAX, PACK_FILES_MAX, PATH_BYTES_MAX, digest};
use draft::{Draft, Kind};
use mistakes::{Mistakes, Spot};
pub use placeholders::PLACEHOLDERS;
use reader::Reader;
use statements::Texts;

/// The named limits of a pack's content; those of its files are in [`crate::files`].
pub mod limits {
    pub use super::COMPILED_BYTES_MAX;
    pub use super::general::{LOCALES_MAX, TITLE_CHARS_MAX};
    pub use super::ladders::{REPEAT_COUNT_MAX, REPEAT_RULES_MAX, STEPS_MAX, THRESHOLD_MAX};
    pub use super::mistakes::{DESCRIPTION_CHARS_MAX, MISTAKES_MAX};
    pub use super::policies::{EDITIONS_MAX, OVERLAYS_MAX, REGIONS_MAX, TEXT_CHARS_MAX};
    pub use super::queues::SLA_MINUTES_MAX;
    pub use super::reader::{CODE_CHARS_MAX, YEARS};
    pub use super::reasons::KEYWORDS_MAX;
    pub use super::rules::{APPEAL_WINDOW_DAYS_MIN, DAYS_MAX, POINTS_MAX, REFERENCE_CHARS_MAX};
    pub use super::statements::BODY_CHARS_MAX;
    pub use super::yaml::{DEPTH_MAX, END_OF_FILE, NODES_MAX};
}

/// How large a pack may be once compiled, with overlays in full, in bytes: half of what a gRPC
/// client takes in one message.
pub const COMPILED_BYTES_MAX: usize = 2 * 1024 * 1024;

/// What a file holds, by its path. The order is that of reading: pack.yaml names the languages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Pack,
    Areas,
    Queues,
    Ladders,
    Policies,
    Reasons,
    Labels,
    Statements(String),
}

impl Role {
    fn of(path: &str) -> Option<Role> {
        let stem = path.strip_suffix(".yaml")?;
        Some(match stem.split_once('/') {
            None => match stem {
                "pack" => Role::Pack,
                "areas" => Role::Areas,
                "queues" => Role::Queues,
                "ladders" => Role::Ladders,
                "policies" => Role::Policies,
                "reasons" => Role::Reasons,
                "labels" => Role::Labels,
                _ => return None,
            },
            Some((_, name)) if name.is_empty() || name.contains('/') => return None,
            Some(("ladders", _)) => Role::Ladders,
            Some(("policies", _)) => Role::Policies,
            Some(("reasons", _)) => Role::Reasons,
            Some(("statements", locale)) => Role::Statements(locale.to_owned()),
            Some(_) => return None,
        })
    }

    /// The kinds of things that such a file declares.
    fn declares(&self) -> &'static [Kind] {
        match self {
            Role::Pack | Role::Statements(_) => &[],
            Role::Areas => &[Kind::Area],
            Role::Queues => &[Kind::Queue, Kind::SlaClass],
            Role::Ladders => &[Kind::Ladder],
            Role::Policies => &[Kind::Policy],
            Role::Reasons => &[Kind::Reason],
            Role::Labels => &[Kind::Label],
        }
    }
}

/// Paths that mean something, for those that do not.
const KNOWN_PATHS: [&str; 10] = [
    "pack.yaml",
    "areas.yaml",
    "queues.yaml",
    "ladders.yaml",
    "policies.yaml",
    "policies/*.yaml",
    "reasons.yaml",
    "reasons/*.yaml",
    "labels.yaml",
    "statements/<locale>.yaml",
];

/// Checks the files of a pack and compiles them.
///
/// The pack has its name, digest and content; `version` is 0 and `create_time` absent until it is
/// published. Files may come in any order.
///
/// # Errors
/// Every mistake (at most [`limits::MISTAKES_MAX`] of them, then their number), by file and line.
pub fn check(files: &[PackFile]) -> Result<Pack, Vec<PackMistake>> {
    let mut sorted: Vec<&PackFile> = files.iter().collect();
    sorted.sort_by(|a, b| a.path.cmp(&b.path));
    let paths = sorted.iter().map(|file| file.path.clone()).collect();
    let mut reader = Reader { mistakes: Mistakes::new(paths), locales: None, file: 0 };
    if too_large(&mut reader.mistakes, &sorted) {
        return Err(reader.mistakes.finish());
    }
    let mut roles: Vec<(Role, usize)> = Vec::with_capacity(sorted.len());
    for (at, file) in sorted.iter().enumerate() {
        if at > 0 && sorted[at - 1].path == file.path {
            reader.wrong(Spot { file: at, line: 0 }, "this path is there twice");
            continue;
        }
        match Role::of(&file.path) {
            Some(role) => roles.push((role, at)),
            None => {
                let near = reader.mistakes.near(&file.path, KNOWN_PATHS);
                let known = KNOWN_PATHS.join(", ");
                let text = format!("a file of this path means nothing{near}; known: {known}");
                reader.wrong(Spot { file: at, line: 0 }, text);
            }
        }
    }
    roles.sort();
    let mut draft = Draft::default();
    let mut texts = Texts::default();
    check_presence(&mut reader, &mut draft, &roles);
    for (role, at) in &roles {
        read_file(&mut reader, &mut draft, &mut texts, role, *at, &sorted[*at].content);
    }
    check_languages(&mut reader, &roles);
    check_whole(&mut reader.mistakes, &draft);
    let mistakes = reader.mistakes.finish();
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let statement_texts = texts.into_proto();
    let pack = Pack { digest: digest(files), statement_texts, ..draft.pack };
    let bytes = pack.encoded_len();
    if bytes > COMPILED_BYTES_MAX {
        let text = format!("{bytes} bytes when compiled, at most {COMPILED_BYTES_MAX} are allowed");
        let (path, line) = (String::new(), 0);
        return Err(vec![PackMistake { path, line, description: text }]);
    }
    Ok(pack)
}

fn too_large(mistakes: &mut Mistakes, files: &[&PackFile]) -> bool {
    if files.len() > PACK_FILES_MAX {
        let count = files.len();
        mistakes.add_at("", 0, format!("{count} files, at most {PACK_FILES_MAX} are allowed"));
        return true;
    }
    let bytes: usize = files.iter().map(|file| file.content.len()).sum();
    if bytes > PACK_BYTES_MAX {
        let text = format!("{bytes} bytes together, at most {PACK_BYTES_MAX} are allowed");
        mistakes.add_at("", 0, text);
        return true;
    }
    let long = |file: &&&PackFile| file.path.len() > PATH_BYTES_MAX;
    for file in files.iter().filter(long) {
        let text = format!("the path is longer than {PATH_BYTES_MAX} bytes");
        mistakes.add_at(&file.path, 0, text);
    }
    false
}

/// Every file that a pack cannot be without.
fn check_presence(reader: &mut Reader, draft: &mut Draft, roles: &[(Role, usize)]) {
    for (role, path) in [
        (Role::Pack, "pack.yaml"),
        (Role::Areas, "areas.yaml"),
        (Role::Queues, "queues.yaml"),
        (Role::Ladders, "ladders.yaml"),
        (Role::Policies, "policies.yaml or policies/*.yaml"),
        (Role::Reasons, "reasons.yaml or reasons/*.yaml"),
        (Role::Labels, "labels.yaml"),
    ] {
        if !roles.iter().any(|(present, _)| *present == role) {
            role.declares().iter().for_each(|kind| draft.unsure_of(*kind));
            reader.mistakes.add_at(path, 0, "the file is missing");
        }
    }
}

fn read_file(
    reader: &mut Reader,
    draft: &mut Draft,
    texts: &mut Texts,
    role: &Role,
    at: usize,
    content: &[u8],
) {
    reader.file = at;
    let parsed = yaml::parse(content);
    let cut = yaml::cut_off(content).filter(|_| parsed.is_ok());
    if parsed.is_err() || cut.is_some() {
        role.declares().iter().for_each(|kind| draft.unsure_of(*kind));
    }
    if let Some(cut) = cut {
        reader.wrong(Spot { file: at, line: cut.line }, cut.description);
    }
    let node = match parsed {
        Ok(node) => node,
        Err(error) => {
            reader.wrong(Spot { file: at, line: error.line }, error.description);
            return;
        }
    };
    let top = reader.top(&node);
    match role {
        Role::Pack => general::read_pack(reader, draft, top),
        Role::Areas => general::read_areas(reader, draft, top),
        Role::Queues => queues::read_queues(reader, draft, top),
        Role::Ladders => ladders::read_ladders(reader, draft, top),
        Role::Policies => policies::read_policies(reader, draft, top),
        Role::Reasons => reasons::read_reasons(reader, draft, top),
        Role::Labels => general::read_labels(reader, draft, top),
        Role::Statements(locale) => statements::read_statements(reader, texts, top, locale),
    }
}

/// Statements need one file for each language of pack.yaml, and none besides.
fn check_languages(reader: &mut Reader, roles: &[(Role, usize)]) {
    let Some(locales) = reader.locales.clone() else { return };
    for locale in &locales {
        let wanted = Role::Statements(locale.clone());
        if !roles.iter().any(|(role, _)| *role == wanted) {
            let path = format!("statements/{locale}.yaml");
            reader.mistakes.add_at(path, 0, "the file is missing");
        }
    }
    for (role, at) in roles {
        if let Role::Statements(locale) = role
            && !locales.contains(locale)
        {
            let text = format!("\"{locale}\" is not a locale of pack.yaml");
            reader.wrong(Spot { file: *at, line: 0 }, text);
        }
    }
}

/// What can be judged only when all files are read.
fn check_whole(mistakes: &mut Mistakes, draft: &Draft) {
    draft.check_uses(mistakes);
    if draft.sure_of(Kind::Label) {
        for key in vocabulary::label_keys() {
            if draft.spot(Kind::Label, &key).is_none() {
                mistakes.add_at("labels.yaml", 0, format!("the label \"{key}\" is missing"));
            }
        }
    }
    for kind in Kind::ALL {
        let unused = kind == Kind::Label || kind == Kind::SlaClass;
        if !unused && draft.sure_of(kind) && draft.spots(kind).next().is_none() {
            mistakes.add_at("", 0, format!("a pack needs at least one {}", kind.noun()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_what_a_file_holds() {
        for (path, role) in [
            ("pack.yaml", Some(Role::Pack)),
            ("reasons/child.yaml", Some(Role::Reasons)),
            ("policies.yaml", Some(Role::Policies)),
            ("statements/zh-Hans.yaml", Some(Role::Statements("zh-Hans".to_owned()))),
            ("pack.yml", None),
            ("Pack.yaml", None),
            ("reasons/.yaml", None),
            ("reasons/a/b.yaml", None),
            ("../pack.yaml", None),
            ("/pack.yaml", None),
            ("labels/en.yaml", None),
            ("", None),
        ] {
            assert_eq!(Role::of(path), role, "{path}");
        }
    }

    #[test]
    fn the_number_and_size_of_files_are_bounded_at_the_limit() {
        let file = |at: usize, content: &[u8]| PackFile {
            path: format!("reasons/{at}.yaml"),
            content: content.to_vec(),
        };
        let beyond = |files: &[PackFile]| {
            let mistakes = check(files).expect_err("not a pack");
            mistakes[0].path.is_empty() && mistakes.len() == 1
        };
        let empty = b"reasons: []\n...\n";
        let files: Vec<PackFile> = (0..PACK_FILES_MAX).map(|at| file(at, empty)).collect();
        assert!(!beyond(&files));
        assert!(beyond(&[files, vec![file(PACK_FILES_MAX, empty)]].concat()));
        let comment = |bytes: usize| file(0, "#".repeat(bytes).as_bytes());
        assert!(!beyond(&[comment(PACK_BYTES_MAX)]));
        assert!(beyond(&[comment(PACK_BYTES_MAX + 1)]));
    }
}
