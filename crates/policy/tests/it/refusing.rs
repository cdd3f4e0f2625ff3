//! Bad input for each RPC.

use contracts::policy::v1::{
    ActivatePackRequest, CheckPackRequest, DiffPacksRequest, GetPackRequest, ListPacksRequest,
    PackFile, PreviewPolicyRequest, PublishPackRequest, WatchPolicyEventsRequest,
};
use prost_types::Timestamp;
use tonic::{Code, Response, Status};

use crate::world::{activate, each, meta, publish, reason, request_id, tiny, wrong_fields};

#[track_caller]
fn refused<T>(answer: Result<Response<T>, Status>, fields: &[&str]) {
    let Err(status) = answer else { panic!("not refused: {fields:?}") };
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::InvalidArgument, "INVALID_REQUEST")
    );
    assert_eq!(wrong_fields(&status), fields);
}

fn file(path: &str, bytes: usize) -> PackFile {
    PackFile { path: path.to_owned(), content: vec![b'#'; bytes] }
}

#[tokio::test]
async fn files_out_of_bounds() {
    for world in each().await {
        let mut client = world.client.clone();
        let check = |files: Vec<PackFile>| CheckPackRequest { files };
        refused(client.check_pack(check(vec![])).await, &["files"]);
        refused(client.check_pack(check(vec![file("", 1)])).await, &["files[0].path"]);
        let long = file(&"x".repeat(201), 1);
        refused(client.check_pack(check(vec![file("a", 1), long])).await, &["files[1].path"]);
        let large = file("labels.yaml", 512 * 1024 + 1);
        refused(client.check_pack(check(vec![large])).await, &["files[0].content"]);
        let many = |count: usize| (0..count).map(|at| file(&at.to_string(), 1)).collect();
        assert!(client.check_pack(check(many(200))).await.is_ok());
        refused(client.check_pack(check(many(201))).await, &["files"]);
        let two = vec![file("a", 512 * 1024), file("b", 512 * 1024)];
        let status = client.check_pack(check(two)).await.unwrap_err();
        assert_eq!(reason(&status), "MESSAGE_TOO_LARGE");
        let request_id = "not-a-uuid".to_owned();
        let publish = PublishPackRequest { request_id, files: vec![] };
        refused(client.publish_pack(publish).await, &["request_id", "files"]);
        assert!(world.events().await.is_empty());
    }
}

#[tokio::test]
async fn versions_and_instants_out_of_bounds() {
    for world in each().await {
        publish(&world.client, tiny("one")).await.unwrap();
        activate(&world.client, 1, 0).await.unwrap();
        let mut client = world.client.clone();
        let request = ActivatePackRequest {
            request_id: String::new(),
            version: 0,
            expected_active_version: -1,
        };
        let fields = ["request_id", "version", "expected_active_version"];
        refused(client.activate_pack(request).await, &fields);
        refused(client.get_pack(GetPackRequest { version: -1 }).await, &["version"]);
        let status = client.get_pack(GetPackRequest { version: i64::MAX }).await.unwrap_err();
        assert_eq!(reason(&status), "PACK_NOT_FOUND");
        let request = DiffPacksRequest { from_version: 0, to_version: -5 };
        refused(client.diff_packs(request).await, &["from_version", "to_version"]);
        let request = ListPacksRequest { page_size: -1, page_token: "x".repeat(1_025) };
        refused(client.list_packs(request).await, &["page_size", "page_token"]);
        let request = PreviewPolicyRequest {
            version: -1,
            policy: String::new(),
            region: "DEU".to_owned(),
            locale: "x".repeat(36),
            at_time: None,
        };
        let fields = ["version", "policy", "region", "locale"];
        refused(client.preview_policy(request).await, &fields);
        let at_time = Some(Timestamp { seconds: i64::MAX, nanos: 0 });
        let policy = "hate".to_owned();
        let request = PreviewPolicyRequest { policy, at_time, ..PreviewPolicyRequest::default() };
        refused(client.preview_policy(request).await, &["at_time"]);
        let policy = "nothing".to_owned();
        let request = PreviewPolicyRequest { policy, ..PreviewPolicyRequest::default() };
        let status = client.preview_policy(request).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "POLICY_NOT_FOUND"));
        assert_eq!(meta(&status, "policy"), "nothing");
        let request = WatchPolicyEventsRequest { resume_token: "x".repeat(257) };
        let status = client.watch_policy_events(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
    }
}

#[tokio::test]
async fn a_request_that_was_refused_may_be_repeated_under_its_id() {
    for world in each().await {
        let mut client = world.client.clone();
        let request = ActivatePackRequest {
            request_id: request_id(),
            version: 1,
            expected_active_version: 0,
        };
        let status = client.activate_pack(request.clone()).await.unwrap_err();
        assert_eq!(reason(&status), "PACK_NOT_FOUND");
        publish(&client, tiny("one")).await.unwrap();
        assert!(client.activate_pack(request).await.is_ok(), "only what was done is remembered");
    }
}
