//! Any text is a Source with diagnostics, never a panic, and every diagnostic can be shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mainstay_base::diagnostic::{Style, render};
use mainstay_source::Source;

fuzz_target!(|text: &str| {
    for name in ["fuzz.yaml", "fuzz.md", "fuzz.json"] {
        let source = Source::from_text(name, text);
        for document in &source.documents {
            let _value = document.value();
            let _location = document.location("/metadata/name");
            let _inside = document.nested();
        }
        for diagnostic in &source.diagnostics {
            assert!(render(diagnostic, Style::PLAIN).contains(diagnostic.code));
        }
    }
});
