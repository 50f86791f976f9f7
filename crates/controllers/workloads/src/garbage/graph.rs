//! Who owns whom.
//!
//! **Invariants:** the dependents of an owner are found under its uid whether the owner is known or
//! not. An owner is who its dependent says it is: one of that uid but another kind, name or
//! namespace is not.
//!
//! **Not here:** what follows from it ([`verdict`](super::verdict)).
//!
//! **Spec:** upstream's garbage collector: `processGraphChanges` and `processTransitions`. A dependent
//! whose word differs from what was seen is verified on its own, so no virtual nodes are kept.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use mainstay_control::Key;
use mainstay_control::meta::is_terminating;

use crate::discovery::Kind;

/// Holds an object until its dependents are gone.
pub(crate) const FOREGROUND: &str = "foregroundDeletion";
/// Holds an object until its dependents no longer name it.
pub(crate) const ORPHAN: &str = "orphan";

/// Owners known to be gone, remembered at most.
const GONE: usize = 4096;

/// Who an owner is said to be, and in which namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Identity {
    pub(crate) uid: String,
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
}

impl Identity {
    /// The owner that an object of this namespace names.
    pub(crate) fn named(owner: &OwnerReference, namespace: &str) -> Self {
        Self {
            uid: owner.uid.clone(),
            api_version: owner.api_version.clone(),
            kind: owner.kind.clone(),
            name: owner.name.clone(),
            namespace: namespace.to_owned(),
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { uid, api_version, kind, name, namespace } = self;
        write!(f, "[{api_version}/{kind}, namespace: {namespace}, name: {name}, uid: {uid}]")
    }
}

/// An object, as far as ownership goes.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) kind: Arc<Kind>,
    pub(crate) key: Key,
    pub(crate) uid: String,
    pub(crate) version: Option<String>,
    pub(crate) owners: Vec<OwnerReference>,
    pub(crate) finalizers: Vec<String>,
    pub(crate) is_terminating: bool,
}

impl Item {
    pub(crate) fn new(kind: Arc<Kind>, meta: &ObjectMeta) -> Self {
        Self {
            kind,
            key: Key::new(
                meta.namespace.as_deref().unwrap_or_default(),
                meta.name.as_deref().unwrap_or_default(),
            ),
            uid: meta.uid.clone().unwrap_or_default(),
            version: meta.resource_version.clone(),
            owners: meta.owner_references.clone().unwrap_or_default(),
            finalizers: meta.finalizers.clone().unwrap_or_default(),
            is_terminating: is_terminating(meta),
        }
    }

    pub(crate) fn has(&self, finalizer: &str) -> bool {
        self.finalizers.iter().any(|own| own == finalizer)
    }

    /// Whether it is on its way out as soon as its dependents are gone.
    pub(crate) fn waits_for_dependents(&self) -> bool {
        self.is_terminating && self.has(FOREGROUND)
    }

    pub(crate) fn orphans_dependents(&self) -> bool {
        self.is_terminating && self.has(ORPHAN)
    }

    /// Whether it is the owner that `dependent` means.
    pub(crate) fn is_meant(&self, owner: &OwnerReference, dependent: &Self) -> bool {
        let resource = &self.kind.resource;
        !self.is_out_of_reach(dependent)
            && *self.key.name == *owner.name
            && resource.kind == owner.kind
            && resource.api_version == owner.api_version
    }

    /// Whether `dependent` is where nothing can be owned by it.
    fn is_out_of_reach(&self, dependent: &Self) -> bool {
        !self.key.namespace.is_empty() && self.key.namespace != dependent.key.namespace
    }

    /// Whether its owner of this uid has to wait for it.
    pub(crate) fn blocks(&self, owner: &str) -> bool {
        self.owners.iter().any(|own| own.uid == owner && own.block_owner_deletion == Some(true))
    }

    /// The references to any but these owners.
    pub(crate) fn owners_without(&self, uids: &BTreeSet<String>) -> Vec<OwnerReference> {
        self.owners.iter().filter(|owner| !uids.contains(&owner.uid)).cloned().collect()
    }

    /// The references, none of which holds its owner.
    pub(crate) fn owners_unblocked(&self) -> Vec<OwnerReference> {
        let mut owners = self.owners.clone();
        for owner in owners.iter_mut().filter(|owner| owner.block_owner_deletion == Some(true)) {
            owner.block_owner_deletion = Some(false);
        }
        owners
    }

    fn identity(&self) -> Identity {
        let resource = &self.kind.resource;
        Identity {
            uid: self.uid.clone(),
            api_version: resource.api_version.clone(),
            kind: resource.kind.clone(),
            name: self.key.name.to_string(),
            namespace: self.key.namespace.to_string(),
        }
    }
}

/// What a change of one object means for others.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Observed {
    /// The uids to look at.
    pub(crate) look_at: Vec<String>,
    /// Objects that name an owner of another namespace, and that owner.
    pub(crate) misplaced: Vec<(String, Identity)>,
}

/// All objects by uid, and who names whom as an owner.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    items: BTreeMap<String, Item>,
    dependents: BTreeMap<String, BTreeSet<String>>,
    /// Owners that went, or were looked up and not found; uids never come back.
    gone: BTreeSet<Identity>,
}

