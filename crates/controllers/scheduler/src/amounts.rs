//! Amounts of resources in the units a decision is made in, and what a pod asks for.
//!
//! **Spec:** upstream's `resource.PodRequests`: the containers' sum or, if more, what an init
//! container needs beside the sidecars started before it; what is written for the pod as a whole
//! replaces that; the overhead on top.

use std::collections::BTreeMap;

use mainstay_resource::Quantity;

use crate::seen::{Container, List, PodSpec};

/// What a container without a request for CPU counts as when nodes are compared.
pub(crate) const DEFAULT_CPU_MILLI: i64 = 100;
/// What a container without a request for memory counts as when nodes are compared.
pub(crate) const DEFAULT_MEMORY_BYTES: i64 = 200 << 20;

/// So much of each resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amounts {
    /// CPU in thousandths of a core.
    pub cpu_milli: i64,
    /// Memory.
    pub memory_bytes: i64,
    /// Ephemeral storage.
    pub storage_bytes: i64,
    /// Extended resources and huge pages, by name.
    pub extended: BTreeMap<String, i64>,
}

impl Amounts {
    /// The amounts of a resource list. The number of pods is not one of them.
    pub fn of(list: Option<&List>) -> Self {
        let mut amounts = Self::default();
        for (name, quantity) in list.into_iter().flatten() {
            // The API server lets no malformed quantity in.
            let quantity = Quantity::parse(&quantity.0).unwrap_or_default();
            match name.as_str() {
                "cpu" => amounts.cpu_milli = quantity.milli_value(),
                "memory" => amounts.memory_bytes = quantity.value(),
                "ephemeral-storage" => amounts.storage_bytes = quantity.value(),
                name if is_extended(name) => {
                    amounts.extended.insert(name.to_owned(), quantity.value());
                }
                _ => {}
            }
        }
        amounts
    }

    /// What a pod asks for.
    pub fn requested(spec: &PodSpec) -> Self {
        total(spec, |container| Self::of(requests(container)))
    }

    /// What a pod counts as when nodes are compared: a container that asks for no CPU or memory
    /// weighs something nevertheless.
    pub fn weighed(spec: &PodSpec) -> Self {
        total(spec, |container| {
            let list = requests(container);
            let is_missing = |name| !list.is_some_and(|list: &List| list.contains_key(name));
            let mut amounts = Self::of(list);
            if is_missing("cpu") {
                amounts.cpu_milli = DEFAULT_CPU_MILLI;
            }
            if is_missing("memory") {
                amounts.memory_bytes = DEFAULT_MEMORY_BYTES;
            }
            amounts
        })
    }

    /// Whether it is nothing of everything.
    pub fn is_zero(&self) -> bool {
        (self.cpu_milli, self.memory_bytes, self.storage_bytes) == (0, 0, 0)
            && self.extended.values().all(|amount| *amount == 0)
    }

    /// Adds `other`.
    pub fn add(&mut self, other: &Self) {
        self.combine(other, i64::saturating_add);
    }

    /// Takes `other` away.
    pub fn subtract(&mut self, other: &Self) {
        self.combine(other, i64::saturating_sub);
        self.extended.retain(|_, amount| *amount != 0);
    }

    /// Raises each amount to that of `other`.
    pub fn raise_to(&mut self, other: &Self) {
        self.combine(other, i64::max);
    }

    fn combine(&mut self, other: &Self, operation: fn(i64, i64) -> i64) {
        self.cpu_milli = operation(self.cpu_milli, other.cpu_milli);
        self.memory_bytes = operation(self.memory_bytes, other.memory_bytes);
        self.storage_bytes = operation(self.storage_bytes, other.storage_bytes);
        for (name, amount) in &other.extended {
            let own = self.extended.entry(name.clone()).or_default();
            *own = operation(*own, *amount);
        }
    }
}

fn requests(container: &Container) -> Option<&List> {
    container.resources.as_ref()?.requests.as_ref()
}

fn total(spec: &PodSpec, of: impl Fn(&Container) -> Amounts) -> Amounts {
    let mut sum = Amounts::default();
    for container in spec.containers.iter().flatten() {
        sum.add(&of(container));
    }
    let (mut sidecars, mut highest) = (Amounts::default(), Amounts::default());
    for container in spec.init_containers.iter().flatten() {
        let mut needed = of(container);
        if is_sidecar(container) {
            sum.add(&needed);
            sidecars.add(&needed);
            highest.raise_to(&sidecars);
        } else {
            needed.add(&sidecars);
            highest.raise_to(&needed);
        }
    }
    sum.raise_to(&highest);
    override_by(&mut sum, spec.resources.as_ref().and_then(|resources| resources.requests.as_ref()));
    sum.add(&Amounts::of(spec.overhead.as_ref()));
    sum
}

