//! Long lists and many rows: written and counted in blocks, and the same as one by one.

use std::collections::BTreeMap;

use passmuster::query::{
    Filter, Filters, Nodes, Operand, Output, OutputField, OutputKind, Quantifier, ResponseKey, RootKind,
    Test,
    run::{PathSegment, RunError, RunLimits, run},
};
use serde_json::{Value, json};

use super::support::{World, a_box, equals, graph_of, item, plan};

/// More rows than one thread writes, and no whole number of blocks.
const LONG: usize = 33_001;

fn long() -> World {
    let boxes = (0..LONG).map(|number| {
        let mut fields = json!({"int": number});
        if number % 3 > 0 {
            fields["text"] = json!(format!("say \"{}\"", number % 7));
            fields["flag"] = json!(number % 2 == 0);
        }
        a_box(&format!("b{number:05}"), fields)
    });
    graph_of(boxes.collect())
}

fn printing(world: &World, names: &[&str]) -> Nodes {
    let scalar = |name: &&str| OutputField {
        key: ResponseKey::new(name),
        kind: OutputKind::Scalar(world.field("Box", name)),
    };
    let typename = OutputField { key: ResponseKey::new("__typename"), kind: OutputKind::Typename };
    let fields = names.iter().map(scalar).chain([typename]).collect();
    Nodes { output: Output(vec![(world.of("Box"), fields)]), ..world.nodes("Box", Filters::default()) }
}

#[test]
fn a_long_list_holds_each_row_once_and_in_order() {
    let world = long();
    let ran = world.run_nodes(printing(&world, &["id", "text", "flag", "int"]));
    assert_eq!((ran.rows, ran.errors.len()), (LONG as u64, 0));
    let data: Value = serde_json::from_slice(&ran.data).unwrap();
    let rows = data.as_object().unwrap().values().next().unwrap().as_array().unwrap();
    assert_eq!(rows.len(), LONG);
    for (number, row) in rows.iter().enumerate() {
        let (text, flag) = match number % 3 {
            0 => (json!(null), json!(null)),
            _ => (json!(format!("say \"{}\"", number % 7)), json!(number % 2 == 0)),
        };
        let expected = json!({"id": format!("b{number:05}"), "text": text, "flag": flag, "int": number,
            "__typename": "Box"});
        assert_eq!(*row, expected);
    }
    let text = String::from_utf8(ran.data).unwrap();
    assert!(text.contains(r#"{"id":"b00001","text":"say \"1\"","flag":false,"int":1,"__typename":"Box"},"#));
}

#[test]
fn a_long_list_stops_at_the_limit_of_bytes() {
    let world = long();
    let limits = RunLimits { max_bytes: 100_000, ..RunLimits::unlimited() };
    let nodes = RootKind::Nodes(printing(&world, &["id"]));
    match run(&plan(nodes), &world.graph, &BTreeMap::new(), &limits) {
        Err(RunError::TooManyBytes { limit: 100_000, actual }) => {
            assert!(actual < 1_000_000, "it stopped early, not after {actual} bytes");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_missing_value_that_may_not_be_null_is_found_in_a_list_of_any_length() {
    let boxes = (0..40).map(|number| {
        let fields = if number == 33 { json!({"__unknown": ["required"]}) } else { json!({}) };
        a_box(&format!("b{number:02}"), fields)
    });
    let world = graph_of(boxes.collect());
    let ran = world.run_nodes(printing(&world, &["id", "required"]));
    assert_eq!(ran.data, b"null");
    assert_eq!(ran.errors[0].path[1..], [PathSegment::Index(33), PathSegment::Key("required".to_owned())]);
}

#[test]
fn a_text_is_found_in_texts_with_escapes_but_not_in_their_escapes() {
    let texts = ["plain", "line\nbreak", "quote\"d", "back\\", "tab\there", "\"", "n", ""];
    let boxes = texts.iter().enumerate();
    let world =
        graph_of(boxes.map(|(place, text)| a_box(&format!("b{place}"), json!({"text": text}))).collect());
    for part in ["n", "\n", "\"", "\\", "t", "\t", "\\\"", "ea", "", "u", "nothing"] {
        let expected: Vec<String> = texts
            .iter()
            .enumerate()
            .filter(|(_, text)| text.contains(part))
            .map(|(place, _)| format!("b{place}"))
            .collect();
        let filter = world.test("text", Test::Contains(part.to_owned()));
        assert_eq!(world.both(filter).0, expected.join(" "), "{part:?}");
    }
}

/// 300 boxes with two items each, of weight 1 but for the items of every hundredth box and one of every fiftieth.
fn nearly_all_ones() -> World {
    let mut assets = Vec::new();
    for number in 0..300 {
        let id = format!("b{number:03}");
        assets.push(a_box(&id, json!({})));
        for place in 0..2 {
            let is_other = number % 100 == 0 || number % 50 == 0 && place == 0;
            let weight = if is_other { 2 } else { 1 };
            assets.push(item(&format!("{id}-{place}"), json!({"boxId": id, "weight": weight})));
        }
    }
    graph_of(assets)
}

#[test]
fn none_over_nearly_all_is_what_only_the_others_leave() {
    let world = nearly_all_ones();
    let is_one = [("Item", Filter::Field(world.field("Item", "weight"), equals(Operand::Int(1))))];
    let (none, _) = world.both(world.related("items", Quantifier::None, &is_one));
    assert_eq!(none, "b000 b100 b200");
    let (all, _) = world.both(world.related("items", Quantifier::All, &is_one));
    assert_eq!(all.split(' ').count(), 294);
}
