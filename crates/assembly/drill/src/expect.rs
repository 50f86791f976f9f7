//! Whether what was observed is what was expected. Pure.

use mainstay_kinds::drill::Expect;
use serde_json::Value;

/// `Err` says in one line what is otherwise.
pub(crate) fn judge(expected: &Expect, objects: &[Value]) -> Result<(), String> {
    let chosen = describe(expected);
    if let Some(count) = expected.count {
        same(&chosen, "objects", count, number(objects.len()))?;
    } else if objects.is_empty() {
        return Err(format!("{chosen}: there is none"));
    }
    let sum = |field: &str| objects.iter().filter_map(|object| object["status"][field].as_u64()).sum::<u64>();
    if let Some(replicas) = expected.replicas {
        same(&chosen, "replicas", replicas, sum("replicas"))?;
    }
    if let Some(available) = expected.available {
        same(&chosen, "available replicas", available, sum("availableReplicas"))?;
    }
    if let Some(ready) = expected.ready {
        let counts_conditions = matches!(expected.kind.as_str(), "Pod" | "Node");
        let observed = if counts_conditions {
            number(objects.iter().filter(|object| is_ready(object)).count())
        } else {
            sum("readyReplicas")
        };
        same(&chosen, "ready", ready, observed)?;
    }
    if let Some(phase) = &expected.phase {
        let other = objects.iter().find(|object| object["status"]["phase"] != phase.as_str());
        if let Some(object) = other {
            let (name, observed) = (&object["metadata"]["name"], &object["status"]["phase"]);
            return Err(format!("{chosen}: {name} is in phase {observed}, expected {phase}"));
        }
    }
    Ok(())
}

fn same(chosen: &str, what: &str, expected: u32, observed: u64) -> Result<(), String> {
    if u64::from(expected) == observed {
        return Ok(());
    }
    Err(format!("{chosen}: {observed} {what}, expected {expected}"))
}

fn is_ready(object: &Value) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    conditions.is_some_and(|all| {
        all.iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
    })
}

fn describe(expected: &Expect) -> String {
    let mut text = expected.kind.clone();
    if let Some(name) = &expected.name {
        text = format!("{text} {}/{name}", expected.namespace.as_deref().unwrap_or("default"));
    }
    if let Some(selector) = &expected.selector {
        text = format!("{text} with {selector}");
    }
    text
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use mainstay_kinds::drill::Expect;
    use serde_json::json;

    use super::judge;

    fn expect(text: serde_json::Value) -> Expect {
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn each_field_that_is_given_must_hold() {
        let deployment = json!({"metadata": {"name": "web"}, "status": {"replicas": 3, "readyReplicas": 2}});
        let ready = expect(json!({"kind": "Deployment", "name": "web", "replicas": 3, "ready": 2}));
        assert_eq!(judge(&ready, std::slice::from_ref(&deployment)), Ok(()));
        let more = expect(json!({"kind": "Deployment", "name": "web", "available": 3}));
        assert_eq!(
            judge(&more, &[deployment]),
            Err("Deployment default/web: 0 available replicas, expected 3".to_owned())
        );
    }

    #[test]
    fn nothing_is_only_right_where_none_is_expected() {
        let any = expect(json!({"kind": "Pod", "selector": "app=web"}));
        assert_eq!(judge(&any, &[]), Err("Pod with app=web: there is none".to_owned()));
        let none = expect(json!({"kind": "Pod", "selector": "app=web", "count": 0}));
        assert_eq!(judge(&none, &[]), Ok(()));
    }

    #[test]
    fn pods_and_nodes_are_ready_by_their_condition() {
        let pod = |status: &str| json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": status}]}});
        let one = expect(json!({"kind": "Pod", "selector": "app=web", "ready": 1, "phase": "Running"}));
        assert_eq!(judge(&one, &[pod("True"), pod("False")]), Ok(()));
        assert!(judge(&one, &[pod("True"), pod("True")]).is_err());
    }
}
