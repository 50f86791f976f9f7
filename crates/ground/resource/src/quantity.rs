//! Amounts of things: `100m` of a CPU, `1Gi` of memory.
//!
//! A quantity is a whole number of billionths with the form it was written in, so that arithmetic
//! and comparison are exact integer operations, whatever the suffixes.
//!
//! **Spec:** upstream's `resource.Quantity`: nothing finer than a billionth (rounded away from zero);
//! binary forms capped at 2^63-1; a canonical form without fraction and with the largest suffix.
//!
//! **Invariants:** two quantities are equal when their amounts are, whatever their forms.
//!
//! LIMIT: amounts above 1.7e29 are refused; upstream keeps them at arbitrary size.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde_json::Value;

mod canonical;
mod parse;

const NANOS: i128 = 1_000_000_000;

/// How a quantity was written, and is written again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// `n u m k M G T P E`, powers of 1000.
    #[default]
    DecimalSi,
    /// `Ki Mi Gi Ti Pi Ei`, powers of 1024.
    BinarySi,
    /// `e3`, `E-3`.
    DecimalExponent,
}

/// Why a text is not a quantity. The messages are upstream's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// It has characters no quantity has, or they are out of order. Not retryable.
    #[error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")]
    Format,
    /// Its number is not one, or is larger than can be held. Not retryable.
    #[error("unable to parse numeric part of quantity")]
    Number,
    /// Its suffix is none. Not retryable.
    #[error("unable to parse quantity's suffix")]
    Suffix,
}

/// An exact amount and its form.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quantity {
    nanos: i128,
    format: Format,
}

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self { nanos: 0, format: Format::DecimalSi };
    /// One of something.
    pub const ONE: Self = Self { nanos: NANOS, format: Format::DecimalSi };

    /// A whole amount.
    pub fn new(value: i64, format: Format) -> Self {
        Self { nanos: i128::from(value) * NANOS, format }
    }

    /// Thousandths, as CPU is counted: `Quantity::milli(1500)` is `1500m`.
    pub fn milli(thousandths: i64) -> Self {
        Self { nanos: i128::from(thousandths) * 1_000_000, format: Format::DecimalSi }
    }

    /// Bytes, written with binary suffixes: `Quantity::bytes(1 << 30)` is `1Gi`.
    pub fn bytes(bytes: i64) -> Self {
        Self::new(bytes, Format::BinarySi)
    }

    /// Reads a quantity as upstream does.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        parse::parse(text)
    }

    /// Reads a quantity from JSON, where it may be a string or a number.
    pub fn from_value(value: &Value) -> Result<Self, QuantityError> {
        match value {
            Value::String(text) => Self::parse(text.trim()),
            Value::Number(number) => Self::parse(&number.to_string()),
            Value::Null => Ok(Self::ZERO),
            _ => Err(QuantityError::Format),
        }
    }

    /// The form it is written in.
    pub fn format(self) -> Format {
        self.format
    }

    /// The same amount in another form.
    #[must_use]
    pub fn with_format(self, format: Format) -> Self {
        Self { format, ..self }
    }

    /// Whether it is nothing.
    pub fn is_zero(self) -> bool {
        self.nanos == 0
    }

    /// Whether it is less than nothing.
    pub fn is_negative(self) -> bool {
        self.nanos < 0
    }

    /// The amount in whole units, rounded away from zero, at the ends of `i64` when it is beyond.
    pub fn value(self) -> i64 {
        saturate(divide_away(self.nanos, NANOS))
    }

    /// The amount in thousandths, rounded away from zero, at the ends of `i64` when it is beyond.
    pub fn milli_value(self) -> i64 {
        saturate(divide_away(self.nanos, 1_000_000))
    }

    /// The amount as a float, for ratios. It may lose precision.
    #[expect(clippy::cast_precision_loss, reason = "the loss is what the name and the comment promise")]
    pub fn approximate(self) -> f64 {
        self.nanos as f64 / 1e9
    }

    /// The sum; `None` when it cannot be held. Zero takes the other's form.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let format = if self.is_zero() { other.format } else { self.format };
        let nanos = self.nanos.checked_add(other.nanos)?;
        Some(Self { nanos, format })
    }

    /// The difference; `None` when it cannot be held. Zero takes the other's form.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.checked_add(other.checked_neg()?)
    }

    /// The product; `None` when it cannot be held.
    #[must_use]
    pub fn checked_mul(self, factor: i64) -> Option<Self> {
        let nanos = self.nanos.checked_mul(i128::from(factor))?;
        Some(Self { nanos, ..self })
    }

    /// The amount with the other sign; `None` when it cannot be held.
    #[must_use]
    pub fn checked_neg(self) -> Option<Self> {
        Some(Self { nanos: self.nanos.checked_neg()?, ..self })
    }

    /// The amount rounded away from zero to a multiple of ten to the `scale` (`-3`: thousandths).
    #[must_use]
    pub fn round_up(self, scale: i32) -> Self {
        let Ok(digits) = u32::try_from(scale.saturating_add(9)) else { return self };
        let rounded = 10_i128
            .checked_pow(digits)
            .and_then(|unit| divide_away(self.nanos, unit).checked_mul(unit))
            .unwrap_or(self.nanos);
        Self { nanos: rounded, ..self }
    }

    /// The text a quantity is served as: itself where upstream keeps what was written, else canonical.
    pub fn served(text: &str) -> Result<Cow<'_, str>, QuantityError> {
        let quantity = Self::parse(text)?;
        if parse::is_kept(text) { Ok(Cow::Borrowed(text)) } else { Ok(Cow::Owned(quantity.to_string())) }
    }
}

fn divide_away(amount: i128, unit: i128) -> i128 {
    amount / unit + (amount % unit).signum()
}

fn saturate(amount: i128) -> i64 {
    i64::try_from(amount).unwrap_or(if amount < 0 { i64::MIN } else { i64::MAX })
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        canonical::write(self.nanos, self.format, f)
    }
}

impl serde::Serialize for Quantity {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Quantity {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_value(&value).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
