//! What is said by those who lure people: words of bios, and hosts that lead elsewhere.
//!
//! A bait alone proves nothing; beside a likeness it counts. The lists are data.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The phrases, one a line with its weight: those of words between spaces by their first word, and
/// those of scripts without spaces.
struct Phrases {
    by_first: HashMap<&'static str, Vec<(f32, &'static str)>>,
    unspaced: Vec<(f32, &'static str)>,
}

static PHRASES: LazyLock<Phrases> = LazyLock::new(|| {
    let lines = include_str!("../../data/baits.tsv").lines();
    let rows = lines.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'));
    let mut phrases = Phrases { by_first: HashMap::new(), unspaced: Vec::new() };
    for (weight, phrase) in rows.filter_map(|(weight, phrase)| Some((weight.parse().ok()?, phrase)))
    {
        if phrase.chars().next().is_some_and(is_spaced) {
            let first = phrase.split(' ').next().unwrap_or_default();
            phrases.by_first.entry(first).or_default().push((weight, phrase));
        } else {
            phrases.unspaced.push((weight, phrase));
        }
    }
    phrases
});

/// Whether a letter is of a script that parts its words by spaces.
fn is_spaced(letter: char) -> bool {
    (letter as u32) < 0x2e80
}

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
    let mut found: Vec<(f32, &str)> = Vec::new();
    let mut add = |phrase: (f32, &'static str)| {
        if !found.iter().any(|(_, known)| *known == phrase.1) {
            found.push(phrase);
        }
    };
    for (place, _) in lower.match_indices(' ') {
        let rest = &lower[place + 1..];
        let first = rest.split(' ').next().unwrap_or_default();
        for phrase in PHRASES.by_first.get(first).into_iter().flatten() {
            let after = rest.strip_prefix(phrase.1);
            if after.is_some_and(|after| after.starts_with(' ')) {
                add(*phrase);
            }
        }
    }
    if lower.chars().any(|letter| !is_spaced(letter)) {
        let unspaced = PHRASES.unspaced.iter();
        unspaced.filter(|(_, phrase)| lower.contains(phrase)).for_each(|phrase| add(*phrase));
    }
    found.iter().map(|(weight, _)| weight).sum::<f32>().min(4.0)
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
