//! Upstream's own cases of its limit ranger, as tables.

#![allow(clippy::needless_pass_by_value, reason = "literals read better where they are handed over")]

use serde_json::json;

use super::*;

/// `cpu=1 disk=2Gi` as amounts; `disk` is short for ephemeral storage.
fn amounts(text: &str) -> Value {
    let pairs = text.split_whitespace().filter_map(|pair| pair.split_once('='));
    let name = |name: &str| if name == "disk" { "ephemeral-storage".to_owned() } else { name.to_owned() };
    pairs.map(|(key, amount)| (name(key), json!(amount))).collect()
}

/// `requests / limits`; a sidecar says `always`.
fn container(name: &str, text: &str) -> Value {
    let (requests, limits) = text.split_once('/').expect("a case says requests and limits");
    let mut container = json!({
        "name": name, "resources": { "requests": amounts(requests), "limits": amounts(limits) },
    });
    if text.contains("always") {
        container["restartPolicy"] = json!("Always");
    }
    container
}

fn pod(count: usize, asks: &str, start: &[&str]) -> Value {
    let all = |count: usize, asks: &dyn Fn(usize) -> String| -> Vec<Value> {
        (0..count).map(|index| container(&format!("foo-{index}"), &asks(index))).collect()
    };
    json!({ "metadata": { "name": "web" }, "spec": {
        "containers": all(count, &|_| asks.to_owned()),
        "initContainers": all(start.len(), &|index| start[index].to_owned()),
    }})
}

/// `Pod min cpu=1; max cpu=2` as a LimitRange of one item.
fn range(text: &str) -> Value {
    let (kind, bounds) = text.split_once(' ').expect("a case says of what it is");
    let mut item = json!({ "type": kind });
    for bound in bounds.split("; ") {
        let (which, amount) = bound.split_once(' ').expect("a case says which bound");
        item[which] = amounts(amount);
    }
    json!({ "spec": { "limits": [item] } })
}

/// A LimitRange with bounds of pods, and bounds and defaults of containers.
fn valid() -> Value {
    let container = "Container max cpu=100m memory=2Gi; min cpu=25m memory=1Mi; \
                     default cpu=75m memory=10Mi; defaultRequest cpu=50m memory=5Mi";
    let mut range = self::range("Pod max cpu=200m memory=4Gi; min cpu=50m memory=2Mi");
    let limits = range["spec"]["limits"].as_array_mut().expect("a range has limits");
    limits.extend(self::range(container)["spec"]["limits"].as_array().cloned().unwrap_or_default());
    range
}

fn told(pod: &Value) -> Option<&str> {
    meta::annotation(pod, "kubernetes.io/limit-ranger")
}

#[test]
fn containers_get_what_they_leave_out_and_the_pod_says_so() {
    let resources =
        |requests: &str, limits: &str| json!({ "requests": amounts(requests), "limits": amounts(limits) });
    let cases = [
        (
            "nothing is said",
            pod(1, "/", &["/"]),
            resources("cpu=50m memory=5Mi", "cpu=75m memory=10Mi"),
            Some(
                "LimitRanger plugin set: cpu, memory request for container foo-0; cpu, memory limit for container \
                 foo-0; cpu, memory request for init container foo-0; cpu, memory limit for init container foo-0",
            ),
        ),
        (
            "a request is said",
            pod(1, "memory=512Mi /", &["memory=512Mi /"]),
            resources("cpu=50m memory=512Mi", "cpu=75m memory=10Mi"),
            Some(
                "LimitRanger plugin set: cpu request for container foo-0; cpu, memory limit for container foo-0; \
                 cpu request for init container foo-0; cpu, memory limit for init container foo-0",
            ),
        ),
        (
            "all is said",
            pod(1, "cpu=100m memory=512Mi / cpu=200m memory=1G", &[]),
            resources("cpu=100m memory=512Mi", "cpu=200m memory=1G"),
            None,
        ),
    ];
    for (what, mut pod, expected, annotation) in cases {
        defaults::give(&valid(), &mut pod);
        for containers in ["containers", "initContainers"] {
            for container in pod["spec"][containers].as_array().unwrap() {
                assert_eq!(container["resources"], expected, "{what}");
            }
        }
        assert_eq!(told(&pod), annotation, "{what}");
    }
}

#[test]
fn a_container_without_resources_gets_all_of_them() {
    let mut pod = json!({ "spec": { "containers": [{ "name": "c" }] } });
    defaults::give(&valid(), &mut pod);
    assert_eq!(pod["spec"]["containers"][0]["resources"]["requests"]["cpu"], "50m");
    let mut untouched = json!({ "spec": { "containers": [{ "name": "c" }] } });
    defaults::give(&range("Pod max cpu=1"), &mut untouched);
    assert_eq!(untouched, json!({ "spec": { "containers": [{ "name": "c" }] } }));
}

