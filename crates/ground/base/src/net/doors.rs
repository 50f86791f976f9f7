//! One listener at many places: thousands of simulated pods need no task and no queue each.

use std::io;

use tokio::sync::mpsc;

use super::routes::{Arrival, Door};
use super::{Addr, Net, Place, Stream};
use crate::limits;

/// Opens and closes places a listener is reached at; clones share them.
#[derive(Clone, Debug)]
pub struct Doors {
    net: Net,
    backlog: mpsc::Sender<Arrival>,
}

/// The connections that come in by any of the doors.
#[derive(Debug)]
pub struct Arrivals(mpsc::Receiver<Arrival>);

pub(super) fn doors(net: &Net) -> (Doors, Arrivals) {
    let (backlog, arrivals) = mpsc::channel(limits::BACKLOG);
    (Doors { net: net.clone(), backlog }, Arrivals(arrivals))
}

impl Doors {
    /// Listens at `addr` too, for `at`.
    ///
    /// # Errors
    /// When somebody listens there.
    pub fn open(&self, at: &Place, addr: &Addr) -> io::Result<()> {
        if self.net.routes().listen(addr, Door { at: at.clone(), backlog: self.backlog.clone() }) {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::AddrInUse, format!("{addr} is taken in region '{}'", at.region())))
    }

    /// Listens at `addr` no more.
    pub fn close(&self, at: &Place, addr: &Addr) {
        self.net.routes().close(at.region(), addr);
    }
}

impl Arrivals {
    /// The next connection, where it comes from, and whose door it took; dropping the future loses none.
    /// None when no door can be opened any more.
    pub async fn next(&mut self) -> Option<(Stream, Place, Place)> {
        self.0.recv().await.map(|arrival| (arrival.stream, arrival.from, arrival.at))
    }
}
