//! A running platform takes another Source: what it comes to, whether it may, and doing it.
//!
//! **Invariants:** a Source with anything wrong in it changes nothing. One Source is taken at a time.

use std::fmt::Write as _;
use std::sync::Arc;

use mainstay_base::diagnostic::{Style, render};
use mainstay_base::{Diagnostic, Severity};
use mainstay_source::Source;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::codes;
use crate::config::{Config, expanded};
use crate::control::{Answer, Up};
use crate::documents::{self, Planned};
use crate::plan::{Counts, RegionPlan};
use crate::progress::Phase;
use crate::start::Shared;

/// The exit code for wrong input, and for what cannot be done.
const USAGE: u8 = 2;
const UNAVAILABLE: u8 = 3;

/// Why a Source is not taken.
struct Failure {
    code: u8,
    problems: Vec<Diagnostic>,
}

impl From<Diagnostic> for Failure {
    fn from(problem: Diagnostic) -> Self {
        Self { code: UNAVAILABLE, problems: vec![problem] }
    }
}

/// Takes a Source; what is told on the way goes to `tell`.
pub(crate) async fn take(shared: Arc<Shared>, up: Up, source: Source, tell: mpsc::Sender<Answer>) -> Answer {
    match try_take(&shared, &up, source, &tell).await {
        Ok(counts) => Answer::Done(counts),
        Err(Failure { code, problems }) => {
            let problems = problems.iter().map(|problem| render(problem, Style::PLAIN)).collect();
            Answer::Failed { code, problems }
        }
    }
}

async fn try_take(
    shared: &Shared,
    up: &Up,
    source: Source,
    tell: &mpsc::Sender<Answer>,
) -> Result<Counts, Failure> {
    let Ok(_turn) = shared.turn.try_acquire() else {
        return Err(Diagnostic::error(codes::UP_GOES_ON, "another `mainstay up` is changing the platform")
            .help("wait until it is done, and run it again")
            .into());
    };
    let source = expanded(source);
    let config = read(up, &source)?;
    check(shared, &config)?;
    let owner = documents::owner(&config.name);
    let stamps = shared.held().stamps.clone();
    let mut planned = Planned::examine(&shared.regions, &config, &owner, &stamps).await?;
    let plans = planned.shown();
    let counts: Counts = plans.iter().map(RegionPlan::counts).sum();
    // Who asked may have left.
    let _left = tell.send(Answer::Plan(plans.clone())).await;
    if up.dry_run {
        return Ok(counts);
    }
    let started = Instant::now();
    planned.apply(&shared.regions).await?;
    let applied = planned.settle();
    for (region, wanted) in shared.regions.iter().zip(&config.regions) {
        region.expect(&wanted.cluster);
    }
    shared.world.net().set_egress(config.egress());
    for plan in &plans {
        let phase = Phase {
            name: plan.region.clone(),
            detail: plan.counts().to_string(),
            done: true,
            seconds: started.elapsed().as_secs_f64(),
        };
        let _left = tell.send(Answer::Phase(phase)).await;
    }
    for refusal in &applied.refusals {
        let _left = tell.send(Answer::Refusal(render(refusal, Style::PLAIN))).await;
    }
    let refused = applied.refusals.len();
    shared.hold(applied, config.declared);
    Ok(Counts { refused, ..counts })
}

/// The platform that the Source makes, unless anything is wrong with it.
fn read(up: &Up, source: &Source) -> Result<Config, Failure> {
    let config = Config::plan(up.name.clone(), source);
    let all = source.diagnostics.iter().chain(&config.diagnostics);
    let errors: Vec<Diagnostic> =
        all.filter(|problem| problem.severity == Severity::Error).cloned().collect();
    if errors.is_empty() { Ok(config) } else { Err(Failure { code: USAGE, problems: errors }) }
}

/// Whether the running platform can become this one.
fn check(shared: &Shared, config: &Config) -> Result<(), Diagnostic> {
    if shared.name != config.name {
        return Err(Diagnostic::error(
            codes::FOREIGN_STATE,
            format!("the platform that runs here is \"{}\"", shared.name),
        )
        .cause(format!("this Source makes platform \"{}\"", config.name))
        .help("use another folder with `--state DIR`, or end the other with `mainstay down`"));
    }
    let runs: Vec<(String, &str)> =
        shared.regions.iter().map(|region| (region.name().to_owned(), region.role.word())).collect();
    let wanted: Vec<(String, &str)> =
        config.regions.iter().map(|region| (region.name.clone(), region.role.word())).collect();
    if runs == wanted {
        return Ok(());
    }
    let list = |regions: &[(String, &str)]| {
        let mut text = String::new();
        for (name, role) in regions {
            let separator = if text.is_empty() { "" } else { ", " };
            write!(text, "{separator}{name} ({role})").expect("invariant: text takes everything");
        }
        text
    };
    Err(Diagnostic::error(codes::REGIONS_CHANGED, "a running platform cannot get, lose or swap regions")
        .cause(format!("it runs {}", list(&runs)))
        .cause(format!("the Source makes {}", list(&wanted)))
        .help("run `mainstay down`, then `mainstay up` again: the state is kept"))
}
