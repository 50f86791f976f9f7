//! Since when what is told has been due: the time of the change that made the controller look.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Pod, Service};
use mainstay_control::Key;

use crate::pods;

/// The annotation that tells it.
pub(super) const ANNOTATION: &str = "endpoints.kubernetes.io/last-change-trigger-time";

/// What was seen of each Service and its pods.
#[derive(Debug, Default)]
pub(super) struct Triggers(BTreeMap<Key, Seen>);

#[derive(Debug, Default)]
struct Seen {
    service: Option<Timestamp>,
    pods: BTreeMap<Arc<str>, Timestamp>,
}

impl Triggers {
    /// The earliest change since the last look; `None` when nothing newer is there.
    pub(super) fn look(&mut self, key: &Key, service: &Service, pods: &[Arc<Pod>]) -> Option<Timestamp> {
        let known = self.0.contains_key(key);
        let seen = self.0.entry(key.clone()).or_default();
        let created = service.metadata.creation_timestamp.as_ref().map(|time| time.0);
        let now: BTreeMap<Arc<str>, Timestamp> = pods
            .iter()
            .filter_map(|pod| Some((pod.metadata.name.as_deref()?.into(), pods::ready_changed(pod)?)))
            .collect();
        let changes = now.iter().filter(|(name, at)| seen.pods.get(*name).is_none_or(|before| before < *at));
        let earliest_pod = changes.map(|(_, at)| *at).min();
        let new_service = created.filter(|_| !known || seen.service != created);
        let trigger = earliest_pod.into_iter().chain(new_service).min();
        *seen = Seen { service: created, pods: now };
        trigger
    }

    /// The Service is gone.
    pub(super) fn forget(&mut self, key: &Key) {
        self.0.remove(key);
    }
}

/// The annotation's value.
pub(super) fn text(trigger: Timestamp) -> String {
    trigger.to_string()
}
