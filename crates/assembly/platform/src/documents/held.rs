//! What a region holds of a platform: the objects with its label that its field manager applied.
//!
//! The label alone is not enough: controllers copy labels to what they make, as Endpoints have those
//! of their Service.

use std::collections::{BTreeMap, BTreeSet};

use kube::Client;
use kube::api::{DynamicObject, GetParams, ListParams};
use kube::core::{Request, Resource as _};
use mainstay_resource::meta;
use serde::Deserialize;
use serde_json::Value;

use super::FIELD_MANAGER;
use super::decide::Held;
use super::desired::{Desired, OWNER_LABEL, Standing};
use super::key::Key;
use super::served::{Resource, Served};

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub held: BTreeMap<Key, Held>,
    /// The objects that are also desired, in the version in which they are.
    pub live: BTreeMap<Key, Value>,
    /// In which version each was found.
    pub resources: BTreeMap<Key, Resource>,
}

/// One page of a list.
#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    metadata: PageMeta,
    items: Vec<Value>,
}

#[derive(Default, Deserialize)]
struct PageMeta {
    #[serde(default, rename = "continue")]
    token: String,
}

/// Looks for everything that the platform `owner` has in a region.
pub(crate) async fn find(
    client: &Client,
    owner: &str,
    desired: &[Desired<'_>],
    served: &Served,
) -> Result<Found, kube::Error> {
    let mut found = Found::default();
    let mut wanted: BTreeMap<(&str, &str), BTreeMap<&str, &Resource>> = BTreeMap::new();
    let mut keys = BTreeMap::new();
    for one in desired {
        let Standing::Served(resource) = &one.standing else { continue };
        let api = &resource.api;
        wanted.entry((&api.group, &api.kind)).or_default().insert(&api.version, resource);
        keys.insert(&one.key, api.version.as_str());
    }
    let mut seen = BTreeSet::new();
    for resource in wanted.values().flat_map(BTreeMap::values) {
        seen.insert((resource.api.group.as_str(), resource.api.kind.as_str()));
        list(client, owner, resource, true, |key, value| {
            if keys.get(&key) == Some(&resource.api.version.as_str()) {
                found.live.insert(key.clone(), value.clone());
            }
            found.take_in(key, &value, resource);
        })
        .await?;
    }
    for resource in served.listed() {
        if !seen.contains(&(resource.api.group.as_str(), resource.api.kind.as_str())) {
            list(client, owner, resource, false, |key, value| found.take_in(key, &value, resource)).await?;
        }
    }
    Ok(found)
}

impl Found {
    fn take_in(&mut self, key: Key, value: &Value, resource: &Resource) {
        let metadata = &value["metadata"];
        let text = |field: &str| metadata[field].as_str().unwrap_or_default().to_owned();
        let held = Held {
            revision: text("resourceVersion"),
            uid: text("uid"),
            is_ours: was_applied(metadata) && !is_installed(&key),
            is_leaving: !metadata["deletionTimestamp"].is_null(),
        };
        self.resources.insert(key.clone(), resource.clone());
        self.held.insert(key, held);
    }

    /// Looks at one object that has not the platform's label.
    pub(crate) async fn look_at(
        &mut self,
        client: &Client,
        key: &Key,
        resource: &Resource,
    ) -> Result<(), kube::Error> {
        let url = DynamicObject::url_path(&resource.api, scope(key));
        let request =
            Request::new(url).get(&key.name, &GetParams::default()).map_err(kube::Error::BuildRequest)?;
        match client.request::<Value>(request).await {
            Ok(value) => {
                self.take_in(key.clone(), &value, resource);
                self.live.insert(key.clone(), value);
                if let Some(held) = self.held.get_mut(key) {
                    held.is_ours = false;
                }
                Ok(())
            }
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Whether every region has this definition, whatever the Source holds.
fn is_installed(key: &Key) -> bool {
    key.kind == "CustomResourceDefinition"
        && (mainstay_kinds::foreign_crds().iter().any(|one| meta::name(one) == key.name)
            || mainstay_kinds::crds().iter().any(|one| one.metadata.name.as_deref() == Some(&*key.name)))
}

/// The namespace of a key, where it has one.
pub(crate) fn scope(key: &Key) -> Option<&str> {
    (!key.namespace.is_empty()).then_some(key.namespace.as_str())
}

/// Whether the platform's field manager applied an object.
fn was_applied(metadata: &Value) -> bool {
    let entries = metadata["managedFields"].as_array();
    entries.is_some_and(|entries| {
        entries.iter().any(|entry| entry["manager"] == FIELD_MANAGER && entry["operation"] == "Apply")
    })
}

/// Lists the objects of a kind with the owner's label, whole or only their metadata, page by page.
async fn list(
    client: &Client,
    owner: &str,
    resource: &Resource,
    is_whole: bool,
    mut each: impl FnMut(Key, Value),
) -> Result<(), kube::Error> {
    const PAGE: u32 = 500;
    let url = DynamicObject::url_path(&resource.api, None);
    let mut parameters = ListParams::default().limit(PAGE).labels(&format!("{OWNER_LABEL}={owner}"));
    loop {
        let request = Request::new(&url);
        let request = if is_whole { request.list(&parameters) } else { request.list_metadata(&parameters) };
        let page: Page = client.request(request.map_err(kube::Error::BuildRequest)?).await?;
        for value in page.items {
            each(Key::of(&resource.api.group, &resource.api.kind, &value["metadata"]), value);
        }
        if page.metadata.token.is_empty() {
            return Ok(());
        }
        parameters.continue_token = Some(page.metadata.token);
    }
}
