//! Whether the server can serve: what keeps it from it, by name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The obstacles there are now; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Mutex<BTreeMap<&'static str, String>>>);

impl Readiness {
    /// Says what keeps the server from serving; `check` is the name it is listed under.
    pub fn obstruct(&self, check: &'static str, why: impl Into<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(check, why.into());
    }

    /// Takes an obstacle away.
    pub fn clear(&self, check: &'static str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(check);
    }

    /// All obstacles, sorted by check; the server is ready when there is none.
    pub fn obstacles(&self) -> Vec<(&'static str, String)> {
        let obstacles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        obstacles.iter().map(|(check, why)| (*check, why.clone())).collect()
    }
}
