//! The rows of the timeline: steps, and objects with how they looked from moment to moment.

use std::time::Duration;

use super::text::{clock, escape};
use super::{percent, push};
use crate::history::{Level, Look, Subject, Track};
use crate::run::Ran;

/// Rows of one kind in one region.
const ROWS: usize = 200;
/// Rows of a kind that are shown unfolded.
const OPEN: usize = 40;
/// Marks on the time axis.
const MARKS: u32 = 8;
/// The narrowest stretch that can be seen, in percent.
const NARROWEST: f64 = 0.15;
/// Kinds with rows, and what a group of them is called.
const KINDS: [(&str, &str); 5] = [
    ("Deployment", "Deployments"),
    ("StatefulSet", "StatefulSets"),
    ("DaemonSet", "DaemonSets"),
    ("Node", "Nodes"),
    ("Pod", "Pods"),
];

/// What was done and asked: marks for actions, stretches for what was waited for.
pub(super) fn steps(page: &mut String, ran: &Ran) {
    let whole = ran.report.virtual_seconds;
    page.push_str("<section><h2>What was done and asked</h2>\n");
    axis(page, whole);
    for step in &ran.report.steps {
        let at = Duration::try_from_secs_f64(step.at_seconds).unwrap_or_default();
        let until = Duration::try_from_secs_f64(step.until_seconds).unwrap_or_default();
        let class = match (step.passed, step.asks) {
            (false, _) => "bad",
            (true, true) => "good",
            (true, false) => "act",
        };
        let tip = format!("{}: {}", clock(step.at_seconds), step.detail.as_deref().unwrap_or("ok"));
        let (left, right) = (percent(at, whole), percent(until, whole));
        open_row(page, &step.name);
        stretch(page, class, left, (right - left).max(0.4), &tip);
        page.push_str("</div></div>\n");
    }
    for violation in &ran.report.violations {
        let at = Duration::try_from_secs_f64(violation.at_seconds).unwrap_or_default();
        let lasted = violation.lasted_seconds.unwrap_or(whole - violation.at_seconds);
        let left = percent(at, whole);
        let wide = (lasted / whole.max(0.001) * 100.0).clamp(0.4, 100.0 - left);
        open_row(page, &format!("always: {}", violation.name));
        stretch(page, "bad", left, wide, &violation.finding.seen);
        page.push_str("</div></div>\n");
    }
    page.push_str("</section>\n");
}

/// The objects of one region.
pub(super) fn region(page: &mut String, ran: &Ran, region: &str) {
    push(page, format_args!("<section><h2>Region {}</h2>\n", escape(region)));
    axis(page, ran.report.virtual_seconds);
    for (kind, title) in KINDS {
        let of_kind = ran.history.tracks().filter(|(subject, track)| {
            subject.region == region && subject.kind == kind && !track.looks.is_empty()
        });
        let mut found: Vec<_> = of_kind.collect();
        if found.is_empty() {
            continue;
        }
        // The story begins above.
        found.sort_by_key(|(subject, track)| (track.looks.first().map(|(at, _)| *at), *subject));
        let open = if found.len() <= OPEN { " open" } else { "" };
        push(page, format_args!("<details{open}><summary>{title} ({})</summary>\n", found.len()));
        for (subject, track) in found.iter().take(ROWS) {
            row(page, ran.report.virtual_seconds, subject, track);
        }
        if found.len() > ROWS {
            push(page, format_args!("<p class=\"more\">and {} more</p>\n", found.len() - ROWS));
        }
        page.push_str("</details>\n");
    }
    page.push_str("</section>\n");
}

fn row(page: &mut String, whole: f64, subject: &Subject, track: &Track) {
    let name = if subject.namespace.is_empty() {
        subject.name.clone()
    } else {
        format!("{}/{}", subject.namespace, subject.name)
    };
    open_row(page, &name);
    let ends = track.looks.iter().skip(1).map(|(at, _)| at.as_secs_f64()).chain([whole]);
    for ((at, look), end) in track.looks.iter().zip(ends) {
        let Look { level, text } = look;
        let class = match level {
            Level::Good => "good",
            Level::Partly => "partly",
            Level::Bad => "bad",
            Level::Done => "done",
            Level::Gone => continue,
        };
        let left = percent(*at, whole);
        let right = if whole > 0.0 { (end / whole * 100.0).min(100.0) } else { 0.0 };
        let tip = format!("{text}, {} to {}", clock(at.as_secs_f64()), clock(end));
        stretch(page, class, left, (right - left).max(NARROWEST), &tip);
    }
    page.push_str("</div></div>\n");
}

fn open_row(page: &mut String, name: &str) {
    let name = escape(name);
    push(
        page,
        format_args!(
            "<div class=\"row\"><div class=\"name\" title=\"{name}\">{name}</div><div class=\"bar\">"
        ),
    );
}

fn stretch(page: &mut String, class: &str, left: f64, wide: f64, tip: &str) {
    let tip = escape(tip);
    push(
        page,
        format_args!("<i class=\"{class}\" style=\"left:{left:.3}%;width:{wide:.3}%\" title=\"{tip}\"></i>"),
    );
}

/// The time axis.
fn axis(page: &mut String, whole: f64) {
    page.push_str("<div class=\"row axis\"><div class=\"name\"></div><div class=\"bar\">");
    for mark in 0..MARKS {
        let part = f64::from(mark) / f64::from(MARKS);
        let at = clock((whole * part).round());
        push(page, format_args!("<b style=\"left:{:.3}%\">{at}</b>", part * 100.0));
    }
    page.push_str("</div></div>\n");
}
