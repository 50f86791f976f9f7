//! Jobs and their pods.

use k8s_openapi::api::batch::v1::{Job, JobStatus};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::support::{Region, region};

fn jobs(region: &Region) -> Api<Job> {
    Api::namespaced(region.client.clone(), "default")
}

/// Creates the Job `work`, whose pods run as the annotations say.
async fn create(region: &Region, spec: Value, annotations: Value) {
    let mut job = json!({
        "metadata": {"name": "work"},
        "spec": {"template": {
            "metadata": {"annotations": annotations},
            "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox"}]},
        }},
    });
    for (key, value) in spec.as_object().unwrap() {
        job["spec"][key] = value.clone();
    }
    let job = serde_json::from_value(job).unwrap();
    jobs(region).create(&PostParams::default(), &job).await.unwrap();
}

async fn change(region: &Region, spec: Value) {
    let patch = Patch::Merge(json!({ "spec": spec }));
    jobs(region).patch("work", &PatchParams::default(), &patch).await.unwrap();
}

async fn status(region: &Region) -> JobStatus {
    jobs(region).get("work").await.unwrap().status.unwrap()
}

/// The conditions that hold: type, reason, message.
fn conditions(status: &JobStatus) -> Vec<(&str, &str, &str)> {
    let holding = status.conditions.iter().flatten().filter(|own| own.status == "True");
    holding
        .map(|own| (&*own.type_, own.reason.as_deref().unwrap(), own.message.as_deref().unwrap()))
        .collect()
}

async fn reasons(region: &Region) -> Vec<String> {
    region.told("Job").await.into_iter().map(|(reason, ..)| reason).collect()
}

#[test]
fn a_job_runs_as_many_pods_as_it_wants_and_no_more_at_a_time() {
    region(1, |region| async move {
        create(&region, json!({"completions": 5, "parallelism": 2}), json!({})).await;
        for _ in 0..60 {
            region.sleep(1).await;
            let running = region.all::<Pod>().await.into_iter().filter(|pod| {
                !matches!(pod.status.as_ref().unwrap().phase.as_deref(), Some("Succeeded" | "Failed"))
            });
            assert!(running.count() <= 2);
        }
        region.sleep(30).await;
        let status = status(&region).await;
        assert_eq!((status.succeeded, status.failed, status.active), (Some(5), None, None));
        assert_eq!((status.ready, status.terminating), (Some(0), Some(0)));
        assert_eq!(json!(status.uncounted_terminated_pods), json!({}));
        assert!(status.completion_time.is_some() && status.start_time.is_some());
        let reached = ("CompletionsReached", "Reached expected number of succeeded pods");
        let expected = [("SuccessCriteriaMet", reached.0, reached.1), ("Complete", reached.0, reached.1)];
        assert_eq!(conditions(&status), expected);
        let told = region.told("Job").await;
        assert_eq!(told.len(), 6);
        assert!(told[..5].iter().all(|(reason, message, _)| {
            reason == "SuccessfulCreate" && message.starts_with("Created pod: work-")
        }));
        assert_eq!(told[5], ("Completed".to_owned(), "Job completed".to_owned(), 1));
        let pods = region.all::<Pod>().await;
        assert!(pods.len() == 5 && pods.iter().all(|pod| pod.metadata.finalizers.is_none()));
        let writes = region.writes();
        region.sleep(3600).await;
        let ours = |writes: &std::collections::BTreeMap<String, u64>| {
            writes.clone().into_iter().filter(|(call, _)| call.contains("job-controller")).collect::<Vec<_>>()
        };
        assert_eq!(ours(&region.writes()), ours(&writes), "a Job that ended is left alone");
        region.assert_well();
    });
}

#[test]
fn a_job_whose_pods_fail_tries_again_later_each_time_and_then_fails() {
    region(2, |region| async move {
        let fails = json!({"mainstay.dev/exit-code": "3", "mainstay.dev/run-for": "2s"});
        create(&region, json!({"backoffLimit": 2}), fails).await;
        region.sleep(15).await;
        assert_eq!(status(&region).await.failed, Some(1));
        region.sleep(120).await;
        let status = status(&region).await;
        assert_eq!((status.succeeded, status.failed, status.completion_time.as_ref()), (None, Some(3), None));
        let exceeded = ("BackoffLimitExceeded", "Job has reached the specified backoff limit");
        let expected = [("FailureTarget", exceeded.0, exceeded.1), ("Failed", exceeded.0, exceeded.1)];
        assert_eq!(conditions(&status), expected);
        let told = region.told("Job").await;
        assert_eq!(told[3], (exceeded.0.to_owned(), exceeded.1.to_owned(), 1));
        let mut made: Vec<_> = region.all::<Pod>().await.into_iter().map(|pod| pod.metadata).collect();
        made.sort_by_key(|meta| meta.creation_timestamp.clone().map(|time| time.0));
        let seconds: Vec<i64> =
            made.iter().map(|meta| meta.creation_timestamp.as_ref().unwrap().0.as_second()).collect();
        assert_eq!(seconds.len(), 3);
        assert!(seconds[1] - seconds[0] >= 12 && seconds[2] - seconds[1] >= 22, "{seconds:?}");
        region.assert_well();
    });
}

