//! Every unary RPC of every service is tried with requests that no good caller makes: each gets a
//! clear error, nothing is written. The list of RPCs comes from the descriptors, so that a new one
//! is tried too.

use std::collections::BTreeMap;

use crate::support::{Place, call_raw, channel, options, start};
use bytes::Bytes;
use contracts::DESCRIPTOR_SET;
use kit::auth::{AuthConfig, TokenSpec, mint};
use kit::config::Secret;
use kit::{Clock, Time};
use prost_reflect::{DescriptorPool, MethodDescriptor};
use recourse::cli::Service;
use recourse::suite::Options;
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};
use tonic_types::StatusExt;

const SECRET: &str = "a secret of this test, long enough for HS256";
/// One byte more than a request may have.
const TOO_LARGE_BYTES: usize = (1 << 20) + 1;

/// Every unary RPC of ours.
fn unary() -> Vec<MethodDescriptor> {
    let pool = DescriptorPool::decode(DESCRIPTOR_SET).expect("descriptors");
    let services: Vec<_> = pool.services().collect();
    let methods = services.iter().filter(|service| service.full_name().starts_with("recourse."));
    let methods: Vec<_> =
        methods.flat_map(|service| service.methods().collect::<Vec<_>>()).collect();
    let unary =
        methods.into_iter().filter(|m| !m.is_client_streaming() && !m.is_server_streaming());
    unary.collect()
}

fn path(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

fn bearer(scope: &str, expires: Time) -> MetadataMap {
    let spec = TokenSpec {
        subject: "somebody".to_owned(),
        scopes: vec![scope.to_owned()],
        expires,
        ..TokenSpec::default()
    };
    let token = mint(&Secret::new(SECRET), &spec).expect("a token");
    let mut metadata = MetadataMap::new();
    metadata.insert("authorization", format!("Bearer {token}").parse().expect("a header"));
    metadata
}

/// How many events each service has written.
async fn written(place: &Place) -> BTreeMap<&'static str, i64> {
    let mut written = BTreeMap::new();
    for service in Service::ALL {
        let config = kit::db::DbConfig::at(&place.name(), service.name());
        let db = kit::db::Db::open(&config).await.expect("the database");
        written.insert(service.name(), kit::events::head(&db).await.expect("the head").seq);
    }
    written
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests_are_refused_and_nothing_is_written() {
    for place in Place::each() {
        let suite = start(options(&place)).await;
        let before = written(&place).await;
        for method in unary() {
            let path = path(&method);
            let call =
                |body: Bytes| call_raw(channel(&suite.url()), &path, MetadataMap::new(), body);

            // Field 1 says that ten bytes follow, and three do.
            let truncated = call(Bytes::from_static(b"\x0a\x0aabc")).await;
            let status = truncated.expect_err(&format!("{path}: a truncated message"));
            assert_eq!(status.code(), Code::InvalidArgument, "{path}: {status}");
            assert_eq!(reason(&status), "INVALID_REQUEST", "{path}");

            let status = call(vec![0xff; 64].into()).await.expect_err("noise");
            assert_eq!(status.code(), Code::InvalidArgument, "{path}: {status}");

            let large = call(vec![0; TOO_LARGE_BYTES].into()).await;
            let status = large.expect_err(&format!("{path}: a large message"));
            assert_eq!(status.code(), Code::ResourceExhausted, "{path}: {status}");
            assert_eq!(reason(&status), "MESSAGE_TOO_LARGE", "{path}");

            // An empty message lacks whatever is required: all of it is named at once.
            let required = method.input().get_field_by_name("request_id").is_some();
            match call(Bytes::new()).await {
                Ok(_) => assert!(!required, "{path}: an empty message was taken"),
                Err(status) => {
                    let fields = status.get_details_bad_request().map(|bad| bad.field_violations);
                    let fields = fields.unwrap_or_default();
                    assert!(
                        !required || fields.iter().any(|field| field.field == "request_id"),
                        "{path}: {status}: {fields:?}"
                    );
                }
            }
        }
        assert_eq!(written(&place).await, before, "something was written");
        suite.stop().await.expect("a good end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_without_the_right_token_learn_nothing() {
    let place = Place::each().remove(0);
    let auth = AuthConfig::secret(SECRET);
    let suite = start(Options { auth, secret: Some(Secret::new(SECRET)), ..options(&place) }).await;
    let now = Clock::system().now();
    let soon = now.plus(std::time::Duration::from_secs(600));
    let before = written(&place).await;
    for method in unary() {
        let path = path(&method);
        let call = |metadata| call_raw(channel(&suite.url()), &path, metadata, Bytes::new());
        let mut garbled = MetadataMap::new();
        garbled.insert("authorization", "Bearer not.a.token".parse().expect("a header"));
        let cases = [
            ("no token", MetadataMap::new(), Code::Unauthenticated),
            ("not a token", garbled, Code::Unauthenticated),
            ("expired", bearer("everything", Time::from_micros(1)), Code::Unauthenticated),
            ("no such scope", bearer("everything", soon), Code::PermissionDenied),
        ];
        for (case, metadata, code) in cases {
            let status = call(metadata).await.expect_err(case);
            assert_eq!(status.code(), code, "{path}, {case}: {status}");
            assert!(!reason(&status).is_empty(), "{path}, {case}: no reason");
        }
    }
    assert_eq!(written(&place).await, before, "something was written");
    suite.stop().await.expect("a good end");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_rpcs_are_unimplemented() {
    let place = Place::each().remove(0);
    let suite = start(options(&place)).await;
    for path in ["/recourse.reports.v1.ReportsService/Nothing", "/nobody.Service/Nothing"] {
        let called = call_raw(channel(&suite.url()), path, MetadataMap::new(), Bytes::new()).await;
        let status = called.expect_err(path);
        assert_eq!(status.code(), Code::Unimplemented, "{path}: {status}");
    }
    suite.stop().await.expect("a good end");
}
