//! Upstream's tables of what is counted at the beginning of a turn, and of which indexes are ready.

use std::time::Duration;

use serde_json::json;

use super::tracking::pods_of;
use super::*;

/// Upstream's `TestGetNewFinshedPods`.
#[test]
fn pods_count_once_whether_listed_or_seen() {
    for (counts, uncounted, released, pods, expected) in [
        ((2, 1), (vec![], vec![]), vec![], "a:S- b:S c:S d:F- e:F f:R-", (4, 2)),
        ((1, 1), (vec!["a", "c"], vec!["e", "f"]), vec![], "a:S- b:S- c:S d:S e:F- f:F g:F", (4, 4)),
        ((2, 2), (vec!["a"], vec!["d"]), vec!["b", "f"], "a:S- b:S c:S d:F- e:F f:F g:F", (4, 5)),
        ((1, 1), (vec![], vec![]), vec![], "a:S! b:F! c:R! d:P! e:R!- f:P!-", (2, 4)),
    ] {
        let status = json!({
            "succeeded": counts.0, "failed": counts.1,
            "uncountedTerminatedPods": {"succeeded": uncounted.0, "failed": uncounted.1},
        });
        let job = job(json!({}), status, json!({}));
        let mut view = View::new(&job, job.spec.as_ref().unwrap(), pods_of(pods), now());
        view.released = released.into_iter().map(str::to_owned).collect();
        let tally = view.tally();
        assert_eq!((tally.succeeded, tally.failed), expected, "{pods}");
    }
}

/// Upstream's `TestGetPodCreationInfoForIndependentIndexes`.
#[test]
fn an_index_gets_its_next_pod_when_its_own_wait_is_over() {
    let wait = |seconds| Some(Duration::from_secs(seconds));
    for (indexes, failed, ready, expected) in [
        (vec![1, 3], vec![], vec![1, 3], None),
        (vec![1, 3], vec![(1, "0", 0)], vec![3], None),
        (vec![1, 3], vec![(1, "0", 0), (3, "0", 10)], vec![3], None),
        (vec![1, 2, 3], vec![(1, "1", 0), (2, "0", 0), (3, "2", 0)], vec![], wait(10)),
        (vec![1, 2, 3], vec![(1, "1", 1), (2, "0", 1), (3, "2", 1)], vec![], wait(9)),
    ] {
        let job = job(
            json!({"completionMode": "Indexed", "completions": 4, "backoffLimitPerIndex": 9}),
            json!({}),
            json!({}),
        );
        let view = View::new(&job, job.spec.as_ref().unwrap(), vec![], now());
        let mut tally = view.tally();
        for (index, failures, age) in failed {
            let annotations = json!({"batch.kubernetes.io/job-index-failure-count": failures});
            let metadata = json!({"annotations": annotations, "deletionTimestamp": ago(age).to_string()});
            let pod = pod("p", "Failed", None, metadata, json!({"containerStatuses": []}));
            tally.kept.insert(index, pod);
        }
        assert_eq!(plan::ready_indexes(&view, &tally, indexes), (ready, expected));
    }
}

/// Upstream's `TestJobBackoffOnRestartPolicyNever`.
#[test]
fn one_failure_more_than_the_limit_ends_the_job() {
    let exceeded = ["FailureTarget: BackoffLimitExceeded", "Failed: BackoffLimitExceeded"];
    for (count, limit, pods, active, failed, ends) in [
        (1, 0, "a:R", 1, 0, false),
        (1, 1, "a:F", 1, 1, false),
        (1, 1, "a:F b:F", 0, 2, true),
        (2, 6, "r:R a:F b:F c:F d:F e:F f:F", 2, 6, false),
        (2, 6, "a:F b:F c:F d:F e:F f:F g:F", 0, 7, true),
    ] {
        let spec = json!({"parallelism": count, "completions": count, "backoffLimit": limit});
        let job = job(spec, json!({}), json!({}));
        let mut view = View::new(&job, job.spec.as_ref().unwrap(), pods_of(pods), now());
        let status = turn(&mut view, Server::default()).status;
        assert_eq!(
            (status.active.unwrap_or_default(), status.failed.unwrap_or_default()),
            (active, failed),
            "{pods}"
        );
        assert_eq!(conditions(&status), if ends { exceeded.to_vec() } else { vec![] }, "{pods}");
    }
}

/// Upstream's `TestSyncJobWhenManagedBy`.
#[test]
fn a_job_that_another_manages_is_left_alone() {
    for (manager, expected) in
        [(Some("custom-managed-by"), true), (Some("kubernetes.io/job-controller"), false), (None, false)]
    {
        let job = job(json!({ "managedBy": manager }), json!({}), json!({}));
        assert_eq!(super::super::is_managed_elsewhere(&job), expected, "{manager:?}");
    }
}

mod laws {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// A Job in a world of its own: pods end, are deleted and disappear as the dice say.
    struct Scene {
        job: Job,
        pods: Vec<Arc<Pod>>,
        made: usize,
        /// The uids of all pods that ever succeeded, and failed.
        succeeded: BTreeSet<String>,
        failed: BTreeSet<String>,
    }

