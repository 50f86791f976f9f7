//! What disruption budgets say about one eviction.

use mainstay_resource::{LabelSelector, meta};
use mainstay_store::{Query, Store};
use serde_json::{Value, json};

use crate::encode;
use crate::fields::{at, number, text};
use crate::registry::ResourceInfo;
use crate::status::{Cause, Status};

/// More evictions than these, that the budget's controller has not seen through, are not let be.
const DISRUPTED_PODS: usize = 2000;
/// What an eviction that must wait is told.
const VIOLATION: &str = "Cannot evict pod as it would violate the pod's disruption budget.";

/// Whether a budget lets a pod go.
pub(super) enum Verdict {
    /// It does; this is the budget afterwards.
    Spent(Value),
    /// It does not.
    Refused(Status),
}

/// The budgets that select a pod, by name.
pub(super) fn of(store: &Store, namespace: &str, pod: &Value) -> Vec<Value> {
    let query =
        Query { resource: "policy/poddisruptionbudgets", namespace: Some(namespace), ..Query::default() };
    let Ok(page) = store.list(&query, &|_| true) else { return Vec::new() };
    let budgets = page.records.iter().map(|record| encode::decode(&record.value));
    budgets.filter(|budget| selects(budget, pod)).collect()
}

/// A malformed selector selects nothing, as an absent one.
fn selects(budget: &Value, pod: &Value) -> bool {
    let selector = at(budget, &["spec", "selector"]).unwrap_or(&Value::Null);
    LabelSelector::from_object(selector).is_ok_and(|selector| selector.matches_object(pod))
}

/// Whether a pod goes without asking: one that is not ready takes nothing away.
pub(super) fn passes_by(budget: &Value, is_ready: bool) -> bool {
    if is_ready {
        return false;
    }
    let count = |field: &str| number(budget, &["status", field]).unwrap_or(0);
    let desired = count("desiredHealthy");
    text(budget, &["spec", "unhealthyPodEvictionPolicy"]) == "AlwaysAllow"
        || (count("currentHealthy") >= desired && desired > 0)
}

/// Takes one disruption for the pod from a budget.
pub(super) fn spend(budget: &Value, pod: &str, now: &str) -> Verdict {
    let count = |field: &str| number(budget, &["status", field]).unwrap_or(0);
    let name = meta::name(budget);
    if count("observedGeneration") < meta::generation(budget) {
        return Verdict::Refused(unprocessed(name));
    }
    let allowed = count("disruptionsAllowed");
    if allowed < 0 {
        return Verdict::Refused(forbidden(name, "pdb disruptions allowed is negative"));
    }
    let disrupted = at(budget, &["status", "disruptedPods"]).and_then(Value::as_object);
    if disrupted.is_some_and(|pods| pods.len() > DISRUPTED_PODS) {
        let why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
        return Verdict::Refused(forbidden(name, why));
    }
    if allowed == 0 {
        let (desired, current) = (count("desiredHealthy"), count("currentHealthy"));
        let why =
            format!("The disruption budget {name} needs {desired} healthy pods and has {current} currently");
        return Verdict::Refused(violation(why));
    }
    let mut budget = budget.clone();
    let generation = budget["status"]["observedGeneration"].clone();
    let status = &mut budget["status"];
    status["disruptionsAllowed"] = json!(allowed - 1);
    if !status["disruptedPods"].is_object() {
        status["disruptedPods"] = json!({});
    }
    status["disruptedPods"][pod] = json!(now);
    if allowed == 1 {
        set_insufficient(status, &generation, now);
    }
    Verdict::Spent(budget)
}

fn set_insufficient(status: &mut Value, generation: &Value, now: &str) {
    let told = json!({
        "type": "DisruptionAllowed", "status": "False", "reason": "InsufficientPods", "message": "",
        "observedGeneration": generation, "lastTransitionTime": now,
    });
    let Some(conditions) = status["conditions"].as_array_mut() else {
        status["conditions"] = json!([told]);
        return;
    };
    match conditions.iter_mut().find(|own| own["type"] == "DisruptionAllowed") {
        None => conditions.push(told),
        Some(own) => {
            let since = own["lastTransitionTime"].take();
            let is_same = own["status"] == "False";
            *own = told;
            if is_same {
                own["lastTransitionTime"] = since;
            }
        }
    }
}

/// The budget's controller has not yet seen what changed.
pub(super) fn unprocessed(name: &str) -> Status {
    violation(format!("The disruption budget {name} is still being processed by the server.")).retry_after(10)
}

fn violation(why: String) -> Status {
    let cause = Cause { reason: "DisruptionBudget", message: why, field: String::new() };
    Status::new(429, "TooManyRequests", VIOLATION).with_causes(vec![cause])
}

fn forbidden(name: &str, why: &str) -> Status {
    let info = ResourceInfo::built_in("policy", "v1", "poddisruptionbudget", "PodDisruptionBudget", true);
    Status::forbidden(&info, name, why)
}
