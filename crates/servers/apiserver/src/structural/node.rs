//! The compiled form of a schema: a tree of nodes, small where a schema says little.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use regex::Regex;
use serde_json::Value;

use crate::fields::{at, list, text};

/// Deeper than any object: the recursion ends on hostile input.
const DEPTH_MAX: usize = 128;

/// What is known of a value.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) sort: Option<Sort>,
    pub(super) nullable: bool,
    /// Whether fields that are not named stay.
    pub(super) keeps_unknown: bool,
    /// Whether the value is an object of some kind, with metadata of its own.
    pub(super) is_embedded: bool,
    pub(super) default: Option<Value>,
    /// By name, sorted.
    pub(super) properties: Vec<(Box<str>, Node)>,
    pub(super) rest: Rest,
    pub(super) items: Option<Box<Node>>,
    pub(super) relation: Relation,
    pub(super) rules: Option<Box<Rules>>,
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Object,
    Array,
    Text,
    Integer,
    Number,
    Boolean,
    IntegerOrText,
}

/// What the fields are that have no name of their own.
#[derive(Debug, Default)]
pub(super) enum Rest {
    /// Nothing is said of them.
    #[default]
    Unsaid,
    /// There may be any, of which nothing is known.
    Any,
    /// There may be none.
    Forbidden,
    /// They are all like this.
    Of(Box<Node>),
}

/// How the items of a list relate.
#[derive(Debug, Default)]
pub(super) enum Relation {
    #[default]
    Atomic,
    Set,
    Map(Vec<Box<str>>),
}

/// What must hold of a value besides its type.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) required: Vec<Box<str>>,
    pub(super) options: Vec<Value>,
    pub(super) pattern: Option<Arc<Pattern>>,
    pub(super) format: Option<Box<str>>,
    pub(super) length: (Option<u64>, Option<u64>),
    pub(super) items: (Option<u64>, Option<u64>),
    pub(super) properties: (Option<u64>, Option<u64>),
    pub(super) minimum: Option<Bound>,
    pub(super) maximum: Option<Bound>,
    pub(super) multiple_of: Option<f64>,
    pub(super) unique: bool,
    pub(super) all_of: Vec<Node>,
    pub(super) any_of: Vec<Node>,
    pub(super) one_of: Vec<Node>,
    pub(super) not: Option<Box<Node>>,
}

/// A limit of a number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    pub(super) at: f64,
    /// Whether the limit itself is beyond the limit.
    pub(super) exclusive: bool,
}

/// A pattern, compiled when it is first needed.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) text: Box<str>,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Whether a text matches; every text does when the pattern cannot be read.
    pub(super) fn admits(&self, text: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| Regex::new(&self.text).ok());
        compiled.as_ref().is_none_or(|pattern| pattern.is_match(text))
    }
}

impl Node {
    /// Compiles a schema.
    pub(super) fn compile(definition: &Value) -> Self {
        Compiler::default().node(definition, 0)
    }

    /// The type of a field with a name of its own.
    pub(super) fn property(&self, name: &str) -> Option<&Node> {
        let found = self.properties.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
        Some(&self.properties[found].1)
    }

    /// The type of a field, with a name of its own or not; none where nothing is known.
    pub(super) fn field(&self, name: &str) -> Option<&Node> {
        self.property(name).or(match &self.rest {
            Rest::Of(node) => Some(node),
            _ => None,
        })
    }

    /// Whether the value is null though it must not be.
    pub(super) fn refuses_null(&self, value: &Value) -> bool {
        value.is_null() && !self.nullable
    }
}

/// Compiles the nodes of one schema, which share their patterns.
#[derive(Default)]
struct Compiler {
    patterns: BTreeMap<Box<str>, Arc<Pattern>>,
}

