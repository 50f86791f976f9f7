//! What each line of a scene means.

use std::collections::BTreeMap;

use mainstay_control::Key;
use serde_json::{Map, Value, json};

use crate::Snapshot;

/// What the lines below a line are about.
pub(super) enum Below {
    Nothing,
    Node,
    Pod,
    Wanted,
}

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// `name label=value …`
pub(super) fn node(line: &str) -> Value {
    let (name, labels) = line.split_once(' ').unwrap_or((line, ""));
    let plenty = json!({"cpu": "1000", "memory": "1000Gi", "pods": "1000"});
    json!({"metadata": {"name": name, "labels": pairs(labels)}, "spec": {"taints": []},
           "status": {"allocatable": plenty, "images": []}})
}

/// `offers`, `taint`, `image`, `cordoned`
pub(super) fn of_node(node: &mut Value, line: &str) {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "offers" => {
            let mut offers = pairs(rest);
            offers.entry("pods").or_insert(json!("1000"));
            node["status"]["allocatable"] = Value::Object(offers);
        }
        "taint" => {
            let (taint, effect) = rest.rsplit_once(':').unwrap();
            let (key, value) = taint.split_once('=').unwrap();
            push(&mut node["spec"]["taints"], json!({"key": key, "value": value, "effect": effect}));
        }
        "image" => {
            let (name, size) = rest.rsplit_once(' ').unwrap();
            let size: i64 = size.parse().unwrap();
            push(&mut node["status"]["images"], json!({"names": [name], "sizeBytes": size}));
        }
        "cordoned" => node["spec"]["unschedulable"] = json!(true),
        other => panic!("{other}"),
    }
}

/// `node*2 node: namespace/ label=value …`
pub(super) fn placed(line: &str) -> (Vec<(String, usize)>, Value) {
    let (nodes, labels) = line.split_once(':').unwrap();
    let place = |place: &str| match place.split_once('*') {
        Some((node, times)) => (node.to_owned(), times.parse().unwrap()),
        None => (place.to_owned(), 1),
    };
    (nodes.split(' ').map(place).collect(), labelled(labels))
}

/// `namespace/ label=value …`
pub(super) fn labelled(line: &str) -> Value {
    let line = line.trim();
    let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
    let (namespace, labels) = match first.strip_suffix('/') {
        Some(namespace) => (namespace, rest),
        None => ("default", line),
    };
    json!({"metadata": {"namespace": namespace, "labels": pairs(labels)}, "spec": {"containers": []}})
}

/// `namespace name label=value …`, `service name label=value …`
pub(super) fn relate(snapshot: &mut Snapshot, word: &str, rest: &str) {
    let (name, labels) = rest.split_once(' ').unwrap_or((rest, ""));
    let text = |(key, value): (String, Value)| (key, value.as_str().unwrap().to_owned());
    let labels: BTreeMap<_, _> = pairs(labels).into_iter().map(text).collect();
    match word {
        "namespace" => snapshot.put_namespace(name, Some(labels)),
        _ => snapshot.relations_mut().put_service(&Key::new("default", name), Some(labels)),
    }
}

/// What a pod asks for.
pub(super) fn of_pod(pod: &mut Value, line: &str) {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let spec = &mut pod["spec"];
    match word {
        "leaving" => pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z"),
        "asks" => push(&mut spec["containers"], json!({"resources": {"requests": pairs(rest)}})),
        "runs" => push(&mut spec["containers"], json!({"image": rest})),
        "port" => push(&mut spec["containers"], json!({"ports": [port(rest)]})),
        "first" | "beside" => push(&mut spec["initContainers"], init(word, rest)),
        "overhead" => spec["overhead"] = Value::Object(pairs(rest)),
        "altogether" => spec["resources"] = json!({"requests": pairs(rest)}),
        "selects" => spec["nodeSelector"] = Value::Object(pairs(rest)),
        "bears" => push(&mut spec["tolerations"], toleration(rest)),
        "needs" => {
            let required = &mut spec["affinity"]["nodeAffinity"][REQUIRED]["nodeSelectorTerms"];
            if rest == "nothing" {
                *required = json!([]);
            } else {
                push(required, node_term(rest));
            }
        }
        "likes" => {
            let (weight, term) = rest.split_once(':').unwrap();
            let weight: i64 = weight.parse().unwrap();
            let preferred = &mut spec["affinity"]["nodeAffinity"][PREFERRED];
            push(preferred, json!({"weight": weight, "preference": node_term(term)}));
        }
        "near" => company(&mut spec["affinity"]["podAffinity"], rest),
        "far" => company(&mut spec["affinity"]["podAntiAffinity"], rest),
        "spread" => push(&mut spec["topologySpreadConstraints"], spread(rest)),
        other => panic!("{other}"),
    }
}

fn init(word: &str, rest: &str) -> Value {
    let mut container = match rest.split_once(' ') {
        Some(("runs", image)) => json!({"image": image}),
        Some(("port", number)) => json!({"ports": [port(number)]}),
        _ => json!({"resources": {"requests": pairs(rest)}}),
    };
    if word == "beside" {
        container["restartPolicy"] = json!("Always");
    }
    container
}

