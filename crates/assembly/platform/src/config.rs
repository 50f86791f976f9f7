//! What a Source makes: regions, and which documents go where.
//!
//! A Platform document says both. Without one each ClusterConfig is a region and the first is
//! primary; without a ClusterConfig there is one region `local` with one machine. Pure: no file is
//! read here.

use std::path::Path;

use mainstay_base::Diagnostic;
use mainstay_base::diagnostic::Location;
use mainstay_kinds::ClusterConfig;
use mainstay_source::{Aside, Document, Source};
use serde_json::Value;

use crate::status::Declared;

mod clusters;
mod declaration;
mod duplicates;
mod kustomizations;
mod paths;
mod placement;
mod regions;

use declaration::Declaration;
pub use kustomizations::expanded;
pub use mainstay_kinds::platform::Role;

/// The region that a Source without ClusterConfig makes.
pub const LOCAL_REGION: &str = "local";

/// A platform to be started.
#[derive(Debug)]
pub struct Config {
    /// Its name: that of its Platform document, else of the Source's folder or file.
    pub name: String,
    /// Its regions, the primary first; never empty.
    pub regions: Vec<RegionConfig>,
    /// The Source's documents, in its order, each with where it goes.
    pub documents: Vec<Placed>,
    /// Where the Source's diagrams stand.
    pub diagrams: Vec<Location>,
    /// The documents that are no part of the platform themselves.
    pub aside: Vec<Aside>,
    /// Folders of templates that were left alone.
    pub templates: Vec<String>,
    /// What the Platform document declares beside them.
    pub declared: Option<Declared>,
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

/// Where the regions' APIs listen.
#[derive(Clone, Copy, Debug)]
pub struct Listening {
    /// The port of the first region's API on loopback; the others follow. 0 lets the machine choose.
    pub first_port: u16,
}

impl Config {
    /// Reads the platform out of a Source; `name` is what it is called unless it says so itself.
    pub fn plan(name: impl Into<String>, source: &Source) -> Self {
        let mut diagnostics = Vec::new();
        let declaration = Declaration::find(source, &mut diagnostics);
        let declaration = declaration.as_ref();
        let (clusters, is_all) = clusters::read(source, &mut diagnostics);
        let regions = match declaration.filter(|one| !one.platform.spec.regions.is_empty()) {
            Some(declaration) => regions::declared(declaration, &clusters, is_all),
            None => regions::of_clusters(&clusters),
        };
        diagnostics.extend(regions.diagnostics);
        let placement =
            placement::Placement::of(declaration, &regions.list, regions.made_by, &mut diagnostics);
        let documents = placement.place(&source.documents, declaration, &mut diagnostics);
        diagnostics.extend(duplicates::tell(&documents));
        Self {
            name: declaration.map_or_else(|| name.into(), |one| one.platform.metadata.name.clone()),
            regions: regions.list,
            documents,
            diagrams: source.diagrams.clone(),
            aside: source.aside.clone(),
            templates: source.templates.clone(),
            declared: declaration.map(Declaration::declared),
            diagnostics,
        }
    }

    /// The hosts that may be called.
    pub(crate) fn egress(&self) -> impl Iterator<Item = &str> {
        self.declared.iter().flat_map(|declared| &declared.egress).map(String::as_str)
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
