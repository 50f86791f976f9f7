//! The server's metrics in the text exposition format, under upstream's names.
//!
//! **Not here:** what is counted and when (`meter`).

mod text;

use std::collections::BTreeMap;

use mainstay_store::{Query, Stats, Store};

use crate::health;
use crate::meter::{BUCKETS_SECONDS, Labels, Meter, Series};
use crate::registry::Snapshot;
use text::{Kind, Text};

/// What the operating system says about this process; there is none in a virtual World.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ProcessStats {
    /// Memory that is resident.
    pub resident_bytes: u64,
    /// Memory that is mapped.
    pub virtual_bytes: u64,
    /// Processor time used so far.
    pub cpu_seconds: f64,
    /// When the process started, in seconds of the Unix epoch.
    pub start_seconds: f64,
    /// Open files and sockets.
    pub open_files: u64,
    /// How many may be open.
    pub open_files_limit: u64,
    /// Threads.
    pub threads: u64,
}

/// All metrics.
pub(crate) fn expose(
    meter: &Meter,
    store: &Store,
    snapshot: &Snapshot,
    process: Option<ProcessStats>,
) -> String {
    let mut text = Text::default();
    requests(&mut text, meter);
    objects(&mut text, store, snapshot);
    stored(&mut text, &store.stats());
    if let Some(process) = process {
        self::process(&mut text, &process);
    }
    text.metric("kubernetes_build_info", Kind::Gauge, "The version of Kubernetes that is served.");
    text.sample("", &[("major", "1"), ("minor", "33"), ("git_version", health::GIT_VERSION)], 1.0);
    text.finish()
}

fn requests(text: &mut Text, meter: &Meter) {
    let series = meter.series();
    text.metric("apiserver_request_total", Kind::Counter, "Answered requests.");
    for (labels, series) in &series {
        let code = labels.code.to_string();
        let mut all = names(labels);
        all.push(("code", &code));
        text.sample("", &all, count(series.requests));
    }
    text.metric("apiserver_request_duration_seconds", Kind::Histogram, "How long answers took, in seconds.");
    for (labels, series) in without_codes(&series) {
        histogram(text, &names(&labels), &series);
    }
    text.metric(
        "apiserver_current_inflight_requests",
        Kind::Gauge,
        "Requests being answered, watches aside.",
    );
    text.sample("", &[("request_kind", "mutating")], signed(meter.in_flight(true)));
    text.sample("", &[("request_kind", "readOnly")], signed(meter.in_flight(false)));
    text.metric("apiserver_longrunning_requests", Kind::Gauge, "Watches being served.");
    text.sample("", &[("verb", "WATCH"), ("component", "apiserver")], signed(meter.watches()));
    text.metric("apiserver_watch_events_total", Kind::Counter, "Events sent by watches.");
    for (watched, events) in meter.watch_events() {
        let labels = [("group", &*watched.group), ("version", &*watched.version), ("kind", &*watched.kind)];
        text.sample("", &labels, count(events));
    }
}

/// The series with the answers' codes taken together.
fn without_codes(all: &[(Labels, Series)]) -> BTreeMap<Labels, Series> {
    let mut merged: BTreeMap<Labels, Series> = BTreeMap::new();
    for (labels, series) in all {
        let sum = merged.entry(Labels { code: 0, ..labels.clone() }).or_default();
        sum.requests += series.requests;
        sum.total += series.total;
        for (bucket, count) in sum.buckets.iter_mut().zip(series.buckets) {
            *bucket += count;
        }
    }
    merged
}

fn histogram(text: &mut Text, labels: &[(&str, &str)], series: &Series) {
    let mut cumulated = 0;
    for (bound, in_bucket) in BUCKETS_SECONDS.iter().zip(series.buckets) {
        cumulated += in_bucket;
        let bound = bound.to_string();
        text.sample("_bucket", &[labels, &[("le", bound.as_str())]].concat(), count(cumulated));
    }
    text.sample("_bucket", &[labels, &[("le", "+Inf")]].concat(), count(series.requests));
    text.sample("_sum", labels, series.total.as_secs_f64());
    text.sample("_count", labels, count(series.requests));
}

fn names(labels: &Labels) -> Vec<(&'static str, &str)> {
    vec![
        ("component", "apiserver"),
        ("dry_run", ""),
        ("group", &labels.group),
        ("resource", &labels.resource),
        ("scope", labels.scope),
        ("subresource", &labels.subresource),
        ("verb", labels.verb),
        ("version", &labels.version),
    ]
}

fn objects(text: &mut Text, store: &Store, snapshot: &Snapshot) {
    text.metric("apiserver_storage_objects", Kind::Gauge, "Stored objects by resource.");
    for info in snapshot.resources().iter().filter(|info| info.is_stored_version()) {
        let query = Query { resource: &info.storage.resource, limit: Some(1), ..Query::default() };
        if let Ok(page) = store.list(&query, &|_| true) {
            let total = page.records.len() + page.remaining;
            text.sample("", &[("resource", &info.qualified())], count(total as u64));
        }
    }
}

