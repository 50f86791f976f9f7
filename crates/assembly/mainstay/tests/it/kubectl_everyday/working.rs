//! Changing what is there: set, rollout, scale, label, patch, apply, drain; and taking it away.

use super::{Step, no, yes};

const MAP: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: applied, namespace: '{ns}', labels: {app: applied}}
data: {color: blue}
";
const GREEN: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: applied, namespace: '{ns}', labels: {app: applied}}
data: {color: green}
";
const OTHER: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: other, namespace: '{ns}', labels: {app: applied}}
data: {color: red}
";

pub(super) const STEPS: &[Step] = &[
    yes("set image deployment/web nginx=nginx:1.28", &["deployment.apps/web image updated"]),
    yes("set env deployment/web COLOR=red", &["deployment.apps/web env updated"]),
    yes("set resources deployment/web --limits=cpu=200m,memory=128Mi", &["resource requirements updated"]),
    yes("set serviceaccount deployment/web robot", &["serviceaccount updated"]),
    yes("set selector service cip app=web", &["selector updated"]),
    yes("set subject rolebinding readers --user=joe", &["subjects updated"]),
    yes("rollout status deployment/web --timeout=60s", &["successfully rolled out"]),
    yes("rollout history deployment/web", &["REVISION  CHANGE-CAUSE", "5         <none>"]),
    yes("rollout history deployment/web --revision=1", &["with revision #1", "nginx:1.27"]),
    yes("rollout pause deployment/web", &["deployment.apps/web paused"]),
    no("rollout restart deployment/web", &["can't restart paused deployment"]),
    yes("rollout resume deployment/web", &["deployment.apps/web resumed"]),
    yes("rollout restart deployment/web", &["deployment.apps/web restarted"]),
    yes("rollout status deployment/web --timeout=60s", &["successfully rolled out"]),
    yes("rollout undo deployment/web --to-revision=1", &["deployment.apps/web rolled back"]),
    yes("rollout status deployment/web --timeout=60s", &["successfully rolled out"]),
    yes("get deployment web -o jsonpath={.spec.template.spec.containers[0].image}", &["nginx:1.27"]),
    yes("scale deployment/web --replicas=3", &["deployment.apps/web scaled"]),
    no("scale deployment/web --current-replicas=9 --replicas=4", &["Expected replicas to be 9, was 3"]),
    yes("wait --for=condition=Available deployment/web --timeout=30s", &["condition met"]),
    yes("wait --for=jsonpath={.status.readyReplicas}=3 deployment/web --timeout=30s", &["condition met"]),
    yes("label deployment web tier=front", &["deployment.apps/web labeled"]),
    no("label deployment web tier=back", &["'tier' already has a value (front), and --overwrite is false"]),
    yes("label deployment web tier=back --overwrite", &["labeled"]),
    yes("label deployment web tier-", &["unlabeled"]),
    yes("annotate deployment web note=x", &["deployment.apps/web annotated"]),
    yes("patch deployment web -p '{\"spec\":{\"replicas\":2}}'", &["deployment.apps/web patched"]),
    yes("patch deployment web --type=merge -p '{\"spec\":{\"replicas\":3}}'", &["patched"]),
    yes(
        "patch deployment web --type=json -p '[{\"op\":\"replace\",\"path\":\"/spec/replicas\",\"value\":2}]'",
        &["patched"],
    ),
    yes(
        "patch deployment web --subresource=scale --type=merge -p '{\"spec\":{\"replicas\":2}}'",
        &["patched"],
    ),
    no(
        "patch deployment web -p '{\"spec\":{\"selector\":{\"matchLabels\":{\"a\":\"b\"}}}}'",
        &["field is immutable"],
    ),
    yes("apply -f - --dry-run=server", &["configmap/applied created (server dry run)"]).reading(MAP),
    yes("apply -f -", &["configmap/applied created"]).reading(MAP),
    yes("apply -f -", &["configmap/applied unchanged"]).reading(MAP),
    yes("diff -f -", &[]).reading(MAP),
    no("diff -f -", &["-  color: blue", "+  color: green"]).reading(GREEN),
    yes("apply -f -", &["configmap/applied configured"]).reading(GREEN),
    yes("apply view-last-applied configmap applied", &["color: green"]),
    yes("apply --prune -l app=applied -f -", &["configmap/other created", "configmap/applied pruned"])
        .reading(OTHER),
    yes("apply --server-side --force-conflicts -f -", &["configmap/applied serverside-applied"])
        .reading(GREEN),
    yes("replace -f -", &["configmap/applied replaced"]).reading(MAP),
    yes("debug busy --image=busybox", &["Defaulting debug container name to debugger-"]),
];

/// Last, because a drain takes a pod that nobody owns where it finds it.
pub(super) const MACHINES: &[Step] = &[
    yes("cordon {node}", &["node/{node} cordoned"]),
    yes("get node {node}", &["Ready,SchedulingDisabled"]),
    yes("uncordon {node}", &["node/{node} uncordoned"]),
    yes("taint nodes {node} dedicated=web:NoSchedule", &["node/{node} tainted"]),
    yes("taint nodes {node} dedicated=web:NoSchedule-", &["node/{node} untainted"]),
    yes(
        "drain {node} --ignore-daemonsets --delete-emptydir-data --force --timeout=60s",
        &["node/{node} cordoned", "node/{node} drained"],
    ),
    yes("uncordon {node}", &["uncordoned"]),
];

pub(super) const ENDING: &[Step] = &[
    yes("delete pods -l app=nothing", &["No resources found"]),
    yes("delete configmap --all", &["configmap \"other\" deleted", "configmap \"settings\" deleted"]),
    yes("delete pod busy --now --ignore-not-found", &[]),
    yes("delete service cip np lb ext web", &["service \"ext\" deleted"]),
    yes("delete deployment web --cascade=foreground --timeout=60s", &["deployment.apps \"web\" deleted"]),
    no("get deployment web", &["Error from server (NotFound): deployments.apps \"web\" not found"]),
    yes("delete priorityclass {ns}-high", &["deleted"]),
    no(
        "delete priorityclass system-node-critical",
        &["this is a system priority class and cannot be deleted"],
    ),
    no("delete namespace kube-system", &["this namespace may not be deleted"]),
    yes("delete clusterrole,clusterrolebinding {ns}-reader {ns}-readers --ignore-not-found", &["deleted"]),
];
