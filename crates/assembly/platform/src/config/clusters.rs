//! The ClusterConfigs of a Source, read, and what keeps their node groups from having machines.

use mainstay_base::Diagnostic;
use mainstay_kinds::ClusterConfig;
use mainstay_kinds::cluster_config::{API_VERSION, KIND};
use mainstay_source::{Document, Shape, Source};
use serde_json::{Value, json};

use crate::codes;

/// What the machine of the region `local` is.
const LOCAL_INSTANCE_TYPE: &str = "m5.2xlarge";

/// One ClusterConfig of the Source.
pub(super) struct Cluster<'a> {
    /// The number of its document.
    pub(super) index: usize,
    pub(super) document: &'a Document,
    pub(super) config: ClusterConfig,
}

/// Those that can be read; whether that is all of them.
pub(super) fn read<'a>(source: &'a Source, diagnostics: &mut Vec<Diagnostic>) -> (Vec<Cluster<'a>>, bool) {
    let mut clusters = Vec::new();
    let mut is_all = true;
    let documents = source.documents.iter().enumerate();
    for (index, document) in documents.filter(|(_, document)| document.shape == Shape::ClusterConfig) {
        match document.read::<ClusterConfig>().into_result() {
            Ok(config) => clusters.push(Cluster { index, document, config }),
            Err(problems) => {
                diagnostics.extend(problems);
                is_all = false;
            }
        }
    }
    (clusters, is_all)
}

/// What keeps node groups from having their machines, each at its group; `at` is the path of the
/// ClusterConfig in its document.
pub(super) fn node_group_problems(document: &Document, at: &str, config: &ClusterConfig) -> Vec<Diagnostic> {
    let (_groups, problems) = mainstay_capacity::groups(config);
    let own = config.node_groups.iter().map(|group| group.name.as_str()).enumerate();
    let managed = config.managed_node_groups.iter().map(|group| group.name.as_str()).enumerate();
    let paths: Vec<(&str, String)> = own
        .map(|(index, name)| (name, format!("{at}/nodeGroups/{index}")))
        .chain(managed.map(|(index, name)| (name, format!("{at}/managedNodeGroups/{index}"))))
        .collect();
    let at =
        |group: &str| paths.iter().rfind(|(name, _)| *name == group).map_or(at, |(_, path)| path.as_str());
    problems
        .iter()
        .map(|problem| {
            document
                .error(codes::NODE_GROUP, problem.to_string(), at(&problem.group))
                .help("correct the group; `mainstay explain M0307` says what is checked")
        })
        .collect()
}

/// A ClusterConfig with one machine, for a region that has none.
pub(super) fn small(name: &str) -> (ClusterConfig, Value) {
    let document = json!({
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name, "region": name},
        "nodeGroups": [{
            "name": "local", "instanceType": LOCAL_INSTANCE_TYPE,
            "desiredCapacity": 1, "minSize": 1, "maxSize": 1,
        }],
    });
    let config = serde_json::from_value(document.clone()).expect("invariant: the document above is one");
    (config, document)
}
