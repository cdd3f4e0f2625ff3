//! Exemptions: declared, granted, ended, run out, and what follows for matches.

use std::time::Duration;

use contracts::impersonation::v1::exemption::State as Standing;
use contracts::impersonation::v1::exemption_finding::Result as Finding;
use contracts::impersonation::v1::r#match::State;
use contracts::impersonation::v1::{
    Affiliate, DeclareExemptionRequest, EndExemptionRequest, ExemptionKind, GrantExemptionRequest,
    IdentitySpec, ListExemptionsRequest, Profile, UpdateIdentityRequest,
};
use tonic::Code;

use crate::world::{check, copy_of, each, enrol, jane, observe, reason, request_id};

fn grant(account_id: &str, identity_id: &str) -> GrantExemptionRequest {
    GrantExemptionRequest {
        request_id: request_id(),
        account_id: account_id.to_owned(),
        identity_id: identity_id.to_owned(),
        kind: ExemptionKind::Namesake.into(),
        evidence: "a passport".to_owned(),
        expire_time: None,
    }
}

#[tokio::test]
async fn a_grant_lets_a_match_fall_away_and_its_end_brings_it_back() {
    for world in each().await {
        let mut staff = world.service.staff();
        let identity = enrol(&mut staff, jane()).await;
        observe(&mut staff, vec![copy_of(&jane(), "x")]).await;
        world.one_match("x", State::Open).await;
        let granted = staff.grant_exemption(grant("x", &identity.identity_id)).await.unwrap();
        let granted = granted.into_inner().exemption.unwrap();
        world.one_match("x", State::Superseded).await;
        let checked = check(&mut staff, copy_of(&jane(), "x")).await.likenesses;
        let finding = checked[0].exemption.clone().unwrap();
        assert_eq!((finding.result(), finding.kind()), (Finding::Exempt, ExemptionKind::Namesake));
        assert_eq!(finding.exemption_id, granted.exemption_id);
        let end = |id: &str| EndExemptionRequest {
            request_id: request_id(),
            exemption_id: id.to_owned(),
            reason: "the passport was forged".to_owned(),
        };
        let ended = staff.end_exemption(end(&granted.exemption_id)).await.unwrap().into_inner();
        assert_eq!(ended.exemption.unwrap().state(), Standing::Ended);
        world.one_match("x", State::Open).await;
        let status = staff.end_exemption(end(&granted.exemption_id)).await.unwrap_err();
        assert_eq!(reason(&status), "EXEMPTION_ENDED");
        let status = staff.end_exemption(end("exm_0")).await.unwrap_err();
        assert_eq!(reason(&status), "EXEMPTION_NOT_FOUND");
    }
}

#[tokio::test]
async fn an_exemption_runs_out_by_itself() {
    for world in each().await {
        let mut staff = world.service.staff();
        let identity = enrol(&mut staff, jane()).await;
        let expire = world.service.clock.now().plus(Duration::from_secs(60));
        let for_a_while = GrantExemptionRequest {
            expire_time: Some(expire.into()),
            ..grant("x", &identity.identity_id)
        };
        staff.grant_exemption(for_a_while).await.unwrap();
        observe(&mut staff, vec![copy_of(&jane(), "x")]).await;
        world.service.clock.advance(Duration::from_secs(61));
        world.one_match("x", State::Open).await;
    }
}

#[tokio::test]
async fn affiliates_are_exempt_as_soon_as_they_are_named() {
    for world in each().await {
        let mut staff = world.service.staff();
        let affiliate =
            Affiliate { account_id: "shop".to_owned(), kind: 3, ..Affiliate::default() };
        enrol(&mut staff, IdentitySpec { affiliates: vec![affiliate], ..jane() }).await;
        world.current().await;
        let found = check(&mut staff, copy_of(&jane(), "shop")).await.likenesses;
        let finding = found[0].exemption.as_ref().unwrap();
        assert_eq!((finding.result(), finding.kind()), (Finding::Exempt, ExemptionKind::Affiliate));
    }
}

