//! What a simulated container does, as its pod's annotations say it.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use mainstay_control::meta::annotation;
use mainstay_kinds::duration;

/// Annotation: how long the containers of a pod that ends run (`90s`).
pub const RUN_ANNOTATION: &str = "mainstay.dev/run-for";
/// Annotation: the code they end with.
pub const EXIT_CODE_ANNOTATION: &str = "mainstay.dev/exit-code";
/// Annotation: how long they take to stop when they are asked to.
pub const STOP_ANNOTATION: &str = "mainstay.dev/stop-after";

/// How long the containers of a Job's pod run that says nothing.
const JOB_RUN: Duration = Duration::from_secs(10);

/// What the containers of a pod do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behaviour {
    /// They run until they are stopped.
    Serve,
    /// They end by themselves.
    Finish {
        /// After this long.
        run: Duration,
        /// With this code.
        code: i32,
    },
}

/// What the pod's containers do. A pod that is restarted for ever never ends here.
pub(super) fn behaviour(pod: &Pod) -> Behaviour {
    let policy = pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref());
    if !matches!(policy, Some("Never" | "OnFailure")) {
        return Behaviour::Serve;
    }
    let is_job = pod.metadata.owner_references.iter().flatten().any(|owner| owner.kind == "Job");
    let run = time(pod, RUN_ANNOTATION).or_else(|| is_job.then_some(JOB_RUN));
    let code = annotation(&pod.metadata, EXIT_CODE_ANNOTATION).and_then(|text| text.parse().ok());
    run.map_or(Behaviour::Serve, |run| Behaviour::Finish { run, code: code.unwrap_or(0) })
}

/// How long the pod's containers take to stop, where it says so.
pub(super) fn stop_time(pod: &Pod) -> Option<Duration> {
    time(pod, STOP_ANNOTATION)
}

fn time(pod: &Pod, key: &str) -> Option<Duration> {
    annotation(&pod.metadata, key).and_then(|text| duration::parse(text).ok())
}
