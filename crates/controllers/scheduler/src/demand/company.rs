//! Which pods a pod is to be near to or far from.
//!
//! **Spec:** upstream's `framework.AffinityTerm`; `matchLabelKeys` and `mismatchLabelKeys` narrow a
//! term's selector as its API server does.

use mainstay_resource::selector::{LabelSelector, Operator, Requirement};

use super::{Labels, both};
use crate::seen::{Affinity, PodTerm, Rules};

/// The namespaces a term looks at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope {
    /// These, sorted.
    pub namespaces: Vec<String>,
    /// And those with such labels.
    pub selector: LabelSelector,
}

/// Pods of some sort in the same domain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term {
    /// In these namespaces.
    pub scope: Scope,
    /// With such labels.
    pub selector: LabelSelector,
    /// The label of nodes whose values are the domains.
    pub key: String,
}

/// A pod's affinity to other pods.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Company {
    /// There must be a pod of all these sorts.
    pub affinity: Vec<Term>,
    /// There must be no pod of any of these sorts.
    pub anti_affinity: Vec<Term>,
    /// What there had better be, with its weight, which is negative where there had better not be.
    pub preferred: Vec<(i64, Term)>,
}

impl Company {
    pub(super) fn of(namespace: &str, labels: &Labels, affinity: &Affinity) -> Self {
        let term = |written: &PodTerm| Term::of(namespace, labels, written);
        let required = |rules: Option<&Rules<Vec<PodTerm>, _>>| -> Vec<Term> {
            rules.and_then(|rules| rules.required.as_ref()).into_iter().flatten().map(term).collect()
        };
        let (near, far) = (affinity.near.as_ref(), affinity.far.as_ref());
        let signed = [(1, near), (-1, far)].into_iter().flat_map(|(sign, rules)| {
            let preferred = rules.and_then(|rules| rules.preferred.as_ref()).into_iter().flatten();
            preferred.map(move |it| (sign * i64::from(it.weight), term(&it.pod_affinity_term)))
        });
        Self { affinity: required(near), anti_affinity: required(far), preferred: signed.collect() }
    }

    /// Whether it is all the same to the pod.
    pub fn is_empty(&self) -> bool {
        self.affinity.is_empty() && self.anti_affinity.is_empty() && self.preferred.is_empty()
    }

    /// The labels of nodes its terms look at.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        let required = self.affinity.iter().chain(&self.anti_affinity);
        required.chain(self.preferred.iter().map(|(_, term)| term)).map(|term| term.key.as_str())
    }
}

impl Term {
    fn of(namespace: &str, labels: &Labels, written: &PodTerm) -> Self {
        let read = |object| LabelSelector::from_object(object).unwrap_or_else(|_| LabelSelector::nothing());
        let selector = both(&read(&written.label_selector), &own(labels, written));
        let mut namespaces = written.namespaces.clone().unwrap_or_default();
        if namespaces.is_empty() && written.namespace_selector.is_null() {
            namespaces.push(namespace.to_owned());
        }
        namespaces.sort();
        let scope = Scope { namespaces, selector: read(&written.namespace_selector) };
        Self { scope, selector, key: written.topology_key.clone() }
    }
}

/// What the pod's own labels add to a term.
fn own(labels: &Labels, written: &PodTerm) -> LabelSelector {
    let added = |keys: &Option<Vec<String>>, operator| -> Vec<Requirement> {
        let own = keys.iter().flatten().filter_map(|key| Some((key, labels.get(key)?)));
        own.filter_map(|(key, value)| Requirement::new(key, operator, [value]).ok()).collect()
    };
    let (same, other) = (&written.match_label_keys, &written.mismatch_label_keys);
    LabelSelector::all([added(same, Operator::In), added(other, Operator::NotIn)].concat())
}
