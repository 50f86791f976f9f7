//! The witness: sees every commit of every region, in order, and answers what is asked about them.
//!
//! **Invariants:** it only looks. Every commit is judged by every question and invariant it can
//! matter to, before the write is acknowledged; what is found is taken out by the drill's one loop.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use mainstay_cel::Expression;
use mainstay_kinds::drill::{Expect, Invariant};
use mainstay_platform::Region;
use mainstay_store::Event;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::asked::{Asked, Verdict};
use crate::chain::chain;
use crate::gaze::{Gaze, Otherwise, Seat};
use crate::guard::{Found, Guard};
use crate::history::History;
use crate::report::{Finding, Violation};
use crate::timeline::Timeline;

/// Sees; clones share what was seen.
#[derive(Clone)]
pub(crate) struct Witness(Arc<Shared>);

struct Shared {
    begun: Instant,
    expressions: BTreeMap<String, Arc<Expression>>,
    seen: Mutex<Seen>,
    /// Something was found.
    found: Notify,
}

struct Seen {
    timeline: Timeline,
    history: History,
    seats: BTreeMap<String, Seat>,
    /// Questions without an answer, by their step's number.
    asked: BTreeMap<usize, Asked>,
    guards: Vec<Guard>,
    violations: Vec<Violation>,
    /// Violations that were told already.
    told: usize,
}

/// What came of a question.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// It became so after this long.
    So(Duration),
    /// It did not.
    Otherwise(Finding),
}

impl Witness {
    pub(crate) fn new(timeline: Timeline, expressions: BTreeMap<String, Arc<Expression>>) -> Self {
        let seen = Seen {
            timeline,
            history: History::default(),
            seats: BTreeMap::new(),
            asked: BTreeMap::new(),
            guards: Vec::new(),
            violations: Vec::new(),
            told: 0,
        };
        let (begun, found) = (Instant::now(), Notify::new());
        Self(Arc::new(Shared { begun, expressions, seen: Mutex::new(seen), found }))
    }

    /// When the drill began.
    pub(crate) fn begun(&self) -> Instant {
        self.0.begun
    }

    /// Takes in a commit.
    pub(crate) fn commit(&self, region: &str, event: &Event) {
        let now = Instant::now();
        let mut seen = self.seen();
        let Seen { timeline, history, seats, asked, guards, violations, .. } = &mut *seen;
        timeline.change(region, event);
        history.commit(region, event, now.duration_since(self.0.begun));
        let Some(seat) = seats.get(region) else { return };
        let mut is_found = false;
        for question in asked.values_mut().filter(|one| one.gaze.region == region) {
            if question.gaze.take_in(event, seat) {
                let due = question.due();
                question.look(now, seat, history);
                // Whoever holds from now on is due earlier than it was.
                is_found |= question.verdict().is_some() || question.due() != due;
            }
        }
        for guard in guards.iter_mut().filter(|one| one.gaze.region == region) {
            if guard.gaze.take_in(event, seat) {
                let due = guard.due(now);
                if let Some(found) = guard.look(now, seat, history) {
                    self.keep(guard, found, now, history, violations);
                    is_found = true;
                }
                is_found |= guard.due(now) != due;
            }
        }
        drop(seen);
        if is_found {
            self.0.found.notify_one();
        }
    }

    /// A region can be looked at, or how it can be has changed.
    pub(crate) fn seat(&self, region: &Region) {
        let api = region.api();
        let seat = Seat {
            store: region.store().clone(),
            registry: api.registry().clone(),
            is_down: region.is_killed(),
        };
        self.seen().seats.insert(region.name().to_owned(), seat);
        self.look_around(Instant::now());
    }

    /// Remembers what a step did.
    pub(crate) fn step(&self, at: Duration, what: String) {
        self.seen().history.step(at, what);
    }

    /// Writes a line about what became of a step.
    pub(crate) fn note(&self, write: impl FnOnce(&mut Timeline)) {
        write(&mut self.seen().timeline);
    }

    /// Asks, on behalf of the step of this number.
    pub(crate) fn ask(&self, number: usize, region: &str, expect: &Expect) {
        let now = Instant::now();
        let mut seen = self.seen();
        let Seen { seats, asked, history, .. } = &mut *seen;
        let Some(seat) = seats.get(region) else { return };
        let gaze = Gaze::new(region, expect, &self.0.expressions, seat);
        let mut question = Asked::new(gaze, expect.within, expect.lasting, now);
        question.look(now, seat, history);
        asked.insert(number, question);
    }

