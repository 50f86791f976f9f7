//! Laws that hold for any input.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn elements() -> impl Strategy<Value = Element> {
    prop_oneof![
        prop::sample::select(vec!["a", "b", "c/d", "x<y"]).prop_map(|name| Element::Field(name.to_owned())),
        (0_i64..3, prop::sample::select(vec!["TCP", "U&P"])).prop_map(|(port, protocol)| {
            Element::Key(vec![("port".to_owned(), json!(port)), ("protocol".to_owned(), json!(protocol))])
        }),
        prop::sample::select(vec![json!("s"), json!(7), json!(true)]).prop_map(Element::Value),
        (0_i64..3).prop_map(Element::Index),
    ]
}

fn paths() -> impl Strategy<Value = Vec<Vec<Element>>> {
    prop::collection::vec(prop::collection::vec(elements(), 1..4), 0..8)
}

fn set_of(paths: &[Vec<Element>]) -> FieldSet {
    let mut set = FieldSet::default();
    for path in paths {
        set.insert(path);
    }
    set
}

fn sets() -> impl Strategy<Value = FieldSet> {
    paths().prop_map(|paths| set_of(&paths))
}

/// A configuration of a pod: labels, finalizers, containers with ports.
fn configs() -> impl Strategy<Value = Value> {
    let words = || prop::sample::select(vec!["a", "b", "c"]);
    let labels = prop::collection::btree_map(words(), words(), 0..3);
    let finalizers = prop::collection::btree_set(words(), 0..3);
    let ports = prop::collection::btree_map(1_u16..4, words(), 0..3);
    let containers = prop::collection::btree_map(words(), (words(), ports), 0..3);
    let fields = (labels, finalizers, containers, prop::option::of(0_u32..2));
    fields.prop_map(|(labels, finalizers, containers, grace)| {
        let containers: Vec<Value> = containers
            .into_iter()
            .map(|(name, (image, ports))| {
                let port = |(port, name)| json!({"containerPort": port, "name": name});
                let ports: Vec<Value> = ports.into_iter().map(port).collect();
                let mut container = json!({"name": name, "image": image});
                if !ports.is_empty() {
                    container["ports"] = json!(ports);
                }
                container
            })
            .collect();
        let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {}});
        if !labels.is_empty() {
            pod["metadata"]["labels"] = json!(labels);
        }
        if !finalizers.is_empty() {
            pod["metadata"]["finalizers"] = json!(finalizers);
        }
        if !containers.is_empty() {
            pod["spec"]["containers"] = json!(containers);
        }
        if let Some(grace) = grace {
            pod["spec"]["terminationGracePeriodSeconds"] = json!(grace);
        }
        pod
    })
}

fn any_json() -> impl Strategy<Value = Value> {
    let names = [
        "apiVersion",
        "kind",
        "metadata",
        "spec",
        "containers",
        "name",
        "ports",
        "managedFields",
        "manager",
        "operation",
        "fieldsV1",
        "f:spec",
        "k:{\"name\":1}",
        "finalizers",
        "labels",
        ".",
        "status",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2_i64..3).prop_map(Value::from),
        prop::sample::select(vec!["a", "Update", "v1", "FieldsV1"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(prop::sample::select(names.to_vec()), inner, 0..6)
                .prop_map(|map| map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

fn nothing() -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}})
}

