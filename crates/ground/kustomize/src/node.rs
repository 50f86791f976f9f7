//! The values a build works on: scalars keep their text, and everything the place it was written at.

use std::collections::BTreeMap;

use mainstay_source::{Made, Place};
use serde_json::Value;

use crate::scalar::{self, Tag};

/// A value and where it was written.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// The value.
    pub content: Content,
    /// Where.
    pub at: Place,
}

/// A value.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// A scalar: what it is, and its text.
    Scalar(Tag, String),
    /// Items.
    List(Vec<Node>),
    /// Fields.
    Map(Fields),
}

/// The fields of a map: where each key was written, and its value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(BTreeMap<String, (Place, Node)>);

impl Fields {
    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        self.0.get(name).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Node> {
        self.0.get_mut(name).map(|(_, value)| value)
    }

    /// Sets a field; its key stays where it was, or stands where the value does.
    pub(crate) fn set(&mut self, name: &str, value: Node) {
        match self.0.get_mut(name) {
            Some((_, old)) => *old = value,
            None => {
                self.0.insert(name.to_owned(), (value.at, value));
            }
        }
    }

    /// Sets a field whose key stands somewhere.
    pub(crate) fn set_at(&mut self, name: &str, key: Place, value: Node) {
        self.0.insert(name.to_owned(), (key, value));
    }

