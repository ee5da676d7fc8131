//! The table of section 3 of the query language, row by row, and aggregates.

use passmuster::query::{AggregateFilter, AggregateFunction, Comparison, Filter, Operand, Quantifier, Test};
use serde_json::json;

use super::support::{World, a_box, asset, equals, graph_of, item, not, text};

/// Boxes with items of weight 1 (TRUE), 2 (FALSE) or null (neither), as the letters of their ids say; `z` has none.
fn weights() -> World {
    let mut assets = Vec::new();
    for id in ["f", "n", "t", "tf", "tn", "tt", "z"] {
        assets.push(a_box(id, json!({})));
        for (place, letter) in id.chars().enumerate() {
            let weight = match letter {
                't' => json!(1),
                'f' => json!(2),
                'n' => json!(null),
                _ => continue,
            };
            assets.push(item(&format!("{id}-{place}"), json!({"boxId": id, "weight": weight})));
        }
    }
    graph_of(assets)
}

fn is_one(world: &World) -> (&'static str, Filter) {
    ("Item", Filter::Field(world.field("Item", "weight"), equals(Operand::Int(1))))
}

fn both(world: &World, quantifier: Quantifier) -> (String, String) {
    world.both(world.related("items", quantifier, &[is_one(world)]))
}

fn pair(kept: &str, kept_by_negation: &str) -> (String, String) {
    (kept.to_owned(), kept_by_negation.to_owned())
}

#[test]
fn some_needs_one_that_is_true() {
    assert_eq!(both(&weights(), Quantifier::Some), pair("t tf tn tt", "f n z"));
}

#[test]
fn none_is_true_without_any_related() {
    assert_eq!(both(&weights(), Quantifier::None), pair("f n z", "t tf tn tt"));
}

#[test]
fn all_needs_one_true_and_none_false_and_is_not_vacuous() {
    assert_eq!(both(&weights(), Quantifier::All), pair("t tn tt", "f n tf z"));
}

#[test]
fn single_needs_exactly_one_true() {
    assert_eq!(both(&weights(), Quantifier::Single), pair("t tf tn", "f n tt z"));
}

#[test]
fn null_means_no_related_asset() {
    let world = weights();
    assert_eq!(world.both(Filter::NoneRelated(world.field("Box", "items"))), pair("z", "f n t tf tn tt"));
}

#[test]
fn embedded_objects_have_the_same_quantifiers() {
    let tags = |tags: &[(&str, &str)]| {
        let tags: Vec<_> = tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
        json!({"tags": tags})
    };
    let world = graph_of(vec![
        a_box("both", tags(&[("env", "prod"), ("env", "dev")])),
        a_box("none", tags(&[])),
        a_box("prod", tags(&[("env", "prod")])),
        a_box("split", tags(&[("env", "dev"), ("x", "prod")])),
    ]);
    let key = Filter::Field(world.field("Tag", "key"), equals(text("env")));
    let value = Filter::Field(world.field("Tag", "value"), equals(text("prod")));
    let same = ("Tag", Filter::All(vec![key, value]));
    let both = |quantifier| world.both(world.related("tags", quantifier, std::slice::from_ref(&same)));
    // The keys inside one object hold of the same tag.
    assert_eq!(both(Quantifier::Some), pair("both prod", "none split"));
    assert_eq!(both(Quantifier::None), pair("none split", "both prod"));
    assert_eq!(both(Quantifier::All), pair("prod", "both none split"));
    assert_eq!(both(Quantifier::Single), pair("both prod", "none split"));
    assert_eq!(world.both(Filter::NoneRelated(world.field("Box", "tags"))), pair("none", "both prod split"));
}

#[test]
fn an_interface_quantifier_ranges_over_all_its_types_together() {
    let gadget = |id: &str, of: &str, weight: i64| {
        asset(json!({"__typename": "Gadget", "id": id, "boxId": of, "weight": weight}))
    };
    let world = graph_of(vec![
        a_box("across", json!({})),
        a_box("mixed", json!({})),
        a_box("one", json!({})),
        item("i1", json!({"boxId": "across", "weight": 1})),
        item("i2", json!({"boxId": "mixed", "weight": 1})),
        item("i3", json!({"boxId": "one", "weight": 1})),
        gadget("g1", "across", 1),
        gadget("g2", "mixed", 2),
    ]);
    let of = |name| Filter::Field(world.field(name, "weight"), equals(Operand::Int(1)));
    let filters = [("Item", of("Item")), ("Gadget", of("Gadget"))];
    let both = |quantifier| world.both(world.related("things", quantifier, &filters));
    assert_eq!(both(Quantifier::Single), pair("mixed one", "across"));
    assert_eq!(both(Quantifier::All), pair("across one", "mixed"));
    assert_eq!(both(Quantifier::None), pair("", "across mixed one"));
}

