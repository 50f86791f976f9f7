//! What accepts connections: in process, over TCP, over a Unix socket.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;

use super::routes::{Arrival, Door};
use super::{Addr, Net, Place, Stream};
use crate::limits;

/// Accepts connections until it is dropped.
#[derive(Debug)]
pub struct Listener(Socket);

#[derive(Debug)]
enum Socket {
    InProcess(InProcess),
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener, LeftOver),
}

/// An entry of a routing table, taken out when it is dropped.
#[derive(Debug)]
struct InProcess {
    net: Net,
    at: Place,
    addr: Addr,
    arrivals: mpsc::Receiver<Arrival>,
}

/// The file a Unix socket leaves behind.
#[derive(Debug)]
struct LeftOver(PathBuf);

impl Listener {
    pub(super) fn in_process(net: &Net, at: &Place, addr: &Addr) -> io::Result<Self> {
        let (backlog, arrivals) = mpsc::channel(limits::BACKLOG);
        if !net.routes().listen(addr, Door { at: at.clone(), backlog }) {
            let text = format!("{addr} is taken in region '{}'", at.region());
            return Err(io::Error::new(io::ErrorKind::AddrInUse, text));
        }
        let (net, at, addr) = (net.clone(), at.clone(), addr.clone());
        Ok(Self(Socket::InProcess(InProcess { net, at, addr, arrivals })))
    }

    pub(super) fn tcp(socket: tokio::net::TcpListener) -> Self {
        Self(Socket::Tcp(socket))
    }

    pub(super) fn unix(socket: tokio::net::UnixListener, path: PathBuf) -> Self {
        Self(Socket::Unix(socket, LeftOver(path)))
    }

    /// The next connection and where it comes from; dropping the future loses none.
    pub async fn accept(&mut self) -> io::Result<(Stream, Place)> {
        if let Socket::InProcess(listener) = &mut self.0 {
            let arrival = listener.arrivals.recv().await;
            return arrival.map(|one| (one.stream, one.from)).ok_or_else(|| io::ErrorKind::BrokenPipe.into());
        }
        loop {
            match self.accept_socket().await {
                Ok(stream) => return Ok((stream, Place::outside())),
                Err(error) if concerns_one_connection(&error) => {}
                Err(error) if is_out_of_descriptors(&error) => {
                    tracing::warn!(%error, "cannot accept a connection now");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn accept_socket(&self) -> io::Result<Stream> {
        match &self.0 {
            Socket::InProcess(_) => Err(io::ErrorKind::Unsupported.into()),
            Socket::Tcp(socket) => {
                let (stream, _peer) = socket.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream))
            }
            Socket::Unix(socket, _) => Ok(Stream::Unix(socket.accept().await?.0)),
        }
    }

    /// What it is reached at; a Unix socket is reached at its path and port 0.
    pub fn local_addr(&self) -> io::Result<Addr> {
        match &self.0 {
            Socket::InProcess(listener) => Ok(listener.addr.clone()),
            Socket::Tcp(socket) => Ok(socket.local_addr()?.into()),
            Socket::Unix(_, LeftOver(path)) => Ok(Addr::new(&path.to_string_lossy(), 0)),
        }
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        self.arrivals.close();
        self.net.routes().unlisten(&self.at, &self.addr);
    }
}

impl Drop for LeftOver {
    fn drop(&mut self) {
        // The next start replaces a socket that could not be removed.
        let _stays = std::fs::remove_file(&self.0);
    }
}

/// The peer gave up before it was accepted.
fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

/// `ENFILE` or `EMFILE`: passes when other connections end.
fn is_out_of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(23 | 24))
}
