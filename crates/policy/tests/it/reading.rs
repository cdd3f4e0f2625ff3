//! ListPacks, DiffPacks and PreviewPolicy.

use contracts::policy::v1::pack_change::Kind;
use contracts::policy::v1::{
    DiffPacksRequest, ListPacksRequest, ListPacksResponse, PreviewPolicyRequest,
    PreviewPolicyResponse,
};
use contracts::types::v1::DecisionGround;
use tonic::{Code, Status};

use crate::tiny;
use crate::world::{Client, activate, each, meta, publish, reason, tiny};

async fn list(client: &Client, size: i32, token: &str) -> Result<ListPacksResponse, Status> {
    let request = ListPacksRequest { page_size: size, page_token: token.to_owned() };
    Ok(client.clone().list_packs(request).await?.into_inner())
}

#[tokio::test]
async fn versions_are_listed_newest_first_page_by_page() {
    for world in each().await {
        assert_eq!(list(&world.client, 0, "").await.unwrap(), ListPacksResponse::default());
        for at in 1..=5 {
            publish(&world.client, tiny(&format!("pack-{at}"))).await.unwrap();
        }
        activate(&world.client, 3, 0).await.unwrap();
        let (mut token, mut seen) = (String::new(), Vec::new());
        loop {
            let page = list(&world.client, 2, &token).await.unwrap();
            assert!(page.packs.len() <= 2);
            seen.extend(page.packs.iter().map(|pack| (pack.version, pack.active)));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(seen, [(5, false), (4, false), (3, true), (2, false), (1, false)]);
        assert_eq!(list(&world.client, 1_000, "").await.unwrap().packs.len(), 5);
        let status = list(&world.client, 2, "bm9uc2Vuc2U").await.unwrap_err();
        assert_eq!(reason(&status), "PAGE_TOKEN_INVALID");
    }
}

#[tokio::test]
async fn differences_are_named_by_path() {
    for world in each().await {
        publish(&world.client, tiny("one")).await.unwrap();
        let files = tiny::changed("policies/hate.yaml", "expiry_days: 90", "expiry_days: 30");
        publish(&world.client, files).await.unwrap();
        let mut client = world.client.clone();
        let request = DiffPacksRequest { from_version: 1, to_version: 2 };
        let changes = client.diff_packs(request).await.unwrap().into_inner().changes;
        let said: Vec<(Kind, &str, &str, &str)> = changes
            .iter()
            .map(|change| {
                (change.kind(), change.path.as_str(), change.before.as_str(), change.after.as_str())
            })
            .collect();
        let expiry = "policies/hate/editions/2025-01/rule/expiry_days";
        assert_eq!(
            said,
            [(Kind::Changed, "name", "one", "tiny"), (Kind::Changed, expiry, "90", "30")]
        );
        let request = DiffPacksRequest { from_version: 1, to_version: 9 };
        let status = client.diff_packs(request).await.unwrap_err();
        assert_eq!((status.code(), meta(&status, "version").as_str()), (Code::NotFound, "9"));
    }
}

async fn preview(
    client: &Client,
    region: &str,
    locale: &str,
    at: Option<&str>,
) -> Result<PreviewPolicyResponse, Status> {
    let request = PreviewPolicyRequest {
        version: 1,
        policy: "hate".to_owned(),
        region: region.to_owned(),
        locale: locale.to_owned(),
        at_time: at.map(|time| time.parse().unwrap()),
    };
    Ok(client.clone().preview_policy(request).await?.into_inner())
}

#[tokio::test]
async fn a_policy_is_shown_for_a_region_a_language_and_an_instant() {
    for world in each().await {
        publish(&world.client, tiny("one")).await.unwrap();
        let seen = |answer: &PreviewPolicyResponse| {
            let PreviewPolicyResponse { edition, overlay, text, locale, .. } = answer.clone();
            [edition, overlay, text, locale]
        };
        for (region, locale, at, expected) in [
            ("", "", None, ["2026-01", "", "No hate at all.", "en"]),
            ("", "fr-CA", None, ["2026-01", "", "Aucune haine.", "fr"]),
            ("", "zh", None, ["2026-01", "", "No hate at all.", "en"]),
            ("FR", "fr", None, ["2026-01", "fr", "Pas de haine en France.", "fr"]),
            ("FR", "en", Some("2026-05-31T23:59:59Z"), ["2026-01", "", "No hate at all.", "en"]),
            ("DE", "en", Some("2026-01-01T12:00:00Z"), ["2026-01", "de", "No hate at all.", "en"]),
            ("DE", "en", Some("2026-01-01T11:59:59Z"), ["2025-01", "", "No hate.", "en"]),
        ] {
            let answer = preview(&world.client, region, locale, at).await.unwrap();
            assert_eq!(seen(&answer), expected, "{region} {locale} {at:?}");
        }
        let rule = preview(&world.client, "AT", "", None).await.unwrap().rule.unwrap();
        assert_eq!(rule.ground(), DecisionGround::IllegalContent, "the overlay's");
        assert_eq!((rule.expiry_days, rule.appeal_window_days), (90, 180), "the edition's");
        let points: Vec<i32> = rule.points.iter().map(|points| points.points).collect();
        assert_eq!(points, [1, 4, 9], "both");
        let status =
            preview(&world.client, "", "", Some("2024-12-31T23:59:59Z")).await.unwrap_err();
        assert_eq!(reason(&status), "POLICY_NOT_FOUND");
    }
}
