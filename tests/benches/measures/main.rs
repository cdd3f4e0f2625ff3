//! `cargo bench`: what the suite exists for, measured against a floor in the same run, as ratios.
//! Nothing here passes or fails by a time. Name a part to run only that: `cargo bench --
//! file_report`.
//!
//! PostgreSQL is measured too where RECOURSE_TEST_POSTGRES is set.

mod check_profile;
mod claim;
mod eligibility;
mod file_report;
mod load;

use kit::clock::Stopwatch;

fn main() {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let started = Stopwatch::start();
    runtime.block_on(async {
        if wants("file_report") {
            file_report::measure().await;
        }
        if wants("eligibility") {
            eligibility::measure().await;
        }
        if wants("check_profile") {
            check_profile::measure().await;
        }
        if wants("claim") {
            claim::measure().await;
        }
    });
    println!("\nmeasured in {:.0} s", started.elapsed().as_secs_f64());
}
