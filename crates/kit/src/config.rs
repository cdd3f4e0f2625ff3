//! Reads configuration: a TOML file, overridden by the environment, every mistake at once.
//!
//! A concern asks a [`Reader`] for its own keys by path (`server.listen`); the environment
//! variable `RECOURSE_SERVER_LISTEN` wins over the file. [`Reader::finish`] then reports what
//! was missing, malformed or asked for by nobody. Knows no key by name.

mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use toml::{Table, Value};

pub use value::{ConfigValue, Secret};

/// What every environment variable of ours begins with.
pub const ENV_PREFIX: &str = "RECOURSE_";

/// The exit code of a process that cannot start because of its configuration (EX_USAGE).
pub const EXIT_CONFIG: u8 = 64;

/// One thing wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The key, or the environment variable if the value came from there.
    pub key: String,
    /// What is wrong and what was expected. Never repeats the value, which may be a secret.
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.what)
    }
}

/// Collects values and mistakes.
pub struct Reader {
    table: Table,
    env: BTreeMap<String, String>,
    asked: BTreeSet<String>,
    mistakes: Vec<Mistake>,
}

impl Reader {
    /// Over a parsed file and an environment, of which only our variables are looked at.
    pub fn new(table: Table, env: impl IntoIterator<Item = (String, String)>) -> Reader {
        let env = env.into_iter().filter(|(name, _)| name.starts_with(ENV_PREFIX)).collect();
        Reader { table, env, asked: BTreeSet::new(), mistakes: Vec::new() }
    }

    /// Over a file, if one is named, and an environment. A file that cannot be read or parsed
    /// is a mistake like any other.
    pub fn load(file: Option<&Path>, env: impl IntoIterator<Item = (String, String)>) -> Reader {
        let mut mistakes = Vec::new();
        let table = file.map_or_else(Table::new, |path| {
            let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
            let table = text.and_then(|text| text.parse::<Table>().map_err(|e| e.to_string()));
            table.unwrap_or_else(|what| {
                mistakes.push(Mistake { key: path.display().to_string(), what });
                Table::new()
            })
        });
        let mut reader = Reader::new(table, env);
        reader.mistakes = mistakes;
        reader
    }

    /// The value at `path`, or the default.
    pub fn or<T: ConfigValue>(&mut self, path: &str, default: T) -> T {
        self.optional(path).unwrap_or(default)
    }

    /// The value at `path`, or the default, which must satisfy `holds`; `expected` says so in
    /// words ("between 1 and 10000").
    pub fn checked<T: ConfigValue>(
        &mut self,
        path: &str,
        default: T,
        expected: &str,
        holds: impl Fn(&T) -> bool,
    ) -> T {
        match self.optional(path) {
            Some(value) if holds(&value) => value,
            Some(_) => {
                let key = self.name_of(path);
                self.mistake(key, format!("expected {expected}"));
                default
            }
            None => default,
        }
    }

    /// The value at `path`; its absence is a mistake, and gives a placeholder that
    /// [`Reader::finish`] keeps from being used.
    pub fn required<T: ConfigValue>(&mut self, path: &str) -> T {
        let known = self.mistakes.len();
        let value = self.optional(path);
        if value.is_none() && self.mistakes.len() == known {
            let expected = format!("is missing: expected {}", T::EXPECTED);
            self.mistake(path.to_owned(), expected);
        }
        value.unwrap_or_else(T::placeholder)
    }

    /// The value at `path`, if there is one.
    pub fn optional<T: ConfigValue>(&mut self, path: &str) -> Option<T> {
        self.asked.insert(path.to_owned());
        let read = match self.env.get(&env_name(path)) {
            Some(text) => T::from_text(text),
            None => T::from_toml(find(&self.table, path)?),
        };
        if read.is_none() {
            let key = self.name_of(path);
            self.mistake(key, format!("expected {}", T::EXPECTED));
        }
        read
    }

    /// Whether anything stands at `path`, a table included; asks for nothing.
    pub fn has(&self, path: &str) -> bool {
        find(&self.table, path).is_some() || {
            let name = env_name(path);
            self.env.keys().any(|key| {
                key.strip_prefix(&name).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
            })
        }
    }

    /// Lets a variable be that is no configuration but begins like one, such as the one that
    /// names the file.
    pub fn allow(&mut self, variable: &str) {
        self.env.remove(variable);
    }

