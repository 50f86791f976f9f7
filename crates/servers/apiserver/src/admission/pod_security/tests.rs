//! Upstream's own cases of its checks, as tables.

#![allow(clippy::needless_pass_by_value, reason = "literals read better where they are handed over")]

use serde_json::json;

use super::checks::told;
use super::policy::{Level, Standard, Version};
use super::*;

const LATEST: Version = Version::minor(u32::MAX);

/// A pod whose containers are `a`, `b`, … with these security contexts.
fn with(pod: Value, containers: &[Value]) -> Value {
    let names = ["a", "b", "c", "d", "e", "f"];
    let containers = names.iter().zip(containers);
    let containers: Vec<Value> =
        containers.map(|(name, context)| json!({ "name": name, "securityContext": context })).collect();
    json!({ "securityContext": pod, "containers": containers })
}

/// What of the violations begins with the reason the case is about.
fn of_reason(level: Level, version: Version, spec: &Value, metadata: &Value, reason: &str) -> String {
    let all = violations(Standard { level, version }, spec, metadata);
    let own: Vec<_> = all.into_iter().filter(|one| one.reason.starts_with(reason)).collect();
    told(&own)
}

#[track_caller]
fn check(level: Level, reason: &str, cases: &[(Value, &str)]) {
    for (spec, expected) in cases {
        let found = of_reason(level, LATEST, spec, &Value::Null, reason);
        let expected = if expected.is_empty() { String::new() } else { format!("{reason} ({expected})") };
        assert_eq!(found, expected, "{spec}");
    }
}

#[test]
fn a_pod_of_the_baseline_shares_nothing_with_its_host() {
    let ports = |first: &[u16], second: &[u16]| {
        let ports = |all: &[u16]| all.iter().map(|port| json!({ "hostPort": port })).collect::<Vec<_>>();
        json!({ "containers": [{ "name": "a", "ports": ports(first) }, { "name": "b", "ports": ports(second) }] })
    };
    let host = |value: bool| json!({ "hostNetwork": value, "hostPID": value, "hostIPC": value });
    check(
        Level::Baseline,
        "host namespaces",
        &[
            (host(true), "hostNetwork=true, hostPID=true, hostIPC=true"),
            (json!({ "hostPID": true }), "hostPID=true"),
            (host(false), ""),
        ],
    );
    check(
        Level::Baseline,
        "hostPath volumes",
        &[
            (
                json!({ "volumes": [{ "name": "a", "hostPath": { "path": "/" } }, { "name": "b", "emptyDir": {} }] }),
                "volume \"a\"",
            ),
            (
                json!({ "volumes": [{ "name": "a", "hostPath": {} }, { "name": "b", "hostPath": {} }] }),
                "volumes \"a\", \"b\"",
            ),
            (json!({ "volumes": [{ "name": "a" }, { "name": "b", "hostPath": null }] }), ""),
        ],
    );
    check(
        Level::Baseline,
        "hostPort",
        &[
            (ports(&[80], &[0]), "container \"a\" uses hostPort 80"),
            (ports(&[80, 20], &[80, 9]), "containers \"a\", \"b\" use hostPorts 20, 80, 9"),
            (ports(&[0], &[]), ""),
        ],
    );
    check(
        Level::Baseline,
        "hostProcess",
        &[
            (
                with(
                    json!({ "windowsOptions": { "hostProcess": true } }),
                    &[json!({ "windowsOptions": { "hostProcess": true } })],
                ),
                "pod and container \"a\" must not set securityContext.windowsOptions.hostProcess=true",
            ),
            (
                with(
                    json!({ "windowsOptions": {} }),
                    &[json!({ "windowsOptions": { "hostProcess": false } })],
                ),
                "",
            ),
        ],
    );
    check(
        Level::Baseline,
        "forbidden sysctls",
        &[
            (
                with(
                    json!({ "sysctls": [{ "name": "a" }, { "name": "net.ipv4.tcp_rmem" }, { "name": "b" }] }),
                    &[],
                ),
                "a, b",
            ),
            (with(json!({ "sysctls": [{ "name": "kernel.shm_rmid_forced" }] }), &[]), ""),
        ],
    );
}

