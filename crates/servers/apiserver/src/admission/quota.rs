//! Upstream's `ResourceQuota`: what a write takes from the quotas of its namespace.
//!
//! Upstream charges a quota first and then makes the object, so what comes to nothing has to be given
//! back. Here both are one transaction of the store.
//!
//! **Invariants:** an object that a quota counts is written together with what the quota has used
//! then, or not at all; that holds also for a quota that comes to be, or changes, meanwhile. Nothing
//! is given back here: what is deleted or becomes smaller is for the quota's controller to find.
//!
//! **Not here:** what objects use (`resource::quota`), recalculation (`workloads`).

use std::sync::Arc;
use std::time::Duration;

use mainstay_resource::managed::{self, Author};
use mainstay_resource::quota::{Measure, amounts};
use mainstay_resource::{GroupVersionKind, Schema};
use mainstay_store::{Change, Expect, Query, Record, Store, Unchanged, Write};
use serde_json::Value;

use crate::registry::{Action, ResourceInfo};
use crate::status::Status;
use crate::verbs::Request;
use crate::{encode, tags};

mod check;
#[cfg(test)]
mod tests;

use check::{Charge, Quota, Refusal, is_concerned};

const QUOTAS: &str = "/resourcequotas";
/// How often, and how far apart, a quota is looked at whose use is being calculated.
const LOOKS: usize = 50;
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// What is to be written together with an object.
#[derive(Default)]
pub(crate) struct Charges {
    /// The quotas as they are then.
    pub(crate) writes: Vec<Write>,
    /// The quotas it rests on; nothing when no quota can be concerned.
    pub(crate) unchanged: Option<Unchanged>,
}

/// What a write of `object`, in its stored version, takes from the quotas of its namespace; `before`
/// is what it replaces.
pub(crate) async fn charge(
    request: &Request<'_>,
    before: Option<&Value>,
    object: &Value,
) -> Result<Charges, Status> {
    let info = request.info;
    let part = request.subresource.map(|part| &part.action);
    let measure = measure(info, part, before, object);
    let Some(measure) = measure else { return Ok(Charges::default()) };
    let mut looks = 0;
    loop {
        let store = request.server.store();
        let (quotas, since) = of_namespace(store, request.namespace());
        let unchanged = Unchanged { resource: QUOTAS.into(), namespace: request.namespace().into(), since };
        if quotas.is_empty() {
            return Ok(Charges { writes: Vec::new(), unchanged: Some(unchanged) });
        }
        let held: Vec<Quota> = quotas.iter().map(|(_, quota)| Quota::of(quota)).collect();
        let is_status = part == Some(&Action::Status);
        let change = check::Change { before, object, is_status, now: request.server.world().now() };
        match check::check(&measure, &held, &change) {
            Ok(charges) => {
                let now = request.server.now();
                let writes =
                    charges.iter().map(|charge| write(&quotas[charge.quota], charge, &now)).collect();
                return Ok(Charges { writes, unchanged: Some(unchanged) });
            }
            Err(Refusal::Unknown(_)) if looks < LOOKS => looks += 1,
            Err(Refusal::Unknown(why) | Refusal::Exceeded(why)) => {
                return Err(Status::forbidden(info, super::name(request, object), &why));
            }
        }
        request.server.world().clock().sleep(BETWEEN_LOOKS).await;
    }
}

/// How an object is measured that a write concerns quotas with; `None` for most writes.
fn measure(
    info: &ResourceInfo,
    part: Option<&Action>,
    before: Option<&Value>,
    object: &Value,
) -> Option<Measure> {
    let is_update_of_others = || before.is_some() && !info.group.is_empty();
    if !info.namespaced || is_update_of_others() {
        return None;
    }
    let measure = Measure::of(&info.group, &info.resource)?;
    is_concerned(&measure, part, before, object).then_some(measure)
}

/// The quotas of a namespace by name, and when they were so.
fn of_namespace(store: &Store, namespace: &str) -> (Vec<(Arc<Record>, Value)>, u64) {
    let query = Query { resource: QUOTAS, namespace: Some(namespace), ..Query::default() };
    let Ok(page) = store.list(&query, &|_| true) else { return (Vec::new(), 0) };
    let decoded = page.records.into_iter().map(|record| {
        let quota = encode::decode(&record.value);
        (record, quota)
    });
    (decoded.collect(), page.revision)
}

/// A quota with what it has used after a charge.
fn write((record, before): &(Arc<Record>, Value), charge: &Charge, now: &str) -> Write {
    let mut quota = before.clone();
    quota["status"]["used"] = amounts::to_value(&charge.used);
    let schema = Schema::for_kind_or_custom(&GroupVersionKind::new("", "v1", "ResourceQuota"));
    let author = Author {
        manager: "kube-apiserver",
        api_version: "v1",
        subresource: "status",
        now,
        ignored: &[&["spec"], &["metadata", "labels"], &["metadata", "ownerReferences"]],
    };
    managed::update(Some(before), &mut quota, schema, &author);
    Write {
        key: record.key.clone(),
        expect: Expect::Revision(record.revision),
        change: Change::Put(encode::draft(&quota), tags::of(QUOTAS, &quota)),
    }
}
