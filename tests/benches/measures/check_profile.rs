//! CheckProfile through the whole stack: as fast as it is answered, and then at half of that rate,
//! calls coming when they come and not when the last one is done. Against an empty RPC on a bare
//! tonic server at the same rate in the same process.

use std::sync::Arc;
use std::time::Duration;

use contracts::impersonation::v1 as proto;
use contracts::impersonation::v1::avatar::Picture;
use contracts::impersonation::v1::impersonation_service_client::ImpersonationServiceClient;
use futures_util::FutureExt as _;
use kit::Ids;
use kit::clock::{self, Stopwatch};
use recourse::cli::Service;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::eligibility::{CONNECTIONS, channels, empty_server};
use super::load::{self, Place};

/// Who is protected.
const IDENTITIES: u64 = 100_000;
/// How many are enrolled by one call.
const AT_ONCE: u64 = 500;
/// How many are enrolled one by one while others check.
const ENROLLED: u64 = 20;
/// How many profiles are checked in turn.
const PROFILES: u64 = 10_000;
/// How many callers call as fast as they are answered.
const CALLERS: usize = 16;
/// How long the index may take to know everybody.
const PATIENCE: Duration = Duration::from_secs(120);

/// Measures and prints.
pub async fn measure() {
    let place = Place::each().remove(0);
    println!("\nCheckProfile among {IDENTITIES} identities, against an empty RPC of a bare server");
    let suite = load::suite(&place, &[Service::Impersonation]).await;
    let channels = channels(&suite.url());
    enrol(&channels[0]).await;
    // Those of even numbers are protected: one in twenty imitates somebody.
    let asked = (0..PROFILES).map(|number| profile(2 * number + u64::from(number % 20 != 0)));
    let profiles: Arc<Vec<proto::Profile>> = Arc::new(asked.collect());

    let caller = |number: usize| {
        let client = ImpersonationServiceClient::new(channels[number % CONNECTIONS].clone());
        let (profiles, mut next) = (profiles.clone(), number);
        move || {
            next += CALLERS;
            let profile = profiles[next % profiles.len()].clone();
            check(client.clone(), profile).map(drop)
        }
    };
    let most = load::run(CALLERS, caller).await;
    println!("  CheckProfile, {CALLERS} callers            {most}");
    let half = most.per_second / 2.0;
    let calls = {
        let (channels, profiles) = (channels.clone(), profiles.clone());
        move |number: usize| {
            let client = ImpersonationServiceClient::new(channels[number % CONNECTIONS].clone());
            check(client, profiles[number % profiles.len()].clone()).map(drop)
        }
    };
    let paced = load::paced(half, calls.clone()).await;
    println!("  CheckProfile at half that rate     {paced}");
    let (_, mut unseen) = tokio::join!(load::paced(half, calls), unseen_for(&channels[0]));
    unseen.sort();
    let at = |place: usize| unseen[place].as_secs_f64() * 1e3;
    let (median, longest) = (at(unseen.len() / 2), at(unseen.len() - 1));
    println!(
        "  {ENROLLED} enrolled meanwhile, found after {median:.0} ms, {longest:.0} ms at most"
    );
    suite.stop().await.expect("a good end");

    let (url, serving) = empty_server().await;
    let channels = super::eligibility::channels(&url);
    let health = move |number: usize| health(channels[number % CONNECTIONS].clone());
    let floor = load::paced(half, health).await;
    serving.abort();
    println!("  an empty RPC at the same rate      {floor}");
    println!("  p99 through the floor's            {:.1}", paced.p99_us / floor.p99_us);
}

async fn check(
    mut client: ImpersonationServiceClient<Channel>,
    profile: proto::Profile,
) -> proto::CheckProfileResponse {
    let profile = Some(profile);
    let request = proto::CheckProfileRequest { profile, ..Default::default() };
    client.check_profile(request).await.expect("an answer").into_inner()
}

async fn health(channel: Channel) {
    let request = HealthCheckRequest::default();
    HealthClient::new(channel).check(request).await.expect("an answer");
}

