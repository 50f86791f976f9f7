//! Who listens in process: a routing table per region, and the names that lead to its entries.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::mpsc;

use super::datagram::Inbox;
use super::{Addr, Place, Stream};

/// The routing tables of all regions; the empty region's is everybody's second look.
#[derive(Debug, Default)]
pub(super) struct Routes(Mutex<BTreeMap<Arc<str>, Table>>);

#[derive(Debug, Default)]
struct Table {
    listeners: BTreeMap<Addr, Door>,
    inboxes: BTreeMap<Addr, Arc<Inbox>>,
    names: BTreeMap<Addr, Option<Addr>>,
}

/// Where an in-process listener takes connections.
#[derive(Clone, Debug)]
pub(super) struct Door {
    pub(super) at: Place,
    pub(super) backlog: mpsc::Sender<Arrival>,
}

/// A connection on its way to a listener.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) stream: Stream,
    pub(super) from: Place,
    /// Where it came to, of the places that the listener listens at.
    pub(super) at: Place,
}

/// What an address leads to.
#[derive(Debug)]
pub(super) enum Route<T> {
    /// To this.
    To(T),
    /// The name exists, but nothing behind it is ready, or nothing listens there any more.
    Nowhere,
    /// Out of this process.
    Out,
}

impl Routes {
    /// Adds a listener; `false` when somebody listens there.
    pub(super) fn listen(&self, addr: &Addr, door: Door) -> bool {
        let mut tables = self.lock();
        let listeners = &mut tables.entry(door.at.region().into()).or_default().listeners;
        if listeners.get(addr).is_some_and(|other| !other.backlog.is_closed()) {
            return false;
        }
        listeners.insert(addr.clone(), door);
        true
    }

    /// Removes a listener whose backlog is closed.
    pub(super) fn unlisten(&self, at: &Place, addr: &Addr) {
        if let Some(table) = self.lock().get_mut(at.region())
            && table.listeners.get(addr).is_some_and(|door| door.backlog.is_closed())
        {
            table.listeners.remove(addr);
        }
    }

    /// Removes a listener that goes on at other addresses.
    pub(super) fn close(&self, region: &str, addr: &Addr) {
        if let Some(table) = self.lock().get_mut(region) {
            table.listeners.remove(addr);
        }
    }

    /// Adds a receiver of datagrams; `false` when there is one.
    pub(super) fn add_inbox(&self, at: &Place, addr: &Addr, inbox: Arc<Inbox>) -> bool {
        let mut tables = self.lock();
        let inboxes = &mut tables.entry(at.region().into()).or_default().inboxes;
        if inboxes.contains_key(addr) {
            return false;
        }
        inboxes.insert(addr.clone(), inbox);
        true
    }

    /// Removes a receiver of datagrams.
    pub(super) fn remove_inbox(&self, at: &Place, addr: &Addr) {
        if let Some(table) = self.lock().get_mut(at.region()) {
            table.inboxes.remove(addr);
        }
    }

    /// Says where a name of `region` leads.
    pub(super) fn publish(&self, region: &str, name: &Addr, target: Option<Addr>) {
        self.lock().entry(region.into()).or_default().names.insert(canonical(name), target);
    }

    /// Takes a name back.
    pub(super) fn withdraw(&self, region: &str, name: &Addr) {
        if let Some(table) = self.lock().get_mut(region) {
            table.names.remove(&canonical(name));
        }
    }

    /// The listener `to` leads to from `region`.
    pub(super) fn door(&self, region: &str, to: &Addr) -> Route<Door> {
        self.find(region, to, |table, addr| {
            table.listeners.get(addr).filter(|door| !door.backlog.is_closed()).cloned()
        })
    }

    /// The receiver of datagrams `to` leads to from `region`.
    pub(super) fn inbox(&self, region: &str, to: &Addr) -> Route<Arc<Inbox>> {
        self.find(region, to, |table, addr| table.inboxes.get(addr).cloned())
    }

    fn find<T>(&self, region: &str, to: &Addr, get: impl Fn(&Table, &Addr) -> Option<T>) -> Route<T> {
        let tables = self.lock();
        let own = [region, ""];
        let tables = || own.iter().filter_map(|region| tables.get(*region));
        if let Some(found) = tables().find_map(|table| get(table, to)) {
            return Route::To(found);
        }
        let name = canonical(to);
        let target = match tables().find_map(|table| table.name(&name)) {
            Some(Some(target)) => target,
            None if !is_cluster_name(&name.host) => return Route::Out,
            _ => return Route::Nowhere,
        };
        tables().find_map(|table| get(table, target)).map_or(Route::Nowhere, Route::To)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Table>> {
        self.0.lock().expect("invariant: no panic under this lock")
    }
}

impl Table {
    /// Where `name` leads; `<svc>.<ns>` is short for `<svc>.<ns>.svc`.
    fn name(&self, name: &Addr) -> Option<&Option<Addr>> {
        let long = || Addr::new(&format!("{}.svc", name.host), name.port);
        self.names.get(name).or_else(|| self.names.get(&long()))
    }
}

/// The form names are kept in: lower case, no final dot, no cluster domain.
fn canonical(addr: &Addr) -> Addr {
    let host = addr.host.trim_end_matches('.').to_ascii_lowercase();
    let host = match host.strip_suffix(".cluster.local") {
        Some(short) if is_cluster_name(short) => short,
        _ => &host,
    };
    Addr::new(host, addr.port)
}

/// Whether a (canonical) name can only mean a Service.
fn is_cluster_name(host: &str) -> bool {
    host.rsplit_once('.').is_some_and(|(_, last)| last == "svc")
}
