//! The simulated runtime: nothing runs; how long things take and how they end is drawn.
//!
//! **Invariants:** what a run of a container does by itself follows from its pod's uid, its place
//! and which run it is, so an agent that starts again goes on with the same; nothing is drawn per
//! tick, so a pod that does nothing costs nothing.

use std::time::Duration;

use jiff::Timestamp;
use mainstay_base::{Random, Seed};

use super::behaviour::When;
use super::{Answer, Behaviour, Exit, Happening, No, Pull, Question, What, Which};

mod course;
#[cfg(test)]
mod tests;

pub use course::Task;

/// What a registry delivers in a second.
const PULL_BYTES_PER_SECOND: u64 = 200_000_000;
const SANDBOX_MS: (u64, u64) = (40, 160);
const RESOLVE_MS: (u64, u64) = (80, 240);
const CREATE_MS: (u64, u64) = (10, 50);
const START_MS: (u64, u64) = (10, 70);
const STOP_MS: (u64, u64) = (50, 500);
/// A process that is asked to stop always gets this long.
const LEAST_GRACE: Duration = Duration::from_secs(2);

/// What is going on in one pod.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// What decides how runs end.
    seed: Seed,
    random: Random,
    /// What was ordered and is not done, by time.
    coming: Vec<Happening>,
    running: Vec<Process>,
}

#[derive(Clone, Debug)]
struct Process {
    which: Which,
    /// Which run of the container it is, from 0.
    nth: u32,
    started: Timestamp,
    /// When and how it ends by itself.
    end: Option<(Timestamp, Exit)>,
    /// When and how it ends because it was asked to.
    stop: Option<(Timestamp, Exit)>,
}

impl Process {
    fn last(&self) -> Option<(Timestamp, Exit)> {
        self.end.into_iter().chain(self.stop).min_by_key(|(at, _)| *at)
    }
}

impl Simulated {
    /// A pod of which nothing runs; `random` is its own.
    pub fn new(mut random: Random) -> Self {
        Self { seed: Seed(random.next_u64()), random, coming: Vec::new(), running: Vec::new() }
    }

    /// What decides how its runs go.
    pub fn seed(&self) -> Seed {
        self.seed
    }

    /// Makes the sandbox.
    pub fn make_sandbox(&mut self, now: Timestamp) {
        let at = now + self.draw(SANDBOX_MS);
        self.order(at, What::SandboxReady);
    }

    /// Pulls the image of a container for the `attempt`th time, from 0; `is_there` says that only its
    /// name is to be looked up.
    pub fn pull(&mut self, task: Task<'_>, attempt: u32, is_there: bool, now: Timestamp) {
        let bytes = super::Image::of(&task.container.image).bytes;
        let transfer = if is_there { 0 } else { bytes * 1000 / PULL_BYTES_PER_SECOND };
        let drawn = self.draw(RESOLVE_MS);
        let result = match task.pull_error(attempt) {
            Some(error) => Err(error),
            None => Ok(Pull {
                took: task.behaviour.pull.unwrap_or_else(|| drawn + Duration::from_millis(transfer)),
                bytes,
            }),
        };
        let took = result.as_ref().map_or(drawn, |pull| pull.took);
        self.order(now + took, What::Pulled(task.which, result));
    }

    /// Creates and starts a container for the `nth` time, from 0.
    pub fn start(&mut self, task: Task<'_>, nth: u32, now: Timestamp) {
        let created = now + self.draw(CREATE_MS);
        let started = created + self.draw(START_MS) + task.behaviour.start_delay;
        self.order(created, What::Created(task.which));
        self.order(started, What::Started(task.which));
        self.adopt(task, nth, started);
    }

    /// Takes over a container that was `started` before.
    pub fn adopt(&mut self, task: Task<'_>, nth: u32, started: Timestamp) {
        let end = task.end(self.seed, started, nth);
        self.running.retain(|process| process.which != task.which);
        self.running.push(Process { which: task.which, nth, started, end, stop: None });
    }

