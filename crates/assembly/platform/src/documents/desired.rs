//! What a region is asked to hold: the documents that go there, as objects of its API.
//!
//! Each carries the label of the platform, so that what the Source no longer holds is found again.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use mainstay_kinds::cluster_config;
use mainstay_source::{Document, Node, Shape};
use serde_json::{Value, json};

use super::key::Key;
use super::served::{Resource, Served};
use crate::config::{Placed, RegionConfig};

/// The label of everything a platform applies; its value is the platform's name.
pub(crate) const OWNER_LABEL: &str = "mainstay.dev/platform";

/// One object that a region is asked to hold.
#[derive(Debug)]
pub(crate) struct Desired<'a> {
    /// Which object it is.
    pub key: Key,
    /// The document it is written in, by its number in the Source; none where it is made up.
    pub document: Option<usize>,
    /// How it can be applied.
    pub standing: Standing,
    content: Content<'a>,
    version: String,
    owner: &'a str,
}

/// How an object can be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The API serves its kind.
    Served(Resource),
    /// The API will serve its kind once the Source's definitions are applied.
    Later,
    /// The API does not serve its kind.
    Unserved,
    /// It has no name.
    Nameless,
    /// A later document, of this number, is the same object.
    Replaced(usize),
}

#[derive(Debug)]
enum Content<'a> {
    Document(&'a Document),
    Cluster(&'a Value),
}

/// A label value of the platform's name: at most 63 characters.
pub(crate) fn owner(name: &str) -> String {
    const LONGEST: usize = 63;
    let end = name.floor_char_boundary(LONGEST);
    name[..end].trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned()
}

/// What `region` is asked to hold, in the order of the Source, its cluster first.
pub(crate) fn desired<'a>(
    owner: &'a str,
    region: &'a RegionConfig,
    placed: &'a [Placed],
    served: &Served,
) -> Vec<Desired<'a>> {
    let own = |(_, placed): &(usize, &Placed)| placed.regions.contains(&region.name);
    let local: Vec<(usize, &Placed)> = placed.iter().enumerate().filter(own).collect();
    let is_cluster = |document: &Document| document.shape == Shape::ClusterConfig;
    let written = local.iter().find(|(_, placed)| is_cluster(&placed.document)).map(|(index, _)| *index);
    let mut list = vec![cluster(owner, region, written, served)];
    let defined = definitions(local.iter().map(|(_, placed)| &placed.document));
    for (index, placed) in local {
        let Some(object) = placed.document.shape.object() else { continue };
        let (group, version, kind) = (&object.kind.group, &object.kind.version, &object.kind.kind);
        let mut key = Key {
            group: group.clone(),
            kind: kind.clone(),
            namespace: object.namespace.clone(),
            name: object.name.clone(),
        };
        let standing = match served.get(group, version, kind) {
            Some(_) if object.name.is_empty() => Standing::Nameless,
            Some(resource) => {
                settle_namespace(&mut key, resource.is_namespaced);
                Standing::Served(resource.clone())
            }
            None => match defined.get(&(group.as_str(), kind.as_str())) {
                Some(_) if object.name.is_empty() => Standing::Nameless,
                Some(is_namespaced) => {
                    settle_namespace(&mut key, *is_namespaced);
                    Standing::Later
                }
                None => Standing::Unserved,
            },
        };
        list.push(Desired {
            key,
            document: Some(index),
            standing,
            content: Content::Document(&placed.document),
            version: version.clone(),
            owner,
        });
    }
    replace_earlier(&mut list);
    list
}

fn cluster<'a>(
    owner: &'a str,
    region: &'a RegionConfig,
    document: Option<usize>,
    served: &Served,
) -> Desired<'a> {
    let (group, version) = cluster_config::API_VERSION.split_once('/').expect("invariant: it has a group");
    let standing = served.get(group, version, cluster_config::KIND).cloned();
    Desired {
        key: Key {
            group: group.to_owned(),
            kind: cluster_config::KIND.to_owned(),
            namespace: String::new(),
            name: region.cluster.metadata.name.clone(),
        },
        document,
        standing: standing.map_or(Standing::Unserved, Standing::Served),
        content: Content::Cluster(&region.document),
        version: version.to_owned(),
        owner,
    }
}

/// Which kinds the documents define, and whether their objects are in namespaces.
fn definitions<'a>(documents: impl Iterator<Item = &'a Document>) -> BTreeMap<(&'a str, &'a str), bool> {
    let definition = |document: &'a Document| {
        let object = document.shape.object()?;
        if object.kind.kind != "CustomResourceDefinition" {
            return None;
        }
        let text = |path: &str| document.node(path).and_then(Node::text);
        Some(((text("/spec/group")?, text("/spec/names/kind")?), text("/spec/scope") == Some("Namespaced")))
    };
    documents.filter_map(definition).collect()
}

fn settle_namespace(key: &mut Key, is_namespaced: bool) {
    if !is_namespaced {
        key.namespace.clear();
    } else if key.namespace.is_empty() {
        "default".clone_into(&mut key.namespace);
    }
}

