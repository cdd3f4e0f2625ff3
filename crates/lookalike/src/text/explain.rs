//! Why two names are alike, in words for a person who checks it. It must not know scores.

use std::fmt::Write as _;

use super::align::{Change, changes};
use super::table::{Class, Guise, TABLE};
use super::tricks::TrickKind;
use super::{Reading, Script};

/// The longest explanation, in characters.
const LONGEST: usize = 160;
/// Examples that are given of a kind of change.
const EXAMPLES: usize = 4;

/// The kinds of change, in the order in which they are told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Foreign,
    Leet,
    Styled,
    Marked,
    Repeated,
    Separated,
    Added,
    Left,
    Other,
}

/// Says why a name is like a protected one; at most about 160 characters.
#[must_use]
pub fn explain(query: &Reading, protected: &Reading) -> String {
    let hidden = query.tricks.count(TrickKind::Invisible) + query.tricks.count(TrickKind::Bidi);
    if query.plain == protected.plain {
        return match hidden {
            0 => "equal".to_owned(),
            _ => format!("equal once the invisible characters ({hidden}) are removed"),
        };
    }
    let changes = changes(&query.plain, &protected.plain);
    let edits =
        || changes.iter().filter(|each| kind(each, false) == Kind::Other).map(Change::letters);
    let told = if let Some(swap) = swapped(query, protected) {
        swap
    } else if query.looks == protected.looks {
        let reversed = query.tricks.count(TrickKind::Bidi) > 0;
        let turned = |text: &str| text.chars().any(|each| TABLE.entry(each).turned != 0);
        match changes.iter().map(Change::letters).sum::<usize>() * 2 > query.looks.len() {
            true if reversed => "equal as it is shown: hidden characters reverse it".to_owned(),
            true if turned(&query.plain) => "equal when it is turned upside down".to_owned(),
            _ => format!("equal after {}", tell(&changes, true)),
        }
    } else if let Some(shortened) = shortened(&query.plain, &protected.plain) {
        shortened
    } else if edits().sum::<usize>() * 3 <= protected.plain.chars().count() {
        tell(&changes, false)
    } else if query.core == protected.core {
        "equal without the added words".to_owned()
    } else if !query.latin.is_empty() && query.latin == protected.latin {
        format!("both are read \"{}\" in Latin letters", query.latin)
    } else if query.script != protected.script && query.said.sound == protected.said.sound {
        format!("sound alike: \"{}\" and \"{}\"", query.latin, protected.latin)
    } else if query.said.sound == protected.said.sound {
        "sound alike".to_owned()
    } else {
        "alike in part".to_owned()
    };
    cut(told)
}

fn cut(mut text: String) -> String {
    if let Some((at, _)) = text.char_indices().nth(LONGEST - 1) {
        text.truncate(at);
        text.push('…');
    }
    text
}

/// Two neighbours in each other's place, if that is all.
fn swapped(query: &Reading, protected: &Reading) -> Option<String> {
    let (ours, theirs) = (query.literal.as_bytes(), protected.literal.as_bytes());
    if ours.len() != theirs.len() {
        return None;
    }
    let at = ours.iter().zip(theirs).position(|(a, b)| a != b)?;
    let (ours, theirs) = (&ours[at..], &theirs[at..]);
    match (ours, theirs) {
        ([a, b, rest @ ..], [c, d, others @ ..])
            if a == d && b == c && rest == others && a.is_ascii() && b.is_ascii() =>
        {
            let [a, b] = [*a as char, *b as char];
            Some(format!("two neighbouring letters are swapped: {a}{b}→{b}{a}"))
        }
        _ => None,
    }
}

/// Which words of a name stand as they are and which by their first letter, if some do either and
/// the others are left out.
fn shortened(ours: &str, theirs: &str) -> Option<String> {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|each| !TABLE.entry(each).reads());
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let (ours, theirs) = (words(ours), words(theirs));
    let (whole, rest): (Vec<&String>, Vec<&String>) =
        theirs.iter().partition(|word| ours.contains(word));
    let initial = |word: &&String| {
        let first = word.chars().next()?.to_string();
        ours.contains(&first).then(|| format!("\"{first}\" for \"{word}\""))
    };
    let initials: Vec<String> = rest.iter().filter_map(initial).collect();
    if whole.is_empty() || initials.is_empty() {
        return None;
    }
    let whole: Vec<String> = whole.into_iter().map(|word| quoted(word)).collect();
    let mut told = format!("{} and {}", whole.join(", "), initials.join(", "));
    let left: Vec<String> =
        rest.iter().filter(|word| initial(word).is_none()).map(|word| quoted(word)).collect();
    if !left.is_empty() {
        let _infallible = write!(told, "; without {}", left.join(", "));
    }
    Some(told)
}

