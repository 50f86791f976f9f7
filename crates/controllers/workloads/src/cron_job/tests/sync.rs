//! Upstream's `TestControllerV2SyncCronJob`, its cases in its order.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

use super::super::plan::{Creation, Plan, plan};
use super::super::*;
use super::{at, cron};
use crate::told::Told;
use mainstay_control::events::EventType;

/// One or several cases: what a row says of each of its `policies`.
///
/// `facts`: `ran`, `active` (still), `listed` (named by the status), `unseen` (not in the cache),
/// `suspended`, `exists` (creating fails so), `unreadable` (reading a Job fails), and `zone`,
/// `deadline`, `created`, `job` (made), `last` (scheduled) with a value.
///
/// What is expected: `create`, `delete`, `done` (told), `busy` (told), `status` (changes), `error`,
/// and `active`, `warnings`, `next` (in seconds) with a value; what has none is 0, or not checked.
struct Row(&'static str, &'static str, &'static str, &'static str, &'static str);

const HOURLY: &str = "0 * * * ?";
const EVERY: &str = "@every 1h";

const ROWS: &[Row] = &[
    Row(
        "never ran, not valid schedule",
        "Allow Forbid Forbid",
        "obvious error schedule",
        "now=-1m",
        "warnings=1",
    ),
    Row("never ran, not valid time zone", "Allow", HOURLY, "zone=bad now=-1m", "warnings=1"),
    Row("never ran, not time", "Allow Forbid Replace", HOURLY, "now=-1m", "next=60.1"),
    Row("never ran, not time in zone", "Allow", HOURLY, "zone=America/New_York now=-1m", "next=60.1"),
    Row("never ran, is time", "Allow Forbid Replace", HOURLY, "now=1m", "create active=1 status next=3540.1"),
    Row(
        "never ran, is time in zone, disabled or not",
        "Allow Allow",
        HOURLY,
        "zone=America/New_York now=1m",
        "create active=1 status next=3540.1",
    ),
    Row(
        "never ran, is time in zone, but TZ is also set in schedule",
        "Allow",
        "TZ=UTC 0 * * * ?",
        "zone=America/New_York now=1m",
        "create active=1 warnings=1 status next=3540.1",
    ),
    Row("never ran, is time, suspended", "Allow", HOURLY, "suspended now=1m", ""),
    Row("never ran, is time, past deadline", "Allow", HOURLY, "deadline=10 now=12m", "next=2880.1"),
    Row(
        "never ran, is time, not past deadline",
        "Allow",
        HOURLY,
        "deadline=1000000 now=1m",
        "create active=1 status next=3540.1",
    ),
    Row(
        "prev ran but done, not time",
        "Allow Forbid Replace",
        HOURLY,
        "ran listed now=-1m",
        "done status next=60.1",
    ),
    Row(
        "prev ran but done, is time",
        "Allow Forbid Replace",
        HOURLY,
        "ran listed now=1m",
        "create active=1 done status next=3540.1",
    ),
    Row(
        "prev ran but done, is time, create job failed",
        "Allow",
        HOURLY,
        "ran listed exists now=1m",
        "active=1 done status",
    ),
    Row(
        "prev ran but done, is time, job not present in CJ active status, create job failed",
        "Allow",
        HOURLY,
        "ran exists now=1m",
        "active=1 status",
    ),
    Row(
        "prev ran but done, is time, suspended",
        "Allow",
        HOURLY,
        "ran listed suspended now=1m",
        "done status",
    ),
    Row(
        "prev ran but done, is time, past deadline",
        "Allow",
        HOURLY,
        "ran listed deadline=10 now=1m",
        "done status next=3540.1",
    ),
    Row(
        "prev ran but done, is time, not past deadline",
        "Allow",
        HOURLY,
        "ran listed deadline=1000000 now=1m",
        "create active=1 done status next=3540.1",
    ),
    Row(
        "still active, not time",
        "Allow Forbid Replace",
        HOURLY,
        "ran active listed now=-1m",
        "active=1 next=60.1",
    ),
    Row(
        "still active, is time",
        "Allow",
        HOURLY,
        "ran active listed now=1m",
        "create active=2 status next=3540.1",
    ),
    Row("still active, is time", "Forbid", HOURLY, "ran active listed now=1m", "active=1 busy next=3540.1"),
    Row(
        "still active, is time",
        "Replace",
        HOURLY,
        "ran active listed now=1m",
        "create delete active=1 status next=3540.1",
    ),
    Row(
        "still active, is time, get job failed",
        "Replace",
        HOURLY,
        "ran active listed unreadable now=1m",
        "active=1 warnings=1 error",
    ),
    Row(
        "still active, is time, suspended",
        "Allow",
        HOURLY,
        "ran active listed suspended now=1m",
        "active=1",
    ),
    Row(
        "still active, is time, past deadline",
        "Allow",
        HOURLY,
        "ran active listed deadline=10 now=1m",
        "active=1 next=3540.1",
    ),
    Row(
        "still active, is time, not past deadline",
        "Allow",
        HOURLY,
        "ran active listed deadline=1000000 now=1m",
        "create active=2 status next=3540.1",
    ),
    Row(
        "prev ran but done, long overdue, not past deadline",
        "Allow Replace Forbid",
        HOURLY,
        "ran listed deadline=1000000 now=7d",
        "create active=1 warnings=1 done status next=3600.1",
    ),
    Row(
        "prev ran but done, long overdue, no deadline",
        "Allow Replace Forbid",
        HOURLY,
        "ran listed now=7d",
        "create active=1 warnings=1 done status next=3600.1",
    ),
    Row(
        "prev ran but done, long overdue, past medium deadline",
        "Allow Replace Forbid",
        HOURLY,
        "ran listed deadline=7200 now=7d",
        "create active=1 done status next=3600.1",
    ),
    Row(
        "prev ran but done, long overdue, past short deadline",
        "Allow Replace Forbid",
        HOURLY,
        "ran listed deadline=10 now=7d",
        "create active=1 done status next=3600.1",
    ),
    Row(
        "this ran but done, time drifted back",
        "Forbid",
        HOURLY,
        "ran exists job=1m now=-1m",
        "status next=60.1",
    ),
    Row(
        "this started but went missing, not past deadline",
        "Allow Forbid Replace",
        HOURLY,
        "ran active listed unseen deadline=1000000 job=100ms now=1m100ms",
        "active=1 next=3540",
    ),
    Row(
        "this started but is not present in cronjob active list, not past deadline",
        "Allow Forbid Replace",
        HOURLY,
        "ran active listed deadline=1000000 job=100ms now=1m100ms",
        "active=1 next=3540",
    ),
    Row("@every, never ran, not time", "Allow", EVERY, "created=-1m job=-1m now=0", "next=3540.1"),
    Row(
        "@every, never ran, is time",
        "Allow",
        EVERY,
        "created=-61m job=-61m now=-1m",
        "create active=1 status next=3600.1",
    ),
    Row(
        "@every, never ran, is time, past deadline",
        "Allow",
        EVERY,
        "deadline=10 created=-61m job=-61m now=-49s",
        "next=3589.1",
    ),
    Row(
        "@every, never ran, is time, not past deadline",
        "Allow",
        EVERY,
        "deadline=1000000 created=-61m job=-61m now=-51s",
        "create active=1 status next=3591.1",
    ),
    Row(
        "@every, prev ran but done, not time",
        "Allow",
        EVERY,
        "ran listed created=-61m job=-61m last=-1m now=0",
        "done status next=3540.1",
    ),
    Row(
        "@every, prev ran but done, is time",
        "Allow",
        EVERY,
        "ran listed created=-61m job=-61m last=-1m now=60m",
        "create active=1 done status next=3540.1",
    ),
    Row(
        "@every, prev ran but done, is time, past deadline",
        "Allow",
        EVERY,
        "ran listed deadline=10 created=-61m job=-61m last=-1m now=59m11s",
        "done status next=3589.1",
    ),
    Row(
        "@every, still active, not time",
        "Allow",
        EVERY,
        "ran active listed created=-61m job=-1m last=-1m now=0",
        "active=1 next=3540.1",
    ),
    Row(
        "@every, still active, is time",
        "Allow",
        EVERY,
        "ran active listed created=-61m job=-61m last=-61m now=1m",
        "create active=2 status next=3480.1",
    ),
    Row(
        "@every, still active, is time, past deadline",
        "Allow",
        EVERY,
        "ran active listed deadline=10 created=-61m job=-1m last=-1m now=59m11s",
        "active=1 next=3589.1",
    ),
    Row(
        "@every, still active, is time, not past deadline",
        "Allow",
        EVERY,
        "ran active listed deadline=1000000 created=-61m job=-1m last=-1m now=59m9s",
        "create active=2 status next=3591.1",
    ),
    Row(
        "@every, prev ran but done, long overdue, no deadline",
        "Allow",
        EVERY,
        "ran listed created=-59m last=1m job=-59m now=7d",
        "create active=1 warnings=1 done status next=60.1",
    ),
    Row(
        "@every, prev ran but done, long overdue, past deadline",
        "Allow",
        EVERY,
        "ran listed deadline=10 created=-59m last=1m job=-59m now=7d1m11s",
        "done status next=3589.1",
    ),
    Row(
        "set lastsuccessfultime whatever the history",
        "Allow Allow Allow",
        HOURLY,
        "ran listed now=-1m",
        "done status",
    ),
];

/// What a row says under a name.
struct Words(&'static str);

impl Words {
    fn has(&self, word: &str) -> bool {
        self.0.split(' ').any(|own| own == word)
    }

    fn get(&self, name: &str) -> Option<&'static str> {
        self.0.split(' ').find_map(|own| own.strip_prefix(name)?.strip_prefix('='))
    }
}

/// A case as it stands before.
fn scene(policy: &str, schedule: &str, facts: &Words) -> (CronJob, Job) {
    let has_run = facts.has("ran");
    let time = |name: &str, default: &'static str| at(facts.get(name).unwrap_or(default));
    let created = time("created", if has_run { "-61m" } else { "-1m" });
    let spec = json!({
        "concurrencyPolicy": policy, "suspend": facts.has("suspended"), "timeZone": facts.get("zone"),
        "startingDeadlineSeconds": facts.get("deadline").map(|deadline| deadline.parse::<i64>().unwrap()),
    });
    let mut cron = cron(schedule, spec, created, has_run.then(|| time("last", "-59m")));
    let made = time("job", "-59m");
    let mut job = job::job(&cron, made);
    job.metadata.uid = Some("1234".to_owned());
    if !facts.has("active") {
        let status: Value = json!({
            "completionTime": made + Duration::from_secs(10), "conditions": [{"type": "Complete", "status": "True"}],
        });
        job.status = Some(serde_json::from_value(status).unwrap());
    }
    if facts.has("listed") {
        cron.status.as_mut().unwrap().active = Some(vec![job::reference(job.metadata.clone())]);
    }
    (cron, job)
}

/// What acting on the plan comes to: how many Jobs were created and deleted, and whether it failed.
fn act(cron: &CronJob, job: &Job, facts: &Words, plan: &mut Plan) -> (usize, usize, bool) {
    let Some(start) = plan.start.clone() else { return (0, 0, false) };
    let mut deleted = 0;
    for active in start.replaces {
        if facts.has("unreadable") {
            let message = "Get job: request is invalid".to_owned();
            plan.told.push(Told::warning("FailedGet", message));
            return (0, 0, true);
        }
        plan::end(&mut plan.status, active.uid.as_deref().unwrap());
        deleted += 1;
    }
    if facts.has("exists") {
        plan.conclude(start.at, Creation::Made(job::reference(job.metadata.clone())));
        return (0, deleted, false);
    }
    let mut created = job::job(cron, start.at);
    created.metadata.uid = Some("5678".to_owned());
    plan.conclude(start.at, Creation::Created(job::reference(created.metadata)));
    (1, deleted, false)
}

#[test]
fn a_cron_job_starts_what_is_due_as_upstream() {
    let mut cases = 0;
    for Row(name, policies, schedule, facts, expected) in ROWS {
        for policy in policies.split(' ') {
            cases += 1;
            check(&format!("{name}, {policy}"), (policy, schedule), &Words(facts), &Words(expected));
        }
    }
    assert_eq!(cases, 73);
}

fn check(name: &str, (policy, schedule): (&str, &str), facts: &Words, expected: &Words) {
    let (cron, job) = scene(policy, schedule, facts);
    let seen: Vec<&Job> = if facts.has("ran") && !facts.has("unseen") { vec![&job] } else { vec![] };
    let mut plan = plan(&cron, &seen, |_| false, at(facts.get("now").unwrap()));
    let (created, deleted, failed) = act(&cron, &job, facts, &mut plan);
    let is = |word: &str| expected.has(word);
    let number = |word: &str| expected.get(word).map_or(0, |number| number.parse().unwrap());
    assert_eq!((created, deleted, failed), (is("create").into(), is("delete").into(), is("error")), "{name}");
    assert_eq!(plan.status.active.iter().flatten().count(), number("active"), "{name}: {:?}", plan.status);
    assert_eq!(Some(&plan.status) != cron.status.as_ref(), is("status"), "{name}: {:?}", plan.status);
    if let Some(next) = expected.get("next") {
        assert_eq!(plan.next, Some(Duration::from_secs_f64(next.parse().unwrap())), "{name}");
    }
    let warnings = plan.told.iter().filter(|told| told.event_type == EventType::Warning).count();
    let normal: Vec<_> = plan
        .told
        .iter()
        .filter(|told| told.event_type == EventType::Normal)
        .map(|told| told.reason)
        .collect();
    let told = [("done", "SawCompletedJob"), ("busy", "JobAlreadyActive"), ("create", "SuccessfulCreate")];
    let told: Vec<_> = told.into_iter().filter(|(word, _)| is(word)).map(|(_, reason)| reason).collect();
    assert_eq!((warnings, normal), (number("warnings"), told), "{name}: {:?}", plan.told);
    if facts.has("ran") && !facts.has("active") {
        let made = at(facts.get("job").unwrap_or("-59m"));
        assert_eq!(plan.status.last_successful_time, Some(Time(made + Duration::from_secs(10))), "{name}");
    }
}

/// Upstream's `TestControllerV2JobAlreadyExistsButNotInActiveStatus` and `…ButDifferentOwner`.
#[test]
fn a_job_that_is_there_already_is_taken_note_of_if_it_is_ours() {
    let (cron, job) = scene("Forbid", EVERY, &Words("ran active created=-1m last=-61m"));
    let reference = job::reference(job.metadata);
    for (creation, expected) in
        [(Creation::Made(reference.clone()), Some(vec![reference])), (Creation::Foreign, None)]
    {
        let mut plan = plan(&cron, &[], |_| false, at("-1m"));
        let start = plan.start.clone().unwrap();
        plan.conclude(start.at, creation);
        assert_eq!(plan.status.active, expected);
        assert!(plan.told.is_empty());
    }
}

#[test]
fn jobs_that_were_forgotten_or_went_missing_are_told_of() {
    let (cron, mut job) = scene("Allow", HOURLY, &Words("ran active listed"));
    let told = |plan: Plan| plan.told.into_iter().map(|told| told.message).collect::<Vec<_>>();
    let missing = plan(&cron, &[], |_| true, at("-1m"));
    assert_eq!(missing.status.active, None);
    assert_eq!(told(missing), ["Active job went missing: mycronjob-24394141"]);
    job.metadata.uid = Some("9999".to_owned());
    let forgotten = plan(&cron, &[&job], |_| false, at("-1m"));
    assert_eq!(
        told(forgotten),
        ["Saw a job that the controller did not create or forgot: mycronjob-24394141"]
    );
}
