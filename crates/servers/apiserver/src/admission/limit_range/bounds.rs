//! What containers, pods and claims may ask for.

use mainstay_resource::Quantity;
use mainstay_resource::quota::{Amounts, amounts, spec_limits, spec_requests};
use serde_json::Value;

use super::CLAIM;
use crate::fields::{at, list, text};

/// What is asked for, and at most used.
struct Asked {
    requests: Amounts,
    limits: Amounts,
}

/// What a LimitRange has against a pod and each of its containers.
pub(super) fn of_pod(range: &Value, pod: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for item in list(range, &["spec", "limits"]) {
        match text(item, &["type"]) {
            kind @ "Container" => {
                for containers in ["containers", "initContainers"] {
                    for container in list(pod, &["spec", containers]) {
                        let class = |class| amounts::read(at(container, &["resources", class]));
                        let asked = Asked { requests: class("requests"), limits: class("limits") };
                        check(item, kind, &asked, &mut wrong);
                    }
                }
            }
            kind @ "Pod" => {
                let asked = Asked { requests: spec_requests(pod), limits: spec_limits(pod) };
                check(item, kind, &asked, &mut wrong);
            }
            _ => {}
        }
    }
    wrong
}

/// What a LimitRange has against a claim; only what it requests counts.
pub(super) fn of_claim(range: &Value, claim: &Value) -> Vec<String> {
    let requests = amounts::read(at(claim, &["spec", "resources", "requests"]));
    let asked = Asked { requests, limits: Amounts::new() };
    let items = list(range, &["spec", "limits"]).iter();
    let mut wrong = Vec::new();
    for item in items.filter(|item| text(item, &["type"]) == CLAIM) {
        for (name, least) in amounts::read(at(item, &["min"])) {
            wrong.extend(asked.too_little(CLAIM, &name, least));
        }
        for (name, most) in amounts::read(at(item, &["max"])) {
            wrong.extend(asked.requests_too_much(CLAIM, &name, most));
        }
    }
    wrong
}

fn check(item: &Value, kind: &str, asked: &Asked, wrong: &mut Vec<String>) {
    for (name, least) in amounts::read(at(item, &["min"])) {
        wrong.extend(asked.too_little(kind, &name, least));
    }
    for (name, most) in amounts::read(at(item, &["max"])) {
        wrong.extend(asked.too_much(kind, &name, most));
    }
    for (name, most) in amounts::read(at(item, &["maxLimitRequestRatio"])) {
        wrong.extend(asked.too_far_apart(kind, &name, most));
    }
}

impl Asked {
    fn of(&self, name: &str) -> (Option<Quantity>, Option<Quantity>) {
        (self.requests.get(name).copied(), self.limits.get(name).copied())
    }

    fn too_little(&self, kind: &str, name: &str, least: Quantity) -> Option<String> {
        let bound = format!("minimum {name} usage per {kind} is {least}");
        match self.of(name) {
            (None, _) => Some(format!("{bound}.  No request is specified")),
            (Some(request), _) if request < least => Some(format!("{bound}, but request is {request}")),
            (_, Some(limit)) if limit < least => Some(format!("{bound}, but limit is {limit}")),
            _ => None,
        }
    }

    fn too_much(&self, kind: &str, name: &str, most: Quantity) -> Option<String> {
        let bound = format!("maximum {name} usage per {kind} is {most}");
        match self.of(name) {
            (_, None) => Some(format!("{bound}.  No limit is specified")),
            (_, Some(limit)) if limit > most => Some(format!("{bound}, but limit is {limit}")),
            (Some(request), _) if request > most => Some(format!("{bound}, but request is {request}")),
            _ => None,
        }
    }

    fn requests_too_much(&self, kind: &str, name: &str, most: Quantity) -> Option<String> {
        let bound = format!("maximum {name} usage per {kind} is {most}");
        match self.of(name).0 {
            None => Some(format!("{bound}.  No request is specified")),
            Some(request) if request > most => Some(format!("{bound}, but request is {request}")),
            Some(_) => None,
        }
    }

    fn too_far_apart(&self, kind: &str, name: &str, most: Quantity) -> Option<String> {
        let bound = format!("{name} max limit to request ratio per {kind} is {most}");
        let there = |amount: &Quantity| !amount.is_zero();
        let (request, limit) = self.of(name);
        let Some(request) = request.filter(there) else {
            return Some(format!("{bound}, but no request is specified or request is 0"));
        };
        let Some(limit) = limit.filter(there) else {
            return Some(format!("{bound}, but no limit is specified or limit is 0"));
        };
        // In thousandths, so that what is exact stays so.
        let thousandths = |amount: Quantity| amount.checked_mul(1000).unwrap_or(amount).approximate();
        let ratio = thousandths(limit) / thousandths(request);
        (ratio * 1000.0 > thousandths(most)).then(|| format!("{bound}, but provided ratio is {ratio:.6}"))
    }
}
