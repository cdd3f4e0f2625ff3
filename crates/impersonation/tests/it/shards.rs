//! The index in two halves, each in a process of its own: either answers for both.

use std::sync::Arc;

use contracts::impersonation::v1::GetIndexStatusRequest;
use contracts::impersonation::v1::r#match::State;
use impersonation::check::Other;
use impersonation::memory::Shard;
use kit::client::Peer;
use kit::server::{Server, ServerConfig};
use kit::{Auth, Clock, Credentials, Ids};

use crate::world::{
    PATIENCE, Service, Shape, check, contract, copy_of, enrol, matches, observe, reason, somebody,
};

/// An address for each of two processes, before they are started.
fn addresses() -> [std::net::SocketAddr; 2] {
    let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (one, two) = (free(), free());
    [one.local_addr().unwrap(), two.local_addr().unwrap()]
}

fn shape(number: u32, other: std::net::SocketAddr) -> Shape {
    let credentials = Credentials::open("service:impersonation");
    let peer = Peer::new(&contract(), format!("http://{other}"), credentials).unwrap();
    Shape {
        shard: Some(Shard { number, count: 2 }),
        others: vec![Other { shard: 1 - number, peer }],
        ..Shape::default()
    }
}

/// Serves a process until the test ends; gives what ends it.
async fn serve(service: &Service, address: std::net::SocketAddr) -> tokio::task::JoinHandle<()> {
    let config = ServerConfig { listen: address, ..ServerConfig::loopback() };
    let auth = Arc::new(Auth::Open);
    let bound = Server::new(&contract(), config, auth, Clock::system(), Ids::system())
        .add_when(service.running.server(), service.running.readiness())
        .bind()
        .await
        .unwrap();
    tokio::spawn(async move {
        bound.serve_until(std::future::pending()).await.unwrap();
    })
}

#[tokio::test]
async fn either_half_answers_for_both() {
    for db in testkit::db::each(&impersonation::MIGRATIONS).await {
        let [here, there] = addresses();
        let second = db.another().await;
        let one = Service::on(&db, shape(0, there)).await;
        let two = Service::on(&second, shape(1, here)).await;
        let _one = serve(&one, here).await;
        let other = serve(&two, there).await;
        let mut staff = one.staff();
        for number in 0..20 {
            enrol(&mut staff, somebody(number)).await;
        }
        one.current(&db).await;
        two.current(&db).await;
        let mut held = 0;
        for service in [&one, &two] {
            let mut staff = service.staff();
            let status =
                staff.get_index_status(GetIndexStatusRequest {}).await.unwrap().into_inner();
            assert_eq!((status.identity_count, status.shard_count), (10, 2));
            held += status.identity_count;
            for number in 0..20 {
                let found = check(&mut staff, copy_of(&somebody(number), "x")).await.likenesses;
                assert_eq!(found.len(), 1, "{number}");
            }
        }
        assert_eq!(held, 20);
        let copies = (0..20).map(|number| copy_of(&somebody(number), &format!("x{number}")));
        observe(&mut staff, copies.collect()).await;
        let begun = kit::clock::Stopwatch::start();
        for number in 0..20 {
            loop {
                let found = matches(&mut staff, &format!("x{number}")).await;
                if found.len() == 1 && found[0].state() == State::Open {
                    break;
                }
                assert!(begun.elapsed() < PATIENCE, "{found:?}");
                kit::clock::sleep(std::time::Duration::from_millis(10)).await;
            }
        }
        // Half an answer is none.
        other.abort();
        let _ = other.await;
        let profile = copy_of(&somebody(0), "x");
        let request = contracts::impersonation::v1::CheckProfileRequest {
            profile: Some(profile),
            ..Default::default()
        };
        let begun = kit::clock::Stopwatch::start();
        let status = loop {
            match staff.check_profile(request.clone()).await {
                Err(status) => break status,
                // What was under way on the open connection is still answered.
                Ok(_) => assert!(begun.elapsed() < PATIENCE),
            }
        };
        assert_eq!(reason(&status), "SHARD_UNAVAILABLE");
    }
}
