//! Connections: pages with cursors, at the root, over interfaces and beside relations.

use serde_json::{Value, json};

use super::Inventory;

const SDL: &str = r#"
interface Asset { id: ID!  name: String }
type Vpc implements Asset {
  id: ID!  name: String  size: Int  weight: Float  at: DateTime  cidr: CIDR  ok: Boolean
  subnets: [Subnet!]! @relation(fields: ["id"], references: ["vpcId"])
  anything: [Asset!]! @relation(fields: ["id"], references: ["name"])
  busy: Boolean! @computed(where: "{subnets_NOT: null}")
}
type Subnet implements Asset {
  id: ID!  name: String  vpcId: ID
  vpc: Vpc @relation(fields: ["vpcId"], references: ["id"])
}
type Bounded @limit(default: 2, max: 3) { id: ID! }
"#;

fn vpc(id: &str, name: Option<&str>, size: Option<i64>) -> Value {
    json!({"__typename": "Vpc", "id": id, "name": name, "size": size, "weight": size.map(|size| size as f64 / 3.0),
        "at": size.map(|size| format!("2024-01-0{size}")), "cidr": size.map(|size| format!("10.{size}.0.0/16")),
        "ok": size.map(|size| size > 2)})
}

fn assets() -> Vec<Value> {
    let mut assets = vec![
        vpc("a", Some("n"), Some(3)),
        vpc("b", Some("m"), Some(1)),
        vpc("c", None, Some(2)),
        vpc("d", Some("n"), None),
        vpc("e", Some("ä\"\n"), Some(2)),
    ];
    for (id, of) in [("s1", "a"), ("s2", "a"), ("s3", "b"), ("s4", "a")] {
        assets.push(json!({"__typename": "Subnet", "id": id, "vpcId": of, "name": "a"}));
    }
    assets.extend((0..5).map(|at| json!({"__typename": "Bounded", "id": format!("b{at}")})));
    assets
}

fn inventory() -> Inventory {
    Inventory::new(SDL, &assets())
}

/// The ids and cursors of a page.
fn page_of(connection: &Value) -> (String, Vec<String>) {
    let edges = connection["edges"].as_array().unwrap();
    let ids = edges.iter().map(|edge| edge["node"]["id"].as_str().unwrap()).collect::<Vec<_>>().join(" ");
    (ids, edges.iter().map(|edge| edge["cursor"].as_str().unwrap().to_owned()).collect())
}

const ORDERS: [(&str, &str); 10] = [
    ("", "a b c d e"),
    ("sort: [{name: ASC}]", "b a d e c"),
    ("sort: [{name: DESC}, {size: ASC}]", "c e a d b"),
    ("sort: [{size: ASC}]", "b c e a d"),
    ("sort: [{weight: DESC}]", "d a c e b"),
    ("sort: [{at: ASC}]", "b c e a d"),
    ("sort: [{cidr: DESC}]", "d a c e b"),
    ("sort: [{ok: ASC}, {id: DESC}]", "e c b a d"),
    ("sort: [{busy: DESC}]", "a b c d e"),
    ("sort: [{subnetsAggregate: {count: DESC}}, {id: DESC}]", "a b e d c"),
];

#[test]
fn every_order_is_walked_page_by_page_without_loss_or_repeat() {
    let inventory = inventory();
    for (sort, expected) in ORDERS {
        for first in 1..4 {
            let (mut walked, mut after) = (Vec::new(), "null".to_owned());
            loop {
                let query = format!(
                    "vpcsConnection({sort} first: {first}, after: {after}) {{ totalCount edges {{ cursor node {{ id }} }}
                     pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }}"
                );
                let connection = inventory.root(&query);
                let (ids, cursors) = page_of(&connection);
                let info = &connection["pageInfo"];
                assert_eq!(connection["totalCount"], 5);
                assert_eq!(info["hasPreviousPage"], after != "null", "{query}");
                assert_eq!(info["startCursor"], json!(cursors.first()));
                assert_eq!(info["endCursor"], json!(cursors.last()));
                walked.push(ids);
                if info["hasNextPage"] == false {
                    break;
                }
                after = format!("{:?}", cursors.last().unwrap());
            }
            assert_eq!(walked.join(" "), expected, "{sort} by {first}");
        }
    }
}

