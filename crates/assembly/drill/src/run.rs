//! One run of a drill: the platform starts, steps happen at their times, the end is drained.

use std::sync::Arc;

use mainstay_base::{Diagnostic, Seed, World};
use mainstay_kinds::drill::{Action, Step};
use mainstay_platform::progress::Progress;
use mainstay_platform::start::Home;
use mainstay_platform::{Platform, Region};
use tokio::time::Instant;

use crate::actions::Actions;
use crate::load::{Loaded, codes};
use crate::report::{Report, StepResult};
use crate::timeline::Timeline;

/// Runs a drill under `seed` on a thread of its own and returns what it found; `on_step` sees each
/// step as soon as it is done.
///
/// # Errors
/// A Diagnostic where the platform cannot start; a step that fails is in the report.
pub fn run(
    loaded: Loaded,
    seed: Seed,
    on_step: impl Fn(&StepResult) + Send + 'static,
) -> Result<Report, Diagnostic> {
    let start = loaded.drill.spec.start;
    // Outside the virtual world tokio's clock is the machine's.
    let started = Instant::now();
    let mut report = World::enter(seed, start, move |world| rehearse(world, loaded, on_step))?;
    report.real_seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// What kept the platform from starting, as the drill's own problem.
fn cannot_start(problem: &Diagnostic) -> Diagnostic {
    let told = Diagnostic::error(codes::DRILL_START, "the platform cannot start in virtual time")
        .cause(format!("{}: {}", problem.code, problem.message))
        .help("try the same Source with `mainstay up`");
    problem.causes.iter().fold(told, |told, cause| told.cause(cause.as_str()))
}

async fn rehearse(world: World, loaded: Loaded, on_step: impl Fn(&StepResult)) -> Result<Report, Diagnostic> {
    let Loaded { drill, config, manifests } = loaded;
    let begun = Instant::now();
    let timeline = Timeline::new(world.clock().clone());
    let observer = timeline.clone();
    let home = Home::Memory(Some(Arc::new(move |region, event| observer.change(region, event))));
    let platform = Platform::start(world.clone(), config, home, Progress::default())
        .await
        .map_err(|problem| cannot_start(&problem))?;
    let mut steps: Vec<_> = drill.spec.steps.iter().enumerate().collect();
    steps.sort_by_key(|(index, step)| (step.at, *index));
    let mut results = Vec::new();
    for (index, step) in steps {
        tokio::time::sleep_until(begun + step.at).await;
        let outcome = match region(&platform, step.region.as_deref()) {
            Ok(region) => {
                let manifests = manifests.get(&index).map(Vec::as_slice).unwrap_or_default();
                Actions::new(region.client()).perform(step, manifests).await
            }
            Err(problem) => Err(problem),
        };
        let (passed, detail) = match outcome {
            Ok(detail) => (true, detail),
            Err(problem) => (false, Some(problem)),
        };
        let name = step.name.clone().unwrap_or_else(|| describe(step));
        let result = StepResult { at_seconds: step.at.as_secs_f64(), name, passed, detail };
        timeline.step(&result);
        on_step(&result);
        results.push(result);
    }
    tokio::time::sleep_until(begun + drill.spec.duration).await;
    let virtual_seconds = begun.elapsed().as_secs_f64();
    let (lines, commits) = timeline.finish();
    platform.regions().iter().for_each(Region::kill);
    Ok(Report {
        name: drill.metadata.name,
        seed: world.seed().0,
        passed: results.iter().all(|result| result.passed),
        virtual_seconds,
        real_seconds: 0.0,
        commits,
        steps: results,
        timeline: lines,
    })
}

/// A step without a name, by what it does.
fn describe(step: &Step) -> String {
    match &step.action {
        Action::Apply(apply) => format!("apply {}", apply.file.as_deref().unwrap_or("manifest")),
        Action::Delete(delete) => format!("delete {} {}", delete.kind, delete.name),
        Action::Scale(scale) => format!("scale {} {} to {}", scale.kind, scale.name, scale.replicas),
        Action::KillNode(kill) => {
            let meant = kill.name.as_ref().or(kill.node_group.as_ref()).or(kill.selector.as_ref());
            format!("kill node {}", meant.map_or("", String::as_str))
        }
        Action::Expect(expect) => {
            let meant = expect.name.as_ref().or(expect.selector.as_ref());
            format!("expect {} {}", expect.kind, meant.map_or("", String::as_str)).trim_end().to_owned()
        }
    }
}

/// The region a step names, or the primary.
fn region<'a>(platform: &'a Platform, name: Option<&str>) -> Result<&'a Region, String> {
    let mut regions = platform.regions().iter();
    match name {
        None => regions.next().ok_or_else(|| "the platform has no region".to_owned()),
        Some(name) => {
            regions.find(|region| region.name() == name).ok_or_else(|| format!("there is no region {name}"))
        }
    }
}
