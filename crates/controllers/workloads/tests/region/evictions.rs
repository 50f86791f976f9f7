//! No eviction ever takes more from a budget than there is, whatever happens to nodes and sizes.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::Api;
use kube::api::{DeleteParams, EvictParams, PostParams};
use mainstay_base::{Random, Seed};
use mainstay_store::{Event, EventKind, Watch};
use serde_json::{Value, json};

use crate::support::{Region, region};

/// Everything that was committed of pods and of the budget, event by event.
struct Witness {
    pods: Watch,
    budgets: Watch,
    known: BTreeMap<String, Value>,
    budget: Value,
    /// Pods the budget gave a disruption for.
    paid: BTreeSet<String>,
    /// Healthy pods lost otherwise, in this step and the one before: its controller may not know yet.
    lost: (i64, i64),
    evicted: usize,
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|own| own["type"] == "Ready" && own["status"] == "True")
}

fn is_healthy(pod: &Value) -> bool {
    is_ready(pod) && pod["metadata"]["deletionTimestamp"].is_null()
}

fn is_evicted(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|own| own["reason"] == "EvictionByEvictionAPI")
}

fn name(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap().to_owned()
}

impl Witness {
    fn new(region: &Region) -> Self {
        let (store, now) = (region.api.store(), region.api.store().revision());
        Self {
            pods: store.watch("/pods", now).unwrap(),
            budgets: store.watch("policy/poddisruptionbudgets", now).unwrap(),
            known: BTreeMap::new(),
            budget: Value::Null,
            paid: BTreeSet::new(),
            lost: (0, 0),
            evicted: 0,
        }
    }

    /// Looks at what was committed since the last step, in its order.
    fn step(&mut self) {
        self.lost = (0, self.lost.0);
        let mut events: Vec<Event> = Vec::new();
        for watch in [&mut self.pods, &mut self.budgets] {
            loop {
                let batch = watch.take().unwrap();
                if batch.is_empty() {
                    break;
                }
                events.extend(batch.iter().map(|event| event.as_ref().clone()));
            }
        }
        events.sort_by_key(|event| event.revision);
        for event in events {
            let object: Value = serde_json::from_slice(&event.record.value).unwrap();
            if object["kind"] == "Pod" { self.pod(event.kind, object) } else { self.spent(object) }
        }
    }

    fn pod(&mut self, kind: EventKind, pod: Value) {
        let name = name(&pod);
        let old = self.known.remove(&name).unwrap_or_default();
        if is_evicted(&pod) && !is_evicted(&old) {
            self.evicted += 1;
            let has_paid = self.paid.contains(&name);
            assert!(has_paid || !is_healthy(&old), "{name} was healthy and nothing was spent for it");
        }
        let is_lost = is_healthy(&old) && (kind == EventKind::Deleted || !is_healthy(&pod));
        if is_lost && !self.paid.contains(&name) {
            self.lost.0 += 1;
        }
        if kind == EventKind::Deleted {
            self.paid.remove(&name);
        } else {
            self.known.insert(name, pod);
        }
    }

    fn spent(&mut self, budget: Value) {
        let old = std::mem::replace(&mut self.budget, budget);
        let number = |budget: &Value, field: &str| budget["status"][field].as_i64().unwrap_or_default();
        let disrupted = |budget: &Value| -> BTreeSet<String> {
            budget["status"]["disruptedPods"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, _)| name.clone())
                .collect()
        };
        let allowed = number(&self.budget, "disruptionsAllowed");
        assert!(allowed >= 0);
        let (before, after) = (disrupted(&old), disrupted(&self.budget));
        let paid: Vec<&String> = after.difference(&before).collect();
        if paid.is_empty() {
            return;
        }
        assert_eq!((paid.len(), allowed), (1, number(&old, "disruptionsAllowed") - 1));
        let stay = self.known.iter().filter(|(name, pod)| is_healthy(pod) && !after.contains(*name));
        let stay = i64::try_from(stay.count()).unwrap();
        let desired = number(&self.budget, "desiredHealthy");
        assert!(
            stay + self.lost.0 + self.lost.1 >= desired,
            "{stay} stay of {desired}, {:?} were lost",
            self.lost
        );
        self.paid.extend(paid.into_iter().cloned());
    }
}

/// Something happens.
async fn act(region: &Region, witness: &Witness, random: &mut Random, killed: &mut BTreeSet<String>) {
    match random.below(10) {
        0..=4 => {
            let mut names: Vec<&String> = witness.known.keys().collect();
            random.shuffle(&mut names);
            names.truncate(1 + usize::try_from(random.below(5)).unwrap());
            let (api, params) = (region.pods(), EvictParams::default());
            let answers = join_all(names.iter().map(|name| api.evict(name, &params))).await;
            for answer in answers {
                if let Err(kube::Error::Api(status)) = answer {
                    assert!(matches!(status.code, 404 | 429), "{status:?}");
                }
            }
        }
        5 | 6 => {
            let replicas = 2 + random.below(11);
            region.change(json!({"spec": {"replicas": replicas}})).await;
        }
        7 => {
            let nodes: Vec<String> =
                region.all::<Node>().await.into_iter().filter_map(|node| node.metadata.name).collect();
            let node = random.pick(&nodes).unwrap();
            let is_killed = killed.insert(node.clone());
            if !is_killed {
                killed.remove(node);
            }
            region.set_killed(node, is_killed).await;
        }
        8 => {
            let names: Vec<&String> = witness.known.keys().collect();
            if let Some(name) = random.pick(&names) {
                let _gone = region.pods().delete(name, &DeleteParams::default()).await;
            }
        }
        _ => {}
    }
}

#[test]
fn random_evictions_failures_and_sizes_never_take_more_than_a_budget_has() {
    let specs = [
        json!({"maxUnavailable": 1}),
        json!({"minAvailable": "60%"}),
        json!({"maxUnavailable": "30%"}),
        json!({"minAvailable": 3}),
    ];
    let mut evicted = 0;
    for seed in 0..4 {
        let mut spec = specs[usize::try_from(seed).unwrap() % specs.len()].clone();
        spec["selector"] = json!({"matchLabels": {"app": "web"}});
        evicted += region(100 + seed, move |region| async move {
            let mut witness = Witness::new(&region);
            let mut random = Random::named(Seed(seed), "evictions");
            let budget = serde_json::from_value(json!({"metadata": {"name": "web"}, "spec": spec})).unwrap();
            let budgets = Api::<PodDisruptionBudget>::namespaced(region.client.clone(), "default");
            budgets.create(&PostParams::default(), &budget).await.unwrap();
            region.deploy(6).await;
            region.sleep(30).await;
            witness.step();
            let mut killed = BTreeSet::new();
            for _ in 0..40 {
                act(&region, &witness, &mut random, &mut killed).await;
                witness.step();
                for _ in 0..*random.pick(&[1, 1, 2, 20]).unwrap() {
                    region.sleep(1).await;
                    witness.step();
                }
            }
            for node in &killed {
                region.set_killed(node, false).await;
            }
            region.sleep(600).await;
            let status = region.web().await.status.unwrap();
            let budget = budgets.get("web").await.unwrap().status.unwrap();
            assert_eq!(status.available_replicas, status.replicas);
            assert_eq!((Some(budget.current_healthy), budget.disrupted_pods), (status.replicas, None));
            region.assert_well();
            witness.evicted
        });
    }
    assert!(evicted > 30, "only {evicted} were let go");
}
