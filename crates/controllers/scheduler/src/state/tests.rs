//! Tests of what changes lead to, without a server.

use super::*;
use crate::fixture::{asking, key, node, pod, random};
use serde_json::{Value, json};

struct Stage {
    state: State,
    now: Instant,
}

impl Stage {
    fn new() -> Self {
        Self { state: State::new(random(1)), now: Instant::now() }
    }

    fn node(&mut self, name: &str, changes: Value) {
        self.state.on_node(&node(name, changes), self.now);
    }

    fn pod(&mut self, pod: &Seen) {
        self.state.on_pod(pod, self.now);
    }

    fn gone(&mut self, pod: &Seen) {
        self.state.on_pod_gone(&Key::of(pod), self.now);
    }

    /// What is done next, in words.
    fn next(&mut self) -> Option<String> {
        Some(match self.state.next(self.now)? {
            Act::Bind(waiting, node) => {
                self.state.bound(&waiting);
                format!("{} to {node}", waiting.pod.key.name)
            }
            Act::Prepare(waiting, node, _) => format!("{} waits on {node}", waiting.pod.key.name),
            Act::GiveUp(waiting, _) => {
                self.state.refused(&waiting, self.now);
                format!("{} gives up", waiting.pod.key.name)
            }
            Act::Tell(waiting, why) => {
                self.state.told(&waiting, &why, self.now);
                format!("{} nowhere", waiting.pod.key.name)
            }
        })
    }

    fn all(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.next()).collect()
    }
}

fn bound(mut pod: Seen, node: &str) -> Seen {
    pod.spec.node_name = Some(node.to_owned());
    pod
}

#[tokio::test(start_paused = true)]
async fn a_pod_waits_for_a_node_and_takes_the_first_that_will_do() {
    let mut stage = Stage::new();
    stage.pod(&asking("web", "2", "1Gi"));
    assert_eq!(stage.all(), ["web nowhere"]);
    stage.node("a1", json!({"spec": {"unschedulable": true}}));
    assert_eq!(stage.all(), [""; 0], "a node that will not do wakes nobody");
    stage.node("a2", json!({}));
    assert_eq!(stage.all(), ["web to a2"], "in the same instant");
}

#[tokio::test(start_paused = true)]
async fn only_pods_that_are_ours_and_ready_to_go_are_placed() {
    let mut stage = Stage::new();
    stage.node("a1", json!({}));
    stage.pod(&pod("foreign", json!({"spec": {"schedulerName": "other"}})));
    stage.pod(&pod("gated", json!({"spec": {"schedulingGates": [{"name": "wait"}]}})));
    stage.pod(&pod("leaving", json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}})));
    stage.pod(&pod("ended", json!({"status": {"phase": "Failed"}})));
    stage.pod(&bound(pod("bound", json!({})), "a1"));
    assert_eq!(stage.all(), [""; 0]);
    stage.pod(&pod("gated", json!({})));
    assert_eq!(stage.all(), ["gated to a1"], "its gate is open");
}

