//! Selectors over labels, from a query or from an object's `matchLabels` and `matchExpressions`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use super::SelectorError;
use crate::{meta, name};

/// How a requirement's values relate to the label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    /// The label has one of the values (`in`, `=`, `==`).
    In,
    /// The label is absent or has none of the values (`notin`, `!=`).
    NotIn,
    /// The label is there.
    Exists,
    /// The label is not there (`!`).
    DoesNotExist,
    /// The label is a whole number above the value (`>`).
    Greater,
    /// The label is a whole number below the value (`<`).
    Less,
}

/// One condition on one label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Requirement {
    key: String,
    operator: Operator,
    /// Sorted, without duplicates.
    values: Vec<String>,
    /// How it was written: `=`, `==`, `!=` and `in` mean the same but read back as written.
    sign: &'static str,
}

impl Requirement {
    /// A requirement whose key and values were looked at as upstream does.
    pub fn new(
        key: impl Into<String>,
        operator: Operator,
        values: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, SelectorError> {
        let sign = match operator {
            Operator::In => "in",
            Operator::NotIn => "notin",
            Operator::Greater => ">",
            Operator::Less => "<",
            Operator::Exists | Operator::DoesNotExist => "",
        };
        Self::signed(key.into(), operator, values.into_iter().map(Into::into).collect(), sign)
    }

    pub(super) fn signed(
        key: String,
        operator: Operator,
        mut values: Vec<String>,
        sign: &'static str,
    ) -> Result<Self, SelectorError> {
        let wrong = problems(&key, operator, &values);
        if !wrong.is_empty() {
            let text = if wrong.len() == 1 { wrong.concat() } else { format!("[{}]", wrong.join(", ")) };
            return Err(SelectorError(text));
        }
        values.sort();
        values.dedup();
        Ok(Self { key, operator, values, sign })
    }

    /// The label it looks at.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// How it looks at it.
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// What it compares with, sorted.
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// Whether a label with this value, or its absence, meets the requirement.
    pub fn matches(&self, label: Option<&str>) -> bool {
        let has = |label: &str| self.values.iter().any(|value| value == label);
        match self.operator {
            Operator::In => label.is_some_and(has),
            Operator::NotIn => !label.is_some_and(has),
            Operator::Exists => label.is_some(),
            Operator::DoesNotExist => label.is_none(),
            Operator::Greater => self.compare(label).is_some_and(|(label, value)| label > value),
            Operator::Less => self.compare(label).is_some_and(|(label, value)| label < value),
        }
    }

    fn compare(&self, label: Option<&str>) -> Option<(i64, i64)> {
        Some((label?.parse().ok()?, self.values.first()?.parse().ok()?))
    }
}

fn problems(key: &str, operator: Operator, values: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    let key_problems = name::qualified_name(key);
    if !key_problems.is_empty() {
        wrong.push(format!("key: Invalid value: {key:?}: {}", key_problems.join("; ")));
    }
    let counted = match operator {
        Operator::In | Operator::NotIn if values.is_empty() => {
            Some("for 'in', 'notin' operators, values set can't be empty")
        }
        Operator::Exists | Operator::DoesNotExist if !values.is_empty() => {
            Some("values set must be empty for exists and does not exist")
        }
        Operator::Greater | Operator::Less if values.len() != 1 => {
            Some("for 'Gt', 'Lt' operators, exactly one value is required")
        }
        _ => None,
    };
    wrong.extend(counted.map(|text| format!("values: Invalid value: {}: {text}", Value::from(values))));
    for (index, value) in values.iter().enumerate() {
        let is_compared = matches!(operator, Operator::Greater | Operator::Less);
        if is_compared && value.parse::<i64>().is_err() {
            let text = "for 'Gt', 'Lt' operators, the value must be an integer";
            wrong.push(format!("values[{index}]: Invalid value: {value:?}: {text}"));
        }
    }
    for (index, value) in values.iter().enumerate() {
        let text = name::label_value(value);
        if !text.is_empty() {
            wrong.push(format!("values[{index}][{key}]: Invalid value: {value:?}: {}", text.join("; ")));
        }
    }
    wrong
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self.values.join(",");
        match (self.operator, self.sign) {
            (Operator::Exists, _) => f.write_str(&self.key),
            (Operator::DoesNotExist, _) => write!(f, "!{}", self.key),
            (_, "in" | "notin") => write!(f, "{} {} ({values})", self.key, self.sign),
            (_, sign) => write!(f, "{}{sign}{values}", self.key),
        }
    }
}

