//! One SQL text for two databases: written for PostgreSQL, turned into SQLite's by a few
//! mechanical changes. It must not know any table.

use std::sync::OnceLock;

/// One statement, written once in PostgreSQL's dialect.
///
/// ```
/// use kit::db::Sql;
/// static OPEN: Sql = Sql::new("SELECT id FROM cases WHERE state = $1 FOR UPDATE SKIP LOCKED");
/// assert_eq!(OPEN.sqlite(), "SELECT id FROM cases WHERE state = $1");
/// ```
#[derive(Debug)]
pub struct Sql {
    postgres: &'static str,
    sqlite: OnceLock<String>,
}

impl Sql {
    /// A statement from its text. Put it into a `static`, so that both texts are constant and
    /// each connection prepares it once.
    pub const fn new(postgres: &'static str) -> Sql {
        Sql { postgres, sqlite: OnceLock::new() }
    }

    /// The text as PostgreSQL runs it.
    pub const fn postgres(&self) -> &'static str {
        self.postgres
    }

    /// The text as SQLite runs it.
    ///
    /// # Panics
    /// If a record set is not of the form `jsonb_to_recordset($n) AS t(column type, …)`.
    /// [`Db::prepare`](super::Db::prepare) in a test of every statement finds that.
    pub fn sqlite(&'static self) -> &'static str {
        self.sqlite.get_or_init(|| to_sqlite(self.postgres))
    }
}

/// The whole translation, in this order: row locks go (SQLite has one writer), record sets are
/// read with `json_each`, `greatest`/`least` are `max`/`min` (never give them a NULL: PostgreSQL
/// passes over it, SQLite answers NULL).
pub(crate) fn to_sqlite(sql: &str) -> String {
    let mut out = without_row_locks(sql);
    while let Some(start) = out.find(RECORD_SET) {
        out = with_json_each(&out, start);
    }
    out.replace("greatest(", "max(").replace("least(", "min(")
}

const RECORD_SET: &str = "jsonb_to_recordset(";
const ROW_LOCK: &str = "FOR UPDATE";

fn without_row_locks(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(at) = rest.find(ROW_LOCK) {
        out.push_str(rest[..at].trim_end());
        rest = &rest[at + ROW_LOCK.len()..];
        if let Some(of) = rest.strip_prefix(" OF ") {
            let end = of.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(of.len());
            rest = &of[end..];
        }
        rest = rest.strip_prefix(" SKIP LOCKED").unwrap_or(rest);
    }
    out.push_str(rest);
    out
}

/// Rewrites the record set that begins at `start`.
fn with_json_each(sql: &str, start: usize) -> String {
    let (head, rest) = (&sql[..start], &sql[start + RECORD_SET.len()..]);
    let parts = rest.split_once(')').and_then(|(parameter, rest)| {
        let rest = rest.trim_start().strip_prefix("AS ")?;
        let (table, rest) = rest.split_once('(')?;
        let (columns, tail) = rest.split_once(')')?;
        Some((parameter, table.trim(), columns, tail))
    });
    let Some((parameter, table, columns, tail)) = parts else {
        panic!("expected jsonb_to_recordset($n) AS t(column type, …): {sql}");
    };
    let columns: Vec<String> = columns.split(',').map(column).collect();
    format!("{head}(SELECT {} FROM json_each({parameter})) AS {table}{tail}", columns.join(", "))
}

/// One column of a record set. JSON has no bytes: they travel as `\x<hex>`, which is how
/// PostgreSQL reads `bytea` from text.
fn column(declared: &str) -> String {
    let words: Vec<&str> = declared.split_whitespace().collect();
    let [name, kind @ ..] = words.as_slice() else {
        panic!("a record set's column without a name: {declared:?}");
    };
    match kind.join(" ").to_ascii_lowercase().as_str() {
        "bytea" => format!("unhex(substr(value->>'{name}', 3)) AS {name}"),
        "jsonb" => format!("nullif(value->'{name}', 'null') AS {name}"),
        "double precision" => format!("CAST(value->>'{name}' AS REAL) AS {name}"),
        "text" | "bigint" | "boolean" => format!("value->>'{name}' AS {name}"),
        other => panic!(
            "a record set's column of type {other:?}: use text, bigint, boolean, \
                         double precision, bytea or jsonb"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::to_sqlite;

    #[test]
    fn translates_what_the_dialects_do_not_share_and_nothing_else() {
        for (postgres, sqlite) in [
            ("SELECT a FROM t WHERE b = $1", "SELECT a FROM t WHERE b = $1"),
            ("SELECT a FROM t FOR UPDATE", "SELECT a FROM t"),
            ("SELECT a FROM t\n  FOR UPDATE SKIP LOCKED", "SELECT a FROM t"),
            ("SELECT a FROM t FOR UPDATE OF t SKIP LOCKED", "SELECT a FROM t"),
            ("(SELECT a FROM t FOR UPDATE SKIP LOCKED) x", "(SELECT a FROM t) x"),
            ("SELECT greatest(a, 1), least(b, 2)", "SELECT max(a, 1), min(b, 2)"),
            (
                "INSERT INTO t SELECT a, b FROM jsonb_to_recordset($1) AS n(a text, b bigint)\n \
                 WHERE true",
                "INSERT INTO t SELECT a, b FROM (SELECT value->>'a' AS a, value->>'b' AS b \
                 FROM json_each($1)) AS n\n WHERE true",
            ),
            (
                "SELECT 1 FROM jsonb_to_recordset($2)\n AS n (p bytea, j jsonb, \
                 d double precision, f boolean), jsonb_to_recordset($3) AS m(x text)",
                "SELECT 1 FROM (SELECT unhex(substr(value->>'p', 3)) AS p, \
                 nullif(value->'j', 'null') AS j, CAST(value->>'d' AS REAL) AS d, \
                 value->>'f' AS f FROM json_each($2)) AS n, \
                 (SELECT value->>'x' AS x FROM json_each($3)) AS m",
            ),
        ] {
            assert_eq!(to_sqlite(postgres), sqlite);
        }
    }

    #[test]
    #[should_panic(expected = "expected jsonb_to_recordset")]
    fn a_record_set_without_columns_is_refused() {
        to_sqlite("SELECT 1 FROM jsonb_to_recordset($1)");
    }

    #[test]
    #[should_panic(expected = "of type \"timestamptz\"")]
    fn a_column_type_that_sqlite_lacks_is_refused() {
        to_sqlite("SELECT 1 FROM jsonb_to_recordset($1) AS n(a timestamptz)");
    }
}
