//! Reading: who sees which report, pages, events, and that nobody learns who reported.

use contracts::reports::v1::{
    GetReportRequest, ListReportsRequest, ListReportsResponse, WatchReportEventsRequest,
};
use contracts::types::v1::Subject;
use prost::Message as _;
use tonic::{Code, Status};

use crate::following::{decide, opened, overturn};
use crate::world::{Client, REPORTER, each, file, get, holds, reason, video, withdraw};

#[tokio::test]
async fn a_report_is_seen_by_its_reporter_and_by_staff_only() {
    for world in each().await {
        let mut own = world.person(REPORTER);
        let receipt = file(&mut own, "v1").await;
        let seen = get(&mut own, &receipt.report_id).await.unwrap();
        assert_eq!(get(&mut world.staff(), &receipt.report_id).await.unwrap(), seen);
        let foreign = get(&mut world.person("creator-1"), &receipt.report_id).await.unwrap_err();
        let missing = get(&mut own, "rep_00000000000000000000000000").await.unwrap_err();
        for status in [&foreign, &missing] {
            assert_eq!(
                (status.code(), reason(status).as_str()),
                (Code::NotFound, "REPORT_NOT_FOUND")
            );
        }
        assert_eq!(foreign.message(), missing.message(), "neither says which of the two it is");
    }
}

async fn list(
    client: &mut Client,
    subject: Option<Subject>,
    page_size: i32,
    page_token: &str,
) -> Result<ListReportsResponse, Status> {
    let page_token = page_token.to_owned();
    let request = ListReportsRequest { subject, page_size, page_token };
    client.list_reports(request).await.map(tonic::Response::into_inner)
}

/// All ids that the pages of a list give.
async fn walk(client: &mut Client, subject: Option<Subject>, size: i32) -> Vec<String> {
    let (mut ids, mut token) = (Vec::new(), String::new());
    loop {
        let page = list(client, subject.clone(), size, &token).await.unwrap();
        assert!(page.reports.len() <= usize::try_from(size).unwrap());
        ids.extend(page.reports.into_iter().map(|report| report.report_id));
        token = page.next_page_token;
        if token.is_empty() {
            return ids;
        }
    }
}

#[tokio::test]
async fn lists_are_newest_first_and_complete() {
    for world in each().await {
        let (mut p1, mut p2) = (world.person("p1"), world.person("p2"));
        let (mut own, mut about) = (Vec::new(), Vec::new());
        for number in 0..7 {
            let first = file(&mut p1, "v1").await.report_id;
            let second = file(&mut p1, &format!("other{number}")).await.report_id;
            let third = file(&mut p2, "v1").await.report_id;
            own.splice(0..0, [second, first.clone()]);
            about.splice(0..0, [third, first]);
        }
        for size in [1, 3, 7, 14, 100] {
            assert_eq!(walk(&mut p1, None, size).await, own, "{size}");
            assert_eq!(walk(&mut world.staff(), Some(video("v1")), size).await, about, "{size}");
        }
        assert!(list(&mut world.person("p3"), None, 0, "").await.unwrap().reports.is_empty());
    }
}

#[tokio::test]
async fn pages_hold_fifty_by_default_and_a_hundred_at_most() {
    for world in each().await {
        let mut client = world.person("p1");
        let filing = (0..101).map(|_| {
            let mut client = client.clone();
            async move { file(&mut client, "v1").await }
        });
        futures_util::future::join_all(filing).await;
        for (size, held) in [(0, 50), (1, 1), (100, 100), (101, 100), (i32::MAX, 100)] {
            let page = list(&mut client, None, size, "").await.unwrap();
            assert_eq!(page.reports.len(), held, "{size}");
            assert!(!page.next_page_token.is_empty());
        }
    }
}

