//! The graph: what it refuses, how rows are ordered and found, which edges keys make, and sets of rows.

use std::sync::Arc;

use passmuster::{
    catalog::{Catalog, Source, TypeId},
    graph::{Bitmap, Graph, GraphBuilder, GraphError},
    model::{Asset, Time},
    query::{Engine, Fragments, GuardLimits, Request, run::RunLimits},
};
use proptest::prelude::*;
use serde_json::{Value, json};

const SCHEMA: &str = r#"
interface Named { id: ID! name: String }
type Tag { key: String! value: String }
enum Kind { RED BLUE }
type A implements Named {
  id: ID! name: String region: String number: Int numbers: [Int!] names: [String!] kind: Kind flag: Boolean
  tags: [Tag!] json: JSON at: DateTime
  byName: [B!]! @relation(fields: ["name"], references: ["name"])
  byNameAndRegion: [B!]! @relation(fields: ["name", "region"], references: ["name", "region"])
  byNumber: [B!]! @relation(fields: ["number"], references: ["number"])
  byNumbers: [B!]! @relation(fields: ["numbers"], references: ["number"])
  byNames: [B!]! @relation(fields: ["names"], references: ["names"])
  byKind: [B!]! @relation(fields: ["kind"], references: ["name"])
  first: B @relation(fields: ["name"], references: ["name"])
  any: Named @relation(fields: ["name"], references: ["name"])
  far: [C!]! @relation(paths: ["byName.cs", "byNumber.cs"])
}
type B implements Named {
  id: ID! name: String region: String number: Int names: [String!]
  cs: [C!]! @relation(fields: ["id"], references: ["b"])
}
type C implements Named { id: ID! name: String b: String }
"#;

fn catalog() -> Arc<Catalog> {
    match Catalog::read(&[Source::new("graph.graphql", SCHEMA)]) {
        Ok(catalog) => Arc::new(catalog),
        Err(errors) => panic!("{errors:?}"),
    }
}

fn asset(json: Value) -> Asset {
    Asset::from_json(json).unwrap()
}

fn build(assets: &[Value]) -> Result<Graph, GraphError> {
    let mut builder = GraphBuilder::new(catalog());
    for json in assets {
        builder.push(&asset(json.clone()))?;
    }
    builder.finish(None, Time::from_millis(0).unwrap())
}

fn of(graph: &Graph, name: &str) -> TypeId {
    graph.catalog().find(name).unwrap().0
}

/// The JSON of `data` for a query.
fn query(graph: &Graph, query: &str) -> Value {
    let engine =
        Engine::new(Arc::clone(graph.catalog()), Fragments::default(), GuardLimits::default()).unwrap();
    let response = engine.execute(graph, &Request::new(query), &RunLimits::unlimited());
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    assert!(body.get("errors").is_none(), "{body}");
    body["data"].clone()
}

/// The ids that a relation of A `a` leads to.
fn related(graph: &Graph, field: &str) -> Vec<String> {
    let data = query(graph, &format!("{{ a(id: \"a\") {{ r: {field} {{ id }} }} }}"));
    match &data["a"]["r"] {
        Value::Array(rows) => rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect(),
        Value::Null => Vec::new(),
        row => vec![row["id"].as_str().unwrap().to_owned()],
    }
}

#[test]
fn a_misfit_is_refused_by_name_and_field() {
    let refused = build(&[json!({"__typename": "A", "id": "x", "number": "seven"})]).unwrap_err();
    assert!(matches!(refused, GraphError::Misfit(_)));
    let message = refused.to_string();
    assert!(message.contains("`x`") && message.contains("`number`"), "{message}");
    for bad in [
        json!({"__typename": "Nothing", "id": "x"}),
        json!({"__typename": "Named", "id": "x"}),
        json!({"__typename": "Tag", "id": "x"}),
        json!({"__typename": "A", "id": "x", "colour": "red"}),
        json!({"__typename": "A", "id": "x", "kind": "GREEN"}),
        json!({"__typename": "A", "id": "x", "tags": [{"value": "v"}]}),
        json!({"__typename": "A", "id": "x", "tags": [null]}),
        json!({"__typename": "A", "id": "x", "numbers": [1, "2"]}),
        json!({"__typename": "A", "id": "x", "byName": []}),
    ] {
        assert!(build(std::slice::from_ref(&bad)).is_err(), "{bad}");
    }
}