#[test]
fn a_cursor_outlives_inserts_before_it_and_the_asset_it_points_at() {
    let inventory = inventory();
    for (sort, points_at, expected) in [
        ("", "c", "d e f"),
        ("sort: [{name: ASC}]", "a", "d f e"),
        // Behind size 2 and the id c.
        ("sort: [{size: ASC}]", "c", "e f d"),
        ("sort: [{busy: ASC}]", "c", "d e f b"),
    ] {
        let query = |after: &str| {
            format!("vpcsConnection({sort} after: {after}) {{ edges {{ cursor node {{ id }} }} }}")
        };
        let (ids, cursors) = page_of(&inventory.root(&query("null")));
        let at = ids.split(' ').position(|id| id == points_at).unwrap();
        // What the cursor may point at is gone; one is put in before it and one behind it.
        let mut later = assets();
        later.retain(|asset| !["a", "c"].contains(&asset["id"].as_str().unwrap()));
        later.push(vpc("0", Some("aa"), Some(1)));
        later.push(vpc("f", Some("nn"), Some(3)));
        let graph = inventory.over(&later);
        let answer = inventory.answer(&graph, &query(&format!("{:?}", cursors[at])), &json!({}));
        assert_eq!(page_of(&answer["data"]["vpcsConnection"]).0, expected, "{sort}");
    }
}

#[test]
fn an_empty_page_has_no_cursors_and_a_total_ignores_the_page() {
    let inventory = inventory();
    let fields = "totalCount edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }";
    let page = |total: u64, next: bool| {
        json!({"totalCount": total, "edges": [], "pageInfo":
            {"hasNextPage": next, "hasPreviousPage": false, "startCursor": null, "endCursor": null}})
    };
    // Q20: `first: 0` gives no edges.
    assert_eq!(inventory.root(&format!("vpcsConnection(first: 0) {{ {fields} }}")), page(5, true));
    let none = format!("vpcsConnection(where: {{id: \"x\"}}, first: 2) {{ {fields} }}");
    assert_eq!(inventory.root(&none), page(0, false));
    let total = "vpcsConnection(where: {size_GT: 1}, first: 1) { totalCount }";
    assert_eq!(inventory.root(total), json!({"totalCount": 3}));
    assert_eq!(inventory.root("vpcsConnection(first: 2147483647) { totalCount }"), json!({"totalCount": 5}));
}

#[test]
fn a_total_builds_no_rows() {
    let inventory = inventory();
    for (query, rows) in [
        ("vpcsConnection { totalCount }", 0),
        ("vpcsConnection(sort: [{name: ASC}], first: 3) { totalCount pageInfo { hasNextPage } }", 0),
        ("vpcsConnection(first: 3) { edges { cursor } }", 3),
        ("vpcsConnection(first: 3) { edges { node { id } } }", 3),
        ("vpcsAggregate { count name { shortest } }", 0),
        ("vpcsGroup(by: [name]) { count }", 4),
    ] {
        let request = passmuster::query::Request::new(query);
        let limits = passmuster::query::run::RunLimits::unlimited();
        assert_eq!(inventory.engine.execute(&inventory.graph, &request, &limits).rows, rows, "{query}");
    }
    let limits =
        passmuster::query::run::RunLimits { max_rows: 2, ..passmuster::query::run::RunLimits::unlimited() };
    let request = passmuster::query::Request::new("vpcsConnection { edges { cursor } }");
    let response = inventory.engine.execute(&inventory.graph, &request, &limits);
    assert_eq!(response.errors[0].code(), "too_many_rows");
}

