//! Container images: their full names, and what a simulated one is like.

use mainstay_base::{Random, Seed};

use crate::plate::hex;

const SMALLEST_BYTES: u64 = 8_000_000;
const LARGEST_BYTES: u64 = 220_000_000;

/// What there is to know of a simulated image; the same image is the same everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// How much is pulled.
    pub bytes: u64,
    /// Its digest, `sha256:…`.
    pub digest: String,
}

impl Image {
    /// The image of this name.
    pub fn of(name: &str) -> Self {
        let mut stream = Random::named(Seed(0), &canonical(name));
        let bytes = SMALLEST_BYTES + stream.below(LARGEST_BYTES - SMALLEST_BYTES);
        Self { bytes, digest: format!("sha256:{}", hex(&mut stream, 64)) }
    }

    /// The name and digest, as a container's status has them.
    pub fn id(&self, name: &str) -> String {
        let canonical = canonical(name);
        let untagged = match canonical.rsplit_once(':') {
            Some((untagged, tag)) if !tag.contains('/') => untagged,
            _ => &canonical,
        };
        format!("{}@{}", untagged.split('@').next().unwrap_or_default(), self.digest)
    }
}

/// An image's full name: with its registry and a tag.
pub fn canonical(name: &str) -> String {
    let first = name.split('/').next().unwrap_or_default();
    let has_registry = name.contains('/') && (first.contains(['.', ':']) || first == "localhost");
    let with_registry = match (has_registry, name.contains('/')) {
        (true, _) => name.to_owned(),
        (false, true) => format!("docker.io/{name}"),
        (false, false) => format!("docker.io/library/{name}"),
    };
    let last = with_registry.rsplit('/').next().unwrap_or_default();
    if last.contains([':', '@']) { with_registry } else { with_registry + ":latest" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_completed_as_containerd_does() {
        for (name, full) in [
            ("nginx", "docker.io/library/nginx:latest"),
            ("nginx:1.27", "docker.io/library/nginx:1.27"),
            ("bitnami/redis:7", "docker.io/bitnami/redis:7"),
            ("ghcr.io/acme/web:v1", "ghcr.io/acme/web:v1"),
            ("localhost:5000/web", "localhost:5000/web:latest"),
            ("registry.k8s.io/pause@sha256:ab", "registry.k8s.io/pause@sha256:ab"),
        ] {
            assert_eq!(canonical(name), full);
        }
        let id = Image::of("nginx:1.27").id("nginx:1.27");
        assert!(id.starts_with("docker.io/library/nginx@sha256:"), "{id}");
        assert!(
            Image::of("localhost:5000/web").id("localhost:5000/web").starts_with("localhost:5000/web@sha")
        );
    }
}