impl Graph {
    /// Takes an object in, or its change.
    pub(crate) fn observe(&mut self, item: Item) -> Observed {
        let before = self.items.get(&item.uid);
        let had: &[OwnerReference] = before.map_or(&[], |before| &before.owners);
        let is_first = before.is_none();
        let is_changed = is_first || *had != *item.owners;
        let mut observed = Observed::default();
        if is_changed {
            let names = |uid: &str| item.owners.iter().any(|owner| owner.uid == uid);
            let had_named = |uid: &str| had.iter().any(|owner| owner.uid == uid);
            let lost: Vec<String> =
                had.iter().map(|owner| &owner.uid).filter(|uid| !names(uid)).cloned().collect();
            // An owner that waited for this one may go now.
            let freed = had.iter().filter(|owner| {
                owner.block_owner_deletion == Some(true) && !item.blocks(&owner.uid) && self.waits(&owner.uid)
            });
            observed.look_at = freed.map(|owner| owner.uid.clone()).collect();
            for owner in item.owners.iter().filter(|owner| !had_named(&owner.uid)) {
                if self.items.get(&owner.uid).is_some_and(|own| own.is_out_of_reach(&item)) {
                    let identity = Identity::named(owner, &item.key.namespace);
                    observed.misplaced.push((item.uid.clone(), identity));
                }
            }
            for uid in &lost {
                self.unlink(uid, &item.uid);
            }
            for owner in &item.owners {
                self.dependents.entry(owner.uid.clone()).or_default().insert(item.uid.clone());
            }
        }
        if is_first {
            self.meet(&item, &mut observed);
        }
        let is_on_its_way = item.waits_for_dependents() || item.orphans_dependents();
        if is_on_its_way || is_changed && self.is_doubtful(&item) {
            observed.look_at.push(item.uid.clone());
        }
        self.items.insert(item.uid.clone(), item);
        observed
    }

    /// An owner is seen for the first time: who meant another one is looked at.
    fn meet(&self, owner: &Item, observed: &mut Observed) {
        let dependents = self.dependents.get(&owner.uid).into_iter().flatten();
        for dependent in dependents.filter_map(|uid| self.items.get(uid)) {
            let mut meant = dependent.owners.iter().filter(|own| own.uid == owner.uid);
            let Some(other) = meant.find(|own| !owner.is_meant(own, dependent)) else { continue };
            if owner.is_out_of_reach(dependent) {
                let identity = Identity::named(other, &dependent.key.namespace);
                observed.misplaced.push((dependent.uid.clone(), identity));
            }
            observed.look_at.push(dependent.uid.clone());
        }
    }

    /// Whether an owner it names is on its way out, unknown, or not the one it means.
    fn is_doubtful(&self, item: &Item) -> bool {
        item.owners.iter().any(|owner| {
            let known = self.items.get(&owner.uid);
            known.is_none_or(|known| known.waits_for_dependents() || !known.is_meant(owner, item))
        })
    }

    /// Forgets an object that is gone; returns the uids to look at.
    pub(crate) fn vanish(&mut self, uid: &str) -> Vec<String> {
        let Some(item) = self.items.remove(uid) else { return Vec::new() };
        for owner in &item.owners {
            self.unlink(&owner.uid, uid);
        }
        let mut look_at: Vec<String> = self.dependents_of(uid);
        if !look_at.is_empty() {
            self.note_gone(item.identity());
        }
        look_at.extend(item.owners.iter().map(|owner| owner.uid.clone()).filter(|owner| self.waits(owner)));
        look_at
    }

    /// Notes that there is no such object.
    pub(crate) fn note_gone(&mut self, owner: Identity) {
        if self.gone.len() >= GONE {
            self.gone.clear();
        }
        self.gone.insert(owner);
    }

    /// Whether an owner is known to be gone, of this namespace or of none.
    pub(crate) fn is_gone(&self, owner: &Identity) -> bool {
        let of_cluster = || Identity { namespace: String::new(), ..owner.clone() };
        !self.gone.is_empty() && (self.gone.contains(owner) || self.gone.contains(&of_cluster()))
    }

    pub(crate) fn item(&self, uid: &str) -> Option<&Item> {
        self.items.get(uid)
    }

    /// The objects of a kind.
    pub(crate) fn of_kind<'a>(&'a self, kind: &'a Kind) -> impl Iterator<Item = &'a Item> {
        self.items.values().filter(|item| item.kind.name() == kind.name())
    }

    /// The objects that name an owner of this kind which nobody has seen.
    pub(crate) fn missing_owners_of(&self, kind: &Kind) -> Vec<String> {
        let is_missing = |owner: &OwnerReference| kind.is_of(owner) && !self.items.contains_key(&owner.uid);
        let items = self.items.values().filter(|item| item.owners.iter().any(is_missing));
        items.map(|item| item.uid.clone()).collect()
    }

    fn waits(&self, uid: &str) -> bool {
        self.items.get(uid).is_some_and(Item::waits_for_dependents)
    }

    pub(crate) fn dependents_of(&self, uid: &str) -> Vec<String> {
        self.dependents.get(uid).into_iter().flatten().cloned().collect()
    }

    fn unlink(&mut self, owner: &str, dependent: &str) {
        if let Some(dependents) = self.dependents.get_mut(owner) {
            dependents.remove(dependent);
            if dependents.is_empty() {
                self.dependents.remove(owner);
            }
        }
    }

    /// Whether each object is found under each of its owners and under nobody else.
    #[cfg(test)]
    pub(crate) fn is_consistent(&self) -> bool {
        let links = self
            .items
            .values()
            .flat_map(|item| item.owners.iter().map(move |owner| (owner.uid.clone(), item.uid.clone())));
        let found = self.dependents.iter().flat_map(|(owner, dependents)| {
            dependents.iter().map(move |dependent| (owner.clone(), dependent.clone()))
        });
        links.collect::<BTreeSet<_>>() == found.collect::<BTreeSet<_>>()
    }
}
