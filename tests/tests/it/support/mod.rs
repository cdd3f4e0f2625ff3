//! A whole suite for a test, on every database there is, and raw calls that no generated client
//! would make.

pub mod story;

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use kit::{Clock, Ids};
use recourse::suite::{self, Options, Running};
use tempfile::TempDir;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

/// How long anything in a test may take to come.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Where a suite's data is, gone with the value.
pub enum Place {
    /// A folder for the embedded database.
    Folder(TempDir),
    /// A database on PostgreSQL.
    Postgres(testkit::database::FreshDatabase),
}

impl Place {
    /// One of each kind that there is.
    pub fn each() -> Vec<Place> {
        let folder = Place::Folder(tempfile::tempdir().expect("a folder"));
        let database = testkit::database::fresh().map(Place::Postgres);
        [Some(folder), database].into_iter().flatten().collect()
    }

    /// As the suite is told it.
    pub fn name(&self) -> String {
        match self {
            Place::Folder(folder) => folder.path().to_string_lossy().into_owned(),
            Place::Postgres(database) => database.url().to_owned(),
        }
    }
}

/// What a test suite starts from: open, on a free port, with the default pack in force.
pub fn options(place: &Place) -> Options {
    Options { clock: Clock::system(), ids: Ids::system(), ..Options::open(&place.name()) }
}

/// Starts a suite and waits until it serves.
pub async fn start(options: Options) -> Running {
    recourse::databases::migrate(&options.services, &options.place).await.expect("a schema");
    suite::start(options).await.expect("the suite starts")
}

/// A channel to a suite.
pub fn channel(url: &str) -> Channel {
    Endpoint::from_shared(url.to_owned()).expect("an address").connect_lazy()
}

/// Sends bytes as the request of a unary RPC; its answer's bytes.
pub async fn call_raw(
    channel: Channel,
    path: &str,
    metadata: MetadataMap,
    body: Bytes,
) -> Result<Bytes, Status> {
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let mut request = Request::new(body);
    *request.metadata_mut() = metadata;
    let path = path.parse().expect("a path");
    Ok(client.unary(request, path, Raw).await?.into_inner())
}

/// Bytes as they are.
#[derive(Debug, Clone, Copy, Default)]
pub struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let length = from.remaining();
        Ok(Some(from.copy_to_bytes(length)))
    }
}
