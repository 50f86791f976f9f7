//! Where code runs, and what it can be reached at.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Where code runs: a component of a region, a pod, a node, or the outside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    region: Arc<str>,
    name: Arc<str>,
}

impl Place {
    /// The place called `name` in `region`; the region of global parts is the empty one.
    pub fn new(region: &str, name: &str) -> Self {
        Self { region: region.into(), name: name.into() }
    }

    /// The Kubernetes API of `region`.
    pub fn api(region: &str) -> Self {
        Self::new(region, "kube-apiserver")
    }

    /// Everything that is not the platform.
    pub fn outside() -> Self {
        Self::new("", "outside")
    }

    /// The region it lies in; empty for global parts and the outside.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Its name in its region.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.region.is_empty() {
            return f.write_str(&self.name);
        }
        write!(f, "{}/{}", self.region, self.name)
    }
}

/// What a listener is reached at: a name or an IP address, and a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Addr {
    /// A name or an IP address (IPv6 without brackets).
    pub host: Arc<str>,
    /// The port.
    pub port: u16,
}

impl Addr {
    /// The address of `port` at `host`.
    pub fn new(host: &str, port: u16) -> Self {
        Self { host: host.into(), port }
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            return write!(f, "[{}]:{}", self.host, self.port);
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// The text is not `host:port`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not host:port")]
pub struct AddrError(String);

impl FromStr for Addr {
    type Err = AddrError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || AddrError(text.to_owned());
        let (host, port) = text.rsplit_once(':').ok_or_else(error)?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        if bare.is_none() && host.contains(':') {
            return Err(error());
        }
        let host = bare.unwrap_or(host);
        if host.is_empty() {
            return Err(error());
        }
        Ok(Self::new(host, port.parse().map_err(|_| error())?))
    }
}

impl From<std::net::SocketAddr> for Addr {
    fn from(socket: std::net::SocketAddr) -> Self {
        Self::new(&socket.ip().to_string(), socket.port())
    }
}
