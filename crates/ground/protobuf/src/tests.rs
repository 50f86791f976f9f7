//! Both directions against each other and against the published schemas.

use mainstay_base::limits;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::arbitrary::{self, Draws};
use crate::error::Fault;
use crate::table::{self, Message};
use crate::{List, ProtobufError, decode, encode, frame, wire};

mod schemas;
mod vectors;

/// The body of an object that says its own kind.
fn body(object: &Value) -> Vec<u8> {
    let text = |field: &str| object[field].as_str().unwrap().to_owned();
    encode(&text("apiVersion"), &text("kind"), object.to_string().as_bytes()).unwrap()
}

/// A body of these bytes, which are a message of this kind.
fn enveloped(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    crate::envelope::begin(&mut out, api_version, kind);
    wire::put_bytes(&mut out, 2, raw);
    out
}

fn field(number: u32, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    wire::put_bytes(&mut out, number, bytes);
    out
}

#[test]
fn an_object_with_every_field_comes_back_whatever_its_kind() {
    for (api_version, kind, message) in table::kinds() {
        let object = arbitrary::whole(api_version, kind, message, &mut Draws::all());
        assert_eq!(decode(&body(&object)), Ok(object), "{kind}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn a_random_object_of_any_kind_comes_back(
        kind in any::<prop::sample::Index>(),
        bytes in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let kinds: Vec<_> = table::kinds().collect();
        let (api_version, kind, message) = *kind.get(&kinds);
        let object = arbitrary::whole(api_version, kind, message, &mut Draws::random(&bytes));
        prop_assert_eq!(decode(&body(&object)), Ok(object));
    }

    #[test]
    fn no_bytes_make_it_panic(
        kind in any::<prop::sample::Index>(),
        bytes in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let kinds: Vec<_> = table::kinds().collect();
        let (_, kind, _) = *kind.get(&kinds);
        let _refused = decode(&bytes);
        let _refused = decode(&enveloped("v1", kind, &bytes));
        let _refused = decode(&[b"k8s\0", &*bytes].concat());
    }

    #[test]
    fn a_body_with_wrong_bytes_is_refused_or_is_an_object_that_comes_back(
        kind in any::<prop::sample::Index>(),
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        wrong in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let kinds: Vec<_> = table::kinds().collect();
        let (api_version, kind, message) = *kind.get(&kinds);
        let mut sent = body(&arbitrary::whole(api_version, kind, message, &mut Draws::random(&bytes)));
        for (at, byte) in wrong {
            let at = at.index(sent.len());
            sent[at] = byte;
        }
        if let Ok(object) = decode(&sent) {
            prop_assert_eq!(decode(&body(&object)).map(|object| body(&object)), Ok(body(&object)));
        }
    }
}

#[test]
fn fields_may_come_in_any_order_in_pieces_and_with_unknown_ones_between() {
    let container = |name: &str| field(2, &field(1, name.as_bytes()));
    let spec = |parts: &[Vec<u8>]| field(2, &parts.concat());
    let raw = [
        spec(&[container("a"), field(3, b"Always"), field(999, b"?"), container("b")]),
        field(1, &field(1, b"first")),
        spec(&[container("c"), field(3, b"Never")]),
        field(1, &field(1, b"last")),
    ];
    let pod = decode(&enveloped("v1", "Pod", &raw.concat())).unwrap();
    let names: Vec<&Value> =
        pod["spec"]["containers"].as_array().unwrap().iter().map(|c| &c["name"]).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(pod["spec"]["restartPolicy"], "Never");
    assert_eq!(pod["metadata"], json!({"name": "last", "creationTimestamp": null}));
}

#[test]
fn numbers_of_a_list_may_be_packed() {
    let context = [field(4, &[1, 2]), vec![4 << 3, 0xac, 0x02]].concat();
    let raw = field(2, &field(14, &context));
    let pod = decode(&enveloped("v1", "Pod", &raw)).unwrap();
    assert_eq!(pod["spec"]["securityContext"]["supplementalGroups"], json!([1, 2, 300]));
}

#[test]
fn what_upstream_always_encodes_is_there_and_what_it_leaves_out_is_not() {
    let raw = [field(1, &field(1, b"")), field(2, &[8, 0])].concat();
    let expected = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"creationTimestamp": null},
        "spec": {
            "replicas": 0, "strategy": {},
            "template": {"metadata": {"creationTimestamp": null}, "spec": {"containers": null}},
        },
        "status": {},
    });
    assert_eq!(decode(&enveloped("apps/v1", "Deployment", &raw)), Ok(expected));
}

#[test]
fn an_error_says_in_which_message_and_field_it_is() {
    let cases = [
        (field(2, &field(3, &[0xff])), "message api.core.v1.PodSpec field 3: the text is not UTF-8"),
        (
            field(2, &[8, 1]),
            "message api.core.v1.PodSpec field 1: it has wire type 0, which its type has not",
        ),
        (field(2, &field(2, &[0x0a, 9])), "message api.core.v1.Container field 1: it ends early"),
        (vec![0x07], "message api.core.v1.Pod field 0: a field's number is 0 or too large"),
        (
            field(2, &[&[25 << 3 & 0x7f | 0x80][..], &[1], &[0x80, 0x80, 0x80, 0x80, 0x20]].concat()),
            "message api.core.v1.PodSpec field 25: the number is out of range",
        ),
        (
            field(1, &field(17, &field(7, &field(1, b"{")))),
            "message apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry field 7: the embedded value is not JSON: EOF while parsing an object at line 1 column 1",
        ),
    ];
    for (raw, expected) in cases {
        assert_eq!(decode(&enveloped("v1", "Pod", &raw)).unwrap_err().to_string(), expected);
    }
    assert_eq!(decode(b"{}"), Err(ProtobufError::NoEnvelope));
    assert_eq!(
        decode(&enveloped("v1", "Widget", &[])).unwrap_err().to_string(),
        "no kind \"Widget\" is registered for version \"v1\" in protobuf"
    );
}

