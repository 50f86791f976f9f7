//! Upstream's `Priority`: a pod's class becomes its priority, and one class at most is the default.

use mainstay_resource::meta;
use mainstay_store::{Query, Store};
use serde_json::{Value, json};

use super::look_up;
use crate::encode;
use crate::fields::{Fill as _, at, number, text};

const CLASSES: &str = "scheduling.k8s.io/priorityclasses";
const PREEMPTING: &str = "PreemptLowerPriority";

/// A class every cluster has.
pub(crate) struct SystemClass {
    pub(crate) name: &'static str,
    pub(crate) value: i64,
    pub(crate) description: &'static str,
}

/// The classes every cluster has, with upstream's words.
pub(crate) const SYSTEM_CLASSES: [SystemClass; 2] = [
    SystemClass {
        name: "system-node-critical",
        value: 2_000_001_000,
        description: "Used for system critical pods that must not be moved from their current node.",
    },
    SystemClass {
        name: "system-cluster-critical",
        value: 2_000_000_000,
        description: "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    },
];

/// What a pod's class says about it.
#[derive(Debug, PartialEq)]
struct Resolved {
    class: String,
    value: i64,
    preemption: Option<String>,
}

/// Gives a new pod the priority of its class.
pub(super) fn admit(store: &Store, pod: &mut Value) -> Result<(), String> {
    let resolved = resolve(store, text(pod, &["spec", "priorityClassName"]))?;
    set(pod, resolved)
}

/// Keeps what a change of a pod leaves out.
pub(super) fn keep(before: &Value, pod: &mut Value) {
    let Some(spec) = pod.as_object_mut().and_then(|fields| fields.child("spec")) else { return };
    for field in ["priority", "preemptionPolicy"] {
        if let Some(value) = at(before, &["spec", field]) {
            spec.fill(field, value.clone());
        }
    }
}

/// Refuses a second class that is the default for all pods.
pub(super) fn admit_class(store: &Store, class: &Value) -> Result<(), String> {
    if class["globalDefault"] != true {
        return Ok(());
    }
    match default_class(store) {
        Some(other) if meta::name(&other) != meta::name(class) => Err(format!(
            "PriorityClass {} is already marked as default. Only one default can exist",
            meta::name(&other)
        )),
        _ => Ok(()),
    }
}

/// Whether a class may be ended.
pub(super) fn may_end(name: &str) -> Result<(), &'static str> {
    if SYSTEM_CLASSES.iter().any(|class| class.name == name) {
        return Err("this is a system priority class and cannot be deleted");
    }
    Ok(())
}

fn resolve(store: &Store, name: &str) -> Result<Resolved, String> {
    if name.is_empty() {
        let none = || Resolved { class: String::new(), value: 0, preemption: Some(PREEMPTING.to_owned()) };
        return Ok(default_class(store).map_or_else(none, |class| of_class(&class)));
    }
    look_up(store, CLASSES, "", name)
        .map(|class| of_class(&class))
        .ok_or_else(|| format!("no PriorityClass with name {name} was found"))
}

fn of_class(class: &Value) -> Resolved {
    let preemption = text(class, &["preemptionPolicy"]);
    Resolved {
        class: meta::name(class).to_owned(),
        value: number(class, &["value"]).unwrap_or(0),
        preemption: (!preemption.is_empty()).then(|| preemption.to_owned()),
    }
}

/// Of the classes that are the default for all pods, the one with the lowest value.
fn default_class(store: &Store) -> Option<Value> {
    // Every new pod asks, so only a class that says yes is decoded.
    const YES: &[u8] = br#""globalDefault":true"#;
    let query = Query { resource: CLASSES, ..Query::default() };
    let says_yes = |value: &[u8]| value.windows(YES.len()).any(|window| window == YES);
    let page = store.list(&query, &|record| says_yes(&record.value)).ok()?;
    let classes = page.records.iter().map(|record| encode::decode(&record.value));
    classes.filter(|class| class["globalDefault"] == true).min_by_key(|class| number(class, &["value"]))
}

fn set(pod: &mut Value, resolved: Resolved) -> Result<(), String> {
    let Some(spec) = pod.as_object_mut().and_then(|fields| fields.child_or_new("spec")) else {
        return Ok(());
    };
    let Resolved { class, value, preemption } = resolved;
    if let Some(given) = spec.get("priority").and_then(Value::as_i64).filter(|given| *given != value) {
        return Err(format!(
            "the integer value of priority ({given}) must not be provided in pod spec; priority admission \
             controller computed {value} from the given PriorityClass name"
        ));
    }
    if !class.is_empty() {
        spec.put("priorityClassName", class);
    }
    spec.put("priority", json!(value));
    let Some(preemption) = preemption else { return Ok(()) };
    let given = spec.get("preemptionPolicy").and_then(Value::as_str);
    if let Some(given) = given.filter(|given| *given != preemption) {
        return Err(format!(
            "the string value of PreemptionPolicy ({given}) must not be provided in pod spec; priority \
             admission controller computed {preemption} from the given PriorityClass name"
        ));
    }
    spec.put("preemptionPolicy", preemption);
    Ok(())
}
