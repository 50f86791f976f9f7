//! How many replicas an object has.

use mainstay_source::Place;

use crate::fields::{Field, Make};
use crate::kustomization::Replica;
use crate::node::{Content, Node};
use crate::resources::Resources;
use crate::scalar::Tag;

/// Sets the replicas of the objects of a name.
pub(crate) fn set(
    resources: &mut Resources,
    replica: &Replica,
    fields: &[Field],
    at: Place,
) -> Result<(), String> {
    let mut is_found = false;
    for field in fields {
        for index in resources.indices(|id| id.name == replica.name && field.kinds.has(&id.kind)) {
            is_found = true;
            let resource = &mut resources.0[index];
            let kind = resource.kind();
            let Some(node) = resource.node.as_mut() else { continue };
            field.apply(&kind, node, Make::Scalar, at, &mut |node| {
                *node = Node { content: Content::Scalar(Tag::Integer, replica.count.to_string()), at };
                Ok(())
            })?;
        }
    }
    if is_found { Ok(()) } else { Err(format!("no object with replicas is called `{}`", replica.name)) }
}
