//! Rollouts of a Deployment, turn by turn.

use super::rollout::{Plan, View, advance};
use super::set::{DESIRED, MOST, Set};
use super::status::{AVAILABLE, PROGRESSING};
use super::*;
use jiff::Timestamp;
use proptest::prelude::*;

mod cases;
mod progress;
mod templates;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + second).unwrap()
}

fn deployment(replicas: i32, image: &str) -> Deployment {
    serde_json::from_value(json!({
        "metadata": {"name": "web", "namespace": "default", "uid": "deployment", "generation": 1},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "progressDeadlineSeconds": 600,
            "revisionHistoryLimit": 2,
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": image}]},
            },
        },
    }))
    .unwrap()
}

fn with_image(deployment: &Deployment, image: &str) -> Deployment {
    let mut changed = deployment.clone();
    let spec = changed.spec.as_mut().unwrap();
    spec.template.spec.as_mut().unwrap().containers[0].image = Some(image.into());
    changed.metadata.generation = changed.metadata.generation.map(|generation| generation + 1);
    changed
}

fn strategy(deployment: &mut Deployment, strategy: Value) {
    deployment.spec.as_mut().unwrap().strategy = Some(serde_json::from_value(strategy).unwrap());
}

fn rolling(surge: impl Into<Value>, unavailable: impl Into<Value>) -> Value {
    json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge.into(), "maxUnavailable": unavailable.into()}})
}

/// A cluster of one Deployment, whose sets have pods by magic.
struct Cluster {
    deployment: Deployment,
    sets: Vec<Arc<ReplicaSet>>,
    second: i64,
    told: Vec<String>,
}

impl Cluster {
    fn new(deployment: Deployment) -> Self {
        Self { deployment, sets: Vec::new(), second: 0, told: Vec::new() }
    }

    fn plan(&self) -> Plan {
        advance(View { deployment: &self.deployment, sets: &self.sets, pods: &[], now: at(self.second) })
    }

    /// One turn of the controller, applied.
    fn turn(&mut self) -> Plan {
        self.second += 1;
        let plan = self.plan();
        if let Some(set) = &plan.create {
            let mut set = set.as_ref().clone();
            set.metadata.uid = set.metadata.name.clone();
            set.metadata.creation_timestamp =
                Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(self.second)));
            self.sets.push(Arc::new(set));
        }
        for update in &plan.update {
            self.told.extend(update.events.iter().cloned());
            let index =
                self.sets.iter().position(|set| set.metadata.name == update.set.metadata.name).unwrap();
            let mut value = serde_json::to_value(self.sets[index].as_ref()).unwrap();
            if !update.patch.is_null() {
                value = mainstay_resource::patch::merge(value, &update.patch);
            }
            self.sets[index] = Arc::new(serde_json::from_value(value).unwrap());
        }
        self.sets.retain(|set| !plan.delete.iter().any(|gone| gone.metadata.name == set.metadata.name));
        if let Some(revision) = plan.revision {
            let annotations = self.deployment.metadata.annotations.get_or_insert_default();
            annotations.insert(REVISION.into(), revision.to_string());
        }
        self.deployment.status = Some(plan.status.clone());
        plan
    }

    /// Every set has its pods, of which at most `broken` of the newest are not available.
    fn settle_pods(&mut self, broken: impl Fn(&ReplicaSet) -> bool) {
        for set in &mut self.sets {
            let set = Arc::make_mut(set);
            let replicas = crate::replica_set::Shape::replicas(set);
            let available = if broken(set) { 0 } else { replicas };
            let status = set.status.get_or_insert_default();
            status.replicas = replicas;
            status.conditions = None;
            status.ready_replicas = Some(available);
            status.available_replicas = Some(available);
            status.observed_generation = set.metadata.generation;
        }
    }

    fn settle(&mut self) {
        for _ in 0..50 {
            self.turn();
            self.settle_pods(|_| false);
        }
    }

    /// The sizes of the sets, oldest first.
    fn sizes(&self) -> Vec<i32> {
        self.sets.iter().map(|set| crate::replica_set::Shape::replicas(set.as_ref())).collect()
    }

    /// The pods that are available and stay: sets delete the unavailable ones first.
    fn remaining(&self) -> i32 {
        self.sets.iter().map(|set| Set::new(set.clone()).remaining()).sum()
    }

    fn is_resized(&self) -> bool {
        let wanted = Size::of(&self.deployment).replicas;
        let mut active = self.sets.iter().cloned().map(Set::new).filter(Set::is_active);
        active.any(|set| set.desired() != Some(wanted))
    }

    fn condition(&self, type_: &str) -> (String, String, String) {
        let status = self.deployment.status.as_ref().unwrap();
        let condition = status::find(status, type_).expect("the condition is there");
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        (condition.status.clone(), text(&condition.reason), text(&condition.message))
    }

    fn change(&mut self, change: impl FnOnce(&mut Deployment)) {
        change(&mut self.deployment);
        let generation = self.deployment.metadata.generation.unwrap_or_default();
        self.deployment.metadata.generation = Some(generation + 1);
    }
}

