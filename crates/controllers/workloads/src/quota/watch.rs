//! The watches of what quotas merely count: one per kind that some quota names, begun and ended as
//! quotas and kinds come and go.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use kube::Api;
use kube::api::DynamicObject;
use kube::core::PartialObjectMeta;
use mainstay_control::feed::feed;
use mainstay_control::reflect::watch_config;
use mainstay_control::{Key, News};
use mainstay_resource::quota::Measure;
use tokio::sync::oneshot;

use super::{Controller, lists};
use crate::discovery::Kind;

type Object = PartialObjectMeta<DynamicObject>;

/// A kind being watched; dropping `_end` ends its watch.
struct Watched {
    kind: Arc<Kind>,
    _end: oneshot::Sender<()>,
}

/// Watches what is counted, for as long as it is polled.
pub(super) async fn run(controller: &Controller) {
    let mut kinds = controller.informers.kinds.subscribe();
    let mut counted = controller.counted.subscribe();
    let mut watched: BTreeMap<Measure, Watched> = BTreeMap::new();
    let mut running: FuturesUnordered<BoxFuture<'_, ()>> = FuturesUnordered::new();
    loop {
        let served = kinds.borrow_and_update().clone();
        let wanted = counted.borrow_and_update().clone();
        let wanted: BTreeMap<Measure, Arc<Kind>> = wanted
            .into_iter()
            .filter(|measure| matches!(measure, Measure::Count { .. }))
            .filter_map(|measure| Some((measure.clone(), lists::kind(&served, &measure)?)))
            .collect();
        watched.retain(|measure, own| wanted.get(measure) == Some(&own.kind));
        for (measure, kind) in wanted {
            watched.entry(measure).or_insert_with_key(|measure| {
                let (own, ended) = begin(controller, measure.clone(), kind);
                running.push(ended);
                own
            });
        }
        tokio::select! {
            biased;
            changed = counted.changed() => if changed.is_err() { return },
            changed = kinds.changed() => match changed {
                // What nobody served may be counted now.
                Ok(()) => all_again(controller),
                Err(_) => return,
            },
            () = drain(&mut running) => {}
        }
    }
}

/// Polls the watches; it never returns.
async fn drain(running: &mut FuturesUnordered<BoxFuture<'_, ()>>) {
    while running.next().await.is_some() {}
    std::future::pending::<()>().await;
}

fn begin(controller: &Controller, measure: Measure, kind: Arc<Kind>) -> (Watched, BoxFuture<'_, ()>) {
    let (end, ended) = oneshot::channel::<()>();
    let api: Api<Object> = Api::all_with(controller.writer.client().clone(), &kind.resource);
    let tell = move |news: News<Object>| {
        if let News::Gone(key) = news {
            controller.replenish(&measure, Some(&key.namespace));
        }
    };
    let watch = async move {
        tokio::select! {
            biased;
            _ = ended => {}
            _ = feed(api, watch_config(), tell) => {}
        }
    };
    (Watched { kind, _end: end }, watch.boxed())
}

fn all_again(controller: &Controller) {
    for quota in controller.informers.resource_quotas.all() {
        controller.queue.add(Key::of(quota.as_ref()));
    }
}
