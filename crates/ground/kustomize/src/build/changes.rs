//! What a kustomization changes, in the order in which kustomize does it.

use super::load::missing;
use super::{Accumulated, Builder, Target, origin};
use crate::kustomization::{Patch as Entry, Replacement};
use crate::problem::{self, Outcome};
use crate::transform::names::{self, End};
use crate::transform::patches::{self, Patch};
use crate::transform::texts::{self, placed};
use crate::transform::{images, namespace, replacements, replicas};
use mainstay_source::Document;

impl<'s> Builder<'_, 's> {
    pub(super) fn changes(
        &mut self,
        target: &Target<'s>,
        all: &mut Accumulated,
        origin: Option<&str>,
    ) -> Outcome<()> {
        let mut noted = Noted { origin, file: &target.file };
        self.strategic_patches(target, all, &mut noted)?;
        for index in 0..target.says.patches.len() {
            self.patch(target, all, ("patches", index, &target.says.patches[index]))?;
            noted.note(all, "PatchTransformer");
        }
        metadata(target, all, &mut noted)?;
        for index in 0..target.says.patches_json_6902.len() {
            self.patch(target, all, ("patchesJson6902", index, &target.says.patches_json_6902[index]))?;
            noted.note(all, "PatchJson6902Transformer");
        }
        contents(target, all, &mut noted)?;
        self.replacements(target, all, &mut noted)
    }

    fn strategic_patches(
        &mut self,
        target: &Target<'s>,
        all: &mut Accumulated,
        noted: &mut Noted<'_>,
    ) -> Outcome<()> {
        let entries = &target.says.patches_strategic_merge;
        for (index, text) in entries.iter().enumerate() {
            let at = format!("/patchesStrategicMerge/{index}");
            let documents = if text.contains(':') && text.contains('\n') {
                self.inline(target, &at)?
            } else {
                self.named(target, &at, text)?
            };
            let patch = target.told_as(&at, problem::NOT_APPLIED, Patch::read(&documents, false, false))?;
            let Patch::Merge(parts) = patch else {
                let message = "a JSON patch has its place under `patches`";
                return Err(problem::at(target.document, &at, problem::NOT_APPLIED, message));
            };
            for part in parts {
                let merged = patches::by_name(&mut all.resources, &part);
                target.told_as(&at, problem::NOT_APPLIED, merged)?;
            }
            all.resources.drop_deleted();
        }
        if !entries.is_empty() {
            noted.note(all, "PatchStrategicMergeTransformer");
        }
        Ok(())
    }

    fn patch(
        &mut self,
        target: &Target<'s>,
        all: &mut Accumulated,
        (field, index, entry): (&str, usize, &Entry),
    ) -> Outcome<()> {
        let at = format!("/{field}/{index}");
        let documents = match (entry.path.is_empty(), entry.text.trim().is_empty()) {
            (false, true) => self.named(target, &format!("{at}/path"), &entry.path)?,
            (true, false) => self.inline(target, &format!("{at}/patch"))?,
            _ => {
                let message = "a patch must have either `path` or `patch`";
                return Err(problem::at(target.document, &at, problem::NOT_APPLIED, message));
            }
        };
        let option = |name: &str| entry.options.get(name).copied().unwrap_or_default();
        let patch = Patch::read(&documents, option("allowNameChange"), option("allowKindChange"));
        let patch = target.told_as(&at, problem::NOT_APPLIED, patch)?;
        let is_json = matches!(&patch, Patch::Json(patch) if !patch.is_empty());
        if field == "patchesJson6902" && !is_json {
            let message = "only a JSON patch with operations has its place here";
            return Err(problem::at(target.document, &at, problem::NOT_APPLIED, message));
        }
        let applied = patch.apply(&mut all.resources, entry.target.as_ref(), field == "patches");
        target.told_as(&at, problem::NOT_APPLIED, applied)?;
        all.resources.drop_deleted();
        Ok(())
    }

    /// The documents of a file.
    fn named(&mut self, target: &Target<'s>, at: &str, name: &str) -> Outcome<Vec<Document>> {
        let path = Self::path(target, at, name)?;
        if let Some(documents) = self.files.documents(&path) {
            return Ok(documents.iter().map(|document| (*document).clone()).collect());
        }
        let text = self.files.bytes(&path).and_then(|bytes| std::str::from_utf8(bytes).ok());
        let Some(text) = text else { return Err(missing(target, at, name)) };
        self.sound(target.document.beside(&path, text))
    }

    /// The documents in a text of the kustomization itself.
    fn inline(&mut self, target: &Target<'s>, at: &str) -> Outcome<Vec<Document>> {
        self.sound(target.document.inside(at))
    }

    fn sound(&mut self, mut inside: mainstay_source::Inside) -> Outcome<Vec<Document>> {
        if let Some(last) = inside.diagnostics.pop() {
            self.told.extend(inside.diagnostics);
            return Err(Box::new(last));
        }
        Ok(inside.documents.into_iter().map(|nested| nested.document).collect())
    }

    fn replacements(
        &mut self,
        target: &Target<'s>,
        all: &mut Accumulated,
        noted: &mut Noted<'_>,
    ) -> Outcome<()> {
        for (index, entry) in target.says.replacements.iter().enumerate() {
            let at = format!("/replacements/{index}");
            let entries = if entry.path.is_empty() {
                vec![entry.clone()]
            } else {
                self.replacements_of(target, &at, entry)?
            };
            for entry in entries {
                let done = match &entry.source {
                    Some(source) if !entry.targets.is_empty() => {
                        replacements::replace(&mut all.resources, source, &entry.targets)
                    }
                    _ => Err("a replacement must have a source and a target".to_owned()),
                };
                target.told_as(&at, problem::NOT_APPLIED, done)?;
            }
        }
        if !target.says.replacements.is_empty() {
            noted.note(all, "ReplacementTransformer");
        }
        Ok(())
    }

    fn replacements_of(
        &mut self,
        target: &Target<'s>,
        at: &str,
        entry: &Replacement,
    ) -> Outcome<Vec<Replacement>> {
        let mut entries = Vec::new();
        for document in self.named(target, &format!("{at}/path"), &entry.path)? {
            let read = if document.root().is_sequence() {
                document.read::<Vec<Replacement>>().into_result()
            } else {
                document.read::<Replacement>().into_result().map(|one| vec![one])
            };
            match read {
                Ok(read) => entries.extend(read),
                Err(mut problems) => {
                    let last = problems.pop();
                    self.told.extend(problems);
                    return Err(Box::new(last.unwrap_or_else(|| *missing(target, at, &entry.path))));
                }
            }
        }
        Ok(entries)
    }

    /// Refuses what programs would have to make, and tells what has no effect.
    pub(super) fn refuse_programs(&mut self, target: &Target<'s>) -> Outcome<()> {
        let says = &target.says;
        for (field, is_there, what) in [
            ("helmCharts", !says.helm_charts.is_empty(), "Helm is not run"),
            (
                "helmChartInflationGenerator",
                !says.helm_chart_inflation_generator.is_empty(),
                "Helm is not run",
            ),
            ("generators", !says.generators.is_empty(), "generators of one's own are not run"),
            ("transformers", !says.transformers.is_empty(), "transformers of one's own are not run"),
            ("validators", !says.validators.is_empty(), "validators are not run"),
        ] {
            if is_there {
                let at = format!("/{field}");
                return Err(problem::at(target.document, &at, problem::OPAQUE, format!("`{field}`: {what}")));
            }
        }
        for (field, is_there) in [("openapi", !says.openapi.is_empty()), ("crds", !says.crds.is_empty())] {
            if is_there {
                let message =
                    format!("`{field}` has no effect: lists of custom kinds are replaced, not merged");
                let mut warning = target.document.error(problem::DIFFERENT, message, &format!("/{field}"));
                warning.severity = mainstay_base::Severity::Warning;
                self.warnings.push(warning.help("write such lists out in the patch"));
            }
        }
        Ok(())
    }
}

