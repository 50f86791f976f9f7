//! HTTP/1.1 over the network seam: a client, and the answering end of one connection.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use ::http::{Request, Response, Uri, request};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Frame, Incoming};
use hyper_util::rt::TokioIo;

use super::{Addr, Net, Place, Stream};

/// Why a request got no response.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The URI names no host, or a scheme other than `http`.
    #[error("'{0}' is not an http:// address")]
    Uri(Uri),
    /// Nobody could be reached; worth another try.
    #[error("no connection to {to}")]
    Connect {
        /// The address that was tried.
        to: Addr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The other end broke HTTP or the connection.
    #[error("the exchange with the server broke off")]
    Exchange(#[from] hyper::Error),
}

/// Sends requests from one place; each has a connection of its own, closed with its response.
#[derive(Clone, Debug)]
pub struct Http {
    net: Net,
    from: Place,
}

impl Http {
    pub(super) fn new(net: Net, from: Place) -> Self {
        Self { net, from }
    }

    /// Sends one request and returns its response as soon as its head is there.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<HttpBody>, HttpError> {
        let to = address_of(request.uri())?;
        let stream = self
            .net
            .connect(&self.from, &to)
            .await
            .map_err(|source| HttpError::Connect { to: to.clone(), source })?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let mut connection: Option<Connection> = Some(Box::pin(connection));
        let response = sender.send_request(in_origin_form(request, &to));
        tokio::pin!(response);
        let response = std::future::poll_fn(|context| {
            drive(&mut connection, context);
            response.as_mut().poll(context)
        })
        .await?;
        Ok(response.map(|incoming| HttpBody { incoming, connection }))
    }
}

/// Answers the requests of one connection until its other end closes it; bodies are not read.
///
/// # Errors
/// When the other end broke HTTP or the connection.
pub async fn answer(
    stream: Stream,
    respond: impl Fn(&request::Parts) -> Response<String>,
) -> Result<(), HttpError> {
    let service = hyper::service::service_fn(|request: Request<Incoming>| {
        let (parts, _body) = request.into_parts();
        let response = respond(&parts).map(|body| Full::new(Bytes::from(body)));
        std::future::ready(Ok::<_, std::convert::Infallible>(response))
    });
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    Ok(connection.await?)
}

type Connection = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// Lets the connection do its work; its end is seen by who waits for the response or its body.
fn drive(connection: &mut Option<Connection>, context: &mut Context<'_>) {
    if connection.as_mut().is_some_and(|connection| connection.as_mut().poll(context).is_ready()) {
        *connection = None;
    }
}

fn address_of(uri: &Uri) -> Result<Addr, HttpError> {
    match (uri.scheme_str(), uri.host()) {
        (Some("http"), Some(host)) => {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            Ok(Addr::new(host, uri.port_u16().unwrap_or(80)))
        }
        _ => Err(HttpError::Uri(uri.clone())),
    }
}

/// The request as a server expects it: path only, with a Host header.
fn in_origin_form(mut request: Request<Full<Bytes>>, to: &Addr) -> Request<Full<Bytes>> {
    let authority = request.uri().authority().map_or_else(|| to.to_string(), ToString::to_string);
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    if let Ok(host) = authority.parse() {
        request.headers_mut().entry(::http::header::HOST).or_insert(host);
    }
    if let Ok(uri) = path.parse() {
        *request.uri_mut() = uri;
    }
    request
}

impl tower::Service<Request<Full<Bytes>>> for Http {
    type Response = Response<HttpBody>;
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        let client = self.clone();
        Box::pin(async move { client.send(request).await })
    }
}

/// A response's body; it drives its connection, so dropping it closes that.
pub struct HttpBody {
    incoming: Incoming,
    connection: Option<Connection>,
}

impl std::fmt::Debug for HttpBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpBody").field("incoming", &self.incoming).finish_non_exhaustive()
    }
}

impl http_body::Body for HttpBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let body = self.get_mut();
        drive(&mut body.connection, context);
        Pin::new(&mut body.incoming).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.incoming.size_hint()
    }
}