    pub(crate) fn key_place(&self, name: &str) -> Option<Place> {
        self.0.get(name).map(|(place, _)| *place)
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<Node> {
        self.0.remove(name).map(|(_, value)| value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.0.iter().map(|(name, (_, value))| (name.as_str(), value))
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut Node> {
        self.0.values_mut().map(|(_, value)| value)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Node)> {
        self.0.iter_mut().map(|(name, (_, value))| (name.as_str(), value))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Values are the same wherever they were written.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        match (&self.content, &other.content) {
            (Content::Scalar(tag, text), Content::Scalar(other_tag, other_text)) => {
                (tag, text) == (other_tag, other_text)
            }
            (Content::List(items), Content::List(others)) => items == others,
            (Content::Map(fields), Content::Map(others)) => {
                fields.len() == others.len() && fields.iter().eq(others.iter())
            }
            _ => false,
        }
    }
}

impl Node {
    pub(crate) fn text(text: impl Into<String>, at: Place) -> Self {
        Self { content: Content::Scalar(Tag::Text, text.into()), at }
    }

    pub(crate) fn map(at: Place) -> Self {
        Self { content: Content::Map(Fields::default()), at }
    }

    /// A value as it was read.
    pub(crate) fn read(node: mainstay_source::Node<'_>) -> Self {
        let at = node.place();
        let content = if let Some(text) = node.text() {
            let tag = if node.is_plain() { scalar::read(text) } else { Tag::Text };
            Content::Scalar(tag, text.to_owned())
        } else if node.is_sequence() {
            Content::List(node.items().map(Self::read).collect())
        } else {
            let mut fields = Fields::default();
            for (key, value) in node.entries() {
                fields.set_at(key.text().unwrap_or_default(), key.place(), Self::read(value));
            }
            Content::Map(fields)
        };
        Self { content, at }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.content, Content::Scalar(Tag::Null, _))
    }

    /// Whether it is nothing, or holds nothing.
    pub(crate) fn is_nothing(&self) -> bool {
        match &self.content {
            Content::Scalar(tag, _) => *tag == Tag::Null,
            Content::List(items) => items.is_empty(),
            Content::Map(fields) => fields.is_empty(),
        }
    }

    /// The text of a scalar, empty of anything larger.
    pub(crate) fn as_text(&self) -> &str {
        match &self.content {
            Content::Scalar(_, text) => text,
            _ => "",
        }
    }

    pub(crate) fn fields(&self) -> Option<&Fields> {
        match &self.content {
            Content::Map(fields) => Some(fields),
            _ => None,
        }
    }

    pub(crate) fn fields_mut(&mut self) -> Option<&mut Fields> {
        match &mut self.content {
            Content::Map(fields) => Some(fields),
            _ => None,
        }
    }

    pub(crate) fn items(&self) -> Option<&[Self]> {
        match &self.content {
            Content::List(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        self.fields()?.get(name)
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Self> {
        self.fields_mut()?.get_mut(name)
    }

    /// The value at a path of fields.
    pub(crate) fn find(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, name| node.get(name))
    }

    /// The map under a field, made when it is not there or nothing.
    pub(crate) fn map_at(&mut self, name: &str, at: Place) -> Option<&mut Fields> {
        let fields = self.fields_mut()?;
        if fields.get(name).is_none_or(Self::is_null) {
            fields.set(name, Self::map(at));
        }
        fields.get_mut(name)?.fields_mut()
    }

    /// Sets a scalar's text. What looks like something else stays text.
    pub(crate) fn set_text(&mut self, text: impl Into<String>, at: Place) {
        *self = Self::text(text, at);
    }

    /// As JSON.
    pub(crate) fn to_value(&self) -> Value {
        match &self.content {
            Content::Scalar(tag, text) => match tag {
                Tag::Null => Value::Null,
                Tag::Bool => Value::from(text.eq_ignore_ascii_case("true")),
                Tag::Integer | Tag::Float => serde_json::from_str(&scalar::number(text, *tag))
                    .unwrap_or_else(|_| Value::from(text.as_str())),
                Tag::Time => Value::from(scalar::time(text)),
                Tag::Text => Value::from(text.as_str()),
            },
            Content::List(items) => items.iter().map(Self::to_value).collect(),
            Content::Map(fields) => {
                fields.iter().map(|(name, value)| (name.to_owned(), value.to_value())).collect()
            }
        }
    }

    /// The value as a document's.
    pub(crate) fn to_made(&self) -> Made {
        match &self.content {
            Content::Scalar(tag, text) => {
                let (text, is_plain) = match tag {
                    Tag::Text => (text.clone(), false),
                    Tag::Time => (scalar::time(text), false),
                    Tag::Integer | Tag::Float => (scalar::number(text, *tag), true),
                    Tag::Null | Tag::Bool => (text.clone(), true),
                };
                Made::Scalar { text, is_plain, at: self.at }
            }
            Content::List(items) => Made::Sequence(items.iter().map(Self::to_made).collect(), self.at),
            Content::Map(fields) => {
                let entry =
                    |(name, (key, value)): (&String, &(Place, Self))| (name.clone(), *key, value.to_made());
                Made::Mapping(fields.0.iter().map(entry).collect(), self.at)
            }
        }
    }

    /// JSON as a value: what it has in common with an older one stays as that was, the rest stands
    /// where `at` says of its path.
    pub(crate) fn graft(value: &Value, old: Option<&Self>, path: &str, at: &dyn Fn(&str) -> Place) -> Self {
        if let Some(old) = old.filter(|old| old.to_value() == *value) {
            return old.clone();
        }
        let content = match value {
            Value::Null => Content::Scalar(Tag::Null, "null".to_owned()),
            Value::Bool(value) => Content::Scalar(Tag::Bool, value.to_string()),
            Value::Number(number) => {
                let text = number.to_string();
                Content::Scalar(scalar::read(&text), text)
            }
            Value::String(text) => Content::Scalar(Tag::Text, text.clone()),
            Value::Array(items) => {
                let before = old.and_then(Self::items).unwrap_or_default();
                let item = |(index, item): (usize, &Value)| {
                    // Items move: one that was there before is still that one.
                    let same = before.iter().find(|old| old.to_value() == *item);
                    Self::graft(item, same.or_else(|| before.get(index)), &format!("{path}/{index}"), at)
                };
                Content::List(items.iter().enumerate().map(item).collect())
            }
            Value::Object(map) => {
                let before = old.and_then(Self::fields);
                let mut fields = Fields::default();
                for (name, value) in map {
                    let old = before.and_then(|fields| fields.get(name));
                    let path = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
                    let value = Self::graft(value, old, &path, at);
                    let key = before.and_then(|fields| fields.key_place(name)).unwrap_or(value.at);
                    fields.set_at(name, key, value);
                }
                Content::Map(fields)
            }
        };
        let is_kept = matches!(
            (&content, old.map(|old| &old.content)),
            (Content::List(_), Some(Content::List(_))) | (Content::Map(_), Some(Content::Map(_)))
        );
        let at = old.filter(|_| is_kept).map_or_else(|| at(path), |old| old.at);
        Self { content, at }
    }
}
