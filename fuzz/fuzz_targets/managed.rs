//! Any object is applied to and updated by any other, or refused; to apply the same again changes nothing.
#![no_main]

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use mainstay_fuzz::{json, schema};
use mainstay_resource::managed::{Author, FieldSet, apply, update};

fuzz_target!(|bytes: &[u8]| {
    let _too_few_bytes = run(&mut Unstructured::new(bytes));
});

fn run(bytes: &mut Unstructured<'_>) -> Result<()> {
    let schema = schema(bytes)?;
    let author = Author {
        manager: bytes.choose(&["a", "kubectl", ""])?,
        api_version: bytes.choose(&["v1", "apps/v1"])?,
        subresource: bytes.choose(&["", "status"])?,
        now: "2026-01-01T00:00:00Z",
        ignored: &[&["status"]],
    };
    let (live, other) = (json(bytes)?, json(bytes)?);
    let mut updated = other.clone();
    update(Some(&live), &mut updated, schema, &author);
    let mut created = other.clone();
    update(None, &mut created, schema, &author);
    if let Some(set) = FieldSet::from_fields_v1(&live) {
        assert_eq!(FieldSet::from_fields_v1(&set.clone().into_fields_v1()), Some(set));
    }
    let _conflicts = apply(Some(&live), &other, schema, &author, false);
    // An object of which nobody owns anything is not tracked, as upstream.
    if let Ok(once) = apply(None, &other, schema, &author, true)
        && once.pointer("/metadata/managedFields").is_some()
    {
        assert_eq!(apply(Some(&once), &other, schema, &author, true), Ok(once));
    }
    Ok(())
}