/// What a pod asks for as a whole counts instead of what its containers ask for.
fn override_by(sum: &mut Amounts, whole: Option<&List>) {
    let whole_amounts = Amounts::of(whole);
    for name in whole.into_iter().flat_map(BTreeMap::keys) {
        match name.as_str() {
            "cpu" => sum.cpu_milli = whole_amounts.cpu_milli,
            "memory" => sum.memory_bytes = whole_amounts.memory_bytes,
            name if name.starts_with("hugepages-") => {
                let amount = whole_amounts.extended.get(name).copied().unwrap_or_default();
                sum.extended.insert(name.to_owned(), amount);
            }
            _ => {}
        }
    }
}

/// Whether an init container keeps running beside the containers.
pub(crate) fn is_sidecar(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

fn is_extended(name: &str) -> bool {
    name.contains('/') || name.starts_with("hugepages-") || name.starts_with("attachable-volumes-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn container(cpu: &str, memory: &str) -> Value {
        json!({"name": "c", "resources": {"requests": {"cpu": cpu, "memory": memory}}})
    }

    fn sidecar(cpu: &str, memory: &str) -> Value {
        let mut sidecar = container(cpu, memory);
        sidecar["restartPolicy"] = json!("Always");
        sidecar
    }

    fn requested(spec: Value) -> (i64, i64) {
        let spec: PodSpec = serde_json::from_value(spec).unwrap();
        let amounts = Amounts::requested(&spec);
        (amounts.cpu_milli, amounts.memory_bytes)
    }

    #[test]
    fn a_pod_asks_for_the_sum_of_its_containers_or_for_its_hungriest_init_container() {
        let containers = json!([container("100m", "10"), container("200m", "20")]);
        let cases = [
            (json!([]), (300, 30)),
            (json!([container("1", "5"), container("500m", "90")]), (1000, 90)),
            (json!([sidecar("1", "100")]), (1300, 130)),
            (json!([sidecar("1", "100"), container("1", "1")]), (2000, 130)),
            (json!([container("2", "1"), sidecar("1", "100")]), (2000, 130)),
            (json!([sidecar("1", "1"), sidecar("3", "1"), container("1", "1")]), (5000, 32)),
        ];
        for (init, expected) in cases {
            let spec = json!({"containers": containers, "initContainers": init});
            assert_eq!(requested(spec), expected, "{init}");
        }
    }

    #[test]
    fn what_is_asked_for_the_pod_as_a_whole_counts_instead_of_what_its_containers_ask_for() {
        let spec = json!({"containers": [container("1", "10")], "resources": {"requests": {"cpu": "3"}},
                          "overhead": {"cpu": "250m"}});
        assert_eq!(requested(spec), (3250, 10));
    }

    #[test]
    fn a_pods_overhead_comes_on_top_of_what_it_asks_for() {
        let spec = json!({"containers": [container("1", "10")], "initContainers": [container("2", "1")],
                          "overhead": {"cpu": "250m", "memory": "5"}});
        assert_eq!(requested(spec), (2250, 15));
    }

    #[test]
    fn a_container_weighs_something_even_if_it_asks_for_nothing_but_zero_stays_zero() {
        let weighed = |spec: Value| {
            let spec: PodSpec = serde_json::from_value(spec).unwrap();
            let amounts = Amounts::weighed(&spec);
            (amounts.cpu_milli, amounts.memory_bytes)
        };
        let nothing = json!({"name": "c"});
        assert_eq!(weighed(json!({"containers": [nothing, nothing]})), (200, 400 << 20));
        assert_eq!(weighed(json!({"containers": [container("0", "0")]})), (0, 0));
        assert_eq!(requested(json!({"containers": [nothing]})), (0, 0));
    }

    #[test]
    fn storage_and_extended_resources_are_counted_and_unknown_names_are_not() {
        let list = json!({"ephemeral-storage": "1Gi", "nvidia.com/gpu": "2", "hugepages-2Mi": "4Mi",
                          "pods": "110", "what": "1"});
        let list: List = serde_json::from_value(list).unwrap();
        let amounts = Amounts::of(Some(&list));
        assert_eq!(amounts.storage_bytes, 1 << 30);
        let extended = [("hugepages-2Mi".to_owned(), 4 << 20), ("nvidia.com/gpu".to_owned(), 2)];
        assert_eq!(amounts.extended, BTreeMap::from(extended));
    }

    #[test]
    fn what_was_added_can_be_taken_away_without_a_trace() {
        let list: List = serde_json::from_value(json!({"cpu": "1", "example.com/a": "2"})).unwrap();
        let mut amounts = Amounts::default();
        amounts.add(&Amounts::of(Some(&list)));
        assert!(!amounts.is_zero());
        amounts.subtract(&Amounts::of(Some(&list)));
        assert_eq!(amounts, Amounts::default());
    }
}
