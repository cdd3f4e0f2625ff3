//! The population in memory: of every observed profile the little that is needed to find who may
//! imitate an identity, so that the database is asked only for those.
//!
//! It must not know where profiles come from; [`people`](crate::people) brings them. An account
//! goes by 62 bits of a hash of its id: of 20 million, two share them with a probability of one in
//! 20,000, and then one of them is not found by a scan. Who had other names before is in it more
//! than once, since checks compare those too.

use std::sync::{Arc, Mutex, RwLock};

use contracts::impersonation::v1::Profile;
use lookalike::population::{Best, Person, Population};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use crate::detect::{self, Engine, Identity};
use crate::picture;
use crate::profile::Observed;

/// Former names of an account that are kept: as many as a check compares.
const FORMER_NAMES: usize = 4;
/// Rows that an account may take beside its own: two former names each.
const MORE_ROWS: u64 = (FORMER_NAMES / 2) as u64;
/// Rows that are scanned before somebody who changes the population is let in.
const SCAN_ROWS: usize = 65_536;

/// How complete a population is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has asked for it.
    Unread,
    /// It is to be read.
    Due,
    /// It is being read.
    Reading,
    /// Everybody is in it.
    Whole,
    /// There are more profiles than it may hold; it holds none.
    TooMany,
}

/// The population in memory. Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct Crowd(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// How many profiles it may hold.
    most: usize,
    held: RwLock<Held>,
    standing: watch::Sender<Standing>,
    /// Accounts that changed while the population is read.
    missed: Mutex<Vec<String>>,
}

#[derive(Debug, Default)]
struct Held {
    people: Population,
    /// The accounts in it.
    accounts: usize,
}

impl Held {
    fn put(&mut self, news: &News) {
        match news {
            News::Seen(rows) => {
                let Some((now, former)) = rows.split_first() else { return };
                self.forget(now.account().number, 1 + former.len() as u64);
                let before = self.people.len();
                self.people.put(&now.account());
                self.accounts += self.people.len() - before;
                former.iter().for_each(|person| self.people.put(&person.account()));
            }
            News::Gone(key) => {
                self.accounts -= usize::from(self.people.remove(*key));
                self.forget(*key, 1);
            }
        }
    }

    /// Drops the rows of an account from one on.
    fn forget(&mut self, key: u64, from: u64) {
        for row in from..=MORE_ROWS {
            self.people.remove(key + row);
        }
    }
}

/// What is known now of an account: its profile, or that there is none any more.
#[derive(Clone, Debug)]
pub enum News {
    /// It looks like this, and looked like that before.
    Seen(Vec<Person>),
    /// Nothing is known of the account that goes by this.
    Gone(u64),
}

impl News {
    /// Of a profile.
    pub fn seen(engine: &Engine, observed: &Observed) -> News {
        let key = key(&observed.profile.account_id);
        match u32::try_from(observed.number) {
            Ok(number) => {
                let rows = (key..).zip(names(&observed.profile));
                News::Seen(rows.map(|(key, names)| engine.person((key, number), &names)).collect())
            }
            // Rows are numbered one by one: none has come so far.
            Err(_) => News::Gone(key),
        }
    }

    /// That an account is gone.
    pub fn gone(account_id: &str) -> News {
        News::Gone(key(account_id))
    }
}

/// What of a profile is kept, a row each: its names and picture of now, and former names.
fn names(profile: &Profile) -> Vec<detect::Profile> {
    let now = detect::Profile {
        handle: profile.handle.clone(),
        display_name: profile.display_name.clone(),
        avatars: picture::whole_hashes(profile.avatars.get(..1).unwrap_or_default()),
        ..detect::Profile::default()
    };
    let former = &profile.former_names[..profile.former_names.len().min(FORMER_NAMES)];
    let former = former.chunks(2).map(|two| detect::Profile {
        handle: two[0].clone(),
        display_name: two.get(1).cloned().unwrap_or_default(),
        ..detect::Profile::default()
    });
    [now].into_iter().chain(former).collect()
}