#[test]
fn pods_within_the_bounds_are_let_in() {
    let cases = [
        (1, "cpu=100m / ", &[][..], "Container min cpu=50m"),
        (1, "cpu=100m / cpu=200m", &[], "Container min cpu=50m"),
        (1, "memory=60Mi / ", &[], "Container min memory=50Mi"),
        (1, "memory=60Mi / memory=100Mi", &[], "Container min memory=50Mi"),
        (1, "cpu=500m / cpu=1", &[], "Container max cpu=2"),
        (1, " / cpu=1", &[], "Container max cpu=2"),
        (1, "memory=250Mi / memory=500Mi", &[], "Container max memory=1Gi"),
        (1, "cpu=500m / cpu=750m", &[], "Container maxLimitRequestRatio cpu=1.5"),
        (1, " / memory=500Mi", &[], "Container max memory=1Gi"),
        (2, "cpu=75m / ", &[], "Pod min cpu=100m"),
        (2, "cpu=75m / cpu=200m", &[], "Pod min cpu=100m"),
        (2, "memory=60Mi / ", &[], "Pod min memory=100Mi"),
        (2, "memory=60Mi / memory=100Mi", &[], "Pod min memory=100Mi"),
        (2, "memory=60Mi / ", &["memory=100Mi / "], "Pod min memory=100Mi"),
        (2, "memory=60Mi / memory=100Mi", &["memory=80Mi / memory=100Mi"], "Pod min memory=100Mi"),
        (2, "cpu=500m / cpu=1", &[], "Pod max cpu=2"),
        (2, " / cpu=1", &[], "Pod max cpu=2"),
        (2, "cpu=500m / cpu=1", &["cpu=1 / cpu=2", "cpu=1 / cpu=1"], "Pod max cpu=2"),
        (2, " / cpu=1", &[" / cpu=2", " / cpu=2"], "Pod max cpu=2"),
        (2, "memory=250Mi / memory=500Mi", &[], "Pod max memory=1Gi"),
        (2, " / memory=500Mi", &[], "Pod max memory=1Gi"),
        (3, "memory=300Mi / memory=450Mi", &[], "Pod max memory=2Gi; maxLimitRequestRatio memory=1.5"),
        (1, "disk=60Mi / ", &[], "Container min disk=50Mi"),
        (1, "disk=60Mi / disk=100Mi", &[], "Container min disk=50Mi"),
        (1, "disk=250Mi / disk=500Mi", &[], "Container max disk=1Gi"),
        (1, " / disk=500Mi", &[], "Container max disk=1Gi"),
        (2, "disk=60Mi / ", &[], "Container min disk=50Mi"),
        (2, "disk=60Mi / disk=100Mi", &[], "Container min disk=50Mi"),
        (2, "disk=250Mi / disk=500Mi", &[], "Container max disk=600Mi"),
        (2, " / disk=500Mi", &[], "Container max disk=600Mi"),
        (2, "disk=60Mi / ", &[], "Pod min disk=100Mi"),
        (2, "disk=60Mi / disk=100Mi", &[], "Pod min disk=100Mi"),
        (2, "disk=60Mi / ", &["disk=100Mi / "], "Pod min disk=100Mi"),
        (2, "disk=60Mi / disk=100Mi", &["disk=80Mi / disk=100Mi"], "Pod min disk=100Mi"),
        (2, "disk=250Mi / disk=500Mi", &[], "Pod max disk=1Gi"),
        (2, " / disk=500Mi", &[], "Pod max disk=1Gi"),
        (3, "disk=300Mi / disk=450Mi", &[], "Pod max disk=2Gi; maxLimitRequestRatio disk=1.5"),
    ];
    for (count, asks, start, bounds) in cases {
        let wrong = bounds::of_pod(&range(bounds), &pod(count, asks, start));
        assert_eq!(wrong, [""; 0], "{bounds}: {asks}");
    }
}

