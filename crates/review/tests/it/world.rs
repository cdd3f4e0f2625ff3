//! A review service on a fresh database, with a pack, a clock that stands still, and a few words
//! in which to say what happens.

use std::sync::Arc;
use std::time::Duration;

use contracts::appeals::v1 as appeals;
use contracts::appeals::v1::appeal_event::Event as OfAppeal;
use contracts::appeals::v1::appeals_service_client::AppealsServiceClient;
use contracts::impersonation::v1::ImpersonationEvent;
use contracts::impersonation::v1::impersonation_event::Event as OfImpersonation;
use contracts::impersonation::v1::impersonation_service_client::ImpersonationServiceClient;
use contracts::policy::v1::{
    Area, LocalizedText, Pack as PackProto, Policy, PolicyEdition, Queue, Reason, Rule, SlaClass,
};
use contracts::reports::v1 as reports;
use contracts::reports::v1::report_event::Event as OfReport;
use contracts::reports::v1::reports_service_client::ReportsServiceClient;
use contracts::review::v1 as proto;
use contracts::review::v1::decide_case_request::Verdict;
use contracts::review::v1::review_service_server::ReviewService as _;
use contracts::types::v1::{
    ContentAction, ContentSnapshot, Severity, Source, Subject, SubjectType,
};
use kit::auth::Scopes;
use kit::client::Peer;
use kit::follow::Follow as _;
use kit::{Caller, Clock, Contract, Credentials, Error, Ids, Time, tx};
use pack::{Pack, PackSource};
use prost::Message as _;
use review::MIGRATIONS;
use review::follow::{AppealsFollower, ImpersonationFollower, ReportChange, ReportsFollower};
use review::rpc::Review;
use testkit::db::TestDb;
use tonic::{Request, Status};
use tonic_types::StatusExt as _;

/// When every test begins.
pub const START: Time = Time::from_seconds(1_763_786_000);
/// How long a lease lasts that is asked for without a time.
pub const LEASE: Duration = Duration::from_secs(300);

/// A review service and its surroundings.
pub struct World {
    pub db: TestDb,
    pub review: Review,
    pub clock: Clock,
    pub ids: Ids,
    pub packs: PackSource,
    reports: ReportsFollower,
    appeals: AppealsFollower,
    impersonation: ImpersonationFollower,
}

impl World {
    /// One on each database.
    pub async fn each() -> Vec<World> {
        let databases = testkit::db::each(&MIGRATIONS).await;
        databases.into_iter().map(|db| World::on(db, Clock::manual(START))).collect()
    }

    /// One on this database.
    pub fn on(db: TestDb, clock: Clock) -> World {
        let ids = Ids::system();
        let packs = PackSource::fixed(a_pack());
        let contract = Contract::load(contracts::DESCRIPTOR_SET).unwrap();
        let nobody =
            Peer::new(&contract, "http://127.0.0.1:1", Credentials::open("service:review"))
                .unwrap();
        let reports = ReportsFollower {
            client: ReportsServiceClient::new(nobody.clone()),
            packs: packs.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
        };
        let appeals = AppealsFollower {
            client: AppealsServiceClient::new(nobody.clone()),
            packs: packs.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
        };
        let impersonation = ImpersonationFollower {
            client: ImpersonationServiceClient::new(nobody),
            packs: packs.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
        };
        let review = Review::new(db.clone(), clock.clone(), ids.clone(), packs.clone());
        World { db, review, clock, ids, packs, reports, appeals, impersonation }
    }

    /// Lets review learn of what happened to reports, in one transaction.
    pub async fn reported(&self, events: Vec<OfReport>) {
        let mut changes = Vec::new();
        for event in events {
            let event = reports::ReportEvent { event: Some(event), ..Default::default() };
            changes.push(ReportChange::read(&self.packs, event).await.unwrap());
        }
        tx!(self.db, "test_reports", |tx| -> Result<(), Error> {
            self.reports.apply(tx, &changes).await
        })
        .unwrap();
    }

    /// Lets review learn of what happened to appeals.
    pub async fn appealed(&self, events: Vec<OfAppeal>) -> Result<(), Error> {
        let event = |event| appeals::AppealEvent { event: Some(event), ..Default::default() };
        let events: Vec<appeals::AppealEvent> = events.into_iter().map(event).collect();
        tx!(self.db, "test_appeals", |tx| -> Result<(), Error> {
            self.appeals.apply(tx, &events).await
        })
    }

    /// Lets review learn of what impersonation found, in one transaction.
    pub async fn imitated(&self, events: Vec<OfImpersonation>) {
        let event = |event| ImpersonationEvent {
            time: Some(START.into()),
            event: Some(event),
            ..Default::default()
        };
        let events: Vec<ImpersonationEvent> = events.into_iter().map(event).collect();
        tx!(self.db, "test_impersonation", |tx| -> Result<(), Error> {
            self.impersonation.apply(tx, &events).await
        })
        .unwrap();
    }

