//! Ending an object: at once, after its grace period, or when its last finalizer goes.

use http::{Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use mainstay_resource::meta;
use serde_json::Value;

use super::commit::{self, Live, Outcome, Plan};
use super::{Request, metadata};
use crate::body::Body;
use crate::query::check_dry_run;
use crate::registry::ResourceInfo;
use crate::status::{self, Cause, Status};
use crate::{admission, decode, encode, negotiate, respond, server};

const ORPHAN: &str = "orphan";
const FOREGROUND: &str = "foregroundDeletion";
/// What is answered with its last state instead of a Status, as upstream does.
const SHOWN: [&str; 7] = [
    "pods",
    "services",
    "serviceaccounts",
    "persistentvolumeclaims",
    "persistentvolumes",
    "podtemplates",
    "resourcequotas",
];

/// What becomes of an object's dependents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Propagation {
    Orphan,
    Background,
    Foreground,
}

/// How an object is to be deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    grace_seconds: Option<i64>,
    propagation: Option<Propagation>,
    uid: Option<String>,
    resource_version: Option<String>,
    dry_run: bool,
}

/// Deletes the object in the URL.
pub(super) async fn delete(request: &Request<'_>) -> Result<Response<Body>, Status> {
    let options = Options::of(request)?;
    let outcome = end(request, request.name(), &options).await?;
    if !outcome.removed || SHOWN.contains(&&*request.info.resource) {
        return Ok(respond::object(request, StatusCode::OK, &outcome.stored));
    }
    let uid = meta::uid(&encode::decode(&outcome.stored)).to_owned();
    Ok(respond::value(StatusCode::OK, &status::success(request.info, request.name(), &uid)))
}

/// Deletes one object of the request's collection.
pub(crate) async fn end(request: &Request<'_>, name: &str, options: &Options) -> Result<Outcome, Status> {
    let info = request.info;
    admission::delete(info, name)?;
    let retry = options.resource_version.is_none();
    commit::change(request, name, retry, options.dry_run, &mut |live| {
        plan(info, live, options, request.server.world().now())
    })
    .await
}

impl Options {
    /// The options in the body, or where there is none, in the parameters.
    pub(crate) fn of(request: &Request<'_>) -> Result<Self, Status> {
        if request.body.is_empty() {
            return Self::of_query(request);
        }
        let decoded = decode::object(negotiate::media_type(request.headers), &request.body)?;
        let mut options = Self::of_value(&decoded.value)?;
        options.dry_run |= request.dry_run()?;
        Ok(options)
    }

