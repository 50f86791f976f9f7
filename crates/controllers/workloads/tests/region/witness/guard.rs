//! What budgets guard, as a witness sees it: which evictions none of them may have let through.
//!
//! **Invariant it watches:** no eviction of a healthy pod leaves fewer healthy than its budget wants.
//! The budget may not have heard yet of pods that were lost otherwise, or of another size of their
//! Deployment; of other evictions it has, for they are what it counts itself.

use std::collections::{BTreeMap, VecDeque};

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use tokio::time::Instant;

use super::HEARSAY;

/// The label by which Deployments, their pods and their budgets belong together.
const APP: &str = "app";

/// What was seen, by the value of the label.
#[derive(Default)]
pub(super) struct Guard {
    budgets: BTreeMap<String, PodDisruptionBudget>,
    /// How many pods there are to be lately, and since when; none where the Deployment is gone.
    sizes: BTreeMap<String, VecDeque<(Instant, Option<i32>)>>,
    /// When healthy pods were lost lately that nobody evicted.
    losses: BTreeMap<String, VecDeque<Instant>>,
}

impl Guard {
    pub(super) fn see_budget(&mut self, budget: PodDisruptionBudget, is_gone: bool) {
        let Some(app) = budget.metadata.name.clone() else { return };
        if is_gone {
            self.budgets.remove(&app);
        } else {
            self.budgets.insert(app, budget);
        }
    }

    pub(super) fn see_size(&mut self, app: &str, replicas: Option<i32>) {
        let sizes = self.sizes.entry(app.to_owned()).or_default();
        if sizes.back().is_some_and(|(_, known)| *known == replicas) {
            return;
        }
        sizes.push_back((Instant::now(), replicas));
    }

    /// Judges how a pod changes, where it was healthy and is no more; `healthy` are how many were.
    pub(super) fn see_loss(&mut self, before: &Pod, healthy: usize) -> Option<String> {
        let app = app(before)?;
        let now = Instant::now();
        let losses = self.losses.entry(app.to_owned()).or_default();
        while losses.front().is_some_and(|then| now.duration_since(*then) > HEARSAY) {
            losses.pop_front();
        }
        if !is_announced(before) {
            losses.push_back(now);
            return None;
        }
        let left = i32::try_from(healthy + losses.len()).unwrap() - 1;
        let wanted = self.wanted(app, now)?;
        let name = before.metadata.name.as_deref().unwrap_or_default();
        (left < wanted)
            .then(|| format!("{name} was evicted, which left {left} of {wanted} that {app} guards"))
    }

    /// The fewest healthy pods a budget may have wanted lately.
    fn wanted(&mut self, app: &str, now: Instant) -> Option<i32> {
        let spec = self.budgets.get(app)?.spec.as_ref()?;
        if let Some(IntOrString::Int(least)) = &spec.min_available {
            return Some(*least);
        }
        let sizes = self.sizes.entry(app.to_owned()).or_default();
        // The last one of before is what held until then.
        while sizes.get(1).is_some_and(|(then, _)| now.duration_since(*then) > HEARSAY) {
            sizes.pop_front();
        }
        let wanted = sizes.iter().map(|(_, size)| {
            size.map_or(i32::MAX, |size| {
                let part = |of: &IntOrString| match of {
                    IntOrString::Int(count) => *count,
                    IntOrString::String(percent) => {
                        let percent: i32 = percent.trim_end_matches('%').parse().unwrap();
                        (size * percent + 99) / 100
                    }
                };
                match (&spec.min_available, &spec.max_unavailable) {
                    (Some(least), _) => part(least),
                    (None, Some(most)) => (size - part(most)).max(0),
                    (None, None) => 0,
                }
            })
        });
        wanted.min()
    }
}

/// The Deployment a pod is of, by its label.
pub(super) fn app(pod: &Pod) -> Option<&str> {
    pod.metadata.labels.as_ref()?.get(APP).map(String::as_str)
}

/// Whether a budget counts the pod.
pub(super) fn is_healthy(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_none() && holds(pod, "Ready", None)
}

/// Whether its eviction was announced.
fn is_announced(pod: &Pod) -> bool {
    holds(pod, "DisruptionTarget", Some("EvictionByEvictionAPI"))
}

fn holds(pod: &Pod, type_: &str, reason: Option<&str>) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.into_iter().flatten().any(|own| {
        own.type_ == type_ && own.status == "True" && (reason.is_none() || own.reason.as_deref() == reason)
    })
}
