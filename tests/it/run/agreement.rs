//! Two ways to the same answer: whole tables as bitmaps, and single rows. Held against each other over random filters,
//! in a closed world and in an open one.

use std::sync::LazyLock;

use passmuster::{
    model::Outcome,
    query::{
        Comparison, Filter, Filters, Nodes, Operand, Output, OutputField, OutputKind, Quantifier,
        ResponseKey,
        run::{Judging, judge},
    },
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::support::{
    SCHEMA, World, a_box, compares, complete, equals, is_in, item, slice, text, time, typed,
};

/// Boxes in two regions with nulls and unknown cells, items some of which are unknown or stale, one hub over all.
fn world() -> World {
    let mut assets = vec![typed("Hub", "hub", json!({}), json!({}))];
    for number in 0..24 {
        let region = if number % 2 == 0 { "r1" } else { "r2" };
        let mut fields = json!({"hubId": "hub", "region": region});
        match number % 4 {
            0 => fields["text"] = json!("x"),
            1 => fields["text"] = json!("y"),
            2 => fields["__unknown"] = json!(["text"]),
            _ => {}
        }
        assets.push(a_box(&format!("b{number:02}"), fields));
        for place in 0..number % 4 {
            let mut fields = json!({"boxId": format!("b{number:02}"), "region": region});
            match (number / 4 + place) % 4 {
                0 => fields["weight"] = json!(1),
                1 => fields["weight"] = json!(2),
                2 => fields["__unknown"] = json!(["weight"]),
                _ => fields["region"] = json!("r3"),
            }
            assets.push(item(&format!("i{number:02}-{place}"), fields));
        }
    }
    let region = |region: &str, asset_type: &str, outcome, completed_at| {
        let mut state = slice(asset_type, outcome, completed_at);
        state.key.region = region.to_owned();
        state
    };
    let slices = vec![
        complete("Hub"),
        complete("Box"),
        complete("Item"),
        region("r2", "Box", Outcome::Complete, Some(1000)),
        region("r2", "Item", Outcome::Denied, None),
        region("r3", "Item", Outcome::Complete, Some(1)),
    ];
    World::new(SCHEMA, assets, Some(slices))
}

static WORLD: LazyLock<World> = LazyLock::new(world);

#[derive(Clone, Debug)]
enum Shape {
    Constant(bool),
    IsNull,
    Equal(bool),
    In(bool),
    Not(Box<Shape>),
    All(Vec<Shape>),
    Any(Vec<Shape>),
    Holds(Box<Shape>),
    Items(u8, ItemShape),
    NoItems,
    Count(i64),
}

#[derive(Clone, Copy, Debug)]
enum ItemShape {
    Everything,
    One,
    NotOne,
    More,
    Null,
}

fn shapes() -> impl Strategy<Value = Shape> {
    let item = prop_oneof![
        Just(ItemShape::Everything),
        Just(ItemShape::One),
        Just(ItemShape::NotOne),
        Just(ItemShape::More),
        Just(ItemShape::Null)
    ];
    let leaf = prop_oneof![
        any::<bool>().prop_map(Shape::Constant),
        Just(Shape::IsNull),
        any::<bool>().prop_map(Shape::Equal),
        any::<bool>().prop_map(Shape::In),
        (0u8..4, item).prop_map(|(quantifier, of)| Shape::Items(quantifier, of)),
        Just(Shape::NoItems),
        (0i64..4).prop_map(Shape::Count),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Shape::Not(Box::new(inner))),
            inner.clone().prop_map(|inner| Shape::Holds(Box::new(inner))),
            prop::collection::vec(inner.clone(), 1..3).prop_map(Shape::All),
            prop::collection::vec(inner, 1..3).prop_map(Shape::Any),
        ]
    })
}

