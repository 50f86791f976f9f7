//! Who owns whom, and what follows from it.
//!
//! **Invariants:** the dependents of an owner are found under its uid whether the owner is known or
//! not; what is decided needs no more than what the graph knows and what was asked of the server.
//!
//! **Spec:** upstream's garbage collector: `processTransitions` and `attemptToDeleteItem`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use mainstay_control::Key;
use mainstay_control::meta::is_terminating;

use crate::discovery::Kind;

/// Holds an object until its dependents are gone.
pub(crate) const FOREGROUND: &str = "foregroundDeletion";
/// Holds an object until its dependents no longer name it.
pub(crate) const ORPHAN: &str = "orphan";

/// Uids known to be gone, remembered at most.
const GONE: usize = 4096;

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

    fn orphans_dependents(&self) -> bool {
        self.is_terminating && self.has(ORPHAN)
    }

    /// The references to any but these owners.
    pub(crate) fn owners_without(&self, uids: &BTreeSet<String>) -> Vec<OwnerReference> {
        self.owners.iter().filter(|owner| !uids.contains(&owner.uid)).cloned().collect()
    }
}

/// How an owner stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is there, and keeps what it owns.
    Solid,
    /// It is there until the dependents that block it are gone.
    Waiting,
    /// It is gone.
    Gone,
}

/// How the objects a deletion leaves behind shall fare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Propagation {
    Background,
    Foreground,
    Orphan,
}

/// What is to be done about an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// Nothing.
    Keep,
    /// These owners must be looked up first.
    Ask(Vec<OwnerReference>),
    /// It keeps other owners and shall name these no more.
    Detach(BTreeSet<String>),
    /// Nobody wants it any more.
    Delete(Propagation),
    /// These dependents go before it.
    Dependents(Vec<String>),
    /// Its dependents are gone: it may go.
    LetGo,
    /// These dependents shall name it no more; then it may go.
    Orphan(Vec<String>),
}

/// All objects by uid, and who names whom as an owner.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    items: BTreeMap<String, Item>,
    dependents: BTreeMap<String, BTreeSet<String>>,
    /// Owners that were looked up and not found; uids never come back.
    gone: BTreeSet<String>,
}

impl Graph {
    /// Takes an object in, or its change; returns the uids to look at.
    pub(crate) fn observe(&mut self, item: Item) -> Vec<String> {
        let before = self.items.get(&item.uid);
        let had: BTreeSet<&str> =
            before.iter().flat_map(|before| &before.owners).map(|owner| &*owner.uid).collect();
        let has: BTreeSet<&str> = item.owners.iter().map(|owner| &*owner.uid).collect();
        let lost: Vec<String> = had.difference(&has).map(|uid| (*uid).to_owned()).collect();
        let is_looked_at =
            before.is_none() || had != has || item.waits_for_dependents() || item.orphans_dependents();
        for uid in &lost {
            self.unlink(uid, &item.uid);
        }
        for owner in &item.owners {
            self.dependents.entry(owner.uid.clone()).or_default().insert(item.uid.clone());
        }
        // An owner that waited for this one may go now.
        let mut look_at: Vec<String> = lost.into_iter().filter(|uid| self.waits(uid)).collect();
        let needs_a_look =
            item.owners.iter().any(|owner| self.waits(&owner.uid) || !self.items.contains_key(&owner.uid));
        if is_looked_at && (needs_a_look || item.waits_for_dependents() || item.orphans_dependents()) {
            look_at.push(item.uid.clone());
        }
        self.items.insert(item.uid.clone(), item);
        look_at
    }

    /// Forgets an object that is gone; returns the uids to look at.
    pub(crate) fn vanish(&mut self, uid: &str) -> Vec<String> {
        self.note_gone(uid);
        let Some(item) = self.items.remove(uid) else { return Vec::new() };
        for owner in &item.owners {
            self.unlink(&owner.uid, uid);
        }
        let mut look_at: Vec<String> = self.dependents_of(uid);
        look_at.extend(item.owners.iter().map(|owner| owner.uid.clone()).filter(|owner| self.waits(owner)));
        look_at
    }

