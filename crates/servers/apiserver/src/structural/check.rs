//! Whether the values of an object are what its schema says.
//!
//! What a change leaves as it was is not looked at again, so an object that a newer schema would
//! refuse can still be changed elsewhere.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::formats;
use super::node::{Bound, Node, Relation, Rest, Rules, Sort};
use crate::status::Cause;

/// What is wrong with an object.
pub(super) fn check(root: &Node, before: Option<&Value>, object: &Value) -> Vec<Cause> {
    let mut check = Check::default();
    check.value(root, before, object);
    check.causes
}

/// A way through an object.
#[derive(Default)]
struct Check {
    path: String,
    causes: Vec<Cause>,
    /// How many values were of their type: of alternatives that all fail, the one that fits best
    /// says why.
    matches: usize,
}

impl Check {
    fn value(&mut self, node: &Node, before: Option<&Value>, value: &Value) {
        if before == Some(value) {
            return;
        }
        self.sort(node, value);
        let Some(rules) = node.rules.as_deref() else {
            return self.parts(node, &Rules::default(), before, value);
        };
        if !value.is_null() {
            self.alternatives(rules, value);
            self.parts(node, rules, before, value);
        }
        if !rules.options.is_empty() && !rules.options.iter().any(|option| same(option, value)) {
            self.causes.push(unsupported(&self.path, value, &rules.options));
        }
    }

    fn sort(&mut self, node: &Node, value: &Value) {
        let Some(sort) = node.sort else { return };
        // A text or a list with a format is the format's affair.
        let has_format = node.rules.as_ref().is_some_and(|rules| rules.format.is_some());
        let by_format = has_format && !matches!(sort, Sort::Integer | Sort::Number | Sort::IntegerOrText);
        let fits = match value {
            Value::Null => node.nullable,
            Value::String(_) | Value::Array(_) if by_format => true,
            value => sort.admits(value),
        };
        if fits {
            self.matches += 1;
        } else {
            self.mistyped(given(value), sort.name());
        }
    }

    fn mistyped(&mut self, given: &str, expected: &str) {
        let path = &self.path;
        let message =
            format!("Invalid value: {given:?}: {path} in body must be of type {expected}: {given:?}");
        self.causes.push(Cause { reason: "FieldValueTypeInvalid", message, field: path.clone() });
    }

    /// Refuses a value: `spec.port in body should be …`.
    fn should(&mut self, value: &Value, what: &str) {
        let why = format!("{} in body should {what}", self.path);
        self.causes.push(Cause::invalid(self.path.as_str(), value, &why));
    }

