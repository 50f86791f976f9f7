//! CronJobs, and the Jobs they leave.

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::support::{Region, region, region_of};

/// Creates a CronJob whose Jobs' pods run as the annotations say.
async fn create(region: &Region, name: &str, spec: Value, annotations: Value) {
    let template = json!({
        "metadata": {"annotations": annotations},
        "spec": {"restartPolicy": "OnFailure", "containers": [{"name": "c", "image": "postgres:14"}]},
    });
    let mut cron = json!({
        "metadata": {"name": name},
        "spec": {"jobTemplate": {"spec": {"template": template}}},
    });
    for (key, value) in spec.as_object().unwrap() {
        cron["spec"][key] = value.clone();
    }
    crons(region).create(&PostParams::default(), &serde_json::from_value(cron).unwrap()).await.unwrap();
}

fn crons(region: &Region) -> Api<CronJob> {
    Api::namespaced(region.client.clone(), "default")
}

/// The names of the Jobs, less the CronJob's, as times.
async fn times(region: &Region) -> Vec<String> {
    let jobs = region.all::<Job>().await.into_iter().map(|job| {
        let name = job.metadata.name.unwrap();
        let minutes: i64 = name.rsplit_once('-').unwrap().1.parse().unwrap();
        Timestamp::from_second(minutes * 60).unwrap().to_string()
    });
    jobs.collect()
}

fn count(region: &Region, call: &str) -> u64 {
    let call = format!("system:serviceaccount:kube-system:cronjob-controller {call}");
    region.writes().get(&call).copied().unwrap_or_default()
}

#[test]
fn the_backup_runs_every_six_hours_and_leaves_its_last_three_jobs() {
    region_of(1, 1, |region| async move {
        let spec = json!({
            "schedule": "0 */6 * * *", "concurrencyPolicy": "Forbid",
            "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 3,
        });
        create(&region, "postgres-backup", spec, json!({"mainstay.dev/run-for": "40s"})).await;
        region.sleep(6 * 3600 + 10).await;
        assert_eq!(times(&region).await, ["2026-01-01T06:00:00Z"]);
        let status = crons(&region).get("postgres-backup").await.unwrap().status.unwrap();
        assert_eq!(status.active.unwrap().len(), 1);
        assert_eq!(status.last_schedule_time.unwrap().0.to_string(), "2026-01-01T06:00:00Z");
        let job = region.all::<Job>().await.remove(0);
        let annotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";
        assert_eq!(job.metadata.annotations.unwrap()[annotation], "2026-01-01T06:00:00Z");
        region.sleep(90).await;
        let name = job.metadata.name.unwrap();
        assert_eq!(
            region.told("CronJob").await,
            [
                ("SuccessfulCreate".to_owned(), format!("Created job {name}"), 1),
                ("SawCompletedJob".to_owned(), format!("Saw completed job: {name}, condition: Complete"), 1),
            ]
        );
        region.sleep(2 * 86_400 - 6 * 3600 - 50).await;
        let expected = ["2026-01-02T12:00:00Z", "2026-01-02T18:00:00Z", "2026-01-03T00:00:00Z"];
        assert_eq!(times(&region).await, expected);
        assert_eq!((count(&region, "create batch/jobs"), count(&region, "delete batch/jobs")), (8, 5));
        assert_eq!(region.all::<Pod>().await.len(), 3, "the pods go with their Jobs");
        let status = crons(&region).get("postgres-backup").await.unwrap().status.unwrap();
        assert_eq!(status.active, None);
        assert!(status.last_successful_time.unwrap().0 > "2026-01-03T00:00:40Z".parse().unwrap());
        region.assert_well();
    });
}

#[test]
fn a_job_that_still_runs_is_let_run_joined_or_replaced() {
    for (policy, active, all) in [("Allow", 3, 3), ("Forbid", 1, 1), ("Replace", 1, 3)] {
        region(2, move |region| async move {
            let spec = json!({"schedule": "*/2 * * * *", "concurrencyPolicy": policy});
            create(&region, "often", spec, json!({"mainstay.dev/run-for": "1h"})).await;
            region.sleep(6 * 60 + 30).await;
            let status = crons(&region).get("often").await.unwrap().status.unwrap();
            assert_eq!(status.active.unwrap().len(), active, "{policy}");
            assert_eq!(count(&region, "create batch/jobs"), all, "{policy}");
            let told = region.told("CronJob").await;
            let busy = told.iter().filter(|(reason, ..)| reason == "JobAlreadyActive").count();
            let replaced = told.iter().filter(|(reason, ..)| reason == "SuccessfulDelete").count();
            assert_eq!((busy > 0, replaced), (policy == "Forbid", if policy == "Replace" { 2 } else { 0 }));
            region.assert_well();
        });
    }
}

#[test]
fn a_day_in_a_zone_of_its_own_begins_when_it_does_there() {
    region_of(1, 3, |region| async move {
        let spec = json!({"schedule": "@daily", "timeZone": "Asia/Tokyo"});
        create(&region, "tokyo", spec, json!({})).await;
        region.sleep(15 * 3600 + 60).await;
        assert_eq!(times(&region).await, ["2026-01-01T15:00:00Z"]);
        let job = region.all::<Job>().await.remove(0);
        let annotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";
        assert_eq!(job.metadata.annotations.unwrap()[annotation], "2026-01-02T00:00:00+09:00");
        region.assert_well();
    });
}

#[test]
fn what_was_missed_in_suspension_is_made_up_for_once() {
    region_of(1, 4, |region| async move {
        let spec = json!({"schedule": "* * * * *", "suspend": true});
        create(&region, "held", spec, json!({})).await;
        region.sleep(3600 * 2).await;
        assert!(times(&region).await.is_empty());
        let resumed = Patch::Merge(json!({"spec": {"suspend": false}}));
        crons(&region).patch("held", &PatchParams::default(), &resumed).await.unwrap();
        region.sleep(30).await;
        assert_eq!(times(&region).await, ["2026-01-01T02:00:00Z"]);
        let told = region.told("CronJob").await;
        let message =
            "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
        assert_eq!(told[0], ("TooManyMissedTimes".to_owned(), message.to_owned(), 1));
        region.sleep(120).await;
        assert_eq!(times(&region).await.len(), 3);
        region.assert_well();
    });
}
