//! What a write changes: the paths it adds, modifies and removes.
//!
//! What is equal is skipped before its type is looked up, so a write costs about what comparing the
//! two objects does.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::element;
use super::set::{FieldSet, Trie, node, union_into};
use crate::SchemaRef;
use crate::schema::{ListType, Shape};

/// Fields nobody owns: the server sets them, or they name the object.
const UNOWNED: &[&str] = &["apiVersion", "kind"];
const UNOWNED_METADATA: &[&str] = &[
    "clusterName",
    "creationTimestamp",
    "generation",
    "managedFields",
    "name",
    "namespace",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// What distinguishes an object from what it was.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// What is there now and was not, or is there with another value.
    pub changed: FieldSet,
    /// What was there and is not.
    pub removed: FieldSet,
}

impl Changes {
    /// Whether the two objects are the same to their managers.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.removed.is_empty()
    }
}

/// What differs between an object as it was (nothing, when it was not) and as it is. The fields
/// nobody owns do not count.
pub fn changes(before: Option<&Value>, after: &Value, schema: SchemaRef<'_>) -> Changes {
    let mut found = Difference::default();
    each_field(fields_of(before), fields_of(Some(after)), |name, left, right| {
        if UNOWNED.contains(&name) {
            return;
        }
        let field = schema.field_or_any(name);
        let difference =
            if name == "metadata" { metadata(field, left, right) } else { compare_field(field, left, right) };
        found.put(|| format!("f:{name}"), difference);
    });
    Changes { changed: FieldSet(found.changed.children), removed: FieldSet(found.removed.children) }
}

fn metadata(schema: SchemaRef<'_>, left: Option<&Value>, right: Option<&Value>) -> Difference {
    let mut found = Difference::default();
    each_field(fields_of(left), fields_of(right), |name, left, right| {
        if !UNOWNED_METADATA.contains(&name) {
            found.put(|| format!("f:{name}"), compare_field(schema.field_or_any(name), left, right));
        }
    });
    found
}

/// The set without the fields nobody owns.
pub(super) fn strip(set: &mut FieldSet) {
    for name in UNOWNED {
        set.remove_branch(&[name]);
    }
    for name in UNOWNED_METADATA {
        set.remove_branch(&["metadata", name]);
    }
    let unowned = Trie::from_iter([("f:metadata".to_owned(), Value::Object(Map::new()))]);
    super::set::subtract_from(&mut set.0, &unowned);
}

static NO_FIELDS: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);

fn fields_of(value: Option<&Value>) -> &Map<String, Value> {
    value.and_then(Value::as_object).unwrap_or(&NO_FIELDS)
}

#[derive(Default)]
struct Branch {
    member: bool,
    children: Trie,
}

/// What differs at and below one place.
#[derive(Default)]
struct Difference {
    changed: Branch,
    removed: Branch,
}

impl Difference {
    /// Adds what differs below an element; it is spelled only if something does.
    fn put(&mut self, element: impl Fn() -> String, below: Difference) {
        for (branch, below) in [(&mut self.changed, below.changed), (&mut self.removed, below.removed)] {
            if let Some(node) = node(below.member, below.children) {
                branch.children.insert(element(), node);
            }
        }
    }

    /// A container that is there on one side only differs itself.
    fn container(mut self, left: Option<&Value>, right: Option<&Value>) -> Self {
        self.changed.member |= left.is_none();
        self.removed.member |= right.is_none();
        self
    }
}

fn each_field<'v>(
    left: &'v Map<String, Value>,
    right: &'v Map<String, Value>,
    mut visit: impl FnMut(&str, Option<&'v Value>, Option<&'v Value>),
) {
    for (name, value) in left {
        let other = right.get(name);
        if other != Some(value) {
            visit(name, Some(value), other);
        }
    }
    for (name, value) in right {
        if !left.contains_key(name) {
            visit(name, None, Some(value));
        }
    }
}

/// Compares a field; what upstream always encodes is there even when it is not.
fn compare_field(schema: SchemaRef<'_>, left: Option<&Value>, right: Option<&Value>) -> Difference {
    if !schema.is_always_present() || left.is_some() == right.is_some() {
        return compare(schema, left, right);
    }
    if is_blank(left.or(right)) {
        return Difference::default();
    }
    compare(schema, Some(left.unwrap_or(&Value::Null)), Some(right.unwrap_or(&Value::Null)))
}

fn is_blank(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::Object(map)) => map.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(_) => false,
    }
}

/// Compares what is known to differ.
fn compare(schema: SchemaRef<'_>, left: Option<&Value>, right: Option<&Value>) -> Difference {
    match schema.shape() {
        Shape::Scalar | Shape::Map { atomic: true } | Shape::List(ListType::Atomic) => leaf(left, right),
        Shape::Map { atomic: false } => compare_maps(schema, left, right),
        Shape::List(list) => compare_lists(schema, list, left, right),
        Shape::Any => compare_deduced(schema, left, right),
    }
}

