//! The machines there are, and the pods they have taken on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::NodeStatus;
use mainstay_base::net::{Addr, Doors, Place};
use mainstay_base::{Random, World};
use mainstay_control::Key;

use crate::addresses::Addresses;
use crate::bound::BoundPod;
use crate::claim_status::Standing;
use crate::described::Described;
use crate::node::Resources;
use crate::plate::{Plate, Taken};
use crate::pod::{self, Host, Run, Status, Step};
use crate::runtime::{Behaviours, canonical};

/// One machine.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) claim: String,
    /// Its Node's name.
    name: Arc<str>,
    pub(crate) plate: Plate,
    pub(crate) resources: Resources,
    pub(crate) node_uid: String,
    /// What it says of itself that does not change, for the report that makes it ready.
    pub(crate) facts: NodeStatus,
    pub(crate) standing: Standing,
    /// When it was made, when its network is up, and since when its Node is as ready as it is.
    pub(crate) made_at: Timestamp,
    pub(crate) ready_at: Timestamp,
    pub(crate) since: Timestamp,
    pub(crate) has_lease: bool,
    /// Whether it was told last that no new pods come.
    pub(crate) is_cordoned: bool,
    /// It found the API out of reach, and has not found it again.
    pub(crate) is_cut_off: bool,
    pub(crate) random: Random,
    images: BTreeSet<String>,
    addresses: Addresses,
}

impl Machine {
    /// A machine whose Node was just registered, or is taken over.
    pub(crate) fn new(
        claim: &str,
        plate: Plate,
        (resources, facts): (Resources, NodeStatus),
        node_uid: String,
        random: Random,
        (made_at, ready_at): (Timestamp, Timestamp),
    ) -> Self {
        let addresses = Addresses::new(plate.pods, plate.pod_addresses());
        Self {
            claim: claim.to_owned(),
            name: plate.node.as_str().into(),
            plate,
            resources,
            node_uid,
            facts,
            standing: Standing { is_registered: true, is_ready: false, is_dead: false },
            made_at,
            ready_at,
            since: ready_at,
            has_lease: false,
            is_cordoned: false,
            is_cut_off: false,
            random,
            images: BTreeSet::new(),
            addresses,
        }
    }

    /// Whether it says anything.
    pub(crate) fn speaks(&self) -> bool {
        self.standing.is_registered && !self.standing.is_dead
    }
}

/// All machines, by their Node's name.
#[derive(Debug, Default)]
pub(crate) struct Fleet {
    pub(crate) machines: BTreeMap<String, Machine>,
    pub(crate) taken: Taken,
    nodes: BTreeMap<String, String>,
    runs: BTreeMap<Key, Run>,
    /// Where pods are reached, in the region of this name.
    doors: Option<(Doors, Arc<str>)>,
}

impl Fleet {
    /// The Node of a claim's machine.
    pub(crate) fn node_of(&self, claim: &str) -> Option<&str> {
        self.nodes.get(claim).map(String::as_str)
    }

    /// Adds a machine.
    pub(crate) fn insert(&mut self, machine: Machine) {
        self.taken.take(&machine.plate);
        self.nodes.insert(machine.claim.clone(), machine.plate.node.clone());
        self.machines.insert(machine.plate.node.clone(), machine);
    }

    /// Removes a claim's machine with everything on it; returns its Node.
    pub(crate) fn remove(&mut self, claim: &str) -> Option<String> {
        let node = self.nodes.remove(claim)?;
        let on_it = self.runs.iter().filter(|(_, run)| *run.node == *node).map(|(key, _)| key.clone());
        for key in on_it.collect::<Vec<_>>() {
            self.end(&key);
        }
        if let Some(machine) = self.machines.remove(&node) {
            self.taken.free(&machine.plate);
        }
        Some(node)
    }

