//! Which pods each budget selects, kept up with every change of either.
//!
//! **Invariants:** a pod that a budget selects is among its members; a member may be gone or
//! selected no longer, so whoever reads them looks at the pod itself again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::core::{Selector, SelectorExt};
use mainstay_control::Key;

use crate::claim;

/// The budgets and their members.
#[derive(Debug, Default)]
pub(super) struct Members(Mutex<BTreeMap<Key, Budget>>);

#[derive(Debug)]
struct Budget {
    /// Nothing for a malformed one, which selects nothing.
    selector: Option<Selector>,
    pods: BTreeSet<Key>,
}

impl Members {
    /// Takes note of a budget as it is; says whether all pods must be shown to it.
    pub(super) fn put(&self, budget: &PodDisruptionBudget) -> bool {
        let selector = selector(budget);
        let mut budgets = self.lock();
        let key = Key::of(budget);
        let is_known = budgets.get(&key).is_some_and(|known| known.selector == selector);
        if !is_known {
            budgets.insert(key, Budget { selector, pods: BTreeSet::new() });
        }
        !is_known
    }

    /// Forgets a budget.
    pub(super) fn remove(&self, budget: &Key) {
        self.lock().remove(budget);
    }

    /// Takes note of a pod as it is; returns the budgets that select it, by name.
    pub(super) fn show(&self, pod: &Pod) -> Vec<Key> {
        let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
        let mut selecting = Vec::new();
        for (key, budget) in self.lock().range_mut(Key::new(namespace, "")..) {
            if *key.namespace != *namespace {
                break;
            }
            if matches(budget.selector.as_ref(), pod) {
                budget.pods.insert(Key::of(pod));
                selecting.push(key.clone());
            } else if !budget.pods.is_empty() {
                budget.pods.remove(&Key::of(pod));
            }
        }
        selecting
    }

    /// Forgets a pod; returns the budgets that selected it, by name.
    pub(super) fn gone(&self, pod: &Pod) -> Vec<Key> {
        let selecting = self.show(pod);
        let mut budgets = self.lock();
        for key in &selecting {
            if let Some(budget) = budgets.get_mut(key) {
                budget.pods.remove(&Key::of(pod));
            }
        }
        selecting
    }

    /// The members of a budget, by name.
    pub(super) fn of(&self, budget: &Key) -> Vec<Key> {
        self.lock().get(budget).map(|budget| budget.pods.iter().cloned().collect()).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Budget>> {
        self.0.lock().expect("invariant: no panic under this lock")
    }
}

/// A budget's selector; one without any selects nothing, an empty one everything.
pub(super) fn selector(budget: &PodDisruptionBudget) -> Option<Selector> {
    claim::selector(budget.spec.as_ref()?.selector.as_ref()?)
}

/// Whether a pod is selected.
pub(super) fn matches(selector: Option<&Selector>, pod: &Pod) -> bool {
    let nothing = BTreeMap::new();
    selector.is_some_and(|selector| selector.matches(pod.metadata.labels.as_ref().unwrap_or(&nothing)))
}