#[test]
fn an_object_that_does_not_fit_its_kind_is_not_encoded_and_the_error_says_where() {
    for (object, expected) in [
        (
            json!({"spec": {"priority": 3_000_000_000_u64}}),
            "message api.core.v1.PodSpec field 25: 3000000000 is not an integer of 32 bits",
        ),
        (json!({"spec": {"containers": {}}}), "message api.core.v1.PodSpec field 2: an object is not a list"),
        (
            json!({"metadata": {"creationTimestamp": "now"}}),
            "message apimachinery.pkg.apis.meta.v1.ObjectMeta field 8: \"now\" is not a time",
        ),
        (
            json!({"metadata": {"labels": {"a": 1}}}),
            "message apimachinery.pkg.apis.meta.v1.ObjectMeta field 11: 1 is not a text",
        ),
        (
            json!({"spec": {"hostNetwork": [true]}}),
            "message api.core.v1.PodSpec field 11: a list is not true or false",
        ),
        (json!({"spec": 1.5}), "message api.core.v1.Pod field 2: 1.5 is not an object"),
    ] {
        let error = encode("v1", "Pod", object.to_string().as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    let secret = json!({"data": {"a": "?"}}).to_string();
    assert!(encode("v1", "Secret", secret.as_bytes()).unwrap_err().to_string().contains("it is not base64"));
    assert!(matches!(encode("example.com/v1", "Widget", b"{}"), Err(ProtobufError::UnknownKind { .. })));
}

#[test]
fn null_is_absent_but_an_empty_value_among_others() {
    let sent = body(&json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": null,
        "spec": {"containers": [null, {"name": "a", "args": [null, "x"]}], "volumes": null, "priority": null},
    }));
    let pod = decode(&sent).unwrap();
    assert_eq!(
        pod["spec"],
        json!({"containers": [{"name": "", "resources": {}}, {"name": "a", "args": ["", "x"], "resources": {}}]})
    );
}

#[test]
fn values_are_neither_too_deep_nor_too_many() {
    let mut schema = Vec::new();
    for _ in 0..limits::OBJECT_DEPTH {
        schema = field(28, &schema);
    }
    let raw = field(2, &field(7, &field(4, &field(1, &schema))));
    let error = decode(&enveloped("apiextensions.k8s.io/v1", "CustomResourceDefinition", &raw)).unwrap_err();
    assert!(matches!(error, ProtobufError::Malformed { fault: Fault::Depth, .. }), "{error}");

    let text = "[".repeat(limits::OBJECT_DEPTH) + &"]".repeat(limits::OBJECT_DEPTH);
    let raw = field(2, &field(1, text.as_bytes()));
    let error = decode(&enveloped("apps/v1", "ControllerRevision", &raw)).unwrap_err();
    assert!(matches!(error, ProtobufError::Malformed { fault: Fault::Depth, .. }), "{error}");

    let containers = [0x12, 0x00].repeat(limits::PROTOBUF_VALUES);
    let error = decode(&enveloped("v1", "Pod", &field(2, &containers))).unwrap_err();
    assert!(matches!(error, ProtobufError::Malformed { fault: Fault::Values, .. }), "{error}");
}

#[test]
fn an_embedded_object_may_be_enveloped_itself() {
    let pod = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"creationTimestamp": null}, "data": {"a": "b"}});
    let raw = field(2, &field(1, &body(&pod)));
    let revision = decode(&enveloped("apps/v1", "ControllerRevision", &raw)).unwrap();
    assert_eq!(revision["data"], pod);
}

#[test]
fn a_list_is_put_together_from_its_objects() {
    let list = List::of("v1", "PodList").unwrap();
    let mut items = Vec::new();
    for name in ["a", "b"] {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}}).to_string();
        list.item(pod.as_bytes(), &mut items).unwrap();
    }
    let metadata = br#"{"resourceVersion":"7","remainingItemCount":3}"#;
    let head = list.head(metadata, items.len()).unwrap();
    let read = decode(&[head, items].concat()).unwrap();
    assert_eq!(read["metadata"], json!({"resourceVersion": "7", "remainingItemCount": 3}));
    assert_eq!(read["items"][1]["metadata"]["name"], "b");
    assert!(List::of("v1", "Pod").is_none());
    for (api_version, kind, message) in table::kinds().filter(|(_, kind, _)| kind.ends_with("List")) {
        let numbers: Vec<_> = message.fields.iter().map(|field| (field.name, field.number)).collect();
        assert_eq!(numbers, [("items", 2), ("metadata", 1)], "{kind}");
        assert!(kind == "List" || List::of(api_version, kind).is_some(), "{kind}");
    }
}

#[test]
fn a_frame_is_its_length_the_event_and_the_enveloped_object() {
    let mut out = b"before".to_vec();
    let object = vec![7; 200];
    frame(&mut out, "ADDED", &object);
    let mut expected = b"before\0\0\0\xd5\x0a\x05ADDED\x12\xcb\x01\x0a\xc8\x01".to_vec();
    expected.extend_from_slice(&object);
    assert_eq!(out, expected);
}

#[test]
fn no_message_is_deeper_in_others_without_a_name_than_can_be_written() {
    let deepest = table::messages().iter().flat_map(|message: &Message| &message.fields);
    assert_eq!(deepest.map(|field| field.inside.len()).max(), Some(2));
}
