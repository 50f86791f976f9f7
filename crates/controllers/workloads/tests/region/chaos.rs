//! Random lives of a few Deployments: whatever is asked of them and whatever fails, they arrive or
//! say why not, and nothing is done on the way that must not be.

use std::time::Duration;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{DeleteParams, EvictParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use mainstay_kinds::NodeClaim;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestCaseError, TestRng, TestRunner};
use serde_json::{Value, json};

use crate::support::{Region, region_seen_by, web};
use crate::witness::Witness;

/// Deployments of a life.
const DEPLOYMENTS: usize = 3;
/// Lives of every run of the tests.
const LIVES: u32 = 4;
/// Lives of a long run.
const MANY_LIVES: u32 = 400;
/// By then every rollout has arrived or missed its deadline.
const QUIESCENCE_SECONDS: u64 = 700;

/// Something that is done to a Deployment, to its pods or to a machine.
#[derive(Clone, Debug)]
enum Deed {
    Scale(i32),
    /// Another template; the last one fits on no machine.
    Release(u8),
    Roll {
        surge: i32,
        unavailable: i32,
    },
    Recreate,
    Patience(i32),
    Pause(bool),
    DeleteOrCreate,
    DeletePod(usize),
    Evict(usize),
    /// All its pods, one right after the other, as far as they may go.
    EvictAll,
    /// A budget of these words, in the place of the one there is.
    Guard(&'static str, Bound),
    Unguard,
    Kill(usize),
    Heal(usize),
}

/// How much of a Deployment a budget guards.
#[derive(Clone, Debug)]
enum Bound {
    Count(i32),
    Percent(i32),
}

/// To which Deployment, what, and how long it is left alone then.
type Step = (usize, Deed, u64);

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        3 => (0..8_i32).prop_map(Deed::Scale),
        4 => (0..4_u8).prop_map(Deed::Release),
        2 => (0..4_i32, 0..3_i32).prop_map(|(surge, unavailable)| Deed::Roll { surge, unavailable }),
        1 => Just(Deed::Recreate),
        1 => (0..20_i32).prop_map(Deed::Patience),
        1 => any::<bool>().prop_map(Deed::Pause),
        1 => Just(Deed::DeleteOrCreate),
        2 => (0..8_usize).prop_map(Deed::DeletePod),
        2 => (0..8_usize).prop_map(Deed::Evict),
        3 => Just(Deed::EvictAll),
        3 => (prop_oneof![Just("minAvailable"), Just("maxUnavailable")], bound())
            .prop_map(|(word, bound)| Deed::Guard(word, bound)),
        1 => Just(Deed::Unguard),
        1 => (0..4_usize).prop_map(Deed::Kill),
        1 => (0..4_usize).prop_map(Deed::Heal),
    ]
}

fn bound() -> impl Strategy<Value = Bound> {
    prop_oneof![(0..5_i32).prop_map(Bound::Count), (0..101_i32).prop_map(Bound::Percent)]
}

fn life() -> impl Strategy<Value = (u64, Vec<Step>)> {
    let pause_ms = prop_oneof![Just(0), 1..2_000_u64, 2_000..60_000_u64];
    (0..1_000_u64, prop::collection::vec((0..DEPLOYMENTS, deed(), pause_ms), 1..25))
}

#[test]
fn deployments_arrive_or_say_why_not_and_nothing_is_done_that_must_not_be() {
    live(LIVES, 1);
}

#[test]
#[ignore = "a long run"]
fn soak_deployments_arrive_or_say_why_not() {
    live(MANY_LIVES, 2);
}

