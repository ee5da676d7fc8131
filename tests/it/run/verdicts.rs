//! Verdicts in an open world: each rule of the design's "Verdicts" in both directions.

use passmuster::{
    graph::Changes,
    model::{Asset, Outcome, SliceState},
    query::{
        AggregateFilter, AggregateFunction, Comparison, Filter, Operand, Quantifier, RootKind,
        run::{Judging, incomplete_slices},
    },
};
use serde_json::{Value, json};

use super::support::{
    SCHEMA, World, a_box, asset, compares, complete, equals, graph_of, item, not, plan, slice, text, time,
    typed,
};

/// Box `b` with items of these weights, and the slices of boxes and items.
fn with_items(weights: &[Value], slices: Vec<SliceState>) -> World {
    let mut assets = vec![a_box("b", json!({}))];
    for (place, weight) in weights.iter().enumerate() {
        assets.push(item(&format!("i{place}"), json!({"boxId": "b", "weight": weight})));
    }
    World::new(SCHEMA, assets, Some(slices))
}

fn denied_items() -> Vec<SliceState> {
    vec![complete("Box"), slice("Item", Outcome::Denied, None)]
}

fn complete_items() -> Vec<SliceState> {
    vec![complete("Box"), complete("Item")]
}

/// `items_X: {weight: 1}`.
fn weighs_one(world: &World, quantifier: Quantifier) -> Filter {
    let weight = Filter::Field(world.field("Item", "weight"), equals(Operand::Int(1)));
    world.related("items", quantifier, &[("Item", weight)])
}

/// The verdict of a quantifier and of its negation, for items of these weights.
fn verdict(quantifier: Quantifier, weights: &[i64], slices: Vec<SliceState>) -> (&'static str, &'static str) {
    let weights: Vec<Value> = weights.iter().map(|weight| json!(weight)).collect();
    let world = with_items(&weights, slices);
    let filter = weighs_one(&world, quantifier);
    (world.verdicts(filter.clone(), None).only(), world.verdicts(not(filter), None).only())
}

const FAIL: (&str, &str) = ("FAIL", "PASS");
const PASS: (&str, &str) = ("PASS", "FAIL");
const UNKNOWN: (&str, &str) = ("UNKNOWN", "UNKNOWN");

#[test]
fn over_a_complete_relation_a_verdict_is_the_closed_world_s() {
    for (quantifier, weights, expected) in [
        (Quantifier::Some, &[1][..], FAIL),
        (Quantifier::Some, &[2], PASS),
        (Quantifier::Some, &[], PASS),
        (Quantifier::None, &[2], FAIL),
        (Quantifier::None, &[], FAIL),
        (Quantifier::None, &[1], PASS),
        (Quantifier::All, &[1], FAIL),
        (Quantifier::All, &[1, 2], PASS),
        (Quantifier::All, &[], PASS),
        (Quantifier::Single, &[1, 2], FAIL),
        (Quantifier::Single, &[1, 1], PASS),
        (Quantifier::Single, &[], PASS),
    ] {
        assert_eq!(verdict(quantifier, weights, complete_items()), expected, "{quantifier:?} {weights:?}");
    }
}

#[test]
fn over_a_denied_slice_only_what_is_seen_decides() {
    for (quantifier, weights, expected) in [
        (Quantifier::Some, &[1][..], FAIL),
        (Quantifier::Some, &[2], UNKNOWN),
        (Quantifier::Some, &[], UNKNOWN),
        (Quantifier::None, &[1], PASS),
        (Quantifier::None, &[2], UNKNOWN),
        (Quantifier::None, &[], UNKNOWN),
        (Quantifier::All, &[2], PASS),
        (Quantifier::All, &[1], UNKNOWN),
        (Quantifier::All, &[], UNKNOWN),
        (Quantifier::Single, &[1, 1], PASS),
        (Quantifier::Single, &[1], UNKNOWN),
        (Quantifier::Single, &[], UNKNOWN),
    ] {
        assert_eq!(verdict(quantifier, weights, denied_items()), expected, "{quantifier:?} {weights:?}");
    }
}

