//! Asking impersonation for the claim that a decision settled.
//!
//! Nothing is kept: what may be appealed against is always asked anew. It must not know what
//! the claim is wanted for.

use std::time::Duration;

use contracts::impersonation::v1::impersonation_service_client::ImpersonationServiceClient;
use contracts::impersonation::v1::{Claim, FindDecidedClaimRequest};
use kit::Error;
use kit::client::Peer;
use tonic::{Code, Status};

/// How long impersonation may take to answer; less if the caller waits for less.
const ASK_FOR_AT_MOST: Duration = Duration::from_secs(2);

/// Where claims come from; nowhere, in a suite without an impersonation service.
#[derive(Clone)]
pub struct Claims(Option<ImpersonationServiceClient<Peer>>);

/// What came of asking for a claim.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The decision settled this claim.
    Claim(Box<Claim>),
    /// It settled none of this claimant.
    None,
    /// There is no impersonation service here.
    NoService,
}

impl Claims {
    /// Those of the impersonation service at this peer, called with this service's own
    /// credentials.
    pub fn new(impersonation: Option<Peer>) -> Claims {
        let timely = |peer: Peer| peer.with_timeout(ASK_FOR_AT_MOST);
        Claims(impersonation.map(|peer| ImpersonationServiceClient::new(timely(peer))))
    }

    /// The claim of somebody that a decision settled.
    ///
    /// # Errors
    /// UNAVAILABLE with reason NOT_READY and RetryInfo if impersonation cannot answer now.
    pub async fn of_decision(&self, decision_id: &str, claimant: &str) -> Result<Answer, Error> {
        let Some(client) = &self.0 else { return Ok(Answer::NoService) };
        let request = FindDecidedClaimRequest {
            decision_id: decision_id.to_owned(),
            claimant: claimant.to_owned(),
        };
        let answer = client.clone().find_decided_claim(request).await;
        answer.map_or_else(failed, |response| {
            let claim = response.into_inner().claim;
            Ok(claim.map_or(Answer::None, |claim| Answer::Claim(Box::new(claim))))
        })
    }
}

/// What a failed question means.
fn failed(status: Status) -> Result<Answer, Error> {
    match status.code() {
        Code::NotFound => Ok(Answer::None),
        // Whatever serves at the address does not serve impersonation.
        Code::Unimplemented => Ok(Answer::NoService),
        _ => Err(Error::from_peer("impersonation", status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_question_means_what_the_table_says() {
        for (code, answer) in [
            (Code::NotFound, Ok(Answer::None)),
            (Code::Unimplemented, Ok(Answer::NoService)),
            (Code::Unavailable, Err(Code::Unavailable)),
            (Code::DeadlineExceeded, Err(Code::Unavailable)),
            (Code::PermissionDenied, Err(Code::Internal)),
            (Code::Internal, Err(Code::Internal)),
        ] {
            let told = failed(Status::new(code, "no")).map_err(|error| error.code());
            assert_eq!(told, answer, "{code:?}");
        }
    }
}
