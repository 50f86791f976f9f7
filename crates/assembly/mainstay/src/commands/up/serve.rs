//! The process that runs the platform: start, report, wait, drain.

use std::time::Duration;

use mainstay_base::{Diagnostic, World};
use mainstay_platform::progress::Progress;
use mainstay_platform::start::Home;
use mainstay_platform::{Config, Listening, Platform, State, codes, kubeconfig, state};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use super::report::{Ready, Reporter};
use crate::cli::Up;
use crate::exit::{self, Failure, Outcome};
use crate::paths;

/// Runs the platform until it is told to end.
pub(super) fn run(arguments: &Up, config: Config, state: State, reporter: &Reporter) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        Failure::unavailable(Diagnostic::error(codes::REGION_START, "no runtime").cause(error.to_string()))
    })?;
    let outcome = runtime.block_on(serve(arguments, config, state, reporter));
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome
}

async fn serve(arguments: &Up, config: Config, state: State, reporter: &Reporter) -> Outcome {
    let started = Instant::now();
    let unavailable = Failure::unavailable;
    let (folder, name) = (state.folder().to_owned(), config.name.clone());
    let progress = Progress::default();
    let mut shown = 0;
    let home = Home::Folder(state, Listening { first_port: arguments.api_port });
    let starting = Platform::start(World::real(), config, home, progress.clone());
    let platform =
        show_progress(Box::pin(starting), &progress, reporter, &mut shown).await.map_err(unavailable)?;

    let entries = platform.kubeconfig_entries();
    let config_path = arguments.kubeconfig.clone().unwrap_or_else(paths::kubeconfig);
    kubeconfig::write(&state::kubeconfig(&folder), &entries).map_err(unavailable)?;
    let owner = kubeconfig::Owner { platform: &name, folder: &folder };
    let merged = kubeconfig::merge(&config_path, &owner, &entries).map_err(unavailable)?;
    merged.warnings.iter().for_each(|warning| reporter.diagnostic(warning));

    platform.refusals().iter().for_each(|refusal| reporter.diagnostic(refusal));

    let mut signals = Signals::listen().map_err(unavailable)?;
    let patience = arguments.wait.saturating_sub(started.elapsed());
    let waiting = tokio::time::timeout(
        patience,
        show_progress(Box::pin(platform.ready()), &progress, reporter, &mut shown),
    );
    tokio::select! {
        biased;
        () = signals.next() => {
            platform.drain().await;
            return Ok(exit::INTERRUPTED);
        }
        outcome = waiting => match outcome {
            Ok(()) => reporter.ready(&Ready {
                seconds: started.elapsed().as_secs_f64(),
                contexts: merged.contexts.clone(),
                documents: platform.status().documents,
                detached: arguments.report,
            }),
            Err(_late) => report_late(&platform, arguments.wait, reporter),
        },
    }
    tokio::select! {
        biased;
        () = signals.next() => {}
        () = platform.stopped() => {}
    }
    platform.drain().await;
    Ok(exit::DONE)
}

/// Says why it is not ready; the platform goes on trying.
fn report_late(platform: &Platform, wait: Duration, reporter: &Reporter) {
    let mut problem = Diagnostic::error(codes::NOT_READY, format!("not ready after {} s", wait.as_secs()));
    for region in platform.status().regions.iter().filter(|region| !region.ready) {
        problem =
            problem.cause(format!("{}: {}", region.name, region.reason.as_deref().unwrap_or("not ready")));
    }
    let problem =
        problem.help("it goes on in the background: see `mainstay status`, or end it with `mainstay down`");
    if reporter.is_terminal() {
        reporter.diagnostic(&problem);
    } else {
        reporter.failed(&Failure { code: exit::NO, diagnostics: vec![problem] });
    }
}

/// Shows each phase as it ends while `work` goes on; `shown` counts those that were.
async fn show_progress<T>(
    work: impl Future<Output = T>,
    progress: &Progress,
    reporter: &Reporter,
    shown: &mut usize,
) -> T {
    let mut changes = progress.subscribe();
    let mut work = std::pin::pin!(work);
    loop {
        let finished = tokio::select! {
            biased;
            value = &mut work => Some(value),
            Ok(()) = changes.changed() => None,
        };
        let done: Vec<_> = progress.phases().into_iter().filter(|phase| phase.done).collect();
        done.iter().skip(*shown).for_each(|phase| reporter.phase(phase));
        *shown = done.len();
        if let Some(value) = finished {
            return value;
        }
    }
}

/// Ctrl-C and a polite request to end.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> Result<Self, Diagnostic> {
        let listen = |kind| {
            signal(kind).map_err(|error| {
                Diagnostic::error(codes::REGION_START, "signals cannot be received").cause(error.to_string())
            })
        };
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            biased;
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
