//! Events do not stay: each is removed an hour after its last change, as upstream does.
//!
//! No Event is looked into for that. The revision of the store is noted from time to time, and what
//! has not changed since a note of an hour ago is an hour old; a restart gives what is there
//! another hour.

use std::collections::VecDeque;
use std::time::Duration;

use mainstay_base::limits;
use mainstay_base::task::Outcome;
use mainstay_store::{Change, Expect, Query, Write};
use tokio::time::Instant;

use crate::encode;
use crate::server::ApiServer;

/// How exact the age is.
const PERIOD: Duration = Duration::from_mins(5);
/// The store's name for Events.
const EVENTS: &str = "/events";

impl ApiServer {
    /// Removes old Events until it is dropped; a task of [`mainstay_base::task::Kind::Housekeeping`].
    pub async fn expire_events(self) -> Outcome {
        let clock = self.world().clock().clone();
        let mut notes: VecDeque<(Instant, u64)> = VecDeque::new();
        loop {
            let now = clock.instant();
            let mut expired = None;
            while let Some((_, revision)) = notes.pop_front_if(|(at, _)| now - *at >= limits::EVENT_AGE) {
                expired = Some(revision);
            }
            if let Some(revision) = expired {
                self.remove_events(revision).await;
            }
            notes.push_back((now, self.store().revision()));
            clock.sleep(PERIOD).await;
        }
    }

    /// Removes the Events that have not changed since a revision. One that changes now stays, and
    /// one that cannot be removed now is old the next time too.
    async fn remove_events(&self, unchanged_since: u64) {
        let query = Query { resource: EVENTS, ..Query::default() };
        let Ok(page) = self.store().list(&query, &|record| record.revision <= unchanged_since) else {
            return;
        };
        for record in page.records {
            let change = Change::Delete(encode::draft(&encode::decode(&record.value)));
            let write = Write { key: record.key.clone(), expect: Expect::Revision(record.revision), change };
            if let Err(error) = self.store().commit(write).await {
                tracing::debug!(%error, "an old Event stays");
            }
        }
    }
}
