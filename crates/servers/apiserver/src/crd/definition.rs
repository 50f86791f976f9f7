//! A definition read: whether it is valid, and the resources it describes.

use std::sync::Arc;

use mainstay_resource::{meta, name};
use serde_json::{Value, json};

use crate::fields::{at, list, number, text};
use crate::registry::{
    ALL_VERBS, Action, CustomVersion, NameRule, Origin, PrinterColumn, ResourceInfo, ScalePaths, Storage,
    Subresource,
};
use crate::status::Cause;

const STATUS_VERBS: &[&str] = &["get", "patch", "update"];

/// The resources of an established definition, one per served version; none before.
pub(super) fn resources(definition: &Value) -> Vec<ResourceInfo> {
    let established = list(definition, &["status", "conditions"])
        .iter()
        .any(|one| one["type"] == "Established" && one["status"] == "True");
    if !established || is_finished(definition) {
        return Vec::new();
    }
    let versions = list(definition, &["spec", "versions"]).iter();
    versions
        .filter(|version| version["served"] == true)
        .map(|version| resource(definition, version))
        .collect()
}

/// A definition that is being deleted is served as long as somebody's finalizer holds it.
fn is_finished(definition: &Value) -> bool {
    meta::deletion_timestamp(definition).is_some() && meta::finalizers(definition).next().is_none()
}

/// The version objects are stored in.
pub(super) fn storage_version(definition: &Value) -> Option<&str> {
    let versions = list(definition, &["spec", "versions"]).iter();
    versions.filter(|version| version["storage"] == true).find_map(|version| version["name"].as_str())
}

fn resource(definition: &Value, version: &Value) -> ResourceInfo {
    let group = text(definition, &["spec", "group"]);
    let names = at(definition, &["status", "acceptedNames"]).unwrap_or(&Value::Null);
    let word = |field: &str| -> Arc<str> { text(names, &[field]).into() };
    let words = |field: &str| list(names, &[field]).iter().filter_map(Value::as_str).map(Arc::from).collect();
    let version_name = text(version, &["name"]);
    ResourceInfo {
        group: group.into(),
        version: version_name.into(),
        resource: word("plural"),
        kind: word("kind"),
        singular: word("singular"),
        list_kind: word("listKind"),
        namespaced: text(definition, &["spec", "scope"]) == "Namespaced",
        short_names: words("shortNames"),
        categories: words("categories"),
        verbs: ALL_VERBS,
        subresources: subresources(group, version_name, &word("kind"), version),
        fields: Vec::new(),
        has_generation: true,
        name_rule: NameRule::Subdomain,
        origin: Origin::Custom { definition: meta::name(definition).into() },
        storage: Storage {
            resource: super::stored_resource(definition),
            api_version: format!("{group}/{}", storage_version(definition).unwrap_or(version_name)).into(),
            conversion: None,
        },
        custom: Some(Arc::new(custom(version))),
    }
}

fn subresources(group: &str, version: &str, kind: &str, spec: &Value) -> Vec<Subresource> {
    let mut all = Vec::new();
    if let Some(scale) = at(spec, &["subresources", "scale"]) {
        let path = |field: &str| segments(text(scale, &[field]));
        let selector = path("labelSelectorPath");
        all.push(Subresource {
            name: "scale".into(),
            group: "autoscaling".into(),
            version: "v1".into(),
            kind: "Scale".into(),
            verbs: STATUS_VERBS,
            action: Action::Scale(ScalePaths {
                spec_replicas: path("specReplicasPath"),
                status_replicas: path("statusReplicasPath"),
                selector: (!selector.is_empty()).then_some(selector),
            }),
        });
    }
    if at(spec, &["subresources", "status"]).is_some() {
        all.push(Subresource {
            name: "status".into(),
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
            verbs: STATUS_VERBS,
            action: Action::Status,
        });
    }
    all
}

/// `.spec.replicas` as its steps.
fn segments(path: &str) -> Vec<Arc<str>> {
    path.split('.').filter(|step| !step.is_empty()).map(Arc::from).collect()
}

fn custom(version: &Value) -> CustomVersion {
    let column = |column: &Value| PrinterColumn {
        name: text(column, &["name"]).to_owned(),
        kind: text(column, &["type"]).to_owned(),
        format: text(column, &["format"]).to_owned(),
        description: text(column, &["description"]).to_owned(),
        priority: number(column, &["priority"]).unwrap_or(0),
        path: text(column, &["jsonPath"]).to_owned(),
    };
    let deprecated = version["deprecated"] == true;
    let schema =
        at(version, &["schema", "openAPIV3Schema"]).map(CustomVersion::of_schema).unwrap_or_default();
    CustomVersion {
        columns: list(version, &["additionalPrinterColumns"]).iter().map(column).collect(),
        deprecation: deprecated.then(|| text(version, &["deprecationWarning"]).to_owned()),
        ..schema
    }
}

