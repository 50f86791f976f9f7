//! The namespace controller: empties a namespace that is to go, then lets it go.
//!
//! **Invariants:** pods go first; the namespace goes when a look at every kind finds nothing left.
//!
//! **Spec:** upstream's `namespace` controller with `OrderedNamespaceDeletion`; its conditions and
//! their messages. Pods that are left are told of among the rest, where upstream says for so long
//! that nothing is; and nobody waits five seconds for other servers to hear of the deletion.

use std::fmt;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Namespace, NamespaceStatus};
use kube::Api;
use kube::api::{DeleteParams, DynamicObject, ListParams};
use kube::core::PartialObjectMeta;
use mainstay_base::World;
use mainstay_base::task::Outcome;
use mainstay_control::meta::is_terminating;
use mainstay_control::{Change, Component, Counters, Key, Next, Queue, Writer, patch, reconcile, writes};
use mainstay_resource::Rule;

use crate::Informers;
use crate::discovery::Kind;

mod conditions;

#[cfg(test)]
mod tests;

use conditions::{Left, terminating_status};

/// Its name, and the field manager it writes as.
pub const NAME: &str = "namespace-controller";
/// The user it reads and writes as.
pub const USER: &str = "system:serviceaccount:kube-system:namespace-controller";
/// What that user may do.
pub const RULES: &[Rule] = &[
    Rule { groups: &[""], resources: &["namespaces/finalize"], verbs: &["update"] },
    Rule { groups: &[""], resources: &["namespaces/status"], verbs: &["patch"] },
    Rule { groups: &["*"], resources: &["*"], verbs: &["delete", "deletecollection", "list"] },
];

/// Namespaces worked on at a time.
const WORKERS: usize = 10;
/// What holds a namespace until it is empty.
const FINALIZER: &str = "kubernetes";

/// The controller as the platform starts it.
pub fn component(informers: &Informers) -> Component {
    let (informers, counters) = (informers.clone(), Counters::default());
    Component::new(NAME, USER, RULES, counters.clone(), move |client, world| {
        run(client, world, informers.clone(), counters.clone())
    })
}

/// Runs until it is dropped.
pub async fn run(client: kube::Client, world: World, informers: Informers, counters: Counters) -> Outcome {
    let controller =
        Arc::new(Controller { writer: Writer::new(client, NAME), world, informers, queue: Queue::default() });
    let told = controller.clone();
    let _subscription = controller.informers.namespaces.subscribe(move |change: &Change<Namespace>| {
        if change.now().is_some_and(|namespace| is_terminating(&namespace.metadata)) {
            told.queue.add(Key::of(change.latest().as_ref()));
        }
    });
    controller.informers.namespaces.synced().await;
    let work = |key| {
        let controller = controller.clone();
        async move { controller.sync(&key).await }
    };
    reconcile::run(NAME, &controller.queue, WORKERS, &counters, work).await;
    Err("the work loop ended".into())
}

struct Controller {
    writer: Writer,
    world: World,
    informers: Informers,
    queue: Queue<Key>,
}

type Object = PartialObjectMeta<DynamicObject>;

impl Controller {
    async fn sync(&self, key: &Key) -> reconcile::Outcome<Failed> {
        let Some(namespace) = self.informers.namespaces.get(key) else { return Ok(Next::Wait) };
        let finalizers = namespace.spec.as_ref().and_then(|spec| spec.finalizers.clone()).unwrap_or_default();
        if !is_terminating(&namespace.metadata) || !finalizers.iter().any(|own| own == FINALIZER) {
            return Ok(Next::Wait);
        }
        let now = self.world.now();
        let left = self.empty(&key.name, Left::of(&namespace, now)).await;
        let status = terminating_status(&namespace, &left, now);
        self.report(key, &namespace, &status).await?;
        if let Some(failure) = left.failure() {
            return Err(Failed::Left(failure));
        }
        match left.patience() {
            Some(patience) => Ok(Next::After(patience)),
            None => Ok(self.finalize(&namespace, finalizers).await?),
        }
    }

