//! Everything a person does with kubectl on a working day, as one table per kind of work.
//!
//! A step is a command line, what it reads, how it ends and what it says. The steps of a table
//! build on each other; each version of kubectl works in a namespace of its own.

use crate::harness::{Home, Kubectl, Said, checkout};

mod looking;
mod making;
mod working;

/// kubectl 1.33 creates in protobuf, 1.31 in JSON.
const VERSIONS: [&str; 2] = ["1.31", "1.33"];

/// One command line.
pub(crate) struct Step {
    /// Words are separated by spaces; single quotes keep some together. `{ns}` is the namespace,
    /// `{node}` a node, `{home}` the folder with the certificate.
    line: &'static str,
    input: &'static str,
    code: i32,
    says: &'static [&'static str],
}

/// A command that succeeds.
pub(crate) const fn yes(line: &'static str, says: &'static [&'static str]) -> Step {
    Step { line, input: "", code: 0, says }
}

/// A command that ends with exit code 1.
pub(crate) const fn no(line: &'static str, says: &'static [&'static str]) -> Step {
    Step { line, input: "", code: 1, says }
}

impl Step {
    /// What it reads.
    const fn reading(mut self, input: &'static str) -> Self {
        self.input = input;
        self
    }
}

/// One version of kubectl at work in its namespace.
pub(crate) struct Desk<'a> {
    kubectl: Kubectl<'a>,
    version: &'static str,
    namespace: String,
    node: String,
    home: String,
}

impl Desk<'_> {
    fn fill(&self, text: &str) -> String {
        let text = text.replace("{ns}", &self.namespace).replace("{node}", &self.node);
        text.replace("{home}", &self.home)
    }

    fn say(&self, line: &str, input: &str) -> Said {
        let line = self.fill(line);
        let mut words = vec!["-n", self.namespace.as_str()];
        words.extend(split(&line));
        if input.is_empty() { self.kubectl.run(&words) } else { self.kubectl.feed(&words, &self.fill(input)) }
    }

    fn work(&self, steps: &[Step]) {
        for step in steps {
            let said = self.say(step.line, step.input);
            let at = format!("kubectl {} {}", self.version, self.fill(step.line));
            assert_eq!(said.code, step.code, "{at}: {said:?}");
            let all = format!("{}{}", said.out, said.err);
            for expected in step.says {
                let expected = self.fill(expected);
                assert!(all.contains(&expected), "{at}: {expected:?} is not in:\n{all}");
            }
        }
    }

    /// The reasons below `Events:` of a description, in the order they are shown.
    fn reasons(&self, line: &str) -> Vec<String> {
        let text = self.say(line, "").ok().out;
        let events = text.split("Events:").nth(1).unwrap_or_default();
        let rows = events.lines().skip(3).filter(|row| !row.trim().is_empty());
        rows.filter_map(|row| row.split_whitespace().nth(1)).map(str::to_owned).collect()
    }

    /// Describes until the events are these.
    #[track_caller]
    fn expect_reasons(&self, line: &str, expected: &[&str]) {
        self.look(line, &|seen| seen == expected);
    }

    /// Describes until the events are as they should be, as often as a cluster may need to settle.
    #[track_caller]
    fn look(&self, line: &str, settled: &dyn Fn(&[String]) -> bool) -> Vec<String> {
        const LOOKS: usize = 200;
        let mut seen = Vec::new();
        for _ in 0..LOOKS {
            seen = self.reasons(line);
            if settled(&seen) {
                return seen;
            }
        }
        panic!("kubectl {} {line}: {seen:?}", self.version);
    }
}

/// The words of a line.
fn split(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'').expect("a quote ends"),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        words.push(word);
        rest = after.trim_start();
    }
    words
}

