//! The Source's kustomizations: which are built, and where what they make goes.
//!
//! A Platform document may choose them, each for some regions; without its word all that stand
//! alone are built, and what they make is placed like any other document.

use std::collections::BTreeMap;
use std::sync::Arc;

use mainstay_base::Diagnostic;
use mainstay_kustomize::{expand, expand_chosen};
use mainstay_source::Source;

use super::RegionConfig;
use super::declaration::Declaration;
use super::placement::targets;
use super::regions::LEAVES_HELP;
use crate::codes;

/// The Source with its kustomizations built, those that its Platform document chooses if it does.
pub fn expanded(source: Source) -> Source {
    let chosen: Vec<Arc<str>> = match Declaration::find(&source, &mut Vec::new()) {
        Some(declaration) => {
            let choices = &declaration.platform.spec.kustomizations;
            choices.iter().filter_map(|choice| folder(&declaration, &choice.path)).map(Arc::from).collect()
        }
        None => Vec::new(),
    };
    if chosen.is_empty() { expand(source) } else { expand_chosen(source, &chosen) }
}

/// The regions for which each folder's kustomization is chosen; what is wrong with a choice is told.
pub(super) fn choices(
    declaration: &Declaration<'_>,
    regions: &[RegionConfig],
    diagnostics: &mut Vec<Diagnostic>,
) -> BTreeMap<String, Vec<String>> {
    let mut chosen = BTreeMap::new();
    for (index, choice) in declaration.platform.spec.kustomizations.iter().enumerate() {
        let at = format!("/spec/kustomizations/{index}");
        let targets = targets(declaration, &format!("{at}/regions"), &choice.regions, regions, diagnostics);
        if let Some(folder) = folder(declaration, &choice.path) {
            chosen.insert(folder, targets);
        } else {
            let message = format!("`{}` leads out of the Source", choice.path);
            let problem = declaration.problem(codes::PATH, message, &format!("{at}/path"));
            diagnostics.push(problem.help(LEAVES_HELP));
        }
    }
    chosen
}

/// The name of a folder that is given relative to the Platform's file.
fn folder(declaration: &Declaration<'_>, path: &str) -> Option<String> {
    let path = super::paths::clean(path).ok()?;
    mainstay_source::joined(declaration.base.folder(), &path)
}

#[cfg(test)]
mod tests {
    use mainstay_source::Source;

    use super::expanded;
    use crate::Config;

    const REGIONS: &str = "apiVersion: mainstay.dev/v1alpha1\nkind: Platform\nmetadata: {name: shop}\nspec:\n  regions:\n  - {name: us-east-1, cluster: c.yaml}\n  - {name: eu-west-1, cluster: c.yaml}\n";
    const CLUSTER: &str =
        "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: c, region: us-east-1}\n";

    fn plan(more: &str) -> (Source, Config) {
        let platform = format!("{REGIONS}{more}");
        let source = expanded(Source::from_texts([
            ("top/mainstay.yaml", platform.as_str()),
            ("top/c.yaml", CLUSTER),
            ("top/base/kustomization.yaml", "resources: [web.yaml]\n"),
            ("top/base/web.yaml", "{apiVersion: v1, kind: Service, metadata: {name: web}}\n"),
            ("top/east/kustomization.yaml", "resources: [../base]\ncommonAnnotations: {at: east}\n"),
            ("top/west/kustomization.yaml", "resources: [../base]\ncommonAnnotations: {at: west}\n"),
        ]));
        let config = Config::plan("test", &source);
        (source, config)
    }

    #[test]
    fn a_chosen_kustomization_goes_to_its_regions() {
        let (source, config) = plan(
            "  kustomizations:\n  - {path: east, regions: [us-east-1]}\n  - {path: ./west/, regions: [eu-west-1]}\n",
        );
        assert_eq!(source.diagnostics, []);
        assert_eq!(config.diagnostics, []);
        let placed: Vec<_> = config
            .documents
            .iter()
            .filter_map(|one| Some((one.document.via.as_deref()?, one.regions.join(","))))
            .collect();
        assert_eq!(placed, [("top/east", "us-east-1".to_owned()), ("top/west", "eu-west-1".to_owned())]);
    }

    #[test]
    fn without_a_choice_overlays_of_one_base_ask_for_one() {
        let (source, _config) = plan("");
        let codes: Vec<_> = source.diagnostics.iter().map(|one| one.code).collect();
        assert_eq!(codes, ["M0126"]);
    }

    #[test]
    fn a_choice_outside_the_source_or_for_no_region_is_told() {
        let (_source, config) = plan("  kustomizations: [{path: ../east, regions: [nowhere]}]\n");
        let codes: Vec<_> = config.diagnostics.iter().map(|one| one.code).collect();
        assert_eq!(codes, ["M0321", "M0326"]);
    }
}
