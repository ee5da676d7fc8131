//! The image of a graph: what is read back is what was written, and anything else is refused.

use std::sync::Arc;

use passmuster::{
    catalog::{Catalog, Source, TypeKind},
    graph::{Graph, GraphBuilder, Image, ImageError},
    model::{Asset, Outcome, SliceKey, SliceState, Time},
};
use proptest::prelude::*;
use serde_json::{Value, json};

const SCHEMA: &str = r#"
interface Named { id: ID! name: String }
type Tag { key: String! value: String }
enum Kind { RED BLUE }
type House implements Named {
  id: ID! name: String kind: Kind rooms: Int large: BigInt height: Float sold: Boolean net: CIDR nets: [CIDR!]
  numbers: [Int!] at: DateTime day: Date json: JSON tags: [Tag!]
  doors: [Door!]! @relation(fields: ["name"], references: ["house"])
  any: Named @relation(fields: ["name"], references: ["name"])
}
type Door implements Named { id: ID! name: String house: String }
"#;

fn catalog() -> Arc<Catalog> {
    match Catalog::read(&[Source::new("houses.graphql", SCHEMA)]) {
        Ok(catalog) => Arc::new(catalog),
        Err(errors) => panic!("{errors:?}"),
    }
}

fn house(id: &str, fields: Value) -> Value {
    let mut house = json!({ "__typename": "House", "id": id });
    house.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    house
}

/// Every kind of column, with nulls, unknown cells, escapes and rows that come unsorted.
fn everything() -> Vec<Value> {
    vec![
        house(
            "h2",
            json!({
                "name": "b\"quoted\"\n", "kind": "RED", "rooms": -3, "large": "9007199254740993", "height": 1.5,
                "sold": true, "net": "10.0.0.0/16", "nets": ["fe80::/10", "10.0.0.0/8"], "numbers": [3, 1, 2],
                "at": "2026-11-20T12:04:11Z", "day": "2026-11-20", "json": {"a": [1, null]},
                "tags": [{"key": "Name", "value": "x"}, {"key": "stage"}],
            }),
        ),
        house("h1", json!({ "name": "é", "__unknown": ["rooms", "kind"], "numbers": [] })),
        house("h3", json!({})),
        json!({"__typename": "Door", "id": "d1", "name": "é", "house": "é"}),
        json!({"__typename": "Door", "id": "d2", "house": "b\"quoted\"\n"}),
        json!({"__typename": "Door", "id": "d3", "house": "é"}),
    ]
}

fn slices() -> Vec<SliceState> {
    let state = |account: &str, region: &str, outcome, reason: Option<&str>, at: Option<i64>| SliceState {
        key: SliceKey::new(account, region, "House"),
        api: if at.is_some() { "houses:List".to_owned() } else { String::new() },
        outcome,
        reason: reason.map(str::to_owned),
        attempted_at: at.and_then(Time::from_millis),
        completed_at: at.filter(|_| outcome == Outcome::Complete).and_then(Time::from_millis),
        assets: 7,
    };
    vec![
        state("2", "north", Outcome::Denied, Some("not allowed"), Some(-5)),
        state("1", "global", Outcome::Complete, None, Some(1_000)),
        state("1", "south", Outcome::Complete, None, None),
    ]
}

fn build(assets: &[Value], slices: Option<Vec<SliceState>>) -> Graph {
    let mut builder = GraphBuilder::new(catalog());
    for json in assets {
        builder.push(&Asset::from_json(json.clone()).unwrap()).unwrap();
    }
    builder.finish(slices, Time::from_millis(1_234).unwrap()).unwrap()
}

fn written(graph: &Graph, stamp: &[u8]) -> Vec<u8> {
    let image = graph.image(stamp);
    let mut bytes = Vec::new();
    image.write(&mut bytes).unwrap();
    assert_eq!(bytes.len() as u64, image.bytes());
    bytes
}

fn read(bytes: &[u8]) -> Result<Graph, ImageError> {
    Image::open(bytes)?.into_graph(catalog())
}

fn contents(graph: &Graph) -> String {
    let mut out = Vec::new();
    for (of, _) in graph.catalog().iter().filter(|(_, definition)| definition.kind == TypeKind::Asset) {
        for row in (0u32..).take(graph.count(of)) {
            graph.write_asset(of, row, &mut out);
            out.push(b'\n');
        }
    }
    let slices = graph.slices().map(|slices| slices.all().to_vec());
    let counted: Vec<(usize, usize)> = graph.slices().map_or_else(Vec::new, |all| {
        let count = |of: &str| (all.count_of(of), all.count_complete(of, Time::from_millis(0).unwrap()));
        all.all().iter().map(|slice| count(&slice.key.asset_type)).collect()
    });
    format!("{}{slices:?} {counted:?} {:?}", String::from_utf8(out).unwrap(), graph.built_at())
}

