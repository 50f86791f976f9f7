//! The machine's sockets, and the door outwards: closed until a destination is named.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use super::{Addr, Datagrams, Listener, Place, Stream};
use crate::limits;

/// What is outside this process.
#[derive(Debug)]
pub(super) struct Outside {
    /// Whether there is an outside at all; a virtual World has none.
    exists: bool,
    allowed: Mutex<BTreeSet<String>>,
    refused: Mutex<BTreeSet<(Place, Addr)>>,
}

impl Outside {
    pub(super) fn new(exists: bool) -> Self {
        Self { exists, allowed: Mutex::default(), refused: Mutex::default() }
    }

    pub(super) fn allow_only<'a>(&self, hosts: impl IntoIterator<Item = &'a str>) {
        *lock(&self.allowed) = hosts.into_iter().map(str::to_ascii_lowercase).collect();
    }

    pub(super) fn refused(&self) -> Vec<(Place, Addr)> {
        lock(&self.refused).iter().cloned().collect()
    }

    /// Records that `from` wanted to leave, and says no.
    pub(super) fn refuse<T>(&self, from: &Place, to: &Addr) -> io::Result<T> {
        let mut refused = lock(&self.refused);
        if refused.len() < limits::REFUSED_DESTINATIONS {
            refused.insert((from.clone(), to.clone()));
        }
        if self.exists {
            let text = format!("{to} lies outside the platform and is not named under egress");
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
        }
        Err(io::Error::new(io::ErrorKind::HostUnreachable, format!("{to} does not exist in a virtual World")))
    }

    /// Connects over TCP: to this machine always, elsewhere where it was allowed.
    pub(super) async fn connect(&self, from: &Place, to: &Addr) -> io::Result<Stream> {
        let is_allowed = is_loopback(&to.host) || lock(&self.allowed).contains(&to.host.to_ascii_lowercase());
        if !self.exists || !is_allowed {
            return self.refuse(from, to);
        }
        #[allow(clippy::disallowed_methods, reason = "this is base::net")]
        let connecting = tokio::net::TcpStream::connect((&*to.host, to.port));
        let stream = tokio::time::timeout(limits::CONNECT, connecting)
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, format!("no answer from {to}")))??;
        stream.set_nodelay(true)?;
        Ok(Stream::Tcp(stream))
    }

    pub(super) async fn bind(&self, socket: SocketAddr) -> io::Result<Listener> {
        self.require()?;
        #[allow(clippy::disallowed_methods, reason = "this is base::net")]
        let socket = tokio::net::TcpListener::bind(socket).await?;
        Ok(Listener::tcp(socket))
    }

    pub(super) async fn bind_datagrams(&self, socket: SocketAddr) -> io::Result<Datagrams> {
        self.require()?;
        #[allow(clippy::disallowed_methods, reason = "this is base::net")]
        let socket = tokio::net::UdpSocket::bind(socket).await?;
        Ok(Datagrams::udp(socket))
    }

    pub(super) async fn bind_unix(&self, path: &Path) -> io::Result<Listener> {
        self.require()?;
        remove_left_over(path).await?;
        let socket = tokio::net::UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Listener::unix(socket, path.to_owned()))
    }

    pub(super) async fn connect_unix(&self, path: &Path) -> io::Result<Stream> {
        self.require()?;
        Ok(Stream::Unix(tokio::net::UnixStream::connect(path).await?))
    }

    fn require(&self) -> io::Result<()> {
        if self.exists {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::Unsupported, "a virtual World has no sockets"))
    }
}

/// Removes a socket nobody listens on any more; any other file stays and is an error.
async fn remove_left_over(path: &Path) -> io::Result<()> {
    match tokio::net::UnixStream::connect(path).await {
        Ok(_) => {
            let text = format!("another process listens on {}", path.display());
            Err(io::Error::new(io::ErrorKind::AddrInUse, text))
        }
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            use std::os::unix::fs::FileTypeExt as _;
            if std::fs::symlink_metadata(path)?.file_type().is_socket() {
                std::fs::remove_file(path)?;
            }
            Ok(())
        }
        // Nothing is there, or binding says better what is wrong.
        Err(_) => Ok(()),
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("invariant: no panic under this lock")
}
