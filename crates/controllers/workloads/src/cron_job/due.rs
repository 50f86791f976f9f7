//! When a CronJob is due: the latest time it missed, and how long until the next.
//!
//! **Spec:** upstream's `mostRecentScheduleTime` and what is made of it: missed times are counted by
//! the distance of the first two, so that a controller that was away for years does not list them all.

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::batch::v1::CronJob;
use mainstay_resource::cron::Schedule;

/// It comes back so much after the time a Job is due, so that a clock set back a little does not
/// bring it there before.
pub(super) const DELTA: Duration = Duration::from_millis(100);

/// How many times were missed, roughly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missed {
    None,
    Few,
    /// More than a hundred.
    Many,
}

/// What is due of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// From where on it was looked at.
    pub(super) since: Timestamp,
    /// The latest time that has come.
    pub(super) at: Option<Timestamp>,
    pub(super) missed: Missed,
}

/// The schedule never comes due, or twice at once; upstream's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Senseless;

impl fmt::Display for Senseless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("time difference between two schedules is less than 1 second")
    }
}

/// What of the schedule has come; not before its deadline, if `within_deadline`.
pub(super) fn due(
    cron: &CronJob,
    now: Timestamp,
    schedule: &Schedule,
    within_deadline: bool,
) -> Result<Due, Senseless> {
    let mut since = last(cron);
    let deadline = cron.spec.as_ref().and_then(|spec| spec.starting_deadline_seconds);
    if let Some(seconds) = deadline.filter(|_| within_deadline) {
        let earliest = now.checked_sub(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MIN);
        since = since.max(earliest);
    }
    let first = schedule.next(since).ok_or(Senseless)?;
    if now < first {
        return Ok(Due { since, at: None, missed: Missed::None });
    }
    let second = schedule.next(first).ok_or(Senseless)?;
    if now < second {
        return Ok(Due { since, at: Some(first), missed: Missed::None });
    }
    let distance = second.duration_since(first).as_secs();
    if distance < 1 {
        return Err(Senseless);
    }
    let count = now.duration_since(first).as_secs() / distance + 1;
    let close = first.checked_add(SignedDuration::from_secs((count - 2) * distance)).unwrap_or(first);
    let times = std::iter::successors(schedule.next(close), |time| schedule.next(*time));
    let at = times.take_while(|time| *time <= now).last();
    let missed = if count > 100 { Missed::Many } else { Missed::Few };
    Ok(Due { since, at, missed })
}

/// How long until the CronJob is to be looked at again; `None` when its schedule never comes due.
pub(super) fn until_next(cron: &CronJob, now: Timestamp, schedule: &Schedule) -> Option<Duration> {
    let from = match due(cron, now, schedule, false) {
        Ok(Due { at: Some(at), .. }) => at,
        Ok(Due { since, missed: Missed::None, .. }) => since,
        Ok(_) | Err(Senseless) => now,
    };
    let next = schedule.next(from)?.checked_add(DELTA).ok()?;
    Some(Duration::try_from(next.duration_since(now)).unwrap_or_default())
}

/// When it last made a Job, or was made itself.
fn last(cron: &CronJob) -> Timestamp {
    let scheduled = cron.status.as_ref().and_then(|status| status.last_schedule_time.as_ref());
    let made = cron.metadata.creation_timestamp.as_ref();
    scheduled.or(made).map_or(Timestamp::UNIX_EPOCH, |time| time.0)
}
