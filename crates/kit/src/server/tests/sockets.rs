//! Over real sockets: serving, health, reflection, gRPC-web, calling a peer, stopping.

use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::oneshot;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::*;
use crate::auth::Credentials;
use crate::client::Peer;

/// A service that does what the test says.
#[derive(Clone)]
struct Sample(Behaviour);

impl NamedService for Sample {
    const NAME: &'static str = SERVICE;
}

impl Service<Request> for Sample {
    type Response = Response;
    type Error = Infallible;
    type Future = futures_util::future::BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let answer = (self.0)(request);
        Box::pin(async { Ok(answer.await) })
    }
}

/// A server that runs until it is told to stop.
struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<Result<(), ServeError>>,
}

async fn serve_with(
    auth: Auth,
    limits: Limits,
    ready: Arc<AtomicBool>,
    what: Behaviour,
) -> Running {
    let config = ServerConfig { limits, ..ServerConfig::loopback() };
    let server = Server::new(&CONTRACT, config, Arc::new(auth), Clock::system(), Ids::system());
    let bound =
        server.add_when(Sample(what), move || ready.load(Ordering::SeqCst)).bind().await.unwrap();
    let address = bound.address();
    let (stop, stopped) = oneshot::channel();
    let ended = tokio::spawn(bound.serve_until(async {
        let _told = stopped.await;
    }));
    Running { address, stop, ended }
}

async fn serve(what: Behaviour) -> Running {
    serve_with(Auth::Open, Limits::default(), Arc::new(AtomicBool::new(true)), what).await
}

impl Running {
    fn peer(&self) -> Peer {
        self.peer_as(Credentials::open("service:test"))
    }

    fn peer_as(&self, credentials: Credentials) -> Peer {
        Peer::new(&CONTRACT, format!("http://{}", self.address), credentials).unwrap()
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.ended.await.unwrap().unwrap();
    }
}

async fn call(peer: &Peer, method: &str) -> Result<Response, Status> {
    let mut request = request(method, valid());
    *request.uri_mut() = format!("http://peer/{SERVICE}/{method}").parse().unwrap();
    peer.clone().oneshot(request).await
}

#[tokio::test]
async fn a_peer_is_called_with_credentials_deadline_and_id() {
    let server = serve(behaviour(async |request: Request| {
        let caller = request.extensions().get::<Arc<Caller>>().unwrap();
        assert_eq!(caller.subject, "service:test");
        let micros = request.headers()["grpc-timeout"].to_str().unwrap().to_owned();
        assert!(micros.ends_with('u'), "{micros}");
        ok()
    }))
    .await;
    let response = call(&server.peer(), "Echo").await.unwrap();
    assert!(response.headers().contains_key("x-request-id"));
    assert_eq!(ended(response).await.code(), Code::Ok);
    server.stop().await;
}

#[tokio::test]
async fn a_call_within_a_call_waits_no_longer_than_its_caller_and_keeps_its_id() {
    let (seen, mut was_seen) = tokio::sync::mpsc::channel(1);
    let inner = serve(behaviour(move |request: Request| {
        let seen = seen.clone();
        async move {
            let headers = request.headers().clone();
            let header = |name: &str| headers[name].to_str().unwrap().to_owned();
            seen.send((header("x-request-id"), header("grpc-timeout"))).await.unwrap();
            ok()
        }
    }))
    .await;
    let peer = inner.peer();
    let outer = open(behaviour(move |_| {
        let peer = peer.clone();
        async move { call(&peer, "Echo").await.unwrap_or_else(Status::into_http) }
    }));
    let headers = [("x-request-id", "outer-1"), ("grpc-timeout", "2S")];
    assert_eq!(outer.status("Echo", valid(), &headers).await.code(), Code::Ok);
    let (id, timeout) = was_seen.recv().await.unwrap();
    assert_eq!(id, "outer-1");
    let micros: u64 = timeout.trim_end_matches('u').parse().unwrap();
    assert!((1_000_000..=2_000_000).contains(&micros), "{timeout}");
    inner.stop().await;
}

