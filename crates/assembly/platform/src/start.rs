//! From a Config to a Platform that runs, in either world.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use mainstay_base::net::Listener;
use mainstay_base::task::{Kind, Shutdown, Tree};
use mainstay_base::{Diagnostic, World, limits};
use mainstay_source::Source;
use mainstay_store::Event;
use tokio::sync::{Semaphore, mpsc};

use crate::config::{Config, Listening, RegionConfig};
use crate::control::{self, Answer, Answering, Up};
use crate::documents::Applied;
use crate::kubeconfig::Entry;
use crate::progress::Progress;
use crate::region::Region;
use crate::state::State;
use crate::status::{Declared, Status};
use crate::{codes, documents, update};

pub(crate) mod cluster;

pub(crate) use cluster::cannot_start;

/// Sees every committed change of a region, in order.
pub type Observe = Arc<dyn Fn(&str, &Event) + Send + Sync>;

/// Where a platform keeps what it must not lose.
pub enum Home {
    /// Nowhere: the virtual world. Nothing listens, and every commit is shown to the observer.
    Memory(Option<Observe>),
    /// In a state folder, with an API that listens on loopback.
    Folder(State, Listening),
}

/// What one region stands on.
enum Foundation {
    Memory { observe: Option<Observe>, region: String },
    Folder { folder: PathBuf, listener: Listener },
}

/// A platform that runs.
#[derive(Debug)]
pub struct Platform {
    shared: Arc<Shared>,
    /// Global parts: the control socket.
    tree: Tree,
    progress: Progress,
    /// Held until the end: it locks the folder.
    state: Option<State>,
}

/// What requests on the control socket are answered from.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) world: World,
    pub(crate) regions: Vec<Region>,
    /// Taken by who changes the platform.
    pub(crate) turn: Semaphore,
    held: Mutex<Held>,
}

/// What the last Source came to.
#[derive(Debug)]
pub(crate) struct Held {
    declared: Option<Declared>,
    documents: Applied,
    /// How the objects were left, per region.
    pub(crate) stamps: Arc<Vec<documents::Stamps>>,
}

impl Platform {
    /// Starts all regions at once, applies to each its documents, and answers on the control
    /// socket. Returns when everything runs, not when everything is ready.
    ///
    /// # Errors
    /// A Diagnostic where a port is in use, a store is damaged, or a region cannot start.
    pub async fn start(
        world: World,
        config: Config,
        home: Home,
        progress: Progress,
    ) -> Result<Self, Diagnostic> {
        world.net().set_egress(config.egress());
        let tree = Tree::new(Shutdown::new());
        let foundations = home.lay(&world, &config.regions).await?;
        let starting =
            config.regions.iter().zip(foundations).map(|(region, foundation)| {
                cluster::start(&world, region, foundation, tree.shutdown().clone())
            });
        let regions = futures::future::try_join_all(starting).await?;
        let applied = documents::apply(&regions, &config).await?;
        let shared = Arc::new(Shared {
            name: config.name,
            world: world.clone(),
            regions,
            turn: Semaphore::new(1),
            held: Mutex::new(Held::of(applied, config.declared)),
        });
        let mut platform = Self { shared, tree, progress, state: home.into_state() };
        platform.answer(&world).await?;
        Ok(platform)
    }

    /// Its regions, the primary first.
    pub fn regions(&self) -> &[Region] {
        &self.shared.regions
    }

    /// The documents the API server refused.
    pub fn refusals(&self) -> Vec<Diagnostic> {
        self.shared.held().documents.refusals.clone()
    }

    /// Lets the running platform take another Source; the last answer is returned.
    pub async fn take(&self, up: Up, source: Source, tell: mpsc::Sender<Answer>) -> Answer {
        update::take(Arc::clone(&self.shared), up, source, tell).await
    }

    /// Returns when every region's nodes are ready and its Deployments available.
    pub async fn ready(&self) {
        // They start at once, so each is measured from the same moment on.
        let phases: Vec<_> = self.regions().iter().map(|region| self.progress.begin(region.name())).collect();
        for (region, phase) in self.regions().iter().zip(phases) {
            region.readiness.nodes().await;
            phase.done(region.summary());
        }
        let phase = self.progress.begin("Workloads");
        for region in self.regions() {
            region.readiness.all().await;
        }
        let available: usize = self.regions().iter().map(Region::deployments_available).sum();
        phase.done(format!("{available} deployments available, 0 pending"));
    }

