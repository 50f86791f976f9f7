//! Upstream's `TestMatchPodFailurePolicy` and `TestMatchSuccessPolicy`; the cases with a gate off that
//! is on by default are left out.

use k8s_openapi::api::batch::v1::{PodFailurePolicy, SuccessPolicy};
use serde_json::{Value, json};

use super::super::failure_policy::{Meaning, meaning};
use super::super::indexes::Indexes;
use super::super::success_policy;
use super::pod;

/// Rules as `Action In 1,2` or `Action Condition=Status`, one after the other.
fn policy(rules: &[&str]) -> PodFailurePolicy {
    let rules: Vec<Value> = rules
        .iter()
        .map(|rule| {
            let words: Vec<&str> = rule.split(' ').collect();
            match *words {
                [action, pattern] => {
                    let (type_, status) = pattern.split_once('=').unwrap();
                    json!({"action": action, "onPodConditions": [{"type": type_, "status": status}]})
                }
                [action, operator, values, ref name @ ..] => {
                    let values: Vec<i32> = values.split(',').map(|value| value.parse().unwrap()).collect();
                    let codes =
                        json!({"operator": operator, "values": values, "containerName": name.first()});
                    json!({"action": action, "onExitCodes": codes})
                }
                _ => unreachable!("a rule has two words or three"),
            }
        })
        .collect();
    serde_json::from_value(json!({ "rules": rules })).unwrap()
}

/// A pod whose containers ended so (`main:2`, `init!main:0`, `foo:` runs), or with conditions.
fn failed(state: &str) -> std::sync::Arc<k8s_openapi::api::core::v1::Pod> {
    let (mut main, mut init, mut conditions) = (vec![], vec![], vec![]);
    for word in state.split(' ') {
        if let Some((type_, status)) = word.split_once('=') {
            conditions.push(json!({"type": type_, "status": status}));
        } else if let Some((name, code)) = word.split_once(':') {
            let terminated = code.parse::<i32>().ok().map(|code| json!({"exitCode": code}));
            let (list, name) = match name.strip_prefix("init!") {
                Some(name) => (&mut init, name),
                None => (&mut main, name),
            };
            list.push(json!({
                "name": name, "image": "", "imageID": "", "ready": false, "restartCount": 0,
                "state": {"terminated": terminated},
            }));
        }
    }
    let status = json!({"containerStatuses": main, "initContainerStatuses": init, "conditions": conditions});
    pod("mypod", "Failed", None, json!({}), status)
}

#[test]
fn a_failure_means_what_the_first_rule_that_matches_says() {
    let exited = |container: &str, code: i32, index: i32| {
        Meaning::FailsJob(format!(
            "Container {container} for pod default/mypod failed with exit code {code} matching FailJob rule at index {index}"
        ))
    };
    let has = "Pod default/mypod has condition DisruptionTarget matching FailJob rule at index 0";
    let table: &[(&[&str], &str, Meaning)] = &[
        (&["UnknownAction In 1,2", "FailJob In 2,3"], "main:2", exited("main", 2, 1)),
        (
            &["UnknownAction DisruptionTarget=True", "Ignore DisruptionTarget=True"],
            "DisruptionTarget=True",
            Meaning::Ignored,
        ),
        (&["Ignore UnknownOperator 1,2", "FailJob In 2,3"], "main:2", exited("main", 2, 1)),
        (&[], "main:2", Meaning::Counts),
        (&["Ignore In 1,2,3"], "main:2", Meaning::Ignored),
        (&["Ignore In -1073741676,-1073741510"], "main:-1073741510", Meaning::Ignored),
        (&["FailJob In 1,2,3"], "main:2", exited("main", 2, 0)),
        (&["FailJob NotIn 111"], "init!init:0 main:111 support:0", Meaning::Counts),
        (&["FailIndex In 1,2,3"], "main:2", Meaning::FailsIndex),
        (&["FailJob NotIn 0"], "main:1 support:0", exited("main", 1, 0)),
        (&["Count In 1,2,3", "FailJob In 4,5,6"], "main:6", exited("main", 6, 1)),
        (&["Count In 1,2,3"], "foo: bar:2", Meaning::Count),
        (&["FailIndex DisruptionTarget=True"], "DisruptionTarget=True", Meaning::FailsIndex),
        (&["Ignore DisruptionTarget=True"], "DisruptionTarget=True", Meaning::Ignored),
        (&["Ignore DisruptionTarget=False"], "DisruptionTarget=False", Meaning::Ignored),
        (&["Ignore DisruptionTarget=Unknown"], "DisruptionTarget=Unknown", Meaning::Ignored),
        (&["Ignore DisruptionTarget=False"], "DisruptionTarget=True", Meaning::Counts),
        (&["Ignore DisruptionTarget=True"], "DisruptionTarget=False", Meaning::Counts),
        (&["FailJob DisruptionTarget=True"], "DisruptionTarget=True", Meaning::FailsJob(has.to_owned())),
        (&["Count DisruptionTarget=True"], "DisruptionTarget=True", Meaning::Count),
        (
            &[
                "Count NotIn 8",
                "Ignore In 1,2,3",
                "FailJob NotIn 5,6,7",
                "Count ResourceLimitExceeded=True",
                "Ignore DisruptionTarget=True",
            ],
            "main:32",
            Meaning::Count,
        ),
        // Ours: a rule may be about one container only.
        (&["FailJob In 2 side", "Ignore In 2 main"], "main:2", Meaning::Ignored),
        (&["FailJob In 2 setup"], "init!setup:2 main:0", exited("setup", 2, 0)),
    ];
    for (rules, state, expected) in table {
        assert_eq!(meaning(Some(&policy(rules)), &failed(state)), *expected, "{rules:?} {state}");
    }
    assert_eq!(meaning(None, &failed("main:2")), Meaning::Counts);
}