#[test]
fn a_container_of_the_baseline_has_no_more_power_than_a_runtime_gives() {
    let all = [json!({ "privileged": true }), json!({ "privileged": false }), json!({}), Value::Null];
    check(
        Level::Baseline,
        "privileged",
        &[
            (with(Value::Null, &all), "container \"a\" must not set securityContext.privileged=true"),
            (with(Value::Null, &all[1..]), ""),
        ],
    );
    let add = |names: &[&str]| json!({ "capabilities": { "add": names } });
    check(
        Level::Baseline,
        "non-default capabilities",
        &[
            (
                with(Value::Null, &[add(&["SYS_ADMIN", "CHOWN"]), add(&["CHOWN"]), add(&["NET_RAW"])]),
                "containers \"a\", \"c\" must not include \"NET_RAW\", \"SYS_ADMIN\" in securityContext.capabilities.add",
            ),
            (with(Value::Null, &[add(&["CHOWN", "SYS_CHROOT"]), add(&[]), Value::Null]), ""),
        ],
    );
    let proc = |kind: &str| json!({ "procMount": kind });
    check(
        Level::Baseline,
        "procMount",
        &[
            (
                with(Value::Null, &[proc("Unmasked"), proc("Default"), proc("other")]),
                "containers \"a\", \"c\" must not set securityContext.procMount to \"Unmasked\", \"other\"",
            ),
            (with(Value::Null, &[proc("Default"), json!({})]), ""),
        ],
    );
}

#[test]
fn a_pod_of_the_baseline_leaves_its_confinement_as_it_is() {
    let linux = |options: Value| json!({ "seLinuxOptions": options });
    check(
        Level::Baseline,
        "seLinuxOptions",
        &[
            (
                with(
                    linux(json!({ "type": "foo" })),
                    &[linux(json!({ "type": "bar", "user": "u" })), linux(json!({ "role": "r" }))],
                ),
                "pod and containers \"a\", \"b\" set forbidden securityContext.seLinuxOptions: types \"bar\", \"foo\"; user may not be set; role may not be set",
            ),
            (
                with(linux(json!({ "role": "r" })), &[]),
                "pod set forbidden securityContext.seLinuxOptions: role may not be set",
            ),
            (with(linux(json!({ "type": "container_engine_t", "level": "s0" })), &[linux(json!({}))]), ""),
        ],
    );
    let seccomp = |kind: &str| json!({ "seccompProfile": { "type": kind } });
    check(
        Level::Baseline,
        "seccompProfile",
        &[
            (
                with(seccomp("Unconfined"), &[seccomp("Unconfined"), seccomp("Localhost")]),
                "pod and container \"a\" must not set securityContext.seccompProfile.type to \"Unconfined\"",
            ),
            (with(seccomp("RuntimeDefault"), &[seccomp("Localhost"), json!({})]), ""),
            (with(Value::Null, &[Value::Null]), ""),
        ],
    );
    let armor = |kind: &str| json!({ "appArmorProfile": { "type": kind } });
    check(
        Level::Baseline,
        "forbidden AppArmor profile",
        &[
            (
                with(armor("Unconfined"), &[armor("Unconfined")]),
                "pod and container \"a\" must not set AppArmor profile type to \"Unconfined\"",
            ),
            (with(armor("Localhost"), &[armor("RuntimeDefault"), json!({})]), ""),
        ],
    );
    let annotated = json!({ "annotations": {
        "container.apparmor.security.beta.kubernetes.io/a": "unconfined", "container.apparmor.security.beta.kubernetes.io/b": "bogus",
        "container.apparmor.security.beta.kubernetes.io/c": "localhost/x", "container.apparmor.security.beta.kubernetes.io/d": "",
    }});
    let found = of_reason(Level::Baseline, LATEST, &json!({}), &annotated, "forbidden AppArmor");
    assert_eq!(
        found,
        "forbidden AppArmor profiles (annotations must not set AppArmor profile type to \
         \"container.apparmor.security.beta.kubernetes.io/a=\"unconfined\"\", \
         \"container.apparmor.security.beta.kubernetes.io/b=\"bogus\"\")"
    );
}

