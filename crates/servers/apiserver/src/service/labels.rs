//! Under which labels a request is counted.

use std::sync::{Arc, LazyLock};

use http::Method;

use crate::meter::Labels;
use crate::negotiate;
use crate::route::{Target, Verb};

/// What is counted about a request besides its code and duration.
pub(super) struct Kind {
    pub(super) verb: &'static str,
    pub(super) group: Arc<str>,
    pub(super) version: Arc<str>,
    pub(super) resource: Arc<str>,
    pub(super) subresource: Arc<str>,
    pub(super) scope: &'static str,
}

pub(super) fn labels(kind: Option<Kind>, method: &Method, code: u16) -> Labels {
    let kind = kind.unwrap_or_else(|| {
        let verb = method_label(method);
        Kind { verb, group: none(), version: none(), resource: none(), subresource: none(), scope: "" }
    });
    Labels {
        verb: kind.verb,
        group: kind.group,
        version: kind.version,
        resource: kind.resource,
        subresource: kind.subresource,
        scope: kind.scope,
        code,
    }
}

/// The empty label, made once.
pub(super) fn none() -> Arc<str> {
    static NONE: LazyLock<Arc<str>> = LazyLock::new(|| "".into());
    Arc::clone(&NONE)
}

fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET | Method::HEAD => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

pub(super) fn verb_label(verb: Verb, headers: &http::HeaderMap) -> &'static str {
    match verb {
        Verb::Get => "GET",
        Verb::List => "LIST",
        Verb::Watch => "WATCH",
        Verb::Create => "POST",
        Verb::Update => "PUT",
        Verb::Patch if negotiate::media_type(headers).starts_with("application/apply-patch") => "APPLY",
        Verb::Patch => "PATCH",
        Verb::Delete => "DELETE",
        Verb::DeleteCollection => "DELETECOLLECTION",
    }
}

pub(super) fn scope(target: &Target<'_>) -> &'static str {
    match (&target.name, &target.namespace) {
        (Some(_), _) => "resource",
        (None, Some(_)) => "namespace",
        (None, None) => "cluster",
    }
}
