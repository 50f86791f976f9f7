//! The Source's documents, applied to their regions, and what became of each.
//!
//! What is desired is compared with what a region holds of this platform (`decide`, pure); only what
//! differs is applied, by server-side apply under one field manager, in waves. What an earlier `up`
//! applied and the Source no longer holds is pruned; what the platform never applied is not touched.
//!
//! **Invariants:** an unchanged Source plans nothing. No document is dropped without a word.

use futures::future::try_join_all;
use mainstay_base::Diagnostic;

use crate::config::{Config, Placed, RegionConfig};
use crate::plan::RegionPlan;
use crate::region::Region;
use crate::start::cannot_start;
use crate::status::DocumentStatus;

mod compare;
mod decide;
mod desired;
mod fates;
mod held;
mod key;
mod order;
mod served;
mod work;

pub(crate) use work::Stamps;

/// The field manager of everything the platform applies.
pub(crate) const FIELD_MANAGER: &str = "mainstay";

/// What became of a Source's documents.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// Each document's fate, in the order of the Source.
    pub documents: Vec<DocumentStatus>,
    /// The refused ones at their places.
    pub refusals: Vec<Diagnostic>,
    /// How the objects were left, per region.
    pub stamps: Vec<Stamps>,
}

/// What is to be done in all regions.
pub(crate) struct Planned<'a> {
    config: &'a Config,
    works: Vec<work::Work<'a>>,
}

/// The value of the label that everything a platform applies has.
pub(crate) fn owner(platform: &str) -> String {
    desired::owner(platform)
}

/// Applies to each region what its API serves of its documents, to all regions at once.
pub(crate) async fn apply(regions: &[Region], config: &Config) -> Result<Applied, Diagnostic> {
    let owner = owner(&config.name);
    let mut planned = Planned::find(regions, config, &owner, &[]).await?;
    planned.apply(regions).await?;
    Ok(planned.settle())
}

impl<'a> Planned<'a> {
    /// Compares what the regions are asked to hold with what they hold.
    async fn find(
        regions: &[Region],
        config: &'a Config,
        owner: &'a str,
        stamps: &[Stamps],
    ) -> Result<Self, Diagnostic> {
        let none = Stamps::new();
        let finding = regions.iter().zip(&config.regions).enumerate().map(|(index, (region, wanted))| {
            let stamps = stamps.get(index).unwrap_or(&none);
            async move {
                let found = work::Work::find(region.client(), owner, wanted, &config.documents, stamps);
                found.await.map_err(|error| cannot_start(region.name(), &error))
            }
        });
        let works = try_join_all(finding).await?;
        Ok(Self { config, works })
    }

    /// The same, with what the servers would make of each object that differs.
    pub(crate) async fn examine(
        regions: &[Region],
        config: &'a Config,
        owner: &'a str,
        stamps: &[Stamps],
    ) -> Result<Self, Diagnostic> {
        let mut planned = Self::find(regions, config, owner, stamps).await?;
        let none = Stamps::new();
        let examining = planned.works.iter_mut().zip(regions).enumerate().map(|(index, (work, region))| {
            let stamps = stamps.get(index).unwrap_or(&none);
            async move { work.examine(stamps).await.map_err(|error| cannot_start(region.name(), &error)) }
        });
        try_join_all(examining).await?;
        Ok(planned)
    }

    /// What is done, for people.
    pub(crate) fn shown(&self) -> Vec<RegionPlan> {
        self.works.iter().map(|work| work.shown(&self.config.documents)).collect()
    }

    /// Does it, in all regions at once.
    pub(crate) async fn apply(&mut self, regions: &[Region]) -> Result<(), Diagnostic> {
        let applying = self.works.iter_mut().zip(regions).map(|(work, region)| async {
            work.apply().await.map_err(|error| cannot_start(region.name(), &error))
        });
        try_join_all(applying).await.map(drop)
    }

    /// What became of each document.
    pub(crate) fn settle(self) -> Applied {
        let documents = fates::rows(self.config, &self.works);
        let refusals = fates::refusals(&self.config.documents, &self.works);
        let stamps = self.works.into_iter().map(work::Work::into_stamps).collect();
        Applied { documents, refusals, stamps }
    }
}

/// What would be created where nothing runs yet: everything.
pub fn everything(config: &Config) -> Vec<RegionPlan> {
    let all = |region: &RegionConfig| {
        let own = |placed: &&Placed| placed.regions.contains(&region.name);
        fates::all_created(&region.name, config.documents.iter().filter(own))
    };
    config.regions.iter().map(all).collect()
}
