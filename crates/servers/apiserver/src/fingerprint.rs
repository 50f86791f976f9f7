//! Fingerprints of content: what ETags and the hashes of documents are made of.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// The SHA-256 of the parts, one after the other, in hexadecimal digits.
pub(crate) fn of(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let mut text = String::with_capacity(64);
    for byte in hash.finalize() {
        write!(text, "{byte:02X}").expect("invariant: writing to a String does not fail");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_of_the_content_alone() {
        let whole = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD";
        assert_eq!(of(&[b"abc"]), whole);
        assert_eq!(of(&[b"a", b"bc"]), whole);
    }
}
