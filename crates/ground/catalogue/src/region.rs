//! Cloud regions: their zones, and the domain their machines' names end in.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::table::Table;

pub(crate) static TABLE: Table = Table(include_str!("../data/zones.csv"));

static REGIONS: LazyLock<BTreeMap<&'static str, Region>> = LazyLock::new(|| {
    let region = |[name, domain, letters]: [&'static str; 3]| {
        let zones = letters.split(' ').map(|letter| format!("{name}{letter}")).collect();
        (name, Region { name: name.to_owned(), domain: domain.to_owned(), zones, is_known: true })
    };
    TABLE.rows().map(region).collect()
});

/// A cloud region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its name, `us-east-1`.
    pub name: String,
    /// What the private names of its machines end in.
    pub domain: String,
    /// Its zones, by name.
    pub zones: Vec<String>,
    /// Whether the table has it.
    pub is_known: bool,
}

/// The region of this name. One that the table does not have gets three zones and a domain by the
/// rule every region but the oldest follows, so that a platform of one's own (`local`) works too.
pub fn region(name: &str) -> Region {
    REGIONS.get(name).cloned().unwrap_or_else(|| Region {
        name: name.to_owned(),
        domain: format!("{name}.compute.internal"),
        zones: ["a", "b", "c"].iter().map(|letter| format!("{name}{letter}")).collect(),
        is_known: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_knows_its_zones_and_its_domain() {
        let virginia = region("us-east-1");
        assert_eq!(virginia.zones[..3], ["us-east-1a", "us-east-1b", "us-east-1c"]);
        assert_eq!(virginia.domain, "ec2.internal");
        assert_eq!(region("us-west-1").zones, ["us-west-1a", "us-west-1c"]);
    }

    #[test]
    fn an_unknown_region_is_usable_and_says_that_it_is_unknown() {
        let local = region("local");
        assert_eq!(local.zones, ["locala", "localb", "localc"]);
        assert!(!local.is_known);
    }

    #[test]
    fn every_table_says_when_and_where_it_is_from() {
        for (name, provenance) in crate::provenance() {
            assert!(provenance.as_of.starts_with("202") && !provenance.source.is_empty(), "{name}");
        }
    }
}
