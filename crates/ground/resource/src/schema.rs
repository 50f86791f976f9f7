//! How objects merge: which lists are maps by which keys, which maps are atomic, how a strategic
//! merge patch treats a field.
//!
//! The schemas of the built-in kinds are one table, parsed once (`table`); a custom kind has a
//! deduced schema (maps granular, lists atomic) or one made of its definition (`openapi`). Looking
//! a field up allocates nothing.
//!
//! **Spec:** the `x-kubernetes-*` extensions of the published OpenAPI documents.

mod openapi;
pub mod table;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use serde_json::Value;

use crate::GroupVersionKind;

const SCALAR: usize = 0;
const ANY: usize = 1;
const CUSTOM: &str = "";

static BUILT_IN: LazyLock<Schema> =
    LazyLock::new(|| table::parse(table::TEXT).expect("invariant: the embedded table is well-formed"));

/// The types of one or more kinds; [`SchemaRef`] points into it.
#[derive(Debug)]
pub struct Schema {
    nodes: Vec<Node>,
    fields: Vec<Field>,
    kinds: BTreeMap<GroupVersionKind, usize>,
}

#[derive(Clone, Debug)]
enum Node {
    Scalar(Option<ScalarType>),
    Any,
    Map {
        fields: Range<usize>,
        rest: Option<usize>,
        atomic: bool,
    },
    List {
        items: usize,
        relation: ListType,
    },
    /// A type of the built-in table, used by a schema beside it.
    BuiltIn(usize),
}

#[derive(Debug)]
struct Field {
    name: Cow<'static, str>,
    node: usize,
    patch: Patch,
    always_present: bool,
}

/// What a strategic merge patch does with a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Patch {
    merge: bool,
    replace: bool,
    retain_keys: bool,
    merge_key: Option<Cow<'static, str>>,
}

/// What sort of scalar a type is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScalarType {
    /// Text, times and bytes included.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// Text or a number: quantities, ports by name or number.
    TextOrNumber,
}

impl ScalarType {
    /// What schemas call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::TextOrNumber => "string-or-number",
        }
    }

    /// Whether a value is of this type; null, which means absent, is of every type.
    pub fn admits(self, value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::String(_) => matches!(self, Self::Text | Self::TextOrNumber),
            Value::Bool(_) => self == Self::Boolean,
            Value::Number(number) => match self {
                Self::Integer => number.is_i64() || number.is_u64(),
                Self::Number | Self::TextOrNumber => true,
                Self::Text | Self::Boolean => false,
            },
            Value::Array(_) | Value::Object(_) => false,
        }
    }
}

/// How the items of a list relate to each other.
#[derive(Clone, Debug, PartialEq)]
pub enum ListType {
    /// One value, owned as a whole.
    Atomic,
    /// Scalars, each its own key.
    Set,
    /// Objects, identified by these fields, which are in order of their names.
    Map(Vec<Key>),
}

impl ListType {
    fn keyed(mut keys: Vec<Key>) -> Self {
        keys.sort_by(|left, right| left.name.cmp(&right.name));
        Self::Map(keys)
    }
}

/// A field that identifies an item of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// The field's name.
    pub name: Cow<'static, str>,
    /// What an item without the field has.
    pub default: Option<Value>,
}

/// What a value of a type is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape<'a> {
    /// A scalar.
    Scalar,
    /// Nothing is known: objects are granular, lists atomic.
    Any,
    /// An object; when atomic, owned as a whole.
    Map {
        /// Whether the object is one value.
        atomic: bool,
    },
    /// A list.
    List(&'a ListType),
}

/// A type, and the field it was reached by.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct SchemaRef<'a> {
    schema: &'a Schema,
    node: usize,
    field: Option<&'a Field>,
}

impl Schema {
    /// The schema of a built-in kind.
    pub fn for_kind(kind: &GroupVersionKind) -> Option<SchemaRef<'static>> {
        BUILT_IN.kinds.get(kind).map(|node| BUILT_IN.at(*node))
    }

    /// The deduced schema of a custom kind: metadata as everywhere, maps granular, lists atomic.
    pub fn custom() -> SchemaRef<'static> {
        static DEDUCED: LazyLock<Schema> = LazyLock::new(|| {
            Schema::from_openapi(&serde_json::json!({"x-kubernetes-preserve-unknown-fields": true}))
        });
        DEDUCED.root()
    }

    /// The schema of a built-in kind, or the deduced one.
    pub fn for_kind_or_custom(kind: &GroupVersionKind) -> SchemaRef<'static> {
        Self::for_kind(kind).unwrap_or_else(Self::custom)
    }

    /// The schema of a custom kind whose definition has this `openAPIV3Schema`. Never fails: what
    /// cannot be read is deduced.
    pub fn from_openapi(definition: &Value) -> Schema {
        openapi::schema(definition)
    }

    /// The type of the whole object of a schema that came from [`Schema::from_openapi`].
    pub fn root(&self) -> SchemaRef<'_> {
        let root = self.kinds.iter().find(|(kind, _)| kind.kind == CUSTOM);
        self.at(root.map_or(ANY, |(_, node)| *node))
    }

    fn empty() -> Self {
        Self { nodes: vec![Node::Scalar(None), Node::Any], fields: Vec::new(), kinds: BTreeMap::new() }
    }

    fn push(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn at(&self, node: usize) -> SchemaRef<'_> {
        SchemaRef { schema: self, node, field: None }
    }
}