#[test]
fn a_restricted_container_gives_up_what_it_does_not_need() {
    let allow = |value: bool| json!({ "allowPrivilegeEscalation": value });
    check(
        Level::Restricted,
        "allowPrivilegeEscalation != false",
        &[
            (
                with(Value::Null, &[allow(true), json!({}), allow(false), Value::Null]),
                "containers \"a\", \"b\", \"d\" must set securityContext.allowPrivilegeEscalation=false",
            ),
            (with(Value::Null, &[allow(false)]), ""),
            (json!({ "os": { "name": "windows" }, "containers": [{ "name": "a" }] }), ""),
        ],
    );
    let caps = |add: &[&str], drop: &[&str]| json!({ "capabilities": { "add": add, "drop": drop } });
    check(
        Level::Restricted,
        "unrestricted capabilities",
        &[
            (
                with(
                    Value::Null,
                    &[
                        caps(&["CHOWN"], &["ALL"]),
                        caps(&[], &["FOO"]),
                        json!({}),
                        caps(&["NET_BIND_SERVICE"], &["ALL"]),
                    ],
                ),
                "containers \"b\", \"c\" must set securityContext.capabilities.drop=[\"ALL\"]; \
          container \"a\" must not include \"CHOWN\" in securityContext.capabilities.add",
            ),
            (with(Value::Null, &[caps(&["NET_BIND_SERVICE"], &["FOO", "ALL"])]), ""),
            (json!({ "os": { "name": "windows" }, "containers": [{ "name": "a" }] }), ""),
        ],
    );
    let volumes = |all: &[(&str, &str)]| {
        let volumes = all.iter().map(|(name, kind)| json!({ "name": name, *kind: {} }));
        json!({ "volumes": volumes.collect::<Vec<_>>() })
    };
    check(
        Level::Restricted,
        "restricted volume types",
        &[
            (
                volumes(&[("x", "hostPath"), ("y", "nfs"), ("z", "secret")]),
                "volumes \"x\", \"y\" use restricted volume types \"hostPath\", \"nfs\"",
            ),
            (volumes(&[("x", "newer")]), "volume \"x\" uses restricted volume type \"unknown\""),
            (
                volumes(&[
                    ("a", "configMap"),
                    ("b", "csi"),
                    ("c", "downwardAPI"),
                    ("d", "emptyDir"),
                    ("e", "ephemeral"),
                ]),
                "",
            ),
            (
                volumes(&[
                    ("a", "image"),
                    ("b", "persistentVolumeClaim"),
                    ("c", "projected"),
                    ("d", "secret"),
                ]),
                "",
            ),
        ],
    );
}

