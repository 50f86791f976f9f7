//! What a resource does to its objects before they are stored, beyond what the client sent.
//!
//! The write path calls, in this order: `defaults::apply_defaults`, [`Strategy::prepare_create`] or
//! [`Strategy::prepare_update`], then `validation::create` or `validation::update`.
//!
//! **Not here:** metadata the server stamps on every object (uid, timestamps, resourceVersion,
//! `metadata.generation`), finalizers and deletion: those are the verbs'.

mod address;
mod daemon_set;
mod pod;
mod service;
mod status;
#[cfg(test)]
mod tests;

pub(crate) use pod::class_of_service;

use mainstay_base::World;
use mainstay_resource::meta;
use mainstay_store::Store;
use serde_json::{Value, json};

use crate::crd;
use crate::fields::{Fill as _, at};
use crate::registry::{Action, Registry, ResourceInfo};
use crate::status::Status;

/// Prepares objects for their store; what it looks up and hands out is shared by its clones.
#[derive(Clone, Debug)]
pub(crate) struct Strategy {
    world: World,
    store: Store,
    registry: Registry,
    addresses: address::Allocator,
}

impl Strategy {
    /// The strategy of a server with this store and these resources.
    pub(crate) fn new(world: World, store: Store, registry: Registry) -> Self {
        Self { world, store, registry, addresses: address::Allocator::default() }
    }

    /// Prepares an object that is about to be made. Its metadata is complete, uid included.
    pub(crate) fn prepare_create(&self, info: &ResourceInfo, object: &mut Value) -> Result<(), Status> {
        if info.has_status() && !comes_with_status(info) {
            status::begin(info, object);
            if let Some(structural) = info.structural() {
                structural.fill(object);
            }
        }
        match (&*info.group, &*info.kind) {
            ("", "Pod") => pod::prepare(object, &self.now()),
            ("", "Service") => service::prepare_create(&self.store, &self.addresses, info, object)?,
            ("", "Namespace") => namespace(object),
            ("", "PersistentVolume" | "PersistentVolumeClaim") => {
                object["status"] = json!({ "phase": "Pending" });
            }
            ("apps", "DaemonSet") => daemon_set::prepare_create(object),
            ("batch", "Job") => job(object),
            (crd::GROUP, crd::KIND) => crd::prepare(&self.registry, None, object, &self.now()),
            _ => {}
        }
        Ok(())
    }

    /// Prepares a changed object; `part` is what of it was written, `None` for the whole.
    pub(crate) fn prepare_update(
        &self,
        info: &ResourceInfo,
        live: &Value,
        object: &mut Value,
        part: Option<&Action>,
    ) -> Result<(), Status> {
        if part.is_some() {
            return Ok(());
        }
        match (&*info.group, &*info.kind) {
            ("", "Service") => service::prepare_update(&self.store, &self.addresses, info, live, object)?,
            ("", "Namespace") => keep(live, object, "spec"),
            ("batch", "Job") => keep_below(live, object, "spec", "selector"),
            ("apps", "DaemonSet") => daemon_set::prepare_update(live, object),
            ("apps", "Deployment") => bump_on_annotations(live, object),
            (crd::GROUP, crd::KIND) => crd::prepare(&self.registry, Some(live), object, &self.now()),
            _ => {}
        }
        Ok(())
    }

    fn now(&self) -> String {
        let now = self.world.now();
        jiff::Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
    }
}

/// A kubelet registers its Node with what it knows of it.
fn comes_with_status(info: &ResourceInfo) -> bool {
    info.group.is_empty() && &*info.kind == "Node"
}

/// A new namespace is active and holds the finalizer of its content.
fn namespace(object: &mut Value) {
    object["status"] = json!({ "phase": "Active" });
    // Its default, once more: the name may have been generated since.
    let name = meta::name(object).to_owned();
    meta::set_label(object, "kubernetes.io/metadata.name", &name);
    let Some(spec) = object.as_object_mut().and_then(|fields| fields.child_or_new("spec")) else { return };
    let finalizers = spec.entry("finalizers").or_insert_with(|| json!([]));
    if let Some(list) = finalizers.as_array_mut().filter(|list| !list.contains(&json!("kubernetes"))) {
        list.push(json!("kubernetes"));
    }
}

/// A Job selects its pods by its uid, unless it says that it selects them itself.
fn job(object: &mut Value) {
    if at(object, &["spec", "manualSelector"]) == Some(&Value::Bool(true)) {
        return;
    }
    let (uid, name) = (meta::uid(object).to_owned(), meta::name(object).to_owned());
    let Some(spec) = object.as_object_mut().and_then(|fields| fields.child("spec")) else { return };
    let template = spec.child_or_new("template").and_then(|template| template.child_or_new("metadata"));
    if let Some(labels) = template.and_then(|metadata| metadata.child_or_new("labels")) {
        for prefix in ["", "batch.kubernetes.io/"] {
            labels.fill(&format!("{prefix}controller-uid"), uid.as_str());
            labels.fill(&format!("{prefix}job-name"), name.as_str());
        }
    }
    if let Some(selector) =
        spec.child_or_new("selector").and_then(|selector| selector.child_or_new("matchLabels"))
    {
        selector.fill("batch.kubernetes.io/controller-uid", uid);
    }
}

/// Keeps a field as it was.
fn keep(live: &Value, object: &mut Value, field: &str) {
    let Some(fields) = object.as_object_mut() else { return };
    match live.get(field) {
        Some(value) => fields.put(field, value.clone()),
        None => {
            fields.remove(field);
        }
    }
}

/// Keeps a field below another as it was, when the change leaves it out.
fn keep_below(live: &Value, object: &mut Value, parent: &str, field: &str) {
    let Some(value) = at(live, &[parent, field]) else { return };
    if let Some(fields) = object.as_object_mut().and_then(|fields| fields.child(parent)) {
        fields.fill(field, value.clone());
    }
}

/// A Deployment's generation counts changes of its annotations too.
fn bump_on_annotations(live: &Value, object: &mut Value) {
    let same = meta::annotations(live).eq(meta::annotations(object));
    if !same && live.get("spec") == object.get("spec") {
        meta::set_generation(object, meta::generation(live) + 1);
    }
}
