//! The CustomResourceDefinitions of kinds that other projects own and a platform's files are full of.
//!
//! Groups, versions, names, columns and subresources are those of the projects' own definitions. The
//! schemas are ours: they say what the fields must hold that a team writes and a controller reads,
//! and keep every other field as it was sent. They are written in the notation that
//! `crds/shared.yaml` explains, one file a group, and read once in a process.
//!
//! **Not here:** what the kinds do (the controllers), how a schema is enforced (`apiserver`).

mod notation;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value, json};

const SHARED: &str = include_str!("../crds/shared.yaml");
const GROUPS: &[&str] = &[
    include_str!("../crds/argoproj.io.yaml"),
    include_str!("../crds/autoscaling.k8s.io.yaml"),
    include_str!("../crds/extensions.istio.io.yaml"),
    include_str!("../crds/flagger.app.yaml"),
    include_str!("../crds/gateway.networking.k8s.io.yaml"),
    include_str!("../crds/karpenter.k8s.aws.yaml"),
    include_str!("../crds/karpenter.sh.yaml"),
    include_str!("../crds/litmuschaos.io.yaml"),
    include_str!("../crds/monitoring.coreos.com.yaml"),
    include_str!("../crds/networking.istio.io.yaml"),
    include_str!("../crds/projectcalico.org.yaml"),
    include_str!("../crds/security.istio.io.yaml"),
    include_str!("../crds/snapshot.storage.k8s.io.yaml"),
    include_str!("../crds/telemetry.istio.io.yaml"),
    include_str!("../crds/velero.io.yaml"),
];

static DEFINITIONS: LazyLock<Vec<Value>> =
    LazyLock::new(|| read().expect("invariant: the embedded definitions are well-formed"));

/// The definitions of all foreign kinds, as objects of `apiextensions.k8s.io/v1`.
pub fn foreign_crds() -> &'static [Value] {
    &DEFINITIONS
}

/// A file: the kinds of a group.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    group: String,
    /// Where the API of a protected group (`*.k8s.io`) was approved.
    approved: Option<String>,
    #[serde(default)]
    types: Map<String, Value>,
    kinds: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    kind: String,
    plural: String,
    #[serde(default)]
    short: Vec<String>,
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default)]
    cluster: bool,
    versions: Vec<String>,
    /// The version objects are stored in, where it is not the first.
    stored: Option<String>,
    /// What clients of old versions are told.
    #[serde(default)]
    deprecated: BTreeMap<String, String>,
    #[serde(default)]
    status: bool,
    scale: Option<Value>,
    /// `Name: type path words`, each a map of its own because their order counts.
    #[serde(default)]
    columns: Vec<BTreeMap<String, String>>,
    schema: Map<String, Value>,
}

fn read() -> Result<Vec<Value>, String> {
    let shared: Map<String, Value> = serde_saphyr::from_str(SHARED).map_err(|error| error.to_string())?;
    let mut all = Vec::new();
    for text in GROUPS {
        let file: File = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        for entry in &file.kinds {
            let definition = definition(&file, entry, &shared);
            all.push(definition.map_err(|error| format!("{} of {}: {error}", entry.kind, file.group))?);
        }
    }
    Ok(all)
}

fn definition(file: &File, entry: &Entry, shared: &Map<String, Value>) -> Result<Value, String> {
    let schema = notation::Types { own: &file.types, shared }.root(&entry.schema)?;
    let columns = entry.columns.iter().flatten().map(|(name, text)| column(name, text));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let stored = entry.stored.as_ref().unwrap_or(&entry.versions[0]);
    let versions = entry.versions.iter().map(|name| version(entry, name, name == stored, &schema, &columns));
    let mut names = json!({
        "kind": entry.kind,
        "listKind": format!("{}List", entry.kind),
        "plural": entry.plural,
        "singular": entry.kind.to_lowercase(),
    });
    for (field, list) in [("shortNames", &entry.short), ("categories", &entry.categories)] {
        if !list.is_empty() {
            names[field] = json!(list);
        }
    }
    let mut metadata = json!({ "name": format!("{}.{}", entry.plural, file.group) });
    if let Some(approved) = &file.approved {
        metadata["annotations"] = json!({ "api-approved.kubernetes.io": approved });
    }
    Ok(json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": metadata,
        "spec": {
            "group": file.group,
            "names": names,
            "scope": if entry.cluster { "Cluster" } else { "Namespaced" },
            "versions": versions.collect::<Vec<_>>(),
        },
    }))
}

fn version(entry: &Entry, name: &str, stored: bool, schema: &Value, columns: &[Value]) -> Value {
    let mut version = json!({
        "name": name, "served": true, "storage": stored, "schema": { "openAPIV3Schema": schema },
    });
    let mut subresources = Map::new();
    if entry.status {
        subresources.insert("status".to_owned(), json!({}));
    }
    if let Some(scale) = &entry.scale {
        subresources.insert("scale".to_owned(), scale.clone());
    }
    if !subresources.is_empty() {
        version["subresources"] = Value::Object(subresources);
    }
    if !columns.is_empty() {
        version["additionalPrinterColumns"] = json!(columns);
    }
    if let Some(warning) = entry.deprecated.get(name) {
        version["deprecated"] = true.into();
        version["deprecationWarning"] = warning.as_str().into();
    }
    version
}

/// `integer:int64 .status.bytes wide`: a type with its format where it is no text, the path, and
/// how wide a table must be that shows the column.
fn column(name: &str, text: &str) -> Result<Value, String> {
    let mut column = json!({ "name": name, "type": "string" });
    for word in text.split_whitespace() {
        match word.split_once('=') {
            _ if word.starts_with('.') => column["jsonPath"] = word.into(),
            Some(("priority", number)) => {
                column["priority"] = number.parse::<i64>().map_err(|error| error.to_string())?.into();
            }
            None if word == "wide" => column["priority"] = 1.into(),
            None => {
                let (kind, format) = word.split_once(':').unwrap_or((word, ""));
                column["type"] = kind.into();
                if !format.is_empty() {
                    column["format"] = format.into();
                }
            }
            Some(_) => return Err(format!("column {name}: {word:?}")),
        }
    }
    Ok(column)
}

#[cfg(test)]
mod tests;
