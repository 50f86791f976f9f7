//! Upstream's `ServiceAccount`: every pod runs as an account of its namespace, carries the
//! account's pull secrets and, unless somebody objects, mounts a token.
//!
//! A controller makes a namespace's `default` account a moment after the namespace, so a pod that
//! comes in between waits for it, as long as upstream does.

use std::time::Duration;

use mainstay_resource::{meta, name};
use mainstay_store::Key;
use serde_json::{Value, json};

use super::look_up;
use crate::fields::{Fill as _, at, list, text};
use crate::verbs::Request;

const ACCOUNTS: &str = "/serviceaccounts";
const DEFAULT: &str = "default";
const MIRROR: &str = "kubernetes.io/config.mirror";
/// What the names of token volumes begin with.
const VOLUME: &str = "kube-api-access-";
const MOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// An hour, and seven seconds by which upstream tells the tokens it mounts itself.
const TOKEN_SECONDS: i64 = 3607;
/// How often, and how far apart, a missing default account is looked for. Upstream draws the
/// distance from 100 to 200 ms; this is its middle.
const LOOKS: usize = 10;
const BETWEEN_LOOKS: Duration = Duration::from_millis(150);

/// Waits until the default account is there, if the pod is to run as it, but not for ever.
pub(super) async fn await_default(request: &Request<'_>, pod: &Value) {
    if is_mirror(pod) || account_name(pod) != DEFAULT {
        return;
    }
    let store = request.server.store();
    if store.get(&Key::new("/namespaces", "", request.namespace())).is_none() {
        return;
    }
    let key = Key::new(ACCOUNTS, request.namespace(), DEFAULT);
    for _ in 1..LOOKS {
        if store.get(&key).is_some() {
            return;
        }
        request.server.world().clock().sleep(BETWEEN_LOOKS).await;
    }
}

/// Lets a new pod run as its account.
pub(super) fn admit(request: &Request<'_>, pod: &mut Value) -> Result<(), String> {
    if is_mirror(pod) {
        let names_one = !text(pod, &["spec", "serviceAccountName"]).is_empty();
        return if names_one {
            Err("a mirror pod may not reference service accounts".to_owned())
        } else {
            Ok(())
        };
    }
    let account = account_name(pod).to_owned();
    let namespace = request.namespace();
    let found = look_up(request.server.store(), ACCOUNTS, namespace, &account).ok_or_else(|| {
        format!(
            "error looking up service account {namespace}/{account}: serviceaccount \"{account}\" not found"
        )
    })?;
    let suffix = || request.server.world().name_suffix(name::GENERATED_SUFFIX_BYTES);
    run_as(pod, &found, &suffix);
    Ok(())
}

fn is_mirror(pod: &Value) -> bool {
    meta::annotation(pod, MIRROR).is_some()
}

fn account_name(pod: &Value) -> &str {
    match text(pod, &["spec", "serviceAccountName"]) {
        "" => DEFAULT,
        name => name,
    }
}

/// Makes a pod run as `account`; `suffix` completes the name of its token's volume.
pub(super) fn run_as(pod: &mut Value, account: &Value, suffix: &dyn Fn() -> String) {
    let field = "automountServiceAccountToken";
    let mounts = at(pod, &["spec", field]).or_else(|| at(account, &[field])) != Some(&Value::Bool(false));
    let Some(spec) = pod.as_object_mut().and_then(|fields| fields.child_or_new("spec")) else { return };
    for field in ["serviceAccountName", "serviceAccount"] {
        spec.put(field, meta::name(account));
    }
    let has_secrets =
        spec.get("imagePullSecrets").and_then(Value::as_array).is_some_and(|own| !own.is_empty());
    let secrets = list(account, &["imagePullSecrets"]);
    if !has_secrets && !secrets.is_empty() {
        let names: Vec<Value> = secrets.iter().map(|one| json!({ "name": text(one, &["name"]) })).collect();
        spec.put("imagePullSecrets", names);
    }
    if mounts {
        mount(pod, suffix);
    }
}

/// Mounts a token into every container that has nothing at its place.
fn mount(pod: &mut Value, suffix: &dyn Fn() -> String) {
    let volumes = list(pod, &["spec", "volumes"]).iter().map(|volume| text(volume, &["name"]));
    let existing = volumes.into_iter().find(|name| name.starts_with(VOLUME)).map(str::to_owned);
    let volume = existing.clone().unwrap_or_else(|| format!("{VOLUME}{}", suffix()));
    let Some(spec) = pod.as_object_mut().and_then(|fields| fields.child("spec")) else { return };
    let mut needed = false;
    for part in ["initContainers", "containers"] {
        spec.each(part, |container| {
            let mounts = container.entry("volumeMounts").or_insert_with(|| json!([]));
            let Some(mounts) = mounts.as_array_mut() else { return };
            if mounts.iter().all(|mount| text(mount, &["mountPath"]) != MOUNT) {
                mounts.push(json!({ "name": volume, "readOnly": true, "mountPath": MOUNT }));
                needed = true;
            }
        });
    }
    if existing.is_none() && needed {
        let volumes = spec.entry("volumes").or_insert_with(|| json!([]));
        if let Some(volumes) = volumes.as_array_mut() {
            volumes.push(token_volume(&volume));
        }
    }
}

/// The token, the authority that signed the server's certificate, and the pod's namespace.
fn token_volume(name: &str) -> Value {
    json!({ "name": name, "projected": { "defaultMode": 0o644, "sources": [
        { "serviceAccountToken": { "expirationSeconds": TOKEN_SECONDS, "path": "token" } },
        { "configMap": { "name": "kube-root-ca.crt", "items": [{ "key": "ca.crt", "path": "ca.crt" }] } },
        { "downwardAPI": { "items": [{
            "path": "namespace",
            "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.namespace" },
        }] } },
    ] } })
}
