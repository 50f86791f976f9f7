//! The messages of the served kinds: a text, and its parser.
//!
//! One line per kind, `kind API-VERSION KIND MESSAGE` (`*` is every version); per message `message
//! NAME`, then its fields, indented: `JSON-NAME NUMBER TYPE [optional|always]`. A type is a word for
//! a scalar or for a message whose JSON is not an object, or a message's name; before it `[]` for a
//! list, `{}` for a map by text. A field without a word is left out when empty; an `optional` one
//! when absent; an `always` one never. A message named `.` has its fields among those of its owner.

use std::collections::BTreeMap;
use std::sync::LazyLock;

const TEXT: &str = include_str!("../data/messages-v1.33.txt");

/// The release the table is of.
pub const VERSION: &str = "v1.33";

static TABLE: LazyLock<Table> =
    LazyLock::new(|| parse(TEXT).expect("invariant: the embedded table is well-formed"));

const SCHEMA: &str = "apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps";

/// All messages.
struct Table {
    messages: Vec<Message>,
    kinds: BTreeMap<(&'static str, &'static str), usize>,
    schema: usize,
}

/// How objects of a kind, or parts of them, are encoded.
#[derive(Debug)]
pub struct Message {
    pub(crate) name: &'static str,
    /// In the order of their JSON names, those of messages without a name of their own included.
    pub(crate) fields: Vec<Field>,
    /// Which of the fields are never left out.
    pub(crate) always: Vec<usize>,
    pub(crate) numbers: Numbers,
}

/// One field.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    /// The numbers of the messages without a name it is in, outermost first.
    pub(crate) inside: Vec<u32>,
    pub(crate) number: u32,
    pub(crate) shape: Shape,
    pub(crate) kind: Kind,
    pub(crate) presence: Presence,
}

/// How many values a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    One,
    List,
    Map,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Bytes,
    Double,
    Int32,
    Int64,
    Text,
    Quantity,
    IntOrText,
    Time,
    MicroTime,
    /// Any JSON, as text.
    Json,
    /// A list of texts that is a message.
    Texts,
    SchemaOrList,
    SchemaOrBool,
    SchemaOrTexts,
    Message(usize),
}

/// When a field is in the JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Unless empty.
    Filled,
    Optional,
    Always,
}

/// The fields of a message by their numbers, which are in order.
#[derive(Debug, Default)]
pub(crate) struct Numbers(Vec<(u32, Place)>);

/// What a number stands for.
#[derive(Debug)]
pub(crate) enum Place {
    Field(usize),
    /// A message whose fields are those of the owner.
    Inside(Numbers),
}

impl Numbers {
    pub(crate) fn get(&self, number: u32) -> Option<&Place> {
        let found = self.0.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        Some(&self.0[found].1)
    }

    fn insert(&mut self, path: &[u32], number: u32, field: usize) {
        let first = path.first().copied().unwrap_or(number);
        let at = match self.0.binary_search_by_key(&first, |(number, _)| *number) {
            Ok(at) => at,
            Err(at) => {
                let place =
                    if path.is_empty() { Place::Field(field) } else { Place::Inside(Self::default()) };
                self.0.insert(at, (first, place));
                at
            }
        };
        if let Place::Inside(numbers) = &mut self.0[at].1
            && let Some(rest) = path.get(1..)
        {
            numbers.insert(rest, number, field);
        }
    }
}

impl Message {
    /// The message of a built-in kind.
    pub fn of(api_version: &str, kind: &str) -> Option<&'static Self> {
        let found = TABLE.kinds.get(&(api_version, kind)).or_else(|| TABLE.kinds.get(&("*", kind)))?;
        TABLE.messages.get(*found)
    }

    /// The name the published schemas have it by, without their common prefix.
    pub fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn at(index: usize) -> &'static Self {
        &TABLE.messages[index]
    }

    /// A custom resource's schema.
    pub(crate) fn schema() -> &'static Self {
        Self::at(TABLE.schema)
    }

    pub(crate) fn schema_kind() -> Kind {
        Kind::Message(TABLE.schema)
    }

    /// The field of this JSON name; `from` is where the one before it was found, and in objects
    /// whose keys are in order the next one is not far.
    pub(crate) fn field(&self, name: &str, from: usize) -> Option<usize> {
        let mut index = from;
        while let Some(field) = self.fields.get(index) {
            match field.name.cmp(name) {
                std::cmp::Ordering::Less => index += 1,
                std::cmp::Ordering::Equal => return Some(index),
                std::cmp::Ordering::Greater if index == from => break,
                std::cmp::Ordering::Greater => return None,
            }
        }
        self.fields.binary_search_by(|field| field.name.cmp(name)).ok()
    }
}

