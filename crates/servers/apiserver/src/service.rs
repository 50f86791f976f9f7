//! The pipeline every request passes, and the tower service that puts requests into it.
//!
//! In-process and TLS requests differ only in how the identity was found, and in that an in-process
//! client may spare itself the managed fields of what it watches.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use mainstay_base::{BoxError, limits};
use mainstay_resource::Identity;

use crate::authentication;
use crate::authorization::{Attributes, Decision, Subject};
use crate::body::Body;
use crate::negotiate::{self, Encoding};
use crate::paths;
use crate::protobuf;
use crate::query::Query;
use crate::respond;
use crate::route::{Route, Target, Verb};
use crate::server::ApiServer;
use crate::status::Status;
use crate::table;
use crate::verbs;

mod labels;

use labels::{Kind, labels, none, scope, verb_label};

/// The API for one identity.
#[derive(Clone, Debug)]
pub struct InProcess {
    server: ApiServer,
    identity: Arc<Identity>,
    is_lean: bool,
}

/// Says that a request's client has no use for managed fields in a watch.
#[derive(Clone, Copy)]
struct Lean;

impl InProcess {
    pub(crate) fn new(server: ApiServer, identity: Identity) -> Self {
        Self { server, identity: Arc::new(identity), is_lean: false }
    }

    /// The same, but its watches leave managed fields out: a third of most objects, and no controller
    /// reads them.
    #[must_use]
    pub fn without_managed_fields(self) -> Self {
        Self { is_lean: true, ..self }
    }
}

impl<B> tower::Service<Request<B>> for InProcess
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        request.extensions_mut().insert(Arc::clone(&self.identity));
        if self.is_lean {
            request.extensions_mut().insert(Lean);
        }
        let server = self.server.clone();
        Box::pin(async move { Ok(server.answer(request).await) })
    }
}

