//! What a Source makes: regions, and which documents go where.
//!
//! Without a Platform document each ClusterConfig is a region and the first is primary; without a
//! ClusterConfig there is one region `local` with one machine. Pure: no file is read here.

use std::collections::BTreeMap;
use std::path::Path;

use mainstay_base::Diagnostic;
use mainstay_kinds::ClusterConfig;
use mainstay_kinds::cluster_config::{API_VERSION, KIND};
use mainstay_source::{Document, Shape, Source};
use serde_json::{Value, json};

use crate::codes;

mod placement;

/// The region that a Source without ClusterConfig makes.
pub const LOCAL_REGION: &str = "local";
/// What the machine of the region `local` is.
const LOCAL_INSTANCE_TYPE: &str = "m5.2xlarge";

/// A platform to be started.
#[derive(Debug)]
pub struct Config {
    /// Its name: that of the Source's folder or file.
    pub name: String,
    /// Its regions, the primary first; never empty.
    pub regions: Vec<RegionConfig>,
    /// The Source's documents, in its order, each with where it goes.
    pub documents: Vec<Placed>,
    /// What is wrong with the Source as a platform.
    pub diagnostics: Vec<Diagnostic>,
}

/// A document, and where it goes.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The document.
    pub document: Document,
    /// The names of the regions it goes to, in the platform's order; empty when it goes nowhere.
    pub regions: Vec<String>,
    /// Why it goes nowhere.
    pub reason: Option<String>,
}

/// One region to be started.
#[derive(Debug)]
pub struct RegionConfig {
    /// Its name, `us-east-1`.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Its cluster.
    pub cluster: ClusterConfig,
    /// The same as it is written, to be stored.
    pub document: Value,
}

/// What a region is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Documents that name no region go here.
    Primary,
    /// Every other one.
    Secondary,
}

impl Role {
    /// The word in `status`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
        }
    }
}

/// Where the regions' APIs listen.
#[derive(Clone, Copy, Debug)]
pub struct Listening {
    /// The port of the first region's API on loopback; the others follow. 0 lets the machine choose.
    pub first_port: u16,
}

impl Config {
    /// Reads the platform called `name` out of a Source.
    pub fn plan(name: impl Into<String>, source: &Source) -> Self {
        let mut diagnostics = Vec::new();
        let mut regions: Vec<RegionConfig> = Vec::new();
        let mut own = BTreeMap::new();
        let clusters = source.documents.iter().enumerate();
        for (index, document) in clusters.filter(|(_, document)| document.shape == Shape::ClusterConfig) {
            let cluster = match document.read::<ClusterConfig>().into_result() {
                Ok(cluster) => cluster,
                Err(problems) => {
                    diagnostics.extend(problems);
                    continue;
                }
            };
            let name = cluster.metadata.region.clone();
            if regions.iter().any(|region| region.name == name) {
                diagnostics.push(duplicate_region(document, &name));
                continue;
            }
            diagnostics.extend(node_group_problems(document, &cluster));
            let role = if regions.is_empty() { Role::Primary } else { Role::Secondary };
            own.insert(index, name.clone());
            regions.push(RegionConfig { name, role, cluster, document: document.value() });
        }
        if regions.is_empty() {
            regions.push(local());
        }
        let documents = placement::place(&source.documents, &regions, &own);
        Self { name: name.into(), regions, documents, diagnostics }
    }
}

/// What the platform of the Source at `path` is called: its folder's or file's name, in the letters
/// a name may have.
pub fn platform_name(path: &Path) -> String {
    // `.` has no name of its own.
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let stem = if absolute.is_dir() { absolute.file_name() } else { absolute.file_stem() };
    let text = stem.unwrap_or_default().to_string_lossy().to_lowercase();
    let name: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "platform".to_owned() } else { name.to_owned() }
}

fn duplicate_region(document: &Document, name: &str) -> Diagnostic {
    let message = format!("a second ClusterConfig names region {name}");
    document
        .error(codes::DUPLICATE_REGION, message, "/metadata/region")
        .help("give each ClusterConfig a region of its own")
}

