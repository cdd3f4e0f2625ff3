//! Logs, traces and metrics: set up once in `main`, flushed at the end.
//!
//! Logs go to standard error. Traces and metrics leave the process only when an OTLP endpoint
//! is configured; without one they cost next to nothing. Knows no span or metric of a service.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::HeaderMap;
use opentelemetry::metrics::{Counter, Histogram};
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{KeyValue, global};
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tonic::Code;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::config::Reader;

/// How long the last spans and measurements may take to leave at the end.
pub const FLUSH_MAX: Duration = Duration::from_secs(2);

/// The share of traces that are kept, unless configured or the caller has decided.
pub const SAMPLE_RATIO_DEFAULT: f64 = 0.01;

/// Whether anybody receives traces and metrics.
static EXPORTING: AtomicBool = AtomicBool::new(false);

/// What is recorded and where it goes.
#[derive(Clone, Debug)]
pub struct TelemetryConfig {
    /// The name under which it is exported.
    pub service_name: String,
    /// Log lines as JSON, for machines, instead of text for people.
    pub json: bool,
    /// Which log lines: `info`, or `info,kit::access=warn`.
    pub filter: String,
    /// The OTLP/gRPC endpoint of a collector, such as `http://localhost:4317`.
    pub otlp_endpoint: Option<String>,
    /// The share of traces kept, from 0 to 1.
    pub sample_ratio: f64,
}

impl TelemetryConfig {
    /// Text logs at level info, nothing exported.
    pub fn plain(service_name: impl Into<String>) -> TelemetryConfig {
        TelemetryConfig {
            service_name: service_name.into(),
            json: false,
            filter: "info".to_owned(),
            otlp_endpoint: None,
            sample_ratio: SAMPLE_RATIO_DEFAULT,
        }
    }

    /// Reads `<section>.log_format` (text or json), `.log_filter`, `.otlp_endpoint` and
    /// `.sample_ratio`.
    pub fn read(
        reader: &mut Reader,
        section: &str,
        service_name: impl Into<String>,
    ) -> TelemetryConfig {
        let format = reader.checked(
            &format!("{section}.log_format"),
            "text".to_owned(),
            "text or json",
            |format| matches!(format.as_str(), "text" | "json"),
        );
        let filter = reader.checked(
            &format!("{section}.log_filter"),
            "info".to_owned(),
            "a filter such as info or info,kit::access=warn",
            |filter| EnvFilter::try_new(filter).is_ok(),
        );
        TelemetryConfig {
            service_name: service_name.into(),
            json: format == "json",
            filter,
            otlp_endpoint: reader.optional(&format!("{section}.otlp_endpoint")),
            sample_ratio: reader.checked(
                &format!("{section}.sample_ratio"),
                SAMPLE_RATIO_DEFAULT,
                "a number from 0 to 1",
                |ratio| (0.0..=1.0).contains(ratio),
            ),
        }
    }
}

/// Why telemetry cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// It was set up before.
    #[error("logging is set up already: {0}")]
    AlreadySetUp(#[from] tracing_subscriber::util::TryInitError),
    /// The filter is not one.
    #[error("the log filter: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// The exporter refuses its configuration.
    #[error("the OTLP exporter: {0}")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
}

/// Keeps telemetry going; ended by [`Telemetry::shutdown`].
#[must_use = "shut it down at the end, or the last spans are lost"]
#[derive(Debug)]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
    metrics: Option<SdkMeterProvider>,
}

/// Whether anybody receives traces and metrics: what is only for them need not be measured else.
pub fn is_exporting() -> bool {
    EXPORTING.load(Ordering::Relaxed)
}

