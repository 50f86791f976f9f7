//! Percentages and amounts of money as people write them: `99.95%`, `25000 USD`.
//!
//! **Invariants:** both are whole numbers of their smallest part, so that comparing is exact; what
//! is finer than that is refused, not rounded.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a text is no amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidAmount(String);

impl fmt::Display for InvalidAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidAmount {}

/// A part of a whole, from nothing to all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent {
    /// Of a percent.
    millionths: u64,
}

impl Percent {
    /// Digits behind the point of a percentage.
    const DIGITS: usize = 6;
    /// Millionths of a percent in the whole.
    const WHOLE: u64 = 100_000_000;

    /// As a part of one, `0.9995`.
    pub fn fraction(self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "at most 10^8, which a double holds")]
        let (part, whole) = (self.millionths as f64, Self::WHOLE as f64);
        part / whole
    }
}

impl FromStr for Percent {
    type Err = InvalidAmount;

    fn from_str(text: &str) -> Result<Self, InvalidAmount> {
        let number = text.strip_suffix('%').map(str::trim_end);
        let millionths = number.and_then(|number| decimal(number, Self::DIGITS));
        match millionths.filter(|millionths| *millionths <= Self::WHOLE) {
            Some(millionths) => Ok(Self { millionths }),
            None => Err(InvalidAmount(format!(
                "invalid percentage {text:?}: write it like 99.9%, from 0% to 100%"
            ))),
        }
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", written(self.millionths, Self::DIGITS))
    }
}

/// US dollars, the currency of the catalogue's prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money {
    cents: u64,
}

impl Money {
    /// Digits behind the point.
    const DIGITS: usize = 2;

    /// In cents.
    pub fn cents(self) -> u64 {
        self.cents
    }
}

impl FromStr for Money {
    type Err = InvalidAmount;

    fn from_str(text: &str) -> Result<Self, InvalidAmount> {
        let number = text.strip_suffix("USD").map(str::trim_end).or_else(|| text.strip_prefix('$'));
        match number.and_then(|number| decimal(number, Self::DIGITS)) {
            Some(cents) => Ok(Self { cents }),
            None => Err(InvalidAmount(format!(
                "invalid amount {text:?}: write it like 25000 USD (prices are in US dollars)"
            ))),
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} USD", written(self.cents, Self::DIGITS))
    }
}

/// A decimal number in units of its last of `digits` places.
fn decimal(text: &str, digits: usize) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let is_decimal = !whole.is_empty() && is_number(whole) && is_number(fraction);
    if !is_decimal || fraction.len() > digits || text.ends_with('.') {
        return None;
    }
    format!("{whole}{fraction:0<digits$}").parse().ok()
}

/// The shortest decimal number of so many units of its last of `digits` places.
fn written(units: u64, digits: usize) -> String {
    let text = format!("{units:0>width$}", width = digits + 1);
    let (whole, fraction) = text.split_at(text.len() - digits);
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

/// Reads a text form; a number gets its unit asked for.
struct Text<T>(std::marker::PhantomData<T>, &'static str);

impl<T: FromStr<Err = InvalidAmount>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.1)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

macro_rules! as_text {
    ($type:ident, $expected:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Text(std::marker::PhantomData, $expected);
                deserializer.deserialize_any(text).map_err(D::Error::custom)
            }
        }
    };
}

as_text!(Percent, "a percentage like 99.9%");
as_text!(Money, "an amount like 25000 USD");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_read_exactly_and_write_as_they_were() {
        for (text, fraction, again) in [
            ("99.95%", 0.9995, "99.95%"),
            ("100%", 1.0, "100%"),
            ("0%", 0.0, "0%"),
            ("99.9990 %", 0.999_99, "99.999%"),
        ] {
            let percent: Percent = text.parse().unwrap();
            assert!((percent.fraction() - fraction).abs() < 1e-12, "{text}");
            assert_eq!(percent.to_string(), again);
        }
        for text in ["99.9", "100.1%", "-1%", "%", "99.%", "99.12345678%", "99,9%", ""] {
            assert!(text.parse::<Percent>().is_err(), "{text}");
        }
    }

    #[test]
    fn money_says_its_currency() {
        for (text, cents, again) in
            [("25000 USD", 2_500_000, "25000 USD"), ("$99.5", 9_950, "99.5 USD"), ("0.01USD", 1, "0.01 USD")]
        {
            let money: Money = text.parse().unwrap();
            assert_eq!((money.cents(), money.to_string().as_str()), (cents, again));
        }
        for text in ["25000", "25000 EUR", "25,000 USD", "1.005 USD", "USD", "$", "-5 USD"] {
            assert!(text.parse::<Money>().is_err(), "{text}");
        }
    }
}