/// Namespace, names, labels and annotations.
fn metadata(target: &Target<'_>, all: &mut Accumulated, noted: &mut Noted<'_>) -> Outcome<()> {
    let says = &target.says;
    let (resources, tables) = (&mut all.resources, &all.tables);
    if !says.namespace.is_empty() {
        let at = target.place("/namespace");
        target.told("/namespace", namespace::set(resources, &says.namespace, &tables.namespace, at))?;
        noted.note_on(resources, "NamespaceTransformer");
    }
    if !says.name_prefix.is_empty() {
        let at = target.place("/namePrefix");
        let added = names::add(resources, End::Prefix, &says.name_prefix, &tables.name_prefix, at);
        target.told("/namePrefix", added)?;
        noted.note_on(resources, "PrefixTransformer");
    }
    if !says.name_suffix.is_empty() {
        let at = target.place("/nameSuffix");
        let added = names::add(resources, End::Suffix, &says.name_suffix, &tables.name_suffix, at);
        target.told("/nameSuffix", added)?;
        noted.note_on(resources, "SuffixTransformer");
    }
    for (index, labels) in says.labels.iter().enumerate() {
        let at = format!("/labels/{index}");
        let fields = target.told(&at, texts::fields_of(labels, tables))?;
        let pairs = placed(&labels.pairs, |name| target.place(&format!("{at}/pairs/{}", key(name))));
        target.told(&at, texts::set(resources, &pairs, &fields))?;
        noted.note_on(resources, "LabelTransformer");
    }
    for (field, map, fields, kind) in [
        ("commonLabels", &says.common_labels, &tables.common_labels, "LabelTransformer"),
        ("commonAnnotations", &says.common_annotations, &tables.common_annotations, "AnnotationsTransformer"),
    ] {
        let at = format!("/{field}");
        let pairs = placed(map, |name| target.place(&format!("{at}/{}", key(name))));
        target.told(&at, texts::set(resources, &pairs, fields))?;
        if !map.is_empty() || (field == "commonLabels" && !says.labels.is_empty()) {
            noted.note_on(resources, kind);
        }
    }
    Ok(())
}

