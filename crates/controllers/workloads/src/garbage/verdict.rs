//! What is to be done about one object.
//!
//! **Invariants:** what is decided needs no more than what the graph knows and what was asked of the
//! server.
//!
//! **Spec:** upstream's garbage collector: `attemptToDeleteItem`, `isDangling`.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use super::graph::{FOREGROUND, Graph, Identity, Item, ORPHAN};

/// How an owner stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is there, and keeps what it owns.
    Solid,
    /// It is there until its dependents are gone.
    Waiting,
    /// It is gone.
    Gone,
    /// It is in some namespace, and the object in none: such a word means nothing.
    Misplaced,
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
    /// The same, after its dependents, one of which waits for its own: so that nobody waits in a
    /// circle, it holds none of its owners from now on.
    Unblock,
    /// These dependents go before it.
    Dependents(Vec<String>),
    /// Its dependents are gone: it may go.
    LetGo,
    /// These dependents shall name it no more; then it may go.
    Orphan(Vec<String>),
}

impl Graph {
    /// Decides about one object; `asked` are the standings of owners the server was asked about.
    pub(crate) fn decide(&self, uid: &str, asked: &BTreeMap<Identity, Standing>) -> Verdict {
        let Some(item) = self.item(uid) else { return Verdict::Keep };
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
            item.owners.iter().map(|owner| (owner, self.standing(item, owner, asked))).collect();
        let unknown = standings.iter().filter(|(_, standing)| standing.is_none());
        let unknown: Vec<_> = unknown.map(|(owner, _)| (*owner).clone()).collect();
        if !unknown.is_empty() {
            return Verdict::Ask(unknown);
        }
        let of = |wanted| {
            let owners = standings.iter().filter(move |(_, standing)| *standing == Some(wanted));
            owners.map(|(owner, _)| owner.uid.clone()).collect::<BTreeSet<_>>()
        };
        let (solid, waiting, gone) = (of(Standing::Solid), of(Standing::Waiting), of(Standing::Gone));
        if !of(Standing::Misplaced).is_empty() {
            return Verdict::Keep;
        }
        match (solid.is_empty(), waiting.is_empty() && gone.is_empty()) {
            (false, true) => Verdict::Keep,
            (false, false) => Verdict::Detach(&waiting | &gone),
            (true, _) if !waiting.is_empty() => self.delete_for_waiting(item),
            (true, _) => Verdict::Delete(of_finalizers(item)),
        }
    }

    /// An owner waits: what the object owns itself goes before it.
    fn delete_for_waiting(&self, item: &Item) -> Verdict {
        let dependents = self.dependents_of(&item.uid);
        let mut known = dependents.iter().filter_map(|uid| self.item(uid));
        if dependents.is_empty() {
            Verdict::Delete(of_finalizers(item))
        } else if known.any(Item::waits_for_dependents) {
            Verdict::Unblock
        } else {
            Verdict::Delete(Propagation::Foreground)
        }
    }

    fn dependents_first(&self, item: &Item) -> Verdict {
        let dependents = self.dependents_of(&item.uid);
        let mut known = dependents.iter().filter_map(|uid| self.item(uid));
        if known.any(|dependent| dependent.blocks(&item.uid)) {
            Verdict::Dependents(dependents)
        } else {
            Verdict::LetGo
        }
    }

    fn standing(
        &self,
        item: &Item,
        owner: &OwnerReference,
        asked: &BTreeMap<Identity, Standing>,
    ) -> Option<Standing> {
        if let Some(known) = self.item(&owner.uid).filter(|known| known.is_meant(owner, item)) {
            return Some(if known.waits_for_dependents() { Standing::Waiting } else { Standing::Solid });
        }
        let identity = Identity::named(owner, &item.key.namespace);
        asked.get(&identity).copied().or_else(|| self.is_gone(&identity).then_some(Standing::Gone))
    }
}

/// What the object's own finalizers ask for.
fn of_finalizers(item: &Item) -> Propagation {
    if item.has(ORPHAN) {
        Propagation::Orphan
    } else if item.has(FOREGROUND) {
        Propagation::Foreground
    } else {
        Propagation::Background
    }
}
