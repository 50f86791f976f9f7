//! Any texts are kustomizations or are told what is wrong, never a panic; what is built can be read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mainstay_kustomize::{build, expand, roots};
use mainstay_source::Source;

fuzz_target!(|texts: (&str, &str, &str)| {
    let (root, file, base) = texts;
    let source =
        Source::from_texts([("kustomization.yaml", root), ("a.yaml", file), ("b/kustomization.yaml", base)]);
    for folder in roots(&source) {
        if let Ok(built) = build(&source, &folder) {
            assert!(Source::from_text("again.yaml", built.to_yaml()).is_sound());
        }
    }
    for document in &expand(source).documents {
        let _value = document.value();
    }
});
