//! An API that holds one set, its pods, claims and revisions, and a controller that works in it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use serde_json::{Value, json};

use super::super::plan::{Act, Step};
use super::super::{identity, retention, storage};
use super::*;

/// What fails from some request on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Failing {
    Create,
    Update,
    Delete,
    CreateClaim,
}

pub(super) struct Realm {
    pub(super) set: StatefulSet,
    pub(super) pods: BTreeMap<String, Arc<Pod>>,
    pub(super) claims: BTreeMap<String, Arc<PersistentVolumeClaim>>,
    pub(super) revisions: Vec<Arc<ControllerRevision>>,
    pub(super) now: Timestamp,
    /// The failing request and how many of its kind succeed before.
    pub(super) failing: Option<(Failing, usize)>,
    /// Requests made, by what they were.
    pub(super) requests: Vec<(Failing, String)>,
    /// The stages of the last plan: how many steps each had.
    pub(super) stages: Vec<usize>,
    random: u64,
}

pub(super) fn set(replicas: i32, spec: Value) -> StatefulSet {
    let mut set = json!({
        "metadata": {"name": "foo", "namespace": "default", "uid": "test", "generation": 1},
        "spec": {
            "replicas": replicas,
            "serviceName": "governingsvc",
            "selector": {"matchLabels": {"foo": "bar"}},
            "template": {
                "metadata": {"labels": {"foo": "bar"}},
                "spec": {"containers": [{"name": "nginx", "image": "nginx"}],
                         "volumes": [{"name": "home", "hostPath": {"path": "/tmp/home"}}]},
            },
            "volumeClaimTemplates": [{"metadata": {"name": "datadir"}, "spec": {}}],
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "revisionHistoryLimit": 2,
        },
    });
    for (key, value) in spec.as_object().unwrap() {
        set["spec"][key] = value.clone();
    }
    serde_json::from_value(set).unwrap()
}

impl Realm {
    pub(super) fn new(replicas: i32, spec: Value) -> Self {
        Self {
            set: set(replicas, spec),
            pods: BTreeMap::new(),
            claims: BTreeMap::new(),
            revisions: Vec::new(),
            now: "2026-01-01T00:00:00Z".parse().unwrap(),
            failing: None,
            requests: Vec::new(),
            stages: Vec::new(),
            random: 7,
        }
    }

    pub(super) fn change(&mut self, spec: Value) {
        let mut changed = serde_json::to_value(&self.set).unwrap();
        for (key, value) in spec.as_object().unwrap() {
            changed["spec"][key] = value.clone();
        }
        self.set = serde_json::from_value(changed).unwrap();
    }

    pub(super) fn image(&mut self, image: &str) {
        let template = &mut self.set.spec.as_mut().unwrap().template;
        template.spec.as_mut().unwrap().containers[0].image = Some(image.to_owned());
    }

    pub(super) fn status(&self) -> &k8s_openapi::api::apps::v1::StatefulSetStatus {
        self.set.status.as_ref().unwrap()
    }

    /// One turn of the controller.
    pub(super) fn sync(&mut self) -> Result<(), String> {
        crate::history::sort(&mut self.revisions);
        let update = self.record();
        let current = current_revision(&self.set, &self.revisions).unwrap_or_else(|| update.clone());
        let (pods, claims): (Vec<_>, _) = (self.pods.values().cloned().collect(), self.claims.clone());
        let find = |name: &str| claims.get(name).cloned();
        let set = self.set.clone();
        let view =
            View { set: &set, pods: &pods, claim: &find, current: &current, update: &update, now: self.now };
        let mut plan = plan::advance(&view);
        self.stages = plan.stages.iter().map(Vec::len).collect();
        let done = self.take(&mut plan);
        let names = (current.name.as_str(), update.name.as_str());
        self.set.status = Some(status::status(&set, plan.counts, names, 0));
        let live =
            pods.iter().map(|pod| crate::history::revision_label(&pod.metadata)).chain([names.0, names.1]);
        let limit = set.spec.as_ref().unwrap().revision_history_limit.unwrap();
        let surplus = crate::history::surplus(&self.revisions, &live.collect(), limit);
        self.revisions.retain(|revision| !surplus.contains(revision));
        done
    }