/// Replicas and images.
fn contents(target: &Target<'_>, all: &mut Accumulated, noted: &mut Noted<'_>) -> Outcome<()> {
    let (resources, tables) = (&mut all.resources, &all.tables);
    for (index, replica) in target.says.replicas.iter().enumerate() {
        let at = format!("/replicas/{index}");
        let place = target.place(&format!("{at}/count"));
        let set = replicas::set(resources, replica, &tables.replicas, place);
        target.told_as(&at, problem::NOT_APPLIED, set)?;
        noted.note_on(resources, "ReplicaCountTransformer");
    }
    for (index, image) in target.says.images.iter().enumerate() {
        let at = format!("/images/{index}");
        let part = ["newTag", "digest", "newName", "tagSuffix"]
            .into_iter()
            .map(|field| format!("{at}/{field}"))
            .find(|path| target.document.node(path).is_some());
        let place = target.place(part.as_deref().unwrap_or(&at));
        target.told(&at, images::set(resources, image, &tables.images, place))?;
        noted.note_on(resources, "ImageTagTransformer");
    }
    Ok(())
}

/// A key as a part of a path.
fn key(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// What changes are noted on objects, when the root wants it.
struct Noted<'t> {
    origin: Option<&'t str>,
    file: &'t str,
}

impl Noted<'_> {
    fn note(&self, all: &mut Accumulated, kind: &str) {
        self.note_on(&mut all.resources, kind);
    }

    fn note_on(&self, resources: &mut crate::resources::Resources, kind: &str) {
        let Some(folder) = self.origin else { return };
        let origin = origin::of_builtin(folder, self.file, kind);
        for resource in &mut resources.0 {
            match resource.origin {
                None => resource.origin = Some(origin.clone()),
                Some(_) => resource.transformations.push_str(&origin::item(&origin)),
            }
        }
    }
}
