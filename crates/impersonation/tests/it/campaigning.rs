//! Campaigns: who belongs together, whoever came first, and how it ends. And the weekly digests.

use std::time::Duration;

use contracts::impersonation::v1::campaign::{Kind, State};
use contracts::impersonation::v1::impersonation_event::Event;
use contracts::impersonation::v1::r#match::State as MatchState;
use contracts::impersonation::v1::{
    Campaign, Digest, GetCampaignRequest, GetDigestRequest, IdentitySpec, ListCampaignsRequest,
    ListDigestsRequest, ListMatchesRequest, Profile,
};
use impersonation::digest::{WEEK, week_of};
use impersonation::follow::Step;
use impersonation::round::{GRACE, Rounds};
use kit::clock::{Stopwatch, sleep};
use kit::{Clock, Ids};

use crate::claiming::{reviewed, ruling};
use crate::world::{
    Client, PATIENCE, World, copy_of, each, enrol, jane, observe, reason, said, somebody,
};

async fn campaigns(world: &World, identity_id: &str) -> Vec<Campaign> {
    let identity_id = identity_id.to_owned();
    let request = ListCampaignsRequest { identity_id, ..ListCampaignsRequest::default() };
    world.service.staff().list_campaigns(request).await.unwrap().into_inner().campaigns
}

/// The campaigns against an identity once they are as wanted.
async fn when(
    world: &World,
    identity_id: &str,
    wanted: impl Fn(&[Campaign]) -> bool,
) -> Vec<Campaign> {
    let begun = Stopwatch::start();
    loop {
        let found = campaigns(world, identity_id).await;
        if wanted(&found) {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "still {found:#?}");
        sleep(Duration::from_millis(10)).await;
    }
}

fn marked(mut profile: Profile, mark: &str) -> Profile {
    profile.actor_marks = vec![mark.to_owned()];
    profile
}

#[tokio::test]
async fn imitators_of_one_identity_and_of_one_actor_are_campaigns() {
    for world in each().await {
        let mut staff = world.service.staff();
        let star = enrol(&mut staff, jane()).await.identity_id;
        let wave = |number: u32| copy_of(&jane(), &format!("wave-{number}"));
        observe(&mut staff, vec![wave(1), wave(2)]).await;
        observe(&mut staff, vec![wave(3)]).await;
        let found = when(&world, &star, |all| all.len() == 1 && all[0].match_count == 3).await;
        assert_eq!((found[0].kind(), found[0].state()), (Kind::Identity, State::Open));
        assert_eq!(found[0].account_ids.len(), 3);

        // Two of one actor, one of them against somebody else: a campaign of their own.
        let other = enrol(&mut staff, somebody(3)).await.identity_id;
        let twins = vec![
            marked(copy_of(&jane(), "twin-1"), "device-9"),
            marked(copy_of(&somebody(3), "twin-2"), "device-9"),
        ];
        observe(&mut staff, twins).await;
        let by_actor = |all: &[Campaign]| {
            all.iter().any(|one| one.kind() == Kind::Actor && one.match_count == 2)
        };
        let begun = Stopwatch::start();
        let actor = loop {
            let mut all = campaigns(&world, &star).await;
            all.extend(campaigns(&world, &other).await);
            if by_actor(&all) {
                break all.into_iter().find(|one| one.kind() == Kind::Actor).unwrap();
            }
            assert!(begun.elapsed() < PATIENCE, "still {all:#?}");
            sleep(Duration::from_millis(10)).await;
        };
        let list = ListMatchesRequest {
            campaign_id: actor.campaign_id.clone(),
            ..ListMatchesRequest::default()
        };
        let of = staff.list_matches(list).await.unwrap().into_inner().matches;
        assert_eq!(of.len(), 2);

        // Decided, it closes.
        for (number, found) in of.iter().enumerate() {
            let case = format!("case_{number}");
            let taken = Step::MatchTaken(found.match_id.clone(), case.clone());
            let decided = Step::Decided { case_id: case, ruling: ruling("dec_1", true) };
            reviewed(&world, &[taken, decided]).await;
        }
        let begun = Stopwatch::start();
        loop {
            let campaign_id = actor.campaign_id.clone();
            let found = staff.get_campaign(GetCampaignRequest { campaign_id }).await.unwrap();
            let found = found.into_inner().campaign.unwrap();
            if found.state() == State::Closed {
                assert_eq!((found.open_count, found.confirmed_count), (0, 2));
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "still {found:#?}");
            sleep(Duration::from_millis(10)).await;
        }
        let joined: usize = said(world.events().await)
            .into_iter()
            .map(|event| match event {
                Event::CampaignChanged(changed) => changed.match_ids.len(),
                _ => 0,
            })
            .sum();
        assert!(joined >= 5, "each match was told of when it joined: {joined}");
        let unknown = GetCampaignRequest { campaign_id: "cmp_nowhere".to_owned() };
        assert_eq!(reason(&staff.get_campaign(unknown).await.unwrap_err()), "CAMPAIGN_NOT_FOUND");
    }
}

