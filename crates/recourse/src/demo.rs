//! `recourse demo`: one story through the public RPCs, printed so that a newcomer sees what the
//! product does.
//!
//! It calls a running suite as a viewer, two reviewers and a creator; it must not reach behind the
//! RPCs.

use contracts::accounthealth::v1 as health;
use contracts::accounthealth::v1::account_health_service_client::AccountHealthServiceClient;
use contracts::appeals::v1 as appeals;
use contracts::appeals::v1::appeals_service_client::AppealsServiceClient;
use contracts::reports::v1 as reports;
use contracts::reports::v1::reports_service_client::ReportsServiceClient;
use contracts::review::v1 as review;
use contracts::review::v1::decide_case_request::Verdict;
use contracts::review::v1::review_service_client::ReviewServiceClient;
use contracts::types::v1::{ContentSnapshot, Feature, Subject, SubjectType};
use kit::{Clock, Ids};
use tonic::Status;
use tonic::transport::Channel;

use crate::board::Board;
use crate::caller::{Suite, persist, reason};

/// The people of the story.
const VIEWER: &str = "viewer_mia";
const CREATOR: &str = "creator_tom";
const FIRST: &str = "reviewer_ana";
const SECOND: &str = "reviewer_ben";

struct Story {
    suite: Suite,
    board: Board,
    ids: Ids,
    reports: ReportsServiceClient<Channel>,
    review: ReviewServiceClient<Channel>,
    health: AccountHealthServiceClient<Channel>,
    appeals: AppealsServiceClient<Channel>,
}

/// Calls an RPC as somebody.
macro_rules! call {
    ($story:expr, $who:expr, $client:ident.$rpc:ident($request:expr)) => {{
        let request = $request;
        persist(|| {
            let mut client = $story.$client.clone();
            let request = $story.suite.request($who, request.clone());
            async move { client.$rpc(request).await }
        })
        .await
    }};
}

/// Tells the story on a suite.
pub async fn run(suite: &Suite) -> Result<(), Status> {
    let story = Story {
        suite: suite.clone(),
        board: Board::follow(suite),
        ids: Ids::system(),
        reports: ReportsServiceClient::new(suite.channel()),
        review: ReviewServiceClient::new(suite.channel()),
        health: AccountHealthServiceClient::new(suite.channel()),
        appeals: AppealsServiceClient::new(suite.channel()),
    };
    let (report_id, subject) = story.report().await?;
    let (case_id, decision_id) = story.first_decision(&report_id).await?;
    story.creator_reads(&decision_id).await?;
    story.appeal(&decision_id).await?;
    story.undone(&report_id, &case_id, &subject).await
}

fn scene(number: u32, title: &str) {
    println!("\n{number}. {title}");
}

impl Story {
    async fn report(&self) -> Result<(String, Subject), Status> {
        scene(1, "A viewer reports a comment.");
        let now = Clock::system().now();
        let subject = Subject {
            r#type: SubjectType::Comment as i32,
            id: self.ids.new_id("comment", now),
            owner_account_id: CREATOR.to_owned(),
        };
        let text = "You people are all the same.";
        let request = reports::FileReportRequest {
            request_id: self.ids.new_uuid(),
            subject: Some(subject.clone()),
            reason: "hate_speech.other".to_owned(),
            explanation: "Insults a whole group.".to_owned(),
            snapshot: Some(ContentSnapshot {
                text: text.to_owned(),
                language: "en".to_owned(),
                media_urls: Vec::new(),
            }),
            good_faith: true,
            ..reports::FileReportRequest::default()
        };
        let receipt =
            call!(self, VIEWER, reports.file_report(request))?.receipt.unwrap_or_default();
        println!("   {VIEWER} -> reports.FileReport {:?} by {CREATOR}", text);
        println!("   receipt {}", receipt.report_id);
        Ok((receipt.report_id, subject))
    }

    async fn first_decision(&self, report_id: &str) -> Result<(String, String), Status> {
        scene(2, "It has become a case; a reviewer claims it under a lease and decides.");
        let case_id = self.board.wait(|known| known.case_of_report.get(report_id).cloned()).await;
        let case = self.claim(FIRST, &case_id).await?;
        println!("   {FIRST} -> review.ClaimCase {case_id} (queue {:?})", case.queue);
        let violation = review::Violation {
            policy: "hate_speech".to_owned(),
            facts: "The comment demeans people for belonging to a group.".to_owned(),
            ..review::Violation::default()
        };
        self.decide(FIRST, case, Verdict::Violation(violation)).await?;
        let decided = self.board.wait(|known| known.decision_of_case.get(&case_id).cloned()).await;
        println!("   {FIRST} -> review.DecideCase: violation of hate_speech ({})", decided.0);
        Ok((case_id, decided.0))
    }

