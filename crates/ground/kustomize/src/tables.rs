//! Where the transformers write, and which fields name which kinds: the builtin table, and what
//! `configurations` add to it.

use std::sync::LazyLock;

use mainstay_source::Document;
use serde::Deserialize;

use crate::fields::Field;
use crate::id::Kinds;

const TEXT: &str = include_str!("../data/fields.txt");

static BUILT_IN: LazyLock<Tables> = LazyLock::new(|| Tables::parse(TEXT));

/// What is known of fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    pub name_prefix: Vec<Field>,
    pub name_suffix: Vec<Field>,
    pub namespace: Vec<Field>,
    pub common_labels: Vec<Field>,
    pub labels: Vec<Field>,
    pub template_labels: Vec<Field>,
    pub common_annotations: Vec<Field>,
    pub images: Vec<Field>,
    pub replicas: Vec<Field>,
    pub variables: Vec<Field>,
    /// Fields that name an object, each with the kinds it names.
    pub references: Vec<(Kinds, Field)>,
}

impl Tables {
    /// The builtin table.
    pub(crate) fn built_in() -> Self {
        BUILT_IN.clone()
    }

    fn parse(text: &str) -> Self {
        let mut tables = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let words: Vec<&str> = line.split(' ').map(|word| if word == "-" { "" } else { word }).collect();
            match *words.as_slice() {
                ["reference", to_group, to_version, to_kind, group, version, kind, path] => {
                    let field =
                        Field { kinds: kinds(group, version, kind), path: path.to_owned(), create: false };
                    tables.references.push((kinds(to_group, to_version, to_kind), field));
                }
                [section, group, version, kind, create, path] => {
                    let create = create == "create";
                    let field = Field { kinds: kinds(group, version, kind), path: path.to_owned(), create };
                    tables.section(section).push(field);
                }
                _ => unreachable!("invariant: the embedded table is well-formed"),
            }
        }
        tables.references.sort_by_key(|(kinds, _)| rank(&kinds.kind));
        tables
    }

    fn section(&mut self, name: &str) -> &mut Vec<Field> {
        match name {
            "namePrefix" => &mut self.name_prefix,
            "nameSuffix" => &mut self.name_suffix,
            "namespace" => &mut self.namespace,
            "commonLabels" => &mut self.common_labels,
            "labels" => &mut self.labels,
            "templateLabels" => &mut self.template_labels,
            "commonAnnotations" => &mut self.common_annotations,
            "images" => &mut self.images,
            "replicas" => &mut self.replicas,
            _ => &mut self.variables,
        }
    }

    /// Takes in all that another one has.
    pub(crate) fn merge(&mut self, other: Self) -> Result<(), String> {
        for (name, fields) in [
            ("namePrefix", other.name_prefix),
            ("nameSuffix", other.name_suffix),
            ("namespace", other.namespace),
            ("commonLabels", other.common_labels),
            ("labels", other.labels),
            ("templateLabels", other.template_labels),
            ("commonAnnotations", other.common_annotations),
            ("images", other.images),
            ("replicas", other.replicas),
            ("varReference", other.variables),
        ] {
            merge_fields(self.section(name), fields)?;
        }
        for (kinds, field) in other.references {
            let is_known = |(known, old): &(Kinds, Field)| *known == kinds && is_covered(old, &field);
            if !self.references.iter().any(is_known) {
                self.references.push((kinds, field));
            }
        }
        self.references.sort_by_key(|(kinds, _)| rank(&kinds.kind));
        Ok(())
    }

    /// What a file of `configurations` says.
    pub(crate) fn read(document: &Document) -> Result<Self, Vec<mainstay_base::Diagnostic>> {
        let file = document.read::<File>().into_result()?;
        let fields = |list: Vec<Entry>| list.into_iter().map(Field::from).collect();
        let references = file.name_reference.into_iter().flat_map(|named| {
            let kinds = kinds(&named.group, &named.version, &named.kind);
            named.field_specs.into_iter().map(move |entry| (kinds.clone(), Field::from(entry)))
        });
        Ok(Self {
            references: references.collect(),
            name_prefix: fields(file.name_prefix),
            name_suffix: fields(file.name_suffix),
            namespace: fields(file.namespace),
            common_labels: fields(file.common_labels),
            labels: fields(file.labels),
            template_labels: fields(file.template_labels),
            common_annotations: fields(file.common_annotations),
            images: fields(file.images),
            replicas: fields(file.replicas),
            variables: fields(file.var_reference),
        })
    }
}