impl<'a> SchemaRef<'a> {
    /// What a value of this type is made of.
    pub fn shape(self) -> Shape<'a> {
        match self.node() {
            Node::Scalar(_) => Shape::Scalar,
            Node::Any | Node::BuiltIn(_) => Shape::Any,
            Node::Map { atomic, .. } => Shape::Map { atomic: *atomic },
            Node::List { relation, .. } => Shape::List(relation),
        }
    }

    /// What sort of scalar this is; `None` for what is none, and where it is not known.
    pub fn scalar_type(self) -> Option<ScalarType> {
        match self.node() {
            Node::Scalar(sort) => *sort,
            _ => None,
        }
    }

    /// The type of a field of this object; `None` when the type has no such field.
    pub fn field(self, name: &str) -> Option<SchemaRef<'a>> {
        match self.node() {
            Node::Any => Some(self.to(ANY, None)),
            Node::Map { fields, rest, .. } => match self.declared(fields, name) {
                Some(field) => Some(self.to(field.node, Some(field))),
                None => rest.map(|node| self.to(node, None)),
            },
            Node::Scalar(_) | Node::List { .. } | Node::BuiltIn(_) => None,
        }
    }

    /// The type of a field, deduced when the type has no such field.
    pub fn field_or_any(self, name: &str) -> SchemaRef<'a> {
        self.field(name).unwrap_or_else(|| self.to(ANY, None))
    }

    /// Whether the type names this field, as opposed to allowing any.
    pub fn declares(self, name: &str) -> bool {
        matches!(self.node(), Node::Map { fields, .. } if self.declared(fields, name).is_some())
    }

    /// The type of this list's items.
    pub fn items(self) -> SchemaRef<'a> {
        match self.node() {
            Node::List { items, .. } => self.to(*items, None),
            _ => self.to(ANY, None),
        }
    }

    /// How this list's items relate; a type that is no list has none that do.
    pub fn list_type(self) -> &'a ListType {
        match self.node() {
            Node::List { relation, .. } => relation,
            _ => &ListType::Atomic,
        }
    }

    /// The field by which a strategic merge patch finds an item of this list.
    pub fn patch_merge_key(self) -> Option<&'a str> {
        self.field.and_then(|field| field.patch.merge_key.as_deref())
    }

    /// Whether a strategic merge patch merges this list rather than replacing it.
    pub fn patch_merges(self) -> bool {
        self.field.is_some_and(|field| field.patch.merge)
    }

    /// Whether a strategic merge patch replaces this object rather than merging it.
    pub fn patch_replaces(self) -> bool {
        self.field.is_some_and(|field| field.patch.replace)
    }

    /// Whether patches of this field name the keys to retain.
    pub fn patch_retains_keys(self) -> bool {
        self.field.is_some_and(|field| field.patch.retain_keys)
    }

    /// Whether every encoded object has the field, if only empty. Nobody owns such a field itself,
    /// only what is in it.
    pub fn is_always_present(self) -> bool {
        self.field.is_some_and(|field| field.always_present)
    }

    fn node(&self) -> &'a Node {
        self.schema.nodes.get(self.node).unwrap_or(&Node::Any)
    }

    fn to(self, node: usize, field: Option<&'a Field>) -> SchemaRef<'a> {
        match self.schema.nodes.get(node) {
            Some(Node::BuiltIn(node)) => SchemaRef { schema: &BUILT_IN, node: *node, field },
            _ => SchemaRef { schema: self.schema, node, field },
        }
    }

    fn declared(self, fields: &Range<usize>, name: &str) -> Option<&'a Field> {
        let fields = self.schema.fields.get(fields.clone())?;
        fields.binary_search_by(|field| (*field.name).cmp(name)).ok().map(|found| &fields[found])
    }
}

#[cfg(test)]
mod tests;
