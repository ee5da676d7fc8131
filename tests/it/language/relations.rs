//! Section 3: quantifiers, to-one relations, and demands on the related assets as a whole.

use serde_json::{Value, json};

use super::Inventory;

const SDL: &str = r#"
type House {
  id: ID!  name: String  ownerId: ID
  rooms: [Room!]! @relation(fields: ["id"], references: ["houseId"])
  owner: Person @relation(fields: ["ownerId"], references: ["id"])
}
type Room {
  id: ID!  houseId: ID  name: String  size: Int
  house: House @relation(fields: ["houseId"], references: ["id"])
  things: [Thing!]! @relation(fields: ["id"], references: ["roomId"])
}
type Thing { id: ID!  roomId: ID  colour: String }
type Person { id: ID!  name: String  age: Int }
"#;

/// Houses with no room, one red, one red and one other, two others, one of no name.
fn inventory() -> Inventory {
    let house = |id: &str, owner: Option<&str>| json!({"__typename": "House", "id": id, "ownerId": owner});
    let room = |id: &str, house: &str, name: Option<&str>, size: Option<i64>| json!({"__typename": "Room", "id": id, "houseId": house, "name": name, "size": size});
    let assets: Vec<Value> = vec![
        house("none", None),
        house("red", Some("ann")),
        house("both", Some("bob")),
        house("twice", Some("gone")),
        house("null", None),
        room("r1", "red", Some("red"), Some(10)),
        room("r2", "both", Some("red"), Some(20)),
        room("r3", "both", Some("blue"), None),
        room("r4", "twice", Some("red"), Some(5)),
        room("r5", "twice", Some("red"), Some(6)),
        room("r6", "null", None, None),
        json!({"__typename": "Thing", "id": "t1", "roomId": "r1", "colour": "red"}),
        json!({"__typename": "Thing", "id": "t2", "roomId": "r3", "colour": "red"}),
        json!({"__typename": "Person", "id": "ann", "name": "Ann", "age": 30}),
        json!({"__typename": "Person", "id": "bob"}),
    ];
    Inventory::new(SDL, &assets)
}

fn check(cases: &[(&str, &str)]) {
    let inventory = inventory();
    for (filter, expected) in cases {
        let query = format!("houses(where: {{{filter}}}) {{ id }}");
        let mut ids: Vec<String> = inventory.ids(&query).split(' ').map(str::to_owned).collect();
        ids.sort();
        let mut wanted: Vec<&str> = expected.split(' ').collect();
        wanted.sort_unstable();
        assert_eq!(ids, wanted, "{filter}");
    }
}

#[test]
fn each_quantifier_keeps_its_houses_and_not_keeps_the_others() {
    for (key, kept, others) in [
        ("rooms", "red both twice", "none null"),
        ("rooms_SOME", "red both twice", "none null"),
        ("rooms_NONE", "none null", "red both twice"),
        ("rooms_NOT", "none null", "red both twice"),
        // Not vacuous; a room of no name is neither.
        ("rooms_ALL", "red twice", "none both null"),
        ("rooms_SINGLE", "red both", "none twice null"),
    ] {
        for text in [format!("{key}: {{name: \"red\"}}"), {
            let connection = key.replacen("rooms", "roomsConnection", 1);
            format!("{connection}: {{node: {{name: \"red\"}}}}")
        }] {
            check(&[(text.as_str(), kept), (format!("NOT: {{{text}}}").as_str(), others)]);
        }
    }
}

#[test]
fn null_asks_for_existence_and_an_empty_object_for_nothing() {
    check(&[
        ("rooms: null", "none"),
        ("rooms_NOT: null", "red both twice null"),
        ("rooms_SOME: {}", "none red both twice null"),
        ("rooms_NONE: {}", "none red both twice null"),
        ("NOT: {rooms_ALL: {}}", "none red both twice null"),
        ("OR: [{rooms: null}, {rooms_NONE: {name: \"red\"}}]", "none null"),
    ]);
}

