//! How many there should be: exactly so many, or by comparison (`">= 3"`).

use std::fmt;

use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How many there should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    comparison: Comparison,
    number: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    Other,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// Longest signs first: `>=` is not `>`.
const SIGNS: [(&str, Comparison); 6] = [
    (">=", Comparison::AtLeast),
    ("<=", Comparison::AtMost),
    ("!=", Comparison::Other),
    ("==", Comparison::Equal),
    (">", Comparison::More),
    ("<", Comparison::Less),
];

impl Amount {
    /// Exactly so many.
    pub fn exactly(number: u64) -> Self {
        Self { comparison: Comparison::Equal, number }
    }

    /// So many or more.
    pub fn at_least(number: u64) -> Self {
        Self { comparison: Comparison::AtLeast, number }
    }

    /// Whether `observed` is as many.
    pub fn holds(self, observed: u64) -> bool {
        match self.comparison {
            Comparison::Equal => observed == self.number,
            Comparison::Other => observed != self.number,
            Comparison::Less => observed < self.number,
            Comparison::AtMost => observed <= self.number,
            Comparison::More => observed > self.number,
            Comparison::AtLeast => observed >= self.number,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let sign = SIGNS.iter().find_map(|(sign, comparison)| Some((text.strip_prefix(sign)?, *comparison)));
        let (rest, comparison) = sign.unwrap_or((text, Comparison::Equal));
        Some(Self { comparison, number: rest.trim().parse().ok()? })
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = SIGNS.iter().find(|(_, comparison)| *comparison == self.comparison);
        match (sign, self.comparison) {
            (_, Comparison::Equal) | (None, _) => write!(f, "{}", self.number),
            (Some((sign, _)), _) => write!(f, "{sign} {}", self.number),
        }
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.comparison {
            Comparison::Equal => serializer.serialize_u64(self.number),
            _ => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl Visitor<'_> for Written {
            type Value = Amount;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number like 3, or a comparison like \">= 3\"")
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Amount, E> {
                Ok(Amount::exactly(number))
            }
            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Amount, E> {
                u64::try_from(number)
                    .map(Amount::exactly)
                    .map_err(|_| E::custom(format!("{number} is below zero")))
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Amount, E> {
                let invalid =
                    || E::custom(format!("{text:?} is not {}", "a number or a comparison like \">= 3\""));
                Amount::parse(text).ok_or_else(invalid)
            }
        }
        deserializer.deserialize_any(Written).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_a_number_or_a_comparison() {
        for (text, holds, fails) in [
            ("3", 3, 2),
            ("== 3", 3, 4),
            (">= 3", 3, 2),
            (">3", 4, 3),
            ("<= 3", 3, 4),
            ("< 3", 2, 3),
            ("!= 0", 1, 0),
        ] {
            let amount = Amount::parse(text).unwrap();
            assert!(amount.holds(holds) && !amount.holds(fails), "{text}");
            let again: Amount = serde_json::from_value(serde_json::to_value(amount).unwrap()).unwrap();
            assert_eq!(again, amount);
        }
        for text in ["", ">=", "three", "=> 3", "-1"] {
            assert_eq!(Amount::parse(text), None, "{text}");
        }
    }
}
