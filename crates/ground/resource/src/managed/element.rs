//! The steps of a field path, and how managed fields spell them: `f:replicas`, `k:{"name":"app"}`,
//! `v:"example.com/finalizer"`, `i:3`.

use std::cmp::Ordering;
use std::fmt::{self, Write};

use serde_json::{Map, Value};

use crate::schema::{Key, ListType};

/// One step from an object or list to what is in it.
#[derive(Clone, Debug, PartialEq)]
pub enum Element {
    /// A field of an object.
    Field(String),
    /// The item of a list that has these fields, in order of their names.
    Key(Vec<(String, Value)>),
    /// The item of a set.
    Value(Value),
    /// The item at this place.
    Index(i64),
}

impl Element {
    /// Reads an element; `None` when the text is none.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':')? {
            ("f", name) => Some(Self::Field(name.to_owned())),
            ("v", value) => serde_json::from_str(value).ok().map(Self::Value),
            ("i", index) => index.parse().ok().map(Self::Index),
            ("k", key) => {
                let fields: Map<String, Value> = serde_json::from_str(key).ok()?;
                let mut fields: Vec<(String, Value)> = fields.into_iter().collect();
                fields.sort_by(|left, right| left.0.cmp(&right.0));
                Some(Self::Key(fields))
            }
            _ => None,
        }
    }

    /// The element as managed fields spell it: the same text for equal elements.
    pub fn spelled(&self) -> String {
        match self {
            Self::Field(name) => format!("f:{name}"),
            Self::Value(value) => format!("v:{}", spell_value(value)),
            Self::Index(index) => format!("i:{index}"),
            Self::Key(fields) => spell_key(fields.iter().map(|(name, value)| (name.as_str(), value))),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Field(_) => 0,
            Self::Key(_) => 1,
            Self::Value(_) => 2,
            Self::Index(_) => 3,
        }
    }

    /// Upstream's order: fields before keys before values before indices.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Field(left), Self::Field(right)) => left.cmp(right),
            (Self::Index(left), Self::Index(right)) => left.cmp(right),
            (Self::Value(left), Self::Value(right)) => compare_values(left, right),
            (Self::Key(left), Self::Key(right)) => {
                let pairs = left.iter().zip(right).map(|(left, right)| {
                    left.0.cmp(&right.0).then_with(|| compare_values(&left.1, &right.1))
                });
                pairs.fold(Ordering::Equal, Ordering::then).then(left.len().cmp(&right.len()))
            }
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl fmt::Display for Element {
    /// As upstream's messages print a step: `.spec`, `[name="app"]`, `[="x"]`, `[3]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Value(value) => write!(f, "[={value}]"),
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Key(fields) => {
                let fields: Vec<String> =
                    fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
                write!(f, "[{}]", fields.join(","))
            }
        }
    }
}

fn compare_values(left: &Value, right: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Number(_) => 0,
        Value::String(_) => 1,
        Value::Bool(_) => 2,
        Value::Array(_) => 3,
        Value::Object(_) => 4,
        Value::Null => 5,
    };
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => match (left.as_i64(), right.as_i64()) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => left.as_f64().partial_cmp(&right.as_f64()).unwrap_or(Ordering::Equal),
        },
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        _ => rank(left).cmp(&rank(right)).then_with(|| left.to_string().cmp(&right.to_string())),
    }
}

/// How managed fields spell an item of a list; `None` when nothing identifies it.
pub(super) fn item(list: &ListType, item: &Value) -> Option<String> {
    match list {
        ListType::Atomic => None,
        ListType::Set => match item {
            Value::Null | Value::Array(_) | Value::Object(_) => None,
            scalar => Some(format!("v:{}", spell_value(scalar))),
        },
        ListType::Map(keys) => {
            let Value::Object(fields) = item else { return None };
            let mut found =
                keys.iter().filter_map(|key| Some((&*key.name, key_value(fields, key)?))).peekable();
            found.peek()?;
            Some(spell_key(found))
        }
    }
}

fn key_value<'v>(fields: &'v Map<String, Value>, key: &'v Key) -> Option<&'v Value> {
    fields.get(&*key.name).or(key.default.as_ref())
}

/// Whether two items are the same one, without spelling them.
pub(super) fn is_same_item(list: &ListType, left: &Value, right: &Value) -> bool {
    match (list, left, right) {
        (ListType::Map(keys), Value::Object(left), Value::Object(right)) => {
            let mut identified = false;
            keys.iter().all(|key| {
                let value = key_value(left, key);
                identified |= value.is_some();
                value == key_value(right, key)
            }) && identified
        }
        (ListType::Set, left, right) => left == right,
        _ => false,
    }
}

fn spell_key<'v>(fields: impl Iterator<Item = (&'v str, &'v Value)>) -> String {
    let mut out = String::from("k:{");
    for (index, (name, value)) in fields.enumerate() {
        out.push_str(if index == 0 { "" } else { "," });
        out.push_str(&html_safe(Value::from(name).to_string()));
        out.push(':');
        out.push_str(&spell_value(value));
    }
    out.push('}');
    out
}

/// A value as upstream's encoder writes it: a whole number without a fraction.
fn spell_value(value: &Value) -> String {
    match value.as_f64() {
        Some(number) if value.is_f64() && number.fract() == 0.0 && number.abs() < 1e15 => {
            format!("{number:.0}")
        }
        _ => html_safe(value.to_string()),
    }
}

/// Upstream's encoder escapes what HTML could trip over.
fn html_safe(json: String) -> String {
    const UNSAFE: [char; 5] = ['<', '>', '&', '\u{2028}', '\u{2029}'];
    if !json.contains(UNSAFE) {
        return json;
    }
    let mut out = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if UNSAFE.contains(&character) {
            let _ = write!(out, "\\u{:04x}", u32::from(character));
        } else {
            out.push(character);
        }
    }
    out
}
