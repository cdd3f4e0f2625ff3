//! Lists of cases and of notes: every filter, page by page.

use std::collections::BTreeSet;

use contracts::review::v1::review_service_server::ReviewService as _;
use contracts::review::v1::{AddNoteRequest, Case, ListCasesRequest, ListNotesRequest, case};
use tonic::Request;

use crate::world::{World, appeal_filed, by, filed, reason, subject_of};

/// All cases that a request finds, page by page, and in how many pages.
async fn all(world: &World, request: &ListCasesRequest) -> Vec<Case> {
    let mut found = Vec::new();
    let mut request = request.clone();
    loop {
        let answer = world.review.list_cases(Request::new(request.clone())).await.unwrap();
        let answer = answer.into_inner();
        let size = usize::try_from(request.page_size).unwrap();
        assert!(answer.cases.len() <= size);
        found.extend(answer.cases);
        if answer.next_page_token.is_empty() {
            return found;
        }
        request.page_token = answer.next_page_token;
    }
}

#[tokio::test]
async fn every_filter_finds_what_it_says_in_order() {
    for world in World::each().await {
        for number in 0..12 {
            let reason = ["spam.link", "spam.bots", "hate.slur"][number as usize % 3];
            world.reported(vec![filed(number, &format!("vid_{}", number / 2), reason)]).await;
        }
        let decided = world.decided(50, "ann").await;
        world.appealed(vec![appeal_filed(1, &decided)]).await.unwrap();
        let one = world.claim_next("ben", &["general"]).await.unwrap();
        assert!(one.lease.is_some());
        let everything = all(&world, &ListCasesRequest { page_size: 100, ..empty() }).await;
        assert!(everything.len() >= 12);
        let states = [case::State::Unspecified, case::State::Open, case::State::Decided];
        let kinds = [case::Kind::Unspecified, case::Kind::Reports, case::Kind::Appeal];
        for state in states {
            for kind in kinds {
                for queue in ["", "general", "appeals", "nowhere"] {
                    for subject in [None, Some("vid_1"), Some("vid_50")] {
                        for owner in ["", "acc_1", "acc_2"] {
                            let request = ListCasesRequest {
                                state: state as i32,
                                kind: kind as i32,
                                queue: queue.to_owned(),
                                subject: subject.map(subject_of),
                                owner_account_id: owner.to_owned(),
                                campaign_id: String::new(),
                                page_size: 3,
                                page_token: String::new(),
                            };
                            let expected = everything.iter().filter(|case| {
                                let about = case.subject.as_ref().unwrap();
                                (state == case::State::Unspecified || case.state() == state)
                                    && (kind == case::Kind::Unspecified || case.kind() == kind)
                                    && (queue.is_empty() || case.queue == queue)
                                    && subject.is_none_or(|id| about.id == id)
                                    && (owner.is_empty() || about.owner_account_id == owner)
                            });
                            let expected: Vec<Case> = expected.cloned().collect();
                            assert_eq!(all(&world, &request).await, expected, "{request:?}");
                        }
                    }
                }
            }
        }
        let found = everything.iter().find(|case| case.case_id == decided.case_id).unwrap();
        assert_eq!(found.decision, decided.decision, "lists show decisions");
    }
}

#[tokio::test]
async fn a_page_token_belongs_to_its_list() {
    for world in World::each().await {
        for number in 0..3 {
            world.open(number, "spam.link").await;
        }
        let request = ListCasesRequest { page_size: 1, ..empty() };
        let first = world.review.list_cases(Request::new(request.clone())).await.unwrap();
        let page_token = first.into_inner().next_page_token;
        assert!(!page_token.is_empty());
        let other = ListCasesRequest { page_token, queue: "general".to_owned(), ..request };
        let refused = world.review.list_cases(Request::new(other)).await;
        assert_eq!(reason(refused), "PAGE_TOKEN_INVALID");
        // The size may change from page to page, up to a limit.
        let many = ListCasesRequest { page_size: i32::MAX, ..empty() };
        let many = world.review.list_cases(Request::new(many)).await.unwrap().into_inner();
        assert_eq!((many.cases.len(), many.next_page_token.as_str()), (3, ""));
    }
}

#[tokio::test]
async fn notes_are_listed_in_the_order_of_writing() {
    for world in World::each().await {
        let case_id = world.open(1, "spam.link").await;
        let add = |who: &'static str, text: &str| {
            let request = AddNoteRequest {
                request_id: world.ids.new_uuid(),
                case_id: case_id.clone(),
                text: text.to_owned(),
            };
            world.review.add_note(by(who, request))
        };
        let mut writers = BTreeSet::new();
        for (who, text) in [("ann", "first"), ("ben", "second"), ("ann", "third")] {
            let note = add(who, text).await.unwrap().into_inner().note.unwrap();
            assert!(note.note_id.starts_with("note_") && note.reviewer_id.starts_with("rvw_"));
            writers.insert(note.reviewer_id);
        }
        assert_eq!(writers.len(), 2);
        let mut texts = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = ListNotesRequest { case_id: case_id.clone(), page_size: 2, page_token };
            let answer = world.review.list_notes(Request::new(request)).await.unwrap();
            let answer = answer.into_inner();
            texts.extend(answer.notes.into_iter().map(|note| note.text));
            page_token = answer.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(texts, ["first", "second", "third"]);

        let twice = AddNoteRequest {
            request_id: world.ids.new_uuid(),
            case_id: case_id.clone(),
            text: "once".to_owned(),
        };
        let once = world.review.add_note(by("ann", twice.clone())).await.unwrap();
        let again = world.review.add_note(by("ann", twice.clone())).await.unwrap();
        assert_eq!(once.get_ref(), again.get_ref());
        let other = AddNoteRequest { text: "other".to_owned(), ..twice };
        assert_eq!(reason(world.review.add_note(by("ann", other)).await), "REQUEST_ID_CONFLICT");
    }
}

fn empty() -> ListCasesRequest {
    ListCasesRequest::default()
}
