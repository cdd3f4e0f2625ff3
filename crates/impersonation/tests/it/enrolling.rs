//! Protected identities: enrolled, imported, changed, verified, ended, run out, read.

use std::time::Duration;

use contracts::impersonation::v1::impersonation_event::Event;
use contracts::impersonation::v1::protected_identity::State;
use contracts::impersonation::v1::verification::{Attribute, State as Verified};
use contracts::impersonation::v1::{
    EndProtectionRequest, EnrolIdentityRequest, GetIdentityRequest, IdentitySpec,
    ImportIdentitiesRequest, ListIdentitiesRequest, ProtectedIdentity, UpdateIdentityRequest,
    VerifyAttributeRequest,
};
use kit::clock::{Stopwatch, sleep};
use tonic::{Code, Status};

use crate::world::{
    Client, PATIENCE, World, check, copy_of, each, enrol, jane, reason, request_id, said, somebody,
    wrong_fields,
};

async fn get(client: &mut Client, identity_id: &str) -> Result<ProtectedIdentity, Status> {
    let request = GetIdentityRequest { identity_id: identity_id.to_owned() };
    client.get_identity(request).await.map(|answer| answer.into_inner().identity.unwrap())
}

async fn update(
    client: &mut Client,
    of: &ProtectedIdentity,
    spec: IdentitySpec,
) -> Result<ProtectedIdentity, Status> {
    let request = UpdateIdentityRequest {
        request_id: request_id(),
        identity_id: of.identity_id.clone(),
        etag: of.etag.clone(),
        spec: Some(spec),
    };
    client.update_identity(request).await.map(|answer| answer.into_inner().identity.unwrap())
}

async fn verify(client: &mut Client, of: &str, value: &str) -> Result<ProtectedIdentity, Status> {
    let request = VerifyAttributeRequest {
        request_id: request_id(),
        identity_id: of.to_owned(),
        attribute: Attribute::Handle.into(),
        value: value.to_owned(),
        method: "identity card".to_owned(),
        expire_time: None,
    };
    client.verify_attribute(request).await.map(|answer| answer.into_inner().identity.unwrap())
}

#[tokio::test]
async fn a_repeated_enrolment_is_the_same_and_another_payload_is_refused() {
    for world in each().await {
        let mut staff = world.service.staff();
        let request = EnrolIdentityRequest { request_id: request_id(), spec: Some(jane()) };
        let first = staff.enrol_identity(request.clone()).await.unwrap().into_inner();
        let again = staff.enrol_identity(request.clone()).await.unwrap().into_inner();
        assert_eq!(first, again);
        let other = EnrolIdentityRequest { spec: Some(somebody(1)), ..request };
        let status = staff.enrol_identity(other).await.unwrap_err();
        assert_eq!(reason(&status), "REQUEST_ID_CONFLICT");
        assert_eq!(world.events().await.len(), 1);
        let identity = first.identity.unwrap();
        assert_eq!(identity.spec.unwrap().avatars, [], "hashes are given apart");
        assert_eq!((identity.avatars.len(), identity.state), (1, State::Active.into()));
    }
}

#[tokio::test]
async fn an_account_is_itself_only_once() {
    for world in each().await {
        let mut staff = world.service.staff();
        let first = enrol(&mut staff, jane()).await;
        let again = EnrolIdentityRequest { request_id: request_id(), spec: Some(jane()) };
        let status = staff.enrol_identity(again.clone()).await.unwrap_err();
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::AlreadyExists, "ACCOUNT_ENROLLED")
        );
        let end = EndProtectionRequest {
            request_id: request_id(),
            identity_id: first.identity_id.clone(),
            reason: "asked for it".to_owned(),
        };
        let ended = staff.end_protection(end).await.unwrap().into_inner().identity.unwrap();
        assert_eq!(ended.state(), State::Ended);
        staff.enrol_identity(again).await.unwrap();
        let status = update(&mut staff, &ended, jane()).await.unwrap_err();
        assert_eq!(reason(&status), "IDENTITY_ENDED");
    }
}

#[tokio::test]
async fn an_import_is_taken_whole_or_every_wrong_one_is_named() {
    for world in each().await {
        let mut staff = world.service.staff();
        enrol(&mut staff, somebody(0)).await;
        let before = world.events().await.len();
        let mut specs: Vec<IdentitySpec> = (1..=500).map(somebody).collect();
        specs[3].handle.clear();
        specs[3].display_name.clear();
        specs[5].account_ids = vec!["account-2".to_owned()];
        let request = ImportIdentitiesRequest { request_id: request_id(), specs: specs.clone() };
        let status = staff.import_identities(request).await.unwrap_err();
        assert_eq!(reason(&status), "BATCH_REFUSED");
        assert_eq!(wrong_fields(&status), ["specs[3].handle", "specs[5].account_ids[0]"]);
        specs[3] = somebody(4);
        specs[5] = IdentitySpec { account_ids: vec!["account-0".to_owned()], ..somebody(6) };
        let request = ImportIdentitiesRequest { request_id: request_id(), specs: specs.clone() };
        let status = staff.import_identities(request).await.unwrap_err();
        assert_eq!(wrong_fields(&status), ["specs[5].account_ids[0]"]);
        assert_eq!(world.events().await.len(), before, "nothing was done");
        specs[5] = somebody(6);
        let request = ImportIdentitiesRequest { request_id: request_id(), specs };
        let ids = staff.import_identities(request).await.unwrap().into_inner().identity_ids;
        assert_eq!((ids.len(), world.events().await.len()), (500, before + 1));
        world.current().await;
        let found = check(&mut staff, copy_of(&somebody(250), "x")).await.likenesses;
        assert_eq!(found[0].identity_id, ids[249]);
    }
}

