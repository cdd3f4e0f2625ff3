//! What review does to cases, and what it means for matches and claims.
//!
//! A decision becomes the outcome of every match and claim of its case, a label that weights can
//! be fitted on, and the end of the proofs; an appeal corrects them. It must not judge: what was
//! found is passed on as review found it.

use contracts::impersonation::v1::claim::Outcome;
use contracts::impersonation::v1::r#match::State;
use contracts::review::v1::decision::Outcome as Verdict;
use contracts::review::v1::review_event::Event;
use contracts::review::v1::review_service_client::ReviewServiceClient;
use contracts::review::v1::{Decision, ReviewEvent, WatchReviewEventsRequest};
use kit::client::Peer;
use kit::db::Tx;
use kit::follow::{self, EventStream, Follow, Message};
use kit::{Clock, Error, Ids, Time};
use tonic::Status;

use crate::claim::{self, Change};
use crate::events::Events;
use crate::store::{claims, labels, matches};

/// The type prefix of a label's id.
const LABEL_PREFIX: &str = "lbl";

/// What an event of review means here.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A match became part of a case.
    MatchTaken(String, String),
    /// A claim became part of a case.
    ClaimTaken(String, String),
    /// A case was decided.
    Decided {
        /// The case.
        case_id: String,
        /// What was found.
        ruling: Ruling,
    },
    /// An appeal changed what was found in a case.
    Corrected {
        /// The case of the decision appealed against, or the one in which the dispute began.
        case_id: String,
        /// What holds now.
        ruling: Ruling,
    },
    /// A case was closed without a decision.
    Closed(String),
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Ruling {
    /// The decision.
    pub decision_id: String,
    /// The decision that it corrects; empty for none.
    pub corrects: String,
    /// Whether it is an imitation.
    pub imitation: bool,
    /// Whether what brought the case was manifestly unfounded.
    pub unfounded: bool,
    /// The pack under which it was decided.
    pub pack_version: i64,
    /// When.
    pub time: Option<Time>,
}

impl Ruling {
    fn of(decision: &Decision, imitation: bool) -> Ruling {
        Ruling {
            decision_id: decision.decision_id.clone(),
            corrects: decision.appealed_decision_id.clone(),
            imitation,
            unfounded: decision.manifestly_unfounded,
            pack_version: decision.pack_version,
            time: decision.decide_time.as_ref().and_then(Time::from_timestamp),
        }
    }

    fn outcome(&self) -> Outcome {
        match (self.imitation, self.unfounded) {
            (true, _) => Outcome::Imitation,
            (false, true) => Outcome::ManifestlyUnfounded,
            (false, false) => Outcome::NoImitation,
        }
    }

    fn state(&self) -> State {
        if self.imitation { State::Confirmed } else { State::Dismissed }
    }
}

/// What an event means here; `None` for what is nothing to matches and claims.
pub fn step(event: &ReviewEvent) -> Option<Step> {
    match event.event.as_ref()? {
        Event::CaseOpened(opened) => {
            let case_id = opened.case.as_ref()?.case_id.clone();
            taken(&opened.match_id, &opened.claim_id, case_id)
        }
        Event::ImpersonationAdded(added) => {
            taken(&added.match_id, &added.claim_id, added.case_id.clone())
        }
        Event::CaseDecided(decided) => {
            let ruling = Ruling::of(decided.decision.as_ref()?, decided.imitation_found);
            Some(Step::Decided { case_id: decided.case_id.clone(), ruling })
        }
        Event::AppealCaseDecided(heard) => {
            let decision = heard.decision.as_ref()?;
            let fell =
                matches!(decision.outcome(), Verdict::Overturned | Verdict::PartiallyOverturned);
            let ruling = Ruling::of(decision, heard.imitation_found);
            fell.then(|| Step::Corrected { case_id: heard.appealed_case_id.clone(), ruling })
        }
        Event::CaseWithdrawn(withdrawn) => Some(Step::Closed(withdrawn.case_id.clone())),
        Event::ReportAdded(_) | Event::CaseEscalated(_) => None,
    }
}

fn taken(match_id: &str, claim_id: &str, case_id: String) -> Option<Step> {
    match (match_id, claim_id) {
        ("", "") => None,
        ("", claim_id) => Some(Step::ClaimTaken(claim_id.to_owned(), case_id)),
        (match_id, _) => Some(Step::MatchTaken(match_id.to_owned(), case_id)),
    }
}

