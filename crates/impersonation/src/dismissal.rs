//! Whether a profile has changed so much that what was decided about it no longer holds.
//!
//! A pair of identity and account that was dismissed, or confirmed, opens no new match until the
//! account changes materially: its name reads differently, its picture is another one, or its bio
//! or links make it look more like the identity than before by a stated margin.
//!
//! Pure: no IO, no clock. It must not know how likenesses are found.

use contracts::impersonation::v1::material_change::Kind;
use contracts::impersonation::v1::{AvatarHash, MaterialChange, ProfileSnapshot};

/// Bits in which two PDQ hashes of the same picture may differ, of 256.
pub const SAME_PICTURE_BITS: u32 = 31;
/// By how many points the score must have risen for a changed bio or link to matter: as much as
/// makes an imitation 2.7 times as likely against none.
pub const SCORE_MARGIN: f64 = 1.0;

/// A profile as it stood, and how much it looked like the identity.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The profile.
    pub profile: &'a ProfileSnapshot,
    /// The sum of the evidence's points.
    pub score: f64,
}

/// What changed materially between a decision and now; empty while the decision holds.
pub fn changes(then: Seen<'_>, now: Seen<'_>) -> Vec<MaterialChange> {
    let mut found = Vec::new();
    let (old, new) = (then.profile, now.profile);
    for (what, old, new) in [
        ("handle", &old.handle, &new.handle),
        ("display name", &old.display_name, &new.display_name),
    ] {
        if key(old) != key(new) {
            found.push(change(Kind::Name, format!("{what} \"{old}\" became \"{new}\"")));
        }
    }
    if let Some(bits) = picture_changed(&old.avatars, &new.avatars) {
        found.push(change(Kind::Picture, bits));
    }
    let rise = now.score - then.score;
    let text = old.bio != new.bio || old.links != new.links;
    if text && rise > SCORE_MARGIN {
        let what = if old.bio == new.bio { "links" } else { "bio" };
        let words = format!("{what} changed and the score rose by {rise:.1} points");
        found.push(change(Kind::Text, words));
    }
    found
}

fn change(kind: Kind, words: String) -> MaterialChange {
    MaterialChange { kind: kind.into(), words }
}

