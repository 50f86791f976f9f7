//! Dated facts as data: instance types, what of them pods can have, prices, zones, images.
//!
//! Every table is a file under `data/` that says as of when and from where it is; the tables are
//! compiled in and read once.
//!
//! **Not here:** decisions made from the facts (`capacity`, `agent`, `check`).

mod image;
mod instance;
mod price;
mod region;
mod table;

pub use image::{Image, image};
pub use instance::{Allocatable, InstanceType, instance_type, instance_types};
pub use price::{Confidence, Price, price};
pub use region::{Region, region};
pub use table::Provenance;

/// As of when and from where each table is, by the table's name.
pub fn provenance() -> Vec<(&'static str, Provenance)> {
    vec![
        ("images", image::TABLE.provenance()),
        ("instance types", instance::TABLE.provenance()),
        ("prices", price::TABLE.provenance()),
        ("zones", region::TABLE.provenance()),
    ]
}
