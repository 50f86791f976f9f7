//! A pod as decisions see it, and what pods have in common.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mainstay_control::Key;
use mainstay_control::meta::{controller_of, is_terminating, uid};

use crate::Demand;
use crate::demand::Labels;
use crate::seen::{Seen, claims};

/// How many pods are taken in before what nobody shares any more is forgotten.
const SWEEP: usize = 4096;

/// The set that a pod belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// A pod as decisions see it.
///
/// **Invariants:** two states of a pod that are equal are the same to every decision, so a change
/// that leaves the state as it was wakes nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodState {
    /// Its namespace and name.
    pub key: Key,
    /// Its uid.
    pub uid: Box<str>,
    /// Whether somebody asked for its deletion.
    pub is_terminating: bool,
    /// Its labels.
    pub labels: Arc<Labels>,
    /// The controller it belongs to.
    pub owner: Option<Arc<Owner>>,
    /// What it demands.
    pub demand: Arc<Demand>,
    /// The same for all pods that share a demand; 0 where it is not shared.
    pub sort: u64,
}

impl PodState {
    /// What decisions see of `pod`.
    pub fn of(pod: &Seen) -> Self {
        let meta = &pod.metadata;
        let key = Key::of(pod);
        let labels = meta.labels.clone().unwrap_or_default();
        let owner =
            controller_of(meta).map(|owner| Owner { kind: owner.kind.clone(), name: owner.name.clone() });
        let demand = Demand {
            claims: claims(&key.name, &pod.spec),
            ..Demand::of(key.namespace.clone(), &labels, &pod.spec)
        };
        Self {
            uid: uid(meta).into(),
            is_terminating: is_terminating(meta),
            demand: Arc::new(demand),
            key,
            labels: Arc::new(labels),
            owner: owner.map(Arc::new),
            sort: 0,
        }
    }
}

/// Everything that several pods have in common, once.
#[derive(Debug, Default)]
pub(crate) struct Register {
    demands: BTreeMap<Arc<Demand>, u64>,
    labels: BTreeSet<Arc<Labels>>,
    owners: BTreeSet<Arc<Owner>>,
    namespaces: BTreeSet<Arc<str>>,
    sorts: u64,
    taken_in: usize,
}

impl Register {
    /// The same pod, sharing with others what they have in common.
    pub(crate) fn share(&mut self, mut pod: PodState) -> Arc<PodState> {
        self.taken_in += 1;
        if self.taken_in.is_multiple_of(SWEEP) {
            self.sweep();
        }
        pod.key.namespace = shared(&mut self.namespaces, pod.key.namespace);
        pod.labels = shared(&mut self.labels, pod.labels);
        pod.owner = pod.owner.map(|owner| shared(&mut self.owners, owner));
        if let Some((demand, sort)) = self.demands.get_key_value(&pod.demand) {
            (pod.demand, pod.sort) = (demand.clone(), *sort);
        } else {
            self.sorts += 1;
            pod.sort = self.sorts;
            self.demands.insert(pod.demand.clone(), pod.sort);
        }
        Arc::new(pod)
    }

    fn sweep(&mut self) {
        self.demands.retain(|demand, _| Arc::strong_count(demand) > 1);
        self.labels.retain(|labels| Arc::strong_count(labels) > 1);
        self.owners.retain(|owner| Arc::strong_count(owner) > 1);
        self.namespaces.retain(|namespace| Arc::strong_count(namespace) > 1);
    }
}

fn shared<T: Ord + ?Sized>(known: &mut BTreeSet<Arc<T>>, one: Arc<T>) -> Arc<T> {
    if let Some(known) = known.get(&one) {
        return known.clone();
    }
    known.insert(one.clone());
    one
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::pod;
    use serde_json::json;

    #[test]
    fn pods_of_one_template_share_what_they_have_in_common() {
        let mut register = Register::default();
        let mut share = |name: &str, priority: i32| {
            let changes = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"priority": priority}});
            register.share(PodState::of(&pod(name, changes)))
        };
        let (one, two, other) = (share("one", 1), share("two", 1), share("other", 2));
        assert!(Arc::ptr_eq(&one.demand, &two.demand) && Arc::ptr_eq(&one.labels, &other.labels));
        assert_eq!((one.sort == two.sort, one.sort == other.sort), (true, false));
    }

    #[test]
    fn what_no_pod_has_any_more_is_forgotten() {
        let mut register = Register::default();
        for index in 0..SWEEP {
            let labels = json!({"metadata": {"labels": {"index": index.to_string()}}});
            register.share(PodState::of(&pod("web", labels)));
        }
        assert_eq!(register.labels.len(), 1);
    }
}
