//! The regions of a platform: those its Platform document names, else one for each ClusterConfig,
//! else one region `local`.

use std::collections::BTreeMap;

use mainstay_base::Diagnostic;
use mainstay_kinds::platform::{self, Role};
use mainstay_resource::name;
use mainstay_source::{Document, suggest};

use super::clusters::{self, Cluster};
use super::declaration::Declaration;
use super::{LOCAL_REGION, RegionConfig, paths};
use crate::codes;

/// What the Source makes.
#[derive(Default)]
pub(super) struct Regions {
    /// The regions, the primary first.
    pub(super) list: Vec<RegionConfig>,
    /// The regions that a ClusterConfig makes, by the number of its document.
    pub(super) made_by: BTreeMap<usize, Vec<String>>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// The regions where no Platform document names any.
pub(super) fn of_clusters(clusters: &[Cluster<'_>]) -> Regions {
    let mut regions = Regions::default();
    for cluster in clusters {
        let name = cluster.config.metadata.region.clone();
        regions.check_name(cluster.document, "/metadata/region", &name);
        if regions.list.iter().any(|region| region.name == name) {
            let message = format!("a second ClusterConfig names region {name}");
            regions.diagnostics.push(
                cluster.document.error(codes::DUPLICATE_REGION, message, "/metadata/region").help(
                    "give each ClusterConfig a region of its own, or name the regions in a Platform document",
                ),
            );
            continue;
        }
        let role = if regions.list.is_empty() { Role::Primary } else { Role::Secondary };
        regions.add_made_by(cluster, name, role);
    }
    if regions.list.is_empty() {
        regions.list.push(local());
    }
    regions
}

/// The regions that a Platform document names; `is_all` says whether every ClusterConfig could be
/// read.
pub(super) fn declared(declaration: &Declaration<'_>, clusters: &[Cluster<'_>], is_all: bool) -> Regions {
    let mut regions = Regions::default();
    let document = declaration.document;
    let written = &declaration.platform.spec.regions;
    let roles = regions.roles(document, written);
    for (index, (region, role)) in written.iter().zip(roles).enumerate() {
        let at = format!("/spec/regions/{index}");
        let name_at = format!("{at}/name");
        regions.check_name(document, &name_at, &region.name);
        if let Some(first) = written[..index].iter().position(|other| other.name == region.name) {
            let message = format!("a second region is called {}", region.name);
            let first = document.location(&format!("/spec/regions/{first}/name"));
            let problem =
                document.error(codes::DUPLICATE_REGION, message, &name_at).related(first, "first here");
            regions.diagnostics.push(problem.help("give each region a name of its own"));
            continue;
        }
        match &region.cluster {
            Some(platform::Cluster::Inline(config)) => {
                regions.add_inline(document, &format!("{at}/cluster"), region.name.clone(), role, config);
            }
            other => {
                let named = match other {
                    Some(platform::Cluster::Named(text)) => Some(text.as_str()),
                    _ => None,
                };
                match find(declaration, clusters, &region.name, named, &at) {
                    Ok(cluster) => regions.add_made_by(cluster, region.name.clone(), role),
                    Err(problem) if is_all => regions.diagnostics.push(problem),
                    // It may be the one that cannot be read.
                    Err(_) => {}
                }
            }
        }
    }
    regions.list.sort_by_key(|region| region.role != Role::Primary);
    if regions.list.is_empty() {
        regions.list.push(local());
    }
    regions.tell_unused(clusters);
    regions
}

impl Regions {
    fn add_made_by(&mut self, cluster: &Cluster<'_>, name: String, role: Role) {
        let makers = self.made_by.entry(cluster.index).or_default();
        if makers.is_empty() {
            self.diagnostics.extend(clusters::node_group_problems(cluster.document, "", &cluster.config));
        }
        makers.push(name.clone());
        let document = cluster.document.value();
        self.list.push(RegionConfig { name, role, cluster: cluster.config.clone(), document });
    }

    fn add_inline(
        &mut self,
        document: &Document,
        at: &str,
        name: String,
        role: Role,
        config: &mainstay_kinds::ClusterConfig,
    ) {
        self.diagnostics.extend(clusters::node_group_problems(document, at, config));
        let written = document.node(at).map(mainstay_source::Node::to_value).unwrap_or_default();
        self.list.push(RegionConfig { name, role, cluster: config.clone(), document: written });
    }

    /// The role of each region: exactly one is primary.
    fn roles(&mut self, document: &Document, written: &[platform::Region]) -> Vec<Role> {
        let at = |index: usize| format!("/spec/regions/{index}/role");
        let primaries: Vec<usize> =
            (0..written.len()).filter(|index| written[*index].role == Some(Role::Primary)).collect();
        match (primaries.as_slice(), written.first()) {
            ([_, second, ..], _) => {
                let problem = document
                    .error(codes::PRIMARY, "a second region is primary", &at(*second))
                    .related(document.location(&at(primaries[0])), "first here");
                self.diagnostics.push(problem.help("give it another role: secondary, dr or staging"));
            }
            ([], Some(first)) if first.role.is_some() => {
                let problem = document.error(codes::PRIMARY, "no region is primary", "/spec/regions");
                self.diagnostics.push(problem.help("give one region `role: primary`"));
            }
            _ => {}
        }
        let role = |(index, region): (usize, &platform::Region)| match region.role {
            Some(role) => role,
            None if index == 0 && primaries.is_empty() => Role::Primary,
            None => Role::Secondary,
        };
        written.iter().enumerate().map(role).collect()
    }

