//! A profile as this service keeps it, and what of it is compared.
//!
//! Pure. It must not know what it looks like.

use contracts::impersonation::v1::{AvatarHash, Profile, ProfileSnapshot};
use kit::Time;
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::{detect, picture};

/// Former names that are kept.
const FORMER_NAMES_MAX: usize = 20;
/// Hashes that are kept of an observed profile, the most useful first.
const OBSERVED_HASHES_MAX: usize = 32;
/// Microseconds of a day.
const DAY_MICROS: i64 = 86_400_000_000;

/// A fingerprint of what is compared of a profile: while it stays, nothing is checked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Look([u8; 16]);

impl Look {
    /// Of a profile whose pictures are hashes.
    pub fn of(profile: &Profile) -> Look {
        let compared = Profile {
            handle: profile.handle.clone(),
            display_name: profile.display_name.clone(),
            avatars: profile.avatars.clone(),
            bio: profile.bio.clone(),
            links: profile.links.clone(),
            ..Profile::default()
        };
        let hash = Sha256::digest(compared.encode_to_vec());
        let mut look = [0; 16];
        look.copy_from_slice(&hash[..16]);
        Look(look)
    }

    /// As stored.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// From what is stored.
    pub fn read(bytes: &[u8]) -> Option<Look> {
        bytes.try_into().ok().map(Look)
    }
}

/// A profile of the population.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// What the population in memory calls it; 0 until it is stored.
    pub number: i64,
    /// The profile, its pictures as hashes.
    pub profile: Profile,
    /// What of it is compared.
    pub look: Look,
    /// When it was first observed under its names.
    pub name_time: Time,
}

/// What observing did to what was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Never seen before.
    Created,
    /// What is compared changed.
    Changed,
    /// Something else changed, such as followers.
    Touched,
    /// As known.
    Unchanged,
}

/// A profile as it is kept: every picture by the hashes of its views.
pub fn kept(mut profile: Profile, pictures: &picture::Pictures) -> Profile {
    profile.avatars = picture::as_hashes(pictures);
    picture::keep(&mut profile.avatars, picture::HASHES_MAX);
    profile.market = profile.market.to_ascii_uppercase();
    profile
}

/// What is known once `seen` was observed at `now` of an account of which `known` was; names that
/// it no longer has are remembered.
pub fn observe(known: Option<&Observed>, mut seen: Profile, now: Time) -> (Observed, Change) {
    picture::keep(&mut seen.avatars, OBSERVED_HASHES_MAX);
    let look = Look::of(&seen);
    let Some(known) = known else {
        return (Observed { number: 0, profile: seen, look, name_time: now }, Change::Created);
    };
    remember(&known.profile, &mut seen);
    let change = if look != known.look {
        Change::Changed
    } else if seen != known.profile {
        Change::Touched
    } else {
        Change::Unchanged
    };
    let before = &known.profile;
    let same_names = seen.handle == before.handle && seen.display_name == before.display_name;
    let name_time = if same_names { known.name_time } else { now };
    (Observed { number: known.number, profile: seen, look, name_time }, change)
}

/// Whether an account shows another display name or other pictures than before.
pub fn is_restyled(before: &Profile, now: &Profile) -> bool {
    let hashes = |profile: &Profile| picture::whole_hashes(&profile.avatars);
    before.display_name != now.display_name || hashes(before) != hashes(now)
}

fn remember(known: &Profile, seen: &mut Profile) {
    let mut names: Vec<String> = Vec::new();
    let given = std::mem::take(&mut seen.former_names);
    let gone = [
        (&known.handle, known.handle != seen.handle),
        (&known.display_name, known.display_name != seen.display_name),
    ];
    let gone = gone.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name.clone());
    for name in gone.chain(given).chain(known.former_names.iter().cloned()) {
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names.truncate(FORMER_NAMES_MAX);
    seen.former_names = names;
}

/// What the detector compares, as of `now`. `profile` has hashes for pictures.
pub fn compared(profile: &Profile, now: Time) -> detect::Profile {
    let created = profile.account_create_time.as_ref().and_then(Time::from_timestamp);
    let age = created.map(|created| (now.micros() - created.micros()).max(0) / DAY_MICROS);
    detect::Profile {
        handle: profile.handle.clone(),
        display_name: profile.display_name.clone(),
        avatars: picture::all_hashes(&profile.avatars),
        bio: profile.bio.clone(),
        links: profile.links.clone(),
        followers: profile.followers.map(i64::unsigned_abs),
        age_days: age.map(|days| u32::try_from(days).unwrap_or(u32::MAX)),
        former_names: profile.former_names.clone(),
    }
}

