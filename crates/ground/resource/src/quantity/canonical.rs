//! The canonical form: no fraction, the largest suffix that loses nothing.

use std::fmt;

use super::{Format, NANOS};

const DECIMAL: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

pub(super) fn write(nanos: i128, format: Format, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if nanos == 0 {
        return f.write_str("0");
    }
    let is_small = nanos.abs() < 1024 * NANOS;
    if format == Format::BinarySi && !is_small && nanos % NANOS == 0 {
        let (amount, steps) = reduce(nanos / NANOS, 1024, BINARY.len() - 1);
        return write!(f, "{amount}{}", BINARY[steps]);
    }
    // Upstream counts in powers of ten and brings the exponent down to a multiple of three, which
    // is the same as dividing by a thousand while nothing is lost.
    let (amount, steps) = reduce(nanos, 1000, usize::MAX);
    match DECIMAL.get(steps) {
        Some(suffix) if format != Format::DecimalExponent => write!(f, "{amount}{suffix}"),
        _ if steps == 3 => write!(f, "{amount}"),
        _ if steps < 3 => write!(f, "{amount}e-{}", (3 - steps) * 3),
        _ => write!(f, "{amount}e{}", (steps - 3) * 3),
    }
}

/// Divides by `unit` while nothing is lost, at most `most` times.
fn reduce(mut amount: i128, unit: i128, most: usize) -> (i128, usize) {
    let mut steps = 0;
    while steps < most && amount % unit == 0 {
        amount /= unit;
        steps += 1;
    }
    (amount, steps)
}