/// What keeps node groups from having their machines, each at its group.
fn node_group_problems(document: &Document, cluster: &ClusterConfig) -> Vec<Diagnostic> {
    let (_groups, problems) = mainstay_capacity::groups(cluster);
    let own = cluster.node_groups.iter().map(|group| group.name.as_str()).enumerate();
    let managed = cluster.managed_node_groups.iter().map(|group| group.name.as_str()).enumerate();
    let paths: Vec<(&str, String)> = own
        .map(|(index, name)| (name, format!("/nodeGroups/{index}")))
        .chain(managed.map(|(index, name)| (name, format!("/managedNodeGroups/{index}"))))
        .collect();
    let at =
        |group: &str| paths.iter().rfind(|(name, _)| *name == group).map_or("", |(_, path)| path.as_str());
    problems
        .iter()
        .map(|problem| {
            document
                .error(codes::NODE_GROUP, problem.to_string(), at(&problem.group))
                .help("correct the group; `mainstay explain M0307` says what is checked")
        })
        .collect()
}

/// One region with one machine, for a Source that names none.
fn local() -> RegionConfig {
    let document = json!({
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": LOCAL_REGION, "region": LOCAL_REGION},
        "nodeGroups": [{
            "name": "local", "instanceType": LOCAL_INSTANCE_TYPE,
            "desiredCapacity": 1, "minSize": 1, "maxSize": 1,
        }],
    });
    let cluster = serde_json::from_value(document.clone()).expect("invariant: the document above is one");
    RegionConfig { name: LOCAL_REGION.to_owned(), role: Role::Primary, cluster, document }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use mainstay_source::Source;

    use super::{Config, LOCAL_REGION, Role, platform_name};
    use crate::codes;

    fn cluster(name: &str, region: &str) -> String {
        format!(
            "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {{name: {name}, region: {region}}}\n"
        )
    }

    #[test]
    fn each_cluster_config_is_a_region_and_the_first_is_primary() {
        let text = format!("{}---\n{}", cluster("a", "us-east-1"), cluster("b", "eu-west-1"));
        let config = Config::plan("test", &Source::from_text("a.yaml", text));
        assert!(config.diagnostics.is_empty());
        let regions: Vec<_> =
            config.regions.iter().map(|region| (region.name.as_str(), region.role)).collect();
        assert_eq!(regions, [("us-east-1", Role::Primary), ("eu-west-1", Role::Secondary)]);
    }

    #[test]
    fn without_one_there_is_a_region_local() {
        let config = Config::plan("test", &Source::from_text("a.yaml", "a: 1"));
        assert_eq!(config.regions.len(), 1);
        assert_eq!(config.regions[0].name, LOCAL_REGION);
    }

    #[test]
    fn a_second_cluster_of_one_region_is_a_diagnostic_at_its_place() {
        let text = format!("{}---\n{}", cluster("a", "us-east-1"), cluster("b", "us-east-1"));
        let config = Config::plan("test", &Source::from_text("a.yaml", text));
        assert_eq!(config.regions.len(), 1);
        assert_eq!(config.diagnostics[0].code, codes::DUPLICATE_REGION);
        assert_eq!(config.diagnostics[0].at.as_ref().map(|at| at.line), Some(7));
    }

    #[test]
    fn an_unknown_instance_type_is_a_diagnostic_at_its_group() {
        let text =
            format!("{}nodeGroups:\n  - {{name: a, instanceType: c5.4xlrage}}\n", cluster("a", "us-east-1"));
        let config = Config::plan("test", &Source::from_text("a.yaml", text));
        assert_eq!(config.diagnostics.len(), 1);
        assert_eq!(config.diagnostics[0].code, codes::NODE_GROUP);
        assert!(config.diagnostics[0].message.contains("c5.4xlrage"), "{}", config.diagnostics[0].message);
        assert_eq!(config.diagnostics[0].at.as_ref().map(|at| at.line), Some(5));
    }

    #[test]
    fn a_platform_is_called_after_its_source() {
        assert_eq!(platform_name(Path::new("examples/Enterprise_Shop.md")), "enterprise-shop");
        assert_eq!(platform_name(Path::new("/")), "platform");
    }
}
