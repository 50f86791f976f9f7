//! LimitRanges: their bounds and defaults must agree with each other.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_resource::{Quantity, name};
use serde_json::{Value, json};

use super::check::{Check, items_at};
use super::named_amounts::{self, go_quantity, may_be_overcommitted};
use crate::fields::{at, entries, text};
use crate::status::Cause;

const KINDS: [&str; 3] = ["Container", "PersistentVolumeClaim", "Pod"];

/// The amounts of one name.
#[derive(Default)]
struct Item {
    min: Option<Quantity>,
    max: Option<Quantity>,
    default: Option<Quantity>,
    request: Option<Quantity>,
    ratio: Option<Quantity>,
}

/// A whole LimitRange.
pub(super) fn limit_range(check: &mut Check, object: &Value) {
    let mut seen = BTreeSet::new();
    for (index, item) in items_at(object, "spec.limits").iter().enumerate() {
        let path = format!("spec.limits[{index}]");
        let kind = text(item, &["type"]);
        check_kind(check, kind, &format!("{path}.type"));
        if !seen.insert(kind) {
            check.causes.push(Cause::duplicate(format!("{path}.type"), &json!(kind)));
        }
        for (name, amounts) in read(check, item, kind, &path) {
            amounts.check(check, &name, &path);
        }
    }
}

fn check_kind(check: &mut Check, kind: &str, path: &str) {
    let wrong = name::qualified_name(kind);
    let is_well_formed = wrong.is_empty();
    check.named(path, kind, wrong);
    if is_well_formed && !kind.contains('/') && !KINDS.contains(&kind) {
        check.invalid(path, &json!(kind), "must be a standard limit type or fully qualified");
    }
}

/// The amounts of an item by name; says which names and fields there cannot be.
fn read(check: &mut Check, item: &Value, kind: &str, path: &str) -> BTreeMap<String, Item> {
    let mut all: BTreeMap<String, Item> = BTreeMap::new();
    for field in ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] {
        if kind == "Pod" && field.starts_with("default") {
            if entries(item, &[field]).next().is_some() {
                check.forbidden(format!("{path}.{field}"), "may not be specified when `type` is 'Pod'");
            }
            continue;
        }
        for (name, amount) in entries(item, &[field]) {
            let at = format!("{path}.{field}[{name}]");
            match kind {
                "Pod" | "Container" => named_amounts::of_container(check, name, &at),
                _ => named_amounts::any(check, name, &at),
            }
            let amount = match Quantity::from_value(amount) {
                Ok(amount) => amount,
                Err(error) => {
                    check.invalid(at, amount, &error.to_string());
                    continue;
                }
            };
            let own = all.entry(name.to_owned()).or_default();
            *own.place(field) = Some(amount);
        }
    }
    let bounds_storage = ["min", "max"].iter().any(|field| at(item, &[field, "storage"]).is_some());
    if kind == "PersistentVolumeClaim" && !bounds_storage {
        let why = "either minimum or maximum storage value is required, but neither was provided";
        check.required(format!("{path}.limits"), why);
    }
    all
}

impl Item {
    fn place(&mut self, field: &str) -> &mut Option<Quantity> {
        match field {
            "min" => &mut self.min,
            "max" => &mut self.max,
            "default" => &mut self.default,
            "defaultRequest" => &mut self.request,
            _ => &mut self.ratio,
        }
    }

    fn check(&self, check: &mut Check, name: &str, path: &str) {
        let (min, max, default, request) = (self.min, self.max, self.default, self.request);
        let ordered: [(_, _, &str, Option<Quantity>, [&str; 2]); 6] = [
            (min, max, "min", min, ["min", "max"]),
            (min, request, "defaultRequest", request, ["min", "default request"]),
            (request, max, "defaultRequest", request, ["default request", "max"]),
            (request, default, "defaultRequest", request, ["default request", "default limit"]),
            (min, default, "default", min, ["min", "default"]),
            (default, max, "default", max, ["default", "max"]),
        ];
        for (small, large, field, shown, words) in ordered {
            let (Some(small), Some(large), Some(shown)) = (small, large, shown) else { continue };
            if small > large {
                let why = format!("{} value {small} is greater than {} value {large}", words[0], words[1]);
                check.invalid_as(format!("{path}.{field}[{name}]"), &go_quantity(shown), &why);
            }
        }
        self.check_ratio(check, name, path);
        if let (Some(default), Some(request)) = (default, request)
            && !may_be_overcommitted(name)
            && default != request
        {
            let why =
                format!("default value {default} must equal to defaultRequest value {request} in {name}");
            check.invalid_as(format!("{path}.defaultRequest[{name}]"), &go_quantity(request), &why);
        }
    }

    fn check_ratio(&self, check: &mut Check, name: &str, path: &str) {
        let Some(ratio) = self.ratio else { return };
        let mut refuse = |why: String| {
            check.invalid_as(format!("{path}.maxLimitRequestRatio[{name}]"), &go_quantity(ratio), &why);
        };
        if ratio < Quantity::ONE {
            refuse(format!("ratio {ratio} is less than 1"));
        }
        let (Some(min), Some(max)) = (self.min, self.max) else { return };
        let most = max.approximate() / min.approximate();
        if ratio.approximate() > most {
            refuse(format!("ratio {ratio} is greater than max/min = {most:.6}"));
        }
    }
}
