//! Any patch of any kind on any object is an object or an error, and a merge patch twice is one once.
#![no_main]

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use mainstay_fuzz::{json, schema};
use mainstay_resource::patch;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let _too_few_bytes = run(&mut Unstructured::new(bytes));
});

fn run(bytes: &mut Unstructured<'_>) -> Result<()> {
    let schema = schema(bytes)?;
    let (object, change) = (json(bytes)?, json(bytes)?);
    let _refused = patch::json(&object, &change);
    let _refused = patch::json(&object, &Value::Array(vec![change.clone()]));
    let merged = patch::merge(object.clone(), &change);
    assert_eq!(patch::merge(merged.clone(), &change), merged);
    if let Ok(result) = patch::strategic(object, &change, schema) {
        assert!(result.is_object());
    }
    Ok(())
}