#[test]
fn an_indexed_job_gives_each_pod_its_index() {
    region(3, |region| async move {
        let spec = json!({"completions": 3, "parallelism": 3, "completionMode": "Indexed"});
        create(&region, spec, json!({})).await;
        region.sleep(60).await;
        let status = status(&region).await;
        assert_eq!((status.succeeded, status.completed_indexes.as_deref()), (Some(3), Some("0-2")));
        let mut pods = region.all::<Pod>().await;
        pods.sort_by_key(|pod| pod.metadata.name.clone());
        for (index, pod) in pods.iter().enumerate() {
            let key = "batch.kubernetes.io/job-completion-index";
            assert!(pod.metadata.name.as_ref().unwrap().starts_with(&format!("work-{index}-")));
            assert_eq!(pod.metadata.annotations.as_ref().unwrap()[key], index.to_string());
            assert_eq!(pod.metadata.labels.as_ref().unwrap()[key], index.to_string());
            let spec = pod.spec.as_ref().unwrap();
            assert_eq!(spec.hostname, Some(format!("work-{index}")));
            assert_eq!(spec.containers[0].env.as_ref().unwrap()[0].name, "JOB_COMPLETION_INDEX");
        }
        region.assert_well();
    });
}

#[test]
fn an_elastic_job_shrinks_with_its_parallelism() {
    region(4, |region| async move {
        let spec = json!({"completions": 4, "parallelism": 4, "completionMode": "Indexed"});
        create(&region, spec, json!({"mainstay.dev/run-for": "60s"})).await;
        region.sleep(20).await;
        change(&region, json!({"completions": 2, "parallelism": 2})).await;
        region.sleep(10).await;
        assert_eq!(status(&region).await.active, Some(2));
        region.sleep(90).await;
        let status = status(&region).await;
        assert_eq!((status.succeeded, status.completed_indexes.as_deref()), (Some(2), Some("0,1")));
        assert_eq!((conditions(&status)[1].0, status.failed), ("Complete", None));
        region.assert_well();
    });
}

#[test]
fn each_index_fails_for_itself_where_the_job_says_so() {
    region(5, |region| async move {
        let spec = json!({
            "completions": 2, "parallelism": 2, "completionMode": "Indexed", "backoffLimitPerIndex": 1,
            "template": {
                "metadata": {"annotations": {"mainstay.dev/exit-code": "1", "mainstay.dev/run-for": "1s"}},
                "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox"}]},
            },
        });
        create(&region, spec, json!({})).await;
        region.sleep(90).await;
        let status = status(&region).await;
        assert_eq!((status.failed, status.failed_indexes.as_deref()), (Some(4), Some("0,1")));
        assert_eq!(conditions(&status)[1], ("Failed", "FailedIndexes", "Job has failed indexes"));
        let counts = region.all::<Pod>().await.into_iter().map(|pod| {
            pod.metadata.annotations.unwrap()["batch.kubernetes.io/job-index-failure-count"].clone()
        });
        let mut counts: Vec<_> = counts.collect();
        counts.sort();
        assert_eq!(counts, ["0", "0", "1", "1"]);
        region.assert_well();
    });
}