    impl Scene {
        /// A turn of the controller; `breaks` says that it dies after the first write.
        fn turn(&mut self, breaks: bool) {
            let spec = self.job.spec.clone().unwrap();
            let job = self.job.clone();
            let mut view = View::new(&job, &spec, self.pods.clone(), now());
            let tally = view.tally();
            let plan = plan::plan(&mut view, &tally);
            let mut done = Done::default();
            match &plan.work {
                Work::Create(indexes) => {
                    for index in indexes {
                        self.made += 1;
                        let index = index.map(|index| index.to_string());
                        let uid = format!("p{}", self.made);
                        self.pods.push(pod(&uid, "Running", index.as_deref(), json!({}), json!({})));
                    }
                    done.created = number(indexes.len());
                }
                Work::Remove(pods) | Work::End(pods) => {
                    let gone: Vec<_> = pods.iter().map(|pod| pod.metadata.uid.clone()).collect();
                    if let Work::Remove(_) = plan.work {
                        self.pods.retain(|pod| !gone.contains(&pod.metadata.uid));
                    } else {
                        self.fail(&gone);
                    }
                    done.deleted = number(pods.len());
                }
                _ => {}
            }
            let mut after = plan::conclude(&view, &tally, &plan, done);
            let mut tracking = track::begin(&view, &tally, &mut after);
            self.job.status = Some(after.status.clone());
            if breaks {
                return;
            }
            let release = tracking.release.clone();
            let gone: Vec<&Pod> = release.iter().map(AsRef::as_ref).collect();
            self.pods.retain(|pod| gone.iter().all(|gone| gone.metadata.uid != pod.metadata.uid));
            track::released(&mut tracking, &mut after.status, &gone);
            track::end(&tracking, &mut after);
            self.job.status = Some(after.status);
        }

        /// Ends pods as failed.
        fn fail(&mut self, uids: &[Option<String>]) {
            for pod in self.pods.iter_mut().filter(|pod| uids.contains(&pod.metadata.uid)) {
                self.failed.extend(pod.metadata.uid.clone());
                Arc::make_mut(pod).status.as_mut().unwrap().phase = Some("Failed".to_owned());
            }
        }

        fn succeed(&mut self, place: usize) {
            let mut running = self.pods.iter_mut().filter(|pod| pods::is_active(pod));
            if let Some(pod) = running.nth(place) {
                self.succeeded.extend(pod.metadata.uid.clone());
                Arc::make_mut(pod).status.as_mut().unwrap().phase = Some("Succeeded".to_owned());
            }
        }

        fn ended(&self) -> bool {
            crate::jobs::ended(&self.job).is_some()
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn every_pod_is_counted_once_wherever_the_controller_breaks_off(
            indexed in any::<bool>(),
            completions in 1_i32..8,
            parallelism in 1_i32..5,
            limit in 0_i32..4,
            dice in prop::collection::vec((0_usize..3, 0_usize..4, any::<bool>()), 0..40),
        ) {
            let spec = json!({
                "completionMode": if indexed { "Indexed" } else { "NonIndexed" },
                "completions": completions, "parallelism": parallelism, "backoffLimit": limit,
            });
            let mut scene = Scene {
                job: job(spec, json!({}), json!({})),
                pods: vec![],
                made: 0,
                succeeded: BTreeSet::new(),
                failed: BTreeSet::new(),
            };
            for (what, place, breaks) in dice {
                if !scene.ended() {
                    scene.turn(breaks);
                }
                match what {
                    0 => scene.succeed(place),
                    1 => {
                        let running = scene.pods.iter().filter(|pod| pods::is_active(pod));
                        let uid = running.skip(place).map(|pod| pod.metadata.uid.clone()).next();
                        scene.fail(&uid.into_iter().collect::<Vec<_>>());
                    }
                    _ => {}
                }
                let running = scene.pods.iter().filter(|pod| pods::is_active(pod)).count();
                prop_assert!(number(running) <= parallelism, "more at a time than allowed");
            }
            // Left alone, with pods that succeed, the Job ends.
            for _ in 0..100 {
                if scene.ended() {
                    break;
                }
                scene.turn(false);
                scene.succeed(0);
            }
            prop_assert!(scene.ended());
            let status = scene.job.status.clone().unwrap();
            let (succeeded, failed) = (status.succeeded.unwrap_or_default(), status.failed.unwrap_or_default());
            prop_assert_eq!(succeeded, number(scene.succeeded.len()));
            prop_assert_eq!(failed, number(scene.failed.len()));
            prop_assert!(scene.pods.is_empty() && status.active.is_none());
            let complete = crate::jobs::is_complete(&scene.job);
            prop_assert_eq!(complete, failed <= limit, "{} failed, {} are allowed", failed, limit);
            prop_assert!(!complete || succeeded == completions);
        }
    }
}
