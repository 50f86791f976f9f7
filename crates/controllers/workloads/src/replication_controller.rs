//! The ReplicationController controller: that of ReplicaSets over the older shape.
//!
//! **Spec:** upstream's `replication` controller.

use std::borrow::Cow;
use std::sync::Arc;

use k8s_openapi::api::apps::v1::{ReplicaSetCondition, ReplicaSetStatus};
use k8s_openapi::api::core::v1::{PodTemplateSpec, ReplicationController, ReplicationControllerStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::core::Selector;
use mainstay_control::meta::controller_uid;
use mainstay_control::{Component, Counters, Informer, events};
use mainstay_resource::Rule;

use crate::replica_set::{self, Shape};
use crate::{Informers, claim};

#[cfg(test)]
mod tests;

/// Its name, and the field manager it writes as.
pub const NAME: &str = "replicationcontroller-controller";
/// The user it writes as.
pub const USER: &str = "system:serviceaccount:kube-system:replication-controller";
/// What that user may do.
pub const RULES: &[Rule] = &[
    Rule { groups: &[""], resources: &["replicationcontrollers"], verbs: &["get"] },
    Rule { groups: &[""], resources: &["replicationcontrollers/status"], verbs: &["patch"] },
    Rule { groups: &[""], resources: &["pods"], verbs: &["create", "delete", "patch"] },
    events::RULE,
];

/// The controller as the platform starts it.
pub fn component(informers: &Informers) -> Component {
    let (informers, counters) = (informers.clone(), Counters::default());
    Component::new(NAME, USER, RULES, counters.clone(), move |client, world| {
        replica_set::keep::<ReplicationController>(client, world, informers.clone(), counters.clone())
    })
}

impl Shape for ReplicationController {
    const NAME: &'static str = NAME;
    const TELLER: &'static str = "replication-controller";

    fn cache(informers: &Informers) -> &Informer<Self> {
        &informers.replication_controllers
    }

    fn selector(&self) -> Option<Selector> {
        let labels = self.spec.as_ref()?.selector.clone();
        claim::selector(&LabelSelector { match_labels: labels, match_expressions: None })
    }

    fn replicas(&self) -> i32 {
        self.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1)
    }

    fn min_ready_seconds(&self) -> i32 {
        self.spec.as_ref().and_then(|spec| spec.min_ready_seconds).unwrap_or_default()
    }

    fn template(&self) -> Option<&PodTemplateSpec> {
        self.spec.as_ref()?.template.as_ref()
    }

    fn status(&self) -> Option<Cow<'_, ReplicaSetStatus>> {
        self.status.as_ref().map(|status| Cow::Owned(like_a_sets(status)))
    }

    /// Few have an owner: those of the namespace are looked through.
    fn siblings(&self, informers: &Informers) -> Vec<Arc<Self>> {
        let Some(owner) = controller_uid(&self.metadata) else { return Vec::new() };
        let namespace = self.metadata.namespace.as_deref().unwrap_or_default();
        let mut siblings = informers.replication_controllers.within(namespace);
        siblings.retain(|other| controller_uid(&other.metadata) == Some(owner));
        siblings
    }
}

/// The status as a ReplicaSet's; both are written down alike.
fn like_a_sets(status: &ReplicationControllerStatus) -> ReplicaSetStatus {
    let conditions = status.conditions.as_ref().map(|conditions| {
        let converted = conditions.iter().cloned().map(|condition| ReplicaSetCondition {
            last_transition_time: condition.last_transition_time,
            message: condition.message,
            reason: condition.reason,
            status: condition.status,
            type_: condition.type_,
        });
        converted.collect()
    });
    ReplicaSetStatus {
        available_replicas: status.available_replicas,
        conditions,
        fully_labeled_replicas: status.fully_labeled_replicas,
        observed_generation: status.observed_generation,
        ready_replicas: status.ready_replicas,
        replicas: status.replicas,
        terminating_replicas: None,
    }
}
