//! Upstream's cases of structural schemas, as tables: schema, object, what becomes of it.

use serde_json::{Value, json};

use super::*;

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

fn schema(text: &str) -> Structural {
    Structural::compile(&yaml(text))
}

fn words(causes: &[Cause]) -> Vec<String> {
    let mut words: Vec<String> =
        causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
    words.sort();
    words
}

#[test]
fn what_is_unknown_is_pruned_and_named() {
    let kept = "x-kubernetes-preserve-unknown-fields: true";
    let array = "properties: { array: { items: { properties: { a: {}, c: {} } } }, specified: { properties: { a: {}, c: {} } } }";
    let nested = &format!(
        "{kept}
properties:
  alpha: {{ type: string }}
  pruning:
    properties: {{ preserving: {{ {kept} }}, pruning: {{ type: object }} }}
  preserving:
    {kept}
    properties: {{ preserving: {{ {kept} }}, preservingUnknownType: {{ {kept} }}, pruning: {{ type: object }} }}
  notInheriting: {{ {kept}, additionalProperties: {{ properties: {{ specified: {{ type: object }} }} }} }}
  values: {{ additionalProperties: {{ properties: {{ specified: {{ type: object }} }} }} }}"
    );
    let embedded = &format!(
        "properties:
  pruned: {{ x-kubernetes-embedded-resource: true, properties: {{ spec: {{ type: object }} }} }}
  preserving: {{ x-kubernetes-embedded-resource: true, {kept} }}
  nested:
    x-kubernetes-embedded-resource: true
    properties:
      spec:
        properties:
          embedded: {{ x-kubernetes-embedded-resource: true, properties: {{ spec: {{ type: object }} }} }}"
    );
    let resource = json!({
        "apiVersion": "foo/v1", "kind": "Foo", "unspecified": "bar",
        "metadata": { "name": "instance", "unspecified": "bar" }, "spec": { "unspecified": "bar" },
    });
    let mut pruned = resource.clone();
    pruned["spec"] = json!({});
    pruned.as_object_mut().unwrap().remove("unspecified");
    let mut outer = resource.clone();
    outer["spec"]["embedded"] = resource.clone();
    let mut outer_pruned = pruned.clone();
    outer_pruned["spec"]["embedded"] = pruned.clone();
    let cases = [
        ("{}", json!(null), json!(null), ""),
        ("{}", json!(4), json!(4), ""),
        ("items: {}", json!([1, 2]), json!([1, 2]), ""),
        (
            "items: { properties: { a: {}, c: {} } }",
            json!([{ "a": 1 }, { "b": 1 }, { "a": 1, "b": 2, "c": 3 }]),
            json!([{ "a": 1 }, {}, { "a": 1, "c": 3 }]),
            "[1].b [2].b",
        ),
        (
            "{}",
            json!([{ "a": 1 }, { "b": 1 }, { "a": 1, "b": 2, "c": 3 }]),
            json!([{}, {}, {}]),
            "[0].a [1].b [2].a [2].b [2].c",
        ),
        (
            array,
            json!({ "array": [{ "a": 1 }, { "b": 1 }, { "a": 1, "b": 2, "c": 3 }],
                "unspecified": { "a": 1 }, "specified": { "a": 1, "b": 2, "c": 3 } }),
            json!({ "array": [{ "a": 1 }, {}, { "a": 1, "c": 3 }], "specified": { "a": 1, "c": 3 } }),
            "array[1].b array[2].b specified.b unspecified",
        ),
        (
            nested,
            json!({
                "unspecified": "bar", "alpha": "abc", "unspecifiedObject": { "unspecified": "bar" },
                "pruning": { "unspecified": "bar", "unspecifiedObject": { "unspecified": "bar" },
                    "pruning": { "unspecified": "bar" }, "apiVersion": "unknown", "preserving": { "unspecified": "bar" } },
                "preserving": { "unspecified": "bar", "unspecifiedObject": { "unspecified": "bar" },
                    "pruning": { "unspecified": "bar" }, "preserving": { "unspecified": "bar" },
                    "preservingUnknownType": [{ "foo": true }, { "bar": true }] },
                "notInheriting": { "foo": { "specified": { "unspecified": "bar" }, "unspecified": "bar" } },
                "values": { "foo": { "specified": { "unspecified": "bar" }, "unspecified": "bar" } },
            }),
            json!({
                "unspecified": "bar", "alpha": "abc", "unspecifiedObject": { "unspecified": "bar" },
                "pruning": { "pruning": {}, "preserving": { "unspecified": "bar" } },
                "preserving": { "unspecified": "bar", "unspecifiedObject": { "unspecified": "bar" },
                    "pruning": {}, "preserving": { "unspecified": "bar" },
                    "preservingUnknownType": [{ "foo": true }, { "bar": true }] },
                "notInheriting": { "foo": { "specified": {} } },
                "values": { "foo": { "specified": {} } },
            }),
            "notInheriting.foo.specified.unspecified notInheriting.foo.unspecified preserving.pruning.unspecified \
             pruning.apiVersion pruning.pruning.unspecified pruning.unspecified pruning.unspecifiedObject \
             values.foo.specified.unspecified values.foo.unspecified",
        ),
        (
            "properties: { a: {}, c: { additionalProperties: { type: integer } } }",
            json!({ "a": 1, "b": 1, "c": { "a": 1, "b": 2, "c": { "a": 1 } } }),
            json!({ "a": 1, "c": { "a": 1, "b": 2, "c": {} } }),
            "b c.c.a",
        ),
        (
            "properties: { a: {}, c: { additionalProperties: false } }",
            json!({ "a": 1, "b": 1, "c": { "a": 1, "b": 2, "c": { "a": 1, "apiVersion": "unknown" } } }),
            json!({ "a": 1, "c": { "a": 1, "b": 2, "c": {} } }),
            "b c.c.a c.c.apiVersion",
        ),
        (
            embedded,
            json!({ "apiVersion": "foo/v1", "kind": "Foo", "metadata": { "name": "instance", "unspecified": "bar" },
                "unspecified": "bar", "pruned": resource, "preserving": resource, "nested": outer }),
            json!({ "apiVersion": "foo/v1", "kind": "Foo", "metadata": { "name": "instance", "unspecified": "bar" },
                "pruned": pruned, "preserving": resource, "nested": outer_pruned }),
            "nested.spec.embedded.spec.unspecified nested.spec.embedded.unspecified nested.spec.unspecified \
             nested.unspecified pruned.spec.unspecified pruned.unspecified unspecified",
        ),
    ];
    for (text, object, expected, unknown) in cases {
        let mut pruned = object.clone();
        assert_eq!(prune::prune(&mut pruned, &Node::compile(&yaml(text))).join(" "), unknown, "{text}");
        assert_eq!(pruned, expected, "{text}");
    }
}

