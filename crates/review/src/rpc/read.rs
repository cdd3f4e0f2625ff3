//! Reading cases and decisions. Reports are shown without their reporters, whom review does not
//! know.

use std::collections::HashMap;

use contracts::review::v1::{
    Case, Decision, GetCaseRequest, GetCaseResponse, GetDecisionRequest, GetDecisionResponse,
    ListCasesRequest, ListCasesResponse,
};
use kit::{Error, Time, page};
use tonic::{Request, Response, Status};

use super::Review;
use super::refusal::case_not_found;
use crate::store::impersonation::Shown;
use crate::store::list::Filter;
use crate::{case, render, store};

/// Items of a page unless the caller asks for another number.
pub const PAGE_SIZE_DEFAULT: u32 = 50;
/// Items of a page at most.
pub const PAGE_SIZE_MAX: u32 = 100;

/// GetCase. What brought it is read after the case: when something is added in between, deciding
/// under the etag that was read is refused, never the other way round.
pub async fn case(
    review: &Review,
    request: Request<GetCaseRequest>,
) -> Result<Response<GetCaseResponse>, Status> {
    let case_id = request.into_inner().case_id;
    let found = store::case::get(&review.db, &case_id).await?;
    let found = found.ok_or_else(|| case_not_found(&case_id))?;
    let now = review.clock.now();
    let reports = store::intake::of_case(&review.db, &case_id).await?;
    let Shown { matches, claims, exemptions } =
        store::impersonation::of_case(&review.db, &case_id).await?;
    let case = with_decisions(review, vec![found], now).await?.pop();
    let case = case.map(|case| Case { reports, matches, claims, exemptions, ..case });
    Ok(Response::new(GetCaseResponse { case }))
}

/// ListCases.
pub async fn cases(
    review: &Review,
    request: Request<ListCasesRequest>,
) -> Result<Response<ListCasesResponse>, Status> {
    let message = request.into_inner();
    let subject = message.subject.as_ref();
    let binding = page::binding(&[
        "ListCases",
        &message.state.to_string(),
        &message.kind.to_string(),
        &message.queue,
        &subject.map(|subject| subject.r#type.to_string()).unwrap_or_default(),
        subject.map_or("", |subject| &subject.id),
        &message.owner_account_id,
        &message.campaign_id,
    ]);
    let after: Option<String> = page::read(&message.page_token, &binding)?;
    let size = page::size(message.page_size, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
    let filter = Filter {
        state: message.state(),
        kind: message.kind(),
        queue: &message.queue,
        subject: subject.map(|subject| (subject.r#type, subject.id.as_str())),
        owner_account_id: &message.owner_account_id,
        campaign_id: &message.campaign_id,
    };
    let after = after.unwrap_or_default();
    let rows = store::list::page(&review.db, &filter, &after, limit(size)).await?;
    let (rows, next_page_token) = page::cut(rows, size, &binding, |case| case.case_id.clone());
    let cases = with_decisions(review, rows, review.clock.now()).await?;
    Ok(Response::new(ListCasesResponse { cases, next_page_token }))
}

/// GetDecision.
pub async fn decision(
    review: &Review,
    request: Request<GetDecisionRequest>,
) -> Result<Response<GetDecisionResponse>, Status> {
    let decision_id = request.into_inner().decision_id;
    let found = store::decision::get(&review.db, &decision_id).await?;
    let decision = found.ok_or_else(|| {
        Error::not_found("DECISION_NOT_FOUND")
            .message("there is no such decision")
            .resource("decision", &decision_id)
    })?;
    Ok(Response::new(GetDecisionResponse { decision: Some(decision) }))
}

/// One row more than a page, to know whether there is a next one.
pub fn limit(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX).saturating_add(1)
}

async fn with_decisions(
    review: &Review,
    cases: Vec<case::Case>,
    now: Time,
) -> Result<Vec<Case>, Error> {
    let decided = cases.iter().map(|case| case.decision_id.as_str());
    let decided: Vec<&str> = decided.filter(|decision_id| !decision_id.is_empty()).collect();
    let decisions = store::decision::some(&review.db, &decided).await?;
    let mut decisions: HashMap<String, Decision> =
        decisions.into_iter().map(|decision| (decision.case_id.clone(), decision)).collect();
    let rendered = cases.iter().map(|case| {
        let decision = decisions.remove(&case.case_id);
        Case { decision, ..render::case(case, now) }
    });
    Ok(rendered.collect())
}
