//! The kinds that keep a number of equal pods: a ReplicaSet, and the older ReplicationController,
//! which differs in how its selector and its status are written down.

use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::Arc;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{ReplicaSet, ReplicaSetStatus};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use kube::Resource;
use kube::core::Selector;
use mainstay_control::Informer;
use mainstay_control::meta::controller_uid;
use serde::de::DeserializeOwned;

use crate::informers::BY_CONTROLLER;
use crate::{Informers, claim};

/// What the controller asks of a set, whichever its kind.
pub(crate) trait Shape:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + DeserializeOwned
    + Clone
    + Debug
    + Send
    + Sync
    + 'static
{
    /// The controller's name.
    const NAME: &'static str;
    /// The component its events come from.
    const TELLER: &'static str;

    /// Where the sets are cached.
    fn cache(informers: &Informers) -> &Informer<Self>;

    /// Which pods are its own; `None` when the selector is malformed.
    fn selector(&self) -> Option<Selector>;

    /// The number of pods it shall have.
    fn replicas(&self) -> i32;

    /// How long a pod must be ready to count as available.
    fn min_ready_seconds(&self) -> i32;

    /// What its pods are made from.
    fn template(&self) -> Option<&PodTemplateSpec>;

    /// What it says of itself.
    fn status(&self) -> Option<Cow<'_, ReplicaSetStatus>>;

    /// All sets that have this one's owner, itself among them where it has one.
    fn siblings(&self, informers: &Informers) -> Vec<Arc<Self>>;
}

impl Shape for ReplicaSet {
    const NAME: &'static str = super::NAME;
    const TELLER: &'static str = super::NAME;

    fn cache(informers: &Informers) -> &Informer<Self> {
        &informers.replica_sets
    }

    fn selector(&self) -> Option<Selector> {
        claim::selector(&self.spec.as_ref()?.selector)
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
        self.status.as_ref().map(Cow::Borrowed)
    }

    fn siblings(&self, informers: &Informers) -> Vec<Arc<Self>> {
        let owner = controller_uid(&self.metadata);
        owner.map(|owner| informers.replica_sets.by(BY_CONTROLLER, owner)).unwrap_or_default()
    }
}
