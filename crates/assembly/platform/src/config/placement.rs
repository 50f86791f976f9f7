//! Which documents go to which regions.
//!
//! A ClusterConfig goes to the regions it makes; what describes the platform itself goes nowhere; an
//! object of a kustomization goes where the Platform document chose that kustomization for; of the
//! rest the first rule that fits decides, and what fits none goes to the primary.

use std::collections::BTreeMap;

use mainstay_base::Diagnostic;
use mainstay_kinds::platform::{DocumentRule, Role};
use mainstay_resource::LabelSelector;
use mainstay_source::{Document, Shape, suggest};

use super::declaration::Declaration;
use super::paths::{Base, Pattern};
use super::regions::LEAVES_HELP;
use super::{Placed, RegionConfig, kustomizations};
use crate::codes;

/// Where documents go.
pub(super) struct Placement {
    /// The primary's name.
    primary: Vec<String>,
    /// The regions that ClusterConfigs make, by the number of the document.
    made_by: BTreeMap<usize, Vec<String>>,
    /// The regions for which the kustomization in a folder is chosen.
    chosen: BTreeMap<String, Vec<String>>,
    base: Option<Base>,
    rules: Vec<Rule>,
}

/// A rule of the Platform document, ready to be asked.
struct Rule {
    /// Its number in the Platform document.
    index: usize,
    paths: Vec<Pattern>,
    kinds: Vec<String>,
    namespaces: Vec<String>,
    selector: Option<LabelSelector>,
    regions: Vec<String>,
}

