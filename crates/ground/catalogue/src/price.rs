//! On-demand prices per hour.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::table::{Table, number};

pub(crate) static TABLE: Table = Table(include_str!("../data/prices.csv"));

static PRICES: LazyLock<BTreeMap<(&'static str, &'static str), Price>> = LazyLock::new(|| {
    let price = |[name, region, price, confidence]: [&'static str; 4]| {
        let confidence = if confidence == "high" { Confidence::High } else { Confidence::Low };
        ((name, region), Price { usd_per_hour: number(price), confidence })
    };
    TABLE.rows().map(price).collect()
});

/// What a machine costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// US dollars for an hour, on demand, with Linux.
    pub usd_per_hour: f64,
    /// Whether more than one source says so.
    pub confidence: Confidence,
}

/// How sure a fact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confidence {
    /// Corroborated.
    High,
    /// From one source alone.
    Low,
}

/// The price of an instance type in a region, where it is known.
pub fn price(instance_type: &str, region: &str) -> Option<Price> {
    PRICES.get(&(instance_type, region)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::float_cmp, reason = "the table's own numbers")]
    fn prices_differ_by_region_and_say_how_sure_they_are() {
        assert_eq!(price("c5.2xlarge", "us-east-1").unwrap().usd_per_hour, 0.34);
        assert_eq!(price("c5.2xlarge", "eu-west-1").unwrap().usd_per_hour, 0.384);
        assert_eq!(price("r5.4xlarge", "eu-west-1").unwrap().confidence, Confidence::Low);
        assert_eq!(price("c5.2xlarge", "mars-1"), None);
    }

    #[test]
    fn every_instance_type_has_a_price_in_us_east_1() {
        for instance_type in crate::instance_types() {
            assert!(price(instance_type.name, "us-east-1").is_some(), "{}", instance_type.name);
        }
    }
}
