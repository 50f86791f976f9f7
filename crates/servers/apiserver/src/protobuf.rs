//! Answers in protobuf, made of the JSON that the server works with.
//!
//! Whole answers are turned when they are finished, whatever made them; lists and watches, which
//! are never whole, object by object. What has no message (custom objects, tables, discovery) stays
//! JSON, which every client reads that accepts it.
//!
//! **Not here:** the encoding itself (`mainstay_protobuf`).

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use http_body_util::BodyExt as _;
use mainstay_protobuf::{List, Message, ProtobufError};
use serde::Deserialize;

use crate::body::Body;
use crate::encode::{self, ListMeta};
use crate::respond;
use crate::status::Status;

const TYPE: HeaderValue = HeaderValue::from_static(mainstay_protobuf::MEDIA_TYPE);
const WATCH: HeaderValue = HeaderValue::from_static("application/vnd.kubernetes.protobuf;stream=watch");

/// What the objects of one segment of a list are filled up to.
const SEGMENT_BYTES: usize = 64 * 1024;

/// The same answer in protobuf, where its kind has a message.
pub(crate) async fn answer(response: Response<Body>) -> Response<Body> {
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if !is_json || response.body().is_endless() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(whole) = body.collect().await;
    let json = whole.to_bytes();
    let known = kind_of(&json).filter(|(api_version, kind)| Message::of(api_version, kind).is_some());
    let Some((api_version, kind)) = known else {
        return Response::from_parts(parts, Body::full(json));
    };
    match mainstay_protobuf::encode(&api_version, &kind, &json) {
        Ok(bytes) => {
            parts.headers.insert(header::CONTENT_TYPE, TYPE);
            Response::from_parts(parts, Body::full(bytes))
        }
        Err(error) => respond::failure(&unencodable(&error)),
    }
}

/// A list of this kind, of objects as JSON.
pub(crate) fn list(
    api_version: &str,
    kind: &str,
    meta: &ListMeta,
    items: impl Iterator<Item = Bytes>,
) -> Result<Response<Body>, Status> {
    let list = List::of(api_version, kind).ok_or_else(|| Status::internal(format!("no message {kind}")))?;
    let mut segments = vec![Bytes::new()];
    let (mut buffer, mut total) = (Vec::new(), 0);
    for item in items {
        list.item(&item, &mut buffer).map_err(|error| unencodable(&error))?;
        if buffer.len() >= SEGMENT_BYTES {
            total += buffer.len();
            segments.push(Bytes::from(std::mem::replace(&mut buffer, Vec::with_capacity(SEGMENT_BYTES))));
        }
    }
    total += buffer.len();
    segments.push(Bytes::from(buffer));
    let metadata = encode::json(&meta.to_value());
    segments[0] = list.head(&metadata, total).map_err(|error| unencodable(&error))?.into();
    let mut response = respond::json(http::StatusCode::OK, Body::segments(segments));
    response.headers_mut().insert(header::CONTENT_TYPE, TYPE);
    Ok(response)
}

/// Says that an endless answer consists of frames.
pub(crate) fn frames(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(header::CONTENT_TYPE, WATCH);
    response
}

/// Adds a frame of a watch. An object that cannot be encoded becomes an error, which makes the
/// client list again, and that says why.
pub(crate) fn frame(event: &str, object: &[u8], chunk: &mut Vec<u8>) {
    let (api_version, kind) = kind_of(object).unwrap_or_default();
    match mainstay_protobuf::encode(&api_version, &kind, object) {
        Ok(bytes) => mainstay_protobuf::frame(chunk, event, &bytes),
        Err(error) => {
            let status = encode::json(&unencodable(&error).to_value());
            let bytes = mainstay_protobuf::encode("v1", "Status", &status);
            mainstay_protobuf::frame(chunk, "ERROR", &bytes.expect("invariant: a Status can be encoded"));
        }
    }
}

fn unencodable(error: &ProtobufError) -> Status {
    Status::internal(format!("the object cannot be encoded in protobuf: {error}"))
}

/// What an object says it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Names<'a> {
    #[serde(borrow)]
    api_version: Cow<'a, str>,
    #[serde(borrow)]
    kind: Cow<'a, str>,
}

/// The apiVersion and the kind of an object as JSON.
fn kind_of(json: &[u8]) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    if let Some((api_version, kind)) = first_two(json) {
        return Some((Cow::Borrowed(api_version), Cow::Borrowed(kind)));
    }
    let names: Names<'_> = serde_json::from_slice(json).ok()?;
    Some((names.api_version, names.kind))
}

/// They are what stored objects begin with, so that nothing more has to be read.
fn first_two(json: &[u8]) -> Option<(&str, &str)> {
    let (api_version, rest) = text(json.strip_prefix(b"{\"apiVersion\":\"")?)?;
    let (kind, _) = text(rest.strip_prefix(b",\"kind\":\"")?)?;
    Some((api_version, kind))
}

fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    let rest = bytes[end..].strip_prefix(b"\"")?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_an_object_is_found_wherever_it_says_it() {
        for json in [
            r#"{"apiVersion":"v1","kind":"Pod","metadata":{}}"#,
            r#"{"kind":"Pod","apiVersion":"v1","metadata":{}}"#,
            r#"{"metadata":{"kind":"X"},"apiVersion":"v1","status":{},"kind":"Pod"}"#,
            r#"{"apiVersion":"v1","kind":"\u0050od"}"#,
        ] {
            assert_eq!(kind_of(json.as_bytes()), Some(("v1".into(), "Pod".into())), "{json}");
        }
        for json in [r#"{"major":"1"}"#, "[]", "", r#"{"apiVersion":"v1"}"#] {
            assert_eq!(kind_of(json.as_bytes()), None, "{json}");
        }
    }
}
