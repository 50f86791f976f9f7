//! What one run of a container comes to, from what is described of it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use mainstay_base::{Random, Seed};
use mainstay_resource::quantity::Quantity;

use super::{Behaviour, Exit, Which};
use crate::bound::{BoundPod, Container, RestartPolicy};
use crate::runtime::{Behaviours, canonical};

/// How long the containers of a Job's pod run of which nothing is said.
const JOB_RUN: Duration = Duration::from_secs(10);
/// How long a container runs of which only is said how it ends.
const SHORT_RUN: Duration = Duration::from_secs(1);
const INIT_RUN_MS: (u64, u64) = (200, 900);
/// Seconds of an hour.
const HOUR: f64 = 3600.0;

static NOTHING_SAID: Behaviour = Behaviour {
    pull: None,
    pull_error: None,
    pull_failures: None,
    start_delay: Duration::ZERO,
    run: None,
    exit_code: None,
    failures: None,
    failure_ratio: None,
    oom: None,
    startup: super::When::After(Duration::ZERO),
    ready: super::When::After(Duration::ZERO),
    unready: crate::runtime::behaviour::Windows::NONE,
    unhealthy: crate::runtime::behaviour::Windows::NONE,
    stop: None,
    pre_stop: None,
    load: crate::runtime::behaviour::Load::NONE,
};

/// What a container is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It serves until it is stopped; whether it is started again whatever it ends with.
    Serve {
        /// Whether it is.
        for_ever: bool,
    },
    /// It does its work and ends.
    Work,
    /// It prepares the pod and ends.
    Prepare,
}

/// A container with what it does.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    /// Which of its pod.
    pub which: Which,
    /// The container.
    pub container: &'a Container,
    /// What it does.
    pub behaviour: &'a Behaviour,
    /// What it is there for.
    pub role: Role,
}

impl<'a> Task<'a> {
    /// A container of a pod; none where it has no such container.
    pub fn of(pod: &'a BoundPod, behaviours: Option<&'a Behaviours>, which: Which) -> Option<Self> {
        let container = pod.spec.container(which)?;
        let behaviour = behaviours.and_then(|all| all.get(which)).unwrap_or(&NOTHING_SAID);
        let role = match which {
            Which::Init(_) if container.is_sidecar() => Role::Serve { for_ever: true },
            Which::Init(_) => Role::Prepare,
            Which::Main(_) if pod.is_of_job() => Role::Work,
            Which::Main(_) => Role::Serve { for_ever: pod.spec.restart_policy == RestartPolicy::Always },
        };
        Some(Self { which, container, behaviour, role })
    }

    /// When and how the `nth` run of it ends by itself.
    pub(super) fn end(self, seed: Seed, started: Timestamp, nth: u32) -> Option<(Timestamp, Exit)> {
        let is_mended = self.behaviour.failures.is_some_and(|failures| nth >= failures);
        let own = self.run_time(seed, nth, is_mended);
        let own = own.map(|run| (started + run, Exit::with(self.code(seed, nth, is_mended))));
        let oom = self.oom().filter(|_| !is_mended).map(|after| (started + after, Exit::OOM));
        oom.into_iter().chain(own).min_by_key(|(at, _)| *at)
    }

    fn run_time(self, seed: Seed, nth: u32, is_mended: bool) -> Option<Duration> {
        let Behaviour { run, exit_code, failures, failure_ratio, oom, .. } = self.behaviour;
        let says_how = exit_code.is_some() || failures.is_some() && oom.is_none() || failure_ratio.is_some();
        match self.role {
            Role::Serve { for_ever } if is_mended && for_ever => None,
            Role::Serve { .. } if run.is_none() && !says_how => None,
            Role::Serve { .. } => Some(run.unwrap_or(SHORT_RUN)),
            Role::Work => Some(run.unwrap_or(JOB_RUN)),
            Role::Prepare => Some(run.unwrap_or_else(|| {
                let (least, most) = INIT_RUN_MS;
                Duration::from_millis(least + self.stream(seed, nth, "run").below(most - least))
            })),
        }
    }

    fn code(self, seed: Seed, nth: u32, is_mended: bool) -> i32 {
        let Behaviour { exit_code, failures, failure_ratio, .. } = self.behaviour;
        let fails = !is_mended
            && match failure_ratio {
                Some(ratio) => self.stream(seed, nth, "fails").chance(*ratio),
                None => exit_code.is_some() || failures.is_some(),
            };
        if fails { exit_code.unwrap_or(1) } else { 0 }
    }

    /// When it has used up the memory it may use.
    fn oom(self) -> Option<Duration> {
        let load = &self.behaviour.load;
        let grown = || {
            let limits = self.container.resources.as_ref()?.limits.as_ref()?;
            let limit = Quantity::parse(&limits.get("memory")?.0).ok()?.approximate();
            let left = (limit - load.memory).max(0.0);
            let hours = if left == 0.0 { 0.0 } else { left / load.memory_growth };
            Duration::try_from_secs_f64(hours * HOUR).ok()
        };
        let grown = if load.memory > 0.0 || load.memory_growth > 0.0 { grown() } else { None };
        self.behaviour.oom.into_iter().chain(grown).min()
    }

    /// Why the `attempt`th pull of its image fails.
    pub(super) fn pull_error(self, attempt: u32) -> Option<Arc<str>> {
        let error = self.behaviour.pull_error.as_ref()?;
        if self.behaviour.pull_failures.is_some_and(|failures| attempt >= failures) {
            return None;
        }
        let image = canonical(&self.container.image);
        let reference =
            format!("failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\"");
        Some(match &**error {
            "not-found" => {
                format!("rpc error: code = NotFound desc = {reference}: {image}: not found").into()
            }
            "unauthorized" => format!(
                "rpc error: code = Unknown desc = {reference}: pull access denied, repository does not exist \
                 or may require authorization: server message: insufficient_scope: authorization failed"
            )
            .into(),
            _ => Arc::clone(error),
        })
    }

    /// How long what runs before it is stopped takes.
    pub(super) fn pre_stop(self) -> Duration {
        let hook = self.container.lifecycle.as_ref().and_then(|lifecycle| lifecycle.pre_stop.as_ref());
        let Some(hook) = hook else { return Duration::ZERO };
        let waits = hook.sleep.map(|sleep| Duration::from_secs(sleep.seconds));
        waits.or(self.behaviour.pre_stop).unwrap_or(Duration::ZERO)
    }

    /// Random numbers of one run.
    fn stream(self, seed: Seed, nth: u32, purpose: &str) -> Random {
        Random::named(seed, &format!("{:?}/{nth}/{purpose}", self.which))
    }
}
