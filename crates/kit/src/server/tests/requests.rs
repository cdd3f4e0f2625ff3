//! What is read of a request, and what is refused of it.

use super::*;

#[tokio::test]
async fn what_is_no_grpc_is_told_so() {
    let stack = open(behaviour(async |_| panic!("never called")));
    let mut request = request("Echo", valid());
    request.headers_mut().insert("content-type", "application/json".parse().unwrap());
    assert_eq!(stack.call(request).await.status(), 415);
}

#[tokio::test]
async fn a_broken_rule_is_named_with_its_field() {
    let stack = open(behaviour(async |_| panic!("never called")));
    for method in ["Echo", "Watch"] {
        let status = stack.status(method, frame(&wire::bytes(1, "123456789")), &[]).await;
        assert_eq!(verdict(&status), denied("INVALID_REQUEST", Code::InvalidArgument));
        let violation = &status.get_details_bad_request().unwrap().field_violations[0];
        assert_eq!((&*violation.field, &*violation.reason), ("text", "string.max_len"));
    }
}

#[tokio::test]
async fn broken_frames_are_refused_each_with_its_code() {
    let stack = open(behaviour(async |_| panic!("never called")));
    let mut compressed = valid().to_vec();
    compressed[0] = 1;
    let mut flag = valid().to_vec();
    flag[0] = 2;
    let two = [valid(), valid()].concat();
    let huge = vec![0, 0xff, 0xff, 0xff, 0xff];
    let table = [
        (vec![], Code::InvalidArgument),
        (vec![0, 0, 0], Code::InvalidArgument),
        (valid()[..6].to_vec(), Code::InvalidArgument),
        (two, Code::InvalidArgument),
        (flag, Code::InvalidArgument),
        (compressed, Code::Unimplemented),
        (huge, Code::ResourceExhausted),
    ];
    for (body, code) in table {
        let status = stack.status("Echo", body.clone().into(), &[]).await;
        assert_eq!(verdict(&status).0, code, "{body:?}");
    }
}

#[tokio::test]
async fn a_request_has_exactly_so_many_bytes_at_most() {
    let limits = Limits { request_bytes_max: 1_024, ..Limits::default() };
    let stack = stack_with(Auth::Open, Clock::manual(NOW), limits, behaviour(async |_| ok()));
    // An unknown field fills the rest.
    let filled = |size: usize| {
        let text = wire::bytes(1, "hi");
        let filler = wire::bytes(9, vec![b'x'; size - text.len() - 3]);
        frame(&[text, filler].concat())
    };
    assert_eq!(filled(1_024).len(), 1_029);
    assert_eq!(stack.status("Echo", filled(1_024), &[]).await.code(), Code::Ok);
    let status = stack.status("Echo", filled(1_025), &[]).await;
    assert_eq!(verdict(&status), denied("MESSAGE_TOO_LARGE", Code::ResourceExhausted));
    assert_eq!(status.get_details_error_info().unwrap().metadata["limit_bytes"], "1024");
}

#[tokio::test]
async fn a_body_in_pieces_is_put_together() {
    let stack = open(behaviour(async |request: Request| {
        assert_eq!(request.into_body().collect().await.unwrap().to_bytes(), valid());
        ok()
    }));
    let pieces: Vec<_> = valid()
        .chunks(2)
        .map(|piece| Ok::<_, Status>(http_body::Frame::data(Bytes::copy_from_slice(piece))))
        .collect();
    let body = StreamBody::new(futures_util::stream::iter(pieces));
    let request = request("Echo", "").map(|_| Body::new(body));
    assert_eq!(ended(stack.call(request).await).await.code(), Code::Ok);
}

#[tokio::test]
async fn each_call_has_an_id_its_own_or_the_callers() {
    let stack = open(behaviour(async |_| ok()));
    let too_long = "x".repeat(65);
    for (given, kept) in [("abc-1", true), (too_long.as_str(), false), ("a b", false)] {
        let mut request = request("Echo", valid());
        request.headers_mut().insert("x-request-id", given.parse().unwrap());
        let response = stack.call(request).await;
        assert_eq!(response.headers()["x-request-id"] == given, kept, "{given}");
    }
}

#[tokio::test]
async fn items_of_a_request_stream_are_held_back_until_they_can_be_decoded() {
    let stack = open(behaviour(async |request: Request| {
        let mut body = request.into_body();
        let mut items = Vec::new();
        loop {
            match body.frame().await {
                Some(Ok(frame)) => items.push(frame.into_data().unwrap()),
                Some(Err(status)) => break status.into_http(),
                None => {
                    let text = format!("{} in {}", items.concat().len(), items.len());
                    break Status::cancelled(text).into_http();
                }
            }
        }
    }));
    let call = async |bytes: Vec<u8>, piece: usize| {
        let pieces: Vec<_> = bytes
            .chunks(piece)
            .map(|piece| Ok::<_, Status>(http_body::Frame::data(Bytes::copy_from_slice(piece))))
            .collect();
        let body = StreamBody::new(futures_util::stream::iter(pieces));
        ended(stack.call(request("Upload", "").map(|_| Body::new(body))).await).await
    };
    // Rules are the handler's business here: the text is too long.
    let long = frame(&wire::bytes(1, "123456789"));
    let two = [valid(), long.clone()].concat();
    for piece in [1, 3, 5, 9, 100] {
        let status = call(two.clone(), piece).await;
        assert!(status.message().starts_with(&format!("{} in ", two.len())), "{status:?}");
    }
    let huge = vec![0, 0xff, 0xff, 0xff, 0xff];
    let compressed = vec![1, 0, 0, 0, 0];
    let cut = valid()[..6].to_vec();
    let latin1 = frame(&wire::bytes(1, [0xe9])).to_vec();
    for (bad, code) in [
        (huge, Code::ResourceExhausted),
        (compressed, Code::Unimplemented),
        (cut, Code::InvalidArgument),
        (latin1, Code::InvalidArgument),
    ] {
        let status = call([valid().to_vec(), bad].concat(), 4).await;
        assert_eq!(verdict(&status).0, code);
    }
}