    fn record(&mut self) -> Revision {
        let template = self.set.spec.as_ref().unwrap().template.clone();
        let data = crate::history::data(&template);
        let name = match crate::history::record(&self.revisions, &data) {
            Record::Same(revision) => crate::history::name(&revision).to_owned(),
            Record::Again(revision, number) => {
                let name = crate::history::name(&revision).to_owned();
                let place = self.revisions.iter_mut().find(|it| **it == revision).unwrap();
                Arc::make_mut(place).revision = number;
                name
            }
            Record::New(number) => {
                let hash = crate::history::hash(&data, 0);
                let labelled = (crate::history::HASH_LABEL, &*hash);
                let revision = crate::history::revision(&self.set, &template, labelled, data, number);
                self.revisions.push(Arc::new(revision));
                crate::history::name(self.revisions.last().unwrap()).to_owned()
            }
        };
        Revision { name, template }
    }

    fn take(&mut self, plan: &mut Plan) -> Result<(), String> {
        for stage in &plan.stages {
            let mut failed = None;
            for step in stage {
                if let Err(error) = self.step(step) {
                    failed.get_or_insert(error);
                    if !plan.is_parallel {
                        break;
                    }
                }
            }
            failed.map_or(Ok(()), Err)?;
        }
        if let Some(pod) = &plan.outdated {
            self.delete(pod)?;
            plan.counts.current -= 1;
        }
        Ok(())
    }

    fn request(&mut self, what: Failing, name: &str) -> Result<(), String> {
        let before = self.requests.iter().filter(|(other, _)| *other == what).count();
        self.requests.push((what, name.to_owned()));
        match self.failing {
            Some((failing, after)) if failing == what && before >= after => {
                Err(format!("{what:?} {name} failed"))
            }
            _ => Ok(()),
        }
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        if let Some(name) = step.claims.dying.first() {
            return Err(format!("pvc {name} is being deleted"));
        }
        for claim in &step.claims.create {
            let name = claim.metadata.name.clone().unwrap();
            self.request(Failing::CreateClaim, &name)?;
            self.claims.insert(name, Arc::new(claim.clone()));
        }
        match &step.act {
            Act::Create => self.create(&step.pod)?,
            Act::Delete => self.delete(&step.pod)?,
            Act::Mend(patch) => self.mend(&step.pod, patch.as_ref())?,
            Act::Nothing => {}
        }
        for (claim, owners) in &step.claims.own {
            let mut claim = claim.as_ref().clone();
            claim.metadata.owner_references = Some(owners.clone());
            self.claims.insert(claim.metadata.name.clone().unwrap(), Arc::new(claim));
        }
        Ok(())
    }

    fn create(&mut self, pod: &Pod) -> Result<(), String> {
        let name = identity::name(&pod.metadata).to_owned();
        self.request(Failing::Create, &name)?;
        assert!(!self.pods.contains_key(&name), "{name} is there already");
        let mut pod = pod.clone();
        pod.metadata.uid = Some(format!("{name}/{}", self.requests.len()));
        pod.status = serde_json::from_value(json!({"phase": "Pending"})).unwrap();
        self.pods.insert(name, Arc::new(pod));
        Ok(())
    }

    fn delete(&mut self, pod: &Pod) -> Result<(), String> {
        let name = identity::name(&pod.metadata).to_owned();
        self.request(Failing::Delete, &name)?;
        self.edit(&name, |pod| {
            assert!(!is_terminating(&pod.metadata), "{name} is deleted twice");
            pod.metadata.deletion_timestamp = serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap();
        });
        Ok(())
    }

    fn mend(&mut self, pod: &Pod, patch: Option<&Value>) -> Result<(), String> {
        let name = identity::name(&pod.metadata).to_owned();
        self.request(Failing::Update, &name)?;
        let mut mended = serde_json::to_value(pod).unwrap();
        for (key, value) in
            patch.and_then(|patch| patch["metadata"]["labels"].as_object()).into_iter().flatten()
        {
            mended["metadata"]["labels"][key] = value.clone();
        }
        if let Some(volumes) = patch.and_then(|patch| patch["spec"].get("volumes")) {
            mended["spec"]["volumes"] = volumes.clone();
        }
        self.pods.insert(name, Arc::new(serde_json::from_value(mended).unwrap()));
        Ok(())
    }

    pub(super) fn edit(&mut self, name: &str, change: impl FnOnce(&mut Pod)) {
        change(Arc::make_mut(self.pods.get_mut(name).unwrap()));
    }

