//! What the parameters of a request must be, in upstream's words.

use super::Request;
use crate::query::check_dry_run;
use crate::route::Verb;
use crate::status::{Cause, Status};

const NOT_OLDER: &str = "NotOlderThan";
const MATCH: &str = "resourceVersionMatch";
const SEND: &str = "sendInitialEvents";

impl Request<'_> {
    /// What upstream calls the parameters of this request.
    pub(crate) fn options_kind(&self) -> &'static str {
        match self.verb {
            Verb::Create => "CreateOptions",
            Verb::Update => "UpdateOptions",
            Verb::Patch => "PatchOptions",
            Verb::Delete | Verb::DeleteCollection => "DeleteOptions",
            Verb::Get => "GetOptions",
            Verb::List | Verb::Watch => "ListOptions",
        }
    }

    /// Whether the request asks to change nothing (`dryRun=All`).
    pub(crate) fn dry_run(&self) -> Result<bool, Status> {
        let mut asked = false;
        for value in self.query.all("dryRun") {
            check_dry_run(value)
                .map_err(|cause| Status::invalid_options(self.options_kind(), vec![cause]))?;
            asked |= value == "All";
        }
        Ok(asked)
    }
}

/// Checks the parameters of a list, or of a deletion of what one would list.
pub(super) fn check_list(request: &Request<'_>) -> Result<(), Status> {
    let mut causes = Vec::new();
    if let Some(matching) = request.query.get(MATCH) {
        let revision = request.query.get("resourceVersion");
        if revision.is_none() {
            let why = "resourceVersionMatch is forbidden unless resourceVersion is provided";
            causes.push(Cause::forbidden(MATCH, why));
        }
        causes.extend(with_continue(request));
        if !matches!(matching, "Exact" | NOT_OLDER) {
            causes.push(Cause::unsupported(MATCH, matching, &["Exact", NOT_OLDER, ""]));
        }
        if (matching, revision) == ("Exact", Some("0")) {
            let why = "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
            causes.push(Cause::forbidden(MATCH, why));
        }
    }
    if request.query.optional_flag(SEND).is_some() {
        causes.push(Cause::forbidden(SEND, "sendInitialEvents is forbidden for list"));
    }
    refuse(causes)
}

/// Checks the parameters of a watch.
pub(super) fn check_watch(request: &Request<'_>) -> Result<(), Status> {
    let sends = request.query.optional_flag(SEND).is_some();
    let matching = request.query.get(MATCH);
    let mut causes = Vec::new();
    if sends && matching != Some(NOT_OLDER) {
        let why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
        causes.push(Cause::forbidden(MATCH, why));
    }
    if let Some(matching) = matching {
        if !sends {
            let why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
            causes.push(Cause::forbidden(MATCH, why));
        }
        if matching != NOT_OLDER {
            causes.push(Cause::unsupported(MATCH, matching, &[NOT_OLDER]));
        }
        causes.extend(with_continue(request));
    }
    refuse(causes)
}

fn with_continue(request: &Request<'_>) -> Option<Cause> {
    let why = "resourceVersionMatch is forbidden when continue is provided";
    request.query.get("continue").map(|_| Cause::forbidden(MATCH, why))
}

fn refuse(causes: Vec<Cause>) -> Result<(), Status> {
    if causes.is_empty() { Ok(()) } else { Err(Status::invalid_options("ListOptions", causes)) }
}