    /// The options as an object.
    pub(crate) fn of_value(value: &Value) -> Result<Self, Status> {
        let text = |pointer: &str| {
            value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let orphan = value.get("orphanDependents").and_then(Value::as_bool);
        let mut dry_run = false;
        for mode in
            value.get("dryRun").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
        {
            check_dry_run(mode).map_err(invalid)?;
            dry_run |= mode == "All";
        }
        Ok(Self {
            grace_seconds: value.get("gracePeriodSeconds").and_then(Value::as_i64),
            propagation: propagation(text("/propagationPolicy").as_deref(), orphan)?,
            uid: text("/preconditions/uid"),
            resource_version: text("/preconditions/resourceVersion"),
            dry_run,
        })
    }

    /// The same, of the object at this revision only.
    pub(crate) fn at(&self, revision: u64) -> Self {
        Self { resource_version: Some(revision.to_string()), ..self.clone() }
    }

    /// The revision the object must have.
    pub(crate) fn revision(&self) -> Option<&str> {
        self.resource_version.as_deref()
    }

    /// The uid the object must have.
    pub(crate) fn uid(&self) -> Option<&str> {
        self.uid.as_deref()
    }

    /// Whether nothing is to be done.
    pub(crate) fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    fn of_query(request: &Request<'_>) -> Result<Self, Status> {
        let query = &request.query;
        Ok(Self {
            grace_seconds: query.number("gracePeriodSeconds")?,
            propagation: propagation(
                query.get("propagationPolicy"),
                query.optional_flag("orphanDependents"),
            )?,
            uid: None,
            resource_version: None,
            dry_run: request.dry_run()?,
        })
    }
}

fn invalid(cause: Cause) -> Status {
    Status::invalid_options("DeleteOptions", vec![cause])
}

fn propagation(policy: Option<&str>, orphan: Option<bool>) -> Result<Option<Propagation>, Status> {
    Ok(match (policy, orphan) {
        (Some(policy), Some(_)) => {
            let why = "orphanDependents and deletionPropagation cannot be both set";
            return Err(invalid(Cause::invalid("propagationPolicy", &Value::from(policy), why)));
        }
        (Some("Orphan"), None) | (None, Some(true)) => Some(Propagation::Orphan),
        (Some("Background"), None) | (None, Some(false)) => Some(Propagation::Background),
        (Some("Foreground"), None) => Some(Propagation::Foreground),
        (None, None) => None,
        (Some(other), None) => {
            let known = ["Foreground", "Background", "Orphan", "nil"];
            return Err(invalid(Cause::unsupported("propagationPolicy", other, &known)));
        }
    })
}

/// What becomes of a live object that is to be deleted.
fn plan(info: &ResourceInfo, live: &Live, options: &Options, now: Timestamp) -> Result<Plan, Status> {
    check_preconditions(info, live, options)?;
    let mut object = live.object.clone();
    set_propagation(&mut object, options.propagation);
    let grace = grace_seconds(info, &object, options);
    if meta::deletion_timestamp(&live.object).is_some() {
        return Ok(again(info, live, object, grace));
    }
    let at = if grace.unwrap_or(0) > 0 {
        now.checked_add(SignedDuration::from_secs(grace.unwrap_or(0))).unwrap_or(now)
    } else {
        now
    };
    let stays = grace.unwrap_or(0) > 0
        || meta::finalizers(&object).next().is_some()
        || metadata::has_content_finalizers(info, &object);
    if !stays && grace.is_none() {
        return Ok(Plan::Remove(object));
    }
    meta::set_deletion_timestamp(&mut object, &server::timestamp(at));
    meta::set_deletion_grace_period_seconds(&mut object, grace.unwrap_or(0));
    if meta::generation(&object) > 0 {
        let next = meta::generation(&object) + 1;
        meta::set_generation(&mut object, next);
    }
    if info.group.is_empty() && &*info.kind == "Namespace" {
        object["status"]["phase"] = Value::from("Terminating");
    }
    Ok(if stays { Plan::Put(object) } else { Plan::Remove(object) })
}

/// A deletion of what is being deleted already: it can only be hurried.
fn again(info: &ResourceInfo, live: &Live, mut object: Value, grace: Option<i64>) -> Plan {
    let before = meta::deletion_grace_period_seconds(&object).unwrap_or(0);
    let wanted = grace.unwrap_or(0);
    if wanted < before {
        let at = meta::deletion_timestamp(&object).and_then(|stamp| stamp.parse::<Timestamp>().ok());
        if let Some(at) = at {
            let earlier = at.checked_sub(SignedDuration::from_secs(before - wanted)).unwrap_or(at);
            meta::set_deletion_timestamp(&mut object, &server::timestamp(earlier));
        }
        meta::set_deletion_grace_period_seconds(&mut object, wanted);
    }
    if metadata::is_finished(info, &object) {
        Plan::Remove(object)
    } else if object == live.object {
        Plan::Keep
    } else {
        Plan::Put(object)
    }
}

/// How long a pod may take to end; nothing for what knows no grace.
fn grace_seconds(info: &ResourceInfo, object: &Value, options: &Options) -> Option<i64> {
    if !info.group.is_empty() || &*info.kind != "Pod" {
        return None;
    }
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let is_over = matches!(text("/status/phase"), "Succeeded" | "Failed");
    if text("/spec/nodeName").is_empty() || is_over {
        return Some(0);
    }
    let own = object.pointer("/spec/terminationGracePeriodSeconds").and_then(Value::as_i64);
    // Upstream takes a negative period for the shortest there is.
    Some(match options.grace_seconds.or(own).unwrap_or(30) {
        negative if negative < 0 => 1,
        seconds => seconds,
    })
}

/// The finalizers the garbage collector answers to.
fn set_propagation(object: &mut Value, propagation: Option<Propagation>) {
    let (wanted, unwanted): (Option<&str>, &[&str]) = match propagation {
        None => return,
        Some(Propagation::Orphan) => (Some(ORPHAN), &[FOREGROUND]),
        Some(Propagation::Foreground) => (Some(FOREGROUND), &[ORPHAN]),
        Some(Propagation::Background) => (None, &[ORPHAN, FOREGROUND]),
    };
    for finalizer in unwanted {
        meta::remove_finalizer(object, finalizer);
    }
    if let Some(finalizer) = wanted {
        meta::add_finalizer(object, finalizer);
    }
}

fn check_preconditions(info: &ResourceInfo, live: &Live, options: &Options) -> Result<(), Status> {
    let name = meta::name(&live.object);
    let actual = meta::uid(&live.object);
    if let Some(uid) = options.uid.as_deref().filter(|uid| *uid != actual) {
        let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {actual}");
        return Err(Status::conflict(info, name, &why));
    }
    let revision = live.record.revision;
    if let Some(wanted) = options.resource_version.as_deref().filter(|wanted| wanted.parse() != Ok(revision))
    {
        let why = format!(
            "Precondition failed: ResourceVersion in precondition: {wanted}, ResourceVersion in object meta: {revision}"
        );
        return Err(Status::conflict(info, name, &why));
    }
    Ok(())
}