/// Adds fields that are not there yet.
pub(crate) fn merge_fields(fields: &mut Vec<Field>, more: Vec<Field>) -> Result<(), String> {
    for field in more {
        match fields.iter().find(|old| is_covered(old, &field)) {
            Some(old) if old.create != field.create => {
                return Err(format!("conflicting fieldspecs for `{}`", field.path));
            }
            Some(_) => {}
            None => fields.push(field),
        }
    }
    Ok(())
}

/// Whether a field's kinds are among those of another's entry, at the same path.
fn is_covered(old: &Field, field: &Field) -> bool {
    let part = |wanted: &str, has: &str| wanted.is_empty() || wanted == has;
    old.path == field.path
        && part(&field.kinds.group, &old.kinds.group)
        && part(&field.kinds.version, &old.kinds.version)
        && part(&field.kinds.kind, &old.kinds.kind)
}

fn kinds(group: &str, version: &str, kind: &str) -> Kinds {
    Kinds { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() }
}

/// Kinds that come first, in their order; the two last are those that come after all others.
const FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];
const LAST: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// Where a kind comes in the order of kinds.
pub(crate) fn rank(kind: &str) -> usize {
    rank_in(kind, &FIRST, &LAST)
}

/// The same with other kinds first and last.
pub(crate) fn rank_in(kind: &str, first: &[impl AsRef<str>], last: &[impl AsRef<str>]) -> usize {
    // Of a kind named twice the later place counts.
    let at_end = last.iter().rposition(|name| name.as_ref() == kind);
    let at_start = first.iter().rposition(|name| name.as_ref() == kind);
    match (at_end, at_start) {
        (Some(place), _) => first.len() + 1 + place,
        (None, Some(place)) => place,
        (None, None) => first.len(),
    }
}

/// A file of `configurations`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct File {
    name_prefix: Vec<Entry>,
    name_suffix: Vec<Entry>,
    namespace: Vec<Entry>,
    common_labels: Vec<Entry>,
    labels: Vec<Entry>,
    template_labels: Vec<Entry>,
    common_annotations: Vec<Entry>,
    images: Vec<Entry>,
    replicas: Vec<Entry>,
    var_reference: Vec<Entry>,
    name_reference: Vec<Named>,
}

/// A field as it is written in YAML.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Entry {
    group: String,
    version: String,
    kind: String,
    path: String,
    create: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Named {
    group: String,
    version: String,
    kind: String,
    field_specs: Vec<Entry>,
}

impl From<Entry> for Field {
    fn from(entry: Entry) -> Self {
        let kinds = kinds(&entry.group, &entry.version, &entry.kind);
        Self { kinds, path: entry.path, create: entry.create }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_builtin_table_is_whole() {
        let tables = Tables::built_in();
        assert_eq!(tables.references.len(), 167);
        assert_eq!((tables.common_labels.len(), tables.template_labels.len()), (32, 10));
        assert_eq!((tables.images.len(), tables.replicas.len(), tables.namespace.len()), (4, 4, 3));
    }

    #[test]
    fn a_field_that_is_made_and_not_made_is_a_conflict() {
        let mut fields = vec![Field::new("metadata/labels", true)];
        assert!(merge_fields(&mut fields, vec![Field::new("metadata/labels", false)]).is_err());
        assert!(merge_fields(&mut fields, vec![Field::new("metadata/labels", true)]).is_ok());
        assert_eq!(fields.len(), 1);
    }
}
