//! Bearer tokens: random, kept as hashes only.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, RwLock};

use base64::Engine as _;
use mainstay_base::disk::Disk;
use sha2::{Digest as _, Sha256};

use crate::{PkiError, Subject, files};

/// Which token speaks for whom; clones share it.
///
/// Tokens are looked up by their SHA-256: how long a comparison takes says something about a hash
/// an attacker cannot steer, and nothing about a token.
#[derive(Clone, Default)]
pub struct Tokens(Arc<RwLock<BTreeMap<[u8; 32], Subject>>>);

impl Tokens {
    /// No tokens.
    pub fn new() -> Self {
        Self::default()
    }

    /// A new token of 256 random bits for `subject`.
    ///
    /// # Panics
    /// In a virtual World.
    pub fn issue(&self, subject: Subject) -> Result<String, PkiError> {
        let mut secret = [0; 32];
        crate::secret_bytes(&mut secret)?;
        let token = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(secret);
        self.accept(&token, subject);
        Ok(token)
    }

    /// The token kept on `disk` as `path`, made there when there is none, for `subject`.
    ///
    /// # Panics
    /// In a virtual World.
    pub fn load_or_issue(&self, disk: &dyn Disk, path: &str, subject: Subject) -> Result<String, PkiError> {
        crate::require_real_entropy();
        // A line that ends was written completely.
        if let Some(line) = files::read(disk, path)?.filter(|text| text.ends_with('\n') && text.len() > 40) {
            let token = line.trim_end().to_owned();
            self.accept(&token, subject);
            return Ok(token);
        }
        let token = self.issue(subject)?;
        files::write(disk, path, &format!("{token}\n"))?;
        Ok(token)
    }

    /// Lets a token that was made elsewhere speak for `subject`.
    pub fn accept(&self, token: &str, subject: Subject) {
        self.0.write().expect("invariant: no panic under this lock").insert(hash(token), subject);
    }

    /// Whom a token speaks for.
    pub fn subject_of(&self, token: &str) -> Option<Subject> {
        self.0.read().expect("invariant: no panic under this lock").get(&hash(token)).cloned()
    }

    /// Takes a token's meaning away; says whether it had one.
    pub fn revoke(&self, token: &str) -> bool {
        self.0.write().expect("invariant: no panic under this lock").remove(&hash(token)).is_some()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
