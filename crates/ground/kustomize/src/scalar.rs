//! What plain scalars mean to kustomize, and which texts its output quotes.
//!
//! **Spec:** it reads with go-yaml 3 (YAML 1.2 booleans, `0777` is octal, dates are times) and
//! writes, through JSON, with go-yaml 2, which quotes what YAML 1.1 would take for anything but text.

mod time;

/// What a scalar is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    /// Nothing.
    Null,
    /// True or false.
    Bool,
    /// A whole number.
    Integer,
    /// A number.
    Float,
    /// A time.
    Time,
    /// Text.
    Text,
}

/// What a plain scalar is when it is read.
pub(crate) fn read(text: &str) -> Tag {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Tag::Null,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => Tag::Bool,
        _ if is_special_float(text) => Tag::Float,
        _ => by_digits(text),
    }
}

/// Whether a text must be quoted so that it is read as text again.
pub(crate) fn must_be_quoted(text: &str) -> bool {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => true,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => true,
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => true,
        _ => is_special_float(text) || by_digits(text) != Tag::Text || is_base_60(text),
    }
}

fn is_special_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

fn by_digits(text: &str) -> Tag {
    match text.as_bytes().first() {
        Some(b'.') if text.len() > 1 && is_decimal(text) => Tag::Float,
        Some(b'0'..=b'9' | b'+' | b'-') => {
            if time::of(text).is_some() {
                return Tag::Time;
            }
            let digits = text.replace('_', "");
            match integer(&digits) {
                Some(_) => Tag::Integer,
                None if is_decimal(&digits) && digits.parse::<f64>().is_ok_and(f64::is_finite) => Tag::Float,
                None => Tag::Text,
            }
        }
        _ => Tag::Text,
    }
}

/// A whole number in any base, when it fits 64 bits.
fn integer(digits: &str) -> Option<i128> {
    let (is_negative, magnitude) = match digits.as_bytes().first()? {
        b'-' => (true, &digits[1..]),
        b'+' => (false, &digits[1..]),
        _ => (false, digits),
    };
    let (magnitude, radix) = match magnitude.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&magnitude[2..], 16),
        [b'0', b'b' | b'B', ..] => (&magnitude[2..], 2),
        [b'0', b'o' | b'O', ..] => (&magnitude[2..], 8),
        [b'0', _, ..] => (&magnitude[1..], 8),
        _ => (magnitude, 10),
    };
    if !magnitude.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        return None;
    }
    let value = i128::from(u64::from_str_radix(magnitude, radix).ok()?);
    let value = if is_negative { -value } else { value };
    (value >= i128::from(i64::MIN)).then_some(value)
}

/// Digits with at most one point, and an exponent.
fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_mantissa = match mantissa.split_once('.') {
        None => are_digits(mantissa),
        Some(("", fraction)) => are_digits(fraction),
        Some((whole, fraction)) => are_digits(whole) && (fraction.is_empty() || are_digits(fraction)),
    };
    is_mantissa
        && exponent.is_none_or(|exponent| are_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

/// `1:30`, which YAML 1.1 counts in sixties.
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut parts = unsigned.split(':');
    let first = parts.next().unwrap_or_default();
    let is_first = first.starts_with(|c: char| c.is_ascii_digit())
        && first.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let rest: Vec<&str> = parts.collect();
    let Some((last, middle)) = rest.split_last() else { return false };
    let is_part = |part: &str| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
    let (last, fraction) = last.split_once('.').unwrap_or((last, ""));
    is_first
        && middle.iter().all(|part| is_part(part))
        && is_part(last)
        && fraction.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
}

/// A number as it is written out: whole where it can be.
pub(crate) fn number(text: &str, tag: Tag) -> String {
    let digits = text.replace('_', "");
    if tag == Tag::Integer
        && let Some(value) = integer(&digits)
    {
        return value.to_string();
    }
    digits.parse::<f64>().map_or_else(|_| text.to_owned(), float)
}

/// A float, as go writes it after a way through JSON.
#[expect(clippy::cast_possible_truncation, reason = "the range was looked at")]
pub(crate) fn float(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 9.2e18 {
        return (value as i64).to_string();
    }
    let scientific = format!("{value:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// A time as JSON has it.
pub(crate) fn time(text: &str) -> String {
    time::of(text).unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_are_read_as_kustomize_reads_them() {
        for (text, tag) in [
            ("", Tag::Null),
            ("yes", Tag::Text),
            ("True", Tag::Bool),
            ("0777", Tag::Integer),
            ("0o17", Tag::Integer),
            ("08", Tag::Float),
            ("1_000", Tag::Integer),
            ("-0x1F", Tag::Integer),
            ("1e3", Tag::Float),
            (".5", Tag::Float),
            (".", Tag::Text),
            ("-", Tag::Text),
            ("+.inf", Tag::Float),
            ("18446744073709551615", Tag::Integer),
            ("18446744073709551616", Tag::Float),
            ("2024-01-01", Tag::Time),
            ("2024-13-01", Tag::Text),
            ("1:30", Tag::Text),
            ("0x", Tag::Text),
            ("1.2.3", Tag::Text),
        ] {
            assert_eq!(read(text), tag, "{text}");
        }
    }

    #[test]
    fn what_yaml_1_1_takes_for_something_else_is_quoted() {
        for text in
            ["y", "No", "on", "null", "1", "1e3", "0777", "08", "1:30", "-1:05.5", "2024-01-01", ".nan", ""]
        {
            assert!(must_be_quoted(text), "{text}");
        }
        for text in ["a", "yess", "1.2.3", "1Gi", "1:75", "<<", "=", "0x", "1-2"] {
            assert!(!must_be_quoted(text), "{text}");
        }
    }

    #[test]
    fn numbers_are_written_as_go_writes_them() {
        for (text, tag, written) in [
            ("0777", Tag::Integer, "511"),
            ("1_000", Tag::Integer, "1000"),
            ("1.0", Tag::Float, "1"),
            ("1e3", Tag::Float, "1000"),
            ("0.25", Tag::Float, "0.25"),
            ("12345678.5", Tag::Float, "1.23456785e+07"),
            ("123456.5", Tag::Float, "123456.5"),
            ("0.00000012", Tag::Float, "1.2e-07"),
        ] {
            assert_eq!(number(text, tag), written, "{text}");
        }
        assert_eq!(time("2024-01-01"), "2024-01-01T00:00:00Z");
    }
}