/// What is wrong with a definition.
pub(crate) fn validate(definition: &Value, live: Option<&Value>) -> Vec<Cause> {
    let mut causes = Vec::new();
    check_name(definition, &mut causes);
    check_names(definition, &mut causes);
    check_versions(definition, &mut causes);
    let scope = text(definition, &["spec", "scope"]);
    match scope {
        "" => causes.push(Cause::required("spec.scope", "")),
        "Cluster" | "Namespaced" => {}
        other => causes.push(Cause::unsupported("spec.scope", other, &["Cluster", "Namespaced"])),
    }
    if let Some(live) = live {
        for path in [["spec", "group"], ["spec", "scope"]] {
            if at(live, &path) != at(definition, &path) {
                let value = at(definition, &path).cloned().unwrap_or_default();
                causes.push(Cause::invalid(path.join("."), &value, "field is immutable"));
            }
        }
    }
    causes
}

fn check_name(definition: &Value, causes: &mut Vec<Cause>) {
    let (group, plural) =
        (text(definition, &["spec", "group"]), text(definition, &["spec", "names", "plural"]));
    let given = meta::name(definition);
    if given != format!("{plural}.{group}") {
        let why = "must be spec.names.plural+\".\"+spec.group";
        causes.push(Cause::invalid("metadata.name", &json!(given), why));
    }
    if group.is_empty() {
        causes.push(Cause::required("spec.group", ""));
    } else if group.split('.').count() < 2 {
        causes.push(Cause::invalid("spec.group", &json!(group), "should be a domain with at least one dot"));
    } else {
        for wrong in name::dns_subdomain(group) {
            causes.push(Cause::invalid("spec.group", &json!(group), &wrong));
        }
    }
}

fn check_names(definition: &Value, causes: &mut Vec<Cause>) {
    for field in ["plural", "singular", "kind", "listKind"] {
        let given = text(definition, &["spec", "names", field]);
        let path = format!("spec.names.{field}");
        if given.is_empty() {
            causes.push(Cause::required(path, ""));
            continue;
        }
        let is_kind = matches!(field, "kind" | "listKind");
        let looked_at = if is_kind { given.to_lowercase() } else { given.to_owned() };
        for wrong in name::dns_1035_label(&looked_at) {
            let why = if is_kind {
                format!("may have mixed case, but should otherwise match: {wrong}")
            } else {
                wrong
            };
            causes.push(Cause::invalid(&*path, &json!(given), &why));
        }
    }
    let (kind, list_kind) =
        (text(definition, &["spec", "names", "kind"]), text(definition, &["spec", "names", "listKind"]));
    if !kind.is_empty() && kind == list_kind {
        let why = "kind and listKind may not be the same";
        causes.push(Cause::invalid("spec.names.listKind", &json!(list_kind), why));
    }
}

fn check_versions(definition: &Value, causes: &mut Vec<Cause>) {
    let versions = list(definition, &["spec", "versions"]);
    let stored = versions.iter().filter(|version| version["storage"] == true).count();
    if stored != 1 {
        let why = "must have exactly one version marked as storage version";
        causes.push(Cause::invalid("spec.versions", &json!(versions), why));
    }
    for (index, version) in versions.iter().enumerate() {
        let given = text(version, &["name"]);
        for wrong in name::dns_1035_label(given) {
            causes.push(Cause::invalid(format!("spec.versions[{index}].name"), &json!(given), &wrong));
        }
        if versions[..index].iter().any(|earlier| text(earlier, &["name"]) == given) {
            let why = "must contain unique version names";
            causes.push(Cause::invalid("spec.versions", &json!(versions), why));
        }
        let schema = at(version, &["schema", "openAPIV3Schema"]);
        if schema.is_none() {
            let path = format!("spec.versions[{index}].schema.openAPIV3Schema");
            causes.push(Cause::required(path, "schemas are required"));
        } else if schema.is_some_and(|schema| text(schema, &["type"]) != "object") {
            let path = format!("spec.versions[{index}].schema.openAPIV3Schema.type");
            let given = schema.map_or("", |schema| text(schema, &["type"]));
            if given.is_empty() {
                causes.push(Cause::required(path, "must not be empty at the root"));
            } else {
                causes.push(Cause::invalid(path, &json!(given), "must be object at the root"));
            }
        }
    }
}
