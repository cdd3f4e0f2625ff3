//! What is said by those who lure people: words of bios, and hosts that lead elsewhere.
//!
//! A bait alone proves nothing; beside a likeness it counts. The lists are data.

use std::sync::LazyLock;

/// One phrase a line, with its weight.
static PHRASES: LazyLock<Vec<(f32, &str)>> = LazyLock::new(|| {
    let lines = include_str!("../../data/baits.tsv").lines();
    let rows = lines.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'));
    rows.filter_map(|(weight, phrase)| Some((weight.parse().ok()?, phrase))).collect()
});

/// Hosts of messengers and of pages of links.
static RELAYS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    include_str!("../../data/relays.txt").lines().filter(|line| !line.starts_with('#')).collect()
});

/// How much bait a text holds, from 0 to 4: the weights of the phrases in it, added up.
pub fn in_text(text: &str) -> f32 {
    if text.is_empty() {
        return 0.0;
    }
    let mut lower = String::with_capacity(text.len() + 2);
    lower.push(' ');
    for letter in text.chars().take(1_000).flat_map(char::to_lowercase) {
        lower.push(if letter.is_alphanumeric() { letter } else { ' ' });
    }
    lower.push(' ');
    let found = PHRASES.iter().filter(|(_, phrase)| has_phrase(&lower, phrase));
    found.map(|(weight, _)| weight).sum::<f32>().min(4.0)
}

/// Whether the words of a phrase stand in a text of words between single spaces. Scripts without
/// spaces between words are searched letter by letter.
fn has_phrase(text: &str, phrase: &str) -> bool {
    let spaced = phrase.chars().next().is_some_and(|letter| (letter as u32) < 0x2e80);
    text.match_indices(phrase).any(|(place, _)| {
        !spaced || text[..place].ends_with(' ') && text[place + phrase.len()..].starts_with(' ')
    })
}

/// Whether a link leads to a messenger or to a page of links.
pub fn is_relay(link: &str) -> bool {
    let link = link.split_once("://").map_or(link, |(_, rest)| rest);
    let host = link.split('/').next().unwrap_or_default();
    let host = host.strip_prefix("www.").unwrap_or(host);
    RELAYS.iter().any(|relay| host.eq_ignore_ascii_case(relay))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bait_is_found_by_words() {
        assert!(in_text("DM me to claim your prize!!!") >= 1.0);
        assert!(in_text("私の裏アカウントです 抽選") > 0.0);
        assert_eq!(in_text("I paint prizefighters and surprises"), 0.0);
        assert_eq!(in_text(""), 0.0);
    }

    #[test]
    fn relays_are_hosts() {
        assert!(is_relay("https://t.me/jane"));
        assert!(is_relay("linktr.ee/jane"));
        assert!(!is_relay("https://example.com/t.me"));
    }
}
