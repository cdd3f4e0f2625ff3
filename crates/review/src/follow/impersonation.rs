//! Impersonation's events: a match that is grave enough and a claim open a case or are added to
//! the open one of their account; what falls away is taken away again. What impersonation says of
//! decisions that were taken here is passed over.

use std::collections::BTreeSet;

use contracts::impersonation::v1::impersonation_event::Event;
use contracts::impersonation::v1::impersonation_service_client::ImpersonationServiceClient;
use contracts::impersonation::v1::r#match::State as MatchState;
use contracts::impersonation::v1::{
    Consequence, ImpersonationEvent, Match, MatchResolved, WatchImpersonationEventsRequest,
};
use kit::client::Peer;
use kit::db::Tx;
use kit::follow::{EventStream, Follow, Message};
use kit::{Clock, Error, Ids, Time};
use pack::{Pack, PackSource};
use tonic::Status;

use crate::intake::{self, Filed, Intake, Item, Key};
use crate::{event, store};

/// Follows the impersonation service.
pub struct ImpersonationFollower {
    /// The impersonation service.
    pub client: ImpersonationServiceClient<Peer>,
    /// The active pack, under which cases are opened.
    pub packs: PackSource,
    /// Says what time it is.
    pub clock: Clock,
    /// Makes ids.
    pub ids: Ids,
}

/// Whether a match is to be reviewed: it is probable enough, and nothing else says already what
/// it is.
fn is_for_review(found: &Match) -> bool {
    let consequence = found.likeness.as_ref().map_or(0, |likeness| likeness.consequence);
    consequence >= Consequence::OpenCase as i32
}

/// Whether a match needs no decision any more, and none of ours said so.
fn fell_away(resolved: &MatchResolved) -> bool {
    let gone = matches!(resolved.state(), MatchState::Superseded | MatchState::Dismissed);
    gone && resolved.decision_id.is_empty()
}

/// What of a batch is to be locked before it takes effect.
#[derive(Debug, Default, PartialEq)]
struct Concerned<'a> {
    keys: BTreeSet<Key>,
    items: BTreeSet<&'a str>,
}

impl<'a> Concerned<'a> {
    fn of(events: &'a [ImpersonationEvent], pack: &Pack) -> Concerned<'a> {
        let mut concerned = Concerned::default();
        for event in events.iter().filter_map(|event| event.event.as_ref()) {
            match event {
                Event::MatchFound(found) => {
                    let found = found.r#match.as_ref().filter(|found| is_for_review(found));
                    if let Some(found) = found {
                        concerned.keys.insert(intake::key(&found.account_id, pack));
                        concerned.items.insert(&found.match_id);
                    }
                }
                Event::MatchResolved(resolved) if fell_away(resolved) => {
                    concerned.items.insert(&resolved.match_id);
                }
                Event::ClaimFiled(filed) => {
                    if let Some(claim) = &filed.claim {
                        concerned.keys.insert(intake::key(&claim.imitator_account_id, pack));
                        concerned.items.insert(&claim.claim_id);
                    }
                }
                Event::ClaimWithdrawn(withdrawn) => {
                    concerned.items.insert(&withdrawn.claim_id);
                }
                Event::ExemptionChanged(changed) => {
                    if let Some(exemption) = &changed.exemption {
                        concerned.keys.insert(intake::key(&exemption.account_id, pack));
                    }
                }
                _ => {}
            }
        }
        concerned
    }
}

impl Follow for ImpersonationFollower {
    type Event = ImpersonationEvent;

    fn name(&self) -> &'static str {
        "impersonation"
    }

    async fn open(&self, resume_token: String) -> Result<EventStream<ImpersonationEvent>, Status> {
        let request = WatchImpersonationEventsRequest { resume_token, include_profiles: false };
        let stream = self.client.clone().watch_impersonation_events(request).await?.into_inner();
        Ok(kit::follow::stream(stream, |message| Message {
            token: message.resume_token,
            event: message.event,
        }))
    }

    async fn apply(&self, tx: &mut Tx, events: &[ImpersonationEvent]) -> Result<(), Error> {
        let now = self.clock.now();
        let pack = self.packs.current()?;
        self.take(tx, events, &pack, now).await?;
        for event in events.iter().filter_map(|event| event.event.as_ref()) {
            if let Event::CampaignChanged(changed) = event
                && let Some(campaign) = &changed.campaign
            {
                let (campaign_id, matches) = (&campaign.campaign_id, &changed.match_ids);
                store::impersonation::join_campaign(tx, campaign_id, matches).await?;
            }
        }
        Ok(())
    }

    fn describe(&self, event: &ImpersonationEvent) -> String {
        event.event_id.clone()
    }

    fn time(&self, event: &ImpersonationEvent) -> Option<Time> {
        event.time.as_ref().and_then(Time::from_timestamp)
    }
}

impl ImpersonationFollower {
    /// Lets matches, claims and exemptions take effect on cases.
    async fn take(
        &self,
        tx: &mut Tx,
        events: &[ImpersonationEvent],
        pack: &Pack,
        now: Time,
    ) -> Result<(), Error> {
        let Concerned { keys, items } = Concerned::of(events, pack);
        if keys.is_empty() && items.is_empty() {
            return Ok(());
        }
        let known = store::impersonation::known(tx, &items).await?;
        let mut cases = store::intake::lock_open(tx, &keys).await?;
        let locked: BTreeSet<String> = cases.iter().map(|case| case.case_id.clone()).collect();
        let others = known.iter().map(|item| item.case_id.as_str());
        let others = others.filter(|case_id| !locked.contains(*case_id)).collect();
        cases.extend(store::intake::lock_cases(tx, &others).await?);

        let mut intake = Intake::new(pack, now, cases, Vec::new());
        intake.know(known);
        for event in events {
            self.one(&mut intake, event, pack, now);
        }
        let outcome = intake.finish();
        store::case::write(tx, &outcome.slots).await?;
        store::impersonation::write(tx, &outcome.items).await?;
        for (case_id, happened) in outcome.events {
            event::append(tx, &self.ids, now, &case_id, happened);
        }
        Ok(())
    }

    fn one(&self, intake: &mut Intake<'_>, told: &ImpersonationEvent, pack: &Pack, now: Time) {
        let time = intake::at(told.time.as_ref(), now);
        let new_id = || self.ids.new_id("case", now);
        match &told.event {
            Some(Event::MatchFound(found)) => {
                let found = found.r#match.as_ref().filter(|found| is_for_review(found));
                if let Some(found) = found {
                    let filed = Filed::of_match(found, time, pack);
                    intake.found(&filed, Item::Match(Box::new(found.clone())), new_id);
                }
            }
            Some(Event::MatchResolved(resolved)) if fell_away(resolved) => {
                intake.fallen(&resolved.match_id);
            }
            Some(Event::ClaimFiled(filed)) => {
                if let Some(claim) = &filed.claim {
                    let filed = Filed::of_claim(claim, time, pack);
                    intake.found(&filed, Item::Claim(Box::new(claim.clone())), new_id);
                }
            }
            Some(Event::ClaimWithdrawn(withdrawn)) => {
                intake.fallen(&withdrawn.claim_id);
            }
            Some(Event::ExemptionChanged(changed)) => {
                if let Some(exemption) = &changed.exemption {
                    intake.exempted(exemption);
                }
            }
            _ => {}
        }
    }
}
