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

use crate::random::Seed;

mod http;
mod link;
mod listener;
mod place;
mod stream;

pub use http::{Http, HttpBody, HttpError};
pub use link::{Ends, Link};
pub use listener::Listener;
pub use place::{Addr, AddrError, Place};
pub use stream::Stream;

/// The network of one World; clones share it.
#[derive(Clone, Debug)]
pub struct Net {}

fn missing() -> io::Error {
    io::Error::from(io::ErrorKind::Unsupported)
}

#[allow(clippy::unused_self, clippy::unused_async, reason = "the room is being filled")]
impl Net {
    /// The machine's network behind the in-process one.
    pub fn real() -> Self {
        Self {}
    }

    /// A network that exists in this process only; `seed` draws jitter and loss.
    pub fn in_memory(_seed: Seed) -> Self {
        Self {}
    }

    /// Listens in process at `addr` in the routing table of `at`'s region.
    pub fn listen(&self, _at: &Place, _addr: &Addr) -> io::Result<Listener> {
        Err(missing())
    }

    /// Listens on a TCP socket of the machine.
    pub async fn bind(&self, _socket: SocketAddr) -> io::Result<Listener> {
        Err(missing())
    }

    /// Listens on a Unix socket that only its owner may use; a file left over there is replaced.
    pub async fn bind_unix(&self, _path: &Path) -> io::Result<Listener> {
        Err(missing())
    }

    /// Connects to a Unix socket.
    pub async fn connect_unix(&self, _path: &Path) -> io::Result<Stream> {
        Err(missing())
    }

    /// Connects `from` to what listens at `to`.
    pub async fn connect(&self, _from: &Place, _to: &Addr) -> io::Result<Stream> {
        Err(missing())
    }

    /// An HTTP/1.1 client of `from`, one connection per request.
    pub fn http(&self, from: Place) -> Http {
        Http::new(self.clone(), from)
    }

    /// Says where a name of `region` leads; `None` when nothing behind it is ready.
    pub fn publish(&self, _region: &str, _host: &str, _port: u16, _target: Option<Addr>) {}

    /// Sets what lies between two ends, in this direction.
    pub fn set_link(&self, _from: &Ends, _to: &Ends, _link: Link) {}

    /// Waits as long as a request that stays in this process would travel from `from` to `to`.
    pub async fn cross(&self, _from: &Place, _to: &Place) -> io::Result<()> {
        Ok(())
    }

    /// Lets connections to `host` leave the machine.
    pub fn allow_egress(&self, _host: &str) {}

    /// Who was refused to leave the machine, and where to.
    pub fn refused(&self) -> Vec<(Place, Addr)> {
        Vec::new()
    }
}
