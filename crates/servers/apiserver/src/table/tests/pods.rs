//! Upstream's own cases of a pod's row.

use serde_json::{Map, Value, json};

use super::{options, row};

/// A container's status: `run`, `wait`, `wait:Reason`, `end:Reason:Code` or `none`, then `ready`,
/// `x3` (restarts), `10s` (how long ago it last ended), `started`, `unstarted`.
fn status(text: &str) -> Value {
    let mut status = Map::new();
    let mut words = text.split(' ');
    let state: Vec<&str> = words.next().expect("a state").split(':').collect();
    let state = match *state {
        ["run"] => json!({ "running": {} }),
        ["wait"] => json!({ "waiting": {} }),
        ["wait", reason] => json!({ "waiting": { "reason": reason } }),
        ["end"] => json!({ "terminated": {} }),
        ["end", reason, code] => {
            json!({ "terminated": { "reason": reason, "exitCode": code.parse::<i64>().expect("a code") } })
        }
        _ => json!({}),
    };
    status.insert("state".to_owned(), state);
    for word in words {
        let number = |text: &str| text.parse::<i64>().expect("a number");
        match word {
            "ready" => drop(status.insert("ready".to_owned(), json!(true))),
            "started" => drop(status.insert("started".to_owned(), json!(true))),
            "unstarted" => drop(status.insert("started".to_owned(), json!(false))),
            restarts if restarts.starts_with('x') => {
                status.insert("restartCount".to_owned(), json!(number(&restarts[1..])));
            }
            ago => {
                let ended =
                    options().now - jiff::SignedDuration::from_secs(number(ago.trim_end_matches('s')));
                status.insert(
                    "lastState".to_owned(),
                    json!({ "terminated": { "finishedAt": ended.to_string() } }),
                );
            }
        }
    }
    Value::Object(status)
}

/// What a pod is, besides its containers.
struct Case {
    /// Init containers, and whether they go on beside the others.
    init: (usize, bool),
    containers: usize,
    phase: &'static str,
    reason: &'static str,
    deleted: bool,
    condition: (&'static str, &'static str, &'static str),
    init_statuses: &'static [&'static str],
    statuses: &'static [&'static str],
    expected: &'static str,
}

impl Case {
    fn pod(&self) -> Value {
        let (count, goes_on) = self.init;
        let init = |index: usize| {
            let name = format!("i{index}");
            if goes_on { json!({ "name": name, "restartPolicy": "Always" }) } else { json!({ "name": name }) }
        };
        let containers: Vec<Value> =
            (0..self.containers).map(|index| json!({ "name": format!("c{index}") })).collect();
        let statuses = |prefix: &str, texts: &[&str]| -> Value {
            let named = texts.iter().enumerate().map(|(index, text)| {
                let mut one = status(text);
                one["name"] = json!(format!("{prefix}{index}"));
                one
            });
            named.collect()
        };
        let mut pod = json!({ "metadata": { "name": "p" },
            "spec": { "containers": containers, "initContainers": (0..count).map(init).collect::<Value>() },
            "status": { "phase": self.phase, "initContainerStatuses": statuses("i", self.init_statuses),
                "containerStatuses": statuses("c", self.statuses) } });
        if !self.reason.is_empty() {
            pod["status"]["reason"] = json!(self.reason);
        }
        let (kind, value, reason) = self.condition;
        if !kind.is_empty() {
            pod["status"]["conditions"] = json!([{ "type": kind, "status": value, "reason": reason }]);
        }
        if self.deleted {
            pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:09:50Z");
        }
        pod
    }

    fn check(&self, index: usize) {
        let row = row("", "Pod", self.pod());
        let shown: Vec<&str> = row.split('|').skip(1).take(3).collect();
        assert_eq!(shown.join("|"), self.expected, "case {index}");
    }
}

const NONE: Case = Case {
    init: (0, false),
    containers: 1,
    phase: "podPhase",
    reason: "",
    deleted: false,
    condition: ("", "", ""),
    init_statuses: &[],
    statuses: &[],
    expected: "",
};
const TWO: Case = Case { containers: 2, ..NONE };