    /// Deletes what the namespace holds, pods before all else; says what is left. What fails with one
    /// kind does not keep the others.
    async fn empty(&self, namespace: &str, mut left: Left) -> Left {
        let kinds = self.informers.kinds.known().await;
        let held =
            |kind: &&Arc<Kind>| kind.is_namespaced && kind.can(&["delete", "list"]) && !is_derived(kind);
        let (pods, others): (Vec<_>, Vec<_>) =
            kinds.iter().filter(held).partition(|kind| kind.name() == ("", "pods"));
        for kind in pods {
            self.empty_kind(kind, namespace, &mut left).await;
        }
        if left.is_empty() {
            for kind in others {
                self.empty_kind(kind, namespace, &mut left).await;
            }
        }
        left
    }

    async fn empty_kind(&self, kind: &Kind, namespace: &str, left: &mut Left) {
        match self.delete_kind(kind, namespace).await {
            Ok(rest) => left.note(kind, rest.iter().map(|object| &object.metadata)),
            Err(error) => left.fail(writes::text(&error)),
        }
    }

    /// Deletes the objects of a kind; returns those that are still there.
    async fn delete_kind(
        &self,
        kind: &Kind,
        namespace: &str,
    ) -> Result<Vec<PartialObjectMeta<Object>>, kube::Error> {
        let api = Api::<Object>::namespaced_with(self.writer.client().clone(), namespace, &kind.resource);
        let found = match api.list_metadata(&ListParams::default()).await {
            Ok(found) => found.items,
            // Its definition went meanwhile.
            Err(error) if writes::is_not_found(&error) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        if found.is_empty() {
            return Ok(found);
        }
        if found.iter().any(|object| !is_terminating(&object.metadata)) {
            self.delete_all(kind, &api, &found).await?;
        }
        Ok(api.list_metadata(&ListParams::default()).await?.items)
    }

    async fn delete_all(
        &self,
        kind: &Kind,
        api: &Api<Object>,
        found: &[PartialObjectMeta<Object>],
    ) -> Result<(), kube::Error> {
        let background = DeleteParams::background();
        if kind.can(&["deletecollection"]) {
            return api.delete_collection(&background, &ListParams::default()).await.map(|_| ());
        }
        for object in found {
            let name = object.metadata.name.as_deref().unwrap_or_default();
            writes::unless_gone(api.delete(name, &background).await.map(|_| ()))?;
        }
        Ok(())
    }

    async fn report(
        &self,
        key: &Key,
        namespace: &Namespace,
        status: &NamespaceStatus,
    ) -> Result<(), kube::Error> {
        match patch::difference(namespace.status.as_ref(), status)? {
            Some(change) => writes::unless_gone(self.writer.merge_status::<Namespace>(key, change).await),
            None => Ok(()),
        }
    }

    /// Takes our finalizer off; without any the server deletes the namespace.
    async fn finalize(&self, namespace: &Namespace, finalizers: Vec<String>) -> Result<Next, kube::Error> {
        let object = finalized(namespace, finalizers);
        writes::unless_gone(self.writer.replace_at(&object, "finalize").await)?;
        Ok(Next::Wait)
    }
}

/// The namespace without our finalizer.
fn finalized(namespace: &Namespace, mut finalizers: Vec<String>) -> Namespace {
    finalizers.retain(|own| own != FINALIZER);
    let mut object = namespace.clone();
    // Our own report has given it another version, and nobody else's change is undone by this.
    object.metadata.resource_version = None;
    object.spec.get_or_insert_default().finalizers = Some(finalizers);
    object
}

/// Why a namespace is to be looked at again before long.
#[derive(Debug)]
enum Failed {
    /// The server refused something.
    Api(kube::Error),
    /// Something could not be deleted, or is there though nothing holds it.
    Left(String),
}

impl From<kube::Error> for Failed {
    fn from(error: kube::Error) -> Self {
        Self::Api(error)
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Api(error) => write!(f, "{error}"),
            Self::Left(what) => f.write_str(what),
        }
    }
}

impl reconcile::Failure for Failed {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Api(error) if error.is_conflict())
    }
}

/// Whether anything may be made in the namespace.
pub(crate) fn is_active(namespace: &Namespace) -> bool {
    namespace.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Active")
}

/// Whether objects of the kind come and go with others, or are none.
fn is_derived(kind: &Kind) -> bool {
    matches!(kind.name(), ("events.k8s.io", "events") | ("metrics.k8s.io", _))
}
