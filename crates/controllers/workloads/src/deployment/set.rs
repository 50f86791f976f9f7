//! A ReplicaSet of a Deployment, with what is to change about it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{ReplicaSet, ReplicaSetStatus};
use mainstay_control::meta::{annotation, uid};
use serde_json::{Value, json};

use super::size::Size;
use crate::replica_set::Shape as _;

/// How many pods the Deployment wanted when the set was last scaled.
pub(crate) const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
/// How many it would have allowed.
pub(crate) const MOST: &str = "deployment.kubernetes.io/max-replicas";

/// A set and its changes so far.
#[derive(Clone, Debug)]
pub(crate) struct Set {
    pub(crate) object: Arc<ReplicaSet>,
    /// Its size, as it shall be.
    pub(crate) replicas: i32,
    /// What was said of its scaling.
    pub(crate) events: Vec<String>,
    pub(crate) min_ready_seconds: Option<i32>,
    annotations: BTreeMap<String, String>,
}

impl Set {
    pub(crate) fn new(object: Arc<ReplicaSet>) -> Self {
        let replicas = object.replicas();
        Self { object, replicas, events: Vec::new(), min_ready_seconds: None, annotations: BTreeMap::new() }
    }

    pub(crate) fn name(&self) -> &str {
        self.object.metadata.name.as_deref().unwrap_or_default()
    }

    pub(crate) fn uid(&self) -> &str {
        uid(&self.object.metadata)
    }

    pub(crate) fn created_at(&self) -> Option<Timestamp> {
        self.object.metadata.creation_timestamp.as_ref().map(|time| time.0)
    }

    /// Oldest first, then by name.
    pub(crate) fn age(&self) -> (Option<Timestamp>, &str) {
        (self.created_at(), self.name())
    }

    pub(crate) fn is_active(&self) -> bool {
        self.replicas > 0
    }

    pub(crate) fn actual(&self) -> i32 {
        self.status(|status| Some(status.replicas))
    }

    pub(crate) fn ready(&self) -> i32 {
        self.status(|status| status.ready_replicas)
    }

    pub(crate) fn available(&self) -> i32 {
        self.status(|status| status.available_replicas)
    }

    /// The pods available once the set has the size it shall have. Its status may still count pods
    /// that are about to go.
    pub(crate) fn remaining(&self) -> i32 {
        self.available().min(self.replicas)
    }

    fn status(&self, field: impl Fn(&ReplicaSetStatus) -> Option<i32>) -> i32 {
        self.object.status.as_ref().and_then(field).unwrap_or_default()
    }

    pub(crate) fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.get(key).map(String::as_str).or_else(|| annotation(&self.object.metadata, key))
    }

    pub(crate) fn annotate(&mut self, key: &str, value: impl Into<String>) {
        let value = value.into();
        if self.annotation(key) != Some(&value) {
            self.annotations.insert(key.to_owned(), value);
        }
    }

    /// An annotation that is a number of pods.
    pub(crate) fn number(&self, key: &str) -> Option<i32> {
        let digits = self.annotation(key).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
        digits.parse().ok()
    }

    /// The size wanted when it was last scaled, if it was.
    pub(crate) fn desired(&self) -> Option<i32> {
        self.number(DESIRED)
    }

    /// The size allowed when it was last scaled, if it was.
    pub(crate) fn most(&self) -> Option<i32> {
        self.number(MOST)
    }

    /// Gives it another size; says whether that is a change.
    pub(crate) fn scale(&mut self, to: i32, size: &Size) -> bool {
        self.replicas != to && self.scale_and_mark(to, size)
    }

    /// Gives it another size, and notes of which size of the Deployment that is a part, even where
    /// it is the size it had.
    pub(crate) fn scale_and_mark(&mut self, to: i32, size: &Size) -> bool {
        let from = std::mem::replace(&mut self.replicas, to);
        self.annotate(DESIRED, size.replicas.to_string());
        self.annotate(MOST, size.most().to_string());
        if from != to {
            let direction = if from < to { "up" } else { "down" };
            let name = self.name();
            self.events.push(format!("Scaled {direction} replica set {name} from {from} to {to}"));
        }
        from != to
    }

    /// The merge patch of its changes, guarded by the version they are based on.
    pub(crate) fn patch(&self) -> Option<Value> {
        let mut spec = serde_json::Map::new();
        if self.replicas != self.object.replicas() {
            spec.insert("replicas".to_owned(), self.replicas.into());
        }
        if let Some(seconds) = self.min_ready_seconds {
            spec.insert("minReadySeconds".to_owned(), seconds.into());
        }
        if spec.is_empty() && self.annotations.is_empty() {
            return None;
        }
        let mut patch = json!({"metadata": {"resourceVersion": self.object.metadata.resource_version}});
        if !self.annotations.is_empty() {
            patch["metadata"]["annotations"] = json!(self.annotations);
        }
        if !spec.is_empty() {
            patch["spec"] = spec.into();
        }
        Some(patch)
    }
}
