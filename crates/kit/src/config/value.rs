//! The types that a configuration value may have.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use toml::Value;

/// A type that can be read from TOML and from an environment variable.
pub trait ConfigValue: Sized {
    /// What is expected, in words, after "expected".
    const EXPECTED: &'static str;
    /// From a TOML value; `None` if it is none of this type.
    fn from_toml(value: &Value) -> Option<Self>;
    /// From the text of an environment variable; `None` if it is none of this type.
    fn from_text(text: &str) -> Option<Self>;
    /// Stands for a value that is missing until the mistakes are reported.
    fn placeholder() -> Self;
}

/// A string that does not show in logs: a password, a key, a token.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a string.
    pub fn new(secret: impl Into<String>) -> Secret {
        Secret(secret.into())
    }

    /// The string itself, for the one who needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl ConfigValue for Secret {
    const EXPECTED: &'static str = "a string that is not empty";
    fn from_toml(value: &Value) -> Option<Secret> {
        value.as_str().and_then(Secret::from_text)
    }
    fn from_text(text: &str) -> Option<Secret> {
        (!text.is_empty()).then(|| Secret::new(text))
    }
    fn placeholder() -> Secret {
        Secret::default()
    }
}

impl ConfigValue for String {
    const EXPECTED: &'static str = "a string";
    fn from_toml(value: &Value) -> Option<String> {
        value.as_str().map(str::to_owned)
    }
    fn from_text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }
    fn placeholder() -> String {
        String::new()
    }
}

impl ConfigValue for PathBuf {
    const EXPECTED: &'static str = "a path";
    fn from_toml(value: &Value) -> Option<PathBuf> {
        value.as_str().and_then(PathBuf::from_text)
    }
    fn from_text(text: &str) -> Option<PathBuf> {
        (!text.is_empty()).then(|| PathBuf::from(text))
    }
    fn placeholder() -> PathBuf {
        PathBuf::new()
    }
}

impl ConfigValue for bool {
    const EXPECTED: &'static str = "true or false";
    fn from_toml(value: &Value) -> Option<bool> {
        value.as_bool()
    }
    fn from_text(text: &str) -> Option<bool> {
        text.parse().ok()
    }
    fn placeholder() -> bool {
        false
    }
}

/// Whole numbers of several widths.
macro_rules! whole_number {
    ($($type:ty, $expected:literal);+) => {$(
        impl ConfigValue for $type {
            const EXPECTED: &'static str = $expected;
            fn from_toml(value: &Value) -> Option<$type> {
                value.as_integer().and_then(|number| <$type>::try_from(number).ok())
            }
            fn from_text(text: &str) -> Option<$type> {
                text.parse().ok()
            }
            fn placeholder() -> $type {
                0
            }
        }
    )+};
}
whole_number! {
    u32, "a whole number that is not negative";
    u64, "a whole number that is not negative";
    usize, "a whole number that is not negative";
    i64, "a whole number"
}

impl ConfigValue for f64 {
    const EXPECTED: &'static str = "a number";
    fn from_toml(value: &Value) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "numbers in configuration are small")]
        value.as_float().or(value.as_integer().map(|number| number as f64))
    }
    fn from_text(text: &str) -> Option<f64> {
        text.parse().ok().filter(|number: &f64| number.is_finite())
    }
    fn placeholder() -> f64 {
        0.0
    }
}

impl ConfigValue for SocketAddr {
    const EXPECTED: &'static str = "an address and port such as 127.0.0.1:8440";
    fn from_toml(value: &Value) -> Option<SocketAddr> {
        value.as_str().and_then(SocketAddr::from_text)
    }
    fn from_text(text: &str) -> Option<SocketAddr> {
        text.parse().ok()
    }
    fn placeholder() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 0))
    }
}

/// `250ms`, `10s`, `5m`, `2h`, `30d`.
impl ConfigValue for Duration {
    const EXPECTED: &'static str = "a duration such as 250ms, 10s, 5m, 2h or 30d";
    fn from_toml(value: &Value) -> Option<Duration> {
        value.as_str().and_then(Duration::from_text)
    }
    fn from_text(text: &str) -> Option<Duration> {
        let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
        let number: u64 = number.parse().ok()?;
        let millis = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        number.checked_mul(millis).map(Duration::from_millis)
    }
    fn placeholder() -> Duration {
        Duration::ZERO
    }
}

/// A TOML array, or the parts of a variable between commas.
impl<T: ConfigValue> ConfigValue for Vec<T> {
    const EXPECTED: &'static str = "a list (in the environment: separated by commas)";
    fn from_toml(value: &Value) -> Option<Vec<T>> {
        value.as_array()?.iter().map(T::from_toml).collect()
    }
    fn from_text(text: &str) -> Option<Vec<T>> {
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(T::from_text).collect()
    }
    fn placeholder() -> Vec<T> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit_and_do_not_overflow() {
        assert_eq!(Duration::from_text("2h"), Some(Duration::from_secs(7_200)));
        for wrong in ["", "5", "ms", "-1s", "1.5s", "1w", "99999999999999999999d"] {
            assert_eq!(Duration::from_text(wrong), None, "{wrong}");
        }
        assert_eq!(Duration::from_text("18446744073709551615d"), None);
    }
}