#[test]
fn over_a_denied_slice_null_is_false_once_anything_is_seen() {
    let none = |world: &World| Filter::NoneRelated(world.field("Box", "items"));
    let verdict = |weights: &[Value], slices| {
        let world = with_items(weights, slices);
        (world.verdicts(none(&world), None).only(), world.verdicts(not(none(&world)), None).only())
    };
    assert_eq!(verdict(&[json!(1)], denied_items()), PASS);
    assert_eq!(verdict(&[], denied_items()), UNKNOWN);
    assert_eq!(verdict(&[], complete_items()), FAIL);
}

#[test]
fn c3_an_unknown_verdict_names_the_slice_that_was_denied() {
    let world = with_items(&[], denied_items());
    let verdicts = world.verdicts(weighs_one(&world, Quantifier::None), None);
    assert_eq!(verdicts.only(), "UNKNOWN");
    assert_eq!(verdicts.reasons(), ["1 r1 Item denied"]);
    assert_eq!(verdicts.gaps(), [""; 0]);
}

#[test]
fn a_slice_that_was_never_collected_is_as_bad_as_a_denied_one() {
    let world = with_items(&[], vec![complete("Box")]);
    let verdicts = world.verdicts(weighs_one(&world, Quantifier::None), None);
    assert_eq!(verdicts.only(), "UNKNOWN");
    assert_eq!(verdicts.reasons(), ["1 r1 Item missing"]);
}

#[test]
fn c9_the_owner_s_slice_counts_not_the_caller_s() {
    // The box was seen from account 1 but belongs to account 2, which was not scanned.
    let mut slices = complete_items();
    slices.push(complete("Item"));
    let world = World::new(SCHEMA, vec![a_box("b", json!({"accountId": "2"}))], Some(slices));
    let verdicts = world.verdicts(weighs_one(&world, Quantifier::None), None);
    assert_eq!(verdicts.only(), "UNKNOWN");
    assert_eq!(verdicts.reasons(), ["2 global Item missing".replace("global", "r1")]);
}

#[test]
fn an_account_wide_slice_serves_every_region() {
    let mut wide = complete("Item");
    wide.key.region = "global".to_owned();
    let world = with_items(&[], vec![complete("Box"), wide]);
    assert_eq!(world.verdicts(weighs_one(&world, Quantifier::None), None).only(), "FAIL");
}

#[test]
fn an_asset_without_a_region_needs_every_region_of_its_account() {
    let hub = typed("Hub", "h", json!({}), json!({"region": null}));
    let box_slice = |region: &str, outcome| {
        let mut state = slice("Box", outcome, None);
        state.key.region = region.to_owned();
        state
    };
    let judge = |slices: Vec<SliceState>| {
        let world = World::new(SCHEMA, vec![hub.clone()], Some(slices));
        let filter = Filter::NoneRelated(world.field("Hub", "boxes"));
        let judgement =
            passmuster::query::run::judge(&world.graph, world.of("Hub"), &world.filters("Hub", filter), None);
        judgement.types[0].failing.len()
    };
    assert_eq!(judge(vec![box_slice("r1", Outcome::Complete), box_slice("r2", Outcome::Complete)]), 1);
    assert_eq!(judge(vec![box_slice("r1", Outcome::Complete), box_slice("r2", Outcome::Failed)]), 0);
}

#[test]
fn a_file_without_slices_is_complete_as_it_stands() {
    let world = World::new(SCHEMA, vec![a_box("b", json!({}))], None);
    let verdicts = world.verdicts(weighs_one(&world, Quantifier::None), Some(5000));
    assert_eq!(verdicts.only(), "FAIL");
    assert_eq!(verdicts.gaps(), [""; 0]);
}

#[test]
fn a_complete_collection_younger_than_the_limit_outlives_a_later_denial() {
    let slices = || vec![complete("Box"), slice("Item", Outcome::Denied, Some(1000))];
    let world = with_items(&[], slices());
    let filter = || weighs_one(&world, Quantifier::None);
    assert_eq!(world.verdicts(filter(), Some(500)).only(), "FAIL");
    // With no limit only the latest attempt counts.
    assert_eq!(world.verdicts(filter(), None).only(), "UNKNOWN");
}