    /// What is to be done with a pod now; nothing where its machine says nothing, or where the pod
    /// has come to its end. `documents` are those that select it.
    pub(crate) fn step(
        &mut self,
        key: &Key,
        pod: &BoundPod,
        documents: impl FnOnce() -> Vec<Arc<Described>>,
        world: &World,
    ) -> Option<Step> {
        let node = &*pod.spec.node_name;
        if self.runs.get(key).is_some_and(|run| run.uid != pod.uid() || &*run.node != node) {
            self.end(key);
        }
        let machine = self.machines.get_mut(node)?;
        if machine.standing.is_dead {
            return None;
        }
        if !self.runs.contains_key(key) {
            if pod.is_over() || pod.is_deleted() && pod.status.phase != "Running" {
                return pod.is_deleted().then(|| Step { finish: true, ..Step::default() });
            }
            self.runs.insert(key.clone(), machine.take_on(key, pod, world)?);
        }
        let run = self.runs.get_mut(key)?;
        let now = world.now();
        let mut told = Vec::new();
        if run.is_stale {
            told = run.behave(pod, Behaviours::of(pod, &documents()), now);
        }
        let mut step = run.advance(pod, &mut machine.images, now);
        told.append(&mut step.told);
        let door = run.door(pod);
        self.move_door(key, door);
        Some(Step { told, ..step })
    }

    /// Makes pods reachable through `doors`, in `region`.
    pub(crate) fn reach(&mut self, doors: Doors, region: &str) {
        self.doors = Some((doors, region.into()));
    }

    /// A pod's metrics now.
    pub(crate) fn scrape(&self, key: &Key, pod: &BoundPod, now: Timestamp) -> Option<String> {
        self.runs.get(key)?.scrape(pod, now)
    }

    /// Closes a pod's door and opens another where it is not the same.
    fn move_door(&mut self, key: &Key, door: Option<Addr>) {
        let Some((run, (doors, region))) = self.runs.get_mut(key).zip(self.doors.as_ref()) else { return };
        if run.door == door {
            return;
        }
        let place = Place::new(region, &key.to_string());
        if let Some(closed) = &run.door {
            doors.close(&place, closed);
        }
        // In the network of its machine another pod may have the port: the first keeps it.
        run.door = door.filter(|open| doors.open(&place, open).is_ok());
    }

    /// What is described of a pod may be another.
    pub(crate) fn revise(&mut self, key: &Key) {
        if let Some(run) = self.runs.get_mut(key) {
            run.is_stale = true;
        }
    }

    /// Others may have spoken of a pod: what the API says of it is what is known.
    pub(crate) fn listen(&mut self, key: &Key, pod: &BoundPod) {
        if let Some(run) = self.runs.get_mut(key) {
            run.listen(pod);
        }
    }

    /// Remembers what was written of a pod; one that is over gives its address back.
    pub(crate) fn wrote(&mut self, key: &Key, status: Status) {
        let Some(run) = self.runs.get_mut(key) else { return };
        if run.wrote(status)
            && let Some(address) = run.give_up_address()
            && let Some(machine) = self.machines.get_mut(&*run.node)
        {
            machine.addresses.free(address);
        }
    }

    /// Forgets a pod that is gone.
    pub(crate) fn end(&mut self, key: &Key) {
        self.move_door(key, None);
        let Some(mut run) = self.runs.remove(key) else { return };
        if let Some(address) = run.give_up_address()
            && let Some(machine) = self.machines.get_mut(&*run.node)
        {
            machine.addresses.free(address);
        }
    }
}

impl Machine {
    /// Takes on a pod: one that runs already, or a new one. None when no address is left.
    fn take_on(&mut self, key: &Key, pod: &BoundPod, world: &World) -> Option<Run> {
        let host = Host { node: self.name.clone(), address: self.plate.address };
        let random = world.random(&format!("agent/pod/{key}/{}", pod.uid()));
        if let Some(run) = pod::resume(pod, host.clone(), random.clone(), world.now())
            && (run.is_host_network() || run.address().is_some_and(|address| self.addresses.claim(address)))
        {
            self.images.extend(pod.spec.all().map(|(_, container)| canonical(&container.image)));
            return Some(run);
        }
        let address = if pod.spec.host_network { None } else { Some(self.addresses.take()?) };
        Some(Run::start(pod, host, address, random, world.now()))
    }
}