/// How a profile stood, for a match.
pub fn snapshot(profile: &Profile) -> ProfileSnapshot {
    let avatars = profile.avatars.iter().filter_map(|avatar| {
        Some(AvatarHash {
            pdq: picture::whole(avatar)?.to_vec(),
            quality: avatar.quality,
            url: avatar.url.clone(),
            views: i32::try_from(avatar.view_pdqs.len()).unwrap_or(i32::MAX),
            view_pdqs: avatar.view_pdqs.clone(),
        })
    });
    ProfileSnapshot {
        account_id: profile.account_id.clone(),
        handle: profile.handle.clone(),
        display_name: profile.display_name.clone(),
        bio: profile.bio.clone(),
        links: profile.links.clone(),
        followers: profile.followers,
        avatars: avatars.collect(),
        account_create_time: profile.account_create_time,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_seconds(1_000_000);

    fn profile(handle: &str, name: &str, followers: i64) -> Profile {
        Profile {
            account_id: "a1".to_owned(),
            handle: handle.to_owned(),
            display_name: name.to_owned(),
            followers: Some(followers),
            ..Profile::default()
        }
    }

    #[test]
    fn only_what_is_compared_makes_a_change() {
        let (known, change) = observe(None, profile("jane", "Jane", 1), NOW);
        assert_eq!(change, Change::Created);
        let after = |seen: Profile| observe(Some(&known), seen, Time::from_seconds(2_000_000));
        assert_eq!(after(profile("jane", "Jane", 1)).1, Change::Unchanged);
        let (famous, change) = after(profile("jane", "Jane", 2));
        assert_eq!((famous.name_time, change), (NOW, Change::Touched));
        let (renamed, change) = after(profile("jane2", "Jane", 1));
        assert_eq!(
            (change, renamed.profile.former_names.as_slice()),
            (Change::Changed, &["jane".to_owned()][..])
        );
        assert_eq!(renamed.name_time, Time::from_seconds(2_000_000));
        let (back, _) = observe(Some(&renamed), profile("jane", "J", 1), NOW);
        assert_eq!(back.profile.former_names, ["jane2", "Jane", "jane"]);
    }

    #[test]
    fn former_names_are_bounded() {
        let (mut known, _) = observe(None, profile("h0", "n", 1), NOW);
        for number in 1..50 {
            known = observe(Some(&known), profile(&format!("h{number}"), "n", 1), NOW).0;
        }
        assert_eq!(known.profile.former_names.len(), FORMER_NAMES_MAX);
        assert_eq!(known.profile.former_names[0], "h48");
    }

    #[test]
    fn hashes_are_bounded_and_the_first_are_kept() {
        let pictures = |views: usize| picture::Pictures {
            pictures: vec![picture::Picture {
                views: (0..views * picture::PDQ_BYTES).map(|at| (at / 32) as u8).collect(),
                ..picture::Picture::default()
            }],
        };
        let first = |profile: &Profile| -> Vec<u64> {
            compared(profile, NOW).avatars.iter().map(|hash| hash.0[0] & 0xff).collect()
        };
        let to = |end: usize| (0..end as u64).collect::<Vec<u64>>();
        for (given, checked, observed) in [(31, 31, 31), (32, 32, 32), (33, 33, 32), (97, 96, 32)] {
            let checking = kept(profile("h", "n", 1), &pictures(given));
            assert_eq!(first(&checking), to(checked), "{given}");
            let (known, _) = observe(None, checking.clone(), NOW);
            assert_eq!(first(&known.profile), to(observed), "{given}");
            // What is not kept is no change.
            assert_eq!(observe(Some(&known), checking, NOW).1, Change::Unchanged, "{given}");
        }
    }

    #[test]
    fn each_picture_keeps_its_share_of_hashes() {
        let picture = |of: u8, views: usize| picture::Picture {
            views: [of].repeat(views * picture::PDQ_BYTES),
            ..picture::Picture::default()
        };
        let counts = |given: &[usize]| {
            let pictures = (0..).zip(given).map(|(of, views)| picture(of, *views));
            let pictures = picture::Pictures { pictures: pictures.collect() };
            let kept = kept(profile("h", "n", 1), &pictures);
            let hashes = compared(&kept, NOW).avatars;
            let of = |of: u64| hashes.iter().filter(|hash| hash.0[0] & 0xff == of).count();
            (0..given.len() as u64).map(of).collect::<Vec<_>>()
        };
        assert_eq!(counts(&[10, 1, 40]), [10, 1, 32]);
        assert_eq!(counts(&[60, 60]), [48, 48]);
        assert_eq!(counts(&[2; 60]), [1; 60]);
        assert_eq!(counts(&[1; 64]), [1; 64]);
    }

    #[test]
    fn age_counts_whole_days_and_never_less_than_none() {
        let mut made = profile("h", "n", 1);
        made.account_create_time = Some(Time::from_seconds(1_000_000).into());
        let age = |seconds: i64| compared(&made, Time::from_seconds(seconds)).age_days;
        assert_eq!(age(1_000_000 + 86_399), Some(0));
        assert_eq!(age(1_000_000 + 86_400 * 3), Some(3));
        assert_eq!(age(0), Some(0));
        made.account_create_time = None;
        assert_eq!(compared(&made, Time::from_seconds(5)).age_days, None);
    }
}
