//! The way of one row through the public RPCs: filed, claimed, decided, appealed, heard.
//!
//! Every request id is derived from the data set, the row and the step, so that a replay that was
//! killed anywhere can be run again: what was done answers as before, what was not is done now. It
//! keeps no state of its own.

use std::collections::HashMap;
use std::sync::Arc;

use contracts::appeals::v1 as appeals;
use contracts::appeals::v1::appeals_service_client::AppealsServiceClient;
use contracts::reports::v1 as reports;
use contracts::reports::v1::reports_service_client::ReportsServiceClient;
use contracts::review::v1 as review;
use contracts::review::v1::decide_case_request::Verdict;
use contracts::review::v1::review_service_client::ReviewServiceClient;
use contracts::types::v1::{ContentSnapshot, Subject};
use kit::id::derived_uuid;
use tokio::sync::Semaphore;
use tonic::Status;
use tonic::transport::Channel;

use super::mapping::Mapping;
use super::row::Row;
use crate::board::Board;
use crate::caller::{Suite, persist, reason};

/// How many cases one reviewer holds at a time, below the limit of the review service.
const LEASES_EACH: usize = 16;
/// How often a case is claimed anew after its lease was lost or it changed.
const CLAIMS_MAX: u32 = 50;

/// Drives rows through a suite.
#[derive(Debug)]
pub struct Driver {
    suite: Suite,
    board: Board,
    mapping: Mapping,
    reviewers: HashMap<String, Arc<Semaphore>>,
    reports: ReportsServiceClient<Channel>,
    review: ReviewServiceClient<Channel>,
    appeals: AppealsServiceClient<Channel>,
}

/// Why a row could not be driven to its end.
#[derive(Debug)]
pub struct Failure {
    /// The step, such as "decide".
    pub step: &'static str,
    /// What the suite answered.
    pub status: Status,
}

/// Names the step at which a call failed.
fn at(step: &'static str) -> impl Fn(Status) -> Failure {
    move |status| Failure { step, status }
}

impl Driver {
    /// A driver of rows under a mapping.
    pub fn new(suite: &Suite, mapping: Mapping) -> Driver {
        let reviewers = mapping.review.labels.iter();
        Driver {
            board: Board::follow(suite),
            reviewers: reviewers
                .map(|label| (label.reviewer.clone(), Arc::new(Semaphore::new(LEASES_EACH))))
                .collect(),
            reports: ReportsServiceClient::new(suite.channel()),
            review: ReviewServiceClient::new(suite.channel()),
            appeals: AppealsServiceClient::new(suite.channel()),
            suite: suite.clone(),
            mapping,
        }
    }

    /// The request id of one step of one row.
    fn request_id(&self, row: &Row, step: &str) -> String {
        derived_uuid(&[&self.mapping.name, &row.key, step])
    }

    /// Drives a row to its end, when every service has taken note of it.
    pub async fn drive(&self, row: &Row) -> Result<(), Failure> {
        let report_id = self.file(row).await?;
        let Some(first) = row.verdicts.first() else { return Ok(()) };
        let case_id = self.board.wait(|known| known.case_of_report.get(&report_id).cloned()).await;
        let verdict = match first.violation {
            true => Verdict::Violation(review::Violation {
                policy: self.mapping.review.policy.clone(),
                facts: self.mapping.review.facts.clone(),
                ..review::Violation::default()
            }),
            false => Verdict::NoViolation(review::NoViolation::default()),
        };
        self.decide(row, "decide", &case_id, &first.reviewer, verdict).await?;
        let (decision_id, violation) =
            self.board.wait(|known| known.decision_of_case.get(&case_id).cloned()).await;
        self.board.wait(|known| known.resolved.contains(&report_id).then_some(())).await;
        if !violation {
            return Ok(());
        }
        self.board.wait(|known| known.stated.contains(&decision_id).then_some(())).await;
        let (Some(grounds), Some(second)) = (&self.mapping.appeal, row.verdicts.get(1)) else {
            return Ok(());
        };
        let appeal_id = self.appeal(row, &decision_id, grounds).await?;
        let case_id = self.board.wait(|known| known.case_of_appeal.get(&appeal_id).cloned()).await;
        let reasons = match second.violation {
            true => "The second reviewer finds the same violation.",
            false => "The second reviewer finds no violation.",
        };
        let reasons = reasons.to_owned();
        let verdict = match second.violation {
            true => Verdict::Upheld(review::Upheld { reasons }),
            false => Verdict::Overturned(review::Overturned { reasons, violation: None }),
        };
        self.decide(row, "hear", &case_id, &second.reviewer, verdict).await?;
        let fell = self.board.wait(|known| known.appeal_decided.get(&appeal_id).copied()).await;
        if fell {
            self.board.wait(|known| known.voided.contains(&decision_id).then_some(())).await;
            self.board.wait(|known| known.corrected.contains(&report_id).then_some(())).await;
        }
        Ok(())
    }

