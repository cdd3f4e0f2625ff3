//! The detector as this service uses it: everything that is taken from it comes through here.

use std::sync::Arc;

use lookalike::detector::{self, Detector};
pub use lookalike::index::{Change, Index, Merge, Merged};
pub use lookalike::picture::{KEPT_MAX, Pdq};
use lookalike::picture::{Limits, Picture};
use lookalike::population::{Person, Sought};
pub use lookalike::profile::{Identity, Profile};
use lookalike::score::{Model, Signal, model};
use lookalike::text::Reader;
use sha2::{Digest as _, Sha256};

pub use self::detector::Scratch;
use crate::picture::Role;

/// Added to log-odds asked for, so that rounding loses nobody who is just probable enough.
const ROUNDING: f32 = 1e-3;
/// Hexadecimal digits of a model's name.
const VERSION_BYTES: usize = 8;

/// What is wanted of a check.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// How many at most.
    pub limit: usize,
    /// From which probability on.
    pub min_probability: f32,
}

/// What a check found.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Most probable first.
    pub matches: Vec<Found>,
    /// Whether the work that one check may cost ran out.
    pub truncated: bool,
}

/// One likeness.
#[derive(Clone, Debug)]
pub struct Found {
    /// Of whom.
    pub number: u64,
    /// How probable an imitation is.
    pub probability: f32,
    /// The same in log-odds: the sum of the points.
    pub score: f32,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// The weights that gave it.
    pub model_version: Arc<str>,
}

/// One thing that a likeness rests on.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// Its name.
    pub signal: &'static str,
    /// What it adds.
    pub points: f32,
    /// What is seen.
    pub words: String,
}

/// The detector with its weights. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Engine(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    detector: Detector,
    version: Arc<str>,
}

impl Engine {
    /// With the weights that are shipped.
    pub fn shipped() -> Engine {
        Engine::of(Detector::default())
    }

    /// With weights that were fitted elsewhere, as `recourse impersonation fit` writes them.
    ///
    /// # Errors
    /// What is wrong with them, for people.
    pub fn with_model(text: &str) -> Result<Engine, String> {
        let model = Model::parse(text).map_err(|error| error.to_string())?;
        Ok(Engine::of(Detector { reader: Reader::new(), model }))
    }

    fn of(detector: Detector) -> Engine {
        let hash = Sha256::digest(detector.model.to_text());
        let version: String =
            hash[..VERSION_BYTES].iter().map(|byte| format!("{byte:02x}")).collect();
        Engine(Arc::new(Inner { detector, version: version.into() }))
    }

    /// Names the weights: what different ones answer does not compare.
    pub fn version(&self) -> &str {
        &self.0.version
    }

    /// Names what names are read by: an index that was read by something else does not fit.
    pub fn reading(&self) -> u64 {
        lookalike::text::tables_hash()
    }

    /// The probability that a share of harmless profiles reaches.
    pub fn probability_at(&self, false_positive_rate: f64) -> f64 {
        let score = self.0.detector.model.threshold(false_positive_rate as f32);
        f64::from(model::probability(score))
    }

    /// An index of these identities, built on a number of threads. Takes long for many.
    pub fn build(&self, identities: &[Identity], threads: usize) -> Index {
        Index::build(&self.0.detector.reader, identities, threads)
    }

    /// The index after some changes. Takes long for many.
    pub fn after(&self, index: &Index, changes: &[Change]) -> Index {
        index.after(&self.0.detector.reader, changes)
    }

    /// Counts an observed profile, so that what many have in common proves little.
    pub fn observe(&self, index: &Index, profile: &contracts::impersonation::v1::Profile) {
        let hashes = crate::picture::whole_hashes(&profile.avatars);
        index.observe(&self.0.detector.reader, &profile.display_name, &hashes);
    }

    /// What the population keeps of an account that goes by a key and has a number.
    pub fn person(&self, of: (u64, u32), profile: &Profile) -> Person {
        Person::of(&self.0.detector.reader, of, profile)
    }