/// What an account goes by: the next numbers are for its other rows.
fn key(account_id: &str) -> u64 {
    let hash = Sha256::digest(account_id);
    let key = hash[..8].iter().fold(0, |key, byte| key << 8 | u64::from(*byte));
    key & !3
}

impl Crowd {
    /// An unread population that may hold so many profiles; 0 for none.
    pub fn new(most: usize) -> Crowd {
        let standing = if most == 0 { Standing::TooMany } else { Standing::Unread };
        Crowd(Arc::new(Inner {
            most,
            held: RwLock::default(),
            standing: watch::Sender::new(standing),
            missed: Mutex::default(),
        }))
    }

    /// How complete it is.
    pub fn standing(&self) -> Standing {
        *self.0.standing.borrow()
    }

    /// Asks for it to be read.
    pub(crate) fn ask(&self) {
        if self.0.most > 0 {
            self.0.standing.send_replace(Standing::Due);
        }
    }

    /// Waits until it is to be read.
    pub(crate) async fn due(&self) {
        let mut standing = self.0.standing.subscribe();
        // The sender lives as long as this.
        let _ = standing.wait_for(|standing| *standing == Standing::Due).await;
    }

    /// How many profiles it holds, and in how many bytes.
    pub fn size(&self) -> (usize, usize) {
        let held = self.held();
        (held.accounts, held.people.memory())
    }

    fn held(&self) -> std::sync::RwLockReadGuard<'_, Held> {
        self.0.held.read().unwrap_or_else(|poison| poison.into_inner())
    }

    /// Forgets everybody and begins to read: what changes meanwhile is kept for the end.
    pub(crate) fn begin(&self) {
        if self.0.most == 0 {
            return;
        }
        let mut missed = self.missed();
        missed.clear();
        self.clear();
        self.0.standing.send_replace(Standing::Reading);
    }

    /// Takes what was read; whether there is room for more.
    pub(crate) fn put(&self, news: &[News]) -> bool {
        if self.standing() == Standing::TooMany {
            return false;
        }
        let mut held = self.0.held.write().unwrap_or_else(|poison| poison.into_inner());
        news.iter().for_each(|news| held.put(news));
        let fits = held.accounts <= self.0.most;
        drop(held);
        if !fits {
            self.give_up();
        }
        fits
    }

    fn give_up(&self) {
        let most = self.0.most;
        tracing::warn!(most, "too many profiles for memory: imitators are sought in the database");
        self.0.standing.send_replace(Standing::TooMany);
        self.missed().clear();
        self.clear();
    }

    /// Whether accounts that changed are to be told by [`Crowd::put`] now. While the population is
    /// read they are kept for its end, and where there is none nobody needs them.
    pub(crate) fn wants(&self, account_ids: &[String]) -> bool {
        let mut missed = self.missed();
        match self.standing() {
            Standing::Whole => true,
            Standing::Unread | Standing::Due | Standing::TooMany => false,
            Standing::Reading => {
                missed.extend_from_slice(account_ids);
                false
            }
        }
    }

    /// What changed while it was read, to be told by [`Crowd::put`]; once that is nothing,
    /// everybody is in it.
    pub(crate) fn rest(&self) -> Vec<String> {
        let mut missed = self.missed();
        if missed.is_empty() && self.standing() == Standing::Reading {
            self.0.standing.send_replace(Standing::Whole);
        }
        std::mem::take(&mut missed)
    }

    fn missed(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.0.missed.lock().unwrap_or_else(|poison| poison.into_inner())
    }

    fn clear(&self) {
        *self.0.held.write().unwrap_or_else(|poison| poison.into_inner()) = Held::default();
    }

    /// The rows of those who may imitate an identity, the likeliest first, at most so many; and how
    /// many there were. None if not everybody is in it. Takes ten milliseconds for a million.
    pub fn likely(&self, engine: &Engine, of: &Identity, most: usize) -> Option<(Vec<i64>, u64)> {
        let sought = engine.sought(of);
        let mut best = Best::new(most);
        // From the end: who takes the place of somebody who is gone was the last, and so is looked
        // at already.
        let mut end = usize::MAX;
        while end > 0 {
            let held = self.held();
            end = end.min(held.people.len());
            let start = end.saturating_sub(SCAN_ROWS);
            held.people.scan(start..end, &sought, &mut best);
            end = start;
        }
        let found = best.found();
        let rows = best.into_sorted().into_iter().map(|likely| i64::from(likely.features));
        let rows = rows.collect();
        (self.standing() == Standing::Whole).then_some((rows, found))
    }
}