#[test]
fn a_restricted_pod_is_not_root_and_is_confined() {
    let non_root = |value: bool| json!({ "runAsNonRoot": value });
    check(
        Level::Restricted,
        "runAsNonRoot != true",
        &[
            (
                with(Value::Null, &[json!({}), non_root(true)]),
                "pod or container \"a\" must set securityContext.runAsNonRoot=true",
            ),
            (
                with(non_root(false), &[non_root(false), json!({})]),
                "pod and container \"a\" must not set securityContext.runAsNonRoot=false",
            ),
            (
                with(non_root(true), &[non_root(false)]),
                "container \"a\" must not set securityContext.runAsNonRoot=false",
            ),
            (with(non_root(true), &[json!({}), Value::Null]), ""),
            (with(Value::Null, &[non_root(true)]), ""),
        ],
    );
    let user = |id: u32| json!({ "runAsUser": id });
    check(
        Level::Restricted,
        "runAsUser=0",
        &[
            (with(user(0), &[user(0), user(1)]), "pod and container \"a\" must not set runAsUser=0"),
            (with(user(1), &[json!({}), user(1000)]), ""),
        ],
    );
    let seccomp = |kind: &str| json!({ "seccompProfile": { "type": kind } });
    check(
        Level::Restricted,
        "seccompProfile",
        &[
            (
                with(Value::Null, &[json!({}), seccomp("Localhost"), Value::Null]),
                "pod or containers \"a\", \"c\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"",
            ),
            (
                with(seccomp("Unconfined"), &[json!({})]),
                "pod must not set securityContext.seccompProfile.type to \"Unconfined\"",
            ),
            (with(seccomp("RuntimeDefault"), &[json!({})]), ""),
            (with(Value::Null, &[seccomp("RuntimeDefault")]), ""),
            (json!({ "os": { "name": "windows" }, "containers": [{ "name": "a" }] }), ""),
        ],
    );
}

#[test]
fn every_container_is_judged_and_the_baseline_is_not_told_twice() {
    let context = json!({ "privileged": true, "capabilities": { "add": ["NET_RAW"], "drop": ["ALL"] },
        "allowPrivilegeEscalation": false, "runAsNonRoot": true, "seccompProfile": { "type": "Localhost" } });
    let container = |name: &str| json!([{ "name": name, "securityContext": context }]);
    let spec = json!({ "initContainers": container("i"), "containers": container("c"), "ephemeralContainers": container("e"),
        "volumes": [{ "name": "v", "hostPath": {} }] });
    let of = |level| told(&violations(Standard { level, version: LATEST }, &spec, &Value::Null));
    assert_eq!(of(Level::Privileged), "");
    assert_eq!(
        of(Level::Baseline),
        "non-default capabilities (containers \"i\", \"c\", \"e\" must not include \"NET_RAW\" in securityContext.capabilities.add), \
         hostPath volumes (volume \"v\"), \
         privileged (containers \"i\", \"c\", \"e\" must not set securityContext.privileged=true)"
    );
    assert_eq!(
        of(Level::Restricted),
        "privileged (containers \"i\", \"c\", \"e\" must not set securityContext.privileged=true), \
         unrestricted capabilities (containers \"i\", \"c\", \"e\" must not include \"NET_RAW\" in securityContext.capabilities.add), \
         restricted volume types (volume \"v\" uses restricted volume type \"hostPath\")"
    );
}

#[test]
fn an_older_version_has_the_rules_it_had() {
    let sysctl = |name: &str| with(json!({ "sysctls": [{ "name": name }] }), &[]);
    let engine = with(json!({ "seLinuxOptions": { "type": "container_engine_t" } }), &[]);
    let bare = json!({ "containers": [{ "name": "a" }] });
    let windows = json!({ "os": { "name": "windows" }, "containers": [{ "name": "a" }] });
    let root = with(json!({ "runAsUser": 0 }), &[]);
    let cases = [
        (Level::Baseline, sysctl("net.ipv4.ip_local_reserved_ports"), "forbidden sysctls", 26, 27),
        (Level::Baseline, sysctl("net.ipv4.tcp_fin_timeout"), "forbidden sysctls", 28, 29),
        (Level::Baseline, sysctl("net.ipv4.tcp_wmem"), "forbidden sysctls", 31, 32),
        (Level::Baseline, engine, "seLinuxOptions", 30, 31),
        (Level::Restricted, bare.clone(), "allowPrivilegeEscalation", 8, 7),
        (Level::Restricted, bare.clone(), "unrestricted capabilities", 22, 21),
        (Level::Restricted, bare, "seccompProfile", 19, 18),
        (Level::Restricted, root, "runAsUser=0", 23, 22),
        (Level::Restricted, windows, "seccompProfile", 24, 25),
    ];
    for (level, spec, reason, forbidding, allowing) in cases {
        let of = |minor| of_reason(level, Version::minor(minor), &spec, &Value::Null, reason);
        assert!(!of(forbidding).is_empty(), "{reason} at v1.{forbidding}");
        assert_eq!(of(allowing), "", "{reason} at v1.{allowing}");
    }
    let pod = "seccomp.security.alpha.kubernetes.io/pod";
    let metadata = json!({ "annotations": { pod: "unconfined", "container.seccomp.security.alpha.kubernetes.io/a": "docker/default" } });
    let spec = json!({ "containers": [{ "name": "a" }] });
    let found = of_reason(Level::Restricted, Version::minor(18), &spec, &metadata, "seccompProfile");
    assert_eq!(found, format!("seccompProfile (forbidden annotation {pod}=\"unconfined\")"));
}