    /// What imitators of an identity are looked for by.
    pub fn sought(&self, identity: &Identity) -> Sought {
        Sought::of(&self.0.detector.reader, identity)
    }

    /// Does a merge that was due. Takes long.
    pub fn merge(&self, due: Merge) -> Merged {
        due.run(&self.0.detector.reader, 1)
    }

    /// Further hashes by which a profile's picture is as near to a protected one as by no other.
    pub fn look_again(
        &self,
        index: &Index,
        profile: &Profile,
        windows: &[Pdq],
        scratch: &mut Scratch,
    ) -> Vec<Pdq> {
        self.0.detector.look_again(index, profile, windows, scratch)
    }

    /// What a profile looks like. Where only its handle is known, those with the nearest handles
    /// are weighed.
    pub fn check(
        &self,
        index: &Index,
        profile: &Profile,
        scratch: &mut Scratch,
        ask: Ask,
    ) -> Checked {
        let min = ask.min_probability;
        let min_score = (min / (1.0 - min)).ln() - ROUNDING;
        let asked = detector::Ask { limit: ask.limit, min_score, ..detector::Ask::default() };
        let detector = &self.0.detector;
        let checked = match is_handle_alone(profile) {
            true => detector.check_handle(index, &profile.handle, scratch, &asked),
            false => detector.check(index, profile, scratch, &asked),
        };
        let probable = checked.matches.into_iter().filter(|found| found.probability >= min);
        let matches = probable.map(|one| found(one, &self.0.version)).collect();
        Checked { matches, truncated: checked.truncated }
    }
}

/// Whether nothing is known of an account but its handle.
fn is_handle_alone(profile: &Profile) -> bool {
    let Profile { handle, display_name, avatars, bio, links, former_names, .. } = profile;
    let others = [display_name, bio].into_iter().all(String::is_empty);
    !handle.is_empty()
        && others
        && avatars.is_empty()
        && [links, former_names].into_iter().all(Vec::is_empty)
}

fn found(from: detector::Match, model_version: &Arc<str>) -> Found {
    let mut evidence: Vec<Evidence> = from
        .evidence
        .into_iter()
        .map(|evidence| Evidence {
            signal: name(evidence.signal),
            points: evidence.points,
            words: evidence.words,
        })
        .collect();
    // So that the points sum to the score.
    evidence.push(Evidence {
        signal: "prior",
        points: from.base,
        words: "how rare imitation is before anything is seen".to_owned(),
    });
    Found {
        number: from.number,
        probability: from.probability,
        score: from.score,
        evidence,
        model_version: model_version.clone(),
    }
}

fn name(signal: Signal) -> &'static str {
    match signal {
        Signal::Handle => "handle",
        Signal::DisplayName => "display_name",
        Signal::FormerName => "former_name",
        Signal::Avatar => "avatar",
        Signal::Bio => "bio",
        Signal::Link => "link",
        Signal::Audience => "audience",
        Signal::Age => "age",
    }
}

/// What is read of an image.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The hashes of its views, that of the whole first.
    pub views: Vec<Pdq>,
    /// The quality of the whole, 0 to 100.
    pub quality: i32,
    /// Of one that is asked about: hashes by which it is [looked at again](Engine::look_again).
    pub windows: Vec<Pdq>,
}

/// What an image shows. At most `most` views are looked for; how many are kept of a picture is the
/// detector's.
///
/// # Errors
/// Why it cannot be read, for people.
pub fn read_image(image: &[u8], role: Role, most: usize) -> Result<Seen, String> {
    let picture = Picture::read(image, Limits::default()).map_err(|refused| refused.to_string())?;
    let quality = i32::from(picture.quality());
    Ok(match role {
        Role::Protected => {
            let kept = picture.kept(KEPT_MAX).into_iter();
            Seen { views: kept.map(|(_, hash)| hash).collect(), quality, windows: Vec::new() }
        }
        Role::Asked => {
            let looks = picture.looks().take(most).map(|(_, hash)| hash);
            Seen { views: looks.collect(), quality, windows: picture.windows() }
        }
    })
}
