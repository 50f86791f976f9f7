//! The durations of `@every`, as Go's `time.ParseDuration` reads them.

const UNITS: [(&str, i128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", NANOS),
    ("m", 60 * NANOS),
    ("h", 3_600 * NANOS),
];

const NANOS: i128 = 1_000_000_000;

/// A duration in whole seconds, at least one; the error is Go's message.
pub(super) fn seconds(text: &str) -> Result<i64, String> {
    let nanos = nanos(text)?;
    Ok(i64::try_from(nanos / NANOS).unwrap_or(i64::MAX).max(1))
}

fn nanos(text: &str) -> Result<i128, String> {
    let invalid = || format!("time: invalid duration {text:?}");
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned == "0" {
        return Ok(0);
    }
    if unsigned.is_empty() {
        return Err(invalid());
    }
    let (mut rest, mut total) = (unsigned, 0_i128);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        if number.chars().filter(char::is_ascii_digit).count() == 0 || number.matches('.').count() > 1 {
            return Err(invalid());
        }
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {text:?}"));
        }
        let Some((_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(format!("time: unknown unit {unit:?} in duration {text:?}"));
        };
        total = total.checked_add(part(number, *scale).ok_or_else(invalid)?).ok_or_else(invalid)?;
        rest = after;
    }
    // Go counts a duration in 63 bits.
    let is_held = total <= i128::from(i64::MAX) + i128::from(text.starts_with('-'));
    if !is_held {
        return Err(invalid());
    }
    Ok(if text.starts_with('-') { -total } else { total })
}

/// So many of a unit, down to the nanosecond.
fn part(number: &str, scale: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // More digits than these say nothing below a nanosecond of an hour.
    let fraction = &fraction[..fraction.len().min(18)];
    let digits: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let below = digits * scale / 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    whole.checked_mul(scale)?.checked_add(below)
}
