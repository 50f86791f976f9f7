//! Heartbeats: leases and Node statuses.
//!
//! A renewal is one patch of one field without reading anything first: a day of a fleet is some
//! hundred thousand of them.

use std::sync::Arc;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta, OwnerReference};
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use mainstay_base::net::Place;
use mainstay_control::reconcile::{self, Next};

use super::claims::status_is;
use super::{Agent, Item, is_conflict, is_gone};
use crate::{heartbeat, node};

/// Where the leases of Nodes are.
const NAMESPACE: &str = "kube-node-lease";

impl Agent {
    /// Renews a machine's lease.
    pub(super) async fn lease(&self, node: &Arc<str>) -> reconcile::Outcome {
        let Some((has_lease, owner)) = self
            .fleet()
            .machines
            .get(&**node)
            .and_then(|machine| machine.speaks().then(|| (machine.has_lease, machine.node_uid.clone())))
        else {
            return Ok(Next::Wait);
        };
        if self.is_cut_off(node) {
            let mut fleet = self.fleet();
            let machine = fleet.machines.get_mut(&**node);
            return Ok(machine
                .map_or(Next::Wait, |machine| Next::After(heartbeat::until_renewal(&mut machine.random))));
        }
        let is_there =
            if has_lease { self.renew(node).await? } else { self.create_lease(node, owner).await? };
        let (was_cut_off, next) = {
            let mut fleet = self.fleet();
            let Some(machine) = fleet.machines.get_mut(&**node) else { return Ok(Next::Wait) };
            machine.has_lease = is_there;
            let was_cut_off = std::mem::take(&mut machine.is_cut_off);
            (was_cut_off, heartbeat::until_renewal(&mut machine.random))
        };
        if was_cut_off {
            self.catch_up(node).await?;
        }
        if is_there {
            return Ok(Next::After(next));
        }
        self.queue.add(Item::Lease(node.clone()));
        Ok(Next::Wait)
    }

    /// Whether the network lies between a machine and the API; whoever finds that leaves a note, so
    /// that nothing is forgotten once the machine is back.
    pub(super) fn is_cut_off(&self, node: &str) -> bool {
        let region = self.world.scope();
        let is_cut = self.world.net().is_cut(&Place::new(region, node), &Place::api(region));
        if is_cut && let Some(machine) = self.fleet().machines.get_mut(node) {
            machine.is_cut_off = true;
        }
        is_cut
    }

    /// A machine that reaches the API again looks how its Node stands, and reports everything anew.
    async fn catch_up(&self, node: &str) -> Result<(), kube::Error> {
        let by_name = ListParams::default().fields(&format!("metadata.name={node}"));
        let found = Api::<Node>::all(self.client.clone()).list(&by_name).await?.items;
        let status = found.first().and_then(|node| node.status.as_ref());
        let conditions = status.and_then(|status| status.conditions.as_ref());
        let is_ready = conditions.is_some_and(|all| {
            all.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
        });
        if let Some(machine) = self.fleet().machines.get_mut(node) {
            machine.standing.is_ready &= is_ready;
        }
        self.queue.add(Item::Status(node.into()));
        self.queue_pods_of(node);
        Ok(())
    }

    /// Renews a lease; says whether it is there.
    async fn renew(&self, node: &str) -> Result<bool, kube::Error> {
        let time = serde_json::to_string(&MicroTime(self.world.now())).map_err(kube::Error::SerdeError)?;
        let body = format!(r#"{{"spec":{{"renewTime":{time}}}}}"#);
        let request = http::Request::patch(format!(
            "/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{node}"
        ))
        .header(http::header::CONTENT_TYPE, "application/merge-patch+json")
        .header(http::header::ACCEPT, "application/json")
        .body(body.into_bytes())
        .map_err(kube::Error::HttpError)?;
        match self.client.request_text(request).await {
            Ok(_) => Ok(true),
            Err(error) if is_gone(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Creates a lease; one that is there already is as good.
    async fn create_lease(&self, node: &str, owner_uid: String) -> Result<bool, kube::Error> {
        let lease = Lease {
            metadata: ObjectMeta {
                name: Some(node.to_owned()),
                namespace: Some(NAMESPACE.to_owned()),
                owner_references: Some(vec![OwnerReference {
                    api_version: "v1".to_owned(),
                    kind: "Node".to_owned(),
                    name: node.to_owned(),
                    uid: owner_uid,
                    ..OwnerReference::default()
                }]),
                ..ObjectMeta::default()
            },
            spec: Some(LeaseSpec {
                holder_identity: Some(node.to_owned()),
                lease_duration_seconds: i32::try_from(heartbeat::LEASE_SECONDS).ok(),
                renew_time: Some(MicroTime(self.world.now())),
                ..LeaseSpec::default()
            }),
        };
        match Api::namespaced(self.client.clone(), NAMESPACE).create(&PostParams::default(), &lease).await {
            Ok(_) => Ok(true),
            Err(error) if is_conflict(&error) => self.renew(node).await,
            Err(error) => Err(error),
        }
    }

    /// Reports a machine's status where it is due.
    pub(super) async fn status(&self, node: &Arc<str>) -> reconcile::Outcome {
        let now = self.world.now();
        if self.is_cut_off(node) {
            return Ok(Next::Wait);
        }
        let (report, becomes_ready) = {
            let mut fleet = self.fleet();
            let Some(machine) = fleet.machines.get_mut(&**node).filter(|machine| machine.speaks()) else {
                return Ok(Next::Wait);
            };
            let becomes_ready = !machine.standing.is_ready;
            if becomes_ready && now < machine.ready_at {
                let left = machine.ready_at.duration_since(now).unsigned_abs();
                return Ok(Next::After(left));
            }
            if becomes_ready {
                machine.since = now;
            }
            let conditions = node::conditions(true, machine.made_at, machine.since, now);
            (node::report(conditions, becomes_ready.then_some(&machine.facts)), becomes_ready)
        };
        let api = Api::<Node>::all(self.client.clone());
        let written = api.patch_status(node, &PatchParams::default(), &Patch::Strategic(report)).await;
        let is_registered = match written {
            Ok(_) => true,
            Err(error) if is_gone(&error) => false,
            Err(error) => return Err(error),
        };
        Ok(self.reported(node, is_registered, becomes_ready))
    }

    /// Remembers a report; a Node that somebody deleted stays away, as with a kubelet that runs on.
    fn reported(&self, node: &Arc<str>, is_registered: bool, becomes_ready: bool) -> Next {
        let mut fleet = self.fleet();
        let Some(machine) = fleet.machines.get_mut(&**node) else { return Next::Wait };
        machine.standing.is_registered = is_registered;
        machine.standing.is_ready = is_registered;
        let claim = machine.claim.clone();
        let next = heartbeat::until_report(becomes_ready, &mut machine.random);
        drop(fleet);
        if becomes_ready || !is_registered {
            self.queue.add(Item::Claim(claim.into()));
        }
        if becomes_ready && is_registered {
            self.tell_of_node(node, "NodeReady", status_is(node, "NodeReady"));
        }
        if is_registered { Next::After(next) } else { Next::Wait }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn a_renewal_is_a_merge_patch_of_one_field() {
        let time = jiff::Timestamp::UNIX_EPOCH;
        let text = serde_json::to_string(&super::MicroTime(time)).unwrap();
        let body: serde_json::Value =
            serde_json::from_str(&format!(r#"{{"spec":{{"renewTime":{text}}}}}"#)).unwrap();
        assert_eq!(body, json!({ "spec": { "renewTime": "1970-01-01T00:00:00.000000Z" } }));
    }
}