    /// Opens a case by a report of a subject of its own; answers the case's id.
    pub async fn open(&self, report: u32, reason: &str) -> String {
        let subject = format!("vid_{report}");
        self.reported(vec![filed(report, &subject, reason)]).await;
        let about = Some(subject_of(&subject));
        let list = proto::ListCasesRequest { subject: about, ..Default::default() };
        let cases = self.review.list_cases(Request::new(list)).await.unwrap().into_inner().cases;
        cases.last().unwrap().case_id.clone()
    }

    pub async fn claim_next(&self, who: &str, queues: &[&str]) -> Result<proto::Case, Status> {
        let request = proto::ClaimNextCaseRequest {
            request_id: self.ids.new_uuid(),
            queues: queues.iter().map(|queue| (*queue).to_owned()).collect(),
            lease_seconds: 0,
        };
        let answer = self.review.claim_next_case(by(who, request)).await?;
        Ok(answer.into_inner().case.unwrap())
    }

    pub async fn claim(&self, who: &str, case_id: &str) -> Result<proto::Case, Status> {
        let request = proto::ClaimCaseRequest {
            request_id: self.ids.new_uuid(),
            case_id: case_id.to_owned(),
            lease_seconds: 0,
        };
        Ok(self.review.claim_case(by(who, request)).await?.into_inner().case.unwrap())
    }

    pub async fn release(&self, who: &str, case: &proto::Case) -> Result<proto::Case, Status> {
        let request = proto::ReleaseCaseRequest {
            request_id: self.ids.new_uuid(),
            case_id: case.case_id.clone(),
            fencing_token: token(case),
        };
        Ok(self.review.release_case(by(who, request)).await?.into_inner().case.unwrap())
    }

    pub async fn decide(
        &self,
        who: &str,
        case: &proto::Case,
        verdict: Verdict,
    ) -> Result<proto::Case, Status> {
        let request = proto::DecideCaseRequest {
            request_id: self.ids.new_uuid(),
            case_id: case.case_id.clone(),
            fencing_token: token(case),
            etag: case.etag.clone(),
            verdict: Some(verdict),
            rationale: "as the guideline says".to_owned(),
        };
        Ok(self.review.decide_case(by(who, request)).await?.into_inner().case.unwrap())
    }

    /// Opens a case and has it decided as a violation; answers it.
    pub async fn decided(&self, report: u32, who: &str) -> proto::Case {
        let case_id = self.open(report, "spam.link").await;
        let case = self.claim(who, &case_id).await.unwrap();
        self.decide(who, &case, violation("spam_links")).await.unwrap()
    }

    pub async fn get(&self, case_id: &str) -> proto::Case {
        let request = proto::GetCaseRequest { case_id: case_id.to_owned() };
        self.review.get_case(Request::new(request)).await.unwrap().into_inner().case.unwrap()
    }

    pub async fn get_decision(&self, decision_id: &str) -> proto::Decision {
        let request = proto::GetDecisionRequest { decision_id: decision_id.to_owned() };
        let answer = self.review.get_decision(Request::new(request)).await.unwrap();
        answer.into_inner().decision.unwrap()
    }

    /// Everything that review told so far.
    pub async fn events(&self) -> Vec<proto::review_event::Event> {
        let events = kit::events::page(&self.db, 0, 100_000).await.unwrap();
        events
            .iter()
            .map(|event| event.decode::<proto::ReviewEvent>().unwrap())
            .map(|event| {
                assert!(event.event_id.starts_with("evt_") && event.time.is_some());
                event.event.unwrap()
            })
            .collect()
    }

    /// Everything stored and told, to see that a refused call left nothing.
    pub async fn everything(&self) -> (Vec<proto::Case>, usize) {
        let list = proto::ListCasesRequest { page_size: 100, ..Default::default() };
        let cases = self.review.list_cases(Request::new(list)).await.unwrap().into_inner().cases;
        (cases, self.events().await.len())
    }
}

/// A call by a reviewer with every scope.
pub fn by<T>(who: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let caller = Caller { subject: who.to_owned(), actor: None, scopes: Scopes::All };
    request.extensions_mut().insert(Arc::new(caller));
    request
}

pub fn token(case: &proto::Case) -> i64 {
    case.lease.as_ref().map_or(0, |lease| lease.fencing_token)
}

