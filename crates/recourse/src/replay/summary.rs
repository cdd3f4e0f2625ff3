//! What the services themselves say at the end of a replay, read through their public RPCs. It must
//! not know what the data says should have happened: comparing the two is the reader's business.

use std::collections::{BTreeMap, BTreeSet};

use contracts::accounthealth::v1 as health;
use contracts::accounthealth::v1::account_health_service_client::AccountHealthServiceClient;
use contracts::appeals::v1 as appeals;
use contracts::appeals::v1::appeals_service_client::AppealsServiceClient;
use contracts::review::v1 as review;
use contracts::review::v1::review_service_client::ReviewServiceClient;
use serde::Serialize;
use tonic::Status;

use super::row::Row;
use crate::caller::{Suite, persist};

/// The largest page that the services give.
const PAGE_SIZE: i32 = 100;
/// Who asks.
const READER: &str = "replay";

/// The services' own answers about the accounts of a data set.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Cases of reports by state and outcome.
    pub cases: BTreeMap<String, u64>,
    /// First decisions that an appeal overturned.
    pub overturned_decisions: u64,
    /// Appeals by state and outcome.
    pub appeals: BTreeMap<String, u64>,
    /// Violations that count now, by account; accounts without one are left out.
    pub active_violations: BTreeMap<String, u64>,
}

/// Lists every page of something.
macro_rules! every {
    ($suite:expr, $client:expr, $rpc:ident, $request:expr, $items:ident) => {{
        let (mut items, mut request) = (Vec::new(), $request);
        loop {
            let page = persist(|| {
                let mut client = $client.clone();
                let request = $suite.request(READER, request.clone());
                async move { client.$rpc(request).await }
            })
            .await?;
            items.extend(page.$items);
            if page.next_page_token.is_empty() {
                break items;
            }
            request.page_token = page.next_page_token;
        }
    }};
}

/// Asks the services about every account of the rows.
pub async fn ask(suite: &Suite, rows: &[Row]) -> Result<Summary, Status> {
    let accounts: BTreeSet<&str> = rows.iter().map(|row| row.account_id.as_str()).collect();
    let review = ReviewServiceClient::new(suite.channel());
    let appeals = AppealsServiceClient::new(suite.channel());
    let health = AccountHealthServiceClient::new(suite.channel());
    let mut summary = Summary::default();
    for account in accounts {
        let request = review::ListCasesRequest {
            kind: review::case::Kind::Reports as i32,
            owner_account_id: account.to_owned(),
            page_size: PAGE_SIZE,
            ..review::ListCasesRequest::default()
        };
        for case in every!(suite, review, list_cases, request, cases) {
            let state = case.state().as_str_name();
            let decision = case.decision.unwrap_or_default();
            let name = match case.state {
                decided if decided == review::case::State::Decided as i32 => {
                    decision.outcome().as_str_name()
                }
                _ => state,
            };
            *summary.cases.entry(name.to_owned()).or_default() += 1;
            summary.overturned_decisions +=
                u64::from(!decision.overturned_by_decision_id.is_empty());
        }
        let request = appeals::ListAppealsRequest {
            account_id: account.to_owned(),
            page_size: PAGE_SIZE,
            page_token: String::new(),
        };
        for appeal in every!(suite, appeals, list_appeals, request, appeals) {
            let name = match appeal.state() {
                appeals::appeal::State::Decided => appeal.outcome().as_str_name(),
                other => other.as_str_name(),
            };
            *summary.appeals.entry(name.to_owned()).or_default() += 1;
        }
        let request = health::ListEntriesRequest {
            account_id: account.to_owned(),
            active_only: true,
            page_size: PAGE_SIZE,
            page_token: String::new(),
        };
        let active = every!(suite, health, list_entries, request, entries).len() as u64;
        if active > 0 {
            summary.active_violations.insert(account.to_owned(), active);
        }
    }
    Ok(summary)
}