/// Of several documents of one object the last counts.
fn replace_earlier(list: &mut [Desired<'_>]) {
    let mut known: BTreeMap<Key, Option<usize>> = BTreeMap::new();
    for one in list.iter_mut().rev() {
        if !matches!(one.standing, Standing::Served(_) | Standing::Later) {
            continue;
        }
        match known.get(&one.key) {
            None => drop(known.insert(one.key.clone(), one.document)),
            Some(Some(by)) => one.standing = Standing::Replaced(*by),
            // The region's cluster comes first in the list, and known in what counts.
            Some(None) => {}
        }
    }
}

impl Desired<'_> {
    /// Resolves a kind that the API did not serve before.
    pub(crate) fn resolve(&mut self, served: &Served) {
        if let (Standing::Later, Some(resource)) =
            (&self.standing, served.get(&self.key.group, &self.version, &self.key.kind))
        {
            self.standing = Standing::Served(resource.clone());
        }
    }

    /// Its kind and version, for people.
    pub(crate) fn api(&self) -> String {
        match self.key.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// The object as it is applied.
    pub(crate) fn object(&self) -> Value {
        let mut object = match self.content {
            Content::Document(document) => document.value(),
            Content::Cluster(value) => cluster_config::to_stored(value.clone()),
        };
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            let labels = metadata.entry("labels").or_insert_with(|| json!({}));
            if labels.is_null() {
                *labels = json!({});
            }
            // Labels that are no mapping are the API's to refuse.
            if let Some(labels) = labels.as_object_mut() {
                labels.insert(OWNER_LABEL.to_owned(), self.owner.into());
            }
        }
        object
    }
}

/// A fingerprint of an object, to know it again within this process.
pub(crate) fn fingerprint(object: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    object.to_string().hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use kube::core::{ApiResource, GroupVersionKind};
    use mainstay_source::Source;

    use super::*;
    use crate::Config;

    fn served() -> Served {
        let mut served = Served::default();
        for (group, kind, is_namespaced) in [
            ("", "ConfigMap", true),
            ("", "Namespace", false),
            ("apiextensions.k8s.io", "CustomResourceDefinition", false),
        ] {
            let api = ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind));
            served.add(Resource { api, is_namespaced });
        }
        served
    }

    /// Each desired object but the cluster, and how it can be applied.
    fn standings(text: &str) -> Vec<(String, String)> {
        let config = Config::plan("test", &Source::from_text("a.yaml", text));
        let list = desired("test", &config.regions[0], &config.documents, &served());
        let word = |standing: &Standing| match standing {
            Standing::Served(_) => "served".to_owned(),
            Standing::Replaced(by) => format!("replaced by {by}"),
            other => format!("{other:?}").to_lowercase(),
        };
        list[1..].iter().map(|one| (one.key.to_string(), word(&one.standing))).collect()
    }

    #[test]
    fn each_document_is_an_object_of_its_api_or_says_why_not() {
        let widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w, namespace: other}\n";
        let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.com}\nspec: {group: example.com, scope: Cluster, names: {kind: Widget}}\n";
        let map = |metadata: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {metadata}\n");
        let cases = [
            (map("{name: a}"), vec![("ConfigMap default/a", "served")]),
            (map("{generateName: a}"), vec![("ConfigMap ", "nameless")]),
            (widget.to_owned(), vec![("Widget other/w", "unserved")]),
            (
                "apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\n".to_owned(),
                vec![("Cluster ", "unserved")],
            ),
            (
                format!("{widget}---\n{definition}"),
                vec![("Widget w", "later"), ("CustomResourceDefinition widgets.example.com", "served")],
            ),
            (
                format!("{}---\n{}", map("{name: a}"), map("{name: a, namespace: default}")),
                vec![("ConfigMap default/a", "replaced by 1"), ("ConfigMap default/a", "served")],
            ),
            (
                "apiVersion: v1\nkind: Namespace\nmetadata: {name: team, namespace: x}\n".to_owned(),
                vec![("Namespace team", "served")],
            ),
        ];
        for (text, expected) in cases {
            let expected: Vec<(String, String)> =
                expected.into_iter().map(|(what, how)| (what.to_owned(), how.to_owned())).collect();
            assert_eq!(standings(&text), expected);
        }
    }

    #[test]
    fn what_is_applied_has_the_label_of_its_platform() {
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {app: web}}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\n  labels:\n";
        let config = Config::plan("test", &Source::from_text("a.yaml", text));
        let served = served();
        let list = desired("test", &config.regions[0], &config.documents, &served);
        let labels: Vec<Value> =
            list[1..].iter().map(|one| one.object()["metadata"]["labels"].clone()).collect();
        assert_eq!(labels, [json!({"app": "web", OWNER_LABEL: "test"}), json!({OWNER_LABEL: "test"})]);
    }

    #[test]
    fn a_long_name_is_shortened_to_what_a_label_holds() {
        assert_eq!(owner("shop"), "shop");
        assert_eq!(owner(&format!("{}-tail", "a".repeat(62))), "a".repeat(62));
    }
}
