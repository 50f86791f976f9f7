//! When a container's probes look, and what they make of the answers.
//!
//! A probe looks each period from its first look on. Where the runtime knows that the answer stays
//! the same, looks that would change nothing are left out: the next one is at the first tick after
//! the answer may change. So a healthy container costs nothing, and a failing one is told of at each
//! look, as a kubelet does.
//!
//! SPEC: kubelet's `prober.worker`.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::bound::{Container, Probe};
use crate::runtime::behaviour::When;
use crate::runtime::{Answer, Behaviour, No, Question};

#[cfg(test)]
mod tests;

/// How readiness is looked at where the behaviour says something of it and no probe asks.
const WITHOUT_PROBE: Settings =
    Settings { initial_delay: 0, period: 1, timeout: 1, success_threshold: 1, failure_threshold: 1 };

/// The probes of one container.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Probers {
    pub(super) startup: Option<Prober>,
    pub(super) liveness: Option<Prober>,
    pub(super) readiness: Option<Prober>,
}

/// One probe of a container that runs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Prober {
    /// Its first look; the others follow by its period.
    first: Timestamp,
    /// Its next look; none while nothing can change.
    next: Option<Timestamp>,
    last: Option<bool>,
    /// How many answers in a row were the same.
    run: u32,
    /// Whether it stands for a probe that the container does not have: nobody is told of it.
    pub(super) is_silent: bool,
}

/// A probe's numbers, with defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    initial_delay: u32,
    period: u32,
    timeout: u32,
    success_threshold: u32,
    failure_threshold: u32,
}

impl Settings {
    fn of(probe: Option<&Probe>) -> Self {
        let Some(probe) = probe else { return WITHOUT_PROBE };
        let number = |value: Option<i32>, default: u32| {
            value.and_then(|value| u32::try_from(value).ok()).filter(|value| *value > 0).unwrap_or(default)
        };
        Self {
            initial_delay: number(probe.initial_delay_seconds, 0),
            period: number(probe.period_seconds, 10),
            timeout: number(probe.timeout_seconds, 1),
            success_threshold: number(probe.success_threshold, 1),
            failure_threshold: number(probe.failure_threshold, 3),
        }
    }

    /// How long the prober waits for an answer.
    pub(super) fn patience(self) -> Duration {
        Duration::from_secs(self.timeout.into())
    }
}

/// What a look came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// Why the container did not say yes.
    pub(super) no: Option<No>,
    /// What has now been said often enough to hold.
    pub(super) verdict: Option<bool>,
}

impl Probers {
    /// The probes of a container that starts `now`; none where nothing is to be asked.
    pub(super) fn of(container: &Container, behaviour: &Behaviour, now: Timestamp) -> Option<Box<Self>> {
        let from_now = |probe: &Option<Box<Probe>>| probe.as_ref().map(|_| Prober::new(now));
        let mut probers = Self {
            startup: from_now(&container.startup_probe),
            liveness: from_now(&container.liveness_probe),
            readiness: from_now(&container.readiness_probe),
        };
        probers.stand_in(behaviour, now);
        (probers != Self::default()).then(|| Box::new(probers))
    }

    /// Looks at readiness where no probe does, if something is said of it.
    pub(super) fn stand_in(&mut self, behaviour: &Behaviour, now: Timestamp) {
        let Behaviour { startup, ready, unready, .. } = behaviour;
        let at_once = When::default();
        if self.readiness.is_none() && !(*startup == at_once && *ready == at_once && unready.is_empty()) {
            self.readiness = Some(Prober { is_silent: true, ..Prober::new(now) });
        }
    }

    /// The earliest look there is, of those that look now: before a container has started only its
    /// startup probe does.
    pub(super) fn next(&self, is_started: bool) -> Option<(Timestamp, Question)> {
        let due = |prober: &Option<Prober>, question| {
            prober.as_ref().and_then(|prober| prober.next).map(|at| (at, question))
        };
        if !is_started {
            return due(&self.startup, Question::Startup);
        }
        let liveness = due(&self.liveness, Question::Liveness);
        let readiness = due(&self.readiness, Question::Readiness);
        liveness.into_iter().chain(readiness).min_by_key(|(at, _)| *at)
    }

