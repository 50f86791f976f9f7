//! How many volumes of a driver a node can attach.
//!
//! A volume that is yet to be made counts as one of its class's driver.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::storage::v1::CSINode;
use mainstay_control::Key;

use super::{Storage, keys};
use crate::filter::Objection;
use crate::{NodeState, PodState};

/// Of each driver, how many volumes a node can attach.
pub(crate) type Limits = BTreeMap<String, usize>;

/// What a node says of it.
pub(crate) fn limits(node: &CSINode) -> Limits {
    let drivers = node.spec.drivers.iter().filter_map(|driver| {
        let count = driver.allocatable.as_ref()?.count?;
        Some((driver.name.clone(), usize::try_from(count).unwrap_or_default()))
    });
    drivers.collect()
}

/// A volume to attach: its driver, and what tells it from others of that driver.
type Attached = (Arc<str>, Arc<str>);

impl Storage {
    /// Whether the node can attach the pod's volumes beside those it has.
    pub(crate) fn check_limits(&self, pod: &PodState, node: &NodeState) -> Result<(), Objection> {
        let Some(limits) = self.limits.get(&node.name).filter(|limits| !limits.is_empty()) else {
            return Ok(());
        };
        let others = node.usage.pods.values().filter(|other| !other.demand.claims.is_empty());
        let there: BTreeSet<Attached> = others.flat_map(|other| self.attached(other)).collect();
        let new: BTreeSet<Attached> = self.attached(pod).filter(|volume| !there.contains(volume)).collect();
        let of = |volumes: &BTreeSet<Attached>, driver: &str| {
            volumes.iter().filter(|(name, _)| **name == *driver).count()
        };
        let is_exceeded = limits.iter().any(|(driver, limit)| {
            let added = of(&new, driver);
            added > 0 && of(&there, driver) + added > *limit
        });
        if is_exceeded { Err(Objection::VolumeLimit) } else { Ok(()) }
    }

    fn attached(&self, pod: &PodState) -> impl Iterator<Item = Attached> {
        keys(pod).filter_map(|key| self.attachable(&key))
    }

    fn attachable(&self, key: &Key) -> Option<Attached> {
        let claim = self.claims.get(key)?;
        if let Some(volume) = &claim.volume {
            return self.volumes.get(volume)?.csi.clone();
        }
        let driver = self.classes.get(&*claim.class)?.driver.clone();
        Some((driver, key.to_string().into()))
    }
}