    /// Puts an invariant on watch.
    pub(crate) fn guard(&self, region: &str, invariant: &Invariant) {
        let begun = self.0.begun;
        let mut seen = self.seen();
        let Some(seat) = seen.seats.get(region) else { return };
        let gaze = Gaze::new(region, &invariant.expect, &self.0.expressions, seat);
        let name = invariant.name.clone().unwrap_or_else(|| gaze.about());
        let span = (begun + invariant.from, invariant.until.map(|until| begun + until));
        seen.guards.push(Guard::new(name, gaze, span, invariant.expect.within));
    }

    /// Looks at everything whose time has come.
    pub(crate) fn look_around(&self, now: Instant) {
        let mut seen = self.seen();
        let Seen { history, seats, asked, guards, violations, .. } = &mut *seen;
        for question in asked.values_mut() {
            if let Some(seat) = seats.get(&question.gaze.region) {
                question.look(now, seat, history);
            }
        }
        for guard in guards.iter_mut() {
            if let Some(seat) = seats.get(&guard.gaze.region)
                && let Some(found) = guard.look(now, seat, history)
            {
                self.keep(guard, found, now, history, violations);
            }
        }
    }

    /// When something must be looked at, whatever happens until then.
    pub(crate) fn due(&self) -> Option<Instant> {
        let now = Instant::now();
        let seen = self.seen();
        let asked = seen.asked.values().map(Asked::due);
        asked.chain(seen.guards.iter().filter_map(|guard| guard.due(now))).min()
    }

    /// Returns when something was found since the last time.
    pub(crate) async fn found(&self) {
        self.0.found.notified().await;
    }

    /// The answers there are, by their steps' numbers; each once.
    pub(crate) fn answers(&self) -> Vec<(usize, Answer)> {
        let at = self.0.begun.elapsed();
        let mut seen = self.seen();
        let over: Vec<usize> =
            seen.asked.iter().filter(|(_, one)| one.verdict().is_some()).map(|(number, _)| *number).collect();
        let mut answers = Vec::new();
        for number in over {
            let Some(question) = seen.asked.remove(&number) else { continue };
            match question.verdict() {
                Some(Verdict::So(after)) => answers.push((number, Answer::So(*after))),
                Some(Verdict::Otherwise(otherwise)) => {
                    let finding = finding(&seen.history, &question.gaze, otherwise.clone(), at);
                    answers.push((number, Answer::Otherwise(finding)));
                }
                None => {}
            }
        }
        answers
    }

    /// The violations that were not told yet.
    pub(crate) fn violations(&self) -> Vec<Violation> {
        let mut seen = self.seen();
        let new = seen.violations[seen.told..].to_vec();
        seen.told = seen.violations.len();
        new
    }

    /// The drill is over: every question has its answer.
    pub(crate) fn end(&self) {
        let mut seen = self.seen();
        let Seen { history, seats, asked, .. } = &mut *seen;
        for question in asked.values_mut() {
            if let Some(seat) = seats.get(&question.gaze.region) {
                question.end(seat, history);
            }
        }
    }

    /// Everything that was seen, when nothing more will be.
    pub(crate) fn close(&self) -> (History, Vec<Violation>, Timeline) {
        let mut seen = self.seen();
        let timeline = std::mem::replace(&mut seen.timeline, Timeline::closed());
        (std::mem::take(&mut seen.history), std::mem::take(&mut seen.violations), timeline)
    }

    /// Keeps what a look at an invariant found.
    fn keep(
        &self,
        guard: &Guard,
        found: Found,
        now: Instant,
        history: &History,
        violations: &mut Vec<Violation>,
    ) {
        let since_begin = |instant: Instant| instant.duration_since(self.0.begun);
        match found {
            Found::Broken(since, otherwise) => violations.push(Violation {
                name: guard.name.clone(),
                region: guard.gaze.region.clone(),
                at_seconds: since_begin(since).as_secs_f64(),
                lasted_seconds: None,
                finding: finding(history, &guard.gaze, otherwise, since_begin(now)),
            }),
            Found::Whole(since) => {
                let last = violations
                    .iter_mut()
                    .rev()
                    .find(|one| one.name == guard.name && one.region == guard.gaze.region);
                if let Some(last) = last {
                    last.lasted_seconds = Some(now.duration_since(since).as_secs_f64());
                }
            }
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.seen.lock().expect("invariant: no panic under this lock")
    }
}

fn finding(history: &History, gaze: &Gaze, otherwise: Otherwise, at: Duration) -> Finding {
    Finding {
        at_seconds: at.as_secs_f64(),
        about: otherwise.about,
        expected: otherwise.expected,
        seen: otherwise.seen,
        chain: chain(history, &gaze.subjects(), at),
    }
}
