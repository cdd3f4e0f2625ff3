//! The service over a database, with decisions handed to it as its follower would.

use std::sync::Arc;

use contracts::accounthealth::v1 as proto;
use contracts::accounthealth::v1::account_health_event::Event;
use contracts::review::v1 as review;
use contracts::review::v1::review_service_client::ReviewServiceClient;
use contracts::types::v1::Severity;
use kit::auth::Scopes;
use kit::client::Peer;
use kit::db::Db;
use kit::follow::Follow as _;
use kit::{Caller, Clock, Contract, Error, Ids, Time, events, tx};
use pack::PackSource;
use testkit::db::TestDb;
use tonic::{Request, Status};

use super::account::{decided, heard};
use super::build::{ACCOUNT, day, pack};
use crate::follow::ReviewFollower;
use crate::store::activations;
use crate::{AccountHealth, MIGRATIONS};

/// When the tests begin; the first pack came into force an hour earlier.
pub const START_DAY: i64 = 1_000;

/// One replica.
pub struct Stage {
    pub service: AccountHealth,
    pub clock: Clock,
    pub db: Db,
    follower: ReviewFollower,
}

/// A fresh database of each kind with pack 1 in force, each with one replica.
pub async fn each() -> Vec<(TestDb, Stage)> {
    let mut stages = Vec::new();
    for db in testkit::db::each(&MIGRATIONS).await {
        let clock = Clock::manual(day(START_DAY));
        let stage = Stage::new(db.clone(), clock, 1);
        stage.activate(1, day(START_DAY).minus(std::time::Duration::from_secs(3_600))).await;
        stages.push((db, stage));
    }
    stages
}

impl Stage {
    /// `seed`: another one for each replica.
    pub fn new(db: Db, clock: Clock, seed: u64) -> Stage {
        let mut second = pack(2).proto().clone();
        // Pack 2 has only the first step of "community", and no warnings.
        second.ladders[0].steps.truncate(1);
        second.ladders[0].first_warning_days = 0;
        let packs = PackSource::fixed(pack(1)).and(pack::Pack::new(second));
        let ids = Ids::seeded(seed);
        let contract = Contract::load(contracts::DESCRIPTOR_SET).unwrap();
        let credentials = kit::Credentials::open("service:account-health");
        let nobody = Peer::new(&contract, "http://127.0.0.1:1", credentials).unwrap();
        let follower = ReviewFollower {
            client: ReviewServiceClient::new(nobody),
            db: db.clone(),
            packs: packs.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
        };
        let service = AccountHealth::new(db.clone(), clock.clone(), ids, packs);
        Stage { service, clock, db, follower }
    }

    pub async fn activate(&self, version: i64, at: Time) {
        let clock = Clock::manual(at);
        tx!(self.db, "activate", |tx| -> Result<(), Error> {
            activations::apply(tx, version, at, &clock).await?;
            Ok(())
        })
        .unwrap();
    }

    /// As one batch of the stream.
    pub async fn apply(&self, events: &[review::ReviewEvent]) -> Result<(), Error> {
        tx!(self.db, "review", |tx| -> Result<(), Error> { self.follower.apply(tx, events).await })
    }

    pub async fn violate(&self, id: &str, severity: Severity) {
        self.apply(&[violation(id, ACCOUNT, severity, self.clock.now())]).await.unwrap();
    }

    pub async fn health(&self, as_of: Option<Time>) -> Result<proto::Standing, Status> {
        use proto::account_health_service_server::AccountHealthService as _;
        let as_of_time = as_of.map(Time::to_timestamp);
        let request = proto::GetAccountHealthRequest { account_id: String::new(), as_of_time };
        let answer = self.service.get_account_health(by(ACCOUNT, "", request)).await?;
        Ok(answer.into_inner().standing.unwrap())
    }

    pub async fn statement(&self, id: &str) -> proto::Statement {
        use proto::account_health_service_server::AccountHealthService as _;
        let key = Some(proto::get_statement_request::Key::DecisionId(format!("dec_{id}")));
        let request = proto::GetStatementRequest { key, locale: String::new() };
        let answer = self.service.get_statement(by(ACCOUNT, "", request)).await.unwrap();
        answer.into_inner().statement.unwrap()
    }

    /// All events so far.
    pub async fn events(&self) -> Vec<Event> {
        let page = events::page(&self.db, 0, 10_000).await.unwrap();
        let event = |event: &events::Event| {
            let message: proto::AccountHealthEvent = event.decode().unwrap();
            assert_eq!(message.event_id, event.id);
            message.event.unwrap()
        };
        page.iter().map(event).collect()
    }
}

/// A request of somebody with scopes, as the server stack hands it on.
pub fn by<M>(subject: &str, scopes: &str, message: M) -> Request<M> {
    let caller = Caller { subject: subject.to_owned(), actor: None, scopes: Scopes::parse(scopes) };
    let mut request = Request::new(message);
    request.extensions_mut().insert(Arc::new(caller));
    request
}

pub fn violation(id: &str, account: &str, severity: Severity, at: Time) -> review::ReviewEvent {
    let mut decided = decided(id, "spam", severity, at);
    if let Some(subject) = &mut decided.subject {
        subject.owner_account_id = account.to_owned();
    }
    event(id, at, review::review_event::Event::CaseDecided(decided))
}

pub fn overturned(
    id: &str,
    appealed: &str,
    milder: Option<Severity>,
    at: Time,
) -> review::ReviewEvent {
    let heard = heard(id, appealed, milder, at);
    event(id, at, review::review_event::Event::AppealCaseDecided(heard))
}

fn event(id: &str, at: Time, event: review::review_event::Event) -> review::ReviewEvent {
    review::ReviewEvent {
        event_id: format!("evt_{id}"),
        time: Some(at.to_timestamp()),
        event: Some(event),
    }
}

/// The reason of a refused call.
pub fn reason<T: std::fmt::Debug>(answer: Result<T, Status>) -> String {
    kit::error::reason_of(&answer.unwrap_err()).unwrap()
}
