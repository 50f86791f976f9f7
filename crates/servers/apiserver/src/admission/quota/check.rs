//! Whether an object fits into quotas, and what they have used with it.
//!
//! **Spec:** upstream's check of a request. Nothing there is limited without a quota by default.

use std::collections::BTreeSet;

use jiff::Timestamp;
use mainstay_resource::quota::{Amounts, Measure, Scope, amounts, is_time_bound, scopes};
use mainstay_resource::{Quantity, meta};
use serde_json::Value;

use crate::fields::at;
use crate::registry::Action;

/// A quota, read.
pub(super) struct Quota<'a> {
    name: &'a str,
    scopes: Vec<Scope<'a>>,
    hard: Amounts,
    used: Amounts,
}

/// A write of an object.
pub(super) struct Change<'a> {
    /// The object it replaces.
    pub(super) before: Option<&'a Value>,
    /// The object as it will be.
    pub(super) object: &'a Value,
    /// Whether it is only told of: what is so already is charged, but never refused.
    pub(super) is_status: bool,
    pub(super) now: Timestamp,
}

/// What one quota has used after a write.
#[derive(Debug, PartialEq)]
pub(super) struct Charge {
    /// Its place among the quotas.
    pub(super) quota: usize,
    pub(super) used: Amounts,
}

/// Why an object is refused.
#[derive(Debug, PartialEq)]
pub(super) enum Refusal {
    /// Nobody knows yet what a quota has used.
    Unknown(String),
    /// It does not fit, or does not say whether it does.
    Exceeded(String),
}

impl<'a> Quota<'a> {
    /// Reads a quota.
    pub(super) fn of(object: &'a Value) -> Self {
        Self {
            name: meta::name(object),
            scopes: object.get("spec").map(scopes).unwrap_or_default(),
            hard: amounts::read(at(object, &["status", "hard"])),
            used: amounts::read(at(object, &["status", "used"])),
        }
    }

    fn contains(&self, measure: &Measure, object: &Value) -> bool {
        self.scopes.iter().all(|scope| measure.is_within(scope, object))
    }
}

/// Whether a write can change what a quota counts. Of an update only what may become more is looked
/// at; what a written status says is so already.
pub(super) fn is_concerned(
    measure: &Measure,
    part: Option<&Action>,
    before: Option<&Value>,
    object: &Value,
) -> bool {
    let allocated = |claim| at(claim, &["status", "allocatedResources", "storage"]);
    match (measure, part, before) {
        (_, None, None) | (Measure::Services | Measure::Claims, None, Some(_)) => true,
        (Measure::Pods, None, Some(before)) => is_time_bound(before) != is_time_bound(object),
        (Measure::Pods, Some(Action::Resize), Some(_)) => true,
        (Measure::Claims, Some(Action::Status), Some(before)) => allocated(before) != allocated(object),
        _ => false,
    }
}

/// What the quotas that count an object have used with it.
pub(super) fn check(
    measure: &Measure,
    quotas: &[Quota<'_>],
    change: &Change<'_>,
) -> Result<Vec<Charge>, Refusal> {
    let mut concerned = Vec::new();
    for (index, quota) in quotas.iter().enumerate() {
        let tracked: BTreeSet<&str> =
            quota.hard.keys().map(String::as_str).filter(|name| measure.tracks(name)).collect();
        if tracked.is_empty() || !quota.contains(measure, change.object) {
            continue;
        }
        if let Some(lacks) = measure.lacks(&tracked, change.object) {
            return Err(Refusal::Exceeded(format!("failed quota: {}: {lacks}", quota.name)));
        }
        if tracked.iter().any(|name| !quota.used.contains_key(*name)) {
            let names: Vec<&str> = tracked.into_iter().collect();
            let (quota, names) = (quota.name, names.join(","));
            return Err(Refusal::Unknown(format!("status unknown for quota: {quota}, resources: {names}")));
        }
        concerned.push((index, quota));
    }
    if concerned.is_empty() {
        return Ok(Vec::new());
    }
    let usage = measure.usage(change.object, change.now);
    refuse_negative(&usage)?;
    let before = change.before.map(|before| (before, measure.usage(before, change.now)));
    let mut charges = Vec::new();
    for (index, quota) in concerned {
        let counted = before.as_ref().filter(|(before, _)| quota.contains(measure, before));
        let more = amounts::increase(counted.map_or(&Amounts::new(), |(_, usage)| usage), &usage);
        charges.extend(charge(index, quota, more, change.is_status)?);
    }
    Ok(charges)
}

fn refuse_negative(usage: &Amounts) -> Result<(), Refusal> {
    let negative = usage.iter().filter(|(_, amount)| **amount < Quantity::ZERO);
    let negative: Vec<&str> = negative.map(|(name, _)| name.as_str()).collect();
    if negative.is_empty() {
        return Ok(());
    }
    Err(Refusal::Exceeded(format!("quota usage is negative for resource(s): {}", negative.join(","))))
}

/// What a quota has used after so much more; `None` when that is nothing it bounds.
fn charge(
    index: usize,
    quota: &Quota<'_>,
    mut more: Amounts,
    is_status: bool,
) -> Result<Option<Charge>, Refusal> {
    more.retain(|name, _| quota.hard.contains_key(name));
    if more.is_empty() {
        return Ok(None);
    }
    let mut used = quota.used.clone();
    amounts::add(&mut used, &more);
    let is_exceeded = |name: &&String| used.get(*name) > quota.hard.get(*name);
    let exceeded: Vec<&str> = more.keys().filter(is_exceeded).map(String::as_str).collect();
    if !exceeded.is_empty() && !is_status {
        let of = |amounts: &Amounts| {
            let named = exceeded.iter().filter_map(|name| Some((*name, *amounts.get(*name)?)));
            amounts::text(named)
        };
        return Err(Refusal::Exceeded(format!(
            "exceeded quota: {}, requested: {}, used: {}, limited: {}",
            quota.name,
            of(&more),
            of(&quota.used),
            of(&quota.hard)
        )));
    }
    Ok(Some(Charge { quota: index, used }))
}
