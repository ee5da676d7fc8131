//! What is written: every scalar's form, order and paging, nested lists, and null where it may not be.

use std::collections::BTreeMap;

use passmuster::query::{
    AskedId, Comparison, Filter, Filters, Nodes, Operand, Output, OutputField, OutputKind, Plan, ResponseKey,
    RootField, RootKind,
    run::{PathSegment, Ran, RunLimits, run},
};
use serde_json::json;

use super::support::{World, a_box, asset, compares, equals, graph_of, item, plan, sort_by, text};

fn entry(key: &str, kind: OutputKind) -> OutputField {
    OutputField { key: ResponseKey::new(key), kind }
}

fn scalars(world: &World, typename: &str, names: &[&str]) -> Vec<OutputField> {
    names.iter().map(|name| entry(name, OutputKind::Scalar(world.field(typename, name)))).collect()
}

fn output(world: &World, typename: &str, fields: Vec<OutputField>) -> Output {
    Output(vec![(world.of(typename), fields)])
}

fn boxes(world: &World, fields: Vec<OutputField>) -> Nodes {
    Nodes { output: output(world, "Box", fields), ..world.nodes("Box", Filters::default()) }
}

fn data(ran: &Ran) -> &str {
    std::str::from_utf8(&ran.data).unwrap()
}

fn written(world: &World, fields: Vec<OutputField>) -> String {
    let ran = world.run_nodes(boxes(world, fields));
    assert_eq!(ran.errors, []);
    data(&ran).to_owned()
}

#[test]
fn each_scalar_is_written_in_its_own_form_and_null_where_it_has_no_value() {
    let world = graph_of(vec![
        a_box(
            "a",
            json!({
                "text": "say \"hi\"\n\u{1}é", "int": -3, "big": "12345678901234567", "float": 0.1, "flag": true,
                "at": "2026-11-20T13:04:11.5+01:00", "day": "2026-11-20", "net": "10.0.0.0/8", "ip": "fd00::1",
                "json": {"b": [1, null], "a": "x"}, "status": "ACTIVE", "words": ["a\"", "b"], "numbers": [1, null],
            }),
        ),
        a_box("b", json!({"float": 2.0, "at": "1969-12-31T23:59:59.999Z", "day": "0001-02-03", "words": []})),
    ]);
    let names = [
        "text", "int", "big", "float", "flag", "at", "day", "net", "ip", "json", "status", "words", "numbers",
    ];
    assert_eq!(
        written(&world, scalars(&world, "Box", &names)),
        concat!(
            r#"{"root":[{"text":"say \"hi\"\n\u0001é","int":-3,"big":"12345678901234567","float":0.1,"flag":true,"#,
            r#""at":"2026-11-20T12:04:11.500Z","day":"2026-11-20","net":"10.0.0.0/8","ip":"fd00::1","#,
            r#""json":{"a":"x","b":[1,null]},"status":"ACTIVE","words":["a\"","b"],"numbers":[1,null]},"#,
            r#"{"text":null,"int":null,"big":null,"float":2,"flag":null,"at":"1969-12-31T23:59:59.999Z","#,
            r#""day":"0001-02-03","net":null,"ip":null,"json":null,"status":null,"words":[],"numbers":null}]}"#,
        )
    );
}

