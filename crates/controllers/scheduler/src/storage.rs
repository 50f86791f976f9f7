//! Claims, volumes and classes as decisions see them, and what they mean to where a pod may go.
//!
//! A claim that waits for its first pod gets its volume once that pod has a node: the node is written
//! to the claim ([`Step`]), and the pod is bound when all its claims are.
//!
//! **Invariants:** no volume is promised to two claims.
//!
//! LIMIT: how much room storage has is not looked at.
//!
//! **Spec:** upstream's `VolumeBinding`, `VolumeZone`, `NodeVolumeLimits` and, of `VolumeRestrictions`, the part of claims.

use std::collections::BTreeMap;
use std::sync::Arc;

use mainstay_control::Key;

use crate::PodState;
use crate::filter::{Plugin, Reason, Rejection};

mod limits;
mod needs;
mod objects;

#[cfg(test)]
mod tests;

pub(crate) use limits::{Limits, limits};
pub(crate) use needs::{Misfit, Needs};
use objects::Stage;
pub(crate) use objects::{Claim, Class, SELECTED_NODE, Volume};

/// What is to be written for a claim before its pod can be bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The claim is told the node.
    Choose(Key),
    /// This volume is given to the claim of this uid.
    Give(Key, Box<str>, Arc<str>),
}

/// All claims, volumes and classes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Storage {
    claims: BTreeMap<Key, Arc<Claim>>,
    volumes: BTreeMap<Arc<str>, Arc<Volume>>,
    classes: BTreeMap<Arc<str>, Arc<Class>>,
    /// Volumes that were given to a claim, as the watch has yet to show.
    promised: BTreeMap<Arc<str>, Key>,
    /// How many volumes each node can attach.
    limits: BTreeMap<Arc<str>, Arc<Limits>>,
    /// How many pods on nodes use each claim.
    used: BTreeMap<Key, usize>,
}

impl Storage {
    /// Brings a claim up to date; whether that changes anything.
    pub(crate) fn put_claim(&mut self, key: &Key, claim: Option<Claim>) -> bool {
        put(&mut self.claims, key, claim)
    }

    /// Brings a volume up to date; whether that changes anything.
    pub(crate) fn put_volume(&mut self, name: &Arc<str>, volume: Option<Volume>) -> bool {
        if volume.as_ref().is_none_or(|volume| volume.claim.is_some()) {
            self.promised.remove(name);
        }
        put(&mut self.volumes, name, volume)
    }

    /// Brings a class up to date; whether that changes anything.
    pub(crate) fn put_class(&mut self, name: &Arc<str>, class: Option<Class>) -> bool {
        put(&mut self.classes, name, class)
    }

    /// Brings what a node can attach up to date; whether that changes anything.
    pub(crate) fn put_limits(&mut self, node: &Arc<str>, limits: Option<Limits>) -> bool {
        put(&mut self.limits, node, limits)
    }

    /// A pod that uses claims is on a node, or no longer.
    pub(crate) fn count(&mut self, pod: &PodState, is_there: bool) {
        for key in keys(pod) {
            let used = self.used.entry(key.clone()).or_default();
            *used = if is_there { *used + 1 } else { used.saturating_sub(1) };
            if *used == 0 {
                self.used.remove(&key);
            }
        }
    }

    /// Why a pod can go nowhere before something becomes of its claims.
    pub(crate) fn refusal(&self, pod: &PodState) -> Option<Rejection> {
        if pod.demand.claims.is_empty() {
            return None;
        }
        let refuse = |told: String| Rejection::lasting(Plugin::VolumeBinding, Reason::Claim(told));
        let mut is_unbound = false;
        for key in keys(pod) {
            let name = &key.name;
            let Some(claim) = self.claims.get(&key) else {
                return Some(refuse(format!("persistentvolumeclaim \"{name}\" not found")));
            };
            if claim.stage == Stage::Lost {
                let volume = claim.volume.as_deref().unwrap_or_default();
                let told = format!(
                    "persistentvolumeclaim \"{name}\" bound to non-existent persistentvolume \"{volume}\""
                );
                return Some(refuse(told));
            }
            if claim.stage == Stage::Leaving {
                return Some(refuse(format!("persistentvolumeclaim \"{name}\" is being deleted")));
            }
            is_unbound |= !claim.is_bound() && !self.waits(claim);
        }
        is_unbound.then(|| refuse("pod has unbound immediate PersistentVolumeClaims".to_owned()))
    }

