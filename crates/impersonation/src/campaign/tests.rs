//! Traits by table; campaigns against the components of a graph, in any order of arrival.

use contracts::impersonation::v1::AvatarHash;
use proptest::prelude::*;

use super::*;

const NOW: Time = Time::from_seconds(1_763_786_000);

fn match_of(identity: &str, change: impl FnOnce(&mut ProfileSnapshot)) -> Match {
    let mut profile = ProfileSnapshot::default();
    change(&mut profile);
    let star = ProfileSnapshot {
        bio: "Singer and songwriter from Graz".to_owned(),
        links: vec!["https://star.example/".to_owned()],
        avatars: vec![AvatarHash { pdq: vec![7; 32], ..AvatarHash::default() }],
        ..ProfileSnapshot::default()
    };
    Match {
        identity_id: identity.to_owned(),
        profile: Some(profile),
        identity: Some(star),
        ..Match::default()
    }
}

fn of_actor(found: &Match, marks: &[&str]) -> Vec<String> {
    let marks: Vec<String> = marks.iter().map(|mark| (*mark).to_owned()).collect();
    let traits = traits(found, &marks, NOW);
    traits.into_iter().filter(|one| one.actor).map(|one| one.name).collect()
}

#[test]
fn only_what_is_not_the_imitated_ones_tells_of_an_actor() {
    let links = |links: &[&str]| {
        let links = links.iter().map(|link| (*link).to_owned()).collect();
        of_actor(&match_of("idn_1", |profile| profile.links = links), &[])
    };
    assert_eq!(of_actor(&match_of("idn_1", |_| {}), &[]), [""; 0]);
    assert_eq!(of_actor(&match_of("idn_1", |_| {}), &["m"]), ["mark:m"]);
    assert_eq!(links(&["HTTPS://www.Scam.example:8443/x?y"]), ["link:scam.example"]);
    assert_eq!(links(&["https://user@evil.example"]), ["link:evil.example"]);
    assert_eq!(
        links(&["star.example", "https://linktr.ee/x", "m.youtube.com", "nothing"]),
        [""; 0]
    );
    // Each picture by the hash of the whole, and those of its further views.
    let pictures = |pictures: &[(u8, &[u8])]| {
        let avatars = pictures.iter().map(|(whole, views)| AvatarHash {
            pdq: vec![*whole; 32],
            view_pdqs: views.iter().map(|view| vec![*view; 32]).collect(),
            ..AvatarHash::default()
        });
        let avatars = avatars.collect();
        of_actor(&match_of("idn_1", |profile| profile.avatars = avatars), &[]).len()
    };
    assert_eq!((pictures(&[(7, &[])]), pictures(&[(0xf8, &[])])), (0, 1));
    // Views are no pictures of their own, and none is the actor's if one is copied.
    assert_eq!((pictures(&[(0xf8, &[7])]), pictures(&[(0xf8, &[0xf0])])), (0, 1));
    assert_eq!((pictures(&[(0xf8, &[]), (0xf0, &[])]), pictures(&[(0xf8, &[]), (7, &[])])), (2, 0));
    let bio =
        |bio: &str| of_actor(&match_of("idn_1", |profile| profile.bio = bio.to_owned()), &[]).len();
    assert_eq!(bio("short"), 0);
    assert_eq!(bio("singer AND songwriter  from Graz"), 0);
    assert_eq!(bio("write me on telegram for free crypto"), 1);
}

#[test]
fn bursts_and_waves_link_what_is_near_in_time() {
    let burst = |seconds: i64| {
        let made = NOW.plus(std::time::Duration::from_secs(u64::try_from(seconds).unwrap()));
        let found = match_of("idn_1", |profile| profile.account_create_time = Some(made.into()));
        let names: BTreeSet<String> = of_actor(&found, &[]).into_iter().collect();
        names
    };
    for begin in [0, 600, 1_799] {
        assert!(!burst(begin).is_disjoint(&burst(begin + 1_799)), "{begin}");
        assert!(burst(begin).is_disjoint(&burst(begin + 3_600)), "{begin}");
    }
    let wave = |identity: &str, hours: u64| {
        let at = NOW.plus(std::time::Duration::from_secs(hours * 3_600));
        traits(&match_of(identity, |_| {}), &[], at)
    };
    assert!(!wave("idn_1", 0).is_disjoint(&wave("idn_1", 36)));
    assert!(wave("idn_1", 0).is_disjoint(&wave("idn_1", 72)));
    assert!(wave("idn_1", 0).is_disjoint(&wave("idn_2", 0)));
}

