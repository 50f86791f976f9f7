//! Any document is a ClusterConfig or a Drill, or says what is wrong; what was read can be written
//! and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mainstay_kinds::cluster_config::{from_stored, to_stored};
use mainstay_kinds::{ClusterConfig, Drill};
use mainstay_source::{Document, Source};
use serde::{Serialize, de::DeserializeOwned};

fuzz_target!(|text: &str| {
    for document in &Source::from_text("fuzz.yaml", text).documents {
        let _drill: Option<Drill> = read(document);
        let _cluster: Option<ClusterConfig> = read(document);
        let _refused = from_stored(&to_stored(document.value()));
    }
});

fn read<T: DeserializeOwned + Serialize>(document: &Document) -> Option<T> {
    let read = document.read::<T>();
    assert!(read.value.is_some() || !read.diagnostics.is_empty(), "refused without a reason");
    if let (Some(value), true) = (&read.value, read.diagnostics.is_empty()) {
        let written = serde_json::to_value(value).expect("what was read can be written");
        let again: T = serde_json::from_value(written.clone()).expect("what was written can be read");
        assert_eq!(serde_json::to_value(again).expect("it can be written again"), written);
    }
    read.value
}
