//! Telemetry is set up once per process, hence a process of its own.

use std::time::Duration;

use kit::clock::Stopwatch;
use kit::telemetry::{FLUSH_MAX, TelemetryConfig, init};

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_holds_nobody_up() {
    let config = TelemetryConfig {
        otlp_endpoint: Some("http://127.0.0.1:1".to_owned()),
        sample_ratio: 1.0,
        json: true,
        ..TelemetryConfig::plain("test")
    };
    let telemetry = init(&config).unwrap();
    assert!(init(&config).is_err(), "only once");
    let watch = Stopwatch::start();
    for number in 0..10_000 {
        tracing::debug_span!("work", number).in_scope(|| ());
        tracing::info_span!("work", number).in_scope(|| ());
    }
    assert!(watch.elapsed() < Duration::from_secs(5), "spans are dropped, not waited for");
    let watch = Stopwatch::start();
    telemetry.shutdown().await;
    assert!(watch.elapsed() < FLUSH_MAX + Duration::from_secs(1));
}