#[rustfmt::skip]
const PODS: &[Case] = &[
    Case { statuses: &["run ready x3", "none x3"], expected: "1/2|podPhase|6", ..TWO },
    Case { statuses: &["run ready x3", "wait:ContainerWaitingReason x3"], expected: "1/2|ContainerWaitingReason|6", ..TWO },
    Case { statuses: &["wait:ContainerWaitingReason x3", "end:ContainerTerminatedReason:0 x3"], expected: "0/2|ContainerWaitingReason|6", ..TWO },
    Case { statuses: &["run ready x3", "none ready x3"], expected: "1/2|podPhase|6", ..TWO },
    Case { reason: "podReason", statuses: &["run ready x3", "none ready x3"], expected: "1/2|podReason|6", ..TWO },
    Case { phase: "Running", statuses: &["end:Completed:0 ready x3", "run ready x3"], expected: "1/2|NotReady|6", ..TWO },
    Case { phase: "Running", condition: ("Ready", "True", ""), statuses: &["end:Completed:0 ready x3", "run ready x3"], expected: "1/2|Running|6", ..TWO },
    Case { init: (1, false), init_statuses: &["run x3 10s"], statuses: &["wait"], expected: "0/1|Init:0/1|3 (10s ago)", ..NONE },
    Case { init: (2, false), init_statuses: &["run x3 10s", "wait"], statuses: &["wait"], expected: "0/1|Init:0/2|3 (10s ago)", ..NONE },
    Case { init: (2, false), init_statuses: &["end", "run x3 10s"], statuses: &["wait"], expected: "0/1|Init:1/2|3 (10s ago)", ..NONE },
    Case { init: (2, false), init_statuses: &["end x2 120s", "run x3 10s"], statuses: &["wait"], expected: "0/1|Init:1/2|5 (10s ago)", ..NONE },
    Case { phase: "Running", init: (1, false), init_statuses: &["end x2 120s"], statuses: &["run x4 20s"], expected: "0/1|Running|4 (20s ago)", ..NONE },
    Case { phase: "Running", statuses: &["run ready x3 432000s"], expected: "1/1|Running|3 (5d ago)", ..NONE },
    Case { phase: "Running", statuses: &["run ready x0", "run ready x3 864000s"], expected: "2/2|Running|3 (10d ago)", ..TWO },
    Case { phase: "Running", statuses: &["run ready x6 432000s", "run ready x3 1728000s"], expected: "2/2|Running|9 (5d ago)", ..TWO },
    Case { condition: ("PodScheduled", "False", "SchedulingGated"), expected: "0/2|SchedulingGated|0", ..TWO },
    Case { phase: "Succeeded", statuses: &["end:Completed:0"], expected: "0/1|Completed|0", ..NONE },
    Case { phase: "Failed", statuses: &["end:Error:1"], expected: "0/1|Error|0", ..NONE },
    Case { phase: "Succeeded", deleted: true, statuses: &["end:Completed:0"], expected: "0/1|Completed|0", ..NONE },
    Case { phase: "Running", deleted: true, statuses: &["run"], expected: "0/1|Terminating|0", ..NONE },
    Case { phase: "Pending", deleted: true, expected: "0/1|Terminating|0", ..NONE },
];

#[rustfmt::skip]
const SIDECARS: &[Case] = &[
    Case { phase: "Pending", init: (2, true), condition: ("Initialized", "False", ""), init_statuses: &["run unstarted x3 10s", "wait unstarted"], statuses: &["wait"], expected: "0/3|Init:0/2|3 (10s ago)", ..NONE },
    Case { phase: "Pending", init: (2, true), condition: ("Initialized", "False", ""), init_statuses: &["run started x3 10s", "run unstarted"], statuses: &["wait"], expected: "0/3|Init:1/2|3 (10s ago)", ..NONE },
    Case { phase: "Running", init: (2, true), condition: ("Initialized", "True", ""), init_statuses: &["run started x3 10s", "run started"], statuses: &["run ready x4 20s"], expected: "1/3|Running|7 (10s ago)", ..NONE },
    Case { phase: "Succeeded", init: (2, true), condition: ("Initialized", "True", ""), init_statuses: &["end:Error:137 unstarted x3 10s", "end:Error:137 unstarted"], statuses: &["end:Completed:0 x4 20s"], expected: "0/3|Completed|7 (10s ago)", ..NONE },
];

#[test]
fn a_pods_row_is_upstreams() {
    for (index, case) in PODS.iter().chain(SIDECARS).enumerate() {
        case.check(index);
    }
}

#[test]
fn statuses_of_containers_that_are_not_there_do_no_harm() {
    let pod = json!({ "metadata": { "name": "p" },
        "spec": { "initContainers": [{ "name": "init1" }, { "name": "sidecar1", "restartPolicy": "Always" }], "containers": [{ "name": "container1" }] },
        "status": { "phase": "Running", "initContainerStatuses": [{ "name": "initinvalid" }, { "name": "init1" }, { "name": "sidecar1" }],
            "containerStatuses": [{ "name": "containerinvalid" }, { "name": "container1" }] } });
    assert!(row("", "Pod", pod).starts_with("p|0/2|Init:0/2|0|"));
}

#[test]
fn wide_output_says_where_a_pod_is_and_which_gates_are_open() {
    let case = Case { statuses: &["run ready x3", "none x3"], ..TWO };
    let mut pod = case.pod();
    pod["spec"]["nodeName"] = json!("test1");
    pod["spec"]["readinessGates"] = ["condition1", "condition2", "condition3"]
        .iter()
        .map(|one| json!({ "conditionType": one }))
        .collect();
    pod["status"]["conditions"] =
        json!([{ "type": "condition1", "status": "False" }, { "type": "condition2", "status": "True" }]);
    pod["status"]["podIP"] = json!("1.1.1.1");
    pod["status"]["nominatedNodeName"] = json!("node1");
    for addresses in [json!([{ "ip": "1.1.1.1" }]), json!([{ "ip": "1.1.1.1" }, { "ip": "2001:db8::" }])] {
        pod["status"]["podIPs"] = addresses;
        assert_eq!(row("", "Pod", pod.clone()), "p|1/2|podPhase|6|10m|1.1.1.1|test1|node1|1/3");
    }
    let bare = Case { statuses: &["run ready x3", "wait:ContainerWaitingReason x3"], ..TWO };
    assert_eq!(row("", "Pod", bare.pod()), "p|1/2|ContainerWaitingReason|6|10m|<none>|<none>|<none>|<none>");
}
