//! Answers: an object, a list, a Status, in the form the client asked for.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;

use crate::body::Body;
use crate::decode;
use crate::encode;
use crate::negotiate::View;
use crate::status::Status;
use crate::table;
use crate::verbs::Request;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const YAML: HeaderValue = HeaderValue::from_static("application/yaml");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache, private");

/// An answer with this code and body.
pub(crate) fn json(code: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response.headers_mut().insert(header::CACHE_CONTROL, NO_CACHE);
    response
}

/// An answer with a value that is not stored.
pub(crate) fn value(code: StatusCode, value: &Value) -> Response<Body> {
    json(code, Body::full(encode::json(value)))
}

/// An answer that says what went wrong.
pub(crate) fn failure(status: &Status) -> Response<Body> {
    let code = StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = value(code, &status.to_value());
    let retry = status.details.as_ref().and_then(|details| details.retry_after_seconds);
    if let Some(seconds) = retry {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// An answer with one stored object, in the version of the URL and the form the client asked for.
pub(crate) fn object(request: &Request<'_>, code: StatusCode, stored: &Bytes) -> Response<Body> {
    let info = request.info;
    let bytes = match request.view {
        View::Object => encode::in_version(info, stored),
        View::Metadata => encode::metadata_only(stored),
        View::Table => table::of_object(info, stored, request.table),
    };
    json(code, Body::full(bytes))
}

/// The same answer in YAML, where it is one object; a watch is refused, as upstream does.
pub(crate) async fn in_yaml(response: Response<Body>) -> Response<Body> {
    if response.headers().get(header::CONTENT_TYPE) != Some(&JSON) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    if body.is_endless() {
        return failure(&Status::not_acceptable(decode::CUSTOM_TYPES));
    }
    let Ok(whole) = body.collect().await;
    let object = encode::decode(&whole.to_bytes());
    let text = serde_saphyr::to_string(&object).expect("invariant: JSON values encode into memory");
    parts.headers.insert(header::CONTENT_TYPE, YAML);
    Response::from_parts(parts, Body::full(text))
}

/// Adds upstream's warning headers.
pub(crate) fn warn(mut response: Response<Body>, warnings: &[String]) -> Response<Body> {
    for warning in warnings {
        let quoted = warning.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{quoted}\"")) {
            response.headers_mut().append(header::WARNING, value);
        }
    }
    response
}
