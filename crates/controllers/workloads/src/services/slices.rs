//! The EndpointSlice controller: slices of a Service tell which pods stand behind it.
//!
//! **Invariants:** while a slice it made or deleted is not seen so, it makes and deletes none of that
//! Service; a change is made only of the state it was decided on.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{DeleteParams, Patch};
use mainstay_base::World;
use mainstay_base::task::Outcome;
use mainstay_control::informer::Subscription;
use mainstay_control::meta::{is_terminating, label};
use mainstay_control::reconcile::Failure as _;
use mainstay_control::{
    Change, Component, Counters, Key, Next, Queue, Recorder, Writer, events, patch, reconcile, writes,
};
use mainstay_resource::Rule;
use serde_json::json;

use super::trigger::{self, Triggers};
use super::{members, watch};
use crate::Informers;
use crate::expectations::Expectations;
use crate::informers::{BY_SERVICE, SERVICE_NAME};

mod fill;
pub mod plan;

#[cfg(test)]
mod tests;

use plan::{CONTROLLER, MANAGED_BY};

/// Its name, and the field manager it writes as.
pub const NAME: &str = "endpoint-slice-controller";
/// The user it writes as.
pub const USER: &str = "system:serviceaccount:kube-system:endpointslice-controller";
/// What that user may do.
pub const RULES: &[Rule] = &[
    Rule {
        groups: &["discovery.k8s.io"],
        resources: &["endpointslices"],
        verbs: &["create", "delete", "patch"],
    },
    events::RULE,
];

/// When a pod is looked at again whose node was not known.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// Services worked on at a time.
const WORKERS: usize = 5;

/// The controller as the platform starts it.
pub fn component(informers: &Informers) -> Component {
    let (informers, counters) = (informers.clone(), Counters::default());
    Component::new(NAME, USER, RULES, counters.clone(), move |client, world| {
        run(client, world, informers.clone(), counters.clone())
    })
}

/// Runs until it is dropped; `client` is the one it writes through.
pub async fn run(client: kube::Client, world: World, informers: Informers, counters: Counters) -> Outcome {
    let (recorder, sink) = events::recorder(&world, NAME);
    let controller = Arc::new(Controller {
        writer: Writer::new(client.clone(), NAME),
        informers,
        recorder,
        queue: Queue::default(),
        expectations: Expectations::default(),
        triggers: Mutex::default(),
    });
    controller.informers.services.synced().await;
    controller.informers.pods.synced().await;
    controller.informers.nodes.synced().await;
    controller.informers.endpoint_slices.synced().await;
    let _subscriptions =
        (watch::subscribe(&controller.informers, &controller.queue), controller.follow_slices());
    let work = |key| {
        let controller = controller.clone();
        async move { controller.sync(&key).await }
    };
    tokio::select! {
        biased;
        () = reconcile::run(NAME, &controller.queue, WORKERS, &counters, work) => {}
        () = sink.run(client) => {}
    }
    Err("the work loop ended".into())
}

struct Controller {
    writer: Writer,
    informers: Informers,
    recorder: Recorder,
    queue: Queue<Key>,
    expectations: Expectations,
    triggers: Mutex<Triggers>,
}

impl Controller {
    async fn sync(&self, key: &Key) -> reconcile::Outcome {
        let Some(service) = self.informers.services.get(key) else {
            self.expectations.forget(key);
            self.triggers.lock().unwrap_or_else(PoisonError::into_inner).forget(key);
            return Ok(Next::Wait);
        };
        if members::selector(&service).is_none() || !self.expectations.are_met(key) {
            return Ok(Next::Wait);
        }
        let pods = watch::pods_of(&self.informers, &service);
        let trigger = self.triggers.lock().unwrap_or_else(PoisonError::into_inner).look(key, &service, &pods);
        let existing = self.slices(key);
        let node = |name: &str| self.informers.nodes.get(&Key::cluster(name));
        let plan = plan::plan(&service, &pods, &node, &existing);
        let homeless = plan
            .homeless
            .first()
            .map(|(pod, node)| format!("skipping Pod {pod} for Service {key}: Node {node} Not Found"));
        let done = self.carry_out(key, &service, plan, trigger).await;
        let failure = done.as_ref().err().filter(|error| !error.is_conflict()).map(writes::text);
        if let Some(why) = failure.or_else(|| homeless.clone()) {
            let message = format!("Error updating Endpoint Slices for Service {key}: {why}");
            self.recorder.warning(service.as_ref(), "FailedToUpdateEndpointSlices", message);
        }
        done?;
        // A node may be seen after its pod.
        Ok(homeless.map_or(Next::Wait, |_| Next::After(LOOK_AGAIN)))
    }