    /// Takes a container's behaviour in that is another than when it started.
    pub fn revise(&mut self, task: Task<'_>, now: Timestamp) {
        let seed = self.seed;
        if let Some(process) = self.running.iter_mut().find(|process| process.which == task.which) {
            let end = task.end(seed, process.started, process.nth);
            process.end = end.map(|(at, exit)| (at.max(now), exit));
        }
    }

    /// Asks a container to stop within `grace`, after what runs before that.
    pub fn stop(&mut self, task: Task<'_>, grace: Duration, now: Timestamp) {
        let drawn = self.draw(STOP_MS);
        let hook = task.pre_stop().min(grace);
        let left = grace.saturating_sub(hook).max(LEAST_GRACE);
        let (after, exit) = match task.behaviour.stop.unwrap_or(When::After(drawn)) {
            When::After(needs) if needs <= left => (needs, Exit::with(0)),
            _ => (left, Exit::KILLED),
        };
        if let Some(process) = self.running.iter_mut().find(|process| process.which == task.which) {
            let stop = (now + hook + after, exit);
            process.stop = process.stop.into_iter().chain([stop]).min_by_key(|(at, _)| *at);
        }
    }

    /// Forgets what was ordered and has not happened: nothing new comes up any more.
    pub fn abandon(&mut self, now: Timestamp) {
        self.coming.clear();
        self.running.retain(|process| process.started <= now);
    }

    /// When something happens next.
    pub fn next(&self) -> Option<Timestamp> {
        let ends = self.running.iter().filter_map(Process::last).map(|(at, _)| at);
        self.coming.first().map(|happening| happening.at).into_iter().chain(ends).min()
    }

    /// The first thing that has happened until `now` and was not told.
    pub fn happened(&mut self, now: Timestamp) -> Option<Happening> {
        let at = self.next().filter(|at| *at <= now)?;
        if self.coming.first().is_some_and(|happening| happening.at == at) {
            return Some(self.coming.remove(0));
        }
        let ends_at = |process: &Process| process.last().filter(|(end, _)| *end == at);
        let index = self.running.iter().position(|process| ends_at(process).is_some())?;
        let process = self.running.remove(index);
        let (_, exit) = ends_at(&process)?;
        Some(Happening { at, what: What::Exited(process.which, exit) })
    }

    /// What a container of this behaviour that runs since `since` answers `at` a time, to who waits
    /// no longer than `patience`.
    pub fn answer(
        question: Question,
        behaviour: &Behaviour,
        since: Timestamp,
        at: Timestamp,
        patience: Duration,
    ) -> Answer {
        let elapsed = at.duration_since(since).unsigned_abs();
        let is_reached = |when: When| matches!(when, When::After(after) if elapsed >= after);
        let windows = if question == Question::Readiness { &behaviour.unready } else { &behaviour.unhealthy };
        let waits_to_be_ready = question == Question::Readiness && !is_reached(behaviour.ready);
        let verdict = if !is_reached(behaviour.startup) {
            Err(No::Refused)
        } else if waits_to_be_ready || windows.contain(elapsed) {
            Err(No::Denied)
        } else if behaviour.load.latency > patience {
            Err(No::Late)
        } else {
            Ok(())
        };
        let moment = |when: When| match when {
            When::After(after) if after > elapsed => Some(after),
            _ => None,
        };
        let edges = [moment(behaviour.startup), moment(behaviour.ready), windows.next_edge(elapsed)];
        Answer { verdict, until: edges.into_iter().flatten().min().map(|edge| since + edge) }
    }

    fn order(&mut self, at: Timestamp, what: What) {
        let place = self.coming.partition_point(|happening| happening.at <= at);
        self.coming.insert(place, Happening { at, what });
    }

    fn draw(&mut self, (least, most): (u64, u64)) -> Duration {
        Duration::from_millis(least + self.random.below(most - least))
    }
}