#[tokio::test]
async fn a_page_token_belongs_to_one_list_and_names_nobody() {
    for world in each().await {
        let mut client = world.person(REPORTER);
        file(&mut client, "v1").await;
        file(&mut client, "v1").await;
        let own = list(&mut client, None, 1, "").await.unwrap().next_page_token;
        let mut staff = world.staff();
        let about = list(&mut staff, Some(video("v1")), 1, "").await.unwrap().next_page_token;
        for (mut client, subject, token) in [
            (world.person("p2"), None, own.as_str()),
            (staff.clone(), Some(video("v1")), own.as_str()),
            (staff.clone(), Some(video("v2")), about.as_str()),
            (client.clone(), None, "nonsense"),
        ] {
            let status = list(&mut client, subject, 1, token).await.unwrap_err();
            assert_eq!(reason(&status), "PAGE_TOKEN_INVALID");
        }
        assert!(!holds(own.as_bytes(), REPORTER));
    }
}

#[tokio::test]
async fn only_staff_list_a_subject() {
    for world in each().await {
        let status =
            list(&mut world.person("creator-1"), Some(video("v1")), 0, "").await.unwrap_err();
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::PermissionDenied, "PERMISSION_DENIED")
        );
    }
}

#[tokio::test]
async fn events_come_in_order_and_from_where_one_left_off() {
    for world in each().await {
        let mut client = world.person("p1");
        let ids =
            [file(&mut client, "v1").await.report_id, file(&mut client, "v2").await.report_id];
        withdraw(&mut client, &ids[0]).await.unwrap();
        let mut token = String::new();
        let mut kinds = Vec::new();
        for _ in 0..3 {
            // A new stream for each event, from the token of the last.
            let request = WatchReportEventsRequest { resume_token: token };
            let mut stream = client.watch_report_events(request).await.unwrap().into_inner();
            let message = stream.message().await.unwrap().unwrap();
            kinds.push(format!("{:?}", message.event.unwrap().event.unwrap()));
            token = message.resume_token;
        }
        assert!(kinds[0].starts_with("ReportFiled") && kinds[0].contains(&ids[0]));
        assert!(kinds[1].starts_with("ReportFiled") && kinds[1].contains(&ids[1]));
        assert!(kinds[2].starts_with("ReportWithdrawn") && kinds[2].contains(&ids[0]));
        let request = WatchReportEventsRequest { resume_token: "nonsense".to_owned() };
        let status = client.watch_report_events(request).await.unwrap_err();
        assert_eq!(reason(&status), "RESUME_TOKEN_INVALID");
    }
}

#[tokio::test]
async fn nobody_but_the_reporter_learns_who_reported() {
    for world in each().await {
        let mut own = world.person(REPORTER);
        let ids = [
            file(&mut own, "v1").await.report_id,
            file(&mut own, "v1").await.report_id,
            file(&mut own, "v1").await.report_id,
        ];
        world.review(&[opened(&ids[0], "case_1"), opened(&ids[1], "case_1")]).await;
        withdraw(&mut own, &ids[2]).await.unwrap();
        world.review(&[decide("case_1", true)]).await;
        world.review(&[overturn("case_1")]).await;

        let events = world.events().await;
        let mut kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!(
            kinds,
            ["report_filed", "report_in_review", "report_resolved", "report_withdrawn"],
            "every kind of event is looked through"
        );
        for event in &events {
            assert!(!holds(&event.payload, REPORTER), "{}", event.kind);
            assert!(![&event.id, &event.key].iter().any(|text| text.contains(REPORTER)));
        }
        let mut staff = world.staff();
        for report_id in &ids {
            let report = get(&mut staff, report_id).await.unwrap();
            assert!(!holds(&report.encode_to_vec(), REPORTER));
        }
        let listed = list(&mut staff, Some(video("v1")), 0, "").await.unwrap();
        assert_eq!(listed.reports.len(), 3);
        assert!(!holds(&listed.encode_to_vec(), REPORTER));
        // Not even an error says so.
        let request = GetReportRequest { report_id: ids[0].clone() };
        let status = world.person("p2").get_report(request).await.unwrap_err();
        assert!(!holds(format!("{status:?}").as_bytes(), REPORTER));
    }
}
