//! The network: streams between places, the same in both worlds.
//!
//! A *place* is where code runs: a component of a region, a pod, a node, or the outside. Places
//! listen in process under an address; whatever is not listening in process is TCP in the real
//! world and unreachable in the virtual one. Between two places lies a *link* whose latency, loss,
//! bandwidth and partition a drill can set; the seed draws the rest.
//!
//! **Invariants:** nobody else opens a socket. Outbound is closed by default: an address that is
//! neither in process nor loopback is refused and recorded until it is allowed.
//!
//! **Not here:** TLS (the caller wraps a [`Stream`]), packet-level policy (`node/network`).

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use crate::random::Seed;

mod datagram;
mod doors;
mod http;
mod link;
mod listener;
mod outside;
mod pipe;
mod place;
mod routes;
mod stream;

pub use datagram::Datagrams;
pub use doors::{Arrivals, Doors};
pub use http::{Http, HttpBody, HttpError, answer};
pub use link::{Ends, Link};
pub use listener::Listener;
pub use pipe::Pipe;
pub use place::{Addr, AddrError, Place};
pub use stream::Stream;

use link::Links;
use outside::Outside;
use routes::{Arrival, Route, Routes};

/// The network of one World; clones share it.
#[derive(Clone, Debug)]
pub struct Net(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    links: Arc<Links>,
    routes: Routes,
    outside: Outside,
}

impl Net {
    /// The machine's network behind the in-process one.
    pub fn real() -> Self {
        Self::with(Seed(0), true)
    }

    /// A network that exists in this process only; `seed` draws jitter and loss.
    pub fn in_memory(seed: Seed) -> Self {
        Self::with(seed, false)
    }

    fn with(seed: Seed, has_outside: bool) -> Self {
        let links = Arc::new(Links::new(seed));
        Self(Arc::new(Inner { links, routes: Routes::default(), outside: Outside::new(has_outside) }))
    }

    /// Listens in process at `addr` in the routing table of `at`'s region; the table of the empty
    /// region is seen from every region.
    pub fn listen(&self, at: &Place, addr: &Addr) -> io::Result<Listener> {
        Listener::in_process(self, at, addr)
    }

    /// Listens in process at any number of places, opened and closed one by one; none at first.
    pub fn doors(&self) -> (Doors, Arrivals) {
        doors::doors(self)
    }

    /// Listens on a TCP socket of the machine; an error in a virtual World.
    pub async fn bind(&self, socket: SocketAddr) -> io::Result<Listener> {
        self.0.outside.bind(socket).await
    }

    /// Listens on a Unix socket that only its owner may use; a socket left over there is replaced.
    pub async fn bind_unix(&self, path: &Path) -> io::Result<Listener> {
        self.0.outside.bind_unix(path).await
    }

    /// Connects to a Unix socket.
    pub async fn connect_unix(&self, path: &Path) -> io::Result<Stream> {
        self.0.outside.connect_unix(path).await
    }

    /// Connects `from` to what listens at `to`: in process first, then over TCP.
    pub async fn connect(&self, from: &Place, to: &Addr) -> io::Result<Stream> {
        let door = match self.0.routes.door(from.region(), to) {
            Route::To(door) => door,
            Route::Nowhere => return refused_by(to),
            Route::Out => return self.0.outside.connect(from, to).await,
        };
        self.cross(from, &door.at).await?;
        self.cross(&door.at, from).await?;
        let (near, far) = pipe::pipe(&self.0.links, from, &door.at);
        let arrival = Arrival { stream: Stream::Pipe(far), from: from.clone(), at: door.at };
        match door.backlog.send(arrival).await {
            Ok(()) => Ok(Stream::Pipe(near)),
            Err(_) => refused_by(to),
        }
    }

    /// Sends and receives datagrams in process at `addr`.
    pub fn datagrams(&self, at: &Place, addr: &Addr) -> io::Result<Datagrams> {
        Datagrams::in_process(self, at, addr)
    }

    /// Sends and receives datagrams on a UDP socket of the machine; an error in a virtual World.
    pub async fn bind_datagrams(&self, socket: SocketAddr) -> io::Result<Datagrams> {
        self.0.outside.bind_datagrams(socket).await
    }

    /// An HTTP/1.1 client of `from`, one connection per request.
    pub fn http(&self, from: Place) -> Http {
        Http::new(self.clone(), from)
    }

    /// Says where a name of `region` leads; `None` when nothing behind it is ready. A name
    /// published as `<svc>.<ns>.svc` is also found as `<svc>.<ns>` and with `.cluster.local`.
    pub fn publish(&self, region: &str, host: &str, port: u16, target: Option<Addr>) {
        self.0.routes.publish(region, &Addr::new(host, port), target);
    }

    /// Takes a published name back.
    pub fn withdraw(&self, region: &str, host: &str, port: u16) {
        self.0.routes.withdraw(region, &Addr::new(host, port));
    }

    /// Sets what lies between two ends, in this direction; of several that fit two places the one
    /// with the narrowest ends counts. It holds for open connections too.
    pub fn set_link(&self, from: &Ends, to: &Ends, link: Link) {
        self.0.links.set(from, to, link);
    }

    /// Waits as long as a request that stays in this process would travel from `from` to `to`;
    /// free when no link is set, an error when a partition outlasts [`crate::limits::CONNECT`].
    pub async fn cross(&self, from: &Place, to: &Place) -> io::Result<()> {
        self.0.links.cross(from, to).await
    }

    /// Whether a partition lies between two places, in either direction.
    pub fn is_cut(&self, one: &Place, other: &Place) -> bool {
        self.0.links.is_cut(one, other) || self.0.links.is_cut(other, one)
    }

    /// Lets connections to these hosts leave the machine, and to no other.
    pub fn set_egress<'a>(&self, hosts: impl IntoIterator<Item = &'a str>) {
        self.0.outside.allow_only(hosts);
    }

    /// Who was refused to leave the machine, and where to; each pair once, sorted.
    pub fn refused(&self) -> Vec<(Place, Addr)> {
        self.0.outside.refused()
    }

    fn links(&self) -> &Links {
        &self.0.links
    }

    fn routes(&self) -> &Routes {
        &self.0.routes
    }

    fn outside(&self) -> &Outside {
        &self.0.outside
    }
}

fn refused_by<T>(to: &Addr) -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::ConnectionRefused, format!("nothing listens at {to}")))
}

#[cfg(test)]
mod tests;