fn kind(change: &Change, equal: bool) -> Kind {
    let entry = |text: &str| text.chars().next().map(|each| *TABLE.entry(each));
    let parts = |text: &str| text.chars().all(|each| !TABLE.entry(each).reads());
    if parts(&change.ours) && parts(&change.theirs) {
        return Kind::Separated;
    }
    if change.theirs.is_empty() {
        return if change.repeats { Kind::Repeated } else { Kind::Added };
    }
    if change.ours.is_empty() {
        return if change.repeats { Kind::Repeated } else { Kind::Left };
    }
    if !change.alike {
        return if equal { Kind::Leet } else { Kind::Other };
    }
    let (Some(ours), Some(theirs)) = (entry(&change.ours), entry(&change.theirs)) else {
        return Kind::Other;
    };
    match (ours.class, ours.guise) {
        (Class::Digit | Class::Sign, _) => Kind::Leet,
        (_, Guise::Fullwidth | Guise::Fancy) if ours.script != Script::Other => Kind::Styled,
        (_, Guise::Mark) => Kind::Marked,
        _ if ours.script != theirs.script && ours.class == Class::Letter => Kind::Foreign,
        _ if theirs.guise == Guise::Mark => Kind::Marked,
        _ => Kind::Leet,
    }
}

/// Tells all changes, kind by kind; of texts that look equal, none is more than a disguise.
fn tell(changes: &[Change], equal: bool) -> String {
    const ORDER: [Kind; 9] = [
        Kind::Other,
        Kind::Foreign,
        Kind::Leet,
        Kind::Styled,
        Kind::Added,
        Kind::Left,
        Kind::Marked,
        Kind::Repeated,
        Kind::Separated,
    ];
    let mut told = String::new();
    for which in ORDER {
        let these: Vec<&Change> =
            changes.iter().filter(|each| kind(each, equal) == which).collect();
        if !these.is_empty() {
            if !told.is_empty() {
                told.push_str("; ");
            }
            phrase(which, &these, &mut told);
        }
    }
    if told.is_empty() { "reading it as it looks".to_owned() } else { told }
}

fn phrase(which: Kind, these: &[&Change], told: &mut String) {
    let number: usize = these.iter().map(|each| each.letters()).sum();
    let s = if number == 1 { "" } else { "s" };
    let words = |text: &dyn Fn(&Change) -> String| {
        let mut seen: Vec<String> = Vec::new();
        for each in these {
            let text = text(each);
            if !text.is_empty() && !seen.contains(&text) && seen.len() < EXAMPLES {
                seen.push(text);
            }
        }
        seen.join(", ")
    };
    let pairs = words(&|each: &Change| format!("{}→{}", each.ours, each.theirs));
    let ours = words(&|each: &Change| quoted(&each.ours));
    let theirs = words(&|each: &Change| quoted(&each.theirs));
    let _infallible = match which {
        Kind::Foreign => {
            let script = these.first().and_then(|each| each.ours.chars().next());
            let script = script.map_or(Script::Other, |each| TABLE.entry(each).script);
            let one = these.iter().all(|each| {
                each.ours.chars().next().is_some_and(|own| TABLE.entry(own).script == script)
            });
            let name = if one { script.name() } else { "foreign" };
            write!(told, "replacing {number} {name} letter{s}: {pairs}")
        }
        Kind::Leet => write!(told, "reading {pairs}"),
        Kind::Styled => write!(told, "reading {number} styled letter{s} plainly: {pairs}"),
        Kind::Added => write!(told, "the added {ours}"),
        Kind::Left => write!(told, "without {theirs}"),
        Kind::Marked => write!(told, "ignoring marks: {pairs}"),
        Kind::Repeated => write!(told, "ignoring repeated letters"),
        Kind::Separated => write!(told, "ignoring separators"),
        Kind::Other if number == 1 => write!(told, "one letter differs: {pairs}"),
        Kind::Other => write!(told, "{number} letters differ: {pairs}"),
    };
}

fn quoted(text: &str) -> String {
    let text = text.trim_matches(|each: char| !TABLE.entry(each).reads());
    match text.chars().count() {
        0 => String::new(),
        1 => format!("letter \"{text}\""),
        _ if text.chars().all(|each| each.is_ascii_digit()) => format!("number \"{text}\""),
        _ => format!("word \"{text}\""),
    }
}
