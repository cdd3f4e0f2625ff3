//! Labelled accounts, from tab-separated text without a header:
//! `id handle display_name bio pdq quality link followers age_days`, then for imitations
//! `class victim_id evidence`, for unrelated accounts a tag, for look-alikes that are allowed
//! `class subject_id`. Tabs and line ends do not occur in fields; a picture, a count of followers
//! or an age that is not known is empty.
//!
//! It must not know what the labels are used for.

use std::io::{self, BufRead};

use crate::profile::{Identity, Profile};

/// An account with its label.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// What is to be checked.
    pub profile: Profile,
    /// The kind of imitation, or the tag of an unrelated account.
    pub class: String,
    /// Whom it imitates or resembles; none if nobody.
    pub subject: Option<u64>,
}

fn broken(line: usize, what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("line {line}: {what}"))
}

/// Reads lines of at least nine fields, at most `most` of them, one after the other.
fn each(
    mut from: impl BufRead,
    most: usize,
    mut with: impl FnMut(usize, &[&str]) -> io::Result<()>,
) -> io::Result<()> {
    let mut line = String::new();
    for number in 1..=most {
        line.clear();
        if from.read_line(&mut line)? == 0 {
            break;
        }
        let fields: Vec<&str> = line.trim_end_matches(['\n', '\r']).split('\t').collect();
        if fields.len() < 9 {
            return Err(broken(number, "expected nine fields or more"));
        }
        with(number, &fields)?;
    }
    Ok(())
}

/// The field of that place, read as a value.
fn field<T: std::str::FromStr>(line: usize, fields: &[&str], place: usize) -> io::Result<T> {
    let parsed = fields.get(place).and_then(|field| field.parse().ok());
    parsed.ok_or_else(|| broken(line, &format!("field {} is not what it should be", place + 1)))
}

/// The same, if it is known.
fn known<T: std::str::FromStr>(
    line: usize,
    fields: &[&str],
    place: usize,
) -> io::Result<Option<T>> {
    if fields[place].is_empty() { Ok(None) } else { field(line, fields, place).map(Some) }
}

fn links(field: &str) -> Vec<String> {
    if field.is_empty() { Vec::new() } else { vec![field.to_owned()] }
}

/// Reads protected identities, at most `most`.
///
/// # Errors
/// If a line is not as described, or reading fails.
pub fn identities(from: impl BufRead, most: usize) -> io::Result<Vec<Identity>> {
    let mut identities = Vec::new();
    each(from, most, |line, fields| {
        identities.push(Identity {
            number: field(line, fields, 0)?,
            handle: fields[1].to_owned(),
            display_name: fields[2].to_owned(),
            aliases: Vec::new(),
            avatars: known(line, fields, 4)?.into_iter().collect(),
            bio: fields[3].to_owned(),
            links: links(fields[6]),
            followers: known(line, fields, 7)?.unwrap_or_default(),
        });
        Ok(())
    })?;
    Ok(identities)
}

/// Reads accounts, at most `most`; the label is what follows the ninth field.
///
/// # Errors
/// If a line is not as described, or reading fails.
pub fn accounts(from: impl BufRead, most: usize) -> io::Result<Vec<Account>> {
    let mut accounts = Vec::new();
    each(from, most, |line, fields| {
        accounts.push(Account {
            profile: Profile {
                handle: fields[1].to_owned(),
                display_name: fields[2].to_owned(),
                avatars: known(line, fields, 4)?.into_iter().collect(),
                bio: fields[3].to_owned(),
                links: links(fields[6]),
                followers: known(line, fields, 7)?,
                age_days: known(line, fields, 8)?,
                former_names: Vec::new(),
            },
            class: fields.get(9).copied().unwrap_or_default().to_owned(),
            subject: if fields.len() > 10 { Some(field(line, fields, 10)?) } else { None },
        });
        Ok(())
    })?;
    Ok(accounts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_wrong_ones_named() {
        let hash = "0".repeat(64);
        let line = format!("7\tjane\tJane\tpaints\t{hash}\t100\tjane.com\t12\t30\tcopy\t5\tx\n");
        let read = accounts(line.as_bytes(), 10).unwrap();
        assert_eq!(read[0].subject, Some(5));
        assert_eq!(read[0].profile.links, ["jane.com"]);
        assert_eq!(identities(line.as_bytes(), 10).unwrap()[0].number, 7);
        assert_eq!(identities(line.as_bytes(), 0).unwrap().len(), 0);
        let error = accounts("1\t2\n".as_bytes(), 10).unwrap_err().to_string();
        assert_eq!(error, "line 1: expected nine fields or more");
        let error = accounts(line.replace("\t12\t", "\tmany\t").as_bytes(), 10).unwrap_err();
        assert_eq!(error.to_string(), "line 1: field 8 is not what it should be");
    }
}
