//! What a published protobuf definition says: messages, and their fields' numbers and types.
//!
//! Reads what Kubernetes' generator writes: one field a line, no nested messages.

use anyhow::{Context, Result, bail};

/// The messages of one package, in the order of the file.
pub(super) struct File {
    /// The package's name as the published schemas have it: `api.core.v1`.
    pub(super) package: String,
    pub(super) messages: Vec<(String, Vec<Field>)>,
}

/// One field.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) number: u32,
    pub(super) label: Label,
    /// A scalar, or a message's whole name.
    pub(super) kind: String,
}

/// How many values a field has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    One,
    List,
    /// By text.
    Map,
}

/// Reads a file.
pub(super) fn parse(text: &str) -> Result<File> {
    let mut file = File { package: String::new(), messages: Vec::new() };
    for line in text.lines().map(str::trim) {
        if let Some(package) = line.strip_prefix("package ") {
            file.package = published(package.trim_end_matches(';'));
        } else if let Some(name) = line.strip_prefix("message ") {
            file.messages.push((name.trim_end_matches(['{', ' ']).to_owned(), Vec::new()));
        } else if let Some(field) = field(&file.package, line)? {
            let (_, fields) = file.messages.last_mut().context("a field outside a message")?;
            fields.push(field);
        }
    }
    Ok(file)
}

fn field(package: &str, line: &str) -> Result<Option<Field>> {
    let (label, rest) = if let Some(rest) = line.strip_prefix("optional ") {
        (Label::One, rest)
    } else if let Some(rest) = line.strip_prefix("repeated ") {
        (Label::List, rest)
    } else if let Some(rest) = line.strip_prefix("map<string, ") {
        (Label::Map, rest)
    } else {
        return Ok(None);
    };
    let mut words = rest.trim_end_matches(';').split_whitespace();
    let (Some(kind), Some(name), Some("="), Some(number)) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        bail!("not a field: {line}");
    };
    let kind = kind.trim_end_matches('>').trim_start_matches('.');
    let is_own = kind.starts_with(|first: char| first.is_ascii_uppercase());
    let kind = if is_own { format!("{package}.{kind}") } else { published(kind) };
    Ok(Some(Field { name: name.to_owned(), number: number.parse()?, label, kind }))
}

/// A name as the published schemas have it, without their common prefix.
fn published(name: &str) -> String {
    name.strip_prefix("k8s.io.").unwrap_or(name).replace('_', "-")
}