/// Sets up logs, and traces and metrics if an endpoint is configured. Call it once, inside the
/// runtime, before a server is made.
///
/// # Errors
/// If it was called before, or if the exporter refuses the endpoint.
pub fn init(config: &TelemetryConfig) -> Result<Telemetry, TelemetryError> {
    let filter = EnvFilter::try_new(&config.filter)?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    // Which lines are logged says nothing of which spans are recorded.
    let lines = if config.json {
        lines.json().flatten_event(true).with_filter(filter).boxed()
    } else {
        lines.with_filter(filter).boxed()
    };
    let Some(endpoint) = &config.otlp_endpoint else {
        tracing_subscriber::registry().with(lines).try_init()?;
        return Ok(Telemetry { traces: None, metrics: None });
    };
    let resource = Resource::builder().with_service_name(config.service_name.clone()).build();
    let spans =
        opentelemetry_otlp::SpanExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.sample_ratio)));
    let traces = SdkTracerProvider::builder()
        .with_batch_exporter(spans)
        .with_sampler(sampler)
        .with_resource(resource.clone())
        .build();
    let measurements = opentelemetry_otlp::MetricExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .build()?;
    let metrics = SdkMeterProvider::builder()
        .with_periodic_exporter(measurements)
        .with_resource(resource)
        .build();
    let spans = tracing_opentelemetry::layer().with_tracer(traces.tracer("recourse"));
    let spans = spans.with_filter(LevelFilter::INFO);
    tracing_subscriber::registry().with(lines).with(spans).try_init()?;
    global::set_text_map_propagator(TraceContextPropagator::new());
    global::set_tracer_provider(traces.clone());
    global::set_meter_provider(metrics.clone());
    EXPORTING.store(true, Ordering::Relaxed);
    Ok(Telemetry { traces: Some(traces), metrics: Some(metrics) })
}

impl Telemetry {
    /// Sends what is left, for [`FLUSH_MAX`] at most.
    pub async fn shutdown(self) {
        let flush = tokio::task::spawn_blocking(move || {
            // Nobody is left to be told; the exporters log their own failures.
            let _spans = self.traces.map(|traces| traces.shutdown_with_timeout(FLUSH_MAX));
            let _numbers = self.metrics.map(|metrics| metrics.shutdown_with_timeout(FLUSH_MAX));
        });
        let _late = tokio::time::timeout(FLUSH_MAX, flush).await;
    }
}

/// Counts calls and measures how long they take, by method and code. Cheap to clone. Made
/// after [`init`], or it measures nothing.
#[derive(Clone)]
pub(crate) struct RpcMetrics {
    calls: Counter<u64>,
    seconds: Histogram<f64>,
}

impl RpcMetrics {
    pub fn new() -> RpcMetrics {
        let meter = global::meter("recourse");
        let calls = meter.u64_counter("rpc.server.calls").with_unit("{call}");
        let seconds = meter.f64_histogram("rpc.server.call.duration").with_unit("s");
        RpcMetrics { calls: calls.build(), seconds: seconds.build() }
    }

    pub fn record(&self, method: &str, code: Code, duration: Duration) {
        if !is_exporting() {
            return;
        }
        let attributes = [
            KeyValue::new("rpc.method", method.to_owned()),
            KeyValue::new("rpc.response.status_code", crate::server::code_name(code)),
        ];
        self.calls.add(1, &attributes);
        self.seconds.record(duration.as_secs_f64(), &attributes);
    }
}

/// Makes the span a child of the trace that the headers carry.
pub(crate) fn continue_trace(span: &Span, headers: &HeaderMap) {
    if is_exporting() {
        let parent =
            global::get_text_map_propagator(|propagator| propagator.extract(&FromHeaders(headers)));
        // It fails for a span that nobody records, which then has no parent to lose.
        let _disabled = span.set_parent(parent);
    }
}

/// Writes the current trace into the headers of an outgoing call.
pub(crate) fn pass_trace_on(headers: &mut HeaderMap) {
    if is_exporting() {
        let context = Span::current().context();
        global::get_text_map_propagator(|propagator| {
            propagator.inject_context(&context, &mut IntoHeaders(headers));
        });
    }
}

struct FromHeaders<'h>(&'h HeaderMap);

impl Extractor for FromHeaders<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

struct IntoHeaders<'h>(&'h mut HeaderMap);

impl Injector for IntoHeaders<'_> {
    fn set(&mut self, key: &str, value: String) {
        let name = http::HeaderName::try_from(key);
        if let (Ok(name), Ok(value)) = (name, http::HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}
