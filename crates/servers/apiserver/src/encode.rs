//! Objects as bytes: encoded once when they are written, spliced into every answer.
//!
//! **Invariant:** stored bytes are one JSON object that begins with apiVersion and kind and carries
//! its resourceVersion; what is sent of it is those bytes, unless the client asked for another
//! version or another form. A record knows where its managed fields are, so a watch can go without.

use std::ops::Range;

use bytes::Bytes;
use mainstay_store::{Draft, Record};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::registry::ResourceInfo;

/// Encodes an object for the store, leaving room for the revision it will be committed at.
pub(crate) fn draft(object: &Value) -> Draft {
    let mut bytes = Vec::with_capacity(1024);
    bytes.push(b'{');
    for key in ["apiVersion", "kind"] {
        if let Some(value) = object.get(key) {
            write_entry(&mut bytes, key, value);
        }
    }
    let (revision_at, aside) = write_metadata(&mut bytes, object.get("metadata"));
    for (key, value) in object.as_object().into_iter().flatten() {
        if !matches!(key.as_str(), "apiVersion" | "kind" | "metadata") {
            bytes.push(b',');
            write_entry(&mut bytes, key, value);
            bytes.pop();
        }
    }
    bytes.push(b'}');
    Draft { bytes, revision_at, aside }
}

/// The bytes of a draft under a revision, without committing it.
pub(crate) fn at_revision(draft: &Draft, revision: &str) -> Bytes {
    let (head, tail) = draft.bytes.split_at(draft.revision_at);
    Bytes::from([head, revision.as_bytes(), tail].concat())
}

/// Writes the metadata with an empty revision last; returns where the revision goes, and where the
/// managed fields are.
fn write_metadata(bytes: &mut Vec<u8>, metadata: Option<&Value>) -> (usize, Range<usize>) {
    let mut aside = 0..0;
    bytes.extend_from_slice(b"\"metadata\":{");
    for (key, value) in metadata.and_then(Value::as_object).into_iter().flatten() {
        if key == "resourceVersion" {
            continue;
        }
        let start = bytes.len();
        write_entry(bytes, key, value);
        if key == "managedFields" {
            aside = start..bytes.len();
        }
    }
    bytes.extend_from_slice(b"\"resourceVersion\":\"");
    let revision_at = bytes.len();
    bytes.extend_from_slice(b"\"}");
    (revision_at, aside)
}

/// Writes `"key":value,`.
fn write_entry(bytes: &mut Vec<u8>, key: &str, value: &Value) {
    write_json(bytes, key);
    bytes.push(b':');
    write_json(bytes, value);
    bytes.push(b',');
}

fn write_json<T: serde::Serialize + ?Sized>(bytes: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(bytes, value).expect("invariant: JSON values encode into memory");
}

/// Any JSON value as bytes.
pub(crate) fn json(value: &Value) -> Bytes {
    let mut bytes = Vec::with_capacity(512);
    write_json(&mut bytes, value);
    Bytes::from(bytes)
}

/// A stored object, decoded.
pub(crate) fn decode(stored: &[u8]) -> Value {
    serde_json::from_slice(stored).expect("invariant: the store holds what this server encoded")
}

/// The stored bytes before and after the managed fields.
pub(crate) fn around_managed_fields(record: &Record) -> [&[u8]; 2] {
    let [start, end] = [record.aside.start, record.aside.end].map(|at| at as usize);
    [&record.value[..start], &record.value[end..]]
}

/// A stored object in the version of `info`: the stored bytes where that is the stored version.
pub(crate) fn in_version(info: &ResourceInfo, stored: &Bytes) -> Bytes {
    if info.is_stored_version() {
        return stored.clone();
    }
    let mut object = decode(stored);
    to_served(info, &mut object);
    json(&object)
}

/// Turns a stored object into the version of `info`.
pub(crate) fn to_served(info: &ResourceInfo, object: &mut Value) {
    if info.is_stored_version() {
        return;
    }
    if let Some(conversion) = info.storage.conversion {
        (conversion.to_served)(object);
    }
    object["apiVersion"] = Value::from(info.api_version());
}

/// Turns an object of the version of `info` into the stored version.
pub(crate) fn to_stored(info: &ResourceInfo, object: &mut Value) {
    if info.is_stored_version() {
        return;
    }
    if let Some(conversion) = info.storage.conversion {
        (conversion.to_stored)(object);
    }
    object["apiVersion"] = Value::from(&*info.storage.api_version);
}