/// A name without what does not change how it reads: case, space and punctuation. A letter of
/// another script in the place of one that looks the same does change it.
pub fn key(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// How far the picture of now that is furthest from those of then is, if that is another picture. A
/// picture that was taken away is none, nor is one that was saved anew, cut or mirrored.
fn picture_changed(then: &[AvatarHash], now: &[AvatarHash]) -> Option<String> {
    let nearest = |new: &AvatarHash| then.iter().map(|old| apart(old, new)).min();
    let changed = now.iter().map(nearest).max_by_key(|bits| bits.unwrap_or(u32::MAX))?;
    match changed {
        None => Some("a picture was added".to_owned()),
        Some(bits) if bits > SAME_PICTURE_BITS => {
            Some(format!("a picture differs from the earlier ones in {bits} of 256 bits"))
        }
        Some(_) => None,
    }
}

/// The hashes of a picture: of the whole and of its further views.
pub fn hashes(picture: &AvatarHash) -> impl Iterator<Item = &[u8]> {
    let further = picture.view_pdqs.iter().map(Vec::as_slice);
    [picture.pdq.as_slice()].into_iter().chain(further)
}

/// In how many bits the nearest views of two pictures differ.
fn apart(one: &AvatarHash, other: &AvatarHash) -> u32 {
    let pairs = hashes(one).flat_map(|one| hashes(other).map(move |other| distance(one, other)));
    pairs.min().unwrap_or(u32::MAX)
}

/// In how many bits two hashes differ; what only one of them has differs wholly.
pub fn distance(one: &[u8], other: &[u8]) -> u32 {
    let common: u32 = one.iter().zip(other).map(|(a, b)| (a ^ b).count_ones()).sum();
    let rest = one.len().abs_diff(other.len());
    common + u32::try_from(8 * rest).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn profile(name: &str, bits: Option<u32>, bio: &str) -> ProfileSnapshot {
        let picture = bits.map(|bits| {
            let mut pdq = vec![0_u8; 32];
            for bit in 0..bits as usize {
                pdq[bit / 8] |= 1 << (bit % 8);
            }
            AvatarHash { pdq, ..AvatarHash::default() }
        });
        ProfileSnapshot {
            handle: "jane".to_owned(),
            display_name: name.to_owned(),
            bio: bio.to_owned(),
            avatars: picture.into_iter().collect(),
            ..ProfileSnapshot::default()
        }
    }

    fn kinds(then: &ProfileSnapshot, now: &ProfileSnapshot, rise: f64) -> Vec<Kind> {
        let then = Seen { profile: then, score: 3.0 };
        let found = changes(then, Seen { profile: now, score: 3.0 + rise });
        assert!(found.iter().all(|change| !change.words.is_empty()));
        found.iter().map(MaterialChange::kind).collect()
    }

    #[test]
    fn only_a_material_change_ends_the_memory() {
        let base = profile("Jane Doe", Some(0), "hello");
        for (now, rise, expected) in [
            (profile("Jane Doe", Some(0), "hello"), 5.0, vec![]),
            (profile("JANE-DOE!", Some(0), "hello"), 0.0, vec![]),
            (profile("Jane D\u{43e}e", Some(0), "hello"), 0.0, vec![Kind::Name]),
            (profile("Jane Smith", Some(0), "hello"), 0.0, vec![Kind::Name]),
            (profile("Jane Doe", Some(31), "hello"), 0.0, vec![]),
            (profile("Jane Doe", Some(32), "hello"), 0.0, vec![Kind::Picture]),
            (profile("Jane Doe", None, "hello"), 0.0, vec![]),
            (profile("Jane Doe", Some(0), "official"), 1.0, vec![]),
            (profile("Jane Doe", Some(0), "official"), 1.1, vec![Kind::Text]),
            (profile("J", Some(200), "official"), 9.0, vec![Kind::Name, Kind::Picture, Kind::Text]),
        ] {
            assert_eq!(kinds(&base, &now, rise), expected, "{now:?}");
        }
        let bare = profile("Jane Doe", None, "hello");
        assert_eq!(kinds(&bare, &base, 0.0), [Kind::Picture]);
    }

    #[test]
    fn a_picture_is_another_when_no_view_of_it_is_near() {
        let picture = |whole: u8, views: &[u8]| AvatarHash {
            pdq: vec![whole; 32],
            view_pdqs: views.iter().map(|view| vec![*view; 32]).collect(),
            ..AvatarHash::default()
        };
        let kinds = |then: &[AvatarHash], now: &[AvatarHash]| {
            let with = |avatars: &[AvatarHash]| ProfileSnapshot {
                avatars: avatars.to_vec(),
                ..ProfileSnapshot::default()
            };
            kinds(&with(then), &with(now), 0.0).len()
        };
        let then = [picture(0, &[1, 0xf0]), picture(0xaa, &[])];
        for (now, changed) in [
            (vec![picture(0, &[0x3c])], 0),
            // Cut to what was a view, or to what has a view in common.
            (vec![picture(0xf0, &[0x3c])], 0),
            (vec![picture(0x3c, &[0x77, 0xf0])], 0),
            (vec![picture(0xaa, &[0x3c]), picture(0, &[])], 0),
            (vec![picture(0x3c, &[0x77])], 1),
            // One that is known beside another.
            (vec![picture(0, &[1, 0xf0]), picture(0x3c, &[0x77])], 1),
            (vec![], 0),
        ] {
            assert_eq!(kinds(&then, &now), changed, "{now:?}");
        }
        assert_eq!(kinds(&[], &then), 1);
    }

    fn snapshot() -> impl Strategy<Value = ProfileSnapshot> {
        let avatar = prop::collection::vec(any::<u8>(), 32);
        ("[a-c ]{0,6}", "[a-cA-C ._]{0,6}", prop::option::of(avatar), "[a-b]{0,2}").prop_map(
            |(handle, display_name, avatar, bio)| ProfileSnapshot {
                handle,
                display_name,
                bio,
                avatars: avatar
                    .map(|pdq| AvatarHash { pdq, ..AvatarHash::default() })
                    .into_iter()
                    .collect(),
                ..ProfileSnapshot::default()
            },
        )
    }

    proptest! {
        #[test]
        fn nothing_changes_by_itself_and_followers_never_matter(
            profile in snapshot(), score in 0.0_f64..10.0, followers in 0_i64..1_000,
        ) {
            let touched = ProfileSnapshot { followers: Some(followers), ..profile.clone() };
            let then = Seen { profile: &profile, score };
            let found = changes(then, Seen { profile: &touched, score: score + 9.0 });
            prop_assert!(found.is_empty());
        }

        #[test]
        fn a_quieter_bio_never_reopens_and_a_new_name_always_does(
            then in snapshot(), now in snapshot(), fall in 0.0_f64..5.0,
        ) {
            let found = changes(
                Seen { profile: &then, score: 5.0 },
                Seen { profile: &now, score: 5.0 - fall },
            );
            prop_assert!(found.iter().all(|change| change.kind() != Kind::Text));
            let renamed =
                key(&then.handle) != key(&now.handle)
                || key(&then.display_name) != key(&now.display_name);
            prop_assert_eq!(found.iter().any(|change| change.kind() == Kind::Name), renamed);
        }
    }
}
