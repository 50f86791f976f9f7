//! One run of a drill: the platform starts, steps happen at their times, what is asked is answered
//! when it can be, the end is drained.

use std::collections::BTreeMap;
use std::sync::Arc;

use mainstay_base::{Diagnostic, Random, Seed, World};
use mainstay_kinds::Drill;
use mainstay_kinds::drill::{Action, Partition};
use mainstay_platform::progress::Progress;
use mainstay_platform::start::Home;
use mainstay_platform::{Platform, Region};
use serde_json::Value;
use tokio::time::Instant;

use crate::actions::Actions;
use crate::cuts::{self, Cuts};
use crate::history::History;
use crate::load::{Loaded, codes};
use crate::report::{Report, StepResult, Violation};
use crate::schedule::{self, Due};
use crate::timeline::{Sink, Timeline};
use crate::witness::{Answer, Witness};

mod describe;

use describe::describe;

/// What a drill tells while it runs.
#[derive(Debug)]
pub enum Told<'t> {
    /// What became of a step, as soon as it is known.
    Step(&'t StepResult),
    /// An invariant does not hold.
    Violation(&'t Violation),
}

/// What a run leaves: the report, and what its timeline is drawn from.
#[derive(Debug)]
pub struct Ran {
    /// What the drill found.
    pub report: Report,
    pub(crate) history: History,
    pub(crate) regions: Vec<String>,
}

/// Runs a drill under `seed` on a thread of its own and returns what it found; `tell` hears of each
/// step as soon as it is done. The timeline's lines go to `timeline` as they happen.
///
/// # Errors
/// A Diagnostic where the platform cannot start or the timeline cannot be written; a step that fails
/// is in the report.
pub fn run(
    loaded: Loaded,
    seed: Seed,
    timeline: Option<Sink>,
    tell: impl Fn(Told<'_>) + Send + 'static,
) -> Result<Ran, Diagnostic> {
    let start = loaded.drill.spec.start;
    // Outside the virtual world tokio's clock is the machine's.
    let started = Instant::now();
    let mut ran = World::enter(seed, start, move |world| rehearse(world, loaded, timeline, tell))?;
    ran.report.real_seconds = started.elapsed().as_secs_f64();
    Ok(ran)
}

/// What kept the platform from starting, as the drill's own problem.
fn cannot_start(problem: &Diagnostic) -> Diagnostic {
    let told = Diagnostic::error(codes::DRILL_START, "the platform cannot start in virtual time")
        .cause(format!("{}: {}", problem.code, problem.message))
        .help("try the same Source with `mainstay up`");
    problem.causes.iter().fold(told, |told, cause| told.cause(cause.as_str()))
}

async fn rehearse(
    world: World,
    loaded: Loaded,
    timeline: Option<Sink>,
    tell: impl Fn(Told<'_>),
) -> Result<Ran, Diagnostic> {
    let Loaded { drill, config, manifests, expressions } = loaded;
    let witness = Witness::new(Timeline::new(world.clock().clone(), timeline), expressions);
    let observer = witness.clone();
    let home = Home::Memory(Some(Arc::new(move |region, event| observer.commit(region, event))));
    let platform = Box::pin(Platform::start(world.clone(), config, home, Progress::default()))
        .await
        .map_err(|problem| cannot_start(&problem))?;
    platform.regions().iter().for_each(|region| witness.seat(region));
    let mut random = world.random("drill/schedule");
    let steps = schedule::written_out(&drill.spec.steps, "/spec/steps", &mut random);
    let mut run = Run {
        world: &world,
        platform: &platform,
        witness: &witness,
        steps: &steps,
        manifests: &manifests,
        random: world.random("drill/picks"),
        cuts: Cuts::default(),
        results: BTreeMap::new(),
        tell: &tell,
    };
    for invariant in &drill.spec.always {
        witness.guard(run.name_of(invariant.region.as_deref()), invariant);
    }
    Box::pin(run.steps(&drill)).await;
    let virtual_seconds = witness.begun().elapsed().as_secs_f64();
    let steps: Vec<StepResult> = run.results.into_values().collect();
    platform.regions().iter().for_each(Region::kill);
    let (history, violations, timeline) = witness.close();
    let commits = timeline.finish().map_err(|error| timeline_problem(&error))?;
    let report = Report {
        name: drill.metadata.name,
        seed: world.seed().0,
        passed: violations.is_empty() && steps.iter().all(|result| result.passed),
        virtual_seconds,
        real_seconds: 0.0,
        commits,
        steps,
        violations,
    };
    let regions = platform.regions().iter().map(|region| region.name().to_owned()).collect();
    Ok(Ran { report, history, regions })
}

fn timeline_problem(error: &std::io::Error) -> Diagnostic {
    Diagnostic::error(codes::TIMELINE, "the timeline cannot be written")
        .cause(error.to_string())
        .help("name a file you may write to, on a disk with room")
}

/// A drill on its way.
struct Run<'r, T> {
    world: &'r World,
    platform: &'r Platform,
    witness: &'r Witness,
    steps: &'r [Due],
    manifests: &'r BTreeMap<String, Vec<Value>>,
    random: Random,
    cuts: Cuts,
    /// What became of steps, by their number.
    results: BTreeMap<usize, StepResult>,
    tell: &'r T,
}

impl<'r, T: Fn(Told<'_>)> Run<'r, T> {
    /// Does every step at its time, until the drill's end.
    async fn steps(&mut self, drill: &Drill) {
        let end = self.witness.begun() + drill.spec.duration;
        let mut next = 0;
        loop {
            self.gather();
            let step = self.steps.get(next).map(|due| self.witness.begun() + due.at);
            let wake = [step, self.witness.due(), self.cuts.due(), Some(end)].into_iter().flatten().min();
            tokio::select! {
                biased;
                () = self.witness.found() => {}
                () = tokio::time::sleep_until(wake.unwrap_or(end)) => {}
            }
            let now = Instant::now();
            for healed in self.cuts.heal(self.world.net(), now) {
                self.witness.step(self.at(), format!("heal {healed}"));
            }
            self.witness.look_around(now);
            while let Some(due) = self.steps.get(next).filter(|due| self.witness.begun() + due.at <= now) {
                Box::pin(self.step(next, due)).await;
                next += 1;
            }
            if now >= end && next == self.steps.len() {
                break;
            }
        }
        self.witness.end();
        self.gather();
    }

    /// Does one step, or asks what it asks.
    async fn step(&mut self, number: usize, due: &Due) {
        let region = self.name_of(due.step.region.as_deref()).to_owned();
        if let Action::Expect(expect) = &due.step.action {
            self.witness.ask(number, &region, expect);
            self.gather();
            return;
        }
        let outcome = self.act(&region, due).await;
        let mut what = describe(&due.step);
        if let Ok(Some(detail)) = &outcome {
            what = format!("{what}: {detail}");
        }
        self.witness.step(self.at(), what);
        let (passed, detail) = match outcome {
            Ok(detail) => (true, detail),
            Err(problem) => (false, Some(problem)),
        };
        let result = self.result(due, passed, detail);
        self.settle(number, result);
    }

    async fn act(&mut self, region: &str, due: &Due) -> Result<Option<String>, String> {
        match &due.step.action {
            Action::KillRegion(name) => {
                let region = self.region(name)?;
                region.kill();
                self.witness.seat(region);
                return Ok(None);
            }
            Action::RestoreRegion(name) => {
                let region = self.region(name)?;
                region.restore(self.world).await.map_err(|problem| problem.message)?;
                self.witness.seat(region);
                return Ok(None);
            }
            Action::Partition(partition) => return self.partition(region, partition).await,
            _ => {}
        }
        let region = self.region(region)?;
        if region.is_killed() {
            return Err(format!("{} is down", region.name()));
        }
        let mut actions = Actions::new(region, &mut self.random);
        match &due.step.action {
            Action::Apply(apply) => {
                let manifests = self.manifests.get(&due.path).map(Vec::as_slice).unwrap_or_default();
                actions.apply(apply, manifests).await
            }
            Action::Delete(delete) => actions.delete(delete).await,
            Action::Scale(scale) => actions.scale(scale).await,
            Action::KillNode(meant) => actions.kill_node(meant).await,
            Action::RestoreNode(meant) => actions.restore_node(meant).await,
            // Done above, or written out before.
            _ => Ok(None),
        }
    }

    async fn partition(&mut self, region: &str, partition: &Partition) -> Result<Option<String>, String> {
        let (sides, detail) = match (&partition.nodes, partition.regions.as_slice()) {
            (Some(meant), _) => {
                let found = self.region(region)?;
                let nodes = Actions::new(found, &mut self.random).nodes(meant).await?;
                (cuts::nodes(region, &nodes), nodes.join(", "))
            }
            (None, [one, other]) => (cuts::regions(one, other), format!("{one} from {other}")),
            (None, _) => return Err("a partition has two sides".to_owned()),
        };
        let heals_at = partition.lasting.map(|lasting| Instant::now() + lasting);
        self.cuts.cut(self.world.net(), sides, heals_at, format!("partition: {detail}"));
        Ok(Some(detail))
    }

    /// Takes the answers there are, and tells them and what was violated.
    fn gather(&mut self) {
        for violation in self.witness.violations() {
            self.witness.note(|timeline| timeline.violation(&violation));
            (self.tell)(Told::Violation(&violation));
        }
        for (number, answer) in self.witness.answers() {
            let due = &self.steps[number];
            let result = match answer {
                Answer::So(after) => {
                    let waited = format!("after {:.1} s", after.as_secs_f64());
                    self.result(due, true, (!after.is_zero()).then_some(waited))
                }
                Answer::Otherwise(finding) => {
                    let detail =
                        format!("{}: {}, expected {}", finding.about, finding.seen, finding.expected);
                    let result = self.result(due, false, Some(detail));
                    StepResult { finding: Some(finding), ..result }
                }
            };
            self.settle(number, result);
        }
    }

    fn settle(&mut self, number: usize, result: StepResult) {
        self.witness.note(|timeline| timeline.step(&result));
        (self.tell)(Told::Step(&result));
        self.results.insert(number, result);
    }

    fn result(&self, due: &Due, passed: bool, detail: Option<String>) -> StepResult {
        let name = due.step.name.clone().unwrap_or_else(|| describe(&due.step));
        StepResult {
            at_seconds: due.at.as_secs_f64(),
            until_seconds: self.at().as_secs_f64(),
            name: name + &due.round,
            asks: matches!(due.step.action, Action::Expect(_)),
            region: self.name_of(due.step.region.as_deref()).to_owned(),
            passed,
            detail,
            finding: None,
        }
    }

    fn at(&self) -> std::time::Duration {
        self.witness.begun().elapsed()
    }

    fn region(&self, name: &str) -> Result<&'r Region, String> {
        let found = self.platform.regions().iter().find(|region| region.name() == name);
        found.ok_or_else(|| format!("there is no region {name}"))
    }

    /// The region that is named, or the primary.
    fn name_of<'n>(&'n self, name: Option<&'n str>) -> &'n str {
        name.unwrap_or_else(|| self.platform.regions().first().map_or("", Region::name))
    }
}
