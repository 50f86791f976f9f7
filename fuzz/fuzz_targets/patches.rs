//! Any patch of any kind on any object is an object or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mainstay_resource::gvk::GroupVersionKind;
use mainstay_resource::patch;
use mainstay_resource::schema::Schema;
use serde_json::Value;

fuzz_target!(|text: &str| {
    let Some((object, change)) = text.split_once('\0') else { return };
    let (Ok(object), Ok(change)) = (serde_json::from_str::<Value>(object), serde_json::from_str::<Value>(change)) else {
        return;
    };
    let _json = patch::json(&object, &change);
    let _merged = patch::merge(object.clone(), &change);
    let deployment = GroupVersionKind::new("apps", "v1", "Deployment");
    if let Some(schema) = Schema::for_kind(&deployment) {
        let _strategic = patch::strategic(&object, &change, schema);
    }
});
