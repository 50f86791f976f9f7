//! Collects what is wrong with an object, in upstream's words.

use mainstay_resource::{LabelSelector, Quantity};
use serde_json::{Value, json};

use crate::fields::{Fields, at, text};
use crate::status::Cause;

/// Upstream's words for a field that may not change.
pub(super) const IMMUTABLE: &str = "field is immutable";
const NEGATIVE: &str = "must be greater than or equal to 0";

/// The findings so far.
#[derive(Debug, Default)]
pub(super) struct Check {
    pub(super) causes: Vec<Cause>,
}

/// The value at a dotted path; indices are not understood.
pub(super) fn value_at<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(object, |value, name| value.get(name)).filter(|value| !value.is_null())
}

/// The elements of the list at a dotted path.
pub(super) fn items_at<'a>(object: &'a Value, path: &str) -> &'a [Value] {
    value_at(object, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

impl Check {
    pub(super) fn required(&mut self, path: impl Into<String>, why: &str) {
        self.causes.push(Cause::required(path, why));
    }

    pub(super) fn invalid(&mut self, path: impl Into<String>, value: &Value, why: &str) {
        self.causes.push(Cause::invalid(path, value, why));
    }

    pub(super) fn forbidden(&mut self, path: impl Into<String>, why: &str) {
        self.causes.push(Cause::forbidden(path, why));
    }

    /// Refuses a value that is not printed as JSON: upstream prints some as Go does.
    pub(super) fn invalid_as(&mut self, path: impl Into<String>, printed: &str, why: &str) {
        let message = format!("Invalid value: {printed}: {why}");
        self.causes.push(Cause { reason: "FieldValueInvalid", message, field: path.into() });
    }

    /// A text that must be there.
    pub(super) fn needs_text(&mut self, object: &Value, path: &str) {
        if value_at(object, path).and_then(Value::as_str).unwrap_or_default().is_empty() {
            self.required(path, "");
        }
    }

    /// A number that, if there, is not negative.
    pub(super) fn not_negative(&mut self, object: &Value, path: &str) {
        if let Some(value) =
            value_at(object, path).filter(|value| value.as_i64().is_some_and(|number| number < 0))
        {
            self.invalid(path, value, NEGATIVE);
        }
    }

    /// A number that, if there, is positive.
    pub(super) fn positive(&mut self, object: &Value, path: &str) {
        if let Some(value) =
            value_at(object, path).filter(|value| value.as_i64().is_some_and(|number| number <= 0))
        {
            self.invalid(path, value, "must be greater than 0");
        }
    }

    /// A text that, if there, is one of `supported` (which is sorted).
    pub(super) fn one_of(&mut self, object: &Value, path: &str, supported: &[&str]) {
        if let Some(given) = value_at(object, path).and_then(Value::as_str) {
            self.one_of_text(path, given, supported);
        }
    }

    /// As [`Check::one_of`], for a text at hand.
    pub(super) fn one_of_text(&mut self, path: impl Into<String>, given: &str, supported: &[&str]) {
        if !given.is_empty() && !supported.contains(&given) {
            self.causes.push(Cause::unsupported(path, given, supported));
        }
    }

    /// What a check of a name's form said.
    pub(super) fn named(&mut self, path: &str, given: &str, problems: Vec<String>) {
        for why in problems {
            self.invalid(path, &json!(given), &why);
        }
    }

    /// A field that keeps its value.
    pub(super) fn immutable(&mut self, live: &Value, object: &Value, path: &str) {
        let (before, after) = (value_at(live, path), value_at(object, path));
        if before != after {
            self.invalid(path, after.unwrap_or(&Value::Null), IMMUTABLE);
        }
    }

    /// An amount; the parsed value where it is one.
    pub(super) fn amount(&mut self, path: &str, value: &Value) -> Option<Quantity> {
        match Quantity::from_value(value) {
            Ok(amount) if amount.is_negative() => {
                self.invalid(path, value, NEGATIVE);
                None
            }
            Ok(amount) => Some(amount),
            Err(error) => {
                self.invalid(path, value, &error.to_string());
                None
            }
        }
    }

    /// A label selector in its object form; `None` when it cannot be read.
    pub(super) fn selector(&mut self, path: &str, selector: &Value) -> Option<LabelSelector> {
        match LabelSelector::from_object(selector) {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                self.invalid(path, selector, &error.to_string());
                None
            }
        }
    }
}

/// A map of strings as Go prints it: `map[string]string{"a":"b"}`.
pub(super) fn go_map(map: Option<&Fields>) -> String {
    let Some(map) = map else { return "map[string]string(nil)".to_owned() };
    let pairs: Vec<String> = map.iter().map(|(key, value)| format!("{key:?}:{value}")).collect();
    format!("map[string]string{{{}}}", pairs.join(", "))
}

/// A label selector as Go prints it.
pub(super) fn go_selector(selector: &Value) -> String {
    let labels = go_map(at(selector, &["matchLabels"]).and_then(Value::as_object));
    let expressions: Vec<String> =
        crate::fields::list(selector, &["matchExpressions"]).iter().map(go_expression).collect();
    let expressions = if expressions.is_empty() {
        "[]v1.LabelSelectorRequirement(nil)".to_owned()
    } else {
        format!("[]v1.LabelSelectorRequirement{{{}}}", expressions.join(", "))
    };
    format!("v1.LabelSelector{{MatchLabels:{labels}, MatchExpressions:{expressions}}}")
}

fn go_expression(expression: &Value) -> String {
    let values = go_texts("[]string", crate::fields::list(expression, &["values"]));
    let (key, operator) = (text(expression, &["key"]), text(expression, &["operator"]));
    format!("v1.LabelSelectorRequirement{{Key:{key:?}, Operator:{operator:?}, Values:{values}}}")
}

/// A list of texts of a type as Go prints it.
pub(super) fn go_texts(kind: &str, values: &[Value]) -> String {
    if values.is_empty() {
        return format!("{kind}(nil)");
    }
    let values: Vec<String> = values.iter().map(Value::to_string).collect();
    format!("{kind}{{{}}}", values.join(", "))
}