#[tokio::test(start_paused = true)]
async fn an_assumed_pod_takes_room_before_the_watch_shows_it() {
    let mut stage = Stage::new();
    stage.node("a1", json!({}));
    stage.pod(&asking("one", "3", "1Gi"));
    stage.pod(&asking("two", "3", "1Gi"));
    assert_eq!(stage.all(), ["one to a1", "two nowhere"]);
    stage.pod(&asking("one", "3", "1Gi"));
    assert_eq!(stage.all(), [""; 0], "an older state of it is no news");
    stage.pod(&bound(asking("one", "3", "1Gi"), "a1"));
    assert_eq!(stage.all(), [""; 0]);
    stage.gone(&bound(asking("one", "3", "1Gi"), "a1"));
    assert_eq!(stage.all(), ["two to a1"]);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_ended_leaves_its_room_to_others() {
    let mut stage = Stage::new();
    stage.node("a1", json!({}));
    stage.pod(&bound(asking("job", "3", "1Gi"), "a1"));
    stage.pod(&asking("web", "3", "1Gi"));
    assert_eq!(stage.all(), ["web nowhere"]);
    let mut ended = bound(asking("job", "3", "1Gi"), "a1");
    ended.status.phase = Some("Succeeded".to_owned());
    stage.pod(&ended);
    assert_eq!(stage.all(), ["web to a1"]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_binding_frees_the_room_and_is_tried_again_after_its_back_off() {
    let mut stage = Stage::new();
    stage.node("a1", json!({}));
    stage.pod(&asking("one", "3", "1Gi"));
    stage.pod(&asking("two", "3", "1Gi"));
    let Some(Act::Bind(one, _)) = stage.state.next(stage.now) else { panic!("no binding") };
    assert_eq!(stage.all(), ["two nowhere"]);
    stage.state.refused(&one, stage.now);
    assert_eq!(stage.all(), ["two to a1"]);
    stage.gone(&asking("two", "3", "1Gi"));
    assert_eq!(stage.all(), [""; 0]);
    stage.now = stage.state.due().unwrap();
    assert_eq!(stage.all(), ["one to a1"]);
}

#[tokio::test(start_paused = true)]
async fn a_pod_recreated_under_its_name_is_placed_anew() {
    let mut stage = Stage::new();
    stage.node("a1", json!({}));
    stage.pod(&asking("web", "3", "1Gi"));
    assert_eq!(stage.all(), ["web to a1"]);
    let mut again = asking("web", "2", "1Gi");
    again.metadata.uid = Some("again".to_owned());
    stage.pod(&again);
    assert_eq!(stage.all(), ["web to a1"]);
    let taken = stage.state.snapshot.node("a1").map(|node| node.usage.requested.cpu_milli);
    assert_eq!(taken, Some(2000));
}

#[tokio::test(start_paused = true)]
async fn a_pod_bound_by_somebody_else_is_no_longer_ours_to_place() {
    let mut stage = Stage::new();
    stage.pod(&asking("web", "3", "1Gi"));
    assert_eq!(stage.all(), ["web nowhere"]);
    stage.node("a1", json!({}));
    stage.pod(&bound(asking("web", "3", "1Gi"), "a1"));
    assert_eq!(stage.all(), [""; 0]);
    assert_eq!(stage.state.snapshot.whereabouts(&key("web")).as_deref(), Some("a1"));
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_wakes_nobody() {
    let mut stage = Stage::new();
    stage.node("a1", json!({}));
    stage.pod(&asking("web", "9", "1Gi"));
    assert_eq!(stage.all(), ["web nowhere"]);
    let due = stage.state.due();
    stage.node("a1", json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}}));
    assert_eq!((stage.all(), stage.state.due()), (Vec::new(), due));
}

#[tokio::test(start_paused = true)]
async fn a_strictly_spread_pod_is_tried_again_when_one_of_its_like_found_a_node() {
    let spread = json!([{"topologyKey": "topology.kubernetes.io/zone", "maxSkew": 1,
                         "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "w"}}}]);
    let replica = |name: &str, zone: Option<&str>| {
        let selector = zone.map_or_else(|| json!({}), |zone| json!({"topology.kubernetes.io/zone": zone}));
        // The selector of one replica must not narrow where the others are counted.
        let mut spread = spread.clone();
        spread[0]["nodeAffinityPolicy"] = json!("Ignore");
        pod(
            name,
            json!({"metadata": {"labels": {"app": "w"}},
                         "spec": {"topologySpreadConstraints": spread, "nodeSelector": selector}}),
        )
    };
    let mut stage = Stage::new();
    stage.node("a1", json!({}));
    stage.node("b1", json!({}));
    stage.pod(&bound(replica("zero", None), "a1"));
    stage.pod(&replica("one", Some("a")));
    assert_eq!(stage.all(), ["one nowhere"]);
    stage.pod(&replica("two", Some("b")));
    assert_eq!(stage.all(), ["two to b1", "one to a1"]);
}

fn of_priority(mut pod: Seen, priority: i32) -> Seen {
    pod.spec.priority = Some(priority);
    pod
}

#[tokio::test(start_paused = true)]
async fn a_pod_gets_the_node_others_left_for_it_and_leaves_it_to_others_where_it_goes() {
    let mut stage = Stage::new();
    stage.node("a1", json!({}));
    let minor = bound(asking("minor", "3", "1Gi"), "a1");
    stage.pod(&minor);
    let major = of_priority(asking("major", "3", "1Gi"), 10);
    stage.pod(&major);
    assert_eq!(stage.all(), ["major nowhere"]);
    let in_prospect = stage.state.snapshot.nominations().of(&PodState::of(&major)).cloned();
    assert_eq!(in_prospect.as_deref(), Some("a1"));
    stage.gone(&minor);
    stage.pod(&asking("late", "3", "1Gi"));
    let expected = ["late nowhere", "major to a1", "late nowhere"];
    assert_eq!(stage.all(), expected, "the room is kept, though the other is the first to ask");
    stage.gone(&major);
    assert_eq!(stage.all(), ["late to a1"]);
}

#[tokio::test(start_paused = true)]
async fn a_node_in_prospect_is_free_once_the_pod_that_had_it_is_gone() {
    let mut stage = Stage::new();
    stage.node("a1", json!({}));
    stage.pod(&bound(asking("minor", "2", "1Gi"), "a1"));
    let major = of_priority(asking("major", "3", "1Gi"), 10);
    stage.pod(&major);
    stage.pod(&asking("late", "2", "1Gi"));
    assert_eq!(stage.all(), ["major nowhere", "late nowhere"]);
    stage.gone(&major);
    assert_eq!(stage.all(), ["late to a1"]);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_waits_for_its_volume_is_bound_once_it_is_there_or_given_up() {
    let mut stage = Stage::new();
    stage.node("a1", json!({}));
    let claim = |volume: Option<&str>| {
        let annotations = volume.map(|_| json!({"pv.kubernetes.io/bind-completed": "yes"}));
        let claim = json!({"metadata": {"name": "data", "annotations": annotations},
                           "spec": {"storageClassName": "late", "volumeName": volume}});
        crate::storage::Claim::of(&serde_json::from_value(claim).unwrap())
    };
    let class = json!({"metadata": {"name": "late"}, "provisioner": "p", "volumeBindingMode": "WaitForFirstConsumer"});
    let class = crate::storage::Class::of(&serde_json::from_value(class).unwrap());
    stage.state.on_storage(|storage| storage.put_class(&"late".into(), Some(class)), stage.now);
    let volumes = json!([{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]);
    stage.pod(&pod("web", json!({"spec": {"volumes": volumes}})));
    assert_eq!(stage.all(), ["web nowhere"], "its claim is not there");
    stage.state.on_storage(|storage| storage.put_claim(&key("data"), Some(claim(None))), stage.now);
    assert_eq!(stage.all(), ["web waits on a1"]);
    stage.now = stage.state.due().unwrap();
    assert_eq!(stage.all(), ["web gives up"]);
    stage.now = stage.state.due().unwrap();
    assert_eq!(stage.all(), ["web waits on a1"]);
    stage.state.on_storage(|storage| storage.put_claim(&key("data"), Some(claim(Some("v")))), stage.now);
    assert_eq!(stage.all(), ["web to a1"]);
}
