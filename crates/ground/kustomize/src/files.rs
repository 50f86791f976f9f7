//! A Source's files as kustomizations see them: by name, with what is in each folder.

use std::collections::BTreeMap;

use mainstay_source::{Document, Shape, Source, joined};

use crate::problem::{self, Outcome};

/// What a kustomization's file is called.
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// A Source's files by name.
pub(crate) struct Files<'s> {
    texts: BTreeMap<String, &'s str>,
    attached: &'s BTreeMap<String, std::sync::Arc<[u8]>>,
    documents: BTreeMap<String, Vec<&'s Document>>,
    kustomizations: BTreeMap<String, Vec<&'s Document>>,
}

/// A file's name without detours.
pub(crate) fn name_of(document: &Document) -> String {
    joined("", document.file().name()).unwrap_or_default()
}

/// The folder of a file.
pub(crate) fn folder_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

impl<'s> Files<'s> {
    pub(crate) fn of(source: &'s Source) -> Self {
        let mut files = Self {
            texts: BTreeMap::new(),
            attached: &source.attached,
            documents: BTreeMap::new(),
            kustomizations: BTreeMap::new(),
        };
        for file in &source.files {
            files.texts.extend(joined("", file.name()).map(|name| (name, file.text())));
        }
        for document in &source.documents {
            let name = name_of(document);
            let base = name.rsplit('/').next().unwrap_or(&name);
            if NAMES.contains(&base) && document.shape == Shape::Kustomization {
                let folder = folder_of(&name).to_owned();
                files.kustomizations.entry(folder).or_default().push(document);
            }
            files.documents.entry(name).or_default().push(document);
        }
        files
    }

    /// The folders with a kustomization.
    pub(crate) fn folders(&self) -> impl Iterator<Item = (&str, &'s Document)> {
        self.kustomizations.iter().filter_map(|(folder, found)| Some((folder.as_str(), *found.first()?)))
    }

    /// The kustomization in a folder.
    pub(crate) fn kustomization(&self, folder: &str) -> Outcome<Option<&'s Document>> {
        match self.kustomizations.get(folder).map(Vec::as_slice) {
            None | Some([]) => Ok(None),
            Some([only]) => Ok(Some(only)),
            Some([_, second, ..]) => {
                let message = "the folder has a second kustomization";
                Err(problem::at(second, "", problem::NOT_BUILT, message))
            }
        }
    }

    /// The documents in a file; nothing when there is no such file.
    pub(crate) fn documents(&self, name: &str) -> Option<&[&'s Document]> {
        let found = self.documents.get(name).map(Vec::as_slice);
        found.or_else(|| self.texts.contains_key(name).then_some(&[][..]))
    }

    /// A file's bytes.
    pub(crate) fn bytes(&self, name: &str) -> Option<&[u8]> {
        let text = self.texts.get(name).map(|text| text.as_bytes());
        text.or_else(|| self.attached.get(name).map(AsRef::as_ref))
    }
}
