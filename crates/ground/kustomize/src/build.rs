//! A kustomization built: its bases first, then what is generated, its components, and what it
//! changes; at the very end hashes, references by name and the order.

use mainstay_base::Diagnostic;
use mainstay_source::{Document, Made, Source};

use crate::emit;
use crate::files::{Files, folder_of, name_of};
use crate::kustomization::{Kustomization, Variable};
use crate::node::Node;
use crate::problem::{self, Outcome};
use crate::resources::Resources;
use crate::tables::Tables;
use crate::transform::{hash, order, references, variables};

mod changes;
mod finish;
mod load;
mod origin;

/// What a kustomization makes.
#[derive(Clone, Debug)]
pub struct Built {
    objects: Vec<Node>,
    /// What works differently than its author may think.
    pub warnings: Vec<Diagnostic>,
}

impl Built {
    /// The objects as `kubectl kustomize` prints them.
    pub fn to_yaml(&self) -> String {
        let mut out = String::new();
        for (index, object) in self.objects.iter().enumerate() {
            if index > 0 {
                out.push_str("---\n");
            }
            emit::document(&mut out, object);
        }
        out
    }

    /// The objects as values of documents.
    pub(crate) fn made(&self) -> impl Iterator<Item = Made> + '_ {
        self.objects.iter().map(Node::to_made)
    }

    /// Takes one object away.
    pub(crate) fn remove(&mut self, index: usize) {
        self.objects.remove(index);
    }

    /// The objects themselves.
    pub(crate) fn objects(&self) -> &[Node] {
        &self.objects
    }
}

/// Builds the kustomization in a folder of a Source.
pub fn build(source: &Source, folder: &str) -> Result<Built, Vec<Diagnostic>> {
    let folder = mainstay_source::joined("", folder).unwrap_or_default();
    let mut found = Vec::new();
    build_in(&Files::of(source), &folder, &mut found).map_err(|error| {
        found.push(*error);
        std::mem::take(&mut found)
    })
}

/// The same over files that are known already; of several problems all but the last are `told`.
pub(crate) fn build_in(files: &Files<'_>, folder: &str, told: &mut Vec<Diagnostic>) -> Outcome<Built> {
    let Some(document) = files.kustomization(folder)? else {
        let message = format!("there is no kustomization in `{folder}`");
        let help = "name a folder with a kustomization.yaml";
        return Err(Box::new(Diagnostic::error(problem::MISSING, message).help(help)));
    };
    let mut builder =
        Builder { files, warnings: Vec::new(), told, visited: Vec::new(), metadata: Vec::new() };
    let root = builder.read(document, folder)?;
    builder.metadata.clone_from(&root.says.build_metadata);
    let origin = (!builder.metadata.is_empty()).then(String::new);
    let mut all = builder.accumulate(&root, Accumulated::default(), origin.as_deref())?;
    hash::add(&mut all.resources);
    root.told("", references::follow(&mut all.resources, &all.tables))?;
    root.told("/vars", variables::resolve(&mut all.resources, &all.variables, &all.tables.variables))?;
    finish::drop_local(&mut all.resources);
    root.told("/sortOptions", order::sort(&mut all.resources, root.says.sort_options.as_ref()))?;
    finish::annotate(&mut all.resources, &builder.metadata);
    let objects = all.resources.0.into_iter().filter_map(|resource| resource.node).collect();
    Ok(Built { objects, warnings: builder.warnings })
}

/// What is there so far.
#[derive(Default)]
pub(crate) struct Accumulated {
    resources: Resources,
    tables: Tables,
    variables: Vec<Variable>,
}

/// A kustomization that was read.
struct Target<'s> {
    folder: String,
    /// Its file's name without folder.
    file: String,
    document: &'s Document,
    says: Kustomization,
}

impl Target<'_> {
    /// Gives what happened to a part of it its place.
    fn told<T>(&self, path: &str, happened: Result<T, String>) -> Outcome<T> {
        self.told_as(path, problem::NOT_BUILT, happened)
    }

    fn told_as<T>(&self, path: &str, code: &'static str, happened: Result<T, String>) -> Outcome<T> {
        happened.map_err(|message| problem::at(self.document, path, code, message))
    }

    fn place(&self, path: &str) -> mainstay_source::Place {
        self.document.node(path).unwrap_or_else(|| self.document.root()).place()
    }
}

struct Builder<'f, 's> {
    files: &'f Files<'s>,
    warnings: Vec<Diagnostic>,
    told: &'f mut Vec<Diagnostic>,
    /// The folders being built, outermost first.
    visited: Vec<String>,
    /// What the root wants to be told of how its objects were made.
    metadata: Vec<String>,
}

impl<'s> Builder<'_, 's> {
    fn read(&mut self, document: &'s Document, folder: &str) -> Outcome<Target<'s>> {
        let mut says = match document.read::<Kustomization>().into_result() {
            Ok(says) => says,
            Err(mut problems) => {
                let last = problems.pop();
                self.told.extend(problems);
                let unknown = || document.error(problem::NOT_BUILT, "the kustomization cannot be read", "");
                return Err(Box::new(last.unwrap_or_else(unknown)));
            }
        };
        let wanted = if says.kind == "Component" { "v1alpha1" } else { "v1beta1" };
        let version = format!("kustomize.config.k8s.io/{wanted}");
        if !matches!(says.kind.as_str(), "" | "Kustomization" | "Component") {
            let message = "kind should be Kustomization or Component";
            return Err(problem::at(document, "/kind", problem::NOT_BUILT, message));
        }
        if !says.api_version.is_empty() && says.api_version != version {
            let message = format!("apiVersion should be {version}");
            return Err(problem::at(document, "/apiVersion", problem::NOT_BUILT, message));
        }
        says.images.append(&mut says.image_tags);
        let name = name_of(document);
        let file = name[folder_of(&name).len()..].trim_start_matches('/').to_owned();
        Ok(Target { folder: folder.to_owned(), file, document, says })
    }

    fn accumulate(
        &mut self,
        target: &Target<'s>,
        mut all: Accumulated,
        origin: Option<&str>,
    ) -> Outcome<Accumulated> {
        self.visited.push(target.folder.clone());
        let says = &target.says;
        self.resources(target, &mut all, ("resources", &says.resources), origin)?;
        self.resources(target, &mut all, ("bases", &says.bases), origin)?;
        self.configure(target, &mut all)?;
        self.generators(target, &mut all, origin)?;
        all = self.components(target, all, origin)?;
        self.changes(target, &mut all, origin)?;
        self.refuse_programs(target)?;
        target.told("/vars", variables::note(&mut all.resources, &says.vars))?;
        for variable in &says.vars {
            if all.variables.iter().any(|other| other.name == variable.name) {
                let message = format!("the variable `{}` is there twice", variable.name);
                return Err(problem::at(target.document, "/vars", problem::NOT_BUILT, message));
            }
            all.variables.push(variable.clone());
        }
        self.visited.pop();
        Ok(all)
    }
}
