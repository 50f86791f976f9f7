//! Which machines a step means.

use k8s_openapi::api::core::v1::Node;
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};
use mainstay_base::Random;
use mainstay_kinds::NodeClaim;
use mainstay_kinds::drill::Machines;
use mainstay_kinds::node_claim::{NODE_GROUP_LABEL, ORDINAL_LABEL};
use mainstay_platform::errors::api_message;

/// What machines are meant for: only the living can be killed, only the dead restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Kill,
    Restore,
    Cut,
}

/// The claims of the machines that are meant; never none.
pub(crate) async fn choose(
    client: &Client,
    meant: &Machines,
    purpose: Purpose,
    random: &mut Random,
) -> Result<Vec<NodeClaim>, String> {
    let claims: Api<NodeClaim> = Api::all(client.clone());
    let mut list = claims.list(&ListParams::default()).await.map_err(|error| api_message(&error))?.items;
    list.sort_by_key(|claim| (ordinal(claim), claim.name_any()));
    if let Some(selector) = &meant.selector {
        let nodes: Api<Node> = Api::all(client.clone());
        let nodes = nodes.list(&ListParams::default().labels(selector)).await;
        let nodes = nodes.map_err(|error| api_message(&error))?.items;
        let names: Vec<String> = nodes.iter().map(ResourceExt::name_any).collect();
        list.retain(|claim| node_of(claim).is_some_and(|node| names.contains(&node)));
    }
    let chosen = of(list, meant, purpose, random);
    if chosen.is_empty() { Err("no machine is meant by this step".to_owned()) } else { Ok(chosen) }
}

/// The machines that are meant of `list`, which is in the order of their groups.
fn of(mut list: Vec<NodeClaim>, meant: &Machines, purpose: Purpose, random: &mut Random) -> Vec<NodeClaim> {
    list.retain(|claim| {
        let fits = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
        let group = claim.labels().get(NODE_GROUP_LABEL).map_or("", String::as_str);
        let by_name = meant
            .name
            .as_ref()
            .is_none_or(|name| claim.name_any() == *name || node_of(claim).as_ref() == Some(name));
        by_name && fits(&meant.node_group, group) && fits(&meant.zone, &claim.spec.zone)
    });
    if let Some(index) = meant.index {
        return list.into_iter().skip(usize::try_from(index).unwrap_or(usize::MAX)).take(1).collect();
    }
    if purpose == Purpose::Restore {
        list.retain(NodeClaim::is_killed);
    }
    if let Some(pick) = meant.pick {
        list.retain(|claim| purpose != Purpose::Kill || !claim.is_killed());
        random.shuffle(&mut list);
        list.truncate(usize::try_from(pick).unwrap_or(usize::MAX));
        return list;
    }
    if purpose == Purpose::Kill && meant.node_group.is_some() {
        list.truncate(1);
    }
    list
}

/// A machine's Node.
pub(crate) fn node_of(claim: &NodeClaim) -> Option<String> {
    claim.status.as_ref().and_then(|status| status.node_name.clone())
}

fn ordinal(claim: &NodeClaim) -> u32 {
    claim.labels().get(ORDINAL_LABEL).and_then(|ordinal| ordinal.parse().ok()).unwrap_or(0)
}
