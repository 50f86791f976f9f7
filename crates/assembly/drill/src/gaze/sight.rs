//! What is remembered of one chosen object: what may be asked of it.

use std::collections::BTreeMap;

use mainstay_cel::{Expression, Value as CelValue};
use mainstay_kinds::drill::Expect;
use serde_json::Value;

/// One object, as far as an expectation asks.
#[derive(Debug, Default)]
pub(super) struct Sight {
    pub(super) replicas: u64,
    pub(super) ready: u64,
    pub(super) available: u64,
    pub(super) updated: u64,
    pub(super) phase: String,
    pub(super) conditions: BTreeMap<String, String>,
    /// What the expression says of it; nothing where it is about all objects.
    pub(super) answer: Option<Result<bool, String>>,
    /// The object itself, for an expression about all of them.
    pub(super) value: Option<CelValue>,
}

impl Sight {
    /// What there is to remember of `object`.
    pub(super) fn of(object: &Value, expect: &Expect, expression: Option<&Expression>) -> Self {
        let status = &object["status"];
        let number = |field: &str| status[field].as_u64().unwrap_or(0);
        let mut sight = Self {
            replicas: number("replicas"),
            ready: number("readyReplicas"),
            available: number("availableReplicas"),
            updated: number("updatedReplicas"),
            phase: status["phase"].as_str().unwrap_or_default().to_owned(),
            conditions: conditions(status),
            answer: None,
            value: None,
        };
        if matches!(expect.kind.as_str(), "Pod" | "Node") {
            sight.ready = u64::from(sight.conditions.get("Ready").is_some_and(|status| status == "True"));
        }
        if let Some(expression) = expression {
            let value = CelValue::from(object);
            if expression.names("objects") {
                sight.value = Some(value);
            } else {
                sight.answer = Some(expression.holds(&[("object", &value)]).map_err(|no| no.to_string()));
            }
        }
        sight
    }
}

fn conditions(status: &Value) -> BTreeMap<String, String> {
    let all = status["conditions"].as_array().into_iter().flatten();
    all.filter_map(|one| Some((one["type"].as_str()?.to_owned(), one["status"].as_str()?.to_owned())))
        .collect()
}
