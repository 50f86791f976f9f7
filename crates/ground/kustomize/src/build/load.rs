//! What a kustomization is made of: files, bases, components, generated objects, configurations.

use mainstay_source::{Document, joined};

use super::{Accumulated, Builder, Target, origin};
use crate::generate::{self, Places, Sort, generate};
use crate::node::{Content, Node};
use crate::problem::{self, Outcome};
use crate::resource::Resource;
use crate::tables::Tables;

impl<'s> Builder<'_, 's> {
    /// Files and bases, in their order.
    pub(super) fn resources(
        &mut self,
        target: &Target<'s>,
        all: &mut Accumulated,
        (field, names): (&str, &[String]),
        origin: Option<&str>,
    ) -> Outcome<()> {
        for (index, name) in names.iter().enumerate() {
            let at = format!("/{field}/{index}");
            let path = Self::path(target, &at, name)?;
            let from = origin.map(|origin| joined(origin, name).unwrap_or_default());
            if let Some(documents) = self.files.documents(&path).filter(|_| field != "bases") {
                self.warn_of_outside(target, &at, &path);
                for document in documents {
                    Self::file(target, &at, document, all, from.as_deref())?;
                }
            } else {
                self.base(target, &at, &path, all, from.as_deref())?;
            }
        }
        Ok(())
    }

    /// The name of a file or folder in the Source.
    pub(super) fn path(target: &Target<'_>, at: &str, name: &str) -> Outcome<String> {
        let is_remote = name.contains("://")
            || name.starts_with("git@")
            || name.starts_with("github.com/")
            || name.contains("?ref=")
            || name.contains(".git//");
        if is_remote {
            let message = format!("`{name}` is remote, and is not fetched");
            return Err(problem::at(target.document, at, problem::REMOTE, message));
        }
        joined(&target.folder, name).ok_or_else(|| missing(target, at, name))
    }

    fn warn_of_outside(&mut self, target: &Target<'_>, at: &str, path: &str) {
        let is_inside = target.folder.is_empty() || path.starts_with(&format!("{}/", target.folder));
        if !is_inside {
            let mut warning = target.document.error(
                problem::DIFFERENT,
                format!("`{path}` is not in the folder of the kustomization: `kubectl kustomize` refuses it"),
                at,
            );
            warning.severity = mainstay_base::Severity::Warning;
            self.warnings.push(warning.help("move the file there, or make its folder a base"));
        }
    }

    fn file(
        target: &Target<'_>,
        at: &str,
        document: &Document,
        all: &mut Accumulated,
        from: Option<&str>,
    ) -> Outcome<()> {
        let mut waiting = std::collections::VecDeque::from([Node::read(document.root())]);
        while let Some(node) = waiting.pop_front() {
            if node.is_nothing() {
                continue;
            }
            let kind = node.get("kind").map(Node::as_text).unwrap_or_default();
            if kind.ends_with("List")
                && let Some(items) = node.get("items")
            {
                if let Content::List(items) = &items.content {
                    waiting.extend(items.iter().cloned());
                }
                continue;
            }
            let mut resource = Resource::new(node);
            if resource.kind().kind.is_empty() || resource.name().is_empty() {
                let message = "the document has no kind or no metadata.name, so it is no resource";
                return Err(problem::at(document, "", problem::NOT_BUILT, message));
            }
            resource.origin = from.map(origin::of_file);
            target.told(at, all.resources.append(resource))?;
        }
        Ok(())
    }

    fn base(
        &mut self,
        target: &Target<'s>,
        at: &str,
        path: &str,
        all: &mut Accumulated,
        from: Option<&str>,
    ) -> Outcome<()> {
        let base = self.enter(target, at, path)?;
        if base.says.kind == "Component" {
            let message = format!("`{path}` is a component: name it under `components`");
            return Err(problem::at(target.document, at, problem::NOT_BUILT, message));
        }
        let built = self.accumulate(&base, Accumulated::default(), from)?;
        let merged = built.resources.0.into_iter().try_for_each(|resource| all.resources.append(resource));
        target.told(at, merged)?;
        target.told(at, all.tables.merge(built.tables))?;
        for variable in built.variables {
            if all.variables.iter().any(|other| other.name == variable.name) {
                let message = format!("the variable `{}` is there twice", variable.name);
                return Err(problem::at(target.document, at, problem::NOT_BUILT, message));
            }
            all.variables.push(variable);
        }
        Ok(())
    }

    /// The kustomization of another folder, which must not be one that is being built.
    fn enter(&mut self, target: &Target<'_>, at: &str, path: &str) -> Outcome<Target<'s>> {
        let Some(document) = self.files.kustomization(path)? else { return Err(missing(target, at, path)) };
        let holds =
            |visited: &String| path.is_empty() || visited == path || visited.starts_with(&format!("{path}/"));
        if self.visited.iter().any(holds) {
            let message = format!("`{path}` is, or holds, a folder that is being built");
            return Err(problem::at(target.document, at, problem::NOT_BUILT, message));
        }
        self.read(document, path)
    }

    pub(super) fn components(
        &mut self,
        target: &Target<'s>,
        mut all: Accumulated,
        origin: Option<&str>,
    ) -> Outcome<Accumulated> {
        for (index, name) in target.says.components.iter().enumerate() {
            let at = format!("/components/{index}");
            let path = Self::path(target, &at, name)?;
            let component = self.enter(target, &at, &path)?;
            if component.says.kind != "Component" {
                let message = format!("`{path}` is no component: its kind is not Component");
                return Err(problem::at(target.document, &at, problem::NOT_BUILT, message));
            }
            let from = origin.map(|origin| joined(origin, name).unwrap_or_default());
            all = self.accumulate(&component, all, from.as_deref())?;
        }
        Ok(all)
    }

    pub(super) fn generators(
        &mut self,
        target: &Target<'s>,
        all: &mut Accumulated,
        origin: Option<&str>,
    ) -> Outcome<()> {
        let says = &target.says;
        let lists = [
            (Sort::ConfigMap, "configMapGenerator", &says.config_map_generator),
            (Sort::Secret, "secretGenerator", &says.secret_generator),
        ];
        for (sort, field, list) in lists {
            for (index, generator) in list.iter().enumerate() {
                let at = format!("/{field}/{index}");
                let options = generate::options(generator.options.as_ref(), says.generator_options.as_ref());
                let places = Places { of: &|path| target.place(&format!("{at}{path}")) };
                let made = generate(sort, generator, &options, self.files, &target.folder, &places);
                let mut resource = target.told_as(&at, problem::MISSING, made)?;
                resource.origin = origin.map(|origin| origin::of_builtin(origin, &target.file, field));
                target.told(&at, all.resources.absorb(resource))?;
            }
        }
        Ok(())
    }

    /// The builtin tables, and what `configurations` add to them.
    pub(super) fn configure(&mut self, target: &Target<'s>, all: &mut Accumulated) -> Outcome<()> {
        let mut tables = Tables::built_in();
        for (index, name) in target.says.configurations.iter().enumerate() {
            let at = format!("/configurations/{index}");
            let path = Self::path(target, &at, name)?;
            let documents = self.files.documents(&path).ok_or_else(|| missing(target, &at, name))?;
            for document in documents {
                match Tables::read(document) {
                    Ok(more) => target.told(&at, tables.merge(more))?,
                    Err(mut problems) => {
                        let last = problems.pop();
                        self.told.extend(problems);
                        return Err(Box::new(last.unwrap_or_else(|| *missing(target, &at, name))));
                    }
                }
            }
        }
        target.told("/configurations", all.tables.merge(tables))
    }
}

pub(super) fn missing(target: &Target<'_>, at: &str, name: &str) -> Box<mainstay_base::Diagnostic> {
    problem::at(target.document, at, problem::MISSING, format!("`{name}` is not in the Source"))
}
