//! The grammar of quantities: sign, digits, suffix.

use super::{Format, NANOS, Quantity, QuantityError};

/// The largest amount a binary form holds: 2^63-1 whole units.
const BINARY_CAP: i128 = i64::MAX as i128 * NANOS;

struct Parts<'a> {
    negative: bool,
    /// The digits before the point, without leading zeros.
    whole: &'a str,
    /// The digits after it.
    fraction: &'a str,
    suffix: &'a str,
}

enum Scale {
    /// Times ten to this.
    Ten(i32),
    /// Times two to this.
    Two(u32),
}

pub(super) fn parse(text: &str) -> Result<Quantity, QuantityError> {
    let parts = split(text)?;
    let (scale, format) = suffix(parts.suffix)?;
    let nanos = match scale {
        Scale::Ten(exponent) => decimal(&parts, exponent.saturating_add(9))?,
        Scale::Two(bits) => binary(&parts, bits)?,
    };
    let format = match format {
        Format::BinarySi if 0 < nanos && nanos < NANOS => Format::DecimalSi,
        format => format,
    };
    Ok(Quantity { nanos: if parts.negative { -nanos } else { nanos }, format })
}

/// Whether upstream keeps this valid quantity as it was written.
pub(super) fn is_kept(text: &str) -> bool {
    let Ok(parts) = split(text) else { return false };
    let Ok((scale, _)) = suffix(parts.suffix) else { return false };
    let digits = parts.whole.len().max(1) + parts.fraction.len();
    match scale {
        _ if text == "0" => true,
        Scale::Ten(exponent) => {
            let places = i32::try_from(parts.fraction.len()).unwrap_or(i32::MAX);
            let scale = exponent.saturating_sub(places);
            let ends_in_zeros = format!("{}{}", parts.whole, parts.fraction).ends_with("000");
            digits <= 18 && scale >= -9 && scale % 3 == 0 && !ends_in_zeros && !parts.whole.is_empty()
        }
        Scale::Two(bits) => {
            let value: Option<u64> = parts.whole.parse().ok();
            parts.fraction.is_empty()
                && digits + (bits as usize * 3 / 10) < 15
                && value.is_some_and(|value| value & 7 != 0)
        }
    }
}

fn split(text: &str) -> Result<Parts<'_>, QuantityError> {
    if text.is_empty() {
        return Err(QuantityError::Format);
    }
    let (negative, rest) = match text.as_bytes()[0] {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, rest) = take(rest, |byte| byte.is_ascii_digit());
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => take(rest, |byte| byte.is_ascii_digit()),
        None => ("", rest),
    };
    let (_, tail) = take(rest, |byte| b"eEinumkKMGTP".contains(&byte));
    let tail = tail.strip_prefix(['-', '+']).unwrap_or(tail);
    if !tail.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(QuantityError::Format);
    }
    Ok(Parts { negative, whole: whole.trim_start_matches('0'), fraction, suffix: rest })
}

fn take(text: &str, wanted: impl Fn(u8) -> bool) -> (&str, &str) {
    text.split_at(text.bytes().position(|byte| !wanted(byte)).unwrap_or(text.len()))
}

fn suffix(suffix: &str) -> Result<(Scale, Format), QuantityError> {
    let ten = |exponent| Ok((Scale::Ten(exponent), Format::DecimalSi));
    let two = |bits| Ok((Scale::Two(bits), Format::BinarySi));
    match suffix {
        "n" => ten(-9),
        "u" => ten(-6),
        "m" => ten(-3),
        "" => ten(0),
        "k" => ten(3),
        "M" => ten(6),
        "G" => ten(9),
        "T" => ten(12),
        "P" => ten(15),
        "E" => ten(18),
        "Ki" => two(10),
        "Mi" => two(20),
        "Gi" => two(30),
        "Ti" => two(40),
        "Pi" => two(50),
        "Ei" => two(60),
        _ => {
            let digits = suffix.strip_prefix(['e', 'E']).ok_or(QuantityError::Suffix)?;
            let exponent = digits.parse().map_err(|_| QuantityError::Suffix)?;
            Ok((Scale::Ten(exponent), Format::DecimalExponent))
        }
    }
}

/// The digits times ten to the `shift`, rounded away from zero to a whole number.
fn decimal(parts: &Parts<'_>, shift: i32) -> Result<i128, QuantityError> {
    let mut amount: i128 = 0;
    let mut lost = false;
    let first = i64::try_from(parts.whole.len()).map_err(|_| QuantityError::Number)? + i64::from(shift);
    for (place, digit) in (1..).zip(parts.whole.bytes().chain(parts.fraction.bytes())) {
        if place <= first {
            amount = append(amount, digit)?;
        } else {
            lost |= digit != b'0';
        }
    }
    let digits =
        i64::try_from(parts.whole.len() + parts.fraction.len()).map_err(|_| QuantityError::Number)?;
    let mut zeros = first - digits;
    while zeros > 0 && amount != 0 {
        amount = append(amount, b'0')?;
        zeros -= 1;
    }
    Ok(amount + i128::from(lost))
}

/// The digits times two to the `bits`, in billionths, rounded away from zero and capped.
fn binary(parts: &Parts<'_>, bits: u32) -> Result<i128, QuantityError> {
    let mut whole: i128 = 0;
    for digit in parts.whole.bytes() {
        whole = append(whole, digit)?.min(BINARY_CAP);
    }
    let whole = if whole > (BINARY_CAP / NANOS) >> bits { BINARY_CAP } else { (whole << bits) * NANOS };
    Ok((whole + binary_fraction(parts.fraction, bits)).min(BINARY_CAP))
}

/// `0.fraction` times two to the `bits` in billionths, rounded up: long division, a digit at a time
/// from the last, keeping one billionth of a billionth and whether anything finer was there.
fn binary_fraction(fraction: &str, bits: u32) -> i128 {
    // The unit is 2^bits * 1e9, at most 1.2e27: (digit * unit + rest) stays far below 1.7e38.
    let unit = (1_i128 << bits) * NANOS;
    let mut rest: i128 = 0;
    let mut finer = false;
    for digit in fraction.bytes().rev() {
        let sum = i128::from(digit - b'0') * unit * NANOS + rest;
        rest = sum / 10;
        finer |= sum % 10 != 0;
    }
    let (nanos, below) = (rest / NANOS, rest % NANOS);
    nanos + i128::from(below != 0 || finer)
}

fn append(amount: i128, digit: u8) -> Result<i128, QuantityError> {
    amount
        .checked_mul(10)
        .and_then(|amount| amount.checked_add(i128::from(digit - b'0')))
        .filter(|amount| *amount <= i128::MAX / 2)
        .ok_or(QuantityError::Number)
}
