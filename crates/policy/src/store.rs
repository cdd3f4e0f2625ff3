//! All SQL of this service. It decides nothing.

use contracts::policy::v1::{CheckPackRequest, Pack, PackFile, PackVersion};
use kit::Time;
use kit::args;
use kit::db::{Db, DbError, Sql, Tx};
use prost::Message as _;

/// The newest version and the one in force, 0 for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The newest published version.
    pub last_version: i64,
    /// The version in force.
    pub active_version: i64,
}

kit::record!(Head: last_version, active_version);

/// A published version without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackRow {
    /// Its version.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// The digest of its files.
    pub digest: String,
    /// When it was published, microseconds UTC.
    pub create_time: i64,
    /// When it was last put in force, microseconds UTC.
    pub activate_time: Option<i64>,
}

kit::record!(PackRow: version, name, digest, create_time, activate_time);

impl PackRow {
    /// As it is answered, while this version is in force.
    pub fn render(self, active_version: i64) -> PackVersion {
        PackVersion {
            version: self.version,
            name: self.name,
            digest: self.digest,
            create_time: Some(Time::from_micros(self.create_time).into()),
            active: self.version == active_version,
            activate_time: self.activate_time.map(|time| Time::from_micros(time).into()),
        }
    }
}

static LOCK_HEAD: Sql =
    Sql::new("SELECT last_version, active_version FROM pack_head WHERE id = 1 FOR UPDATE");

static READ_HEAD: Sql = Sql::new("SELECT last_version, active_version FROM pack_head WHERE id = 1");

static PUT_HEAD: Sql =
    Sql::new("UPDATE pack_head SET last_version = $1, active_version = $2 WHERE id = 1");

static PACK_OF_VERSION: Sql = Sql::new(
    "SELECT version, name, digest, create_time, activate_time FROM packs WHERE version = $1",
);

static PACK_OF_DIGEST: Sql = Sql::new(
    "SELECT version, name, digest, create_time, activate_time FROM packs WHERE digest = $1",
);

static INSERT_PACK: Sql = Sql::new(
    "INSERT INTO packs (version, name, digest, compiled, files, publisher, create_time)
     VALUES ($1, $2, $3, $4, $5, $6, $7)",
);

static ACTIVATED: Sql = Sql::new("UPDATE packs SET activate_time = $2 WHERE version = $1");

static INSERT_ACTIVATION: Sql = Sql::new(
    "INSERT INTO activations (event_id, version, previous_version, activator, time)
     VALUES ($1, $2, $3, $4, $5)",
);

static COMPILED: Sql = Sql::new("SELECT compiled FROM packs WHERE version = $1");

static LIST: Sql = Sql::new(
    "SELECT version, name, digest, create_time, activate_time FROM packs
      WHERE version < $1 ORDER BY version DESC LIMIT $2",
);

/// Every statement, for the test that prepares them on each database.
pub static ALL: [&Sql; 10] = [
    &LOCK_HEAD,
    &READ_HEAD,
    &PUT_HEAD,
    &PACK_OF_VERSION,
    &PACK_OF_DIGEST,
    &INSERT_PACK,
    &ACTIVATED,
    &INSERT_ACTIVATION,
    &COMPILED,
    &LIST,
];

/// The head, locked until the end of the transaction.
pub async fn lock_head(tx: &mut Tx) -> Result<Head, DbError> {
    tx.fetch_one(&LOCK_HEAD, args![]).await
}

/// The head as it is now.
pub async fn head(db: &Db) -> Result<Head, DbError> {
    db.read().fetch_one(&READ_HEAD, args![]).await
}

/// The published version with this digest. Under the head's lock nobody else publishes it.
pub async fn with_digest(tx: &mut Tx, digest: &str) -> Result<Option<PackRow>, DbError> {
    tx.fetch_optional(&PACK_OF_DIGEST, args![digest]).await
}

/// A published version.
pub async fn with_version(tx: &mut Tx, version: i64) -> Result<Option<PackRow>, DbError> {
    tx.fetch_optional(&PACK_OF_VERSION, args![version]).await
}

/// Stores a compiled pack, with its version and time set, as the newest version.
pub async fn publish(
    tx: &mut Tx,
    head: Head,
    pack: &Pack,
    files: &[PackFile],
    publisher: &str,
    now: Time,
) -> Result<PackRow, DbError> {
    let compiled = pack.encode_to_vec();
    let files = CheckPackRequest { files: files.to_vec() }.encode_to_vec();
    let values = args![pack.version, &pack.name, &pack.digest, compiled, files, publisher, now];
    tx.execute(&INSERT_PACK, values).await?;
    tx.execute(&PUT_HEAD, args![pack.version, head.active_version]).await?;
    Ok(PackRow {
        version: pack.version,
        name: pack.name.clone(),
        digest: pack.digest.clone(),
        create_time: now.micros(),
        activate_time: None,
    })
}

/// Puts a version in force.
pub async fn activate(
    tx: &mut Tx,
    head: Head,
    version: i64,
    event_id: &str,
    activator: &str,
    now: Time,
) -> Result<(), DbError> {
    let values = args![event_id, version, head.active_version, activator, now];
    tx.execute(&INSERT_ACTIVATION, values).await?;
    tx.execute(&ACTIVATED, args![version, now]).await?;
    tx.execute(&PUT_HEAD, args![head.last_version, version]).await?;
    Ok(())
}

/// The content of a version.
pub async fn compiled(db: &Db, version: i64) -> Result<Option<Pack>, DbError> {
    let row: Option<(Vec<u8>,)> = db.read().fetch_optional(&COMPILED, args![version]).await?;
    row.map(|(bytes,)| {
        Pack::decode(bytes.as_slice()).map_err(|error| {
            DbError::internal(format!("the pack of version {version} does not decode: {error}"))
        })
    })
    .transpose()
}

/// Versions below one, newest first.
pub async fn list(db: &Db, below: i64, limit: usize) -> Result<Vec<PackRow>, DbError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    db.read().fetch_all(&LIST, args![below, limit]).await
}
