//! Brings the population into memory: reads it page by page, once, and tells of accounts what is
//! known of them when they change.
//!
//! It must not know what the population is for.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kit::Error;
use kit::clock::{Stopwatch, sleep};
use kit::db::Db;

use crate::crowd::{Crowd, News};
use crate::detect::{Engine, Index};
use crate::memory::Memory;
use crate::profile::Observed;
use crate::store::profiles;

/// Profiles read at once.
const PAGE_PROFILES: usize = 2_000;
/// Profiles after which it is said how far the reading has come.
const SAY_EVERY: usize = 1_000_000;
/// The wait before another try.
const RETRY_EVERY: Duration = Duration::from_millis(500);

/// What brings the population into memory.
#[derive(Clone, Debug)]
pub struct People {
    /// Where it goes.
    pub memory: Memory,
    /// Where the truth is.
    pub db: Db,
}

/// In what names and pictures are to be counted, and up to which profile.
#[derive(Clone, Debug)]
pub struct Count {
    /// Whose tables.
    pub index: Index,
    /// The number of the last profile that is counted; later ones come with the log.
    pub last: i64,
}

impl People {
    /// Reads the population whenever it is asked for, until it is dropped.
    pub async fn run(self) {
        loop {
            self.crowd().due().await;
            if let Err(error) = self.read(None).await {
                tracing::warn!(%error, "the population will be read again");
                sleep(RETRY_EVERY).await;
                self.crowd().ask();
            }
        }
    }

    fn crowd(&self) -> &Crowd {
        self.memory.crowd()
    }

    /// Reads everybody, and counts them if wanted.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn read(&self, count: Option<Count>) -> Result<(), Error> {
        let (begun, count) = (Stopwatch::start(), count.map(Arc::new));
        let last = count.as_ref().map_or(0, |count| count.last);
        self.crowd().begin();
        let (mut after, mut read) = (0, 0);
        loop {
            let page = profiles::all(&self.db, after, PAGE_PROFILES).await?;
            let Some(to) = page.last().map(|observed| observed.number) else { break };
            let counted = (to.min(last) - after).max(0);
            (after, read) = (to, read + page.len());
            let (people, count) = (self.clone(), count.clone());
            let taken = tokio::task::spawn_blocking(move || people.take(&page, count.as_deref()));
            let room = taken.await.map_err(Error::internal)?;
            if !room && after >= last {
                return Ok(());
            }
            self.memory.tell(|progress| progress.rebuilt += counted);
            if read % SAY_EVERY < PAGE_PROFILES {
                tracing::info!(read, "the population is being read");
            }
        }
        loop {
            let missed = self.crowd().rest();
            if missed.is_empty() {
                break;
            }
            self.tell(&missed).await?;
        }
        let (profiles, bytes) = self.crowd().size();
        let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(profiles, bytes, millis, "the population is in memory");
        Ok(())
    }

    /// Takes a page; whether there is room for more.
    fn take(&self, page: &[Observed], count: Option<&Count>) -> bool {
        let engine = self.memory.engine();
        if let Some(Count { index, last }) = count {
            for observed in page.iter().filter(|observed| observed.number <= *last) {
                engine.observe(index, &observed.profile);
            }
        }
        let news: Vec<News> = page.iter().map(|observed| News::seen(engine, observed)).collect();
        self.crowd().put(&news)
    }

    /// Tells of accounts what is known of them now.
    async fn tell(&self, account_ids: &[String]) -> Result<(), Error> {
        for some in account_ids.chunks(PAGE_PROFILES) {
            let rows = profiles::some(&self.db, some.iter().map(String::as_str)).await?;
            self.crowd().put(&news(self.memory.engine(), some, &rows));
        }
        Ok(())
    }
}

/// What is known of accounts, of which these are the rows.
pub fn news(engine: &Engine, account_ids: &[String], rows: &[Observed]) -> Vec<News> {
    let known: HashMap<&str, &Observed> =
        rows.iter().map(|row| (row.profile.account_id.as_str(), row)).collect();
    let of = |account_id: &String| match known.get(account_id.as_str()) {
        Some(row) => News::seen(engine, row),
        None => News::gone(account_id),
    };
    account_ids.iter().map(of).collect()
}
