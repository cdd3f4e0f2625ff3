//! The people of a journey and what they do, each by the public RPCs.

use contracts::accounthealth::v1 as health;
use contracts::accounthealth::v1::account_health_service_client::AccountHealthServiceClient;
use contracts::appeals::v1 as appeals;
use contracts::appeals::v1::appeals_service_client::AppealsServiceClient;
use contracts::impersonation::v1::impersonation_service_client::ImpersonationServiceClient;
use contracts::insights::v1::insights_service_client::InsightsServiceClient;
use contracts::reports::v1 as reports;
use contracts::reports::v1::reports_service_client::ReportsServiceClient;
use contracts::review::v1 as review;
use contracts::review::v1::decide_case_request::Verdict;
use contracts::review::v1::review_service_client::ReviewServiceClient;
use contracts::types::v1::{Subject, SubjectType};
use kit::Ids;
use recourse::board::Board;
use recourse::caller::{Credentials, Suite};
use tonic::Status;
use tonic::transport::Channel;

/// Someone who can act on a suite as anybody.
pub struct Story {
    pub suite: Suite,
    pub board: Board,
    pub ids: Ids,
    pub reports: ReportsServiceClient<Channel>,
    pub review: ReviewServiceClient<Channel>,
    pub health: AccountHealthServiceClient<Channel>,
    pub appeals: AppealsServiceClient<Channel>,
    pub impersonation: ImpersonationServiceClient<Channel>,
    pub insights: InsightsServiceClient<Channel>,
}

/// Calls an RPC as somebody, again while the suite is away.
macro_rules! call {
    ($story:expr, $who:expr, $client:ident.$rpc:ident($request:expr)) => {{
        let request = $request;
        recourse::caller::persist(|| {
            let mut client = $story.$client.clone();
            let request = $story.suite.request($who, request.clone());
            async move { client.$rpc(request).await }
        })
        .await
    }};
}

pub(crate) use call;

impl Story {
    pub fn on(url: &str) -> Story {
        let suite = Suite::at(url, Credentials::Open).expect("an address");
        Story {
            board: Board::follow(&suite),
            ids: Ids::system(),
            reports: ReportsServiceClient::new(suite.channel()),
            review: ReviewServiceClient::new(suite.channel()),
            health: AccountHealthServiceClient::new(suite.channel()),
            appeals: AppealsServiceClient::new(suite.channel()),
            impersonation: ImpersonationServiceClient::new(suite.channel()),
            insights: InsightsServiceClient::new(suite.channel()),
            suite,
        }
    }

    pub fn comment(id: &str, account: &str) -> Subject {
        Subject {
            r#type: SubjectType::Comment as i32,
            id: id.to_owned(),
            owner_account_id: account.to_owned(),
        }
    }

    pub fn report_of(&self, subject: &Subject) -> reports::FileReportRequest {
        reports::FileReportRequest {
            request_id: self.ids.new_uuid(),
            subject: Some(subject.clone()),
            reason: "hate_speech.other".to_owned(),
            ..reports::FileReportRequest::default()
        }
    }

    pub async fn file(&self, who: &str, subject: &Subject) -> String {
        let filed = call!(self, who, reports.file_report(self.report_of(subject)));
        filed.expect("a report").receipt.expect("a receipt").report_id
    }

    pub async fn case_of(&self, report_id: &str) -> String {
        self.board.wait(|known| known.case_of_report.get(report_id).cloned()).await
    }

    pub async fn claim(&self, reviewer: &str, case_id: &str) -> Result<review::Case, Status> {
        let request = review::ClaimCaseRequest {
            request_id: self.ids.new_uuid(),
            case_id: case_id.to_owned(),
            lease_seconds: 0,
        };
        Ok(call!(self, reviewer, review.claim_case(request))?.case.expect("a case"))
    }

    pub async fn decide(
        &self,
        reviewer: &str,
        case: &review::Case,
        verdict: Verdict,
    ) -> Result<review::Case, Status> {
        let request = review::DecideCaseRequest {
            request_id: self.ids.new_uuid(),
            case_id: case.case_id.clone(),
            fencing_token: case.lease.as_ref().expect("a lease").fencing_token,
            etag: case.etag.clone(),
            verdict: Some(verdict),
            rationale: String::new(),
        };
        Ok(call!(self, reviewer, review.decide_case(request))?.case.expect("a case"))
    }

    pub fn violation() -> Verdict {
        Verdict::Violation(review::Violation {
            policy: "hate_speech".to_owned(),
            facts: "It demeans people for belonging to a group.".to_owned(),
            ..review::Violation::default()
        })
    }

    /// Reports a subject, decides that it violates, and waits for the statement: report, case and
    /// decision.
    pub async fn violation_of(&self, subject: &Subject, by: &str) -> (String, String, String) {
        let report_id = self.file("viewer", subject).await;
        let case_id = self.case_of(&report_id).await;
        let case = self.claim(by, &case_id).await.expect("a claim");
        self.decide(by, &case, Story::violation()).await.expect("a decision");
        let decided =
            |known: &recourse::board::Known| known.decision_of_case.get(&case_id).cloned();
        let (decision_id, _) = self.board.wait(decided).await;
        self.board.wait(|known| known.stated.contains(&decision_id).then_some(())).await;
        self.board.wait(|known| known.resolved.contains(&report_id).then_some(())).await;
        (report_id, case_id, decision_id)
    }

    pub async fn appeal(&self, account: &str, decision_id: &str) -> Result<String, Status> {
        let request = appeals::FileAppealRequest {
            request_id: self.ids.new_uuid(),
            decision_id: decision_id.to_owned(),
            grounds: "It is a marked quotation.".to_owned(),
            evidence_urls: Vec::new(),
        };
        let filed = call!(self, account, appeals.file_appeal(request))?;
        Ok(filed.appeal.expect("an appeal").appeal_id)
    }

    pub async fn hearing_of(&self, appeal_id: &str) -> String {
        self.board.wait(|known| known.case_of_appeal.get(appeal_id).cloned()).await
    }

    pub async fn standing(&self, account: &str) -> health::Standing {
        let request = health::GetAccountHealthRequest::default();
        let response =
            call!(self, account, health.get_account_health(request)).expect("a standing");
        response.standing.expect("a standing")
    }

    pub async fn report(&self, who: &str, report_id: &str) -> Result<reports::Report, Status> {
        let request = reports::GetReportRequest { report_id: report_id.to_owned() };
        Ok(call!(self, who, reports.get_report(request))?.report.expect("a report"))
    }

    pub async fn case(&self, case_id: &str) -> review::Case {
        let request = review::GetCaseRequest { case_id: case_id.to_owned() };
        call!(self, "staff", review.get_case(request)).expect("a case").case.expect("a case")
    }

    pub async fn get_appeal(&self, account: &str, appeal_id: &str) -> appeals::Appeal {
        let request = appeals::GetAppealRequest { appeal_id: appeal_id.to_owned() };
        let response = call!(self, account, appeals.get_appeal(request)).expect("an appeal");
        response.appeal.expect("an appeal")
    }

    /// Polls on a level until something holds.
    pub async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
        let since = kit::clock::Stopwatch::start();
        while !holds().await {
            assert!(since.elapsed() < super::PATIENCE, "{what} did not come");
            kit::clock::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}
