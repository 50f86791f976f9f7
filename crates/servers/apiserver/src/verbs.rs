//! The verbs on resources: what each does once a request is let in.
//!
//! Every write has the same end (`commit`): it is decided purely from the live object, encoded once,
//! and committed only if the object is still the one it was decided from.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Response, header};
use mainstay_resource::managed::Author;
use mainstay_resource::{GroupVersionKind, Identity, Schema, SchemaRef};
use mainstay_store::Key;

use crate::body::Body;
use crate::decode::{self, Decoded};
use crate::misfits::{self, Misfits};
use crate::negotiate::{self, Encoding, View};
use crate::query::Query;
use crate::registry::{Action, Origin, ResourceInfo, Subresource};
use crate::route::{Target, Verb};
use crate::server::ApiServer;
use crate::status::{Cause, Status};
use crate::subresource;
use crate::table;

pub(crate) mod apply;
pub(crate) mod commit;
mod create;
pub(crate) mod delete;
mod delete_collection;
mod get;
mod list;
pub(crate) mod metadata;
mod options;
pub(crate) mod patch;
pub(crate) mod update;
mod watch;

/// A request that was let in.
#[derive(Clone)]
pub(crate) struct Request<'a> {
    pub(crate) server: &'a ApiServer,
    pub(crate) verb: Verb,
    pub(crate) identity: &'a Identity,
    pub(crate) info: &'a Arc<ResourceInfo>,
    pub(crate) subresource: Option<&'a Subresource>,
    pub(crate) target: Target<'a>,
    pub(crate) query: Query<'a>,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) view: View,
    pub(crate) encoding: Encoding,
    /// Whether the client has no use for managed fields in a watch.
    pub(crate) wants_lean: bool,
    pub(crate) table: table::Options,
}

/// Serves a verb that the resource has.
pub(crate) async fn serve(verb: Verb, request: &Request<'_>) -> Result<Response<Body>, Status> {
    match request.subresource.map(|sub| &sub.action) {
        None => serve_whole(verb, request).await,
        Some(Action::Status) => match verb {
            Verb::Get => get::get(request),
            Verb::Update => update::replace(request).await,
            Verb::Patch => patch::patch(request).await,
            _ => Err(Status::method_not_allowed()),
        },
        Some(Action::Scale(paths)) => subresource::scale::serve(verb, request, paths).await,
        Some(Action::Binding) => subresource::binding::bind(request).await,
        Some(Action::Eviction) => subresource::eviction::evict(request).await,
        Some(Action::Finalize) => update::replace(request).await,
        Some(Action::Ephemeral | Action::Resize) => match verb {
            Verb::Get => get::get(request),
            Verb::Update => update::replace(request).await,
            Verb::Patch => patch::patch(request).await,
            _ => Err(Status::method_not_allowed()),
        },
        Some(Action::Log | Action::Connect) => subresource::connect::serve(request),
        Some(Action::Unserved) => {
            Err(Status::not_served(&format!("{}/{}", request.info.resource, request.subresource_name())))
        }
    }
}

async fn serve_whole(verb: Verb, request: &Request<'_>) -> Result<Response<Body>, Status> {
    match verb {
        Verb::Get => get::get(request),
        Verb::List => list::list(request),
        Verb::Watch => watch::watch(request),
        Verb::Create => create::create(request).await,
        Verb::Update => update::replace(request).await,
        Verb::Patch => patch::patch(request).await,
        Verb::Delete => delete::delete(request).await,
        Verb::DeleteCollection => delete_collection::delete_collection(request).await,
    }
}

impl<'a> Request<'a> {
    /// The namespace in the URL; empty for the cluster's scope.
    pub(crate) fn namespace(&self) -> &str {
        self.target.namespace.as_deref().unwrap_or_default()
    }

    /// The object's name in the URL; empty for the collection.
    pub(crate) fn name(&self) -> &str {
        self.target.name.as_deref().unwrap_or_default()
    }

    /// `status`, or empty for the whole object.
    pub(crate) fn subresource_name(&self) -> &str {
        self.subresource.map_or("", |sub| &sub.name)
    }

    /// Whether the request is about the status alone.
    pub(crate) fn is_status(&self) -> bool {
        self.subresource.is_some_and(|sub| sub.action == Action::Status)
    }

    /// The store's key of the object in the URL, or of another of its collection.
    pub(crate) fn key(&self, name: &str) -> Key {
        Key::new(self.info.storage.resource.clone(), self.namespace(), name)
    }

