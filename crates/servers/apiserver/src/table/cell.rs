//! What several kinds' cells are made of.

use jiff::Timestamp;
use mainstay_resource::{LabelSelector, Quantity, meta};
use serde_json::Value;

use super::age;
use crate::fields::{at, entries, list, text};

pub(super) const NONE: &str = "<none>";
pub(super) const UNSET: &str = "<unset>";
pub(super) const UNKNOWN: &str = "<unknown>";

/// The object's name.
pub(super) fn name(object: &Value) -> Value {
    meta::name(object).into()
}

/// How old the object is.
pub(super) fn age(object: &Value, now: Timestamp) -> Value {
    age::since(meta::creation_timestamp(object).unwrap_or_default(), now).into()
}

/// When the object was made.
pub(super) fn created(object: &Value) -> Value {
    meta::creation_timestamp(object).unwrap_or_default().into()
}

/// The number below `path`; zero when there is none.
pub(super) fn count(object: &Value, path: &[&str]) -> Value {
    crate::fields::number(object, path).unwrap_or(0).into()
}

/// The text below `path`, or another.
pub(super) fn text_or(object: &Value, path: &[&str], otherwise: &str) -> Value {
    let given = text(object, path);
    if given.is_empty() { otherwise.into() } else { given.into() }
}

/// A number, a text or a truth below `path` as text, or another.
pub(super) fn scalar_or(object: &Value, path: &[&str], otherwise: &str) -> Value {
    match at(object, path) {
        Some(Value::String(text)) => text.as_str().into(),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string().into(),
        _ => otherwise.into(),
    }
}

/// Whether the value below `path` is true.
pub(super) fn truth(object: &Value, path: &[&str]) -> Value {
    (at(object, path) == Some(&Value::Bool(true))).into()
}

/// An amount in its canonical form; what is not there is zero.
pub(super) fn quantity(value: Option<&Value>) -> String {
    let Some(value) = value else { return "0".to_owned() };
    match Quantity::from_value(value) {
        Ok(quantity) => quantity.to_string(),
        Err(_) => value.as_str().unwrap_or_default().to_owned(),
    }
}

/// Names and images of the containers of the pod spec below `path`, each joined by commas.
pub(super) fn containers(object: &Value, path: &[&str]) -> [Value; 2] {
    let containers = at(object, path).map_or(&[][..], |spec| list(spec, &["containers"]));
    ["name", "image"].map(|field| joined(containers.iter().map(|container| text(container, &[field]))).into())
}

/// Texts joined by commas.
pub(super) fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.collect::<Vec<_>>().join(",")
}

/// Texts joined by something else.
pub(super) fn joined_by<'a>(separator: &str, texts: impl Iterator<Item = &'a str>) -> String {
    texts.collect::<Vec<_>>().join(separator)
}

/// Texts joined by commas, or `<none>`.
pub(super) fn joined_or_none<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let all = joined(texts);
    if all.is_empty() { NONE.to_owned() } else { all }
}

/// The first three texts, and how many more there are.
pub(super) fn first_three(texts: &[String]) -> String {
    let shown = texts[..texts.len().min(3)].join(",");
    match texts.len() {
        0 => String::new(),
        1..=3 => shown,
        more => format!("{shown} + {} more...", more - 3),
    }
}

/// The label selector below `path` as text.
pub(super) fn selector(object: &Value, path: &[&str]) -> Value {
    at(object, path).map_or_else(|| NONE.into(), |selector| selector_or(selector, NONE).into())
}

/// A label selector as text; `everything` for one that selects everything.
pub(super) fn selector_or(selector: &Value, everything: &str) -> String {
    match LabelSelector::from_object(selector) {
        Ok(parsed) if parsed.is_everything() => everything.to_owned(),
        Ok(parsed) => parsed.to_string(),
        Err(_) => "<error>".to_owned(),
    }
}

/// The map of strings below `path` as `a=b,c=d`.
pub(super) fn pairs(object: &Value, path: &[&str]) -> Value {
    let pairs: Vec<String> = entries(object, path)
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    if pairs.is_empty() { NONE.into() } else { pairs.join(",").into() }
}

/// The status of the condition of this type.
pub(super) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a str> {
    let conditions = list(object, &["status", "conditions"]);
    conditions.iter().find(|one| text(one, &["type"]) == kind).map(|one| text(one, &["status"]))
}

/// How many entries the map below `path` has.
pub(super) fn size(object: &Value, path: &[&str]) -> usize {
    at(object, path).and_then(Value::as_object).map_or(0, serde_json::Map::len)
}