fn live(lives: u32, seed: u8) {
    let config = ProptestConfig {
        failure_persistence: None,
        max_shrink_iters: 64,
        ..ProptestConfig::with_cases(lives)
    };
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(config, random);
    let outcome = runner.run(&life(), |(seed, steps)| {
        let witness = Witness::default();
        let told = witness.clone();
        let faults = region_seen_by(&witness, seed, move |region| live_one(region, told, steps));
        if faults.is_empty() { Ok(()) } else { Err(TestCaseError::fail(faults.join("\n"))) }
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

async fn live_one(region: Region, witness: Witness, steps: Vec<Step>) -> Vec<String> {
    for index in 0..DEPLOYMENTS {
        create(&region, index).await;
        guard(&region, index, "maxUnavailable", &Bound::Count(1)).await;
    }
    for (index, deed, pause_ms) in steps {
        act(&region, &witness, index, &deed).await;
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
    }
    for index in 0..4 {
        fault(&region, index, json!(null)).await;
    }
    region.sleep(QUIESCENCE_SECONDS).await;
    let mut faults = witness.violations();
    faults.extend(judge(&region).await);
    region.assert_well();
    faults
}

fn named(index: usize) -> String {
    format!("web-{index}")
}

async fn create(region: &Region, index: usize) {
    let mut deployment = web(4);
    let labels = Some([("app".to_owned(), named(index))].into());
    deployment.metadata.name = Some(named(index));
    let spec = deployment.spec.as_mut().unwrap();
    spec.selector.match_labels.clone_from(&labels);
    spec.template.metadata.as_mut().unwrap().labels = labels;
    spec.template.spec.as_mut().unwrap().containers[0].image = Some("nginx:0".to_owned());
    region.deployments().create(&PostParams::default(), &deployment).await.unwrap();
}

async fn act(region: &Region, witness: &Witness, index: usize, deed: &Deed) {
    match deed {
        Deed::Kill(machine) => return fault(region, *machine, json!("killed")).await,
        Deed::Heal(machine) => return fault(region, *machine, json!(null)).await,
        Deed::DeletePod(which) | Deed::Evict(which) => {
            return take_away(region, witness, index, *which, matches!(deed, Deed::Evict(_))).await;
        }
        Deed::EvictAll => {
            // Each time the first of those that are left, or the one after those that may not go.
            for which in 0..8 {
                take_away(region, witness, index, which, true).await;
            }
            return;
        }
        Deed::Guard(word, bound) => return guard(region, index, word, bound).await,
        Deed::Unguard => {
            let _gone = budgets(region).delete(&named(index), &DeleteParams::default()).await;
            return;
        }
        Deed::DeleteOrCreate => {
            let deleted = region.deployments().delete(&named(index), &DeleteParams::background()).await;
            if deleted.is_err() {
                create(region, index).await;
            }
            return;
        }
        _ => {}
    }
    let patch = Patch::Strategic(change(deed));
    // It may be gone.
    let _gone = region.deployments().patch(&named(index), &PatchParams::default(), &patch).await;
}

fn change(deed: &Deed) -> Value {
    match deed {
        Deed::Scale(replicas) => json!({"spec": {"replicas": replicas}}),
        Deed::Release(release) => {
            let cpu = if *release == 3 { "999" } else { "100m" };
            let resources = json!({"requests": {"cpu": cpu}});
            let container =
                json!({"name": "web", "image": format!("nginx:{release}"), "resources": resources});
            json!({"spec": {"template": {"spec": {"containers": [container]}}}})
        }
        Deed::Roll { surge, unavailable } => {
            let surge = if *unavailable == 0 { (*surge).max(1) } else { *surge };
            let rolling = json!({"maxSurge": surge, "maxUnavailable": unavailable});
            json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}})
        }
        Deed::Recreate => {
            json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate", "rollingUpdate": null}}})
        }
        Deed::Patience(seconds) => json!({"spec": {"minReadySeconds": seconds}}),
        Deed::Pause(is_paused) => json!({"spec": {"paused": is_paused}}),
        other => unreachable!("{other:?} changes no Deployment"),
    }
}

async fn take_away(region: &Region, witness: &Witness, index: usize, which: usize, is_evicted: bool) {
    let ours = ListParams::default().labels(&format!("app={}", named(index)));
    let pods = region.pods().list(&ours).await.unwrap().items;
    let Some(pod) = pods.get(which) else { return };
    witness.takes_away(&pod.name_any());
    // It may have gone meanwhile, or a budget may forbid it.
    if is_evicted {
        let _refused = region.pods().evict(&pod.name_any(), &EvictParams::default()).await;
    } else {
        let _gone = region.pods().delete(&pod.name_any(), &DeleteParams::default()).await;
    }
}

fn budgets(region: &Region) -> Api<PodDisruptionBudget> {
    Api::namespaced(region.client.clone(), "default")
}

/// Guards a Deployment's pods like this, and not as before.
async fn guard(region: &Region, index: usize, word: &str, bound: &Bound) {
    let bound = match bound {
        Bound::Count(count) => json!(count),
        Bound::Percent(percent) => json!(format!("{percent}%")),
    };
    let budget = json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": named(index)},
        "spec": {word: bound, "selector": {"matchLabels": {"app": named(index)}}},
    });
    let whole = PatchParams::apply("test").force();
    budgets(region).patch(&named(index), &whole, &Patch::Apply(&budget)).await.unwrap();
}

