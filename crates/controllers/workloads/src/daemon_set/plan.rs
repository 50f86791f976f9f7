//! What a DaemonSet needs on each node, whatever the template: one pod where there shall be one.
//!
//! **Spec:** upstream's `podsShouldBeOnNode` and `getUnscheduledPodsWithoutNode`. A pod that failed
//! is replaced after a back-off, because its node's agent may refuse the next one as well.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use mainstay_control::meta::is_terminating;

use super::board::Board;
use super::size;
use crate::history::revision_label;
use crate::pods;

/// What to do.
#[derive(Debug, Default)]
pub struct Plan {
    /// Nodes that get a pod.
    pub create: Vec<String>,
    /// Pods that go.
    pub delete: Vec<Arc<Pod>>,
    /// Those among them that failed, with their nodes.
    pub failed: Vec<(String, Arc<Pod>)>,
    /// Those among them that ran to a good end, with their nodes.
    pub succeeded: Vec<(String, Arc<Pod>)>,
    /// When to look again, if nothing changes before.
    pub next: Option<Duration>,
}

impl Plan {
    /// Whether there is nothing to do now.
    pub fn is_empty(&self) -> bool {
        self.create.is_empty() && self.delete.is_empty()
    }
}

/// Decides what each node needs; `waiting` says how long the failed pods of a node are left alone.
pub fn advance(board: &Board<'_>, waiting: &dyn Fn(&str) -> Option<Duration>) -> Plan {
    let mut plan = Plan::default();
    for (node, fit) in &board.nodes {
        match board.pods.get(node) {
            None if fit.runs => plan.create.push((*node).to_owned()),
            None => {}
            Some(pods) if fit.keeps => {
                let running = plan.without_ended(node, pods, waiting);
                if size::allows_surge(board.set) {
                    plan.keep_two(board, node, fit.runs, &running);
                } else {
                    plan.delete.extend(running.into_iter().skip(1));
                }
            }
            Some(pods) => plan.delete.extend(live(pods)),
        }
    }
    for (node, pods) in &board.pods {
        if !board.nodes.contains_key(node) {
            // The garbage collection of pods only sees those that are bound.
            plan.delete.extend(pods.iter().filter(|pod| pods::node(pod).is_none()).copied().cloned());
        }
    }
    plan
}

impl Plan {
    /// Clears away pods that ended; returns the others that stay.
    fn without_ended(
        &mut self,
        node: &str,
        pods: &[&Arc<Pod>],
        waiting: &dyn Fn(&str) -> Option<Duration>,
    ) -> Vec<Arc<Pod>> {
        let mut running = Vec::new();
        let mut has_failed = false;
        for pod in live(pods) {
            match pods::phase(&pod) {
                "Failed" => match waiting(node) {
                    Some(delay) => self.next = Some(self.next.map_or(delay, |next| next.min(delay))),
                    // The first one starts the back-off of the others.
                    None if has_failed => {}
                    None => {
                        has_failed = true;
                        self.failed.push((node.to_owned(), pod.clone()));
                        self.delete.push(pod);
                    }
                },
                "Succeeded" => {
                    self.succeeded.push((node.to_owned(), pod.clone()));
                    self.delete.push(pod);
                }
                _ => running.push(pod),
            }
        }
        running
    }

    /// With a surge there may be two: an old one that is ready, and a new one that is not yet.
    fn keep_two(&mut self, board: &Board<'_>, node: &str, runs: bool, running: &[Arc<Pod>]) {
        if running.is_empty() && runs {
            self.create.push(node.to_owned());
        }
        if running.len() < 2 {
            return;
        }
        let (mut new, mut old) = (None, None);
        for pod in running {
            let kept = if revision_label(&pod.metadata) == board.hash { &mut new } else { &mut old };
            match kept {
                None => *kept = Some(pod),
                Some(_) => self.delete.push(pod.clone()),
            }
        }
        if let (Some(new), Some(old)) = (new, old)
            && (!pods::is_ready(old) || board.is_available(new))
        {
            self.delete.push(old.clone());
        }
    }
}

/// Those that are not being deleted.
pub(super) fn live(pods: &[&Arc<Pod>]) -> impl Iterator<Item = Arc<Pod>> {
    pods.iter().filter(|pod| !is_terminating(&pod.metadata)).copied().cloned()
}
