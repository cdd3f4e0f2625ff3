//! Bad input for each RPC, through the whole stack over a socket: refused by name, in bounded
//! time, with nothing done.

use std::sync::Arc;

use contracts::impersonation::v1::avatar::Picture;
use contracts::impersonation::v1::impersonation_service_client::ImpersonationServiceClient;
use contracts::impersonation::v1::{
    Affiliate, Avatar, BrandMark, CheckHandleRequest, CheckProfileRequest, DeclareExemptionRequest,
    EndExemptionRequest, EndProtectionRequest, EnrolIdentityRequest, FindImitatorsRequest,
    ForgetProfilesRequest, GetIdentityRequest, GetMatchRequest, GrantExemptionRequest,
    IdentitySpec, ImportIdentitiesRequest, ListExemptionsRequest, ListIdentitiesRequest,
    ListMatchesRequest, ObserveProfilesRequest, Profile, SetThresholdsRequest,
    UpdateIdentityRequest, VerifyAttributeRequest, WatchImpersonationEventsRequest,
};
use kit::client::Peer;
use kit::server::{Server, ServerConfig};
use kit::{Auth, Clock, Credentials, Ids};
use tonic::{Code, Status};

use crate::world::{World, contract, copy_of, each, jane, reason, request_id, wrong_fields};

/// Serves the world; gives a client over a socket, which may do everything.
async fn serve(world: &World) -> ImpersonationServiceClient<Peer> {
    let (clock, ids) = (Clock::system(), Ids::system());
    let running = &world.service.running;
    let bound =
        Server::new(&contract(), ServerConfig::loopback(), Arc::new(Auth::Open), clock, ids)
            .add_when(running.server(), running.readiness())
            .bind()
            .await
            .unwrap();
    let address = format!("http://{}", bound.address());
    tokio::spawn(bound.serve_until(std::future::pending()));
    let peer = Peer::new(&contract(), address, Credentials::open("developer")).unwrap();
    ImpersonationServiceClient::new(peer)
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, fields: &[&str]) {
    let status = answer.unwrap_err();
    let told = (status.code(), reason(&status));
    assert_eq!(told, (Code::InvalidArgument, "INVALID_REQUEST".to_owned()), "{status:?}");
    assert_eq!(wrong_fields(&status), fields);
}

fn pdq(length: usize) -> Avatar {
    Avatar { picture: Some(Picture::Pdq(vec![1; length])), ..Avatar::default() }
}

/// A picture by the hash of the whole and as many of further views.
fn viewed(view: Vec<u8>, count: usize) -> Avatar {
    Avatar { view_pdqs: vec![view; count], ..pdq(32) }
}

#[tokio::test]
async fn every_wrong_field_of_a_spec_is_named_and_nothing_is_done() {
    for world in each().await {
        let mut client = serve(&world).await;
        refused(
            client.enrol_identity(EnrolIdentityRequest::default()).await,
            &["request_id", "spec"],
        );
        let wrong = IdentitySpec {
            kind: 99,
            account_ids: vec![String::new()],
            handle: "x".repeat(257),
            display_name: "\u{301}".repeat(10_000),
            aliases: vec!["x".repeat(257)],
            avatars: vec![pdq(31), pdq(32), Avatar::default(), viewed(vec![1; 31], 1)],
            bio: "x".repeat(5_001),
            links: vec![String::new()],
            followers: -1,
            brand_marks: vec![BrandMark::default()],
            ean_codes: vec!["1".to_owned()],
            markets: vec!["DEU".to_owned()],
            affiliates: vec![Affiliate::default()],
            ..IdentitySpec::default()
        };
        let request = EnrolIdentityRequest { request_id: request_id(), spec: Some(wrong) };
        let status = client.enrol_identity(request).await.unwrap_err();
        let named = wrong_fields(&status);
        for field in [
            "kind",
            "account_ids[0]",
            "handle",
            "display_name",
            "aliases[0]",
            "avatars[0].pdq",
            "avatars[2].picture",
            "avatars[3].view_pdqs[0]",
            "bio",
            "links[0]",
            "followers",
            "brand_marks[0].words",
            "ean_codes[0]",
            "markets[0]",
            "affiliates[0].account_id",
            "affiliates[0].kind",
        ] {
            let field = format!("spec.{field}");
            assert!(named.contains(&field), "{field} is not in {named:?}");
        }
        assert_eq!(world.events().await.len(), 0);
    }
}

