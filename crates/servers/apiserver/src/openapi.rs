//! The OpenAPI documents: an index, one document per group and version, and the version-2 trick.
//!
//! Documents are made when they are first asked for and kept compressed. Their hashes are of what
//! they are made from, so the index needs none of them.
//!
//! **Not here:** the documents' content (`resource::openapi`).

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use mainstay_resource::GroupVersionKind;
use mainstay_resource::openapi::{self, ResourceEntry};
use serde_json::{Map, Value, json};

use crate::body::Body;
use crate::encode;
use crate::fingerprint;
use crate::health;
use crate::registry::{Origin, Registry, ResourceInfo, Snapshot};

/// What kubectl asks `/openapi/v2` for; the answer names it with a dot where Go cannot read `@`.
const V2_ASKED: &str = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
const V2_ANSWERED: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/// Answers for one server; clones share the documents.
#[derive(Clone, Debug)]
pub(crate) struct OpenApi {
    registry: Registry,
    documents: Arc<Mutex<BTreeMap<String, Document>>>,
}

/// A document of one group and version, compressed.
#[derive(Clone, Debug)]
struct Document {
    hash: String,
    compressed: Bytes,
}

impl OpenApi {
    /// The documents of what `registry` serves.
    pub(crate) fn new(registry: Registry) -> Self {
        Self { registry, documents: Arc::default() }
    }

    /// The answer to a path below `/openapi`, if there is one.
    pub(crate) fn answer(&self, path: &str, headers: &HeaderMap) -> Option<Response<Body>> {
        match path.trim_end_matches('/').strip_prefix("/openapi/")? {
            "v2" => Some(version_2(headers)),
            "v3" => Some(self.index()),
            rest => self.document(rest.strip_prefix("v3/")?, headers),
        }
    }

    fn index(&self) -> Response<Body> {
        let snapshot = self.registry.snapshot();
        let mut paths = Map::new();
        for (group, version) in group_versions(&snapshot) {
            let path = path_of(&group, &version);
            let hash = hash(&snapshot, &group, &version);
            paths.insert(
                path.clone(),
                json!({ "serverRelativeURL": format!("/openapi/v3/{path}?hash={hash}") }),
            );
        }
        let mut response = Response::new(Body::full(encode::json(&json!({ "paths": paths }))));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }

    fn document(&self, path: &str, headers: &HeaderMap) -> Option<Response<Body>> {
        let snapshot = self.registry.snapshot();
        let (group, version) =
            group_versions(&snapshot).into_iter().find(|(group, version)| path_of(group, version) == path)?;
        let hash = hash(&snapshot, &group, &version);
        let etag = HeaderValue::try_from(format!("\"{hash}\"")).ok()?;
        if headers.get_all(header::IF_NONE_MATCH).iter().any(|known| known == etag) {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response.headers_mut().insert(header::ETAG, etag);
            return Some(response);
        }
        let compressed = self.compressed(&snapshot, path, &group, &version, hash);
        let mut response = Response::new(Body::empty());
        let own = response.headers_mut();
        own.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        own.insert(header::ETAG, etag);
        own.insert(header::VARY, HeaderValue::from_static("Accept-Encoding, Accept"));
        let body = if accepts_gzip(headers) {
            own.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            compressed
        } else {
            expand(&compressed)
        };
        *response.body_mut() = Body::full(body);
        Some(response)
    }

    fn compressed(&self, snapshot: &Snapshot, path: &str, group: &str, version: &str, hash: String) -> Bytes {
        let known = |documents: &BTreeMap<String, Document>| {
            documents
                .get(path)
                .filter(|document| document.hash == hash)
                .map(|document| document.compressed.clone())
        };
        if let Some(compressed) = known(&self.documents.lock().unwrap_or_else(PoisonError::into_inner)) {
            return compressed;
        }
        let compressed = compress(&make(snapshot, group, version));
        let served: Vec<String> =
            group_versions(snapshot).iter().map(|(group, version)| path_of(group, version)).collect();
        let mut documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        documents.retain(|path, _| served.contains(path));
        documents.insert(path.to_owned(), Document { hash, compressed: compressed.clone() });
        compressed
    }
}

