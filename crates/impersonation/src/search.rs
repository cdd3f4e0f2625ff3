//! From identities to everybody who looks like them: the population in memory names who may, and
//! where it is not there, all of it is gone through in the database, page by page. Who looks at all
//! like one of them, asked against an index of just these, is then checked as anybody is, so that
//! both directions give the same answer.
//!
//! It keeps nothing and decides nothing beyond what a check does.

use std::collections::HashSet;

use contracts::impersonation::v1::Likeness;
use kit::Error;

use crate::check::{Checker, Wanted};
use crate::detect::{self, Ask, Engine};
use crate::identity::Identity;
use crate::memory::{Memory, State};
use crate::profile::{self, Observed};
use crate::store::profiles;

/// Profiles read at once.
const PAGE_PROFILES: usize = 2_000;
/// Identities that one profile may look like.
const LIKE_MAX: usize = 50;
/// From which probability on, among just these identities, a profile is checked.
const CLOSER_LOOK: f32 = 0.01;

/// Accounts that the population in memory names of one identity.
const NAMED: usize = 5_000;

/// Who is yet to be looked at.
#[derive(Debug)]
enum Rest {
    /// It is not known yet who.
    Unasked,
    /// These, by their numbers.
    Named(std::vec::IntoIter<i64>),
    /// Everybody with a greater number.
    Everybody(i64),
}

/// A pass over the population.
#[derive(Debug)]
pub struct Search {
    /// Who is looked for.
    pub identities: Vec<Identity>,
    compared: Vec<detect::Identity>,
    state: State,
    min_probability: f64,
    rest: Rest,
}

impl Search {
    /// Looks for imitators of these, from a probability on; 0 for the threshold of a suggestion.
    pub fn new(engine: &Engine, identities: Vec<Identity>, min_probability: f64) -> Search {
        let compared: Vec<detect::Identity> = identities.iter().map(Identity::compared).collect();
        let index = engine.build(&compared, 1);
        let state = State { index, ..State::default() };
        Search { identities, compared, state, min_probability, rest: Rest::Unasked }
    }

    /// Those of the next page of the population who look like one of the identities, each with
    /// the place of that identity; none at the end.
    ///
    /// # Errors
    /// If the database cannot be read, or what a check answers.
    pub async fn next(
        &mut self,
        checker: &Checker,
    ) -> Result<Option<Vec<(Observed, usize, Likeness)>>, Error> {
        let Some(page) = self.page(checker).await? else { return Ok(None) };
        let now = checker.clock.now();
        let asked = Ask { limit: 1, min_probability: CLOSER_LOOK };
        let mut hits = Vec::new();
        for observed in page {
            let compared = profile::compared(&observed.profile, now);
            if !checker.memory.ask(&self.state, &compared, asked).matches.is_empty() {
                hits.push(observed);
            }
        }
        // A page of work on this thread is a few milliseconds.
        tokio::task::yield_now().await;
        let mut found = Vec::new();
        for observed in hits {
            let wanted = Wanted { limit: LIKE_MAX, min_probability: self.min_probability };
            let checked = checker.check(&observed.profile, wanted).await?;
            for likeness in checked.likenesses {
                let is_it = |identity: &Identity| identity.identity_id == likeness.identity_id;
                if let Some(at) = self.identities.iter().position(is_it) {
                    found.push((observed.clone(), at, likeness));
                }
            }
        }
        Ok(Some(found))
    }

    /// The next profiles to be looked at; none at the end.
    async fn page(&mut self, checker: &Checker) -> Result<Option<Vec<Observed>>, Error> {
        if matches!(self.rest, Rest::Unasked) {
            self.rest = self.ask(checker).await?;
        }
        match &mut self.rest {
            Rest::Unasked => Ok(None),
            Rest::Named(numbers) => {
                let some: Vec<i64> = numbers.take(PAGE_PROFILES).collect();
                if some.is_empty() {
                    return Ok(None);
                }
                Ok(Some(profiles::hits(&checker.db, &some).await?))
            }
            Rest::Everybody(after) => {
                let page = profiles::all(&checker.db, *after, PAGE_PROFILES).await?;
                let Some(last) = page.last() else { return Ok(None) };
                *after = last.number;
                Ok(Some(page))
            }
        }
    }

    /// Asks the population in memory who may look like one of them.
    async fn ask(&mut self, checker: &Checker) -> Result<Rest, Error> {
        let (memory, compared) = (checker.memory.clone(), std::mem::take(&mut self.compared));
        let asked = tokio::task::spawn_blocking(move || named(&memory, &compared));
        Ok(match asked.await.map_err(Error::internal)? {
            Some(numbers) => Rest::Named(numbers.into_iter()),
            None => {
                let standing = checker.memory.crowd().standing();
                tracing::info!(?standing, "imitators are sought in the database, not in memory");
                Rest::Everybody(0)
            }
        })
    }
}

/// The numbers of those who may look like one of these, each once, the likeliest of each identity
/// first; none if not everybody is in memory.
fn named(memory: &Memory, compared: &[detect::Identity]) -> Option<Vec<i64>> {
    let (mut numbers, mut known) = (Vec::new(), HashSet::new());
    for identity in compared {
        let (likely, found) = memory.crowd().likely(memory.engine(), identity, NAMED)?;
        if found > NAMED as u64 {
            tracing::info!(found, kept = NAMED, "many look a little like one identity");
        }
        numbers.extend(likely.into_iter().filter(|number| known.insert(*number)));
    }
    Some(numbers)
}
