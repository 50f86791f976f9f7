//! The failures there are, each with upstream's code, reason and words.

use crate::registry::ResourceInfo;

use super::{Cause, Status};

impl Status {
    /// There is no such object.
    pub fn not_found(info: &ResourceInfo, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{} \"{name}\" not found", info.qualified())).about(info, name)
    }

    /// There is no such URL.
    pub fn no_such_path() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource")
    }

    /// The object is there already.
    pub fn already_exists(info: &ResourceInfo, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", info.qualified());
        Self::new(409, "AlreadyExists", message).about(info, name)
    }

    /// The write cannot be done on the object as it is.
    pub fn conflict(info: &ResourceInfo, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", info.qualified());
        Self::new(409, "Conflict", message).about(info, name)
    }

    /// Another write came first.
    pub fn modified(info: &ResourceInfo, name: &str) -> Self {
        let why =
            "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(info, name, why)
    }

    /// The request makes no sense.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// The object makes no sense.
    pub fn invalid(info: &ResourceInfo, name: &str, causes: Vec<Cause>) -> Self {
        Self::invalid_kind(&info.group, &info.kind, name, causes)
    }

    /// The parameters of the request make no sense; `kind` is what upstream calls them, `ListOptions`.
    pub fn invalid_options(kind: &str, causes: Vec<Cause>) -> Self {
        Self::invalid_kind("meta.k8s.io", kind, "", causes)
    }

    /// Something of a kind that is not served makes no sense.
    pub fn invalid_kind(group: &str, kind: &str, name: &str, causes: Vec<Cause>) -> Self {
        let qualified = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        let message = format!("{qualified} \"{name}\" is invalid: {}", in_words(&causes));
        let mut status = Self::new(422, "Invalid", message).with_causes(causes);
        let details = status.details.get_or_insert_default();
        (details.name, details.group, details.kind) = (name.to_owned(), group.to_owned(), kind.to_owned());
        status
    }

    /// The client did not prove who it is.
    pub fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    /// The object's rules, not the client's, forbid it.
    pub fn forbidden(info: &ResourceInfo, name: &str, why: &str) -> Self {
        let quoted = if name.is_empty() { String::new() } else { format!(" \"{name}\"") };
        let message = format!("{}{quoted} is forbidden: {why}", info.qualified());
        Self::new(403, "Forbidden", message).about(info, name)
    }

    /// The resource does not have this verb.
    pub fn method_not_allowed() -> Self {
        Self::new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    }

    /// None of the representations the client accepts can be made.
    pub fn not_acceptable(accepted: &str) -> Self {
        let message = format!("only the following media types are accepted: {accepted}");
        Self::new(406, "NotAcceptable", message)
    }

    /// The body is in a format that is not understood.
    pub fn unsupported_media_type(accepted: &str) -> Self {
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: {accepted}"
        );
        Self::new(415, "UnsupportedMediaType", message)
    }

    /// The body is too large.
    pub fn too_large(limit_bytes: usize) -> Self {
        let message = format!("Request entity too large: limit is {limit_bytes}");
        Self::new(413, "RequestEntityTooLarge", message)
    }

    /// The revision asked for is no longer there.
    pub fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    /// A watch asked for a revision that is no longer there.
    pub fn watch_expired(asked: u64, oldest: u64) -> Self {
        Self::expired(format!("too old resource version: {asked} ({oldest})"))
    }

    /// The revision asked for is not there yet.
    pub fn revision_ahead(asked: u64, current: u64) -> Self {
        let message = format!("Too large resource version: {asked}, current: {current}");
        let cause = Cause {
            reason: "ResourceVersionTooLarge",
            message: "Too large resource version".to_owned(),
            field: String::new(),
        };
        Self::new(504, "Timeout", message).with_causes(vec![cause]).retry_after(1)
    }

    /// Too many requests at once.
    pub fn too_many_requests() -> Self {
        let message = "too many requests, please try again later";
        Self::new(429, "TooManyRequests", message).retry_after(1)
    }

    /// The server itself failed.
    pub fn internal(why: impl std::fmt::Display) -> Self {
        Self::new(500, "InternalError", format!("Internal error occurred: {why}"))
    }

    /// The answer took too long.
    pub fn timeout() -> Self {
        Self::new(504, "Timeout", "Timeout: request did not complete within the allotted time").retry_after(1)
    }

    /// The server is ending.
    pub fn shutting_down() -> Self {
        Self::new(503, "ServiceUnavailable", "the server is shutting down").retry_after(1)
    }

    /// The subresource is known but not served.
    pub fn not_served(what: &str) -> Self {
        Self::new(501, "NotImplemented", format!("{what} is not served"))
    }
}

/// All causes in one sentence.
fn in_words(causes: &[Cause]) -> String {
    // Upstream's name for the root of an object is an empty index.
    let path = |cause: &Cause| if cause.field.is_empty() { "[]".to_owned() } else { cause.field.clone() };
    let each: Vec<String> =
        causes.iter().map(|cause| format!("{}: {}", path(cause), cause.message)).collect();
    match each.as_slice() {
        [only] => only.clone(),
        many => format!("[{}]", many.join(", ")),
    }
}
