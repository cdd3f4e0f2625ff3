//! Appeals' events: a filed appeal is heard as a case; a withdrawn one closes its case, unless
//! the decision came first. One case for each appeal.

use std::collections::{BTreeSet, HashMap};

use contracts::appeals::v1::appeal_event::Event;
use contracts::appeals::v1::appeals_service_client::AppealsServiceClient;
use contracts::appeals::v1::{Appeal, AppealEvent, WatchAppealEventsRequest};
use contracts::review::v1::review_event::Event as Happened;
use contracts::review::v1::{CaseOpened, CaseWithdrawn, Decision};
use kit::client::Peer;
use kit::db::{DbError, Tx};
use kit::follow::{EventStream, Follow, Message};
use kit::{Clock, Error, Ids, Time};
use pack::PackSource;
use tonic::Status;

use crate::case::Case;
use crate::intake::Slot;
use crate::{event, hearing, render, store};

/// Follows the appeals service.
pub struct AppealsFollower {
    /// The appeals service.
    pub client: AppealsServiceClient<Peer>,
    /// The active pack, whose queues take appeals.
    pub packs: PackSource,
    /// Says what time it is.
    pub clock: Clock,
    /// Makes ids.
    pub ids: Ids,
}

impl Follow for AppealsFollower {
    type Event = AppealEvent;

    fn name(&self) -> &'static str {
        "appeals"
    }

    async fn open(&self, resume_token: String) -> Result<EventStream<AppealEvent>, Status> {
        let request = WatchAppealEventsRequest { resume_token };
        let stream = self.client.clone().watch_appeal_events(request).await?.into_inner();
        Ok(kit::follow::stream(stream, |message| Message {
            token: message.resume_token,
            event: message.event,
        }))
    }

    async fn apply(&self, tx: &mut Tx, events: &[AppealEvent]) -> Result<(), Error> {
        let mut appeals: BTreeSet<&str> = BTreeSet::new();
        let mut filed: Vec<&Appeal> = Vec::new();
        for event in events {
            match &event.event {
                Some(Event::AppealFiled(event)) => filed.extend(&event.appeal),
                Some(Event::AppealWithdrawn(event)) => drop(appeals.insert(&event.appeal_id)),
                Some(Event::AppealInReview(_) | Event::AppealDecided(_)) | None => {}
            }
        }
        appeals.extend(filed.iter().map(|appeal| appeal.appeal_id.as_str()));
        if appeals.is_empty() {
            return Ok(());
        }
        let mut hearings = Hearings::load(tx, &appeals, &filed).await?;
        for event in events {
            match &event.event {
                Some(Event::AppealFiled(event)) => {
                    if let Some(appeal) = &event.appeal {
                        self.file(tx, &mut hearings, appeal)?;
                    }
                }
                Some(Event::AppealWithdrawn(event)) => {
                    self.withdraw(tx, &mut hearings, &event.appeal_id);
                }
                Some(Event::AppealInReview(_) | Event::AppealDecided(_)) | None => {}
            }
        }
        let slots: Vec<Slot> = hearings.slots.into_values().collect();
        store::case::write(tx, &slots).await?;
        Ok(())
    }

    fn describe(&self, event: &AppealEvent) -> String {
        event.event_id.clone()
    }

    fn time(&self, event: &AppealEvent) -> Option<Time> {
        event.time.as_ref().and_then(Time::from_timestamp)
    }
}

impl AppealsFollower {
    fn file(&self, tx: &mut Tx, hearings: &mut Hearings, appeal: &Appeal) -> Result<(), Error> {
        if hearings.slots.contains_key(&appeal.appeal_id) {
            return Ok(());
        }
        let now = self.clock.now();
        let pack = self.packs.current()?;
        let (decision, appealed) = hearings.appealed(&appeal.decision_id)?;
        let case_id = self.ids.new_id("case", now);
        let case = hearing::opened(appeal, decision, appealed, &pack, case_id, now);
        let shown = Some(render::case_in_event(&case, now));
        let opened = CaseOpened { case: shown, ..CaseOpened::default() };
        event::append(tx, &self.ids, now, &case.case_id, Happened::CaseOpened(opened));
        hearings.slots.insert(appeal.appeal_id.clone(), Slot { stored: None, case });
        Ok(())
    }

    fn withdraw(&self, tx: &mut Tx, hearings: &mut Hearings, appeal_id: &str) {
        let now = self.clock.now();
        let Some(Slot { case, .. }) = hearings.slots.get_mut(appeal_id) else {
            tracing::warn!(appeal.id = appeal_id, "an appeal without a case was withdrawn");
            return;
        };
        // Refused when it was decided before the withdrawal came here: the decision prevails.
        if case.withdraw_appeal(now).is_ok() {
            let case_id = case.case_id.clone();
            let withdrawn =
                CaseWithdrawn { case_id: case_id.clone(), appeal_id: appeal_id.to_owned() };
            event::append(tx, &self.ids, now, &case_id, Happened::CaseWithdrawn(withdrawn));
        }
    }
}

/// The cases of a batch's appeals, and what the new ones are about.
struct Hearings {
    /// By appeal.
    slots: HashMap<String, Slot>,
    /// By decision.
    decisions: HashMap<String, Decision>,
    /// By id.
    appealed: HashMap<String, Case>,
}

impl Hearings {
    async fn load(
        tx: &mut Tx,
        appeals: &BTreeSet<&str>,
        filed: &[&Appeal],
    ) -> Result<Hearings, DbError> {
        let heard = store::intake::lock_appeals(tx, appeals).await?;
        let decision_ids: BTreeSet<&str> =
            filed.iter().map(|appeal| appeal.decision_id.as_str()).collect();
        let decision_ids: Vec<&str> = decision_ids.into_iter().collect();
        let decisions = store::decision::find(tx, &decision_ids).await?;
        let case_ids = decisions.iter().map(|decision| decision.case_id.as_str()).collect();
        let appealed = store::intake::lock_cases(tx, &case_ids).await?;
        let slot = |case: Case| {
            let appeal_id = case.appeal.as_ref()?.appeal_id.clone();
            Some((appeal_id, Slot { stored: Some(case.clone()), case }))
        };
        Ok(Hearings {
            slots: heard.into_iter().filter_map(slot).collect(),
            appealed: appealed.into_iter().map(|case| (case.case_id.clone(), case)).collect(),
            decisions: decisions
                .into_iter()
                .map(|decision| (decision.decision_id.clone(), decision))
                .collect(),
        })
    }

    /// Appeals are only taken against decisions that appeals learnt of from here, so that a
    /// missing one is a mistake that must not be passed over.
    fn appealed(&self, decision_id: &str) -> Result<(&Decision, &Case), Error> {
        let decision = self.decisions.get(decision_id);
        let case = decision.and_then(|decision| self.appealed.get(&decision.case_id));
        decision
            .zip(case)
            .ok_or_else(|| Error::internal(format!("an appeal against no decision: {decision_id}")))
    }
}
