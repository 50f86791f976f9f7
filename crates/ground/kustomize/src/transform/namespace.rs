//! The namespace of all objects, and of what names it.

use mainstay_source::Place;

use crate::fields::{Field, Make};
use crate::node::{Content, Node};
use crate::resources::Resources;

/// Puts all objects into a namespace.
pub(crate) fn set(
    resources: &mut Resources,
    namespace: &str,
    fields: &[Field],
    at: Place,
) -> Result<(), String> {
    for index in 0..resources.0.len() {
        let resource = &mut resources.0[index];
        if resource.node.as_ref().is_none_or(Node::is_nothing) {
            continue;
        }
        resource.remember();
        let (id, kind) = (resource.id(), resource.kind());
        let Some(node) = resource.node.as_mut() else { continue };
        let mut put = |node: &mut Node| put(node, namespace, at);
        if !id.is_cluster_wide() {
            Field::new("metadata/namespace", true).apply(&kind, node, Make::Scalar, at, &mut put)?;
        }
        let is_binding = matches!(kind.kind.as_str(), "RoleBinding" | "ClusterRoleBinding");
        if is_binding {
            subjects(node, namespace, at)?;
        }
        for field in fields {
            let is_name = field.path == "metadata/name" && (!kind.group.is_empty() || kind.version != "v1");
            let is_subject = is_binding && field.path == "subjects/namespace";
            if field.path != "metadata/namespace" && !is_name && !is_subject {
                field.apply(&kind, node, Make::Scalar, at, &mut put)?;
            }
        }
        let id = resources.0[index].id();
        if resources.0.iter().filter(|other| other.id().is_same(&id)).count() > 1 {
            return Err(format!("in the namespace, two objects are called {id}"));
        }
    }
    Ok(())
}

fn put(node: &mut Node, namespace: &str, at: Place) -> Result<(), String> {
    if !matches!(node.content, Content::Scalar(..)) {
        return Err("namespace field specs must target scalar nodes".to_owned());
    }
    node.set_text(namespace, at);
    Ok(())
}

/// The service account `default` of a binding is that of the namespace.
fn subjects(node: &mut Node, namespace: &str, at: Place) -> Result<(), String> {
    let Some(subjects) = node.get_mut("subjects").filter(|subjects| !subjects.is_null()) else {
        return Ok(());
    };
    let Content::List(subjects) = &mut subjects.content else {
        return Err("the subjects of a binding are no sequence".to_owned());
    };
    for subject in subjects {
        let is_default = subject.get("name").is_some_and(|name| name.as_text() == "default");
        if let Some(fields) = subject.fields_mut().filter(|_| is_default) {
            fields.set("namespace", Node::text(namespace, at));
        }
    }
    Ok(())
}
