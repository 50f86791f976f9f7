//! What is to be done in one region, and doing it: server-side apply, wave by wave, so many requests
//! at a time.

use std::collections::BTreeMap;

use futures::{StreamExt as _, stream};
use kube::Client;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, Preconditions};
use kube::core::{Request, Resource as _};
use mainstay_base::limits;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::FIELD_MANAGER;
use super::compare::changed_paths;
use super::decide::{Intent, Item, Stamp, decide};
use super::desired::{Desired, Standing, desired, fingerprint};
use super::held::{self, Found};
use super::key::Key;
use super::served::Served;
use crate::config::{Placed, RegionConfig};
use crate::errors::api_message;
use crate::plan::{Change, RegionPlan, Step};

/// How objects were left, by region and key.
pub(crate) type Stamps = BTreeMap<Key, Stamp>;

/// What is to be done in one region.
pub(crate) struct Work<'a> {
    region: &'a str,
    client: Client,
    desired: Vec<Desired<'a>>,
    fingerprints: BTreeMap<usize, u64>,
    found: Found,
    items: Vec<Item>,
    /// How the objects are left.
    stamps: Stamps,
    /// Why desired objects are not there, by number.
    refusals: BTreeMap<usize, String>,
}

/// What applying an object returns that matters.
#[derive(Deserialize)]
struct Applied {
    metadata: AppliedMeta,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AppliedMeta {
    #[serde(default)]
    resource_version: String,
}

impl<'a> Work<'a> {
    /// Compares what the region is asked to hold with what it holds, without asking the server what
    /// would become of each object.
    pub(crate) async fn find(
        client: Client,
        owner: &'a str,
        region: &'a RegionConfig,
        placed: &'a [Placed],
        stamps: &Stamps,
    ) -> Result<Self, kube::Error> {
        let served = Served::by(&client).await?;
        let desired = desired(owner, region, placed, &served);
        let found = held::find(&client, owner, &desired, &served).await?;
        let is_applied = |one: &Desired<'_>| matches!(one.standing, Standing::Served(_) | Standing::Later);
        let applied = desired.iter().enumerate().filter(|(_, one)| is_applied(one));
        let fingerprints: BTreeMap<usize, u64> =
            applied.map(|(number, one)| (number, fingerprint(&one.object()))).collect();
        let mut work = Self {
            region: &region.name,
            client,
            desired,
            fingerprints,
            found,
            items: Vec::new(),
            stamps: Stamps::new(),
            refusals: BTreeMap::new(),
        };
        work.decide(stamps);
        Ok(work)
    }

    fn decide(&mut self, stamps: &Stamps) {
        let wanted = self
            .fingerprints
            .iter()
            .map(|(number, fingerprint)| (*number, (&self.desired[*number].key, *fingerprint)))
            .collect();
        self.items = decide(&wanted, &self.found.held, stamps);
        for item in &self.items {
            if let (Intent::Keep, Some(stamp)) = (&item.intent, stamps.get(&item.key)) {
                self.stamps.insert(item.key.clone(), stamp.clone());
            }
        }
    }

    /// Asks the server, by applying without effect, what would change in each object.
    pub(crate) async fn examine(&mut self, stamps: &Stamps) -> Result<(), kube::Error> {
        let missing: Vec<usize> = self
            .items
            .iter()
            .filter(|item| item.intent == Intent::Create)
            .filter_map(|item| item.desired)
            .collect();
        for number in missing {
            if let Standing::Served(resource) = &self.desired[number].standing {
                self.found.look_at(&self.client, &self.desired[number].key, resource).await?;
            }
        }
        self.decide(stamps);
        let mut examined = Vec::new();
        for (index, item) in self.items.iter().enumerate() {
            if let (Intent::Examine, Some(number)) = (&item.intent, item.desired) {
                examined.push((index, number));
            }
        }
        let work = &*self;
        let looks = examined
            .into_iter()
            .map(|(index, number)| async move { (index, number, work.look(number).await) });
        let looks: Vec<_> = stream::iter(looks).buffered(limits::APPLY_REQUESTS).collect().await;
        for (index, number, intent) in looks {
            if intent == Intent::Keep {
                let revision = self.found.held[&self.desired[number].key].revision.clone();
                let stamp = Stamp { fingerprint: self.fingerprints[&number], revision };
                self.stamps.insert(self.desired[number].key.clone(), stamp);
            }
            if let Intent::Refuse(reason) = &intent {
                self.refusals.insert(number, reason.clone());
            }
            self.items[index].intent = intent;
        }
        self.try_first_creations().await;
        Ok(())
    }

