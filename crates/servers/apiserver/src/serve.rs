//! The API over TLS: HTTP/2 and HTTP/1.1 on one listener.
//!
//! Who a client is, is found once per connection from its certificate and otherwise per request from
//! its bearer token; from there on its requests are like those of this process.
//!
//! **Not here:** certificates (`pki`), which address is listened on (`platform`).

use std::convert::Infallible;
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use mainstay_base::limits;
use mainstay_base::net::{Listener, Stream};
use mainstay_base::task::{Kind, Outcome, Shutdown, Tree};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::authentication::Peer;
use crate::body::Body;
use crate::respond;
use crate::server::ApiServer;
use crate::status::Status;

/// What the connections of one listener share.
#[derive(Clone)]
struct Front {
    server: ApiServer,
    acceptor: TlsAcceptor,
    requests: Arc<Semaphore>,
    shutdown: Shutdown,
}

impl ApiServer {
    /// Serves a listener as tasks of `tree`, until the tree shuts down; then watches end, requests
    /// are finished, and what is left after [`limits::DRAIN`] is dropped.
    pub fn serve(&self, listener: Listener, tls: rustls::ServerConfig, tree: &Tree) {
        let front = Front {
            server: self.clone(),
            acceptor: TlsAcceptor::from(Arc::new(tls)),
            requests: Arc::new(Semaphore::new(limits::API_REQUESTS)),
            shutdown: tree.shutdown().clone(),
        };
        tree.spawn(Kind::Listener, "api", accept(front, listener));
    }
}

/// Accepts connections; they are tasks of a tree of its own, which ends with it.
async fn accept(front: Front, mut listener: Listener) -> Outcome {
    let connections = Tree::new(front.shutdown.child());
    let room = Arc::new(Semaphore::new(limits::API_CONNECTIONS));
    loop {
        let permit = Arc::clone(&room).acquire_owned().await?;
        let (stream, from) = tokio::select! {
            biased;
            () = front.shutdown.begun() => break,
            accepted = listener.accept() => accepted?,
        };
        connections.spawn(
            Kind::Connection,
            format!("api from {from}"),
            connection(front.clone(), stream, permit),
        );
    }
    drop(listener);
    front.server.shut_down();
    connections.drain(limits::DRAIN).await;
    Ok(())
}

/// Serves one connection. How it ends is the client's affair, so its errors are only traced.
async fn connection(front: Front, stream: Stream, _permit: OwnedSemaphorePermit) -> Outcome {
    let handshake = tokio::time::timeout(limits::TLS_HANDSHAKE, front.acceptor.accept(stream));
    match handshake.await {
        Ok(Ok(stream)) => exchange(&front, stream).await,
        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
        Err(_) => tracing::debug!("TLS handshake took too long"),
    }
    Ok(())
}

/// Answers the requests of a connection until either side ends it.
async fn exchange(front: &Front, stream: TlsStream<Stream>) {
    let (_, session) = stream.get_ref();
    let is_h2 = session.alpn_protocol() == Some(b"h2");
    let peer = Peer::of(session.peer_certificates().and_then(|chain| chain.first()).map(AsRef::as_ref));
    let service = service_fn(move |request| answer(front.clone(), peer.clone(), request));
    let builder = builder(is_h2);
    let serving = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(serving);
    let ended = tokio::select! {
        biased;
        ended = serving.as_mut() => ended,
        () = front.shutdown.begun() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error, "connection ended");
    }
}

fn builder(is_h2: bool) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::REQUEST_HEAD)
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits::API_STREAMS)
        .keep_alive_interval(limits::CONNECT)
        .adaptive_window(true);
    // The protocol is agreed on by TLS, so nothing is guessed from the first bytes.
    if is_h2 { builder.http2_only() } else { builder.http1_only() }
}

async fn answer(
    front: Front,
    peer: Peer,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let server = &front.server;
    if request.headers().keys().any(|name| name.as_str().starts_with("impersonate-")) {
        // Answered as somebody else than asked would be worse than not at all.
        return Ok(respond::failure(&Status::not_served("impersonation")));
    }
    if let Some(identity) = peer.identity(request.headers(), server.tokens(), server.world().now()) {
        request.extensions_mut().insert(identity);
    }
    let Ok(_permit) = front.requests.acquire().await else {
        return Ok(respond::failure(&Status::shutting_down()));
    };
    let answered = tokio::time::timeout(limits::REQUEST, server.answer(request)).await;
    Ok(answered.unwrap_or_else(|_| respond::failure(&Status::timeout())))
}
