//! Every kind that `kubectl create`, `run`, `expose` and `autoscale` can make.

use super::{Step, no, yes};

pub(super) const STEPS: &[Step] = &[
    no("create namespace {ns}", &["namespaces \"{ns}\" already exists"]),
    yes("create configmap settings --from-literal=color=blue", &["configmap/settings created"]),
    yes("create secret generic token --from-literal=key=value", &["secret/token created"]),
    yes("create secret tls cert --cert={home}/tls.crt --key={home}/tls.key", &["secret/cert created"]),
    yes(
        "create secret docker-registry reg --docker-username=u --docker-password=p --docker-server=r.example",
        &["secret/reg created"],
    ),
    yes("create deployment web --image=nginx:1.27 --replicas=2 --port=80", &["deployment.apps/web created"]),
    yes("rollout status deployment/web --timeout=60s", &["successfully rolled out"]),
    yes("expose deployment web --port=80", &["service/web exposed"]),
    yes("create service clusterip cip --tcp=80:80", &["service/cip created"]),
    yes("create service nodeport np --tcp=80:80", &["service/np created"]),
    yes("create service loadbalancer lb --tcp=80", &["service/lb created"]),
    yes("create service externalname ext --external-name example.com", &["service/ext created"]),
    yes("create serviceaccount robot", &["serviceaccount/robot created"]),
    yes("create role reader --verb=get,list --resource=pods", &["reader created"]),
    yes("create rolebinding readers --role=reader --serviceaccount={ns}:robot", &["readers created"]),
    yes("create clusterrole {ns}-reader --verb=get --resource=nodes", &["{ns}-reader created"]),
    yes("create clusterrolebinding {ns}-readers --clusterrole={ns}-reader --user=jane", &["created"]),
    yes("create quota quota --hard=pods=100", &["resourcequota/quota created"]),
    yes("create poddisruptionbudget budget --selector=app=web --min-available=1", &["budget created"]),
    yes("create priorityclass {ns}-high --value=1000 --description=High", &["{ns}-high created"]),
    yes("create ingress front --rule=shop.example.com/=web:80", &["ingress.networking.k8s.io/front created"]),
    yes("create job once --image=busybox -- sleep 1", &["job.batch/once created"]),
    yes(
        "create cronjob tick --image=busybox '--schedule=0 0 1 1 *' -- date",
        &["cronjob.batch/tick created"],
    ),
    yes("create job manual --from=cronjob/tick", &["job.batch/manual created"]),
    yes("run busy --image=busybox --restart=Never -- sleep 3600", &["pod/busy created"]),
    yes("wait --for=condition=Ready pod/busy --timeout=60s", &["condition met"]),
    yes(
        "autoscale deployment web --min=2 --max=5 --cpu-percent=80",
        &["horizontalpodautoscaler.autoscaling/web autoscaled"],
    ),
    yes("create configmap dry --from-literal=a=b --dry-run=client -o yaml", &["kind: ConfigMap", "a: b"]),
    yes("create deployment dry --image=nginx --dry-run=server", &["created (server dry run)"]),
    no("create deployment web --image=nginx", &["deployments.apps \"web\" already exists"]),
    no("create configmap No_Name", &["is invalid: metadata.name"]),
];