#[test]
fn a_predicate_on_an_unknown_cell_is_unknown_even_for_null() {
    let judge = |filter: &dyn Fn(&World) -> Filter, fields: Value| {
        let world = World::new(SCHEMA, vec![a_box("b", fields)], Some(vec![complete("Box")]));
        let verdicts = world.verdicts(filter(&world), None);
        let negated = world.verdicts(not(filter(&world)), None).only();
        (verdicts.only(), negated, verdicts.reasons().join(","))
    };
    let unknown = || json!({"__unknown": ["text"]});
    let cell = ("UNKNOWN", "UNKNOWN", "Box b text unknown".to_owned());
    assert_eq!(judge(&|world| world.is_null("text"), unknown()), cell);
    assert_eq!(judge(&|world| world.test("text", equals(text("x"))), unknown()), cell);
    // A null is known: neither TRUE nor FALSE, so not kept, so a pass, negated or not.
    let passes = ("PASS", "PASS", String::new());
    assert_eq!(judge(&|world| world.test("text", equals(text("x"))), json!({})), passes);
    // What is decided without the cell is decided.
    let beside = |world: &World| Filter::Any(vec![world.is_null("text"), Filter::Constant(true)]);
    assert_eq!(judge(&beside, unknown()), ("FAIL", "PASS", String::new()));
}

#[test]
fn an_unknown_cell_of_a_related_asset_makes_the_quantifier_unknown_where_it_decides() {
    let judge = |quantifier, weights: &[i64]| {
        let mut assets =
            vec![a_box("b", json!({})), item("hidden", json!({"boxId": "b", "__unknown": ["weight"]}))];
        for (place, weight) in weights.iter().enumerate() {
            assets.push(item(&format!("i{place}"), json!({"boxId": "b", "weight": weight})));
        }
        let world = World::new(SCHEMA, assets, Some(complete_items()));
        let verdicts = world.verdicts(weighs_one(&world, quantifier), None);
        if verdicts.only() == "UNKNOWN" {
            assert_eq!(verdicts.reasons(), ["Item hidden weight unknown"]);
        }
        verdicts.only()
    };
    assert_eq!(judge(Quantifier::Some, &[2]), "UNKNOWN");
    assert_eq!(judge(Quantifier::Some, &[1]), "FAIL");
    assert_eq!(judge(Quantifier::None, &[1]), "PASS");
    assert_eq!(judge(Quantifier::None, &[2]), "UNKNOWN");
    assert_eq!(judge(Quantifier::All, &[2]), "PASS");
    assert_eq!(judge(Quantifier::All, &[1]), "UNKNOWN");
    assert_eq!(judge(Quantifier::Single, &[1]), "UNKNOWN");
    assert_eq!(judge(Quantifier::Single, &[1, 1]), "PASS");
}

#[test]
fn an_unknown_key_leaves_the_relation_open_for_those_it_could_belong_to() {
    let world = |hidden: Value| {
        let schema = r#"
            type Box { id: ID! accountId: String region: String size: Int
              items: [Item!]! @relation(fields: ["id", "region"], references: ["boxId", "region"]) }
            type Item { id: ID! accountId: String region: String boxId: String }"#;
        let boxed = asset(json!({"__typename": "Box", "id": "b", "accountId": "1", "region": "r1"}));
        let mut hidden_item =
            json!({"__typename": "Item", "id": "i", "accountId": "1", "__unknown": ["boxId"]});
        hidden_item.as_object_mut().unwrap().extend(hidden.as_object().unwrap().clone());
        World::new(schema, vec![boxed, asset(hidden_item)], Some(complete_items()))
    };
    let verdict = |world: &World| {
        let verdicts = world.verdicts(Filter::NoneRelated(world.field("Box", "items")), None);
        (verdicts.only(), verdicts.reasons().join(","))
    };
    assert_eq!(verdict(&world(json!({"region": "r1"}))), ("UNKNOWN", "Item i boxId unknown".to_owned()));
    // In another region it can't be the box's, and with a null key nobody's.
    assert_eq!(verdict(&world(json!({"region": "r2"}))), ("FAIL", String::new()));
    assert_eq!(verdict(&world(json!({"region": null}))), ("FAIL", String::new()));
}

