//! Pod templates: whether two are the same, and the hash that tells their sets apart.
//!
//! **Spec:** upstream hashes Go's print of the template; here it is its JSON, so the values differ
//! from upstream's, while one template always has one hash.

use k8s_openapi::api::core::v1::PodTemplateSpec;

/// The label that tells the pods of one template from those of another.
pub const HASH_LABEL: &str = "pod-template-hash";

/// Whether two templates make the same pods; the hash label does not count.
pub(crate) fn is_same(a: &PodTemplateSpec, b: &PodTemplateSpec) -> bool {
    let meta = |template: &PodTemplateSpec| {
        let mut meta = template.metadata.clone().unwrap_or_default();
        if let Some(labels) = meta.labels.as_mut() {
            labels.remove(HASH_LABEL);
        }
        meta.labels = meta.labels.filter(|labels| !labels.is_empty());
        meta.annotations = meta.annotations.filter(|annotations| !annotations.is_empty());
        meta
    };
    a.spec == b.spec && meta(a) == meta(b)
}

/// The hash of a template; `collisions` makes another one where the first was taken.
pub(crate) fn hash(template: &PodTemplateSpec, collisions: Option<i32>) -> String {
    let mut bytes = serde_json::to_vec(template).unwrap_or_default();
    if let Some(collisions) = collisions {
        bytes.extend_from_slice(&i64::from(collisions).to_le_bytes());
    }
    let hash =
        bytes.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    safe(&hash.to_string())
}

/// Digits as characters that make no words, as upstream writes them.
pub(crate) fn safe(digits: &str) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    digits.bytes().map(|digit| char::from(ALPHABET[usize::from(digit) % ALPHABET.len()])).collect()
}
