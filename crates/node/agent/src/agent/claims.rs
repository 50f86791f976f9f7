//! Claims: machines are made, taken over, killed, brought back and removed.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Node;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use mainstay_catalogue as catalogue;
use mainstay_control::Key;
use mainstay_control::meta::uid;
use mainstay_control::reconcile::{self, Next};
use mainstay_kinds::node_claim::{EMBEDDED, FINALIZER};
use mainstay_kinds::{NodeClaim, NodeClaimStatus};
use serde_json::json;

use super::{Agent, Item, is_conflict, is_gone, lock};
use crate::machine::Machine;
use crate::plate::{self, Plate, Taken};
use crate::{claim_status, node};

/// How long a machine's network takes to come up, in milliseconds: at least, and at most.
const NETWORK_UP_MS: (u64, u64) = (50, 200);

impl Agent {
    /// One look at a claim.
    pub(super) async fn claim(&self, name: &Arc<str>) -> reconcile::Outcome {
        let Some(claim) = self.claims.get(&Key::cluster(name)) else {
            self.remove_machine(name).await?;
            return Ok(Next::Wait);
        };
        if claim.spec.provider != EMBEDDED {
            return Ok(Next::Wait);
        }
        if claim.metadata.deletion_timestamp.is_some() {
            return self.release(&claim).await;
        }
        let Some(instance_type) = catalogue::instance_type(&claim.spec.instance_type) else {
            let message = format!("the catalogue has no instance type {:?}", claim.spec.instance_type);
            let previous = claim.status.as_ref();
            let reason = "UnknownInstanceType";
            let status = claim_status::impossible(previous, reason, &message, self.world.now());
            return self.write_claim(&claim, status).await;
        };
        self.hold(&claim).await?;
        if self.fleet().node_of(name).is_none() {
            let machine = Box::pin(self.make(&claim, instance_type)).await?;
            self.welcome(machine);
        }
        self.set_dead(name, claim.is_killed());
        let status = {
            let fleet = self.fleet();
            let machine = fleet.node_of(name).and_then(|node| fleet.machines.get(node));
            let Some(machine) = machine else { return Ok(Next::Wait) };
            let previous = claim.status.as_ref();
            let (plate, resources) = (&machine.plate, &machine.resources);
            claim_status::of_machine(previous, plate, resources, machine.standing, self.world.now())
        };
        self.write_claim(&claim, status).await
    }

    /// Makes sure that the claim stays until its machine is gone.
    async fn hold(&self, claim: &NodeClaim) -> Result<(), kube::Error> {
        let mut finalizers = claim.metadata.finalizers.clone().unwrap_or_default();
        if finalizers.iter().any(|finalizer| finalizer == FINALIZER) {
            return Ok(());
        }
        finalizers.push(FINALIZER.to_owned());
        self.set_finalizers(claim, &finalizers).await
    }

    /// Removes the machine of a claim that is deleted, then lets the claim go.
    async fn release(&self, claim: &NodeClaim) -> reconcile::Outcome {
        self.remove_machine(claim.metadata.name.as_deref().unwrap_or_default()).await?;
        let mut finalizers = claim.metadata.finalizers.clone().unwrap_or_default();
        let before = finalizers.len();
        finalizers.retain(|finalizer| finalizer != FINALIZER);
        if finalizers.len() < before {
            match self.set_finalizers(claim, &finalizers).await {
                Err(error) if !is_gone(&error) => return Err(error),
                _ => {}
            }
        }
        Ok(Next::Wait)
    }

    async fn set_finalizers(&self, claim: &NodeClaim, finalizers: &[String]) -> Result<(), kube::Error> {
        let patch = json!({ "metadata": {
            "finalizers": finalizers, "resourceVersion": claim.metadata.resource_version,
        }});
        let api = Api::<NodeClaim>::all(self.client.clone());
        let name = claim.metadata.name.as_deref().unwrap_or_default();
        api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.map(|_| ())
    }

    async fn remove_machine(&self, claim: &str) -> Result<(), kube::Error> {
        let Some(node) = self.fleet().node_of(claim).map(str::to_owned) else { return Ok(()) };
        match Api::<Node>::all(self.client.clone()).delete(&node, &DeleteParams::default()).await {
            Err(error) if !is_gone(&error) => return Err(error),
            _ => {}
        }
        self.fleet().remove(claim);
        Ok(())
    }

    /// Makes the claim's machine and registers its Node, or takes over the one there is.
    async fn make(
        &self,
        claim: &NodeClaim,
        instance_type: &catalogue::InstanceType,
    ) -> Result<Machine, kube::Error> {
        let resources = node::resources(&claim.spec, instance_type);
        let region = catalogue::region(&claim.spec.region);
        let api = Api::<Node>::all(self.client.clone());
        let draw = |taken: &Taken| {
            plate::draw(uid(&claim.metadata), &region, &claim.spec.zone, resources.pods, taken)
        };
        loop {
            let mut plate = draw(&Taken::default());
            if let Some(found) = self.found(&plate) {
                take_over(&mut plate, &found);
                return Ok(self.machine(claim, instance_type, plate, resources, &found));
            }
            // Two claims worked on at once must not draw the same.
            let plate = self.fleet().taken.reserve(draw);
            let now = self.world.now();
            let wanted = node::node(claim, instance_type, &plate, &resources, now);
            match api.create(&PostParams::default(), &wanted).await {
                Ok(node) => return Ok(self.machine(claim, instance_type, plate, resources, &node)),
                // Ours, if its creation was not answered; else the next name is drawn.
                Err(error) if is_conflict(&error) => {
                    let by_name = format!("metadata.name={}", plate.node);
                    let known = api.list(&ListParams::default().fields(&by_name)).await?;
                    lock(&self.found).extend(known.items);
                }
                Err(error) => {
                    self.fleet().taken.free(&plate);
                    return Err(error);
                }
            }
        }
    }