    /// How objects of this resource merge, in the version of the URL.
    pub(crate) fn schema(&self) -> SchemaRef<'_> {
        schema_of(self.info)
    }

    /// On whose behalf fields are owned: the parameter, or the first word of the client's name.
    pub(crate) fn field_manager(&self) -> Result<Cow<'_, str>, Status> {
        if let Some(manager) = self.query.get("fieldManager") {
            if manager.len() > 128 || manager.chars().any(char::is_control) {
                return Err(Status::invalid_options(self.options_kind(), vec![unfit_manager(manager)]));
            }
            return Ok(Cow::Borrowed(manager));
        }
        let agent =
            self.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let product = agent.split('/').next().unwrap_or_default().trim();
        if !product.is_empty() {
            return Ok(Cow::Owned(product.chars().take(128).collect()));
        }
        // In-process clients send no name, but their identity says what they are.
        Ok(Cow::Borrowed(self.identity.user.rsplit(':').next().unwrap_or("unknown")))
    }

    /// Who writes the fields of the object, for its managedFields.
    pub(crate) fn author<'b>(&self, manager: &'b str, api_version: &'b str, now: &'b str) -> Author<'b>
    where
        'a: 'b,
    {
        let ignored: &[&[&str]] = if self.is_status() {
            &[&["spec"], &["metadata", "labels"], &["metadata", "ownerReferences"]]
        } else if self.info.has_status() {
            &[&["status"]]
        } else {
            &[]
        };
        let subresource = self.subresource.map_or("", |sub| &*sub.name);
        Author { manager, api_version, subresource, now, ignored }
    }

    /// The object in the body, in the version of the URL, and what is odd about it.
    pub(crate) fn object(&self) -> Result<(serde_json::Value, Vec<String>), Status> {
        let media_type = negotiate::media_type(self.headers);
        if self.info.is_untyped() && media_type == mainstay_protobuf::MEDIA_TYPE {
            return Err(Status::unsupported_media_type(decode::CUSTOM_TYPES));
        }
        let decoded = decode::object(media_type, &self.body)?;
        let Decoded { mut value, duplicates } = decoded;
        expect_kind(&mut value, &self.info.api_version(), &self.info.kind)?;
        let warnings = self.validate_fields(&value, duplicates)?;
        self.prune(&mut value);
        Ok((value, warnings))
    }

    /// Takes out of an object what its schema does not know.
    pub(crate) fn prune(&self, object: &mut serde_json::Value) {
        if let Some(structural) = self.info.structural() {
            structural.prune(object);
        }
    }

    /// Checks what was decoded against its kind, as strictly as `fieldValidation` says; returns the
    /// warnings. A value of another type is never accepted: every typed client would choke on it.
    pub(crate) fn validate_fields(
        &self,
        object: &serde_json::Value,
        duplicates: Vec<String>,
    ) -> Result<Vec<String>, Status> {
        let mode = self.query.get("fieldValidation").unwrap_or("Warn");
        if !matches!(mode, "Ignore" | "Warn" | "Strict") {
            let cause = Cause::unsupported("fieldValidation", mode, &["", "Ignore", "Strict", "Warn"]);
            return Err(Status::invalid_options(self.options_kind(), vec![cause]));
        }
        let misfits = match self.info.structural() {
            Some(_) if mode == "Ignore" => Misfits::default(),
            Some(structural) => Misfits { unknown: structural.unknown(object), ..Misfits::default() },
            None if self.info.is_untyped() => Misfits::default(),
            None => {
                let message = mainstay_protobuf::Message::of(&self.info.api_version(), &self.info.kind);
                misfits::misfits(object, self.schema(), message)
            }
        };
        if let Some(first) = misfits.mistyped.first() {
            return Err(self.unfit(first));
        }
        if mode == "Ignore" {
            return Ok(Vec::new());
        }
        let unknown = misfits.unknown.into_iter().map(|path| format!("unknown field \"{path}\""));
        let duplicates = duplicates.into_iter().map(|path| format!("duplicate field \"{path}\""));
        let findings: Vec<String> = unknown.chain(duplicates).collect();
        if mode == "Strict" && !findings.is_empty() {
            return Err(self.unfit(&format!("strict decoding error: {}", findings.join(", "))));
        }
        Ok(findings)
    }

    fn unfit(&self, why: &str) -> Status {
        let (kind, version) = (&self.info.kind, &self.info.version);
        Status::bad_request(format!("{kind} in version \"{version}\" cannot be handled as a {kind}: {why}"))
    }
}

/// What is wrong with the name of a field manager.
fn unfit_manager(manager: &str) -> Cause {
    let strange = manager.chars().enumerate().find(|(_, letter)| letter.is_control());
    match strange {
        Some((at, letter)) => {
            let why = format!("invalid character U+{:04X} (at position {at})", u32::from(letter));
            Cause::invalid("fieldManager", &serde_json::Value::from(manager), &why)
        }
        None => Cause {
            reason: "FieldValueTooLong",
            message: "Too long: may not be more than 128 bytes".to_owned(),
            field: "fieldManager".to_owned(),
        },
    }
}

/// Checks that an object says it is of this kind; what says nothing is taken for it.
pub(crate) fn expect_kind(
    object: &mut serde_json::Value,
    api_version: &str,
    kind: &str,
) -> Result<(), Status> {
    for (field, expected) in [("apiVersion", api_version), ("kind", kind)] {
        let given = object.get(field).and_then(serde_json::Value::as_str).unwrap_or_default();
        if given.is_empty() {
            object[field] = expected.into();
        } else if given != expected {
            let what = if field == "kind" { "kind" } else { "API version" };
            return Err(Status::bad_request(format!(
                "the {what} in the data ({given}) does not match the expected {what} ({expected})"
            )));
        }
    }
    Ok(())
}

/// How objects of a resource merge.
pub(crate) fn schema_of(info: &ResourceInfo) -> SchemaRef<'_> {
    if let Some(structural) = info.structural() {
        return structural.merge();
    }
    let kind = GroupVersionKind::new(&*info.group, &*info.version, &*info.kind);
    match info.origin {
        Origin::BuiltIn => Schema::for_kind_or_custom(&kind),
        Origin::Custom { .. } => Schema::custom(),
    }
}