    async fn file(&self, row: &Row) -> Result<String, Failure> {
        let request = reports::FileReportRequest {
            request_id: self.request_id(row, "report"),
            subject: Some(Subject {
                r#type: row.subject_type as i32,
                id: row.subject_id.clone(),
                owner_account_id: row.account_id.clone(),
            }),
            reason: row.reason.clone(),
            explanation: row.explanation.clone(),
            snapshot: Some(ContentSnapshot {
                text: row.text.clone(),
                language: row.language.clone(),
                media_urls: Vec::new(),
            }),
            good_faith: true,
            ..reports::FileReportRequest::default()
        };
        let filed = persist(|| {
            let (mut client, request) = (self.reports.clone(), request.clone());
            let request = self.suite.request(&row.reporter, request);
            async move { client.file_report(request).await }
        });
        let receipt = filed.await.map_err(at("file"))?.receipt;
        Ok(receipt.unwrap_or_default().report_id)
    }

    /// Claims a case and decides it, again if the lease is lost in between; a case that is decided
    /// already was decided by an earlier run of the same replay.
    async fn decide(
        &self,
        row: &Row,
        step: &'static str,
        case_id: &str,
        reviewer: &str,
        verdict: Verdict,
    ) -> Result<(), Failure> {
        let turn = match self.reviewers.get(reviewer) {
            Some(turn) => turn.acquire().await.ok(),
            None => None,
        };
        let mut last = Status::internal("never claimed");
        for claim in 0..CLAIMS_MAX {
            let tried = self.claim_and_decide(row, step, claim, case_id, reviewer, &verdict).await;
            match tried {
                Ok(()) => return Ok(()),
                Err(status) => match reason(&status).as_str() {
                    "CASE_NOT_OPEN" | "REQUEST_ID_CONFLICT" => return Ok(()),
                    "LEASE_LOST" | "ETAG_MISMATCH" => last = status,
                    "CASE_LEASED" | "TOO_MANY_LEASES" => {
                        kit::clock::sleep(std::time::Duration::from_millis(500)).await;
                        last = status;
                    }
                    _ => return Err(Failure { step, status }),
                },
            }
        }
        drop(turn);
        Err(Failure { step, status: last })
    }

    async fn claim_and_decide(
        &self,
        row: &Row,
        step: &str,
        claim: u32,
        case_id: &str,
        reviewer: &str,
        verdict: &Verdict,
    ) -> Result<(), Status> {
        let request = review::ClaimCaseRequest {
            request_id: self.request_id(row, &format!("{step}/claim/{claim}")),
            case_id: case_id.to_owned(),
            lease_seconds: 60,
        };
        let claimed = persist(|| {
            let mut client = self.review.clone();
            let request = self.suite.request(reviewer, request.clone());
            async move { client.claim_case(request).await }
        });
        let case = claimed.await?.case.unwrap_or_default();
        let request = review::DecideCaseRequest {
            request_id: self.request_id(row, &format!("{step}/{claim}")),
            case_id: case_id.to_owned(),
            fencing_token: case.lease.unwrap_or_default().fencing_token,
            etag: case.etag,
            verdict: Some(verdict.clone()),
            rationale: String::new(),
        };
        let decided = persist(|| {
            let mut client = self.review.clone();
            let request = self.suite.request(reviewer, request.clone());
            async move { client.decide_case(request).await }
        });
        decided.await.map(|_| ())
    }

    async fn appeal(&self, row: &Row, decision_id: &str, grounds: &str) -> Result<String, Failure> {
        let request = appeals::FileAppealRequest {
            request_id: self.request_id(row, "appeal"),
            decision_id: decision_id.to_owned(),
            grounds: grounds.to_owned(),
            evidence_urls: Vec::new(),
        };
        let filed = persist(|| {
            let mut client = self.appeals.clone();
            let request = self.suite.request(&row.account_id, request.clone());
            async move { client.file_appeal(request).await }
        });
        let appeal = filed.await.map_err(at("appeal"))?.appeal;
        Ok(appeal.unwrap_or_default().appeal_id)
    }
}
