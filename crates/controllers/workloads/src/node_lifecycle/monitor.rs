//! The looks at nodes, one after the other, and the pace at which silent ones are tainted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Node, NodeCondition};
use kube::api::Patch;
use mainstay_control::meta::{label, uid};
use mainstay_control::{Key, writes};
use serde_json::json;

use super::grid::Grid;
use super::health::{self, Health, Judgement, Ready, Renewal};
use super::zones::{Count, Shift, Zones};
use super::{Controller, taints};

/// The label of a node that does not count when a zone's state is found out.
const EXCLUDED: &str = "node.kubernetes.io/exclude-disruption";
/// How long until a node that cannot be judged is tried again.
const RETRY: Duration = Duration::from_millis(50);

/// What is remembered of one node.
#[derive(Debug)]
struct Known {
    uid: String,
    zone: String,
    counts: bool,
    ready: Option<Ready>,
    health: Option<Health>,
    /// When it is to be looked at, changed or not.
    due: Option<Timestamp>,
    /// Whether its pods are still to be marked.
    is_unmarked: bool,
}

/// What is remembered between two looks.
#[derive(Debug)]
struct Monitor {
    grid: Grid,
    looked_at: Timestamp,
    /// When the changes seen since then are looked at; kept, as a real clock is never on the grid.
    planned: Option<Timestamp>,
    nodes: BTreeMap<Arc<str>, Known>,
    due: BTreeSet<(Timestamp, Arc<str>)>,
    zones: Zones,
    /// Whether the number of nodes that are ready may have changed.
    has_news: bool,
}

/// Looks at nodes whenever that is due, for as long as it is polled.
pub(super) async fn run(controller: &Controller) {
    let start = controller.world.now();
    let mut monitor = Monitor {
        grid: Grid(start),
        looked_at: Timestamp::MIN,
        planned: None,
        nodes: BTreeMap::new(),
        due: BTreeSet::new(),
        zones: Zones::default(),
        has_news: false,
    };
    loop {
        let now = controller.world.now();
        if monitor.next_look(controller).is_some_and(|at| at <= now) {
            monitor.look(controller, now).await;
        }
        monitor.taint(controller, now).await;
        let next = [monitor.next_look(controller), monitor.zones.due()].into_iter().flatten().min();
        let wait =
            next.map(|at| Duration::try_from(at.duration_since(controller.world.now())).unwrap_or_default());
        tokio::select! {
            biased;
            () = controller.changed.notified() => {}
            () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {}
        }
    }
}

/// The name of a node's zone, unique in all regions.
fn zone(node: &Node) -> String {
    let first =
        |keys: [&str; 2]| keys.into_iter().find_map(|key| label(&node.metadata, key)).unwrap_or_default();
    let zone = first(["failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"]);
    let region = first(["failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"]);
    format!("{region}:{zone}")
}

impl Monitor {
    /// When the next look is due.
    fn next_look(&mut self, controller: &Controller) -> Option<Timestamp> {
        if self.planned.is_none() && !controller.seen().nodes.is_empty() {
            let now = controller.world.now();
            self.planned = Some(self.grid.at_or_after(now).max(self.grid.after(self.looked_at)));
        }
        self.planned.into_iter().chain(self.due.first().map(|(at, _)| *at)).min()
    }

    /// Looks at the nodes that have changed, and at those whose time is over.
    async fn look(&mut self, controller: &Controller, now: Timestamp) {
        self.looked_at = now;
        self.planned = None;
        let mut names = std::mem::take(&mut controller.seen().nodes);
        while self.due.first().is_some_and(|(at, _)| *at <= now) {
            names.extend(self.due.pop_first().map(|(_, name)| name));
        }
        for name in names {
            match controller.informers.nodes.get(&Key::cluster(&name)) {
                None => self.forget(controller, &name),
                Some(node) => {
                    self.register(controller, &name, &node, now).await;
                    self.judge(controller, &name, &node, now).await;
                }
            }
        }
        if std::mem::take(&mut self.has_news) {
            self.shift(controller, now).await;
        }
    }

    fn forget(&mut self, controller: &Controller, name: &Arc<str>) {
        let Some(known) = self.nodes.remove(name) else { return };
        let message = format!("Node {name} event: Removing Node {name} from Controller");
        controller.tell(name, &known.uid, "RemovingNode", message);
        self.zones.dequeue(name);
        self.due.retain(|(_, due)| due != name);
        self.has_news = true;
    }

    /// Takes note of a node that is new.
    async fn register(&mut self, controller: &Controller, name: &Arc<str>, node: &Node, now: Timestamp) {
        let zone = zone(node);
        let counts = label(&node.metadata, EXCLUDED).is_none();
        if let Some(known) = self.nodes.get_mut(name) {
            self.has_news |= known.zone != zone || known.counts != counts;
            (known.zone, known.counts) = (zone, counts);
            return;
        }
        let uid = uid(&node.metadata).to_owned();
        let message = format!("Node {name} event: Registered Node {name} in Controller");
        controller.tell(name, &uid, "RegisteredNode", message);
        self.zones.add(&zone, now);
        self.has_news = true;
        let known = Known { uid, zone, counts, ready: None, health: None, due: None, is_unmarked: false };
        self.nodes.insert(name.clone(), known);
        self.make_reachable(controller, name, node).await;
    }