#[test]
fn a_row_with_an_unknown_key_of_its_own_has_an_open_relation() {
    let world = World::new(
        SCHEMA,
        vec![a_box("b", json!({"__unknown": ["hubId"]}))],
        Some(vec![complete("Box"), complete("Hub")]),
    );
    let verdicts = world.verdicts(Filter::NoneRelated(world.field("Box", "hub")), None);
    assert_eq!(verdicts.only(), "UNKNOWN");
    assert_eq!(verdicts.reasons(), ["Box b hubId unknown"]);
}

#[test]
fn unknown_embedded_objects_leave_their_quantifiers_open() {
    let world =
        World::new(SCHEMA, vec![a_box("b", json!({"__unknown": ["tags"]}))], Some(vec![complete("Box")]));
    let verdicts = world.verdicts(Filter::NoneRelated(world.field("Box", "tags")), None);
    assert_eq!(verdicts.only(), "UNKNOWN");
    assert_eq!(verdicts.reasons(), ["Box b tags unknown"]);
}

#[test]
fn a_stale_row_neither_passes_nor_fails() {
    for value in [true, false] {
        let world = World::new(SCHEMA, vec![a_box("b", json!({"text": "x"}))], Some(vec![complete("Box")]));
        let verdicts = world.verdicts(Filter::Constant(value), Some(2000));
        assert_eq!(verdicts.only(), "UNKNOWN");
        assert_eq!(verdicts.reasons(), ["1 r1 Box stale"]);
        // A collection as old as the limit is young enough.
        assert_eq!(
            world.verdicts(Filter::Constant(value), Some(1000)).only(),
            if value { "FAIL" } else { "PASS" }
        );
    }
}

#[test]
fn c9_a_row_without_a_slice_of_its_own_is_as_old_as_it_was_last_seen() {
    // A shared box: listed by account 1, owned by account 2, which was not scanned.
    let shared = a_box("b", json!({"accountId": "2", "lastSeenAt": "1970-01-01T00:00:01Z"}));
    let world = World::new(SCHEMA, vec![shared], Some(vec![complete("Box")]));
    assert_eq!(world.verdicts(Filter::Constant(true), Some(1000)).only(), "FAIL");
    let verdicts = world.verdicts(Filter::Constant(true), Some(1001));
    assert_eq!(verdicts.only(), "UNKNOWN");
    assert_eq!(verdicts.reasons(), ["2 r1 Box stale"]);
}

#[test]
fn a_stale_related_row_decides_nothing() {
    // The item lives in another region, whose slice is old; the box's own region is complete.
    let mut old = slice("Item", Outcome::Complete, Some(10));
    old.key.region = "r2".to_owned();
    let slices = vec![complete("Box"), complete("Item"), old];
    let judge = |filter: &dyn Fn(&World) -> Filter| {
        let stale = item("i", json!({"boxId": "b", "weight": 1, "region": "r2"}));
        let world = World::new(SCHEMA, vec![a_box("b", json!({})), stale], Some(slices.clone()));
        let verdicts = world.verdicts(filter(&world), Some(500));
        let negated = world.verdicts(not(filter(&world)), Some(500)).only();
        assert_eq!(verdicts.reasons(), ["1 r2 Item stale"]);
        (verdicts.only(), negated)
    };
    for quantifier in [Quantifier::Some, Quantifier::None, Quantifier::All, Quantifier::Single] {
        assert_eq!(judge(&|world| weighs_one(world, quantifier)), UNKNOWN, "{quantifier:?}");
    }
    // Also where nothing is asked of it but to be there.
    let any = |world: &World| world.related("items", Quantifier::Some, &[("Item", Filter::Constant(true))]);
    assert_eq!(judge(&any), UNKNOWN);
    assert_eq!(judge(&|world| Filter::NoneRelated(world.field("Box", "items"))), UNKNOWN);
    assert_eq!(judge(&|world| count(world, Comparison::Equal, 1)), UNKNOWN);
}