fn stored(text: &mut Text, stats: &Stats) {
    text.metric("apiserver_storage_size_bytes", Kind::Gauge, "Bytes of the stored objects.");
    text.sample("", &[("storage_cluster_id", "mainstay")], count(stats.bytes as u64));
    let counters = [
        ("mainstay_store_commits_total", "Committed writes.", stats.commits),
        ("mainstay_store_batches_total", "Transactions that committed them.", stats.batches),
        ("mainstay_store_failures_total", "Transactions the disk refused.", stats.failures),
        ("mainstay_store_fsyncs_total", "Syncs of files.", stats.fsyncs),
        ("mainstay_store_written_bytes_total", "Bytes written to files.", stats.written_bytes),
    ];
    for (name, help, value) in counters {
        text.metric(name, Kind::Counter, help);
        text.sample("", &[], count(value));
    }
    text.metric("mainstay_store_revision", Kind::Gauge, "The revision of the last commit.");
    text.sample("", &[], count(stats.revision));
}

fn process(text: &mut Text, stats: &ProcessStats) {
    text.metric("process_cpu_seconds_total", Kind::Counter, "Processor time used.");
    text.sample("", &[], stats.cpu_seconds);
    let gauges = [
        ("process_resident_memory_bytes", "Resident memory.", count(stats.resident_bytes)),
        ("process_virtual_memory_bytes", "Mapped memory.", count(stats.virtual_bytes)),
        ("process_start_time_seconds", "When the process started.", stats.start_seconds),
        ("process_open_fds", "Open files and sockets.", count(stats.open_files)),
        ("process_max_fds", "How many may be open.", count(stats.open_files_limit)),
        ("process_threads", "Threads.", count(stats.threads)),
    ];
    for (name, help, value) in gauges {
        text.metric(name, Kind::Gauge, help);
        text.sample("", &[], value);
    }
}

#[allow(clippy::cast_precision_loss, reason = "samples are floats; counts beyond 2^53 do not occur")]
fn count(value: u64) -> f64 {
    value as f64
}

#[allow(clippy::cast_precision_loss, reason = "samples are floats; counts beyond 2^53 do not occur")]
fn signed(value: i64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::kinds;
    use crate::registry::Registry;

    fn labels(code: u16) -> Labels {
        Labels {
            verb: "GET",
            group: "apps".into(),
            version: "v1".into(),
            resource: "deployments".into(),
            subresource: "".into(),
            scope: "resource",
            code,
        }
    }

    fn exposed(process: Option<ProcessStats>) -> String {
        let meter = Meter::default();
        meter.record(labels(200), Duration::from_micros(200));
        meter.record(labels(200), Duration::from_micros(200));
        meter.record(labels(404), Duration::from_secs(90));
        expose(&meter, &Store::in_memory(None), &Registry::new(kinds::built_in()).snapshot(), process)
    }

    #[test]
    fn requests_are_counted_by_code_and_timed_together() {
        let text = exposed(None);
        let common = r#"component="apiserver",dry_run="",group="apps",resource="deployments",scope="resource",subresource="",verb="GET",version="v1""#;
        for line in [
            format!("apiserver_request_total{{{common},code=\"200\"}} 2"),
            format!("apiserver_request_total{{{common},code=\"404\"}} 1"),
            format!("apiserver_request_duration_seconds_bucket{{{common},le=\"0.00025\"}} 2"),
            format!("apiserver_request_duration_seconds_bucket{{{common},le=\"60\"}} 2"),
            format!("apiserver_request_duration_seconds_bucket{{{common},le=\"+Inf\"}} 3"),
            format!("apiserver_request_duration_seconds_count{{{common}}} 3"),
            "apiserver_storage_objects{resource=\"deployments.apps\"} 0".to_owned(),
            "mainstay_store_commits_total 0".to_owned(),
        ] {
            assert!(text.lines().any(|one| one == line), "{line}\n{text}");
        }
    }

    #[test]
    fn every_metric_is_described_once_before_its_samples() {
        let text = exposed(Some(ProcessStats { resident_bytes: 42, ..ProcessStats::default() }));
        assert!(text.contains("\nprocess_resident_memory_bytes 42\n"));
        let mut described = Vec::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let name = rest.split(' ').next().expect("a name");
                assert!(!described.contains(&name), "{name} is described twice");
                described.push(name);
            } else if !line.starts_with('#') {
                let name = described.last().expect("a description comes first");
                assert!(line.starts_with(name), "{line} is no sample of {name}");
            }
        }
        assert!(described.len() > 10);
    }

    #[test]
    fn a_process_that_is_not_known_is_not_described() {
        assert!(!exposed(None).contains("process_"));
    }
}
