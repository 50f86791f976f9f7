//! Lists, pages and watches.

use mainstay_base::{Seed, World};

use super::*;
use crate::{Compacted, EventKind, Query};

async fn three_pods_and_a_node() -> Store {
    let store = Store::in_memory_tuned(None, SMALL);
    for (namespace, name) in [("one", "b"), ("one", "a"), ("two", "a")] {
        store.commit(put(key(PODS, namespace, name), Expect::Absent, name)).await.unwrap();
    }
    store.commit(put(key(NODES, "", "n"), Expect::Absent, "n")).await.unwrap();
    store
}

#[test]
fn a_list_is_ordered_by_namespace_and_name() {
    run(async {
        let store = three_pods_and_a_node().await;
        let page = store.list(&Query { resource: PODS, ..Query::default() }, &|_| true).unwrap();
        let names: Vec<_> =
            page.records.iter().map(|record| (&*record.key.namespace, &*record.key.name)).collect();
        assert_eq!(names, [("one", "a"), ("one", "b"), ("two", "a")]);
        assert_eq!((page.revision, page.remaining, page.next), (5, 0, None));
    });
}

#[test]
fn a_list_of_a_namespace_or_of_a_selection_leaves_the_rest_out() {
    run(async {
        let store = three_pods_and_a_node().await;
        let one = Query { resource: PODS, namespace: Some("one"), ..Query::default() };
        assert_eq!(store.list(&one, &|_| true).unwrap().records.len(), 2);
        let only_a = |record: &crate::Record| record.tags.label("text") == Some("a");
        assert_eq!(store.list(&one, &only_a).unwrap().records.len(), 1);
        let elsewhere = Query { namespace: Some("three"), ..one };
        assert!(store.list(&elsewhere, &|_| true).unwrap().records.is_empty());
        let unknown = Query { resource: "/secrets", ..Query::default() };
        assert_eq!(store.list(&unknown, &|_| true).unwrap().revision, 5);
    });
}

#[test]
fn pages_are_all_true_at_the_revision_of_the_first() {
    run(async {
        let store = three_pods_and_a_node().await;
        let query = Query { resource: PODS, limit: Some(1), ..Query::default() };
        let first = store.list(&query, &|_| true).unwrap();
        assert_eq!((first.records.len(), first.remaining), (1, 2));
        store.commit(delete(key(PODS, "one", "b"), Expect::Any)).await.unwrap();
        store.commit(put(key(PODS, "two", "a"), Expect::Any, "changed")).await.unwrap();
        store.commit(put(key(PODS, "two", "b"), Expect::Any, "new")).await.unwrap();
        let (namespace, name) = first.next.unwrap();
        let rest =
            Query { after: Some((&*namespace, &*name)), at: Some(first.revision), limit: None, ..query };
        let rest = store.list(&rest, &|_| true).unwrap();
        let texts: Vec<_> = rest.records.iter().map(|record| record.tags.label("text").unwrap()).collect();
        assert_eq!((texts, rest.revision), (vec!["b", "a"], 5));
    });
}

#[test]
fn a_list_at_a_forgotten_revision_is_refused() {
    run(async {
        let store = three_pods_and_a_node().await;
        for _ in 0..20 {
            store.commit(put(key(PODS, "two", "a"), Expect::Any, "changed")).await.unwrap();
        }
        let query = Query { resource: PODS, at: Some(5), ..Query::default() };
        let refusal = store.list(&query, &|_| true).unwrap_err();
        assert_eq!(refusal, Compacted { requested: 5, oldest: 17 });
        assert_eq!(store.list(&Query { at: Some(17), ..query }, &|_| true).unwrap().records.len(), 3);
        assert_eq!(texts(&store, NODES, Some(5)), ["n"], "nothing was forgotten of a quiet resource");
    });
}

