//! Counts of requests, and how they are told.

use std::time::Duration;

use jiff::Timestamp;

use super::{BUCKETS, Usage, part_within};
use crate::runtime::behaviour::Load;

const START: Timestamp = Timestamp::UNIX_EPOCH;

fn load() -> Load {
    Load {
        request_rate: 10.0,
        error_ratio: 0.25,
        latency: Duration::from_millis(100),
        latency_p99: Some(Duration::from_millis(500)),
        cpu: 0.5,
        cpu_per_request: 0.01,
        memory: 1024.0,
        memory_growth: 3600.0,
        ..Load::NONE
    }
}

/// The value of a line that begins like this.
fn value(text: &str, line: &str) -> f64 {
    let found = text.lines().find_map(|one| one.strip_prefix(line));
    found.unwrap_or_else(|| panic!("{line} in {text}")).trim().parse().unwrap()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-6
}

#[test]
fn requests_come_while_a_container_serves() {
    let mut usage = Usage::new(START);
    usage.settle(&load(), false, 1.0, START + Duration::from_secs(10));
    usage.settle(&load(), true, 1.0, START + Duration::from_secs(110));
    usage.settle(&load(), false, 1.0, START + Duration::from_mins(2));
    let text = usage.exposition(&load(), "order\"s", START);
    let of = |status: &str| {
        value(
            &text,
            &format!("http_requests_total{{service=\"order\\\"s\",method=\"GET\",status=\"{status}\"}}"),
        )
    };
    assert!(close(of("200"), 750.0) && close(of("500"), 250.0), "{text}");
    assert!(close(value(&text, "process_cpu_seconds_total "), 70.0), "{text}");
    assert!(close(value(&text, "process_resident_memory_bytes "), 1144.0), "{text}");
    let bucket = |le: &str| {
        value(&text, &format!("http_request_duration_seconds_bucket{{service=\"order\\\"s\",le=\"{le}\"}}"))
    };
    assert!(close(bucket("0.1"), 500.0) && close(bucket("0.5"), 990.0), "{text}");
    assert!(
        close(bucket("0.05"), 250.0) && close(bucket("1"), 1000.0) && close(bucket("+Inf"), 1000.0),
        "{text}"
    );
}

#[test]
fn a_container_of_which_nothing_is_said_has_served_nothing() {
    let mut usage = Usage::new(START);
    usage.settle(&Load::NONE, true, 1.0, START + Duration::from_hours(1));
    let text = usage.exposition(&Load::NONE, "web", START);
    assert!(close(value(&text, "http_requests_total{service=\"web\",method=\"GET\",status=\"200\"}"), 0.0));
    assert!(close(value(&text, "process_cpu_seconds_total "), 0.0));
    assert!(!text.contains("NaN"), "{text}");
}

#[test]
fn latencies_spread_from_nothing_to_twice_the_slowest() {
    for (half, most) in [(0.0, 0.0), (0.1, 0.1), (0.1, 0.5), (20.0, 80.0)] {
        let parts = BUCKETS.map(|bound| part_within(bound, half, most));
        assert!(parts.iter().all(|part| (0.0..=1.0).contains(part)), "{parts:?}");
        assert!(parts.windows(2).all(|pair| pair[0] <= pair[1]), "{parts:?}");
    }
    assert!(close(part_within(0.3, 0.1, 0.5), 0.745) && close(part_within(1.0, 0.1, 0.5), 1.0));
}
