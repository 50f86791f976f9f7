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

    /// Whether `more` has more than `less` of something that this is some of.
    pub fn has_more_in(&self, more: &Self, less: &Self) -> bool {
        let extended = |of: &Self, name| of.extended.get(name).copied().unwrap_or_default();
        (self.cpu_milli > 0 && more.cpu_milli > less.cpu_milli)
            || (self.memory_bytes > 0 && more.memory_bytes > less.memory_bytes)
            || (self.storage_bytes > 0 && more.storage_bytes > less.storage_bytes)
            || self
                .extended
                .iter()
                .any(|(name, amount)| *amount > 0 && extended(more, name) > extended(less, name))
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
mod tests;
