//! How calls end: faults, deadlines, overload, shutdown.

use prost::Message as _;

use super::*;

#[tokio::test]
async fn our_own_faults_show_nothing_but_the_request_id() {
    let faults = [
        behaviour(async |_| panic!("hunter2")),
        behaviour(async |_| Status::internal("hunter2").into_http()),
        behaviour(async |_| Status::unknown("hunter2").into_http()),
        behaviour(async |_| Status::from(Error::internal("hunter2")).into_http()),
        behaviour(async |_| {
            streamed(futures_util::stream::iter([Err(Status::internal("hunter2"))]))
        }),
        behaviour(async |_| streamed(futures_util::stream::poll_fn(|_| panic!("hunter2")))),
    ];
    for (index, fault) in faults.into_iter().enumerate() {
        let stack = open(fault);
        let method = if index < 4 { "Echo" } else { "Watch" };
        let status = stack.status(method, valid(), &[("x-request-id", "mine-1")]).await;
        assert_eq!(verdict(&status), denied("INTERNAL", Code::Internal));
        assert_eq!(status.message(), INTERNAL_MESSAGE);
        assert!(!String::from_utf8_lossy(status.details()).contains("hunter2"));
        let info = status.get_details_error_info().unwrap();
        assert_eq!(info.metadata["request_id"], "mine-1");
    }
}

#[tokio::test]
async fn a_handlers_own_error_keeps_its_details() {
    let stack = open(behaviour(async |_| {
        let error = Error::not_found("THING_NOT_FOUND").resource("thing", "t1");
        Status::from(error).into_http()
    }));
    let status = stack.status("Echo", valid(), &[]).await;
    assert_eq!(verdict(&status), denied("THING_NOT_FOUND", Code::NotFound));
    assert_eq!(status.get_details_resource_info().unwrap().resource_name, "t1");
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_at_the_nearer_of_both_deadlines() {
    let stack = open(behaviour(async |_| {
        clock::sleep(Duration::from_secs(3_600)).await;
        ok()
    }));
    for (asked, seconds) in [("50m", 0), ("5S", 5), ("1H", 30), ("", 30)] {
        let headers = [("grpc-timeout", asked)];
        let watch = tokio_now();
        let status = stack.status("Echo", valid(), &headers).await;
        assert_eq!(verdict(&status), denied("DEADLINE_EXCEEDED", Code::DeadlineExceeded));
        let took = watch.elapsed();
        assert!(took <= Duration::from_secs(seconds.max(1)) && took.as_secs() + 1 >= seconds);
    }
}

#[expect(clippy::disallowed_methods, reason = "measures the runtime's paused time")]
fn tokio_now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

#[tokio::test(start_paused = true)]
async fn a_stream_has_no_longest_time() {
    let stack = open(behaviour(async |_| {
        clock::sleep(Duration::from_secs(3_600)).await;
        streamed(futures_util::stream::iter([]))
    }));
    assert_eq!(stack.status("Watch", valid(), &[]).await.code(), Code::Ok);
}

#[tokio::test]
async fn too_much_at_once_is_refused_and_a_stream_does_not_count() {
    let limits = Limits { in_flight_max: 1, ..Limits::default() };
    let calls = Arc::new(AtomicUsize::new(0));
    let (entered, mut has_entered) = tokio::sync::mpsc::channel::<()>(8);
    let (release, released) = tokio::sync::watch::channel(false);
    let counted = calls.clone();
    let slow = behaviour(move |request: Request| {
        let (entered, mut released) = (entered.clone(), released.clone());
        counted.fetch_add(1, Ordering::SeqCst);
        async move {
            if request.uri().path().ends_with("Watch") {
                return streamed(futures_util::stream::pending());
            }
            entered.send(()).await.unwrap();
            released.wait_for(|open| *open).await.unwrap();
            ok()
        }
    });
    let stack = stack_with(Auth::Open, Clock::manual(NOW), limits, slow);
    let _open_stream = stack.call(request("Watch", valid())).await;
    let first = tokio::spawn((stack.handle)(request("Echo", valid())));
    has_entered.recv().await.unwrap();
    let refused = stack.status("Echo", valid(), &[]).await;
    assert_eq!(verdict(&refused), denied("OVERLOADED", Code::Unavailable));
    assert!(refused.get_details_retry_info().unwrap().retry_delay.is_some());
    release.send_replace(true);
    assert_eq!(ended(first.await.unwrap()).await.code(), Code::Ok);
    assert_eq!(stack.status("Echo", valid(), &[]).await.code(), Code::Ok);
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn streams_end_with_the_server_after_what_is_ready() {
    fn message() -> Result<http_body::Frame<Bytes>, Status> {
        Ok(http_body::Frame::data(valid()))
    }
    let table = [
        behaviour(async |_| {
            streamed(futures_util::stream::iter([message()]).chain(futures_util::stream::pending()))
        }),
        behaviour(async |_| streamed(futures_util::stream::repeat_with(message))),
    ];
    for endless in table {
        let stack = open(endless);
        let response = stack.call(request("Watch", valid())).await;
        let mut body = response.into_body();
        assert!(body.frame().await.unwrap().unwrap().is_data());
        stack.stop.begin();
        let status = ended(Response::new(body)).await;
        assert_eq!(verdict(&status), denied("SHUTTING_DOWN", Code::Unavailable));
        assert!(status.get_details_retry_info().is_some());
    }
}

#[tokio::test]
async fn a_mounted_service_is_called_through_tower_as_well() {
    let mut services = mounted(behaviour(async |_| ok()));
    let service = services.remove(SERVICE).unwrap();
    let response = service.oneshot(request("Echo", valid())).await.unwrap();
    assert_eq!(ended(response).await.code(), Code::Ok);
}

#[tokio::test]
async fn a_bare_status_keeps_its_text_and_gets_a_reason() {
    let stack = open(behaviour(async |_| Status::cancelled("100 % für dich").into_http()));
    let status = stack.status("Echo", valid(), &[]).await;
    assert_eq!(verdict(&status), denied("CANCELLED", Code::Cancelled));
    let details = tonic_types::pb::Status::decode(status.details()).unwrap();
    assert_eq!((status.message(), &*details.message), ("100 % für dich", "100 % für dich"));
}
