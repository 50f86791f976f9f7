//! A StatefulSet through random changes and lost machines.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use mainstay_control::{Change, Informer, reflect};
use mainstay_kinds::NodeClaim;
use serde_json::{Value, json};

use crate::stateful::db;
use crate::support::{Region, region};

/// A controller may act on what was true this long ago.
const LAG: Duration = Duration::from_secs(1);

/// What a watcher has seen of the pods, by ordinal.
#[derive(Default)]
struct Seen {
    live: BTreeMap<i32, String>,
    /// Until when each was last ready; the end of time for those that are.
    ready: BTreeMap<i32, Timestamp>,
    wrong: Vec<String>,
}

impl Seen {
    fn take_in(&mut self, change: &Change<Pod>, is_ordered: bool, now: Timestamp) {
        let pod = change.latest();
        let name = pod.metadata.name.clone().unwrap();
        let Some(ordinal) = name.strip_prefix("db-").and_then(|ordinal| ordinal.parse().ok()) else { return };
        let uid = pod.metadata.uid.clone().unwrap();
        match change {
            Change::Applied { old: None, .. } => {
                if let Some(other) = self.live.insert(ordinal, uid) {
                    self.wrong.push(format!("{name} is there twice: {other}"));
                }
                if is_ordered {
                    self.check_order(ordinal, now);
                }
            }
            Change::Applied { .. } => {}
            Change::Deleted { .. } => {
                self.live.remove(&ordinal);
            }
        }
        let is_ready = change.now().is_some_and(|pod| {
            let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
            let is_ready =
                conditions.into_iter().flatten().any(|own| own.type_ == "Ready" && own.status == "True");
            is_ready && pod.metadata.deletion_timestamp.is_none()
        });
        let was_ready = self.ready.get(&ordinal) == Some(&Timestamp::MAX);
        if is_ready {
            self.ready.insert(ordinal, Timestamp::MAX);
        } else if was_ready {
            self.ready.insert(ordinal, now);
        }
    }

    fn check_order(&mut self, ordinal: i32, now: Timestamp) {
        for before in 0..ordinal {
            let until = self.ready.get(&before).copied().unwrap_or(Timestamp::MIN);
            if until.saturating_add(LAG).unwrap() < now {
                self.wrong.push(format!("db-{ordinal} came while db-{before} was not ready"));
            }
        }
    }
}

async fn change(region: &Region, patch: Value) {
    let sets = region.namespaced::<StatefulSet>();
    sets.patch("db", &PatchParams::default(), &Patch::Strategic(patch)).await.unwrap();
}

async fn fault(region: &Region, index: usize, fault: Value) {
    let claims = Api::<NodeClaim>::all(region.client.clone());
    let name = claims.list(&ListParams::default()).await.unwrap().items[index].metadata.name.clone().unwrap();
    let patch = Patch::Merge(json!({"metadata": {"annotations": {"mainstay.dev/fault": fault}}}));
    claims.patch(&name, &PatchParams::default(), &patch).await.unwrap();
}

/// One of the things that people and machines do.
async fn do_something(region: &Region, random: &mut mainstay_base::Random) {
    let rolling =
        |partition: u64| json!({"spec": {"updateStrategy": {"rollingUpdate": {"partition": partition}}}});
    match random.below(7) {
        0 | 1 => change(region, json!({"spec": {"replicas": random.below(6)}})).await,
        2 => {
            let image = format!("postgres:{}", random.below(3));
            let spec = json!({"containers": [{"name": "db", "image": image}]});
            change(region, json!({"spec": {"template": {"spec": spec}}})).await;
        }
        3 => change(region, rolling(random.below(4))).await,
        4 => {
            let name = format!("db-{}", random.below(6));
            // It may not be there.
            let _gone = region.pods().delete(&name, &DeleteParams::default()).await;
        }
        5 => fault(region, usize::try_from(random.below(4)).unwrap(), json!("killed")).await,
        _ => change(region, json!({"spec": {"minReadySeconds": random.below(8)}})).await,
    }
}

async fn settle(region: &Region) {
    for index in 0..4 {
        fault(region, index, Value::Null).await;
    }
    change(region, json!({"spec": {"replicas": 4, "updateStrategy": {"rollingUpdate": {"partition": 0}}}}))
        .await;
    region.sleep(1200).await;
}

async fn assert_settled(region: &Region, seed: u64) {
    let set = region.namespaced::<StatefulSet>().get("db").await.unwrap();
    let status = set.status.unwrap();
    let counts = (status.replicas, status.ready_replicas, status.available_replicas, status.updated_replicas);
    assert_eq!(counts, (4, Some(4), Some(4), Some(4)), "seed {seed}");
    assert_eq!(status.current_revision, status.update_revision, "seed {seed}");
    assert_eq!(status.observed_generation, set.metadata.generation);
    let uid = set.metadata.uid.unwrap();
    for (ordinal, pod) in region.all::<Pod>().await.into_iter().enumerate() {
        assert_eq!(pod.metadata.name, Some(format!("db-{ordinal}")), "seed {seed}");
        let owners = pod.metadata.owner_references.unwrap();
        assert_eq!((owners.len(), &owners[0].uid), (1, &uid), "no orphan, no double owner");
        assert_eq!(
            pod.metadata.labels.unwrap().get("controller-revision-hash"),
            status.update_revision.as_ref()
        );
    }
    let claims = region.all::<PersistentVolumeClaim>().await;
    assert!((4..=6).contains(&claims.len()), "seed {seed}: a claim for each ordinal there ever was");
}

fn live(seed: u64, policy: &'static str) {
    region(seed, move |region| async move {
        let watched = Arc::new(Mutex::new(Seen::default()));
        let (informer, log, world) = (Informer::<Pod>::default(), watched.clone(), region.world().clone());
        let _subscription = informer.subscribe(move |change| {
            log.lock().unwrap().take_in(change, policy == "OrderedReady", world.now());
        });
        let claims = json!([{"metadata": {"name": "data"}, "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]);
        let set = db(3, json!({"podManagementPolicy": policy, "volumeClaimTemplates": claims}));
        let script = async {
            region.namespaced::<StatefulSet>().create(&PostParams::default(), &set).await.unwrap();
            let mut random = region.world().random("test/changes");
            for _ in 0..12 {
                do_something(&region, &mut random).await;
                region.sleep(1 + random.below(40)).await;
            }
            settle(&region).await;
            assert_settled(&region, seed).await;
        };
        tokio::select! {
            biased;
            _ = informer.run(Api::all(region.client.clone()), reflect::watch_config()) => unreachable!(),
            () = script => {}
        }
        assert_eq!(watched.lock().unwrap().wrong, Vec::<String>::new(), "seed {seed}");
        region.assert_well();
    });
}

#[test]
fn an_ordered_set_keeps_its_order_whatever_happens() {
    (100..112).for_each(|seed| live(seed, "OrderedReady"));
}

#[test]
fn a_parallel_set_has_what_it_wants_in_the_end_whatever_happens() {
    (200..206).for_each(|seed| live(seed, "Parallel"));
}
