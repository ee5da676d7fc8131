//! Aggregates as results, and groups.

use serde_json::{Value, json};

use super::Inventory;

const SDL: &str = r#"
enum Stage { DEV PROD }
interface Item { id: ID!  region: String  size: Int  fine: Boolean! }
type Box implements Item {
  id: ID!  region: String  size: Int  count: Int  weight: Float  big: BigInt  at: DateTime  day: Date  stage: Stage
  label: String  shelfId: ID  net: CIDR
  shelf: Shelf @relation(fields: ["shelfId"], references: ["id"])
  fine: Boolean! @computed(where: "{size_GT: 2}")
}
type Crate implements Item { id: ID!  region: String  size: Int  fine: Boolean! }
type Shelf { id: ID!  boxes: [Box!]! @relation(fields: ["id"], references: ["shelfId"])
  items: [Item!]! @relation(fields: ["id"], references: ["region"]) }
"#;

fn assets() -> Vec<Value> {
    vec![
        json!({"__typename": "Box", "id": "b1", "region": "r1", "size": 1, "count": 7, "weight": 0.5, "big": "9007199254740994",
            "at": "2020-01-02", "day": "2020-01-02", "stage": "DEV", "label": "xx", "shelfId": "s", "net": "10.0.0.0/8"}),
        json!({"__typename": "Box", "id": "b22", "region": "r1", "size": 4, "count": 9, "weight": 1.25, "big": "9007199254740997",
            "at": "2020-01-01", "day": "2020-01-01", "stage": "PROD", "label": "yy", "shelfId": "s"}),
        json!({"__typename": "Box", "id": "b3", "region": "r2", "size": 2147483647, "label": "ö", "shelfId": "s"}),
        json!({"__typename": "Box", "id": "b4", "size": 2147483647}),
        json!({"__typename": "Crate", "id": "c1", "region": "r1", "size": 3, "fine": true}),
        json!({"__typename": "Crate", "id": "c2", "region": "s", "fine": false}),
        json!({"__typename": "Shelf", "id": "s"}),
        json!({"__typename": "Shelf", "id": "empty"}),
    ]
}

fn inventory() -> Inventory {
    Inventory::new(SDL, &assets())
}

#[test]
fn every_figure_of_every_kind_of_field() {
    let query = "boxesAggregate { count id { shortest longest } label { shortest longest } size { min max average sum }
        weight { min max average sum } big { min max average sum } at { min max } day { min max } }";
    let expected = json!({
        "count": 4,
        // By length, of several the least.
        "id": {"shortest": "b1", "longest": "b22"},
        "label": {"shortest": "ö", "longest": "xx"},
        // The sum of Ints may be more than an Int.
        "size": {"min": 1, "max": 2147483647, "average": 1073741824.75, "sum": 4294967299u64},
        "weight": {"min": 0.5, "max": 1.25, "average": 0.875, "sum": 1.75},
        "big": {"min": "9007199254740994", "max": "9007199254740997", "average": "9007199254740996",
            "sum": "18014398509481991"},
        "at": {"min": "2020-01-01T00:00:00.000Z", "max": "2020-01-02T00:00:00.000Z"},
        "day": {"min": "2020-01-01", "max": "2020-01-02"},
    });
    assert_eq!(inventory().root(query), expected);
}

#[test]
fn over_nothing_a_sum_is_zero_and_everything_else_null() {
    let query = "boxesAggregate(where: {id: \"none\"}) { count label { shortest longest } size { min max average sum }
        weight { average sum } big { sum average } at { min max } }";
    let expected = json!({"count": 0, "label": {"shortest": null, "longest": null},
        "size": {"min": null, "max": null, "average": null, "sum": 0}, "weight": {"average": null, "sum": 0},
        "big": {"sum": "0", "average": null}, "at": {"min": null, "max": null}});
    assert_eq!(inventory().root(query), expected);
}