#[test]
fn labels_are_read_as_strictly_as_they_can_be() {
    let level = "must be one of privileged, baseline, restricted";
    let version = "must be \"latest\" or \"v1.x\"";
    let cases: [(&str, &str, &str, &str); 9] = [
        ("", "privileged:latest", "privileged:latest", ""),
        ("enforce=baseline", "baseline:latest", "baseline:latest", ""),
        ("enforce=baseline enforce-version=v1.20", "baseline:v1.20", "baseline:v1.20", ""),
        ("enforce=restricted warn=baseline", "restricted:latest", "baseline:latest", ""),
        ("enforce=baseline warn-version=v1.0", "baseline:latest", "baseline:v1.0", ""),
        ("warn=restricted audit=baseline", "privileged:latest", "restricted:latest", ""),
        ("enforce=bad", "restricted:latest", "privileged:latest", level),
        ("enforce=baseline warn=bad", "baseline:latest", "privileged:latest", level),
        ("enforce=baseline enforce-version=v1.01", "baseline:latest", "baseline:latest", version),
    ];
    for (labels, enforced, warned, wrong) in cases {
        let pairs: Vec<(String, &str)> = labels
            .split_whitespace()
            .filter_map(|pair| pair.split_once('='))
            .map(|(mode, value)| (format!("pod-security.kubernetes.io/{mode}"), value))
            .collect();
        let find = |label: &str| pairs.iter().find(|(key, _)| key == label).map(|(_, value)| *value);
        let (policy, found) = Policy::of(&find);
        assert_eq!(policy.enforce.to_string(), enforced, "{labels}");
        assert_eq!(policy.warn.to_string(), warned, "{labels}");
        assert_eq!(found.len(), usize::from(!wrong.is_empty()), "{labels}");
        assert!(found.iter().all(|cause| cause.message.ends_with(wrong)), "{labels}");
    }
}

#[test]
fn a_change_is_judged_anew_when_a_container_or_an_image_changes() {
    let pod = |image: &str, count: usize, debuggers: &[(&str, &str)]| {
        let debuggers = debuggers.iter().map(|(name, image)| json!({ "name": name, "image": image }));
        json!({ "metadata": { "labels": { "image": image } }, "spec": {
            "containers": vec![json!({ "name": "a", "image": image }); count], "ephemeralContainers": debuggers.collect::<Vec<_>>(),
        }})
    };
    let before = pod("x", 1, &[("d", "x")]);
    let cases = [
        ("as it was", pod("x", 1, &[("d", "x")]), false),
        ("without its debugger", pod("x", 1, &[]), false),
        ("another image", pod("y", 1, &[("d", "x")]), true),
        ("another container", pod("x", 2, &[("d", "x")]), true),
        ("another debugger", pod("x", 1, &[("d", "x"), ("e", "x")]), true),
        ("another debugger's image", pod("x", 1, &[("d", "y")]), true),
    ];
    for (case, after, expected) in cases {
        assert_eq!(change::is_significant(&before, &after), expected, "{case}");
    }
    let mut labelled = before.clone();
    labelled["metadata"]["labels"]["more"] = json!("1");
    assert!(!change::is_significant(&before, &labelled));
}
