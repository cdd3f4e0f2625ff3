//! Reading: who sees which appeal, pages, events.

use contracts::appeals::v1::{ListAppealsRequest, ListAppealsResponse, WatchAppealEventsRequest};
use tonic::{Code, Status};

use crate::world::{Client, PERSON, STAFF, each, file, get, reason, statement, withdraw};

#[tokio::test]
async fn an_appeal_is_seen_by_its_appellant_and_by_staff_only() {
    for world in each().await {
        world.account_health.put(statement("dec_1"));
        let mut own = world.creator();
        let appeal = file(&mut own, "dec_1").await.unwrap();
        let mut staff = world.client("staff", STAFF);
        assert_eq!(get(&mut staff, &appeal.appeal_id).await.unwrap(), appeal);
        let mut other = world.client("creator-2", PERSON);
        let foreign = get(&mut other, &appeal.appeal_id).await.unwrap_err();
        let missing = get(&mut own, "app_00000000000000000000000000").await.unwrap_err();
        for status in [&foreign, &missing] {
            assert_eq!(
                (status.code(), reason(status).as_str()),
                (Code::NotFound, "APPEAL_NOT_FOUND")
            );
        }
        assert_eq!(foreign.message(), missing.message(), "neither says which of the two it is");
    }
}

async fn list(
    client: &mut Client,
    account_id: &str,
    page_size: i32,
    page_token: &str,
) -> Result<ListAppealsResponse, Status> {
    let (account_id, page_token) = (account_id.to_owned(), page_token.to_owned());
    let request = ListAppealsRequest { account_id, page_size, page_token };
    client.list_appeals(request).await.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn lists_are_newest_first_in_pages_of_a_bounded_size() {
    for world in each().await {
        let mut client = world.creator();
        let mut ids = Vec::new();
        for number in 0..101 {
            let decision_id = format!("dec_{number}");
            world.account_health.put(statement(&decision_id));
            ids.insert(0, file(&mut client, &decision_id).await.unwrap().appeal_id);
        }
        for (size, held) in [(0, 50), (1, 1), (100, 100), (101, 100), (i32::MAX, 100)] {
            let page = list(&mut client, "", size, "").await.unwrap();
            assert_eq!(page.appeals.len(), held, "{size}");
        }
        for (mut client, account_id) in [
            (client.clone(), ""),
            (client, "creator-1"),
            (world.client("staff", STAFF), "creator-1"),
        ] {
            let (mut walked, mut token) = (Vec::new(), String::new());
            loop {
                let page = list(&mut client, account_id, 30, &token).await.unwrap();
                walked.extend(page.appeals.into_iter().map(|appeal| appeal.appeal_id));
                token = page.next_page_token;
                if token.is_empty() {
                    break;
                }
            }
            assert_eq!(walked, ids);
        }
        assert!(
            list(&mut world.client("staff", STAFF), "", 0, "").await.unwrap().appeals.is_empty()
        );
    }
}

#[tokio::test]
async fn somebody_elses_list_and_token_are_refused() {
    for world in each().await {
        for decision_id in ["dec_1", "dec_2"] {
            world.account_health.put(statement(decision_id));
            file(&mut world.creator(), decision_id).await.unwrap();
        }
        let mut other = world.client("creator-2", PERSON);
        let status = list(&mut other, "creator-1", 0, "").await.unwrap_err();
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::PermissionDenied, "PERMISSION_DENIED")
        );
        let token = list(&mut world.creator(), "", 1, "").await.unwrap().next_page_token;
        assert!(!token.is_empty());
        for token in [token.as_str(), "nonsense"] {
            let status = list(&mut other, "", 1, token).await.unwrap_err();
            assert_eq!(reason(&status), "PAGE_TOKEN_INVALID");
        }
    }
}

#[tokio::test]
async fn events_come_in_order_and_from_where_one_left_off() {
    for world in each().await {
        world.account_health.put(statement("dec_1"));
        let mut client = world.creator();
        let appeal = file(&mut client, "dec_1").await.unwrap();
        withdraw(&mut client, &appeal.appeal_id).await.unwrap();
        let mut token = String::new();
        for kind in ["AppealFiled", "AppealWithdrawn"] {
            let request = WatchAppealEventsRequest { resume_token: token };
            let mut stream = client.watch_appeal_events(request).await.unwrap().into_inner();
            let message = stream.message().await.unwrap().unwrap();
            let said = format!("{:?}", message.event.unwrap().event.unwrap());
            assert!(said.starts_with(kind) && said.contains(&appeal.appeal_id), "{said}");
            token = message.resume_token;
        }
        let request = WatchAppealEventsRequest { resume_token: "nonsense".to_owned() };
        let status = client.watch_appeal_events(request).await.unwrap_err();
        assert_eq!(reason(&status), "RESUME_TOKEN_INVALID");
    }
}