/// All kinds of the table with their messages, for tests.
#[cfg(test)]
pub(crate) fn kinds() -> impl Iterator<Item = (&'static str, &'static str, &'static Message)> {
    TABLE.kinds.iter().map(|((api_version, kind), at)| (*api_version, *kind, Message::at(*at)))
}

/// All messages of the table, for tests.
#[cfg(test)]
pub(crate) fn messages() -> &'static [Message] {
    &TABLE.messages
}

/// A line of a message.
struct Line {
    name: &'static str,
    number: u32,
    shape: Shape,
    kind: Kind,
    presence: Presence,
}

fn parse(text: &'static str) -> Option<Table> {
    let names: Vec<&'static str> = text.lines().filter_map(|line| line.strip_prefix("message ")).collect();
    let index: BTreeMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (*name, at)).collect();
    let mut kinds = BTreeMap::new();
    let mut lines: Vec<Vec<Line>> = Vec::new();
    for line in text.lines() {
        let mut words = line.split(' ');
        match words.next()? {
            "kind" => {
                let key = (words.next()?, words.next()?);
                kinds.insert(key, *index.get(words.next()?)?);
            }
            "message" => lines.push(Vec::new()),
            "" => lines.last_mut()?.push(parse_line(words, &index)?),
            _ => {}
        }
    }
    let messages = names.iter().enumerate().map(|(at, name)| message(name, at, &lines)).collect();
    Some(Table { messages, kinds, schema: *index.get(SCHEMA)? })
}

fn parse_line(mut words: impl Iterator<Item = &'static str>, index: &BTreeMap<&str, usize>) -> Option<Line> {
    let (name, number, kind) = (words.next()?, words.next()?.parse().ok()?, words.next()?);
    let (shape, kind) = if let Some(kind) = kind.strip_prefix("[]") {
        (Shape::List, kind)
    } else if let Some(kind) = kind.strip_prefix("{}") {
        (Shape::Map, kind)
    } else {
        (Shape::One, kind)
    };
    let kind = match kind {
        "bool" => Kind::Bool,
        "bytes" => Kind::Bytes,
        "double" => Kind::Double,
        "int32" => Kind::Int32,
        "int64" => Kind::Int64,
        "string" => Kind::Text,
        "quantity" => Kind::Quantity,
        "int-or-string" => Kind::IntOrText,
        "time" => Kind::Time,
        "micro-time" => Kind::MicroTime,
        "json" => Kind::Json,
        "strings" => Kind::Texts,
        "schema-or-array" => Kind::SchemaOrList,
        "schema-or-bool" => Kind::SchemaOrBool,
        "schema-or-strings" => Kind::SchemaOrTexts,
        name => Kind::Message(*index.get(name)?),
    };
    let presence = match words.next() {
        None => Presence::Filled,
        Some("optional") => Presence::Optional,
        Some("always") => Presence::Always,
        Some(_) => return None,
    };
    Some(Line { name, number, shape, kind, presence })
}

fn message(name: &'static str, at: usize, lines: &[Vec<Line>]) -> Message {
    let mut fields = Vec::new();
    add_fields(&mut fields, at, &[], lines);
    fields.sort_by_key(|field| field.name);
    let mut numbers = Numbers::default();
    for (index, field) in fields.iter().enumerate() {
        numbers.insert(&field.inside, field.number, index);
    }
    let always = (0..fields.len()).filter(|at| fields[*at].presence == Presence::Always).collect();
    Message { name, fields, always, numbers }
}

/// Adds the fields of a message and of those without a name in it. Such a message is never in
/// itself: its Go type would have no end.
fn add_fields(fields: &mut Vec<Field>, at: usize, inside: &[u32], lines: &[Vec<Line>]) {
    for line in &lines[at] {
        if let (".", Kind::Message(part)) = (line.name, line.kind) {
            add_fields(fields, part, &[inside, &[line.number]].concat(), lines);
            continue;
        }
        let Line { name, number, shape, kind, presence } = *line;
        fields.push(Field { name, inside: inside.to_vec(), number, shape, kind, presence });
    }
}
