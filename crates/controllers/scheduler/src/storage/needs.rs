//! What the claims of a pod ask of a node.

use std::sync::Arc;

use mainstay_control::Key;

use super::objects::zone_keys;
use super::{Claim, Class, Step, Storage, Volume};
use crate::filter::{Objection, affinity};
use crate::{NodeState, PodState};

/// A claim that waits for its first pod.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) key: Key,
    pub(super) claim: Arc<Claim>,
    pub(super) class: Option<Arc<Class>>,
    /// The volumes that are there for it, the smallest first.
    pub(super) suitable: Vec<(Arc<str>, Arc<Volume>)>,
}

/// What claims ask of a node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Needs {
    pub(super) bound: Vec<Arc<Volume>>,
    pub(super) waiting: Vec<Waiting>,
    /// A claim has a volume that is not there.
    pub(super) is_gone: bool,
    /// A claim that one pod alone may use is in use.
    pub(super) is_taken: bool,
}

/// What keeps a pod's volumes from a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Misfit {
    /// A volume is elsewhere.
    pub(crate) is_away: bool,
    /// There is no volume for a claim, nor will one be made there.
    pub(crate) is_missing: bool,
    /// A volume is nowhere.
    pub(crate) is_gone: bool,
}

impl Needs {
    /// Whether the node has all of it.
    pub(crate) fn check(&self, pod: &PodState, storage: &Storage, node: &NodeState) -> Result<(), Objection> {
        if self.is_taken {
            return Err(Objection::VolumeTaken);
        }
        storage.check_limits(pod, node)?;
        let misfit = Misfit {
            is_away: self.bound.iter().any(|volume| !is_reachable(volume, node)),
            is_missing: self.plan(node).is_none(),
            is_gone: self.is_gone,
        };
        if misfit != Misfit::default() {
            return Err(Objection::Volumes(misfit));
        }
        if self.bound.iter().any(|volume| !is_in_zone(volume, node)) {
            return Err(Objection::VolumeZone);
        }
        Ok(())
    }

    /// What is to be written once this node is chosen.
    pub(super) fn steps(&self, node: &NodeState) -> Vec<Step> {
        self.plan(node).unwrap_or_default()
    }

    /// A volume for each claim that waits, or the order to make one; `None` where that cannot be.
    fn plan(&self, node: &NodeState) -> Option<Vec<Step>> {
        let mut steps = Vec::with_capacity(self.waiting.len());
        let mut given: Vec<&Arc<str>> = Vec::new();
        for Waiting { key, claim, class, suitable } in &self.waiting {
            if claim.node.as_ref().is_some_and(|chosen| *chosen != node.name) {
                return None;
            }
            let mut found =
                suitable.iter().filter(|(name, it)| !given.contains(&name) && is_reachable(it, node));
            match found.next().filter(|_| claim.node.is_none()) {
                Some((name, _)) => {
                    given.push(name);
                    steps.push(Step::Give(key.clone(), claim.uid.clone(), name.clone()));
                }
                None if class.as_ref().is_some_and(|class| class.makes_volumes_for(node)) => {
                    steps.push(Step::Choose(key.clone()));
                }
                None => return None,
            }
        }
        Some(steps)
    }
}

fn is_reachable(volume: &Volume, node: &NodeState) -> bool {
    volume.required.as_ref().is_none_or(|terms| affinity::meets_one(terms, node))
}

/// Whether the node is in the volume's zone; a node that is in none will do.
fn is_in_zone(volume: &Volume, node: &NodeState) -> bool {
    let labels = &node.facts.labels;
    volume.zones.is_empty()
        || !zone_keys().any(|key| labels.contains_key(key))
        || volume.zones.iter().all(|(keys, values)| {
            let zone = keys.iter().find_map(|key| labels.get(*key));
            zone.is_some_and(|zone| values.contains(zone))
        })
}
