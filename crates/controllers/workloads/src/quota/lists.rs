//! What is there of what a quota counts, as the server has it now.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, Service};
use kube::Resource;
use kube::api::{DynamicObject, ListParams};
use kube::core::{ObjectList, PartialObjectMeta, Request};
use mainstay_resource::quota::Measure;
use serde::Deserialize;
use serde_json::Value;

use crate::Informers;
use crate::discovery::Kind;

/// A list of whole objects.
#[derive(Deserialize)]
struct Listed {
    items: Vec<Value>,
}

/// The objects of a namespace that are measured so, or as many empty ones where only their number
/// counts; `None` when nobody serves them.
pub(super) async fn list(
    client: &kube::Client,
    informers: &Informers,
    measure: &Measure,
    namespace: &str,
) -> Result<Option<Vec<Value>>, kube::Error> {
    let path = match measure {
        Measure::Pods => Pod::url_path(&(), Some(namespace)),
        Measure::Services => Service::url_path(&(), Some(namespace)),
        Measure::Claims => PersistentVolumeClaim::url_path(&(), Some(namespace)),
        Measure::Count { .. } => {
            let Some(kind) = kind(&informers.kinds.known().await, measure) else { return Ok(None) };
            let count = count(client, &kind, namespace).await?;
            return Ok(Some(vec![Value::Null; count]));
        }
    };
    let request = Request::new(path).list(&ListParams::default()).map_err(kube::Error::BuildRequest)?;
    Ok(Some(client.request::<Listed>(request).await?.items))
}

/// The kind of which objects are counted.
pub(super) fn kind(served: &[Arc<Kind>], measure: &Measure) -> Option<Arc<Kind>> {
    let is_it = |kind: &&Arc<Kind>| {
        kind.name() == measure.resource()
            && kind.is_namespaced
            && kind.can(&["create", "delete", "list", "watch"])
    };
    served.iter().find(is_it).cloned()
}

/// How many there are: one is asked for, and how many come after it.
async fn count(client: &kube::Client, kind: &Kind, namespace: &str) -> Result<usize, kube::Error> {
    type Objects = ObjectList<PartialObjectMeta<DynamicObject>>;
    let path = DynamicObject::url_path(&kind.resource, Some(namespace));
    let ask =
        |params: &ListParams| Request::new(&path).list_metadata(params).map_err(kube::Error::BuildRequest);
    let first: Objects = client.request(ask(&ListParams::default().limit(1))?).await?;
    if first.metadata.continue_.as_deref().unwrap_or_default().is_empty() {
        return Ok(first.items.len());
    }
    if let Some(more) = first.metadata.remaining_item_count.and_then(|more| usize::try_from(more).ok()) {
        return Ok(first.items.len() + more);
    }
    // A server need not say how many come.
    let all: Objects = client.request(ask(&ListParams::default())?).await?;
    Ok(all.items.len())
}
