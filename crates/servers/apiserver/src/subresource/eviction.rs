//! `pods/eviction`: deleting a pod on behalf of a drain, as far as its disruption budget allows.
//!
//! A pod that runs is evicted in three writes: its budget gives one disruption away, the pod
//! announces its end, the pod is deleted.
//!
//! **Invariants:** a budget gives away only what its status allows, over the very revision it was
//! read at; a pod passes by its budget only as long as it is what it was found to be.
//!
//! **Spec:** upstream's eviction storage. It waits half a second after a lost race; here writers
//! meet in one process, so the next try is at once.

use http::{Response, StatusCode};
use mainstay_resource::meta;
use mainstay_store::Record;
use serde_json::{Value, json};

use crate::body::Body;
use crate::encode;
use crate::fields::{at, list, text};
use crate::registry::ResourceInfo;
use crate::status::{Cause, Status};
use crate::verbs::commit::{self, Live, Plan};
use crate::verbs::delete::{self, Options};
use crate::verbs::{Request, expect_kind};
use crate::{decode, negotiate, respond};

mod budget;

use budget::Verdict;

/// How often a pod that changes meanwhile is looked at anew.
const ATTEMPTS: u32 = 20;

/// Evicts the pod in the URL, with the options in the body.
pub(crate) async fn evict(request: &Request<'_>) -> Result<Response<Body>, Status> {
    let options = options(request)?;
    let name = request.name();
    for _ in 0..ATTEMPTS {
        let live = find(request)?;
        if is_guarded(&live.object) {
            return guarded(request, &live, &options).await;
        }
        // A pending pod may come to be ready meanwhile, and then its budget counts.
        let is_held = !is_over(&live.object) && options.revision().is_none();
        let held = if is_held { options.at(live.record.revision) } else { options.clone() };
        match remove(request, &held).await {
            Err(status) if is_conflict(&status) && options.revision().is_none() => {}
            done => return done.map(|()| success_response()),
        }
    }
    Err(Status::modified(request.info, name))
}

/// The Status of a request that did what it asked for.
pub(super) fn success() -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})
}

fn success_response() -> Response<Body> {
    respond::value(StatusCode::CREATED, &success())
}

/// Reads the body, an Eviction of either version.
fn options(request: &Request<'_>) -> Result<Options, Status> {
    let mut eviction = decode::object(negotiate::media_type(request.headers), &request.body)?.value;
    if text(&eviction, &["apiVersion"]) == "policy/v1beta1" {
        eviction["apiVersion"] = json!("policy/v1");
    }
    expect_kind(&mut eviction, "policy/v1", "Eviction")?;
    if meta::name(&eviction) != request.name() {
        return Err(Status::bad_request("name in URL does not match name in Eviction object"));
    }
    let mut options = at(&eviction, &["deleteOptions"]).cloned().unwrap_or_else(|| json!({}));
    if !options.is_object() {
        return Err(Status::bad_request("deleteOptions of the Eviction is no object"));
    }
    let reckless = "ignoreStoreReadErrorWithClusterBreakingPotential";
    if options[reckless] == json!(true) {
        let why = "can not be set for pod eviction, try after removing the option";
        let cause = Cause::invalid(format!("deleteOptions.{reckless}"), &json!(true), why);
        let info = ResourceInfo::built_in("policy", "v1", "evictions", "Eviction", true);
        return Err(Status::invalid(&info, request.name(), vec![cause]));
    }
    if request.query.dry_run()? {
        options["dryRun"] = json!(["All"]);
    }
    Options::of_value(&options)
}

fn find(request: &Request<'_>) -> Result<Live, Status> {
    let record = request.server.store().get(&request.key(request.name()));
    record.map(Live::of).ok_or_else(|| Status::not_found(request.info, request.name()))
}

/// Whether a pod's end would take something away that its budget guards.
fn is_guarded(pod: &Value) -> bool {
    !is_over(pod) && text(pod, &["status", "phase"]) != "Pending"
}

fn is_over(pod: &Value) -> bool {
    matches!(text(pod, &["status", "phase"]), "Succeeded" | "Failed")
        || meta::deletion_timestamp(pod).is_some()
}

fn is_ready(pod: &Value) -> bool {
    let conditions = list(pod, &["status", "conditions"]);
    conditions.iter().any(|own| own["type"] == "Ready" && own["status"] == "True")
}

fn is_conflict(status: &Status) -> bool {
    status.reason == "Conflict"
}

