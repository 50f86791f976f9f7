//! What no pod may do but a privileged one: each check as upstream has it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::checks::{Pod, Violation, counted, plural, quoted, uses};
use super::policy::Version;
use crate::fields::{at, list, number, text};

/// What a runtime grants anyway.
const CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// Settings of the kernel that stay within the pod, and the version each was allowed with.
const SYSCTLS: [(&str, u32); 12] = [
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
];

/// Kinds of processes for `SELinux`, and the version each was allowed with.
const PROCESSES: [(&str, u32); 5] = [
    ("", 0),
    ("container_t", 0),
    ("container_init_t", 0),
    ("container_kvm_t", 0),
    ("container_engine_t", 31),
];

const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";
const SECCOMP_OF_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP: &str = "container.seccomp.security.alpha.kubernetes.io/";

/// Profiles that confine a process.
pub(super) const CONFINED: [&str; 2] = ["RuntimeDefault", "Localhost"];

pub(super) fn app_armor(pod: Pod<'_>, _: Version) -> Option<Violation> {
    let (mut setters, values) = profiles(pod, "appArmorProfile");
    let mut values: Vec<String> = values.into_iter().map(str::to_owned).collect();
    let mut annotations: Vec<String> = annotations(pod)
        .filter(|(key, value)| key.starts_with(APP_ARMOR) && !is_confined_by(value, &["runtime/default"]))
        .map(|(key, value)| format!("{key}={value:?}"))
        .collect();
    annotations.sort_unstable();
    if !annotations.is_empty() {
        setters.push(plural("annotation", annotations.len()));
        values.append(&mut annotations);
    }
    (!setters.is_empty()).then(|| {
        let values_told = quoted(values.iter().map(String::as_str));
        let detail = format!("{} must not set AppArmor profile type to {values_told}", setters.join(" and "));
        Violation::new(&plural("forbidden AppArmor profile", values.len()), detail)
    })
}

pub(super) fn capabilities(pod: Pod<'_>, _: Version) -> Option<Violation> {
    let mut strange = BTreeSet::new();
    let named = pod.named(|container| added_beyond(container, &CAPABILITIES, &mut strange));
    (!named.is_empty()).then(|| {
        let detail = not_to_add(&named, strange);
        Violation::new("non-default capabilities", detail)
    })
}

pub(super) fn host_namespaces(pod: Pod<'_>, _: Version) -> Option<Violation> {
    let shared =
        ["hostNetwork", "hostPID", "hostIPC"].into_iter().filter(|field| is_true(pod.spec, &[*field]));
    let shared: Vec<String> = shared.map(|field| format!("{field}=true")).collect();
    (!shared.is_empty()).then(|| Violation::new("host namespaces", shared.join(", ")))
}

pub(super) fn host_paths(pod: Pod<'_>, _: Version) -> Option<Violation> {
    let volumes = list(pod.spec, &["volumes"]).iter().filter(|volume| at(volume, &["hostPath"]).is_some());
    let named: Vec<&str> = volumes.map(|volume| text(volume, &["name"])).collect();
    (!named.is_empty()).then(|| Violation::new("hostPath volumes", counted("volume", &named)))
}

pub(super) fn host_ports(pod: Pod<'_>, _: Version) -> Option<Violation> {
    let mut ports = BTreeSet::new();
    let named = pod.named(|container| {
        let own = list(container, &["ports"]).iter().filter_map(|port| number(port, &["hostPort"]));
        let own: Vec<String> = own.filter(|port| *port != 0).map(|port| port.to_string()).collect();
        let is_bad = !own.is_empty();
        ports.extend(own);
        is_bad
    });
    (!named.is_empty()).then(|| {
        let word = plural("hostPort", ports.len());
        let ports = ports.into_iter().collect::<Vec<_>>().join(", ");
        let detail = format!("{} {} {word} {ports}", counted("container", &named), uses(named.len()));
        Violation::new("hostPort", detail)
    })
}

pub(super) fn privileged(pod: Pod<'_>, _: Version) -> Option<Violation> {
    let named = pod.named(|container| is_true(container, &["securityContext", "privileged"]));
    (!named.is_empty()).then(|| {
        let detail = format!("{} must not set securityContext.privileged=true", counted("container", &named));
        Violation::new("privileged", detail)
    })
}

pub(super) fn proc_mount(pod: Pod<'_>, _: Version) -> Option<Violation> {
    let mut kinds = BTreeSet::new();
    let named = pod.named(|container| {
        let kind = at(container, &["securityContext", "procMount"]).and_then(Value::as_str);
        kind.is_some_and(|kind| {
            kind != "Default" && {
                kinds.insert(kind);
                true
            }
        })
    });
    (!named.is_empty()).then(|| {
        let (who, kinds) = (counted("container", &named), quoted(kinds));
        Violation::new("procMount", format!("{who} must not set securityContext.procMount to {kinds}"))
    })
}