/// Follows review.
pub struct ReviewFollower {
    /// The review service.
    pub review: ReviewServiceClient<Peer>,
    /// Where "now" comes from.
    pub clock: Clock,
    /// Where ids come from.
    pub ids: Ids,
}

impl Follow for ReviewFollower {
    type Event = ReviewEvent;

    fn name(&self) -> &'static str {
        "review"
    }

    async fn open(&self, resume_token: String) -> Result<EventStream<ReviewEvent>, Status> {
        let request = WatchReviewEventsRequest { resume_token };
        let stream = self.review.clone().watch_review_events(request).await?.into_inner();
        Ok(follow::stream(stream, |message| Message {
            token: message.resume_token,
            event: message.event,
        }))
    }

    async fn apply(&self, tx: &mut Tx, events: &[ReviewEvent]) -> Result<(), Error> {
        let apply = Apply { ids: &self.ids, now: self.clock.now() };
        for step in events.iter().filter_map(step) {
            apply.step(tx, &step).await?;
        }
        Ok(())
    }

    fn describe(&self, event: &ReviewEvent) -> String {
        event.event_id.clone()
    }

    fn time(&self, event: &ReviewEvent) -> Option<Time> {
        event.time.as_ref().and_then(Time::from_timestamp)
    }
}

/// Lets steps take effect.
#[derive(Clone, Copy, Debug)]
pub struct Apply<'a> {
    /// Where ids come from.
    pub ids: &'a Ids,
    /// The instant.
    pub now: Time,
}

