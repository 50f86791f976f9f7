//! Machine images: what a Node of one says about itself.

use crate::table::Table;

pub(crate) static TABLE: Table = Table(include_str!("../data/images.csv"));

/// A machine image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its family, as eksctl's `amiFamily` names it.
    pub family: &'static str,
    /// The operating system.
    pub operating_system: &'static str,
    /// The kernel.
    pub kernel: &'static str,
    /// The kubelet.
    pub kubelet: &'static str,
}

/// The image every group gets that names none.
pub fn image() -> Image {
    let row = TABLE.rows().next().expect("invariant: the table has a row");
    let [family, operating_system, kernel, kubelet] = row;
    Image { family, operating_system, kernel, kubelet }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_default_image_runs_the_served_version() {
        assert_eq!(super::image().family, "AmazonLinux2023");
        assert!(super::image().kubelet.starts_with("v1.33."));
    }
}