#[test]
fn a_relation_s_connection_pages_for_each_parent() {
    let query = "vpcs(where: {busy: true}) { id subnetsConnection(first: 2, sort: [{node: {id: DESC}}]) {
        totalCount edges { cursor node { id vpc { id } } } pageInfo { hasNextPage endCursor } } }";
    let inventory = inventory();
    let answer = inventory.root(query);
    let connection = &answer[0]["subnetsConnection"];
    let (ids, cursors) = page_of(connection);
    assert_eq!((ids.as_str(), &connection["totalCount"]), ("s4 s2", &json!(3)));
    assert_eq!(connection["pageInfo"], json!({"hasNextPage": true, "endCursor": cursors[1]}));
    assert_eq!(connection["edges"][0]["node"]["vpc"]["id"], "a");
    assert_eq!(page_of(&answer[1]["subnetsConnection"]).0, "s3");
    let next = format!(
        "vpc(id: \"a\") {{ subnetsConnection(first: 2, sort: {{node: {{id: DESC}}}}, after: {:?},
          where: {{OR: [{{node: {{id: \"s1\"}}}}, {{node: {{id: \"s4\"}}}}]}}) {{
          totalCount edges {{ cursor node {{ id }} }} pageInfo {{ hasNextPage hasPreviousPage }} }} }}",
        cursors[1]
    );
    let connection = &inventory.root(&next)["subnetsConnection"];
    assert_eq!((page_of(connection).0.as_str(), &connection["totalCount"]), ("s1", &json!(2)));
    assert_eq!(connection["pageInfo"], json!({"hasNextPage": false, "hasPreviousPage": true}));
}

#[test]
fn an_interface_has_pages_over_all_its_types() {
    let inventory = inventory();
    let all =
        inventory.root("assetsConnection(sort: [{name: ASC}]) { totalCount edges { cursor node { id } } }");
    let (ids, cursors) = page_of(&all);
    assert_eq!((ids.as_str(), &all["totalCount"]), ("s1 s2 s3 s4 b a d e c", &json!(9)));
    for (at, cursor) in cursors.iter().enumerate() {
        let query = format!(
            "assetsConnection(sort: [{{name: ASC}}], first: 3, after: {cursor:?}) {{ edges {{ cursor node {{
             __typename ... on Vpc {{ size }} id }} }} }}"
        );
        let rest: Vec<&str> = ids.split(' ').skip(at + 1).take(3).collect();
        assert_eq!(page_of(&inventory.root(&query)).0, rest.join(" "));
    }
    let mixed =
        inventory.root("vpc(id: \"a\") { anythingConnection(first: 3) { edges { cursor node { id } } } }");
    assert_eq!(page_of(&mixed["anythingConnection"]).0, "s1 s2 s3");
}

#[test]
fn the_schema_s_limit_bounds_pages_too() {
    let inventory = inventory();
    for (query, expected) in [
        ("boundedsConnection { totalCount edges { cursor node { id } } }", "b0 b1"),
        ("boundedsConnection(first: 1) { totalCount edges { cursor node { id } } }", "b0"),
        ("boundedsConnection(first: 9) { totalCount edges { cursor node { id } } }", "b0 b1 b2"),
    ] {
        let connection = inventory.root(query);
        assert_eq!(
            (page_of(&connection).0.as_str(), &connection["totalCount"]),
            (expected, &json!(5)),
            "{query}"
        );
    }
}

#[test]
fn aliases_fragments_and_type_names_work_at_every_level() {
    let query = "query ($with: Boolean!) {
        page: vpcsConnection(first: 1) { ...Page __typename one: edges { node { id } } two: edges { at: cursor @include(if: $with)
          ... on VpcEdge { it: node { ... on Asset { name } } __typename } } }
        vpc(id: \"a\") { subnetsConnection(first: 1) { __typename edges { ...Edge } edges { node { name } } } subnetsAggregate { __typename } }
        vpcsAggregate { __typename size { __typename min } node { __typename } }
        vpcsGroup(by: name, limit: 1) { __typename key { __typename name } }
      }
      fragment Page on VpcsConnection { total: totalCount pageInfo { ...Info } }
      fragment Info on PageInfo { __typename next: hasNextPage }
      fragment Edge on SubnetEdge { __typename node { id } }";
    let expected = json!({
        "page": {"total": 5, "pageInfo": {"__typename": "PageInfo", "next": true}, "__typename": "VpcsConnection",
            "one": [{"node": {"id": "a"}}], "two": [{"it": {"name": "n"}, "__typename": "VpcEdge"}]},
        "vpc": {
            "subnetsConnection": {"__typename": "SubnetsConnection",
                "edges": [{"__typename": "SubnetEdge", "node": {"id": "s1", "name": "a"}}]},
            "subnetsAggregate": {"__typename": "SubnetAggregation"}},
        "vpcsAggregate": {"__typename": "VpcAggregation", "size": {"__typename": "IntFigures", "min": 1},
            "node": {"__typename": "VpcFigures"}},
        "vpcsGroup": [{"__typename": "VpcGroup", "key": {"__typename": "VpcGroupKey", "name": "n"}}],
    });
    assert_eq!(inventory().data_with(query, &json!({"with": false})), expected);
}

