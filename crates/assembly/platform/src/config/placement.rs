//! Which documents go to which regions.
//!
//! A ClusterConfig goes to the region it makes, what describes the platform itself goes nowhere,
//! everything else goes to the primary.

use std::collections::BTreeMap;

use mainstay_source::{Document, Shape};

use super::{Placed, RegionConfig};

/// Places each document; `own` says of ClusterConfigs, by index, which region they make.
pub(super) fn place(
    documents: &[Document],
    regions: &[RegionConfig],
    own: &BTreeMap<usize, String>,
) -> Vec<Placed> {
    let primary = regions.first().map(|region| region.name.clone());
    let one = |(index, document): (usize, &Document)| {
        let document = document.clone();
        let nowhere = |reason: &str| (Vec::new(), Some(reason.to_owned()));
        let (regions, reason) = match (&document.shape, own.get(&index)) {
            (_, Some(region)) => (vec![region.clone()], None),
            (Shape::ClusterConfig, None) => nowhere("no region of the platform uses it"),
            (Shape::Platform, None) => nowhere("it says what the platform is"),
            (Shape::Drill, None) => nowhere("`mainstay drill` runs it"),
            _ => (primary.iter().cloned().collect(), None),
        };
        Placed { document, regions, reason }
    };
    documents.iter().enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    use mainstay_source::Source;

    use crate::Config;

    #[test]
    fn without_a_platform_document_all_but_cluster_configs_goes_to_the_primary() {
        let text = "apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {name: a, region: us-east-1}
---
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {name: b, region: eu-west-1}
---
apiVersion: v1
kind: Namespace
metadata: {name: team}
---
apiVersion: mainstay.dev/v1alpha1
kind: Drill
---
scrape_configs: []
";
        let config = Config::plan("test", &Source::from_text("a.yaml", text));
        let placed: Vec<_> = config
            .documents
            .iter()
            .map(|placed| (placed.document.shape.noun(), placed.regions.join(" "), placed.reason.as_deref()))
            .collect();
        let expected = [
            ("ClusterConfig", "us-east-1".to_owned(), None),
            ("ClusterConfig", "eu-west-1".to_owned(), None),
            ("Kubernetes object", "us-east-1".to_owned(), None),
            ("Drill", String::new(), Some("`mainstay drill` runs it")),
            ("Prometheus configuration", "us-east-1".to_owned(), None),
        ];
        assert_eq!(placed, expected);
    }
}
