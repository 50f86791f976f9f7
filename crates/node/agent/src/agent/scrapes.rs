//! Scrapes: every pod's metrics are answered at its own address, by one listener for all.

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use http::{Response, StatusCode};
use mainstay_base::net::{self, Arrivals, Place, Stream};
use mainstay_base::task::Outcome;
use mainstay_control::Key;

use super::Agent;
use crate::pod;

/// Connections answered at a time; more wait.
const CONNECTIONS: usize = 256;
/// What metrics are written as.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

impl Agent {
    /// Answers who asks a pod for its metrics.
    pub(super) async fn answer(&self, mut arrivals: Arrivals) -> Outcome {
        let mut open = FuturesUnordered::new();
        loop {
            tokio::select! {
                biased;
                Some(()) = open.next(), if !open.is_empty() => {}
                arrival = arrivals.next(), if open.len() < CONNECTIONS => match arrival {
                    Some((stream, _, at)) => open.push(self.answer_one(stream, at)),
                    None => return Err("no pod can be reached any more".into()),
                },
            }
        }
    }

    async fn answer_one(&self, stream: Stream, at: Place) {
        let Some((namespace, name)) = at.name().split_once('/') else { return };
        let key = Key::new(namespace, name);
        if let Err(error) = net::answer(stream, |request| self.respond(&key, request.uri.path())).await {
            tracing::debug!(%key, %error, "a scrape broke off");
        }
    }

    fn respond(&self, key: &Key, path: &str) -> Response<String> {
        let said = |status: StatusCode, text: String| {
            let mut response = Response::new(text);
            *response.status_mut() = status;
            response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(TEXT));
            response
        };
        let Some(pod) = self.pods.get(key).filter(|pod| pod::path(pod) == path) else {
            return said(StatusCode::NOT_FOUND, "404 page not found\n".to_owned());
        };
        match self.fleet().scrape(key, &pod, self.world.now()) {
            Some(metrics) => said(StatusCode::OK, metrics),
            None => said(StatusCode::SERVICE_UNAVAILABLE, "the container does not run\n".to_owned()),
        }
    }
}
