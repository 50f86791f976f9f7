//! A controller as the platform starts it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use mainstay_base::World;
use mainstay_base::task::Outcome;
use mainstay_resource::Rule;

use crate::Counters;

/// A running component.
pub type Running = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// Something that runs on the Kubernetes API alone: its name, who it is, what it may do, and the
/// future it is. The future runs until it is dropped or fails; it may be made again after that.
#[derive(Clone)]
pub struct Component {
    /// The name, `deployment-controller`.
    pub name: &'static str,
    /// The user its client asks as.
    pub user: &'static str,
    /// What that user may do.
    pub rules: &'static [Rule],
    /// How it fares.
    pub counters: Counters,
    run: Arc<dyn Fn(kube::Client, World) -> Running + Send + Sync>,
}

impl Component {
    /// A component that runs what `run` makes.
    pub fn new<F, Fut>(
        name: &'static str,
        user: &'static str,
        rules: &'static [Rule],
        counters: Counters,
        run: F,
    ) -> Self
    where
        F: Fn(kube::Client, World) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        Self { name, user, rules, counters, run: Arc::new(move |client, world| Box::pin(run(client, world))) }
    }

    /// The component's future; `client` has its identity.
    pub fn run(&self, client: kube::Client, world: World) -> Running {
        (self.run)(client, world)
    }
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Component")
            .field("name", &self.name)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}
