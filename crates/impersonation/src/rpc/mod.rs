//! The RPCs: each one is a function of the file named after its noun, which says who calls, what is
//! asked, the one decision, the one transaction and the answer.
//!
//! Requests come checked against the rules of the contract. Nothing here holds SQL.

mod campaigns;
mod checks;
mod claims;
mod digests;
mod dismissals;
mod events;
mod exemptions;
mod identities;
mod labels;
mod matches;
mod profiles;
mod settings;

use std::sync::Arc;

use contracts::impersonation::v1::impersonation_service_server::ImpersonationService;
use contracts::impersonation::v1::{
    CheckHandleRequest, CheckHandleResponse, CheckProfileRequest, CheckProfileResponse,
    DeclareExemptionRequest, DeclareExemptionResponse, DismissMatchRequest, DismissMatchResponse,
    EndExemptionRequest, EndExemptionResponse, EndProtectionRequest, EndProtectionResponse,
    EnrolIdentityRequest, EnrolIdentityResponse, FileClaimRequest, FileClaimResponse,
    FindDecidedClaimRequest, FindDecidedClaimResponse, FindImitatorsRequest, FindImitatorsResponse,
    ForgetProfilesRequest, ForgetProfilesResponse, GetCampaignRequest, GetCampaignResponse,
    GetClaimProofRequest, GetClaimProofResponse, GetClaimRequest, GetClaimResponse,
    GetClaimantStandingRequest, GetClaimantStandingResponse, GetDigestRequest, GetDigestResponse,
    GetDriftRequest, GetDriftResponse, GetIdentityRequest, GetIdentityResponse,
    GetIndexStatusRequest, GetIndexStatusResponse, GetMatchRequest, GetMatchResponse,
    GetThresholdsRequest, GetThresholdsResponse, GrantExemptionRequest, GrantExemptionResponse,
    ImportIdentitiesRequest, ImportIdentitiesResponse, ListCampaignsRequest, ListCampaignsResponse,
    ListClaimsRequest, ListClaimsResponse, ListDigestsRequest, ListDigestsResponse,
    ListExemptionsRequest, ListExemptionsResponse, ListIdentitiesRequest, ListIdentitiesResponse,
    ListLabelsRequest, ListLabelsResponse, ListMatchesRequest, ListMatchesResponse,
    ObserveProfilesRequest, ObserveProfilesResponse, SetThresholdsRequest, SetThresholdsResponse,
    StreamChecksRequest, StreamChecksResponse, UpdateIdentityRequest, UpdateIdentityResponse,
    VerifyAttributeRequest, VerifyAttributeResponse, WatchImpersonationEventsRequest,
    WatchImpersonationEventsResponse, WithdrawClaimRequest, WithdrawClaimResponse,
};
use futures_util::stream::BoxStream;
use kit::db::Db;
use kit::group_commit::GroupCommit;
use kit::validate::MessageRules;
use kit::watch::WatchStream;
use kit::{Clock, Ids};
use tokio::sync::watch;
use tonic::{Request, Response, Status, Streaming};

use crate::check::Checker;
use crate::observing::Observing;
use crate::proof::Keys;

/// Lifts the limit to the caller's own identities and exemptions.
pub(crate) const READ_ALL: &str = "impersonation.read_all";
/// Rows on a page unless asked otherwise.
pub(crate) const PAGE_SIZE_DEFAULT: u32 = 50;
/// Rows on a page at most.
pub(crate) const PAGE_SIZE_MAX: u32 = 100;

/// What one RPC answers.
type Answer<T> = Result<Response<T>, Status>;

/// The service. Cheap to clone.
#[derive(Clone)]
pub struct Impersonation(Arc<Inner>);

/// What every RPC stands on.
pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    /// Checks profiles against the index in memory.
    pub(crate) checker: Checker,
    /// What proofs are encrypted with; none where none was given.
    pub(crate) proof_keys: Option<Keys>,
    /// The writer of the population.
    pub(crate) observing: GroupCommit<Observing>,
    /// The rules of one check of a stream.
    pub(crate) rules: MessageRules,
    /// True once streams are to end.
    pub(crate) stop: watch::Receiver<bool>,
}