    /// Finds out which objects will be refused when they are created. Only those can be asked about
    /// that need nothing which comes with an earlier wave.
    async fn try_first_creations(&mut self) {
        let is_applied =
            |item: &Item| matches!(item.intent, Intent::Create | Intent::Examine | Intent::Change(_));
        while let Some(first) = self.items.iter().find(|item| is_applied(item)).map(|item| item.wave) {
            let mut asked = Vec::new();
            for (index, item) in self.items.iter().enumerate() {
                if let (Intent::Create, Some(number)) = (&item.intent, item.desired)
                    && item.wave == first
                    && matches!(self.desired[number].standing, Standing::Served(_))
                {
                    asked.push((index, number));
                }
            }
            let work = &*self;
            let asking = asked.into_iter().map(|(index, number)| async move {
                (index, number, work.send::<Applied>(number, true).await.err())
            });
            let told: Vec<_> = stream::iter(asking).buffered(limits::APPLY_REQUESTS).collect().await;
            for (index, number, refusal) in told {
                if let Some(reason) = refusal {
                    self.refusals.insert(number, reason.clone());
                    self.items[index].intent = Intent::Refuse(reason);
                }
            }
            if self.items.iter().any(|item| is_applied(item) && item.wave == first) {
                return;
            }
        }
    }

    /// What the server would make of one object that is there.
    async fn look(&self, number: usize) -> Intent {
        let desired = &self.desired[number];
        let Some(live) = self.found.live.get(&desired.key) else { return Intent::Examine };
        match self.send::<Value>(number, true).await {
            Err(reason) => Intent::Refuse(reason),
            Ok(new) => match changed_paths(live, &new) {
                paths if paths.is_empty() => Intent::Keep,
                paths => Intent::Change(paths),
            },
        }
    }

    /// What is done, for people.
    pub(crate) fn shown(&self, placed: &[Placed]) -> RegionPlan {
        let mut plan = RegionPlan { region: self.region.to_owned(), steps: Vec::new(), unchanged: 0 };
        for item in &self.items {
            let change = match &item.intent {
                Intent::Create => Change::Created,
                Intent::Examine => Change::Changed(Vec::new()),
                Intent::Change(paths) => Change::Changed(paths.clone()),
                Intent::Refuse(reason) => Change::Refused(reason.clone()),
                Intent::Prune => Change::Pruned,
                Intent::Keep => {
                    plan.unchanged += 1;
                    continue;
                }
            };
            let document = item.desired.and_then(|number| self.desired[number].document);
            let at = document.map(|document| placed[document].document.start());
            plan.steps.push(Step {
                what: item.key.to_string(),
                at: at.map(|at| format!("{}:{}", at.file, at.line)),
                change,
            });
        }
        plan
    }