#[tokio::test]
async fn what_changes_counts_at_once_for_those_who_were_checked_before() {
    for world in each().await {
        let mut staff = world.service.staff();
        let identity = enrol(&mut staff, jane()).await;
        world.current().await;
        let mut checks = world.service.staff();
        let mut finding = async |account_id: &str| {
            let found = check(&mut checks, copy_of(&jane(), account_id)).await.likenesses;
            found[0].exemption.as_ref().map(|found| (found.result(), found.kind()))
        };
        for account_id in ["shop", "x"] {
            let none = (Finding::Unspecified, ExemptionKind::Unspecified);
            assert_eq!(finding(account_id).await, Some(none), "{account_id}");
        }
        let affiliate =
            Affiliate { account_id: "shop".to_owned(), kind: 3, ..Affiliate::default() };
        let update = UpdateIdentityRequest {
            request_id: request_id(),
            identity_id: identity.identity_id.clone(),
            etag: identity.etag,
            spec: Some(IdentitySpec { affiliates: vec![affiliate], ..jane() }),
        };
        staff.update_identity(update).await.unwrap();
        let affiliate = (Finding::Exempt, ExemptionKind::Affiliate);
        assert_eq!(finding("shop").await, Some(affiliate));
        staff.grant_exemption(grant("x", &identity.identity_id)).await.unwrap();
        assert_eq!(finding("x").await, Some((Finding::Exempt, ExemptionKind::Namesake)));
    }
}

#[tokio::test]
async fn labels_are_read_from_the_profile() {
    for world in each().await {
        let mut staff = world.service.staff();
        enrol(&mut staff, jane()).await;
        world.current().await;
        let fan = Profile {
            display_name: "Fan of Jane Doe Music".to_owned(),
            bio: "Unofficial fan page of Jane Doe Music".to_owned(),
            avatars: Vec::new(),
            ..copy_of(&jane(), "fan")
        };
        for (profile, result) in [
            (fan.clone(), Finding::Exempt),
            (Profile { avatars: jane().avatars, ..fan.clone() }, Finding::LabelIncomplete),
        ] {
            for found in check(&mut staff, profile).await.likenesses {
                assert_eq!(found.exemption.unwrap().result(), result);
            }
        }
    }
}

#[tokio::test]
async fn a_person_declares_for_its_own_account_only_what_can_be_declared() {
    for world in each().await {
        let mut staff = world.service.staff();
        let identity = enrol(&mut staff, jane()).await;
        let mut fan = world.service.person("fan");
        let declare = |kind: ExemptionKind, identity_id: &str| DeclareExemptionRequest {
            request_id: request_id(),
            identity_id: identity_id.to_owned(),
            kind: kind.into(),
            evidence: "my drawings".to_owned(),
            expire_time: None,
        };
        let mine = declare(ExemptionKind::Fan, &identity.identity_id);
        let declared = fan.declare_exemption(mine).await.unwrap().into_inner().exemption.unwrap();
        assert_eq!((declared.account_id.as_str(), declared.state()), ("fan", Standing::Declared));
        let status =
            fan.declare_exemption(declare(ExemptionKind::Affiliate, "")).await.unwrap_err();
        assert_eq!(reason(&status), "EXEMPTION_NOT_DECLARABLE");
        let status = fan.declare_exemption(declare(ExemptionKind::Fan, "idn_0")).await.unwrap_err();
        assert_eq!(reason(&status), "IDENTITY_NOT_FOUND");
        let own = fan.list_exemptions(ListExemptionsRequest::default()).await.unwrap().into_inner();
        assert_eq!(own.exemptions, [declared]);
        let foreign = ListExemptionsRequest { account_id: "x".to_owned(), ..Default::default() };
        let status = fan.list_exemptions(foreign).await.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied);
    }
}
