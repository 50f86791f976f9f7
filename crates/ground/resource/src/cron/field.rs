//! The five fields: what of the calendar each of them admits, as sets of bits.

use super::{CronError, Problem};

/// The values a field admits: a bit each, and whether it was written as a star.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field(pub(super) u64);

/// Marks a field written as a star: it restricts nothing.
pub(super) const STAR: u64 = 1 << 63;

impl Field {
    /// Whether the value is admitted.
    pub(super) fn has(self, value: i8) -> bool {
        u32::try_from(value).is_ok_and(|value| self.0.checked_shr(value).unwrap_or_default() & 1 == 1)
    }

    /// Whether it was written as a star.
    pub(super) fn is_star(self) -> bool {
        self.0 & STAR != 0
    }

    /// Whether it admits no value, as one of commas only does.
    pub(super) fn is_empty(self) -> bool {
        self.0 & !STAR == 0
    }
}

/// What the five fields admit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) minute: Field,
    pub(super) hour: Field,
    pub(super) day: Field,
    pub(super) month: Field,
    pub(super) weekday: Field,
}

impl Fields {
    /// Reads the fields in `rest`, a part of `text`.
    pub(super) fn parse(text: &str, rest: &str) -> Result<Self, CronError> {
        let given: Vec<&str> = rest.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = *given else {
            let problem = Problem::Fields { found: given.len(), given: given.join(" ") };
            return Err(problem.at(text, rest));
        };
        Ok(Self {
            minute: MINUTE.field(text, minute)?,
            hour: HOUR.field(text, hour)?,
            day: DAY.field(text, day)?,
            month: MONTH.field(text, month)?,
            weekday: WEEKDAY.field(text, weekday)?,
        })
    }

    /// Whether a day is admitted: one restriction must hold when the other is a star, else either.
    pub(super) fn has_day(&self, day: i8, weekday: i8) -> bool {
        let (day_matches, weekday_matches) = (self.day.has(day), self.weekday.has(weekday));
        if self.day.is_star() || self.weekday.is_star() {
            day_matches && weekday_matches
        } else {
            day_matches || weekday_matches
        }
    }

    /// Whether no time is ever admitted, because a field admits none.
    pub(super) fn is_never(&self) -> bool {
        self.minute.is_empty()
            || self.hour.is_empty()
            || self.month.is_empty()
            || self.day.is_empty() && (self.weekday.is_empty() || self.weekday.is_star())
            || self.weekday.is_empty() && self.day.is_star()
    }
}

/// What may stand in a field; the name at each place means the least value and so many more.
pub(super) struct Bounds {
    pub(super) least: u64,
    pub(super) most: u64,
    pub(super) names: &'static [&'static str],
}

pub(super) const MINUTE: Bounds = Bounds { least: 0, most: 59, names: &[] };
pub(super) const HOUR: Bounds = Bounds { least: 0, most: 23, names: &[] };
pub(super) const DAY: Bounds = Bounds { least: 1, most: 31, names: &[] };
pub(super) const MONTH: Bounds = Bounds {
    least: 1,
    most: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
pub(super) const WEEKDAY: Bounds =
    Bounds { least: 0, most: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

impl Bounds {
    /// Reads a list of ranges.
    pub(super) fn field(&self, text: &str, given: &str) -> Result<Field, CronError> {
        let ranges = given.split(',').filter(|range| !range.is_empty());
        ranges.map(|range| self.range(text, range)).try_fold(Field(0), |all, one| Ok(Field(all.0 | one?)))
    }

    /// Reads `*`, `a`, `a-b`, each perhaps with `/step`.
    pub(super) fn range(&self, text: &str, given: &str) -> Result<u64, CronError> {
        let mut parts = given.split('/');
        let span = parts.next().unwrap_or_default();
        let (start, mut end, mut star) = self.span(text, given, span)?;
        let step = match (parts.next(), parts.next()) {
            (None, _) => 1,
            (Some(step), None) => {
                let step = number(text, step)?;
                if !span.contains('-') {
                    end = self.most;
                }
                if step > 1 {
                    star = 0;
                }
                step
            }
            (Some(_), Some(_)) => return Err(Problem::Slashes(given.to_owned()).at(text, given)),
        };
        self.check(start, end, step, given).map_err(|problem| problem.at(text, given))?;
        Ok(bits(start, end, step) | star)
    }

    /// The first and the last value of a range, and the star where there is one.
    fn span(&self, text: &str, given: &str, span: &str) -> Result<(u64, u64, u64), CronError> {
        let mut ends = span.split('-');
        let first = ends.next().unwrap_or_default();
        if matches!(first, "*" | "?") {
            return Ok((self.least, self.most, STAR));
        }
        let start = self.value(text, first)?;
        match (ends.next(), ends.next()) {
            (None, _) => Ok((start, start, 0)),
            (Some(last), None) => Ok((start, self.value(text, last)?, 0)),
            (Some(_), Some(_)) => Err(Problem::Hyphens(given.to_owned()).at(text, given)),
        }
    }

    fn check(&self, start: u64, end: u64, step: u64, given: &str) -> Result<(), Problem> {
        let given = given.to_owned();
        if start < self.least {
            Err(Problem::Below { start, least: self.least, given })
        } else if end > self.most {
            Err(Problem::Above { end, most: self.most, given })
        } else if start > end {
            Err(Problem::Backwards { start, end, given })
        } else if step == 0 {
            Err(Problem::Step(given))
        } else {
            Ok(())
        }
    }

    /// A number or a name, in any case.
    fn value(&self, text: &str, given: &str) -> Result<u64, CronError> {
        let named = (self.least..).zip(self.names).find(|(_, name)| name.eq_ignore_ascii_case(given));
        named.map_or_else(|| number(text, given), |(value, _)| Ok(value))
    }
}

/// The bits from `start` to `end`, every `step`th of them; all below 63.
pub(super) fn bits(start: u64, end: u64, step: u64) -> u64 {
    let step = usize::try_from(step).unwrap_or(usize::MAX);
    (start..=end).step_by(step).fold(0, |bits, value| bits | 1 << value)
}

/// A number as Go's `strconv.Atoi` reads it, which must not be negative.
fn number(text: &str, given: &str) -> Result<u64, CronError> {
    let digits = given.strip_prefix(['+', '-']).unwrap_or(given);
    let wrong = |why| Problem::Number { given: given.to_owned(), why }.at(text, given);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong("invalid syntax"));
    }
    let number: i64 = given.parse().map_err(|_| wrong("value out of range"))?;
    u64::try_from(number).map_err(|_| Problem::Negative { number, given: given.to_owned() }.at(text, given))
}
