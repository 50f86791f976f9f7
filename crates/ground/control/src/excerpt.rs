//! An object of which only what somebody reads is decoded.
//!
//! A controller that reads a few fields of thousands of objects names them; the rest is skipped while
//! it is parsed, and never held.

use std::borrow::Cow;
use std::marker::PhantomData;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference, Time};
use kube::Resource;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

/// Of an object of kind `K`: the metadata that tells who it is, `S` of its spec, `T` of its status.
#[derive(Clone, Debug, Deserialize)]
#[serde(bound(deserialize = "S: Deserialize<'de> + Default, T: Deserialize<'de> + Default"))]
pub struct Excerpt<K, S, T = IgnoredAny> {
    /// Name, namespace, uid, resource version, labels, owners, time of deletion; nothing else.
    #[serde(default, deserialize_with = "essentials")]
    pub metadata: ObjectMeta,
    /// What is read of the spec.
    #[serde(default, deserialize_with = "or_default")]
    pub spec: S,
    /// What is read of the status.
    #[serde(default, deserialize_with = "or_default")]
    pub status: T,
    #[serde(skip)]
    kind: PhantomData<fn() -> K>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Essentials {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    labels: Option<std::collections::BTreeMap<String, String>>,
    owner_references: Option<Vec<OwnerReference>>,
    deletion_timestamp: Option<Time>,
}

fn essentials<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObjectMeta, D::Error> {
    let essentials = Essentials::deserialize(deserializer)?;
    Ok(ObjectMeta {
        name: essentials.name,
        namespace: essentials.namespace,
        uid: essentials.uid,
        resource_version: essentials.resource_version,
        labels: essentials.labels,
        owner_references: essentials.owner_references,
        deletion_timestamp: essentials.deletion_timestamp,
        ..ObjectMeta::default()
    })
}

fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(d: D) -> Result<T, D::Error> {
    Option::deserialize(d).map(Option::unwrap_or_default)
}

impl<K: Resource<DynamicType = ()>, S, T> Resource for Excerpt<K, S, T> {
    type DynamicType = ();
    type Scope = K::Scope;

    fn kind((): &()) -> Cow<'_, str> {
        K::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        K::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        K::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        K::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::json;

    #[derive(Clone, Debug, Default, Deserialize)]
    struct Spec {
        priority: Option<i32>,
    }

    #[test]
    fn only_what_is_named_is_decoded_and_nulls_are_absences() {
        let pod = json!({"kind": "Pod", "metadata": {"name": "a", "labels": null, "annotations": {"b": "c"}},
                         "spec": {"priority": 3, "containers": "whatever"}, "status": null});
        let excerpt: Excerpt<Pod, Spec> = serde_json::from_value(pod).unwrap();
        assert_eq!((excerpt.metadata.name.as_deref(), excerpt.spec.priority), (Some("a"), Some(3)));
        assert_eq!(excerpt.metadata.annotations, None);
        let bare: Excerpt<Pod, Spec> = serde_json::from_value(json!({"metadata": {}})).unwrap();
        assert_eq!(bare.spec.priority, None);
        assert_eq!(Excerpt::<Pod, Spec>::url_path(&(), Some("x")), "/api/v1/namespaces/x/pods");
    }
}
