//! Pages of made-up runs.

use super::*;
use crate::history::History;
use crate::report::{Link, Report};

fn step(name: &str, passed: bool) -> StepResult {
    StepResult {
        at_seconds: 60.0,
        until_seconds: 90.5,
        name: name.to_owned(),
        asks: true,
        region: "us-east-1".to_owned(),
        passed,
        detail: Some("it's \"so\" & <so>".to_owned()),
        finding: (!passed).then(|| Finding {
            at_seconds: 90.5,
            about: "Pod a&b".to_owned(),
            expected: "`object.x < 3`".to_owned(),
            seen: "<script>alert(1)</script>".to_owned(),
            chain: vec![Link {
                at_seconds: 1.0,
                object: "Node <n>".to_owned(),
                what: "fault: 'killed'".to_owned(),
            }],
        }),
    }
}

fn ran(steps: Vec<StepResult>) -> Ran {
    let report = Report {
        name: "a <b>".to_owned(),
        seed: 7,
        passed: steps.iter().all(|step| step.passed),
        virtual_seconds: 600.0,
        real_seconds: 0.1,
        commits: 10,
        steps,
        violations: Vec::new(),
    };
    Ran { report, history: History::default(), regions: vec!["us-east-1".to_owned()] }
}

#[test]
fn every_text_is_escaped() {
    let page = html(&ran(vec![step("</i><img src=x onerror=alert(1)>", false)]));
    for wrong in ["<script", "<img", "a <b>", "Node <n>", "<so>", "x < 3"] {
        assert!(!page.contains(wrong), "{wrong} is in the page");
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert_eq!(escape("a\u{7}'\"&<>"), "a\u{fffd}&#39;&quot;&amp;&lt;&gt;");
}

#[test]
fn a_page_needs_nothing_but_itself() {
    let page = html(&ran(vec![step("fine", true)]));
    for outside in ["http://", "https://", "src=", "href=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside} is in the page");
    }
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("<span class=\"verdict passed\">"));
    assert_eq!(page, html(&ran(vec![step("fine", true)])));
}
