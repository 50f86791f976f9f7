//! A stored ClusterConfig as kube-rs sees it.

use std::borrow::Cow;

use k8s_openapi::ClusterResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ClusterConfig, ClusterConfigStatus, KIND, StoredError, from_stored};

/// The object: metadata, status, and the config's fields as they were written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StoredClusterConfig {
    /// Name, uid, and the annotations eksctl's metadata rides in.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// What became of its node groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ClusterConfigStatus>,
    /// Everything else.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

impl StoredClusterConfig {
    /// The config it stands for.
    pub fn config(&self) -> Result<ClusterConfig, StoredError> {
        let mut document = self.fields.clone();
        let metadata = serde_json::to_value(&self.metadata).map_err(StoredError::Invalid)?;
        document.insert("metadata".to_owned(), metadata);
        from_stored(&Value::Object(document))
    }
}

impl Resource for StoredClusterConfig {
    type DynamicType = ();
    type Scope = ClusterResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        KIND.into()
    }
    fn group((): &()) -> Cow<'_, str> {
        "eksctl.io".into()
    }
    fn version((): &()) -> Cow<'_, str> {
        "v1alpha5".into()
    }
    fn plural((): &()) -> Cow<'_, str> {
        "clusterconfigs".into()
    }
    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }
    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