fn filter_of(world: &World, shape: &Shape) -> Filter {
    let each = |shapes: &[Shape]| shapes.iter().map(|shape| filter_of(world, shape)).collect();
    match shape {
        Shape::Constant(value) => Filter::Constant(*value),
        Shape::IsNull => world.is_null("text"),
        Shape::Equal(x) => world.test("text", equals(text(if *x { "x" } else { "y" }))),
        Shape::In(with_null) => world.test("text", is_in(vec![text("x")], *with_null)),
        Shape::Not(inner) => Filter::Not(Box::new(filter_of(world, inner))),
        Shape::All(shapes) => Filter::All(each(shapes)),
        Shape::Any(shapes) => Filter::Any(each(shapes)),
        Shape::Holds(inner) => Filter::Holds(Box::new(filter_of(world, inner))),
        Shape::NoItems => Filter::NoneRelated(world.field("Box", "items")),
        Shape::Count(number) => Filter::Aggregate {
            field: world.field("Box", "items"),
            filter: passmuster::query::AggregateFilter::Count(Comparison::GreaterOrEqual, *number),
        },
        Shape::Items(quantifier, of) => {
            let weight = world.field("Item", "weight");
            let one = || Filter::Field(weight, equals(Operand::Int(1)));
            let of = match of {
                ItemShape::Everything => Filter::Constant(true),
                ItemShape::One => one(),
                ItemShape::NotOne => Filter::Not(Box::new(one())),
                ItemShape::More => Filter::Field(weight, compares(Comparison::Greater, Operand::Int(1))),
                ItemShape::Null => Filter::IsNull(weight),
            };
            let quantifier = match quantifier {
                0 => Quantifier::Some,
                1 => Quantifier::None,
                2 => Quantifier::All,
                _ => Quantifier::Single,
            };
            world.related("items", quantifier, &[("Item", of)])
        }
    }
}

/// The boxes below the one hub: asked row by row, since they are few.
fn kept_row_by_row(world: &World, filter: Filter) -> Vec<String> {
    let boxes = OutputKind::Many {
        field: world.field("Hub", "boxes"),
        nodes: world.nodes("Box", world.filters("Box", filter)),
    };
    let fields = vec![OutputField { key: ResponseKey::new("boxes"), kind: boxes }];
    let hubs =
        Nodes { output: Output(vec![(world.of("Hub"), fields)]), ..world.nodes("Hub", Filters::default()) };
    let data: Value = serde_json::from_slice(&world.run_nodes(hubs).data).unwrap();
    let boxes = data["root"][0]["boxes"].as_array().unwrap();
    boxes.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn whole_tables_and_single_rows_keep_the_same(shape in shapes()) {
        let world = &*WORLD;
        let filter = filter_of(world, &shape);
        let whole = world.ids_of(world.nodes("Box", world.filters("Box", filter.clone())));
        prop_assert_eq!(whole, kept_row_by_row(world, filter));
    }

    #[test]
    fn every_unknown_verdict_has_a_reason_and_no_filter_fails_with_its_negation(shape in shapes()) {
        let world = &*WORLD;
        let judged = |filter: Filter| {
            judge(&world.graph, world.of("Box"), &world.filters("Box", filter), Some(time(500)))
        };
        let judgement = judged(filter_of(world, &shape));
        let boxes = &judgement.types[0];
        prop_assert_eq!(boxes.failing.len() + boxes.passing + boxes.unknown.len(), boxes.assets);
        for row in &boxes.unknown {
            // The bitmaps call it unknown; the walk over single rows must find out why.
            prop_assert!(judgement.reasons_of(row).next().is_some(), "row {} of {:?}", row.row, shape);
        }
        let (rows, filters) = (Vec::from_iter(0..24), world.filters("Box", filter_of(world, &shape)));
        let certain = Judging::new(&world.graph, Some(time(500))).certain(world.of("Box"), &rows, &filters);
        prop_assert_eq!(&certain, &boxes.failing, "row by row and at once");
        let negated = judged(Filter::Not(Box::new(filter_of(world, &shape))));
        for row in &boxes.failing {
            prop_assert!(!negated.types[0].failing.contains(row));
        }
    }
}
