//! The controllers of upstream's controller manager: what keeps pods as their owners ask, what each
//! namespace, Service, claim and node has to have, and what clears away.
//!
//! It is one crate although it is large: all of it reads one set of caches, and most of it is tables of
//! cases.
//!
//! They share one set of informers, filled under the room's own identity; each writes under its own.
//! [`components`] is the list of all of them.
//!
//! **Not here:** where pods run (`scheduler`), how many there should be (`capacity`), their running
//! (`agent`).

mod claim;
pub mod cron_job;
pub mod daemon_set;
pub mod deployment;
mod discovery;
pub mod disruption;
mod expectations;
mod follow;
pub mod garbage;
pub mod history;
pub mod informers;
pub mod job;
mod jobs;
pub mod namespace;
pub mod node_lifecycle;
pub mod pod_garbage;
mod pods;
pub mod quota;
pub mod replica_set;
pub mod replication_controller;
pub mod root_certificate;
pub mod service_account;
pub mod services;
pub mod stateful_set;
pub mod taint_eviction;
mod taints;
mod told;
pub mod ttl_after_finished;
pub mod volumes;

use mainstay_control::Component;

pub use informers::Informers;
pub use told::Told;

/// Everything this room runs: the shared informers first, then each controller. The certificates are
/// those by which pods know the API server.
pub fn components(certificates: &str) -> Vec<Component> {
    let informers = Informers::new();
    vec![
        informers::component(&informers),
        deployment::component(&informers),
        replica_set::component(&informers),
        replication_controller::component(&informers),
        stateful_set::component(&informers),
        daemon_set::component(&informers),
        job::component(&informers),
        cron_job::component(&informers),
        ttl_after_finished::component(&informers),
        garbage::component(&informers),
        namespace::component(&informers),
        pod_garbage::component(&informers),
        service_account::component(&informers),
        root_certificate::component(&informers, certificates),
        services::slices::component(&informers),
        services::endpoints::component(&informers),
        disruption::component(&informers),
        quota::component(&informers),
        node_lifecycle::component(&informers),
        taint_eviction::component(&informers),
        volumes::binder::component(&informers),
        volumes::provisioner::component(&informers),
        volumes::protection::component(&informers),
    ]
}
