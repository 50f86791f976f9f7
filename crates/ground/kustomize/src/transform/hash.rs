//! Hashes of content, in the names of generated objects.
//!
//! **Spec:** kustomize's hasher: SHA-256 of Go's JSON, ten digits of it, some replaced.

use std::fmt::Write as _;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::node::Node;
use crate::resource::Resource;
use crate::resources::Resources;

/// Adds the hash of its content to the name of everything that is to have it.
pub(crate) fn add(resources: &mut Resources) {
    for resource in resources.0.iter_mut().filter(|resource| resource.needs_hash) {
        let name = format!("{}-{}", resource.name(), hash(resource));
        resource.remember();
        resource.set_metadata("name", &name);
    }
}

fn hash(resource: &Resource) -> String {
    let kind = resource.kind().kind;
    let part = |field: &str| resource.node.as_ref().and_then(|node| node.get(field));
    let value = |field: &str| part(field).map_or_else(|| Value::from(""), json);
    let mut content = Map::new();
    content.insert("kind".to_owned(), Value::from(kind.as_str()));
    // It looks for the name where it is not.
    content.insert("name".to_owned(), Value::from(""));
    content.insert("data".to_owned(), value("data"));
    let more = if kind == "Secret" {
        content.insert("type".to_owned(), value("type"));
        "stringData"
    } else {
        "binaryData"
    };
    if part(more).is_some_and(|node| node.fields().is_some()) {
        content.insert(more.to_owned(), value(more));
    }
    encode(&escaped(&Value::Object(content).to_string()))
}

fn json(node: &Node) -> Value {
    if node.fields().is_some() { node.to_value() } else { Value::from(node.as_text()) }
}

/// JSON as Go writes it: what could be read as HTML is written by number.
fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _infallible = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

fn encode(content: &str) -> String {
    let digest = Sha256::digest(content.as_bytes());
    let digits = digest.iter().take(5).fold(String::new(), |mut digits, byte| {
        let _infallible = write!(digits, "{byte:02x}");
        digits
    });
    let replaced = |c| match c {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        c => c,
    };
    digits.chars().map(replaced).collect()
}