    /// The Node that was made for this machine already.
    fn found(&self, plate: &Plate) -> Option<Node> {
        let provider_id = |node: &Node| node.spec.as_ref().and_then(|spec| spec.provider_id.clone());
        let mut found = lock(&self.found);
        let index = found.iter().position(|node| provider_id(node).as_ref() == Some(&plate.provider_id))?;
        Some(found.remove(index))
    }

    fn machine(
        &self,
        claim: &NodeClaim,
        instance_type: &catalogue::InstanceType,
        plate: Plate,
        resources: node::Resources,
        node: &Node,
    ) -> Machine {
        let facts = node::facts(instance_type, &plate, &resources);
        let mut random = self.world.random(&format!("agent/machine/{}", plate.node));
        let (least, most) = NETWORK_UP_MS;
        let network_up = Duration::from_millis(least + random.below(most - least));
        let now = self.world.now();
        let made_at = node.metadata.creation_timestamp.as_ref().map_or(now, |time| time.0);
        let node_uid = node.metadata.uid.clone().unwrap_or_default();
        let name = claim.metadata.name.as_deref().unwrap_or_default();
        let mut machine =
            Machine::new(name, plate, (resources, facts), node_uid, random, (made_at, now + network_up));
        let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
        let ready = conditions.into_iter().flatten().find(|condition| condition.type_ == "Ready");
        if let Some(ready) = ready.filter(|ready| ready.status == "True") {
            machine.standing.is_ready = true;
            machine.since = ready.last_transition_time.as_ref().map_or(machine.since, |time| time.0);
        }
        machine
    }

    /// Adds a machine and starts what it does.
    fn welcome(&self, machine: Machine) {
        let node = machine.plate.node.clone();
        let started = [
            ("Starting", "Starting kubelet.".to_owned()),
            ("NodeHasSufficientMemory", status_is(&node, "NodeHasSufficientMemory")),
            ("NodeHasNoDiskPressure", status_is(&node, "NodeHasNoDiskPressure")),
            ("NodeHasSufficientPID", status_is(&node, "NodeHasSufficientPID")),
            ("NodeAllocatableEnforced", "Updated Node Allocatable limit across pods".to_owned()),
        ];
        for (reason, message) in started {
            self.tell_of_node(&node, reason, message);
        }
        self.fleet().insert(machine);
        self.start(&node);
    }

    /// Starts (again) what a machine does by itself.
    fn start(&self, node: &str) {
        self.queue.add(Item::Lease(node.into()));
        self.queue.add(Item::Status(node.into()));
        self.queue.add(Item::Cordon(node.into()));
        self.queue_pods_of(node);
    }

    /// Kills a claim's machine, or brings it back.
    fn set_dead(&self, claim: &str, is_dead: bool) {
        let mut fleet = self.fleet();
        let Some(node) = fleet.node_of(claim).map(str::to_owned) else { return };
        let Some(machine) = fleet.machines.get_mut(&node) else { return };
        let was_dead = std::mem::replace(&mut machine.standing.is_dead, is_dead);
        if is_dead {
            // Whoever notices says so on the Node; once back, it becomes ready anew.
            machine.standing.is_ready = false;
            machine.is_cordoned = false;
        }
        drop(fleet);
        if was_dead && !is_dead {
            self.start(&node);
        }
    }

    async fn write_claim(&self, claim: &NodeClaim, status: NodeClaimStatus) -> reconcile::Outcome {
        if claim.status.as_ref() != Some(&status) {
            let api = Api::<NodeClaim>::all(self.client.clone());
            let name = claim.metadata.name.as_deref().unwrap_or_default();
            let patch = Patch::Merge(json!({ "status": status }));
            api.patch_status(name, &PatchParams::default(), &patch).await?;
        }
        Ok(Next::Wait)
    }
}

/// A Node keeps the name and addresses it has.
fn take_over(plate: &mut Plate, node: &Node) {
    let spec = node.spec.as_ref();
    if let Some(name) = &node.metadata.name {
        plate.node.clone_from(name);
    }
    let network = spec.and_then(|spec| spec.pod_cidr.as_deref()).and_then(|cidr| cidr.split_once('/'));
    if let Some((first, prefix)) = network
        && let (Ok(first), Ok(prefix)) = (first.parse(), prefix.parse())
    {
        (plate.pods, plate.pods_prefix) = (first, prefix);
    }
    let addresses = node.status.as_ref().and_then(|status| status.addresses.as_ref());
    let own = addresses.into_iter().flatten().find(|address| address.type_ == "InternalIP");
    if let Some(address) = own.and_then(|own| own.address.parse().ok()) {
        plate.address = address;
    }
}

/// The kubelet's message about a Node's condition.
pub(super) fn status_is(node: &str, what: &str) -> String {
    format!("Node {node} status is now: {what}")
}
