//! The Endpoints controller: the older telling of which pods stand behind a Service, one object of
//! the Service's name.
//!
//! **Invariants:** a change is made only of the state it was decided on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use k8s_openapi::api::core::v1::{Endpoints, Service};
use kube::api::{DeleteParams, Patch};
use mainstay_base::World;
use mainstay_base::task::Outcome;
use mainstay_control::informer::Subscription;
use mainstay_control::meta::is_terminating;
use mainstay_control::{
    Change, Component, Counters, Key, Next, Queue, Recorder, Writer, events, patch, reconcile, writes,
};
use mainstay_resource::Rule;
use serde_json::json;

use super::trigger::{self, Triggers};
use super::{members, watch};
use crate::Informers;

pub mod subsets;

#[cfg(test)]
mod tests;

/// Its name, and the field manager it writes as.
pub const NAME: &str = "endpoint-controller";
/// The user it writes as.
pub const USER: &str = "system:serviceaccount:kube-system:endpoint-controller";
/// What that user may do.
pub const RULES: &[Rule] =
    &[Rule { groups: &[""], resources: &["endpoints"], verbs: &["create", "delete", "patch"] }, events::RULE];

/// Services worked on at a time.
const WORKERS: usize = 5;
/// The label with who keeps the object.
const MANAGED_BY: &str = "endpoints.kubernetes.io/managed-by";
/// The annotation of an object that leaves something out.
const OVER_CAPACITY: &str = "endpoints.kubernetes.io/over-capacity";

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
        triggers: Mutex::default(),
    });
    controller.informers.services.synced().await;
    controller.informers.pods.synced().await;
    controller.informers.endpoints.synced().await;
    let _subscriptions =
        (watch::subscribe(&controller.informers, &controller.queue), controller.follow_endpoints());
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
    triggers: Mutex<Triggers>,
}

impl Controller {
    async fn sync(&self, key: &Key) -> reconcile::Outcome {
        let current = self.informers.endpoints.get(key);
        let Some(service) = self.informers.services.get(key) else {
            self.triggers.lock().unwrap_or_else(PoisonError::into_inner).forget(key);
            if current.is_some() {
                self.writer.delete::<Endpoints>(key, &DeleteParams::default()).await?;
            }
            return Ok(Next::Wait);
        };
        if members::selector(&service).is_none() || is_terminating(&service.metadata) {
            return Ok(Next::Wait);
        }
        let pods = watch::pods_of(&self.informers, &service);
        let trigger = self.triggers.lock().unwrap_or_else(PoisonError::into_inner).look(key, &service, &pods);
        let (subsets, is_truncated) = subsets::subsets(&service, &pods);
        let mut wanted = current.as_deref().cloned().unwrap_or_default();
        wanted.subsets = Some(subsets).filter(|subsets| !subsets.is_empty());
        wanted.metadata.labels = Some(labels(&service));
        let told = match &current {
            Some(current) if tells_the_same(current, &wanted) => return Ok(Next::Wait),
            Some(current) => self.update(key, current, &wanted, trigger, is_truncated).await,
            None => self.create(&service, wanted, trigger, is_truncated).await,
        };
        told.map(|()| Next::Wait).inspect_err(|error| self.tell(&service, current.is_some(), error))
    }

    async fn create(
        &self,
        service: &Service,
        mut wanted: Endpoints,
        trigger: Option<jiff::Timestamp>,
        is_truncated: bool,
    ) -> Result<(), kube::Error> {
        wanted.metadata.name.clone_from(&service.metadata.name);
        wanted.metadata.namespace.clone_from(&service.metadata.namespace);
        let annotations = annotations(trigger, is_truncated).into_iter();
        wanted.metadata.annotations =
            Some(annotations.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect());
        match self.writer.create(&wanted).await {
            Err(error) if writes::is_namespace_terminating(&error) => Ok(()),
            made => made.map(|_| ()),
        }
    }

    async fn update(
        &self,
        key: &Key,
        current: &Endpoints,
        wanted: &Endpoints,
        trigger: Option<jiff::Timestamp>,
        is_truncated: bool,
    ) -> Result<(), kube::Error> {
        let mut change = patch::difference(Some(current), wanted)?.unwrap_or_default();
        change["metadata"]["resourceVersion"] = json!(current.metadata.resource_version);
        change["metadata"]["annotations"] = json!(annotations(trigger, is_truncated));
        writes::unless_gone(self.writer.patch::<Endpoints>(key, None, &Patch::Merge(change)).await)
    }

    fn tell(&self, service: &Service, is_there: bool, error: &kube::Error) {
        let (key, why) = (Key::of(service), writes::text(error));
        if is_there {
            let message = format!("Failed to update endpoint {key}: {why}");
            self.recorder.warning(service, "FailedToUpdateEndpoint", message);
        } else {
            let message = format!("Failed to create endpoint for service {key}: {why}");
            self.recorder.warning(service, "FailedToCreateEndpoint", message);
        }
    }

    /// Endpoints that are lost are made again; those without a Service, found at the start, go.
    fn follow_endpoints(self: &Arc<Self>) -> Subscription<Endpoints> {
        let told = self.clone();
        self.informers.endpoints.subscribe(move |change: &Change<Endpoints>| {
            if change.now().is_none() || change.before().is_none() {
                told.queue.add(Key::of(change.latest().as_ref()));
            }
        })
    }
}

/// The labels of a Service's Endpoints.
fn labels(service: &Service) -> BTreeMap<String, String> {
    let mut labels = service.metadata.labels.clone().unwrap_or_default();
    labels.remove(members::HEADLESS);
    if members::is_headless(service) {
        labels.insert(members::HEADLESS.to_owned(), String::new());
    }
    labels.insert(MANAGED_BY.to_owned(), NAME.to_owned());
    labels
}

fn annotations(
    trigger: Option<jiff::Timestamp>,
    is_truncated: bool,
) -> BTreeMap<&'static str, Option<String>> {
    BTreeMap::from([
        (trigger::ANNOTATION, trigger.map(trigger::text)),
        (OVER_CAPACITY, is_truncated.then(|| "truncated".to_owned())),
    ])
}

fn tells_the_same(current: &Endpoints, wanted: &Endpoints) -> bool {
    current.subsets.as_deref().unwrap_or_default() == wanted.subsets.as_deref().unwrap_or_default()
        && current.metadata.labels == wanted.metadata.labels
}
