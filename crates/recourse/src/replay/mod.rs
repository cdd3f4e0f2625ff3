//! `recourse replay`: drives recorded decisions through a running suite, by its public RPCs alone.
//!
//! The data is any CSV file; a small TOML file maps its columns (see [`mapping`]). Everything is
//! checked before the first call. A replay that was killed is run again with the same command and
//! ends in the same state (see [`drive`]).

mod drive;
pub mod mapping;
pub mod row;
mod summary;

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use kit::clock::Stopwatch;
use serde::Serialize;

use crate::caller::Suite;
use drive::{Driver, Failure};
pub use mapping::Mapping;
pub use summary::Summary;

/// What a replay did and found.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The data set's name.
    pub name: String,
    /// How many rows went the whole way.
    pub rows: usize,
    /// For how long, in seconds.
    pub seconds: f64,
    /// Rows per second through the whole loop.
    pub rows_per_second: f64,
    /// The services' own answers at the end.
    #[serde(flatten)]
    pub summary: Summary,
}

/// For people, on a terminal.
impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let listed = |counts: &std::collections::BTreeMap<String, u64>| {
            let parts: Vec<String> =
                counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
            parts.join(", ")
        };
        let summary = &self.summary;
        let active: u64 = summary.active_violations.values().sum();
        writeln!(f, "{} rows of {} in {:.1} s", self.rows, self.name, self.seconds)?;
        writeln!(f, "  {:.0} rows/s through the whole loop", self.rows_per_second)?;
        writeln!(f, "  cases: {}", listed(&summary.cases))?;
        writeln!(f, "  decisions overturned: {}", summary.overturned_decisions)?;
        writeln!(f, "  appeals: {}", listed(&summary.appeals))?;
        write!(
            f,
            "  violations that count: {active}, on {} accounts",
            summary.active_violations.len()
        )
    }
}

/// Reads and checks the mapping and the data. Errors list every mistake, one a line.
pub fn prepare(mapping: &Path, data: &Path) -> Result<(Mapping, Vec<row::Row>), String> {
    let read =
        |path: &Path| std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
    let listed = |path: &Path, mistakes: Vec<String>| {
        let count = mistakes.len();
        let mut lines: Vec<String> = mistakes
            .into_iter()
            .take(row::MISTAKES_SHOWN_MAX)
            .map(|mistake| format!("{}: {mistake}", path.display()))
            .collect();
        if count > lines.len() {
            lines.push(format!("and {} more mistakes", count - lines.len()));
        }
        lines.join("\n")
    };
    let parsed = Mapping::parse(&read(mapping)?).map_err(|mistakes| listed(mapping, mistakes))?;
    let rows = row::read(&read(data)?, &parsed)
        .map_err(|mistakes| listed(data, mistakes.iter().map(ToString::to_string).collect()))?;
    Ok((parsed, rows))
}

/// Drives the rows, at most `in_flight` at once, and asks the services what came of them.
pub async fn run(
    suite: &Suite,
    mapping: Mapping,
    rows: &[row::Row],
    in_flight: usize,
) -> Result<Outcome, String> {
    let bar = progress(rows.len());
    let name = mapping.name.clone();
    let driver = Arc::new(Driver::new(suite, mapping));
    let started = Stopwatch::start();
    let mut driven = stream::iter(rows)
        .map(|row| {
            let driver = Arc::clone(&driver);
            async move { driver.drive(row).await.map_err(|failure| (row, failure)) }
        })
        .buffer_unordered(in_flight);
    while let Some(result) = driven.next().await {
        if let Err((row, Failure { step, status })) = result {
            bar.abandon();
            return Err(format!("row {:?} failed at {step}: {status}", row.key));
        }
        bar.inc(1);
    }
    let seconds = started.elapsed().as_secs_f64();
    bar.finish();
    let summary = summary::ask(suite, rows)
        .await
        .map_err(|status| format!("the services could not be asked for the summary: {status}"))?;
    let rows = rows.len();
    Ok(Outcome { name, rows, seconds, rows_per_second: rows as f64 / seconds, summary })
}

/// A bar on a terminal, nothing elsewhere.
fn progress(rows: usize) -> ProgressBar {
    let bar = ProgressBar::new(rows as u64);
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = "{elapsed_precise} {wide_bar} {pos}/{len} rows, {per_sec}, {eta} to go";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar
}
