//! What a request asks for: verb, resource, namespace, name, subresource; or another path.
//!
//! **Spec:** the path grammar of upstream's RequestInfo: `/api/v1/…` and `/apis/<group>/<version>/…`,
//! then `[namespaces/<namespace>/]<resource>[/<name>[/<subresource>]]`, where a namespace's own
//! subresources are `status` and `finalize` alone.

use std::borrow::Cow;
use std::str::Utf8Error;

use http::Method;
use percent_encoding::percent_decode_str;

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route<'a> {
    /// A resource, or one object of it.
    Resource(Target<'a>),
    /// Anything else: discovery, health, metrics.
    Path(&'a str),
}

/// The part of a path that names a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The API group; empty for the core group.
    pub group: Cow<'a, str>,
    /// The version.
    pub version: Cow<'a, str>,
    /// The namespace; `None` for cluster-scoped resources and lists of all namespaces.
    pub namespace: Option<Cow<'a, str>>,
    /// The plural.
    pub resource: Cow<'a, str>,
    /// The object's name; `None` for the collection.
    pub name: Option<Cow<'a, str>>,
    /// What of the object.
    pub subresource: Option<Cow<'a, str>>,
}

impl<'a> Route<'a> {
    /// The route of a path; `None` when a segment is not UTF-8 once decoded, or there are too many.
    pub fn parse(path: &'a str) -> Option<Self> {
        let mut segments = path.split('/').filter(|segment| !segment.is_empty());
        let (group, version) = match segments.next() {
            Some("api") => (Some(""), segments.next()),
            Some("apis") => (segments.next(), segments.next()),
            _ => return Some(Self::Path(path)),
        };
        let (Some(group), Some(version), Some(first)) = (group, version, segments.next()) else {
            return Some(Self::Path(path));
        };
        let mut rest = [None; 4];
        for slot in &mut rest {
            *slot = segments.next();
        }
        // What follows `proxy` is the path of what is behind it.
        if first != "namespaces" && rest[1] == Some("proxy") {
            (rest[2], rest[3]) = (None, None);
        } else if segments.next().is_some() && rest[3] != Some("proxy") {
            return None;
        }
        let (namespace, resource, name, subresource) = split(first, rest)?;
        let part = |segment: Option<&'a str>| segment.map(decode).transpose();
        let target = || -> Result<Target<'a>, Utf8Error> {
            Ok(Target {
                group: decode(group)?,
                version: decode(version)?,
                namespace: part(namespace)?,
                resource: decode(resource)?,
                name: part(name)?,
                subresource: part(subresource)?,
            })
        };
        target().ok().map(Self::Resource)
    }
}

type Parts<'a> = (Option<&'a str>, &'a str, Option<&'a str>, Option<&'a str>);

/// Tells the namespace from the resource in what follows the version.
fn split<'a>(first: &'a str, rest: [Option<&'a str>; 4]) -> Option<Parts<'a>> {
    match (first, rest) {
        ("namespaces", [name, sub @ (None | Some("status" | "finalize")), None, None]) => {
            Some((None, first, name, sub))
        }
        ("namespaces", [namespace, Some(resource), name, sub]) => Some((namespace, resource, name, sub)),
        (resource, [name, sub, None, None]) => Some((None, resource, name, sub)),
        _ => None,
    }
}

fn decode(segment: &str) -> Result<Cow<'_, str>, Utf8Error> {
    if segment.contains('%') { percent_decode_str(segment).decode_utf8() } else { Ok(Cow::Borrowed(segment)) }
}

/// What is done with a resource; its name is what authorization and metrics see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Reads one object.
    Get,
    /// Reads a collection.
    List,
    /// Follows a collection's changes.
    Watch,
    /// Makes an object.
    Create,
    /// Replaces an object.
    Update,
    /// Changes parts of an object.
    Patch,
    /// Ends an object.
    Delete,
    /// Ends a collection's objects.
    DeleteCollection,
}

