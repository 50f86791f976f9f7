//! What a container has served and used so far, computed when somebody asks.
//!
//! A request is not simulated: from its rate and the time it was served follows how many there were,
//! and from their latencies how they spread. Counts grow while the container is ready; a container that
//! is started again counts from zero.
//!
//! Latencies: half of the requests take up to `latency`, evenly; 99 of 100 up to `latency-p99`, evenly
//! above that; the last up to twice as long. So a `histogram_quantile` over the buckets finds what was
//! described as exactly as the buckets allow.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::behaviour::Load;

#[cfg(test)]
mod tests;

/// The upper bounds of the latency buckets, in seconds, as Prometheus' libraries have them.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// What a container has served and used until a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Usage {
    until: Timestamp,
    requests: f64,
    failed: f64,
    /// How long all requests took together, in seconds.
    took: f64,
    /// How many of the requests took no longer than each of [`BUCKETS`].
    within: [f64; BUCKETS.len()],
    /// Core-seconds.
    cpu: f64,
}

impl Usage {
    /// A container that starts now.
    pub fn new(now: Timestamp) -> Self {
        Self { until: now, requests: 0.0, failed: 0.0, took: 0.0, within: [0.0; BUCKETS.len()], cpu: 0.0 }
    }

    /// Counts what came from the last time on until `now`; requests come only to who serves. `share` is how
    /// much of the described rate comes to this container.
    pub fn settle(&mut self, load: &Load, is_serving: bool, share: f64, now: Timestamp) {
        let seconds = now.duration_since(self.until).as_secs_f64().max(0.0);
        self.until = now;
        let new = if is_serving { load.request_rate * share * seconds } else { 0.0 };
        self.requests += new;
        self.failed += new * load.error_ratio;
        self.cpu += load.cpu * seconds + new * load.cpu_per_request;
        let (half, most) = knees(load);
        self.took += new * (0.5 * half / 2.0 + 0.49 * f64::midpoint(half, most) + 0.01 * 1.5 * most);
        for (within, bound) in self.within.iter_mut().zip(BUCKETS) {
            *within += new * part_within(bound, half, most);
        }
    }

    /// What Prometheus reads, of a process that runs since `since`.
    pub fn exposition(&self, load: &Load, service: &str, since: Timestamp) -> String {
        let mut text = String::with_capacity(2048);
        let service = escaped(service);
        let age = self.until.duration_since(since).as_secs_f64().max(0.0);
        let memory = load.memory + load.memory_growth * age / 3600.0;
        self.write(&mut text, &service, memory, since).expect("invariant: writing to a String does not fail");
        text
    }

    fn write(&self, text: &mut String, service: &str, memory: f64, since: Timestamp) -> std::fmt::Result {
        let (all, failed) = (self.requests.floor(), self.failed.floor());
        let head = |text: &mut String, name: &str, type_: &str, help: &str| {
            writeln!(text, "# HELP {name} {help}\n# TYPE {name} {type_}")
        };
        head(text, "http_requests_total", "counter", "Requests answered.")?;
        for (status, count) in [("200", all - failed), ("500", failed)] {
            let labels = format!("service=\"{service}\",method=\"GET\",status=\"{status}\"");
            writeln!(text, "http_requests_total{{{labels}}} {count}")?;
        }
        let name = "http_request_duration_seconds";
        head(text, name, "histogram", "How long requests took.")?;
        for (within, bound) in self.within.iter().zip(BUCKETS) {
            let count = within.floor().min(all);
            writeln!(text, "{name}_bucket{{service=\"{service}\",le=\"{bound}\"}} {count}")?;
        }
        writeln!(text, "{name}_bucket{{service=\"{service}\",le=\"+Inf\"}} {all}")?;
        writeln!(text, "{name}_sum{{service=\"{service}\"}} {}", self.took)?;
        writeln!(text, "{name}_count{{service=\"{service}\"}} {all}")?;
        head(text, "process_cpu_seconds_total", "counter", "Core-seconds used.")?;
        writeln!(text, "process_cpu_seconds_total {}", self.cpu)?;
        head(text, "process_resident_memory_bytes", "gauge", "Memory in use.")?;
        writeln!(text, "process_resident_memory_bytes {}", memory.floor())?;
        head(text, "process_start_time_seconds", "gauge", "When the process started.")?;
        writeln!(text, "process_start_time_seconds {}", since.as_second())
    }
}

/// What half of the requests take at most, and what 99 of 100, in seconds.
fn knees(load: &Load) -> (f64, f64) {
    let half = load.latency.as_secs_f64();
    let most = load.latency_p99.map_or(4.0 * half, |most| most.as_secs_f64());
    (half, most.max(half))
}

/// What part of the requests takes no longer than `bound`.
fn part_within(bound: f64, half: f64, most: f64) -> f64 {
    if bound < half {
        0.5 * bound / half
    } else if bound < most {
        0.5 + 0.49 * (bound - half) / (most - half)
    } else if bound < 2.0 * most {
        0.99 + 0.01 * (bound - most) / most
    } else {
        1.0
    }
}

/// A label's value as the text format has it.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
