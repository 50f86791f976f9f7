//! What the pipeline counts about every request.
//!
//! **Not here:** the text format (`metrics`).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the duration histogram's buckets, in seconds (a part of upstream's).
pub const BUCKETS_SECONDS: [f64; 14] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.025, 0.1, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0];

/// More label sets than this are not told apart: their requests are counted as `other`.
const SERIES: usize = 4096;

/// What tells one series from another; ordered as it is printed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Labels {
    /// `GET`, `LIST`, `WATCH`, `POST`, `PUT`, `PATCH`, `APPLY`, `DELETE`, `DELETECOLLECTION`.
    pub verb: &'static str,
    /// The group.
    pub group: Arc<str>,
    /// The version.
    pub version: Arc<str>,
    /// The resource; empty for other paths.
    pub resource: Arc<str>,
    /// The subresource, or empty.
    pub subresource: Arc<str>,
    /// `cluster`, `namespace`, `resource` or empty.
    pub scope: &'static str,
    /// The answer's status code.
    pub code: u16,
}

/// What was counted under one set of labels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Series {
    /// Answered requests.
    pub requests: u64,
    /// How many took at most each of [`BUCKETS_SECONDS`]; not cumulated.
    pub buckets: [u64; BUCKETS_SECONDS.len()],
    /// The time of all of them.
    pub total: Duration,
}

/// Counts requests; clones share the counters.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    series: Mutex<BTreeMap<Labels, Series>>,
    reading: AtomicI64,
    writing: AtomicI64,
    watches: AtomicI64,
    watch_events: Mutex<BTreeMap<Watched, Arc<AtomicU64>>>,
}

/// What a watch is of; ordered as it is printed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Watched {
    /// The group.
    pub group: Arc<str>,
    /// The version.
    pub version: Arc<str>,
    /// The kind.
    pub kind: Arc<str>,
}

/// What goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Activity {
    Reading,
    Writing,
    Watching,
}

/// Counts one thing that goes on, until it is dropped.
#[derive(Debug)]
pub struct Ongoing {
    meter: Meter,
    activity: Activity,
    /// Events sent by watches of the same kind.
    events: Option<Arc<AtomicU64>>,
}

impl Ongoing {
    /// Counts one event a watch sends.
    pub(crate) fn event(&self) {
        if let Some(events) = &self.events {
            events.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Meter {
    /// Counts one answered request.
    pub fn record(&self, labels: Labels, elapsed: Duration) {
        let mut all = self.0.series.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.len() < SERIES || all.contains_key(&labels);
        let labels = if known { labels } else { other(&labels) };
        let series = all.entry(labels).or_default();
        series.requests += 1;
        series.total += elapsed;
        let seconds = elapsed.as_secs_f64();
        let bucket = BUCKETS_SECONDS.iter().position(|bound| seconds <= *bound);
        if let Some(count) = bucket.and_then(|index| series.buckets.get_mut(index)) {
            *count += 1;
        }
    }

    /// All series, sorted by their labels.
    pub fn series(&self) -> Vec<(Labels, Series)> {
        let all = self.0.series.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(labels, series)| (labels.clone(), *series)).collect()
    }

    /// Requests being answered now that change something, or (`false`) that change nothing;
    /// watches aside.
    pub fn in_flight(&self, writing: bool) -> i64 {
        let activity = if writing { Activity::Writing } else { Activity::Reading };
        self.counter(activity).load(Ordering::Relaxed)
    }

    /// Events sent by watches so far, by what they are of.
    pub fn watch_events(&self) -> Vec<(Watched, u64)> {
        let all = self.0.watch_events.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(watched, count)| (watched.clone(), count.load(Ordering::Relaxed))).collect()
    }

    /// Watches being served now.
    pub fn watches(&self) -> i64 {
        self.0.watches.load(Ordering::Relaxed)
    }

    /// Counts a request until the answer's head is made.
    pub(crate) fn request(&self, writing: bool) -> Ongoing {
        self.begin(if writing { Activity::Writing } else { Activity::Reading }, None)
    }

    /// Counts a watch until it ends.
    pub(crate) fn watch(&self, watched: Watched) -> Ongoing {
        let mut all = self.0.watch_events.lock().unwrap_or_else(PoisonError::into_inner);
        let events = Arc::clone(all.entry(watched).or_default());
        drop(all);
        self.begin(Activity::Watching, Some(events))
    }

    fn begin(&self, activity: Activity, events: Option<Arc<AtomicU64>>) -> Ongoing {
        self.counter(activity).fetch_add(1, Ordering::Relaxed);
        Ongoing { meter: self.clone(), activity, events }
    }

    fn counter(&self, activity: Activity) -> &AtomicI64 {
        match activity {
            Activity::Reading => &self.0.reading,
            Activity::Writing => &self.0.writing,
            Activity::Watching => &self.0.watches,
        }
    }
}

impl Drop for Ongoing {
    fn drop(&mut self) {
        self.meter.counter(self.activity).fetch_sub(1, Ordering::Relaxed);
    }
}

fn other(labels: &Labels) -> Labels {
    let other: Arc<str> = "other".into();
    Labels {
        group: Arc::clone(&other),
        version: Arc::clone(&other),
        resource: other,
        subresource: "".into(),
        ..labels.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(resource: &str) -> Labels {
        Labels {
            verb: "GET",
            group: "".into(),
            version: "v1".into(),
            resource: resource.into(),
            subresource: "".into(),
            scope: "resource",
            code: 200,
        }
    }

    #[test]
    fn a_request_counts_in_its_own_series_and_bucket() {
        let meter = Meter::default();
        meter.record(labels("pods"), Duration::from_micros(200));
        meter.record(labels("pods"), Duration::from_secs(90));
        let [(_, series)] = <[_; 1]>::try_from(meter.series()).expect("one series");
        assert_eq!((series.requests, series.buckets[1]), (2, 1));
        assert_eq!(series.buckets.iter().sum::<u64>(), 1, "the slow one is in no bucket but infinity");
    }

    #[test]
    fn series_are_bounded() {
        let meter = Meter::default();
        for n in 0..SERIES + 10 {
            meter.record(labels(&format!("r{n}")), Duration::ZERO);
        }
        let series = meter.series();
        assert_eq!(series.len(), SERIES + 1);
        assert!(series.iter().any(|(labels, series)| &*labels.resource == "other" && series.requests == 10));
    }

    #[test]
    fn what_goes_on_is_counted_until_it_is_dropped() {
        let meter = Meter::default();
        let pods = || Watched { group: "".into(), version: "v1".into(), kind: "Pod".into() };
        let (watch, write) = (meter.watch(pods()), meter.request(true));
        watch.event();
        meter.watch(pods()).event();
        assert_eq!((meter.watches(), meter.in_flight(true), meter.in_flight(false)), (1, 1, 0));
        drop((watch, write));
        assert_eq!((meter.watches(), meter.in_flight(true)), (0, 0));
        assert_eq!(meter.watch_events(), [(pods(), 2)]);
    }
}
