//! What operations watch: whether the detector has drifted lately. It must not judge.

use std::time::Duration;

use contracts::insights::v1::drift::Kind;
use kit::db::Db;
use kit::{Clock, Error, clock};
use opentelemetry::metrics::Gauge;
use opentelemetry::{KeyValue, global};

use crate::drift::Span;
use crate::rpc;

/// How often it is worked out: all of 56 days is counted for it, and minutes change little of them.
const EVERY: Duration = Duration::from_mins(10);

/// Measures until it is dropped. Without a collector it does nothing.
#[derive(Clone, Debug)]
pub struct Gauges {
    /// The database.
    pub db: Db,
    /// Where "now" comes from.
    pub clock: Clock,
}

/// What can drift, and how it is called outside.
const KINDS: [(Kind, &str); 4] = [
    (Kind::Calibration, "calibration"),
    (Kind::Confirmed, "confirmed"),
    (Kind::Signal, "signal"),
    (Kind::Probabilities, "probabilities"),
];

impl Gauges {
    /// Measures until it is dropped.
    pub async fn run(self) {
        if !kit::telemetry::is_exporting() {
            return;
        }
        let meter = global::meter("recourse.insights");
        let gauge = meter.i64_gauge("recourse.insights.detector_drifts").with_unit("{drift}");
        let gauge = gauge.build();
        loop {
            match self.drifts().await {
                Ok(drifts) => record(&gauge, &drifts),
                Err(error) => tracing::warn!(%error, "drift was not measured, will try again"),
            }
            clock::sleep(EVERY).await;
        }
    }

    /// What has drifted lately, by kind, none left out.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn drifts(&self) -> Result<[(&'static str, i64); 4], Error> {
        let found = rpc::detector_drift(&self.db, &Span::latest(self.clock.now())).await?;
        Ok(KINDS.map(|(kind, name)| {
            let count = found.drifts.iter().filter(|drift| drift.kind() == kind).count();
            (name, i64::try_from(count).unwrap_or(i64::MAX))
        }))
    }
}

fn record(gauge: &Gauge<i64>, drifts: &[(&'static str, i64)]) {
    for (name, count) in drifts {
        gauge.record(*count, &[KeyValue::new("kind", *name)]);
    }
}