/// A write of everything but the owners.
fn replaced(live: &Value, manager: &str, by: Value) -> Value {
    updated(live, manager, LATER, |new| {
        let owners = new["metadata"]["managedFields"].take();
        *new = by;
        new["metadata"]["managedFields"] = owners;
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn sets_obey_the_laws_of_sets(a in sets(), b in sets(), c in sets()) {
        prop_assert_eq!(a.union(&b), b.union(&a));
        prop_assert_eq!(a.union(&b).union(&c), a.union(&b.union(&c)));
        prop_assert_eq!(&a.union(&a), &a);
        prop_assert_eq!(a.intersection(&b), b.intersection(&a));
        prop_assert_eq!(&a.intersection(&a), &a);
        prop_assert_eq!(&a.difference(&b).union(&a.intersection(&b)), &a);
        prop_assert!(a.difference(&b).intersection(&b).is_empty());
        prop_assert_eq!(a.difference(&b.union(&c)), a.difference(&b).difference(&c));
        prop_assert!(a.intersection(&b).is_subset(&a) && a.is_subset(&a.union(&b)));
        prop_assert_eq!(a.is_subset(&b), a.difference(&b).is_empty());
        prop_assert!(a.leaves().is_subset(&a));
        prop_assert_eq!(a.leaves().leaves(), a.leaves());
    }

    #[test]
    fn a_set_reads_back_from_its_json(set in sets()) {
        let text: Value = serde_json::from_str(&set.to_json()).unwrap();
        prop_assert_eq!(FieldSet::from_fields_v1(&text), Some(set.clone()));
        prop_assert_eq!(FieldSet::from_fields_v1(&set.clone().into_fields_v1()), Some(set));
    }

    #[test]
    fn what_was_inserted_is_contained(paths in paths()) {
        let set = set_of(&paths);
        prop_assert!(paths.iter().all(|path| set.contains(path)));
        let distinct: BTreeSet<String> =
            paths.iter().map(|path| path.iter().map(ToString::to_string).collect()).collect();
        prop_assert_eq!(set.paths().into_iter().collect::<BTreeSet<_>>(), distinct);
    }

    #[test]
    fn applying_twice_is_applying_once(first in configs(), second in configs(), config in configs()) {
        let live = forced(&applied(None, &first, "one"), &second, "two");
        let once = forced(&live, &config, "one");
        prop_assert_eq!(&forced(&once, &config, "one"), &once);
        prop_assert_eq!(&applied(Some(&once), &config, "one"), &once);
    }

    #[test]
    fn what_is_applied_is_what_is_stored(first in configs(), config in configs()) {
        let live = applied(None, &first, "one");
        let new = applied(Some(&live), &config, "one");
        let schema = schema_of(&config);
        prop_assert!(field_set(&config, schema).is_subset(&field_set(&new, schema)));
        let extra = changes(Some(&config), &new, schema);
        prop_assert_eq!(extra.removed.paths(), Vec::<String>::new());
        prop_assert_eq!(extra.changed.paths(), Vec::<String>::new());
    }

    #[test]
    fn letting_go_of_everything_removes_what_was_owned(config in configs()) {
        let live = applied(None, &config, "one");
        let new = applied(Some(&live), &nothing(), "one");
        prop_assert_eq!(managers(&new), Vec::<&str>::new());
        let left = field_set(&new, schema_of(&new)).difference(&field_set(&nothing(), schema_of(&new)));
        prop_assert_eq!(left.paths(), Vec::<String>::new());
    }

    #[test]
    fn letting_go_leaves_the_others_what_is_theirs(one in configs(), two in configs()) {
        let live = forced(&applied(None, &one, "one"), &two, "two");
        let new = applied(Some(&live), &nothing(), "one");
        prop_assert_eq!(changes(Some(&two), &new, schema_of(&new)).removed.paths(), Vec::<String>::new());
        prop_assert!(field_set(&two, schema_of(&new)).is_subset(&field_set(&new, schema_of(&new))));
    }

    #[test]
    fn updates_leave_nothing_without_an_owner(mut writes in [configs(), configs(), configs()]) {
        // An object nobody owns anything of is not tracked.
        for write in &mut writes {
            write["spec"]["hostname"] = json!("h");
        }
        let [first, second, third] = writes;
        let live = replaced(&replaced(&created(first, "one"), "two", second), "three", third);
        let mut owned = FieldSet::default();
        for entry in live["metadata"]["managedFields"].as_array().into_iter().flatten() {
            owned = owned.union(&FieldSet::from_fields_v1(&entry["fieldsV1"]).unwrap());
        }
        let exists = changes(None, &live, schema_of(&live)).changed;
        prop_assert_eq!(exists.difference(&owned).leaves().paths(), Vec::<String>::new());
    }

    #[test]
    fn any_json_is_written_or_refused(live in any_json(), config in any_json(), force in any::<bool>()) {
        let pod = json!({"apiVersion": "v1", "kind": "Pod"});
        for schema in [schema_of(&pod), Schema::custom()] {
            let author = author("a", &pod);
            let _ = apply(Some(&live), &config, schema, &author, force);
            let _ = apply(None, &config, schema, &author, force);
            let mut new = config.clone();
            update(Some(&live), &mut new, schema, &author);
            let stored = new.clone();
            update(Some(&stored), &mut new, schema, &author);
            prop_assert_eq!(&stored, &new);
        }
    }
}