/// The reason of a failed call.
pub fn reason<T: std::fmt::Debug>(result: Result<T, Status>) -> String {
    let status = result.unwrap_err();
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

pub fn violation(policy: &str) -> Verdict {
    Verdict::Violation(proto::Violation {
        policy: policy.to_owned(),
        facts: "a link to a scam in the first line".to_owned(),
        ..proto::Violation::default()
    })
}

pub fn no_violation() -> Verdict {
    Verdict::NoViolation(proto::NoViolation::default())
}

pub fn upheld() -> Verdict {
    Verdict::Upheld(proto::Upheld { reasons: "the link was a scam".to_owned() })
}

pub fn overturned() -> Verdict {
    Verdict::Overturned(proto::Overturned {
        reasons: "the link was satire".to_owned(),
        violation: None,
    })
}

pub fn subject_of(id: &str) -> Subject {
    Subject {
        r#type: SubjectType::Video as i32,
        id: id.to_owned(),
        owner_account_id: "acc_1".to_owned(),
    }
}

pub fn report(report: u32, subject: &str, reason: &str) -> reports::Report {
    reports::Report {
        report_id: format!("rep_{report:06}"),
        subject: Some(subject_of(subject)),
        reason: reason.to_owned(),
        explanation: "it is a scam".to_owned(),
        source: Source::User as i32,
        create_time: Some(START.into()),
        snapshot: Some(ContentSnapshot {
            text: "buy now".to_owned(),
            language: "en".to_owned(),
            ..ContentSnapshot::default()
        }),
        pack_version: 7,
        ..reports::Report::default()
    }
}

pub fn filed(number: u32, subject: &str, reason: &str) -> OfReport {
    let report = Some(report(number, subject, reason));
    OfReport::ReportFiled(reports::ReportFiled { report })
}

pub fn withdrawn(number: u32) -> OfReport {
    let report_id = format!("rep_{number:06}");
    OfReport::ReportWithdrawn(reports::ReportWithdrawn { report_id, subject: None })
}

pub fn appeal_filed(number: u32, decided: &proto::Case) -> OfAppeal {
    let appeal = appeals::Appeal {
        appeal_id: format!("app_{number}"),
        account_id: "acc_1".to_owned(),
        decision_id: decided.decision.as_ref().unwrap().decision_id.clone(),
        grounds: "it was satire".to_owned(),
        create_time: Some(START.into()),
        ..appeals::Appeal::default()
    };
    OfAppeal::AppealFiled(appeals::AppealFiled {
        appeal: Some(appeal),
        appealed_case_id: decided.case_id.clone(),
    })
}

pub fn appeal_withdrawn(number: u32) -> OfAppeal {
    let appeal_id = format!("app_{number}");
    OfAppeal::AppealWithdrawn(appeals::AppealWithdrawn { appeal_id, ..Default::default() })
}

/// Two areas, a handful of reasons, and queues of every kind.
pub fn a_pack() -> Pack {
    let reason = |code: &str, policy: &str, severity: Severity, exclusive: &str| Reason {
        code: code.to_owned(),
        policy: policy.to_owned(),
        severity: severity as i32,
        sla_class: "24h".to_owned(),
        exclusive_queue: exclusive.to_owned(),
        ..Reason::default()
    };
    let queue = |code: &str, change: fn(&mut Queue)| {
        let mut queue = Queue { code: code.to_owned(), ..Queue::default() };
        change(&mut queue);
        queue
    };
    let area = |code: &str| Area { code: code.to_owned(), title: None };
    Pack::new(PackProto {
        version: 7,
        areas: vec![area("spam"), area("hate"), area("other"), area("identity")],
        reasons: vec![
            reason("spam.link", "spam_links", Severity::Low, ""),
            reason("spam.bots", "spam_bots", Severity::Critical, ""),
            reason("hate.slur", "hate", Severity::Medium, ""),
            reason("child.safety", "child", Severity::Critical, "central"),
            reason("identity.impersonation", "impersonation", Severity::High, ""),
            reason("identity.impersonates_me", "impersonation", Severity::High, ""),
            reason("identity.evasion", "evasion", Severity::High, ""),
        ],
        policies: vec![
            policy("spam_links", "spam"),
            policy("spam_bots", "spam"),
            policy("hate", "hate"),
            policy("child", "hate"),
            policy("impersonation", "identity"),
            policy("evasion", "identity"),
        ],
        queues: vec![
            queue("urgent", |queue| queue.min_severity = Severity::Critical as i32),
            queue("central", |queue| queue.exclusive = true),
            queue("general", |queue| queue.escalates_to = "senior".to_owned()),
            queue("senior", |_| {}),
            queue("appeals", |queue| queue.appeals = true),
        ],
        sla_classes: vec![SlaClass { code: "24h".to_owned(), minutes: 24 * 60 }],
        ..PackProto::default()
    })
}

fn policy(code: &str, area: &str) -> Policy {
    let rule = Rule {
        severity: Severity::Medium as i32,
        actions: vec![ContentAction::Remove as i32],
        ..Rule::default()
    };
    let edition = PolicyEdition {
        edition: "first".to_owned(),
        effective_time: Some(Time::from_seconds(1).into()),
        title: Some(LocalizedText::default()),
        text: Some(LocalizedText::default()),
        rule: Some(rule),
        overlays: vec![],
    };
    Policy { code: code.to_owned(), area: area.to_owned(), editions: vec![edition] }
}

/// Bytes in which a word must not appear.
pub fn bytes_of(events: &[proto::review_event::Event]) -> String {
    let bytes = events.iter().flat_map(|event| {
        proto::ReviewEvent { event: Some(event.clone()), ..Default::default() }.encode_to_vec()
    });
    String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
}