#[test]
fn nulls_that_stand_for_nothing_are_dropped() {
    let text = "items: { properties: { a: { default: A }, b: { nullable: true }, c: { default: C, nullable: true }, d: {} } }";
    let mut list = json!([{ "a": null }, { "b": null }, { "c": null }, { "d": null }, { "e": null }]);
    prune::nulls(&mut list, &Node::compile(&yaml(text)));
    assert_eq!(list, json!([{ "a": null }, { "b": null }, { "c": null }, {}, { "e": null }]));
}

#[test]
fn defaults_are_put_where_nothing_is() {
    let abc = "{ a: { default: A }, b: { default: B }, c: { default: C } }";
    let deep = "properties:
  array: { items: { properties: { a: { default: A }, b: { default: B } } } }
  object: { properties: { a: { default: N }, b: { default: O } } }
  rest: { additionalProperties: { properties: { a: { default: alpha }, b: { default: beta } } } }
  foo: { default: bar }";
    let cases = [
        ("{}".to_owned(), json!(null), json!(null)),
        ("default: foo".to_owned(), json!(4), json!(4)),
        ("items: { default: foo }".to_owned(), json!([1, 2]), json!([1, 2])),
        (
            format!("items: {{ properties: {abc} }}"),
            json!([{ "a": 1 }, { "b": 1 }, { "c": 1 }]),
            json!([{ "a": 1, "b": "B", "c": "C" }, { "a": "A", "b": 1, "c": "C" }, { "a": "A", "b": "B", "c": 1 }]),
        ),
        (
            deep.to_owned(),
            json!({ "array": [{ "a": 1 }, { "b": 2 }], "object": { "a": 1 }, "rest": { "x": { "a": 1 }, "y": { "b": 2 } } }),
            json!({ "array": [{ "a": 1, "b": "B" }, { "a": "A", "b": 2 }], "object": { "a": 1, "b": "O" },
                "rest": { "x": { "a": 1, "b": "beta" }, "y": { "a": "alpha", "b": 2 } }, "foo": "bar" }),
        ),
        (
            "items: { properties: { a: { default: A } } }".to_owned(),
            json!([{}, { "a": 1 }, { "a": 0 }, { "a": 0.0 }, { "a": "" }, { "a": null }, { "a": [] }, { "a": {} }]),
            json!([{ "a": "A" }, { "a": 1 }, { "a": 0 }, { "a": 0.0 }, { "a": "" }, { "a": "A" }, { "a": [] }, { "a": {} }]),
        ),
        (
            "{ nullable: true, items: { properties: { a: { default: A } } } }".to_owned(),
            json!([null]),
            json!([null]),
        ),
        ("items: { default: A }".to_owned(), json!([null]), json!(["A"])),
        (
            "properties: { a: { nullable: true, default: A } }".to_owned(),
            json!({ "a": null }),
            json!({ "a": null }),
        ),
        ("properties: { a: { default: A } }".to_owned(), json!({ "a": null }), json!({ "a": "A" })),
        (
            "additionalProperties: { nullable: true, default: A }".to_owned(),
            json!({ "a": null }),
            json!({ "a": null }),
        ),
        ("additionalProperties: { default: A }".to_owned(), json!({ "a": null }), json!({ "a": "A" })),
        (
            "properties: { a: { default: {}, properties: { b: { default: 1 } } } }".to_owned(),
            json!({}),
            json!({ "a": { "b": 1 } }),
        ),
    ];
    for (text, object, expected) in cases {
        let mut filled = object.clone();
        schema(&text).fill(&mut filled);
        assert_eq!(filled, expected, "{text}");
    }
}

