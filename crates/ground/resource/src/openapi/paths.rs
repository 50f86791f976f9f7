//! The `paths` of an OpenAPI document: which operations exist on which kind.
//!
//! kubectl looks an operation up by its `x-kubernetes-group-version-kind` and its query parameters
//! to learn whether the server validates fields and knows dry runs, and `explain` looks the kind of
//! a resource up by path.

use serde_json::{Map, Value, json};

use super::{ResourceEntry, list_kind, meta_reference, reference};
use crate::GroupVersionKind;

/// What a patch may be; the last is for kinds whose lists have published merge keys.
const PATCHES: [&str; 4] = [
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
];

pub(super) fn paths(group: &str, version: &str, resources: &[ResourceEntry<'_>]) -> Map<String, Value> {
    let root = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
    let mut paths = Map::new();
    for resource in resources {
        let plural = resource.plural;
        if resource.namespaced {
            paths.insert(format!("{root}/{plural}"), everywhere(resource));
        }
        let place = if resource.namespaced { "/namespaces/{namespace}" } else { "" };
        let collection_path = format!("{root}{place}/{plural}");
        let item_path = format!("{collection_path}/{{name}}");
        for (subresource, kind) in resource.subresources {
            paths.insert(format!("{item_path}/{subresource}"), subresource_item(resource, subresource, kind));
        }
        paths.insert(item_path, item(resource));
        paths.insert(collection_path, collection(resource));
    }
    paths
}

pub(super) fn kind_value(kind: &GroupVersionKind) -> Value {
    json!({"group": kind.group, "version": kind.version, "kind": kind.kind})
}

fn everywhere(resource: &ResourceEntry<'_>) -> Value {
    json!({
        "get": operation("list", resource.kind, &reference(&list_kind(resource.kind)), &LIST_PARAMETERS, None),
        "parameters": path_parameters(false, false),
    })
}

fn collection(resource: &ResourceEntry<'_>) -> Value {
    let kind = resource.kind;
    json!({
        "get": operation("list", kind, &reference(&list_kind(kind)), &LIST_PARAMETERS, None),
        "post": operation("post", kind, &reference(kind), &WRITE_PARAMETERS, Some((&["*/*"], reference(kind)))),
        "delete": operation("deletecollection", kind, &meta_reference("Status"), &LIST_PARAMETERS,
            Some((&["*/*"], meta_reference("DeleteOptions")))),
        "parameters": path_parameters(resource.namespaced, false),
    })
}

fn item(resource: &ResourceEntry<'_>) -> Value {
    let mut item = subresource_item(resource, "", resource.kind);
    item["delete"] = operation(
        "delete",
        resource.kind,
        &meta_reference("Status"),
        &DELETE_PARAMETERS,
        Some((&["*/*"], meta_reference("DeleteOptions"))),
    );
    item
}

fn subresource_item(resource: &ResourceEntry<'_>, subresource: &str, kind: &GroupVersionKind) -> Value {
    let object = reference(kind);
    let parameters = path_parameters(resource.namespaced, true);
    if matches!(subresource, "eviction" | "binding" | "token") {
        let post = operation("post", kind, &object, &WRITE_PARAMETERS, Some((&["*/*"], object.clone())));
        return json!({"post": post, "parameters": parameters});
    }
    let patches = if resource.definition.is_some() { &PATCHES[..3] } else { &PATCHES[..] };
    json!({
        "get": operation("get", kind, &object, &[], None),
        "put": operation("put", kind, &object, &WRITE_PARAMETERS, Some((&["*/*"], object.clone()))),
        "patch": operation("patch", kind, &object, &PATCH_PARAMETERS, Some((patches, meta_reference("Patch")))),
        "parameters": parameters,
    })
}

/// Name, type and description of a query parameter.
type Parameter = (&'static str, &'static str, &'static str);

const DRY_RUN: Parameter =
    ("dryRun", "string", "When present, the change is not stored. The one valid value is All.");
const FIELD_MANAGER: Parameter = ("fieldManager", "string", "The name of the actor that makes the change.");
const FIELD_VALIDATION: Parameter =
    ("fieldValidation", "string", "What to do with unknown or duplicate fields: Ignore, Warn or Strict.");
const FORCE: Parameter =
    ("force", "boolean", "Take fields over that other managers own. Only for apply patches.");

const WRITE_PARAMETERS: [Parameter; 3] = [DRY_RUN, FIELD_MANAGER, FIELD_VALIDATION];
const PATCH_PARAMETERS: [Parameter; 4] = [DRY_RUN, FIELD_MANAGER, FIELD_VALIDATION, FORCE];
const DELETE_PARAMETERS: [Parameter; 3] = [
    DRY_RUN,
    ("gracePeriodSeconds", "integer", "Seconds before the object is deleted; zero deletes it at once."),
    ("propagationPolicy", "string", "What becomes of dependents: Orphan, Background or Foreground."),
];
const LIST_PARAMETERS: [Parameter; 9] = [
    ("allowWatchBookmarks", "boolean", "Whether a watch may receive BOOKMARK events."),
    ("continue", "string", "The token of the previous chunk."),
    ("fieldSelector", "string", "Restricts the objects by their fields."),
    ("labelSelector", "string", "Restricts the objects by their labels."),
    ("limit", "integer", "The most objects in one answer."),
    ("resourceVersion", "string", "The version the answer may be as old as."),
    ("sendInitialEvents", "boolean", "Whether a watch begins with the existing objects."),
    ("timeoutSeconds", "integer", "How long the call lasts at most."),
    ("watch", "boolean", "Watches for changes instead of listing."),
];

fn operation(
    action: &str,
    kind: &GroupVersionKind,
    answer: &Value,
    parameters: &[Parameter],
    body: Option<(&[&str], Value)>,
) -> Value {
    let query = |(name, kind, description): &Parameter| {
        json!({"name": name, "in": "query", "description": description,
            "schema": {"type": kind, "uniqueItems": true}})
    };
    let mut operation = json!({
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": kind_value(kind),
        "parameters": parameters.iter().map(query).collect::<Vec<_>>(),
        "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": answer}}}},
    });
    if let Some((types, schema)) = body {
        let content: Map<String, Value> =
            types.iter().map(|kind| ((*kind).to_owned(), json!({"schema": schema}))).collect();
        operation["requestBody"] = json!({"content": content, "required": action != "delete"});
    }
    operation
}

fn path_parameters(namespaced: bool, named: bool) -> Value {
    let path = |name: &str, description: &str| {
        json!({"name": name, "in": "path", "required": true, "description": description,
            "schema": {"type": "string", "uniqueItems": true}})
    };
    let mut parameters = Vec::new();
    if named {
        parameters.push(path("name", "The object's name."));
    }
    if namespaced {
        parameters.push(path("namespace", "The object's namespace."));
    }
    Value::Array(parameters)
}
