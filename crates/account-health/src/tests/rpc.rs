//! The RPCs over both databases: who may, what is refused, what repeats.

use contracts::accounthealth::v1 as proto;
use contracts::accounthealth::v1::account_health_service_server::AccountHealthService as _;
use contracts::types::v1::{Feature, Severity};
use futures_util::StreamExt as _;
use proto::entry::Kind;
use proto::get_statement_request::Key;
use tonic::{Code, Status};

use super::build::ACCOUNT;
use super::stage::{Stage, by, each, overturned, reason, violation};

/// The scope that lifts the limit to one's own account.
const ALL: &str = "accounthealth.read_all";

fn list(account_id: &str, page_size: i32, page_token: &str) -> proto::ListEntriesRequest {
    let (account_id, page_token) = (account_id.to_owned(), page_token.to_owned());
    proto::ListEntriesRequest { account_id, active_only: false, page_size, page_token }
}

fn statements(account_id: &str, locale: &str, page_size: i32) -> proto::ListStatementsRequest {
    let (account_id, locale) = (account_id.to_owned(), locale.to_owned());
    proto::ListStatementsRequest { account_id, locale, page_size, page_token: String::new() }
}

fn locale(request_id: u8, account_id: &str, locale: &str) -> proto::SetAccountLocaleRequest {
    proto::SetAccountLocaleRequest {
        request_id: format!("00000000-0000-4000-8000-0000000000{request_id:02}"),
        account_id: account_id.to_owned(),
        locale: locale.to_owned(),
    }
}

async fn entries(
    stage: &Stage,
    request: proto::ListEntriesRequest,
) -> Result<proto::ListEntriesResponse, Status> {
    Ok(stage.service.list_entries(by(ACCOUNT, "", request)).await?.into_inner())
}

#[tokio::test]
async fn everybody_reads_their_own_and_nobody_elses_without_the_scope() {
    for (_db, stage) in each().await {
        stage.violate("a", Severity::Medium).await;
        let service = &stage.service;
        let health = |subject: &str, scopes: &str| {
            let account_id = ACCOUNT.to_owned();
            let request = proto::GetAccountHealthRequest { account_id, as_of_time: None };
            service.get_account_health(by(subject, scopes, request))
        };
        assert!(health(ACCOUNT, "").await.is_ok());
        assert!(health("staff", ALL).await.is_ok());
        let refused = health("mallory", "accounthealth.read").await;
        assert_eq!(refused.as_ref().unwrap_err().code(), Code::NotFound);
        assert_eq!(reason(refused), "ACCOUNT_NOT_FOUND");
        let refused = service.list_entries(by("mallory", "", list(ACCOUNT, 0, ""))).await;
        assert_eq!(reason(refused), "ACCOUNT_NOT_FOUND");
        let refused = service.list_statements(by("mallory", "", statements(ACCOUNT, "", 0))).await;
        assert_eq!(reason(refused), "ACCOUNT_NOT_FOUND");
        let id = stage.statement("a").await.statement_id;
        for key in [Key::StatementId(id), Key::DecisionId("dec_a".to_owned())] {
            let request = |key: &Key| proto::GetStatementRequest {
                key: Some(key.clone()),
                locale: String::new(),
            };
            assert!(service.get_statement(by("staff", ALL, request(&key))).await.is_ok());
            let refused = service.get_statement(by("mallory", "", request(&key))).await;
            assert_eq!(reason(refused), "STATEMENT_NOT_FOUND");
        }
        let key = Some(Key::DecisionId("dec_unknown".to_owned()));
        let request = proto::GetStatementRequest { key, locale: String::new() };
        let refused = service.get_statement(by("staff", ALL, request)).await;
        assert_eq!(reason(refused), "STATEMENT_NOT_FOUND");
        let none = proto::GetStatementRequest { key: None, locale: String::new() };
        let refused = service.get_statement(by("staff", ALL, none)).await;
        assert_eq!(reason(refused), "INVALID_REQUEST");
    }
}

#[tokio::test]
async fn an_account_of_which_nothing_is_known_stands_well() {
    for (_db, stage) in each().await {
        let standing = stage.health(None).await.unwrap();
        assert_eq!(standing.account_id, ACCOUNT);
        assert_eq!(standing.tier(), contracts::types::v1::Tier::Good);
        assert_eq!((standing.pack_version, standing.active_violation_count), (0, 0));
        let none = entries(&stage, list("", 0, "")).await.unwrap();
        assert!(none.entries.is_empty() && none.next_page_token.is_empty());
    }
}