impl Inner {
    /// Over once the service is to end.
    pub(crate) fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stop = self.stop.clone();
        async move {
            // An error means that nobody is left to say it.
            let _ = stop.wait_for(|stop| *stop).await;
        }
    }
}

impl Impersonation {
    pub(crate) fn new(inner: Inner) -> Impersonation {
        Impersonation(Arc::new(inner))
    }
}

#[tonic::async_trait]
impl ImpersonationService for Impersonation {
    type StreamChecksStream = BoxStream<'static, Result<StreamChecksResponse, Status>>;
    type FindImitatorsStream = BoxStream<'static, Result<FindImitatorsResponse, Status>>;
    type WatchImpersonationEventsStream = WatchStream<WatchImpersonationEventsResponse>;

    async fn enrol_identity(
        &self,
        request: Request<EnrolIdentityRequest>,
    ) -> Answer<EnrolIdentityResponse> {
        identities::enrol_identity(&self.0, request).await
    }

    async fn import_identities(
        &self,
        request: Request<ImportIdentitiesRequest>,
    ) -> Answer<ImportIdentitiesResponse> {
        identities::import_identities(&self.0, request).await
    }

    async fn update_identity(
        &self,
        request: Request<UpdateIdentityRequest>,
    ) -> Answer<UpdateIdentityResponse> {
        identities::update_identity(&self.0, request).await
    }

    async fn verify_attribute(
        &self,
        request: Request<VerifyAttributeRequest>,
    ) -> Answer<VerifyAttributeResponse> {
        identities::verify_attribute(&self.0, request).await
    }

    async fn end_protection(
        &self,
        request: Request<EndProtectionRequest>,
    ) -> Answer<EndProtectionResponse> {
        identities::end_protection(&self.0, request).await
    }

    async fn get_identity(
        &self,
        request: Request<GetIdentityRequest>,
    ) -> Answer<GetIdentityResponse> {
        identities::get_identity(&self.0, request).await
    }

    async fn list_identities(
        &self,
        request: Request<ListIdentitiesRequest>,
    ) -> Answer<ListIdentitiesResponse> {
        identities::list_identities(&self.0, request).await
    }

    async fn observe_profiles(
        &self,
        request: Request<ObserveProfilesRequest>,
    ) -> Answer<ObserveProfilesResponse> {
        profiles::observe_profiles(&self.0, request).await
    }

    async fn forget_profiles(
        &self,
        request: Request<ForgetProfilesRequest>,
    ) -> Answer<ForgetProfilesResponse> {
        profiles::forget_profiles(&self.0, request).await
    }

    async fn check_profile(
        &self,
        request: Request<CheckProfileRequest>,
    ) -> Answer<CheckProfileResponse> {
        checks::check_profile(&self.0, request).await
    }

    async fn stream_checks(
        &self,
        request: Request<Streaming<StreamChecksRequest>>,
    ) -> Answer<Self::StreamChecksStream> {
        checks::stream_checks(self, request).await
    }

    async fn check_handle(
        &self,
        request: Request<CheckHandleRequest>,
    ) -> Answer<CheckHandleResponse> {
        checks::check_handle(&self.0, request).await
    }

    async fn find_imitators(
        &self,
        request: Request<FindImitatorsRequest>,
    ) -> Answer<Self::FindImitatorsStream> {
        checks::find_imitators(self, request).await
    }

    async fn get_index_status(
        &self,
        request: Request<GetIndexStatusRequest>,
    ) -> Answer<GetIndexStatusResponse> {
        settings::get_index_status(&self.0, request).await
    }

    async fn get_thresholds(
        &self,
        request: Request<GetThresholdsRequest>,
    ) -> Answer<GetThresholdsResponse> {
        settings::get_thresholds(&self.0, request).await
    }

    async fn set_thresholds(
        &self,
        request: Request<SetThresholdsRequest>,
    ) -> Answer<SetThresholdsResponse> {
        settings::set_thresholds(&self.0, request).await
    }