#[test]
fn quantifiers_nest() {
    let part = |id: &str, of: &str, size: i64| {
        asset(json!({"__typename": "Part", "id": id, "itemId": of, "size": size}))
    };
    let world = graph_of(vec![
        a_box("a", json!({})),
        a_box("b", json!({})),
        a_box("c", json!({})),
        item("a1", json!({"boxId": "a"})),
        item("b1", json!({"boxId": "b"})),
        part("p1", "a1", 1),
        part("p2", "b1", 2),
    ]);
    let small = Filter::Field(world.field("Part", "size"), equals(Operand::Int(1)));
    let inner = |quantifier| Filter::Related {
        field: world.field("Item", "parts"),
        quantifier,
        filters: world.filters("Part", small.clone()),
    };
    let outer = |quantifier, inner| world.kept(world.related("items", quantifier, &[("Item", inner)]));
    assert_eq!(outer(Quantifier::Some, inner(Quantifier::None)), "b");
    assert_eq!(outer(Quantifier::None, inner(Quantifier::Some)), "b c");
    assert_eq!(outer(Quantifier::All, not(inner(Quantifier::Single))), "b");
}

#[test]
fn a_to_one_relation_is_its_one_target() {
    let world = graph_of(vec![
        a_box("in", json!({"hubId": "h"})),
        a_box("lost", json!({"hubId": "nowhere"})),
        a_box("null", json!({})),
        a_box("other", json!({"hubId": "k"})),
        asset(json!({"__typename": "Hub", "id": "h", "name": "x"})),
        asset(json!({"__typename": "Hub", "id": "k"})),
    ]);
    let named = ("Hub", Filter::Field(world.field("Hub", "name"), equals(text("x"))));
    // `NOT` of a quantifier is its exact complement, also where the target's field is null.
    assert_eq!(world.both(world.related("hub", Quantifier::Some, &[named])), pair("in", "lost null other"));
    assert_eq!(world.both(Filter::NoneRelated(world.field("Box", "hub"))), pair("lost null", "in other"));
}

#[test]
fn an_unconstrained_type_of_an_interface_relation_counts() {
    let world = graph_of(vec![a_box("a", json!({})), item("i", json!({"boxId": "a"}))]);
    assert_eq!(
        world.kept(world.related("things", Quantifier::Some, &[("Item", Filter::Constant(true))])),
        "a"
    );
    assert_eq!(
        world.kept(world.related("things", Quantifier::Some, &[("Item", Filter::Constant(false))])),
        ""
    );
}

/// Items of each box: `many` weighs 1, 2 and 6 with one null, `null` has one without weight, `zero` has none.
fn aggregated() -> World {
    let score = |weight: i64| json!({"boxId": "many", "weight": weight, "score": 0.5, "name": "x".repeat(2)});
    graph_of(vec![
        a_box("many", json!({})),
        a_box("null", json!({})),
        a_box("zero", json!({})),
        item("i1", score(1)),
        item("i2", score(2)),
        item("i3", score(6)),
        item("i4", json!({"boxId": "many"})),
        item("i5", json!({"boxId": "null"})),
    ])
}

fn figure(
    world: &World,
    field: &str,
    function: AggregateFunction,
    comparison: Comparison,
    operand: Operand,
) -> Filter {
    Filter::Aggregate {
        field: world.field("Box", "items"),
        filter: AggregateFilter::Node {
            fields: vec![(world.of("Item"), world.field("Item", field))],
            function,
            comparison,
            operand,
        },
    }
}

#[test]
fn an_aggregate_counts_related_assets_and_nothing_counts_zero() {
    let world = aggregated();
    let count = |comparison, number| {
        world.both(Filter::Aggregate {
            field: world.field("Box", "items"),
            filter: AggregateFilter::Count(comparison, number),
        })
    };
    assert_eq!(count(Comparison::Equal, 0), pair("zero", "many null"));
    assert_eq!(count(Comparison::Greater, 1), pair("many", "null zero"));
    assert_eq!(count(Comparison::LessOrEqual, 1), pair("null zero", "many"));
}

#[test]
fn an_aggregate_ignores_nulls_and_over_nothing_only_the_sum_is_known() {
    let world = aggregated();
    let both =
        |function, comparison, operand| world.both(figure(&world, "weight", function, comparison, operand));
    use AggregateFunction::{AnyValue, Average, Max, Min, Sum};
    use Comparison::{Equal, GreaterOrEqual, Less};
    assert_eq!(both(Sum, Equal, Operand::Int(9)), pair("many", "null zero"));
    assert_eq!(both(Sum, Equal, Operand::Int(0)), pair("null zero", "many"));
    assert_eq!(both(Average, Equal, Operand::Float(3.0)), pair("many", ""));
    assert_eq!(both(Min, Less, Operand::Int(2)), pair("many", ""));
    assert_eq!(both(Max, Less, Operand::Int(6)), pair("", "many"));
    assert_eq!(both(Max, GreaterOrEqual, Operand::Int(6)), pair("many", ""));
    assert_eq!(both(AnyValue, Equal, Operand::Int(2)), pair("many", "null zero"));
}

#[test]
fn an_aggregate_of_texts_goes_by_length() {
    let world = aggregated();
    let both = |function, operand| world.both(figure(&world, "name", function, Comparison::Equal, operand));
    use AggregateFunction::{AnyLength, AverageLength, Longest, Shortest};
    assert_eq!(both(Shortest, Operand::Int(2)), pair("many", ""));
    assert_eq!(both(Longest, Operand::Int(3)), pair("", "many"));
    assert_eq!(both(AverageLength, Operand::Float(2.0)), pair("many", ""));
    assert_eq!(both(AnyLength, Operand::Int(2)), pair("many", "null zero"));
}

#[test]
fn a_test_that_does_not_fit_its_column_keeps_nothing() {
    let world = weights();
    assert_eq!(world.kept(world.test("int", Test::Contains("1".to_owned()))), "");
}
