//! Keys: the certificate authority of a region, the certificates it issues, bearer tokens.
//!
//! **Invariants:** keys and tokens come from the kernel's entropy, never from a seed: making one in
//! a virtual World panics. Private keys are written with mode 0600 and never shown by `Debug`.
//!
//! **Not here:** who may do what (`resource::access`, `apiserver`), the kubeconfig file (`mainstay`).

mod authority;
mod error;
mod files;
mod subject;
mod tls;
mod tokens;

pub use authority::{Authority, Issued, KubeconfigData};
pub use error::PkiError;
pub use subject::{Subject, subject_of};
pub use tokens::Tokens;

/// The certificate of an authority that signs nothing, for a virtual World, where no key is made: it
/// stands where a real region has its own. Its key was never kept.
pub const NOBODY: &str = include_str!("nobody.pem");

/// Fills `bytes` from the kernel.
///
/// # Panics
/// In a virtual World, whose entropy is a seed's.
fn secret_bytes(bytes: &mut [u8]) -> Result<(), PkiError> {
    require_real_entropy();
    let provider = rustls::crypto::ring::default_provider();
    provider.secure_random.fill(bytes).map_err(|_| PkiError::Entropy)
}

fn require_real_entropy() {
    assert!(!mainstay_entropy::is_seeded(), "invariant: no key is made in a virtual World");
}

#[cfg(test)]
mod tests;
