//! Verdicts over graphs of owners.

use super::graph::{FOREGROUND, Graph, Identity, Item, ORPHAN};
use super::verdict::{Propagation, Standing, Verdict};
use super::*;
use crate::discovery::Kind;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;

mod scenes;

fn kind() -> Arc<Kind> {
    Arc::new(Kind::for_tests("", "pods", "Pod"))
}

/// An object whose uid is its name, owned by these (a leading `!` blocks the owner's deletion).
fn item(name: &str, owners: &[&str], finalizers: &[&str], is_terminating: bool) -> Item {
    let owners = owners.iter().map(|owner| OwnerReference {
        uid: owner.trim_start_matches('!').to_owned(),
        name: owner.trim_start_matches('!').to_owned(),
        api_version: "v1".to_owned(),
        kind: "Pod".to_owned(),
        block_owner_deletion: Some(owner.starts_with('!')),
        ..OwnerReference::default()
    });
    Item {
        kind: kind(),
        key: Key::new("default", name),
        uid: name.to_owned(),
        version: Some("1".to_owned()),
        owners: owners.collect(),
        finalizers: finalizers.iter().map(|text| (*text).to_owned()).collect(),
        is_terminating,
    }
}

fn graph(items: impl IntoIterator<Item = Item>) -> Graph {
    let mut graph = Graph::default();
    for item in items {
        graph.observe(item);
    }
    graph
}

/// Takes an object in; returns the uids to look at.
fn look(graph: &mut Graph, item: Item) -> Vec<String> {
    graph.observe(item).look_at
}

fn decide(graph: &Graph, uid: &str) -> Verdict {
    graph.decide(uid, &BTreeMap::new())
}

