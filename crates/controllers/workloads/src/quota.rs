//! The quota controller: what each ResourceQuota bounds and what is used of it, calculated anew when
//! a quota changes, when something it counts is gone or has ended, and every five minutes.
//!
//! What comes is charged by who admits it, in the same write; only what goes is found here.
//!
//! **Invariants:** what is used is written only over the very quota it was calculated for, from
//! objects listed after that quota was read, so nothing that was charged meanwhile is forgotten. A
//! new bound is announced before its use is calculated: until both are written nobody is let in
//! who would count towards it. So a quota is never exceeded, however many race for it.
//!
//! **Spec:** upstream's `resourcequota` controller. It writes a bound and its use at once, and lets in
//! uncharged what comes in between.
//!
//! **Not here:** what objects use (`resource::quota`), charges (the API server).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, ResourceQuota, Service};
use mainstay_base::World;
use mainstay_base::task::Outcome;
use mainstay_control::informer::Subscription;
use mainstay_control::{Change, Component, Counters, Key, Next, Queue, Writer, reconcile, writes};
use mainstay_resource::Rule;
use mainstay_resource::quota::{Amounts, Measure, scopes, total};
use tokio::sync::watch as latest;

use crate::Informers;

mod lists;
pub mod plan;
mod replenish;
mod watch;

#[cfg(test)]
mod tests;

use plan::Bounds;

/// Its name, and the field manager it writes as.
pub const NAME: &str = "resourcequota-controller";
/// The user it reads and writes as.
pub const USER: &str = "system:serviceaccount:kube-system:resourcequota-controller";
/// What that user may do.
pub const RULES: &[Rule] = &[
    Rule { groups: &[""], resources: &["resourcequotas/status"], verbs: &["patch"] },
    Rule { groups: &["*"], resources: &["*"], verbs: &["list", "watch"] },
];

/// Quotas worked on at a time.
const WORKERS: usize = 5;
/// How often all is calculated anew.
const PERIOD: Duration = Duration::from_mins(5);

/// The controller as the platform starts it.
pub fn component(informers: &Informers) -> Component {
    let (informers, counters) = (informers.clone(), Counters::default());
    Component::new(NAME, USER, RULES, counters.clone(), move |client, world| {
        run(client, world, informers.clone(), counters.clone())
    })
}

/// Runs until it is dropped.
pub async fn run(client: kube::Client, world: World, informers: Informers, counters: Counters) -> Outcome {
    let controller = Arc::new(Controller {
        writer: Writer::new(client, NAME),
        world,
        informers,
        queue: Queue::default(),
        counted: latest::Sender::default(),
    });
    controller.informers.kinds.known().await;
    let _subscriptions = subscribe(&controller);
    let work = |key| {
        let controller = controller.clone();
        async move { controller.sync(&key).await }
    };
    tokio::select! {
        biased;
        () = reconcile::run(NAME, &controller.queue, WORKERS, &counters, work) => {}
        () = watch::run(&controller) => {}
    }
    Err("the work loop ended".into())
}

struct Controller {
    writer: Writer,
    world: World,
    informers: Informers,
    queue: Queue<Key>,
    /// What the quotas there are count.
    counted: latest::Sender<BTreeSet<Measure>>,
}

/// Keeps `controller` told of changes, for as long as the result is held.
fn subscribe(
    controller: &Arc<Controller>,
) -> (
    Subscription<ResourceQuota>,
    Subscription<Pod>,
    Subscription<Service>,
    Subscription<PersistentVolumeClaim>,
) {
    let informers = &controller.informers;
    let told = controller.clone();
    let quotas = informers.resource_quotas.subscribe(move |change| told.quota_changed(change));
    let told = controller.clone();
    let pods = informers.pods.subscribe(move |change| {
        if replenish::by_pod(change) {
            told.replenish(&Measure::Pods, change.latest().metadata.namespace.as_deref());
        }
    });
    let told = controller.clone();
    let services = informers.services.subscribe(move |change| {
        if replenish::by_service(change) {
            told.replenish(&Measure::Services, change.latest().metadata.namespace.as_deref());
        }
    });
    let told = controller.clone();
    let claims = informers.volume_claims.subscribe(move |change| {
        if replenish::by_claim(change) {
            told.replenish(&Measure::Claims, change.latest().metadata.namespace.as_deref());
        }
    });
    (quotas, pods, services, claims)
}

impl Controller {
    /// A change of its status alone is a charge, or our own doing.
    fn quota_changed(&self, change: &Change<ResourceQuota>) {
        let is_same = change.before().is_some_and(|old| old.spec == change.latest().spec);
        if change.now().is_some() && is_same {
            return;
        }
        self.queue.add(Key::of(change.latest().as_ref()));
        let quotas = self.informers.resource_quotas.all();
        let counted = quotas.iter().flat_map(|quota| Bounds::of(quota).measures()).collect();
        self.counted.send_if_modified(|known| {
            let is_news = *known != counted;
            *known = counted;
            is_news
        });
    }

    /// Has every quota of a namespace looked at again that counts what is measured so.
    fn replenish(&self, measure: &Measure, namespace: Option<&str>) {
        for quota in self.informers.resource_quotas.within(namespace.unwrap_or_default()) {
            if Bounds::of(&quota).is_on(measure) {
                self.queue.add(Key::of(quota.as_ref()));
            }
        }
    }

    async fn sync(&self, key: &Key) -> reconcile::Outcome {
        let Some(quota) = self.informers.resource_quotas.get(key) else { return Ok(Next::Wait) };
        let mut bounds = Bounds::of(&quota);
        let mut version = quota.metadata.resource_version.clone();
        if let Some(change) = bounds.announce() {
            let written = self.writer.merge_status_at::<ResourceQuota>(key, version.as_deref(), change).await;
            match written {
                Ok(metadata) => version = metadata.resource_version,
                Err(error) => return writes::unless_gone(Err(error)).map(|()| Next::Wait),
            }
        }
        let (used, failure) = self.measure(key, &quota, &bounds).await;
        if let Some(change) = bounds.report(&used) {
            let written = self.writer.merge_status_at::<ResourceQuota>(key, version.as_deref(), change).await;
            writes::unless_gone(written.map(|_| ()))?;
        }
        failure.map_or(Ok(Next::After(PERIOD)), Err)
    }

    /// What is used of each amount; what cannot be listed is left out, and the first such failure is told.
    async fn measure(
        &self,
        key: &Key,
        quota: &ResourceQuota,
        bounds: &Bounds,
    ) -> (Amounts, Option<kube::Error>) {
        let spec = serde_json::to_value(&quota.spec).unwrap_or_default();
        let (scopes, now) = (scopes(&spec), self.now());
        let (mut used, mut failure) = (Amounts::new(), None);
        for measure in bounds.measures() {
            let listed =
                match lists::list(self.writer.client(), &self.informers, &measure, &key.namespace).await {
                    Ok(Some(listed)) => listed,
                    // Nobody serves what it counts.
                    Ok(None) => continue,
                    Err(error) => {
                        failure = failure.or(Some(error));
                        continue;
                    }
                };
            used.extend(total(&measure, bounds.hard(), &scopes, &listed, now));
        }
        (used, failure)
    }

    fn now(&self) -> Timestamp {
        self.world.now()
    }
}