impl Apply<'_> {
    /// Lets one step take effect.
    ///
    /// # Errors
    /// If a statement fails.
    pub async fn step(self, tx: &mut Tx, step: &Step) -> Result<(), Error> {
        match step {
            Step::MatchTaken(match_id, case_id) => self.take_match(tx, match_id, case_id).await,
            Step::ClaimTaken(claim_id, case_id) => {
                let Some(stored) = claims::lock(tx, claim_id).await? else {
                    tracing::warn!(claim.id = claim_id, "review tells of an unknown claim");
                    return Ok(());
                };
                self.claim(tx, &stored.shown, &Change::TakenUp(case_id.clone())).await
            }
            Step::Decided { case_id, ruling } => {
                self.matches(tx, case_id, ruling, false).await?;
                self.claims(tx, case_id, ruling, false).await
            }
            Step::Corrected { case_id, ruling } => {
                self.matches(tx, case_id, ruling, true).await?;
                self.claims(tx, case_id, ruling, true).await
            }
            Step::Closed(case_id) => {
                for mut stored in matches::lock_of_case(tx, case_id).await? {
                    if stored.state() == State::CaseOpened {
                        stored.shown.set_state(State::Open);
                        stored.shown.case_id.clear();
                        stored.shown.update_time = Some(self.now.into());
                        matches::update(tx, &stored).await?;
                    }
                }
                Ok(())
            }
        }
    }

    async fn take_match(self, tx: &mut Tx, match_id: &str, case_id: &str) -> Result<(), Error> {
        let Some(mut stored) = matches::lock(tx, match_id).await? else {
            tracing::warn!(match.id = match_id, "review tells of an unknown match");
            return Ok(());
        };
        // One that fell away meanwhile is taken out of its case by the event that says so.
        if stored.state() == State::Open {
            stored.shown.set_state(State::CaseOpened);
            case_id.clone_into(&mut stored.shown.case_id);
            stored.shown.update_time = Some(self.now.into());
            matches::update(tx, &stored).await?;
        }
        Ok(())
    }

    async fn matches(
        self,
        tx: &mut Tx,
        case_id: &str,
        ruling: &Ruling,
        corrected: bool,
    ) -> Result<(), Error> {
        let decided = |state| matches!(state, State::Confirmed | State::Dismissed);
        let time = ruling.time.unwrap_or(self.now);
        let events = Events { ids: self.ids, now: self.now };
        if corrected {
            let by = &ruling.decision_id;
            for label in labels::correct(tx, &ruling.corrects, by, ruling.imitation).await? {
                tx.append(events.match_labelled(label));
            }
        }
        for mut stored in matches::lock_of_case(tx, case_id).await? {
            // A decision that fell already is not what holds: nothing follows from its fall.
            let held = stored.shown.decision_id == ruling.corrects;
            let concerned = match corrected {
                false => stored.state() == State::CaseOpened,
                true => held && decided(stored.state()) && stored.state() != ruling.state(),
            };
            if !concerned {
                continue;
            }
            if !corrected {
                let label = labels::New {
                    label_id: &self.ids.new_id(LABEL_PREFIX, self.now),
                    found: &stored.shown,
                    decision_id: &ruling.decision_id,
                    imitation: ruling.imitation,
                    pack_version: ruling.pack_version,
                    decide_time: time,
                };
                if let Some(label) = labels::insert(tx, label).await? {
                    tx.append(events.match_labelled(label));
                }
            }
            stored.shown.set_state(ruling.state());
            stored.shown.decision_id.clone_from(&ruling.decision_id);
            stored.shown.update_time = Some(self.now.into());
            matches::update(tx, &stored).await?;
            tx.append(events.match_resolved(&stored.shown, corrected));
        }
        Ok(())
    }

    async fn claims(
        self,
        tx: &mut Tx,
        case_id: &str,
        ruling: &Ruling,
        corrected: bool,
    ) -> Result<(), Error> {
        let (decision_id, outcome) = (ruling.decision_id.clone(), ruling.outcome());
        let change = match corrected {
            false => Change::Decided { decision_id, outcome },
            true => Change::Corrected { decision_id, outcome },
        };
        for stored in claims::lock_of_case(tx, case_id).await? {
            let route = stored.shown.appeal_route.as_ref();
            if corrected && route.is_none_or(|route| route.decision_id != ruling.corrects) {
                continue;
            }
            self.claim(tx, &stored.shown, &change).await?;
        }
        Ok(())
    }

    async fn claim(
        self,
        tx: &mut Tx,
        stored: &contracts::impersonation::v1::Claim,
        change: &Change,
    ) -> Result<(), Error> {
        let Ok(Some(changed)) = claim::after(stored, change, self.now) else { return Ok(()) };
        claims::update(tx, &changed, self.now).await?;
        if let Change::Decided { decision_id, .. } | Change::Corrected { decision_id, .. } = change
        {
            let events = Events { ids: self.ids, now: self.now };
            tx.append(events.claim_decided(&changed, decision_id));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use contracts::review::v1 as review;

    use super::*;

    fn event(event: Event) -> ReviewEvent {
        ReviewEvent { event: Some(event), ..ReviewEvent::default() }
    }

    #[test]
    fn each_event_means_what_the_table_says() {
        let case = || Some(review::Case { case_id: "case_1".to_owned(), ..Default::default() });
        let opened = |match_id: &str, claim_id: &str| {
            event(Event::CaseOpened(review::CaseOpened {
                case: case(),
                match_id: match_id.to_owned(),
                claim_id: claim_id.to_owned(),
                ..Default::default()
            }))
        };
        let decision = |outcome: Verdict| {
            Some(Decision {
                decision_id: "dec_2".to_owned(),
                outcome: outcome.into(),
                appealed_decision_id: "dec_1".to_owned(),
                ..Decision::default()
            })
        };
        let heard = |outcome| {
            event(Event::AppealCaseDecided(review::AppealCaseDecided {
                appealed_case_id: "case_1".to_owned(),
                decision: decision(outcome),
                ..Default::default()
            }))
        };
        let pair = |id: &str| (id.to_owned(), "case_1".to_owned());
        let (found, claimed) = (pair("mat_1"), pair("clm_1"));
        let ruling = Ruling::of(&decision(Verdict::Overturned).unwrap(), false);
        let corrected = Step::Corrected { case_id: "case_1".to_owned(), ruling };
        for (told, means) in [
            (opened("mat_1", ""), Some(Step::MatchTaken(found.0, found.1))),
            (opened("", "clm_1"), Some(Step::ClaimTaken(claimed.0, claimed.1))),
            (opened("", ""), None),
            (heard(Verdict::Upheld), None),
            (heard(Verdict::Overturned), Some(corrected)),
            (event(Event::ReportAdded(Default::default())), None),
            (ReviewEvent::default(), None),
        ] {
            assert_eq!(step(&told), means, "{told:?}");
        }
    }

    #[test]
    fn a_ruling_is_an_outcome() {
        let ruling = |imitation, unfounded| Ruling {
            unfounded,
            ..Ruling::of(&Decision::default(), imitation)
        };
        assert_eq!(ruling(true, false).outcome(), Outcome::Imitation);
        assert_eq!(ruling(false, false).outcome(), Outcome::NoImitation);
        assert_eq!(ruling(false, true).outcome(), Outcome::ManifestlyUnfounded);
        assert_eq!(ruling(false, true).state(), State::Dismissed);
    }
}
