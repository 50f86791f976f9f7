//! Values that are messages in protobuf and scalars in JSON: times, floating-point numbers, and the
//! depth of JSON that comes as text.

use jiff::Timestamp;
use serde_json::Value;

use crate::error::Fault;

/// The seconds of the year 1, upstream's time that is none.
const NO_TIME: i64 = -62_135_596_800;

/// A time as JSON has it; to the second, or to the microsecond.
pub(crate) fn time(seconds: i64, nanos: i32, micro: bool) -> Result<Value, Fault> {
    if seconds == NO_TIME {
        return Ok(Value::Null);
    }
    let time = Timestamp::new(seconds, if micro { nanos } else { 0 }).map_err(|_| Fault::Time)?;
    Ok(Value::from(if micro { format!("{time:.6}") } else { time.to_string() }))
}

/// Seconds and, of a time to the microsecond, nanoseconds.
pub(crate) fn parse_time(text: &str, micro: bool) -> Option<(i64, i32)> {
    if let Some(seconds) = plain_seconds(text) {
        return Some((seconds, 0));
    }
    let time: Timestamp = text.parse().ok()?;
    let nanos = time.as_nanosecond().rem_euclid(1_000_000_000);
    let seconds = time.as_nanosecond().div_euclid(1_000_000_000);
    let nanos = i32::try_from(nanos).ok()?;
    Some((i64::try_from(seconds).ok()?, if micro { nanos / 1000 * 1000 } else { 0 }))
}

/// The seconds of `2006-01-02T15:04:05Z`, which is what nearly all times look like; `None` where
/// the general parser has to decide.
fn plain_seconds(text: &str) -> Option<i64> {
    let bytes: &[u8; 20] = text.as_bytes().try_into().ok()?;
    let fixed = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')];
    if fixed.iter().any(|(at, byte)| bytes[*at] != *byte) {
        return None;
    }
    let number = |from: usize, to: usize| {
        bytes[from..to]
            .iter()
            .try_fold(0_i64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    // Days that only some months have are left to the general parser.
    if !((1..=12).contains(&month) && (1..=28).contains(&day) && hour < 24 && minute < 60 && second < 60) {
        return None;
    }
    // Years begin in March here, so that the day a leap year has more is the last.
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

/// A floating-point number as upstream's JSON has it: without a point where it is whole.
pub(crate) fn double(number: f64) -> Result<Value, Fault> {
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    if !number.is_finite() {
        return Err(Fault::OutOfRange);
    }
    if number.fract() == 0.0 && number.abs() < WHOLE {
        #[allow(clippy::cast_possible_truncation, reason = "it is whole and small enough")]
        return Ok(Value::from(number as i64));
    }
    Ok(Value::from(number))
}

/// How deep a JSON text nests, without reading it into anything.
pub(crate) fn depth_of(json: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_text, mut escaped) = (false, false);
    for byte in json {
        match (byte, in_text) {
            _ if escaped => escaped = false,
            (b'\\', true) => escaped = true,
            (b'"', _) => in_text = !in_text,
            (b'{' | b'[', false) => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (b'}' | b']', false) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_written_to_the_second_or_to_the_microsecond() {
        assert_eq!(time(0, 5, false), Ok(Value::from("1970-01-01T00:00:00Z")));
        assert_eq!(time(1_700_000_000, 1_500, true), Ok(Value::from("2023-11-14T22:13:20.000001Z")));
        assert_eq!(time(1_700_000_000, 0, true), Ok(Value::from("2023-11-14T22:13:20.000000Z")));
        assert_eq!(time(NO_TIME, 0, true), Ok(Value::Null));
        assert_eq!(time(i64::MAX, 0, false), Err(Fault::Time));
        assert_eq!(time(0, i32::MIN, true), Err(Fault::Time));
    }

    #[test]
    fn times_of_every_form_are_read() {
        for (text, micro, expected) in [
            ("2023-11-14T22:13:20Z", false, Some((1_700_000_000, 0))),
            ("2023-11-14T23:13:20.5+01:00", false, Some((1_700_000_000, 0))),
            ("2023-11-14T22:13:20.000001500Z", true, Some((1_700_000_000, 1_000))),
            ("1969-12-31T23:59:59.5Z", true, Some((-1, 500_000_000))),
            ("2024-02-29T00:00:00Z", false, Some((1_709_164_800, 0))),
            ("2023-02-29T00:00:00Z", false, None),
            ("2023-13-01T00:00:00Z", false, None),
            ("yesterday", false, None),
        ] {
            assert_eq!(parse_time(text, micro), expected, "{text}");
        }
    }

    #[test]
    fn the_depth_of_json_is_that_of_its_brackets_outside_texts() {
        for (json, depth) in [("1", 0), ("{}", 1), (r#"{"a":[{"]":"[[\"[["}]}"#, 3), ("]]][", 1)] {
            assert_eq!(depth_of(json.as_bytes()), depth, "{json}");
        }
    }

    proptest! {
        #[test]
        fn the_plain_form_of_a_time_is_read_as_the_general_parser_does(seconds in -62_000_000_000_i64..250_000_000_000) {
            let text = Timestamp::from_second(seconds).unwrap().to_string();
            prop_assert_eq!(parse_time(&text, true), Some((seconds, 0)));
        }
    }
}