#[test]
fn a_suspended_job_has_no_pods_and_starts_anew_when_it_is_resumed() {
    region(6, |region| async move {
        create(&region, json!({"suspend": true}), json!({"mainstay.dev/run-for": "20s"})).await;
        region.sleep(10).await;
        assert!(region.all::<Pod>().await.is_empty());
        let before = status(&region).await;
        assert_eq!(
            (conditions(&before), before.start_time.clone()),
            (vec![("Suspended", "JobSuspended", "Job suspended")], None)
        );
        change(&region, json!({"suspend": false})).await;
        region.sleep(10).await;
        let first = status(&region).await;
        assert_eq!((first.active, conditions(&first)), (Some(1), vec![]));
        change(&region, json!({"suspend": true})).await;
        region.sleep(10).await;
        assert!(region.all::<Pod>().await.is_empty());
        change(&region, json!({"suspend": false})).await;
        region.sleep(60).await;
        let done = status(&region).await;
        assert!(done.start_time.unwrap().0 > first.start_time.unwrap().0);
        assert_eq!((done.succeeded, done.failed), (Some(1), None));
        let expected = [
            "Suspended",
            "Resumed",
            "SuccessfulCreate",
            "SuccessfulDelete",
            "Suspended",
            "Resumed",
            "SuccessfulCreate",
            "Completed",
        ];
        let mut told = reasons(&region).await;
        told.sort();
        let mut expected = expected.map(str::to_owned).to_vec();
        expected.sort();
        // What is told twice is one Event.
        expected.dedup_by(|a, b| a == b && matches!(&**a, "Suspended" | "Resumed"));
        assert_eq!(told, expected);
        region.assert_well();
    });
}

#[test]
fn a_job_that_runs_too_long_is_ended() {
    region(7, |region| async move {
        let slow = json!({"mainstay.dev/run-for": "500s"});
        create(&region, json!({"activeDeadlineSeconds": 30}), slow).await;
        region.sleep(29).await;
        assert!(conditions(&status(&region).await).is_empty());
        region.sleep(40).await;
        let status = status(&region).await;
        let message = "Job was active longer than specified deadline";
        assert_eq!(conditions(&status)[1], ("Failed", "DeadlineExceeded", message));
        assert_eq!((status.failed, status.active), (Some(1), None));
        assert!(region.all::<Pod>().await.is_empty());
        assert_eq!(reasons(&region).await, ["SuccessfulCreate", "SuccessfulDelete", "DeadlineExceeded"]);
        region.assert_well();
    });
}

#[test]
fn a_job_that_ended_is_deleted_with_its_pods_when_its_time_is_up() {
    region(8, |region| async move {
        create(&region, json!({"ttlSecondsAfterFinished": 30}), json!({})).await;
        region.sleep(35).await;
        assert!(status(&region).await.completion_time.is_some());
        region.sleep(30).await;
        assert!(jobs(&region).get_opt("work").await.unwrap().is_none());
        assert!(region.all::<Pod>().await.is_empty());
        region.assert_well();
    });
}

#[test]
fn a_deleted_job_lets_its_pods_go() {
    region(9, |region| async move {
        create(&region, json!({"completions": 6, "parallelism": 3}), json!({})).await;
        region.sleep(20).await;
        jobs(&region).delete("work", &DeleteParams::background()).await.unwrap();
        region.sleep(60).await;
        assert!(region.all::<Job>().await.is_empty() && region.all::<Pod>().await.is_empty());
        region.assert_well();
    });
}

#[test]
fn a_job_that_selects_by_itself_adopts_what_it_selects() {
    region(10, |region| async move {
        let pod = json!({
            "metadata": {"name": "orphan", "labels": {"app": "work"}},
            "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox"}]},
        });
        let pod: Pod = serde_json::from_value(pod).unwrap();
        region.pods().create(&PostParams::default(), &pod).await.unwrap();
        region.sleep(10).await;
        let template = json!({
            "metadata": {"labels": {"app": "work"}},
            "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox"}]},
        });
        let selector = json!({"matchLabels": {"app": "work"}});
        let spec = json!({"manualSelector": true, "selector": selector, "template": template});
        create(&region, spec, json!({})).await;
        region.sleep(5).await;
        let pods = region.all::<Pod>().await;
        assert_eq!(pods.len(), 1, "the orphan is enough");
        assert_eq!(pods[0].metadata.owner_references.as_ref().unwrap()[0].name, "work");
        assert_eq!(
            pods[0].metadata.finalizers.as_deref(),
            Some(&["batch.kubernetes.io/job-tracking".to_owned()][..])
        );
        region.assert_well();
    });
}

#[test]
fn no_pod_is_lost_or_counted_twice_when_the_controller_starts_anew() {
    for seed in 11..14 {
        region(seed, move |mut region| async move {
            create(
                &region,
                json!({"completions": 12, "parallelism": 4}),
                json!({"mainstay.dev/run-for": "4s"}),
            )
            .await;
            for _ in 0..10 {
                region.sleep(3).await;
                region.restart();
            }
            region.sleep(200).await;
            let status = status(&region).await;
            assert_eq!((status.succeeded, status.failed, status.active), (Some(12), None, None), "{seed}");
            assert_eq!(region.all::<Pod>().await.len(), 12, "{seed}");
        });
    }
}