/// The findings about `field: <value>` for a schema of the field.
fn about(text: &str, value: &Value) -> Vec<String> {
    let schema = schema(&format!("type: object\nproperties:\n  field: {text}"));
    words(&schema.check(None, &json!({ "field": value })))
}

#[test]
fn a_value_is_of_its_type() {
    let all = [
        ("string", json!("foo")),
        ("integer", json!(42)),
        ("boolean", json!(true)),
        ("number", json!(1.2)),
        ("array", json!([])),
        ("object", json!({})),
        ("null", json!(null)),
    ];
    let any_of =
        "{ nullable: true, x-kubernetes-int-or-string: true, anyOf: [{ type: integer }, { type: string }] }";
    let all_of = "{ nullable: true, x-kubernetes-int-or-string: true, allOf: [{ anyOf: [{ type: integer }, { type: string }] }] }";
    for (text, expected, fitting) in [
        ("{ type: object }", "object", "object"),
        ("{ type: object, nullable: true }", "object", "object null"),
        ("{ nullable: true }", "", "string integer boolean number array object null"),
        ("{ x-kubernetes-int-or-string: true }", "integer,string", "integer string"),
        ("{ x-kubernetes-int-or-string: true, nullable: true }", "integer,string", "integer string null"),
        (any_of, "integer,string", "integer string null"),
        (all_of, "integer,string", "integer string null"),
        ("{ type: number }", "number", "integer number"),
    ] {
        for (name, value) in &all {
            let mut words_expected = Vec::new();
            if !fitting.split(' ').any(|one| one == *name) {
                let typed = |sort: &str| {
                    format!("field: Invalid value: {name:?}: field in body must be of type {sort}: {name:?}")
                };
                words_expected.push(typed(expected));
                if text.contains("anyOf") {
                    words_expected.push(typed("integer"));
                    words_expected.push(
                        r#"<nil>: Invalid value: "": "field" must validate at least one schema (anyOf)"#
                            .to_owned(),
                    );
                }
                if text.contains("allOf") {
                    words_expected.push(
                        r#"<nil>: Invalid value: "": "field" must validate all the schemas (allOf). None validated"#.to_owned(),
                    );
                }
                words_expected.sort();
            }
            assert_eq!(about(text, value), words_expected, "{text} of {name}");
        }
    }
    assert_eq!(about("{ type: integer }", &json!(2.0)), Vec::<String>::new());
}

