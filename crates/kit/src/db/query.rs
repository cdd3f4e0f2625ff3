//! Running one statement on one connection of either driver. It must not know transactions,
//! pools or tables.

use sqlx::pool::PoolConnection;
use sqlx::{Executor as _, PgConnection, Postgres, SqlSafeStr as _, Sqlite, SqliteConnection};

use super::args::{self, Arg, Record};
use super::sql::Sql;

/// A borrowed connection.
pub(super) enum Connection<'a> {
    Postgres(&'a mut PgConnection),
    Sqlite(&'a mut SqliteConnection),
}

/// A connection lent by a pool.
pub(super) enum Lent {
    Postgres(PoolConnection<Postgres>),
    Sqlite(PoolConnection<Sqlite>),
}

impl Lent {
    pub(super) fn connection(&mut self) -> Connection<'_> {
        match self {
            Lent::Postgres(connection) => Connection::Postgres(connection),
            Lent::Sqlite(connection) => Connection::Sqlite(connection),
        }
    }
}

/// Runs `$run` with the statement bound for whichever driver it is.
macro_rules! on_either {
    ($connection:expr, $sql:expr, $args:expr, |$bound:ident, $live:ident| $run:expr,
     $query:ident $(::<$($generic:ty),*>)?) => {
        match $connection {
            Connection::Postgres($live) => {
                let args = args::postgres($args)?;
                let $bound = sqlx::$query$(::<Postgres, $($generic,)* _>)?($sql.postgres(), args);
                $run
            }
            Connection::Sqlite($live) => {
                let args = args::sqlite($args)?;
                let $bound = sqlx::$query$(::<Sqlite, $($generic,)* _>)?($sql.sqlite(), args);
                $run
            }
        }
    };
}

impl Connection<'_> {
    pub(super) async fn fetch_all<R: Record>(
        self,
        sql: &'static Sql,
        args: Vec<Arg>,
    ) -> Result<Vec<R>, sqlx::Error> {
        on_either!(self, sql, args, |bound, live| bound.fetch_all(live).await, query_as_with::<R>)
    }

    pub(super) async fn fetch_optional<R: Record>(
        self,
        sql: &'static Sql,
        args: Vec<Arg>,
    ) -> Result<Option<R>, sqlx::Error> {
        on_either!(
            self,
            sql,
            args,
            |bound, live| bound.fetch_optional(live).await,
            query_as_with::<R>
        )
    }

    pub(super) async fn execute(
        self,
        sql: &'static Sql,
        args: Vec<Arg>,
    ) -> Result<u64, sqlx::Error> {
        on_either!(
            self,
            sql,
            args,
            |bound, live| Ok(bound.execute(live).await?.rows_affected()),
            query_with
        )
    }

    pub(super) async fn prepare(self, sql: &'static Sql) -> Result<(), sqlx::Error> {
        match self {
            Connection::Postgres(live) => {
                live.prepare(sql.postgres().into_sql_str()).await.map(drop)
            }
            Connection::Sqlite(live) => live.prepare(sql.sqlite().into_sql_str()).await.map(drop),
        }
    }
}