    /// How it stands.
    pub fn status(&self) -> Status {
        self.shared.status()
    }

    /// What kubectl needs, per region; nothing in a virtual world.
    pub fn kubeconfig_entries(&self) -> Vec<Entry> {
        self.regions().iter().filter_map(|region| region.entry.clone()).collect()
    }

    /// Returns when somebody asked it to end, or a part failed that everything needs.
    pub async fn stopped(&self) {
        self.tree.shutdown().begun().await;
    }

    /// Ends everything in order: first who writes, then the stores.
    pub async fn drain(self) {
        self.tree.drain(limits::DRAIN).await;
        for region in self.regions() {
            region.drain().await;
        }
    }

    /// Answers on the state folder's control socket.
    async fn answer(&mut self, world: &World) -> Result<(), Diagnostic> {
        let Some(state) = &self.state else { return Ok(()) };
        let path = state.control_socket();
        let listener = world.net().bind_unix(&path).await.map_err(|error| {
            Diagnostic::error(codes::STATE_FOLDER, format!("{} cannot be made", path.display()))
                .cause(error.to_string())
                .help(
                    "a socket's path must be short (100 characters): name another folder with `--state DIR`",
                )
        })?;
        let shared = Arc::clone(&self.shared);
        let (tree, stop) = (self.tree.clone(), self.tree.shutdown().clone());
        self.tree.spawn(Kind::Listener, "control", control::answer(listener, tree, shared, stop));
        Ok(())
    }
}

impl Held {
    fn of(mut applied: Applied, declared: Option<Declared>) -> Self {
        let stamps = Arc::new(std::mem::take(&mut applied.stamps));
        Self { declared, documents: applied, stamps }
    }
}

impl Answering for Arc<Shared> {
    fn status(&self) -> Status {
        Shared::status(self)
    }

    fn up(self, up: Up, source: Source, tell: mpsc::Sender<Answer>) -> BoxFuture<'static, Answer> {
        update::take(self, up, source, tell).boxed()
    }
}

impl Shared {
    /// What the last Source came to.
    pub(crate) fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what a Source came to.
    pub(crate) fn hold(&self, applied: Applied, declared: Option<Declared>) {
        *self.held() = Held::of(applied, declared);
    }

    fn status(&self) -> Status {
        let regions: Vec<_> = self.regions.iter().map(Region::status).collect();
        let (declared, documents) = {
            let held = self.held();
            (held.declared.clone(), held.documents.documents.clone())
        };
        Status {
            name: self.name.clone(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ready: regions.iter().all(|region| region.ready),
            declared,
            regions,
            components: self.regions.iter().flat_map(Region::components).collect(),
            documents,
        }
    }
}

impl Home {
    /// What each region stands on: its ports are taken first, so that nothing is written when one is
    /// in use.
    async fn lay(&self, world: &World, regions: &[RegionConfig]) -> Result<Vec<Foundation>, Diagnostic> {
        match self {
            Self::Memory(observe) => Ok(regions
                .iter()
                .map(|region| Foundation::Memory { observe: observe.clone(), region: region.name.clone() })
                .collect()),
            Self::Folder(state, listening) => {
                let mut foundations = Vec::new();
                for (index, region) in regions.iter().enumerate() {
                    let listener = bind(world, listening.first_port, index).await?;
                    foundations.push(Foundation::Folder { folder: state.region(&region.name)?, listener });
                }
                Ok(foundations)
            }
        }
    }

    fn into_state(self) -> Option<State> {
        match self {
            Self::Memory(_) => None,
            Self::Folder(state, _) => Some(state),
        }
    }
}

/// Takes the API port of the region at `index`.
async fn bind(world: &World, first_port: u16, index: usize) -> Result<Listener, Diagnostic> {
    let offset = u16::try_from(index).unwrap_or(u16::MAX);
    let port = if first_port == 0 { 0 } else { first_port.saturating_add(offset) };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    world.net().bind(address).await.map_err(|error| {
        Diagnostic::error(codes::PORT_IN_USE, format!("port {port} cannot be used"))
            .cause(format!("bind {address}: {error}"))
            .help("stop what uses it, or choose other ports with `--api-port PORT` (0: any that is free)")
    })
}
