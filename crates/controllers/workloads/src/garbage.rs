//! The garbage collector: deletes what nobody owns any more.
//!
//! It watches the metadata of every kind that can be deleted. Events are left out, as upstream leaves
//! them; leases are not watched either, for nodes renew them all the time: a node's lease is looked
//! up when the node goes.
//!
//! **Spec:** upstream's `garbagecollector`; background, foreground and orphan deletion.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Api;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, Preconditions, PropagationPolicy};
use kube::core::PartialObjectMeta;
use mainstay_base::World;
use mainstay_base::task::Outcome;
use mainstay_control::events::EventType;
use mainstay_control::{Component, Counters, Key, Next, Queue, Recorder, Writer, events, reconcile, writes};
use mainstay_resource::Rule;
use serde_json::{Value, json};

use crate::Informers;
use crate::discovery::{Kind, Kinds};

mod graph;
mod verdict;
mod watch;

#[cfg(test)]
mod tests;

use graph::{Graph, Identity, Item, Observed};
use verdict::{Propagation, Standing, Verdict};

/// Its name, and the field manager it writes as.
pub const NAME: &str = "garbage-collector-controller";
/// The user it reads and writes as.
pub const USER: &str = "system:serviceaccount:kube-system:generic-garbage-collector";
/// What that user may do.
pub const RULES: &[Rule] = &[
    Rule { groups: &["*"], resources: &["*"], verbs: &["delete", "get", "list", "patch", "watch"] },
    Rule { groups: &[""], resources: &["events"], verbs: &["create"] },
];

/// Objects worked on at a time.
const WORKERS: usize = 20;
/// Where nodes keep their leases.
const NODE_LEASES: &str = "kube-node-lease";
/// How long the first lists may take before work begins without them.
const PATIENCE: Duration = Duration::from_secs(30);

/// The collector as the platform starts it.
pub fn component(informers: &Informers) -> Component {
    let (informers, counters) = (informers.clone(), Counters::default());
    Component::new(NAME, USER, RULES, counters.clone(), move |client, world| {
        run(client, world, informers.clone(), counters.clone())
    })
}

/// Runs until it is dropped.
pub async fn run(client: kube::Client, world: World, informers: Informers, counters: Counters) -> Outcome {
    let (recorder, sink) = events::recorder(&world, NAME);
    let collector = Collector {
        writer: Writer::new(client.clone(), NAME),
        recorder,
        kinds: informers.kinds.clone(),
        graph: Mutex::default(),
        queue: Queue::default(),
    };
    let listed = tokio::sync::Notify::new();
    let work = |task: Task| async { collector.work(task).await };
    let working = async {
        // Without all lists every owner would have to be asked for; that is slow and not wrong.
        let _late = tokio::time::timeout(PATIENCE, listed.notified()).await;
        reconcile::run(NAME, &collector.queue, WORKERS, &counters, work).await;
    };
    tokio::select! {
        biased;
        () = watch::run(&collector, &listed) => {}
        () = working => {}
        () = sink.run(client) => {}
    }
    Err("the watches ended".into())
}

/// A piece of work.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Task {
    /// Decide about the object of this uid.
    Look(String),
    /// Delete the lease of a node that is gone: its name and its uid.
    Lease(String, String),
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Look(uid) => write!(f, "{uid}"),
            Self::Lease(node, _) => write!(f, "lease of {node}"),
        }
    }
}

struct Collector {
    writer: Writer,
    recorder: Recorder,
    kinds: Kinds,
    graph: Mutex<Graph>,
    queue: Queue<Task>,
}

