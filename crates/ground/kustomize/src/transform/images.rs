//! Names, tags and digests of images.

use mainstay_source::Place;
use regex::bytes::Regex;

use crate::fields::{Field, Make};
use crate::kustomization::Image;
use crate::node::{Content, Node};
use crate::resources::{Resources, expression};

/// Changes an image wherever it is used.
pub(crate) fn set(
    resources: &mut Resources,
    image: &Image,
    fields: &[Field],
    at: Place,
) -> Result<(), String> {
    let pattern =
        expression(&format!("^{}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$", image.name))?;
    for resource in &mut resources.0 {
        let kind = resource.kind();
        let Some(node) = resource.node.as_mut().filter(|_| kind.kind != "CustomResourceDefinition") else {
            continue;
        };
        in_containers(node, &mut |node| change(node, &pattern, image, at))?;
        for field in fields {
            field.apply(&kind, node, Make::Nothing, at, &mut |node| change(node, &pattern, image, at))?;
        }
    }
    Ok(())
}

fn change(node: &mut Node, pattern: &Regex, image: &Image, at: Place) -> Result<(), String> {
    if !matches!(node.content, Content::Scalar(..)) {
        return Err("an image is expected".to_owned());
    }
    if pattern.is_match(node.as_text().as_bytes()) {
        let changed = changed(node.as_text(), image);
        node.set_text(changed, at);
    }
    Ok(())
}

/// Visits the images of all lists of containers, wherever they are.
fn in_containers(
    node: &mut Node,
    visitor: &mut dyn FnMut(&mut Node) -> Result<(), String>,
) -> Result<(), String> {
    match &mut node.content {
        Content::Scalar(..) => Ok(()),
        Content::List(items) => items.iter_mut().try_for_each(|item| in_containers(item, visitor)),
        Content::Map(fields) => {
            for (name, value) in fields.iter_mut() {
                in_containers(value, visitor)?;
                let is_list = matches!(name, "containers" | "initContainers");
                if let Content::List(items) = &mut value.content
                    && is_list
                {
                    items.iter_mut().filter_map(|item| item.get_mut("image")).try_for_each(&mut *visitor)?;
                }
            }
            Ok(())
        }
    }
}

fn changed(written: &str, image: &Image) -> String {
    let (name, tag, digest) = split(written);
    let mut name = if image.new_name.is_empty() { name } else { &image.new_name }.to_owned();
    let suffixed;
    let (tag, digest) = match (image.new_tag.as_str(), image.digest.as_str()) {
        ("", "") if image.tag_suffix.is_empty() => (tag, digest),
        ("", "") => {
            suffixed = format!("{tag}{}", image.tag_suffix);
            (suffixed.as_str(), "")
        }
        ("", digest) => ("", digest),
        (tag, digest) => (tag, digest),
    };
    if !tag.is_empty() {
        name.push(':');
        name.push_str(tag);
    }
    if !digest.is_empty() {
        name.push('@');
        name.push_str(digest);
    }
    name
}

/// An image's name, tag and digest.
fn split(image: &str) -> (&str, &str, &str) {
    // A colon before the first slash is a registry's port.
    let start = image.find('/').unwrap_or_default();
    let find = |sign| image[start..].find(sign).map(|place| place + start);
    match (find('@'), find(':')) {
        (None, None) => (image, "", ""),
        (Some(digest), colon) if colon.is_none_or(|colon| digest < colon) => {
            (&image[..digest], "", &image[digest + 1..])
        }
        (Some(digest), Some(colon)) => (&image[..colon], &image[colon + 1..digest], &image[digest + 1..]),
        (None, Some(colon)) => (&image[..colon], &image[colon + 1..], ""),
        (Some(digest), None) => (&image[..digest], "", &image[digest + 1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn images_are_split_into_name_tag_and_digest() {
        for (image, parts) in [
            ("nginx", ("nginx", "", "")),
            ("nginx:1.25", ("nginx", "1.25", "")),
            ("reg:5000/nginx", ("reg:5000/nginx", "", "")),
            ("reg:5000/nginx:1@sha256:ab", ("reg:5000/nginx", "1", "sha256:ab")),
            ("nginx@sha256:ab", ("nginx", "", "sha256:ab")),
        ] {
            assert_eq!(split(image), parts, "{image}");
        }
    }
}
