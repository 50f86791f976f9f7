//! What a client is told when a request fails: `meta/v1` Status, with upstream's reasons and words.
//!
//! **Not here:** findings about the platform's files (`base::Diagnostic`).

use serde_json::{Map, Value, json};

use crate::registry::ResourceInfo;

mod reasons;

/// One failed request. Displayed, it is its message.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Status {
    /// The HTTP status code.
    pub code: u16,
    /// Upstream's machine-readable word for it, `NotFound`.
    pub reason: &'static str,
    /// What a person reads.
    pub message: String,
    /// What it is about.
    pub details: Option<Box<Details>>,
    /// A continue token that goes on where an expired one cannot.
    pub continuation: Option<String>,
}

/// What a failed request was about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details {
    /// The object's name.
    pub name: String,
    /// The object's group.
    pub group: String,
    /// The resource (`deployments`), or for an invalid object its kind.
    pub kind: String,
    /// The object's uid.
    pub uid: String,
    /// One by one, what is wrong.
    pub causes: Vec<Cause>,
    /// When trying again makes sense.
    pub retry_after_seconds: Option<u32>,
}

/// One thing wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// `FieldValueInvalid`, `FieldManagerConflict`, …
    pub reason: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where, as a path into the object; may be empty.
    pub field: String,
}

impl Cause {
    /// A field whose value is not allowed.
    pub fn invalid(field: impl Into<String>, value: &Value, why: &str) -> Self {
        Self {
            reason: "FieldValueInvalid",
            message: format!("Invalid value: {value}: {why}"),
            field: field.into(),
        }
    }

    /// A field that must be there.
    pub fn required(field: impl Into<String>, why: &str) -> Self {
        let separator = if why.is_empty() { "" } else { ": " };
        Self {
            reason: "FieldValueRequired",
            message: format!("Required value{separator}{why}"),
            field: field.into(),
        }
    }

    /// A field whose value is none of those there are.
    pub fn unsupported(field: impl Into<String>, value: &str, supported: &[&str]) -> Self {
        let supported: Vec<String> = supported.iter().map(|one| format!("{one:?}")).collect();
        let message = format!("Unsupported value: {value:?}: supported values: {}", supported.join(", "));
        Self { reason: "FieldValueNotSupported", message, field: field.into() }
    }

    /// An item of a list that must be there once.
    pub fn duplicate(field: impl Into<String>, value: &Value) -> Self {
        Self {
            reason: "FieldValueDuplicate",
            message: format!("Duplicate value: {value}"),
            field: field.into(),
        }
    }

    /// A reference to something that is not there.
    pub fn not_found(field: impl Into<String>, value: &Value) -> Self {
        Self { reason: "FieldValueNotFound", message: format!("Not found: {value}"), field: field.into() }
    }

    /// A field that must not be there, or must not change.
    pub fn forbidden(field: impl Into<String>, why: &str) -> Self {
        Self { reason: "FieldValueForbidden", message: format!("Forbidden: {why}"), field: field.into() }
    }
}

impl Status {
    /// A failure without details.
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None, continuation: None }
    }

    /// Says which object of `info` it is about.
    #[must_use]
    pub fn about(mut self, info: &ResourceInfo, name: &str) -> Self {
        let details = self.details.get_or_insert_default();
        name.clone_into(&mut details.name);
        details.group = info.group.to_string();
        details.kind = info.resource.to_string();
        self
    }

    /// Adds causes.
    #[must_use]
    pub fn with_causes(mut self, causes: Vec<Cause>) -> Self {
        self.details.get_or_insert_default().causes = causes;
        self
    }

    /// Says when trying again makes sense.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.details.get_or_insert_default().retry_after_seconds = Some(seconds);
        self
    }

    /// The Status object.
    pub fn to_value(&self) -> Value {
        let mut metadata = Map::new();
        if let Some(token) = &self.continuation {
            metadata.insert("continue".to_owned(), Value::from(token.as_str()));
        }
        let mut status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": metadata,
            "status": "Failure",
            "message": self.message,
            "code": self.code,
        });
        if !self.reason.is_empty() {
            status["reason"] = Value::from(self.reason);
        }
        if let Some(details) = &self.details {
            status["details"] = details.to_value();
        }
        status
    }
}

impl Details {
    fn to_value(&self) -> Value {
        let mut map = Map::new();
        for (field, text) in
            [("name", &self.name), ("group", &self.group), ("kind", &self.kind), ("uid", &self.uid)]
        {
            if !text.is_empty() {
                map.insert(field.to_owned(), Value::from(text.as_str()));
            }
        }
        if !self.causes.is_empty() {
            map.insert("causes".to_owned(), self.causes.iter().map(Cause::to_value).collect());
        }
        if let Some(seconds) = self.retry_after_seconds {
            map.insert("retryAfterSeconds".to_owned(), Value::from(seconds));
        }
        Value::Object(map)
    }
}

impl Cause {
    fn to_value(&self) -> Value {
        let mut cause = json!({ "reason": self.reason, "message": self.message });
        if !self.field.is_empty() {
            cause["field"] = Value::from(self.field.as_str());
        }
        cause
    }
}

/// The Status of a request that succeeded without an object to show: a finished deletion.
pub(crate) fn success(info: &ResourceInfo, name: &str, uid: &str) -> Value {
    let details = Details {
        name: name.to_owned(),
        group: info.group.to_string(),
        kind: info.resource.to_string(),
        uid: uid.to_owned(),
        ..Details::default()
    };
    json!({
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": details.to_value(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployments() -> ResourceInfo {
        ResourceInfo::built_in("apps", "v1", "deployments", "Deployment", true)
    }

    #[test]
    fn a_missing_object_is_reported_in_upstreams_words() {
        let status = Status::not_found(&deployments(), "web").to_value();
        assert_eq!(status["message"], r#"deployments.apps "web" not found"#);
        assert_eq!(status["reason"], "NotFound");
        assert_eq!(status["code"], 404);
        assert_eq!(status["details"], json!({"name": "web", "group": "apps", "kind": "deployments"}));
    }

    #[test]
    fn an_invalid_object_names_each_field_once() {
        let one = Cause::required("spec.selector", "");
        let two = Cause::invalid("spec.replicas", &json!(-1), "must be greater than or equal to 0");
        let single = Status::invalid(&deployments(), "web", vec![one.clone()]);
        assert_eq!(single.message, r#"Deployment.apps "web" is invalid: spec.selector: Required value"#);
        let both = Status::invalid(&deployments(), "web", vec![one, two]);
        assert_eq!(
            both.message,
            r#"Deployment.apps "web" is invalid: [spec.selector: Required value, spec.replicas: Invalid value: -1: must be greater than or equal to 0]"#
        );
        assert_eq!(both.to_value()["details"]["kind"], "Deployment");
        assert_eq!(both.to_value()["details"]["causes"][1]["field"], "spec.replicas");
    }

    #[test]
    fn a_lost_race_is_reported_in_upstreams_words() {
        assert_eq!(
            Status::modified(&deployments(), "web").message,
            "Operation cannot be fulfilled on deployments.apps \"web\": the object has been modified; \
             please apply your changes to the latest version and try again"
        );
    }
}
