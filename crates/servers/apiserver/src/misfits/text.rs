//! Texts that stand for something else, and what Go says of those that do not: times, bytes.
//!
//! LIMIT: an hour has two digits; Go takes one as well. The last two days of the year 9999 and zones
//! off by odd minutes pass here, and cannot be encoded.

/// Of a time to the second.
pub(super) const RFC3339: &str = "2006-01-02T15:04:05Z07:00";
/// Of a time to the microsecond.
pub(super) const RFC3339_MICRO: &str = "2006-01-02T15:04:05.000000Z07:00";

/// What makes a part of a time wrong.
enum Wrong {
    /// It is no such part.
    Form,
    /// Its number is too large or too small.
    Range(&'static str),
}

type Read<'a> = Result<(&'a str, u32), Wrong>;

/// What is wrong with a time of a layout, if anything is.
pub(super) fn time_fault(text: &str, layout: &str) -> Option<String> {
    let told = |why: &str| format!("parsing time {text:?}{why}");
    let mut rest = text;
    let mut date = [0; 3];
    let parts: [(&str, &str); 8] = [
        ("", "2006"),
        ("-", "01"),
        ("-", "02"),
        ("T", "15"),
        (":", "04"),
        (":", "05"),
        ("", ".000000"),
        ("", "Z07:00"),
    ];
    for (at, (before, part)) in parts.into_iter().enumerate() {
        if part == ".000000" && layout == RFC3339 {
            rest = without_fraction(rest);
            continue;
        }
        let cannot = |rest: &str, part| told(&format!(" as {layout:?}: cannot parse {rest:?} as {part:?}"));
        let Some(value) = rest.strip_prefix(before) else { return Some(cannot(rest, before)) };
        match read(value, part) {
            Ok((left, number)) => {
                rest = left;
                if let Some(slot) = date.get_mut(at) {
                    *slot = number;
                }
            }
            Err(Wrong::Form) => return Some(cannot(value, part)),
            Err(Wrong::Range(what)) => return Some(told(&format!(": {what} out of range"))),
        }
    }
    if !rest.is_empty() {
        return Some(told(&format!(": extra text: {rest:?}")));
    }
    let [year, month, day] = date;
    (day < 1 || day > days_in(year, month)).then(|| told(": day out of range"))
}

/// Reads one part of a time; what is left, and its number.
fn read<'a>(value: &'a str, part: &str) -> Read<'a> {
    match part {
        "2006" => digits(value, 4),
        "01" => digits(value, 2).and_then(|read| within(read, 1..=12, "month")),
        "15" => digits(value, 2).and_then(|read| within(read, 0..=23, "hour")),
        "04" => digits(value, 2).and_then(|read| within(read, 0..=59, "minute")),
        "05" => digits(value, 2).and_then(|read| within(read, 0..=59, "second")),
        ".000000" => digits(value.strip_prefix(['.', ',']).ok_or(Wrong::Form)?, 6),
        "Z07:00" => zone(value),
        _ => digits(value, 2),
    }
}

fn digits(value: &str, count: usize) -> Read<'_> {
    let (number, left) = value.split_at_checked(count).ok_or(Wrong::Form)?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Wrong::Form);
    }
    Ok((left, number.parse().map_err(|_| Wrong::Form)?))
}

fn within<'a>(read: (&'a str, u32), range: std::ops::RangeInclusive<u32>, what: &'static str) -> Read<'a> {
    if range.contains(&read.1) { Ok(read) } else { Err(Wrong::Range(what)) }
}

/// A fraction of a second may follow where the layout has none.
fn without_fraction(value: &str) -> &str {
    let fraction =
        value.strip_prefix(['.', ',']).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    fraction.map_or(value, |rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()))
}