async fn fault(region: &Region, machine: usize, fault: Value) {
    let claims = Api::<NodeClaim>::all(region.client.clone());
    let marked = Patch::Merge(json!({"metadata": {"annotations": {"mainstay.dev/fault": fault}}}));
    let name = format!("prod-g-{machine}");
    claims.patch(&name, &PatchParams::default(), &marked).await.unwrap();
}

/// What is wrong with a region at rest.
async fn judge(region: &Region) -> Vec<String> {
    let deployments = region.all::<Deployment>().await;
    let sets = region.all::<ReplicaSet>().await;
    let pods = region.all::<Pod>().await;
    let owner = |meta: &kube::core::ObjectMeta| meta.owner_references.as_ref().map(|own| own[0].uid.clone());
    let mut faults = Vec::new();
    for set in &sets {
        let is_owned = deployments.iter().any(|own| own.uid() == owner(&set.metadata));
        if !is_owned {
            faults.push(format!("{} is owned by nobody", set.name_any()));
        }
        let wanted = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
        let own = pods.iter().filter(|pod| owner(&pod.metadata) == set.uid());
        let count = i32::try_from(own.count()).unwrap();
        if count != wanted {
            faults.push(format!("{} has {count} of {wanted} pods", set.name_any()));
        }
    }
    for pod in &pods {
        if !sets.iter().any(|set| set.uid() == owner(&pod.metadata)) {
            faults.push(format!("{} is owned by nobody", pod.name_any()));
        }
    }
    faults.extend(deployments.iter().filter_map(unexplained));
    let budgets = region.all::<PodDisruptionBudget>().await;
    faults.extend(budgets.iter().filter_map(|budget| miscounted(budget, &deployments, &pods)));
    faults
}

/// What a Deployment lacks without a reason.
fn unexplained(deployment: &Deployment) -> Option<String> {
    let (spec, status) = (deployment.spec.as_ref().unwrap(), deployment.status.clone().unwrap_or_default());
    let wanted = spec.replicas.unwrap_or(1);
    let is_all = |count: Option<i32>| count.unwrap_or_default() == wanted;
    let holds = |type_: &str, value: &str| {
        status.conditions.iter().flatten().any(|own| own.type_ == type_ && own.status == value)
    };
    let is_observed = status.observed_generation == deployment.metadata.generation;
    let is_met = is_all(status.replicas) && is_all(status.available_replicas);
    let is_updated = is_all(status.updated_replicas) || spec.paused == Some(true);
    let is_explained =
        holds("Progressing", "False") || holds("Available", "False") || holds("Progressing", "Unknown");
    let is_fine = is_observed && (is_met && is_updated || is_explained);
    (!is_fine).then(|| format!("{} gives no reason: {}", deployment.name_any(), json!(status)))
}

/// What a budget has not counted right, where all its pods are of a Deployment.
fn miscounted(budget: &PodDisruptionBudget, deployments: &[Deployment], pods: &[Pod]) -> Option<String> {
    let name = budget.name_any();
    let deployment = deployments.iter().find(|deployment| deployment.name_any() == name)?;
    let replicas = deployment.spec.as_ref()?.replicas.unwrap_or(1);
    let own: Vec<&Pod> = pods.iter().filter(|pod| pod.labels().get("app") == Some(&name)).collect();
    let is_ready = |pod: &&&Pod| {
        let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
        conditions.into_iter().flatten().any(|one| one.type_ == "Ready" && one.status == "True")
    };
    let healthy = i32::try_from(own.iter().filter(is_ready).count()).unwrap();
    let status = budget.status.clone().unwrap_or_default();
    // A budget of nothing expects nothing.
    let expected = if own.is_empty() { 0 } else { replicas };
    let allowed = if expected == 0 { 0 } else { (healthy - status.desired_healthy).max(0) };
    let is_right = status.current_healthy == healthy
        && (budget.spec.as_ref()?.min_available.is_some() || status.expected_pods == expected)
        && status.disruptions_allowed == allowed
        && status.disrupted_pods.clone().unwrap_or_default().is_empty()
        && status.observed_generation == budget.metadata.generation;
    (!is_right).then(|| format!("{name} guards {healthy} healthy of {replicas}: {}", json!(status)))
}