#[tokio::test]
async fn names_at_their_limits_are_taken_and_a_megabyte_is_not() {
    for world in each().await {
        let mut client = serve(&world).await;
        let spec = IdentitySpec {
            handle: "🙂".repeat(256),
            display_name: format!("a{}", "\u{301}".repeat(255)),
            bio: "ü".repeat(5_000),
            aliases: (0..50).map(|number| format!("{number:03}{}", "名".repeat(253))).collect(),
            ..jane()
        };
        let request = EnrolIdentityRequest { request_id: request_id(), spec: Some(spec.clone()) };
        client.enrol_identity(request).await.unwrap();
        let profile = copy_of(&spec, "x");
        let check = |profile| CheckProfileRequest { profile: Some(profile), ..Default::default() };
        client.check_profile(check(profile.clone())).await.unwrap();
        let long = Profile { display_name: "x".repeat(1_000_000), ..profile };
        refused(client.check_profile(check(long)).await, &["profile.display_name"]);
    }
}

const PHOTOGRAPH: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../lookalike/tests/data/rgb.jpg"));

fn image(bytes: &[u8]) -> Avatar {
    Avatar { picture: Some(Picture::Image(bytes.to_vec())), ..Avatar::default() }
}

#[tokio::test]
async fn eight_images_are_read_of_a_profile() {
    for world in each().await {
        let mut client = serve(&world).await;
        let mut check = async |images| {
            let avatars = vec![image(PHOTOGRAPH); images];
            let profile = Some(Profile { avatars, ..Profile::default() });
            client.check_profile(CheckProfileRequest { profile, ..Default::default() }).await
        };
        let most = check(8).await;
        assert!(most.is_ok(), "{most:?}");
        let status = check(9).await.unwrap_err();
        assert_eq!(reason(&status), "PICTURE_UNREADABLE");
        assert_eq!(wrong_fields(&status), ["profile.avatars[8].image"]);
    }
}

#[tokio::test]
async fn a_picture_that_is_none_is_named() {
    for world in each().await {
        let mut client = serve(&world).await;
        let avatars = vec![pdq(32), image(b"not an image"), image(b"\x89PNG\r\n\x1a\n")];
        let spec = IdentitySpec { avatars: avatars.clone(), ..jane() };
        let request = EnrolIdentityRequest { request_id: request_id(), spec: Some(spec) };
        let status = client.enrol_identity(request).await.unwrap_err();
        assert_eq!(reason(&status), "PICTURE_UNREADABLE");
        assert_eq!(wrong_fields(&status), ["spec.avatars[1].image", "spec.avatars[2].image"]);
        let profile = Profile { account_id: "x".to_owned(), avatars, ..Profile::default() };
        let request = ObserveProfilesRequest { request_id: request_id(), profiles: vec![profile] };
        let status = client.observe_profiles(request).await.unwrap_err();
        assert_eq!(reason(&status), "BATCH_REFUSED");
        assert_eq!(
            wrong_fields(&status),
            ["profiles[0].avatars[1].image", "profiles[0].avatars[2].image"]
        );
        let views = vec![vec![1; 32]];
        let both = Avatar { view_pdqs: views, ..image(PHOTOGRAPH) };
        let check = |avatar: Avatar| CheckProfileRequest {
            profile: Some(Profile { avatars: vec![avatar], ..Profile::default() }),
            ..Default::default()
        };
        let status = client.check_profile(check(both)).await.unwrap_err();
        assert_eq!(wrong_fields(&status), ["profile.avatars[0].view_pdqs"]);
        let most = client.check_profile(check(viewed(vec![1; 32], 63))).await;
        assert!(most.is_ok(), "{most:?}");
        let more = client.check_profile(check(viewed(vec![1; 32], 64))).await;
        refused(more, &["profile.avatars[0].view_pdqs"]);
        let big = Profile { avatars: vec![image(&vec![0; 524_289])], ..Profile::default() };
        let request = CheckProfileRequest { profile: Some(big), ..Default::default() };
        refused(client.check_profile(request).await, &["profile.avatars[0].image"]);
        assert_eq!(world.events().await.len(), 0);
    }
}

