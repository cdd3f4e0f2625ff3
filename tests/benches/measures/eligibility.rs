//! CheckEligibility through the whole stack, against an empty RPC on a bare tonic server in the
//! same process.

use contracts::accounthealth::v1 as proto;
use contracts::accounthealth::v1::account_health_service_client::AccountHealthServiceClient;
use contracts::types::v1::Feature;
use recourse::cli::Service;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::load::{self, Place, Rate};

/// How many callers, over how many connections.
const CALLERS: usize = 64;
pub const CONNECTIONS: usize = 4;

/// Measures and prints.
pub async fn measure() {
    let place = Place::each().remove(0);
    println!("\nCheckEligibility, against an empty RPC of a bare tonic server, {CALLERS} callers");
    let suite = load::suite(&place, &Service::ALL).await;
    let ours = eligibility(&suite.url()).await;
    let health = health(&suite.url()).await;
    suite.stop().await.expect("a good end");
    let floor = empty().await;
    println!("  empty RPC, bare tonic         {floor}");
    println!("  health check, in our stack    {health}");
    println!("  CheckEligibility              {ours}");
    println!("  ratio to the empty RPC  {:.2}", ours.per_second / floor.per_second);
    println!("  ratio to our own stack  {:.2}", ours.per_second / health.per_second);
}

/// Connections to a server.
pub fn channels(url: &str) -> Vec<Channel> {
    let endpoint = Endpoint::from_shared(url.to_owned()).expect("an address").tcp_nodelay(true);
    (0..CONNECTIONS).map(|_| endpoint.connect_lazy()).collect()
}

async fn eligibility(url: &str) -> Rate {
    let channels = channels(url);
    load::run(CALLERS, |number| {
        let client = AccountHealthServiceClient::new(channels[number % CONNECTIONS].clone());
        let account_id = format!("creator_{number}");
        move || {
            let (mut client, account_id) = (client.clone(), account_id.clone());
            async move {
                let feature = Feature::Live as i32;
                let request = proto::CheckEligibilityRequest { account_id, feature };
                client.check_eligibility(request).await.expect("an answer");
            }
        }
    })
    .await
}

async fn health(url: &str) -> Rate {
    let channels = channels(url);
    load::run(CALLERS, |number| {
        let client = HealthClient::new(channels[number % CONNECTIONS].clone());
        move || {
            let mut client = client.clone();
            async move {
                client.check(HealthCheckRequest::default()).await.expect("an answer");
            }
        }
    })
    .await
}

/// An RPC that does nothing, on tonic as it comes.
async fn empty() -> Rate {
    let (url, serving) = empty_server().await;
    let rate = health(&url).await;
    serving.abort();
    rate
}

/// A server of such an RPC: where it is, and what keeps it running.
pub async fn empty_server() -> (String, JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (_, service) = tonic_health::server::health_reporter();
    let incoming = tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true));
    let server = tonic::transport::Server::builder().add_service(service);
    let serving = tokio::spawn(async move {
        server.serve_with_incoming(incoming).await.expect("a server");
    });
    (url, serving)
}