/// Clients that understand version 2 in protobuf get an empty document of it: they then leave
/// validation to the server. Others get a document without paths.
fn version_2(headers: &HeaderMap) -> Response<Body> {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let (kind, body) =
        if accepted.flat_map(|text| text.split(',')).any(|range| range.trim().starts_with(V2_ASKED)) {
            (V2_ANSWERED, Body::empty())
        } else {
            let info = json!({ "title": "Kubernetes", "version": health::GIT_VERSION });
            let document = json!({ "swagger": "2.0", "info": info, "paths": {}, "definitions": {} });
            ("application/json", Body::full(encode::json(&document)))
        };
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn group_versions(snapshot: &Snapshot) -> Vec<(Arc<str>, Arc<str>)> {
    let mut all: Vec<(Arc<str>, Arc<str>)> = snapshot
        .resources()
        .iter()
        .map(|info| (Arc::clone(&info.group), Arc::clone(&info.version)))
        .collect();
    all.dedup();
    all
}

fn path_of(group: &str, version: &str) -> String {
    if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") }
}

/// The hash of what a document is made from: the resources, and the release of the definitions.
fn hash(snapshot: &Snapshot, group: &str, version: &str) -> String {
    let mut made_from =
        vec![health::GIT_VERSION.as_bytes().to_vec(), env!("CARGO_PKG_VERSION").as_bytes().to_vec()];
    for info in snapshot.group_version(group, version) {
        let custom = info.custom.as_ref().and_then(|custom| custom.schema.as_deref());
        let described = json!([
            &*info.resource,
            &*info.kind,
            info.namespaced,
            info.origin == Origin::BuiltIn,
            custom,
            info.subresources
                .iter()
                .map(|sub| (&*sub.name, &*sub.group, &*sub.version, &*sub.kind))
                .collect::<Vec<_>>(),
        ]);
        made_from.push(described.to_string().into_bytes());
    }
    let parts: Vec<&[u8]> = made_from.iter().map(Vec::as_slice).collect();
    fingerprint::of(&parts)
}

fn make(snapshot: &Snapshot, group: &str, version: &str) -> Vec<u8> {
    struct Owned<'a> {
        info: &'a ResourceInfo,
        kind: GroupVersionKind,
        subresources: Vec<(&'a str, GroupVersionKind)>,
        definition: Option<Value>,
    }
    let owned: Vec<Owned<'_>> = snapshot
        .group_version(group, version)
        .map(|info| Owned {
            info,
            kind: GroupVersionKind::new(&*info.group, &*info.version, &*info.kind),
            subresources: info
                .subresources
                .iter()
                .map(|sub| (&*sub.name, GroupVersionKind::new(&*sub.group, &*sub.version, &*sub.kind)))
                .collect(),
            definition: definition(info),
        })
        .collect();
    let entries: Vec<ResourceEntry<'_>> = owned
        .iter()
        .map(|one| ResourceEntry {
            kind: &one.kind,
            plural: &one.info.resource,
            namespaced: one.info.namespaced,
            subresources: &one.subresources,
            definition: one.definition.as_ref(),
        })
        .collect();
    openapi::document(group, version, &entries)
}

/// The schema of a kind that the published definitions do not know; one that knows nothing where
/// a custom resource's definition has none.
fn definition(info: &ResourceInfo) -> Option<Value> {
    let schema = info.custom.as_ref().and_then(|custom| custom.schema.as_deref());
    match schema.and_then(|schema| serde_json::from_str(schema).ok()) {
        None if info.origin == Origin::BuiltIn => None,
        None => Some(json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })),
        schema => schema,
    }
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|text| text.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        parts.next() == Some("gzip") && !parts.any(|part| part == "q=0")
    })
}

fn compress(document: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(document.len() / 8), Compression::fast());
    encoder.write_all(document).expect("invariant: writing to memory does not fail");
    Bytes::from(encoder.finish().expect("invariant: writing to memory does not fail"))
}

fn expand(compressed: &[u8]) -> Bytes {
    let mut document = Vec::with_capacity(compressed.len() * 8);
    GzDecoder::new(compressed).read_to_end(&mut document).expect("invariant: this server compressed it");
    Bytes::from(document)
}
