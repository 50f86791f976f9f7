//! What the client wants to read and what it sends: `Accept` and `Content-Type`.
//!
//! Objects are made as JSON, and turned into YAML or protobuf for a client that prefers it. The
//! first range of a header that can be served is; of custom objects there is no protobuf.

use http::{HeaderMap, header};

use crate::decode;
use crate::status::Status;

/// The form objects are sent in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// As they are.
    Object,
    /// Their metadata alone.
    Metadata,
    /// Rows and columns for people.
    Table,
}

/// How a form is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As JSON.
    Json,
    /// As YAML.
    Yaml,
    /// As protobuf, in Kubernetes' envelope.
    Protobuf,
}

/// The best form the client accepts, and how it is written; `custom` says whether it is of custom
/// objects.
pub fn form(headers: &HeaderMap, custom: bool) -> Result<(View, Encoding), Status> {
    let mut any = false;
    for range in ranges(headers) {
        any = true;
        if let Some(form) = form_of(range, custom) {
            return Ok(form);
        }
    }
    if any {
        Err(Status::not_acceptable(if custom { decode::CUSTOM_TYPES } else { decode::OBJECT_TYPES }))
    } else {
        Ok((View::Object, Encoding::Json))
    }
}

/// How the best form the client accepts is written, when nothing is known of what it is of.
pub fn encoding(headers: &HeaderMap) -> Encoding {
    form(headers, false).map_or(Encoding::Json, |(_, encoding)| encoding)
}

/// What the client accepts, in its order.
fn ranges(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let texts = headers.get_all(header::ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).map(str::trim).filter(|range| !range.is_empty())
}

fn form_of(range: &str, custom: bool) -> Option<(View, Encoding)> {
    let mut parts = range.split(';').map(str::trim);
    let encoding = match parts.next()? {
        "application/json" | "application/*" | "*/*" => Encoding::Json,
        "application/yaml" => Encoding::Yaml,
        mainstay_protobuf::MEDIA_TYPE => Encoding::Protobuf,
        _ => return None,
    };
    let (mut shape, mut group, mut version) = (None, None, None);
    for parameter in parts {
        match parameter.split_once('=') {
            Some(("as", value)) => shape = Some(value),
            Some(("g", value)) => group = Some(value),
            Some(("v", value)) => version = Some(value),
            _ => {}
        }
    }
    let is_meta = group == Some("meta.k8s.io") && matches!(version, Some("v1" | "v1beta1"));
    let view = match shape {
        None => View::Object,
        Some("Table") if is_meta => View::Table,
        Some("PartialObjectMetadata" | "PartialObjectMetadataList") if is_meta => View::Metadata,
        Some(_) => return None,
    };
    let is_made = match (encoding, view) {
        (Encoding::Json | Encoding::Yaml, _) | (Encoding::Protobuf, View::Metadata) => true,
        (Encoding::Protobuf, View::Object) => !custom,
        (Encoding::Protobuf, View::Table) => false,
    };
    is_made.then_some((view, encoding))
}

/// The media type of a request's body, without parameters; empty when none is named.
pub fn media_type(headers: &HeaderMap) -> &str {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split(';').next())
        .map(str::trim)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn accepting(text: &'static str) -> Result<View, Status> {
        form_accepting(text, false).map(|(view, _)| view)
    }

    fn form_accepting(text: &'static str, custom: bool) -> Result<(View, Encoding), Status> {
        form(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(text))]), custom)
    }

    #[test]
    fn the_first_range_says_how_it_is_written_and_custom_objects_are_never_protobuf() {
        let metadata = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
        let table = "application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1,application/json";
        let typed = "application/vnd.kubernetes.protobuf,application/json";
        for (accept, custom, expected) in [
            (typed, false, (View::Object, Encoding::Protobuf)),
            (typed, true, (View::Object, Encoding::Json)),
            ("application/json,application/vnd.kubernetes.protobuf", false, (View::Object, Encoding::Json)),
            ("application/vnd.kubernetes.protobuf;stream=watch", false, (View::Object, Encoding::Protobuf)),
            (metadata, true, (View::Metadata, Encoding::Protobuf)),
            (table, false, (View::Object, Encoding::Json)),
            ("application/yaml,application/json", false, (View::Object, Encoding::Yaml)),
        ] {
            assert_eq!(form_accepting(accept, custom), Ok(expected), "{accept}");
        }
        let refused = form_accepting("application/vnd.kubernetes.protobuf", true).expect_err("it is custom");
        assert_eq!(
            refused.message,
            "only the following media types are accepted: application/json, application/yaml"
        );
    }

    #[test]
    fn the_first_form_that_can_be_made_is_chosen() {
        let kubectl_get = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
        let metadata = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        for (accept, expected) in [
            (kubectl_get, View::Table),
            (metadata, View::Metadata),
            ("application/vnd.kubernetes.protobuf,application/json", View::Object),
            ("application/json;as=Other;v=v1;g=meta.k8s.io, */*", View::Object),
            ("application/json;stream=watch", View::Object),
            ("application/yaml", View::Object),
        ] {
            assert_eq!(accepting(accept), Ok(expected), "{accept}");
        }
    }

    #[test]
    fn a_client_that_accepts_nothing_that_can_be_made_is_told_so() {
        assert_eq!(accepting("text/html").expect_err("no object is HTML").code, 406);
        assert_eq!(
            accepting("application/json;as=Table;v=v2;g=meta.k8s.io").expect_err("no such table").code,
            406
        );
        assert_eq!(form(&HeaderMap::new(), false), Ok((View::Object, Encoding::Json)));
    }
}