#[test]
fn moments_far_away_and_leap_days_are_written_as_the_calendar_says() {
    for moment in [
        "2000-02-29T00:00:00.000Z",
        "1900-03-01T00:00:00.000Z",
        "9999-12-30T21:59:59.999Z",
        "0000-01-01T00:00:00.000Z",
    ] {
        let world = graph_of(vec![a_box("a", json!({"at": moment}))]);
        let expected = format!(r#"{{"root":[{{"at":"{moment}"}}]}}"#);
        assert_eq!(written(&world, scalars(&world, "Box", &["at"])), expected);
    }
}

#[test]
fn entries_keep_their_order_and_keys_and_roots_theirs() {
    let world = graph_of(vec![a_box("a", json!({}))]);
    let fields = vec![
        entry("z", OutputKind::Typename),
        entry("y", OutputKind::Scalar(world.field("Box", "id"))),
        entry("yes", OutputKind::Computed(None)),
        entry("no", OutputKind::Computed(Some(Box::new(world.test("text", equals(text("x"))))))),
    ];
    let root = |key: &str, kind| RootField { key: key.to_owned(), as_of: None, kind };
    let plan = Plan {
        roots: vec![
            root("b", RootKind::Nodes(boxes(&world, fields))),
            root("t", RootKind::Typename),
            root("s", RootKind::Introspection),
        ],
    };
    let introspection = BTreeMap::from([("s".to_owned(), br#"{"x":1}"#.to_vec())]);
    let ran = run(&plan, &world.graph, &introspection, &RunLimits::unlimited()).unwrap();
    assert_eq!(data(&ran), r#"{"b":[{"z":"Box","y":"a","yes":true,"no":false}],"t":"Query","s":{"x":1}}"#);
}

#[test]
fn embedded_objects_are_written_with_their_nulls() {
    let world = graph_of(vec![
        a_box("a", json!({"tags": [{"key": "k", "value": "v"}, {"key": "l"}], "first": {"key": "f"}})),
        a_box("b", json!({})),
    ]);
    let of = |field| OutputKind::Embedded {
        field: world.field("Box", field),
        output: output(&world, "Tag", scalars(&world, "Tag", &["value", "key"])),
    };
    assert_eq!(
        written(&world, vec![entry("tags", of("tags")), entry("first", of("first"))]),
        concat!(
            r#"{"root":[{"tags":[{"value":"v","key":"k"},{"value":null,"key":"l"}],"first":{"value":null,"key":"f"}},"#,
            r#"{"tags":[],"first":null}]}"#
        )
    );
}

fn with_items() -> World {
    graph_of(vec![
        a_box("a", json!({})),
        a_box("b", json!({})),
        item("i1", json!({"boxId": "a", "weight": 3, "name": "x"})),
        item("i2", json!({"boxId": "a", "weight": 1})),
        item("i3", json!({"boxId": "a", "name": "y"})),
        item("i4", json!({"boxId": "b", "weight": 1})),
    ])
}

#[test]
fn a_nested_list_is_filtered_sorted_and_paged_for_each_parent_and_never_removes_parents() {
    let world = with_items();
    let nested = |nodes: Nodes| {
        let many = OutputKind::Many { field: world.field("Box", "items"), nodes };
        written(&world, vec![entry("items", many)])
    };
    let items = |filters, sort, limit, offset| Nodes { sort, limit, offset, ..world.nodes("Item", filters) };
    let by_weight =
        |descending| vec![sort_by(vec![(world.of("Item"), world.field("Item", "weight"))], descending)];
    assert_eq!(
        nested(items(Filters::default(), by_weight(false), None, 0)),
        r#"{"root":[{"items":[{"id":"i2"},{"id":"i1"},{"id":"i3"}]},{"items":[{"id":"i4"}]}]}"#
    );
    assert_eq!(
        nested(items(Filters::default(), by_weight(true), Some(2), 1)),
        r#"{"root":[{"items":[{"id":"i1"},{"id":"i2"}]},{"items":[]}]}"#
    );
    let heavy = Filter::Field(world.field("Item", "weight"), compares(Comparison::Greater, Operand::Int(1)));
    assert_eq!(
        nested(items(world.filters("Item", heavy), Vec::new(), None, 0)),
        r#"{"root":[{"items":[{"id":"i1"}]},{"items":[]}]}"#
    );
    assert_eq!(
        nested(items(Filters::default(), Vec::new(), Some(0), 0)),
        r#"{"root":[{"items":[]},{"items":[]}]}"#
    );
}

#[test]
fn null_sorts_greatest_and_the_id_breaks_ties_ascending() {
    let world = graph_of(vec![
        a_box("a", json!({"text": "x"})),
        a_box("b", json!({})),
        a_box("c", json!({"text": "w", "int": 1})),
        a_box("d", json!({"text": "x"})),
    ]);
    let sorted = |field: &str, descending, limit, offset| {
        let sort = vec![sort_by(vec![(world.of("Box"), world.field("Box", field))], descending)];
        let nodes = world.nodes("Box", Filters::default());
        world.ids_of(Nodes { sort, limit, offset, ..nodes }).join(" ")
    };
    assert_eq!(sorted("text", false, None, 0), "c a d b");
    assert_eq!(sorted("text", true, None, 0), "b a d c");
    assert_eq!(sorted("text", true, Some(1), 0), "b");
    assert_eq!(sorted("text", false, Some(1), 2), "d");
    assert_eq!(sorted("int", false, None, 0), "c a b d");
    assert_eq!(sorted("text", false, Some(5), 9), "");
    assert_eq!(sorted("text", false, Some(0), 0), "");
}

#[test]
fn an_interface_root_merges_its_types_by_id_or_by_the_sort() {
    let gadget = |id: &str, weight: i64| asset(json!({"__typename": "Gadget", "id": id, "weight": weight}));
    let world = graph_of(vec![
        item("b", json!({"weight": 3})),
        item("d", json!({"weight": 1})),
        gadget("a", 2),
        gadget("c", 1),
        gadget("d", 1),
    ]);
    let things = |sort, limit, offset| {
        let nodes = Nodes { sort, limit, offset, ..world.nodes("Thing", Filters::default()) };
        world.ids_of(nodes).join(" ")
    };
    assert_eq!(things(Vec::new(), None, 0), "a b c d d");
    assert_eq!(things(Vec::new(), Some(2), 1), "b c");
    let fields = ["Item", "Gadget"].map(|name| (world.of(name), world.field(name, "weight"))).to_vec();
    assert_eq!(things(vec![sort_by(fields, false)], None, 0), "c d d a b");
}

#[test]
fn one_asset_by_id_or_null() {
    let world = with_items();
    let node = |of: &str, id: &str| {
        let kind = RootKind::Node {
            of: world.of(of),
            id: AskedId::Known(id.to_owned()),
            output: Output(vec![(world.of("Item"), scalars(&world, "Item", &["id", "weight"]))]),
        };
        let ran = run(&plan(kind), &world.graph, &BTreeMap::new(), &RunLimits::unlimited()).unwrap();
        data(&ran).to_owned()
    };
    assert_eq!(node("Item", "i1"), r#"{"root":{"id":"i1","weight":3}}"#);
    assert_eq!(node("Thing", "i2"), r#"{"root":{"id":"i2","weight":1}}"#);
    assert_eq!(node("Item", "i"), r#"{"root":null}"#);
    assert_eq!(node("Item", "zz"), r#"{"root":null}"#);
}

fn one_hub(world: &World, field: &str, filters: Filters) -> OutputField {
    let kind = OutputKind::One {
        field: world.field("Box", field),
        filters,
        output: output(world, "Hub", scalars(world, "Hub", &["id"])),
    };
    entry(field, kind)
}

#[test]
fn a_to_one_relation_is_an_object_or_null() {
    let world = graph_of(vec![
        a_box("a", json!({"hubId": "h"})),
        a_box("b", json!({})),
        asset(json!({"__typename": "Hub", "id": "h"})),
    ]);
    assert_eq!(
        written(&world, vec![one_hub(&world, "hub", Filters::default())]),
        r#"{"root":[{"hub":{"id":"h"}},{"hub":null}]}"#
    );
    let none = world.filters("Hub", Filter::Constant(false));
    assert_eq!(
        written(&world, vec![one_hub(&world, "hub", none)]),
        r#"{"root":[{"hub":null},{"hub":null}]}"#
    );
}

#[test]
fn a_missing_non_null_relation_is_an_error_and_the_list_cannot_stand() {
    let world = graph_of(vec![a_box("a", json!({}))]);
    let ran = world.run_nodes(boxes(&world, vec![one_hub(&world, "mustHub", Filters::default())]));
    assert_eq!(data(&ran), "null");
    assert_eq!(ran.errors.len(), 1);
    let path =
        [PathSegment::Key("root".to_owned()), PathSegment::Index(0), PathSegment::Key("mustHub".to_owned())];
    assert_eq!(ran.errors[0].path, path);
    assert_eq!(ran.errors[0].message, "`mustHub` of Box `a` has no related asset");
}

#[test]
fn null_propagates_to_the_nearest_nullable_object_and_the_rest_stands() {
    let world = graph_of(vec![
        a_box("a", json!({"__unknown": ["required"]})),
        a_box("b", json!({})),
        item("i", json!({"boxId": "a"})),
        item("j", json!({"boxId": "b"})),
    ]);
    let parent = OutputKind::One {
        field: world.field("Item", "box"),
        filters: Filters::default(),
        output: output(&world, "Box", scalars(&world, "Box", &["id", "required"])),
    };
    let nodes = Nodes {
        output: output(&world, "Item", vec![entry("box", parent), entry("t", OutputKind::Typename)]),
        ..world.nodes("Item", Filters::default())
    };
    let ran = world.run_nodes(nodes);
    assert_eq!(
        data(&ran),
        r#"{"root":[{"box":null,"t":"Item"},{"box":{"id":"b","required":"r"},"t":"Item"}]}"#
    );
    let path = [
        PathSegment::Key("root".to_owned()),
        PathSegment::Index(0),
        PathSegment::Key("box".to_owned()),
        PathSegment::Key("required".to_owned()),
    ];
    assert_eq!(ran.errors.len(), 1);
    assert_eq!(ran.errors[0].path, path);
    assert_eq!(ran.errors[0].message, "`required` of Box `a` could not be seen");
}