    /// Does it.
    pub(crate) async fn apply(&mut self) -> Result<(), kube::Error> {
        let mut waves: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for item in &self.items {
            let is_applied = matches!(item.intent, Intent::Create | Intent::Examine | Intent::Change(_));
            if let (true, Some(number)) = (is_applied, item.desired) {
                waves.entry(item.wave).or_default().push(number);
            }
        }
        for numbers in waves.into_values() {
            if numbers.iter().any(|number| self.desired[*number].standing == Standing::Later) {
                self.resolve().await?;
            }
            let work = &*self;
            let applying = numbers
                .into_iter()
                .map(|number| async move { (number, work.send::<Applied>(number, false).await) });
            let applied: Vec<_> = stream::iter(applying).buffered(limits::APPLY_REQUESTS).collect().await;
            for (number, outcome) in applied {
                self.settle(number, outcome);
            }
        }
        self.prune().await;
        Ok(())
    }

    fn settle(&mut self, number: usize, outcome: Result<Applied, String>) {
        match outcome {
            Ok(applied) => {
                let revision = applied.metadata.resource_version;
                let stamp = Stamp { fingerprint: self.fingerprints[&number], revision };
                self.stamps.insert(self.desired[number].key.clone(), stamp);
            }
            Err(reason) => {
                self.refusals.insert(number, reason);
            }
        }
    }

    /// Finds the kinds that came to be by the Source's definitions.
    async fn resolve(&mut self) -> Result<(), kube::Error> {
        let served = Served::by(&self.client).await?;
        self.desired.iter_mut().for_each(|one| one.resolve(&served));
        Ok(())
    }

    /// Deletes what is to be pruned, one wave after the other.
    async fn prune(&self) {
        let pruned: Vec<&Item> = self.items.iter().filter(|item| item.intent == Intent::Prune).collect();
        for wave in pruned.chunk_by(|one, other| one.wave == other.wave) {
            let keys: Vec<Key> = wave.iter().map(|item| item.key.clone()).collect();
            let deleting = keys.into_iter().map(|key| async move { (self.delete(&key).await, key) });
            let mut deleted = stream::iter(deleting).buffered(limits::APPLY_REQUESTS);
            while let Some((outcome, object)) = deleted.next().await {
                if let Err(error) = outcome {
                    tracing::warn!(%object, %error, "cannot be pruned");
                }
            }
        }
    }

    /// Deletes one object, unless another has taken its name since.
    async fn delete(&self, key: &Key) -> Result<(), kube::Error> {
        let (Some(held), Some(resource)) = (self.found.held.get(key), self.found.resources.get(key)) else {
            return Ok(());
        };
        let parameters = DeleteParams {
            preconditions: Some(Preconditions { uid: Some(held.uid.clone()), resource_version: None }),
            ..DeleteParams::background()
        };
        let url = DynamicObject::url_path(&resource.api, held::scope(key));
        let request = Request::new(url).delete(&key.name, &parameters).map_err(kube::Error::BuildRequest)?;
        match self.client.request::<Value>(request).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Applies one object, or tells what would become of it; what the server has against it is an
    /// error.
    async fn send<T: DeserializeOwned>(&self, number: usize, is_dry: bool) -> Result<T, String> {
        let desired = &self.desired[number];
        let Standing::Served(resource) = &desired.standing else {
            return Err(format!("no API of the region serves {}, Kind={}", desired.api(), desired.key.kind));
        };
        let parameters = PatchParams { dry_run: is_dry, ..PatchParams::apply(FIELD_MANAGER).force() };
        let url = DynamicObject::url_path(&resource.api, held::scope(&desired.key));
        let request = Request::new(url)
            .patch(&desired.key.name, &parameters, &Patch::Apply(desired.object()))
            .map_err(|error| error.to_string())?;
        self.client.request::<T>(request).await.map_err(|error| api_message(&error))
    }

    /// Which objects were desired, and why those are not there that are not.
    pub(crate) fn outcomes(&self) -> impl Iterator<Item = (&Desired<'a>, Option<&str>)> {
        self.desired
            .iter()
            .enumerate()
            .map(|(number, one)| (one, self.refusals.get(&number).map(String::as_str)))
    }

    /// How the objects are left.
    pub(crate) fn into_stamps(self) -> Stamps {
        self.stamps
    }
}