impl Compiler {
    fn node(&mut self, definition: &Value, depth: usize) -> Node {
        if depth > DEPTH_MAX {
            return Node { keeps_unknown: true, ..Node::default() };
        }
        let flag = |name: &str| definition[name] == true;
        let properties = definition["properties"].as_object().into_iter().flatten();
        let mut properties: Vec<(Box<str>, Node)> = properties
            .map(|(name, property)| (Box::from(name.as_str()), self.node(property, depth + 1)))
            .collect();
        properties.sort_by(|(left, _), (right, _)| left.cmp(right));
        Node {
            sort: if flag("x-kubernetes-int-or-string") {
                Some(Sort::IntegerOrText)
            } else {
                Sort::parse(text(definition, &["type"]))
            },
            nullable: flag("nullable"),
            keeps_unknown: flag("x-kubernetes-preserve-unknown-fields"),
            is_embedded: flag("x-kubernetes-embedded-resource"),
            default: at(definition, &["default"]).cloned(),
            properties,
            rest: match &definition["additionalProperties"] {
                Value::Bool(true) => Rest::Any,
                Value::Bool(false) => Rest::Forbidden,
                values @ Value::Object(_) => Rest::Of(Box::new(self.node(values, depth + 1))),
                _ => Rest::Unsaid,
            },
            items: definition["items"]
                .is_object()
                .then(|| Box::new(self.node(&definition["items"], depth + 1))),
            relation: relation(definition),
            rules: self.rules(definition, depth),
        }
    }

    /// The rules of a schema, if it has any.
    fn rules(&mut self, definition: &Value, depth: usize) -> Option<Box<Rules>> {
        let count = |name: &str| definition[name].as_u64();
        let bound = |name: &str, exclusive: &str| {
            let at = definition[name].as_f64()?;
            Some(Bound { at, exclusive: definition[exclusive] == true })
        };
        let names = [
            "required",
            "enum",
            "pattern",
            "format",
            "minLength",
            "maxLength",
            "minItems",
            "maxItems",
            "minProperties",
            "maxProperties",
            "minimum",
            "maximum",
            "multipleOf",
            "uniqueItems",
            "allOf",
            "anyOf",
            "oneOf",
            "not",
        ];
        if !names.iter().any(|name| definition.get(name).is_some()) {
            return None;
        }
        let required = list(definition, &["required"]).iter().filter_map(Value::as_str);
        let format = text(definition, &["format"]);
        Some(Box::new(Rules {
            required: required.map(Box::from).collect(),
            options: list(definition, &["enum"]).to_vec(),
            pattern: definition["pattern"]
                .as_str()
                .filter(|text| !text.is_empty())
                .map(|text| self.pattern(text)),
            format: super::formats::is_known(format).then(|| Box::from(format)),
            length: (count("minLength"), count("maxLength")),
            items: (count("minItems"), count("maxItems")),
            properties: (count("minProperties"), count("maxProperties")),
            minimum: bound("minimum", "exclusiveMinimum"),
            maximum: bound("maximum", "exclusiveMaximum"),
            multiple_of: definition["multipleOf"].as_f64(),
            unique: definition["uniqueItems"] == true,
            all_of: self.nodes(definition, "allOf", depth),
            any_of: self.nodes(definition, "anyOf", depth),
            one_of: self.nodes(definition, "oneOf", depth),
            not: definition["not"].is_object().then(|| Box::new(self.node(&definition["not"], depth + 1))),
        }))
    }

    fn nodes(&mut self, definition: &Value, name: &str, depth: usize) -> Vec<Node> {
        list(definition, &[name]).iter().map(|one| self.node(one, depth + 1)).collect()
    }

    fn pattern(&mut self, text: &str) -> Arc<Pattern> {
        if let Some(known) = self.patterns.get(text) {
            return Arc::clone(known);
        }
        let pattern = Arc::new(Pattern { text: text.into(), compiled: OnceLock::new() });
        self.patterns.insert(text.into(), Arc::clone(&pattern));
        pattern
    }
}

fn relation(definition: &Value) -> Relation {
    match definition["x-kubernetes-list-type"].as_str() {
        Some("set") => Relation::Set,
        Some("map") => {
            let keys = list(definition, &["x-kubernetes-list-map-keys"]).iter();
            Relation::Map(keys.filter_map(Value::as_str).map(Box::from).collect())
        }
        _ => Relation::Atomic,
    }
}

impl Sort {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "object" => Self::Object,
            "array" => Self::Array,
            "string" => Self::Text,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "boolean" => Self::Boolean,
            _ => return None,
        })
    }

    /// What schemas call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Array => "array",
            Self::Text => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::IntegerOrText => "integer,string",
        }
    }

    /// Whether a value, which is not null, is of the type.
    pub(super) fn admits(self, value: &Value) -> bool {
        match self {
            Self::Object => value.is_object(),
            Self::Array => value.is_array(),
            Self::Text => value.is_string(),
            Self::Integer => is_whole(value),
            Self::Number => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::IntegerOrText => value.is_string() || is_whole(value),
        }
    }
}

fn is_whole(value: &Value) -> bool {
    value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
}
