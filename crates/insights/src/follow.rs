//! What impersonation tells, and what of it is counted.
//!
//! It must not keep whom anything is about.

use contracts::impersonation::v1::impersonation_event::Event;
use contracts::impersonation::v1::impersonation_service_client::ImpersonationServiceClient;
use contracts::impersonation::v1::{ImpersonationEvent, WatchImpersonationEventsRequest};
use kit::client::Peer;
use kit::db::Tx;
use kit::follow::{self, EventStream, Follow, Message};
use kit::{Error, Time};
use tonic::Status;

use crate::store::{self, Finding, Label};

/// The name of the stream.
pub const IMPERSONATION: &str = "impersonation";

/// Follows impersonation.
pub struct ImpersonationFollower {
    client: ImpersonationServiceClient<Peer>,
}

impl ImpersonationFollower {
    /// Follows the service behind this client.
    pub fn new(client: ImpersonationServiceClient<Peer>) -> ImpersonationFollower {
        ImpersonationFollower { client }
    }
}

/// What an event adds to the books.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// Something was found.
    Found(Finding),
    /// Something was decided, or corrected.
    Labelled(Label),
}

/// What an event adds to the books; `None` for what is not counted.
pub fn entry(event: &ImpersonationEvent) -> Option<Entry> {
    match event.event.as_ref()? {
        Event::MatchFound(found) => {
            let likeness = found.r#match.as_ref()?.likeness.as_ref()?;
            Some(Entry::Found(Finding {
                event_id: event.event_id.clone(),
                find_time: happened(event)?.micros(),
                probability: likeness.probability,
                model_version: likeness.model_version.clone(),
            }))
        }
        Event::MatchLabelled(labelled) => Some(Entry::Labelled(Label {
            label_id: labelled.label_id.clone(),
            decide_time: labelled.decide_time.as_ref().and_then(Time::from_timestamp)?,
            probability: labelled.probability,
            imitation: labelled.imitation,
            corrected: labelled.corrected,
            signals: labelled.signals.join(","),
            model_version: labelled.model_version.clone(),
        })),
        _ => None,
    }
}

fn happened(event: &ImpersonationEvent) -> Option<Time> {
    event.time.as_ref().and_then(Time::from_timestamp)
}

/// Counts a batch of events.
///
/// # Errors
/// If a statement fails.
pub async fn apply(tx: &mut Tx, events: &[ImpersonationEvent]) -> Result<(), Error> {
    let (mut findings, mut labels) = (Vec::new(), Vec::new());
    for entry in events.iter().filter_map(entry) {
        match entry {
            Entry::Found(finding) => findings.push(finding),
            Entry::Labelled(label) => labels.push(label),
        }
    }
    store::add_findings(tx, &findings).await?;
    // In their order: of one label the last holds.
    for label in &labels {
        store::put_label(tx, label).await?;
    }
    if let Some(time) = events.iter().rev().find_map(happened) {
        store::count_until(tx, IMPERSONATION, time).await?;
    }
    Ok(())
}

impl Follow for ImpersonationFollower {
    type Event = ImpersonationEvent;

    fn name(&self) -> &'static str {
        IMPERSONATION
    }

    async fn open(&self, resume_token: String) -> Result<EventStream<ImpersonationEvent>, Status> {
        let request = WatchImpersonationEventsRequest { resume_token, include_profiles: false };
        let stream = self.client.clone().watch_impersonation_events(request).await?.into_inner();
        Ok(follow::stream(stream, |message| Message {
            token: message.resume_token,
            event: message.event,
        }))
    }

    async fn apply(&self, tx: &mut Tx, events: &[ImpersonationEvent]) -> Result<(), Error> {
        apply(tx, events).await
    }

    fn describe(&self, event: &ImpersonationEvent) -> String {
        event.event_id.clone()
    }

    fn time(&self, event: &ImpersonationEvent) -> Option<Time> {
        happened(event)
    }
}
