//! Page tokens: where the next page begins, opaque to the caller and bound to the other
//! arguments of the list. They hold no secret and give no right. No domain noun.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use crate::error::Error;

/// Bytes of the arguments' hash that a token carries.
const BINDING_BYTES: usize = 8;
/// The longest token that is looked at, in bytes.
pub const TOKEN_BYTES_MAX: usize = 2_048;

/// The arguments that a token belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding([u8; BINDING_BYTES]);

/// Binds to the RPC's name and all its arguments but page size and page token.
pub fn binding(arguments: &[&str]) -> Binding {
    let mut hash = Sha256::new();
    for argument in arguments {
        hash.update((argument.len() as u64).to_be_bytes());
        hash.update(argument.as_bytes());
    }
    let mut bytes = [0; BINDING_BYTES];
    bytes.copy_from_slice(&hash.finalize()[..BINDING_BYTES]);
    Binding(bytes)
}

/// The number of rows to give: `default` for 0, never more than `max`. Negative sizes are
/// refused by validation; here they are the default.
pub fn size(requested: i32, default: u32, max: u32) -> usize {
    let size = match u32::try_from(requested) {
        Ok(0) | Err(_) => default,
        Ok(size) => size.min(max),
    };
    usize::try_from(size).unwrap_or(usize::MAX)
}

/// A token for the page after the row with `key`.
///
/// # Panics
/// If the key is not plain data (a map whose keys are not strings).
pub fn token<K: Serialize>(binding: &Binding, key: &K) -> String {
    let mut bytes = binding.0.to_vec();
    bytes.extend(serde_json::to_vec(key).expect("a key is a tuple of plain values"));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The key in a token; `None` for the empty token, which means the first page.
///
/// # Errors
/// INVALID_ARGUMENT with reason PAGE_TOKEN_INVALID if the token was not made for these
/// arguments.
pub fn read<K: DeserializeOwned>(token: &str, binding: &Binding) -> Result<Option<K>, Error> {
    if token.is_empty() {
        return Ok(None);
    }
    let invalid = || {
        Error::invalid_argument("PAGE_TOKEN_INVALID")
            .message("page_token does not belong to this list with these arguments")
            .and_invalid("page_token", "must be the next_page_token of the same list")
    };
    if token.len() > TOKEN_BYTES_MAX {
        return Err(invalid());
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
    let (bound, key) = bytes.split_at_checked(BINDING_BYTES).ok_or_else(invalid)?;
    if bound != binding.0 {
        return Err(invalid());
    }
    serde_json::from_slice(key).map(Some).map_err(|_| invalid())
}

/// Cuts rows that were read with a limit of `size + 1` to the page, and makes the token of the
/// next page; empty on the last.
pub fn cut<R, K: Serialize>(
    mut rows: Vec<R>,
    size: usize,
    binding: &Binding,
    key: impl Fn(&R) -> K,
) -> (Vec<R>, String) {
    let more = rows.len() > size;
    rows.truncate(size);
    match rows.last() {
        Some(last) if more => {
            let next = token(binding, &key(last));
            (rows, next)
        }
        _ => (rows, String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_to_the_next_page_and_the_last_page_has_none() {
        let bound = binding(&["ListThings", "open"]);
        let (rows, next) = cut(vec![1, 2, 3], 2, &bound, |row| (*row, "id".to_owned()));
        assert_eq!(rows, [1, 2]);
        assert_eq!(read(&next, &bound).unwrap(), Some((2, "id".to_owned())));
        let (rows, next) = cut(vec![3], 2, &bound, |row| *row);
        assert_eq!((rows.as_slice(), next.as_str()), (&[3][..], ""));
        let (rows, next) = cut(vec![3, 4], 2, &bound, |row| *row);
        assert_eq!((rows.as_slice(), next.as_str()), (&[3, 4][..], ""));
        assert_eq!(read::<i64>("", &bound).unwrap(), None);
    }

    #[test]
    fn a_token_of_other_arguments_or_of_nobody_is_refused() {
        let bound = binding(&["ListThings", "open", ""]);
        let others = [
            token(&binding(&["ListThings", "closed", ""]), &5),
            token(&binding(&["ListThings", "", "open"]), &5),
            token(&bound, &"not a number"),
            "not base64!".to_owned(),
            "AAAA".to_owned(),
            "A".repeat(TOKEN_BYTES_MAX + 1),
        ];
        for other in others {
            let error = read::<i64>(&other, &bound).unwrap_err();
            assert_eq!(error.reason(), "PAGE_TOKEN_INVALID");
        }
    }

    #[test]
    fn sizes_have_a_default_and_a_limit() {
        for (requested, given) in [(0, 50), (1, 1), (200, 200), (201, 200), (i32::MAX, 200)] {
            assert_eq!(size(requested, 50, 200), given);
        }
        assert_eq!(size(-1, 50, 200), 50);
    }
}
