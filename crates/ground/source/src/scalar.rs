//! What a scalar means.
//!
//! **Spec:** `sigs.k8s.io/yaml` on its YAML 1.1 reader: `yes`, `on` and `y` are booleans, `0777` is
//! octal, dates stay text, and a whole float is written as an integer in JSON.

use serde_json::Value;

/// The meaning of a scalar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// Nothing: `null`, `~` or no text at all.
    Null,
    /// `true`, `yes`, `on`, `y` and their opposites.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A whole number above the signed ones.
    Unsigned(u64),
    /// A number with a fraction, or a very large one.
    Float(f64),
    /// Text.
    Text(&'a str),
}

/// How a scalar was written, as far as its meaning depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Without quotes or tag: its text decides.
    Plain,
    /// In quotes, as a block, or tagged `!!str`: text.
    Text,
    /// Tagged `!!int`, `!!float`, `!!bool` or `!!null`: its text decides, quotes or not.
    Tagged,
}

impl Scalar<'_> {
    /// The meaning of a text in this form.
    pub(crate) fn resolve(text: &str, form: Form) -> Scalar<'_> {
        if form == Form::Text { Scalar::Text(text) } else { plain(text) }
    }

    /// As JSON. Infinities and not-a-number have no JSON; they stay as written.
    pub(crate) fn to_value(self, written: &str) -> Value {
        match self {
            Scalar::Null => Value::Null,
            Scalar::Bool(value) => Value::from(value),
            Scalar::Integer(value) => Value::from(value),
            Scalar::Unsigned(value) => Value::from(value),
            Scalar::Float(value) if value.is_finite() => Value::from(value),
            Scalar::Float(_) => Value::from(written),
            Scalar::Text(text) => Value::from(text),
        }
    }
}

fn plain(text: &str) -> Scalar<'_> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Scalar::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Scalar::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        _ => {}
    }
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.')) {
        return Scalar::Text(text);
    }
    number(text).unwrap_or(Scalar::Text(text))
}

fn number(text: &str) -> Option<Scalar<'static>> {
    let kept;
    let digits = if text.contains('_') && !text.starts_with('.') {
        kept = text.replace('_', "");
        kept.as_str()
    } else {
        text
    };
    integer(digits).or_else(|| float(digits))
}

fn integer(text: &str) -> Option<Scalar<'static>> {
    let (negative, magnitude) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (digits, radix) = match magnitude.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&magnitude[2..], 16),
        [b'0', b'b' | b'B', ..] => (&magnitude[2..], 2),
        [b'0', b'o' | b'O', ..] => (&magnitude[2..], 8),
        [b'0', _, ..] => (&magnitude[1..], 8),
        _ => (magnitude, 10),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if !negative {
        return Some(i64::try_from(magnitude).map_or(Scalar::Unsigned(magnitude), Scalar::Integer));
    }
    0_i64.checked_sub_unsigned(magnitude).map(Scalar::Integer)
}

/// A float written in digits, with point or exponent: no `inf`, no hexadecimal.
fn float(text: &str) -> Option<Scalar<'static>> {
    if !text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E')) {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    value.is_finite().then(|| whole(value))
}

/// Go writes a whole float below 1e21 without a point, and reads it back as an integer.
#[expect(clippy::cast_possible_truncation, reason = "the range was looked at")]
fn whole(value: f64) -> Scalar<'static> {
    let limit = 9.0e18;
    if value.fract() == 0.0 && value.abs() < limit {
        Scalar::Integer(value as i64)
    } else {
        Scalar::Float(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_mean_what_kubernetes_takes_them_for() {
        for (text, meaning) in [
            ("", Scalar::Null),
            ("~", Scalar::Null),
            ("null", Scalar::Null),
            ("nULL", Scalar::Text("nULL")),
            ("yes", Scalar::Bool(true)),
            ("On", Scalar::Bool(true)),
            ("y", Scalar::Bool(true)),
            ("N", Scalar::Bool(false)),
            ("off", Scalar::Bool(false)),
            ("tRue", Scalar::Text("tRue")),
            ("0", Scalar::Integer(0)),
            ("-12", Scalar::Integer(-12)),
            ("+3", Scalar::Integer(3)),
            ("1_000", Scalar::Integer(1000)),
            ("0777", Scalar::Integer(511)),
            ("0o17", Scalar::Integer(15)),
            ("0x1F", Scalar::Integer(31)),
            ("-0b11", Scalar::Integer(-3)),
            ("08", Scalar::Integer(8)),
            ("9223372036854775808", Scalar::Unsigned(1 << 63)),
            ("-9223372036854775808", Scalar::Integer(i64::MIN)),
            ("1.0", Scalar::Integer(1)),
            ("1e3", Scalar::Integer(1000)),
            ("1.5", Scalar::Float(1.5)),
            (".5", Scalar::Float(0.5)),
            ("1.", Scalar::Integer(1)),
            ("1e400", Scalar::Text("1e400")),
            (".inf", Scalar::Float(f64::INFINITY)),
            ("inf", Scalar::Text("inf")),
            ("1.2.3", Scalar::Text("1.2.3")),
            ("0x", Scalar::Text("0x")),
            ("-", Scalar::Text("-")),
            ("1-2", Scalar::Text("1-2")),
            ("2026-11-23", Scalar::Text("2026-11-23")),
            ("10:30", Scalar::Text("10:30")),
            ("1Gi", Scalar::Text("1Gi")),
            ("100m", Scalar::Text("100m")),
        ] {
            assert_eq!(Scalar::resolve(text, Form::Plain), meaning, "{text:?}");
        }
        assert_eq!(Scalar::resolve("1.28", Form::Text), Scalar::Text("1.28"));
        assert_eq!(Scalar::resolve("5", Form::Tagged), Scalar::Integer(5));
        assert_eq!(Scalar::resolve(".nan", Form::Plain).to_value(".nan"), Value::from(".nan"));
    }
}