    pub(super) fn set_phase(&mut self, name: &str, phase: &str, is_ready: bool) {
        let (status, now) = (if is_ready { "True" } else { "False" }, self.now);
        let ready = json!({"type": "Ready", "status": status, "lastTransitionTime": now});
        let status = json!({"phase": phase, "conditions": [ready]});
        self.edit(name, |pod| pod.status = serde_json::from_value(status).unwrap());
    }

    /// Something happens to one of the pods: it comes further, or is gone if it shall go.
    pub(super) fn live(&mut self) {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.now += SignedDuration::from_secs(1);
        let Some(length @ 1..) = u64::try_from(self.pods.len()).ok() else { return };
        let index = usize::try_from((self.random >> 33) % length).unwrap();
        let pod = self.pods.values().nth(index).unwrap().clone();
        let name = identity::name(&pod.metadata).to_owned();
        match crate::pods::phase(&pod) {
            _ if is_terminating(&pod.metadata) => self.remove(&name),
            "Pending" => self.set_phase(&name, "Running", false),
            "Running" if !crate::pods::is_ready(&pod) => self.set_phase(&name, "Running", true),
            _ => {}
        }
    }

    /// The pod is gone, and what belongs to it alone is collected.
    pub(super) fn remove(&mut self, name: &str) {
        let pod = self.pods.remove(name).unwrap();
        self.claims.retain(|_, claim| !retention::is_owned_by(claim, &pod.metadata));
    }

    /// Lives and works until `done`, checking each time.
    pub(super) fn until(&mut self, done: impl Fn(&Self) -> bool, check: impl Fn(&Self)) {
        for _ in 0..2000 {
            self.sync().unwrap();
            check(self);
            if done(self) {
                return;
            }
            self.live();
        }
        panic!("it never ends: {:?}", self.status());
    }

    pub(super) fn is_up(&self) -> bool {
        let (wanted, status) = (identity::replicas(&self.set), self.status());
        usize::try_from(wanted) == Ok(self.pods.len())
            && status.replicas == wanted
            && status.ready_replicas.unwrap_or_default() == wanted
            && self.pods.values().all(|pod| !is_terminating(&pod.metadata))
    }

    pub(super) fn is_updated(&self) -> bool {
        let status = self.status();
        let strategy = self.set.spec.as_ref().unwrap().update_strategy.as_ref().unwrap();
        let partition =
            strategy.rolling_update.as_ref().and_then(|rolling| rolling.partition).unwrap_or_default();
        let updated = (identity::replicas(&self.set) - partition).max(0);
        self.is_up() && status.updated_replicas.unwrap_or_default() >= updated
    }

    pub(super) fn images(&self) -> Vec<&str> {
        self.pods
            .values()
            .map(|pod| pod.spec.as_ref().unwrap().containers[0].image.as_deref().unwrap())
            .collect()
    }

    /// Identity, storage and claims of every pod are as they shall be.
    pub(super) fn assert_kept(&self) {
        for pod in self.pods.values() {
            let name = identity::name(&pod.metadata);
            assert!(storage::matches(&self.set, pod), "{name}");
            assert!(identity::matches(&self.set, pod), "{name}");
            for template in storage::templates(&self.set) {
                let claim = storage::claim_name(&self.set, template, identity::ordinal(pod).unwrap());
                assert!(self.claims.contains_key(&claim), "{claim}");
            }
        }
    }

    /// Pods are there without gaps, and none is ready before the one before it is.
    pub(super) fn assert_ordered(&self) {
        self.assert_kept();
        let pods: BTreeMap<_, _> =
            self.pods.values().map(|pod| (identity::ordinal(pod).unwrap(), pod)).collect();
        let mut before: Option<&Arc<Pod>> = None;
        for (index, (ordinal, pod)) in pods.into_iter().enumerate() {
            assert_eq!(ordinal, identity::start(&self.set) + i32::try_from(index).unwrap());
            let ready = status::is_running_and_ready;
            assert!(before.is_none_or(|before| ready(before) || !ready(pod)), "{ordinal} is ready too early");
            before = Some(pod);
        }
    }

    /// The claims of pods that stay have the owners that the policy wants.
    pub(super) fn assert_claims_owned(&self) {
        for pod in self.pods.values().filter(|pod| !is_terminating(&pod.metadata)) {
            for template in storage::templates(&self.set) {
                let name = storage::claim_name(&self.set, template, identity::ordinal(pod).unwrap());
                assert!(retention::is_up_to_date(&self.claims[&name], &self.set, pod), "{name}");
            }
        }
    }
}