#[test]
fn a_graph_is_read_back_as_it_was_written() {
    for (assets, slices) in [(everything(), Some(slices())), (everything(), None), (vec![], Some(vec![]))] {
        let graph = build(&assets, slices);
        let bytes = written(&graph, b"of this state");
        let image = Image::open(bytes.as_slice()).unwrap();
        assert_eq!(image.stamp(), b"of this state");
        let again = image.into_graph(catalog()).unwrap();
        assert_eq!(contents(&again), contents(&graph));
        // Nothing of it was left out: edges, dictionaries, sets.
        assert_eq!(written(&again, b"of this state"), bytes);
        let door = again.catalog().find("Door").unwrap().0;
        assert_eq!(again.find(door, "d2"), (!assets.is_empty()).then_some(1));
    }
}

/// S7 for the image: one wrong bit anywhere, and there is no graph.
#[test]
fn an_image_with_a_wrong_bit_is_refused() {
    let bytes = written(&build(&everything(), Some(slices())), b"stamp");
    for place in 0..bytes.len() {
        for bit in [place % 8, (place + 3) % 8] {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << bit;
            assert!(read(&damaged).is_err(), "bit {bit} of byte {place}");
        }
    }
    read(&bytes).unwrap();
}

#[test]
fn an_image_that_is_cut_short_or_goes_on_is_refused() {
    let bytes = written(&build(&everything(), Some(slices())), b"stamp");
    for length in 0..bytes.len() {
        let refused = read(&bytes[..length]).unwrap_err();
        assert!(matches!(refused, ImageError::Damaged { .. }), "{length} bytes: {refused}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(matches!(read(&longer), Err(ImageError::Damaged { .. })));
    assert!(matches!(read(&vec![0; bytes.len()]), Err(ImageError::OtherFormat)));
}

/// What a crash leaves of pages that were never written.
#[test]
fn an_image_with_a_page_of_zeros_is_refused() {
    let assets: Vec<Value> = (0..2_000)
        .map(|number| house(&format!("h{number:05}"), json!({"name": format!("n{number}")})))
        .collect();
    let bytes = written(&build(&assets, None), b"stamp");
    assert!(bytes.len() > 20 * 4096);
    for page in 0..bytes.len() / 4096 {
        let mut torn = bytes.clone();
        let piece = &mut torn[page * 4096..(page + 1) * 4096];
        if piece.iter().all(|byte| *byte == 0) {
            continue;
        }
        piece.fill(0);
        assert!(read(&torn).is_err(), "page {page}");
    }
}

/// The caller's stamp keeps this from happening; without it, it is an error and no panic.
#[test]
fn an_image_of_another_catalog_is_no_graph() {
    let bytes = written(&build(&everything(), None), b"");
    for schema in ["type House { id: ID! }", "type Tree { id: ID! name: String }"] {
        let other = Catalog::read(&[Source::new("other.graphql", schema)]).unwrap();
        let refused = Image::open(bytes.as_slice()).unwrap().into_graph(Arc::new(other));
        assert!(matches!(refused, Err(ImageError::OtherFormat)), "{refused:?}");
    }
}

proptest! {
    #[test]
    fn any_graph_is_read_back(
        houses in prop::collection::vec((0..40u8, prop::option::of("[a-c\"\\\\é]{0,3}"), prop::option::of(-9..9i32)), 0..30),
        doors in prop::collection::vec("[a-c]{0,2}", 0..20),
    ) {
        let mut assets: std::collections::BTreeMap<String, Value> = houses
            .into_iter()
            .map(|(id, name, rooms)| (format!("h{id}"), house(&format!("h{id}"), json!({"name": name, "rooms": rooms}))))
            .collect();
        for (number, name) in doors.into_iter().enumerate() {
            let id = format!("d{number}");
            assets.insert(id.clone(), json!({"__typename": "Door", "id": id, "house": name}));
        }
        let graph = build(&assets.into_values().collect::<Vec<_>>(), None);
        let bytes = written(&graph, b"stamp");
        let again = read(&bytes).unwrap();
        prop_assert_eq!(contents(&again), contents(&graph));
        prop_assert_eq!(written(&again, b"stamp"), bytes);
    }
}
