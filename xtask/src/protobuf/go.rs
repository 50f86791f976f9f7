//! What the tags of a published Go type say: each field's number, its JSON name, and what becomes
//! of an empty one.

use std::collections::BTreeMap;

/// One type.
#[derive(Default)]
pub(super) struct Struct {
    /// Whether its objects say their own kind.
    pub(super) has_type_meta: bool,
    /// By the number.
    pub(super) fields: BTreeMap<u32, Field>,
}

/// One field.
pub(super) struct Field {
    pub(super) json: Option<String>,
    pub(super) omit_empty: bool,
    pub(super) pointer: bool,
    /// Whether its fields stand among those of the type.
    pub(super) inline: bool,
}

/// Adds the types of a source file.
pub(super) fn parse(text: &str, structs: &mut BTreeMap<String, Struct>) {
    let mut current: Option<(String, Struct)> = None;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("type ").and_then(|rest| rest.strip_suffix(" struct {")) {
            current = Some((name.to_owned(), Struct::default()));
        } else if let Some(name) = line
            .strip_prefix("type ")
            .and_then(|rest| rest.split(" struct").next())
            .filter(|_| line.ends_with("{}"))
        {
            structs.insert(name.to_owned(), Struct::default());
        } else if line == "}" {
            structs.extend(current.take());
        } else if let Some((_, found)) = &mut current {
            add(line.trim(), found);
        }
    }
}

fn add(line: &str, found: &mut Struct) {
    let Some((declaration, tags)) = line.split_once('`').filter(|_| !line.starts_with("//")) else { return };
    let mut words = declaration.split_whitespace();
    let (first, second) = (words.next().unwrap_or_default(), words.next());
    found.has_type_meta |= second.is_none() && first.ends_with("TypeMeta");
    let number = tag(tags, "protobuf").and_then(|tag| tag.split(',').nth(1)?.parse().ok());
    let json = tag(tags, "json").unwrap_or_default();
    let (name, rest) = json.split_once(',').unwrap_or((json, ""));
    if let Some(number) = number {
        let field = Field {
            json: (!name.is_empty()).then(|| name.to_owned()),
            omit_empty: rest.split(',').any(|word| word == "omitempty"),
            pointer: second.unwrap_or(first).starts_with('*'),
            inline: name.is_empty() && (second.is_none() || rest.split(',').any(|word| word == "inline")),
        };
        found.fields.insert(number, field);
    }
}

fn tag<'a>(tags: &'a str, name: &str) -> Option<&'a str> {
    let start = tags.find(&format!("{name}:\""))? + name.len() + 2;
    tags[start..].split_once('"').map(|(value, _)| value)
}