fn uids(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn an_object_is_kept_while_an_owner_is_there_and_goes_with_the_last() {
    let mut graph =
        graph([item("a", &[], &[], false), item("b", &[], &[], false), item("pod", &["a", "b"], &[], false)]);
    assert_eq!(decide(&graph, "pod"), Verdict::Keep);
    assert_eq!(graph.vanish("a"), ["pod"]);
    assert_eq!(decide(&graph, "pod"), Verdict::Detach(["a".to_owned()].into()));
    graph.vanish("b");
    assert_eq!(decide(&graph, "pod"), Verdict::Delete(Propagation::Background));
}

#[test]
fn an_owner_nobody_has_seen_is_asked_for_first() {
    let mut graph = Graph::default();
    assert_eq!(look(&mut graph, item("pod", &["unseen"], &[], false)), ["pod"]);
    let Verdict::Ask(owners) = decide(&graph, "pod") else { panic!() };
    assert_eq!(owners[0].uid, "unseen");
    let identity = Identity::named(&owners[0], "default");
    let solid = BTreeMap::from([(identity.clone(), Standing::Solid)]);
    assert_eq!(graph.decide("pod", &solid), Verdict::Keep);
    graph.note_gone(identity);
    assert_eq!(decide(&graph, "pod"), Verdict::Delete(Propagation::Background));
}

#[test]
fn an_update_that_changes_no_owner_costs_no_look() {
    let mut graph = graph([item("set", &[], &[], false), item("pod", &["set"], &[], false)]);
    assert!(look(&mut graph, item("pod", &["set"], &[], false)).is_empty());
    assert!(look(&mut graph, item("set", &[], &[], false)).is_empty());
}

#[test]
fn foreground_deletion_takes_the_blocking_dependents_first() {
    let mut graph = graph([
        item("set", &[], &[], false),
        item("blocking", &["!set"], &[], false),
        item("free", &["set"], &[], false),
    ]);
    assert_eq!(look(&mut graph, item("set", &[], &[FOREGROUND], true)), ["set"]);
    assert_eq!(decide(&graph, "set"), Verdict::Dependents(uids(&["blocking", "free"])));
    assert_eq!(decide(&graph, "blocking"), Verdict::Delete(Propagation::Background));
    assert_eq!(decide(&graph, "free"), Verdict::Delete(Propagation::Background), "whether it blocks or not");
    assert_eq!(graph.vanish("blocking"), ["set"]);
    assert_eq!(decide(&graph, "set"), Verdict::LetGo);
}

#[test]
fn a_dependent_with_dependents_of_its_own_goes_in_the_foreground_too() {
    let graph = graph([
        item("deployment", &[], &[FOREGROUND], true),
        item("set", &["!deployment"], &[], false),
        item("pod", &["!set"], &[], false),
    ]);
    assert_eq!(decide(&graph, "set"), Verdict::Delete(Propagation::Foreground));
}

#[test]
fn who_waits_and_owns_somebody_who_waits_holds_nobody_any_more() {
    let graph = graph([
        item("a", &["!c"], &[FOREGROUND], true),
        item("b", &["!a"], &[], false),
        item("c", &["!b"], &[FOREGROUND], true),
    ]);
    assert_eq!(decide(&graph, "b"), Verdict::Unblock);
    let unblocked = graph.item("b").unwrap().owners_unblocked();
    assert_eq!(unblocked[0].block_owner_deletion, Some(false));
}

#[test]
fn an_owner_that_waits_is_looked_at_once_a_dependent_holds_it_no_more() {
    let mut graph = graph([item("set", &[], &[FOREGROUND], true), item("pod", &["!set"], &[], false)]);
    assert_eq!(look(&mut graph, item("pod", &["set"], &[], false)), ["set", "pod"]);
    assert_eq!(decide(&graph, "set"), Verdict::LetGo);
    assert_eq!(look(&mut graph, item("pod", &[], &[], false)), uids(&[]), "it was held by nobody");
}

/// Upstream's `TestUnblockOwnerReference` and `TestDeleteOwnerRefPatch`.
#[test]
fn references_are_unblocked_or_left_out_and_otherwise_as_they_were() {
    let mut pod = item("pod", &["!1", "2", "3"], &[], false);
    pod.owners[2].block_owner_deletion = None;
    let blocks: Vec<_> = pod.owners_unblocked().iter().map(|owner| owner.block_owner_deletion).collect();
    assert_eq!(blocks, [Some(false), Some(false), None]);
    let rest = pod.owners_without(&uids(&["2", "3"]).into_iter().collect());
    assert_eq!(rest.iter().map(|owner| owner.uid.as_str()).collect::<Vec<_>>(), ["1"]);
}

#[test]
fn another_owner_keeps_an_object_that_one_waits_for() {
    let graph = graph([
        item("going", &[], &[FOREGROUND], true),
        item("staying", &[], &[], false),
        item("pod", &["!going", "!staying"], &[], false),
    ]);
    assert_eq!(decide(&graph, "pod"), Verdict::Detach(["going".to_owned()].into()));
}

#[test]
fn an_orphaning_owner_is_no_longer_named_by_its_dependents() {
    let mut graph = graph([item("set", &[], &[ORPHAN], false), item("pod", &["!set"], &[], false)]);
    assert_eq!(look(&mut graph, item("set", &[], &[ORPHAN], true)), ["set"]);
    assert_eq!(decide(&graph, "set"), Verdict::Orphan(uids(&["pod"])));
    assert_eq!(decide(&graph, "pod"), Verdict::Keep);
}

#[test]
fn an_object_on_its_way_out_is_left_to_it() {
    let graph = graph([item("pod", &["gone"], &["example.com/own"], true)]);
    assert_eq!(decide(&graph, "pod"), Verdict::Keep);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    /// In any forest of owners, doing what is decided until nothing is left to do removes exactly
    /// what no living root reaches.
    #[test]
    fn exactly_what_no_root_reaches_is_collected(
        owners in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..3), 1..12),
        doomed in prop::collection::vec(any::<bool>(), 12),
    ) {
        let name = |index: usize| format!("object-{index}");
        let mut graph = Graph::default();
        let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (index, owners) in owners.iter().enumerate() {
            // Only earlier objects own later ones.
            let owners: BTreeSet<String> =
                owners.iter().filter(|_| index > 0).map(|owner| name(owner.index(index.max(1)))).collect();
            let references: Vec<&str> = owners.iter().map(String::as_str).collect();
            graph.observe(item(&name(index), &references, &[], false));
            named.insert(name(index), owners);
        }
        // Some roots are deleted by somebody.
        let roots: Vec<String> = named.iter().filter(|(_, owners)| owners.is_empty()).map(|(name, _)| name.clone()).collect();
        let dead: BTreeSet<String> =
            roots.iter().zip(&doomed).filter(|(_, doomed)| **doomed).map(|(name, _)| name.clone()).collect();
        let mut work: Vec<String> = dead.iter().flat_map(|uid| graph.vanish(uid)).collect();
        while let Some(uid) = work.pop() {
            match decide(&graph, &uid) {
                Verdict::Delete(_) => work.extend(graph.vanish(&uid)),
                Verdict::Detach(gone) => {
                    let mut item = graph.item(&uid).cloned().unwrap();
                    item.owners = item.owners_without(&gone);
                    work.extend(graph.observe(item).look_at);
                }
                Verdict::Keep => {}
                other => prop_assert!(false, "{other:?}"),
            }
        }
        let mut alive: BTreeSet<String> = roots.into_iter().filter(|root| !dead.contains(root)).collect();
        for index in 0..owners.len() {
            if named[&name(index)].iter().any(|owner| alive.contains(owner)) {
                alive.insert(name(index));
            }
        }
        for index in 0..owners.len() {
            prop_assert_eq!(graph.item(&name(index)).is_some(), alive.contains(&name(index)), "{}", index);
        }
    }
}