#[test]
fn the_first_turn_creates_a_set_in_full_size_and_says_so() {
    let mut cluster = Cluster::new(deployment(3, "a"));
    let plan = cluster.turn();
    let set = plan.create.unwrap();
    let hash = set.metadata.labels.as_ref().unwrap()[HASH_LABEL].clone();
    assert_eq!(set.metadata.name.as_deref(), Some(&*format!("web-{hash}")));
    assert_eq!(set.spec.as_ref().unwrap().selector.match_labels.as_ref().unwrap()[HASH_LABEL], hash);
    let annotations = set.metadata.annotations.as_ref().unwrap();
    assert_eq!((&*annotations[REVISION], &*annotations[DESIRED], &*annotations[MOST]), ("1", "3", "4"));
    assert_eq!(cluster.told, [format!("Scaled up replica set web-{hash} from 0 to 3")]);
    assert_eq!(plan.revision, Some(1));
    let (status, reason, message) = cluster.condition(PROGRESSING);
    assert_eq!((&*status, &*reason), ("True", "NewReplicaSetCreated"));
    assert_eq!(message, format!("Created new replica set \"web-{hash}\""));
    assert_eq!(cluster.condition(AVAILABLE).1, "MinimumReplicasUnavailable");
    assert!(plan.next.is_some(), "the deadline is watched");
}

#[test]
fn an_available_deployment_has_arrived_and_rests() {
    let mut cluster = Cluster::new(deployment(3, "a"));
    cluster.settle();
    let (status, reason, message) = cluster.condition(PROGRESSING);
    assert_eq!((&*status, &*reason), ("True", "NewReplicaSetAvailable"));
    assert!(message.ends_with("\" has successfully progressed."), "{message}");
    assert_eq!(cluster.condition(AVAILABLE).2, "Deployment has minimum availability.");
    let before = cluster.deployment.status.clone();
    let plan = cluster.turn();
    assert!(
        plan.create.is_none() && plan.update.is_empty() && plan.next.is_none() && plan.revision.is_none()
    );
    assert_eq!(Some(plan.status), before, "a turn with nothing to do changes nothing");
}

#[test]
fn a_rollout_goes_by_surge_and_availability_step_by_step() {
    let mut deployment = deployment(10, "a");
    strategy(&mut deployment, rolling(3, 2));
    let mut cluster = Cluster::new(deployment);
    cluster.settle();
    cluster.deployment = with_image(&cluster.deployment, "b");
    cluster.turn();
    assert_eq!(cluster.sizes(), [8, 3], "a surge of three, and two old ones may go at once");
    cluster.told.clear();
    cluster.turn();
    assert_eq!(cluster.sizes(), [8, 5], "what went makes room for new ones");
    let settled = |cluster: &mut Cluster| {
        cluster.settle_pods(|_| false);
        cluster.turn();
        cluster.sizes()
    };
    assert_eq!(settled(&mut cluster), [3, 5]);
    cluster.settle();
    assert_eq!(cluster.sizes(), [0, 10]);
    assert_eq!(cluster.deployment.metadata.annotations.as_ref().unwrap()[REVISION], "2");
}

#[test]
fn a_broken_image_stops_the_rollout_and_misses_its_deadline() {
    let mut cluster = Cluster::new(deployment(4, "a"));
    cluster.settle();
    cluster.deployment = with_image(&cluster.deployment, "broken");
    for _ in 0..10 {
        cluster.turn();
        cluster.settle_pods(|set| set.metadata.annotations.as_ref().unwrap()[REVISION] == "2");
    }
    assert_eq!(cluster.sizes(), [3, 2], "25 % of four each way");
    assert_eq!(cluster.condition(PROGRESSING).1, "ReplicaSetUpdated");
    let wait = cluster.plan().next.unwrap();
    assert!(wait.as_secs() <= 601 && wait.as_secs() > 580, "{wait:?}");
    cluster.second += 700;
    cluster.turn();
    let (status, reason, message) = cluster.condition(PROGRESSING);
    assert_eq!((&*status, &*reason), ("False", "ProgressDeadlineExceeded"));
    assert!(message.ends_with("has timed out progressing."), "{message}");
    assert_eq!(cluster.plan().next, None);
}

#[test]
fn a_rollback_finds_the_old_set_and_numbers_it_anew() {
    let mut cluster = Cluster::new(deployment(2, "a"));
    cluster.settle();
    cluster.deployment = with_image(&cluster.deployment, "b");
    cluster.settle();
    cluster.deployment = with_image(&cluster.deployment, "a");
    cluster.settle();
    assert_eq!(cluster.sizes(), [2, 0]);
    let annotations = cluster.sets[0].metadata.annotations.as_ref().unwrap();
    assert_eq!((&*annotations[REVISION], &*annotations[revision::HISTORY]), ("3", "1"));
    assert_eq!(cluster.deployment.metadata.annotations.as_ref().unwrap()[REVISION], "3");
}

