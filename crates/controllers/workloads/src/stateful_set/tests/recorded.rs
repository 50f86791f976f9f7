//! Which revision a set is of, and which it updates to.

use serde_json::json;

use super::realm::{Realm, set};

#[test]
fn revisions_are_made_kept_and_brought_back() {
    let mut realm = Realm::new(3, json!({}));
    let numbers =
        |realm: &Realm| realm.revisions.iter().map(|revision| revision.revision).collect::<Vec<_>>();
    realm.sync().unwrap();
    assert_eq!(numbers(&realm), [1]);
    let first = realm.status().update_revision.clone();
    assert_eq!(realm.status().current_revision, first);
    realm.image("foo");
    realm.sync().unwrap();
    realm.sync().unwrap();
    assert_eq!(numbers(&realm), [1, 2], "not once more for the same");
    let second = realm.status().update_revision.clone();
    realm.set.spec.as_mut().unwrap().template.metadata.as_mut().unwrap().labels =
        Some([("foo".to_owned(), "bar".to_owned()), ("new".to_owned(), "label".to_owned())].into());
    realm.sync().unwrap();
    assert_eq!(numbers(&realm), [1, 2, 3]);
    realm.set.spec = set(3, json!({})).spec;
    realm.image("foo");
    realm.sync().unwrap();
    assert_eq!((numbers(&realm), &realm.status().update_revision), (vec![1, 4, 3], &second));
    assert_eq!(realm.status().current_revision, first);
}

#[test]
fn a_template_comes_back_from_its_revision_as_it_was() {
    let template = set(3, json!({})).spec.unwrap().template;
    let data = crate::history::data(&template);
    let revision =
        crate::history::revision(&set(3, json!({})), &template, (crate::history::HASH_LABEL, "h"), data, 1);
    assert_eq!(crate::history::template(&revision).spec, template.spec);
    assert_eq!(
        crate::history::template(&revision).metadata.unwrap().labels,
        template.metadata.unwrap().labels
    );
}
