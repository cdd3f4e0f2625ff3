//! Checking a profile: pictures to hashes, the index in memory, the rows of its hits, the rule for
//! exemptions; with more than one shard, the others' answers too.
//!
//! It keeps nothing. What it found means something only to its callers.

use std::sync::Arc;

use contracts::impersonation::v1::impersonation_service_client::ImpersonationServiceClient;
use contracts::impersonation::v1::{
    Avatar, CheckProfileRequest, CheckProfileResponse, Exemption, Likeness, Profile,
};
use futures_util::future::try_join_all;
use kit::client::Peer;
use kit::db::Db;
use kit::watch::Token;
use kit::{Clock, Error};
use tokio::sync::Semaphore;

use crate::detect::Ask;
use crate::exemption::{self, Record};
use crate::identity::Identity;
use crate::judge;
use crate::memory::Memory;
use crate::picture::{self, Pictures, Role};
use crate::profile::{self, Observed};
use crate::store::{exemptions, identities, profiles};

/// Threads that read images at once; further calls wait for them.
const IMAGES_AT_ONCE: usize = 2;
/// Identities asked for beyond the limit: own accounts and other markets fall away.
const SPARE: usize = 8;

/// What is wanted of a check.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// How many likenesses at most.
    pub limit: usize,
    /// From which probability on; 0 for the threshold of a suggestion.
    pub min_probability: f64,
}

/// Another process that holds a shard.
#[derive(Clone, Debug)]
pub struct Other {
    /// Which shard.
    pub shard: u32,
    /// Where it is.
    pub peer: Peer,
}

/// Checks profiles. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Checker {
    /// Where the rows are.
    pub db: Db,
    /// Where "now" comes from.
    pub clock: Clock,
    /// This process's index.
    pub memory: Memory,
    /// The processes that hold the other shards.
    pub others: Vec<Other>,
    images: Arc<Semaphore>,
}

impl Checker {
    /// Checks against this index and those of the others.
    pub fn new(db: Db, clock: Clock, memory: Memory, others: Vec<Other>) -> Checker {
        Checker { db, clock, memory, others, images: Arc::new(Semaphore::new(IMAGES_AT_ONCE)) }
    }

    /// Works out the hashes of an identity's pictures, on a thread of its own where there are
    /// images; adds to `wrong` every picture that cannot be read, below `path`.
    ///
    /// # Errors
    /// If the thread fails.
    pub async fn pictures(
        &self,
        avatars: &[Avatar],
        known: &Pictures,
        path: String,
        wrong: Error,
    ) -> Result<(Pictures, Error), Error> {
        let (avatars, known) = (avatars.to_vec(), known.clone());
        let has_image = picture::has_image(&avatars);
        let (read, wrong) = self
            .reading(has_image, move || {
                picture::read(&avatars, Role::Protected, &known, &path, wrong)
            })
            .await?;
        Ok((read.pictures, wrong))
    }

    /// A profile as it is kept and compared: its pictures by their hashes. Adds to `wrong` every
    /// picture that cannot be read, below `path`.
    ///
    /// Images are looked at again with those in mind whom this process's index has: another shard
    /// compares what is seen here.
    ///
    /// # Errors
    /// If the thread that reads images fails.
    pub async fn kept(
        &self,
        given: Profile,
        path: &str,
        wrong: Error,
    ) -> Result<(Profile, Error), Error> {
        let (path, now, memory) =
            (format!("{path}.avatars"), self.clock.now(), self.memory.clone());
        let has_image = picture::has_image(&given.avatars);
        let read = move || {
            let none = Pictures::default();
            let (read, wrong) = picture::read(&given.avatars, Role::Asked, &none, &path, wrong);
            let mut kept = profile::kept(given, &read.pictures);
            for (place, windows) in read.windows {
                let compared = profile::compared(&kept, now);
                let seen = memory.look_again(&compared, &windows);
                if let Some(avatar) = kept.avatars.get_mut(place) {
                    picture::add_views(avatar, &seen);
                }
            }
            picture::keep(&mut kept.avatars, picture::HASHES_MAX);
            (kept, wrong)
        };
        self.reading(has_image, read).await
    }

