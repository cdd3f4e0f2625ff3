//! What the suite measures reaches a collector: calls, spans, and what the detector has in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use contracts::impersonation::v1::impersonation_service_client::ImpersonationServiceClient;
use contracts::impersonation::v1::{EnrolIdentityRequest, IdentityKind, IdentitySpec};
use kit::clock::{Stopwatch, sleep};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Endpoint, Server};
use tonic::{Request, Response, Status};

use crate::process::Suite;

/// How long until what was measured must have come.
const PATIENCE: Duration = Duration::from_secs(20);
/// The trace that the caller is in, as the W3C's header says it.
const TRACE: [u8; 16] = [7; 16];
const TRACEPARENT: &str = "00-07070707070707070707070707070707-0102030405060708-01";

/// What has come.
#[derive(Clone, Debug, Default)]
struct Come {
    /// The name of each span, and the trace that it is part of.
    spans: BTreeSet<(String, Vec<u8>)>,
    /// Metrics by name, a gauge with its last value.
    metrics: BTreeMap<String, Option<f64>>,
}

/// A collector that keeps what comes.
#[derive(Clone)]
struct Collector(watch::Sender<Come>);

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let scopes =
            request.into_inner().resource_metrics.into_iter().flat_map(|r| r.scope_metrics);
        self.0.send_modify(|come| {
            for metric in scopes.flat_map(|scope| scope.metrics) {
                let gauge = match &metric.data {
                    Some(Data::Gauge(gauge)) => gauge.data_points.last(),
                    _ => None,
                };
                let value = gauge.and_then(|point| point.value).map(|value| match value {
                    Value::AsDouble(value) => value,
                    Value::AsInt(value) => value as f64,
                });
                come.metrics.insert(metric.name, value);
            }
        });
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let scopes = request.into_inner().resource_spans.into_iter().flat_map(|r| r.scope_spans);
        self.0.send_modify(|come| {
            come.spans.extend(
                scopes.flat_map(|scope| scope.spans).map(|span| (span.name, span.trace_id)),
            );
        });
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_measured_reaches_a_collector() {
    let (come, mut changed) = watch::channel(Come::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let collector = Collector(come);
    tokio::spawn(
        Server::builder()
            .add_service(MetricsServiceServer::new(collector.clone()))
            .add_service(TraceServiceServer::new(collector))
            .serve_with_incoming(TcpIncoming::from(listener)),
    );
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("data").to_string_lossy().into_owned();
    let suite = tokio::task::spawn_blocking(move || {
        let env = [
            ("RECOURSE_TELEMETRY_OTLP_ENDPOINT", endpoint),
            ("RECOURSE_TELEMETRY_SAMPLE_RATIO", "1".to_owned()),
            // Milliseconds: the exporters' own variables, which the specification names.
            ("OTEL_METRIC_EXPORT_INTERVAL", "100".to_owned()),
            ("OTEL_BSP_SCHEDULE_DELAY", "100".to_owned()),
        ];
        Suite::try_start("127.0.0.1:0", &place, &env).expect("the suite prints its address")
    });
    let suite = suite.await.unwrap();
    let channel = Endpoint::from_shared(suite.address.clone()).unwrap().connect().await.unwrap();
    let spec = IdentitySpec {
        kind: IdentityKind::Person.into(),
        handle: "janedoemusic".to_owned(),
        ..IdentitySpec::default()
    };
    let request_id = "0190a0a0-0000-7000-8000-000000000001".to_owned();
    let mut request = Request::new(EnrolIdentityRequest { request_id, spec: Some(spec) });
    request.metadata_mut().insert("traceparent", TRACEPARENT.parse().unwrap());
    ImpersonationServiceClient::new(channel).enrol_identity(request).await.unwrap();

    let call = "recourse.impersonation.v1.ImpersonationService/EnrolIdentity";
    let span = (call.to_owned(), TRACE.to_vec());
    let gauges = [
        ("recourse.impersonation.identities", 1.0),
        ("recourse.impersonation.ready", 1.0),
        ("recourse.impersonation.profiles", 0.0),
        ("recourse.impersonation.decided", 0.0),
        ("recourse.impersonation.expected", 0.0),
        ("recourse.impersonation.brier_score", 0.0),
        ("recourse.insights.detector_drifts", 0.0),
    ];
    let others = ["rpc.server.calls", "rpc.server.call.duration", "recourse.db.transactions"];
    let begun = Stopwatch::start();
    loop {
        let come = changed.borrow_and_update().clone();
        let are_right =
            gauges.iter().all(|(name, value)| come.metrics.get(*name) == Some(&Some(*value)));
        let are_there = others.iter().all(|name| come.metrics.contains_key(*name));
        if are_right && are_there && come.spans.contains(&span) {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "only {come:#?}");
        tokio::select! {
            changed = changed.changed() => changed.unwrap(),
            () = sleep(PATIENCE) => {}
        }
    }
}
