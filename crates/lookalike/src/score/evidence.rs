//! Evidence in words that a reviewer can check: what was compared, how near it is, what it adds.
//!
//! It must not weigh: points come from the model.

use super::features::{FEATURES, Features, Signal};
use crate::index::candidate::FAR;
use crate::index::row::Row;
use crate::picture::nearer_by_chance;
use crate::profile::Profile;
use crate::text::{self, Reader, Reading};

/// One reason for or against.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// What it speaks of.
    pub signal: Signal,
    /// What it adds to the log-odds; less than 0 if it speaks against.
    pub points: f32,
    /// What is seen.
    pub words: String,
}

/// The value of a feature by its name.
fn value(features: &Features, name: &str) -> f32 {
    let place = FEATURES.iter().position(|feature| feature.name == name);
    place.map_or(0.0, |place| features[place])
}

/// The evidence of all signals that add or take anything, what weighs most first.
pub fn of(
    reader: &Reader,
    readings: &[Reading],
    (asked, row): (&Profile, &Row),
    features: &Features,
    points: &[f32; Signal::ALL.len()],
) -> Vec<Evidence> {
    let mut evidence: Vec<Evidence> = Signal::ALL
        .into_iter()
        .map(|signal| (signal, points[signal as usize]))
        .filter(|(_, points)| *points != 0.0)
        .map(|(signal, points)| Evidence {
            signal,
            points,
            words: words(signal, reader, readings, (asked, row), features),
        })
        .collect();
    evidence.sort_by(|a, b| b.points.abs().total_cmp(&a.points.abs()));
    evidence
}

fn words(
    signal: Signal,
    reader: &Reader,
    readings: &[Reading],
    (asked, row): (&Profile, &Row),
    features: &Features,
) -> String {
    let seen = |name: &str| value(features, name);
    match signal {
        Signal::Handle => beside("handle", reader, readings.first(), row),
        Signal::DisplayName => {
            let mut words = beside("display name", reader, readings.get(1), row);
            if seen("display_equal") >= 1.0 {
                let others = (seen("display_equal").exp2().round() - 1.0).max(1.0);
                words.push_str(&format!("; {others} other protected names are equal"));
            }
            words
        }
        Signal::FormerName => match seen("former_name") {
            2.0.. => "a former name is alike, the names of now are not".to_owned(),
            _ => "became alike by a change of name".to_owned(),
        },
        Signal::Avatar => {
            let pairs = asked.avatars.len() * row.avatars.len();
            avatar(seen("avatar_distance"), pairs, seen("avatar_common"), seen("avatar_owners"))
        }
        Signal::Bio => {
            let share = seen("bio_kept").max(seen("bio_likeness")) * 100.0;
            let bait = if seen("bio_bait") > 0.0 { "; it holds words that lure" } else { "" };
            format!("bio shares {share:.0} % of its words{bait}")
        }
        Signal::Link => {
            let same = match seen("link_same") {
                2.0.. => "links to the same page, which proves nothing by itself",
                1.0.. => "links to the same host",
                _ => "does not link to the identity's page",
            };
            let relay = if seen("link_relay") > 0.0 {
                "; links to a messenger or a page of links"
            } else {
                ""
            };
            format!("{same}{relay}")
        }
        Signal::Audience => {
            let identity = seen("audience_identity").exp2() - 1.0;
            format!("about {identity:.0} follow the identity")
        }
        Signal::Age => {
            let days = seen("age").exp2() - 1.0;
            format!("created about {days:.0} days ago, which proves little")
        }
    }
}

fn avatar(distance: f32, pairs: usize, common: f32, owners: f32) -> String {
    if distance > f32::from(FAR) {
        return "no picture to compare".to_owned();
    }
    if distance >= f32::from(FAR) {
        return "pictures differ".to_owned();
    }
    let bits = distance - nearer_by_chance(pairs);
    let mut words = format!("avatar within {bits:.0} of 256 bits");
    if pairs > 1 {
        words.push_str(&format!(", the nearest of {pairs} pairs of views"));
    }
    if common >= 1.0 {
        words.push_str(&format!("; about {:.0} protected avatars are", common.exp2()));
    }
    if owners >= 2.0 {
        words.push_str(&format!("; about {:.0} accounts have it", owners.exp2()));
    }
    words
}

/// How a name looks beside the nearest name of the identity.
fn beside(what: &str, reader: &Reader, reading: Option<&Reading>, row: &Row) -> String {
    let Some(reading) = reading.filter(|reading| !reading.looks.is_empty()) else {
        return format!("no {what} to compare");
    };
    let mut pattern = crate::distance::Pattern::default();
    pattern.set(reading.looks.as_bytes());
    let others = [("handle", &row.handle), ("display name", &row.display_name)].into_iter();
    let others = others.chain(row.aliases.iter().map(|alias| ("alias", alias)));
    let nearest = others
        .filter(|(_, name)| !name.is_empty())
        .map(|(kind, name)| {
            let theirs = reader.read(name);
            let keys = [&theirs.looks, &theirs.core];
            let likeness = keys.map(|key| pattern.likeness(key.as_bytes()));
            (likeness[0].max(likeness[1]), kind == what, kind, name, theirs)
        })
        .max_by(|a, b| (a.0, a.1).partial_cmp(&(b.0, b.1)).unwrap_or(std::cmp::Ordering::Equal));
    let Some((_, _, kind, name, theirs)) = nearest else {
        return format!("no name to compare the {what} with");
    };
    let how = text::explain(reading, &theirs);
    if kind == what {
        format!("{what} beside \"{name}\": {how}")
    } else {
        format!("{what} beside the {kind} \"{name}\": {how}")
    }
}
