//! `recourse impersonation pictures`: measures how well edited pictures are found again.
//!
//! It must not know how pictures are hashed or compared.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use impersonation::detect::{Seen, read_image};
use impersonation::picture::{HASHES_MAX, Role};
use lookalike::detector::Detector;
use lookalike::lab::pictures::{self, Edited};

/// The share of unrelated pairs that may be taken for the same picture.
const RATE: f64 = 1e-4;

/// Measures with the pictures of a folder; answers a table for people.
///
/// # Errors
/// Which file or folder cannot be read, and why.
pub fn measure(folder: &Path) -> Result<String, String> {
    let (mut names, mut originals) = (BTreeMap::new(), Vec::new());
    for path in files(&folder.join("original"))? {
        names.insert(stem(&path)?, originals.len());
        originals.push(seen(&path, Role::Protected)?.views);
    }
    let mut edited = Vec::new();
    for path in files(&folder.join("edited"))? {
        let stem = stem(&path)?;
        let of = stem
            .split_once('.')
            .and_then(|(name, edit)| Some((*names.get(name)?, edit.to_owned())));
        let wanted = "is not called as an original is, a dot, and the edit";
        let (original, edit) = of.ok_or_else(|| format!("{}: {wanted}", path.display()))?;
        let Seen { views: looks, windows, .. } = seen(&path, Role::Asked)?;
        edited.push(Edited { original, edit, looks, windows });
    }
    let report = pictures::measure(&Detector::default(), &originals, &edited, RATE);
    let mut text = String::new();
    for (edit, seen) in &report.edits {
        let _ = writeln!(text, "{edit:<24} {:>6}  {:.3}", seen.count, seen.recall);
    }
    let within = report.within.map_or("none".to_owned(), |within| within.to_string());
    let _ = write!(
        text,
        "mean recall of {} edits of {} originals: {:.4}, within {within} bits; of {} \
         unrelated pairs {:.1e} are",
        report.edits.len(),
        originals.len(),
        report.mean(),
        report.pairs,
        report.passing,
    );
    Ok(text)
}

/// The files of a folder by their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let wrong = |error: std::io::Error| format!("{}: {error}", folder.display());
    let entries = std::fs::read_dir(folder).map_err(wrong)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<Result<Vec<PathBuf>, _>>().map_err(wrong)?;
    paths.sort_unstable();
    Ok(paths)
}

/// What a file is called, without what its format is called.
fn stem(path: &Path) -> Result<String, String> {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    stem.map(str::to_owned).ok_or_else(|| format!("{}: is not called in UTF-8", path.display()))
}

/// What the service would keep of a picture, or look for it by.
fn seen(path: &Path, role: Role) -> Result<Seen, String> {
    let image = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let seen = read_image(&image, role, HASHES_MAX);
    seen.map_err(|refused| format!("{}: {refused}", path.display()))
}