/// What a PartialObjectMetadata begins with.
const HEAD: &[u8] = b"{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":";

/// The metadata of a stored object as a PartialObjectMetadata; nothing else of it is decoded.
pub(crate) fn metadata_only(stored: &[u8]) -> Bytes {
    #[derive(Deserialize)]
    struct Part<'a> {
        #[serde(borrow)]
        metadata: &'a RawValue,
    }
    let part: Part<'_> =
        serde_json::from_slice(stored).expect("invariant: the store holds what this server encoded");
    Bytes::from([HEAD, part.metadata.get().as_bytes(), b"}"].concat())
}

/// What a list says about itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListMeta {
    /// The revision the list is true at.
    pub(crate) revision: u64,
    /// Where the next part starts.
    pub(crate) continuation: Option<String>,
    /// How many objects come after this part.
    pub(crate) remaining: Option<usize>,
}

impl ListMeta {
    /// As JSON.
    pub(crate) fn to_value(&self) -> Value {
        let mut map = Map::new();
        map.insert("resourceVersion".to_owned(), Value::from(self.revision.to_string()));
        if let Some(token) = &self.continuation {
            map.insert("continue".to_owned(), Value::from(token.as_str()));
        }
        if let Some(remaining) = self.remaining {
            map.insert("remainingItemCount".to_owned(), Value::from(remaining));
        }
        Value::Object(map)
    }
}

/// The segments of a list: its head, then each object's bytes.
pub(crate) fn list(
    kind: &str,
    api_version: &str,
    meta: &ListMeta,
    items: impl ExactSizeIterator<Item = Bytes>,
) -> Vec<Bytes> {
    let head = format!(
        "{{\"kind\":\"{kind}\",\"apiVersion\":\"{api_version}\",\"metadata\":{},\"items\":[",
        meta.to_value()
    );
    let mut segments = Vec::with_capacity(items.len() * 2 + 2);
    segments.push(Bytes::from(head));
    for (index, item) in items.enumerate() {
        if index > 0 {
            segments.push(Bytes::from_static(b","));
        }
        segments.push(item);
    }
    segments.push(Bytes::from_static(b"]}"));
    segments
}

/// The stored objects of `records` as a list in the version of `info`.
pub(crate) fn list_of<'a>(
    info: &ResourceInfo,
    meta: &ListMeta,
    records: impl ExactSizeIterator<Item = &'a Record>,
) -> Vec<Bytes> {
    list(&info.list_kind, &info.api_version(), meta, records.map(|record| in_version(info, &record.value)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_draft_has_a_place_for_its_revision_and_keeps_everything_else() {
        for object in [
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "resourceVersion": "7", "uid": "u"}, "spec": {"x": [1, null]}}),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}, "metadata": {"name": "a"}}),
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {}}),
        ] {
            let bytes = at_revision(&draft(&object), "42");
            let mut expected = object.clone();
            expected["metadata"]["resourceVersion"] = json!("42");
            assert_eq!(decode(&bytes), expected);
            assert!(bytes.starts_with(b"{\"apiVersion\":\"v1\",\"kind\":"), "{bytes:?}");
        }
    }

    #[test]
    fn a_list_is_valid_json_around_the_stored_bytes() {
        let meta = ListMeta { revision: 9, continuation: Some("abc".to_owned()), remaining: Some(3) };
        let items = vec![Bytes::from_static(b"{\"a\":1}"), Bytes::from_static(b"{\"a\":2}")];
        let text = list("PodList", "v1", &meta, items.into_iter()).concat();
        let value: Value = serde_json::from_slice(&text).expect("it is JSON");
        assert_eq!(value["items"], json!([{"a": 1}, {"a": 2}]));
        assert_eq!(
            value["metadata"],
            json!({"resourceVersion": "9", "continue": "abc", "remainingItemCount": 3})
        );
    }

    #[test]
    fn metadata_alone_leaves_the_rest_out() {
        let stored = br#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{}}"#;
        let partial = decode(&metadata_only(stored));
        assert_eq!(partial["kind"], "PartialObjectMetadata");
        assert_eq!(partial["metadata"], json!({"name": "a"}));
        assert_eq!(partial.get("spec"), None);
    }
}
