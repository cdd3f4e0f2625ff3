//! Remembers what was found out about a token, for a bounded number of tokens.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Tokens remembered, at most.
pub(super) const TOKENS_MAX: usize = 10_000;

/// Two generations: when the young one is full it becomes the old one, and the old one is
/// forgotten. What is used is carried over. Half of the bound each.
pub(super) struct Cache<V>(Mutex<Generations<V>>);

struct Generations<V> {
    young: HashMap<Box<str>, Arc<V>>,
    old: HashMap<Box<str>, Arc<V>>,
}

impl<V> Cache<V> {
    pub fn new() -> Cache<V> {
        Cache(Mutex::new(Generations { young: HashMap::new(), old: HashMap::new() }))
    }

    pub fn get(&self, token: &str) -> Option<Arc<V>> {
        let mut generations = self.lock();
        if let Some(found) = generations.young.get(token) {
            return Some(found.clone());
        }
        let (token, found) = generations.old.remove_entry(token)?;
        generations.insert(token, found.clone());
        Some(found)
    }

    pub fn insert(&self, token: &str, value: Arc<V>) {
        self.lock().insert(token.into(), value);
    }

    pub fn clear(&self) {
        let mut generations = self.lock();
        generations.young.clear();
        generations.old.clear();
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        let generations = self.lock();
        generations.young.len() + generations.old.len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Generations<V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> Generations<V> {
    fn insert(&mut self, token: Box<str>, value: Arc<V>) {
        if self.young.len() >= TOKENS_MAX / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(token, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_bounded_and_keeps_what_is_used() {
        let cache = Cache::new();
        cache.insert("kept", Arc::new(0));
        for number in 1..=3 * TOKENS_MAX {
            cache.insert(&number.to_string(), Arc::new(number));
            assert!(cache.get("kept").is_some());
            assert!(cache.len() <= TOKENS_MAX);
        }
        assert!(cache.get("1").is_none(), "forgotten long ago");
        cache.clear();
        assert_eq!(cache.len(), 0);
    }
}