#[test]
fn introspection_stands_beside_pages_figures_and_groups() {
    let query = "{ vpcsConnection(first: 1) { totalCount pageInfo { hasNextPage endCursor } edges { cursor node { id } } }
        vpcsAggregate { count size { min } node { size { max } } } vpcsGroup(by: [ok]) { count key { ok } }
        search(text: \"s1\") { id asset { id } } vpc(id: \"a\") { subnetsConnection { totalCount } }
        __type(name: \"VpcsConnection\") { name } __schema { queryType { name } } }";
    let data = inventory().data(query);
    assert_eq!(data["vpcsConnection"]["totalCount"], 5);
    assert_eq!(data["search"], json!([{"id": "s1", "asset": {"id": "s1"}}]));
    assert_eq!(data["__type"], json!({"name": "VpcsConnection"}));
}

#[test]
fn a_cursor_may_come_as_a_variable_and_null_is_none() {
    let inventory = inventory();
    let query = "query ($first: Int = 2, $after: String) { vpcsConnection(first: $first, after: $after) {
        edges { cursor node { id } } } }";
    let page = |variables: &Value| page_of(&inventory.data_with(query, variables)["vpcsConnection"]);
    let (ids, cursors) = page(&json!({}));
    assert_eq!(ids, "a b");
    assert_eq!(page(&json!({"after": null, "first": null})).0, "a b c d e");
    assert_eq!(page(&json!({"after": cursors[1], "first": 9})).0, "c d e");
}

#[test]
fn q20_a_cursor_that_is_none_of_this_connection_is_refused() {
    let inventory = inventory();
    let (_, cursors) =
        page_of(&inventory.root("vpcsConnection(sort: [{name: ASC}]) { edges { cursor node { id } } }"));
    let cursor = &cursors[0];
    let (_, others) = page_of(&inventory.root("subnetsConnection { edges { cursor node { id } } }"));
    let damaged =
        format!("{}{}{}", &cursor[..30], if &cursor[30..31] == "B" { "C" } else { "B" }, &cursor[31..]);
    let fields = "{ edges { cursor } }";
    for after in [
        format!("sort: [{{name: ASC}}], after: {damaged:?}"),
        format!("sort: [{{name: ASC}}], after: {:?}", &cursor[..cursor.len() - 4]),
        format!("sort: [{{name: ASC}}], after: \"{cursor}AAAA\""),
        format!("sort: [{{name: DESC}}], after: {cursor:?}"),
        format!("sort: [{{size: ASC}}], after: {cursor:?}"),
        format!("after: {cursor:?}"),
        format!("after: {:?}", others[0]),
        "after: \"\"".to_owned(),
        "after: \"b2Zmc2V0OjU=\"".to_owned(),
        "after: \"no base 64!\"".to_owned(),
        "after: \"😀\"".to_owned(),
    ] {
        let query = format!("vpcsConnection({after}) {fields}");
        let (code, column, message, help) = inventory.refusal(&query);
        assert_eq!(code, "bad_cursor", "{query}: {message}");
        assert_eq!(column, query.find("after: ").unwrap() as u64 + 8, "{query}");
        assert!(help.contains("leave `after` out"), "{help}");
    }
    assert_eq!(inventory.refusal(&format!("vpcsConnection(after: 7) {fields}")).0, "wrong_value");
}

#[test]
fn q20_first_is_a_number_from_0_to_the_greatest_int() {
    let inventory = inventory();
    for (first, code) in [
        ("-1", "wrong_value"),
        ("2147483648", "wrong_value"),
        ("1.5", "wrong_value"),
        ("\"1\"", "wrong_value"),
    ] {
        let (actual, column, ..) =
            inventory.refusal(&format!("vpcsConnection(first: {first}) {{ totalCount }}"));
        assert_eq!((actual.as_str(), column), (code, 23), "{first}");
    }
}
