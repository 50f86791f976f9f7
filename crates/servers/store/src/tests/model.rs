//! The store against a model that keeps everything in one list.

use std::collections::BTreeMap;

use mainstay_base::disk::MemoryDisk;
use proptest::prelude::*;

use super::*;
use crate::{CommitError, EventKind, Query};

/// A write as proptest draws it: a key, what it expects, and whether it removes.
#[derive(Clone, Debug)]
struct Drawn {
    key: Key,
    expects: Expects,
    is_removal: bool,
}

#[derive(Clone, Copy, Debug)]
enum Expects {
    Absent,
    Any,
    Current,
    Stale,
}

#[derive(Clone, Debug)]
enum Step {
    Write(Vec<Drawn>),
    Compact(u64),
    Restart,
}

/// What happened: the revision, the key, and the text unless it was a removal.
type Entry = (u64, Key, Option<String>);

#[derive(Default)]
struct Model {
    log: Vec<Entry>,
    compacted: u64,
}

impl Model {
    fn revision(&self) -> u64 {
        self.log.last().map_or(1, |entry| entry.0)
    }

    /// Revision and text of every object at `revision`.
    fn state(&self, revision: u64) -> BTreeMap<Key, (u64, String)> {
        let mut state = BTreeMap::new();
        for (at, key, text) in self.log.iter().filter(|entry| entry.0 <= revision) {
            match text {
                Some(text) => state.insert(key.clone(), (*at, text.clone())),
                None => state.remove(key),
            };
        }
        state
    }

    /// From where on the history of `resource` must be known.
    fn floor(&self, resource: &str) -> u64 {
        let of: Vec<u64> =
            self.log.iter().filter(|entry| &*entry.1.resource == resource).map(|entry| entry.0).collect();
        let evicted = of.iter().rev().nth(SMALL.ring.events).copied().unwrap_or(0);
        evicted.max(of.into_iter().filter(|revision| *revision <= self.compacted).max().unwrap_or(0))
    }

    /// The write that was drawn, and whether it must succeed after what `pending` holds.
    fn write(&self, drawn: &Drawn, pending: &[Entry], text: &str) -> (Write, bool) {
        let mut both = Model { log: self.log.clone(), compacted: 0 };
        both.log.extend(pending.iter().cloned());
        let current = both.state(u64::MAX).get(&drawn.key).map(|(revision, _)| *revision);
        let (expect, holds) = match drawn.expects {
            Expects::Absent => (Expect::Absent, current.is_none()),
            Expects::Any => (Expect::Any, true),
            Expects::Current => (Expect::Revision(current.unwrap_or(7)), current.is_some()),
            Expects::Stale => (Expect::Revision(current.unwrap_or(8) - 1), false),
        };
        if drawn.is_removal {
            return (delete(drawn.key.clone(), expect), holds && current.is_some());
        }
        (put(drawn.key.clone(), expect, text), holds)
    }

    /// Makes the same writes in both and compares what came of them.
    async fn write_both(&mut self, store: &Store, drawn: &[Drawn]) {
        let (mut writes, mut pending, mut succeeds) = (Vec::new(), Vec::new(), true);
        for (number, drawn) in drawn.iter().enumerate() {
            let revision = self.revision() + 1 + number as u64;
            let text = format!("t{revision}");
            let (write, holds) = self.write(drawn, &pending, &text);
            writes.push(write);
            succeeds &= holds;
            pending.push((revision, drawn.key.clone(), (!drawn.is_removal).then_some(text)));
        }
        match store.commit_together(writes).await {
            Ok(records) => {
                assert!(succeeds, "the store took what the model refuses: {drawn:?}");
                let revisions: Vec<u64> = records.iter().map(|record| record.revision).collect();
                assert_eq!(revisions, pending.iter().map(|entry| entry.0).collect::<Vec<_>>());
                self.log.extend(pending);
            }
            Err(CommitError::Conflict { .. }) => assert!(!succeeds, "the store refused: {drawn:?}"),
            Err(other) => panic!("{other}"),
        }
    }

    /// Compares lists, pages and watches from every revision there was.
    fn check(&self, store: &Store) {
        assert_eq!(store.revision(), self.revision());
        for resource in [PODS, NODES] {
            for revision in 0..=self.revision() {
                self.check_list(store, resource, revision);
                self.check_watch(store, resource, revision);
            }
        }
    }