fn peer(match_id: &str, campaign: Option<(&str, Kind)>, actor: bool) -> Peer {
    let campaign = campaign.map(|(id, kind)| (id.to_owned(), kind));
    Peer { match_id: match_id.to_owned(), campaign, actor }
}

#[test]
fn an_actor_takes_precedence_and_an_identity_needs_three() {
    use Kind::{Actor, Identity};
    let set = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<String>>();
    let planned = |kind, into: Option<&str>, join: &[&str], absorb: &[&str]| {
        let into = into.map(str::to_owned);
        Some(Plan { kind, into, join: set(join), absorb: set(absorb) })
    };
    for (peers, expected) in [
        (vec![], None),
        (vec![peer("a", None, false)], None),
        (
            vec![peer("a", None, false), peer("b", None, false)],
            planned(Identity, None, &["a", "b", "m"], &[]),
        ),
        (
            vec![peer("a", Some(("c1", Identity)), false)],
            planned(Identity, Some("c1"), &["m"], &[]),
        ),
        (vec![peer("a", Some(("c1", Actor)), false)], None),
        (vec![peer("a", None, true)], planned(Actor, None, &["a", "m"], &[])),
        (
            vec![peer("a", Some(("c1", Identity)), true), peer("b", None, false)],
            planned(Actor, None, &["a", "m"], &[]),
        ),
        (
            vec![peer("a", Some(("c2", Actor)), true), peer("b", Some(("c1", Actor)), true)],
            planned(Actor, Some("c1"), &["m"], &["c2"]),
        ),
    ] {
        assert_eq!(plan("m", None, &peers), expected, "{peers:?}");
    }
    let own = Some(("c1".to_owned(), Actor));
    assert_eq!(plan("m", own.clone(), &[peer("a", Some(("c1", Actor)), true)]), None);
    assert_eq!(plan("m", own, &[peer("a", None, false), peer("b", None, false)]), None);
}

/// Lets matches arrive one by one, each with its traits; answers the campaign of each.
fn arrive(all: &[(usize, Vec<u8>)]) -> BTreeMap<usize, String> {
    let mut campaigns: BTreeMap<usize, String> = BTreeMap::new();
    let mut seen: Vec<&(usize, Vec<u8>)> = Vec::new();
    for (count, one) in all.iter().enumerate() {
        let (number, traits) = one;
        let peers: Vec<Peer> = seen
            .iter()
            .filter(|(_, others)| others.iter().any(|other| traits.contains(other)))
            .map(|(other, _)| Peer {
                match_id: format!("{other}"),
                campaign: campaigns.get(other).map(|id| (id.clone(), Kind::Actor)),
                actor: true,
            })
            .collect();
        if let Some(plan) = plan(&format!("{number}"), None, &peers) {
            let into = plan.into.unwrap_or_else(|| format!("c{count:03}"));
            for campaign in campaigns.values_mut().filter(|id| plan.absorb.contains(*id)) {
                campaign.clone_from(&into);
            }
            for id in plan.join {
                campaigns.insert(id.parse().unwrap(), into.clone());
            }
        }
        seen.push(one);
    }
    campaigns
}

/// Which are linked, by following links until nothing changes.
fn components(all: &[(usize, Vec<u8>)]) -> Vec<BTreeSet<usize>> {
    let mut of: BTreeMap<usize, usize> = all.iter().map(|(number, _)| (*number, *number)).collect();
    loop {
        let mut changed = false;
        for (a, left) in all {
            for (b, right) in all {
                if left.iter().any(|one| right.contains(one)) && of[a] != of[b] {
                    let least = of[a].min(of[b]);
                    of.insert(*a, least);
                    of.insert(*b, least);
                    changed = true;
                }
            }
        }
        if !changed {
            break;
        }
    }
    let mut groups: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (number, group) in of {
        groups.entry(group).or_default().insert(number);
    }
    groups.into_values().filter(|group| group.len() > 1).collect()
}

proptest! {
    #[test]
    fn campaigns_are_what_is_linked_whatever_comes_first(
        traits in prop::collection::vec(prop::collection::vec(0_u8..14, 0..3), 0..16),
        keys in prop::collection::vec(any::<u32>(), 16),
    ) {
        let mut all: Vec<(usize, Vec<u8>)> = traits.into_iter().enumerate().collect();
        all.sort_by_key(|(number, _)| keys[*number]);
        let mut found: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        for (number, campaign) in arrive(&all) {
            found.entry(campaign).or_default().insert(number);
        }
        let mut found: Vec<BTreeSet<usize>> = found.into_values().collect();
        found.sort();
        let mut expected = components(&all);
        expected.sort();
        prop_assert_eq!(found, expected);
    }
}
