//! Stubs: assets of which no more than the name is known. They may hold anything, and may not be there.

use passmuster::{
    model::{Asset, Outcome, SliceState},
    query::{Filter, Operand, Quantifier},
};
use serde_json::{Value, json};

use super::support::{SCHEMA, World, a_box, complete, equals, item, not, slice, text};

/// The schema with a `stubReason` of items, boxes and hubs.
fn schema() -> String {
    SCHEMA
        .replace(
            "type Item implements Asset & Thing {",
            "type Item implements Asset & Thing { stubReason: String",
        )
        .replace("type Box implements Asset {", "type Box implements Asset { stubReason: String")
}

/// Box `b` with these items; everything collected and complete, or a file without slices.
fn with_items(items: &[Value], slices: Option<Vec<SliceState>>) -> World {
    let mut assets: Vec<Asset> = vec![a_box("b", json!({}))];
    for (place, fields) in items.iter().enumerate() {
        assets.push(item(&format!("i{place}"), fields.clone()));
    }
    World::new(&schema(), assets, slices)
}

fn stub() -> Value {
    json!({"boxId": "b", "stubReason": "DENIED", "__unknown": ["weight"]})
}

/// What is said of a stub does not count, since the whole of it may not be there.
fn light_stub() -> Value {
    json!({"boxId": "b", "stubReason": "DENIED", "weight": 1})
}

fn seen(weight: i64) -> Value {
    json!({"boxId": "b", "weight": weight})
}

fn whole() -> Option<Vec<SliceState>> {
    Some(vec![complete("Box"), complete("Item")])
}

fn weighs_one(world: &World, quantifier: Quantifier) -> Filter {
    let weight = Filter::Field(world.field("Item", "weight"), equals(Operand::Int(1)));
    world.related("items", quantifier, &[("Item", weight)])
}

#[test]
fn over_a_stub_a_quantifier_is_decided_only_by_what_was_read() {
    use Quantifier::{All, None, Single, Some};
    for slices in [whole(), Option::None] {
        for (quantifier, items, expected) in [
            (Some, vec![stub()], "UNKNOWN"),
            (None, vec![stub()], "UNKNOWN"),
            (Some, vec![stub(), seen(1)], "FAIL"),
            (None, vec![stub(), seen(1)], "PASS"),
            (Some, vec![stub(), seen(2)], "UNKNOWN"),
            (All, vec![stub(), seen(2)], "PASS"),
            (All, vec![stub(), seen(1)], "UNKNOWN"),
            (Single, vec![stub(), seen(1), seen(1)], "PASS"),
            (Single, vec![stub(), seen(1)], "UNKNOWN"),
            (Some, vec![seen(2)], "PASS"),
            (Some, vec![light_stub()], "UNKNOWN"),
            (None, vec![light_stub()], "UNKNOWN"),
        ] {
            let world = with_items(&items, slices.clone());
            let filter = weighs_one(&world, quantifier);
            assert_eq!(
                world.verdicts(filter.clone(), Option::None).only(),
                expected,
                "{quantifier:?} {items:?}"
            );
            let opposite = match expected {
                "FAIL" => "PASS",
                "PASS" => "FAIL",
                other => other,
            };
            assert_eq!(
                world.verdicts(not(filter), Option::None).only(),
                opposite,
                "not {quantifier:?} {items:?}"
            );
        }
    }
}

#[test]
fn a_relation_to_nothing_but_a_stub_may_be_to_nothing() {
    let world = with_items(&[stub()], whole());
    let nothing = Filter::NoneRelated(world.field("Box", "items"));
    let verdicts = world.verdicts(nothing.clone(), None);
    assert_eq!(verdicts.only(), "UNKNOWN");
    assert_eq!(verdicts.reasons(), ["Item i0 DENIED"], "and not each of its fields");
    assert_eq!(with_items(&[stub(), seen(1)], whole()).verdicts(nothing, None).only(), "PASS");
}

#[test]
fn a_stub_that_a_check_covers_is_unknown_whatever_the_check_asks() {
    let stub = a_box("b", json!({"stubReason": "NOT_SCANNED", "name": "b"}));
    let world = World::new(&schema(), vec![stub], Some(vec![complete("Box")]));
    for filter in [world.is_null("name"), not(world.is_null("name"))] {
        let verdicts = world.verdicts(filter, None);
        assert_eq!(verdicts.only(), "UNKNOWN");
        assert_eq!(verdicts.reasons(), ["Box b NOT_SCANNED"]);
    }
}

#[test]
fn a_plain_query_shows_a_stub_as_it_is() {
    let world = with_items(&[stub()], whole());
    let nothing = Filter::NoneRelated(world.field("Box", "items"));
    assert_eq!(world.both(nothing), (String::new(), "b".to_owned()));
}

#[test]
fn a_null_key_relates_to_nothing_whatever_was_not_collected() {
    let hub = |fields| {
        World::new(
            SCHEMA,
            vec![a_box("b", fields)],
            Some(vec![complete("Box"), slice("Hub", Outcome::Denied, None)]),
        )
    };
    let verdict = |world: &World| {
        let nothing = Filter::NoneRelated(world.field("Box", "hub"));
        (world.verdicts(nothing.clone(), None).only(), world.verdicts(not(nothing), None).only())
    };
    assert_eq!(verdict(&hub(json!({"hubId": null}))), ("FAIL", "PASS"));
    assert_eq!(verdict(&hub(json!({}))), ("FAIL", "PASS"));
    assert_eq!(verdict(&hub(json!({"hubId": "h"}))), ("UNKNOWN", "UNKNOWN"));
    assert_eq!(verdict(&hub(json!({"__unknown": ["hubId"]}))), ("UNKNOWN", "UNKNOWN"));
}

#[test]
fn a_type_called_slice_holds_the_slices_and_is_never_incomplete() {
    let schema = format!(
        "{SCHEMA} type Slice {{ id: ID! accountId: String! region: String! assetType: String! outcome: String!
         boxes: [Box!]! @relation(fields: [\"accountId\"], references: [\"accountId\"]) }}"
    )
    .replace(
        "hubId: String\n",
        "hubId: String slices: [Slice!]! @relation(fields: [\"accountId\"], references: [\"accountId\"])\n",
    );
    let slices = vec![complete("Box"), slice("Item", Outcome::Denied, None)];
    let world = World::new(&schema, vec![a_box("b", json!({}))], Some(slices));
    let found = world.ids_of(world.nodes("Slice", world.filters("Slice", Filter::Constant(true))));
    assert_eq!(found, ["1/r1/Box", "1/r1/Item"]);
    let of_hubs = Filter::Field(world.field("Slice", "assetType"), equals(text("Hub")));
    let none = world.related("slices", Quantifier::None, &[("Slice", of_hubs)]);
    assert_eq!(world.verdicts(none, None).only(), "FAIL", "there are no others");
}
