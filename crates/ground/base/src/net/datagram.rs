//! Datagrams between places: bounded, droppable, each as late as its link makes it.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::routes::Route;
use super::{Addr, Net, Place};
use crate::limits;

/// The largest datagram of UDP over IPv4.
const LARGEST_BYTES: usize = 65_507;

/// Sends and receives datagrams at one address until it is dropped.
#[derive(Debug)]
pub struct Datagrams(Socket);

#[derive(Debug)]
enum Socket {
    InProcess { net: Net, at: Place, addr: Addr, inbox: Arc<Inbox> },
    Udp(tokio::net::UdpSocket),
}

/// Datagrams on their way to one receiver.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// By arrival; the number keeps those that arrive together in the order they were sent.
    waiting: BTreeMap<(Instant, u64), (Bytes, Addr)>,
    sent: u64,
    at: Option<Place>,
}

impl Datagrams {
    pub(super) fn in_process(net: &Net, at: &Place, addr: &Addr) -> io::Result<Self> {
        let inbox = Arc::new(Inbox::default());
        inbox.state().at = Some(at.clone());
        if !net.routes().add_inbox(at, addr, Arc::clone(&inbox)) {
            let text = format!("{addr} is taken in region '{}'", at.region());
            return Err(io::Error::new(io::ErrorKind::AddrInUse, text));
        }
        Ok(Self(Socket::InProcess { net: net.clone(), at: at.clone(), addr: addr.clone(), inbox }))
    }

    pub(super) fn udp(socket: tokio::net::UdpSocket) -> Self {
        Self(Socket::Udp(socket))
    }

    /// Sends one datagram; like any datagram it may get lost without an error.
    pub async fn send_to(&self, bytes: &[u8], to: &Addr) -> io::Result<()> {
        if bytes.len() > LARGEST_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "too large for a datagram"));
        }
        match &self.0 {
            Socket::InProcess { net, at, addr, .. } => {
                let inbox = match net.routes().inbox(at.region(), to) {
                    Route::To(inbox) => inbox,
                    Route::Nowhere => return Ok(()),
                    Route::Out => return net.outside().refuse(at, to),
                };
                let there = inbox.state().at.clone().unwrap_or_else(Place::outside);
                if let Some(arrival) = net.links().datagram_arrival(at, &there, bytes.len()) {
                    inbox.put(arrival, Bytes::copy_from_slice(bytes), addr.clone());
                }
                Ok(())
            }
            Socket::Udp(socket) => {
                let to = socket_addr(to)?;
                if !to.ip().is_loopback() {
                    return Err(io::ErrorKind::PermissionDenied.into());
                }
                socket.send_to(bytes, to).await.map(drop)
            }
        }
    }

    /// The next datagram and its sender's address; dropping the future loses none.
    pub async fn receive(&mut self) -> io::Result<(Bytes, Addr)> {
        match &self.0 {
            Socket::InProcess { inbox, .. } => Ok(inbox.take().await),
            Socket::Udp(socket) => {
                let mut buffer = vec![0; LARGEST_BYTES];
                let (count, from) = socket.recv_from(&mut buffer).await?;
                buffer.truncate(count);
                Ok((buffer.into(), from.into()))
            }
        }
    }

    /// What it is reached at.
    pub fn local_addr(&self) -> io::Result<Addr> {
        match &self.0 {
            Socket::InProcess { addr, .. } => Ok(addr.clone()),
            Socket::Udp(socket) => Ok(socket.local_addr()?.into()),
        }
    }
}

impl Drop for Datagrams {
    fn drop(&mut self) {
        if let Socket::InProcess { net, at, addr, .. } = &self.0 {
            net.routes().remove_inbox(at, addr);
        }
    }
}

impl Inbox {
    fn put(&self, arrival: Instant, bytes: Bytes, from: Addr) {
        let mut state = self.state();
        if state.waiting.len() >= limits::DATAGRAMS {
            return;
        }
        state.sent += 1;
        let number = state.sent;
        state.waiting.insert((arrival, number), (bytes, from));
        drop(state);
        self.changed.notify_one();
    }

    async fn take(&self) -> (Bytes, Addr) {
        loop {
            let changed = self.changed.notified();
            let next = self.next();
            match next {
                Next::Here(datagram) => return datagram,
                Next::Nothing => changed.await,
                Next::At(arrival) => tokio::select! {
                    biased;
                    () = changed => {}
                    () = tokio::time::sleep_until(arrival) => {}
                },
            }
        }
    }

    fn next(&self) -> Next {
        let mut state = self.state();
        match state.waiting.first_key_value() {
            None => Next::Nothing,
            Some(((arrival, _), _)) if *arrival > Instant::now() => Next::At(*arrival),
            Some(_) => state.waiting.pop_first().map_or(Next::Nothing, |(_, datagram)| Next::Here(datagram)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("invariant: no panic under this lock")
    }
}

/// What a receiver sees.
enum Next {
    Here((Bytes, Addr)),
    At(Instant),
    Nothing,
}

fn socket_addr(addr: &Addr) -> io::Result<std::net::SocketAddr> {
    let ip = addr.host.parse().map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    Ok(std::net::SocketAddr::new(ip, addr.port))
}