#[tokio::test]
async fn ledgers_are_listed_newest_first_in_pages_bound_to_their_arguments() {
    for (_db, stage) in each().await {
        for id in ["a", "b", "c", "d"] {
            stage.violate(id, Severity::Medium).await;
        }
        let now = stage.clock.now();
        stage.apply(&[overturned("v", "b", Some(Severity::Low), now)]).await.unwrap();
        let all = entries(&stage, list("", 0, "")).await.unwrap().entries;
        assert_eq!(all.len(), 6);
        let mut paged = Vec::new();
        let mut token = String::new();
        loop {
            let page = entries(&stage, list(ACCOUNT, 2, &token)).await.unwrap();
            assert!(page.entries.len() <= 2);
            paged.extend(page.entries);
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
            let mut other = list(ACCOUNT, 2, &token);
            other.active_only = true;
            assert_eq!(reason(entries(&stage, other).await), "PAGE_TOKEN_INVALID");
        }
        assert_eq!(paged, all);
        let voided = all.iter().find(|entry| entry.decision_id == "dec_b").unwrap();
        let void = all.iter().find(|entry| entry.kind() == Kind::Void).unwrap();
        assert_eq!(voided.voided_by_entry_id, void.entry_id);
        assert_eq!((voided.active, void.voids_entry_id == voided.entry_id), (false, true));
        assert_eq!(all.last().map(|entry| entry.decision_id.as_str()), Some("dec_a"));
        let mut active = list("", 0, "");
        active.active_only = true;
        let active = entries(&stage, active).await.unwrap().entries;
        assert_eq!(active.len(), 4, "three, and the milder one");
        assert!(active.iter().all(|entry| entry.active && entry.kind() == Kind::Violation));
        assert_eq!(reason(entries(&stage, list("", 0, "forged")).await), "PAGE_TOKEN_INVALID");
        let many = entries(&stage, list("", i32::MAX, "")).await.unwrap();
        assert_eq!(many.entries.len(), 6);
    }
}

#[tokio::test]
async fn statements_are_listed_in_pages_and_in_the_wanted_language() {
    for (_db, stage) in each().await {
        let now = stage.clock.now();
        let batch: Vec<_> = (0..3)
            .map(|number| violation(&number.to_string(), ACCOUNT, Severity::Medium, now))
            .collect();
        stage.apply(&batch).await.unwrap();
        let service = &stage.service;
        let mut request = statements("", "de", 2);
        let first = service.list_statements(by(ACCOUNT, "", request.clone())).await.unwrap();
        let first = first.into_inner();
        assert_eq!(first.statements[0].decision_id, "dec_2");
        assert_eq!(first.statements[0].title, "Spam (de): 4 Punkte");
        request.page_token.clone_from(&first.next_page_token);
        let second = service.list_statements(by(ACCOUNT, "", request.clone())).await.unwrap();
        let second = second.into_inner();
        assert_eq!((second.statements.len(), second.next_page_token.as_str()), (1, ""));
        assert_eq!(second.statements[0].decision_id, "dec_0");
        request.locale = "en".to_owned();
        let refused = service.list_statements(by(ACCOUNT, "", request)).await;
        assert_eq!(reason(refused), "PAGE_TOKEN_INVALID");
    }
}

#[tokio::test]
async fn an_account_is_written_to_in_its_language_once_it_is_told() {
    for (_db, stage) in each().await {
        let service = &stage.service;
        stage.violate("a", Severity::Medium).await;
        assert_eq!(stage.statement("a").await.locale, "en");
        let set = |message| service.set_account_locale(by("gateway", "", message));
        let answer = set(locale(1, ACCOUNT, "de-AT")).await.unwrap().into_inner();
        assert_eq!(answer.resolved_locale, "de");
        assert_eq!(stage.statement("a").await.locale, "de");
        // The standing is untouched.
        assert_eq!(stage.health(None).await.unwrap().ladders[0].points, 4);
        assert_eq!(set(locale(2, ACCOUNT, "fr")).await.unwrap().into_inner().resolved_locale, "en");
        // A repeat repeats the answer and does nothing.
        assert_eq!(set(locale(1, ACCOUNT, "de-AT")).await.unwrap().into_inner(), answer);
        assert_eq!(stage.statement("a").await.locale, "en");
        assert_eq!(reason(set(locale(1, ACCOUNT, "en")).await), "REQUEST_ID_CONFLICT");
        // Of an account that is not known yet, too; its first statement is in that language.
        set(locale(3, "new", "de")).await.unwrap();
        let now = stage.clock.now();
        stage.apply(&[violation("n", "new", Severity::Low, now)]).await.unwrap();
        let answer = service.list_statements(by("new", "", statements("", "", 0))).await.unwrap();
        assert_eq!(answer.into_inner().statements[0].body, "verwarnt: facts of spam");
    }
}

