//! Orders: stored and computed fields, through a to-one, by how many are related; null greatest, the id breaks ties.

use serde_json::{Value, json};

use super::Inventory;

const SDL: &str = r#"
interface Named { id: ID!  name: String  big: Boolean! }
type Vpc implements Named {
  id: ID!  name: String  vpcId: String!  cidr: CIDR
  logs: [Log!]! @relation(fields: ["vpcId"], references: ["resourceId"])
  big: Boolean! @computed(where: "{logsAggregate: {count_GT: 1}}")
}
type Log implements Named {
  id: ID!  name: String  resourceId: String  size: Float
  vpc: Vpc @relation(fields: ["resourceId"], references: ["vpcId"])
  big: Boolean! @computed(where: "{size_GT: 5}")
}
type Entry { id: ID!  logId: ID  log: Log @relation(fields: ["logId"], references: ["id"]) }
"#;

fn inventory() -> Inventory {
    let vpc = |id: &str, name: Option<&str>, cidr: &str| json!({"__typename": "Vpc", "id": id, "name": name, "vpcId": format!("vpc-{id}"), "cidr": cidr});
    let log = |id: &str, of: &str, size: f64| json!({"__typename": "Log", "id": id, "name": id, "resourceId": format!("vpc-{of}"), "size": size});
    let entry = |id: &str, of: Option<&str>| json!({"__typename": "Entry", "id": id, "logId": of});
    let assets: Vec<Value> = vec![
        vpc("a", Some("n2"), "10.0.0.0/8"),
        vpc("b", None, "9.0.0.0/8"),
        vpc("c", Some("n1"), "100.0.0.0/8"),
        log("l1", "a", 9.0),
        log("l2", "a", 1.0),
        log("l3", "c", 7.0),
        log("l4", "gone", 2.0),
        entry("e1", Some("l3")),
        entry("e2", Some("l1")),
        entry("e3", Some("l4")),
        entry("e4", None),
    ];
    Inventory::new(SDL, &assets)
}

#[test]
fn every_key_orders_and_the_id_breaks_ties() {
    let inventory = inventory();
    for (query, expected) in [
        ("vpcs { id }", "a b c"),
        ("vpcs(sort: [{name: ASC}]) { id }", "c a b"),
        ("vpcs(sort: [{name: DESC}]) { id }", "b a c"),
        ("vpcs(sort: {name: ASC}) { id }", "c a b"),
        // Addresses, not texts.
        ("vpcs(sort: [{cidr: ASC}]) { id }", "b a c"),
        ("vpcs(sort: [{logsAggregate: {count: DESC}}]) { id }", "a c b"),
        ("vpcs(sort: [{logsAggregate: {count: ASC}}], limit: 2) { id }", "b c"),
        ("vpcs(sort: [{big: DESC}]) { id }", "a b c"),
        ("vpcs(sort: [{big: ASC}, {name: DESC}]) { id }", "b c a"),
        ("logs(sort: [{vpc: {name: ASC}}]) { id }", "l3 l1 l2 l4"),
        ("logs(sort: [{vpc: {name: DESC}}, {size: ASC}]) { id }", "l4 l2 l1 l3"),
        ("logs(sort: [{vpc: {name: ASC, id: ASC}}], limit: 1) { id }", "l3"),
        ("logs(sort: [{vpc: {logsAggregate: {count: DESC}}}]) { id }", "l4 l1 l2 l3"),
        ("logs(sort: [{vpcAggregate: {count: ASC}}]) { id }", "l4 l1 l2 l3"),
        ("logs(sort: [{vpc: {big: ASC}}]) { id }", "l3 l1 l2 l4"),
        // Two hops; where one is missing there is null.
        ("entries(sort: [{log: {vpc: {name: ASC}}}]) { id }", "e1 e2 e3 e4"),
        ("entries(sort: [{log: {vpc: {name: DESC}}}]) { id }", "e3 e4 e2 e1"),
        // What the interface calls a Boolean its types compute.
        ("nameds(sort: [{big: DESC}, {id: DESC}]) { id }", "l3 l1 a l4 l2 c b"),
        ("nameds(where: {big: true}) { id }", "a l1 l3"),
        ("nameds(where: {big_NOT: true}) { id }", "b c l2 l4"),
    ] {
        assert_eq!(inventory.ids(query), expected, "{query}");
    }
}

#[test]
fn nested_lists_take_the_same_orders() {
    let query = "vpcs(where: {id: \"a\"}) { logs(sort: [{big: DESC}]) { id } \
                 turned: logs(sort: [{vpc: {name: ASC}}, {size: ASC}]) { id } }";
    let expected = json!([{"logs": [{"id": "l1"}, {"id": "l2"}], "turned": [{"id": "l2"}, {"id": "l1"}]}]);
    assert_eq!(inventory().root(query), expected);
}

#[test]
fn an_order_may_come_as_a_variable() {
    let query = "query ($sort: [VpcSort!]) { vpcs(sort: $sort) { id } }";
    let sort = json!({"sort": [{"logsAggregate": {"count": "DESC"}}, {"name": "ASC"}]});
    assert_eq!(inventory().data_with(query, &sort), json!({"vpcs": [{"id": "a"}, {"id": "c"}, {"id": "b"}]}));
    // The keys of a JSON object have no order of their own.
    let sort = json!({"sort": [{"name": "ASC", "big": "ASC"}]});
    let inventory = inventory();
    let answer = inventory.answer(&inventory.graph, query, &sort);
    assert_eq!(answer["errors"][0]["extensions"]["code"], "wrong_value", "{answer}");
    let written = "vpcs(sort: [{name: DESC, big: ASC}]) { id }";
    assert_eq!(inventory.ids(written), "b a c");
}

#[test]
fn an_order_that_is_none_says_what_to_write() {
    let inventory = inventory();
    for (query, code, help) in [
        ("vpcs(sort: [{nme: ASC}]) { id }", "unknown_key", "did you mean `name`?"),
        ("vpcs(sort: [{logs: ASC}]) { id }", "unknown_key", "write `{logsAggregate: {count: DESC}}`"),
        ("vpcs(sort: [{logsAggregate: {size: DESC}}]) { id }", "unknown_key", "write `{count: DESC}`"),
        ("vpcs(sort: [{logsAggregate: DESC}]) { id }", "wrong_value", ""),
        ("vpcs(sort: [{logsAggregate: {count: \"DESC\"}}]) { id }", "wrong_value", ""),
        ("logs(sort: [{vpc: ASC}]) { id }", "wrong_value", ""),
        ("logs(sort: [{vpc: {nme: ASC}}]) { id }", "unknown_key", "did you mean `name`?"),
        ("logs(sort: [{vpc: {name: ASC, name: DESC}}]) { id }", "given_twice", ""),
        ("vpcs(sort: [{name: UP}]) { id }", "wrong_value", ""),
        ("vpcs(sort: [null]) { id }", "wrong_value", ""),
    ] {
        let (actual, _, message, actual_help) = inventory.refusal(query);
        assert_eq!((actual.as_str(), actual_help.as_str()), (code, help), "{query}: {message}");
    }
}
