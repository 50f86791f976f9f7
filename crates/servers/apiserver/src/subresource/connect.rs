//! `log`, `exec`, `attach`, `portforward`, `proxy`: what a process would have to answer.
//!
//! A simulated container is no process, so these end in a Status that says so, after everything
//! upstream's server checks before it asks the kubelet.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::body::Body;
use crate::encode;
use crate::fields::{at, list, text};
use crate::registry::Action;
use crate::respond;
use crate::status::{Cause, Status};
use crate::verbs::Request;

const LISTS: [(&str, &str); 3] = [
    ("initContainers", "initContainerStatuses"),
    ("containers", "containerStatuses"),
    ("ephemeralContainers", "ephemeralContainerStatuses"),
];

/// Answers a request that needs a process.
pub(crate) fn serve(request: &Request<'_>) -> Result<Response<Body>, Status> {
    let record = request
        .server
        .store()
        .get(&request.key(request.name()))
        .ok_or_else(|| Status::not_found(request.info, request.name()))?;
    let object = encode::decode(&record.value);
    if request.subresource.is_some_and(|sub| sub.action == Action::Log) {
        return log(request, &object);
    }
    let what = request.subresource_name();
    if &*request.info.kind != "Pod" {
        return Err(nothing_runs(&format!("{} {:?}", request.info.singular, request.name()), what));
    }
    if matches!(what, "exec" | "attach") {
        container(request, &object)?;
    }
    if text(&object, &["spec", "nodeName"]).is_empty() {
        let why = format!("pod {} does not have a host assigned", request.name());
        return Err(Status::bad_request(why));
    }
    Err(nothing_runs(&format!("pod {:?}", request.name()), what))
}

fn nothing_runs(whose: &str, what: &str) -> Status {
    Status::new(501, "NotImplemented", format!("{whose} is simulated: there is no process for {what}"))
}

fn log(request: &Request<'_>, pod: &Value) -> Result<Response<Body>, Status> {
    check_options(request)?;
    let container = container(request, pod)?;
    if text(pod, &["spec", "nodeName"]).is_empty() {
        // Upstream: nobody to ask, so nothing was written.
        return Ok(nothing_written());
    }
    let name = request.name();
    let state = status_of(pod, container);
    if request.query.flag("previous") {
        if state.and_then(|state| at(state, &["lastState", "terminated"])).is_none() {
            let why = format!("previous terminated container {container:?} in pod {name:?} not found");
            return Err(Status::bad_request(why));
        }
    } else if let Some(reason) = waiting(state) {
        let why = format!("container {container:?} in pod {name:?} is waiting to start: {reason}");
        return Err(Status::bad_request(why));
    }
    Err(nothing_runs(&format!("container {container:?} of pod {name:?}"), "logs"))
}

fn nothing_written() -> Response<Body> {
    let mut response = respond::json(StatusCode::OK, Body::full(Bytes::new()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

/// Upstream's checks of PodLogOptions.
fn check_options(request: &Request<'_>) -> Result<(), Status> {
    let query = &request.query;
    let mut causes = Vec::new();
    let least = |name: &str, least: i64, why: &str| -> Result<Option<Cause>, Status> {
        let given = query.number(name)?.filter(|given| *given < least);
        Ok(given.map(|given| Cause::invalid(name, &json!(given), why)))
    };
    causes.extend(least("tailLines", 0, "must be greater than or equal to 0")?);
    causes.extend(least("limitBytes", 1, "must be greater than 0")?);
    if query.get("sinceSeconds").is_some() && query.get("sinceTime").is_some() {
        let why = "at most one of `sinceTime` or `sinceSeconds` may be specified";
        causes.push(Cause::forbidden("", why));
    } else {
        causes.extend(least("sinceSeconds", 1, "must be greater than 0")?);
    }
    if causes.is_empty() {
        return Ok(());
    }
    Err(Status::invalid_kind("", "PodLogOptions", request.name(), causes))
}

/// The container that is meant: the one that is named, or the only one.
fn container<'a>(request: &'a Request<'_>, pod: &'a Value) -> Result<&'a str, Status> {
    let name = request.name();
    let all =
        || LISTS.iter().flat_map(|(specs, _)| list(pod, &["spec", specs])).map(|one| text(one, &["name"]));
    if let Some(wanted) = request.query.get("container") {
        if all().any(|one| one == wanted) {
            return Ok(wanted);
        }
        return Err(Status::bad_request(format!("container {wanted} is not valid for pod {name}")));
    }
    match list(pod, &["spec", "containers"]) {
        [only] => Ok(text(only, &["name"])),
        [] => Err(Status::bad_request(format!("a container name must be specified for pod {name}"))),
        _ => {
            let all = all().collect::<Vec<_>>().join(" ");
            let why = format!("a container name must be specified for pod {name}, choose one of: [{all}]");
            Err(Status::bad_request(why))
        }
    }
}

fn status_of<'a>(pod: &'a Value, container: &str) -> Option<&'a Value> {
    let mut all = LISTS.iter().flat_map(|(_, statuses)| list(pod, &["status", statuses]));
    all.find(|status| text(status, &["name"]) == container)
}

/// Why a container has not begun, in the kubelet's words.
fn waiting(status: Option<&Value>) -> Option<String> {
    let Some(status) = status else { return Some("not available".to_owned()) };
    let waiting = at(status, &["state", "waiting"])?;
    if at(status, &["lastState", "terminated"]).is_some() {
        return None;
    }
    Some(match text(waiting, &["reason"]) {
        "ErrImagePull" => "image can't be pulled".to_owned(),
        "ImagePullBackOff" => "trying and failing to pull image".to_owned(),
        "" => "no reason given".to_owned(),
        reason => reason.to_owned(),
    })
}