fn leaf(left: Option<&Value>, right: Option<&Value>) -> Difference {
    let mut found = Difference::default();
    match (left, right) {
        (_, None) => found.removed.member = true,
        (Some(Value::Number(left)), Some(Value::Number(right))) => {
            found.changed.member = left.as_f64() != right.as_f64();
        }
        _ => found.changed.member = true,
    }
    found
}

fn compare_maps(schema: SchemaRef<'_>, left: Option<&Value>, right: Option<&Value>) -> Difference {
    let (left_map, right_map) = (fields_of(left), fields_of(right));
    if left_map.is_empty() && right_map.is_empty() {
        return leaf(left, right);
    }
    let mut found = Difference::default();
    each_field(left_map, right_map, |name, left, right| {
        found.put(|| format!("f:{name}"), compare_field(schema.field_or_any(name), left, right));
    });
    found.container(left, right)
}

/// Where nothing is known of the type, the values say what they are.
fn compare_deduced(schema: SchemaRef<'_>, left: Option<&Value>, right: Option<&Value>) -> Difference {
    let is_map = |value: Option<&Value>| value.is_some_and(Value::is_object);
    let is_open = |value: Option<&Value>| value.is_none_or(|value| value.is_null() || value.is_object());
    if !is_map(left) && !is_map(right) {
        return leaf(left, right);
    }
    if is_open(left) && is_open(right) {
        return compare_maps(schema, left, right);
    }
    let mut found = leaf(left, right);
    let below = compare_maps(
        schema,
        left.filter(|value| value.is_object()).or(Some(&Value::Null)),
        right.filter(|value| value.is_object()).or(Some(&Value::Null)),
    );
    union_into(&mut found.changed.children, &below.changed.children);
    union_into(&mut found.removed.children, &below.removed.children);
    found
}

fn compare_lists(
    schema: SchemaRef<'_>,
    list: &ListType,
    left: Option<&Value>,
    right: Option<&Value>,
) -> Difference {
    let left_items = left.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let right_items = right.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if left_items.is_empty() && right_items.is_empty() {
        return leaf(left, right);
    }
    let found = compare_aligned(schema, list, left_items, right_items)
        .unwrap_or_else(|| compare_indexed(schema, list, left_items, right_items));
    found.container(left, right)
}

/// The common case: the same items in the same order. `None` when they are not.
fn compare_aligned(
    schema: SchemaRef<'_>,
    list: &ListType,
    left: &[Value],
    right: &[Value],
) -> Option<Difference> {
    let same = |(left, right)| element::is_same_item(list, left, right);
    if left.len() != right.len() || !left.iter().zip(right).all(same) {
        return None;
    }
    let mut found = Difference::default();
    for (index, (before, after)) in
        left.iter().zip(right).enumerate().filter(|(_, (left, right))| left != right)
    {
        let twin = |(other, item)| other != index && element::is_same_item(list, item, before);
        if left.iter().enumerate().any(twin) {
            return None;
        }
        let spelled = element::item(list, after)?;
        found.put(|| spelled.clone(), compare(schema.items(), Some(before), Some(after)));
    }
    Some(found)
}

/// Items by what identifies them. An item that comes twice is owned as a whole, as upstream does.
fn compare_indexed(schema: SchemaRef<'_>, list: &ListType, left: &[Value], right: &[Value]) -> Difference {
    let keyed = |item| Some((element::item(list, item)?, item));
    let mut items: BTreeMap<String, (Vec<&Value>, Vec<&Value>)> = BTreeMap::new();
    for (key, item) in left.iter().filter_map(keyed) {
        items.entry(key).or_default().0.push(item);
    }
    for (key, item) in right.iter().filter_map(keyed) {
        items.entry(key).or_default().1.push(item);
    }
    let mut found = Difference::default();
    for (key, (left, right)) in items {
        let mut below = match (left.as_slice(), right.as_slice()) {
            ([before], [after]) if before == after => Difference::default(),
            ([] | [_], [] | [_]) => compare(schema.items(), left.first().copied(), right.first().copied()),
            ([_, _, ..], [only]) => compare(schema.items(), None, Some(only)),
            ([only], [_, _, ..]) => compare(schema.items(), Some(only), None),
            _ => Difference::default(),
        };
        match (left.len() > 1, right.len() > 1) {
            (true, true) => below.changed.member |= left != right,
            (true, false) => below.removed.member = true,
            (false, true) => below.changed.member = true,
            (false, false) => {}
        }
        found.put(|| key.clone(), below);
    }
    found
}
