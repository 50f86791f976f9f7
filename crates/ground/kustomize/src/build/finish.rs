//! The end of a build: what stays behind, and the annotations that tell how objects were made.

use crate::node::{Content, Fields, Node};
use crate::resource::Resource;
use crate::resources::Resources;

/// Marks an object that is only for the build.
const LOCAL: &str = "config.kubernetes.io/local-config";
const ORIGIN: &str = "config.kubernetes.io/origin";
const CHANGES: &str = "alpha.config.kubernetes.io/transformations";
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// Drops what was deleted and what is only for the build.
pub(super) fn drop_local(resources: &mut Resources) {
    resources.drop_deleted();
    resources.0.retain(|resource| {
        let annotation =
            resource.node.as_ref().and_then(|node| node.find(&["metadata", "annotations", LOCAL]));
        annotation.is_none_or(|annotation| annotation.as_text() == "false")
    });
}

/// Writes annotations as text, with those that the root wants.
pub(super) fn annotate(resources: &mut Resources, wanted: &[String]) {
    let wants = |name: &str| wanted.iter().any(|option| option == name);
    for resource in &mut resources.0 {
        if wants("managedByLabel") {
            let version = "kustomize-v5.6.0";
            let at = resource.place();
            if let Some(labels) = map(resource, "labels") {
                labels.set(MANAGED_BY, Node::text(version, at));
            }
        }
        let origin = resource.origin.clone().filter(|_| wants("originAnnotations"));
        let changes = Some(resource.transformations.clone())
            .filter(|changes| !changes.is_empty() && wants("transformerAnnotations"));
        texts(resource, [(ORIGIN, origin), (CHANGES, changes)]);
    }
}

fn map<'r>(resource: &'r mut Resource, field: &str) -> Option<&'r mut Fields> {
    let at = resource.place();
    let metadata = resource.metadata()?;
    if metadata.get(field).is_none_or(Node::is_null) {
        metadata.set(field, Node::map(at));
    }
    metadata.get_mut(field)?.fields_mut()
}

/// Annotations are texts whatever was written; without any there is no such field.
fn texts(resource: &mut Resource, told: [(&str, Option<String>); 2]) {
    let at = resource.place();
    let Some(metadata) = resource.metadata() else { return };
    let mut annotations = match metadata.remove("annotations") {
        Some(node) => node,
        None => Node::map(at),
    };
    if annotations.fields().is_none() {
        annotations = Node::map(annotations.at);
    }
    let Some(fields) = annotations.fields_mut() else { return };
    for value in fields.values_mut() {
        let text = match &value.content {
            Content::Scalar(_, text) => text.clone(),
            _ => String::new(),
        };
        value.set_text(text, value.at);
    }
    for (name, text) in told {
        match text {
            Some(text) => fields.set(name, Node::text(text, at)),
            None => {
                fields.remove(name);
            }
        }
    }
    if !annotations.is_nothing() {
        metadata.set("annotations", annotations);
    }
}
