//! What a restart must not change.

use mainstay_base::disk::MemoryDisk;

use super::*;
use crate::EventKind;

#[test]
fn objects_revisions_and_bytes_survive_a_restart() {
    run(async {
        let disk = shared(MemoryDisk::new());
        let store = Store::open(Arc::clone(&disk), index).unwrap();
        store.commit(put(pod("a"), Expect::Absent, "one")).await.unwrap();
        store.commit(put(pod("a"), Expect::Any, "two")).await.unwrap();
        store.commit(put(pod("b"), Expect::Absent, "three")).await.unwrap();
        store.commit(delete(pod("b"), Expect::Any)).await.unwrap();
        let before = store.get(&pod("a")).unwrap();
        store.close().await;

        let store = Store::open(disk, index).unwrap();
        assert_eq!(store.get(&pod("a")), Some(before));
        assert_eq!((store.get(&pod("b")), store.revision()), (None, 5));
        let next = store.commit(put(pod("b"), Expect::Absent, "again")).await.unwrap();
        assert_eq!(next.revision, 6);
    });
}

#[test]
fn a_watch_resumes_across_a_restart() {
    run(async {
        let disk = shared(MemoryDisk::new());
        let store = Store::open(Arc::clone(&disk), index).unwrap();
        store.commit(put(pod("a"), Expect::Absent, "one")).await.unwrap();
        store.commit(put(pod("a"), Expect::Any, "two")).await.unwrap();
        store.commit(delete(pod("a"), Expect::Any)).await.unwrap();
        let expected = store.watch(PODS, 1).unwrap().take().unwrap();
        store.close().await;

        let store = Store::open(disk, index).unwrap();
        let mut watch = store.watch(PODS, 1).unwrap();
        assert_eq!(watch.next().await.unwrap(), expected);
        let (batch, _) =
            tokio::join!(biased; watch.next(), store.commit(put(pod("a"), Expect::Any, "three")));
        assert_eq!(batch.unwrap()[0].kind, EventKind::Added);
    });
}

#[test]
fn what_was_compacted_stays_compacted_and_the_revision_stays() {
    run(async {
        let disk = shared(MemoryDisk::new());
        let store = Store::open(Arc::clone(&disk), index).unwrap();
        store.commit(put(key(NODES, "", "n"), Expect::Absent, "n")).await.unwrap();
        store.commit(put(pod("a"), Expect::Absent, "one")).await.unwrap();
        store.commit(delete(pod("a"), Expect::Any)).await.unwrap();
        store.compact(4);
        store.close().await;

        let store = Store::open(disk, index).unwrap();
        assert_eq!(store.revision(), 4, "the last revision's row is gone, its number is not");
        assert_eq!(store.watch(PODS, 3).unwrap_err().oldest, 4);
        assert_eq!(texts(&store, NODES, None), ["n"]);
        assert_eq!(store.commit(put(pod("a"), Expect::Absent, "two")).await.unwrap().revision, 5);
    });
}

#[test]
fn a_store_that_is_dropped_commits_what_it_took() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let disk = mainstay_base::disk::RealDisk::open(folder.path()).unwrap();
        let store = Store::open(shared(disk.clone()), index).unwrap();
        for number in 0..10 {
            store.commit(put(pod(&format!("p{number}")), Expect::Absent, "x")).await.unwrap();
        }
        assert!(store.stats().fsyncs >= 10, "each write waited for a sync of its own");
        drop(store);
        let store = loop {
            // The thread ends soon after the last handle; until then it has the lock.
            match Store::open(shared(disk.clone()), index) {
                Err(crate::OpenError::Locked) => tokio::task::yield_now().await,
                other => break other.unwrap(),
            }
        };
        assert_eq!(texts(&store, PODS, None).len(), 10);
        store.close().await;
    });
}

#[test]
fn writes_that_wait_share_a_transaction() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let disk = mainstay_base::disk::RealDisk::open(folder.path()).unwrap();
        let store = Store::open(shared(disk), index).unwrap();
        let writes = (0..400).map(|number| {
            let store = store.clone();
            async move { store.commit(put(pod(&format!("p{number}")), Expect::Absent, "x")).await.unwrap() }
        });
        let records = futures::future::join_all(writes).await;
        assert_eq!(records.len(), 400);
        let stats = store.stats();
        assert!(stats.batches < 100, "400 writes at once took {} transactions", stats.batches);
        store.close().await;
    });
}
