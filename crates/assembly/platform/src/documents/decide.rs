//! What to do with each object, from what is desired and what the region holds. Pure.

use std::collections::BTreeMap;

use super::key::Key;
use super::order::Wave;

/// What is known of an object in the region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// Its resourceVersion.
    pub revision: String,
    /// Its uid.
    pub uid: String,
    /// Whether an earlier `up` of this platform applied it.
    pub is_ours: bool,
    /// Whether it is being deleted.
    pub is_leaving: bool,
}

/// How an object was left: what was applied, and the revision it then had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub fingerprint: u64,
    pub revision: String,
}

/// What is to be done with one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub key: Key,
    pub wave: Wave,
    /// Which of the desired objects it is; none of what is pruned.
    pub desired: Option<usize>,
    pub intent: Intent,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    /// It is not there.
    Create,
    /// It is there, and the server knows whether it is as desired.
    Examine,
    /// It differs at these paths.
    Change(Vec<String>),
    /// It is as desired.
    Keep,
    /// The server refuses what is desired.
    Refuse(String),
    /// It was applied earlier and is no longer desired.
    Prune,
}

/// What is done with each object: first what is applied, wave by wave and within one in the order
/// given; then what is pruned, in the reverse order of waves.
///
/// `wanted` are the keys and fingerprints of the desired objects, by number. What was never applied
/// by this platform is not touched unless it is wanted.
pub(crate) fn decide(
    wanted: &BTreeMap<usize, (&Key, u64)>,
    held: &BTreeMap<Key, Held>,
    stamps: &BTreeMap<Key, Stamp>,
) -> Vec<Item> {
    let mut items: Vec<Item> = wanted
        .iter()
        .map(|(number, (key, fingerprint))| Item {
            key: (*key).clone(),
            wave: Wave::of(key),
            desired: Some(*number),
            intent: intent(held.get(key), stamps.get(key), *fingerprint),
        })
        .collect();
    items.sort_by_key(|item| item.wave);
    let keys: std::collections::BTreeSet<&Key> = wanted.values().map(|(key, _)| *key).collect();
    let superfluous =
        held.iter().filter(|(key, held)| held.is_ours && !held.is_leaving && !keys.contains(key));
    let mut pruned: Vec<Item> = superfluous
        .map(|(key, _)| Item { key: key.clone(), wave: Wave::of(key), desired: None, intent: Intent::Prune })
        .collect();
    pruned.sort_by_key(|item| std::cmp::Reverse(item.wave));
    items.extend(pruned);
    items
}

fn intent(held: Option<&Held>, stamp: Option<&Stamp>, fingerprint: u64) -> Intent {
    match (held, stamp) {
        (None, _) => Intent::Create,
        (Some(held), Some(stamp))
            if held.is_ours && stamp.fingerprint == fingerprint && stamp.revision == held.revision =>
        {
            Intent::Keep
        }
        _ => Intent::Examine,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: &str, name: &str) -> Key {
        let group = if kind == "Deployment" { "apps" } else { "" };
        Key { group: group.into(), kind: kind.into(), namespace: String::new(), name: name.into() }
    }

    fn held(revision: &str, is_ours: bool) -> Held {
        Held { revision: revision.into(), uid: "u".into(), is_ours, is_leaving: false }
    }

    fn decided(
        wanted: &[(&Key, u64)],
        held: &[(&Key, Held)],
        stamps: &[(&Key, u64, &str)],
    ) -> Vec<(String, Intent)> {
        let wanted = wanted.iter().copied().enumerate().collect();
        let held = held.iter().map(|(key, held)| ((*key).clone(), held.clone())).collect();
        let stamp = |(key, fingerprint, revision): &(&Key, u64, &str)| {
            let stamp = Stamp { fingerprint: *fingerprint, revision: (*revision).to_owned() };
            ((*key).clone(), stamp)
        };
        let stamps = stamps.iter().map(stamp).collect();
        let items = decide(&wanted, &held, &stamps);
        items.into_iter().map(|item| (item.key.to_string(), item.intent)).collect()
    }

    #[test]
    fn each_object_is_created_kept_examined_or_pruned() {
        let [a, b] = [key("ConfigMap", "a"), key("ConfigMap", "b")];
        let leaving = Held { is_leaving: true, ..held("1", true) };
        let cases = [
            ("absent", vec![(&a, 1)], vec![], vec![], vec![Intent::Create]),
            ("absent, though applied once", vec![(&a, 1)], vec![], vec![(&a, 1, "1")], vec![Intent::Create]),
            (
                "as it was left",
                vec![(&a, 1)],
                vec![(&a, held("1", true))],
                vec![(&a, 1, "1")],
                vec![Intent::Keep],
            ),
            (
                "edited in the Source",
                vec![(&a, 2)],
                vec![(&a, held("1", true))],
                vec![(&a, 1, "1")],
                vec![Intent::Examine],
            ),
            (
                "edited in the region",
                vec![(&a, 1)],
                vec![(&a, held("2", true))],
                vec![(&a, 1, "1")],
                vec![Intent::Examine],
            ),
            ("after a restart", vec![(&a, 1)], vec![(&a, held("1", true))], vec![], vec![Intent::Examine]),
            (
                "made by somebody else",
                vec![(&a, 1)],
                vec![(&a, held("1", false))],
                vec![(&a, 1, "1")],
                vec![Intent::Examine],
            ),
            ("no longer desired", vec![], vec![(&b, held("1", true))], vec![], vec![Intent::Prune]),
            ("somebody else's", vec![], vec![(&b, held("1", false))], vec![], vec![]),
            ("leaving already", vec![], vec![(&b, leaving)], vec![], vec![]),
        ];
        for (case, wanted, held, stamps, expected) in cases {
            let intents: Vec<Intent> =
                decided(&wanted, &held, &stamps).into_iter().map(|(_, intent)| intent).collect();
            assert_eq!(intents, expected, "{case}");
        }
    }

    #[test]
    fn waves_go_up_when_applying_and_down_when_pruning() {
        let wanted = [key("Deployment", "web"), key("Namespace", "team"), key("ConfigMap", "z")];
        let gone = [key("Namespace", "old"), key("Deployment", "old")];
        let wanted: Vec<(&Key, u64)> = wanted.iter().map(|key| (key, 1)).collect();
        let held: Vec<(&Key, Held)> = gone.iter().map(|key| (key, held("1", true))).collect();
        let order: Vec<String> = decided(&wanted, &held, &[]).into_iter().map(|(key, _)| key).collect();
        let expected = ["Namespace team", "ConfigMap z", "Deployment web", "Deployment old", "Namespace old"];
        assert_eq!(order, expected);
    }
}
