//! Times that go-yaml sees in plain scalars.

/// The text of a time as JSON has it; nothing when it is none.
pub(super) fn of(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_dated = bytes.len() >= 8 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-';
    if !is_dated {
        return None;
    }
    let (date, clock) = match text.find(['T', 't', ' ']) {
        Some(end) => (&text[..end], Some((&text[end..=end], &text[end + 1..]))),
        None => (text, None),
    };
    let date = self::date(date)?;
    match clock {
        None => Some(format!("{date}T00:00:00Z")),
        // With a space there is no zone; otherwise there must be one.
        Some((" ", rest)) => Some(format!("{date}T{}Z", self::clock(rest)?)),
        Some((_, rest)) => {
            let end = rest.find(['Z', '+', '-'])?;
            Some(format!("{date}T{}{}", self::clock(&rest[..end])?, zone(&rest[end..])?))
        }
    }
}

fn date(text: &str) -> Option<String> {
    let mut parts = text.split('-');
    let year: u32 = parts.next()?.parse().ok()?;
    let (month, day) = (number(parts.next()?, 1, 12)?, number(parts.next()?, 1, 31)?);
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (parts.next().is_none() && day <= last).then(|| format!("{year:04}-{month:02}-{day:02}"))
}

fn clock(text: &str) -> Option<String> {
    let mut parts = text.split(':');
    let (hour, minute) = (number(parts.next()?, 0, 23)?, number(parts.next()?, 0, 59)?);
    let (second, fraction) = parts.next().map(|part| part.split_once('.').unwrap_or((part, "")))?;
    let second = number(second, 0, 59)?;
    if parts.next().is_some() || fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{hour:02}:{minute:02}:{second:02}{point}{fraction}"))
}

fn zone(text: &str) -> Option<String> {
    if text == "Z" {
        return Some("Z".to_owned());
    }
    let (sign, rest) = text.split_at_checked(1)?;
    let (hour, minute) = rest.split_once(':')?;
    if hour.len() != 2 || minute.len() != 2 {
        return None;
    }
    let (hour, minute) = (number(hour, 0, 24)?, number(minute, 0, 60)?);
    Some(if hour + minute == 0 { "Z".to_owned() } else { format!("{sign}{hour:02}:{minute:02}") })
}

fn number(text: &str, least: u32, most: u32) -> Option<u32> {
    let is_short = matches!(text.len(), 1 | 2) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|value| is_short && (least..=most).contains(value))
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn times_are_told_from_texts() {
        for (text, time) in [
            ("2024-01-01", Some("2024-01-01T00:00:00Z")),
            ("2024-1-2", Some("2024-01-02T00:00:00Z")),
            ("2024-02-30", None),
            ("2024-01-01T01:02:03Z", Some("2024-01-01T01:02:03Z")),
            ("2024-01-01t1:2:3.500+02:00", Some("2024-01-01T01:02:03.5+02:00")),
            ("2024-01-01 01:02:03", Some("2024-01-01T01:02:03Z")),
            ("2024-01-01T01:02:03", None),
            ("2024-01", None),
            ("2024-äöü-01", None),
        ] {
            assert_eq!(of(text).as_deref(), time, "{text}");
        }
    }
}
