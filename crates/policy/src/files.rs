//! The files of a pack: read from a folder, carried in the program, and identified by a digest. It
//! must not know what the files say.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use contracts::policy::v1::PackFile;
use sha2::{Digest as _, Sha256};

/// How many files a pack may have.
pub const PACK_FILES_MAX: usize = 200;

/// How large a pack's files may be together, in bytes.
pub const PACK_BYTES_MAX: usize = 1024 * 1024;

/// How long a file's path inside the folder may be, in bytes.
pub const PATH_BYTES_MAX: usize = 200;

/// How deep folders may nest.
const FOLDERS_MAX: usize = 4;

/// Why a folder could not be read as a pack's.
#[derive(Debug)]
pub struct FolderError {
    /// The file or folder at fault.
    pub path: PathBuf,
    /// What is wrong with it.
    pub source: io::Error,
}

impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read {}", self.path.display())
    }
}

impl std::error::Error for FolderError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Reads the YAML files of a folder and the folders in it, by path. Other files are left alone, so
/// that a README may stand beside them; names that begin with a dot are skipped.
///
/// # Errors
/// What cannot be read, and a folder with more or larger files than a pack may have.
pub fn read_folder(folder: impl AsRef<Path>) -> Result<Vec<PackFile>, FolderError> {
    let mut files = Vec::new();
    let mut bytes = 0;
    read_into(folder.as_ref(), "", FOLDERS_MAX, &mut files, &mut bytes)?;
    files.sort_by(|a: &PackFile, b| a.path.cmp(&b.path));
    Ok(files)
}

fn read_into(
    folder: &Path,
    prefix: &str,
    depth: usize,
    files: &mut Vec<PackFile>,
    bytes: &mut usize,
) -> Result<(), FolderError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source: io::Error| FolderError { path, source }
    };
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let path = entry.map_err(at(folder))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return Err(at(&path)(io::Error::other("the name is not UTF-8")));
        };
        if name.starts_with('.') {
            continue;
        }
        let kind = fs::metadata(&path).map_err(at(&path))?;
        if kind.is_dir() {
            if depth == 0 {
                return Err(at(&path)(io::Error::other("folders nest too deep")));
            }
            read_into(&path, &format!("{prefix}{name}/"), depth - 1, files, bytes)?;
        } else if name.ends_with(".yaml") || name.ends_with(".yml") {
            *bytes = bytes.saturating_add(usize::try_from(kind.len()).unwrap_or(usize::MAX));
            if files.len() == PACK_FILES_MAX || *bytes > PACK_BYTES_MAX {
                let limit = format!("a pack has at most {PACK_FILES_MAX} files and 1 MiB");
                return Err(at(&path)(io::Error::other(limit)));
            }
            let content = fs::read(&path).map_err(at(&path))?;
            files.push(PackFile { path: format!("{prefix}{name}"), content });
        }
    }
    Ok(())
}

/// SHA-256 over the files in order of their paths: of each the length of its path as eight bytes
/// (big-endian), the path, the length of its content likewise, and the content. 64 hexadecimal
/// digits.
pub fn digest(files: &[PackFile]) -> String {
    let mut sorted: Vec<&PackFile> = files.iter().collect();
    sorted.sort_by(|a, b| a.path.cmp(&b.path));
    let mut sha = Sha256::new();
    for file in sorted {
        for part in [file.path.as_bytes(), &file.content] {
            sha.update((part.len() as u64).to_be_bytes());
            sha.update(part);
        }
    }
    sha.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, content: &str) -> PackFile {
        PackFile { path: path.to_owned(), content: content.into() }
    }

    #[test]
    fn the_digest_depends_on_paths_and_contents_alone() {
        let (a, b) = (file("a", "1"), file("b", "2"));
        let both = digest(&[a.clone(), b.clone()]);
        assert_eq!(both.len(), 64);
        assert_eq!(both, digest(&[b, a]));
        assert_ne!(both, digest(&[file("a", "1b2")]));
        assert_ne!(both, digest(&[file("a", "2"), file("b", "1")]));
        assert_ne!(digest(&[]), digest(&[file("", "")]));
    }

    #[test]
    fn a_folder_is_read_with_slashes_and_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("reasons")).unwrap();
        fs::create_dir(root.join(".git")).unwrap();
        for path in ["pack.yaml", "reasons/b.yaml", "reasons/a.yml", "README.md", ".git/x.yaml"] {
            fs::write(root.join(path), path).unwrap();
        }
        let paths: Vec<String> =
            read_folder(root).unwrap().into_iter().map(|file| file.path).collect();
        assert_eq!(paths, ["pack.yaml", "reasons/a.yml", "reasons/b.yaml"]);
        let missing = read_folder(root.join("nowhere")).expect_err("no such folder");
        assert!(missing.path.ends_with("nowhere"));
    }

    #[test]
    fn a_folder_is_bounded_at_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let write = |at: usize, size: usize| {
            fs::write(folder.path().join(format!("{at}.yaml")), vec![b'#'; size]).unwrap();
        };
        (0..PACK_FILES_MAX).for_each(|at| write(at, 1));
        assert_eq!(read_folder(folder.path()).unwrap().len(), PACK_FILES_MAX);
        write(PACK_FILES_MAX, 1);
        assert!(read_folder(folder.path()).is_err());
        fs::remove_file(folder.path().join("200.yaml")).unwrap();
        write(0, PACK_BYTES_MAX - PACK_FILES_MAX + 1);
        assert!(read_folder(folder.path()).is_ok());
        write(0, PACK_BYTES_MAX - PACK_FILES_MAX + 2);
        assert!(read_folder(folder.path()).is_err());
    }
}
