//! How controllers list and watch.

use kube::runtime::watcher;

/// Paged lists, then a watch with bookmarks; every controller asks alike.
pub fn watch_config() -> watcher::Config {
    watcher::Config::default()
}
