//! Upstream's `TestControllerSyncJob`, its cases in its order. Where upstream turns a gate off that is
//! on by default, the case is here with it on: a Job ends by way of its target, and its pods that are
//! being deleted are counted.

use serde_json::{Value, json};

use super::super::backoff::Failures;
use super::*;

/// `facts`: `p`, `c`, `b` (parallelism, completions, back-off limit), `pending`, `active`, `ready` (of
/// them), `succeeded`, `failed`, `terminating` pods without an index, `pods` with one (`0S,1F`),
/// `deleting`, `suspend`, `suspended` before, `unsettled`, `policy` (of replacement), `rules` (a
/// failure policy without any), `refuses`, `limit`, `failures` (now), `was` (`active/succeeded/failed`),
/// `untrue` (a condition that does not hold).
///
/// What is expected: `create`, `delete`, `active`, `ready`, `succeeded`, `failed`, `patch`, each 0 when
/// it is not said; `leaving` (terminating), `done` (completed indexes) and `indexes` (created).
struct Row(&'static str, &'static str, &'static str, &'static [&'static str]);

const COMPLETE: &[&str] = &["SuccessCriteriaMet: CompletionsReached", "Complete: CompletionsReached"];
const EXCEEDED: &[&str] = &["FailureTarget: BackoffLimitExceeded", "Failed: BackoffLimitExceeded"];
const TARGET: &[&str] = &["FailureTarget: BackoffLimitExceeded"];
const SUSPENDED: &[&str] = &["Suspended: JobSuspended"];

const ROWS: &[Row] = &[
    Row("WQ job start", "p=2", "create=2 active=2", &[]),
    Row("pending pods", "p=2 c=5 pending=2", "active=2", &[]),
    Row("correct # of pods", "p=3 c=5 active=3 ready=2", "active=3 ready=2", &[]),
    Row("WQ job: correct # of pods", "p=2 active=2", "active=2", &[]),
    Row("too few active pods", "p=2 c=5 active=1 succeeded=1", "create=1 active=2 succeeded=1 patch=1", &[]),
    Row(
        "WQ job: recreate pods when failed",
        "p=1 active=1 failed=1 policy=Failed terminating=1",
        "leaving=1 patch=1 failed=1 active=1",
        &[],
    ),
    Row(
        "WQ job: turn on PodReplacementPolicy but not set PodReplacementPolicy",
        "p=1 c=1 active=1 failed=1 terminating=1",
        "leaving=1 active=1 patch=2 failed=2",
        &[],
    ),
    Row(
        "WQ job: recreate pods when terminating or failed",
        "p=1 active=1 failed=1 policy=TerminatingOrFailed terminating=1",
        "leaving=1 active=1 patch=2 failed=2",
        &[],
    ),
    Row(
        "more terminating pods than parallelism",
        "p=1 c=1 active=2 terminating=4 policy=Failed",
        "leaving=5 active=1 delete=1 patch=1",
        &[],
    ),
    Row(
        "more terminating pods than parallelism; PodFailurePolicy used",
        "p=1 c=1 active=2 terminating=4 rules",
        "leaving=5 active=1 delete=1 patch=1",
        &[],
    ),
    Row("too few active pods and active back-off", "p=1 c=1 failures=1 was=0/0/0", "", &[]),
    Row("too few active pods and no back-offs", "p=1 c=1 failures=0", "create=1 active=1", &[]),
    Row("too few active pods with a dynamic job", "p=2 active=1", "create=1 active=2", &[]),
    Row(
        "too few active pods, with controller error",
        "p=2 c=5 refuses active=1 succeeded=1",
        "create=1 active=1 patch=1",
        &[],
    ),
    Row("too many active pods", "p=2 c=5 active=3", "delete=1 active=2 patch=1", &[]),
    Row(
        "too many active pods; PodReplacementPolicy enabled",
        "p=2 c=5 active=3",
        "delete=1 active=2 patch=1 leaving=1",
        &[],
    ),
    Row("too many active pods, with controller error", "p=2 c=5 refuses active=3", "patch=1 active=3", &[]),
    Row(
        "count ready pods when too many active pods",
        "p=2 c=5 active=3 ready=3",
        "delete=1 active=2 patch=1 ready=2",
        &[],
    ),
    Row(
        "failed + succeed pods: reset backoff delay",
        "p=2 c=5 active=1 succeeded=1 failed=1",
        "create=1 active=2 succeeded=1 failed=1 patch=2",
        &[],
    ),
    Row("new failed pod", "p=2 c=5 active=1 failed=1", "create=1 active=2 failed=1 patch=1", &[]),
    Row(
        "no new pod; possible finalizer update of failed pod",
        "p=1 c=1 was=1/0/1 active=1",
        "active=1 failed=1",
        &[],
    ),
    Row(
        "only new failed pod with controller error",
        "p=2 c=5 refuses active=1 failed=1",
        "create=1 active=1 patch=1",
        &[],
    ),
    Row("job finish", "p=2 c=5 succeeded=5", "succeeded=5 patch=5", COMPLETE),
    Row("WQ job finishing", "p=2 active=1 succeeded=1", "active=1 succeeded=1 patch=1", &[]),
    Row("WQ job all finished", "p=2 succeeded=2", "succeeded=2 patch=2", COMPLETE),
    Row(
        "WQ job all finished despite one failure",
        "p=2 succeeded=1 failed=1",
        "succeeded=1 failed=1 patch=2",
        COMPLETE,
    ),
    Row("more active pods than parallelism", "p=2 c=5 active=10", "delete=8 active=2 patch=8", &[]),
    Row(
        "more active pods than remaining completions",
        "p=3 c=4 active=3 succeeded=2",
        "delete=1 active=2 succeeded=2 patch=3",
        &[],
    ),
    Row("status change", "p=2 c=5 active=2 succeeded=2", "active=2 succeeded=2 patch=2", &[]),
    Row(
        "deleting job",
        "p=2 c=5 deleting pending=1 active=1 succeeded=1",
        "active=2 succeeded=1 patch=3",
        &[],
    ),
    Row("limited pods", "p=100 c=200 limit=10", "create=10 active=10", &[]),
    Row("too many job failures", "p=2 c=5 b=0 deleting failed=1", "failed=1 patch=1", EXCEEDED),
    Row(
        "job failures, unsatisfied expectations",
        "p=2 c=5 b=0 deleting failed=1 unsettled",
        "failed=1 patch=1",
        &[],
    ),
    Row("indexed job start", "p=2 c=5 indexed", "create=2 active=2 indexes=0,1", &[]),
    Row(
        "indexed job with some pods deleted, podReplacementPolicy Failed",
        "p=2 c=5 indexed policy=Failed terminating=1",
        "create=1 active=1 indexes=0 leaving=1",
        &[],
    ),
    Row(
        "indexed job with some pods deleted, podReplacementPolicy TerminatingOrFailed",
        "p=2 c=5 indexed policy=TerminatingOrFailed terminating=1",
        "create=2 active=2 indexes=0,1 leaving=1 patch=1",
        &[],
    ),
    Row(
        "indexed job completed",
        "p=2 c=3 indexed pods=0S,1F,1S,2S",
        "succeeded=3 failed=1 done=0-2 patch=4",
        COMPLETE,
    ),
    Row(
        "indexed job failed, and count terminating pods when it does",
        "p=2 c=3 b=0 indexed pods=0S,1F,2R",
        "succeeded=1 failed=2 done=0 patch=3 delete=1 leaving=1",
        TARGET,
    ),
    Row(
        "count ready pods when job fails",
        "p=2 c=3 b=0 active=2 ready=2 failed=1",
        "failed=3 patch=3 delete=2 leaving=2",
        TARGET,
    ),
    Row(
        "indexed job repeated completed index",
        "p=2 c=3 indexed pods=0S,1S,1S",
        "create=1 active=1 succeeded=2 done=0,1 indexes=2 patch=3",
        &[],
    ),
    Row(
        "indexed job some running and completed pods",
        "p=8 c=20 indexed pods=0R,2S,3P,4S,5S,7S,8S,9S",
        "create=6 active=8 succeeded=6 done=2,4,5,7-9 indexes=1,6,10,11,12,13 patch=6",
        &[],
    ),
    Row(
        "indexed job some failed pods",
        "p=3 c=4 indexed pods=0F,1P,2F",
        "create=2 active=3 failed=2 indexes=0,2 patch=2",
        &[],
    ),
    Row(
        "indexed job some pods without index",
        "p=2 c=5 indexed active=1 succeeded=1 failed=1 pods=xR,xS,xF,xP,0S,1R,2R",
        "delete=3 active=2 succeeded=1 done=0 patch=8",
        &[],
    ),
    Row(
        "indexed job repeated indexes",
        "p=5 c=5 indexed succeeded=1 failed=1 pods=xR,0S,1R,2R,2P",
        "delete=2 active=2 succeeded=1 done=0 patch=5",
        &[],
    ),
    Row(
        "indexed job with indexes outside of range",
        "p=2 c=5 indexed pods=0S,5R,6S,7P,8F",
        "succeeded=1 delete=2 done=0 patch=5",
        &[],
    ),
    Row(
        "suspending a job with satisfied expectations, with the replacement policy too",
        "p=2 c=4 suspend active=2",
        "delete=2 patch=2 leaving=2",
        SUSPENDED,
    ),
    Row(
        "count ready pods when suspending a job with satisfied expectations",
        "p=2 c=4 suspend active=2 ready=2",
        "delete=2 patch=2",
        SUSPENDED,
    ),
    Row(
        "suspending a job with unsatisfied expectations, with the replacement policy too",
        "p=2 c=4 suspend active=3 unsettled",
        "active=3 leaving=0",
        &[],
    ),
    Row(
        "count ready pods when suspending a job with unsatisfied expectations",
        "p=2 c=4 suspend active=3 ready=3 unsettled",
        "active=3 ready=3",
        &[],
    ),
    Row("resuming a suspended job", "p=2 c=4 suspended", "create=2 active=2", &["!Suspended: JobResumed"]),
    Row(
        "suspending a deleted job, with the replacement policy too",
        "p=2 c=4 suspend deleting active=2",
        "active=2 patch=2 leaving=0",
        &[],
    ),
    Row(
        "FailureTarget=False condition added manually is ignored",
        "p=1 c=1 b=0 active=1 ready=1 was=1/0/0 untrue=FailureTarget",
        "active=1 ready=1",
        &["!FailureTarget: ConditionAddedManually"],
    ),
    Row(
        "SuccessCriteriaMet=False condition added manually is ignored",
        "p=1 c=1 b=0 active=1 ready=1 was=1/0/0 untrue=SuccessCriteriaMet",
        "active=1 ready=1",
        &["!SuccessCriteriaMet: ConditionAddedManually"],
    ),
    Row(
        "backoff limit exceeded; JobManagedBy enabled",
        "p=2 c=3 b=0 indexed pods=0S,1F,2R",
        "succeeded=1 failed=2 done=0 patch=3 delete=1",
        TARGET,
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

    fn number(&self, name: &str) -> i32 {
        self.get(name).map_or(0, |number| number.parse().unwrap())
    }
}

fn job_of(facts: &Words) -> Job {
    let mut spec = json!({
        "parallelism": facts.number("p"), "backoffLimit": facts.get("b").map_or(6, |b| b.parse().unwrap()),
        "suspend": facts.has("suspend"), "podReplacementPolicy": facts.get("policy"),
        "completions": facts.get("c").map(|c| c.parse::<i32>().unwrap()),
        "completionMode": if facts.has("indexed") { "Indexed" } else { "NonIndexed" },
    });
    if facts.has("rules") {
        spec["podFailurePolicy"] = json!({"rules": []});
    }
    let mut status = json!({});
    if let Some(was) = facts.get("was") {
        let counts: Vec<i32> = was.split('/').map(|count| count.parse().unwrap()).collect();
        status = json!({"startTime": NOW, "active": counts[0], "succeeded": counts[1], "failed": counts[2]});
    }
    if facts.has("suspended") {
        let suspended = json!({"type": "Suspended", "status": "True", "reason": "JobSuspended", "message": "Job suspended"});
        status["conditions"] = json!([suspended]);
    }
    if let Some(type_) = facts.get("untrue") {
        let untrue = json!({"type": type_, "status": "False", "reason": "ConditionAddedManually", "message": "Testing"});
        status["conditions"] = json!([untrue]);
    }
    let metadata = if facts.has("deleting") { json!({"deletionTimestamp": NOW}) } else { json!({}) };
    job(spec, status, metadata)
}

fn pods_of(facts: &Words) -> Vec<Arc<Pod>> {
    let (nothing, going) = (json!({}), json!({"deletionTimestamp": NOW}));
    let mut pods = Vec::new();
    for (name, phase, metadata) in [
        ("pending", "Pending", &nothing),
        ("active", "Running", &nothing),
        ("succeeded", "Succeeded", &nothing),
        ("failed", "Failed", &nothing),
        ("terminating", "Running", &going),
    ] {
        for index in 0..facts.number(name) {
            let is_ready = name == "active" && index < facts.number("ready");
            let status: Value = if is_ready {
                json!({"conditions": [{"type": "Ready", "status": "True"}]})
            } else {
                json!({})
            };
            pods.push(pod(&format!("{name}-{index}"), phase, None, metadata.clone(), status));
        }
    }
    for (place, text) in facts.get("pods").into_iter().flat_map(|pods| pods.split(',')).enumerate() {
        let (index, phase) = text.split_at(text.len() - 1);
        let phase = match phase {
            "S" => "Succeeded",
            "F" => "Failed",
            "R" => "Running",
            _ => "Pending",
        };
        pods.push(pod(&format!("indexed-{place}"), phase, Some(index), json!({}), json!({})));
    }
    pods
}

#[test]
fn a_job_gets_the_pods_and_the_status_it_gets_upstream() {
    assert_eq!(ROWS.len(), 54);
    for Row(name, facts, expected, ends) in ROWS {
        let (facts, expected) = (Words(facts), Words(expected));
        let job = job_of(&facts);
        let mut view = View::new(&job, job.spec.as_ref().unwrap(), pods_of(&facts), now());
        view.is_settled = !facts.has("unsettled");
        view.failures = Failures { count: facts.number("failures").try_into().unwrap(), last: Some(now()) };
        let limit = facts.get("limit").map(|limit| limit.parse().unwrap());
        let turn = turn(&mut view, Server { refuses: facts.has("refuses"), limit });
        check(name, &facts, &expected, ends, &turn);
    }
}

/// What is told of a condition.
fn reason(condition: &str) -> Option<&str> {
    match condition.split_once(": ")? {
        ("Complete", _) => Some("Completed"),
        ("Suspended", _) => Some("Suspended"),
        ("!Suspended", _) => Some("Resumed"),
        ("Failed", reason) => Some(reason),
        _ => None,
    }
}

fn check(name: &str, facts: &Words, expected: &Words, ends: &[&str], turn: &Turn) {
    let status = &turn.status;
    let count = |count: Option<i32>| count.unwrap_or_default();
    let seen = [
        number(turn.created.len()),
        turn.deleted,
        count(status.active),
        count(status.ready),
        count(status.succeeded),
        count(status.failed),
        number(turn.patched),
    ];
    let wanted = ["create", "delete", "active", "ready", "succeeded", "failed", "patch"]
        .map(|word| expected.number(word));
    assert_eq!(seen, wanted, "{name}: {turn:?}");
    assert_eq!(conditions(status), ends, "{name}");
    let told: Vec<&str> = turn.told.iter().map(|told| told.reason).collect();
    assert_eq!(told, ends.iter().filter_map(|end| reason(end)).collect::<Vec<_>>(), "{name}");
    assert_eq!(status.completed_indexes.as_deref(), expected.get("done"), "{name}");
    if let Some(leaving) = expected.get("leaving") {
        assert_eq!(status.terminating, Some(leaving.parse().unwrap()), "{name}");
    }
    let indexes: Vec<String> = turn.created.iter().flatten().map(ToString::to_string).collect();
    assert_eq!(indexes.join(","), expected.get("indexes").unwrap_or_default(), "{name}");
    assert_eq!(status.start_time.is_none(), facts.has("suspend"), "{name}");
    let is_waiting = facts.number("failures") > 0;
    assert_eq!(turn.again.is_some(), is_waiting, "{name}");
}
