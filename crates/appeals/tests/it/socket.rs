//! A service on a real socket, and a peer that calls it.

use std::sync::Arc;

use kit::client::Peer;
use kit::server::{Server, ServerConfig};
use kit::{Auth, Clock, Credentials, Ids};

use crate::world::contract;

/// A server without services that asks nobody for credentials.
pub fn server() -> Server {
    let (clock, ids) = (Clock::system(), Ids::system());
    Server::new(&contract(), ServerConfig::loopback(), Arc::new(Auth::Open), clock, ids)
}

/// Serves until the test's runtime ends; gives a peer that calls as the caller named.
pub async fn serve(server: Server, caller: &str) -> Peer {
    let bound = server.bind().await.unwrap();
    let address = format!("http://{}", bound.address());
    tokio::spawn(bound.serve_until(std::future::pending()));
    Peer::new(&contract(), address, Credentials::open(caller)).unwrap()
}
