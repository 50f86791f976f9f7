//! Upstream's scenarios of graphs whose objects contradict each other, played to their end: what the
//! server is asked, what is told, and what is deleted.

use super::*;
use crate::garbage::graph::Observed;
use std::collections::VecDeque;

/// An object's kind, namespace, name and uid.
type Id = (&'static str, &'static str, &'static str, &'static str);

const POD_1: Id = ("v1/Pod", "ns1", "podname1", "poduid1");
const POD_2: Id = ("v1/Pod", "ns1", "podname2", "poduid2");
const POD_2_ELSEWHERE: Id = ("v1/Pod", "ns2", "podname2", "poduid2");
const NODE: Id = ("v1/Node", "", "nodename", "nodeuid1");
const ROLE_OLD: Id = ("rbac.authorization.k8s.io/v1beta1/Role", "ns1", "role1", "roleuid1");
const ROLE: Id = ("rbac.authorization.k8s.io/v1/Role", "ns1", "role1", "roleuid1");
const DEPLOYMENT: Id = ("apps/v1/Deployment", "ns1", "deployment1", "deploymentuid1");
const UNSERVED: Id = ("extensions/v1beta1/Deployment", "ns1", "deployment1", "deploymentuid1");
const NO_SECRET: Id = ("v1/Secret", "ns1", "secretname", "deploymentuid1");
const BAD_POD: Id = ("v1/Pod", "ns1", "badpod", "badpoduid");
const GOOD_POD: Id = ("v1/Pod", "ns1", "goodpod", "goodpoduid");

fn split(kind: &'static str) -> (&'static str, &'static str) {
    kind.rsplit_once('/').unwrap()
}

fn served() -> Vec<Arc<Kind>> {
    let kinds = [
        Kind::for_tests("", "pods", "Pod"),
        Kind::for_tests("", "nodes", "Node").of_cluster(),
        Kind::for_tests("", "secrets", "Secret"),
        Kind::for_tests("", "replicationcontrollers", "ReplicationController"),
        Kind::for_tests("rbac.authorization.k8s.io", "roles", "Role").also_in("v1beta1"),
        Kind::for_tests("apps", "deployments", "Deployment"),
    ];
    kinds.map(Arc::new).into()
}

fn owner((kind, _, name, uid): Id) -> OwnerReference {
    let (api_version, kind) = split(kind);
    OwnerReference {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        uid: uid.to_owned(),
        ..OwnerReference::default()
    }
}

#[derive(Default)]
struct Scene {
    graph: Graph,
    server: Vec<Id>,
    queue: VecDeque<String>,
    asked: Vec<String>,
    told: Vec<String>,
    deleted: Vec<String>,
}

impl Scene {
    fn of(server: &[Id]) -> Self {
        Self { server: server.to_vec(), ..Self::default() }
    }

    fn observe(&mut self, id: Id, owners: &[Id]) {
        let kinds = served();
        let kind = kinds.iter().find(|kind| kind.is_of(&owner(id))).unwrap().clone();
        let item = Item {
            kind,
            key: Key::new(id.1, id.2),
            uid: id.3.to_owned(),
            version: None,
            owners: owners.iter().copied().map(owner).collect(),
            finalizers: Vec::new(),
            is_terminating: false,
        };
        let Observed { look_at, misplaced } = self.graph.observe(item);
        self.queue.extend(look_at);
        self.told.extend(misplaced.into_iter().map(|(uid, owner)| format!("{uid} {owner}")));
        assert!(self.graph.is_consistent());
    }

    fn vanish(&mut self, id: Id) {
        self.server.retain(|own| own.3 != id.3);
        self.queue.extend(self.graph.vanish(id.3));
    }