impl Verb {
    /// The verb of a method on a collection or an object; `None` for a method there is no verb for.
    pub fn of(method: &Method, has_name: bool, is_watch: bool) -> Option<Self> {
        Some(match (method, has_name) {
            (&Method::GET | &Method::HEAD, _) if is_watch => Self::Watch,
            (&Method::GET | &Method::HEAD, true) => Self::Get,
            (&Method::GET | &Method::HEAD, false) => Self::List,
            (&Method::POST, _) => Self::Create,
            (&Method::PUT, true) => Self::Update,
            (&Method::PATCH, true) => Self::Patch,
            (&Method::DELETE, true) => Self::Delete,
            (&Method::DELETE, false) => Self::DeleteCollection,
            _ => return None,
        })
    }

    /// Upstream's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(path: &str) -> (String, Option<String>, String, Option<String>, Option<String>) {
        match Route::parse(path) {
            Some(Route::Resource(target)) => (
                format!("{}/{}", target.group, target.version),
                target.namespace.map(Cow::into_owned),
                target.resource.into_owned(),
                target.name.map(Cow::into_owned),
                target.subresource.map(Cow::into_owned),
            ),
            other => panic!("{path} is no resource: {other:?}"),
        }
    }

    #[allow(clippy::unnecessary_wraps, reason = "it keeps the table below readable")]
    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn paths_name_resources_as_upstream_reads_them() {
        for (path, version, namespace, resource, name, sub) in [
            ("/api/v1/pods", "/v1", None, "pods", None, None),
            ("/api/v1/nodes/a", "/v1", None, "nodes", some("a"), None),
            ("/api/v1/namespaces", "/v1", None, "namespaces", None, None),
            ("/api/v1/namespaces/d", "/v1", None, "namespaces", some("d"), None),
            ("/api/v1/namespaces/d/finalize", "/v1", None, "namespaces", some("d"), some("finalize")),
            ("/api/v1/namespaces/d/status", "/v1", None, "namespaces", some("d"), some("status")),
            ("/api/v1/namespaces/d/pods", "/v1", some("d"), "pods", None, None),
            ("/api/v1/namespaces/d/pods/p/binding", "/v1", some("d"), "pods", some("p"), some("binding")),
            ("/api/v1/namespaces/d/status/p", "/v1", some("d"), "status", some("p"), None),
            ("/apis/apps/v1/deployments", "apps/v1", None, "deployments", None, None),
            (
                "/apis/apps/v1/namespaces/d/deployments/w/scale",
                "apps/v1",
                some("d"),
                "deployments",
                some("w"),
                some("scale"),
            ),
            ("/api/v1/nodes/n/proxy/metrics/cadvisor", "/v1", None, "nodes", some("n"), some("proxy")),
            (
                "/api/v1/namespaces/d/services/web:80/proxy/a/b/c",
                "/v1",
                some("d"),
                "services",
                some("web:80"),
                some("proxy"),
            ),
            (
                "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode",
                "rbac.authorization.k8s.io/v1",
                None,
                "clusterroles",
                some("system:node"),
                None,
            ),
        ] {
            assert_eq!(
                target(path),
                (version.to_owned(), namespace, resource.to_owned(), name, sub),
                "{path}"
            );
        }
    }

    #[test]
    fn everything_else_is_a_path() {
        for path in [
            "/",
            "/api",
            "/api/v1",
            "/apis",
            "/apis/apps",
            "/apis/apps/v1",
            "/version",
            "/openapi/v3/apis/apps/v1",
        ] {
            assert_eq!(Route::parse(path), Some(Route::Path(path)));
        }
    }

    #[test]
    fn too_many_segments_and_broken_text_are_no_route() {
        for path in ["/api/v1/nodes/a/b/c", "/api/v1/namespaces/d/pods/p/log/x", "/api/v1/pods/%ff"] {
            assert_eq!(Route::parse(path), None, "{path}");
        }
    }

    #[test]
    fn a_method_means_a_verb_only_where_there_is_one() {
        assert_eq!(Verb::of(&Method::GET, false, true), Some(Verb::Watch));
        assert_eq!(Verb::of(&Method::DELETE, false, false), Some(Verb::DeleteCollection));
        assert_eq!(Verb::of(&Method::PUT, false, false), None);
        assert_eq!(Verb::of(&Method::OPTIONS, true, false), None);
    }
}