fn count(world: &World, comparison: Comparison, number: i64) -> Filter {
    Filter::Aggregate {
        field: world.field("Box", "items"),
        filter: AggregateFilter::Count(comparison, number),
    }
}

#[test]
fn a_count_over_an_incomplete_relation_is_at_least_what_is_seen() {
    let world = with_items(&[json!(1), json!(2)], denied_items());
    let verdict = |comparison, number| world.verdicts(count(&world, comparison, number), None).only();
    assert_eq!(verdict(Comparison::Greater, 1), "FAIL");
    assert_eq!(verdict(Comparison::Greater, 2), "UNKNOWN");
    assert_eq!(verdict(Comparison::Less, 2), "PASS");
    assert_eq!(verdict(Comparison::Less, 3), "UNKNOWN");
    assert_eq!(verdict(Comparison::Equal, 1), "PASS");
    assert_eq!(verdict(Comparison::Equal, 2), "UNKNOWN");
}

#[test]
fn a_figure_over_an_incomplete_relation_is_unknown() {
    let figure = |world: &World| Filter::Aggregate {
        field: world.field("Box", "items"),
        filter: AggregateFilter::Node {
            fields: vec![(world.of("Item"), world.field("Item", "weight"))],
            function: AggregateFunction::Max,
            comparison: Comparison::Greater,
            operand: Operand::Int(0),
        },
    };
    let world = with_items(&[json!(1)], denied_items());
    assert_eq!(world.verdicts(figure(&world), None).only(), "UNKNOWN");
    let world = with_items(&[json!(1)], complete_items());
    assert_eq!(world.verdicts(figure(&world), None).only(), "FAIL");
}

#[test]
fn an_incomplete_type_of_an_interface_leaves_the_whole_relation_open() {
    let world = with_items(
        &[json!(1)],
        vec![complete("Box"), complete("Item"), slice("Gadget", Outcome::Denied, None)],
    );
    let weight = |name| (name, Filter::Field(world.field(name, "weight"), equals(Operand::Int(1))));
    let of = [weight("Item"), weight("Gadget")];
    let verdict = |quantifier| world.verdicts(world.related("things", quantifier, &of), None);
    assert_eq!(verdict(Quantifier::Some).only(), "FAIL");
    assert_eq!(verdict(Quantifier::Single).only(), "UNKNOWN");
    assert_eq!(verdict(Quantifier::Single).reasons(), ["1 r1 Gadget denied"]);
}

#[test]
fn incompleteness_two_hops_away_is_named() {
    let part = |size: i64| {
        asset(
            json!({"__typename": "Part", "id": "p", "itemId": "i0", "accountId": "1", "region": "r1", "size": size}),
        )
    };
    let slices = vec![complete("Box"), complete("Item"), slice("Part", Outcome::Throttled, None)];
    let judge = |size| {
        let assets = vec![a_box("b", json!({})), item("i0", json!({"boxId": "b"})), part(size)];
        let world = World::new(SCHEMA, assets, Some(slices.clone()));
        let small = Filter::Field(world.field("Part", "size"), equals(Operand::Int(1)));
        let parts = Filter::Related {
            field: world.field("Item", "parts"),
            quantifier: Quantifier::Some,
            filters: world.filters("Part", small),
        };
        let verdicts = world.verdicts(world.related("items", Quantifier::None, &[("Item", parts)]), None);
        (verdicts.only(), verdicts.reasons().join(","))
    };
    assert_eq!(judge(1), ("PASS", String::new()));
    assert_eq!(judge(2), ("UNKNOWN", "1 r1 Part throttled".to_owned()));
}

