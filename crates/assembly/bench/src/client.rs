//! One client: one TLS connection with HTTP/2, as client-go holds it.

use std::sync::Arc;

use anyhow::Context as _;
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use mainstay_base::net::{Addr, Net, Place};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};

use crate::server::Access;

/// A connection that takes one request after the other.
pub(crate) struct Client {
    sender: SendRequest<Full<Bytes>>,
    authority: String,
}

impl Client {
    pub(crate) async fn connect(access: &Access) -> anyhow::Result<Self> {
        let address: Addr =
            access.address.parse().map_err(|_| anyhow::anyhow!("no address: {}", access.address))?;
        let stream = Net::real().connect(&Place::outside(), &address).await?;
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&access.authority_pem)?)?;
        let certificate = CertificateDer::from_pem_slice(&access.certificate_pem)?;
        let key = PrivateKeyDer::from_pem_slice(&access.key_pem)?;
        let mut config = rustls::ClientConfig::builder()
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![certificate], key)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        let name = ServerName::try_from("localhost").context("localhost is a name")?;
        let tls = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(tls)).await?;
        #[allow(clippy::disallowed_methods, reason = "a load generator supervises nothing")]
        tokio::spawn(connection);
        Ok(Self { sender, authority: access.address.clone() })
    }

    /// Sends one request and returns the answer with its body still to come.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: impl Into<Bytes>,
    ) -> anyhow::Result<Response<Incoming>> {
        let request = Request::builder()
            .method(method)
            .uri(format!("https://{}{path}", self.authority))
            .header("content-type", content_type)
            .header("user-agent", "bench/1")
            .body(Full::new(body.into()))?;
        Ok(self.sender.clone().send_request(request).await?)
    }

    /// Sends one request and reads the whole answer; an answer that is no success is an error.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: impl Into<Bytes>,
    ) -> anyhow::Result<Bytes> {
        let answer = self.send(method, path, content_type, body).await?;
        let status = answer.status();
        let bytes = answer.into_body().collect().await?.to_bytes();
        anyhow::ensure!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&bytes));
        Ok(bytes)
    }
}