#[test]
fn f3_a_second_asset_of_one_type_and_id_is_refused_and_of_another_type_is_not() {
    let a = json!({"__typename": "A", "id": "x"});
    let refused = build(&[a.clone(), a.clone()]).unwrap_err();
    assert_eq!(refused, GraphError::Duplicate { typename: "A".to_owned(), id: "x".to_owned() });
    assert!(build(&[a, json!({"__typename": "B", "id": "x"})]).is_ok());
}

#[test]
fn rows_are_in_the_order_of_ids_by_code_point_and_found_by_id() {
    let ids = ["b", "a\"q", "é", "B", "😀", "a\nn", "a"];
    let graph = build(&ids.map(|id| json!({"__typename": "A", "id": id, "name": id}))).unwrap();
    let a = of(&graph, "A");
    let mut sorted = ids;
    sorted.sort_unstable();
    for (row, id) in (0u32..).zip(sorted) {
        assert_eq!(graph.find(a, id), Some(row), "{id}");
        assert_eq!(graph.id(a, row), id);
        assert_eq!(graph.text(a, row, "name").as_deref(), Some(id));
    }
    assert_eq!(graph.find(a, "absent"), None);
    assert_eq!(graph.count(a), 7);
    assert_eq!(graph.count(of(&graph, "Named")), 7);
    assert_eq!(graph.text(a, 0, "nothing"), None);
}

#[test]
fn an_asset_comes_out_as_it_went_in_whatever_the_order() {
    let mut assets = vec![
        json!({
            "__typename": "A", "id": "2", "name": "say \"x\"", "numbers": [3, 1], "names": [], "kind": "RED", "flag": false,
            "tags": [{"key": "k", "value": "v"}, {"key": "l"}], "json": {"any": [1, null]}, "at": "2026-11-20T00:00:00.000Z",
        }),
        json!({"__typename": "A", "id": "1", "names": ["p", "q"], "tags": [], "numbers": [7]}),
        json!({"__typename": "A", "id": "3", "tags": [{"key": "m"}], "__unknown": ["name", "number"]}),
    ];
    for _ in 0..2 {
        let graph = build(&assets).unwrap();
        let a = of(&graph, "A");
        for asset in &assets {
            let mut out = Vec::new();
            graph.write_asset(a, graph.find(a, asset["id"].as_str().unwrap()).unwrap(), &mut out);
            assert_eq!(&serde_json::from_slice::<Value>(&out).unwrap(), asset);
        }
        assets.reverse();
    }
}

#[test]
fn keys_relate_where_they_are_equal_and_null_to_nothing() {
    let graph = build(&[
        json!({"__typename": "A", "id": "a", "name": "x", "region": "r1", "number": 7}),
        json!({"__typename": "B", "id": "b1", "name": "x", "region": "r1", "number": 70}),
        json!({"__typename": "B", "id": "b2", "name": "x", "region": "r2", "number": 7}),
        json!({"__typename": "B", "id": "b3", "name": "x"}),
        json!({"__typename": "B", "id": "b4", "name": "y", "region": "r1"}),
        json!({"__typename": "B", "id": "b5"}),
    ])
    .unwrap();
    assert_eq!(related(&graph, "byName"), ["b1", "b2", "b3"]);
    assert_eq!(related(&graph, "byNameAndRegion"), ["b1"]);
    assert_eq!(related(&graph, "byNumber"), ["b2"]);
    let graph =
        build(&[json!({"__typename": "A", "id": "a"}), json!({"__typename": "B", "id": "b"})]).unwrap();
    assert_eq!(related(&graph, "byName"), [""; 0]);
    assert_eq!(related(&graph, "byNumber"), [""; 0]);
}