impl ApiServer {
    /// Answers a request whose identity, if it has one, is among its extensions.
    pub(crate) async fn answer<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        let started = self.world().clock().instant();
        let _ongoing = self.meter().request(!matches!(*request.method(), Method::GET | Method::HEAD));
        let (parts, body) = request.into_parts();
        let mut kind = None;
        let result = match self.admit(&parts) {
            Err(status) => Err(status),
            Ok(identity) => match read(&parts.method, body).await {
                Err(status) => Err(status),
                Ok(body) => self.dispatch(&identity, &parts, body, &mut kind).await,
            },
        };
        let mut response = result.unwrap_or_else(|status| respond::failure(&status));
        match negotiate::encoding(&parts.headers) {
            Encoding::Json => {}
            Encoding::Yaml => response = respond::in_yaml(response).await,
            Encoding::Protobuf => response = protobuf::answer(response).await,
        }
        let labels = labels(kind, &parts.method, response.status().as_u16());
        self.meter().record(labels, started.elapsed());
        response
    }

    /// Lets a request in: the server runs, and the client is somebody.
    fn admit(&self, parts: &Parts) -> Result<Arc<Identity>, Status> {
        if let Some(identity) = parts.extensions.get::<Arc<Identity>>() {
            return if self.shutdown().has_begun() {
                Err(Status::shutting_down())
            } else {
                Ok(Arc::clone(identity))
            };
        }
        if authentication::is_open(parts.uri.path()) {
            return Ok(Arc::new(Identity::anonymous()));
        }
        Err(Status::unauthorized())
    }

    /// Routes, authorizes and serves a request.
    async fn dispatch(
        &self,
        identity: &Identity,
        parts: &Parts,
        body: Bytes,
        kind: &mut Option<Kind>,
    ) -> Result<Response<Body>, Status> {
        match Route::parse(parts.uri.path()).ok_or_else(Status::no_such_path)? {
            Route::Path(path) => {
                self.authorize_path(identity, parts, path)?;
                paths::serve(self, parts)
            }
            Route::Resource(target) => self.serve_resource(identity, parts, body, target, kind).await,
        }
    }

    async fn serve_resource(
        &self,
        identity: &Identity,
        parts: &Parts,
        body: Bytes,
        target: Target<'_>,
        kind: &mut Option<Kind>,
    ) -> Result<Response<Body>, Status> {
        let query = Query::parse(parts.uri.query());
        let is_watch = query.flag("watch") && target.subresource.is_none();
        let verb = Verb::of(&parts.method, target.name.is_some(), is_watch)
            .ok_or_else(Status::method_not_allowed)?;
        self.authorize(identity, verb, &target)?;
        let snapshot = self.registry().snapshot();
        let info = snapshot
            .find(&target.group, &target.version, &target.resource)
            .filter(|info| info.namespaced || target.namespace.is_none())
            .ok_or_else(Status::no_such_path)?;
        let subresource = match target.subresource.as_deref() {
            None => None,
            Some(name) => Some(info.subresource(name).ok_or_else(Status::no_such_path)?),
        };
        *kind = Some(Kind {
            verb: verb_label(verb, &parts.headers),
            group: Arc::clone(&info.group),
            version: Arc::clone(&info.version),
            resource: Arc::clone(&info.resource),
            subresource: subresource.map_or_else(none, |sub| Arc::clone(&sub.name)),
            scope: scope(&target),
        });
        let allowed = subresource.map_or(info.verbs, |sub| sub.verbs);
        if !allowed.contains(&verb.as_str()) {
            return Err(Status::method_not_allowed());
        }
        let include = table::Include::parse(query.get("includeObject"))
            .ok_or_else(|| Status::bad_request("unrecognized includeObject value"))?;
        let (view, encoding) = negotiate::form(&parts.headers, info.is_untyped())?;
        let request = verbs::Request {
            server: self,
            verb,
            identity,
            info,
            subresource,
            view,
            encoding,
            wants_lean: parts.extensions.get::<Lean>().is_some(),
            table: table::Options { include, now: self.world().now() },
            headers: &parts.headers,
            target,
            query,
            body,
        };
        verbs::serve(verb, &request).await
    }

    fn authorize(&self, identity: &Identity, verb: Verb, target: &Target<'_>) -> Result<(), Status> {
        let subject = Subject::Resource {
            group: &target.group,
            resource: &target.resource,
            subresource: target.subresource.as_deref().unwrap_or_default(),
            namespace: target.namespace.as_deref().unwrap_or_default(),
            name: target.name.as_deref().unwrap_or_default(),
        };
        match self.authorizer().authorize(identity, &Attributes { verb: verb.as_str(), subject }) {
            Decision::Allowed => Ok(()),
            Decision::Denied(message) => Err(denied(target, message)),
        }
    }

    fn authorize_path(&self, identity: &Identity, parts: &Parts, path: &str) -> Result<(), Status> {
        if authentication::is_open(path) {
            return Ok(());
        }
        let verb = parts.method.as_str().to_ascii_lowercase();
        match self.authorizer().authorize(identity, &Attributes { verb: &verb, subject: Subject::Path(path) })
        {
            Decision::Allowed => Ok(()),
            Decision::Denied(message) => Err(Status::new(403, "Forbidden", message)),
        }
    }
}

fn denied(target: &Target<'_>, message: String) -> Status {
    let mut status = Status::new(403, "Forbidden", message);
    let details = status.details.get_or_insert_default();
    details.kind = target.resource.to_string();
    details.group = target.group.to_string();
    details.name = target.name.as_deref().map(str::to_owned).unwrap_or_default();
    status
}

/// Reads a body, where the method has one, up to the limit.
async fn read<B>(method: &Method, body: B) -> Result<Bytes, Status>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    if matches!(*method, Method::GET | Method::HEAD) || body.is_end_stream() {
        return Ok(Bytes::new());
    }
    match Limited::new(body, limits::REQUEST_BODY_BYTES).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Status::too_large(limits::REQUEST_BODY_BYTES)),
        Err(error) => Err(Status::bad_request(format!("the body could not be read: {error}"))),
    }
}
