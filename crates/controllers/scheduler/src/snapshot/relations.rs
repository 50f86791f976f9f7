//! What decisions know beside nodes and pods: labels of namespaces, selectors of Services and of sets.

use std::collections::BTreeMap;
use std::sync::Arc;

use mainstay_control::Key;
use mainstay_resource::LabelSelector;

use crate::PodState;
use crate::demand::{Labels, Scope, both};
use crate::pod::Owner;

/// Labels of namespaces, selectors of Services and of the sets pods belong to.
#[derive(Clone, Debug, Default)]
pub struct Relations {
    namespaces: BTreeMap<Arc<str>, Labels>,
    services: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Labels>>,
    sets: BTreeMap<(Key, Owner), LabelSelector>,
}

impl Relations {
    /// Whether a namespace is one of those a term looks at.
    pub(crate) fn is_within(&self, scope: &Scope, namespace: &str) -> bool {
        if scope.namespaces.iter().any(|one| one == namespace) || scope.selector.is_everything() {
            return true;
        }
        let is_selected = |labels: &Labels| scope.selector.matches_map(labels);
        !scope.selector.is_nothing()
            && self.namespaces.get(namespace).map_or_else(|| is_selected(&Labels::new()), is_selected)
    }

    /// The pods that are like `pod` because they belong to the same Services and the same set; nobody
    /// where it belongs to none.
    pub(crate) fn alike(&self, pod: &PodState) -> Option<LabelSelector> {
        let services = self.services.get(&pod.key.namespace).into_iter().flat_map(BTreeMap::values);
        let has_all =
            |selector: &&Labels| selector.iter().all(|(key, value)| pod.labels.get(key) == Some(value));
        let pairs: Labels =
            services.filter(has_all).flatten().map(|(key, value)| (key.clone(), value.clone())).collect();
        let of_services =
            LabelSelector::from_pairs(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        let of_set = pod.owner.as_ref().and_then(|owner| {
            let key = Key { namespace: pod.key.namespace.clone(), name: owner.name.as_str().into() };
            self.sets.get(&(key, Owner::clone(owner)))
        });
        let selector = of_set.map_or_else(|| of_services.clone(), |of_set| both(&of_services, of_set));
        (!selector.is_everything()).then_some(selector)
    }

    /// Brings a namespace up to date; whether its labels changed.
    pub(super) fn put_namespace(&mut self, name: &str, labels: Option<Labels>) -> bool {
        match labels {
            Some(labels) => self.namespaces.insert(name.into(), labels.clone()) != Some(labels),
            None => self.namespaces.remove(name).is_some(),
        }
    }

    /// Brings a Service up to date; one without a selector has no pods.
    pub fn put_service(&mut self, key: &Key, selector: Option<Labels>) {
        let services = self.services.entry(key.namespace.clone()).or_default();
        match selector {
            Some(selector) if !selector.is_empty() => services.insert(key.name.clone(), selector),
            _ => services.remove(&key.name),
        };
        if services.is_empty() {
            self.services.remove(&key.namespace);
        }
    }

    /// Brings a set of this kind up to date.
    pub fn put_set(&mut self, kind: &str, key: &Key, selector: Option<LabelSelector>) {
        let entry = (key.clone(), Owner { kind: kind.to_owned(), name: key.name.to_string() });
        match selector {
            Some(selector) => self.sets.insert(entry, selector),
            None => self.sets.remove(&entry),
        };
    }
}