impl Collector {
    fn graph(&self) -> MutexGuard<'_, Graph> {
        self.graph.lock().expect("invariant: no panic under this lock")
    }

    /// Takes a change of the graph up: tells of owners that are out of reach, and looks at the rest.
    fn follow_up(&self, observed: Observed) {
        for (uid, owner) in observed.misplaced {
            let dependent = self.graph().item(&uid).map(reference);
            if let Some(dependent) = dependent {
                let message = format!("ownerRef {owner} does not exist in namespace \"{}\"", owner.namespace);
                self.recorder.record(dependent, EventType::Warning, "OwnerRefInvalidNamespace", message);
            }
        }
        self.look_at(observed.look_at);
    }

    fn look_at(&self, uids: Vec<String>) {
        for uid in uids {
            self.queue.add(Task::Look(uid));
        }
    }

    async fn work(&self, task: Task) -> reconcile::Outcome {
        match task {
            Task::Look(uid) => self.look(&uid).await,
            Task::Lease(node, uid) => self.delete_lease(&node, &uid).await,
        }
        .map(|()| Next::Wait)
    }

    async fn look(&self, uid: &str) -> Result<(), kube::Error> {
        let mut asked = BTreeMap::new();
        loop {
            let (item, verdict) = {
                let graph = self.graph();
                let Some(item) = graph.item(uid).cloned() else { return Ok(()) };
                (item, graph.decide(uid, &asked))
            };
            let Verdict::Ask(owners) = verdict else { return self.execute(&item, verdict).await };
            for owner in owners {
                let standing = self.ask(&item, &owner).await?;
                asked.insert(Identity::named(&owner, &item.key.namespace), standing);
            }
        }
    }

    /// Asks the server how an owner stands.
    async fn ask(&self, item: &Item, owner: &OwnerReference) -> Result<Standing, kube::Error> {
        let kinds = self.kinds.known().await;
        // A kind nobody serves may be served again: what it owns is kept.
        let Some(kind) = kinds.iter().find(|kind| kind.is_of(owner)) else { return Ok(Standing::Solid) };
        if kind.is_namespaced && item.key.namespace.is_empty() {
            return Ok(Standing::Misplaced);
        }
        let namespace = if kind.is_namespaced { &*item.key.namespace } else { "" };
        let found = self.api(kind, namespace).get_metadata_opt(&owner.name).await?;
        let found = found.filter(|found| found.metadata.uid.as_deref() == Some(&owner.uid));
        let Some(found) = found else {
            self.graph().note_gone(Identity::named(owner, namespace));
            return Ok(Standing::Gone);
        };
        let waits = Item::new(kind.clone(), &found.metadata).waits_for_dependents();
        Ok(if waits { Standing::Waiting } else { Standing::Solid })
    }

    async fn execute(&self, item: &Item, verdict: Verdict) -> Result<(), kube::Error> {
        match verdict {
            Verdict::Keep | Verdict::Ask(_) => Ok(()),
            Verdict::Detach(owners) => {
                let rest = item.owners_without(&owners);
                self.patch(item, &json!({ "ownerReferences": rest })).await
            }
            Verdict::Delete(propagation) => self.delete(item, propagation, item.version.clone()).await,
            Verdict::Unblock => {
                self.patch(item, &json!({ "ownerReferences": item.owners_unblocked() })).await?;
                self.delete(item, Propagation::Foreground, None).await
            }
            Verdict::Dependents(uids) => {
                self.look_at(uids);
                Ok(())
            }
            Verdict::LetGo => self.drop_finalizer(item, graph::FOREGROUND).await,
            Verdict::Orphan(uids) => {
                let owner = [item.uid.clone()].into();
                for uid in uids {
                    let dependent = self.graph().item(&uid).cloned();
                    if let Some(dependent) = dependent {
                        let rest = dependent.owners_without(&owner);
                        self.patch(&dependent, &json!({ "ownerReferences": rest })).await?;
                    }
                }
                self.drop_finalizer(item, graph::ORPHAN).await
            }
        }
    }

    async fn delete(
        &self,
        item: &Item,
        propagation: Propagation,
        version: Option<String>,
    ) -> Result<(), kube::Error> {
        let policy = match propagation {
            Propagation::Background => PropagationPolicy::Background,
            Propagation::Foreground => PropagationPolicy::Foreground,
            Propagation::Orphan => PropagationPolicy::Orphan,
        };
        let preconditions = Preconditions { uid: Some(item.uid.clone()), resource_version: version };
        let params = DeleteParams {
            propagation_policy: Some(policy),
            preconditions: Some(preconditions),
            ..DeleteParams::default()
        };
        let deleted = self.api(&item.kind, &item.key.namespace).delete(&item.key.name, &params).await;
        writes::unless_gone(deleted.map(|_| ()))
    }

    async fn drop_finalizer(&self, item: &Item, finalizer: &str) -> Result<(), kube::Error> {
        let rest: Vec<&String> = item.finalizers.iter().filter(|own| *own != finalizer).collect();
        self.patch(item, &json!({ "finalizers": rest })).await
    }

    /// Changes an object's metadata, if it is still as it was seen.
    async fn patch(&self, item: &Item, metadata: &Value) -> Result<(), kube::Error> {
        let mut patch = json!({ "metadata": metadata });
        patch["metadata"]["uid"] = json!(item.uid);
        patch["metadata"]["resourceVersion"] = json!(item.version);
        let params = PatchParams { field_manager: Some(NAME.to_owned()), ..PatchParams::default() };
        let api = self.api(&item.kind, &item.key.namespace);
        writes::unless_gone(api.patch(&item.key.name, &params, &Patch::Merge(patch)).await.map(|_| ()))
    }

    async fn delete_lease(&self, node: &str, uid: &str) -> Result<(), kube::Error> {
        let api = Api::<Lease>::namespaced(self.writer.client().clone(), NODE_LEASES);
        let lease = api.get_metadata_opt(node).await?.map(|lease| lease.metadata);
        let is_of_node =
            |meta: &ObjectMeta| meta.owner_references.iter().flatten().any(|owner| owner.uid == uid);
        if !lease.is_some_and(|meta| is_of_node(&meta)) {
            return Ok(());
        }
        self.writer.delete::<Lease>(&Key::new(NODE_LEASES, node), &DeleteParams::background()).await
    }

    fn api(&self, kind: &Kind, namespace: &str) -> Api<PartialObjectMeta<DynamicObject>> {
        let client = self.writer.client().clone();
        if kind.is_namespaced && !namespace.is_empty() {
            Api::namespaced_with(client, namespace, &kind.resource)
        } else {
            Api::all_with(client, &kind.resource)
        }
    }
}

/// What an event about the object refers to.
fn reference(item: &Item) -> ObjectReference {
    let resource = &item.kind.resource;
    ObjectReference {
        api_version: Some(resource.api_version.clone()),
        kind: Some(resource.kind.clone()),
        namespace: Some(item.key.namespace.to_string()).filter(|namespace| !namespace.is_empty()),
        name: Some(item.key.name.to_string()),
        uid: Some(item.uid.clone()),
        ..ObjectReference::default()
    }
}
