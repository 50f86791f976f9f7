//! What the types of a drill alone do not say, each problem at its place.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mainstay_base::Diagnostic;
use mainstay_cel::Expression;
use mainstay_kinds::Drill;
use mainstay_kinds::drill::{Action, Expect, Step};
use mainstay_resource::LabelSelector;
use mainstay_source::Document;

use super::codes;
use crate::schedule;

/// Steps of one drill, repetitions written out.
const MOST_STEPS: u64 = 10_000;
/// What an expression may name.
const VARIABLES: [&str; 2] = ["object", "objects"];

/// The drill's expressions, compiled, or everything that is wrong with it.
pub(super) fn check(
    document: &Document,
    drill: &Drill,
    regions: &[&str],
) -> Result<BTreeMap<String, Arc<Expression>>, Vec<Diagnostic>> {
    let mut check = Check { document, regions, expressions: BTreeMap::new(), problems: Vec::new() };
    check.steps(&drill.spec.steps, "/spec/steps", Some(drill.spec.duration));
    for (index, invariant) in drill.spec.always.iter().enumerate() {
        let path = format!("/spec/always/{index}");
        check.region(invariant.region.as_deref(), &format!("{path}/region"));
        check.expect(&invariant.expect, &format!("{path}/expect"));
        check.late(invariant.from, drill.spec.duration, &format!("{path}/from"));
    }
    if schedule::count(&drill.spec.steps) > MOST_STEPS {
        let message = format!("the repetitions make more than {MOST_STEPS} steps");
        let problem = document.error(codes::TOO_MANY_STEPS, message, "/spec/steps");
        check.problems.push(problem.help("repeat less often"));
    }
    if check.problems.is_empty() { Ok(check.expressions) } else { Err(check.problems) }
}

struct Check<'d> {
    document: &'d Document,
    regions: &'d [&'d str],
    expressions: BTreeMap<String, Arc<Expression>>,
    problems: Vec<Diagnostic>,
}

impl Check<'_> {
    /// `end` is known for steps that are not repeated.
    fn steps(&mut self, steps: &[Step], path: &str, end: Option<Duration>) {
        for (index, step) in steps.iter().enumerate() {
            let path = format!("{path}/{index}");
            if let Some(end) = end {
                self.late(schedule::latest(step), end, &format!("{path}/at"));
            }
            self.region(step.region.as_deref(), &format!("{path}/region"));
            match &step.action {
                Action::Expect(expect) => self.expect(expect, &format!("{path}/expect")),
                Action::KillRegion(name) => self.region(Some(name), &format!("{path}/killRegion")),
                Action::RestoreRegion(name) => self.region(Some(name), &format!("{path}/restoreRegion")),
                Action::Partition(partition) => {
                    for (index, name) in partition.regions.iter().enumerate() {
                        self.region(Some(name), &format!("{path}/partition/regions/{index}"));
                    }
                }
                Action::Repeat(repeat) => self.steps(&repeat.steps, &format!("{path}/repeat/steps"), None),
                _ => {}
            }
        }
    }

    fn late(&mut self, at: Duration, end: Duration, path: &str) {
        if at > end {
            let problem = self
                .document
                .error(codes::STEP_AFTER_END, "this step is later than the drill's end", path)
                .help("make the drill's `duration` longer, or the step's `at` earlier");
            self.problems.push(problem);
        }
    }

    fn region(&mut self, name: Option<&str>, path: &str) {
        if let Some(name) = name.filter(|name| !self.regions.contains(name)) {
            let problem = self
                .document
                .error(codes::NO_REGION, format!("there is no region {name}"), path)
                .help(format!("the platform's regions are: {}", self.regions.join(", ")));
            self.problems.push(problem);
        }
    }

    fn expect(&mut self, expect: &Expect, path: &str) {
        if let Some(text) = &expect.cel {
            match Expression::compile(text, &VARIABLES) {
                Ok(expression) => drop(self.expressions.insert(text.clone(), Arc::new(expression))),
                Err(error) => self.unreadable("expression", &error, &format!("{path}/cel")),
            }
        }
        if let Some(Err(error)) = expect.selector.as_deref().map(LabelSelector::parse) {
            self.unreadable("selector", &error, &format!("{path}/selector"));
        }
    }

    fn unreadable(&mut self, what: &str, error: &dyn std::fmt::Display, path: &str) {
        let problem = self
            .document
            .error(codes::EXPRESSION, format!("this {what} cannot be read: {error}"), path)
            .help("`mainstay explain M0405` shows what can be written here");
        self.problems.push(problem);
    }
}
