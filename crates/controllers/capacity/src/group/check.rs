//! What can be wrong with a node group.

use mainstay_base::limits;
use mainstay_catalogue as catalogue;
use mainstay_resource::name;

use super::{Written, claim_prefix};
use crate::Problem;

impl Written<'_> {
    /// What is wrong with the group.
    pub(super) fn check(&self, region: &catalogue::Region) -> Vec<Problem> {
        let mut wrong = Vec::from_iter(self.check_sizes());
        wrong.extend(self.check_types());
        wrong.extend(self.check_zones(region));
        wrong.extend(self.check_names());
        wrong.extend(self.check_taints());
        wrong
    }

    fn problem(&self, reason: &'static str, message: impl Into<String>) -> Problem {
        Problem::of(&self.name, reason, message)
    }

    fn check_sizes(&self) -> Option<Problem> {
        let (min, desired, max) = self.sizes();
        if min > desired || desired > max {
            let sizes = format!("minSize {min} ≤ desiredCapacity {desired} ≤ maxSize {max} does not hold");
            return Some(self.problem("InvalidSize", sizes));
        }
        (desired > limits::NODE_GROUP_NODES).then(|| {
            let sizes = format!("desiredCapacity {desired} is more than {} nodes", limits::NODE_GROUP_NODES);
            self.problem("InvalidSize", sizes)
        })
    }

    fn check_types(&self) -> Vec<Problem> {
        let mut wrong = Vec::new();
        if self.selects_types {
            let message = "instanceSelector is not acted on; name the instance types";
            wrong.push(self.problem("UnsupportedInstanceSelector", message));
        } else if self.types.is_empty() {
            wrong.push(self.problem("NoInstanceType", "instancesDistribution names no instance type"));
        }
        for name in self.types.iter().filter(|name| catalogue::instance_type(name).is_none()) {
            let message = format!("the catalogue has no instance type {name:?}");
            wrong.push(self.problem("UnknownInstanceType", message));
        }
        if self.spot.on_demand_percentage > 100 {
            let message = "onDemandPercentageAboveBaseCapacity is above 100";
            wrong.push(self.problem("InvalidDistribution", message));
        }
        if self.distribution.is_some_and(|all| matches!(all.spot_instance_pools, Some(0 | 21..))) {
            wrong.push(self.problem("InvalidDistribution", "spotInstancePools is not between 1 and 20"));
        }
        wrong
    }

    fn check_zones(&self, region: &catalogue::Region) -> Vec<Problem> {
        let unknown = self.zones.iter().filter(|zone| region.is_known && !region.zones.contains(zone));
        unknown
            .map(|zone| {
                self.problem("UnknownZone", format!("{} has no availability zone {zone:?}", region.name))
            })
            .collect()
    }

    fn check_names(&self) -> Vec<Problem> {
        let objections = |what: String, objections: Vec<String>| {
            objections.into_iter().map(move |objection| format!("{what}: {objection}"))
        };
        let mut wrong: Vec<String> =
            objections("name".to_owned(), name::dns_label(&claim_prefix(&self.name))).collect();
        for (key, value) in self.labels {
            wrong.extend(objections(format!("label {key:?}"), name::qualified_name(key)));
            wrong.extend(objections(format!("value of label {key:?}"), name::label_value(value)));
        }
        wrong.into_iter().map(|message| self.problem("InvalidLabel", message)).collect()
    }

    fn check_taints(&self) -> Vec<Problem> {
        let mut wrong = Vec::new();
        for taint in self.taints {
            let key = name::qualified_name(&taint.key);
            let value = name::label_value(&taint.value);
            for objection in key.into_iter().chain(value) {
                wrong.push(self.problem("InvalidTaint", format!("taint {:?}: {objection}", taint.key)));
            }
            if !matches!(&*taint.effect, "NoSchedule" | "PreferNoSchedule" | "NoExecute") {
                let message = format!(
                    "taint {:?}: effect {:?} is none of NoSchedule, PreferNoSchedule, NoExecute",
                    taint.key, taint.effect
                );
                wrong.push(self.problem("InvalidTaint", message));
            }
        }
        wrong
    }
}