    /// A mistake that only the asker can see, such as two keys that exclude one another.
    pub fn mistake(&mut self, key: impl Into<String>, what: impl Into<String>) {
        self.mistakes.push(Mistake { key: key.into(), what: what.into() });
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Every mistake, keys and variables that nobody asked for included.
    pub fn finish(mut self) -> Result<(), Vec<Mistake>> {
        let mut unknown = Vec::new();
        leaves(&self.table, "", &self.asked, &mut unknown);
        let known: BTreeSet<String> = self.asked.iter().map(|path| env_name(path)).collect();
        unknown.extend(self.env.keys().filter(|name| !known.contains(*name)).cloned());
        self.mistakes.extend(
            unknown.into_iter().map(|key| Mistake { key, what: "is not a known key".to_owned() }),
        );
        if self.mistakes.is_empty() { Ok(()) } else { Err(self.mistakes) }
    }

    /// Where the value at `path` came from.
    fn name_of(&self, path: &str) -> String {
        let variable = env_name(path);
        if self.env.contains_key(&variable) { variable } else { path.to_owned() }
    }
}

/// Does not show values: some are secrets.
impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("asked", &self.asked).finish_non_exhaustive()
    }
}

/// `server.request-bytes` is `RECOURSE_SERVER_REQUEST_BYTES`.
pub fn env_name(path: &str) -> String {
    let upper = path.to_uppercase().replace(['.', '-'], "_");
    format!("{ENV_PREFIX}{upper}")
}

fn find<'t>(table: &'t Table, path: &str) -> Option<&'t Value> {
    match path.split_once('.') {
        Some((section, rest)) => find(table.get(section)?.as_table()?, rest),
        None => table.get(path),
    }
}

/// The paths of all values that nobody asked for.
fn leaves(table: &Table, prefix: &str, asked: &BTreeSet<String>, unknown: &mut Vec<String>) {
    for (key, value) in table {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            _ if asked.contains(&path) => {}
            Value::Table(inner) => leaves(inner, &path, asked, unknown),
            _ => unknown.push(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;

    fn reader(toml: &str, env: &[(&str, &str)]) -> Reader {
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Reader::new(toml.parse().unwrap(), env)
    }

    #[test]
    fn each_type_is_read_from_the_file_and_from_the_environment() {
        let file = r#"
            [a]
            text = "x"
            count = 3
            on = true
            wait = "1500ms"
            list = ["p", "q"]
            path = "/tmp/x"
            listen = "127.0.0.1:1"
        "#;
        let mut reader = reader(file, &[("RECOURSE_A_COUNT", "4"), ("RECOURSE_A_LIST", "r, s")]);
        assert_eq!(reader.required::<String>("a.text"), "x");
        assert_eq!(reader.or("a.count", 1_u64), 4);
        assert!(reader.or("a.on", false));
        assert_eq!(reader.or("a.wait", Duration::ZERO), Duration::from_millis(1_500));
        assert_eq!(reader.or("a.list", Vec::<String>::new()), ["r", "s"]);
        assert_eq!(reader.or("a.path", PathBuf::new()), PathBuf::from("/tmp/x"));
        let listen: SocketAddr = reader.required("a.listen");
        assert_eq!(listen.port(), 1);
        assert_eq!(reader.or("a.absent", 9_u64), 9);
        reader.finish().unwrap();
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let file = "stray = 1\n[a]\ncount = \"many\"\nsmall = 0\nunknown = 2";
        let mut reader = reader(file, &[("RECOURSE_A_ON", "perhaps"), ("RECOURSE_B", "1")]);
        reader.or("a.count", 1_u64);
        reader.or("a.on", true);
        reader.required::<String>("a.missing");
        reader.checked("a.small", 1_u64, "between 1 and 9", |n| (1..=9).contains(n));
        let mistakes = reader.finish().unwrap_err();
        let keys: Vec<&str> = mistakes.iter().map(|mistake| mistake.key.as_str()).collect();
        let expected = [
            "a.count",
            "RECOURSE_A_ON",
            "a.missing",
            "a.small",
            "a.unknown",
            "stray",
            "RECOURSE_B",
        ];
        assert_eq!(keys.iter().collect::<BTreeSet<_>>(), expected.iter().collect());
        assert!(mistakes.iter().all(|mistake| !mistake.what.contains("many")));
    }

    #[test]
    fn a_file_that_is_not_there_is_a_mistake() {
        let env = [("RECOURSE_CONFIG".to_owned(), "/nonexistent/x.toml".to_owned())];
        let mut reader = Reader::load(Some(Path::new("/nonexistent/x.toml")), env);
        reader.allow("RECOURSE_CONFIG");
        assert_eq!(reader.finish().unwrap_err().len(), 1);
    }

    #[test]
    fn presence_of_a_section_is_seen_in_either_source() {
        let reader = reader("[auth]\nsecret = \"s\"", &[("RECOURSE_DB_URL", "x")]);
        assert!(reader.has("auth") && reader.has("db") && !reader.has("d"));
    }

    #[test]
    fn secrets_do_not_show() {
        let mut reader = reader("s = \"hidden\"", &[]);
        let secret: Secret = reader.required("s");
        assert!(!format!("{secret:?} {reader:?}").contains("hidden"));
        assert_eq!(secret.expose(), "hidden");
    }
}
