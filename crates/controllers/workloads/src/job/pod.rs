//! The pods a Job makes.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Container, EnvVar, EnvVarSource, ObjectFieldSelector, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use mainstay_control::meta::controller_reference;

use super::failure_policy::meaning;
use super::view::{FINALIZER, count};

/// Annotation and label: the pod's completion index.
pub const INDEX: &str = "batch.kubernetes.io/job-completion-index";
/// Annotation: how often pods of its index failed before it.
pub const FAILURES: &str = "batch.kubernetes.io/job-index-failure-count";
/// Annotation: how often they failed and did not count.
pub const IGNORED_FAILURES: &str = "batch.kubernetes.io/job-index-ignored-failure-count";

/// Where a container finds its index.
const VARIABLE: &str = "JOB_COMPLETION_INDEX";
/// The longest beginning of a generated name.
const LONGEST_PREFIX: usize = 63 - 5;

/// A pod from the Job's template, for an index where it has them; `replaced` is the failed pod whose
/// place it takes.
pub fn pod(job: &Job, index: Option<i32>, replaced: Option<&Pod>) -> Pod {
    let template = job.spec.as_ref().map(|spec| spec.template.clone()).unwrap_or_default();
    let given = template.metadata.unwrap_or_default();
    let mut finalizers = given.finalizers.unwrap_or_default();
    if !finalizers.iter().any(|own| own == FINALIZER) {
        finalizers.push(FINALIZER.to_owned());
    }
    let name = job.metadata.name.as_deref().unwrap_or_default();
    let mut pod = Pod {
        metadata: ObjectMeta {
            generate_name: Some(format!("{name}-")),
            namespace: job.metadata.namespace.clone(),
            labels: given.labels,
            annotations: given.annotations,
            finalizers: Some(finalizers),
            owner_references: Some(vec![controller_reference(job)]),
            ..ObjectMeta::default()
        },
        spec: template.spec,
        status: None,
    };
    if let Some(index) = index {
        give_index(&mut pod, name, index);
        if job.spec.as_ref().is_some_and(|spec| spec.backoff_limit_per_index.is_some()) {
            give_failures(&mut pod, job, replaced);
        }
    }
    pod
}

fn give_index(pod: &mut Pod, job: &str, index: i32) {
    pod.metadata.generate_name = Some(prefix(job, index));
    for place in [&mut pod.metadata.annotations, &mut pod.metadata.labels] {
        place.get_or_insert_default().insert(INDEX.to_owned(), index.to_string());
    }
    let spec = pod.spec.get_or_insert_default();
    spec.hostname = Some(format!("{job}-{index}"));
    spec.init_containers.iter_mut().flatten().chain(&mut spec.containers).for_each(give_variable);
}

fn give_variable(container: &mut Container) {
    let variables = container.env.get_or_insert_default();
    if variables.iter().any(|variable| variable.name == VARIABLE) {
        return;
    }
    let field = ObjectFieldSelector { field_path: format!("metadata.labels['{INDEX}']"), api_version: None };
    variables.push(EnvVar {
        name: VARIABLE.to_owned(),
        value_from: Some(EnvVarSource { field_ref: Some(field), ..EnvVarSource::default() }),
        ..EnvVar::default()
    });
}

fn give_failures(pod: &mut Pod, job: &Job, replaced: Option<&Pod>) {
    let (counted, ignored) = replaced.map_or((0, 0), |replaced| new_failures(job, replaced));
    let annotations = pod.metadata.annotations.get_or_insert_default();
    annotations.insert(FAILURES.to_owned(), counted.to_string());
    if ignored > 0 {
        annotations.insert(IGNORED_FAILURES.to_owned(), ignored.to_string());
    }
}

/// How often pods of an index failed once `replaced` has, counted and not.
pub(super) fn new_failures(job: &Job, replaced: &Pod) -> (i32, i32) {
    let policy = job.spec.as_ref().and_then(|spec| spec.pod_failure_policy.as_ref());
    let (counted, ignored) = (count(replaced, FAILURES), count(replaced, IGNORED_FAILURES));
    if meaning(policy, replaced).counts() { (counted + 1, ignored) } else { (counted, ignored + 1) }
}

/// The beginning of the name of a pod with an index.
pub(super) fn prefix(job: &str, index: i32) -> String {
    let end = format!("-{index}-");
    let room = LONGEST_PREFIX - end.len();
    format!("{}{end}", &job[..job.len().min(room)])
}