#[test]
fn a_relation_has_figures_of_its_own() {
    let query = "shelves { id boxesAggregate { count size { max } node { size { min } count { sum } } }
        small: boxesAggregate(where: {size_LT: 3}) { count label { longest } }
        itemsAggregate { count size { sum } } }";
    let expected = json!([
        {"id": "empty", "boxesAggregate": {"count": 0, "size": {"max": null}, "node": {"size": {"min": null}, "count": {"sum": 0}}},
            "small": {"count": 0, "label": {"longest": null}}, "itemsAggregate": {"count": 0, "size": {"sum": 0}}},
        {"id": "s", "boxesAggregate": {"count": 3, "size": {"max": 2147483647}, "node": {"size": {"min": 1}, "count": {"sum": 16}}},
            "small": {"count": 1, "label": {"longest": "xx"}}, "itemsAggregate": {"count": 1, "size": {"sum": 0}}},
    ]);
    assert_eq!(inventory().root(query), expected);
    let to_one = inventory()
        .root("boxes(where: {id_IN: [\"b1\", \"b4\"]}) { shelfAggregate { count id { longest } } }");
    assert_eq!(
        to_one,
        json!([{"shelfAggregate": {"count": 1, "id": {"longest": "s"}}}, {"shelfAggregate": {"count": 0, "id": {"longest": null}}}])
    );
}

#[test]
fn an_interface_has_figures_over_all_its_types() {
    let query =
        "itemsAggregate(where: {size_LT: 100}) { count size { min max average sum } region { shortest } }";
    let expected = json!({"count": 3, "size": {"min": 1, "max": 4, "average": 8.0 / 3.0, "sum": 8}, "region": {"shortest": "r1"}});
    assert_eq!(inventory().root(query), expected);
}

#[test]
fn groups_count_by_value_the_greatest_first_and_null_is_one_of_them() {
    let inventory = inventory();
    let group =
        |arguments: &str, fields: &str| inventory.root(&format!("boxesGroup({arguments}) {{ {fields} }}"));
    let regions = json!([{"key": {"region": "r1"}, "count": 2}, {"key": {"region": "r2"}, "count": 1}, {"key": {"region": null}, "count": 1}]);
    assert_eq!(group("by: [region]", "key { region } count"), regions);
    assert_eq!(group("by: region", "key { region } count"), regions);
    let pair =
        |region: Option<&str>, stage: Option<&str>| json!({"key": {"stage": stage, "r": region}, "count": 1});
    assert_eq!(
        group("by: [region, stage]", "key { stage r: region } count"),
        json!([
            pair(Some("r1"), Some("DEV")),
            pair(Some("r1"), Some("PROD")),
            pair(Some("r2"), None),
            pair(None, None)
        ])
    );
    assert_eq!(
        group("by: [region], sort: [{key: {region: DESC}}], limit: 2", "key { region }"),
        json!([{"key": {"region": null}}, {"key": {"region": "r2"}}])
    );
    assert_eq!(
        group("by: [region], sort: {count: ASC}", "count"),
        json!([{"count": 1}, {"count": 1}, {"count": 2}])
    );
    assert_eq!(
        group("by: [size], where: {size_GT: 2}", "key { size } count"),
        json!([{"key": {"size": 2147483647}, "count": 2}, {"key": {"size": 4}, "count": 1}])
    );
    assert_eq!(
        group("by: [fine]", "key { fine } count"),
        json!([{"key": {"fine": true}, "count": 3}, {"key": {"fine": false}, "count": 1}])
    );
    assert_eq!(
        group("by: [weight], limit: 1", "key { weight } count"),
        json!([{"key": {"weight": null}, "count": 2}])
    );
    assert_eq!(
        group("by: [net, at, big, day], where: {id: \"b1\"}", "key { net at big day }"),
        json!([{"key": {"net": "10.0.0.0/8", "at": "2020-01-02T00:00:00.000Z", "big": "9007199254740994", "day": "2020-01-02"}}])
    );
    assert_eq!(group("by: [region], limit: 0", "count"), json!([]));
    assert_eq!(group("by: [region], where: {id: \"none\"}", "count"), json!([]));
}

#[test]
fn groups_of_many_rows_count_each_once_whether_neighbours_agree_or_not() {
    let region = |number: usize| match number {
        0..150 => json!("r1"),
        150..200 if number.is_multiple_of(3) => json!("r2"),
        150..290 => json!(null),
        _ => json!("r3"),
    };
    let boxes: Vec<Value> = (0..300)
        .map(|number| json!({"__typename": "Box", "id": format!("b{number:03}"), "region": region(number), "size": number % 2}))
        .collect();
    let inventory = Inventory::new(SDL, &boxes);
    let counts = |size: &[usize]| {
        let with = |region_wanted: Value| {
            (0..300).filter(|number| size.contains(&(number % 2)) && region(*number) == region_wanted).count()
        };
        let group = |region: Value| json!({"key": {"region": region.clone()}, "count": with(region)});
        json!([group(json!("r1")), group(json!("r2")), group(json!("r3")), group(json!(null))])
    };
    let sort = "sort: [{key: {region: ASC}}]";
    let all = format!("boxesGroup(by: [region], {sort}) {{ key {{ region }} count }}");
    assert_eq!(inventory.root(&all), counts(&[0, 1]));
    let odd = format!("boxesGroup(by: [region], where: {{size: 1}}, {sort}) {{ key {{ region }} count }}");
    assert_eq!(inventory.root(&odd), counts(&[1]));
}

