//! Who gets in: credentials, scopes, delegation, unknown RPCs.

use super::*;

#[tokio::test]
async fn a_good_call_reaches_the_handler_with_its_caller() {
    let stack = tokens(behaviour(async |request: Request| {
        let caller = request.extensions().get::<Arc<Caller>>().unwrap().clone();
        assert_eq!((caller.subject.as_str(), caller.actor.as_deref()), ("ann", None));
        let body = request.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, valid());
        ok()
    }));
    let bearer = format!("Bearer {}", token("ann", &["sample.echo"], later()));
    let status = stack.status("Echo", valid(), &[("authorization", &bearer)]).await;
    assert_eq!(status.code(), Code::Ok);
}

#[tokio::test]
async fn credentials_that_do_not_hold_are_unauthenticated() {
    let stack = tokens(behaviour(async |_| panic!("never called")));
    let good = token("ann", &["sample.echo"], later());
    let expired = token("ann", &["sample.echo"], NOW.minus(Duration::from_secs(31)));
    let other = TokenSpec { subject: "ann".into(), expires: later(), ..TokenSpec::default() };
    let other = mint(&Secret::new("another secret, of thirty-two bytes"), &other).unwrap();
    let (head, signature) = good.rsplit_once('.').unwrap();
    let none = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4iLCJleHAiOjk5OTk5OTk5OTl9.";
    let table = [
        String::new(),
        "Basic YTpi".to_owned(),
        "Bearer".to_owned(),
        "Bearer x".to_owned(),
        format!("Bearer {expired}"),
        format!("Bearer {other}"),
        format!("Bearer {head}x.{signature}"),
        format!("Bearer {none}"),
        format!("Bearer {}", token("", &["sample.echo"], later())),
        format!("Bearer {}", token("a b", &["sample.echo"], later())),
    ];
    for header in &table {
        let headers = [("authorization", header.as_str())];
        let headers = if header.is_empty() { &[][..] } else { &headers[..] };
        let status = stack.status("Echo", valid(), headers).await;
        let expected = denied("UNAUTHENTICATED", Code::Unauthenticated);
        assert_eq!(verdict(&status), expected, "{header}");
    }
}

#[tokio::test]
async fn a_remembered_token_still_expires() {
    let stack = tokens(behaviour(async |_| ok()));
    let bearer = format!("Bearer {}", token("ann", &["sample.echo"], later()));
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(stack.status("Echo", valid(), &headers).await.code(), Code::Ok);
    stack.clock.advance(Duration::from_secs(89));
    assert_eq!(stack.status("Echo", valid(), &headers).await.code(), Code::Ok);
    stack.clock.advance(Duration::from_secs(1));
    assert_eq!(stack.status("Echo", valid(), &headers).await.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_missing_scope_is_denied_before_the_request_is_read() {
    let stack = tokens(behaviour(async |_| panic!("never called")));
    let bearer = format!("Bearer {}", token("ann", &["sample.echo_all"], later()));
    let headers = [("authorization", bearer.as_str())];
    let status = stack.status("Echo", Bytes::from_static(b"rubbish"), &headers).await;
    assert_eq!(verdict(&status), denied("PERMISSION_DENIED", Code::PermissionDenied));
    assert_eq!(status.get_details_error_info().unwrap().metadata["scope"], "sample.echo");
}

#[tokio::test]
async fn a_gateway_acts_for_a_person_only_with_the_right_to() {
    let seen = behaviour(async |request: Request| {
        let caller = request.extensions().get::<Arc<Caller>>().unwrap();
        assert_eq!((caller.subject.as_str(), caller.actor.as_deref()), ("ann", Some("gateway")));
        assert!(!caller.has("recourse.delegate"));
        ok()
    });
    let stack = tokens(seen);
    let bearer = |scopes: &[&str]| format!("Bearer {}", token("gateway", scopes, later()));
    let gateway = bearer(&["sample.echo", "recourse.delegate"]);
    let person = token("ann", &[], later());
    let narrow = token("ann", &["other"], later());
    let stale = token("ann", &[], NOW.minus(Duration::from_secs(31)));
    let table = [
        (&gateway, &person, Code::Ok),
        (&bearer(&["sample.echo"]), &person, Code::PermissionDenied),
        (&gateway, &narrow, Code::PermissionDenied),
        (&gateway, &stale, Code::Unauthenticated),
        (&gateway, &"x".to_owned(), Code::Unauthenticated),
    ];
    for (bearer, person, code) in table {
        let headers = [("authorization", bearer.as_str()), ("recourse-on-behalf-of", person)];
        assert_eq!(stack.status("Echo", valid(), &headers).await.code(), code);
    }
    let alone = [("recourse-on-behalf-of", person.as_str())];
    assert_eq!(stack.status("Echo", valid(), &alone).await.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn an_rpc_without_a_scope_is_denied_to_everyone() {
    let stack = open(behaviour(async |_| panic!("never called")));
    let status = stack.status("Unscoped", valid(), &[]).await;
    assert_eq!(verdict(&status), denied("PERMISSION_DENIED", Code::PermissionDenied));
}

#[tokio::test]
async fn a_public_rpc_needs_no_credentials_but_none_that_are_wrong() {
    let stack = tokens(behaviour(async |request: Request| {
        assert!(request.extensions().get::<Arc<Caller>>().unwrap().subject.is_empty());
        ok()
    }));
    assert_eq!(stack.status("Open", valid(), &[]).await.code(), Code::Ok);
    let wrong = stack.status("Open", valid(), &[("authorization", "Bearer x")]).await;
    assert_eq!(wrong.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn an_unknown_rpc_is_unimplemented_whoever_asks() {
    let stack = tokens(behaviour(async |_| panic!("never called")));
    let status = stack.status("Missing", valid(), &[]).await;
    assert_eq!(status.code(), Code::Unimplemented);
    let info = status.get_details_error_info().unwrap();
    assert_eq!((&*info.reason, &*info.domain), ("UNKNOWN_METHOD", "recourse"));
}