fn zone(value: &str) -> Read<'_> {
    if let Some(left) = value.strip_prefix('Z') {
        return Ok((left, 0));
    }
    let (left, _) = digits(value.strip_prefix(['+', '-']).ok_or(Wrong::Form)?, 2)
        .and_then(|read| within(read, 0..=24, "time zone offset hour"))?;
    digits(left.strip_prefix(':').ok_or(Wrong::Form)?, 2)
        .and_then(|read| within(read, 0..=60, "time zone offset minute"))
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// What is wrong with base64, if anything is; line breaks in it do not count.
pub(super) fn base64_fault(text: &str) -> Option<String> {
    base64_fault_at(text.as_bytes()).map(|at| format!("illegal base64 data at input byte {at}"))
}

fn base64_fault_at(text: &[u8]) -> Option<usize> {
    let mut bytes = text.iter().copied().enumerate().filter(|(_, byte)| !matches!(byte, b'\n' | b'\r'));
    let mut of_four = 0;
    while let Some((at, byte)) = bytes.next() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/') {
            of_four = (of_four + 1) % 4;
            continue;
        }
        if byte != b'=' || of_four < 2 {
            return Some(at);
        }
        if of_four == 2 {
            match bytes.next() {
                None => return Some(text.len()),
                Some((at, byte)) if byte != b'=' => return Some(at - 1),
                Some(_) => {}
            }
        }
        return bytes.next().map(|(at, _)| at);
    }
    (of_four != 0).then(|| text.len() - of_four)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_time_is_told_of_as_go_does() {
        let layout = " as \"2006-01-02T15:04:05Z07:00\": cannot parse ";
        for (text, told) in [
            ("2023-11-14T22:13:20Z", None),
            ("2023-11-14T22:13:20.123456789+01:00", None),
            ("2024-02-29T00:00:00Z", None),
            ("yesterday", Some(format!("{layout}\"yesterday\" as \"2006\""))),
            ("", Some(format!("{layout}\"\" as \"2006\""))),
            ("2023-11-14", Some(format!("{layout}\"\" as \"T\""))),
            ("2023-11-14 22:13:20Z", Some(format!("{layout}\" 22:13:20Z\" as \"T\""))),
            ("2023-11-14T22:13:20", Some(format!("{layout}\"\" as \"Z07:00\""))),
            ("2023-13-01T00:00:00Z", Some(": month out of range".to_owned())),
            ("2023-02-29T00:00:00Z", Some(": day out of range".to_owned())),
            ("2023-11-14T24:00:00Z", Some(": hour out of range".to_owned())),
            ("2023-11-14T22:13:20Zx", Some(": extra text: \"x\"".to_owned())),
        ] {
            let told = told.map(|told| format!("parsing time {text:?}{told}"));
            assert_eq!(time_fault(text, RFC3339), told);
        }
    }

    #[test]
    fn a_time_to_the_microsecond_has_six_digits_of_it() {
        assert_eq!(time_fault("2023-11-14T22:13:20.000001Z", RFC3339_MICRO), None);
        for (text, rest, part) in
            [("2023-11-14T22:13:20Z", "Z", ".000000"), ("2023-11-14T22:13:20.1234567Z", "7Z", "Z07:00")]
        {
            assert_eq!(
                time_fault(text, RFC3339_MICRO),
                Some(format!(
                    "parsing time {text:?} as {RFC3339_MICRO:?}: cannot parse {rest:?} as {part:?}"
                ))
            );
        }
    }

    #[test]
    fn wrong_base64_is_told_of_by_its_byte() {
        for (text, at) in [
            ("", None),
            ("YWJj", None),
            ("YW\nI=\n", None),
            ("YQ==", None),
            ("not base64!", Some(3)),
            ("YWJjZ", Some(4)),
            ("YWJ", Some(0)),
            ("=", Some(0)),
            ("YQ=", Some(3)),
            ("YQ=a", Some(2)),
            ("YQ==YQ==", Some(4)),
        ] {
            let told = at.map(|at| format!("illegal base64 data at input byte {at}"));
            assert_eq!(base64_fault(text), told, "{text:?}");
        }
    }
}
