//! The loop: ClusterConfigs and NodeClaims are watched, a plan is made and applied.

use std::sync::Arc;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::{Api, Client, Resource};
use mainstay_base::World;
use mainstay_base::task::Outcome;
use mainstay_control::events::{self, EventType};
use mainstay_control::meta::controller_reference;
use mainstay_control::reconcile::{self, Next};
use mainstay_control::reflect::watch_config;
use mainstay_control::{Component, Counters, Informer, Key, Queue, Recorder};
use mainstay_kinds::{ClusterConfigStatus, NodeClaim, StoredClusterConfig};
use mainstay_resource::Rule;

use crate::status::{status, unreadable};
use crate::{Plan, plan};

/// Who asks.
pub const USER: &str = "system:serviceaccount:kube-system:node-group-controller";
/// The component's name, in Events and lists.
const NAME: &str = "node-group-controller";
/// What it may ask.
pub const RULES: &[Rule] = &[
    Rule { groups: &["eksctl.io"], resources: &["clusterconfigs"], verbs: &["list", "watch"] },
    Rule { groups: &["eksctl.io"], resources: &["clusterconfigs/status"], verbs: &["patch"] },
    Rule {
        groups: &["mainstay.dev"],
        resources: &["nodeclaims"],
        verbs: &["list", "watch", "create", "delete"],
    },
    events::RULE,
];
/// Configs worked on at a time.
const WORKERS: usize = 2;

/// The controller as the platform starts it.
pub fn component() -> Component {
    let counters = Counters::default();
    let counted = counters.clone();
    Component::new(NAME, USER, RULES, counters, move |client, world| serve(client, world, counted.clone()))
}

/// Runs the controller until it is dropped or a watch ends.
pub async fn run(client: Client, world: World) -> Outcome {
    component().run(client, world).await
}

/// What every pass over a config needs.
struct Controller {
    client: Client,
    world: World,
    configs: Informer<StoredClusterConfig>,
    claims: Informer<NodeClaim>,
    recorder: Recorder,
}

async fn serve(client: Client, world: World, counters: Counters) -> Outcome {
    let (recorder, sink) = events::recorder(&world, NAME);
    let controller = Controller {
        client: client.clone(),
        world,
        configs: Informer::default(),
        claims: Informer::default(),
        recorder,
    };
    let queue = Queue::<Key>::default();
    let _subscriptions = (controller.queue_configs(&queue), controller.queue_claims(&queue));
    let (configs, claims) = (Api::all(client.clone()), Api::all(client.clone()));
    let work = async {
        controller.configs.synced().await;
        controller.claims.synced().await;
        let pass = async |key: Key| controller.pass(&key).await;
        reconcile::run(NAME, &queue, WORKERS, &counters, pass).await;
    };
    tokio::select! {
        biased;
        outcome = controller.configs.run(configs, watch_config()) => outcome,
        outcome = controller.claims.run(claims, watch_config()) => outcome,
        () = sink.run(client) => Err("the event sink ended".into()),
        () = work => Err("the work queue ended".into()),
    }
}

impl Controller {
    fn queue_configs(
        &self,
        queue: &Queue<Key>,
    ) -> mainstay_control::informer::Subscription<StoredClusterConfig> {
        let queue = queue.clone();
        self.configs.subscribe(move |change| queue.add(Key::of(change.latest().as_ref())))
    }

    /// A claim's change is work on the config that owns it.
    fn queue_claims(&self, queue: &Queue<Key>) -> mainstay_control::informer::Subscription<NodeClaim> {
        let queue = queue.clone();
        self.claims.subscribe(move |change| {
            let owners = change.latest().metadata.owner_references.iter().flatten();
            let config = owners.into_iter().find(|owner| owner.kind == StoredClusterConfig::kind(&()));
            if let Some(owner) = config {
                queue.add(Key::cluster(&owner.name));
            }
        })
    }

    async fn pass(&self, key: &Key) -> reconcile::Outcome {
        let Some(stored) = self.configs.get(key) else { return Ok(Next::Wait) };
        if stored.metadata.deletion_timestamp.is_some() {
            // The garbage collector deletes what it owns.
            return Ok(Next::Wait);
        }
        let now = self.world.now();
        let generation = stored.metadata.generation.unwrap_or_default();
        let status = match stored.config() {
            Ok(config) => {
                let plan = plan(&config, &controller_reference(stored.as_ref()), &self.claims.all());
                self.apply(&stored, &plan).await?;
                status(stored.status.as_ref(), generation, &config, &plan, now)
            }
            Err(error) => unreadable(stored.status.as_ref(), generation, &error.to_string(), now),
        };
        self.tell(&stored, &status).await?;
        Ok(Next::Wait)
    }

    async fn apply(&self, stored: &Arc<StoredClusterConfig>, plan: &Plan) -> Result<(), kube::Error> {
        let api = Api::<NodeClaim>::all(self.client.clone());
        for name in &plan.delete {
            let uid = self.claims.get(&Key::cluster(name)).and_then(|claim| claim.metadata.uid.clone());
            let params = DeleteParams {
                preconditions: Some(Preconditions { uid, resource_version: None }),
                ..DeleteParams::background()
            };
            match api.delete(name, &params).await {
                Ok(_) => self.note(stored, "SuccessfulDelete", format!("Deleted NodeClaim {name}")),
                Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => {}
                Err(error) => return Err(error),
            }
        }
        for claim in &plan.create {
            let name = claim.metadata.name.as_deref().unwrap_or_default();
            match api.create(&PostParams::default(), claim).await {
                Ok(_) => self.note(stored, "SuccessfulCreate", format!("Created NodeClaim {name}")),
                // The watch has not shown it yet; it will, and the plan is made again.
                Err(kube::Error::Api(status)) if status.code == 409 => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn note(&self, stored: &StoredClusterConfig, reason: &'static str, message: String) {
        self.recorder.normal(stored, reason, message);
    }

    /// Writes the status when it says something new; a new objection is told as an Event too.
    async fn tell(
        &self,
        stored: &StoredClusterConfig,
        status: &ClusterConfigStatus,
    ) -> Result<(), kube::Error> {
        if stored.status.as_ref() == Some(status) {
            return Ok(());
        }
        let objection = |status: &ClusterConfigStatus| {
            let valid = status.conditions.iter().find(|condition| condition.type_ == "Valid");
            valid.filter(|condition| condition.status == "False").map(|condition| condition.message.clone())
        };
        if let Some(message) = objection(status)
            && stored.status.as_ref().and_then(objection).as_ref() != Some(&message)
        {
            let reference: ObjectReference = events::reference(stored);
            self.recorder.record(reference, EventType::Warning, "InvalidClusterConfig", message);
        }
        let api = Api::<StoredClusterConfig>::all(self.client.clone());
        let name = stored.metadata.name.as_deref().unwrap_or_default();
        let patch = Patch::Merge(serde_json::json!({ "status": status }));
        api.patch_status(name, &PatchParams::default(), &patch).await.map(|_| ())
    }
}
