//! How many pods may be disrupted, as budgets for disruptions have it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use mainstay_control::{Excerpt, Key};
use mainstay_resource::LabelSelector;
use serde::Deserialize;
use serde_json::Value;

use crate::PodState;

/// A budget as it is read from the API.
pub(crate) type SeenBudget = Excerpt<PodDisruptionBudget, Whose, Left>;

/// Of a budget's spec.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Whose {
    pub(crate) selector: Option<Value>,
}

/// Of a budget's status.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Left {
    #[serde(default)]
    pub(crate) disruptions_allowed: i32,
    pub(crate) disrupted_pods: Option<BTreeMap<String, Value>>,
}

#[derive(Clone, Debug)]
struct Budget {
    selector: LabelSelector,
    allowed: i32,
    /// The pods that are taken off it already.
    disrupted: BTreeSet<String>,
}

/// All budgets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Budgets(BTreeMap<Key, Budget>);

impl Budgets {
    /// Brings a budget up to date.
    pub(crate) fn put(&mut self, seen: SeenBudget) {
        let key = Key::of(&seen);
        let selector = LabelSelector::from_object(&seen.spec.selector.unwrap_or_default());
        let budget = Budget {
            selector: selector.unwrap_or_else(|_| LabelSelector::nothing()),
            allowed: seen.status.disruptions_allowed,
            disrupted: seen.status.disrupted_pods.into_iter().flatten().map(|(name, _)| name).collect(),
        };
        self.0.insert(key, budget);
    }

    /// Forgets a budget.
    pub(crate) fn remove(&mut self, key: &Key) {
        self.0.remove(key);
    }

    /// Which of these pods could not go, after those before them, without violating a budget.
    pub(crate) fn violated(&self, pods: &[Arc<PodState>]) -> Vec<bool> {
        if self.0.is_empty() {
            return vec![false; pods.len()];
        }
        let mut left: Vec<i32> = self.0.values().map(|budget| budget.allowed).collect();
        pods.iter().map(|pod| self.spend(pod, &mut left)).collect()
    }

    fn spend(&self, pod: &PodState, left: &mut [i32]) -> bool {
        let mut is_violated = false;
        for ((key, budget), left) in self.0.iter().zip(left) {
            let selects = key.namespace == pod.key.namespace
                && !budget.selector.is_everything()
                && !pod.labels.is_empty()
                && budget.selector.matches_map(&pod.labels);
            if selects && !budget.disrupted.contains(&*pod.key.name) {
                *left -= 1;
                is_violated |= *left < 0;
            }
        }
        is_violated
    }
}