    fn parts(&mut self, node: &Node, rules: &Rules, before: Option<&Value>, value: &Value) {
        match value {
            Value::Object(fields) => self.object(node, rules, before, fields),
            Value::Array(items) => self.list(node, rules, before, items),
            Value::String(text) => self.text(rules, text),
            Value::Number(_) => self.number(node, rules, value),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn object(&mut self, node: &Node, rules: &Rules, before: Option<&Value>, fields: &Map<String, Value>) {
        let count = fields.len() as u64;
        if rules.properties.0.is_some_and(|least| count < least) {
            let least = rules.properties.0.unwrap_or_default();
            self.should(&count.into(), &format!("have at least {least} properties"));
        }
        self.too_many(count, rules.properties.1);
        for (name, value) in fields {
            if let Some(known) = node.field(name) {
                self.below(name, |check| {
                    check.value(known, before.and_then(|before| before.get(name)), value);
                });
            } else if matches!(node.rest, Rest::Forbidden) {
                let why = format!("{}.{name} in body is a forbidden property", self.path);
                self.causes.push(Cause::invalid(self.path.as_str(), &name.as_str().into(), &why));
            }
        }
        for name in &rules.required {
            if !fields.contains_key(&**name) {
                self.below(name, |check| check.causes.push(Cause::required(check.path.as_str(), "")));
            }
        }
    }

    fn below(&mut self, name: &str, look: impl FnOnce(&mut Self)) {
        let end = self.path.len();
        if end > 0 {
            self.path.push('.');
        }
        self.path.push_str(name);
        look(self);
        self.path.truncate(end);
    }

    fn list(&mut self, node: &Node, rules: &Rules, before: Option<&Value>, items: &[Value]) {
        if let Some(known) = &node.items {
            let end = self.path.len();
            for (index, item) in items.iter().enumerate() {
                write!(self.path, "[{index}]").expect("invariant: writing to a String does not fail");
                self.value(known, earlier(&node.relation, before, item), item);
                self.path.truncate(end);
            }
        }
        let count = items.len() as u64;
        if rules.items.0.is_some_and(|least| count < least) {
            let least = rules.items.0.unwrap_or_default();
            self.should(&count.into(), &format!("have at least {least} items"));
        }
        self.too_many(count, rules.items.1);
        let is_repeated = |(index, item): (usize, &Value)| items[..index].contains(item);
        if rules.unique && items.iter().enumerate().any(is_repeated) {
            let why = format!("{} in body shouldn't contain duplicates", self.path);
            self.causes.push(Cause::invalid(self.path.as_str(), &"".into(), &why));
        }
    }

    fn too_many(&mut self, count: u64, most: Option<u64>) {
        if let Some(most) = most.filter(|most| count > *most) {
            let message = format!("Too many: {count}: must have at most {most} items");
            self.causes.push(Cause { reason: "FieldValueTooMany", message, field: self.path.clone() });
        }
    }

    /// Of a text, the first thing that is wrong; then its format.
    fn text(&mut self, rules: &Rules, text: &str) {
        let (least, most) = rules.length;
        let length = text.chars().count() as u64;
        if let Some(most) = most.filter(|most| length > *most) {
            let message = format!("Too long: may not be more than {most} bytes");
            self.causes.push(Cause { reason: "FieldValueTooLong", message, field: self.path.clone() });
        } else if let Some(least) = least.filter(|least| length < *least) {
            self.should(&text.into(), &format!("be at least {least} chars long"));
        } else if let Some(pattern) = rules.pattern.as_ref().filter(|pattern| !pattern.admits(text)) {
            self.should(&text.into(), &format!("match '{}'", pattern.text));
        }
        if let Some(format) = rules.format.as_deref().filter(|format| !formats::admits(format, text)) {
            self.mistyped(text, format);
        }
    }

    fn number(&mut self, node: &Node, rules: &Rules, value: &Value) {
        let number = value.as_f64().unwrap_or_default();
        if node.sort == Some(Sort::Integer) && value.is_u64() && value.as_i64().is_none() {
            let why = format!("Checked value must be of type integer (default format) in {}", self.path);
            self.causes.push(nowhere(&why));
        }
        if let Some(factor) = rules.multiple_of.filter(|factor| (number / factor).fract() != 0.0) {
            self.should(value, &format!("be a multiple of {factor}"));
        }
        let over = |most: &Bound| if most.exclusive { number >= most.at } else { number > most.at };
        let under = |least: &Bound| if least.exclusive { number <= least.at } else { number < least.at };
        if let Some(most) = rules.maximum.filter(over) {
            let equal = if most.exclusive { "" } else { " or equal to" };
            self.should(value, &format!("be less than{equal} {}", most.at));
        }
        if let Some(least) = rules.minimum.filter(under) {
            let equal = if least.exclusive { "" } else { " or equal to" };
            self.should(value, &format!("be greater than{equal} {}", least.at));
        }
    }

    /// What a value says to another schema, beside what is wrong so far.
    fn tried(&self, node: &Node, value: &Value) -> Self {
        let mut tried = Self { path: self.path.clone(), ..Self::default() };
        tried.value(node, None, value);
        tried
    }

    fn alternatives(&mut self, rules: &Rules, value: &Value) {
        if !rules.any_of.is_empty() {
            let tried: Vec<Self> = rules.any_of.iter().map(|node| self.tried(node, value)).collect();
            if tried.iter().all(|one| !one.causes.is_empty()) {
                self.must("validate at least one schema (anyOf)");
                self.causes.extend(best(tried));
            }
        }
        if !rules.one_of.is_empty() {
            let tried: Vec<Self> = rules.one_of.iter().map(|node| self.tried(node, value)).collect();
            match tried.iter().filter(|one| one.causes.is_empty()).count() {
                1 => {}
                0 => {
                    self.must("validate one and only one schema (oneOf). Found none valid");
                    self.causes.extend(best(tried));
                }
                more => self.must(&format!(
                    "validate one and only one schema (oneOf). Found {more} valid alternatives"
                )),
            }
        }
        if !rules.all_of.is_empty() {
            let tried: Vec<Self> = rules.all_of.iter().map(|node| self.tried(node, value)).collect();
            let failed = tried.iter().filter(|one| !one.causes.is_empty()).count();
            let none = if failed == tried.len() { ". None validated" } else { "" };
            self.causes.extend(tried.into_iter().flat_map(|one| one.causes));
            if failed > 0 {
                self.must(&format!("validate all the schemas (allOf){none}"));
            }
        }
        if rules.not.as_ref().is_some_and(|node| self.tried(node, value).causes.is_empty()) {
            self.must("not validate the schema (not)");
        }
    }

    fn must(&mut self, what: &str) {
        self.causes.push(nowhere(&format!("{:?} must {what}", self.path)));
    }
}

/// A finding that upstream gives no field.
fn nowhere(why: &str) -> Cause {
    Cause::invalid("<nil>", &"".into(), why)
}

/// What is wrong by the alternative that fits best, the first of those.
fn best(tried: Vec<Check>) -> Vec<Cause> {
    let mut best: Option<Check> = None;
    for one in tried {
        if best.as_ref().is_none_or(|best| one.matches > best.matches) {
            best = Some(one);
        }
    }
    best.map(|best| best.causes).unwrap_or_default()
}

/// The item of the list before the change that is this item.
fn earlier<'a>(relation: &Relation, before: Option<&'a Value>, item: &Value) -> Option<&'a Value> {
    let Relation::Map(keys) = relation else { return None };
    let earlier = before?.as_array()?;
    earlier.iter().find(|one| keys.iter().all(|key| one.get(&**key) == item.get(&**key)))
}

fn unsupported(path: &str, value: &Value, options: &[Value]) -> Cause {
    let option = |option: &Value| option.as_str().map_or_else(|| option.to_string(), str::to_owned);
    let supported: Vec<String> = options.iter().map(|one| format!("{:?}", option(one))).collect();
    let message = format!("Unsupported value: {value}: supported values: {}", supported.join(", "));
    Cause { reason: "FieldValueNotSupported", message, field: path.to_owned() }
}

/// Whether an option is this value; numbers are compared as numbers.
fn same(option: &Value, value: &Value) -> bool {
    option == value || (option.is_number() && value.is_number() && option.as_f64() == value.as_f64())
}

/// What schemas call a value.
fn given(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
