//! Patches on objects: strategic merges and JSON patches.

use mainstay_source::Document;

use super::json_patch::JsonPatch;
use crate::kustomization::Selector;
use crate::merge;
use crate::node::Node;
use crate::resource::Resource;
use crate::resources::Resources;

/// A patch as it was read.
pub(crate) enum Patch {
    /// Parts of objects.
    Merge(Vec<Resource>),
    /// Operations.
    Json(JsonPatch),
}

impl Patch {
    /// What the documents of a patch are.
    pub(crate) fn read(documents: &[Document], renames: bool, changes_kind: bool) -> Result<Self, String> {
        if let [only] = documents
            && let Some(patch) = JsonPatch::of(only)
        {
            return Ok(Self::Json(patch));
        }
        let mut patches = Vec::new();
        for document in documents {
            let node = Node::read(document.root());
            let mut patch = Resource::new(node);
            let has_name = !patch.name().is_empty() && !patch.kind().kind.is_empty();
            if !has_name {
                let message =
                    "it is neither a JSON patch nor a part of an object with kind and metadata.name";
                return Err(message.to_owned());
            }
            (patch.renames, patch.changes_kind) = (renames, changes_kind);
            patches.push(patch);
        }
        if patches.is_empty() { Err("the patch is empty".to_owned()) } else { Ok(Self::Merge(patches)) }
    }

    /// Changes the objects it is for.
    pub(crate) fn apply(
        &self,
        resources: &mut Resources,
        target: Option<&Selector>,
        is_remembered: bool,
    ) -> Result<(), String> {
        match (self, target) {
            (Self::Json(_), None) => Err("a JSON patch must have a target".to_owned()),
            (Self::Json(patch), Some(target)) => {
                for index in resources.select(target)? {
                    if is_remembered {
                        resources.0[index].remember();
                    }
                    patch.apply(&mut resources.0[index])?;
                }
                Ok(())
            }
            (Self::Merge(patches), None) => patches.iter().try_for_each(|patch| by_name(resources, patch)),
            (Self::Merge(patches), Some(target)) => {
                let [patch] = patches.as_slice() else {
                    return Err("several patches in one entry must not have a target".to_owned());
                };
                for index in resources.select(target)? {
                    merge_into(&mut resources.0[index], patch)?;
                }
                unique(resources)
            }
        }
    }
}

/// Merges a patch into the one object that it names.
pub(crate) fn by_name(resources: &mut Resources, patch: &Resource) -> Result<(), String> {
    let index = resources.only(&patch.id())?;
    merge_into(&mut resources.0[index], patch)
}

fn unique(resources: &mut Resources) -> Result<(), String> {
    resources.drop_deleted();
    let all = std::mem::take(&mut resources.0);
    all.into_iter().try_for_each(|resource| resources.append(resource))
}

fn merge_into(resource: &mut Resource, patch: &Resource) -> Result<(), String> {
    let (Some(node), Some(mut change)) = (resource.node.clone(), patch.node.clone()) else { return Ok(()) };
    let id = resource.id();
    if patch.renames || patch.changes_kind {
        resource.remember();
    }
    let version = node.get("apiVersion").cloned();
    if let (Some(version), Some(fields)) = (version, change.fields_mut()) {
        fields.set("apiVersion", version);
    }
    let kind = node.get("kind").cloned();
    resource.node = merge::merge(node, change, merge::schema(&id.kind))?.filter(|node| !node.is_nothing());
    let Some(merged) = resource.node.as_mut() else { return Ok(()) };
    if let (Some(kind), Some(fields)) = (kind.filter(|_| !patch.changes_kind), merged.fields_mut()) {
        fields.set("kind", kind);
    }
    if !patch.renames {
        resource.set_metadata("name", &id.name);
    }
    resource.set_metadata("namespace", &id.namespace);
    Ok(())
}
