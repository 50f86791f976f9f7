//! Prefixes and suffixes of names.

use mainstay_source::Place;

use crate::fields::{Field, Make};
use crate::resources::Resources;

/// Which end of a name is added to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Prefix,
    Suffix,
}

/// Kinds, of a group or of any, whose names stay.
const SKIPPED: [(&str, &str); 3] =
    [("", "CustomResourceDefinition"), ("apiregistration.k8s.io", "APIService"), ("", "Namespace")];

/// Adds a text to one end of names.
pub(crate) fn add(
    resources: &mut Resources,
    end: End,
    text: &str,
    fields: &[Field],
    at: Place,
) -> Result<(), String> {
    for resource in &mut resources.0 {
        let id = resource.first_id();
        let is_skipped = SKIPPED
            .iter()
            .any(|(group, kind)| *kind == id.kind.kind && (group.is_empty() || *group == id.kind.group));
        if is_skipped {
            continue;
        }
        for field in fields.iter().filter(|field| field.kinds.has(&id.kind)) {
            if field.path == "metadata/name" {
                match end {
                    End::Prefix => resource.prefixes.push(text.to_owned()),
                    End::Suffix => resource.suffixes.push(text.to_owned()),
                }
                resource.remember();
            }
            let kind = resource.kind();
            let Some(node) = resource.node.as_mut() else { continue };
            field.apply(&kind, node, Make::Scalar, at, &mut |name| {
                if name.fields().is_some() || name.items().is_some() {
                    return Err("a name is expected".to_owned());
                }
                let text = match end {
                    End::Prefix => format!("{text}{}", name.as_text()),
                    End::Suffix => format!("{}{text}", name.as_text()),
                };
                let place = name.at;
                name.set_text(text, place);
                Ok(())
            })?;
        }
    }
    Ok(())
}
