//! The values that statements take and the rows that they give, for both drivers.

use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgRow, PgTypeInfo};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, Encode, FromRow, Postgres, Type, encode::IsNull, error::BoxDynError};

use crate::clock::Time;

/// One value for one `$n`. Write [`args!`](crate::args) rather than naming it.
#[derive(Clone, Debug, PartialEq)]
pub enum Arg {
    /// TEXT.
    Text(Option<String>),
    /// BIGINT.
    Int(Option<i64>),
    /// BOOLEAN.
    Bool(Option<bool>),
    /// DOUBLE PRECISION.
    Double(Option<f64>),
    /// BYTEA.
    Bytes(Option<Vec<u8>>),
    /// JSONB, already written as text: see [`json`].
    Json(Option<String>),
}

/// The arguments of a statement, in the order `$1`, `$2`, …
///
/// Takes `&str`, `String`, integers, `bool`, `f64`, bytes, [`Time`], what [`json`] gives, and
/// each as an `Option`.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => { ::std::vec![$($crate::db::Arg::from($value)),*] };
}

/// A batch (or any value) as the one JSON parameter of a statement that reads it with
/// `jsonb_to_recordset($n) AS t(column type, …)`. The fields' names are the columns' names.
/// Bytes are fields of type [`Hex`].
///
/// # Panics
/// If the value has a map whose keys are not strings.
pub fn json<T: serde::Serialize + ?Sized>(value: &T) -> Arg {
    Arg::Json(Some(serde_json::to_string(value).expect("rows are plain structs of plain fields")))
}

/// The digits of [`Hex`].
const HEX_DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Bytes inside a JSON parameter: `\x` and lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug)]
pub struct Hex<'a>(pub &'a [u8]);

impl serde::Serialize for Hex<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // By hand: formatting each byte was a quarter of the CPU time of a hot write.
        let digit = |half: u8| char::from(HEX_DIGITS[usize::from(half & 15)]);
        let mut text = String::with_capacity(2 + 2 * self.0.len());
        text.push_str("\\x");
        for byte in self.0 {
            text.push(digit(byte >> 4));
            text.push(digit(*byte));
        }
        serializer.serialize_str(&text)
    }
}

/// A row type that both drivers can read: a tuple, or a struct with [`record!`](crate::record).
pub trait Record:
    for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin + 'static
{
}

impl<T> Record for T where
    T: for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin + 'static
{
}

/// Makes a struct a [`Record`](crate::db::Record): says which column each field is, by its own name
/// or as `field = "column"`; `..field` is a record of the same row. Instead of the derive of sqlx,
/// whose macros need all drivers a second time, built for the compiler: minutes of every build.
#[macro_export]
macro_rules! record {
    ($name:ident: $($field:ident $(= $column:literal)?),+ $(, ..$part:ident)?) => {
        $crate::record!(@$crate::db::sqlx::postgres::PgRow;
            $name: $($field $(= $column)?),+ $(, ..$part)?);
        $crate::record!(@$crate::db::sqlx::sqlite::SqliteRow;
            $name: $($field $(= $column)?),+ $(, ..$part)?);
    };
    (@$row:path; $name:ident: $($field:ident $(= $column:literal)?),+ $(, ..$part:ident)?) => {
        impl<'r> $crate::db::sqlx::FromRow<'r, $row> for $name {
            fn from_row(row: &'r $row) -> Result<$name, $crate::db::sqlx::Error> {
                Ok($name {
                    $($field: $crate::db::sqlx::Row::try_get(
                        row,
                        $crate::record!(@column $field $($column)?),
                    )?,)+
                    $($part: $crate::db::sqlx::FromRow::from_row(row)?,)?
                })
            }
        }
    };
    (@column $field:ident) => { stringify!($field) };
    (@column $field:ident $column:literal) => { $column };
}

macro_rules! arg_from {
    ($($kind:ident: $($from:ty => $make:expr),+;)+) => { $($(
        impl From<$from> for Arg {
            fn from(value: $from) -> Arg {
                Arg::$kind(Some(($make)(value)))
            }
        }
        impl From<Option<$from>> for Arg {
            fn from(value: Option<$from>) -> Arg {
                Arg::$kind(value.map($make))
            }
        }
    )+)+ };
}

arg_from! {
    Text: &str => str::to_owned, &String => String::clone, String => std::convert::identity;
    Int: i64 => std::convert::identity, &i64 => |n: &i64| *n, i32 => i64::from, u32 => i64::from,
        Time => |t: Time| t.micros(), &Time => |t: &Time| t.micros();
    Bool: bool => std::convert::identity, &bool => |b: &bool| *b;
    Double: f64 => std::convert::identity;
    Bytes: &[u8] => <[u8]>::to_vec, &Vec<u8> => Vec::clone, Vec<u8> => std::convert::identity,
        bytes::Bytes => |b: bytes::Bytes| b.to_vec();
}

/// JSON that is already text, bound as JSONB on PostgreSQL without parsing it again.
struct JsonText(Option<String>);

impl Type<Postgres> for JsonText {
    fn type_info() -> PgTypeInfo {
        <sqlx::types::Json<()> as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for JsonText {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        /// The only version of the binary format there is.
        const JSONB_VERSION: u8 = 1;
        let Some(text) = &self.0 else { return Ok(IsNull::Yes) };
        buffer.push(JSONB_VERSION);
        buffer.extend_from_slice(text.as_bytes());
        Ok(IsNull::No)
    }
}

/// The arguments as PostgreSQL's driver takes them.
pub(super) fn postgres(args: Vec<Arg>) -> Result<PgArguments, sqlx::Error> {
    let mut out = PgArguments::default();
    for arg in args {
        match arg {
            Arg::Text(value) => out.add(value),
            Arg::Int(value) => out.add(value),
            Arg::Bool(value) => out.add(value),
            Arg::Double(value) => out.add(value),
            Arg::Bytes(value) => out.add(value),
            Arg::Json(value) => out.add(JsonText(value)),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(out)
}

/// The arguments as SQLite's driver takes them.
pub(super) fn sqlite(args: Vec<Arg>) -> Result<SqliteArguments, sqlx::Error> {
    let mut out = SqliteArguments::default();
    for arg in args {
        match arg {
            Arg::Text(value) | Arg::Json(value) => out.add(value),
            Arg::Int(value) => out.add(value),
            Arg::Bool(value) => out.add(value),
            Arg::Double(value) => out.add(value),
            Arg::Bytes(value) => out.add(value),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(out)
}