pub(super) fn se_linux(pod: Pod<'_>, version: Version) -> Option<Violation> {
    let mut types = BTreeSet::new();
    let (mut sets_user, mut sets_role) = (false, false);
    let setters = pod.setters(|holder| {
        let Some(options) = at(holder, &["securityContext", "seLinuxOptions"]) else { return false };
        let [kind, user, role] = ["type", "user", "role"].map(|field| text(options, &[field]));
        let is_allowed = PROCESSES.iter().any(|(known, since)| *known == kind && version.has(*since));
        if !is_allowed {
            types.insert(kind);
        }
        sets_user |= !user.is_empty();
        sets_role |= !role.is_empty();
        !is_allowed || !user.is_empty() || !role.is_empty()
    });
    let mut what = Vec::new();
    if !types.is_empty() {
        what.push(counted("type", &types.into_iter().collect::<Vec<_>>()));
    }
    if sets_user {
        what.push("user may not be set".to_owned());
    }
    if sets_role {
        what.push("role may not be set".to_owned());
    }
    (!setters.is_empty()).then(|| {
        let (who, what) = (setters.join(" and "), what.join("; "));
        Violation::new(
            "seLinuxOptions",
            format!("{who} set forbidden securityContext.seLinuxOptions: {what}"),
        )
    })
}

pub(super) fn seccomp(pod: Pod<'_>, version: Version) -> Option<Violation> {
    if version.has(19) { seccomp_of_fields(pod) } else { seccomp_of_annotations(pod) }
}

/// What the fields set that does not confine.
pub(super) fn seccomp_of_fields(pod: Pod<'_>) -> Option<Violation> {
    let (setters, values) = profiles(pod, "seccompProfile");
    (!setters.is_empty()).then(|| {
        let (who, values) = (setters.join(" and "), quoted(values));
        let detail = format!("{who} must not set securityContext.seccompProfile.type to {values}");
        Violation::new("seccompProfile", detail)
    })
}

fn seccomp_of_annotations(pod: Pod<'_>) -> Option<Violation> {
    let keys: BTreeSet<String> = pod
        .containers()
        .map(|container| format!("{SECCOMP}{}", text(container, &["name"])))
        .chain([SECCOMP_OF_POD.to_owned()])
        .collect();
    let mut forbidden: Vec<String> = annotations(pod)
        .filter(|(key, value)| {
            let defaults = ["runtime/default", "docker/default"];
            keys.contains(*key) && (value.is_empty() || !is_confined_by(value, &defaults))
        })
        .map(|(key, value)| format!("{key}={value:?}"))
        .collect();
    forbidden.sort_unstable();
    (!forbidden.is_empty()).then(|| {
        let word = plural("annotation", forbidden.len());
        Violation::new("seccompProfile", format!("forbidden {word} {}", forbidden.join(", ")))
    })
}

pub(super) fn sysctls(pod: Pod<'_>, version: Version) -> Option<Violation> {
    let set = list(pod.spec, &["securityContext", "sysctls"]).iter().map(|sysctl| text(sysctl, &["name"]));
    let is_allowed = |name: &str| SYSCTLS.iter().any(|(known, since)| *known == name && version.has(*since));
    let forbidden: Vec<&str> = set.filter(|name| !is_allowed(name)).collect();
    (!forbidden.is_empty()).then(|| Violation::new("forbidden sysctls", forbidden.join(", ")))
}

pub(super) fn windows_host_process(pod: Pod<'_>, _: Version) -> Option<Violation> {
    let path = ["securityContext", "windowsOptions", "hostProcess"];
    let setters = pod.setters(|holder| is_true(holder, &path));
    (!setters.is_empty()).then(|| {
        let who = setters.join(" and ");
        Violation::new(
            "hostProcess",
            format!("{who} must not set securityContext.windowsOptions.hostProcess=true"),
        )
    })
}

/// Whether a container adds a capability that is none of these; those go to `strange`.
pub(super) fn added_beyond<'a>(
    container: &'a Value,
    allowed: &[&str],
    strange: &mut BTreeSet<&'a str>,
) -> bool {
    let added = list(container, &["securityContext", "capabilities", "add"]).iter().filter_map(Value::as_str);
    let beyond: Vec<&str> = added.filter(|name| !allowed.contains(name)).collect();
    let is_bad = !beyond.is_empty();
    strange.extend(beyond);
    is_bad
}

/// `container "a" must not include "NET_RAW" in …`
pub(super) fn not_to_add(named: &[&str], strange: BTreeSet<&str>) -> String {
    let (who, what) = (counted("container", named), quoted(strange));
    format!("{who} must not include {what} in securityContext.capabilities.add")
}

pub(super) fn is_true(object: &Value, path: &[&str]) -> bool {
    at(object, path).and_then(Value::as_bool) == Some(true)
}

/// Who sets a profile that does not confine, and which.
fn profiles<'a>(pod: Pod<'a>, field: &str) -> (Vec<String>, BTreeSet<&'a str>) {
    let mut values = BTreeSet::new();
    let setters = pod.setters(|holder| {
        let Some(profile) = at(holder, &["securityContext", field]) else { return false };
        let kind = text(profile, &["type"]);
        !CONFINED.contains(&kind) && {
            values.insert(kind);
            true
        }
    });
    (setters, values)
}

/// Whether the old way to name a profile names one that confines.
fn is_confined_by(value: &str, defaults: &[&str]) -> bool {
    value.is_empty() || defaults.contains(&value) || value.starts_with("localhost/")
}

fn annotations(pod: Pod<'_>) -> impl Iterator<Item = (&str, &str)> {
    let all = at(pod.metadata, &["annotations"]).and_then(Value::as_object).into_iter().flatten();
    all.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
}
