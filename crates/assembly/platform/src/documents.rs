//! The Source's documents, applied to their regions, and what became of each.
//!
//! Namespaces and definitions go first, the rest in the Source's order, each by server-side apply
//! under the field manager `mainstay`. No document is dropped without a word.

use futures::future::try_join_all;
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::discovery::{Discovery, Scope};
use kube::{Api, Client};
use mainstay_base::Diagnostic;
use mainstay_source::{Document, Shape};

use crate::codes;
use crate::config::Placed;
use crate::errors::api_message;
use crate::region::Region;
use crate::start::cannot_start;
use crate::status::{DocumentStatus, Fate};

/// The field manager of everything the platform applies.
pub(crate) const FIELD_MANAGER: &str = "mainstay";

/// Kinds that something in this version acts on.
const RUN: [(&str, &str); 5] = [
    ("", "Namespace"),
    ("", "Pod"),
    ("apps", "Deployment"),
    ("apps", "ReplicaSet"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
];

/// What became of a document in one region, and why.
type Settled = (Fate, Option<String>);

/// Applies to each region what its API serves of its documents, to all regions at once.
pub(crate) async fn apply(
    regions: &[Region],
    documents: &[Placed],
) -> Result<Vec<DocumentStatus>, Diagnostic> {
    let applying = regions.iter().map(|region| async {
        let own = |placed: &&Placed| placed.regions.iter().any(|name| name == region.name());
        let own: Vec<&Document> = documents.iter().filter(own).map(|placed| &placed.document).collect();
        apply_to_region(region.client(), &own).await.map_err(|error| cannot_start(region.name(), &error))
    });
    let mut settled: Vec<_> = try_join_all(applying).await?.into_iter().map(Vec::into_iter).collect();
    let fate = |placed: &Placed| {
        let in_regions = regions.iter().zip(&mut settled).filter_map(|(region, settled)| {
            let is_own = placed.regions.iter().any(|name| name == region.name());
            if is_own { settled.next() } else { None }
        });
        let worst = in_regions.max_by(|one, other| one.0.cmp(&other.0));
        let (fate, reason) = worst.unwrap_or_else(|| (Fate::NotRunYet, placed.reason.clone()));
        let at = placed.document.start();
        DocumentStatus {
            file: at.file.to_string(),
            line: at.line,
            what: placed.document.shape.to_string(),
            regions: placed.regions.clone(),
            fate,
            reason,
        }
    };
    Ok(documents.iter().map(fate).collect())
}

/// Applies what a region's API serves of `documents`.
async fn apply_to_region(client: Client, documents: &[&Document]) -> Result<Vec<Settled>, kube::Error> {
    if documents.is_empty() {
        return Ok(Vec::new());
    }
    let discovery = Discovery::new(client.clone()).run_aggregated().await?;
    let mut fates: Vec<Option<Settled>> = documents.iter().map(|_| None).collect();
    let mut order: Vec<usize> = (0..documents.len()).collect();
    order.sort_by_key(|index| !goes_first(documents[*index]));
    for index in order {
        fates[index] = Some(settle(&client, &discovery, documents[index]).await);
    }
    Ok(fates.into_iter().flatten().collect())
}

fn goes_first(document: &Document) -> bool {
    let kind = document.shape.object().map(|object| object.kind.kind.as_str());
    matches!(kind, Some("Namespace" | "CustomResourceDefinition"))
}

async fn settle(client: &Client, discovery: &Discovery, document: &Document) -> Settled {
    match &document.shape {
        // The regions store their own.
        Shape::ClusterConfig => (Fate::Applied, None),
        Shape::Object(object) if object.name.is_empty() => {
            (Fate::Refused, Some("metadata.name is missing, or is not text (quote it)".to_owned()))
        }
        Shape::Object(object) => match discovery.resolve_gvk(&kube_kind(&object.kind)) {
            None => (Fate::NotRunYet, None),
            Some((resource, capabilities)) => {
                let is_namespaced = capabilities.scope == Scope::Namespaced;
                let is_run = RUN.contains(&(object.kind.group.as_str(), object.kind.kind.as_str()));
                match apply_one(client, &resource, is_namespaced, document).await {
                    Ok(()) if is_run => (Fate::Applied, None),
                    Ok(()) => (Fate::Stored, None),
                    Err(error) => (Fate::Refused, Some(api_message(&error))),
                }
            }
        },
        _ => (Fate::NotRunYet, None),
    }
}

fn kube_kind(kind: &mainstay_resource::GroupVersionKind) -> GroupVersionKind {
    GroupVersionKind::gvk(&kind.group, &kind.version, &kind.kind)
}

async fn apply_one(
    client: &Client,
    resource: &ApiResource,
    is_namespaced: bool,
    document: &Document,
) -> Result<(), kube::Error> {
    let value = document.value();
    let metadata = &value["metadata"];
    let name = metadata["name"].as_str().unwrap_or_default();
    let api: Api<DynamicObject> = if is_namespaced {
        let namespace = metadata["namespace"].as_str().unwrap_or("default");
        Api::namespaced_with(client.clone(), namespace, resource)
    } else {
        Api::all_with(client.clone(), resource)
    };
    api.patch(name, &PatchParams::apply(FIELD_MANAGER).force(), &Patch::Apply(&value))
        .await
        .map(|_applied| ())
}

/// A refused document as a Diagnostic at its place.
pub(crate) fn refusal(document: &Document, reason: &str) -> Diagnostic {
    document
        .error(codes::DOCUMENT_REFUSED, format!("the API server refuses {}", document.shape), "")
        .cause(reason.to_owned())
        .help("mend the document and run `mainstay up` again")
}