    /// A region's name is a folder, a host's label and part of a context.
    fn check_name(&mut self, document: &Document, at: &str, name: &str) {
        if let Some(why) = name::dns_label(name).into_iter().next() {
            let problem =
                document.error(codes::INVALID_NAME, format!("`{name}` cannot be a region's name"), at);
            self.diagnostics.push(problem.cause(why).help("use a name like us-east-1"));
        }
    }

    /// Tells of ClusterConfigs that no region uses.
    fn tell_unused(&mut self, clusters: &[Cluster<'_>]) {
        for cluster in clusters.iter().filter(|cluster| !self.made_by.contains_key(&cluster.index)) {
            let message =
                format!("no region of the platform uses ClusterConfig {}", cluster.config.metadata.name);
            let mut problem = cluster.document.error(codes::CLUSTER_UNUSED, message, "/metadata/name");
            problem.severity = mainstay_base::Severity::Warning;
            self.diagnostics
                .push(problem.help("name it in `spec.regions` of the Platform document, or take it out"));
        }
    }
}

/// The ClusterConfig that a region means.
fn find<'c, 'a>(
    declaration: &Declaration<'_>,
    clusters: &'c [Cluster<'a>],
    region: &str,
    named: Option<&str>,
    at: &str,
) -> Result<&'c Cluster<'a>, Diagnostic> {
    let document = declaration.document;
    let found = match named {
        Some(text) => of_text(declaration, clusters, text, at)?,
        None => of_region(clusters, region),
    };
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(not_found(declaration, clusters, region, named, at)),
        [first, ..] => {
            let at = if named.is_some() { format!("{at}/cluster") } else { format!("{at}/name") };
            let message = format!("{} ClusterConfigs could be the cluster of region {region}", found.len());
            Err(document
                .error(codes::REGION_CLUSTER, message, &at)
                .related(first.document.start(), "one of them")
                .help("name one by its metadata.name: `cluster: NAME`"))
        }
    }
}

/// The ClusterConfigs of a name, or in a file.
fn of_text<'c, 'a>(
    declaration: &Declaration<'_>,
    clusters: &'c [Cluster<'a>],
    text: &str,
    at: &str,
) -> Result<Vec<&'c Cluster<'a>>, Diagnostic> {
    let path = paths::clean(text);
    if path == Err(paths::Refused::LeavesSource) {
        let message = format!("`{text}` leads out of the Source");
        return Err(declaration.problem(codes::PATH, message, &format!("{at}/cluster")).help(LEAVES_HELP));
    }
    let is_meant = |cluster: &&Cluster<'_>| {
        let file = declaration.base.relative(cluster.document.file().name());
        cluster.config.metadata.name == text || file.is_some_and(|file| path.as_deref() == Ok(file))
    };
    Ok(clusters.iter().filter(is_meant).collect())
}

/// The ClusterConfigs of a cloud region, else those called like it.
fn of_region<'c, 'a>(clusters: &'c [Cluster<'a>], region: &str) -> Vec<&'c Cluster<'a>> {
    let in_region: Vec<_> =
        clusters.iter().filter(|cluster| cluster.config.metadata.region == region).collect();
    if in_region.is_empty() {
        return clusters.iter().filter(|cluster| cluster.config.metadata.name == region).collect();
    }
    in_region
}

/// What helps with a path that leads out.
pub(super) const LEAVES_HELP: &str = "paths are relative to the Platform's file and stay below its folder";

fn not_found(
    declaration: &Declaration<'_>,
    clusters: &[Cluster<'_>],
    region: &str,
    named: Option<&str>,
    at: &str,
) -> Diagnostic {
    let document = declaration.document;
    let Some(text) = named else {
        return document
            .error(
                codes::REGION_CLUSTER,
                format!("region {region} has no ClusterConfig"),
                &format!("{at}/name"),
            )
            .help(format!("add one with `metadata.region: {region}`, or name one with `cluster:`"));
    };
    let files =
        clusters.iter().filter_map(|cluster| declaration.base.relative(cluster.document.file().name()));
    let mut known: Vec<&str> =
        clusters.iter().map(|cluster| cluster.config.metadata.name.as_str()).chain(files).collect();
    known.sort_unstable();
    known.dedup();
    let problem = document.error(
        codes::REGION_CLUSTER,
        format!("there is no ClusterConfig `{text}`"),
        &format!("{at}/cluster"),
    );
    problem.help(suggest(text, &known).unwrap_or_else(|| "add one to the Source".to_owned()))
}

/// One region with one machine, for a Source that names none.
fn local() -> RegionConfig {
    let (cluster, document) = clusters::small(LOCAL_REGION);
    RegionConfig { name: LOCAL_REGION.to_owned(), role: Role::Primary, cluster, document }
}
