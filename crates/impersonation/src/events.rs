//! What this service tells the others, and its own replicas: one function for each event, from
//! what happened to what is appended to the log.
//!
//! No function here takes a claimant, so that no event can name one.

use contracts::impersonation::v1::impersonation_event::Event;
use contracts::impersonation::v1::r#match::State as MatchState;
use contracts::impersonation::v1::protected_identity::State;
use contracts::impersonation::v1::{
    Campaign, CampaignChanged, Claim, ClaimDecided, ClaimFiled, ClaimWithdrawn, Digest,
    DigestIssued, EnrolledIdentity, Exemption, ExemptionChanged, IdentitiesEnrolled,
    IdentityChanged, IdentityEnded, ImpersonationEvent, Match, MatchFound, MatchLabelled,
    MatchResolved, ProfilesForgotten, ProfilesObserved, Thresholds, ThresholdsChanged,
};
use kit::events::NewEvent;
use kit::{Ids, Time};

use crate::identity::{Changed, Identity};

/// The type prefix of an event's id.
const ID_PREFIX: &str = "evt";

/// The kinds of event that change what an index holds or what follows from a likeness, by the
/// names that the log keeps beside each event.
pub mod kind {
    /// Identities came under protection.
    pub const IDENTITIES_ENROLLED: &str = "identities_enrolled";
    /// An identity changed.
    pub const IDENTITY_CHANGED: &str = "identity_changed";
    /// The protection of an identity ended.
    pub const IDENTITY_ENDED: &str = "identity_ended";
    /// Profiles were observed.
    pub const PROFILES_OBSERVED: &str = "profiles_observed";
    /// Profiles were forgotten.
    pub const PROFILES_FORGOTTEN: &str = "profiles_forgotten";
    /// An exemption changed.
    pub const EXEMPTION_CHANGED: &str = "exemption_changed";
    /// The thresholds changed.
    pub const THRESHOLDS_CHANGED: &str = "thresholds_changed";
    /// An imitator was found.
    pub const MATCH_FOUND: &str = "match_found";
    /// A campaign began, grew or closed.
    pub const CAMPAIGN_CHANGED: &str = "campaign_changed";
    /// A claim was taken.
    pub const CLAIM_FILED: &str = "claim_filed";
    /// A claim was decided, or its outcome corrected.
    pub const CLAIM_DECIDED: &str = "claim_decided";
    /// A claim was taken back.
    pub const CLAIM_WITHDRAWN: &str = "claim_withdrawn";
    /// A digest was made.
    pub const DIGEST_ISSUED: &str = "digest_issued";
    /// A match was decided or fell away.
    pub const MATCH_RESOLVED: &str = "match_resolved";
    /// Review decided about a match, or an appeal corrected what it had decided.
    pub const MATCH_LABELLED: &str = "match_labelled";
}

/// Makes this service's events at one instant.
#[derive(Clone, Copy)]
pub struct Events<'a> {
    /// Where ids come from.
    pub ids: &'a Ids,
    /// When it happened.
    pub now: Time,
}