#[test]
fn a_path_is_as_incomplete_as_any_of_its_hops() {
    let schema = r#"
        type Box { id: ID! accountId: String region: String
          items: [Item!]! @relation(fields: ["id"], references: ["boxId"])
          parts: [Part!]! @relation(paths: ["items.parts"]) }
        type Item { id: ID! accountId: String region: String boxId: String
          parts: [Part!]! @relation(fields: ["id"], references: ["itemId"]) }
        type Part { id: ID! accountId: String region: String itemId: String }"#;
    let place = |typename: &str, id: &str, key: &str, of: &str| {
        asset(json!({"__typename": typename, "id": id, "accountId": "1", "region": "r1", key: of}))
    };
    let boxed = || asset(json!({"__typename": "Box", "id": "b", "accountId": "1", "region": "r1"}));
    let judge = |assets: Vec<Asset>, slices: Vec<SliceState>| {
        let world = World::new(schema, assets, Some(slices));
        let verdicts = world.verdicts(Filter::NoneRelated(world.field("Box", "parts")), None);
        (verdicts.only(), verdicts.reasons().join(","))
    };
    let denied = |asset_type| slice(asset_type, Outcome::Denied, None);
    let with_item = || vec![boxed(), place("Item", "i", "boxId", "b")];
    let all = vec![complete("Box"), complete("Item"), complete("Part")];
    assert_eq!(judge(with_item(), all), ("FAIL", String::new()));
    let first_hop = vec![complete("Box"), denied("Item"), complete("Part")];
    assert_eq!(judge(with_item(), first_hop), ("UNKNOWN", "1 r1 Item denied".to_owned()));
    let second_hop = || vec![complete("Box"), complete("Item"), denied("Part")];
    assert_eq!(judge(with_item(), second_hop()), ("UNKNOWN", "1 r1 Part denied".to_owned()));
    // Without an item there is no second hop to be incomplete.
    assert_eq!(judge(vec![boxed()], second_hop()), ("FAIL", String::new()));
    let mut seen = with_item();
    seen.push(place("Part", "p", "itemId", "i"));
    assert_eq!(judge(seen, second_hop()), ("PASS", String::new()));
}

#[test]
fn a_plain_query_lists_the_incomplete_slices_of_the_types_it_touches() {
    let slices = || {
        let denied = |asset_type| slice(asset_type, Outcome::Denied, Some(900));
        vec![denied("Item"), denied("Hub"), complete("Box"), denied("Part")]
    };
    let world = World::new(SCHEMA, vec![a_box("b", json!({}))], Some(slices()));
    let touched = |filter: Filter| {
        let nodes = world.nodes("Box", world.filters("Box", filter));
        let slices = incomplete_slices(&plan(RootKind::Nodes(nodes)), &world.graph);
        slices.into_iter().map(|state| state.slice.key.asset_type).collect::<Vec<_>>()
    };
    assert_eq!(touched(Filter::Constant(true)), [""; 0]);
    assert_eq!(touched(not(weighs_one(&world, Quantifier::None))), ["Item"]);
    assert_eq!(touched(Filter::NoneRelated(world.field("Box", "hub"))), ["Hub"]);
}

#[test]
fn a_covered_slice_that_is_not_complete_is_a_gap() {
    let gaps = |slices: Vec<SliceState>, oldest| {
        let world = World::new(SCHEMA, Vec::new(), Some(slices));
        world.verdicts(Filter::Constant(true), oldest).gaps()
    };
    assert_eq!(gaps(vec![complete("Box")], None), [""; 0]);
    assert_eq!(gaps(vec![slice("Box", Outcome::Failed, None)], None), ["1 r1 Box failed"]);
    assert_eq!(gaps(vec![complete("Box")], Some(2000)), ["1 r1 Box stale"]);
    // Another type was collected there, so this one should have been.
    assert_eq!(gaps(vec![complete("Item")], None), ["1 r1 Box missing"]);
    let mut elsewhere = complete("Item");
    elsewhere.key.region = "r2".to_owned();
    assert_eq!(gaps(vec![complete("Box"), elsewhere], None), ["1 r2 Box missing"]);
    let mut account_wide = complete("Hub");
    account_wide.key.region = "global".to_owned();
    assert_eq!(gaps(vec![account_wide], None), ["1 global Box missing"]);
    assert_eq!(gaps(Vec::new(), None), [""; 0]);
}

