//! Which objects of a resource a list, a watch or a collective deletion is about.

use mainstay_resource::{FieldSelector, LabelSelector};
use mainstay_store::Record;

use crate::query::Query;
use crate::registry::{Origin, ResourceInfo};
use crate::status::Status;

/// A namespace, labels and fields, all of which an object must meet.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    namespace: Option<String>,
    labels: LabelSelector,
    fields: FieldSelector,
}

impl Selection {
    /// The selection of a request on the collection, or on the one object `name` of it.
    pub(crate) fn of(
        info: &ResourceInfo,
        namespace: Option<&str>,
        name: Option<&str>,
        query: &Query<'_>,
    ) -> Result<Self, Status> {
        let labels = match query.get("labelSelector") {
            None => LabelSelector::everything(),
            Some(text) => LabelSelector::parse(text)
                .map_err(|error| Status::bad_request(format!("unable to parse requirement: {error}")))?,
        };
        let fields = match query.get("fieldSelector") {
            None => FieldSelector::everything(),
            Some(text) => {
                FieldSelector::parse(text).map_err(|error| Status::bad_request(error.to_string()))?
            }
        };
        let known = |field: &str| {
            matches!(field, "metadata.name" | "metadata.namespace")
                || info.fields.iter().any(|known| &*known.name == field)
        };
        if let Some(unknown) = fields.requirements().iter().find(|one| !known(&one.field)) {
            return Err(Status::bad_request(unknown_field(info, &unknown.field)));
        }
        let fields = match name {
            None => fields,
            Some(name) if fields.is_everything() || fields == FieldSelector::equal("metadata.name", name) => {
                FieldSelector::equal("metadata.name", name)
            }
            Some(_) => {
                let why = "fieldSelector metadata.name doesn't match requested name";
                return Err(Status::bad_request(why));
            }
        };
        Ok(Self { namespace: namespace.map(str::to_owned), labels, fields })
    }

    /// The namespace it is limited to.
    pub(crate) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// Whether it has no selector, so that counting what is left needs no look at it.
    pub(crate) fn is_everything(&self) -> bool {
        self.labels.is_everything() && self.fields.is_everything()
    }

    /// Whether a record is selected.
    pub(crate) fn matches(&self, record: &Record) -> bool {
        self.namespace.as_deref().is_none_or(|namespace| namespace == &*record.key.namespace)
            && (self.labels.is_everything() || self.labels.matches(&|key| record.tags.label(key)))
            && (self.fields.is_everything()
                || self.fields.matches(&|field| match field {
                    "metadata.name" => Some(&*record.key.name),
                    "metadata.namespace" => Some(&*record.key.namespace),
                    other => record.tags.field(other),
                }))
    }
}

/// Upstream's words for a field that cannot be selected by.
fn unknown_field(info: &ResourceInfo, field: &str) -> String {
    match (&*info.group, &*info.kind) {
        ("batch", "Job") => format!("field label {field:?} not supported for Job"),
        _ if info.origin == Origin::BuiltIn && info.fields.is_empty() => {
            format!("{field:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
        }
        _ => format!("field label not supported: {field}"),
    }
}
