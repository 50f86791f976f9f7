//! Where a watch begins.

use super::Request;
use crate::status::Status;
use crate::verbs::{list, options};

/// What to begin with.
pub(super) struct Start {
    /// The revision the changes begin after; 0 for now.
    pub(super) after: u64,
    /// Whether what is there comes first.
    pub(super) initial: bool,
    /// Whether a bookmark says where that ends.
    pub(super) marks_end: bool,
}

impl Start {
    /// What the parameters of a watch say.
    pub(super) fn of(request: &Request<'_>) -> Result<Self, Status> {
        options::check_watch(request)?;
        let revision =
            request.query.get("resourceVersion").map(list::parse_revision).transpose()?.unwrap_or(0);
        let Some(send) = request.query.optional_flag("sendInitialEvents") else {
            return Ok(Self { after: revision, initial: revision == 0, marks_end: false });
        };
        let current = request.server.store().revision();
        if revision > current {
            return Err(Status::revision_ahead(revision, current));
        }
        let bookmarks = request.query.flag("allowWatchBookmarks");
        let after = if revision == 0 { current } else { revision };
        Ok(Self { after, initial: send, marks_end: send && bookmarks })
    }
}
