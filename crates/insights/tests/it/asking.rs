//! Bad input, through the whole stack over a socket.

use contracts::insights::v1::GetDetectorDriftRequest;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::world::{DAY, START, each, found};

fn refused(status: &Status, fields: &[&str]) {
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    let details = status.get_error_details();
    assert_eq!(details.error_info().map(|info| info.reason.as_str()), Some("INVALID_REQUEST"));
    let wrong = details.bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
    let wrong: Vec<String> = wrong.into_iter().map(|violation| violation.field).collect();
    assert_eq!(wrong, fields);
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    for world in each().await {
        let mut client = world.client().await;
        world.tell(&[found("evt_1", START.minus(DAY), 0.9, "one")]).await;
        let answer = client.get_detector_drift(GetDetectorDriftRequest::default()).await.unwrap();
        assert_eq!(answer.into_inner().period.unwrap().found_count, 1);
        let (start, end) = (Some(START.into()), Some(START.minus(DAY).into()));
        let request = GetDetectorDriftRequest {
            start_time: start,
            end_time: end,
            ..GetDetectorDriftRequest::default()
        };
        refused(&client.get_detector_drift(request).await.unwrap_err(), &["start_time"]);
        let request = GetDetectorDriftRequest {
            start_time: Some(START.minus(DAY * 367).into()),
            end_time: start,
            model_version: "x".repeat(64),
        };
        refused(&client.get_detector_drift(request.clone()).await.unwrap_err(), &["start_time"]);
        let request = GetDetectorDriftRequest { model_version: "x".repeat(65), ..request };
        refused(&client.get_detector_drift(request).await.unwrap_err(), &["model_version"]);
        let impossible = Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 });
        let request = GetDetectorDriftRequest {
            start_time: impossible,
            end_time: impossible,
            ..GetDetectorDriftRequest::default()
        };
        let status = client.get_detector_drift(request).await.unwrap_err();
        assert_eq!(status.get_error_details().bad_request().unwrap().field_violations.len(), 2);
    }
}
