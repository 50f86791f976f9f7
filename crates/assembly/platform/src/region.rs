//! A Region: one cluster with its servers and everything that runs in it.
//!
//! **Invariants:** it owns its task tree, store, keys and place in the network, and no process-wide
//! state; [`Region::kill`] ends it at whatever await it is in, and what its store holds by then is
//! all that [`Region::restore`] finds.

use std::sync::{Mutex, MutexGuard};

use mainstay_apiserver::ApiServer;
use mainstay_base::net::Addr;
use mainstay_base::task::{Kind, Shutdown, Tree};
use mainstay_base::{Diagnostic, World, limits};
use mainstay_control::Component;
use mainstay_kinds::ClusterConfig;
use mainstay_store::Store;

use crate::components;
use crate::config::Role;
use crate::kubeconfig::Entry;
use crate::readiness::Readiness;
use crate::start::cluster;
use crate::status::{ComponentStatus, Endpoints, RegionStatus};

/// A region that runs.
#[derive(Debug)]
pub struct Region {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// The platform's: it asks every region to end.
    pub(crate) shutdown: Shutdown,
    pub(crate) life: Mutex<Life>,
    pub(crate) store: Store,
    pub(crate) readiness: Readiness,
    /// Where the API listens; `None` in a virtual world.
    pub(crate) address: Option<Addr>,
    /// What kubectl needs; `None` in a virtual world.
    pub(crate) entry: Option<Entry>,
}

/// What ends when a region is killed, and is made anew when it is restored.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    /// The API server's tasks.
    pub(crate) servers: Tree,
    /// Everybody who speaks to it.
    pub(crate) clients: Tree,
    pub(crate) api: ApiServer,
    pub(crate) is_killed: bool,
}

impl Life {
    /// A life whose tasks `shutdown` asks to end.
    pub(crate) fn new(api: ApiServer, shutdown: &Shutdown) -> Self {
        let own = shutdown.child();
        Self { servers: Tree::new(own.clone()), clients: Tree::new(own), api, is_killed: false }
    }
}

impl Region {
    /// Its name, `us-east-1`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its API server.
    pub fn api(&self) -> ApiServer {
        self.life().api.clone()
    }

    /// Its objects.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// A client with the administrator's identity.
    pub fn client(&self) -> kube::Client {
        client(&self.api(), components::administrator())
    }

    /// Waits from now on for the nodes of this cluster.
    pub(crate) fn expect(&self, cluster: &ClusterConfig) {
        self.readiness.expect(cluster::nodes_wanted(cluster));
    }

    /// Ends everything of it at once, as a lost region would; its API answers nobody any more.
    pub fn kill(&self) {
        let mut life = self.life();
        life.is_killed = true;
        life.clients.kill();
        life.servers.kill();
        life.api.shut_down();
    }

    /// Whether it was killed and not restored.
    pub fn is_killed(&self) -> bool {
        self.life().is_killed
    }

    /// Brings a killed region up again on what its store holds, as when the power is back; nothing of
    /// the Source is applied anew. Does nothing where it runs.
    ///
    /// LIMIT: only where nobody listens: a region in a state folder is started again with its platform.
    ///
    /// # Errors
    /// A Diagnostic where it cannot start.
    pub async fn restore(&self, world: &World) -> Result<(), Diagnostic> {
        if self.is_killed() && self.address.is_none() {
            let killed = self.life().clone();
            // Only now is nobody left who could still write for the old life.
            killed.clients.ended().await;
            let list = components::all(mainstay_pki::NOBODY);
            let api = cluster::server(world, &self.name, &self.store, &list, "");
            api.bootstrap().await.map_err(|error| cluster::cannot_start(&self.name, &error))?;
            *self.life() = Life::new(api, &self.shutdown);
            cluster::live(world, self, list);
        }
        Ok(())
    }

    pub(crate) fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().expect("invariant: no panic under this lock")
    }

    /// Starts every component under its own identity.
    pub(crate) fn start_components(&self, world: &World, list: Vec<Component>) {
        let Life { api, clients, .. } = self.life().clone();
        for component in list {
            let api = api.clone();
            let world = world.scoped(&self.name);
            let kind = if component.name.ends_with("agent") { Kind::Agent } else { Kind::Controller };
            clients.supervise(kind, component.name, move || {
                let service = api.service(components::identity(&component)).without_managed_fields();
                component.run(kube::Client::new(service, "default"), world.clone())
            });
        }
    }

    /// Ends it in order: first who writes, then the API, then the store.
    pub(crate) async fn drain(&self) {
        let Life { api, clients, servers, .. } = self.life().clone();
        clients.kill();
        clients.ended().await;
        api.shut_down();
        servers.drain(limits::DRAIN).await;
        self.store.clone().close().await;
    }

    /// How it stands.
    pub(crate) fn status(&self) -> RegionStatus {
        let observed = self.readiness.observed();
        let obstacle = self.api().readiness().obstacles().into_iter().next();
        let reason = obstacle.map(|(check, why)| format!("{check}: {why}")).or_else(|| observed.reason());
        RegionStatus {
            name: self.name.clone(),
            role: self.role.word().to_owned(),
            ready: reason.is_none(),
            reason,
            nodes: observed.nodes_ready,
            nodes_wanted: observed.nodes_wanted,
            deployments: observed.deployments_available,
            endpoints: Endpoints {
                api: self.address.as_ref().map(|address| format!("https://{address}")).unwrap_or_default(),
            },
        }
    }

    /// What start-up says of it: `API https://127.0.0.1:6443, 17 nodes`; its role where it is no
    /// everyday one.
    pub(crate) fn summary(&self) -> String {
        let nodes = self.readiness.observed().nodes_ready;
        let noun = if nodes == 1 { "node" } else { "nodes" };
        let role = match self.role {
            Role::Primary | Role::Secondary => String::new(),
            Role::Dr | Role::Staging => format!(" ({})", self.role.word()),
        };
        match &self.address {
            Some(address) => format!("API https://{address}, {nodes} {noun}{role}"),
            None => format!("{nodes} {noun}{role}"),
        }
    }

    /// Deployments whose replicas are all available.
    pub(crate) fn deployments_available(&self) -> usize {
        self.readiness.observed().deployments_available
    }

    /// Its tasks, for `status`.
    pub(crate) fn components(&self) -> Vec<ComponentStatus> {
        let life = self.life().clone();
        let mut reports = life.servers.report();
        reports.extend(life.clients.report());
        reports.retain(|report| report.kind != Kind::Connection);
        reports.into_iter().map(|report| ComponentStatus::of(&self.name, report)).collect()
    }
}

/// A kube client of `api` with this identity; no socket lies between them.
pub(crate) fn client(api: &ApiServer, identity: mainstay_resource::Identity) -> kube::Client {
    kube::Client::new(api.service(identity), "default")
}
