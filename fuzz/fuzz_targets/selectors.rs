//! Any text is a selector or an error, and a selector prints as one that means the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mainstay_resource::selector::{FieldSelector, LabelSelector};

fuzz_target!(|text: &str| {
    if let Ok(selector) = text.parse::<LabelSelector>() {
        let _matches = selector.matches(&|key| (key.len() % 2 == 0).then_some("value"));
    }
    let _either = text.parse::<FieldSelector>();
    let _quantity = text.parse::<mainstay_resource::quantity::Quantity>();
});