#[test]
fn a_value_is_what_its_schema_wants() {
    for (text, value, expected) in [
        (
            "{ type: object, required: [nested], properties: { nested: {} } }",
            json!({}),
            vec!["field.nested: Required value"],
        ),
        (
            "{ type: object, properties: { i: { type: integer, enum: [1, 2] }, s: { type: string, enum: [a, b] } } }",
            json!({ "i": "x", "s": true }),
            vec![
                r#"field.i: Invalid value: "string": field.i in body must be of type integer: "string""#,
                r#"field.i: Unsupported value: "x": supported values: "1", "2""#,
                r#"field.s: Invalid value: "boolean": field.s in body must be of type string: "boolean""#,
                r#"field.s: Unsupported value: true: supported values: "a", "b""#,
            ],
        ),
        (
            "{ type: object, maxProperties: 2 }",
            json!({ "a": 1, "b": 1, "c": 1 }),
            vec!["field: Too many: 3: must have at most 2 items"],
        ),
        (
            "{ type: object, minProperties: 1 }",
            json!({}),
            vec!["field: Invalid value: 0: field in body should have at least 1 properties"],
        ),
        (
            "{ type: array, maxItems: 2 }",
            json!(["a", "b", "c"]),
            vec!["field: Too many: 3: must have at most 2 items"],
        ),
        (
            "{ type: array, minItems: 1 }",
            json!([]),
            vec!["field: Invalid value: 0: field in body should have at least 1 items"],
        ),
        (
            "{ type: string, maxLength: 2 }",
            json!("abc"),
            vec!["field: Too long: may not be more than 2 bytes"],
        ),
        (
            "{ type: string, minLength: 2 }",
            json!("a"),
            vec![r#"field: Invalid value: "a": field in body should be at least 2 chars long"#],
        ),
        (
            "{ type: string, pattern: '^a+$' }",
            json!("b"),
            vec![r#"field: Invalid value: "b": field in body should match '^a+$'"#],
        ),
        (
            "{ type: integer, minimum: 1 }",
            json!(0),
            vec!["field: Invalid value: 0: field in body should be greater than or equal to 1"],
        ),
        (
            "{ type: integer, minimum: 1, exclusiveMinimum: true }",
            json!(1),
            vec!["field: Invalid value: 1: field in body should be greater than 1"],
        ),
        (
            "{ type: number, maximum: 1.5 }",
            json!(1.6),
            vec!["field: Invalid value: 1.6: field in body should be less than or equal to 1.5"],
        ),
        (
            "{ type: integer, multipleOf: 2 }",
            json!(3),
            vec!["field: Invalid value: 3: field in body should be a multiple of 2"],
        ),
        (
            "{ type: string, format: date-time }",
            json!("soon"),
            vec![r#"field: Invalid value: "soon": field in body must be of type date-time: "soon""#],
        ),
        ("{ type: string, format: ipv4 }", json!("10.0.0.1"), vec![]),
        ("{ type: string, format: nobody-knows }", json!("x"), vec![]),
        (
            "{ type: object, oneOf: [{ required: [a] }, { required: [b] }] }",
            json!({}),
            vec![
                r#"<nil>: Invalid value: "": "field" must validate one and only one schema (oneOf). Found none valid"#,
                "field.a: Required value",
            ],
        ),
        (
            "{ type: object, oneOf: [{ required: [a] }, { required: [b] }] }",
            json!({ "a": 1, "b": 2 }),
            vec![
                r#"<nil>: Invalid value: "": "field" must validate one and only one schema (oneOf). Found 2 valid alternatives"#,
            ],
        ),
        (
            "{ not: { required: [a] } }",
            json!({ "a": 1 }),
            vec![r#"<nil>: Invalid value: "": "field" must not validate the schema (not)"#],
        ),
        (
            "{ type: object, additionalProperties: { type: integer } }",
            json!({ "k": "v" }),
            vec![r#"field.k: Invalid value: "string": field.k in body must be of type integer: "string""#],
        ),
        (
            "{ type: array, items: { type: object, required: [name] } }",
            json!([{ "name": 1 }, {}]),
            vec!["field[1].name: Required value"],
        ),
    ] {
        assert_eq!(about(text, &value), expected, "{text}");
    }
}

#[test]
fn items_that_must_be_there_once_are() {
    let map = "{ type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [a], items: { type: object } }";
    let two = "{ type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [a, b], items: { type: object } }";
    let set = "{ type: array, x-kubernetes-list-type: set, items: {} }";
    for (text, value, expected) in [
        ("{ type: array, items: {} }", json!([1, 1]), vec![]),
        (set, json!([1, 2, 3]), vec![]),
        (set, json!([1, 2, 1, 1]), vec!["field[2]: Duplicate value: 1"]),
        (set, json!(["a", "a"]), vec![r#"field[1]: Duplicate value: "a""#]),
        (set, json!([1, "1", null, null]), vec!["field[3]: Duplicate value: null"]),
        (
            set,
            json!([{ "x": 1 }, { "x": 1 }]),
            vec![r#"field[1]: Duplicate value: map[string]interface {}{"x":1}"#],
        ),
        (map, json!([{ "a": "1" }, { "a": "2" }]), vec![]),
        (
            map,
            json!([{ "a": "1" }, { "a": "1", "v": 2 }]),
            vec![r#"field[1]: Duplicate value: map[string]interface {}{"a":"1"}"#],
        ),
        (map, json!([{}, {}]), vec!["field[1]: Duplicate value: map[string]interface {}{}"]),
        (
            two,
            json!([{ "a": 1, "b": 2 }, { "a": 1, "b": 3 }, { "b": 2, "a": 1 }]),
            vec![r#"field[2]: Duplicate value: map[string]interface {}{"a":1, "b":2}"#],
        ),
    ] {
        assert_eq!(about(text, &value), expected, "{text} {value}");
    }
}

#[test]
fn an_object_in_an_object_says_what_it_is() {
    let text =
        "{ type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true }";
    assert_eq!(
        about(text, &json!({ "metadata": {} })),
        [
            "field.apiVersion: Required value: must not be empty",
            "field.kind: Required value: must not be empty"
        ]
    );
    assert_eq!(
        about(text, &json!({ "apiVersion": "a/b/c", "kind": "" })),
        [
            r#"field.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c"#,
            r#"field.kind: Invalid value: "": must not be empty"#,
        ]
    );
    assert_eq!(about(text, &json!({ "apiVersion": "v1", "kind": "Pod" })), Vec::<String>::new());
}

#[test]
fn a_change_is_not_blamed_for_what_was_wrong_before() {
    let schema = schema(
        "properties:
  a: { type: string, maxLength: 1 }
  b: { type: string, maxLength: 1 }
  map: { type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [id], items: { properties: { v: { maximum: 1 } } } }
  list: { type: array, items: { maximum: 1 } }",
    );
    let before =
        json!({ "a": "long", "b": "b", "map": [{ "id": 1, "v": 5 }, { "id": 2, "v": 1 }], "list": [5] });
    assert_eq!(schema.check(Some(&before), &before).len(), 0);
    let mut after = before.clone();
    after["b"] = "longer".into();
    after["map"][1]["v"] = 9.into();
    after["list"] = json!([5, 0]);
    assert_eq!(
        words(&schema.check(Some(&before), &after)),
        [
            "b: Too long: may not be more than 1 bytes",
            "list[0]: Invalid value: 5: list[0] in body should be less than or equal to 1",
            "map[1].v: Invalid value: 9: map[1].v in body should be less than or equal to 1",
        ]
    );
}