    pub(super) fn get_mut(&mut self, question: Question) -> Option<&mut Prober> {
        match question {
            Question::Startup => self.startup.as_mut(),
            Question::Liveness => self.liveness.as_mut(),
            Question::Readiness => self.readiness.as_mut(),
        }
    }

    /// The container has started: its readiness is looked at anew, and the others from now on.
    pub(super) fn begin(&mut self, container: &Container, now: Timestamp) {
        if let Some(readiness) = &mut self.readiness {
            readiness.first = now;
            readiness.next = Some(now);
        }
        if let Some(liveness) = &mut self.liveness {
            // Its ticks so far went by unused.
            liveness.next = Some(liveness.tick(settings(container, Question::Liveness), now));
        }
    }

    /// What is described of the container has changed: every probe looks at its next tick.
    pub(super) fn wake(&mut self, container: &Container, now: Timestamp) {
        for question in [Question::Startup, Question::Liveness, Question::Readiness] {
            let settings = settings(container, question);
            if let Some(prober) = self.get_mut(question) {
                prober.catch_up(settings, now);
            }
        }
    }
}

/// The numbers of one of a container's probes.
pub(super) fn settings(container: &Container, question: Question) -> Settings {
    Settings::of(probe(container, question))
}

/// One of a container's probes.
pub(super) fn probe(container: &Container, question: Question) -> Option<&Probe> {
    match question {
        Question::Startup => container.startup_probe.as_deref(),
        Question::Liveness => container.liveness_probe.as_deref(),
        Question::Readiness => container.readiness_probe.as_deref(),
    }
}

impl Prober {
    fn new(now: Timestamp) -> Self {
        Self { first: now, next: Some(now), last: None, run: 0, is_silent: false }
    }

    /// One that an earlier agent had already, and that had come to this.
    pub(super) fn resumed(now: Timestamp, verdict: Option<bool>, is_silent: bool) -> Self {
        Self { last: verdict, is_silent, ..Self::new(now) }
    }

    /// Looks `at` its time at a container that runs since `since` and answers `answer`.
    pub(super) fn look(
        &mut self,
        settings: Settings,
        since: Timestamp,
        at: Timestamp,
        answer: Answer,
    ) -> Look {
        self.next = Some(at + SignedDuration::from_secs(settings.period.into()));
        if at.duration_since(since) < SignedDuration::from_secs(settings.initial_delay.into()) {
            return Look::default();
        }
        let is_yes = answer.verdict.is_ok();
        self.run = if self.last == Some(is_yes) { self.run.saturating_add(1) } else { 1 };
        self.last = Some(is_yes);
        let needed = if is_yes { settings.success_threshold } else { settings.failure_threshold };
        let holds = self.run >= needed;
        // Nobody is told of a silent one's failures: they need no look either.
        if holds && (is_yes || self.is_silent) {
            self.next = answer.until.map(|until| self.tick(settings, until));
        }
        Look { no: answer.verdict.err(), verdict: holds.then_some(is_yes) }
    }

    fn catch_up(&mut self, settings: Settings, now: Timestamp) {
        let tick = self.tick(settings, now);
        self.next = Some(self.next.map_or(tick, |next| next.min(tick)));
    }

    /// The first of its looks at `from` or later.
    fn tick(&self, settings: Settings, from: Timestamp) -> Timestamp {
        let period = i128::from(settings.period) * 1_000_000_000;
        let behind = from.duration_since(self.first).as_nanos();
        let ticks = if behind <= 0 { 0 } else { (behind + period - 1) / period };
        let ahead = i64::try_from(ticks * period).unwrap_or(i64::MAX);
        self.first + SignedDuration::from_nanos(ahead)
    }
}
