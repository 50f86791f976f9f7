//! Discovery: which groups, versions and resources there are, in the aggregated form and in the
//! legacy one, live from the registry.
//!
//! Documents are made once per change of the registry and kept with their ETags.
//!
//! **Spec:** `apidiscovery.k8s.io` v2 and v2beta1; `v1` APIVersions, APIGroupList, APIGroup and
//! APIResourceList. The order of groups is upstream's: it decides what `kubectl get` takes a short
//! name for.

mod aggregated;
mod legacy;
mod order;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde_json::Value;

use crate::body::Body;
use crate::encode;
use crate::fingerprint;
use crate::registry::{Registry, Snapshot};

pub(crate) use order::{groups, versions};

/// The forms of the two root documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Legacy,
    V2,
    V2Beta1,
}

impl Form {
    const fn content_type(self) -> &'static str {
        match self {
            Self::Legacy => "application/json",
            Self::V2 => "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
            Self::V2Beta1 => "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
        }
    }
}

/// Answers for one server; clones share what was made.
#[derive(Clone, Debug)]
pub(crate) struct Discovery {
    registry: Registry,
    advertise: Arc<str>,
    made: Arc<Mutex<Made>>,
}

/// The root documents of one generation of the registry.
#[derive(Debug, Default)]
struct Made {
    generation: u64,
    documents: Vec<(Root, Form, Document)>,
}

/// The two root documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Root {
    /// `/api`: the core group.
    Core,
    /// `/apis`: all others.
    Groups,
}

/// A document with what identifies its content.
#[derive(Clone, Debug)]
struct Document {
    bytes: Bytes,
    etag: HeaderValue,
}

impl Document {
    fn new(value: &Value) -> Self {
        let bytes = encode::json(value);
        let etag = HeaderValue::try_from(format!("\"{}\"", fingerprint::of(&[&bytes])))
            .expect("invariant: hexadecimal digits make a header");
        Self { bytes, etag }
    }
}

impl Discovery {
    /// Discovery of what `registry` serves; `advertise` is the address clients are told.
    pub(crate) fn new(registry: Registry, advertise: &str) -> Self {
        Self { registry, advertise: advertise.into(), made: Arc::default() }
    }

    /// The answer to a path, if it is one of discovery's and there is such a group and version.
    pub(crate) fn answer(&self, path: &str, headers: &HeaderMap) -> Option<Response<Body>> {
        let mut segments = path.split('/').filter(|segment| !segment.is_empty());
        let parts = (segments.next()?, segments.next(), segments.next(), segments.next());
        let snapshot = self.registry.snapshot();
        let value = match parts {
            ("api", None, ..) => return Some(self.root(&snapshot, Root::Core, headers)),
            ("apis", None, ..) => return Some(self.root(&snapshot, Root::Groups, headers)),
            ("api", Some(version), None, _) => legacy::resources(&snapshot, "", version)?,
            ("apis", Some(group), None, _) => legacy::group(&snapshot, group)?,
            ("apis", Some(group), Some(version), None) => legacy::resources(&snapshot, group, version)?,
            _ => return None,
        };
        Some(respond(&Document::new(&value), Form::Legacy, headers))
    }

    fn root(&self, snapshot: &Snapshot, root: Root, headers: &HeaderMap) -> Response<Body> {
        let form = form(headers);
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.generation != snapshot.generation() {
            *made = Made { generation: snapshot.generation(), documents: Vec::new() };
        }
        let known = made.documents.iter().find(|(one, shape, _)| (*one, *shape) == (root, form));
        let document = if let Some((.., document)) = known {
            document.clone()
        } else {
            let document = Document::new(&self.make(snapshot, root, form));
            made.documents.push((root, form, document.clone()));
            document
        };
        drop(made);
        respond(&document, form, headers)
    }

    fn make(&self, snapshot: &Snapshot, root: Root, form: Form) -> Value {
        match (form, root) {
            (Form::Legacy, Root::Core) => legacy::versions(snapshot, &self.advertise),
            (Form::Legacy, Root::Groups) => legacy::groups(snapshot),
            (Form::V2, _) => aggregated::list(snapshot, "v2", root == Root::Core),
            (Form::V2Beta1, _) => aggregated::list(snapshot, "v2beta1", root == Root::Core),
        }
    }
}

/// The first form the client accepts that there is.
fn form(headers: &HeaderMap) -> Form {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    for range in accepted.flat_map(|text| text.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        if !matches!(parts.next(), Some("application/json" | "application/*" | "*/*")) {
            continue;
        }
        let parameters: Vec<&str> = parts.filter(|part| !part.starts_with("q=")).collect();
        let has = |parameter: &str| parameters.contains(&parameter);
        if !has("as=APIGroupDiscoveryList") {
            return Form::Legacy;
        }
        if has("g=apidiscovery.k8s.io") && has("v=v2") {
            return Form::V2;
        }
        if has("g=apidiscovery.k8s.io") && has("v=v2beta1") {
            return Form::V2Beta1;
        }
    }
    Form::Legacy
}

fn respond(document: &Document, form: Form, headers: &HeaderMap) -> Response<Body> {
    let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|known| known == document.etag);
    let mut response = Response::new(if known { Body::empty() } else { Body::full(document.bytes.clone()) });
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let own = response.headers_mut();
    own.insert(header::CONTENT_TYPE, HeaderValue::from_static(form.content_type()));
    own.insert(header::ETAG, document.etag.clone());
    own.insert(header::VARY, HeaderValue::from_static("Accept"));
    own.insert(header::CACHE_CONTROL, HeaderValue::from_static("public"));
    response
}
