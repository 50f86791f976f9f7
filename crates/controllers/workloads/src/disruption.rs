//! The disruption controller: how many pods of each PodDisruptionBudget may be evicted now.
//!
//! **Invariants:** a status is written only over the one it was calculated from, so that an eviction
//! that came between is never undone; while something cannot be calculated, nothing may be evicted.
//!
//! **Spec:** upstream's `disruption` controller, its events and its condition.
//!
//! **Not here:** eviction itself (the API server).

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetStatus};
use kube::api::Patch;
use mainstay_base::World;
use mainstay_base::task::Outcome;
use mainstay_control::informer::Subscription;
use mainstay_control::{
    Change, Component, Counters, Key, Next, Queue, Recorder, Writer, events, patch, reconcile, writes,
};
use mainstay_resource::Rule;
use serde_json::json;

use crate::Informers;

pub mod budget;
mod members;
mod scale;
mod stale;

#[cfg(test)]
mod tests;

use budget::Expected;
use members::Members;

/// Its name, and the field manager it writes as.
pub const NAME: &str = "disruption-controller";
/// What its events say they come from.
const SOURCE: &str = "controllermanager";
/// The user it writes as.
pub const USER: &str = "system:serviceaccount:kube-system:disruption-controller";
/// What that user may do.
pub const RULES: &[Rule] = &[
    Rule { groups: &["policy"], resources: &["poddisruptionbudgets/status"], verbs: &["patch"] },
    Rule { groups: &[""], resources: &["pods/status"], verbs: &["patch"] },
    Rule { groups: &["*"], resources: &["*/scale"], verbs: &["get"] },
    events::RULE,
];

/// The controller as the platform starts it.
pub fn component(informers: &Informers) -> Component {
    let (informers, counters) = (informers.clone(), Counters::default());
    Component::new(NAME, USER, RULES, counters.clone(), move |client, world| {
        run(client, world, informers.clone(), counters.clone())
    })
}

/// Runs until it is dropped.
pub async fn run(client: kube::Client, world: World, informers: Informers, counters: Counters) -> Outcome {
    let (recorder, sink) = events::recorder(&world, SOURCE);
    let controller = Arc::new(Controller {
        writer: Writer::new(client.clone(), NAME),
        world,
        informers,
        recorder,
        members: Members::default(),
        queue: Queue::default(),
        stale: Queue::default(),
    });
    let _subscriptions = subscribe(&controller);
    let informers = &controller.informers;
    informers.disruption_budgets.synced().await;
    informers.pods.synced().await;
    informers.replication_controllers.synced().await;
    informers.replica_sets.synced().await;
    informers.deployments.synced().await;
    informers.stateful_sets.synced().await;
    let work = |key| {
        let controller = controller.clone();
        async move { controller.sync(&key).await }
    };
    let clean = |key| {
        let controller = controller.clone();
        async move { controller.clean(&key).await }
    };
    tokio::select! {
        biased;
        () = reconcile::run(NAME, &controller.queue, 1, &counters, work) => {}
        () = reconcile::run(NAME, &controller.stale, 1, &counters, clean) => {}
        () = sink.run(client) => {}
    }
    Err("the work loop ended".into())
}

struct Controller {
    writer: Writer,
    world: World,
    informers: Informers,
    recorder: Recorder,
    members: Members,
    queue: Queue<Key>,
    /// Pods whose disruption condition may have become stale.
    stale: Queue<Key>,
}

/// Keeps `controller` told of changes, for as long as the result is held.
fn subscribe(controller: &Arc<Controller>) -> (Subscription<PodDisruptionBudget>, Subscription<Pod>) {
    let told = controller.clone();
    let of_budgets =
        controller.informers.disruption_budgets.subscribe(move |change| told.budget_changed(change));
    let told = controller.clone();
    let of_pods = controller.informers.pods.subscribe(move |change| told.pod_changed(change));
    (of_budgets, of_pods)
}

impl Controller {
    fn budget_changed(&self, change: &Change<PodDisruptionBudget>) {
        let key = Key::of(change.latest().as_ref());
        match change.now() {
            None => self.members.remove(&key),
            // Its pods may have been seen before it was.
            Some(budget) if self.members.put(budget) => {
                for pod in self.informers.pods.within(&key.namespace) {
                    self.members.show(&pod);
                }
            }
            Some(_) => {}
        }
        self.queue.add(key);
    }

    fn pod_changed(&self, change: &Change<Pod>) {
        let pod = change.latest();
        let budgets = match change.now() {
            Some(pod) => self.members.show(pod),
            None => self.members.gone(pod),
        };
        if budgets.len() > 1 {
            let (namespace, name) = (&budgets[0].namespace, pod.metadata.name.as_deref().unwrap_or_default());
            let message = format!(
                "Pod {namespace:?}/{name:?} matches multiple PodDisruptionBudgets.  Chose {:?} arbitrarily.",
                &*budgets[0].name
            );
            self.recorder.warning(pod.as_ref(), "MultiplePodDisruptionBudgets", message);
        }
        if let Some(first) = budgets.into_iter().next() {
            self.queue.add(first);
        }
        if let Some(delay) = change.now().and_then(|pod| stale::due(pod, self.world.now())) {
            self.stale.add_after(Key::of(pod.as_ref()), delay);
        }
    }