/// For how long checks do not find somebody who was just enrolled, time after time.
async fn unseen_for(channel: &Channel) -> Vec<Duration> {
    let mut client = ImpersonationServiceClient::new(channel.clone());
    let ids = Ids::system();
    let mut unseen = Vec::new();
    for number in IDENTITIES..IDENTITIES + ENROLLED {
        let request = proto::ImportIdentitiesRequest {
            request_id: ids.new_uuid(),
            specs: vec![spec(number)],
        };
        let enrolled = client.import_identities(request).await.expect("somebody to be enrolled");
        let [identity_id] =
            <[String; 1]>::try_from(enrolled.into_inner().identity_ids).expect("one identity");
        let since = Stopwatch::start();
        loop {
            let checked = check(client.clone(), profile(2 * number)).await;
            if checked.likenesses.iter().any(|found| found.identity_id == identity_id) {
                break;
            }
            assert!(since.elapsed() < PATIENCE, "{identity_id} is not found");
            clock::sleep(Duration::from_millis(1)).await;
        }
        unseen.push(since.elapsed());
    }
    unseen
}

/// Whom a number stands for, protected.
fn spec(number: u64) -> proto::IdentitySpec {
    let proto::Profile { handle, display_name, avatars, bio, .. } = profile(2 * number);
    proto::IdentitySpec {
        kind: proto::IdentityKind::Person as i32,
        account_ids: vec![format!("account_{number}")],
        handle,
        display_name,
        avatars,
        bio,
        followers: (number % 1_000) as i64 * 1_000,
        ..Default::default()
    }
}

/// Protects everybody, and waits until the index knows them all.
async fn enrol(channel: &Channel) {
    let mut client = ImpersonationServiceClient::new(channel.clone());
    let ids = Ids::system();
    for first in (0..IDENTITIES).step_by(AT_ONCE as usize) {
        let specs = (first..first + AT_ONCE).map(spec).collect();
        let request = proto::ImportIdentitiesRequest { request_id: ids.new_uuid(), specs };
        client.import_identities(request).await.expect("identities that may be enrolled");
    }
    let since = Stopwatch::start();
    loop {
        let status = client.get_index_status(proto::GetIndexStatusRequest {}).await;
        let status = status.expect("a status").into_inner();
        if status.identity_count as u64 == IDENTITIES && status.behind_count == 0 {
            return;
        }
        assert!(since.elapsed() < PATIENCE, "the index knows {}", status.identity_count);
        clock::sleep(Duration::from_millis(20)).await;
    }
}

/// A made-up person: first names that many share, last names that some do, a picture of their own.
fn profile(number: u64) -> proto::Profile {
    const FIRST: [&str; 20] = [
        "Maria", "John", "Ana", "Ahmed", "Li", "Olga", "Jose", "Aisha", "David", "Emma", "Ivan",
        "Sofia", "Noah", "Mia", "Omar", "Lucas", "Nina", "Peter", "Zoe", "Yuki",
    ];
    const ONSETS: [&str; 20] = [
        "b", "br", "d", "f", "g", "gr", "h", "k", "kl", "l", "m", "n", "p", "r", "s", "st", "t",
        "tr", "v", "w",
    ];
    const VOWELS: [&str; 8] = ["a", "e", "i", "o", "u", "ai", "ei", "ou"];
    const CODAS: [&str; 8] = ["", "n", "r", "s", "l", "m", "ck", "nd"];
    let mut state = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut draw = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    };
    let mut pick = |of: &[&'static str]| of[draw() as usize % of.len()];
    let first = pick(&FIRST);
    let mut syllables = |count: usize| {
        let mut syllable = || [pick(&ONSETS), pick(&VOWELS), pick(&CODAS)].concat();
        (0..count).map(|_| syllable()).collect::<String>()
    };
    let last = syllables(2 + number as usize / 2 % 2);
    let bio = (0..6).map(|_| syllables(2)).collect::<Vec<_>>().join(" ");
    let pdq = (0..4).flat_map(|_| (draw() << 32 ^ draw()).to_be_bytes()).collect();
    proto::Profile {
        account_id: format!("asked_{number}"),
        handle: format!("{}{last}{}", first.to_lowercase(), number % 97),
        display_name: format!("{first} {last}"),
        avatars: vec![proto::Avatar { picture: Some(Picture::Pdq(pdq)), ..Default::default() }],
        bio,
        followers: Some((draw() % 10_000) as i64),
        ..Default::default()
    }
}
