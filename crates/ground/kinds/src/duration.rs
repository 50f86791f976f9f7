//! Durations as Go writes them: `1h30m`, `90s`, `250ms`, `1.5h`.
//!
//! Use with serde as `#[serde(with = "mainstay_kinds::duration")]`.
//!
//! SPEC: Go's `time.ParseDuration` and `time.Duration.String`, without negative durations.

use std::fmt::Write as _;
use std::time::Duration;

use serde::de::{Error as _, Visitor};
use serde::{Deserializer, Serializer};

const NANOS_PER_UNIT: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Why a text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidDuration(String);

impl std::fmt::Display for InvalidDuration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "invalid duration {:?}: write it like 90s, 10m or 1h30m", self.0)
    }
}

impl std::error::Error for InvalidDuration {}

/// Reads a duration; `0` needs no unit, everything else does.
pub fn parse(text: &str) -> Result<Duration, InvalidDuration> {
    let invalid = || InvalidDuration(text.to_owned());
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text;
    let mut nanos = 0_u64;
    while !rest.is_empty() {
        let (part, after) = part(rest).ok_or_else(invalid)?;
        nanos = nanos.checked_add(part).ok_or_else(invalid)?;
        rest = after;
    }
    if text.is_empty() { Err(invalid()) } else { Ok(Duration::from_nanos(nanos)) }
}

/// One number with its unit, in nanoseconds, and what follows it.
fn part(text: &str) -> Option<(u64, &str)> {
    let digits_end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at(digits_end);
    let unit_end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(unit_end);
    let (_, scale) = NANOS_PER_UNIT.iter().find(|(name, _)| *name == unit)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut nanos = whole.checked_mul(*scale)?;
    let mut step = *scale;
    for digit in fraction.chars() {
        step /= 10;
        nanos = nanos.checked_add(step * u64::from(digit.to_digit(10)?))?;
    }
    Some((nanos, rest))
}

/// Writes a duration as Go does: `1h30m0s`, `1.5s`, `250ms`, `0s`.
pub fn format(duration: Duration) -> String {
    let nanos = duration.subsec_nanos();
    let seconds = duration.as_secs();
    if seconds == 0 && nanos > 0 {
        return match nanos {
            0..1_000 => format!("{nanos}ns"),
            1_000..1_000_000 => decimal(u64::from(nanos / 1_000), nanos % 1_000, 3) + "µs",
            _ => decimal(u64::from(nanos / 1_000_000), nanos % 1_000_000, 6) + "ms",
        };
    }
    let mut text = String::new();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    if hours > 0 {
        write!(text, "{hours}h").expect("invariant: writing to a String does not fail");
    }
    if seconds >= 60 {
        write!(text, "{minutes}m").expect("invariant: writing to a String does not fail");
    }
    text + &decimal(seconds % 60, nanos, 9) + "s"
}

/// `whole` and `fraction` (of `width` digits) without trailing zeros.
fn decimal(whole: u64, fraction: u32, width: usize) -> String {
    let text = format!("{whole}.{fraction:0width$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// For serde: writes the text form.
pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*duration))
}

/// For serde: reads the text form.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    struct Text;
    impl Visitor<'_> for Text {
        type Value = Duration;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a duration like 90s, 10m or 1h30m")
        }
        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Duration, E> {
            parse(text).map_err(E::custom)
        }
        fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Duration, E> {
            parse(&number.to_string()).map_err(E::custom)
        }
        fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Duration, E> {
            parse(&number.to_string()).map_err(E::custom)
        }
    }
    deserializer.deserialize_any(Text).map_err(D::Error::custom)
}

/// The same for a field that may be left out: `#[serde(with = "mainstay_kinds::duration::option")]`.
pub mod option {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    #[derive(Deserialize)]
    struct Written(#[serde(with = "super")] Duration);

    /// For serde: writes the text form, or nothing.
    ///
    /// # Errors
    /// The serializer's.
    #[allow(clippy::ref_option, reason = "the form that serde asks for")]
    pub fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => super::serialize(duration, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// For serde: reads the text form, or nothing.
    ///
    /// # Errors
    /// Where a text is no duration.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<Written>::deserialize(deserializer)?.map(|Written(duration)| duration))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_go_reads_them() {
        for (text, millis) in [
            ("90s", 90_000),
            ("1h30m", 5_400_000),
            ("250ms", 250),
            ("1.5h", 5_400_000),
            (".5s", 500),
            ("24h", 86_400_000),
            ("0", 0),
            ("1h0m0.25s", 3_600_250),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "10", "m", "1x", "-5s", "1h 30m", ".s", "99999999999999h"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_write_as_go_writes_them() {
        for (millis, text) in [
            (0, "0s"),
            (250, "250ms"),
            (1_500, "1.5s"),
            (60_000, "1m0s"),
            (5_400_000, "1h30m0s"),
            (3_600_250, "1h0m0.25s"),
        ] {
            assert_eq!(format(Duration::from_millis(millis)), text);
        }
        assert_eq!(format(Duration::from_micros(1)), "1µs");
        assert_eq!(format(Duration::from_nanos(1_500)), "1.5µs");
    }
}