/// `TCP/0.0.0.0/80`
fn port(text: &str) -> Value {
    let parts: Vec<&str> = text.split('/').collect();
    let number: i32 = parts[2].parse().unwrap();
    json!({"protocol": parts[0], "hostIP": parts[1], "hostPort": number, "containerPort": number})
}

/// `key=value:effect`, `key*:effect`
fn toleration(text: &str) -> Value {
    let (toleration, effect) = text.rsplit_once(':').unwrap();
    match (toleration.strip_suffix('*'), toleration.split_once('=')) {
        (Some(key), _) => json!({"key": key, "operator": "Exists", "effect": effect}),
        (_, Some((key, value))) => json!({"key": key, "value": value, "effect": effect}),
        _ => panic!("{text}"),
    }
}

/// Conditions on labels, and after a dot on fields.
fn node_term(text: &str) -> Value {
    let all = || text.trim().split("; ").filter(|text| !text.is_empty());
    let labels: Vec<Value> = all().filter(|text| !text.starts_with('.')).map(expression).collect();
    let fields: Vec<Value> = all().filter_map(|text| text.strip_prefix('.')).map(expression).collect();
    json!({"matchExpressions": labels, "matchFields": fields})
}

/// `weight key: selector @ namespaces @@ selector of namespaces`
fn company(affinity: &mut Value, text: &str) {
    let (head, tail) = text.split_once(": ").unwrap();
    let (tail, scope) = tail.split_once(" @@ ").map_or((tail, None), |(tail, scope)| (tail, Some(scope)));
    let (tail, namespaces) = tail.split_once(" @ ").map_or((tail, None), |(tail, names)| (tail, Some(names)));
    let key = |key: &str| if key == "-" { String::new() } else { key.to_owned() };
    let term = |topology: &str| {
        let mut term = json!({"topologyKey": key(topology), "labelSelector": selector(tail)});
        if let Some(namespaces) = namespaces {
            term["namespaces"] = json!(namespaces.split(',').collect::<Vec<_>>());
        }
        if let Some(scope) = scope {
            term["namespaceSelector"] = selector(scope);
        }
        term
    };
    match head.split_once(' ') {
        Some((weight, topology)) => {
            let weight: i64 = weight.parse().unwrap();
            push(&mut affinity[PREFERRED], json!({"weight": weight, "podAffinityTerm": term(topology)}));
        }
        None => push(&mut affinity[REQUIRED], term(head)),
    }
}

/// `key skew strictly|softly options: selector`
fn spread(text: &str) -> Value {
    let (head, tail) = text.split_once(": ").unwrap();
    let words: Vec<&str> = head.split(' ').collect();
    let skew: i64 = words[1].parse().unwrap();
    let when = if words[2] == "strictly" { "DoNotSchedule" } else { "ScheduleAnyway" };
    let mut spread = json!({"topologyKey": words[0], "maxSkew": skew, "whenUnsatisfiable": when,
                            "labelSelector": selector(tail)});
    for option in &words[3..] {
        let (name, value) = option.split_once('=').unwrap();
        let (field, value) = match name {
            "domains" => ("minDomains", json!(value.parse::<i32>().unwrap())),
            "affinity" => ("nodeAffinityPolicy", json!(value)),
            "taints" => ("nodeTaintsPolicy", json!(value)),
            "keys" => ("matchLabelKeys", json!(value.split(',').collect::<Vec<_>>())),
            other => panic!("{other}"),
        };
        spread[field] = value;
    }
    spread
}

/// Conditions; `*` is none, `-` no selector at all.
fn selector(text: &str) -> Value {
    match text.trim() {
        "-" => Value::Null,
        "*" => json!({}),
        text => json!({"matchExpressions": text.split("; ").map(expression).collect::<Vec<_>>()}),
    }
}

/// `key in (a,b)`, `key notin (a)`, `key`, `!key`, `key > 1`, `key < 1`
fn expression(text: &str) -> Value {
    let values = |text: &str| {
        let text = text.trim_start_matches('(').trim_end_matches(')');
        text.split(',').map(str::to_owned).collect::<Vec<_>>()
    };
    let signs = [(" in ", "In"), (" notin ", "NotIn"), (" > ", "Gt"), (" < ", "Lt")];
    for (sign, operator) in signs {
        if let Some((key, list)) = text.split_once(sign) {
            return json!({"key": key, "operator": operator, "values": values(list)});
        }
    }
    match text.strip_prefix('!') {
        Some(key) => json!({"key": key, "operator": "DoesNotExist"}),
        None => json!({"key": text, "operator": "Exists"}),
    }
}

fn pairs(text: &str) -> Map<String, Value> {
    let pairs = text.split_whitespace().map(|pair| pair.split_once('=').unwrap());
    pairs.map(|(key, value)| (key.to_owned(), json!(value))).collect()
}

fn push(list: &mut Value, one: Value) {
    if list.is_null() {
        *list = json!([]);
    }
    list.as_array_mut().unwrap().push(one);
}