    fn check_list(&self, store: &Store, resource: &str, revision: u64) {
        let namespace = revision.is_multiple_of(2).then_some("one");
        let limit = Some(1 + usize::try_from(revision % 3).unwrap());
        let mut after: Option<(Arc<str>, Arc<str>)> = None;
        let mut found = BTreeMap::new();
        loop {
            let after_names = after.as_ref().map(|(namespace, name)| (&**namespace, &**name));
            let query = Query { resource, namespace, after: after_names, limit, at: Some(revision) };
            let page = match store.list(&query, &|_| true) {
                Ok(page) => page,
                Err(refusal) => {
                    assert_eq!(refusal.oldest, self.floor(resource));
                    assert!(revision < refusal.oldest);
                    return;
                }
            };
            assert_eq!(page.revision, revision);
            found.extend(page.records.iter().map(|record| {
                (record.key.clone(), (record.revision, record.tags.label("text").unwrap().to_owned()))
            }));
            if page.next.is_none() {
                break;
            }
            after = page.next;
        }
        let mut expected = self.state(revision);
        expected
            .retain(|key, _| &*key.resource == resource && namespace.is_none_or(|n| n == &*key.namespace));
        assert_eq!(found, expected, "{resource} at {revision}");
    }

    fn check_watch(&self, store: &Store, resource: &str, after: u64) {
        let Ok(mut watch) = store.watch(resource, after) else {
            return assert!(after < self.floor(resource), "{resource} after {after}");
        };
        assert!(after >= self.floor(resource));
        let found: Vec<Entry> = watch
            .take()
            .unwrap()
            .iter()
            .map(|event| {
                let text = event.record.tags.label("text").unwrap().to_owned();
                let before =
                    self.state(event.revision - 1).get(&event.record.key).map(|(revision, _)| *revision);
                assert_eq!(event.previous.as_ref().map(|record| record.revision), before);
                assert_eq!(event.kind == EventKind::Added, before.is_none());
                let key = event.record.key.clone();
                (event.revision, key, (event.kind != EventKind::Deleted).then_some(text))
            })
            .collect();
        let expected: Vec<Entry> = self
            .log
            .iter()
            .filter(|entry| entry.0 > after && &*entry.1.resource == resource)
            .cloned()
            .collect();
        assert_eq!(found, expected, "{resource} after {after}");
    }
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let resource = prop_oneof![Just(PODS), Just(PODS), Just(NODES)];
    let namespace = prop_oneof![Just("one"), Just("two")];
    let name = prop_oneof![Just("a"), Just("b"), Just("c")];
    let expects = prop_oneof![
        2 => Just(Expects::Absent),
        5 => Just(Expects::Any),
        3 => Just(Expects::Current),
        1 => Just(Expects::Stale),
    ];
    (resource, namespace, name, expects, prop::bool::weighted(0.3)).prop_map(
        |(resource, namespace, name, expects, is_removal)| Drawn {
            key: key(resource, namespace, name),
            expects,
            is_removal,
        },
    )
}

fn steps(restarts: u32) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        20 => prop::collection::vec(drawn(), 1..2).prop_map(Step::Write),
        5 => prop::collection::vec(drawn(), 2..5).prop_map(Step::Write),
        1 => (0u64..40).prop_map(Step::Compact),
        restarts => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_store_in_memory_behaves_like_the_model(steps in steps(0)) {
        run(async {
            let store = Store::in_memory_tuned(None, SMALL);
            let mut model = Model::default();
            for step in &steps {
                match step {
                    Step::Write(writes) => model.write_both(&store, writes).await,
                    Step::Compact(up_to) => {
                        store.compact(*up_to);
                        model.compacted = model.compacted.max((*up_to).min(model.revision()));
                    }
                    Step::Restart => {}
                }
            }
            model.check(&store);
        });
    }

    #[test]
    fn a_store_on_disk_behaves_like_the_model_across_restarts(steps in steps(2)) {
        run(async {
            let disk = shared(MemoryDisk::new());
            let mut store = Store::open_tuned(Arc::clone(&disk), index, SMALL).unwrap();
            let mut model = Model::default();
            for step in &steps {
                match step {
                    Step::Write(writes) => model.write_both(&store, writes).await,
                    Step::Compact(_) => {}
                    Step::Restart => {
                        store.close().await;
                        store = Store::open_tuned(Arc::clone(&disk), index, SMALL).unwrap();
                        model.check(&store);
                    }
                }
            }
            model.check(&store);
            store.close().await;
        });
    }
}
