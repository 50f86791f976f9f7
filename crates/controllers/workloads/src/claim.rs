//! Which objects a controller owns, which it takes over, and which it lets go.
//!
//! **Spec:** upstream's `ControllerRefManager`.

use std::fmt::Debug;
use std::sync::Arc;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use kube::api::Patch;
use kube::core::{Selector, SelectorExt};
use kube::{Api, Resource};
use mainstay_control::meta::{controller_of, controller_reference, is_terminating, uid};
use mainstay_control::{Key, Writer, writes};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The outcome of a claim.
#[derive(Debug)]
pub(crate) struct Claim<K> {
    /// Owned, those taken over among them.
    pub(crate) owned: Vec<Arc<K>>,
    /// Without a controller and selected: to be taken over.
    pub(crate) adopt: Vec<Arc<K>>,
    /// Owned and no longer selected: to be let go.
    pub(crate) release: Vec<Arc<K>>,
}

/// Sorts `candidates` by what `owner` shall do with them.
pub(crate) fn claim<K: Resource>(
    owner: &ObjectMeta,
    selector: &Selector,
    candidates: Vec<Arc<K>>,
) -> Claim<K> {
    claim_members(owner, selector, candidates, |_| true)
}

/// The same, where an object must also be one that `accepts`.
pub(crate) fn claim_members<K: Resource>(
    owner: &ObjectMeta,
    selector: &Selector,
    candidates: Vec<Arc<K>>,
    accepts: impl Fn(&K) -> bool,
) -> Claim<K> {
    let mut claim = Claim { owned: Vec::new(), adopt: Vec::new(), release: Vec::new() };
    let nothing = std::collections::BTreeMap::new();
    for object in candidates {
        let meta = object.meta();
        let is_selected = selector.matches(meta.labels.as_ref().unwrap_or(&nothing)) && accepts(&object);
        match controller_of(meta) {
            Some(reference) if reference.uid != uid(owner) => {}
            Some(_) if is_selected => claim.owned.push(object),
            Some(_) if is_terminating(owner) => {}
            Some(_) => claim.release.push(object),
            None if !is_selected || is_terminating(owner) || is_terminating(meta) => {}
            None => {
                claim.adopt.push(object.clone());
                claim.owned.push(object);
            }
        }
    }
    claim
}

/// The selector of a controller; `None` when it is malformed.
pub(crate) fn selector(of: &LabelSelector) -> Option<Selector> {
    Selector::try_from(of.clone()).ok()
}

/// The strategic patch by which `owner` takes `object` over.
pub(crate) fn adoption<O: Resource<DynamicType = ()>, K: Resource>(owner: &O, object: &K) -> Value {
    json!({"metadata": {"uid": uid(object.meta()), "ownerReferences": [controller_reference(owner)]}})
}

/// The strategic patch by which `owner` lets `object` go.
pub(crate) fn release<O: Resource<DynamicType = ()>, K: Resource>(owner: &O, object: &K) -> Value {
    let reference = json!({"$patch": "delete", "uid": uid(owner.meta())});
    json!({"metadata": {"uid": uid(object.meta()), "ownerReferences": [reference]}})
}

/// Takes over what `owner` adopts and lets go what it releases. Returns whether it may go on: nothing
/// is taken over by an owner that the server no longer knows or that is on its way out.
pub(crate) async fn settle<O, K>(writer: &Writer, owner: &O, claim: &Claim<K>) -> Result<bool, kube::Error>
where
    O: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
    K: Resource<DynamicType = ()>,
{
    if !claim.adopt.is_empty() && !is_still_there(writer, owner).await? {
        return Ok(false);
    }
    for object in &claim.adopt {
        let adoption = Patch::Strategic(adoption(owner, object.as_ref()));
        writer.patch::<K>(&Key::of(object.as_ref()), None, &adoption).await?;
    }
    for object in &claim.release {
        let release = Patch::Strategic(release(owner, object.as_ref()));
        writes::unless_gone(writer.patch::<K>(&Key::of(object.as_ref()), None, &release).await)?;
    }
    Ok(true)
}

/// Asks the server itself, because the cache may lag behind.
async fn is_still_there<O>(writer: &Writer, owner: &O) -> Result<bool, kube::Error>
where
    O: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
{
    let key = Key::of(owner);
    let api = Api::<O>::namespaced(writer.client().clone(), &key.namespace);
    let fresh = api.get_metadata_opt(&key.name).await?;
    Ok(fresh
        .is_some_and(|fresh| uid(&fresh.metadata) == uid(owner.meta()) && !is_terminating(&fresh.metadata)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::Pod;

    fn pod(name: &str, app: &str, owner: Option<&str>, deleting: bool) -> Arc<Pod> {
        let owners: Vec<Value> = owner
            .iter()
            .map(|uid| json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": uid, "controller": true}))
            .collect();
        let mut object =
            json!({"metadata": {"name": name, "labels": {"app": app}, "ownerReferences": owners}});
        if deleting {
            object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        }
        Arc::new(serde_json::from_value(object).unwrap())
    }

    fn names(pods: &[Arc<Pod>]) -> Vec<&str> {
        pods.iter().filter_map(|pod| pod.metadata.name.as_deref()).collect()
    }

    fn candidates() -> Vec<Arc<Pod>> {
        vec![
            pod("mine", "web", Some("me"), false),
            pod("strayed", "other", Some("me"), false),
            pod("orphan", "web", None, false),
            pod("dying-orphan", "web", None, true),
            pod("unselected", "other", None, false),
            pod("foreign", "web", Some("you"), false),
        ]
    }

    fn owner(deleting: bool) -> ObjectMeta {
        let mut meta = ObjectMeta { uid: Some("me".into()), ..ObjectMeta::default() };
        meta.deletion_timestamp =
            deleting.then(|| serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap());
        meta
    }

    fn web() -> Selector {
        Selector::try_from(LabelSelector {
            match_labels: Some([("app".to_owned(), "web".to_owned())].into()),
            ..LabelSelector::default()
        })
        .unwrap()
    }

    #[test]
    fn selected_orphans_are_adopted_strayed_ones_released_and_foreign_ones_left_alone() {
        let claim = claim(&owner(false), &web(), candidates());
        assert_eq!(names(&claim.owned), ["mine", "orphan"]);
        assert_eq!(names(&claim.adopt), ["orphan"]);
        assert_eq!(names(&claim.release), ["strayed"]);
    }

    #[test]
    fn an_owner_on_its_way_out_neither_adopts_nor_releases() {
        let claim = claim(&owner(true), &web(), candidates());
        assert_eq!(names(&claim.owned), ["mine"]);
        assert!(claim.adopt.is_empty() && claim.release.is_empty());
    }
}