#[test]
fn keys_inside_hold_of_the_same_room_and_siblings_are_independent() {
    check(&[
        ("rooms_SOME: {name: \"red\", size: 20}", "both"),
        ("rooms_SOME: {name: \"blue\", size: 20}", ""),
        ("rooms_SOME: {name: \"blue\"}, AND: [{rooms_SOME: {size: 20}}]", "both"),
    ]);
}

#[test]
fn quantifiers_nest_without_limit() {
    check(&[
        ("rooms_SOME: {things_SOME: {colour: \"red\"}}", "red both"),
        ("rooms_ALL: {things: null}", "twice null"),
        ("rooms_SOME: {house: {rooms_SINGLE: {things_NOT: null}}}", "red both"),
    ]);
}

#[test]
fn a_to_one_is_its_one_asset() {
    check(&[
        ("owner: {name: \"Ann\"}", "red"),
        ("owner_NOT: {name: \"Ann\"}", "none both twice null"),
        // Bob has no name: the quantifier is two-valued.
        ("NOT: {owner: {name: \"Ann\"}}", "none both twice null"),
        ("owner: null", "none twice null"),
        ("owner_NOT: null", "red both"),
        ("owner: {name: null}", "both"),
        ("ownerAggregate: {count: 1}", "red both"),
    ]);
}

#[test]
fn an_aggregate_asks_for_the_rooms_as_a_whole() {
    check(&[
        ("roomsAggregate: {count: 0}", "none"),
        ("roomsAggregate: {count_GT: 1}", "both twice"),
        ("roomsAggregate: {count_GTE: 1, count_LT: 2}", "red null"),
        ("roomsAggregate: {count_LTE: 1}", "none red null"),
        ("roomsAggregate: {node: {size_SUM_EQUAL: 0}}", "none null"),
        ("roomsAggregate: {node: {size_SUM_GT: 10}}", "both twice"),
        ("roomsAggregate: {node: {size_AVERAGE_EQUAL: 5.5}}", "twice"),
        ("roomsAggregate: {node: {size_MIN_LTE: 10}}", "red twice"),
        ("NOT: {roomsAggregate: {node: {size_MIN_LTE: 10}}}", "both"),
        ("roomsAggregate: {node: {size_MAX_GTE: 10}}", "red both"),
        ("roomsAggregate: {node: {name_SHORTEST_LENGTH_EQUAL: 3}}", "red both twice"),
        ("roomsAggregate: {node: {name_LONGEST_LENGTH_GT: 3}}", "both"),
        ("roomsAggregate: {node: {name_AVERAGE_LENGTH_EQUAL: 3.5}}", "both"),
        ("roomsAggregate: {OR: [{count: 0}, {node: {size_MAX_EQUAL: 20}}]}", "none both"),
        ("roomsAggregate: {NOT: {count_GT: 0}}", "none"),
        ("roomsAggregate: {AND: [{count_GT: 0}, {node: {size_SUM_LT: 1}}]}", "null"),
    ]);
}

#[test]
fn a_nested_where_never_removes_parents() {
    let answer = inventory().root("houses(sort: [{id: ASC}]) { id rooms(where: {name: \"blue\"}) { id } }");
    assert_eq!(super::ids_of(&answer), "both none null red twice");
    assert_eq!(answer[0], json!({"id": "both", "rooms": [{"id": "r3"}]}));
    assert_eq!(answer[3], json!({"id": "red", "rooms": []}));
    let answer = inventory().root("houses(where: {id: \"red\"}) { owner(where: {name: \"Bob\"}) { id } }");
    assert_eq!(answer, json!([{"owner": null}]));
}

#[test]
fn nested_lists_are_sorted_and_cut_for_each_parent() {
    let query = "houses(where: {id_IN: [\"both\", \"twice\"]}) { rooms(sort: [{size: DESC}], limit: 1) { id } \
                 next: rooms(sort: [{size: DESC}], offset: 1) { id } none: rooms(limit: 0) { id } }";
    let expected = json!([
        // Null is greatest.
        {"rooms": [{"id": "r3"}], "next": [{"id": "r2"}], "none": []},
        {"rooms": [{"id": "r5"}], "next": [{"id": "r4"}], "none": []},
    ]);
    assert_eq!(inventory().root(query), expected);
}
