//! What operations watch of the detector: what this process has in memory, and how the
//! probabilities it gave compare with what reviewers decided. It must not decide anything.

use std::time::Duration;

use kit::db::Db;
use kit::{Clock, Error, clock};
use opentelemetry::metrics::{Gauge, Meter};
use opentelemetry::{KeyValue, global};

use crate::memory::Memory;
use crate::store::labels;

/// How far back drift is looked at unless a caller says otherwise.
pub const DRIFT: Duration = Duration::from_secs(28 * 86_400);
/// How often it is worked out: as often as measurements leave the process.
const EVERY: Duration = Duration::from_mins(1);

/// Measures until it is dropped. Without a collector it does nothing.
#[derive(Clone, Debug)]
pub struct Gauges {
    /// The database.
    pub db: Db,
    /// Where "now" comes from.
    pub clock: Clock,
    /// What this process has in memory.
    pub memory: Memory,
}

/// How the probabilities of decided matches compare with the decisions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Drift {
    /// Matches that were found to be imitations.
    pub confirmed: i64,
    /// Matches that were found to be none.
    pub dismissed: i64,
    /// As many were to be expected to be imitations: the probabilities given, summed.
    pub expected: f64,
    /// The mean squared difference of probability and decision; 0 where nothing was decided.
    pub brier_score: f64,
}

impl Gauges {
    /// Measures until it is dropped.
    pub async fn run(self) {
        if !kit::telemetry::is_exporting() {
            return;
        }
        let meter = global::meter("recourse.impersonation");
        watch_memory(&meter, &self.memory);
        let instruments = Instruments::new(&meter);
        loop {
            match self.drift().await {
                Ok(drift) => instruments.record(drift),
                Err(error) => tracing::warn!(%error, "drift was not measured, will try again"),
            }
            clock::sleep(EVERY).await;
        }
    }

    /// The drift of the last [`DRIFT`].
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn drift(&self) -> Result<Drift, Error> {
        let now = self.clock.now();
        let (buckets, brier_score) = labels::drift(&self.db, now.minus(DRIFT), now).await?;
        let mut drift = Drift { brier_score, ..Drift::default() };
        for bucket in &buckets {
            drift.confirmed += bucket.confirmed_count;
            drift.dismissed += bucket.dismissed_count;
            let decided = bucket.confirmed_count + bucket.dismissed_count;
            drift.expected += bucket.mean_probability * labels::float(decided);
        }
        Ok(drift)
    }
}

/// Has the memory looked at whenever measurements leave the process.
fn watch_memory(meter: &Meter, memory: &Memory) {
    let watch = |name: &'static str, unit: &'static str, value: fn(&Memory) -> usize| {
        let memory = memory.clone();
        let gauge = meter.u64_observable_gauge(name).with_unit(unit);
        gauge.with_callback(move |to| to.observe(value(&memory) as u64, &[])).build();
    };
    watch("recourse.impersonation.identities", "{identity}", |memory| memory.state().index.len());
    watch("recourse.impersonation.profiles", "{profile}", |memory| memory.crowd().size().0);
    watch("recourse.impersonation.memory", "By", |memory| {
        memory.state().index.memory() + memory.crowd().size().1
    });
    watch("recourse.impersonation.ready", "1", |memory| usize::from(memory.is_ready()));
}

struct Instruments {
    decided: Gauge<i64>,
    expected: Gauge<f64>,
    brier_score: Gauge<f64>,
}

impl Instruments {
    fn new(meter: &Meter) -> Instruments {
        let decided = meter.i64_gauge("recourse.impersonation.decided").with_unit("{match}");
        let expected = meter.f64_gauge("recourse.impersonation.expected").with_unit("{match}");
        let brier_score = meter.f64_gauge("recourse.impersonation.brier_score").with_unit("1");
        Instruments {
            decided: decided.build(),
            expected: expected.build(),
            brier_score: brier_score.build(),
        }
    }

    fn record(&self, drift: Drift) {
        self.decided.record(drift.confirmed, &[KeyValue::new("outcome", "confirmed")]);
        self.decided.record(drift.dismissed, &[KeyValue::new("outcome", "dismissed")]);
        self.expected.record(drift.expected, &[]);
        self.brier_score.record(drift.brier_score, &[]);
    }
}
