//! A question that waits for its answer: an expectation from its step to its verdict.

use std::time::Duration;

use tokio::time::Instant;

use crate::gaze::{Gaze, Otherwise, Seat};
use crate::history::History;

/// An expectation that was asked.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) gaze: Gaze,
    begun: Instant,
    /// Until when it may become so.
    deadline: Instant,
    /// How long it must stay so.
    lasting: Duration,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Waiting,
    /// It is so since then.
    Holding(Instant),
    Over(Verdict),
}

/// What came of a question.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    /// It became so after this long.
    So(Duration),
    /// It did not, or did not stay so.
    Otherwise(Otherwise),
}

impl Asked {
    /// Asks now; there is an answer after the first [`Asked::look`] where none has to be waited for.
    pub(crate) fn new(gaze: Gaze, within: Duration, lasting: Duration, now: Instant) -> Self {
        Self { gaze, begun: now, deadline: now + within, lasting, phase: Phase::Waiting }
    }

    /// Looks whether it is so now; something may have changed, or time passed.
    pub(crate) fn look(&mut self, now: Instant, seat: &Seat, history: &History) {
        let judgement = match self.phase {
            Phase::Over(_) => return,
            _ => self.gaze.judge(seat, history),
        };
        match (&self.phase, judgement) {
            (Phase::Waiting, Ok(())) => self.phase = Phase::Holding(now),
            (Phase::Holding(_), Err(_)) if now < self.deadline => self.phase = Phase::Waiting,
            (Phase::Holding(since), Err(mut otherwise)) => {
                let held = mainstay_kinds::duration::format(now.duration_since(*since));
                let lasting = mainstay_kinds::duration::format(self.lasting);
                otherwise.expected = format!("{} for {lasting} (it was so for {held})", otherwise.expected);
                self.phase = Phase::Over(Verdict::Otherwise(otherwise));
            }
            (Phase::Waiting, Err(otherwise)) if now >= self.deadline => {
                self.phase = Phase::Over(Verdict::Otherwise(otherwise));
            }
            _ => {}
        }
        if let Phase::Holding(since) = self.phase
            && now >= since + self.lasting
        {
            self.phase = Phase::Over(Verdict::So(since.duration_since(self.begun)));
        }
    }

    /// When it must be looked at, whatever happens until then.
    pub(crate) fn due(&self) -> Instant {
        match &self.phase {
            Phase::Waiting => self.deadline,
            Phase::Holding(since) => *since + self.lasting,
            Phase::Over(_) => self.begun,
        }
    }

    /// What came of it, once something has.
    pub(crate) fn verdict(&self) -> Option<&Verdict> {
        match &self.phase {
            Phase::Over(verdict) => Some(verdict),
            _ => None,
        }
    }

    /// The drill is over: what is so until now stays so, what is not did not become so.
    pub(crate) fn end(&mut self, seat: &Seat, history: &History) {
        let over = match self.phase {
            Phase::Over(_) => return,
            Phase::Holding(since) => Verdict::So(since.duration_since(self.begun)),
            Phase::Waiting => match self.gaze.judge(seat, history) {
                Ok(()) => Verdict::So(Duration::ZERO),
                Err(otherwise) => Verdict::Otherwise(otherwise),
            },
        };
        self.phase = Phase::Over(over);
    }
}