#[test]
fn a_watch_hands_over_what_came_since_and_then_waits() {
    run(async {
        let store = three_pods_and_a_node().await;
        let mut watch = store.watch(PODS, 3).unwrap();
        assert_eq!(watch.revision(), 3, "an event waits, so no bookmark may say more");
        let batch = watch.next().await.unwrap();
        assert_eq!(batch.iter().map(|event| event.revision).collect::<Vec<_>>(), [4]);
        assert_eq!(watch.revision(), 5);
        let (batch, _) =
            tokio::join!(biased; watch.next(), store.commit(delete(key(PODS, "two", "a"), Expect::Any)));
        let batch = batch.unwrap();
        assert_eq!((batch.len(), batch[0].kind, batch[0].revision), (1, EventKind::Deleted, 6));
        assert_eq!(batch[0].previous.as_ref().unwrap().revision, 4);
        assert!(watch.take().unwrap().is_empty());
    });
}

#[test]
fn a_watch_that_fell_behind_learns_it() {
    run(async {
        let store = three_pods_and_a_node().await;
        let mut watch = store.watch(PODS, 5).unwrap();
        for _ in 0..9 {
            store.commit(put(pod("a"), Expect::Any, "x")).await.unwrap();
        }
        assert_eq!(watch.next().await, Err(Compacted { requested: 5, oldest: 6 }));
        assert_eq!(store.watch(PODS, 5).unwrap_err(), Compacted { requested: 5, oldest: 6 });
        assert_eq!(store.watch(PODS, 6).unwrap().next().await.unwrap().len(), 8);
    });
}

#[test]
fn the_watch_of_a_quiet_resource_stays_valid() {
    run(async {
        let store = three_pods_and_a_node().await;
        let mut quiet = store.watch(NODES, 1).unwrap();
        let mut unknown = store.watch("/secrets", 1).unwrap();
        for _ in 0..100 {
            store.commit(put(pod("a"), Expect::Any, "x")).await.unwrap();
        }
        assert_eq!(quiet.next().await.unwrap()[0].revision, 5);
        assert!(unknown.take().unwrap().is_empty());
        assert_eq!((quiet.revision(), unknown.revision()), (105, 105));
        store.commit(put(key("/secrets", "one", "s"), Expect::Any, "s")).await.unwrap();
        assert_eq!(unknown.next().await.unwrap()[0].revision, 106);
    });
}

#[test]
fn many_watches_each_see_every_event_once_and_in_order() {
    World::enter(Seed(1), "2026-01-01T00:00:00Z".parse().unwrap(), |_| async {
        let store = Store::in_memory(None);
        let watches = (0..50).map(|_| {
            let mut watch = store.watch(PODS, 1).unwrap();
            async move {
                let mut revisions = Vec::new();
                while revisions.len() < 600 {
                    revisions.extend(watch.next().await.unwrap().iter().map(|event| event.revision));
                }
                assert_eq!(revisions, (2..602).collect::<Vec<u64>>());
            }
        });
        let writes = async {
            for number in 0..600 {
                store.commit(put(pod("a"), Expect::Any, "x")).await.unwrap();
                if number % 7 == 0 {
                    tokio::task::yield_now().await;
                }
            }
        };
        tokio::join!(biased; futures::future::join_all(watches), writes);
    });
}

#[test]
fn compaction_forgets_events_and_no_object() {
    run(async {
        let store = three_pods_and_a_node().await;
        store.compact(3);
        assert_eq!(store.watch(PODS, 2).unwrap_err(), Compacted { requested: 2, oldest: 3 });
        assert_eq!(store.watch(PODS, 3).unwrap().next().await.unwrap().len(), 1);
        assert!(store.watch(NODES, 1).is_ok(), "none of its events was forgotten");
        assert_eq!(texts(&store, PODS, None).len(), 3);
    });
}

#[test]
fn a_ring_is_bounded_by_bytes_too() {
    run(async {
        let store = Store::in_memory_tuned(None, SMALL);
        for _ in 0..4 {
            store.commit(put(pod("a"), Expect::Any, &"x".repeat(1500))).await.unwrap();
        }
        assert_eq!(store.watch(PODS, 1).unwrap_err().oldest, 3);
        store.commit(put(pod("a"), Expect::Any, &"x".repeat(10_000))).await.unwrap();
        assert_eq!(store.watch(PODS, 5).unwrap().next().await.unwrap().len(), 1);
    });
}
