//! Asking account-health for the statement of reasons of a decision.
//!
//! Nothing is kept: what may be appealed against is always asked anew. It must not know what
//! the statement is wanted for.

use std::time::Duration;

use contracts::accounthealth::v1::account_health_service_client::AccountHealthServiceClient;
use contracts::accounthealth::v1::get_statement_request::Key;
use contracts::accounthealth::v1::{GetStatementRequest, Statement};
use kit::Error;
use kit::client::Peer;
use tonic::{Code, Status};

/// How long account-health may take to answer; less if the caller waits for less.
const ASK_FOR_AT_MOST: Duration = Duration::from_secs(2);

/// Where statements come from.
#[derive(Clone)]
pub struct Statements(AccountHealthServiceClient<Peer>);

impl Statements {
    /// Those of the account-health service at this peer, called with this service's own
    /// credentials.
    pub fn new(account_health: Peer) -> Statements {
        Statements(AccountHealthServiceClient::new(account_health.with_timeout(ASK_FOR_AT_MOST)))
    }

    /// The first statement issued for a decision; `None` if there is none.
    ///
    /// # Errors
    /// UNAVAILABLE with reason NOT_READY and RetryInfo if account-health cannot answer now.
    pub async fn of_decision(&self, decision_id: &str) -> Result<Option<Statement>, Error> {
        let key = Some(Key::DecisionId(decision_id.to_owned()));
        let request = GetStatementRequest { key, locale: String::new() };
        let answer = self.0.clone().get_statement(request).await;
        answer.map_or_else(failed, |response| Ok(response.into_inner().statement))
    }
}

/// What a failed question means.
fn failed(status: Status) -> Result<Option<Statement>, Error> {
    match status.code() {
        Code::NotFound => Ok(None),
        _ => Err(Error::from_peer("account-health", status)),
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::StatusExt as _;

    use super::*;

    #[test]
    fn a_failed_question_means_what_the_table_says() {
        for (code, answer) in [
            (Code::NotFound, None),
            (Code::Unavailable, Some(Code::Unavailable)),
            (Code::DeadlineExceeded, Some(Code::Unavailable)),
            (Code::Cancelled, Some(Code::Unavailable)),
            (Code::ResourceExhausted, Some(Code::Unavailable)),
            (Code::Aborted, Some(Code::Unavailable)),
            (Code::Unknown, Some(Code::Internal)),
            (Code::Internal, Some(Code::Internal)),
            (Code::Unauthenticated, Some(Code::Internal)),
            (Code::PermissionDenied, Some(Code::Internal)),
            (Code::InvalidArgument, Some(Code::Internal)),
        ] {
            let result = failed(Status::new(code, "no"));
            assert_eq!(result.as_ref().err().map(Error::code), answer, "{code:?}");
            if answer == Some(Code::Unavailable) {
                let status = Status::from(result.unwrap_err());
                let details = status.get_error_details();
                assert!(details.retry_info().is_some());
                assert_eq!(details.error_info().unwrap().reason, "NOT_READY");
            }
        }
    }
}
