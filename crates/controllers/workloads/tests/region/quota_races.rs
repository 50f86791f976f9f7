//! Many who create, delete and change a quota at the same time: it is never exceeded.
//!
//! A witness sees every change as it is committed. Whenever a pod is made while its namespace's
//! quota says what it bounds and what is used of it, no more pods may be there than it bounds.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::api::core::v1::{Pod, ResourceQuota};
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use mainstay_base::Random;
use mainstay_store::{Event, EventKind, Observer};
use serde_json::{Value, json};

use crate::support::{Region, region_told_to};

const RACES: u64 = 6;
const CREATORS: usize = 8;
const PODS_EACH: usize = 12;
const CHANGES: usize = 25;

/// What was seen of one namespace.
#[derive(Default)]
struct Seen {
    pods: BTreeSet<String>,
    /// How many pods may be there, once that and what is used is known.
    bound: Option<usize>,
    made: usize,
    violations: Vec<String>,
}

impl Seen {
    fn see(&mut self, event: &Event) {
        let record = &event.record;
        if &*record.key.namespace != "default" {
            return;
        }
        let object: Value = serde_json::from_slice(&record.value).unwrap();
        match (&*record.key.resource, event.kind) {
            ("/resourcequotas", EventKind::Deleted) => self.bound = None,
            ("/resourcequotas", _) => {
                let count = |part: &str| object["status"][part]["pods"].as_str()?.parse().ok();
                self.bound = count("used").and_then(|_: usize| count("hard"));
            }
            ("/pods", EventKind::Deleted) => {
                self.pods.remove(&*record.key.name);
            }
            ("/pods", _) if matches!(object["status"]["phase"].as_str(), Some("Succeeded" | "Failed")) => {
                self.pods.remove(&*record.key.name);
            }
            ("/pods", EventKind::Added) => {
                self.pods.insert(record.key.name.to_string());
                self.made += 1;
                if let Some(bound) = self.bound.filter(|bound| self.pods.len() > *bound) {
                    let name = &record.key.name;
                    self.violations.push(format!("{name} is one of {} of {bound}", self.pods.len()));
                }
            }
            _ => {}
        }
    }
}

#[test]
fn whoever_races_for_a_quota_never_exceeds_it() {
    let (mut made, mut refused) = (0, 0);
    for seed in 0..RACES {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let told = seen.clone();
        let observer: Observer = Box::new(move |event| told.lock().unwrap().see(event));
        refused += region_told_to(observer, seed, race);
        let seen = seen.lock().unwrap();
        assert_eq!(seen.violations, [""; 0], "seed {seed}");
        made += seen.made;
    }
    assert!(made > 100 && refused > 100, "there was a race: {made} made, {refused} refused");
}

/// How many were refused; in the end what is said to be used is what is there.
async fn race(region: Region) -> usize {
    set(&region, json!({"pods": "4"})).await;
    let creators = join_all((0..CREATORS).map(|creator| create(&region, creator)));
    let (refused, (), ()) = tokio::join!(creators, delete(&region), change(&region));
    set(&region, json!({"pods": "40"})).await;
    region.sleep(5).await;
    let quota = quotas(&region).get("q").await.unwrap();
    let pods = region.all::<Pod>().await.len();
    assert_eq!(quota.status.unwrap().used.unwrap()["pods"].0, pods.to_string());
    region.assert_well();
    refused.into_iter().sum()
}

fn quotas(region: &Region) -> Api<ResourceQuota> {
    region.namespaced()
}

fn stream(region: &Region, name: &str) -> Random {
    region.world().random(&format!("test/{name}"))
}

/// Makes the quota, or changes what it bounds.
async fn set(region: &Region, hard: Value) {
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": hard}});
    quotas(region).patch("q", &PatchParams::apply("test").force(), &Patch::Apply(&quota)).await.unwrap();
}

async fn pause(region: &Region, random: &mut Random) {
    let wait = Duration::from_millis(random.below(12));
    region.world().clock().sleep(wait).await;
}

async fn create(region: &Region, creator: usize) -> usize {
    let mut random = stream(region, &format!("creator-{creator}"));
    let mut refused = 0;
    for index in 0..PODS_EACH {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": format!("p{creator}-{index}")},
            "spec": {"containers": [{"name": "c", "image": "pause"}]},
        }))
        .unwrap();
        match region.pods().create(&PostParams::default(), &pod).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 403 => refused += 1,
            Err(error) => panic!("{error}"),
        }
        pause(region, &mut random).await;
    }
    refused
}

async fn delete(region: &Region) {
    let mut random = stream(region, "deleter");
    let at_once = DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() };
    for _ in 0..CHANGES {
        pause(region, &mut random).await;
        let pods = region.all::<Pod>().await;
        if let Some(pod) = pods.get(usize::try_from(random.below(8)).unwrap()) {
            let _gone = region.pods().delete(pod.metadata.name.as_deref().unwrap(), &at_once).await;
        }
    }
}

async fn change(region: &Region) {
    let mut random = stream(region, "changer");
    for _ in 0..CHANGES {
        pause(region, &mut random).await;
        match random.below(6) {
            0 => drop(quotas(region).delete("q", &DeleteParams::default()).await),
            1 => set(region, json!({"configmaps": "9"})).await,
            bound => set(region, json!({"pods": (bound + 1).to_string()})).await,
        }
    }
}
