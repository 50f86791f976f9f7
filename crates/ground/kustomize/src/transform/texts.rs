//! Labels and annotations.

use mainstay_source::Place;

use crate::fields::{Field, Make};
use crate::kustomization::{Labels, Texts};
use crate::node::Node;
use crate::resources::Resources;
use crate::tables::{Tables, merge_fields};

/// Sets texts in the maps of some fields.
pub(crate) fn set(
    resources: &mut Resources,
    texts: &[(String, String, Place)],
    fields: &[Field],
) -> Result<(), String> {
    for resource in &mut resources.0 {
        let kind = resource.kind();
        let Some(node) = resource.node.as_mut() else { continue };
        for (name, text, at) in texts {
            for field in fields {
                field.apply(&kind, node, Make::Map, *at, &mut |map| {
                    let map = map.fields_mut().ok_or("a mapping is expected")?;
                    map.set(name, Node::text(text.clone(), *at));
                    Ok(())
                })?;
            }
        }
    }
    Ok(())
}

/// The fields that an entry of `labels` goes to.
pub(crate) fn fields_of(labels: &Labels, tables: &Tables) -> Result<Vec<Field>, String> {
    let mut fields: Vec<Field> = Vec::new();
    fields.extend(labels.fields.iter().cloned().map(Field::from));
    merge_fields(&mut fields, tables.labels.clone())?;
    if labels.include_selectors {
        merge_fields(&mut fields, tables.common_labels.clone())?;
    } else {
        if labels.include_templates {
            merge_fields(&mut fields, tables.template_labels.clone())?;
        }
        merge_fields(&mut fields, vec![Field::new("metadata/labels", true)])?;
    }
    Ok(fields)
}

/// Texts with the place of each.
pub(crate) fn placed(texts: &Texts, place: impl Fn(&str) -> Place) -> Vec<(String, String, Place)> {
    texts.iter().map(|(name, text)| (name.clone(), text.clone(), place(name))).collect()
}
