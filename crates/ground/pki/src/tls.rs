//! TLS on top of an authority's certificates.

use std::sync::Arc;
use std::time::Duration;

use mainstay_base::Clock;
use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::UnixTime;

use crate::{Authority, Issued, PkiError};

/// Tells TLS the World's time.
#[derive(Debug)]
struct WorldTime(Clock);

impl TimeProvider for WorldTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().as_second()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

impl Authority {
    /// How a server with `certificate` talks TLS. A client may show a certificate: one of this
    /// authority is its proof of identity, any other ends the handshake, none is left to the caller.
    pub fn server_config(&self, certificate: &Issued) -> Result<ServerConfig, PkiError> {
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(self.roots()?), provider())
            .allow_unauthenticated()
            .build()?;
        let mut config = ServerConfig::builder_with_details(provider(), self.time())
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate.certificate.clone()], certificate.key())?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    /// How a client that trusts this authority alone talks TLS, showing `identity` when it has one.
    pub fn client_config(&self, identity: Option<&Issued>) -> Result<ClientConfig, PkiError> {
        let builder = ClientConfig::builder_with_details(provider(), self.time())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(self.roots()?);
        Ok(match identity {
            Some(identity) => {
                builder.with_client_auth_cert(vec![identity.certificate.clone()], identity.key())?
            }
            None => builder.with_no_client_auth(),
        })
    }

    fn roots(&self) -> Result<RootCertStore, PkiError> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate().clone())?;
        Ok(roots)
    }

    fn time(&self) -> Arc<dyn TimeProvider> {
        Arc::new(WorldTime(self.world().clock().clone()))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