#[tokio::test]
async fn what_was_verified_lapses_when_it_changes_and_an_old_etag_is_refused() {
    for world in each().await {
        let mut staff = world.service.staff();
        let enrolled = enrol(&mut staff, jane()).await;
        let status = verify(&mut staff, &enrolled.identity_id, "somebody").await.unwrap_err();
        assert_eq!(reason(&status), "VALUE_NOT_HELD");
        let verified = verify(&mut staff, &enrolled.identity_id, "janedoemusic").await.unwrap();
        assert_eq!(verified.verifications[0].state(), Verified::Valid);
        let renamed = IdentitySpec { handle: "janedoeofficial".to_owned(), ..jane() };
        let status = update(&mut staff, &enrolled, renamed.clone()).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::Aborted, "ETAG_MISMATCH"));
        let updated = update(&mut staff, &verified, renamed).await.unwrap();
        assert_eq!(updated.verifications[0].state(), Verified::Lapsed);
        let changes = said(world.events().await).into_iter().filter_map(|event| match event {
            Event::IdentityChanged(changed) => {
                Some((changed.lapsed.len(), changed.appearance_changed))
            }
            _ => None,
        });
        assert!(changes.eq([(0, false), (1, true)]));
    }
}

#[tokio::test]
async fn a_changed_name_is_found_and_the_old_one_is_not() {
    for world in each().await {
        let mut staff = world.service.staff();
        let enrolled = enrol(&mut staff, jane()).await;
        let renamed = IdentitySpec {
            handle: "kimberleyclark".to_owned(),
            display_name: "Kimberley Clark".to_owned(),
            ..jane()
        };
        update(&mut staff, &enrolled, renamed.clone()).await.unwrap();
        world.current().await;
        let old = IdentitySpec { avatars: Vec::new(), ..jane() };
        assert!(check(&mut staff, copy_of(&old, "x")).await.likenesses.is_empty());
        let new = check(&mut staff, copy_of(&renamed, "x")).await.likenesses;
        assert_eq!(new[0].identity_id, enrolled.identity_id);
    }
}

async fn until_state(world: &World, identity_id: &str, state: State) {
    let begun = Stopwatch::start();
    let mut staff = world.service.staff();
    while get(&mut staff, identity_id).await.unwrap().state() != state {
        assert!(begun.elapsed() < PATIENCE);
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn protection_runs_out_by_itself() {
    for world in each().await {
        let mut staff = world.service.staff();
        let expire = world.service.clock.now().plus(Duration::from_secs(60));
        let spec = IdentitySpec { expire_time: Some(expire.into()), ..jane() };
        let enrolled = enrol(&mut staff, spec).await;
        world.current().await;
        assert_eq!(check(&mut staff, copy_of(&jane(), "x")).await.likenesses.len(), 1);
        world.service.clock.advance(Duration::from_secs(60));
        until_state(&world, &enrolled.identity_id, State::Expired).await;
        world.current().await;
        assert!(check(&mut staff, copy_of(&jane(), "x")).await.likenesses.is_empty());
        enrol(&mut staff, jane()).await;
    }
}

#[tokio::test]
async fn an_owner_sees_its_own_and_nobody_elses() {
    for world in each().await {
        let mut staff = world.service.staff();
        let (mine, other) = (enrol(&mut staff, jane()).await, enrol(&mut staff, somebody(1)).await);
        let mut owner = world.service.person("account-jane");
        assert_eq!(get(&mut owner, &mine.identity_id).await.unwrap(), mine);
        let status = get(&mut owner, &other.identity_id).await.unwrap_err();
        assert_eq!(reason(&status), "IDENTITY_NOT_FOUND");
        let own = owner.list_identities(ListIdentitiesRequest::default()).await.unwrap();
        assert_eq!(own.into_inner().identities, [mine]);
        let foreign = ListIdentitiesRequest {
            account_id: "account-1".to_owned(),
            ..ListIdentitiesRequest::default()
        };
        let status = owner.list_identities(foreign).await.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied);
    }
}

#[tokio::test]
async fn a_list_is_given_page_by_page() {
    for world in each().await {
        let mut staff = world.service.staff();
        let specs = (0..120).map(somebody).collect();
        let request = ImportIdentitiesRequest { request_id: request_id(), specs };
        let ids = staff.import_identities(request).await.unwrap().into_inner().identity_ids;
        let (mut listed, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListIdentitiesRequest {
                page_size: 50,
                page_token,
                ..ListIdentitiesRequest::default()
            };
            let page = staff.list_identities(request).await.unwrap().into_inner();
            listed.extend(page.identities.into_iter().map(|identity| identity.identity_id));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(listed, ids);
    }
}
