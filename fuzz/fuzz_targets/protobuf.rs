//! Any bytes are an object or an error; an object that was decoded is encoded, and comes back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mainstay_protobuf::{Message, decode, encode};
use serde_json::Value;

/// Kinds whose parts are of every type there is.
const KINDS: [(&str, &str); 6] = [
    ("v1", "Pod"),
    ("v1", "Secret"),
    ("apps/v1", "ControllerRevision"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("authorization.k8s.io/v1", "SubjectAccessReview"),
    ("v1", "Event"),
];

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    if let Some((first, rest)) = bytes.split_first() {
        let (api_version, kind) = KINDS[usize::from(*first) % KINDS.len()];
        check(&enveloped(api_version, kind, rest));
        let _refused = encode(api_version, kind, rest);
    }
});

/// An envelope of the fuzzer's bytes, with lengths of two bytes.
fn enveloped(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
    let long = |number: u8, bytes: &[u8]| {
        [&[number << 3 | 2, (bytes.len() & 0x7f) as u8 | 0x80, (bytes.len() >> 7) as u8 & 0x7f], bytes].concat()
    };
    let names = [long(1, api_version.as_bytes()), long(2, kind.as_bytes())].concat();
    let raw = &raw[..raw.len().min(16_383)];
    [b"k8s\0".to_vec(), long(1, &names), long(2, raw)].concat()
}

fn check(body: &[u8]) {
    let Ok(object) = decode(body) else { return };
    let again = body_of(&object);
    let decoded = decode(&again).expect("what was encoded is decoded");
    assert_eq!(body_of(&decoded), again);
}

fn body_of(object: &Value) -> Vec<u8> {
    let text = |field: &str| object[field].as_str().expect("an object says its kind");
    assert!(Message::of(text("apiVersion"), text("kind")).is_some());
    encode(text("apiVersion"), text("kind"), object.to_string().as_bytes()).expect("what was decoded is encoded")
}