    /// Whether a claim gets its volume once its first pod has a node.
    fn waits(&self, claim: &Claim) -> bool {
        claim.volume.is_none() && self.classes.get(&*claim.class).is_some_and(|class| class.waits)
    }

    /// What the pod's claims ask of a node.
    pub(crate) fn needs(&self, pod: &PodState) -> Needs {
        let mut needs = Needs::default();
        let mut chosen = Vec::new();
        for (key, claim) in keys(pod).filter_map(|key| {
            let claim = self.claims.get(&key)?.clone();
            Some((key, claim))
        }) {
            needs.is_taken |= claim.is_exclusive() && self.used.contains_key(&key);
            if claim.is_bound() {
                let volume = claim.volume.as_ref().and_then(|name| self.volumes.get(name));
                match volume {
                    Some(volume) => needs.bound.push(volume.clone()),
                    None => needs.is_gone = true,
                }
            } else {
                chosen.push((key, claim));
            }
        }
        chosen.sort_by_key(|(_, claim)| claim.bytes);
        for (key, claim) in chosen {
            let class = self.classes.get(&*claim.class).cloned();
            let suitable = self.suitable(&key, &claim);
            needs.waiting.push(needs::Waiting { key, claim, class, suitable });
        }
        needs
    }

    /// The volumes that are there and could be the claim's, the smallest first.
    fn suitable(&self, key: &Key, claim: &Claim) -> Vec<(Arc<str>, Arc<Volume>)> {
        let is_free = |name: &Arc<str>, volume: &Volume| match (&volume.claim, self.promised.get(name)) {
            (Some(of), _) => of == key,
            (None, Some(of)) => of == key,
            (None, None) => volume.is_available,
        };
        let suitable = self.volumes.iter().filter(|(name, it)| is_free(name, it) && it.suits(claim));
        let mut suitable: Vec<_> = suitable.map(|(name, it)| (name.clone(), it.clone())).collect();
        suitable.sort_by_key(|(_, volume)| volume.bytes);
        suitable
    }

    /// Chooses a node for a pod: what is to be written for its claims.
    pub(crate) fn choose(&mut self, pod: &PodState, node: &crate::NodeState) -> Vec<Step> {
        let steps = self.needs(pod).steps(node);
        for step in &steps {
            match step {
                Step::Give(claim, _, volume) => {
                    self.promised.insert(volume.clone(), claim.clone());
                }
                Step::Choose(claim) => self.select(claim, Some(&node.name)),
            }
        }
        steps
    }

    /// Takes back what was chosen.
    pub(crate) fn take_back(&mut self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::Give(_, _, volume) => {
                    self.promised.remove(volume);
                }
                Step::Choose(claim) => self.select(claim, None),
            }
        }
    }

    fn select(&mut self, claim: &Key, node: Option<&Arc<str>>) {
        if let Some(claim) = self.claims.get_mut(claim) {
            Arc::make_mut(claim).node = node.cloned();
        }
    }

    /// How far the claims of a pod are: `Some(true)` where all have their volumes, `None` where that
    /// will not come to be on this node.
    pub(crate) fn are_bound(&self, pod: &PodState, node: &str) -> Option<bool> {
        let mut are_bound = true;
        for key in keys(pod) {
            let claim =
                self.claims.get(&key).filter(|claim| matches!(claim.stage, Stage::Unbound | Stage::Bound))?;
            let is_chosen = claim.node.as_deref().is_none_or(|chosen| chosen == node);
            if !is_chosen {
                return None;
            }
            are_bound &= claim.is_bound();
        }
        Some(are_bound)
    }
}

fn put<K: Ord + Clone, T: PartialEq>(all: &mut BTreeMap<K, Arc<T>>, key: &K, one: Option<T>) -> bool {
    match one {
        Some(one) if all.get(key).is_some_and(|before| **before == one) => false,
        Some(one) => {
            all.insert(key.clone(), Arc::new(one));
            true
        }
        None => all.remove(key).is_some(),
    }
}

/// The claims of a pod.
pub(crate) fn keys(pod: &PodState) -> impl Iterator<Item = Key> {
    let namespace = pod.key.namespace.clone();
    pod.demand.claims.iter().map(move |name| Key { namespace: namespace.clone(), name: name.as_str().into() })
}
