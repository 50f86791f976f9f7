//! What the client wants to read and what it sends: `Accept` and `Content-Type`.
//!
//! Objects are made as JSON, and turned into YAML for a client that prefers it. A client that
//! prefers protobuf but accepts JSON gets JSON.

use http::{HeaderMap, header};

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

const YAML: &str = "application/yaml";

/// The best form the client accepts.
pub fn view(headers: &HeaderMap) -> Result<View, Status> {
    let mut any = false;
    for range in ranges(headers) {
        any = true;
        if let Some(view) = view_of(range) {
            return Ok(view);
        }
    }
    if any { Err(Status::not_acceptable()) } else { Ok(View::Object) }
}

/// Whether the best form the client accepts is written in YAML.
pub fn prefers_yaml(headers: &HeaderMap) -> bool {
    ranges(headers).find(|range| view_of(range).is_some()).is_some_and(|range| range.starts_with(YAML))
}

/// What the client accepts, in its order.
fn ranges(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let texts = headers.get_all(header::ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).map(str::trim).filter(|range| !range.is_empty())
}

fn view_of(range: &str) -> Option<View> {
    let mut parts = range.split(';').map(str::trim);
    let media = parts.next()?;
    if !matches!(media, "application/json" | "application/*" | "*/*" | YAML) {
        return None;
    }
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
    match shape {
        None => Some(View::Object),
        Some("Table") if is_meta => Some(View::Table),
        Some("PartialObjectMetadata" | "PartialObjectMetadataList") if is_meta => Some(View::Metadata),
        Some(_) => None,
    }
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
        view(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(text))]))
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
        assert_eq!(view(&HeaderMap::new()), Ok(View::Object));
    }
}
