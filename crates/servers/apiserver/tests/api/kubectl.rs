//! The server as kubectl sees it, over TLS. Skipped, loudly, where no kubectl is installed.
//!
//! Each step is a command line, what it reads, whether it succeeds, and what it says. Its home is a
//! folder of the test's own.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::tls::{Served, served};

/// The oldest and the newest that are supported, each if it is there.
const PROGRAMS: [&str; 3] = ["kubectl.1.31", "kubectl.1.33", "kubectl"];

const WEB: &str = include_str!("kubectl/web.yaml");
const WRONG: &str = include_str!("kubectl/wrong.yaml");
const WIDGETS: &str = include_str!("kubectl/widgets.yaml");
const WIDGET: &str = r#"{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"w1"},"spec":{"size":7,"replicas":1}}"#;

#[derive(Clone, Copy)]
struct Step {
    line: &'static str,
    input: &'static str,
    succeeds: bool,
    says: &'static [&'static str],
}

const fn yes(line: &'static str, says: &'static [&'static str]) -> Step {
    Step { line, input: "", succeeds: true, says }
}

const fn no(line: &'static str, says: &'static [&'static str]) -> Step {
    Step { line, input: "", succeeds: false, says }
}

impl Step {
    const fn reading(mut self, input: &'static str) -> Self {
        self.input = input;
        self
    }
}

const STEPS: &[Step] = &[
    yes("version", &["Server Version: v1.33.5+mainstay"]),
    yes("api-resources", &["deployments                         deploy       apps/v1", "crd,crds", "autoscaling/v2"]),
    yes("api-versions", &["autoscaling/v1\nautoscaling/v2\nbatch/v1"]),
    yes("get namespaces", &["NAME              STATUS   AGE\ndefault           Active"]),
    yes("apply -f -", &["deployment.apps/web created", "service/web created"]).reading(WEB),
    yes("apply -f -", &["deployment.apps/web unchanged", "service/web unchanged"]).reading(WEB),
    yes("get all", &["service/web          ClusterIP   10.96.1.", "deployment.apps/web   0/3"]),
    yes("get deploy -o wide", &["CONTAINERS   IMAGES       SELECTOR", "web          nginx:1.27   app=web"]),
    yes("describe deploy web", &["StrategyType:           RollingUpdate", "25% max unavailable, 25% max surge"]),
    yes("diff -f -", &[]).reading(WEB),
    yes("apply --server-side -f -", &["deployment.apps/web serverside-applied"]).reading(WEB),
    yes("scale deploy web --replicas=5", &["deployment.apps/web scaled"]),
    no("diff -f -", &["-  replicas: 5", "+  replicas: 3"]).reading(WEB),
    no("apply --server-side -f -", &["with subresource \"scale\" using apps/v1: .spec.replicas"]).reading(WEB),
    yes("apply --server-side --force-conflicts -f -", &["web serverside-applied"]).reading(WEB),
    yes("set image deploy/web web=nginx:1.28", &["image updated"]),
    yes("label deploy web tier=front", &["labeled"]),
    yes("annotate deploy web note=x", &["annotated"]),
    yes(r#"patch deploy web -p {"spec":{"replicas":2}}"#, &["patched"]),
    yes("get deploy web -o jsonpath={.spec.replicas}", &["2"]),
    yes("explain deploy.spec.strategy", &["FIELD: strategy <DeploymentStrategy>", "rollingUpdate\t<RollingUpdateDeployment>"]),
    no("apply -f -", &["strict decoding error: unknown field \"spec.template.spec.containers[0].imagee\""]).reading(WRONG),
    no(
        "apply --validate=false -f -",
        &[
            "The Deployment \"wrong\" is invalid",
            "* spec.replicas: Invalid value: -1: must be greater than or equal to 0",
            "* spec.template.metadata.labels: Invalid value: map[string]string{\"app\":\"other\"}: `selector` does not match template `labels`",
        ],
    )
    .reading(WRONG),
    yes("apply -f -", &["widgets.example.com created"]).reading(WIDGETS),
    yes("wait --for=condition=Established crd/widgets.example.com --timeout=5s", &["condition met"]),
    yes("apply -f -", &["widget.example.com/w1 created"]).reading(WIDGET),
    yes("get wd", &["NAME   SIZE\nw1     7"]),
    yes("scale widget w1 --replicas=3", &["scaled"]),
    yes("get wd w1 -o jsonpath={.spec}", &[r#"{"replicas":3,"size":7}"#]),
    yes("explain widget.spec", &["What is wanted."]),
    yes("delete crd widgets.example.com", &["deleted"]),
    no("get wd", &["NotFound"]),
    yes("get events", &["No resources found"]),
    yes("get --raw /readyz?verbose", &["[+]ping ok", "readyz check passed"]),
    yes("get --raw /metrics", &["apiserver_request_total{", "apiserver_storage_objects{resource=\"deployments.apps\"} 1"]),
    yes("cluster-info", &["control plane", "is running at"]),
    yes("delete -f -", &["deployment.apps \"web\" deleted"]).reading(WEB),
    no("get deploy web", &["Error from server (NotFound): deployments.apps \"web\" not found"]),
];

/// What sends and reads typed objects, which are protobuf since kubectl 1.32.
const TYPED_STEPS: &[Step] = &[
    yes("create ns team", &["namespace/team created"]),
    yes("create sa robot", &["serviceaccount/robot created"]),
    yes("create cm settings --from-literal=a=b --from-literal=c=d", &["configmap/settings created"]),
    yes("create secret generic door --from-literal=key=hunter2", &["secret/door created"]),
    yes("get secret door -o jsonpath={.data.key}", &["aHVudGVyMg=="]),
    yes(
        "create secret docker-registry pull --docker-username=u --docker-password=p",
        &["secret/pull created"],
    ),
    yes("create deploy web --image=nginx:1.27 --replicas=3 --port=80", &["deployment.apps/web created"]),
    no("create deploy web --image=nginx:1.27", &["deployments.apps \"web\" already exists"]),
    no(
        "create deploy web_ --image=nginx:1.27",
        &["Deployment.apps \"web_\" is invalid: [metadata.name: Invalid value"],
    ),
    yes("create deploy other --image=a -o jsonpath={.spec.strategy.rollingUpdate.maxSurge}", &["25%"]),
    yes(
        "describe deploy web",
        &["3 desired | 0 updated", "Image:         nginx:1.27", "Port:          80/TCP"],
    ),
    yes("create job once --image=busybox -- sh -c true", &["job.batch/once created"]),
    yes("create cronjob nightly --image=busybox --schedule=@daily", &["cronjob.batch/nightly created"]),
    yes("create job now --from=cronjob/nightly", &["job.batch/now created"]),
    yes(
        "describe cronjob nightly",
        &["Schedule:                      @daily", "Concurrency Policy:            Allow"],
    ),
    yes(
        "create role reader --verb=get,list --resource=pods",
        &["role.rbac.authorization.k8s.io/reader created"],
    ),
    yes(
        "create rolebinding read --role=reader --user=jane",
        &["rolebinding.rbac.authorization.k8s.io/read created"],
    ),
    yes(
        "create clusterrole probe --verb=get --non-resource-url=/healthz",
        &["clusterrole.rbac.authorization.k8s.io/probe created"],
    ),
    yes(
        "create clusterrolebinding probe --clusterrole=probe --group=dev",
        &["clusterrolebinding.rbac.authorization.k8s.io/probe created"],
    ),
    yes("describe role reader", &["pods       []                 []              [get list]"]),
    yes("create quota q --hard=pods=10,requests.cpu=1500m", &["resourcequota/q created"]),
    yes("create pdb p --selector=app=web --min-available=50%", &["poddisruptionbudget.policy/p created"]),
    yes("describe pdb p", &["Min available:  50%", "Selector:       app=web"]),
    yes("create priorityclass low --value=-10", &["priorityclass.scheduling.k8s.io/low created"]),
    yes(
        "create ingress i --class=nginx --rule=a.example/b*=web:80",
        &["ingress.networking.k8s.io/i created"],
    ),
    yes("create service clusterip ci --tcp=80:8080", &["service/ci created"]),
    yes("create service nodeport np --tcp=80 --node-port=30080", &["service/np created"]),
    yes("create service externalname en --external-name=example.com", &["service/en created"]),
    yes("describe svc np", &["NodePort:                 80  30080/TCP", "TargetPort:               80/TCP"]),
    yes("expose deploy web --port=80 --name=front", &["service/front exposed"]),
    yes(
        "autoscale deploy web --max=5 --cpu-percent=80",
        &["horizontalpodautoscaler.autoscaling/web autoscaled"],
    ),
    yes("run once --image=busybox --restart=Never --command -- sleep 1", &["pod/once created"]),
    yes("describe pod once", &["Image:      busybox", "QoS Class:                   BestEffort"]),
    yes("describe ns team", &["Status:       Active"]),
    yes("set env deploy/web A=1", &["deployment.apps/web env updated"]),
    yes("rollout history deploy web", &["deployment.apps/web"]),
    yes("delete pod once --now", &["pod \"once\""]),
    no("describe pod once", &["pods \"once\" not found"]),
];

const CANARY: &str = include_str!("kubectl/canary.yaml");
const POOL: &str = include_str!("kubectl/pool.yaml");
const POLICY: &str = include_str!("kubectl/policy.yaml");

/// The kinds other projects bring, once their definitions are there.
const FOREIGN_STEPS: &[Step] = &[
    yes("api-resources", &["flagger.app/v1beta1", "networking.istio.io/v1", "podsecuritypolicies"]),
    yes("get crd", &["canaries.flagger.app", "globalnetworkpolicies.projectcalico.org"]),
    yes("apply -f -", &["canary.flagger.app/order created"]).reading(CANARY),
    yes("apply -f -", &["canary.flagger.app/order unchanged"]).reading(CANARY),
    yes("get canaries", &["NAME    STATUS   WEIGHT   LASTTRANSITIONTIME\norder"]),
    yes("get canary order -o wide", &["SUSPENDED   FAILEDCHECKS   INTERVAL   MIRROR   STEPWEIGHT"]),
    yes("explain canary.spec", &["FIELD: spec <Object>", "analysis\t<Object> -required-"]),
    yes("explain application.spec.syncPolicy.automated", &["selfHeal\t<boolean>"]),
    no(
        r#"patch canary order --type=merge -p {"spec":{"targetRef":{"kind":"Job"}}}"#,
        &[
            "The Canary \"order\" is invalid: spec.targetRef.kind: Unsupported value: \"Job\": supported values: \"DaemonSet\", \"Deployment\", \"Service\"",
        ],
    ),
    yes("apply --server-side -f -", &["nodepool.karpenter.sh/general serverside-applied"]).reading(POOL),
    yes("get nodepools", &["NAME      NODECLASS   NODES   READY   AGE\ngeneral   default"]),
    yes("scale nodepool general --replicas=3", &["scaled"]),
    yes("get nodepool general -o jsonpath={.spec.replicas}{.spec.disruption.budgets[0].nodes}", &["310%"]),
    yes("apply -f -", &["podsecuritypolicy.policy/restricted created"]).reading(POLICY),
    yes("apply -f -", &["podsecuritypolicy.policy/restricted unchanged"]).reading(POLICY),
    yes(
        "get psp",
        &["PRIV    CAPS   SELINUX    RUNASUSER          FSGROUP    SUPGROUP   READONLYROOTFS   VOLUMES\n"],
    ),
    yes(
        "get psp",
        &[
            "restricted   false          RunAsAny   MustRunAsNonRoot   RunAsAny   RunAsAny   true             configMap,secret",
        ],
    ),
    yes("explain psp.spec", &["runAsUser\t<Object>"]),
];

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_shows_the_kinds_other_projects_bring() {
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": mainstay_kinds::foreign_crds() });
    let definitions: &'static str = list.to_string().leak();
    let made = &["customresourcedefinition.apiextensions.k8s.io/canaries.flagger.app created"];
    let mut steps = vec![yes("create -f -", made).reading(definitions)];
    steps.extend_from_slice(FOREIGN_STEPS);
    run_steps(&steps).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_typed_commands_of_every_kubectl_are_understood() {
    run_steps(TYPED_STEPS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_does_what_people_do_with_it() {
    run_steps(STEPS).await;
}

/// Runs steps with every kubectl there is, each on a server of its own.
async fn run_steps(steps: &[Step]) {
    let folder = tempfile::tempdir().expect("a folder");
    for kubectl in Kubectl::all(folder.path()).await {
        let served = served().await;
        kubectl.settle(&served);
        for step in steps {
            let (succeeded, said) = kubectl.run(step).await;
            let line = format!("{} {}", kubectl.program.display(), step.line);
            assert_eq!(succeeded, step.succeeds, "{line}: {said}");
            for expected in step.says {
                assert!(said.contains(expected), "{line}: {expected:?} is not in:\n{said}");
            }
        }
    }
}

/// One kubectl with a home of its own.
struct Kubectl {
    program: PathBuf,
    home: PathBuf,
}

/// A program of the path, or one that lies beside the kubectl of the path.
fn find(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let real = |folder: &PathBuf| Some(folder.join("kubectl").canonicalize().ok()?.parent()?.to_owned());
    let beside: Vec<PathBuf> = folders.iter().filter_map(real).collect();
    let mut programs = folders.iter().chain(&beside).map(|folder| folder.join(program));
    programs.find(|program| program.is_file()).unwrap_or_else(|| program.into())
}

impl Kubectl {
    /// Every kubectl there is.
    async fn all(folder: &Path) -> Vec<Self> {
        let mut found = Vec::new();
        for program in PROGRAMS {
            let kubectl = Self { program: find(program), home: folder.join(program) };
            let version = kubectl.command("version --client").output().await;
            // The plain one is often one of the others under another name.
            if version.is_ok_and(|output| output.status.success())
                && (program != "kubectl" || found.is_empty())
            {
                found.push(kubectl);
            }
        }
        #[allow(clippy::print_stderr, reason = "a skipped test says so")]
        if found.is_empty() {
            eprintln!("SKIPPED: no kubectl is installed");
        }
        found
    }

    /// Writes a kubeconfig for a server.
    fn settle(&self, served: &Served) {
        let data = served.authority.kubeconfig_data(&served.admin());
        let url = format!("https://{}", served.addr);
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "here",
            "clusters": [{ "name": "here", "cluster": { "server": url, "certificate-authority-data": data.authority } }],
            "users": [{ "name": "admin", "user": {
                "client-certificate-data": data.certificate, "client-key-data": data.key } }],
            "contexts": [{ "name": "here", "context": { "cluster": "here", "user": "admin" } }],
        });
        std::fs::create_dir_all(&self.home).expect("a folder");
        std::fs::write(self.home.join("config"), config.to_string()).expect("a file");
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args(line.split(' ')).env("HOME", &self.home).env("KUBECONFIG", self.home.join("config"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// Runs a step; returns whether it succeeded, and all it said.
    async fn run(&self, step: &Step) -> (bool, String) {
        let mut child = self.command(step.line).spawn().expect("it was there a moment ago");
        let mut stdin = child.stdin.take().expect("a pipe");
        // One that reads nothing may be gone already.
        let _ = stdin.write_all(step.input.as_bytes()).await;
        drop(stdin);
        let output = child.wait_with_output().await.expect("it ends");
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }
}
