//! The watches that feed the graph: one per kind, begun and ended as kinds come and go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::stream::{BoxStream, SelectAll};
use futures::{FutureExt, StreamExt};
use kube::api::DynamicObject;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch_all};
use mainstay_control::backoff::WatchBackoff;
use mainstay_control::reflect::watch_config;
use tokio::sync::{Notify, oneshot};

use super::graph::Item;
use super::{Collector, Task};
use crate::discovery::Kind;

type Object = PartialObjectMeta<DynamicObject>;
type Told = (Arc<Kind>, Result<Event<Object>, watcher::Error>);

/// A kind being watched; dropping `_end` ends its watch.
struct Watched {
    kind: Arc<Kind>,
    _end: oneshot::Sender<()>,
    /// The uids of a list under way.
    listed: BTreeSet<String>,
    is_listed: bool,
}

/// Watches every kind that can be deleted; tells `listed` when the first lists are complete.
pub(super) async fn run(collector: &Collector, listed: &Notify) {
    let mut kinds = collector.kinds.subscribe();
    let mut watched: BTreeMap<(String, String), Watched> = BTreeMap::new();
    let mut streams: SelectAll<BoxStream<'static, Told>> = SelectAll::new();
    loop {
        let served = kinds.borrow_and_update().clone();
        follow(collector, &served, &mut watched, &mut streams);
        loop {
            tokio::select! {
                biased;
                changed = kinds.changed() => match changed {
                    Ok(()) => break,
                    Err(_) => return,
                },
                Some((kind, event)) = streams.next(), if !streams.is_empty() => {
                    let Some(own) = watched.get_mut(&name(&kind)) else { continue };
                    match event {
                        Ok(event) => accept(collector, own, event),
                        Err(error) => tracing::debug!(kind = kind.resource.plural, %error, "watch failed"),
                    }
                    if watched.values().all(|own| own.is_listed) {
                        listed.notify_one();
                    }
                }
            }
        }
    }
}

/// Begins to watch what is new and ends what is no longer served.
fn follow(
    collector: &Collector,
    served: &[Arc<Kind>],
    watched: &mut BTreeMap<(String, String), Watched>,
    streams: &mut SelectAll<BoxStream<'static, Told>>,
) {
    let wanted: BTreeMap<_, _> =
        served.iter().filter(|kind| is_collected(kind)).map(|kind| (name(kind), kind)).collect();
    let (kept, ended): (BTreeMap<_, _>, BTreeMap<_, _>) =
        std::mem::take(watched).into_iter().partition(|(name, own)| wanted.get(name) == Some(&&own.kind));
    *watched = kept;
    for own in ended.into_values() {
        let uids: Vec<String> = collector.graph().of_kind(&own.kind).map(|item| item.uid.clone()).collect();
        for uid in &uids {
            vanish(collector, uid);
        }
    }
    for (name, kind) in wanted {
        if !watched.contains_key(&name) {
            // Whose owner is of a kind that nobody served can be judged now.
            let look_at = collector.graph().missing_owners_of(kind);
            collector.look_at(look_at);
        }
        watched.entry(name).or_insert_with(|| {
            let (end, ended) = oneshot::channel();
            let (own, api) = (kind.clone(), collector.api(kind, ""));
            let events = watch_all(api, watch_config()).backoff(WatchBackoff::default());
            streams.push(events.map(move |event| (own.clone(), event)).take_until(ended.map(|_| ())).boxed());
            Watched { kind: kind.clone(), _end: end, listed: BTreeSet::new(), is_listed: false }
        });
    }
}

fn accept(collector: &Collector, own: &mut Watched, event: Event<Object>) {
    match event {
        Event::Init => own.listed.clear(),
        Event::InitApply(object) => {
            own.listed.extend(object.metadata.uid.clone());
            observe(collector, own, &object);
        }
        Event::InitDone => {
            own.is_listed = true;
            let listed = std::mem::take(&mut own.listed);
            let gone: Vec<String> = {
                let graph = collector.graph();
                let known = graph.of_kind(&own.kind).map(|item| item.uid.clone());
                known.filter(|uid| !listed.contains(uid)).collect()
            };
            for uid in &gone {
                vanish(collector, uid);
            }
        }
        Event::Apply(object) => observe(collector, own, &object),
        Event::Delete(object) => vanish(collector, object.metadata.uid.as_deref().unwrap_or_default()),
    }
}

fn observe(collector: &Collector, own: &Watched, object: &Object) {
    let observed = collector.graph().observe(Item::new(own.kind.clone(), &object.metadata));
    collector.follow_up(observed);
}

fn vanish(collector: &Collector, uid: &str) {
    let mut graph = collector.graph();
    let node = graph
        .item(uid)
        .filter(|item| item.kind.name() == ("", "nodes"))
        .map(|item| item.key.name.to_string());
    let look_at = graph.vanish(uid);
    drop(graph);
    collector.look_at(look_at);
    if let Some(node) = node {
        collector.queue.add(Task::Lease(node, uid.to_owned()));
    }
}

fn is_collected(kind: &Kind) -> bool {
    let is_left_out =
        matches!(kind.name(), ("" | "events.k8s.io", "events") | ("coordination.k8s.io", "leases"));
    !is_left_out && kind.can(&["delete", "list", "watch"])
}

fn name(kind: &Kind) -> (String, String) {
    let (group, plural) = kind.name();
    (group.to_owned(), plural.to_owned())
}
