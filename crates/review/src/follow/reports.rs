//! Reports' events: a filed report opens a case or is added to the open one; a withdrawn one is
//! taken away again. Its own events about cases, come back by way of reports, are passed over.

use std::collections::BTreeSet;

use contracts::reports::v1::report_event::Event;
use contracts::reports::v1::reports_service_client::ReportsServiceClient;
use contracts::reports::v1::{ReportEvent, WatchReportEventsRequest};
use futures_util::StreamExt as _;
use kit::client::Peer;
use kit::db::Tx;
use kit::follow::{EventStream, Follow, Message};
use kit::{Clock, Error, Ids, Time};
use pack::PackSource;
use tonic::Status;

use crate::intake::{Filed, Intake};
use crate::{event, store};

/// Follows the reports service.
pub struct ReportsFollower {
    /// The reports service.
    pub client: ReportsServiceClient<Peer>,
    /// The packs that reports were taken under.
    pub packs: PackSource,
    /// Says what time it is.
    pub clock: Clock,
    /// Makes ids.
    pub ids: Ids,
}

/// What an event means here.
#[derive(Debug)]
pub enum Change {
    /// A report was filed; read under its version of the pack.
    Filed(Box<Filed>),
    /// A report was withdrawn: its id.
    Withdrawn(String),
    /// Nothing.
    Nothing,
}

/// An event, as far as review is concerned.
#[derive(Debug)]
pub struct ReportChange {
    event_id: String,
    time: Option<Time>,
    change: Change,
}

impl ReportChange {
    /// Reads an event. Asks the policy service for the report's version of the pack if need be,
    /// so that the transaction in which the event takes effect waits for nobody.
    ///
    /// # Errors
    /// If the pack is not at hand.
    pub async fn read(packs: &PackSource, event: ReportEvent) -> Result<ReportChange, Error> {
        let time = event.time.as_ref().and_then(Time::from_timestamp);
        let change = match event.event {
            Some(Event::ReportFiled(filed)) => match filed.report {
                Some(report) => {
                    let pack = packs.version(report.pack_version).await?;
                    Change::Filed(Box::new(Filed::of(&report, &pack)))
                }
                None => Change::Nothing,
            },
            Some(Event::ReportWithdrawn(withdrawn)) => Change::Withdrawn(withdrawn.report_id),
            Some(Event::ReportInReview(_) | Event::ReportResolved(_)) | None => Change::Nothing,
        };
        Ok(ReportChange { event_id: event.event_id, time, change })
    }
}

impl Follow for ReportsFollower {
    type Event = ReportChange;

    fn name(&self) -> &'static str {
        "reports"
    }

    async fn open(&self, resume_token: String) -> Result<EventStream<ReportChange>, Status> {
        let request = WatchReportEventsRequest { resume_token };
        let stream = self.client.clone().watch_report_events(request).await?.into_inner();
        let packs = self.packs.clone();
        let read = move |message: Result<_, Status>| {
            let packs = packs.clone();
            async move {
                let Message { token, event } = message?;
                let event = match event {
                    Some(event) => Some(ReportChange::read(&packs, event).await?),
                    None => None,
                };
                Ok(Message { token, event })
            }
        };
        let messages = kit::follow::stream(stream, |message| Message {
            token: message.resume_token,
            event: message.event,
        });
        Ok(messages.then(read).boxed())
    }

    async fn apply(&self, tx: &mut Tx, events: &[ReportChange]) -> Result<(), Error> {
        let now = self.clock.now();
        let pack = self.packs.current()?;
        let mut keys = BTreeSet::new();
        let mut withdrawn = BTreeSet::new();
        for event in events {
            match &event.change {
                Change::Filed(filed) => drop(keys.insert(filed.key())),
                Change::Withdrawn(report_id) => drop(withdrawn.insert(report_id.as_str())),
                Change::Nothing => {}
            }
        }
        if keys.is_empty() && withdrawn.is_empty() {
            return Ok(());
        }
        let reports = store::intake::reports(tx, &withdrawn).await?;
        let mut cases = store::intake::lock_open(tx, &keys).await?;
        let locked: BTreeSet<String> = cases.iter().map(|case| case.case_id.clone()).collect();
        let others = reports.iter().map(|report| report.case_id.as_str());
        let others = others.filter(|case_id| !locked.contains(*case_id)).collect();
        cases.extend(store::intake::lock_cases(tx, &others).await?);

        let mut intake = Intake::new(&pack, now, cases, reports);
        for event in events {
            match &event.change {
                Change::Filed(filed) => {
                    if !filed.is_classified() {
                        tracing::warn!(
                            report.id = filed.report_id,
                            reason = filed.reason,
                            area = filed.area,
                            "a report gives a reason that its pack does not know"
                        );
                    }
                    intake.file(Filed::clone(filed), || self.ids.new_id("case", now));
                }
                Change::Withdrawn(report_id) => {
                    if !intake.withdraw(report_id) {
                        tracing::warn!(report.id = report_id, "an unknown report was withdrawn");
                    }
                }
                Change::Nothing => {}
            }
        }
        let outcome = intake.finish();
        store::case::write(tx, &outcome.slots).await?;
        store::intake::insert_reports(tx, &outcome.reports).await?;
        store::intake::mark_withdrawn(tx, &outcome.withdrawn).await?;
        for (case_id, happened) in outcome.events {
            event::append(tx, &self.ids, now, &case_id, happened);
        }
        Ok(())
    }

    fn describe(&self, event: &ReportChange) -> String {
        event.event_id.clone()
    }

    fn time(&self, event: &ReportChange) -> Option<Time> {
        event.time
    }
}
