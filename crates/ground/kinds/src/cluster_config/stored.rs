//! The form a ClusterConfig has as an object of the Kubernetes API.
//!
//! ObjectMeta has no place for `region`, `version`, `tags` and the like, so they ride in
//! annotations; everything else stays as written.

use serde_json::{Map, Value, json};

use super::{API_VERSION, ClusterConfig, KIND};

/// Annotation that carries `metadata.region`.
pub const REGION_ANNOTATION: &str = "mainstay.dev/region";
/// Annotation that carries `metadata.version`.
pub const VERSION_ANNOTATION: &str = "mainstay.dev/version";
/// Annotation that carries what else eksctl's metadata has and ObjectMeta has not, as JSON.
pub const META_ANNOTATION: &str = "mainstay.dev/cluster-metadata";

const OTHERS: [&str; 3] = ["tags", "forceUpdateVersion", "rollbackConfig"];

/// Why a stored object is no ClusterConfig. The user must correct the object; trying again does not help.
#[derive(Debug)]
pub enum StoredError {
    /// The region annotation is missing (the object did not come through Mainstay).
    NoRegion,
    /// A field is unknown or has the wrong type.
    Invalid(serde_json::Error),
}

impl std::fmt::Display for StoredError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoRegion => write!(f, "the annotation {REGION_ANNOTATION} is missing"),
            Self::Invalid(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for StoredError {}

/// The object to store for a ClusterConfig as it is written in a file.
#[must_use]
pub fn to_stored(mut document: Value) -> Value {
    let Some(meta) = document.get_mut("metadata").and_then(Value::as_object_mut) else {
        return document;
    };
    let mut carried = Map::new();
    for (field, annotation) in [("region", REGION_ANNOTATION), ("version", VERSION_ANNOTATION)] {
        if let Some(value) = meta.remove(field) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            carried.insert(annotation.to_owned(), Value::String(text));
        }
    }
    let others: Map<String, Value> =
        OTHERS.iter().filter_map(|field| Some(((*field).to_owned(), meta.remove(*field)?))).collect();
    if !others.is_empty() {
        carried.insert(META_ANNOTATION.to_owned(), Value::String(Value::Object(others).to_string()));
    }
    if !carried.is_empty() {
        let annotations = meta.entry("annotations").or_insert_with(|| json!({}));
        if let Some(annotations) = annotations.as_object_mut() {
            annotations.append(&mut carried);
        }
    }
    document
}

/// The ClusterConfig a stored object stands for.
pub fn from_stored(stored: &Value) -> Result<ClusterConfig, StoredError> {
    let mut document = stored.clone();
    let Some(fields) = document.as_object_mut() else {
        return Err(StoredError::NoRegion);
    };
    fields.remove("status");
    let object_meta = fields.remove("metadata").unwrap_or_default();
    fields.insert("metadata".to_owned(), Value::Object(cluster_meta(&object_meta)?));
    fields.entry("apiVersion").or_insert_with(|| json!(API_VERSION));
    fields.entry("kind").or_insert_with(|| json!(KIND));
    serde_json::from_value(document).map_err(StoredError::Invalid)
}

/// eksctl's metadata from an ObjectMeta.
fn cluster_meta(object_meta: &Value) -> Result<Map<String, Value>, StoredError> {
    let mut meta = Map::new();
    meta.insert("name".to_owned(), object_meta["name"].clone());
    let mut annotations = object_meta["annotations"].as_object().cloned().unwrap_or_default();
    meta.insert("region".to_owned(), annotations.remove(REGION_ANNOTATION).ok_or(StoredError::NoRegion)?);
    if let Some(version) = annotations.remove(VERSION_ANNOTATION) {
        meta.insert("version".to_owned(), version);
    }
    if let Some(others) = annotations.remove(META_ANNOTATION) {
        let others: Map<String, Value> =
            serde_json::from_str(others.as_str().unwrap_or_default()).map_err(StoredError::Invalid)?;
        meta.extend(others);
    }
    // What kubectl and the API server write is not the user's.
    annotations.retain(|key, _| !key.contains("kubernetes.io/") && !key.starts_with("mainstay.dev/"));
    if !annotations.is_empty() {
        meta.insert("annotations".to_owned(), Value::Object(annotations));
    }
    Ok(meta)
}
