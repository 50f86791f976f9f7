//! What a write may expect, and what comes of it.

use std::sync::{Arc, Mutex};

use super::*;
use crate::{CommitError, EventKind, Unchanged};

#[test]
fn the_revision_is_written_into_the_object() {
    run(async {
        let store = Store::in_memory(None);
        let made = store.commit(put(pod("a"), Expect::Absent, "one")).await.unwrap();
        assert_eq!(made.value, value("one", 2));
        let changed = store.commit(put(pod("a"), Expect::Revision(2), "two")).await.unwrap();
        assert_eq!((changed.revision, changed.created), (3, 2));
        assert_eq!(changed.value, value("two", 3));
        assert_eq!(store.get(&pod("a")), Some(changed));
    });
}

#[test]
fn a_removed_object_is_handed_back_under_the_revision_of_its_removal() {
    run(async {
        let store = Store::in_memory(None);
        store.commit(put(pod("a"), Expect::Absent, "one")).await.unwrap();
        let last = store.commit(delete(pod("a"), Expect::Any)).await.unwrap();
        assert_eq!(last.value, value("gone", 3));
        assert_eq!(store.get(&pod("a")), None);
        let again = store.commit(put(pod("a"), Expect::Absent, "two")).await.unwrap();
        assert_eq!((again.revision, again.created), (4, 4));
    });
}

#[test]
fn a_write_that_finds_something_else_is_refused_with_what_it_found() {
    run(async {
        let store = Store::in_memory(None);
        store.commit(put(pod("a"), Expect::Any, "one")).await.unwrap();
        let refusals = [
            put(pod("a"), Expect::Absent, "x"),
            put(pod("a"), Expect::Revision(1), "x"),
            delete(pod("a"), Expect::Revision(3)),
        ];
        for write in refusals {
            let Err(CommitError::Conflict { current }) = store.commit(write).await else {
                panic!("a conflict was expected")
            };
            assert_eq!(current.unwrap().revision, 2);
        }
        for write in [put(pod("b"), Expect::Revision(2), "x"), delete(pod("b"), Expect::Any)] {
            let refusal = store.commit(write).await;
            assert!(matches!(refusal, Err(CommitError::Conflict { current: None })), "{refusal:?}");
        }
        assert_eq!(store.revision(), 2, "a refused write takes no revision");
    });
}

#[test]
fn writes_that_belong_together_happen_all_or_none() {
    run(async {
        let store = Store::in_memory(None);
        let doubled = vec![
            put(pod("a"), Expect::Absent, "one"),
            put(pod("b"), Expect::Absent, "two"),
            put(pod("a"), Expect::Absent, "three"),
        ];
        let refusal = store.commit_together(doubled).await;
        assert!(matches!(refusal, Err(CommitError::Conflict { current: Some(_) })), "{refusal:?}");
        assert_eq!((store.revision(), store.stats().objects), (1, 0));

        let chained = vec![
            put(pod("a"), Expect::Absent, "one"),
            put(pod("a"), Expect::Revision(2), "two"),
            delete(pod("a"), Expect::Revision(3)),
            put(pod("b"), Expect::Absent, "three"),
        ];
        let records = store.commit_together(chained).await.unwrap();
        assert_eq!(records.iter().map(|record| record.revision).collect::<Vec<_>>(), [2, 3, 4, 5]);
        assert_eq!(texts(&store, PODS, None), ["three"]);
    });
}

#[test]
fn an_observer_sees_every_event_in_order_before_the_answer() {
    run(async {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&seen);
        let store = Store::in_memory(Some(Box::new(move |event| {
            notes.lock().unwrap().push((event.revision, event.kind));
        })));
        store.commit(put(pod("a"), Expect::Absent, "one")).await.unwrap();
        assert_eq!(seen.lock().unwrap().len(), 1);
        store.commit(put(pod("a"), Expect::Any, "two")).await.unwrap();
        store.commit(delete(pod("a"), Expect::Any)).await.unwrap();
        let expected = [(2, EventKind::Added), (3, EventKind::Modified), (4, EventKind::Deleted)];
        assert_eq!(*seen.lock().unwrap(), expected);
    });
}

#[test]
fn figures_follow_what_is_live() {
    run(async {
        let store = Store::in_memory(None);
        store.commit(put(pod("a"), Expect::Any, "one")).await.unwrap();
        store.commit(put(pod("a"), Expect::Any, "three")).await.unwrap();
        store.commit(put(pod("b"), Expect::Any, "one")).await.unwrap();
        store.commit(delete(pod("b"), Expect::Any)).await.unwrap();
        let stats = store.stats();
        assert_eq!((stats.objects, stats.bytes), (1, value("three", 3).len()));
        assert_eq!((stats.commits, stats.revision, stats.fsyncs), (4, 5, 0));
    });
}

#[test]
fn a_closed_store_takes_no_writes() {
    run(async {
        let store = Store::in_memory(None);
        store.clone().close().await;
        let refusal = store.commit(put(pod("a"), Expect::Any, "one")).await;
        assert!(matches!(refusal, Err(CommitError::Closed)), "{refusal:?}");
    });
}

#[test]
fn a_write_waits_for_nobody_but_rests_on_a_part_that_must_be_as_it_was() {
    run(async {
        let store = Store::in_memory(None);
        let guard =
            |namespace: &str, since| Unchanged { resource: PODS.into(), namespace: namespace.into(), since };
        let node = |name: &str| vec![put(key(NODES, "", name), Expect::Absent, "x")];
        let seen = store.commit(put(pod("a"), Expect::Absent, "one")).await.unwrap().revision;
        store.commit_unless_changed(guard("default", seen), node("n1")).await.unwrap();
        // Other namespaces and resources are other parts.
        store.commit(put(key(PODS, "default2", "b"), Expect::Absent, "x")).await.unwrap();
        store.commit_unless_changed(guard("default", seen), node("n2")).await.unwrap();
        store.commit_unless_changed(guard("empty", 0), node("n3")).await.unwrap();
        store.commit(put(pod("b"), Expect::Absent, "two")).await.unwrap();
        let refusal = store.commit_unless_changed(guard("default", seen), node("n4")).await;
        assert!(matches!(refusal, Err(CommitError::Changed)), "{refusal:?}");
        // What was removed is no longer part of it.
        store.commit(delete(pod("b"), Expect::Any)).await.unwrap();
        store.commit_unless_changed(guard("default", seen), node("n4")).await.unwrap();
        store.commit(put(pod("a"), Expect::Any, "three")).await.unwrap();
        let refusal = store.commit_unless_changed(guard("default", seen), node("n5")).await;
        assert!(matches!(refusal, Err(CommitError::Changed)), "{refusal:?}");
    });
}

#[test]
fn a_part_also_changes_by_what_comes_before_in_the_same_transaction() {
    let shared = crate::shared::Shared::new(crate::live::Live::new(SMALL.ring));
    let guard = Unchanged { resource: PODS.into(), namespace: "default".into(), since: 1 };
    let rest = |name: &str| crate::record::Bundle {
        writes: vec![put(key(NODES, "", name), Expect::Absent, "x")],
        unchanged: Some(guard.clone()),
    };
    let change = crate::record::Bundle::from(vec![put(pod("a"), Expect::Absent, "x")]);
    let (events, verdicts) = shared.plan(vec![rest("n1"), change, rest("n2")]);
    assert_eq!(events.len(), 2);
    assert!(matches!(verdicts[2], Err(CommitError::Changed)), "{verdicts:?}");
}