#[test]
fn a_list_key_relates_by_any_element_and_each_target_once() {
    let graph = build(&[
        json!({"__typename": "A", "id": "a", "numbers": [1, 2, 2], "names": ["p", "q"]}),
        json!({"__typename": "B", "id": "b1", "number": 2, "names": ["q", "p"]}),
        json!({"__typename": "B", "id": "b2", "number": 1, "names": ["z"]}),
        json!({"__typename": "B", "id": "b3", "number": 3, "names": ["p", "p"]}),
        json!({"__typename": "B", "id": "b4", "names": []}),
    ])
    .unwrap();
    assert_eq!(related(&graph, "byNumbers"), ["b1", "b2"]);
    assert_eq!(related(&graph, "byNames"), ["b1", "b3"]);
}

#[test]
fn an_enum_relates_to_text() {
    let graph = build(&[
        json!({"__typename": "A", "id": "a", "kind": "BLUE"}),
        json!({"__typename": "B", "id": "b", "name": "BLUE"}),
    ])
    .unwrap();
    assert_eq!(related(&graph, "byKind"), ["b"]);
}

#[test]
fn of_several_targets_a_to_one_relation_takes_the_least_id_over_all_types() {
    let graph = build(&[
        json!({"__typename": "A", "id": "a", "name": "x"}),
        json!({"__typename": "B", "id": "b2", "name": "x"}),
        json!({"__typename": "B", "id": "b1", "name": "x"}),
        json!({"__typename": "C", "id": "0", "name": "x"}),
    ])
    .unwrap();
    assert_eq!(related(&graph, "first"), ["b1"]);
    assert_eq!(related(&graph, "any"), ["0"]);
}

#[test]
fn paths_lead_to_the_distinct_union_of_their_ends() {
    let graph = build(&[
        json!({"__typename": "A", "id": "a", "name": "x", "number": 1}),
        json!({"__typename": "B", "id": "both", "name": "x", "number": 1}),
        json!({"__typename": "B", "id": "number", "number": 1}),
        json!({"__typename": "B", "id": "other"}),
        json!({"__typename": "C", "id": "c3", "b": "both"}),
        json!({"__typename": "C", "id": "c1", "b": "number"}),
        json!({"__typename": "C", "id": "c2", "b": "other"}),
    ])
    .unwrap();
    assert_eq!(related(&graph, "far"), ["c1", "c3"]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn a_bitmap_is_a_set_of_rows(
        len in 0usize..200,
        left in prop::collection::btree_set(0u32..200, 0..60),
        right in prop::collection::btree_set(0u32..200, 0..60),
    ) {
        let inside = |rows: &std::collections::BTreeSet<u32>| -> std::collections::BTreeSet<u32> {
            rows.iter().copied().filter(|&row| (row as usize) < len).collect()
        };
        let (one, other) = (inside(&left), inside(&right));
        let set = |rows: &std::collections::BTreeSet<u32>| Bitmap::from_rows(len, rows.iter().copied());
        let rows = |set: &Bitmap| set.iter().collect::<Vec<u32>>();
        let left = set(&left);
        prop_assert_eq!(rows(&left), one.iter().copied().collect::<Vec<_>>());
        prop_assert_eq!(left.count(), one.len());
        prop_assert_eq!(left.is_empty(), one.is_empty());
        prop_assert_eq!(left.is_full(), one.len() == len);
        let mut both = left.clone();
        both.and(&set(&other));
        prop_assert_eq!(rows(&both), one.intersection(&other).copied().collect::<Vec<_>>());
        let mut either = left.clone();
        either.or(&set(&other));
        prop_assert_eq!(rows(&either), one.union(&other).copied().collect::<Vec<_>>());
        let mut rest = left.clone();
        rest.and_not(&set(&other));
        prop_assert_eq!(rows(&rest), one.difference(&other).copied().collect::<Vec<_>>());
        let complement = left.clone().complement();
        prop_assert_eq!(complement.count(), len - one.len());
        prop_assert_eq!(&complement, &Bitmap::from_fn(len, |row| !left.get(row)));
        prop_assert_eq!(complement.complement(), left);
        prop_assert!(!Bitmap::ones(len).get(len));
        let values: Vec<usize> = (0..len).collect();
        prop_assert_eq!(Bitmap::from_values(&values, |row| row % 3 == 0), Bitmap::from_fn(len, |row| row % 3 == 0));
    }
}
