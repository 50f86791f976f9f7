//! Conditions of a status, kept as upstream keeps them.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// Puts a condition in its place; its transition time moves only when its status does.
pub fn set(conditions: &mut Vec<Condition>, mut condition: Condition) {
    match conditions.iter_mut().find(|known| known.type_ == condition.type_) {
        Some(known) => {
            if known.status == condition.status {
                condition.last_transition_time = known.last_transition_time.clone();
            }
            *known = condition;
        }
        None => conditions.push(condition),
    }
}

/// A condition that holds or does not, as of `now`.
pub fn condition(type_: &str, holds: bool, reason: &str, message: &str, now: Timestamp) -> Condition {
    Condition {
        type_: type_.to_owned(),
        status: if holds { "True" } else { "False" }.to_owned(),
        reason: reason.to_owned(),
        message: message.to_owned(),
        last_transition_time: Time(now),
        observed_generation: None,
    }
}

/// Whether the condition of this type is `True`.
pub fn holds(conditions: &[Condition], type_: &str) -> bool {
    conditions.iter().any(|condition| condition.type_ == type_ && condition.status == "True")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conditions_time_moves_only_with_its_status() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut conditions = Vec::new();
        for (second, status, expected) in [(1, true, 1), (2, true, 1), (3, false, 3), (4, true, 4)] {
            set(&mut conditions, condition("Ready", status, "R", "", at(second)));
            assert_eq!(conditions[0].last_transition_time.0, at(expected));
            assert_eq!(holds(&conditions, "Ready"), status);
        }
        assert_eq!(conditions.len(), 1);
    }
}