/// Runs `work` with each version of kubectl there is, against one platform.
fn with_desks(work: impl Fn(&Desk<'_>)) {
    let home = Home::new();
    let _platform = home.up(&checkout("examples/enterprise"));
    for (index, version) in VERSIONS.into_iter().enumerate() {
        let Some(kubectl) = Kubectl::of(version, &home, "us-east-1") else { continue };
        write_certificate(&home, &kubectl);
        let nodes = kubectl.json(&["get", "nodes", "-l", "workload=application"]);
        let node = nodes["items"][index]["metadata"]["name"].as_str().expect("a node").to_owned();
        let namespace = format!("desk-{}", version.replace('.', "-"));
        let folder = home.path("").to_str().expect("text").trim_end_matches('/').to_owned();
        let desk = Desk { kubectl, version, namespace, node, home: folder };
        desk.say("create namespace {ns}", "").ok();
        work(&desk);
        desk.say("delete namespace {ns} --timeout=90s", "").ok();
    }
}

/// The administrator's own certificate serves as one for `create secret tls`.
fn write_certificate(home: &Home, kubectl: &Kubectl<'_>) {
    for (field, name) in [("client-certificate-data", "tls.crt"), ("client-key-data", "tls.key")] {
        let template = format!("go-template={{{{index (index .users 0).user \"{field}\" | base64decode}}}}");
        let pem = kubectl.run(&["config", "view", "--raw", "-o", &template]).ok().out;
        home.write(name, &pem);
    }
}

#[test]
fn everything_kubectl_creates_is_created_worked_on_and_looked_at() {
    with_desks(|desk| {
        desk.work(making::STEPS);
        desk.work(working::STEPS);
        desk.work(looking::STEPS);
        desk.work(working::MACHINES);
        desk.work(working::ENDING);
    });
}

#[test]
fn a_description_tells_what_happened_in_upstreams_order() {
    with_desks(|desk| {
        desk.work(&[
            yes("create deployment web --image=nginx:1.27 --replicas=2", &["created"]),
            yes("rollout status deployment/web --timeout=60s", &["successfully rolled out"]),
        ]);
        let scaling = "ScalingReplicaSet";
        desk.expect_reasons("describe deployment web", &[scaling]);
        // An image no node has yet.
        desk.work(&[
            yes("run fresh --image=example.com/{ns}:1", &["pod/fresh created"]),
            yes("wait --for=condition=Ready pod/fresh --timeout=60s", &["condition met"]),
        ]);
        let started = ["Scheduled", "Pulling", "Pulled", "Created", "Started"];
        desk.expect_reasons("describe pod fresh", &started);
        desk.work(&[
            yes("set image deployment/web nginx=nginx:1.28", &["image updated"]),
            yes("rollout status deployment/web --timeout=60s", &["successfully rolled out"]),
        ]);
        // Up one, down one, up one, down one.
        desk.expect_reasons("describe deployment web", &[scaling; 5]);
        desk.work(&[yes("apply -f -", &["pod/huge created"]).reading(HUGE)]);
        desk.expect_reasons("describe pod huge", &["FailedScheduling"]);
        let described = desk.say("describe pod huge", "").ok().out;
        assert!(described.contains("0/17 nodes are available: "), "{described}");
        assert!(described.contains("Insufficient cpu"), "{described}");
    });
}

#[test]
fn a_crash_loop_and_a_drain_are_told_in_upstreams_order() {
    with_desks(|desk| {
        desk.work(&[
            yes("apply -f -", &["pod/crash created"]).reading(CRASH),
            yes("run fresh --image=example.com/{ns}:1", &["pod/fresh created"]),
            yes("wait --for=condition=Ready pod/fresh --timeout=60s", &["condition met"]),
        ]);
        // Restarts count events up, so between the first and the last the seconds decide.
        let seen = desk.look("describe pod crash", &|seen| {
            seen.starts_with(&["Scheduled", "Pulling", "Pulled"].map(str::to_owned))
                && seen.last().is_some_and(|last| last == "BackOff")
        });
        for reason in ["Created", "Started"] {
            assert!(seen.iter().any(|one| one == reason), "{seen:?}");
        }
        let told = desk.say("describe pod crash", "").ok().out;
        assert!(told.contains("Back-off restarting failed container crash in pod crash_"), "{told}");
        assert!(told.contains("Reason:       Error") && told.contains("Exit Code:    3"), "{told}");

        let node = desk.say("get pod fresh -o jsonpath={.spec.nodeName}", "").ok().out;
        let drain = "--ignore-daemonsets --delete-emptydir-data --force --timeout=60s";
        let drained = desk.say(&format!("drain {node} {drain}"), "").ok();
        assert!(drained.out.contains("pod/fresh evicted"), "{drained:?}");
        desk.say(&format!("uncordon {node}"), "").ok();
        let events =
            "get events --field-selector involvedObject.name=fresh --sort-by=.lastTimestamp --no-headers";
        let events = desk.say(&format!("{events} -o custom-columns=REASON:.reason"), "").ok().out;
        let seen: Vec<&str> = events.lines().collect();
        assert_eq!(seen, ["Scheduled", "Pulling", "Pulled", "Created", "Started", "Killing"]);
    });
}

const CRASH: &str = "
apiVersion: v1
kind: Pod
metadata:
  name: crash
  annotations: {mainstay.dev/run-for: 1s, mainstay.dev/exit-code: '3'}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - {name: crash, image: 'example.com/{ns}-crash:1'}
";

const HUGE: &str = "
apiVersion: v1
kind: Pod
metadata: {name: huge}
spec:
  containers:
    - {name: huge, image: 'nginx:1.27', resources: {requests: {cpu: 1k}}}
";