    async fn judge(&mut self, controller: &Controller, name: &Arc<str>, node: &Node, now: Timestamp) {
        let lease = controller.seen().leases.get(name).cloned();
        let lease =
            lease.map(|lease| Renewal { seen_at: self.grid.at_or_after(lease.seen_at).min(now), ..lease });
        let Some(known) = self.nodes.get_mut(name) else { return };
        let judgement = health::judge(node, known.health.as_ref(), lease.as_ref(), now);
        if let Err(error) = silence(controller, node, &judgement.changed).await {
            // Somebody wrote first, most likely the node itself.
            tracing::debug!(node = %name, %error, "conditions not written");
            controller.look_at(name.clone());
            return;
        }
        if judgement.look_again {
            controller.look_at(name.clone());
        }
        self.has_news |= known.ready != judgement.current;
        known.ready = judgement.current;
        known.health = Some(judgement.health.clone());
        let due = judgement.silent_after.map(|at| self.grid.after(at));
        if let Some(old) = std::mem::replace(&mut known.due, due) {
            self.due.remove(&(old, name.clone()));
        }
        self.due.extend(due.map(|due| (due, name.clone())));
        if judgement.current.is_some() {
            self.act(controller, name, node, &judgement, now).await;
        }
    }

    /// Drives pods away from a node that is not ready, or no longer; tells of one that became so.
    async fn act(
        &mut self,
        controller: &Controller,
        name: &Arc<str>,
        node: &Node,
        judgement: &Judgement,
        now: Timestamp,
    ) {
        self.drive(controller, name, node, judgement.observed, now).await;
        let Some(known) = self.nodes.get_mut(name) else { return };
        let was_ready = judgement.observed == Ready::True;
        let has_fallen_silent = was_ready && judgement.current != Some(Ready::True);
        if has_fallen_silent {
            let message = format!("Node {name} status is now: NodeNotReady");
            controller.tell(name, &known.uid, "NodeNotReady", message);
        }
        let marks = has_fallen_silent || (known.is_unmarked && !was_ready);
        known.is_unmarked = false;
        if marks && let Err(error) = controller.mark_pods_not_ready(name).await {
            tracing::warn!(node = %name, %error, "pods not marked, tried again");
            known.is_unmarked = true;
            controller.look_at(name.clone());
        }
    }

    async fn drive(
        &mut self,
        controller: &Controller,
        name: &Arc<str>,
        node: &Node,
        observed: Ready,
        now: Timestamp,
    ) {
        let (wanted, opposite) = match observed {
            Ready::True => return self.make_reachable(controller, name, node).await,
            Ready::False => (taints::NOT_READY, taints::UNREACHABLE),
            Ready::Unknown => (taints::UNREACHABLE, taints::NOT_READY),
        };
        if taints::drives_away(node, opposite) {
            // It is tainted already, only for another reason: no pace holds that up.
            if let Some(taints) = taints::driven(node, observed, now) {
                self.set_taints(controller, name, node, &taints).await;
            }
        } else if !taints::drives_away(node, wanted) {
            self.zones.enqueue(&zone(node), name, now);
        }
    }

    /// Takes the taints off a node that drive its pods away.
    async fn make_reachable(&mut self, controller: &Controller, name: &Arc<str>, node: &Node) {
        self.zones.dequeue(name);
        if let Some(taints) = taints::reachable(node) {
            self.set_taints(controller, name, node, &taints).await;
        }
    }

    async fn set_taints(
        &self,
        controller: &Controller,
        name: &Arc<str>,
        node: &Node,
        taints: &[k8s_openapi::api::core::v1::Taint],
    ) {
        if let Err(error) = controller.set_taints(node, taints).await {
            tracing::debug!(node = %name, %error, "taints not written, tried again");
            controller.look_at(name.clone());
        }
    }

    /// Sets the pace of each zone for how it is now.
    async fn shift(&mut self, controller: &Controller, now: Timestamp) {
        let mut counts: BTreeMap<String, Count> = BTreeMap::new();
        for known in self.nodes.values().filter(|known| known.counts) {
            if !counts.contains_key(&known.zone) {
                counts.insert(known.zone.clone(), Count::default());
            }
            let count = counts.get_mut(&known.zone).expect("invariant: it was just inserted");
            if known.ready == Some(Ready::True) { count.ready += 1 } else { count.unready += 1 }
        }
        let shift = self.zones.shift(&counts, now);
        if shift == Shift::None {
            return;
        }
        let names: Vec<Arc<str>> = self.nodes.keys().cloned().collect();
        for name in names {
            if shift == Shift::NoLongerAllDown {
                let health = self.nodes.get_mut(&name).and_then(|known| known.health.as_mut());
                if let Some(health) = health {
                    health.probed_at = now;
                }
            } else if let Some(node) = controller.informers.nodes.get(&Key::cluster(&name)) {
                self.make_reachable(controller, &name, &node).await;
            }
            controller.look_at(name);
        }
    }

    /// Taints the nodes whose turn it is.
    async fn taint(&mut self, controller: &Controller, now: Timestamp) {
        while let Some(name) = self.zones.next(now) {
            let Some(node) = controller.informers.nodes.get(&Key::cluster(&name)) else { continue };
            let Some(ready) = health::ready(&node) else {
                let later = now.checked_add(RETRY).unwrap_or(Timestamp::MAX);
                self.zones.enqueue(&zone(&node), &name, later);
                continue;
            };
            // One that is ready again is looked at anyway.
            if ready != Ready::True
                && let Some(taints) = taints::driven(&node, ready, now)
            {
                self.set_taints(controller, &name, &node, &taints).await;
            }
        }
    }
}

/// Writes the conditions of a node that says nothing any more.
async fn silence(controller: &Controller, node: &Node, changed: &[NodeCondition]) -> Result<(), kube::Error> {
    if changed.is_empty() {
        return Ok(());
    }
    let version = &node.metadata.resource_version;
    let change = json!({"metadata": {"resourceVersion": version}, "status": {"conditions": changed}});
    let (key, change) = (Key::of(node), Patch::Strategic(change));
    writes::unless_gone(controller.writer.patch::<Node>(&key, Some("status"), &change).await)
}
