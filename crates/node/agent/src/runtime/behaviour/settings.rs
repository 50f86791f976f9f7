//! The settings of a behaviour by name, and how their values are written.

use std::str::FromStr;
use std::time::Duration;

use mainstay_kinds::duration;
use mainstay_resource::quantity::Quantity;

use super::{Behaviour, When, Windows};

/// Every setting.
pub const NAMES: [&str; 25] = [
    "cpu",
    "cpu-per-request",
    "error-ratio",
    "exit-code",
    "failure-ratio",
    "failures",
    "latency",
    "latency-p99",
    "memory",
    "memory-growth",
    "metrics-port",
    "oom-after",
    "pre-stop",
    "pull-error",
    "pull-failures",
    "pull-time",
    "ready-after",
    "request-rate",
    "run-for",
    "service",
    "start-delay",
    "startup-after",
    "stop-after",
    "unhealthy",
    "unready",
];

impl Behaviour {
    /// Sets one setting from its text.
    pub(super) fn set(&mut self, name: &str, text: &str) -> Result<(), String> {
        match name {
            "cpu" => self.load.cpu = quantity(text)?,
            "cpu-per-request" => self.load.cpu_per_request = time(text)?.as_secs_f64(),
            "error-ratio" => self.load.error_ratio = ratio(text)?,
            "exit-code" => self.exit_code = Some(exit_code(text)?),
            "failure-ratio" => self.failure_ratio = Some(ratio(text)?),
            "failures" => self.failures = Some(number(text)?),
            "latency" => self.load.latency = time(text)?,
            "latency-p99" => self.load.latency_p99 = Some(time(text)?),
            "memory" => self.load.memory = quantity(text)?,
            "memory-growth" => self.load.memory_growth = quantity(text)?,
            "metrics-port" => self.load.port = Some(number(text)?),
            "oom-after" => self.oom = Some(time(text)?),
            "pre-stop" => self.pre_stop = Some(time(text)?),
            "pull-error" => self.pull_error = Some(text.into()),
            "pull-failures" => self.pull_failures = Some(number(text)?),
            "pull-time" => self.pull = Some(time(text)?),
            "ready-after" => self.ready = when(text)?,
            "request-rate" => self.load.request_rate = rate(text)?,
            "run-for" => self.run = Some(time(text)?),
            "service" => self.load.service = Some(text.into()),
            "start-delay" => self.start_delay = time(text)?,
            "startup-after" => self.startup = when(text)?,
            "stop-after" => self.stop = Some(when(text)?),
            "unhealthy" => self.unhealthy = windows(text)?,
            "unready" => self.unready = windows(text)?,
            _ => return Err(format!("there is no such setting; there are: {}", NAMES.join(", "))),
        }
        Ok(())
    }
}

fn time(text: &str) -> Result<Duration, String> {
    duration::parse(text).map_err(|error| error.to_string())
}

fn when(text: &str) -> Result<When, String> {
    if text == "never" { Ok(When::Never) } else { time(text).map(When::After) }
}

fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("invalid number {text:?}: write it like 3"))
}

/// A process ends with 0 to 255.
fn exit_code(text: &str) -> Result<i32, String> {
    let code: Option<u8> = text.parse().ok();
    code.map(i32::from).ok_or_else(|| format!("invalid exit code {text:?}: it is a number from 0 to 255"))
}

fn ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
    ratio.ok_or_else(|| format!("invalid ratio {text:?}: it is a number from 0 to 1"))
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate >= 0.0);
    rate.ok_or_else(|| format!("invalid rate {text:?}: write it like 12.5, in requests per second"))
}

fn quantity(text: &str) -> Result<f64, String> {
    let quantity = Quantity::parse(text).ok().filter(|quantity| !quantity.is_negative());
    let quantity =
        quantity.ok_or_else(|| format!("invalid quantity {text:?}: write it like 250m or 64Mi"))?;
    Ok(quantity.approximate())
}

/// `FROM-TO`, several with commas between; what has no `TO` lasts, and `always` is `0s-`.
fn windows(text: &str) -> Result<Windows, String> {
    if text == "always" {
        return Ok(Windows(vec![(Duration::ZERO, None)]));
    }
    let one = |part: &str| {
        let (from, to) = part.trim().split_once('-')?;
        let from = duration::parse(from.trim()).ok()?;
        match to.trim() {
            "" => Some((from, None)),
            to => duration::parse(to).ok().filter(|to| *to > from).map(|to| (from, Some(to))),
        }
    };
    let invalid = || format!("invalid spans {text:?}: write them like 5m-6m, several with commas between");
    text.split(',').map(one).collect::<Option<Vec<_>>>().map(Windows).ok_or_else(invalid)
}
