//! The service account controller: every active namespace has its `default` ServiceAccount.
//!
//! **Spec:** upstream's `serviceaccount` controller. Tokens are asked for one by one and never kept
//! in Secrets, so its tokens controller has no counterpart here.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use mainstay_base::World;
use mainstay_base::task::Outcome;
use mainstay_control::{Change, Component, Counters, Key, Next, Queue, Writer, reconcile, writes};
use mainstay_resource::Rule;

use crate::Informers;
use crate::namespace::is_active;

#[cfg(test)]
mod tests;

/// Its name, and the field manager it writes as.
pub const NAME: &str = "serviceaccount-controller";
/// The user it writes as.
pub const USER: &str = "system:serviceaccount:kube-system:service-account-controller";
/// What that user may do.
pub const RULES: &[Rule] = &[Rule { groups: &[""], resources: &["serviceaccounts"], verbs: &["create"] }];

/// The account a pod has that names none.
const DEFAULT: &str = "default";

/// The controller as the platform starts it.
pub fn component(informers: &Informers) -> Component {
    let (informers, counters) = (informers.clone(), Counters::default());
    Component::new(NAME, USER, RULES, counters.clone(), move |client, world| {
        run(client, world, informers.clone(), counters.clone())
    })
}

/// Runs until it is dropped; `client` is the one it writes through.
pub async fn run(client: kube::Client, _world: World, informers: Informers, counters: Counters) -> Outcome {
    let controller =
        Arc::new(Controller { writer: Writer::new(client, NAME), informers, queue: Queue::default() });
    controller.informers.service_accounts.synced().await;
    let told = controller.clone();
    let _namespaces = controller.informers.namespaces.subscribe(move |change: &Change<Namespace>| {
        if change.now().is_some_and(|namespace| is_active(namespace)) {
            told.queue.add(Key::of(change.latest().as_ref()));
        }
    });
    let told = controller.clone();
    let _accounts =
        controller.informers.service_accounts.subscribe(move |change: &Change<ServiceAccount>| {
            if let Change::Deleted { old } = change {
                told.queue.add(Key::cluster(old.metadata.namespace.as_deref().unwrap_or_default()));
            }
        });
    let work = |namespace: Key| {
        let controller = controller.clone();
        async move { controller.sync(&namespace).await }
    };
    reconcile::run(NAME, &controller.queue, 1, &counters, work).await;
    Err("the work loop ended".into())
}

struct Controller {
    writer: Writer,
    informers: Informers,
    queue: Queue<Key>,
}

impl Controller {
    async fn sync(&self, namespace: &Key) -> reconcile::Outcome {
        let account = self.informers.service_accounts.get(&Key::new(&namespace.name, DEFAULT));
        let Some(account) = missing(self.informers.namespaces.get(namespace).as_deref(), account.is_some())
        else {
            return Ok(Next::Wait);
        };
        match self.writer.create(&account).await {
            Err(error) if !writes::already_exists(&error) && !writes::is_namespace_terminating(&error) => {
                Err(error)
            }
            _ => Ok(Next::Wait),
        }
    }
}

/// The account that a namespace lacks.
fn missing(namespace: Option<&Namespace>, has_account: bool) -> Option<ServiceAccount> {
    let namespace = namespace.filter(|namespace| is_active(namespace) && !has_account)?;
    Some(ServiceAccount {
        metadata: ObjectMeta {
            name: Some(DEFAULT.to_owned()),
            namespace: namespace.metadata.name.clone(),
            ..ObjectMeta::default()
        },
        ..ServiceAccount::default()
    })
}
