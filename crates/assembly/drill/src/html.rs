//! The report as one page: what was done and asked, and how every object fared, over time.
//!
//! **Invariants:** the page needs nothing but itself: no script, no font, no network. Every text of
//! the drill or the cluster is escaped where it is written. The same run gives the same bytes.

use std::fmt::Write as _;
use std::time::Duration;

use crate::report::{Finding, StepResult, Violation};
use crate::run::Ran;

mod rows;
mod text;

use text::{clock, escape};

const STYLE: &str = include_str!("html/style.css");

/// Writes a run as an HTML page.
pub fn html(ran: &Ran) -> String {
    let report = &ran.report;
    let verdict = if report.passed { "passed" } else { "failed" };
    let mut page = String::with_capacity(256 * 1024);
    let name = escape(&report.name);
    push(
        &mut page,
        format_args!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>Drill {name}: {verdict}</title>\n<style>\n{STYLE}</style></head>\n<body>\n\
             <header><h1>Drill {name} <span class=\"verdict {verdict}\">{verdict}</span></h1>\n\
             <p>{} of virtual time · {} commits · seed {} · {} of {} steps did what they should",
            clock(report.virtual_seconds),
            report.commits,
            report.seed,
            report.steps.iter().filter(|step| step.passed).count(),
            report.steps.len(),
        ),
    );
    match report.violations.len() {
        0 => page.push_str("</p></header>\n"),
        count => push(&mut page, format_args!(" · {count} violations</p></header>\n")),
    }
    failures(&mut page, &report.steps, &report.violations);
    rows::steps(&mut page, ran);
    for region in &ran.regions {
        rows::region(&mut page, ran, region);
    }
    step_table(&mut page, &report.steps);
    page.push_str("</body></html>\n");
    page
}

/// What failed, with what led there.
fn failures(page: &mut String, steps: &[StepResult], violations: &[Violation]) {
    let failed = || steps.iter().filter(|step| !step.passed);
    if failed().next().is_none() && violations.is_empty() {
        return;
    }
    page.push_str("<section><h2>What went wrong</h2>\n");
    for step in failed() {
        let detail =
            step.detail.as_deref().filter(|_| step.finding.is_none()).map(escape).unwrap_or_default();
        let (at, name) = (clock(step.at_seconds), escape(&step.name));
        push(page, format_args!("<article class=\"bad\"><h3><time>{at}</time> {name}</h3><p>{detail}</p>\n"));
        step.finding.iter().for_each(|one| finding(page, one));
        page.push_str("</article>\n");
    }
    for violation in violations {
        let (at, name) = (clock(violation.at_seconds), escape(&violation.name));
        let lasted = violation
            .lasted_seconds
            .map_or_else(|| "to the end".to_owned(), |seconds| format!("for {}", clock(seconds)));
        push(
            page,
            format_args!("<article class=\"bad\"><h3><time>{at}</time> always: {name} ({lasted})</h3>\n"),
        );
        finding(page, &violation.finding);
        page.push_str("</article>\n");
    }
    page.push_str("</section>\n");
}

fn finding(page: &mut String, finding: &Finding) {
    let Finding { at_seconds, about, expected, seen, chain } = finding;
    push(
        page,
        format_args!(
            "<dl><dt>when</dt><dd>{}</dd><dt>about</dt><dd>{}</dd><dt>expected</dt><dd>{}</dd>\
             <dt>seen</dt><dd>{}</dd></dl>\n",
            clock(*at_seconds),
            escape(about),
            escape(expected),
            escape(seen)
        ),
    );
    if chain.is_empty() {
        return;
    }
    page.push_str("<details open><summary>What led there</summary><table>\n");
    for link in chain {
        let (at, object, what) = (clock(link.at_seconds), escape(&link.object), escape(&link.what));
        push(page, format_args!("<tr><td><time>{at}</time></td><td>{object}</td><td>{what}</td></tr>\n"));
    }
    page.push_str("</table></details>\n");
}

fn step_table(page: &mut String, steps: &[StepResult]) {
    page.push_str(
        "<section><h2>Steps</h2><table>\n<tr><th>at</th><th>step</th><th>region</th><th>outcome</th></tr>\n",
    );
    for step in steps {
        let class = if step.passed { "good" } else { "bad" };
        let word = if step.passed { "ok" } else { "failed" };
        push(
            page,
            format_args!(
                "<tr><td><time>{}</time></td><td>{}</td><td>{}</td><td class=\"{class}\">{word} {}</td></tr>\n",
                clock(step.at_seconds),
                escape(&step.name),
                escape(&step.region),
                escape(step.detail.as_deref().unwrap_or_default())
            ),
        );
    }
    page.push_str("</table></section>\n");
}

/// Where a moment lies on the page, in percent of the whole time.
fn percent(at: Duration, whole: f64) -> f64 {
    if whole > 0.0 { (at.as_secs_f64() / whole * 100.0).clamp(0.0, 100.0) } else { 0.0 }
}

fn push(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("invariant: writing to a String does not fail");
}

#[cfg(test)]
mod tests;