impl Placement {
    /// The placement of a Source with these regions; what is wrong with the rules is told.
    pub(super) fn of(
        declaration: Option<&Declaration<'_>>,
        regions: &[RegionConfig],
        made_by: BTreeMap<usize, Vec<String>>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Self {
        let primary = regions.first().map(|region| region.name.clone()).into_iter().collect();
        let written = declaration
            .iter()
            .flat_map(|one| one.platform.spec.documents.iter().map(move |rule| (*one, rule)));
        let mut rules = Vec::new();
        for (index, (declaration, rule)) in written.enumerate() {
            match Rule::of(declaration, index, rule, regions) {
                Ok(rule) => rules.push(rule),
                Err(problems) => diagnostics.extend(problems),
            }
        }
        let chosen = declaration
            .map(|declaration| kustomizations::choices(declaration, regions, diagnostics))
            .unwrap_or_default();
        let base = declaration.map(|declaration| declaration.base.clone());
        Self { primary, made_by, chosen, base, rules }
    }

    /// Places each document, and tells of rules that none fits.
    pub(super) fn place(
        &self,
        documents: &[Document],
        declaration: Option<&Declaration<'_>>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Vec<Placed> {
        let mut is_used = vec![false; self.rules.len()];
        let mut placed = Vec::with_capacity(documents.len());
        for (index, document) in documents.iter().enumerate() {
            placed.push(self.place_one(index, document, &mut is_used));
        }
        if let Some(declaration) = declaration {
            for (rule, _) in self.rules.iter().zip(is_used).filter(|(_, is_used)| !is_used) {
                diagnostics.push(self.unused(declaration, rule, documents));
            }
        }
        placed
    }

    fn place_one(&self, index: usize, document: &Document, is_used: &mut [bool]) -> Placed {
        let nowhere =
            |reason: String| Placed { document: document.clone(), regions: Vec::new(), reason: Some(reason) };
        let to = |regions: &[String]| Placed {
            document: document.clone(),
            regions: regions.to_vec(),
            reason: None,
        };
        if let Some(regions) = document.via.as_deref().and_then(|folder| self.chosen.get(folder)) {
            return to(regions);
        }
        match (&document.shape, self.made_by.get(&index)) {
            (_, Some(regions)) => to(regions),
            (Shape::ClusterConfig, None) => nowhere("no region of the platform uses it".to_owned()),
            (Shape::Platform, None) => nowhere("it says what the platform is".to_owned()),
            (Shape::Drill, None) => nowhere("`mainstay drill` runs it".to_owned()),
            _ => match self.rule_of(document) {
                None => to(&self.primary),
                Some(number) => {
                    is_used[number] = true;
                    let rule = &self.rules[number];
                    if rule.regions.is_empty() {
                        return nowhere(format!(
                            "the Platform document places it in no region (rule {})",
                            rule.index + 1
                        ));
                    }
                    to(&rule.regions)
                }
            },
        }
    }

    /// The number of the first rule that fits.
    fn rule_of(&self, document: &Document) -> Option<usize> {
        self.rules.iter().position(|rule| rule.fits(document, self.base.as_ref()))
    }

    fn unused(&self, declaration: &Declaration<'_>, rule: &Rule, documents: &[Document]) -> Diagnostic {
        let at = format!("/spec/documents/{}", rule.index);
        let is_placed = |document: &&Document| {
            !matches!(document.shape, Shape::ClusterConfig | Shape::Platform | Shape::Drill)
        };
        let taken =
            documents.iter().filter(is_placed).find(|document| rule.fits(document, self.base.as_ref()));
        match taken.and_then(|document| self.rule_of(document)) {
            Some(earlier) => {
                let first =
                    declaration.document.location(&format!("/spec/documents/{}", self.rules[earlier].index));
                declaration
                    .warning(
                        codes::RULE_UNUSED,
                        "earlier rules take every document of this one".to_owned(),
                        &at,
                    )
                    .related(first, "the first of them")
                    .help("put it before them, or take it out")
            }
            None => declaration
                .warning(codes::RULE_UNUSED, "no document fits this rule".to_owned(), &at)
                .help("paths are relative to the Platform's file; all parts of a rule must fit"),
        }
    }
}

impl Rule {
    fn of(
        declaration: &Declaration<'_>,
        index: usize,
        written: &DocumentRule,
        regions: &[RegionConfig],
    ) -> Result<Self, Vec<Diagnostic>> {
        let at = format!("/spec/documents/{index}");
        let mut problems = Vec::new();
        let mut paths = Vec::new();
        for (number, path) in written.paths.iter().enumerate() {
            match Pattern::parse(path) {
                Ok(pattern) => paths.push(pattern),
                Err(refused) => {
                    let message = format!("`{path}` {}", refused.words());
                    let at = format!("{at}/paths/{number}");
                    problems.push(declaration.problem(codes::PATH, message, &at).help(LEAVES_HELP));
                }
            }
        }
        let selector =
            written.selector.as_deref().map(LabelSelector::parse).transpose().unwrap_or_else(|error| {
                let message = "this is not a selector of labels".to_owned();
                let problem = declaration.problem(codes::SELECTOR, message, &format!("{at}/selector"));
                problems.push(
                    problem.cause(error.to_string()).help("write it like tier=web,env in (prod,staging)"),
                );
                None
            });
        let regions =
            targets(declaration, &format!("{at}/regions"), &written.regions, regions, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        let (kinds, namespaces) = (written.kinds.clone(), written.namespaces.clone());
        Ok(Self { index, paths, kinds, namespaces, selector, regions })
    }

    /// Whether all that it gives fits the document.
    fn fits(&self, document: &Document, base: Option<&Base>) -> bool {
        self.fits_path(document, base)
            && (self.kinds.is_empty() || self.fits_kind(document))
            && (self.namespaces.is_empty() || self.fits_namespace(document))
            && self.selector.as_ref().is_none_or(|selector| fits_labels(selector, document))
    }

    fn fits_path(&self, document: &Document, base: Option<&Base>) -> bool {
        if self.paths.is_empty() {
            return true;
        }
        let Some(path) = base.and_then(|base| base.relative(document.file().name())) else { return false };
        self.paths.iter().any(|pattern| pattern.matches(path))
    }

    fn fits_kind(&self, document: &Document) -> bool {
        let Some(object) = document.shape.object() else { return false };
        self.kinds.iter().any(|written| match written.split_once('.') {
            None => *written == object.kind.kind,
            Some((kind, group)) => kind == object.kind.kind && group == object.kind.group,
        })
    }

    fn fits_namespace(&self, document: &Document) -> bool {
        let Some(object) = document.shape.object() else { return false };
        let is_itself = object.kind.kind == "Namespace" && object.kind.group.is_empty();
        let name = if is_itself { &object.name } else { &object.namespace };
        self.namespaces.contains(name)
    }
}

fn fits_labels(selector: &LabelSelector, document: &Document) -> bool {
    let labels = document.node("/metadata/labels");
    selector.matches(&|key| labels.and_then(|labels| labels.get(key)).and_then(mainstay_source::Node::text))
}

/// The regions that these names, roles and `*` mean, in the platform's order.
pub(super) fn targets(
    declaration: &Declaration<'_>,
    at: &str,
    words: &[String],
    regions: &[RegionConfig],
    problems: &mut Vec<Diagnostic>,
) -> Vec<String> {
    let means =
        |word: &str, region: &RegionConfig| word == "*" || word == region.name || word == region.role.word();
    for (index, word) in words.iter().enumerate() {
        if regions.iter().any(|region| means(word, region)) {
            continue;
        }
        let at = format!("{at}/{index}");
        let problem = if Role::ALL.iter().any(|role| role.word() == word) {
            declaration
                .problem(codes::UNKNOWN_REGION, format!("no region has the role {word}"), &at)
                .help(format!("give a region `role: {word}`, or name another"))
        } else {
            let mut known: Vec<&str> = regions.iter().map(|region| region.name.as_str()).collect();
            known.extend(Role::ALL.map(Role::word));
            let problem =
                declaration.problem(codes::UNKNOWN_REGION, format!("there is no region `{word}`"), &at);
            problem.help(suggest(word, &known).unwrap_or_default())
        };
        problems.push(problem);
    }
    let chosen = regions.iter().filter(|region| words.iter().any(|word| means(word, region)));
    chosen.map(|region| region.name.clone()).collect()
}

#[cfg(test)]
mod tests;
