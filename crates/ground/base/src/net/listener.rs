//! What accepts connections.

use std::io;

use super::{Addr, Place, Stream};

/// Accepts connections until it is dropped.
#[derive(Debug)]
pub struct Listener(());

#[allow(clippy::unused_self, clippy::unused_async, reason = "the room is being filled")]
impl Listener {
    /// The next connection and where it comes from.
    pub async fn accept(&mut self) -> io::Result<(Stream, Place)> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }

    /// What it is reached at.
    pub fn local_addr(&self) -> io::Result<Addr> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }
}