    async fn declare_exemption(
        &self,
        request: Request<DeclareExemptionRequest>,
    ) -> Answer<DeclareExemptionResponse> {
        exemptions::declare_exemption(&self.0, request).await
    }

    async fn grant_exemption(
        &self,
        request: Request<GrantExemptionRequest>,
    ) -> Answer<GrantExemptionResponse> {
        exemptions::grant_exemption(&self.0, request).await
    }

    async fn end_exemption(
        &self,
        request: Request<EndExemptionRequest>,
    ) -> Answer<EndExemptionResponse> {
        exemptions::end_exemption(&self.0, request).await
    }

    async fn list_exemptions(
        &self,
        request: Request<ListExemptionsRequest>,
    ) -> Answer<ListExemptionsResponse> {
        exemptions::list_exemptions(&self.0, request).await
    }

    async fn get_match(&self, request: Request<GetMatchRequest>) -> Answer<GetMatchResponse> {
        matches::get_match(&self.0, request).await
    }

    async fn list_matches(
        &self,
        request: Request<ListMatchesRequest>,
    ) -> Answer<ListMatchesResponse> {
        matches::list_matches(&self.0, request).await
    }

    async fn dismiss_match(
        &self,
        request: Request<DismissMatchRequest>,
    ) -> Answer<DismissMatchResponse> {
        dismissals::dismiss_match(&self.0, request).await
    }

    async fn get_campaign(
        &self,
        request: Request<GetCampaignRequest>,
    ) -> Answer<GetCampaignResponse> {
        campaigns::get_campaign(&self.0, request).await
    }

    async fn list_campaigns(
        &self,
        request: Request<ListCampaignsRequest>,
    ) -> Answer<ListCampaignsResponse> {
        campaigns::list_campaigns(&self.0, request).await
    }

    async fn file_claim(&self, request: Request<FileClaimRequest>) -> Answer<FileClaimResponse> {
        claims::file_claim(&self.0, request).await
    }

    async fn get_claim(&self, request: Request<GetClaimRequest>) -> Answer<GetClaimResponse> {
        claims::get_claim(&self.0, request).await
    }

    async fn list_claims(&self, request: Request<ListClaimsRequest>) -> Answer<ListClaimsResponse> {
        claims::list_claims(&self.0, request).await
    }

    async fn find_decided_claim(
        &self,
        request: Request<FindDecidedClaimRequest>,
    ) -> Result<Response<FindDecidedClaimResponse>, Status> {
        claims::find_decided_claim(&self.0, request).await
    }
    async fn withdraw_claim(
        &self,
        request: Request<WithdrawClaimRequest>,
    ) -> Answer<WithdrawClaimResponse> {
        claims::withdraw_claim(&self.0, request).await
    }

    async fn get_claim_proof(
        &self,
        request: Request<GetClaimProofRequest>,
    ) -> Answer<GetClaimProofResponse> {
        claims::get_claim_proof(&self.0, request).await
    }

    async fn get_claimant_standing(
        &self,
        request: Request<GetClaimantStandingRequest>,
    ) -> Answer<GetClaimantStandingResponse> {
        claims::get_claimant_standing(&self.0, request).await
    }

    async fn get_digest(&self, request: Request<GetDigestRequest>) -> Answer<GetDigestResponse> {
        digests::get_digest(&self.0, request).await
    }

    async fn list_digests(
        &self,
        request: Request<ListDigestsRequest>,
    ) -> Answer<ListDigestsResponse> {
        digests::list_digests(&self.0, request).await
    }

    async fn get_drift(&self, request: Request<GetDriftRequest>) -> Answer<GetDriftResponse> {
        digests::get_drift(&self.0, request).await
    }

    async fn list_labels(&self, request: Request<ListLabelsRequest>) -> Answer<ListLabelsResponse> {
        labels::list_labels(&self.0, request).await
    }

    async fn watch_impersonation_events(
        &self,
        request: Request<WatchImpersonationEventsRequest>,
    ) -> Answer<Self::WatchImpersonationEventsStream> {
        events::watch_impersonation_events(&self.0, request).await
    }
}