#[tokio::test]
async fn bad_input_of_the_other_calls_is_named() {
    for world in each().await {
        let mut c = serve(&world).await;
        let batch = &["request_id", "specs"];
        refused(c.import_identities(ImportIdentitiesRequest::default()).await, batch);
        let fields = &["request_id", "identity_id", "etag", "spec"];
        refused(c.update_identity(UpdateIdentityRequest::default()).await, fields);
        let fields = &["request_id", "identity_id", "attribute", "value", "method"];
        refused(c.verify_attribute(VerifyAttributeRequest::default()).await, fields);
        let fields = &["request_id", "identity_id", "reason"];
        refused(c.end_protection(EndProtectionRequest::default()).await, fields);
        refused(c.get_identity(GetIdentityRequest::default()).await, &["identity_id"]);
        let list = ListIdentitiesRequest { page_size: -1, state: 9, ..Default::default() };
        refused(c.list_identities(list).await, &["state", "page_size"]);
        refused(
            c.observe_profiles(ObserveProfilesRequest::default()).await,
            &["request_id", "profiles"],
        );
        let account_ids = vec!["x".to_owned(), "x".to_owned()];
        let forget = ForgetProfilesRequest { request_id: request_id(), account_ids };
        refused(c.forget_profiles(forget).await, &["account_ids"]);
        refused(c.check_profile(CheckProfileRequest::default()).await, &["profile"]);
        let handle = CheckHandleRequest { handle: "x".repeat(257), ..Default::default() };
        refused(c.check_handle(handle).await, &["handle"]);
        let find = FindImitatorsRequest { limit: -1, min_probability: 2.0, ..Default::default() };
        let status = c.find_imitators(find).await.map(drop).unwrap_err();
        assert_eq!(wrong_fields(&status), ["identity_id", "limit", "min_probability"]);
        let fields = &["request_id", "thresholds"];
        refused(c.set_thresholds(SetThresholdsRequest::default()).await, fields);
        refused(
            c.declare_exemption(DeclareExemptionRequest::default()).await,
            &["request_id", "kind"],
        );
        let fields = &["request_id", "account_id", "kind"];
        refused(c.grant_exemption(GrantExemptionRequest::default()).await, fields);
        let fields = &["request_id", "exemption_id", "reason"];
        refused(c.end_exemption(EndExemptionRequest::default()).await, fields);
        let list = ListExemptionsRequest { page_token: "x".repeat(1_025), ..Default::default() };
        refused(c.list_exemptions(list).await, &["page_token"]);
        refused(c.get_match(GetMatchRequest::default()).await, &["match_id"]);
        let list = ListMatchesRequest { state: 9, ..Default::default() };
        refused(c.list_matches(list).await, &["state"]);
        let list = ListMatchesRequest { page_token: "x".to_owned(), ..Default::default() };
        let status = c.list_matches(list).await.unwrap_err();
        assert_eq!(reason(&status), "PAGE_TOKEN_INVALID");
        let watch =
            WatchImpersonationEventsRequest { resume_token: "x".to_owned(), ..Default::default() };
        let status = c.watch_impersonation_events(watch).await.map(drop).unwrap_err();
        assert_eq!(reason(&status), "RESUME_TOKEN_INVALID");
    }
}
