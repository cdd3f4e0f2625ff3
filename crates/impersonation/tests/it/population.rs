//! The population in memory: who imitates a new identity is found there as in the database, and
//! what is common among all accounts is known however an index came to be.

use contracts::impersonation::v1::r#match::State;
use contracts::impersonation::v1::{
    FindImitatorsRequest, ForgetProfilesRequest, GetIndexStatusRequest, IdentitySpec, Likeness,
    Profile,
};
use futures_util::StreamExt as _;
use impersonation::crowd::Standing;
use impersonation::detect::Engine;
use kit::clock::{Stopwatch, sleep};
use lookalike::text::Reader;

use crate::world::{
    PATIENCE, Service, Shape, World, check, copy_of, enrol, jane, matches, observe, picture,
    request_id, somebody, stranger,
};

async fn stands(service: &Service, standing: Standing) {
    let begun = Stopwatch::start();
    while service.running.memory().crowd().standing() != standing {
        assert!(begun.elapsed() < PATIENCE, "{:?}", service.running.memory().crowd());
        sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// Who imitates an identity, best first.
async fn imitators(service: &Service, identity_id: &str) -> Vec<(String, Likeness)> {
    let find = FindImitatorsRequest {
        identity_id: identity_id.to_owned(),
        min_probability: 0.000_1,
        ..Default::default()
    };
    let found = service.staff().find_imitators(find).await.unwrap().into_inner();
    let found: Vec<_> = found.map(Result::unwrap).collect().await;
    found.into_iter().map(|f| (f.profile.unwrap().account_id, f.likeness.unwrap())).collect()
}

async fn counted(service: &Service) -> (i64, bool) {
    let status = service.staff().get_index_status(GetIndexStatusRequest {}).await.unwrap();
    let status = status.into_inner();
    (status.profile_count, status.profile_bytes > 0)
}

fn several() -> Vec<Profile> {
    let named = |id: &str, handle: &str, display_name: &str| Profile {
        handle: handle.to_owned(),
        display_name: display_name.to_owned(),
        avatars: vec![picture(300)],
        ..copy_of(&jane(), id)
    };
    let pictured = Profile { avatars: jane().avatars, ..stranger("pictured") };
    let mut all = vec![
        copy_of(&jane(), "copy"),
        named("disguised", "jane.d0e_music", "J\u{430}ne Doe Music"),
        named("typo", "janedeomusic", "Official Jane Doe Musik"),
        pictured,
    ];
    all.extend((0..200).map(|number| stranger(&format!("s{number}"))));
    all
}

#[tokio::test]
async fn imitators_are_found_in_memory_as_in_the_database() {
    for db in testkit::db::each(&impersonation::MIGRATIONS).await {
        let service = Service::on(&db, Shape::default()).await;
        let mut staff = service.staff();
        observe(&mut staff, several()).await;
        // An account that is renamed before its first event is read counts twice as it is then.
        service.current(&db).await;
        let renamed = vec![copy_of(&jane(), "s1"), copy_of(&somebody(1), "typo")];
        observe(&mut staff, renamed).await;
        let forget = ForgetProfilesRequest {
            request_id: request_id(),
            account_ids: vec!["copy".to_owned(), "s2".to_owned()],
        };
        staff.forget_profiles(forget).await.unwrap();
        let identity = enrol(&mut staff, jane()).await;
        service.current(&db).await;
        stands(&service, Standing::Whole).await;
        assert_eq!(counted(&service).await, (202, true));
        let found = imitators(&service, &identity.identity_id).await;
        let mut accounts: Vec<&str> = found.iter().map(|(account, _)| account.as_str()).collect();
        accounts.sort_unstable();
        // One had been alike.
        assert_eq!(accounts, ["disguised", "pictured", "s1", "typo"]);
        for (profiles_max, standing) in
            [(0, Standing::TooMany), (201, Standing::TooMany), (202, Standing::Whole)]
        {
            let shape = Shape { profiles_max: Some(profiles_max), ..Shape::default() };
            let other = Service::on(&db, shape).await;
            stands(&other, standing).await;
            let held = standing == Standing::Whole;
            assert_eq!(counted(&other).await.0, if held { 202 } else { 0 });
            assert_eq!(imitators(&other, &identity.identity_id).await, found);
        }
        let world = World { service, db };
        world.one_match("s1", State::Open).await;
        assert!(matches(&mut staff, "copy").await.is_empty());
    }
}

#[tokio::test]
async fn one_more_than_fits_and_the_database_is_asked() {
    for db in testkit::db::each(&impersonation::MIGRATIONS).await {
        let shape = Shape { profiles_max: Some(3), ..Shape::default() };
        let service = Service::on(&db, shape).await;
        let mut staff = service.staff();
        observe(&mut staff, ["a", "b", "c"].map(stranger).into()).await;
        service.current(&db).await;
        stands(&service, Standing::Whole).await;
        observe(&mut staff, vec![copy_of(&jane(), "x")]).await;
        service.current(&db).await;
        stands(&service, Standing::TooMany).await;
        let identity = enrol(&mut staff, jane()).await;
        service.current(&db).await;
        assert_eq!(imitators(&service, &identity.identity_id).await[0].0, "x");
    }
}

/// How many are known to bear a name, as a logarithm, and to have a picture.
fn common(service: &Service, name: &str, number: usize) -> (f32, f32) {
    let state = service.running.memory().state();
    let frequencies = state.index.frequencies();
    let hashes = impersonation::picture::whole_hashes(&[picture(number)]);
    (frequencies.bearers(&Reader::new().read(name)), frequencies.owners(&hashes[0]))
}

#[tokio::test]
async fn what_is_common_is_known_live_rebuilt_and_from_a_snapshot_alike() {
    for db in testkit::db::each(&impersonation::MIGRATIONS).await {
        let directory = tempfile::tempdir().unwrap();
        let shape = || Shape {
            directory: Some(directory.path().to_owned()),
            engine: Some(Engine::shipped()),
            ..Shape::default()
        };
        let service = Service::on(&db, shape()).await;
        let mut staff = service.staff();
        let maria = IdentitySpec {
            handle: "mariasilvaoficial".to_owned(),
            display_name: "Maria Silva".to_owned(),
            avatars: vec![picture(7)],
            ..jane()
        };
        enrol(&mut staff, maria.clone()).await;
        service.current(&db).await;
        let asked = Profile { handle: "silvamaria88".to_owned(), ..copy_of(&maria, "asked") };
        let rare = check(&mut staff, asked.clone()).await.likenesses;
        let bears = |number: usize| Profile {
            display_name: "Maria Silva".to_owned(),
            avatars: vec![picture(7)],
            ..stranger(&format!("m{number}"))
        };
        observe(&mut staff, (0..31).map(bears).collect()).await;
        // Seen again unchanged, or with another handle, they are not more.
        observe(&mut staff, (0..31).map(bears).collect()).await;
        let moved = Profile { handle: "another".to_owned(), ..bears(0) };
        observe(&mut staff, vec![moved]).await;
        service.current(&db).await;
        let live = common(&service, "maria silva", 7);
        assert!((live.0 - 5.0).abs() < 0.1 && (live.1 - 5.0).abs() < 0.1, "{live:?}");
        let known = check(&mut staff, asked.clone()).await.likenesses;
        assert_ne!(known[0].probability, rare[0].probability);
        service.stop().await;
        let restarted = Service::on(&db, shape()).await;
        let rebuilt = Shape { engine: Some(Engine::shipped()), ..Shape::default() };
        let rebuilt = Service::on(&db, rebuilt).await;
        for service in [&restarted, &rebuilt] {
            service.current(&db).await;
            assert_eq!(common(service, "maria silva", 7), live);
            let again = check(&mut service.staff(), asked.clone()).await.likenesses;
            assert_eq!(again, known);
            stands(service, Standing::Whole).await;
            assert_eq!(counted(service).await.0, 31);
        }
    }
}
