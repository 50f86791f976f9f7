//! The root certificate publisher: every active namespace has the ConfigMap `kube-root-ca.crt`, by
//! which its pods know the API server.
//!
//! The certificates are the platform's to give; nobody asks a server for them.
//!
//! **Spec:** upstream's `rootcacertpublisher`.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use mainstay_base::World;
use mainstay_base::task::Outcome;
use mainstay_control::meta::annotation;
use mainstay_control::{Change, Component, Counters, Key, Next, Queue, Writer, patch, reconcile, writes};
use mainstay_resource::Rule;
use serde_json::{Value, json};

use crate::Informers;
use crate::informers::ROOT_CERTIFICATE;
use crate::namespace::is_active;

#[cfg(test)]
mod tests;

/// Its name, and the field manager it writes as.
pub const NAME: &str = "root-ca-certificate-publisher-controller";
/// The user it writes as.
pub const USER: &str = "system:serviceaccount:kube-system:root-ca-cert-publisher";
/// What that user may do.
pub const RULES: &[Rule] = &[Rule { groups: &[""], resources: &["configmaps"], verbs: &["create", "patch"] }];

/// Where the certificates are within the ConfigMap.
const FILE: &str = "ca.crt";
/// The annotation that says what the ConfigMap is for, and what upstream's says.
const DESCRIPTION: &str = "kubernetes.io/description";
const PURPOSE: &str = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal \
    endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across \
    distributions of Kubernetes clusters.";

/// The controller as the platform starts it, publishing these certificates.
pub fn component(informers: &Informers, certificates: &str) -> Component {
    let (informers, counters) = (informers.clone(), Counters::default());
    let certificates: Arc<str> = Arc::from(certificates);
    Component::new(NAME, USER, RULES, counters.clone(), move |client, world| {
        run(client, world, informers.clone(), certificates.clone(), counters.clone())
    })
}

/// Runs until it is dropped; `client` is the one it writes through.
pub async fn run(
    client: kube::Client,
    _world: World,
    informers: Informers,
    certificates: Arc<str>,
    counters: Counters,
) -> Outcome {
    let writer = Writer::new(client, NAME);
    let publisher = Arc::new(Publisher { writer, informers, certificates, queue: Queue::default() });
    publisher.informers.config_maps.synced().await;
    let told = publisher.clone();
    let _namespaces = publisher.informers.namespaces.subscribe(move |change: &Change<Namespace>| {
        if change.now().is_some_and(|namespace| is_active(namespace)) {
            told.queue.add(Key::of(change.latest().as_ref()));
        }
    });
    let told = publisher.clone();
    let _maps = publisher.informers.config_maps.subscribe(move |change: &Change<ConfigMap>| {
        let namespace = change.latest().metadata.namespace.as_deref();
        told.queue.add(Key::cluster(namespace.unwrap_or_default()));
    });
    let work = |namespace: Key| {
        let publisher = publisher.clone();
        async move { publisher.sync(&namespace).await }
    };
    reconcile::run(NAME, &publisher.queue, 1, &counters, work).await;
    Err("the work loop ended".into())
}

struct Publisher {
    writer: Writer,
    informers: Informers,
    certificates: Arc<str>,
    queue: Queue<Key>,
}

impl Publisher {
    async fn sync(&self, namespace: &Key) -> reconcile::Outcome {
        let key = Key::new(&namespace.name, ROOT_CERTIFICATE);
        let map = self.informers.config_maps.get(&key);
        let namespace = self.informers.namespaces.get(namespace);
        let written = match plan(namespace.as_deref(), map.as_deref(), &self.certificates)? {
            Plan::Nothing => Ok(()),
            Plan::Create(map) => self.writer.create(map.as_ref()).await.map(|_| ()),
            Plan::Change(patch) => self.writer.merge::<ConfigMap>(&key, &patch).await,
        };
        match written {
            Err(error) if writes::is_namespace_terminating(&error) => Ok(Next::Wait),
            other => writes::unless_gone(other).map(|()| Next::Wait),
        }
    }
}

/// What a namespace's ConfigMap needs.
#[derive(Debug)]
enum Plan {
    Nothing,
    Create(Box<ConfigMap>),
    Change(Value),
}

fn plan(
    namespace: Option<&Namespace>,
    map: Option<&ConfigMap>,
    certificates: &str,
) -> Result<Plan, kube::Error> {
    let Some(namespace) = namespace.filter(|namespace| is_active(namespace)) else {
        return Ok(Plan::Nothing);
    };
    let data = BTreeMap::from([(FILE.to_owned(), certificates.to_owned())]);
    let Some(map) = map else {
        let metadata = ObjectMeta {
            name: Some(ROOT_CERTIFICATE.to_owned()),
            namespace: namespace.metadata.name.clone(),
            annotations: Some([(DESCRIPTION.to_owned(), PURPOSE.to_owned())].into()),
            ..ObjectMeta::default()
        };
        return Ok(Plan::Create(Box::new(ConfigMap { metadata, data: Some(data), ..ConfigMap::default() })));
    };
    let is_described = annotation(&map.metadata, DESCRIPTION).is_some_and(|text| !text.is_empty());
    let difference = patch::difference(map.data.as_ref(), &data)?;
    if is_described && difference.is_none() {
        return Ok(Plan::Nothing);
    }
    let mut patch = json!({"metadata": {"annotations": {DESCRIPTION: PURPOSE}}});
    if let Some(difference) = difference {
        patch["data"] = difference;
    }
    Ok(Plan::Change(patch))
}