#[test]
fn groups_over_an_interface_put_the_values_of_its_types_together() {
    let inventory = inventory();
    assert_eq!(
        inventory.root("itemsGroup(by: [region], where: {region_NOT: null}) { key { region } count }"),
        json!([{"key": {"region": "r1"}, "count": 3}, {"key": {"region": "r2"}, "count": 1}, {"key": {"region": "s"}, "count": 1}])
    );
    assert_eq!(
        inventory.root("itemsGroup(by: [typename]) { key { typename } count }"),
        json!([{"key": {"typename": "Box"}, "count": 4}, {"key": {"typename": "Crate"}, "count": 2}])
    );
    // One type computes what the other stores.
    assert_eq!(
        inventory.root("itemsGroup(by: [fine]) { key { fine } count }"),
        json!([{"key": {"fine": true}, "count": 4}, {"key": {"fine": false}, "count": 2}])
    );
    let variables = json!({"by": ["typename", "region"]});
    let counted = inventory
        .data_with("query ($by: [ItemGroupBy!]!) { itemsGroup(by: $by, limit: 1) { count } }", &variables);
    assert_eq!(counted, json!({"itemsGroup": [{"count": 2}]}));
}

#[test]
fn figures_and_groups_that_cannot_be_say_what_to_write() {
    let inventory = inventory();
    for (query, code, help) in [
        ("boxesAggregate { cuont }", "unknown_field", "did you mean `count`?"),
        ("boxesAggregate { stage { min } }", "unknown_field", ""),
        ("boxesAggregate { size }", "selection_missing", "write `size { min }`"),
        ("boxesAggregate { size { shortest } }", "unknown_field", "it has min, max, average, sum"),
        ("boxesAggregate { count { sum } }", "selection_on_scalar", ""),
        ("boxesAggregate(limit: 1) { count }", "unknown_argument", "it takes where, asOf"),
        ("boxesAggregate", "selection_missing", "write `boxesAggregate { count }`"),
        ("boxesGroup { count }", "missing_argument", "write `boxesGroup(by: [..]) { count }`"),
        ("boxesGroup(by: null) { count }", "null_not_allowed", "name at least one field"),
        ("boxesGroup(by: []) { count }", "wrong_value", "for one count of all, ask the aggregate"),
        ("boxesGroup(by: [regoin]) { count }", "wrong_value", "did you mean `region`?"),
        ("boxesGroup(by: [\"region\"]) { count }", "wrong_value", ""),
        ("boxesGroup(by: [shelf]) { count }", "wrong_value", ""),
        ("boxesGroup(by: [region, region]) { count }", "given_twice", ""),
        (
            "boxesGroup(by: [region]) { key { size } }",
            "unknown_field",
            "it is not grouped by: write `by: [region, size]`",
        ),
        (
            "boxesGroup(by: [region], sort: [{region: ASC}]) { count }",
            "unknown_key",
            "write `{key: {region: ASC}}`",
        ),
        (
            "boxesGroup(by: [region], sort: [{key: {size: ASC}}]) { count }",
            "unknown_key",
            "it is not grouped by: write `by: [region, size]`",
        ),
        ("boxesGroup(by: [region], sort: [{count: UP}]) { count }", "wrong_value", ""),
        ("boxesGroup(by: [region], limit: -1) { count }", "wrong_value", ""),
        ("itemsGroup(by: [typenam]) { count }", "wrong_value", "did you mean `typename`?"),
    ] {
        let (actual, _, message, actual_help) = inventory.refusal(query);
        assert_eq!(actual, code, "{query}: {message}");
        if !help.is_empty() {
            assert_eq!(actual_help, help, "{query}");
        }
    }
}