    /// The slices of a Service that are this controller's.
    fn slices(&self, key: &Key) -> Vec<Arc<EndpointSlice>> {
        let mut slices = self.informers.endpoint_slices.by(BY_SERVICE, &key.to_string());
        slices.retain(|slice| {
            label(&slice.metadata, MANAGED_BY) == Some(CONTROLLER) && !is_terminating(&slice.metadata)
        });
        slices
    }

    async fn carry_out(
        &self,
        key: &Key,
        service: &Service,
        plan: plan::Plan,
        trigger: Option<jiff::Timestamp>,
    ) -> Result<(), kube::Error> {
        let annotation = trigger.map(trigger::text);
        if !is_terminating(&service.metadata) && !plan.create.is_empty() {
            self.create(key, plan.create, annotation.as_deref()).await?;
        }
        for (old, new) in plan.update {
            self.update(&old, &new, annotation.as_deref()).await?;
        }
        if plan.delete.is_empty() {
            return Ok(());
        }
        let doomed: Vec<Key> = plan.delete.iter().map(|slice| Key::of(slice.as_ref())).collect();
        self.expectations.expect_deletions(key, doomed.iter().cloned());
        for slice in &doomed {
            if let Err(error) = self.writer.delete::<EndpointSlice>(slice, &DeleteParams::default()).await {
                self.expectations.forget(key);
                return Err(error);
            }
        }
        Ok(())
    }

    async fn create(
        &self,
        key: &Key,
        slices: Vec<EndpointSlice>,
        annotation: Option<&str>,
    ) -> Result<(), kube::Error> {
        self.expectations.expect_creations(key, slices.len());
        for mut slice in slices {
            if let Some(time) = annotation {
                let annotations = slice.metadata.annotations.get_or_insert_default();
                annotations.insert(trigger::ANNOTATION.to_owned(), time.to_owned());
            }
            if let Err(error) = self.writer.create(&slice).await {
                self.expectations.forget(key);
                return if writes::is_namespace_terminating(&error) { Ok(()) } else { Err(error) };
            }
        }
        Ok(())
    }

    async fn update(
        &self,
        old: &EndpointSlice,
        new: &EndpointSlice,
        annotation: Option<&str>,
    ) -> Result<(), kube::Error> {
        let Some(mut change) = patch::difference(Some(old), new)? else { return Ok(()) };
        change["metadata"]["resourceVersion"] = json!(old.metadata.resource_version);
        change["metadata"]["annotations"] = json!({ trigger::ANNOTATION: annotation });
        let change = Patch::Merge(change);
        writes::unless_gone(self.writer.patch::<EndpointSlice>(&Key::of(old), None, &change).await)
    }

    /// Slices that others change are put right; those that were asked for are seen.
    fn follow_slices(self: &Arc<Self>) -> Subscription<EndpointSlice> {
        let told = self.clone();
        self.informers.endpoint_slices.subscribe(move |change: &Change<EndpointSlice>| {
            let slice = change.latest();
            let Some(name) = label(&slice.metadata, SERVICE_NAME) else { return };
            let service = Key::new(slice.metadata.namespace.as_deref().unwrap_or_default(), name);
            match (change.before(), change.now()) {
                (None, Some(_)) => told.expectations.created(&service, 1),
                (_, None) => told.expectations.deleted(&service, &Key::of(slice.as_ref())),
                _ => {}
            }
            told.queue.add(service);
        })
    }
}