#[test]
fn history_beyond_the_limit_goes_the_oldest_first() {
    let mut cluster = Cluster::new(deployment(1, "image-0"));
    cluster.settle();
    for index in 1..5 {
        cluster.deployment = with_image(&cluster.deployment, &format!("image-{index}"));
        cluster.settle();
    }
    let revisions: Vec<_> =
        cluster.sets.iter().map(|set| set.metadata.annotations.as_ref().unwrap()[REVISION].clone()).collect();
    assert_eq!(revisions, ["3", "4", "5"]);
}

#[test]
fn a_paused_deployment_scales_but_does_not_roll() {
    let mut cluster = Cluster::new(deployment(3, "a"));
    cluster.settle();
    cluster.deployment = with_image(&cluster.deployment, "b");
    cluster.change(|deployment| {
        let spec = deployment.spec.as_mut().unwrap();
        (spec.paused, spec.replicas) = (Some(true), Some(5));
    });
    cluster.settle();
    assert_eq!(cluster.sizes(), [5]);
    assert_eq!(cluster.condition(PROGRESSING).1, "DeploymentPaused");
    cluster.change(|deployment| deployment.spec.as_mut().unwrap().paused = None);
    cluster.turn();
    assert_eq!(cluster.condition(PROGRESSING).1, "NewReplicaSetCreated");
    cluster.settle();
    assert_eq!(cluster.sizes(), [0, 5]);
}

#[test]
fn recreate_takes_all_old_pods_down_before_a_new_set_is_made() {
    let mut deployment = deployment(3, "a");
    strategy(&mut deployment, json!({"type": "Recreate"}));
    let mut cluster = Cluster::new(deployment);
    cluster.settle();
    cluster.deployment = with_image(&cluster.deployment, "b");
    cluster.turn();
    assert_eq!(cluster.sizes(), [0]);
    cluster.turn();
    assert_eq!(cluster.sizes(), [0], "its pods are still there");
    cluster.settle_pods(|_| false);
    let old = serde_json::from_value(json!({
        "metadata": {"name": "slow", "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "x",
            "uid": cluster.sets[0].metadata.uid, "controller": true}]},
        "status": {"phase": "Running"},
    }));
    let pods = [Arc::new(old.unwrap())];
    let view = View { deployment: &cluster.deployment, sets: &cluster.sets, pods: &pods, now: at(99) };
    assert!(advance(view).create.is_none(), "a pod in its grace still runs");
    cluster.turn();
    assert_eq!(cluster.sizes(), [0, 3]);
}

#[test]
fn a_set_that_cannot_make_its_pods_makes_its_deployment_say_so() {
    let mut cluster = Cluster::new(deployment(3, "a"));
    cluster.turn();
    let failure = json!({"replicas": 0, "conditions": [
        {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota"}]});
    Arc::make_mut(&mut cluster.sets[0]).status = Some(serde_json::from_value(failure).unwrap());
    cluster.turn();
    let expected = ("True".to_owned(), "FailedCreate".to_owned(), "exceeded quota".to_owned());
    assert_eq!(cluster.condition("ReplicaFailure"), expected);
    cluster.settle();
    assert!(status::find(cluster.deployment.status.as_ref().unwrap(), "ReplicaFailure").is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// Whatever is changed when, and however slowly pods come up, the bounds hold at every turn and
    /// the Deployment arrives.
    #[test]
    fn bounds_hold_at_every_turn_and_the_rollout_arrives(
        surge in 0..4_i32,
        unavailable in 0..4_i32,
        changes in prop::collection::vec((0..12_i32, 0..3_u8, 1..4_usize), 1..6),
    ) {
        let mut first = deployment(4, "0");
        strategy(&mut first, rolling(surge, unavailable));
        let mut cluster = Cluster::new(first);
        cluster.settle();
        for (replicas, image, turns) in changes {
            let has_size = Size::of(&cluster.deployment).replicas;
            cluster.deployment = with_image(&cluster.deployment, &image.to_string());
            cluster.change(|deployment| deployment.spec.as_mut().unwrap().replicas = Some(replicas));
            for turn in 0..turns {
                // A change of size is shared out whatever is available, as upstream does it.
                let before = if cluster.is_resized() { 0 } else { cluster.remaining() };
                cluster.turn();
                let size = Size::of(&cluster.deployment);
                let total: i32 = cluster.sizes().iter().sum();
                prop_assert!(total <= size.most().max(has_size + surge.max(1)), "{total} pods of {size:?}");
                let remains = cluster.remaining();
                prop_assert!(
                    remains >= size.fewest_available().min(before),
                    "{remains} of {before} remain available of {size:?}"
                );
                if turn % 2 == 1 {
                    cluster.settle_pods(|_| false);
                }
            }
        }
        cluster.settle();
        let wanted = Size::of(&cluster.deployment).replicas;
        prop_assert_eq!(cluster.sizes().iter().sum::<i32>(), wanted);
        prop_assert_eq!(cluster.condition(PROGRESSING).1, "NewReplicaSetAvailable");
    }
}