    async fn creator_reads(&self, decision_id: &str) -> Result<(), Status> {
        scene(3, "The creator reads why, in German, and how the account stands.");
        self.board.wait(|known| known.stated.contains(decision_id).then_some(())).await;
        let key = health::get_statement_request::Key::DecisionId(decision_id.to_owned());
        let request = health::GetStatementRequest { key: Some(key), locale: "de".to_owned() };
        let statement = call!(self, CREATOR, health.get_statement(request))?;
        let statement = statement.statement.unwrap_or_default();
        println!("   {CREATOR} -> account-health.GetStatement {}", statement.statement_id);
        for line in [&statement.title].into_iter().map(String::as_str).chain(statement.body.lines())
        {
            println!("   | {line}");
        }
        self.health().await
    }

    async fn health(&self) -> Result<(), Status> {
        let request = health::GetAccountHealthRequest::default();
        let standing = call!(self, CREATOR, health.get_account_health(request))?;
        let standing = standing.standing.unwrap_or_default();
        let points: Vec<String> = standing
            .ladders
            .iter()
            .map(|ladder| format!("{} points on {}", ladder.points, ladder.ladder))
            .collect();
        let request = health::CheckEligibilityRequest {
            account_id: CREATOR.to_owned(),
            feature: Feature::Commenting as i32,
        };
        let eligible = call!(self, "gateway", health.check_eligibility(request))?.eligible;
        println!(
            "   account {CREATOR}: {}, {} violation(s) count, {}, may comment: {}",
            standing.tier().as_str_name(),
            standing.active_violation_count,
            if points.is_empty() { "no points".to_owned() } else { points.join(", ") },
            if eligible { "yes" } else { "no" },
        );
        Ok(())
    }

    async fn appeal(&self, decision_id: &str) -> Result<(), Status> {
        scene(4, "The creator appeals. The first decider may not hear it; another reviewer does.");
        let request = appeals::FileAppealRequest {
            request_id: self.ids.new_uuid(),
            decision_id: decision_id.to_owned(),
            grounds: "It is a line from a play that I quoted and marked as such.".to_owned(),
            evidence_urls: Vec::new(),
        };
        let appeal = call!(self, CREATOR, appeals.file_appeal(request))?.appeal;
        let appeal_id = appeal.unwrap_or_default().appeal_id;
        println!("   {CREATOR} -> appeals.FileAppeal {appeal_id}");
        let case_id = self.board.wait(|known| known.case_of_appeal.get(&appeal_id).cloned()).await;
        match self.claim(FIRST, &case_id).await {
            Ok(_) => return Err(Status::internal("the first decider could claim the appeal")),
            Err(status) => {
                println!("   {FIRST} -> review.ClaimCase {case_id}: refused, {}", reason(&status));
            }
        }
        let case = self.claim(SECOND, &case_id).await?;
        let reasons = "The comment is a marked quotation from a play, used to criticise it.";
        let verdict = Verdict::Overturned(review::Overturned {
            reasons: reasons.to_owned(),
            violation: None,
        });
        self.decide(SECOND, case, verdict).await?;
        println!("   {SECOND} -> review.DecideCase: overturned");
        self.board.wait(|known| known.appeal_decided.get(&appeal_id).copied()).await;
        self.board.wait(|known| known.voided.contains(decision_id).then_some(())).await;
        let request = appeals::GetAppealRequest { appeal_id };
        let appeal = call!(self, CREATOR, appeals.get_appeal(request))?.appeal.unwrap_or_default();
        println!("   the creator is told: {:?}", appeal.outcome_reasons);
        Ok(())
    }

    async fn undone(
        &self,
        report_id: &str,
        case_id: &str,
        subject: &Subject,
    ) -> Result<(), Status> {
        scene(5, "Everything that hung on the decision is undone.");
        self.board.wait(|known| known.corrected.contains(report_id).then_some(())).await;
        self.health().await?;
        let request = review::GetCaseRequest { case_id: case_id.to_owned() };
        let case = call!(self, FIRST, review.get_case(request))?.case.unwrap_or_default();
        let decision = case.decision.unwrap_or_default();
        println!(
            "   decision {}: overturned by {}",
            decision.decision_id, decision.overturned_by_decision_id
        );
        let request = reports::GetReportRequest { report_id: report_id.to_owned() };
        let report = call!(self, VIEWER, reports.get_report(request))?.report.unwrap_or_default();
        println!(
            "   report {report_id} of {}: {}, corrected: {}",
            subject.id,
            report.outcome().as_str_name(),
            if report.outcome_corrected { "yes" } else { "no" },
        );
        Ok(())
    }

    async fn claim(&self, reviewer: &str, case_id: &str) -> Result<review::Case, Status> {
        let request = review::ClaimCaseRequest {
            request_id: self.ids.new_uuid(),
            case_id: case_id.to_owned(),
            lease_seconds: 0,
        };
        Ok(call!(self, reviewer, review.claim_case(request))?.case.unwrap_or_default())
    }

    async fn decide(
        &self,
        reviewer: &str,
        case: review::Case,
        verdict: Verdict,
    ) -> Result<(), Status> {
        let request = review::DecideCaseRequest {
            request_id: self.ids.new_uuid(),
            case_id: case.case_id,
            fencing_token: case.lease.unwrap_or_default().fencing_token,
            etag: case.etag,
            verdict: Some(verdict),
            rationale: String::new(),
        };
        call!(self, reviewer, review.decide_case(request)).map(|_| ())
    }
}
