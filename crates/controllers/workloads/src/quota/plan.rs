//! What a quota's status says, and what it should say.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::ResourceQuota;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Written;
use mainstay_control::patch;
use mainstay_resource::Quantity;
use mainstay_resource::quota::{Amounts, Measure, amounts};
use serde_json::{Value, json};

/// The amounts of a quota.
#[derive(Clone, Debug, PartialEq)]
pub struct Bounds {
    /// What it is to bound.
    hard: Amounts,
    /// What its status says it bounds.
    said: Amounts,
    /// What its status says is used.
    used: Amounts,
}

impl Bounds {
    /// Reads a quota.
    pub fn of(quota: &ResourceQuota) -> Self {
        let status = quota.status.as_ref();
        Self {
            hard: read(quota.spec.as_ref().and_then(|spec| spec.hard.as_ref())),
            said: read(status.and_then(|status| status.hard.as_ref())),
            used: read(status.and_then(|status| status.used.as_ref())),
        }
    }

    /// What it is to bound.
    pub fn hard(&self) -> &Amounts {
        &self.hard
    }

    /// What its status says is used.
    pub fn used(&self) -> &Amounts {
        &self.used
    }

    /// What must be looked at to know what is used.
    pub fn measures(&self) -> BTreeSet<Measure> {
        self.hard.keys().filter_map(|name| Measure::tracking(name)).collect()
    }

    /// Whether it bounds something that is measured so.
    pub fn is_on(&self, measure: &Measure) -> bool {
        self.said.keys().any(|name| measure.tracks(name))
    }

    /// What to write before anything is measured: bounds that nobody was told of, with their use
    /// unknown. `None` when there are none that could be measured.
    pub fn announce(&mut self) -> Option<Value> {
        let is_new = |name: &&String| !self.said.contains_key(*name) && Measure::tracking(name).is_some();
        self.hard.keys().find(is_new)?;
        let mut used = self.used.clone();
        used.retain(|name, _| self.hard.contains_key(name) && self.said.contains_key(name));
        self.become_so(used)
    }

    /// What to write when so much was measured; what was not keeps what was said of it.
    pub fn report(&mut self, measured: &Amounts) -> Option<Value> {
        let mut used = self.used.clone();
        used.extend(measured.clone());
        used.retain(|name, _| self.hard.contains_key(name));
        self.become_so(used)
    }

    /// Takes a status over; `None` when it is the same.
    fn become_so(&mut self, used: Amounts) -> Option<Value> {
        if self.said == self.hard && self.used == used {
            return None;
        }
        let status = |hard: &Amounts, used: &Amounts| json!({ "hard": amounts::to_value(hard), "used": amounts::to_value(used) });
        let before = status(&self.said, &self.used);
        self.said.clone_from(&self.hard);
        self.used = used;
        patch::difference(Some(&before), &status(&self.said, &self.used)).ok().flatten()
    }
}

fn read(amounts: Option<&BTreeMap<String, Written>>) -> Amounts {
    let all = amounts.into_iter().flatten();
    all.filter_map(|(name, amount)| Some((name.clone(), Quantity::parse(&amount.0).ok()?))).collect()
}