#[tokio::test]
async fn what_is_no_language_is_refused_wherever_one_is_taken() {
    for (_db, stage) in each().await {
        let service = &stage.service;
        stage.violate("a", Severity::Medium).await;
        for (number, tag) in ["", "d", "de_AT", "de-", "-de", "d3", "de-überlang", "de-123456789"]
            .into_iter()
            .enumerate()
        {
            let number = u8::try_from(10 + number).unwrap();
            let refused =
                service.set_account_locale(by("gateway", "", locale(number, "x", tag))).await;
            assert_eq!(reason(refused), "INVALID_REQUEST", "{tag}");
            let key = Some(Key::DecisionId("dec_a".to_owned()));
            let request = proto::GetStatementRequest { key, locale: tag.to_owned() };
            let answer = service.get_statement(by(ACCOUNT, "", request)).await;
            assert_eq!(answer.is_ok(), tag.is_empty(), "{tag}");
            let answer = service.list_statements(by(ACCOUNT, "", statements("", tag, 0))).await;
            assert_eq!(answer.is_ok(), tag.is_empty(), "{tag}");
        }
        for tag in ["de", "zh-Hant", "de-CH-1901", "EN"] {
            let request = statements("", tag, 0);
            assert!(service.list_statements(by(ACCOUNT, "", request)).await.is_ok(), "{tag}");
        }
    }
}

#[tokio::test]
async fn impossible_instants_are_refused() {
    for (_db, stage) in each().await {
        for (seconds, nanos) in [(i64::MAX, 0), (0, -1), (0, i32::MAX), (i64::MIN, 0)] {
            let as_of_time = Some(prost_types::Timestamp { seconds, nanos });
            let request = proto::GetAccountHealthRequest { account_id: String::new(), as_of_time };
            let refused = stage.service.get_account_health(by(ACCOUNT, "", request)).await;
            assert_eq!(reason(refused), "INVALID_REQUEST");
        }
        let as_of_time = Some(prost_types::Timestamp { seconds: -62_135_596_800, nanos: 0 });
        let request = proto::GetAccountHealthRequest { account_id: String::new(), as_of_time };
        assert!(stage.service.get_account_health(by(ACCOUNT, "", request)).await.is_ok());
    }
}

#[tokio::test]
async fn eligibility_answers_only_once_it_is_loaded() {
    for (_db, stage) in each().await {
        let check = |feature: Feature| {
            let (account_id, feature) = (ACCOUNT.to_owned(), feature as i32);
            let request = proto::CheckEligibilityRequest { account_id, feature };
            stage.service.check_eligibility(by("backend", "", request))
        };
        let refused = check(Feature::Live).await;
        assert_eq!(refused.as_ref().unwrap_err().code(), Code::Unavailable);
        assert_eq!(reason(refused), "NOT_READY");
        stage.violate("a", Severity::Medium).await;
        let eligibility = stage.service.eligibility();
        let db = stage.db.clone();
        let loading = tokio::spawn({
            let eligibility = eligibility.clone();
            async move { eligibility.follow(&db).await }
        });
        while !eligibility.is_ready() {
            tokio::task::yield_now().await;
        }
        let answer = check(Feature::Live).await.unwrap().into_inner();
        assert_eq!((answer.eligible, answer.restrictions.len()), (false, 1));
        let answer = check(Feature::Posting).await.unwrap().into_inner();
        assert_eq!((answer.eligible, answer.restrictions.len()), (true, 0));
        loading.abort();
    }
}

#[tokio::test]
async fn events_are_streamed_from_any_of_their_tokens() {
    for (_db, stage) in each().await {
        stage.violate("a", Severity::Medium).await;
        let watch = |resume_token: &str| {
            let resume_token = resume_token.to_owned();
            let request = proto::WatchAccountHealthEventsRequest { resume_token };
            stage.service.watch_account_health_events(by("backend", "", request))
        };
        let stream = watch("").await.unwrap().into_inner();
        let seen: Vec<_> = stream.take(4).map(|message| message.unwrap()).collect().await;
        assert!(seen.iter().all(|message| message.event.is_some()));
        let mut rest = watch(&seen[2].resume_token).await.unwrap().into_inner();
        let next = rest.next().await.unwrap().unwrap();
        assert_eq!(next.event, seen[3].event);
        let refused = watch("forged").await.map(drop);
        assert_eq!(reason(refused), "RESUME_TOKEN_INVALID");
    }
}