    /// Reads pictures, on a thread of its own if there are images.
    async fn reading<T: Send + 'static>(
        &self,
        has_image: bool,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        if !has_image {
            return Ok(read());
        }
        // Never closed.
        let _permit = self.images.acquire().await.map_err(Error::internal)?;
        tokio::task::spawn_blocking(read).await.map_err(Error::internal)
    }

    /// What a kept profile looks like, by all shards.
    ///
    /// # Errors
    /// NOT_READY while an index is rebuilt; SHARD_UNAVAILABLE if another process does not answer.
    pub async fn check(
        &self,
        profile: &Profile,
        wanted: Wanted,
    ) -> Result<CheckProfileResponse, Error> {
        let here = self.check_here(profile, wanted);
        if self.others.is_empty() {
            return here.await;
        }
        let there = try_join_all(self.others.iter().map(|other| ask(other, profile, wanted)));
        let (here, there) = tokio::try_join!(here, there)?;
        Ok(merge(here, there, wanted.limit))
    }

    /// What a kept profile looks like, by the shard of this process.
    ///
    /// # Errors
    /// NOT_READY while the index is rebuilt.
    pub async fn check_here(
        &self,
        profile: &Profile,
        wanted: Wanted,
    ) -> Result<CheckProfileResponse, Error> {
        let (state, now) = (self.memory.ready()?, self.clock.now());
        let min_probability = match wanted.min_probability {
            min if min > 0.0 => min,
            _ => state.thresholds.suggest,
        };
        let compared = profile::compared(profile, now);
        let limit = wanted.limit + SPARE;
        let asked = Ask { limit, min_probability: min_probability as f32 };
        let checked = self.memory.ask(&state, &compared, asked);
        let mut answer = CheckProfileResponse {
            likenesses: Vec::new(),
            truncated: checked.truncated,
            index_position: self.memory.position(&state),
        };
        if checked.matches.is_empty() {
            return Ok(answer);
        }
        let numbers = checked.matches.iter().map(|found| found.number);
        // Side by side: each may wait for a thread of the database's.
        let (rows, exemptions) =
            tokio::try_join!(self.rows(numbers), self.exemptions(&profile.account_id))?;
        let first = rows.iter().any(|identity| exemption::may_be_first(profile, identity));
        let observed = if first { self.observed(&profile.account_id).await? } else { None };
        let record = Record { exemptions: &exemptions, observed: observed.as_ref() };
        for identity in rows.iter().filter(|identity| identity.protected_in(&profile.market)) {
            let number = identity.number.unsigned_abs();
            if let Some(found) = checked.matches.iter().find(|found| found.number == number) {
                let thresholds = state.thresholds;
                let like = judge::likeness(profile, identity, found, record, thresholds);
                answer.likenesses.push(like);
            }
        }
        judge::sort(&mut answer.likenesses);
        answer.likenesses.truncate(wanted.limit);
        Ok(answer)
    }

    /// The rows of identities.
    async fn rows(&self, numbers: impl Iterator<Item = u64>) -> Result<Vec<Arc<Identity>>, Error> {
        let shelf = self.memory.shelf();
        let mut asked = shelf.ask(numbers);
        let mut rows = std::mem::take(&mut asked.found);
        if !asked.missing.is_empty() {
            let read = identities::hits(&self.db, &asked.missing).await?;
            let read: Vec<Arc<Identity>> = read.into_iter().map(Arc::new).collect();
            shelf.put(&asked, &read);
            rows.extend(read);
        }
        Ok(rows)
    }

    /// The exemptions of an account that hold now.
    async fn exemptions(&self, account_id: &str) -> Result<Vec<Exemption>, Error> {
        if account_id.is_empty() || !self.memory.shelf().may_be_exempt(account_id) {
            return Ok(Vec::new());
        }
        Ok(exemptions::in_force(&self.db, [account_id], self.clock.now()).await?)
    }

    /// How an account was last observed.
    async fn observed(&self, account_id: &str) -> Result<Option<Observed>, Error> {
        Ok(profiles::some(&self.db, [account_id]).await?.pop())
    }
}

/// Asks another shard.
async fn ask(
    other: &Other,
    profile: &Profile,
    wanted: Wanted,
) -> Result<CheckProfileResponse, Error> {
    let request = CheckProfileRequest {
        profile: Some(profile.clone()),
        limit: i32::try_from(wanted.limit).unwrap_or(i32::MAX),
        min_probability: wanted.min_probability,
        this_shard_only: true,
    };
    let mut client = ImpersonationServiceClient::new(other.peer.clone());
    let answer = client.check_profile(request).await;
    answer.map(tonic::Response::into_inner).map_err(|status| {
        Error::unavailable("SHARD_UNAVAILABLE")
            .message("a shard of the index does not answer: the check would not be complete")
            .meta("shard", other.shard.to_string())
            .caused_by(status)
    })
}

/// One answer out of several: as current as the one furthest behind.
fn merge(
    mut all: CheckProfileResponse,
    others: Vec<CheckProfileResponse>,
    limit: usize,
) -> CheckProfileResponse {
    let seq = |position: &str| Token::decode(position).map_or(0, |token| token.seq);
    for other in others {
        all.truncated |= other.truncated;
        if seq(&other.index_position) < seq(&all.index_position) {
            all.index_position = other.index_position;
        }
        all.likenesses.extend(other.likenesses);
    }
    judge::sort(&mut all.likenesses);
    all.likenesses.truncate(limit);
    all
}

/// Whether anything follows from a likeness.
pub fn matters(likeness: &Likeness) -> bool {
    likeness.consequence != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_shards_are_one_answer() {
        let token = |seq| Token { log_id: "log".to_owned(), seq }.encode();
        let answer = |found: &[(&str, f64)], truncated, seq| CheckProfileResponse {
            likenesses: found
                .iter()
                .map(|(id, probability)| Likeness {
                    identity_id: (*id).to_owned(),
                    probability: *probability,
                    ..Likeness::default()
                })
                .collect(),
            truncated,
            index_position: token(seq),
        };
        let here = answer(&[("a", 0.9), ("b", 0.4)], false, 7);
        let there = vec![answer(&[("c", 0.6)], true, 5), answer(&[], false, 9)];
        let merged = merge(here, there, 2);
        let ids: Vec<&str> = merged.likenesses.iter().map(|l| l.identity_id.as_str()).collect();
        assert_eq!(ids, ["a", "c"]);
        assert_eq!((merged.truncated, merged.index_position), (true, token(5)));
    }
}
