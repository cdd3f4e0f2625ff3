//! The databases of the services: opened, and their schemas brought up to date.
//!
//! It must not know what is in them.

use kit::db::{Db, DbConfig};

use crate::cli::Service;

/// The database of a service, its schema up to date: migrated here if embedded, checked if on
/// PostgreSQL.
pub(crate) async fn open(service: Service, place: &str) -> Result<Db, String> {
    let config = DbConfig::at(place, service.name());
    let failed = |error| format!("{}: {error}", service.name());
    let db = Db::open(&config).await.map_err(failed)?;
    match config {
        DbConfig::Sqlite { .. } => db.migrate(migrations(service)).await.map_err(failed)?,
        DbConfig::Postgres { .. } => db.check_schema(migrations(service)).await.map_err(failed)?,
    }
    Ok(db)
}

/// Brings the schema of services up to date.
///
/// # Errors
/// If a database cannot be reached or has a schema from the future.
pub async fn migrate(services: &[Service], place: &str) -> Result<(), String> {
    for service in services {
        let failed = |error| format!("{}: {error}", service.name());
        let db = Db::open(&DbConfig::at(place, service.name())).await.map_err(failed)?;
        db.migrate(migrations(*service)).await.map_err(failed)?;
    }
    Ok(())
}

fn migrations(service: Service) -> &'static kit::db::Migrations {
    match service {
        Service::Policy => &policy::MIGRATIONS,
        Service::Reports => &reports::MIGRATIONS,
        Service::Review => &review::MIGRATIONS,
        Service::AccountHealth => &account_health::MIGRATIONS,
        Service::Appeals => &appeals::MIGRATIONS,
        Service::Impersonation => &impersonation::MIGRATIONS,
        Service::Insights => &insights::MIGRATIONS,
    }
}