    /// Works on what is queued until nothing is.
    fn settle(&mut self) {
        while let Some(uid) = self.queue.pop_front() {
            let mut standings = BTreeMap::new();
            while let Some(item) = self.graph.item(&uid).cloned() {
                match self.graph.decide(&uid, &standings) {
                    Verdict::Ask(owners) => {
                        for owner in owners {
                            let standing = self.ask(&item, &owner);
                            standings.insert(Identity::named(&owner, &item.key.namespace), standing);
                        }
                    }
                    Verdict::Delete(Propagation::Background) => {
                        self.deleted.push(uid.clone());
                        self.queue.extend(self.graph.vanish(&uid));
                        break;
                    }
                    Verdict::Keep => break,
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    fn ask(&mut self, item: &Item, owner: &OwnerReference) -> Standing {
        let kinds = served();
        let Some(kind) = kinds.iter().find(|kind| kind.is_of(owner)) else { return Standing::Solid };
        if kind.is_namespaced && item.key.namespace.is_empty() {
            return Standing::Misplaced;
        }
        let namespace = if kind.is_namespaced { &*item.key.namespace } else { "" };
        self.asked.push(format!("{} {}", owner.kind, owner.name));
        let is_it = |id: &Id| {
            split(id.0).1 == owner.kind && id.1 == namespace && id.2 == owner.name && id.3 == owner.uid
        };
        if self.server.iter().any(is_it) {
            return Standing::Solid;
        }
        self.graph.note_gone(Identity::named(owner, namespace));
        Standing::Gone
    }

    fn deleted(&self) -> Vec<&str> {
        self.deleted.iter().map(String::as_str).collect()
    }
}

type Step<'a> = &'a dyn Fn(&mut Scene);

const MISPLACED_POD: &str = "poduid1 [v1/Pod, namespace: ns1, name: podname2, uid: poduid2]";
const MISPLACED_NODE: &str = "nodeuid1 [v1/Pod, namespace: , name: podname1, uid: poduid1]";

#[test]
fn a_child_in_a_namespace_may_have_an_owner_in_none() {
    let mut scene = Scene::of(&[NODE, POD_1]);
    scene.observe(POD_1, &[NODE]);
    scene.settle();
    scene.observe(NODE, &[]);
    scene.settle();
    assert!(scene.deleted.is_empty() && scene.told.is_empty());
}

#[test]
fn a_child_whose_owner_is_in_another_namespace_is_told_of_and_deleted() {
    for is_child_first in [true, false] {
        let mut scene = Scene::of(&[POD_1, POD_2_ELSEWHERE]);
        if is_child_first {
            scene.observe(POD_1, &[POD_2_ELSEWHERE]);
        }
        scene.observe(POD_2_ELSEWHERE, &[]);
        if !is_child_first {
            scene.observe(POD_1, &[POD_2]);
        }
        scene.settle();
        assert_eq!(scene.deleted(), ["poduid1"]);
        assert_eq!(scene.told, [MISPLACED_POD]);
        assert_eq!(scene.asked, ["Pod podname2"]);
    }
}

#[test]
fn a_child_in_no_namespace_whose_owner_is_in_one_is_told_of_and_kept() {
    for is_child_first in [true, false] {
        let mut scene = Scene::of(&[NODE, POD_1]);
        if is_child_first {
            scene.observe(NODE, &[POD_1]);
            scene.settle();
        }
        scene.observe(POD_1, &[]);
        if !is_child_first {
            scene.observe(NODE, &[POD_1]);
        }
        scene.settle();
        assert!(scene.deleted.is_empty() && scene.asked.is_empty());
        assert_eq!(scene.told, [MISPLACED_NODE]);
    }
}

#[test]
fn an_owner_may_be_named_in_any_version_it_is_served_in() {
    let mut scene = Scene::of(&[ROLE, POD_1]);
    scene.observe(POD_1, &[ROLE_OLD]);
    scene.settle();
    scene.observe(ROLE, &[]);
    scene.settle();
    assert!(scene.deleted.is_empty());
    scene.vanish(ROLE);
    scene.settle();
    assert_eq!(scene.deleted(), ["poduid1"]);
    assert!(scene.told.is_empty());
}

#[test]
fn a_child_whose_owner_is_named_in_a_version_nobody_serves_is_kept() {
    for is_child_first in [true, false] {
        let mut scene = Scene::of(&[DEPLOYMENT, POD_1]);
        if is_child_first {
            scene.observe(POD_1, &[UNSERVED]);
            scene.settle();
        }
        scene.observe(DEPLOYMENT, &[]);
        if !is_child_first {
            scene.observe(POD_1, &[UNSERVED]);
        }
        scene.settle();
        scene.vanish(DEPLOYMENT);
        scene.settle();
        assert!(scene.deleted.is_empty() && scene.told.is_empty());
    }
}

#[test]
fn who_names_an_owner_nobody_serves_does_not_keep_those_who_name_one_that_is_gone() {
    for order in [[(POD_1, UNSERVED), (POD_2, DEPLOYMENT)], [(POD_2, DEPLOYMENT), (POD_1, UNSERVED)]] {
        let mut scene = Scene::of(&[POD_1, POD_2]);
        for (child, owner) in order {
            scene.observe(child, &[owner]);
        }
        scene.settle();
        assert_eq!(scene.deleted(), ["poduid2"]);
    }
}

/// Three scenarios of upstream's, which differ in when the good owner is seen.
#[test]
fn a_child_that_names_its_owner_wrongly_is_deleted_and_its_siblings_are_kept() {
    let bad = |scene: &mut Scene| scene.observe(BAD_POD, &[NO_SECRET]);
    let good = |scene: &mut Scene| scene.observe(GOOD_POD, &[DEPLOYMENT]);
    let owner = |scene: &mut Scene| scene.observe(DEPLOYMENT, &[]);
    let settle = |scene: &mut Scene| scene.settle();
    let orders: [&[Step<'_>]; 4] = [
        &[&bad, &good, &settle, &owner],
        &[&bad, &good, &owner],
        &[&good, &bad, &owner],
        &[&owner, &good, &bad],
    ];
    for steps in orders {
        let mut scene = Scene::of(&[DEPLOYMENT, BAD_POD, GOOD_POD]);
        for step in steps {
            step(&mut scene);
        }
        scene.settle();
        assert_eq!(scene.deleted(), ["badpoduid"]);
    }
}

#[test]
fn a_child_out_of_place_keeps_no_other_child_of_a_missing_owner() {
    for order in [[(NODE, POD_1), (POD_2, POD_1)], [(POD_2, POD_1), (NODE, POD_1)]] {
        let mut scene = Scene::of(&[POD_2, NODE]);
        for (child, owner) in order {
            scene.observe(child, &[owner]);
        }
        scene.settle();
        assert_eq!(scene.deleted(), ["poduid2"]);
    }
}

#[test]
fn a_child_out_of_place_costs_no_other_child_of_an_owner_seen_late() {
    let mut scene = Scene::of(&[POD_1, POD_2, NODE]);
    scene.observe(NODE, &[POD_1]);
    scene.observe(POD_2, &[POD_1]);
    scene.settle();
    scene.observe(POD_1, &[]);
    scene.settle();
    assert!(scene.deleted.is_empty());
    assert_eq!(scene.told, [MISPLACED_NODE]);
}

/// Upstream's `TestAttemptToDeleteItem` and `TestAbsentOwnerCache`.
#[test]
fn a_missing_owner_is_asked_for_once() {
    let controller = |name, uid| ("v1/ReplicationController", "ns1", name, uid);
    let pod = |name, uid| ("v1/Pod", "ns1", name, uid);
    let mut scene = Scene::default();
    scene.observe(pod("rc1pod1", "p1"), &[controller("rc1", "1")]);
    scene.settle();
    scene.observe(pod("rc2pod1", "p2"), &[controller("rc2", "2")]);
    scene.observe(pod("rc1pod2", "p3"), &[controller("rc1", "1")]);
    scene.settle();
    assert_eq!(scene.deleted(), ["p1", "p2", "p3"]);
    assert_eq!(scene.asked, ["ReplicationController rc1", "ReplicationController rc2"]);
}

/// Upstream's `TestProcessEvent`; each step is checked for consistency.
#[test]
fn the_graph_is_consistent_whatever_comes_in_whichever_order() {
    let id = |uid| -> Id { ("v1/Pod", "ns1", uid, uid) };
    let all: [(&str, &[&str]); 4] = [("1", &[]), ("2", &["1"]), ("3", &["1", "2"]), ("4", &["2"])];
    let mut reversed = all;
    reversed.reverse();
    for order in [all, reversed] {
        let mut scene = Scene::default();
        for (uid, owners) in order {
            scene.observe(id(uid), &owners.iter().copied().map(id).collect::<Vec<_>>());
        }
        let mut without = scene.graph.vanish("2");
        without.sort();
        assert_eq!(without, ["3", "4"]);
        scene.observe(id("4"), &[id("3")]);
        scene.observe(id("3"), &[id("4")]);
        scene.observe(id("3"), &[]);
    }
}

#[test]
fn who_names_an_owner_of_a_kind_that_comes_to_be_served_is_looked_at() {
    let mut scene = Scene::default();
    let widget: Id = ("example.com/v1/Widget", "ns1", "w", "w");
    scene.observe(POD_1, &[widget]);
    scene.observe(POD_2, &[NODE]);
    let kind = Kind::for_tests("example.com", "widgets", "Widget");
    assert_eq!(scene.graph.missing_owners_of(&kind), ["poduid1"]);
}