#[tokio::test]
async fn a_peer_that_is_slow_or_away_is_told_apart() {
    let server = serve(behaviour(async |_| std::future::pending().await)).await;
    let quick = server.peer().with_timeout(Duration::from_millis(50));
    let slow = match call(&quick, "Echo").await {
        Ok(response) => ended(response).await,
        Err(status) => status,
    };
    assert_eq!(slow.code(), Code::DeadlineExceeded);
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let away = Peer::new(&CONTRACT, format!("http://{free}"), Credentials::open("x")).unwrap();
    assert_eq!(call(&away, "Echo").await.unwrap_err().code(), Code::Unavailable);
    drop(server);
}

#[tokio::test]
async fn tokens_are_minted_for_peers_that_share_a_secret() {
    let clock = Clock::system();
    let auth = Auth::new(AuthConfig::secret(SECRET), &clock).unwrap();
    let ready = Arc::new(AtomicBool::new(true));
    let server = serve_with(auth, Limits::default(), ready, behaviour(async |_| ok())).await;
    let spec = |scopes: &[&str]| TokenSpec {
        subject: "service:test".to_owned(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        ..TokenSpec::default()
    };
    let secret = Secret::new(SECRET);
    let minted = |scopes| Credentials::minted(secret.clone(), spec(scopes), clock.clone());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let expires = clock.now().plus(Duration::from_secs(60));
    let written = TokenSpec { expires, ..spec(&["sample.echo"]) };
    std::fs::write(&path, mint(&secret, &written).unwrap() + "\n").unwrap();
    let table = [
        (minted(&["sample.echo"]), Code::Ok),
        (minted(&["other"]), Code::PermissionDenied),
        (Credentials::file(path, clock.clone()), Code::Ok),
        (Credentials::fixed(Secret::new("x")), Code::Unauthenticated),
    ];
    for (credentials, code) in table {
        let response = call(&server.peer_as(credentials), "Echo").await.unwrap();
        assert_eq!(ended(response).await.code(), code);
    }
    let missing = Credentials::file(folder.path().join("missing"), clock.clone());
    let status = call(&server.peer_as(missing), "Echo").await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    server.stop().await;
}

#[tokio::test]
async fn health_follows_readiness_and_the_end() {
    let ready = Arc::new(AtomicBool::new(false));
    let endless = behaviour(async |_| streamed(futures_util::stream::pending()));
    let server = serve_with(Auth::Open, Limits::default(), ready.clone(), endless).await;
    let mut health = HealthClient::new(server.peer());
    for name in [SERVICE, ""] {
        let request = HealthCheckRequest { service: name.to_owned() };
        ready.store(false, Ordering::SeqCst);
        let mut watch = health.watch(request.clone()).await.unwrap().into_inner();
        while watch.message().await.unwrap().unwrap().status != 2 {}
        ready.store(true, Ordering::SeqCst);
        while watch.message().await.unwrap().unwrap().status != 1 {}
    }
    let request = HealthCheckRequest { service: "no.such.Service".to_owned() };
    assert_eq!(health.check(request).await.unwrap_err().code(), Code::NotFound);
    let request = HealthCheckRequest { service: String::new() };
    let mut watch = health.watch(request).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status, 1);
    server.stop().await;
    // The stream says so before it ends with the server.
    let mut last = 1;
    let status = loop {
        match watch.message().await {
            Ok(Some(message)) => last = message.status,
            Ok(None) => panic!("it ends with a status"),
            Err(status) => break status,
        }
    };
    assert_eq!((last, status.code()), (2, Code::Unavailable));
}

#[tokio::test]
async fn stopping_finishes_calls_ends_streams_and_accepts_nothing_new() {
    let (entered, mut has_entered) = tokio::sync::mpsc::channel::<()>(1);
    let (release, released) = tokio::sync::watch::channel(false);
    let server = serve(behaviour(move |request: Request| {
        let (entered, mut released) = (entered.clone(), released.clone());
        async move {
            if request.uri().path().ends_with("Watch") {
                return streamed(futures_util::stream::pending());
            }
            entered.send(()).await.unwrap();
            released.wait_for(|open| *open).await.unwrap();
            ok()
        }
    }))
    .await;
    let peer = server.peer();
    let stream = call(&peer, "Watch").await.unwrap();
    let in_flight = tokio::spawn({
        let peer = peer.clone();
        async move { ended(call(&peer, "Echo").await.unwrap()).await.code() }
    });
    has_entered.recv().await.unwrap();
    server.stop.send(()).unwrap();
    assert_eq!(verdict(&ended(stream).await).1, "SHUTTING_DOWN");
    let address = server.address;
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    release.send_replace(true);
    assert_eq!(in_flight.await.unwrap(), Code::Ok);
    server.ended.await.unwrap().unwrap();
}

