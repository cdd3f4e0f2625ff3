//! What this service tells the others: one function for each event, from what happened to what
//! is appended to the log. No event names a claimant.

use contracts::appeals::v1::appeal_event::Event;
use contracts::appeals::v1::{
    Appeal, AppealDecided, AppealEvent, AppealFiled, AppealInReview, AppealWithdrawn,
};
use kit::events::NewEvent;
use kit::{Ids, Time};

/// The type prefix of an event's id.
const ID_PREFIX: &str = "evt";

/// Makes this service's events at one instant.
#[derive(Clone, Copy)]
pub struct Events<'a> {
    /// Where ids come from.
    pub ids: &'a Ids,
    /// When it happened.
    pub now: Time,
}

impl Events<'_> {
    /// An appeal was filed, against the decision of `appealed_case_id`.
    pub fn filed(self, appeal: &Appeal, appealed_case_id: &str) -> NewEvent {
        let filed = AppealFiled {
            appeal: Some(shown(appeal)),
            appealed_case_id: appealed_case_id.to_owned(),
        };
        self.event(appeal, "appeal_filed", Event::AppealFiled(filed))
    }

    /// An appeal was withdrawn.
    pub fn withdrawn(self, appeal: &Appeal) -> NewEvent {
        let withdrawn = AppealWithdrawn {
            appeal_id: appeal.appeal_id.clone(),
            decision_id: appeal.decision_id.clone(),
        };
        self.event(appeal, "appeal_withdrawn", Event::AppealWithdrawn(withdrawn))
    }

    /// An appeal is being heard.
    pub fn in_review(self, appeal: &Appeal) -> NewEvent {
        let in_review =
            AppealInReview { appeal_id: appeal.appeal_id.clone(), case_id: appeal.case_id.clone() };
        self.event(appeal, "appeal_in_review", Event::AppealInReview(in_review))
    }

    /// An appeal was decided.
    pub fn decided(self, appeal: &Appeal) -> NewEvent {
        let decided = AppealDecided { appeal: Some(shown(appeal)) };
        self.event(appeal, "appeal_decided", Event::AppealDecided(decided))
    }

    fn event(self, appeal: &Appeal, kind: &'static str, event: Event) -> NewEvent {
        let event_id = self.ids.new_id(ID_PREFIX, self.now);
        let message = AppealEvent {
            event_id: event_id.clone(),
            time: Some(self.now.into()),
            event: Some(event),
        };
        let key = if claims(appeal) { &appeal.appeal_id } else { &appeal.account_id };
        NewEvent::of(event_id, key.as_str(), kind, self.now, &message)
    }
}

/// Whether the appellant is a claimant.
fn claims(appeal: &Appeal) -> bool {
    !appeal.claim_id.is_empty()
}

/// An appeal as events show it.
fn shown(appeal: &Appeal) -> Appeal {
    let mut shown = appeal.clone();
    if claims(appeal) {
        shown.account_id.clear();
    }
    shown
}
