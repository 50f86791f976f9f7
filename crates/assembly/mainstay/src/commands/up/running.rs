//! A Source for a platform that runs already: handed over, planned and applied there.

use std::path::Path;

use mainstay_base::{Diagnostic, World};
use mainstay_platform::control::{Answer, Up, ask_up};
use mainstay_platform::{codes, state};
use mainstay_source::Source;
use tokio::time::Instant;

use super::report::{Changed, Reporter};
use crate::commands::small_runtime;
use crate::exit::{self, Failure, Outcome};

/// Hands `source` to the platform whose state lies in `folder`, and shows what it makes of it.
pub(super) fn hand_over(folder: &Path, up: &Up, source: &Source, reporter: &Reporter) -> Outcome {
    let socket = state::control_socket(folder);
    let started = Instant::now();
    let asking = async {
        ask_up(World::real().net(), &socket, up, source, |answer| match answer {
            Answer::Plan(plans) => reporter.plan(&plans),
            Answer::Phase(phase) => reporter.phase(&phase),
            Answer::Refusal(text) => reporter.notice(text),
            _ => {}
        })
        .await
    };
    let answer = small_runtime()?.block_on(asking).map_err(|error| {
        Failure::unavailable(
            Diagnostic::error(codes::NOT_RUNNING, "the platform does not answer")
                .cause(format!("{}: {error}", socket.display()))
                .help("it may still be starting, or be ending: try again, and see `mainstay status`"),
        )
    })?;
    match answer {
        Answer::Done(_) if up.dry_run => Ok(reporter.changed(None)),
        Answer::Done(counts) => {
            let seconds = started.elapsed().as_secs_f64();
            Ok(reporter.changed(Some(Changed { counts, seconds })))
        }
        Answer::Failed { code, problems } => Ok(reporter.failed_with(code, problems)),
        Answer::Refused(why) => Err(Failure::unavailable(
            Diagnostic::error(codes::OTHER_VERSION, "the running platform does not take a Source this way")
                .cause(why)
                .help("end it with `mainstay down`, and run `mainstay up` again"),
        )),
        _ => Ok(exit::UNAVAILABLE),
    }
}
