//! The order of what is built: by kind, or as it came.

use std::cmp::Reverse;

use crate::id::Id;
use crate::kustomization::SortOptions;
use crate::resources::Resources;
use crate::tables::{rank, rank_in};

/// Sorts the objects as a kustomization wants it; without its word, by kind.
pub(crate) fn sort(resources: &mut Resources, options: Option<&SortOptions>) -> Result<(), String> {
    let Some(options) = options else {
        resources.0.sort_by_cached_key(|resource| key(&resource.id(), rank(&resource.kind().kind)));
        return Ok(());
    };
    match (options.order.as_str(), &options.legacy_sort_options) {
        ("fifo", None) => {}
        ("fifo", Some(_)) => {
            return Err("`legacySortOptions` is set, but the order is `fifo`, not `legacy`".to_owned());
        }
        ("legacy", None) => {
            resources.0.sort_by_cached_key(|resource| key(&resource.id(), rank(&resource.kind().kind)));
        }
        ("legacy", Some(order)) => resources.0.sort_by_cached_key(|resource| {
            let rank = rank_in(&resource.kind().kind, &order.order_first, &order.order_last);
            key(&resource.id(), rank)
        }),
        _ => return Err("`sortOptions.order` must be `fifo` or `legacy`".to_owned()),
    }
    Ok(())
}

/// By what an object is sorted.
fn key(id: &Id, rank: usize) -> impl Ord + use<> {
    let or = |text: &str, other: &str| if text.is_empty() { other.to_owned() } else { text.to_owned() };
    let kind = &id.kind;
    let sorted = [or(&kind.group, "~G"), or(&kind.version, "~V"), or(&kind.kind, "~K")].join("_");
    // Namespaces of other groups come first.
    let is_namespace = kind.kind == "Namespace";
    let (down, up) = if is_namespace { (Some(Reverse(sorted)), None) } else { (None, Some(sorted)) };
    let whole = format!(
        "{}.{}.{}",
        or(&kind.kind, "[noKind]"),
        or(&kind.version, "[noVer]"),
        or(&kind.group, "[noGrp]")
    );
    (rank, down, up, [whole, or(&id.namespace, "~X"), or(&id.name, "~N")].join("|"))
}