async fn digests(world: &World, who: &str, identity_id: &str) -> Vec<Digest> {
    let request =
        ListDigestsRequest { identity_id: identity_id.to_owned(), ..ListDigestsRequest::default() };
    world.service.person(who).list_digests(request).await.unwrap().into_inner().digests
}

#[tokio::test]
async fn a_week_has_one_digest_whoever_makes_it() {
    for world in each().await {
        let mut staff = world.service.staff();
        let clock = &world.service.clock;
        let star = monitored(&mut staff).await;
        enrol(&mut staff, somebody(1)).await;
        observe(&mut staff, vec![copy_of(&jane(), "fake-1"), copy_of(&jane(), "fake-2")]).await;
        let first = world.one_match("fake-1", MatchState::Open).await;
        world.one_match("fake-2", MatchState::Open).await;
        let taken = Step::MatchTaken(first.match_id.clone(), "case_1".to_owned());
        let decided = Step::Decided { case_id: "case_1".to_owned(), ruling: ruling("dec_1", true) };
        reviewed(&world, &[taken, decided]).await;
        assert!(digests(&world, "account-jane", &star).await.is_empty(), "the week goes on");

        let week = week_of(clock.now());
        clock.set(week.plus(WEEK).plus(GRACE));
        let made = made(&world, &star, 1).await;
        let digest = &made[0];
        let counts = (digest.found_count, digest.confirmed_count, digest.open_count);
        assert_eq!(counts, (2, 1, 1));
        assert_eq!((digest.account_id.as_str(), digest.lines.len()), ("account-jane", 2));
        assert_eq!(digest.lines[0].display_name, "Jane Doe Music");
        let issued = said(world.events().await)
            .into_iter()
            .filter(|event| matches!(event, Event::DigestIssued(_)));
        assert_eq!(issued.count(), 1, "nobody else is monitored");

        let get = GetDigestRequest { digest_id: digest.digest_id.clone() };
        let mut owner = world.service.person("account-jane");
        let shown = owner.get_digest(get.clone()).await.unwrap().into_inner().digest;
        assert_eq!(shown.as_ref(), Some(digest));
        let mut fan = world.service.person("fan");
        assert_eq!(reason(&fan.get_digest(get).await.unwrap_err()), "DIGEST_NOT_FOUND");
        let list = ListDigestsRequest { identity_id: star, ..ListDigestsRequest::default() };
        assert_eq!(reason(&fan.list_digests(list).await.unwrap_err()), "IDENTITY_NOT_FOUND");
    }
}

#[tokio::test]
async fn weeks_in_which_nothing_ran_have_their_digests_too() {
    for world in each().await {
        let mut staff = world.service.staff();
        let clock = &world.service.clock;
        let star = monitored(&mut staff).await;
        let week = week_of(clock.now());
        clock.set(week.plus(WEEK).plus(GRACE));
        made(&world, &star, 1).await;
        observe(&mut staff, vec![copy_of(&jane(), "fake")]).await;
        world.one_match("fake", MatchState::Open).await;
        clock.set(week.plus(4 * WEEK).plus(GRACE));
        let made = made(&world, &star, 4).await;
        let of = |digest: &Digest| (digest.start_time, digest.found_count, digest.open_count);
        let start = |number: u32| Some(week.plus(WEEK * number).into());
        assert_eq!(
            made.iter().map(of).collect::<Vec<_>>(),
            [(start(3), 0, 1), (start(2), 0, 1), (start(1), 1, 1), (start(0), 0, 0)],
        );
    }
}

#[tokio::test]
async fn a_clock_that_was_ahead_keeps_nobody_from_a_digest() {
    for world in each().await {
        let clock = &world.service.clock;
        let star = monitored(&mut world.service.staff()).await;
        let week = week_of(clock.now());
        let clock_ahead = Clock::manual(week.plus(30 * WEEK).plus(GRACE));
        let ahead = Rounds { db: world.db.clone(), clock: clock_ahead, ids: Ids::system() };
        ahead.once().await.unwrap();
        // Of one week, or of eight if the service had made any before.
        let early = digests(&world, "account-jane", &star).await.len();
        assert!([1, 8].contains(&early), "{early}");
        clock.set(week.plus(WEEK).plus(GRACE));
        made(&world, &star, early + 1).await;
    }
}

/// Enrols somebody who wants digests.
async fn monitored(staff: &mut Client) -> String {
    enrol(staff, IdentitySpec { monitored: true, ..jane() }).await.identity_id
}

/// The digests of an identity once there are so many, made by several replicas at once.
async fn made(world: &World, identity_id: &str, count: usize) -> Vec<Digest> {
    let clock = &world.service.clock;
    let rounds = || Rounds { db: world.db.clone(), clock: clock.clone(), ids: Ids::system() };
    let begun = Stopwatch::start();
    while digests(world, "account-jane", identity_id).await.len() < count {
        // Besides the service's own.
        let (one, two) = (rounds(), rounds());
        let (one, two) = tokio::join!(one.once(), two.once());
        one.and(two).unwrap();
        assert!(begun.elapsed() < PATIENCE, "no digest");
        sleep(Duration::from_millis(10)).await;
    }
    rounds().once().await.unwrap();
    let made = digests(world, "account-jane", identity_id).await;
    assert_eq!(made.len(), count);
    made
}
