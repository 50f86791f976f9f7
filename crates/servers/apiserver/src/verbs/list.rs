//! Reading a collection: selected, in chunks that are all of one revision.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Response, StatusCode};
use mainstay_store::{Page, Query as StoreQuery};
use serde::{Deserialize, Serialize};

use super::{Request, options};
use crate::body::Body;
use crate::encode::{self, ListMeta};
use crate::negotiate::{Encoding, View};
use crate::protobuf;
use crate::respond;
use crate::selection::Selection;
use crate::status::Status;
use crate::table;

/// Where a chunked list goes on; opaque to clients.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Token {
    /// The token's format.
    v: String,
    /// The revision of the list; 0 for whatever is current.
    rv: u64,
    namespace: String,
    name: String,
}

const TOKEN_FORMAT: &str = "meta.k8s.io/v1";
const EXPIRED: &str = "The provided continue parameter is too old to display a consistent list result. You can start \
    a new list without the continue parameter, or use the continue token in this response to retrieve the remainder \
    of the results. Continuing with the provided token results in an inconsistent list - objects that were created, \
    modified, or deleted between the time the first chunk was returned and now may show up in the list.";

impl Token {
    fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).expect("invariant: a token encodes"))
    }

    fn decode(text: &str) -> Result<Self, Status> {
        URL_SAFE_NO_PAD
            .decode(text.trim_end_matches('='))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .filter(|token: &Self| token.v == TOKEN_FORMAT)
            .ok_or_else(|| Status::bad_request("continue key is not valid: it was not made by this server"))
    }
}

/// The collection in the URL, or what is selected of it.
pub(super) fn list(request: &Request<'_>) -> Result<Response<Body>, Status> {
    options::check_list(request)?;
    let selection = Selection::of(
        request.info,
        request.target.namespace.as_deref(),
        request.target.name.as_deref(),
        &request.query,
    )?;
    let page = page(request, &selection)?;
    let meta = meta_of(&page, &selection);
    let records = page.records.iter().map(Arc::as_ref);
    let metadata = ("meta.k8s.io/v1", "PartialObjectMetadataList");
    if request.encoding == Encoding::Protobuf {
        let info = request.info;
        return match request.view {
            View::Metadata => {
                let items = records.map(|record| encode::metadata_only(&record.value));
                protobuf::list(metadata.0, metadata.1, &meta, items)
            }
            View::Object | View::Table => {
                let items = records.map(|record| encode::in_version(info, &record.value));
                protobuf::list(&info.api_version(), &info.list_kind, &meta, items)
            }
        };
    }
    let body = match request.view {
        View::Object => Body::segments(encode::list_of(request.info, &meta, records)),
        View::Metadata => Body::segments(encode::list(
            metadata.1,
            metadata.0,
            &meta,
            records.map(|record| encode::metadata_only(&record.value)),
        )),
        View::Table => Body::full(table::of_list(request.info, &meta, records, request.table)),
    };
    Ok(respond::json(StatusCode::OK, body))
}

fn token(revision: u64, namespace: &str, name: &str) -> Token {
    Token { v: TOKEN_FORMAT.to_owned(), rv: revision, namespace: namespace.to_owned(), name: name.to_owned() }
}

/// What a list of this page says about itself.
pub(super) fn meta_of(page: &Page, selection: &Selection) -> ListMeta {
    let next = page.next.as_ref();
    ListMeta {
        revision: page.revision,
        continuation: next.map(|(namespace, name)| token(page.revision, namespace, name).encode()),
        remaining: (page.remaining > 0 && selection.is_everything()).then_some(page.remaining),
    }
}

/// Reads the page the parameters ask for.
pub(super) fn page(request: &Request<'_>, selection: &Selection) -> Result<Page, Status> {
    let limit = request.query.number("limit")?.unwrap_or(0);
    let token = request.query.get("continue").map(Token::decode).transpose()?;
    let exact = check_revision(request)?.filter(|revision| *revision > 0);
    if token.is_some() && exact.is_some() {
        return Err(Status::bad_request("specifying resource version is not allowed when using continue"));
    }
    let query = StoreQuery {
        resource: &request.info.storage.resource,
        namespace: selection.namespace(),
        after: token.as_ref().map(|token| (token.namespace.as_str(), token.name.as_str())),
        limit: usize::try_from(limit).ok().filter(|limit| *limit > 0),
        at: token.as_ref().map(|token| token.rv).or(exact).filter(|revision| *revision > 0),
    };
    request.server.store().list(&query, &|record| selection.matches(record)).map_err(|compacted| match &token
    {
        Some(expired) => {
            let mut status = Status::expired(EXPIRED);
            status.continuation = Some(self::token(0, &expired.namespace, &expired.name).encode());
            status
        }
        None => Status::expired(format!("The resourceVersion for the provided list is too old: {compacted}")),
    })
}

/// Checks `resourceVersion`; returns the revision a list must be of. Every read is of the latest
/// one, which is not older than any that was given out.
pub(super) fn check_revision(request: &Request<'_>) -> Result<Option<u64>, Status> {
    let Some(text) = request.query.get("resourceVersion") else { return Ok(None) };
    let revision = parse_revision(text)?;
    let current = request.server.store().revision();
    if revision > current {
        return Err(Status::revision_ahead(revision, current));
    }
    let exact = match request.query.get("resourceVersionMatch") {
        Some(matching) => matching == "Exact",
        // Upstream: a chunked list of a given revision is of exactly that one.
        None => request.query.get("limit").is_some(),
    };
    Ok(exact.then_some(revision))
}

/// A revision as clients write it.
pub(super) fn parse_revision(text: &str) -> Result<u64, Status> {
    text.parse().map_err(|_| {
        Status::bad_request(format!(
            "invalid resource version \"{text}\": it must be one this server gave out"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_a_forged_one_is_refused() {
        let original = token(7, "d", "web");
        assert_eq!(Token::decode(&original.encode()), Ok(original));
        for forged in ["", "x", "e30"] {
            assert_eq!(Token::decode(forged).expect_err("not ours").code, 400, "{forged}");
        }
    }
}