#[test]
fn a_check_over_an_interface_judges_each_of_its_types() {
    let assets = vec![a_box("b", json!({})), item("i", json!({"boxId": "b"})), item("j", json!({}))];
    let world = World::new(SCHEMA, assets, None);
    let mut filters = passmuster::query::Filters::default();
    for of in world.catalog.concrete(world.of("Thing")) {
        let name = world.catalog.get(of).name.clone();
        filters.0.push((of, Some(Filter::IsNull(world.field(&name, "boxId")))));
    }
    let judgement = passmuster::query::run::judge(&world.graph, world.of("Thing"), &filters, Some(time(0)));
    let counts: Vec<_> = judgement
        .types
        .iter()
        .map(|judged| (world.catalog.get(judged.of).name.as_str(), judged.assets, judged.failing.clone()))
        .collect();
    assert_eq!(counts, [("Gadget", 0, vec![]), ("Item", 2, vec![1])]);
}

#[test]
fn of_a_few_rows_a_filter_is_asked_without_a_scan() {
    let world =
        graph_of((0..5_000).map(|number| a_box(&format!("b{number:04}"), json!({"int": number}))).collect());
    let filters = world.filters("Box", world.test("int", compares(Comparison::Less, Operand::Int(4_000))));
    let judging = Judging::new(&world.graph, None);
    let rows = [7, 3_999, 4_000, 4_999];
    assert_eq!(judging.certain(world.of("Box"), &rows, &filters), [7, 3_999]);
    assert_eq!(judging.visited().rows, 4, "one look a row");
    assert_eq!(judging.certain(world.of("Item"), &rows, &filters), [0; 0], "a filter over another type");
    let all: Vec<u32> = (0..5_000).collect();
    assert_eq!(judging.certain(world.of("Box"), &all, &filters), all[..4_000], "many rows are asked at once");
    assert_eq!(judging.visited().rows, 4 + 5_000);
}

#[test]
fn what_is_complete_everywhere_is_told_anew_after_each_change() {
    let in_region = |region: &str, mut state: SliceState| {
        state.key.region = region.to_owned();
        state
    };
    let boxes = [("b1", "r1"), ("b2", "r2")].map(|(id, region)| a_box(id, json!({"region": region})));
    let whole = ["r1", "r2"].map(|region| ["Box", "Item"].map(|of| in_region(region, complete(of))));
    let mut world = World::new(SCHEMA, boxes.into(), Some(whole.concat()));
    let told = |world: &World, oldest| {
        let judgement = world.verdicts(weighs_one(world, Quantifier::None), oldest).judgement;
        let boxes = &judgement.types[0];
        (boxes.failing.len(), boxes.unknown.len(), judgement.gaps.len())
    };
    let change = |world: &mut World, changes: &Changes| {
        world.graph = world.graph.patched(changes, time(2000)).unwrap().graph;
    };
    let set =
        |state: SliceState| Changes { slices: vec![(state.key.clone(), Some(state))], ..Changes::default() };
    for _ in 0..2 {
        assert_eq!(told(&world, Some(500)), (2, 0, 0), "asked again it says the same");
    }
    assert_eq!(told(&world, Some(1001)), (0, 2, 2), "all of it is too old");
    change(&mut world, &set(in_region("r2", slice("Item", Outcome::Denied, None))));
    assert_eq!(told(&world, Some(500)), (1, 1, 0), "one slice of items is denied");
    change(&mut world, &set(in_region("r2", complete("Item"))));
    assert_eq!(told(&world, Some(500)), (2, 0, 0), "and complete again");
    let put = vec![a_box("b3", json!({"region": "r3"}))];
    change(&mut world, &Changes { put, ..Changes::default() });
    assert_eq!(told(&world, Some(500)), (2, 1, 0), "a box stands where nothing was collected");
    change(&mut world, &set(in_region("r3", complete("Box"))));
    assert_eq!(told(&world, Some(500)), (2, 1, 0), "its items still were not");
    change(&mut world, &set(in_region("r3", complete("Item"))));
    assert_eq!(told(&world, Some(500)), (3, 0, 0));
    change(&mut world, &set(in_region("r4", complete("Hub"))));
    assert_eq!(told(&world, Some(500)), (3, 0, 1), "boxes were not collected where hubs were");
}
