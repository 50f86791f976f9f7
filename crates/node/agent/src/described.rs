//! A PodBehaviour as the agent reads it: whatever was stored under that kind.
//!
//! Nobody has checked it, and one that makes no sense must not keep the agent from reading the others:
//! so nothing but its metadata has a type here.

use std::borrow::Cow;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{CustomResourceExt as _, Resource};
use mainstay_kinds::PodBehaviour;
use mainstay_resource::LabelSelector;
use serde::Deserialize;
use serde_json::Value;

use crate::bound::BoundPod;

/// A PodBehaviour.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Described {
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// What it says.
    #[serde(default)]
    pub spec: Value,
}

impl Described {
    /// Its name.
    pub fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    /// Whether it speaks of the pod; one without a selector, or with a wrong one, speaks of none.
    pub fn selects(&self, pod: &BoundPod) -> bool {
        let labels = &pod.metadata.labels;
        LabelSelector::from_object(&self.spec["selector"]).is_ok_and(|selector| match labels {
            Some(labels) => selector.matches_map(labels),
            None => selector.matches(&|_| None),
        })
    }
}

impl Resource for Described {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        PodBehaviour::api_resource().kind.into()
    }

    fn group((): &()) -> Cow<'_, str> {
        PodBehaviour::api_resource().group.into()
    }

    fn version((): &()) -> Cow<'_, str> {
        PodBehaviour::api_resource().version.into()
    }

    fn plural((): &()) -> Cow<'_, str> {
        PodBehaviour::api_resource().plural.into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
