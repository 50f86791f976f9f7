//! Any text is a selector or an error, and a selector prints as one that means the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mainstay_resource::{FieldSelector, LabelSelector, Quantity};

fuzz_target!(|text: &str| {
    if let Ok(selector) = LabelSelector::parse(text) {
        let printed = selector.to_string();
        let again = LabelSelector::parse(&printed).expect("what is printed can be read");
        assert_eq!(again.to_string(), printed);
    }
    if let Ok(selector) = FieldSelector::parse(text) {
        let again = FieldSelector::parse(&selector.to_string()).expect("what is printed can be read");
        assert_eq!(again.requirements().len(), selector.requirements().len());
    }
    if let Ok(quantity) = Quantity::parse(text) {
        let again = Quantity::parse(&quantity.to_string()).expect("what is printed can be read");
        assert_eq!(again, quantity);
    }
});