#[cfg(test)]
mod tests {
    use kit::Time;

    use super::*;
    use crate::profile::observe;

    fn news(engine: &Engine, account_id: &str, handle: &str, number: i64) -> News {
        let profile = Profile {
            account_id: account_id.to_owned(),
            handle: handle.to_owned(),
            ..Profile::default()
        };
        let (observed, _) = observe(None, profile, Time::from_seconds(0));
        News::seen(engine, &Observed { number, ..observed })
    }

    #[test]
    fn nobody_is_missed_who_changed_while_it_was_read() {
        let engine = Engine::shipped();
        let jane = Identity { handle: "janedoemusic".to_owned(), ..Identity::default() };
        let crowd = Crowd::new(3);
        let accounts = ["a".to_owned()];
        assert!(!crowd.wants(&accounts), "it will be read");
        crowd.begin();
        assert!(crowd.put(&[news(&engine, "a", "somebody", 1), news(&engine, "b", "b", 2)]));
        assert!(!crowd.wants(&accounts), "not before it is read");
        assert_eq!(crowd.likely(&engine, &jane, 10), None);
        assert_eq!(crowd.rest(), accounts);
        assert_eq!(crowd.standing(), Standing::Reading, "there was something yet");
        assert!(crowd.put(&[news(&engine, "a", "janedoemusic", 1)]));
        assert!(crowd.rest().is_empty() && crowd.wants(&accounts));
        assert_eq!(crowd.likely(&engine, &jane, 10), Some((vec![1], 1)));
        crowd.put(&[News::gone("a")]);
        assert_eq!(crowd.likely(&engine, &jane, 10), Some((vec![], 0)));
        assert_eq!(crowd.size().0, 1);
    }

    #[test]
    fn former_names_are_found_until_they_are_forgotten() {
        let engine = Engine::shipped();
        let crowd = Crowd::new(10);
        crowd.begin();
        let jane = Identity { handle: "janedoemusic".to_owned(), ..Identity::default() };
        let mut profile = Profile { account_id: "a".to_owned(), ..Profile::default() };
        let mut tell = |former: &[&str]| {
            profile.former_names = former.iter().map(|name| (*name).to_owned()).collect();
            let (observed, _) = observe(None, profile.clone(), Time::from_seconds(0));
            crowd.put(&[News::seen(&engine, &Observed { number: 8, ..observed })]);
        };
        tell(&["x", "y", "z", "janedoemusic", "far too many"]);
        assert!(crowd.rest().is_empty());
        let likely = || crowd.likely(&engine, &jane, 10).unwrap().0;
        assert_eq!((likely(), crowd.size().0), (vec![8], 1));
        tell(&["x", "y"]);
        assert_eq!((likely(), crowd.size().0), (vec![], 1));
        tell(&["janedoemusic"]);
        assert_eq!(likely(), [8]);
        crowd.put(&[News::gone("a")]);
        assert_eq!((likely(), crowd.size().0), (vec![], 0));
    }

    #[test]
    fn beyond_its_maximum_it_holds_nobody() {
        let engine = Engine::shipped();
        let crowd = Crowd::new(2);
        crowd.begin();
        let all: Vec<News> = ["a", "b", "c"].map(|id| news(&engine, id, "x", 1)).into();
        assert!(crowd.put(&all[..2]) && crowd.rest().is_empty());
        assert_eq!((crowd.standing(), crowd.size().0), (Standing::Whole, 2));
        assert!(!crowd.put(&all[2..]));
        assert_eq!((crowd.standing(), crowd.size().0), (Standing::TooMany, 0));
        assert!(!crowd.put(&all) && !crowd.wants(&["a".to_owned()]));
        assert_eq!(Crowd::new(0).standing(), Standing::TooMany);
    }
}
