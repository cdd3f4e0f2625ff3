//! An account-health service that knows the statements that a test gives it, on a real socket.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use contracts::accounthealth::v1::account_health_service_server::{
    AccountHealthService, AccountHealthServiceServer,
};
use contracts::accounthealth::v1::get_statement_request::Key;
use contracts::accounthealth::v1::{
    CheckEligibilityRequest, CheckEligibilityResponse, GetAccountHealthRequest,
    GetAccountHealthResponse, GetStatementRequest, GetStatementResponse, ListEntriesRequest,
    ListEntriesResponse, ListStatementsRequest, ListStatementsResponse, SetAccountLocaleRequest,
    SetAccountLocaleResponse, Statement, WatchAccountHealthEventsRequest,
    WatchAccountHealthEventsResponse,
};
use futures_util::stream::BoxStream;
use kit::Error;
use kit::client::Peer;
use tonic::{Request, Response, Status};

use crate::socket;

/// What the service knows and how it is.
#[derive(Default)]
pub struct Knows {
    statements: Mutex<HashMap<String, Statement>>,
    /// Whether it answers.
    pub down: AtomicBool,
    /// How often it was asked.
    pub asked: AtomicUsize,
}

impl Knows {
    /// From now on there is this statement.
    pub fn put(&self, statement: Statement) {
        self.statements.lock().unwrap().insert(statement.decision_id.clone(), statement);
    }
}

/// Starts the service; gives what it knows and a peer to call it by.
pub async fn start() -> (Arc<Knows>, Peer) {
    let knows = Arc::new(Knows::default());
    let server = socket::server().add(AccountHealthServiceServer::new(Fake(knows.clone())));
    let peer = socket::serve(server, "service:appeals").await;
    (knows, peer)
}

struct Fake(Arc<Knows>);

#[tonic::async_trait]
impl AccountHealthService for Fake {
    type WatchAccountHealthEventsStream =
        BoxStream<'static, Result<WatchAccountHealthEventsResponse, Status>>;

    async fn get_statement(
        &self,
        request: Request<GetStatementRequest>,
    ) -> Result<Response<GetStatementResponse>, Status> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        if self.0.down.load(Ordering::SeqCst) {
            return Err(Error::unavailable("NOT_READY").into());
        }
        let Some(Key::DecisionId(decision_id)) = request.into_inner().key else {
            return Err(Status::invalid_argument("asked by something else"));
        };
        let statement = self.0.statements.lock().unwrap().get(&decision_id).cloned();
        let statement = statement.ok_or_else(|| Error::not_found("STATEMENT_NOT_FOUND"))?;
        Ok(Response::new(GetStatementResponse { statement: Some(statement) }))
    }

    async fn get_account_health(
        &self,
        _: Request<GetAccountHealthRequest>,
    ) -> Result<Response<GetAccountHealthResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn check_eligibility(
        &self,
        _: Request<CheckEligibilityRequest>,
    ) -> Result<Response<CheckEligibilityResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn list_entries(
        &self,
        _: Request<ListEntriesRequest>,
    ) -> Result<Response<ListEntriesResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn list_statements(
        &self,
        _: Request<ListStatementsRequest>,
    ) -> Result<Response<ListStatementsResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn set_account_locale(
        &self,
        _: Request<SetAccountLocaleRequest>,
    ) -> Result<Response<SetAccountLocaleResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn watch_account_health_events(
        &self,
        _: Request<WatchAccountHealthEventsRequest>,
    ) -> Result<Response<Self::WatchAccountHealthEventsStream>, Status> {
        Err(Status::unimplemented("not asked for"))
    }
}