/// All of these requirements; or no object at all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelSelector {
    /// Sorted by key.
    requirements: Vec<Requirement>,
    nothing: bool,
}

impl LabelSelector {
    /// The selector that every object meets.
    pub fn everything() -> Self {
        Self { requirements: Vec::new(), nothing: false }
    }

    /// The selector that no object meets.
    pub fn nothing() -> Self {
        Self { requirements: Vec::new(), nothing: true }
    }

    /// The selector of all of these.
    pub fn all(requirements: impl IntoIterator<Item = Requirement>) -> Self {
        let mut requirements: Vec<Requirement> = requirements.into_iter().collect();
        requirements.sort_by(|left, right| left.key.cmp(&right.key));
        Self { requirements, nothing: false }
    }

    /// Reads a query: `a`, `!a`, `a=b`, `a!=b`, `a in (b,c)`, `a notin (b)`, `a>1`, `a<1`, with commas.
    pub fn parse(query: &str) -> Result<Self, SelectorError> {
        Ok(Self::all(super::parser::parse(query)?))
    }

    /// Labels that must be exactly so; they are not looked at, as upstream does not.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self::all(pairs.into_iter().map(|(key, value)| Requirement {
            key: key.to_owned(),
            operator: Operator::In,
            values: vec![value.to_owned()],
            sign: "=",
        }))
    }

    /// Reads a `LabelSelector` object; an absent one (`null`) meets nothing, an empty one everything.
    pub fn from_object(object: &Value) -> Result<Self, SelectorError> {
        if object.is_null() {
            return Ok(Self::nothing());
        }
        let labels = object.get("matchLabels").and_then(Value::as_object).into_iter().flatten();
        let mut requirements = Vec::new();
        for (key, value) in labels {
            let value = value.as_str().unwrap_or_default().to_owned();
            requirements.push(Requirement::signed(key.clone(), Operator::In, vec![value], "=")?);
        }
        for expression in object.get("matchExpressions").and_then(Value::as_array).into_iter().flatten() {
            requirements.push(from_expression(expression)?);
        }
        Ok(Self::all(requirements))
    }

    /// Whether the labels that `label` looks up meet every requirement.
    pub fn matches<'a>(&self, label: &dyn Fn(&str) -> Option<&'a str>) -> bool {
        !self.nothing && self.requirements.iter().all(|one| one.matches(label(&one.key)))
    }

    /// Whether these labels meet every requirement.
    pub fn matches_map(&self, labels: &BTreeMap<String, String>) -> bool {
        self.matches(&|key| labels.get(key).map(String::as_str))
    }

    /// Whether this object's labels meet every requirement.
    pub fn matches_object(&self, object: &Value) -> bool {
        self.matches(&|key| meta::label(object, key))
    }

    /// Whether every object meets it.
    pub fn is_everything(&self) -> bool {
        !self.nothing && self.requirements.is_empty()
    }

    /// Whether no object meets it.
    pub fn is_nothing(&self) -> bool {
        self.nothing
    }

    /// The requirements, sorted by key.
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// The one value a label must have, when its first requirement asks for exactly one.
    pub fn exact(&self, key: &str) -> Option<&str> {
        let requirement = self.requirements.iter().find(|one| one.key == key)?;
        match requirement.values.as_slice() {
            [only] if requirement.operator == Operator::In => Some(only),
            _ => None,
        }
    }
}

/// Reads one of `matchExpressions`, or of a node selector's, which have `Gt` and `Lt` too.
fn from_expression(expression: &Value) -> Result<Requirement, SelectorError> {
    let text = |field: &str| expression.get(field).and_then(Value::as_str).unwrap_or_default();
    let operator = match text("operator") {
        "In" => Operator::In,
        "NotIn" => Operator::NotIn,
        "Exists" => Operator::Exists,
        "DoesNotExist" => Operator::DoesNotExist,
        other => return Err(SelectorError(format!("{other:?} is not a valid label selector operator"))),
    };
    let values = expression.get("values").and_then(Value::as_array).into_iter().flatten();
    Requirement::new(text("key"), operator, values.map(|value| value.as_str().unwrap_or_default()))
}

impl FromStr for LabelSelector {
    type Err = SelectorError;

    fn from_str(query: &str) -> Result<Self, Self::Err> {
        Self::parse(query)
    }
}

impl fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::write_joined(&self.requirements, f)
    }
}