#[test]
fn a_job_has_succeeded_when_a_rule_says_so() {
    let rule = |indexes: Option<&str>, count: Option<i32>| json!({"succeededIndexes": indexes, "succeededCount": count});
    let some = |text| rule(Some(text), None);
    let both = |text, count| rule(Some(text), Some(count));
    for (succeeded, rules, expected) in [
        ("0", vec![], None),
        ("0", vec![some("invalid-form")], None),
        ("0-2,4-7", vec![some("0-2")], Some(0)),
        ("0-2", vec![some("3")], None),
        ("0-2", vec![rule(None, Some(2))], Some(0)),
        ("0-2", vec![rule(None, Some(4))], None),
        ("0-2,4-7", vec![some("9"), some("4,6")], Some(1)),
        ("0-2,4-7", vec![some("0,1"), some("5")], Some(0)),
        ("0-2,4-7", vec![both("3-6", 2)], Some(0)),
        ("0-2,6-7", vec![both("3-6", 2)], None),
        ("", vec![rule(None, Some(4))], None),
        ("1-5,6-9", vec![some("2-4,6-8")], Some(0)),
        ("2-4,6-9", vec![some("2-4,6-9")], Some(0)),
        ("2-5,7-15", vec![some("2-4,8-12")], Some(0)),
        ("1-3", vec![some("")], None),
        ("", vec![some("")], None),
        ("1-3,5-7", vec![some("10-12,14-16")], None),
        ("2-4,6-8", vec![some("1-3,5-7")], None),
        ("2-4,6-8", vec![both("1-3,5-7", 4)], Some(0)),
        ("1-3,5-7", vec![some("2-4,6-9")], None),
        ("1-3,5-7", vec![both("2-4,6-9", 4)], Some(0)),
        ("1-3,7-8", vec![some("0-4,6-9")], None),
        ("1-3,7-8", vec![both("0-4,6-9", 5)], Some(0)),
        ("1-3,5-9", vec![some("0-6,8-9")], None),
        ("1-3,5-9", vec![both("0-6,8-9", 7)], Some(0)),
        ("1-5,7-10", vec![some("0-5,7-9")], None),
        ("1-5,7-10", vec![both("0-5,7-9", 8)], Some(0)),
        ("1-10", vec![some("0-3,6-9")], None),
        ("1-10", vec![both("0-3,6-9", 7)], Some(0)),
    ] {
        let policy: SuccessPolicy = serde_json::from_value(json!({ "rules": rules })).unwrap();
        let met = success_policy::met(Some(&policy), 10, &Indexes::parse(succeeded, 20));
        let expected = expected.map(|index: usize| format!("Matched rules at index {index}"));
        assert_eq!(met, expected, "{succeeded} {policy:?}");
        assert_eq!(success_policy::met(None, 10, &Indexes::parse(succeeded, 20)), None);
    }
}