#[test]
fn pods_beyond_the_bounds_are_told_by_how_much() {
    let cases = [
        (
            1,
            "cpu=40m / ",
            &[][..],
            "Container min cpu=50m",
            "minimum cpu usage per Container is 50m, but request is 40m",
        ),
        (
            1,
            "cpu=40m / cpu=200m",
            &[],
            "Container min cpu=50m",
            "minimum cpu usage per Container is 50m, but request is 40m",
        ),
        (
            1,
            " / ",
            &[],
            "Container min cpu=50m",
            "minimum cpu usage per Container is 50m.  No request is specified",
        ),
        (
            1,
            "memory=40Mi / ",
            &[],
            "Container min memory=50Mi",
            "minimum memory usage per Container is 50Mi, but request is 40Mi",
        ),
        (
            1,
            "memory=40Mi / memory=100Mi",
            &[],
            "Container min memory=50Mi",
            "minimum memory usage per Container is 50Mi, but request is 40Mi",
        ),
        (
            1,
            " / ",
            &[],
            "Container min memory=50Mi",
            "minimum memory usage per Container is 50Mi.  No request is specified",
        ),
        (
            1,
            "cpu=500m / cpu=2500m",
            &[],
            "Container max cpu=2",
            "maximum cpu usage per Container is 2, but limit is 2500m",
        ),
        (
            1,
            " / cpu=2500m",
            &[],
            "Container max cpu=2",
            "maximum cpu usage per Container is 2, but limit is 2500m",
        ),
        (
            1,
            " / ",
            &[],
            "Container max cpu=2",
            "maximum cpu usage per Container is 2.  No limit is specified",
        ),
        (
            1,
            "cpu=1250m / cpu=2500m",
            &[],
            "Container maxLimitRequestRatio cpu=1",
            "cpu max limit to request ratio per Container is 1, but provided ratio is 2.000000",
        ),
        (
            1,
            "memory=250Mi / memory=2Gi",
            &[],
            "Container max memory=1Gi",
            "maximum memory usage per Container is 1Gi, but limit is 2Gi",
        ),
        (
            1,
            " / memory=2Gi",
            &[],
            "Container max memory=1Gi",
            "maximum memory usage per Container is 1Gi, but limit is 2Gi",
        ),
        (
            1,
            " / ",
            &[],
            "Container max memory=1Gi",
            "maximum memory usage per Container is 1Gi.  No limit is specified",
        ),
        (1, "cpu=75m / ", &[], "Pod min cpu=100m", "minimum cpu usage per Pod is 100m, but request is 75m"),
        (
            1,
            "cpu=75m / cpu=200m",
            &[],
            "Pod min cpu=100m",
            "minimum cpu usage per Pod is 100m, but request is 75m",
        ),
        (
            1,
            "memory=60Mi / ",
            &[],
            "Pod min memory=100Mi",
            "minimum memory usage per Pod is 100Mi, but request is 60Mi",
        ),
        (
            1,
            "memory=60Mi / memory=100Mi",
            &[],
            "Pod min memory=100Mi",
            "minimum memory usage per Pod is 100Mi, but request is 60Mi",
        ),
        (3, "cpu=500m / cpu=1", &[], "Pod max cpu=2", "maximum cpu usage per Pod is 2, but limit is 3"),
        (3, " / cpu=1", &[], "Pod max cpu=2", "maximum cpu usage per Pod is 2, but limit is 3"),
        (
            3,
            "memory=250Mi / memory=500Mi",
            &[],
            "Pod max memory=1Gi",
            "maximum memory usage per Pod is 1Gi, but limit is 1500Mi",
        ),
        (
            3,
            " / memory=500Mi",
            &[],
            "Pod max memory=1Gi",
            "maximum memory usage per Pod is 1Gi, but limit is 1500Mi",
        ),
        (
            1,
            " / memory=500Mi",
            &[" / memory=1.5Gi"],
            "Pod max memory=1Gi",
            "maximum memory usage per Pod is 1Gi, but limit is 1536Mi",
        ),
        (
            3,
            "memory=250Mi / memory=500Mi",
            &[],
            "Pod max memory=2Gi; maxLimitRequestRatio memory=1.5",
            "memory max limit to request ratio per Pod is 1500m, but provided ratio is 2.000000",
        ),
        (
            1,
            "disk=40Mi / ",
            &[],
            "Container min disk=50Mi",
            "minimum ephemeral-storage usage per Container is 50Mi, but request is 40Mi",
        ),
        (
            1,
            "disk=40Mi / disk=100Mi",
            &[],
            "Container min disk=50Mi",
            "minimum ephemeral-storage usage per Container is 50Mi, but request is 40Mi",
        ),
        (
            1,
            " / ",
            &[],
            "Container min disk=50Mi",
            "minimum ephemeral-storage usage per Container is 50Mi.  No request is specified",
        ),
        (
            1,
            "disk=250Mi / disk=2Gi",
            &[],
            "Container max disk=1Gi",
            "maximum ephemeral-storage usage per Container is 1Gi, but limit is 2Gi",
        ),
        (
            1,
            " / disk=2Gi",
            &[],
            "Container max disk=1Gi",
            "maximum ephemeral-storage usage per Container is 1Gi, but limit is 2Gi",
        ),
        (
            1,
            " / ",
            &[],
            "Container max disk=1Gi",
            "maximum ephemeral-storage usage per Container is 1Gi.  No limit is specified",
        ),
        (
            2,
            "disk=40Mi / ",
            &[],
            "Container min disk=50Mi",
            "minimum ephemeral-storage usage per Container is 50Mi, but request is 40Mi",
        ),
        (
            2,
            "disk=40Mi / disk=100Mi",
            &[],
            "Container min disk=50Mi",
            "minimum ephemeral-storage usage per Container is 50Mi, but request is 40Mi",
        ),
        (
            2,
            " / ",
            &[],
            "Container min disk=50Mi",
            "minimum ephemeral-storage usage per Container is 50Mi.  No request is specified",
        ),
        (
            2,
            "disk=250Mi / disk=2Gi",
            &[],
            "Container max disk=1Gi",
            "maximum ephemeral-storage usage per Container is 1Gi, but limit is 2Gi",
        ),
        (
            2,
            " / disk=2Gi",
            &[],
            "Container max disk=1Gi",
            "maximum ephemeral-storage usage per Container is 1Gi, but limit is 2Gi",
        ),
        (
            2,
            " / ",
            &[],
            "Container max disk=1Gi",
            "maximum ephemeral-storage usage per Container is 1Gi.  No limit is specified",
        ),
        (
            1,
            "disk=60Mi / ",
            &[],
            "Pod min disk=100Mi",
            "minimum ephemeral-storage usage per Pod is 100Mi, but request is 60Mi",
        ),
        (
            1,
            "disk=60Mi / disk=100Mi",
            &[],
            "Pod min disk=100Mi",
            "minimum ephemeral-storage usage per Pod is 100Mi, but request is 60Mi",
        ),
        (
            3,
            "disk=250Mi / disk=500Mi",
            &[],
            "Pod max disk=1Gi",
            "maximum ephemeral-storage usage per Pod is 1Gi, but limit is 1500Mi",
        ),
        (
            3,
            " / disk=500Mi",
            &[],
            "Pod max disk=1Gi",
            "maximum ephemeral-storage usage per Pod is 1Gi, but limit is 1500Mi",
        ),
        (
            1,
            " / disk=500Mi",
            &[" / disk=1.5Gi"],
            "Pod max disk=1Gi",
            "maximum ephemeral-storage usage per Pod is 1Gi, but limit is 1536Mi",
        ),
        (
            3,
            "disk=250Mi / disk=500Mi",
            &[],
            "Pod max disk=2Gi; maxLimitRequestRatio disk=1.5",
            "ephemeral-storage max limit to request ratio per Pod is 1500m, but provided ratio is 2.000000",
        ),
        (
            1,
            "cpu=1000m / cpu=1500m",
            &["cpu=1500m / always"],
            "Pod max cpu=2",
            "maximum cpu usage per Pod is 2, but request is 2500m",
        ),
    ];
    for (count, asks, start, bounds, expected) in cases {
        let wrong = bounds::of_pod(&range(bounds), &pod(count, asks, start));
        assert_eq!(together(wrong), expected, "{bounds}: {asks}");
    }
}

#[test]
fn several_reasons_are_told_together_and_each_once() {
    let wrong = bounds::of_pod(&range("Container min cpu=50m memory=5Mi"), &pod(2, "/", &[]));
    assert_eq!(
        together(wrong),
        "[minimum cpu usage per Container is 50m.  No request is specified, \
         minimum memory usage per Container is 5Mi.  No request is specified]"
    );
}

#[test]
fn claims_are_bounded_by_what_they_request() {
    let cases = [
        ("1Gi", "min storage=1Gi", None),
        ("1Gi", "max storage=1Gi", None),
        ("100Gi", "min ", None),
        ("5Gi", "min storage=1Gi; max storage=10Gi", None),
        (
            "500Mi",
            "min storage=1Gi",
            Some("minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 500Mi"),
        ),
        (
            "100Gi",
            "min storage=1Gi; max storage=1Gi",
            Some("maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 100Gi"),
        ),
    ];
    for (size, bounds, expected) in cases {
        let claim = json!({ "spec": { "resources": { "requests": { "storage": size } } } });
        let wrong = bounds::of_claim(&range(&format!("{CLAIM} {bounds}")), &claim);
        assert_eq!(wrong.first().map(String::as_str), expected, "{bounds}");
    }
}