#[tokio::test]
async fn draining_has_an_end() {
    let limits = Limits { drain: Duration::from_millis(50), ..Limits::default() };
    let (entered, mut has_entered) = tokio::sync::mpsc::channel::<()>(1);
    let stuck = behaviour(move |_| {
        let entered = entered.clone();
        async move {
            entered.send(()).await.unwrap();
            std::future::pending().await
        }
    });
    let ready = Arc::new(AtomicBool::new(true));
    let server = serve_with(Auth::Open, limits, ready, stuck).await;
    let peer = server.peer();
    let in_flight = tokio::spawn(async move { call(&peer, "Echo").await });
    has_entered.recv().await.unwrap();
    server.stop().await;
    drop(in_flight);
}

#[tokio::test]
async fn open_mode_binds_loopback_only_and_unknown_services_are_refused() {
    let anywhere = ServerConfig::listen(SocketAddr::from(([0, 0, 0, 0], 0)));
    let server = |config, auth: Auth| {
        let auth = Arc::new(auth);
        Server::new(&CONTRACT, config, auth, Clock::system(), Ids::system())
    };
    let refused = server(anywhere.clone(), Auth::Open).bind().await;
    assert!(matches!(refused, Err(ServeError::OpenBeyondLoopback(_))));
    let auth = Auth::new(AuthConfig::secret(SECRET), &Clock::system()).unwrap();
    assert!(server(anywhere, auth).bind().await.is_ok());
    let (_reporter, foreign) = tonic_health::server::health_reporter();
    let refused = server(ServerConfig::loopback(), Auth::Open).add(foreign).bind().await;
    assert!(matches!(refused, Err(ServeError::NotInContract(_))));
}

/// One HTTP/1.1 exchange, as a browser would make it.
async fn http1(address: SocketAddr, head: &str, body: &[u8]) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let head = format!("{head}host: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).to_lowercase()
}

#[tokio::test]
async fn web_pages_of_this_host_may_call_and_others_may_not() {
    let server = serve(behaviour(async |_| ok())).await;
    let web = |origin: &str| {
        format!(
            "POST /{SERVICE}/Echo HTTP/1.1\r\norigin: {origin}\r\n\
             content-type: application/grpc-web+proto\r\n"
        )
    };
    let answer = http1(server.address, &web("http://localhost:5173"), &valid()).await;
    assert!(answer.starts_with("http/1.1 200"), "{answer}");
    assert!(answer.contains("access-control-allow-origin: http://localhost:5173"), "{answer}");
    let answer = http1(server.address, &web("https://evil.example"), &valid()).await;
    assert!(!answer.contains("access-control-allow-origin"), "{answer}");
    let invalid = http1(server.address, &web("http://localhost"), &frame(&[])).await;
    assert!(invalid.contains("grpc-status") && invalid.contains('3'), "{invalid}");
    let preflight = format!(
        "OPTIONS /{SERVICE}/Echo HTTP/1.1\r\norigin: http://127.0.0.1:1\r\n\
         access-control-request-method: POST\r\naccess-control-request-headers: x-grpc-web\r\n"
    );
    let answer = http1(server.address, &preflight, &[]).await;
    assert!(answer.contains("access-control-allow-headers"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn reflection_lists_our_services_and_health_only() {
    use tonic_reflection::pb::v1::ServerReflectionRequest;
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
    let server = serve(behaviour(async |_| ok())).await;
    let mut client = ServerReflectionClient::new(server.peer());
    let ask = |message| {
        let host = String::new();
        let request = ServerReflectionRequest { host, message_request: Some(message) };
        futures_util::stream::iter([request])
    };
    let list = ask(MessageRequest::ListServices(String::new()));
    let mut answers = client.server_reflection_info(list).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(list) = answer else { panic!("{answer:?}") };
    let mut names: Vec<String> = list.service.into_iter().map(|service| service.name).collect();
    names.sort();
    assert_eq!(names, ["grpc.health.v1.Health", SERVICE]);
    let symbol = ask(MessageRequest::FileContainingSymbol(SERVICE.to_owned()));
    let mut answers = client.server_reflection_info(symbol).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    assert!(matches!(answer, MessageResponse::FileDescriptorResponse(_)), "{answer:?}");
    server.stop().await;
}