    async fn sync(&self, key: &Key) -> reconcile::Outcome {
        let Some(budget) = self.informers.disruption_budgets.get(key) else { return Ok(Next::Wait) };
        let (status, next) = match self.observe(key, &budget).await {
            Ok(observed) => observed,
            Err(why) => {
                tracing::debug!(%key, why, "budget not calculated");
                (budget::failed(&budget, &why, self.world.now()), Next::Wait)
            }
        };
        self.report(key, &budget, &status).await?;
        Ok(next)
    }

    /// What the budget's status should be, and when to look again.
    async fn observe(
        &self,
        key: &Key,
        budget: &PodDisruptionBudget,
    ) -> Result<(PodDisruptionBudgetStatus, Next), String> {
        let selected = self.selected(key, budget)?;
        let expected = self.expected(budget, &selected).await?;
        let now = self.world.now();
        let disrupted = budget::disrupted(budget, &selected, now);
        for pod in &disrupted.kept {
            let namespace = &key.namespace;
            let message =
                format!("Pod was expected by PDB {namespace}/{namespace} to be deleted but it wasn't");
            self.recorder.warning(pod.as_ref(), "NotDeleted", message);
        }
        let next = budget::recheck(&disrupted, now).map_or(Next::Wait, Next::After);
        let healthy = budget::healthy(&selected, &disrupted.since, now);
        Ok((budget::status(budget, expected, healthy, disrupted.since, now), next))
    }

    /// The pods the budget is about, by name.
    fn selected(&self, key: &Key, budget: &PodDisruptionBudget) -> Result<Vec<Arc<Pod>>, String> {
        let selector = budget.spec.as_ref().and_then(|spec| spec.selector.as_ref());
        if let Some(Err(error)) = selector.map(|selector| kube::core::Selector::try_from(selector.clone())) {
            self.recorder.warning(budget, "NoPods", format!("Failed to get pods: {error}"));
            return Err(error.to_string());
        }
        let selector = members::selector(budget);
        let members = self.members.of(key);
        let pods = members.iter().filter_map(|pod| self.informers.pods.get(pod));
        let selected: Vec<_> = pods.filter(|pod| members::matches(selector.as_ref(), pod)).collect();
        if selected.is_empty() {
            self.recorder.normal(budget, "NoPods", "No matching pods found".to_owned());
        }
        Ok(selected)
    }

    async fn expected(
        &self,
        budget: &PodDisruptionBudget,
        selected: &[Arc<Pod>],
    ) -> Result<Expected, String> {
        let mut owners = scale::Owners::default();
        let failed = |why: String| {
            let message = format!("Failed to calculate the number of expected pods: {why}");
            self.recorder.warning(budget, "CalculateExpectedPodCountFailed", message);
            why
        };
        if budget::needs_scale(budget) {
            let (client, namespace) = (self.writer.client(), budget.metadata.namespace.as_deref());
            let namespace = namespace.unwrap_or_default();
            owners = scale::owners(&self.informers, namespace, selected);
            owners.ask(&self.informers, client, namespace).await.map_err(failed)?;
        }
        let expected = budget::expected(budget, selected.len(), owners.total()).map_err(failed)?;
        if owners.has_unmanaged {
            let selector = budget.spec.as_ref().and_then(|spec| spec.selector.as_ref());
            let message = format!(
                "Pods selected by this PodDisruptionBudget (selector: {}) were found to be unmanaged. As a result, \
                 the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To \
                 account for these pods please set \".spec.minAvailable\" field of the PDB to an integer value.",
                budget::selector_text(selector)
            );
            self.recorder.warning(budget, "UnmanagedPods", message);
        }
        Ok(expected)
    }

    /// Writes the status, unless the budget has changed since it was read.
    async fn report(
        &self,
        key: &Key,
        budget: &PodDisruptionBudget,
        status: &PodDisruptionBudgetStatus,
    ) -> Result<(), kube::Error> {
        let Some(change) = patch::difference(budget.status.as_ref(), status)? else { return Ok(()) };
        let version = &budget.metadata.resource_version;
        let change = Patch::Merge(json!({"metadata": {"resourceVersion": version}, "status": change}));
        writes::unless_gone(self.writer.patch::<PodDisruptionBudget>(key, Some("status"), &change).await)
    }

    /// Takes back the announcement of a disruption that did not come.
    async fn clean(&self, key: &Key) -> reconcile::Outcome {
        let Some(pod) = self.informers.pods.get(key) else { return Ok(Next::Wait) };
        let now = self.world.now();
        match stale::due(&pod, now) {
            None => Ok(Next::Wait),
            Some(delay) if !delay.is_zero() => Ok(Next::After(delay)),
            Some(_) => {
                let change = Patch::Strategic(stale::withdrawal(now));
                writes::unless_gone(self.writer.patch::<Pod>(key, Some("status"), &change).await)?;
                Ok(Next::Wait)
            }
        }
    }
}