/// Evicts a pod that runs.
async fn guarded(request: &Request<'_>, live: &Live, options: &Options) -> Result<Response<Body>, Status> {
    let budgets = budget::of(request.server.store(), request.namespace(), &live.object);
    let budget = match budgets.as_slice() {
        [] => return remove(request, options).await.map(|()| success_response()),
        [budget] => budget,
        _ => {
            let message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
            return Err(Status::new(500, "", message));
        }
    };
    let name = meta::name(budget);
    if budget::passes_by(budget, is_ready(&live.object)) {
        // It must be as unhealthy when it goes as it was found.
        let removed = remove(request, &options.at(live.record.revision)).await;
        return match removed {
            Err(status) if is_conflict(&status) && options.revision().is_none() => {
                Err(budget::unprocessed(name))
            }
            done => done.map(|()| success_response()),
        };
    }
    spend(request, name, options.is_dry_run()).await?;
    remove(request, options).await.map(|()| success_response())
}

/// Takes one disruption from a budget.
async fn spend(request: &Request<'_>, name: &str, dry_run: bool) -> Result<(), Status> {
    let snapshot = request.server.registry().snapshot();
    let info = snapshot.find("policy", "v1", "poddisruptionbudgets").ok_or_else(Status::no_such_path)?;
    let mut target = request.target.clone();
    target.name = Some(name.to_owned().into());
    let subresource = info.subresource("status");
    let budgets = Request { info, subresource, target, ..request.clone() };
    let now = request.server.now();
    let mut decide = |live: &Live| match budget::spend(&live.object, request.name(), &now) {
        Verdict::Refused(status) => Err(status),
        Verdict::Spent(mut object) => {
            let author = budgets.author("kube-apiserver", "policy/v1", &now);
            let schema = budgets.schema();
            mainstay_resource::managed::update(Some(&live.object), &mut object, schema, &author);
            Ok(Plan::Put(object))
        }
    };
    commit::change(&budgets, name, true, dry_run, &mut decide).await.map(|_| ())
}

/// Announces the pod's end, then deletes it.
async fn remove(request: &Request<'_>, options: &Options) -> Result<(), Status> {
    if options.is_dry_run() {
        return delete::end(request, request.name(), options).await.map(|_| ());
    }
    let now = request.server.now();
    let retry = options.revision().is_none();
    let mut decide = |live: &Live| {
        check_preconditions(live, options)?;
        let mut pod = live.object.clone();
        Ok(if announce(&mut pod, &now) { Plan::Put(pod) } else { Plan::Keep })
    };
    let stored = commit::change(request, request.name(), retry, false, &mut decide).await?.stored;
    if retry {
        return delete::end(request, request.name(), options).await.map(|_| ());
    }
    // It was this very write that gave it another revision.
    let revision = meta::resource_version(&encode::decode(&stored)).parse().unwrap_or_default();
    delete::end(request, request.name(), &options.at(revision)).await.map(|_| ())
}

fn check_preconditions(live: &Live, options: &Options) -> Result<(), Status> {
    let name = meta::name(&live.object);
    let info = ResourceInfo::built_in("", "v1", "Pod", "Pod", true);
    let uid = meta::uid(&live.object);
    if let Some(wanted) = options.uid().filter(|wanted| *wanted != uid) {
        let why = format!(
            "the UID in the precondition ({wanted}) does not match the UID in record ({uid}). The object might have been deleted and then recreated"
        );
        return Err(Status::conflict(&info, name, &why));
    }
    let Record { revision, .. } = *live.record;
    if let Some(wanted) = options.revision().filter(|wanted| wanted.parse() != Ok(revision)) {
        let why = format!(
            "the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record ({revision}). The object might have been modified"
        );
        return Err(Status::conflict(&info, name, &why));
    }
    Ok(())
}

/// Says in the pod's conditions why it ends; whether that is news.
fn announce(pod: &mut Value, now: &str) -> bool {
    let mut told = json!({
        "type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting", "lastProbeTime": null, "lastTransitionTime": now,
    });
    if !pod["status"].is_object() {
        pod["status"] = json!({});
    }
    let Some(conditions) = pod["status"]["conditions"].as_array_mut() else {
        pod["status"]["conditions"] = json!([told]);
        return true;
    };
    let Some(own) = conditions.iter_mut().find(|own| own["type"] == "DisruptionTarget") else {
        conditions.push(told);
        return true;
    };
    if own["status"] == "True" {
        told["lastTransitionTime"] = own["lastTransitionTime"].take();
        own["lastTransitionTime"] = told["lastTransitionTime"].clone();
    }
    let is_news = ["status", "reason", "message"].iter().any(|field| own[field] != told[field]);
    *own = told;
    is_news
}
