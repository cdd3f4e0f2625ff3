//! An impersonation service that knows the claims that a test gives it, on a real socket.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use contracts::impersonation::v1 as proto;
use contracts::impersonation::v1::impersonation_service_server::{
    ImpersonationService, ImpersonationServiceServer,
};
use futures_util::stream::BoxStream;
use kit::Error;
use kit::client::Peer;
use tonic::{Request, Response, Status, Streaming};

use crate::socket;

/// What the service knows and how it is.
#[derive(Default)]
pub struct Knows {
    claims: Mutex<Vec<(String, proto::Claim)>>,
    /// Whether it answers.
    pub down: AtomicBool,
}

impl Knows {
    /// From now on this is the claim of somebody.
    pub fn put(&self, claimant: &str, claim: proto::Claim) {
        let mut claims = self.claims.lock().unwrap();
        claims.retain(|(_, known)| known.claim_id != claim.claim_id);
        claims.push((claimant.to_owned(), claim));
    }

    fn find(&self, asked: &proto::FindDecidedClaimRequest) -> Option<proto::Claim> {
        let claims = self.claims.lock().unwrap();
        let found = claims.iter().find(|(claimant, claim)| {
            let route = claim.appeal_route.as_ref();
            *claimant == asked.claimant
                && route.is_some_and(|route| route.decision_id == asked.decision_id)
        });
        found.map(|(_, claim)| claim.clone())
    }
}

/// Starts the service; gives what it knows and a peer to call it by.
pub async fn start() -> (Arc<Knows>, Peer) {
    let knows = Arc::new(Knows::default());
    let server = socket::server().add(ImpersonationServiceServer::new(Fake(knows.clone())));
    let peer = socket::serve(server, "service:appeals").await;
    (knows, peer)
}

struct Fake(Arc<Knows>);

type Later<'a, T> = Pin<Box<dyn Future<Output = Result<Response<T>, Status>> + Send + 'a>>;

/// The service: one RPC that is asked for, and the others.
macro_rules! serve {
    ($($name:ident($request:ty) -> $response:ty;)*) => {
        impl ImpersonationService for Fake {
            type StreamChecksStream =
                BoxStream<'static, Result<proto::StreamChecksResponse, Status>>;
            type FindImitatorsStream =
                BoxStream<'static, Result<proto::FindImitatorsResponse, Status>>;
            type WatchImpersonationEventsStream =
                BoxStream<'static, Result<proto::WatchImpersonationEventsResponse, Status>>;

            fn find_decided_claim<'s, 'a>(
                &'s self,
                request: Request<proto::FindDecidedClaimRequest>,
            ) -> Later<'a, proto::FindDecidedClaimResponse>
            where
                's: 'a,
                Self: 'a,
            {
                Box::pin(async move {
                    if self.0.down.load(Ordering::SeqCst) {
                        return Err(Error::unavailable("NOT_READY").into());
                    }
                    let claim = self.0.find(request.get_ref());
                    let claim = claim.ok_or_else(|| Error::not_found("CLAIM_NOT_FOUND"))?;
                    Ok(Response::new(proto::FindDecidedClaimResponse { claim: Some(claim) }))
                })
            }

            $(
                fn $name<'s, 'a>(&'s self, _: $request) -> Later<'a, $response>
                where
                    's: 'a,
                    Self: 'a,
                {
                    Box::pin(async { Err(Status::unimplemented("not asked for")) })
                }
            )*
        }
    };
}

serve! {
    enrol_identity(Request<proto::EnrolIdentityRequest>) -> proto::EnrolIdentityResponse;
    import_identities(Request<proto::ImportIdentitiesRequest>) -> proto::ImportIdentitiesResponse;
    update_identity(Request<proto::UpdateIdentityRequest>) -> proto::UpdateIdentityResponse;
    verify_attribute(Request<proto::VerifyAttributeRequest>) -> proto::VerifyAttributeResponse;
    end_protection(Request<proto::EndProtectionRequest>) -> proto::EndProtectionResponse;
    get_identity(Request<proto::GetIdentityRequest>) -> proto::GetIdentityResponse;
    list_identities(Request<proto::ListIdentitiesRequest>) -> proto::ListIdentitiesResponse;
    observe_profiles(Request<proto::ObserveProfilesRequest>) -> proto::ObserveProfilesResponse;
    forget_profiles(Request<proto::ForgetProfilesRequest>) -> proto::ForgetProfilesResponse;
    check_profile(Request<proto::CheckProfileRequest>) -> proto::CheckProfileResponse;
    check_handle(Request<proto::CheckHandleRequest>) -> proto::CheckHandleResponse;
    get_index_status(Request<proto::GetIndexStatusRequest>) -> proto::GetIndexStatusResponse;
    get_thresholds(Request<proto::GetThresholdsRequest>) -> proto::GetThresholdsResponse;
    set_thresholds(Request<proto::SetThresholdsRequest>) -> proto::SetThresholdsResponse;
    declare_exemption(Request<proto::DeclareExemptionRequest>) -> proto::DeclareExemptionResponse;
    grant_exemption(Request<proto::GrantExemptionRequest>) -> proto::GrantExemptionResponse;
    end_exemption(Request<proto::EndExemptionRequest>) -> proto::EndExemptionResponse;
    list_exemptions(Request<proto::ListExemptionsRequest>) -> proto::ListExemptionsResponse;
    get_match(Request<proto::GetMatchRequest>) -> proto::GetMatchResponse;
    list_matches(Request<proto::ListMatchesRequest>) -> proto::ListMatchesResponse;
    dismiss_match(Request<proto::DismissMatchRequest>) -> proto::DismissMatchResponse;
    get_campaign(Request<proto::GetCampaignRequest>) -> proto::GetCampaignResponse;
    list_campaigns(Request<proto::ListCampaignsRequest>) -> proto::ListCampaignsResponse;
    file_claim(Request<proto::FileClaimRequest>) -> proto::FileClaimResponse;
    get_claim(Request<proto::GetClaimRequest>) -> proto::GetClaimResponse;
    list_claims(Request<proto::ListClaimsRequest>) -> proto::ListClaimsResponse;
    withdraw_claim(Request<proto::WithdrawClaimRequest>) -> proto::WithdrawClaimResponse;
    get_claim_proof(Request<proto::GetClaimProofRequest>) -> proto::GetClaimProofResponse;
    get_claimant_standing(Request<proto::GetClaimantStandingRequest>)
        -> proto::GetClaimantStandingResponse;
    get_digest(Request<proto::GetDigestRequest>) -> proto::GetDigestResponse;
    list_digests(Request<proto::ListDigestsRequest>) -> proto::ListDigestsResponse;
    get_drift(Request<proto::GetDriftRequest>) -> proto::GetDriftResponse;
    list_labels(Request<proto::ListLabelsRequest>) -> proto::ListLabelsResponse;
    stream_checks(Request<Streaming<proto::StreamChecksRequest>>) -> Self::StreamChecksStream;
    find_imitators(Request<proto::FindImitatorsRequest>) -> Self::FindImitatorsStream;
    watch_impersonation_events(Request<proto::WatchImpersonationEventsRequest>)
        -> Self::WatchImpersonationEventsStream;
}
