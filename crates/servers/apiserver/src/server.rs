//! The server: what every request shares.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use mainstay_base::World;
use mainstay_base::task::Shutdown;
use mainstay_pki::Tokens;
use mainstay_resource::Identity;
use mainstay_resource::access::Rule;
use mainstay_store::Store;

use crate::authorization::{Authorizer, Call};
use crate::discovery::Discovery;
use crate::meter::Meter;
use crate::metrics::ProcessStats;
use crate::openapi::OpenApi;
use crate::readiness::Readiness;
use crate::registry::Registry;
use crate::service::InProcess;
use crate::strategy::Strategy;
use crate::{crd, kinds};

/// What a server is made of.
#[derive(Debug)]
pub struct Config {
    /// Its surroundings.
    pub world: World,
    /// The region it serves; names its random stream.
    pub region: String,
    /// Where its objects are. Opened with [`crate::index`].
    pub store: Store,
    /// What each user (or group) may do.
    pub rules: Vec<(String, &'static [Rule])>,
    /// Which bearer token speaks for whom.
    pub tokens: Tokens,
    /// The address clients outside reach it at, `127.0.0.1:6443`.
    pub advertise: String,
}

/// The Kubernetes API of one region; clones share it.
#[derive(Clone, Debug)]
pub struct ApiServer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    world: World,
    store: Store,
    registry: Registry,
    authorizer: Authorizer,
    tokens: Tokens,
    advertise: String,
    meter: Meter,
    readiness: Readiness,
    strategy: Strategy,
    discovery: Discovery,
    openapi: OpenApi,
    /// Reads what the operating system says about this process.
    process: OnceLock<fn() -> ProcessStats>,
    shutdown: Shutdown,
    /// Watches end at different times, so that clients do not come back all at once.
    watch_spread: std::sync::Mutex<mainstay_base::Random>,
}

impl ApiServer {
    /// A server of the built-in resources and of the custom ones the store has definitions of.
    pub fn new(config: Config) -> Self {
        let watch_spread = config.world.random(&format!("apiserver/{}/watches", config.region));
        let registry = Registry::new(kinds::built_in());
        let strategy = Strategy::new(config.world.clone(), config.store.clone(), registry.clone());
        let server = Self(Arc::new(Inner {
            discovery: Discovery::new(registry.clone(), &config.advertise),
            openapi: OpenApi::new(registry.clone()),
            process: OnceLock::new(),
            registry,
            strategy,
            authorizer: Authorizer::new(config.rules),
            tokens: config.tokens,
            advertise: config.advertise,
            meter: Meter::default(),
            readiness: Readiness::default(),
            shutdown: Shutdown::new(),
            watch_spread: std::sync::Mutex::new(watch_spread),
            world: config.world,
            store: config.store,
        }));
        crd::load(server.store(), server.registry());
        server
    }

    /// The API for one identity, without a socket: what `kube::Client::new` takes.
    pub fn service(&self, identity: Identity) -> InProcess {
        InProcess::new(self.clone(), identity)
    }

    /// Who asked to do what, and how often it was denied.
    pub fn calls(&self) -> Vec<Call> {
        self.0.authorizer.calls()
    }

    /// The resources served.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// What was counted about requests.
    pub fn meter(&self) -> &Meter {
        &self.0.meter
    }

    /// Whether it can serve, and what keeps it from it.
    pub fn readiness(&self) -> &Readiness {
        &self.0.readiness
    }

    /// Where its objects are.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// Ends all watches and answers new requests with 503.
    pub fn shut_down(&self) {
        self.0.shutdown.begin();
    }

    /// Says how `/metrics` learns about this process; the first call counts.
    pub fn report_process(&self, read: fn() -> ProcessStats) {
        let _ = self.0.process.set(read);
    }

    pub(crate) fn process(&self) -> Option<ProcessStats> {
        self.0.process.get().map(|read| read())
    }

    pub(crate) fn discovery(&self) -> &Discovery {
        &self.0.discovery
    }

    pub(crate) fn openapi(&self) -> &OpenApi {
        &self.0.openapi
    }

    pub(crate) fn world(&self) -> &World {
        &self.0.world
    }

    pub(crate) fn authorizer(&self) -> &Authorizer {
        &self.0.authorizer
    }

    pub(crate) fn strategy(&self) -> &Strategy {
        &self.0.strategy
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    pub(crate) fn advertise(&self) -> &str {
        &self.0.advertise
    }

    pub(crate) fn shutdown(&self) -> &Shutdown {
        &self.0.shutdown
    }

    /// How long a watch lasts whose client does not say: upstream's half hour to an hour.
    pub(crate) fn watch_duration(&self) -> Duration {
        let mut stream = self.0.watch_spread.lock().expect("invariant: no panic while drawing");
        Duration::from_secs(1800 + stream.below(1800))
    }

    /// The time of day as objects carry it: whole seconds, UTC.
    pub(crate) fn now(&self) -> String {
        timestamp(self.0.world.now())
    }
}

/// A time as objects carry it.
pub(crate) fn timestamp(time: jiff::Timestamp) -> String {
    jiff::Timestamp::from_second(time.as_second())
        .map_or_else(|_| time.to_string(), |whole| whole.to_string())
}