impl Events<'_> {
    /// Identities came under protection.
    pub fn enrolled(self, identities: &[Identity]) -> NewEvent {
        let of = |identity: &Identity| EnrolledIdentity {
            identity_id: identity.identity_id.clone(),
            kind: identity.spec.kind,
            account_id: identity.owner().to_owned(),
        };
        let key = identities.first().map_or("", |identity| &identity.identity_id);
        let enrolled = IdentitiesEnrolled { identities: identities.iter().map(of).collect() };
        self.event(key, kind::IDENTITIES_ENROLLED, Event::IdentitiesEnrolled(enrolled))
    }

    /// An identity changed.
    pub fn changed(self, identity_id: &str, changed: Changed) -> NewEvent {
        let event = IdentityChanged {
            identity_id: identity_id.to_owned(),
            lapsed: changed.lapsed,
            appearance_changed: changed.appearance,
        };
        self.event(identity_id, kind::IDENTITY_CHANGED, Event::IdentityChanged(event))
    }

    /// The protection of an identity ended.
    pub fn ended(self, identity_id: &str, state: State) -> NewEvent {
        let ended = IdentityEnded { identity_id: identity_id.to_owned(), state: state.into() };
        self.event(identity_id, kind::IDENTITY_ENDED, Event::IdentityEnded(ended))
    }

    /// Profiles were seen for the first time or changed; of those that are new, or whose display
    /// name or pictures changed, it is said.
    pub fn observed(self, account_ids: Vec<String>, restyled: Vec<String>) -> NewEvent {
        let key = account_ids.first().cloned().unwrap_or_default();
        let observed = ProfilesObserved { account_ids, restyled_account_ids: restyled };
        self.event(&key, kind::PROFILES_OBSERVED, Event::ProfilesObserved(observed))
    }

    /// Profiles were forgotten.
    pub fn forgotten(self, account_ids: Vec<String>) -> NewEvent {
        let key = account_ids.first().cloned().unwrap_or_default();
        let forgotten = ProfilesForgotten { account_ids };
        self.event(&key, kind::PROFILES_FORGOTTEN, Event::ProfilesForgotten(forgotten))
    }

    /// An exemption was declared, granted or ended.
    pub fn exemption(self, exemption: Exemption) -> NewEvent {
        let key = exemption.account_id.clone();
        let changed = ExemptionChanged { exemption: Some(exemption) };
        self.event(&key, kind::EXEMPTION_CHANGED, Event::ExemptionChanged(changed))
    }

    /// The thresholds changed.
    pub fn thresholds(self, thresholds: Thresholds) -> NewEvent {
        let changed = ThresholdsChanged { thresholds: Some(thresholds) };
        self.event("", kind::THRESHOLDS_CHANGED, Event::ThresholdsChanged(changed))
    }

    /// An imitator was found, or found again.
    pub fn match_found(self, found: Match, again: bool, actor_marks: Vec<String>) -> NewEvent {
        let key = found.match_id.clone();
        let changes = if again { found.reopen_changes.clone() } else { Vec::new() };
        let found = MatchFound { r#match: Some(found), found_again: again, actor_marks, changes };
        self.event(&key, kind::MATCH_FOUND, Event::MatchFound(found))
    }

    /// A match was decided or fell away. Its state is what it is now.
    pub fn match_resolved(self, resolved: &Match, corrected: bool) -> NewEvent {
        let event = MatchResolved {
            match_id: resolved.match_id.clone(),
            identity_id: resolved.identity_id.clone(),
            account_id: resolved.account_id.clone(),
            state: resolved.state,
            decision_id: resolved.decision_id.clone(),
            corrected,
            probability: resolved.likeness.as_ref().map_or(0.0, |likeness| likeness.probability),
        };
        debug_assert!(resolved.state() != MatchState::Open, "an open match is not resolved");
        self.event(&resolved.match_id, kind::MATCH_RESOLVED, Event::MatchResolved(event))
    }

    /// Review decided about a match, or an appeal corrected what it had decided.
    pub fn match_labelled(self, labelled: MatchLabelled) -> NewEvent {
        let key = labelled.match_id.clone();
        self.event(&key, kind::MATCH_LABELLED, Event::MatchLabelled(labelled))
    }

    /// A campaign began, grew or closed; `match_ids` became part of it.
    pub fn campaign(self, campaign: Campaign, match_ids: Vec<String>) -> NewEvent {
        let key = campaign.campaign_id.clone();
        let changed = CampaignChanged { campaign: Some(campaign), match_ids };
        self.event(&key, kind::CAMPAIGN_CHANGED, Event::CampaignChanged(changed))
    }

    /// A claim was taken.
    pub fn claim_filed(self, claim: &Claim) -> NewEvent {
        let filed = ClaimFiled { claim: Some(claim.clone()) };
        self.event(&claim.claim_id, kind::CLAIM_FILED, Event::ClaimFiled(filed))
    }

    /// A claim was decided, or its outcome corrected, by a decision.
    pub fn claim_decided(self, claim: &Claim, decision_id: &str) -> NewEvent {
        let decided = ClaimDecided {
            claim_id: claim.claim_id.clone(),
            imitator_account_id: claim.imitator_account_id.clone(),
            outcome: claim.outcome,
            outcome_corrected: claim.outcome_corrected,
            decision_id: decision_id.to_owned(),
        };
        self.event(&claim.claim_id, kind::CLAIM_DECIDED, Event::ClaimDecided(decided))
    }

    /// A claim was taken back.
    pub fn claim_withdrawn(self, claim: &Claim) -> NewEvent {
        let withdrawn = ClaimWithdrawn {
            claim_id: claim.claim_id.clone(),
            imitator_account_id: claim.imitator_account_id.clone(),
        };
        self.event(&claim.claim_id, kind::CLAIM_WITHDRAWN, Event::ClaimWithdrawn(withdrawn))
    }

    /// A digest was made.
    pub fn digest(self, digest: Digest) -> NewEvent {
        let key = digest.digest_id.clone();
        let issued = DigestIssued { digest: Some(digest) };
        self.event(&key, kind::DIGEST_ISSUED, Event::DigestIssued(issued))
    }

    /// Any event, under a key: for the files of other nouns.
    pub(crate) fn event(self, key: &str, kind: &'static str, event: Event) -> NewEvent {
        let event_id = self.ids.new_id(ID_PREFIX, self.now);
        let message = ImpersonationEvent {
            event_id: event_id.clone(),
            time: Some(self.now.into()),
            event: Some(event),
        };
        NewEvent::of(event_id, key, kind, self.now, &message)
    }
}
