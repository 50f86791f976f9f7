//! A claim, a volume and a class, as far as decisions look at them.

use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Written;
use mainstay_control::Key;
use mainstay_control::meta::{annotation, is_terminating, uid};
use mainstay_resource::{LabelSelector, Quantity};
use serde::Serialize;

use crate::NodeState;
use crate::demand::{Labels, NodeTerm};
use crate::seen::NodeSelector;

/// The node the first pod of a claim is to run on.
pub(crate) const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
const BETA_CLASS: &str = "volume.beta.kubernetes.io/storage-class";
/// A class whose volumes people make.
const BY_HAND: &str = "kubernetes.io/no-provisioner";
/// The labels that say where a volume is, under their newer and older names.
const PLACES: [[&str; 2]; 2] = [
    ["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"],
    ["topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"],
];

/// A claim.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Claim {
    pub(super) uid: Box<str>,
    pub(super) volume: Option<Arc<str>>,
    pub(super) class: String,
    /// The node its first pod is to run on.
    pub(super) node: Option<Arc<str>>,
    pub(super) bytes: i64,
    pub(super) modes: Vec<String>,
    pub(super) is_block: bool,
    pub(super) selector: Option<LabelSelector>,
    pub(super) stage: Stage,
}

/// How far a claim is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// It has no volume.
    #[default]
    Unbound,
    /// It has a volume for good.
    Bound,
    /// Its volume is gone.
    Lost,
    /// Somebody asked for its deletion.
    Leaving,
}

/// A volume.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Volume {
    /// Its driver, and what that knows it by.
    pub(super) csi: Option<(Arc<str>, Arc<str>)>,
    /// The claim it names.
    pub(super) claim: Option<Key>,
    pub(super) class: String,
    pub(super) bytes: i64,
    pub(super) modes: Vec<String>,
    pub(super) is_block: bool,
    pub(super) is_available: bool,
    pub(super) is_terminating: bool,
    pub(super) labels: Labels,
    /// The terms of which its node must meet one.
    pub(super) required: Option<Vec<NodeTerm>>,
    /// Where its labels say it is.
    pub(super) zones: Vec<([&'static str; 2], BTreeSet<String>)>,
}

/// A class.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Class {
    /// Whether claims of it wait for their first pod.
    pub(super) waits: bool,
    is_by_hand: bool,
    /// Who makes its volumes.
    pub(super) driver: Arc<str>,
    /// Of each term, labels and their values.
    topologies: Vec<Vec<(String, Vec<String>)>>,
}

/// The labels that say where a node is.
pub(super) fn zone_keys() -> impl Iterator<Item = &'static str> {
    PLACES.into_iter().flatten()
}

impl Claim {
    /// What decisions see of a claim.
    pub(crate) fn of(claim: &PersistentVolumeClaim) -> Self {
        let (meta, spec) = (&claim.metadata, claim.spec.clone().unwrap_or_default());
        let modes = spec.access_modes.unwrap_or_default();
        let requests = spec.resources.and_then(|resources| resources.requests);
        let volume = spec.volume_name.filter(|name| !name.is_empty());
        let phase = claim.status.as_ref().and_then(|status| status.phase.as_deref());
        Self {
            uid: uid(meta).into(),
            stage: match phase {
                Some("Lost") => Stage::Lost,
                _ if is_terminating(meta) => Stage::Leaving,
                _ if volume.is_some() && annotation(meta, BIND_COMPLETED).is_some() => Stage::Bound,
                _ => Stage::Unbound,
            },
            volume: volume.map(Into::into),
            class: class(annotation(meta, BETA_CLASS), spec.storage_class_name.as_deref()),
            node: annotation(meta, SELECTED_NODE).map(Into::into),
            bytes: bytes(requests.as_ref().and_then(|requests| requests.get("storage"))),
            modes,
            is_block: spec.volume_mode.as_deref() == Some("Block"),
            selector: spec.selector.map(|selector| selector_of(&selector)),
        }
    }