    /// Notes that the server knows no such object.
    pub(crate) fn note_gone(&mut self, uid: &str) {
        if self.gone.len() >= GONE {
            self.gone.clear();
        }
        self.gone.insert(uid.to_owned());
    }

    pub(crate) fn item(&self, uid: &str) -> Option<&Item> {
        self.items.get(uid)
    }

    /// The objects of a kind.
    pub(crate) fn of_kind<'a>(&'a self, kind: &'a Kind) -> impl Iterator<Item = &'a Item> {
        self.items.values().filter(|item| item.kind.name() == kind.name())
    }

    /// Decides about one object; `asked` are the standings of owners the server was asked about.
    pub(crate) fn decide(&self, uid: &str, asked: &BTreeMap<String, Standing>) -> Verdict {
        let Some(item) = self.items.get(uid) else { return Verdict::Keep };
        if item.orphans_dependents() {
            return Verdict::Orphan(self.dependents_of(uid));
        }
        if item.waits_for_dependents() {
            return self.dependents_first(item);
        }
        if item.is_terminating || item.owners.is_empty() {
            return Verdict::Keep;
        }
        let standings: Vec<_> =
            item.owners.iter().map(|owner| (owner, self.standing(owner, asked))).collect();
        let unknown: Vec<_> = standings
            .iter()
            .filter(|(_, standing)| standing.is_none())
            .map(|(owner, _)| (*owner).clone())
            .collect();
        if !unknown.is_empty() {
            return Verdict::Ask(unknown);
        }
        let of = |wanted| {
            let owners = standings.iter().filter(move |(_, standing)| *standing == Some(wanted));
            owners.map(|(owner, _)| owner.uid.clone()).collect::<BTreeSet<_>>()
        };
        let (solid, waiting, gone) = (of(Standing::Solid), of(Standing::Waiting), of(Standing::Gone));
        match (solid.is_empty(), waiting.is_empty() && gone.is_empty()) {
            (false, true) => Verdict::Keep,
            (false, false) => Verdict::Detach(&waiting | &gone),
            (true, _) if !waiting.is_empty() && !self.dependents_of(uid).is_empty() => {
                Verdict::Delete(Propagation::Foreground)
            }
            (true, _) if item.has(ORPHAN) => Verdict::Delete(Propagation::Orphan),
            (true, _) if item.has(FOREGROUND) => Verdict::Delete(Propagation::Foreground),
            (true, _) => Verdict::Delete(Propagation::Background),
        }
    }

    fn dependents_first(&self, item: &Item) -> Verdict {
        let blocks = |dependent: &Item| {
            let mut references = dependent.owners.iter();
            references.any(|owner| owner.uid == item.uid && owner.block_owner_deletion == Some(true))
        };
        let dependents = self.dependents_of(&item.uid);
        if dependents.iter().filter_map(|uid| self.items.get(uid)).any(blocks) {
            Verdict::Dependents(dependents)
        } else {
            Verdict::LetGo
        }
    }

    fn standing(&self, owner: &OwnerReference, asked: &BTreeMap<String, Standing>) -> Option<Standing> {
        if let Some(item) = self.items.get(&owner.uid) {
            let waits = item.waits_for_dependents() && owner.block_owner_deletion == Some(true);
            return Some(if waits { Standing::Waiting } else { Standing::Solid });
        }
        if self.gone.contains(&owner.uid) {
            return Some(Standing::Gone);
        }
        asked.get(&owner.uid).copied()
    }

    fn waits(&self, uid: &str) -> bool {
        self.items.get(uid).is_some_and(Item::waits_for_dependents)
    }

    fn dependents_of(&self, uid: &str) -> Vec<String> {
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
}
