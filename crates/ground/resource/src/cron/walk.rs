//! The walk through the calendar of a zone to the next time that five fields admit.
//!
//! Field by field, from the month down: a field that does not match is moved on until it does, and
//! whenever one wraps around, the larger ones are looked at again.
//!
//! **Spec:** robfig/cron's `SpecSchedule.Next` over Go's `time.Date` and `AddDate`, so that what
//! daylight saving does comes out the same. So does this: where a day has no midnight or an hour no
//! first minute, a walk that comes from the one before does not see it begin, and does not ask
//! whether the larger field admits it.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan};

use super::field::Fields;

/// So many times larger fields are looked at again; a walk of five years needs fewer.
const PASSES: usize = 100_000;
const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// The first time after the `second` of the epoch that `fields` admit in `zone`.
pub(super) fn next(fields: &Fields, zone: &TimeZone, second: i64) -> Option<Timestamp> {
    if fields.is_never() {
        return None;
    }
    let mut walk = Walk { fields, zone, at: second.checked_add(1)?, is_reset: false };
    let last = walk.local()?.year().checked_add(5)?;
    for _ in 0..PASSES {
        if walk.local()?.year() > last {
            return None;
        }
        if walk.month()? && walk.day()? && walk.hour()? && walk.minute()? && walk.second()? {
            return Timestamp::from_second(walk.at).ok();
        }
    }
    None
}

/// Where the walk has come to. Each step says whether it arrived; if not, its field wrapped around.
struct Walk<'a> {
    fields: &'a Fields,
    zone: &'a TimeZone,
    /// Seconds of the epoch.
    at: i64,
    /// Whether the smaller fields were set to their beginning.
    is_reset: bool,
}

impl Walk<'_> {
    fn month(&mut self) -> Option<bool> {
        while !self.fields.month.has(self.local()?.month()) {
            if self.resets() {
                let now = self.local()?;
                self.at = self.instant(now.year(), now.month(), 1, (0, 0, 0))?;
            }
            let now = self.local()?;
            self.at = self.instant(now.year(), now.month() + 1, now.day(), clock(now))?;
            if self.local()?.month() == 1 {
                return Some(false);
            }
        }
        Some(true)
    }

    fn day(&mut self) -> Option<bool> {
        loop {
            let now = self.local()?;
            if self.fields.has_day(now.day(), weekday(now.weekday())) {
                return Some(true);
            }
            if self.resets() {
                self.at = self.instant(now.year(), now.month(), now.day(), (0, 0, 0))?;
            }
            let (now, before) = (self.local()?, self.at);
            self.at = self.instant(now.year(), now.month(), now.day() + 1, clock(now))?;
            // Midnight may not exist on this day.
            match i64::from(self.local()?.hour()) {
                0 => {}
                hour if hour > 12 => self.at += (24 - hour) * HOUR,
                hour => self.at -= hour * HOUR,
            }
            if self.at <= before {
                // Nor may the day: upstream walks on the spot here.
                self.at = before + DAY;
            }
            if self.local()?.day() == 1 {
                return Some(false);
            }
        }
    }

    fn hour(&mut self) -> Option<bool> {
        while !self.fields.hour.has(self.local()?.hour()) {
            if self.resets() {
                let now = self.local()?;
                self.at = self.instant(now.year(), now.month(), now.day(), (now.hour(), 0, 0))?;
            }
            self.at += HOUR;
            if self.local()?.hour() == 0 {
                return Some(false);
            }
        }
        Some(true)
    }

    fn minute(&mut self) -> Option<bool> {
        while !self.fields.minute.has(self.local()?.minute()) {
            if self.resets() {
                self.at -= self.at.rem_euclid(MINUTE);
            }
            self.at += MINUTE;
            if self.local()?.minute() == 0 {
                return Some(false);
            }
        }
        Some(true)
    }

    fn second(&mut self) -> Option<bool> {
        let second = i64::from(self.local()?.second());
        if second == 0 {
            return Some(true);
        }
        self.is_reset = true;
        self.at += MINUTE - second;
        Some(false)
    }

    /// Whether the smaller fields are to be set to their beginning now.
    fn resets(&mut self) -> bool {
        !std::mem::replace(&mut self.is_reset, true)
    }

    fn local(&self) -> Option<DateTime> {
        Some(self.offset(self.at)?.to_datetime(Timestamp::from_second(self.at).ok()?))
    }

    fn offset(&self, at: i64) -> Option<Offset> {
        Some(self.zone.to_offset(Timestamp::from_second(at).ok()?))
    }

    /// The second of the epoch of a local time; a month or a day one too large runs over. Of two that
    /// there are it is the first, and near one that there is not, one that is.
    fn instant(&self, year: i16, month: i8, day: i8, (hour, minute, second): (i8, i8, i8)) -> Option<i64> {
        let (year, month) = if month > 12 { (year.checked_add(1)?, 1) } else { (year, month) };
        let date = Date::new(year, month, 1).ok()?.checked_add((i64::from(day) - 1).days()).ok()?;
        let time = DateTime::new(date.year(), date.month(), date.day(), hour, minute, second, 0).ok()?;
        let wall = Offset::UTC.to_timestamp(time).ok()?.as_second();
        let before = wall - i64::from(self.offset(wall)?.seconds());
        Some(wall - i64::from(self.offset(before)?.seconds()))
    }
}

fn clock(time: DateTime) -> (i8, i8, i8) {
    (time.hour(), time.minute(), time.second())
}

fn weekday(day: Weekday) -> i8 {
    day.to_sunday_zero_offset()
}