    /// Whether one pod alone may use it.
    pub(super) fn is_exclusive(&self) -> bool {
        self.modes.iter().any(|mode| mode == "ReadWriteOncePod")
    }

    pub(super) fn is_bound(&self) -> bool {
        self.stage == Stage::Bound
    }
}

impl Volume {
    /// What decisions see of a volume.
    pub(crate) fn of(volume: &PersistentVolume) -> Self {
        let (meta, spec) = (&volume.metadata, volume.spec.clone().unwrap_or_default());
        let labels = meta.labels.clone().unwrap_or_default();
        let phase = volume.status.as_ref().and_then(|status| status.phase.as_deref());
        let claim = spec.claim_ref.map(|it| {
            Key::new(it.namespace.as_deref().unwrap_or_default(), it.name.as_deref().unwrap_or_default())
        });
        Self {
            csi: spec.csi.map(|csi| (csi.driver.into(), csi.volume_handle.into())),
            claim,
            class: class(annotation(meta, BETA_CLASS), spec.storage_class_name.as_deref()),
            bytes: bytes(spec.capacity.as_ref().and_then(|capacity| capacity.get("storage"))),
            modes: spec.access_modes.unwrap_or_default(),
            is_block: spec.volume_mode.as_deref() == Some("Block"),
            is_available: phase == Some("Available"),
            is_terminating: is_terminating(meta),
            required: spec.node_affinity.and_then(|affinity| affinity.required).map(|it| terms(&it)),
            zones: zones(&labels),
            labels,
        }
    }

    /// Whether it is what a claim asks for.
    pub(super) fn suits(&self, claim: &Claim) -> bool {
        !self.is_terminating
            && self.class == claim.class
            && self.bytes >= claim.bytes
            && self.is_block == claim.is_block
            && claim.modes.iter().all(|mode| self.modes.contains(mode))
            && claim.selector.as_ref().is_none_or(|selector| selector.matches_map(&self.labels))
    }
}

impl Class {
    /// What decisions see of a class.
    pub(crate) fn of(class: &StorageClass) -> Self {
        let topologies = class.allowed_topologies.iter().flatten().map(|term| {
            let labels = term.match_label_expressions.iter().flatten();
            labels.map(|it| (it.key.clone(), it.values.clone())).collect()
        });
        Self {
            waits: class.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer"),
            driver: class.provisioner.as_str().into(),
            is_by_hand: class.provisioner.is_empty() || class.provisioner == BY_HAND,
            topologies: topologies.collect(),
        }
    }

    /// Whether a volume would be made where the node is.
    pub(super) fn makes_volumes_for(&self, node: &NodeState) -> bool {
        let labels = &node.facts.labels;
        let is_there = |(key, values): &(String, Vec<String>)| {
            labels.get(key).is_some_and(|value| values.contains(value))
        };
        let mut terms = self.topologies.iter();
        !self.is_by_hand && (self.topologies.is_empty() || terms.any(|term| term.iter().all(is_there)))
    }
}

fn class(annotation: Option<&str>, field: Option<&str>) -> String {
    annotation.or(field).unwrap_or_default().to_owned()
}

fn bytes(amount: Option<&Written>) -> i64 {
    amount.and_then(|amount| Quantity::parse(&amount.0).ok()).map_or(0, Quantity::value)
}

fn selector_of(selector: &impl Serialize) -> LabelSelector {
    let object = serde_json::to_value(selector).unwrap_or_default();
    LabelSelector::from_object(&object).unwrap_or_else(|_| LabelSelector::nothing())
}

fn terms(selector: &impl Serialize) -> Vec<NodeTerm> {
    let selector = serde_json::to_value(selector).and_then(serde_json::from_value::<NodeSelector>);
    selector.ok().and_then(|selector| selector.node_selector_terms).unwrap_or_default()
}

fn zones(labels: &Labels) -> Vec<([&'static str; 2], BTreeSet<String>)> {
    let named = PLACES.into_iter().filter_map(|keys| {
        let value = keys.iter().find_map(|key| labels.get(*key))?;
        Some((keys, value.split("__").map(str::to_owned).collect()))
    });
    named.collect()
}
