//! Bodies that kubectl 1.33 sent, with the JSON it prints of the same objects.
//!
//! Three lines each: the command, the body of its request in hexadecimal, and what the command
//! prints with `--dry-run=client -o json`.

use serde_json::Value;

use super::body;
use crate::decode;

const CASES: &str = include_str!("kubectl-1.33.txt");

fn bytes(hexadecimal: &str) -> Vec<u8> {
    hexadecimal
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// A request says the namespace of its object, what is printed does not always.
fn without_namespace(mut object: Value) -> Value {
    if object["metadata"]["namespace"] == "default" {
        object["metadata"].as_object_mut().unwrap().remove("namespace");
    }
    object
}

#[test]
fn what_kubectl_sends_is_what_it_prints() {
    let lines: Vec<&str> = CASES.lines().collect();
    let mut count = 0;
    for case in lines.chunks(3) {
        let [command, sent, printed] = case else { panic!("not three lines: {case:?}") };
        let object = decode(&bytes(sent)).unwrap();
        let printed: Value = serde_json::from_str(printed).unwrap();
        assert_eq!(without_namespace(object.clone()), without_namespace(printed), "{command}");
        assert_eq!(decode(&body(&object)), Ok(object), "{command}");
        count += 1;
    }
    assert_eq!(count, 17);
}
