//! From identities to everybody who looks like them: a pass over the population, page by page. Who
//! looks at all like one of them, asked against an index of just these, is then checked as anybody
//! is, so that both directions give the same answer.
//!
//! It keeps nothing and decides nothing beyond what a check does.

use contracts::impersonation::v1::Likeness;
use kit::Error;

use crate::check::{Checker, Wanted};
use crate::detect::{self, Ask, Engine};
use crate::identity::Identity;
use crate::memory::State;
use crate::profile::{self, Observed};
use crate::store::profiles;

/// Profiles read at once.
const PAGE_PROFILES: usize = 2_000;
/// Identities that one profile may look like.
const LIKE_MAX: usize = 50;
/// From which probability on, among just these identities, a profile is checked.
const CLOSER_LOOK: f32 = 0.01;

/// A pass over the population.
#[derive(Debug)]
pub struct Search {
    /// Who is looked for.
    pub identities: Vec<Identity>,
    state: State,
    min_probability: f64,
    after: i64,
}

impl Search {
    /// Looks for imitators of these, from a probability on; 0 for the threshold of a suggestion.
    pub fn new(engine: &Engine, identities: Vec<Identity>, min_probability: f64) -> Search {
        let compared: Vec<detect::Identity> = identities.iter().map(Identity::compared).collect();
        let index = engine.build(&compared, 1);
        Search { identities, state: State { index, ..State::default() }, min_probability, after: 0 }
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
        let page = profiles::all(&checker.db, self.after, PAGE_PROFILES).await?;
        let Some(last) = page.last() else { return Ok(None) };
        self.after = last.number;
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
}
