//! What is looked up by a value is found without a look at all values: tests count those that are compared.

use std::sync::Arc;

use passmuster::{
    catalog::{Catalog, Source},
    graph::{Changes, Graph, GraphBuilder, values_compared},
    model::{Asset, Time},
    query::{Engine, ExplainRequest, Fragments, GuardLimits, Request, run::RunLimits},
};
use serde_json::{Value, json};

const SDL: &str = r#"
type Tag { key: String! value: String }
type Vpc {
  id: ID! vpcId: String! name: String accountId: String region: String
  cidrBlock: CIDR tags: [Tag!]!
}
"#;

/// More than an index by number or a search by halves would have to look at.
const VPCS: usize = 5_000;
/// A search by halves of so many values, for each of two ends, and some more.
const FEW: u64 = 40;

fn vpc(place: usize) -> Asset {
    let vpc_id = format!("vpc-{:05x}", place * 7_919 % 1_048_576);
    let (account, region) = (place % 300, ["eu-west-1", "us-east-1"][place % 2]);
    Asset::from_json(json!({
        "__typename": "Vpc", "id": format!("arn:aws:ec2:{region}:{account:012}:vpc/{vpc_id}"), "vpcId": vpc_id,
        "name": format!("team {place:04}"), "accountId": format!("{account:012}"), "region": region,
        "cidrBlock": format!("10.{}.{}.0/24", place / 256, place % 256),
        "tags": [{"key": "owner", "value": format!("person-{}", place % 1000)}],
    }))
    .unwrap()
}

struct Inventory {
    engine: Engine,
    graph: Graph,
}

impl Inventory {
    fn new(assets: impl IntoIterator<Item = Asset>) -> Self {
        let catalog = Arc::new(Catalog::read(&[Source::new("test.graphql", SDL)]).unwrap());
        let engine = Engine::new(Arc::clone(&catalog), Fragments::default(), GuardLimits::default()).unwrap();
        let mut builder = GraphBuilder::new(catalog);
        for asset in assets {
            builder.push(&asset).unwrap();
        }
        let graph = builder.finish(None, Time::from_millis(0).unwrap()).unwrap();
        Self { engine, graph }
    }

    /// The rows of an answer, and how many values were compared for it where it is asked for the second time: what helps
    /// a search is made at the first.
    fn ask(&self, query: &str, variables: Value) -> (Vec<Value>, u64) {
        let Value::Object(variables) = variables else { panic!("{variables} is no object") };
        let request = Request { variables, ..Request::new(query) };
        let mut before = 0;
        let mut body = Vec::new();
        for _ in 0..2 {
            before = values_compared();
            let response = self.engine.execute(&self.graph, &request, &RunLimits::unlimited());
            assert_eq!(response.errors, [], "{query}");
            body = response.body;
        }
        let compared = values_compared() - before;
        let parsed: Value = serde_json::from_slice(&body).unwrap();
        (parsed["data"]["rows"].as_array().unwrap().clone(), compared)
    }
}

fn inventory() -> Inventory {
    Inventory::new((0..VPCS).map(vpc))
}

/// The field of each row, sorted.
fn values(rows: &[Value], field: &str) -> Vec<String> {
    let mut values: Vec<String> = rows.iter().map(|row| row[field].as_str().unwrap().to_owned()).collect();
    values.sort_unstable();
    values
}

#[test]
fn a_network_is_found_among_all_by_its_ends() {
    let inventory = inventory();
    for (key, net, expected) in [
        ("WITHIN", "10.3.0.0/16", 256),
        ("WITHIN", "10.0.0.0/8", VPCS),
        ("WITHIN", "10.3.7.0/24", 1),
        ("WITHIN", "10.3.7.0/25", 0),
        ("WITHIN", "2001:db8::/32", 0),
        ("OVERLAPS", "10.3.7.128/25", 1),
        ("OVERLAPS", "10.3.6.0/23", 2),
    ] {
        let query =
            format!("query ($net: String) {{ rows: vpcs(where: {{cidrBlock_{key}: $net}}) {{ id }} }}");
        let (rows, compared) = inventory.ask(&query, json!({"net": net}));
        assert_eq!(rows.len(), expected, "{key} {net}");
        // An overlap asks for each length that a network around it may have.
        let most = if key == "OVERLAPS" { 33 * FEW } else { FEW };
        assert!(compared <= most, "{key} {net}: {compared} values were compared");
    }
    let around = "query ($net: String) { rows: vpcs(where: {cidrBlock_CONTAINS: $net}) { cidrBlock } }";
    let (rows, compared) = inventory.ask(around, json!({"net": "10.3.7.9"}));
    assert_eq!(values(&rows, "cidrBlock"), ["10.3.7.0/24"]);
    assert!(compared <= 33 * FEW, "{compared} values were compared");
}

#[test]
fn networks_of_every_length_are_found_as_they_are_one_by_one() {
    let nets = [
        "0.0.0.0/0",
        "10.0.0.0/8",
        "10.0.0.0/16",
        "10.0.0.0/24",
        "10.0.1.0/24",
        "10.1.0.0/16",
        "9.0.0.0/8",
        "10.0.0.128/25",
        "10.0.0.255/32",
        "11.0.0.0/8",
        "2001:db8::/32",
        "::/0",
        "2001:db8::/48",
        "fe80::/10",
        // One network in two spellings, and networks that differ only far behind.
        "10.0.0.7/24",
        "10.0.0.9/24",
        "2001:db8::/64",
        "2001:db8::1/128",
        "2001:db8::2/128",
        "2001:db8::2/127",
        "2001:db8::2:0/112",
    ];
    let with_net = |(place, net): (usize, &&str)| {
        Asset::from_json(json!({"__typename": "Vpc", "id": format!("v{place:02}"), "vpcId": "v", "cidrBlock": net, "tags": []}))
            .unwrap()
    };
    let mut patched = Inventory::new(nets.iter().enumerate().map(with_net).take(9));
    // The others come later, in no order.
    let put = nets.iter().enumerate().map(with_net).skip(9).collect();
    let changes = Changes { put, ..Changes::default() };
    patched.graph = patched.graph.patched(&changes, Time::from_millis(1).unwrap()).unwrap().graph;
    let built = Inventory::new(nets.iter().enumerate().map(with_net));
    let parse = |net: &str| net.parse::<ipnet::IpNet>().unwrap();
    let wanted =
        nets.iter().chain(&["10.0.0.64/26", "172.16.0.0/12", "2001:db8:0:1::/64", "2001:db8::3/128"]);
    for (inventory, wanted) in wanted.flat_map(|wanted| [(&patched, wanted), (&built, wanted)]) {
        let net = parse(wanted);
        let expected = |passes: &dyn Fn(ipnet::IpNet) -> bool| -> Vec<String> {
            let mut all: Vec<String> =
                nets.iter().filter(|other| passes(parse(other))).map(|net| (*net).to_owned()).collect();
            all.sort_unstable();
            all
        };
        for (key, expected) in [
            ("WITHIN", expected(&|other| net.contains(&other))),
            ("CONTAINS", expected(&|other| other.contains(&net))),
            ("OVERLAPS", expected(&|other| net.contains(&other) || other.contains(&net))),
        ] {
            let query = format!("{{ rows: vpcs(where: {{cidrBlock_{key}: \"{wanted}\"}}) {{ cidrBlock }} }}");
            assert_eq!(values(&inventory.ask(&query, json!({})).0, "cidrBlock"), expected, "{key} {wanted}");
        }
    }
}

#[test]
fn a_text_is_found_among_all_by_halves() {
    let inventory = inventory();
    let wanted = vpc(1_234);
    let vpc_id = wanted.fields["vpcId"].clone();
    for (query, variables, expected) in [
        ("query ($v: String) { rows: vpcs(where: {vpcId: $v}) { id } }", json!({"v": vpc_id}), 1),
        ("query ($v: String) { rows: vpcs(where: {vpcId: $v}) { id } }", json!({"v": "vpc-zzz"}), 0),
        ("query ($v: String) { rows: vpcs(where: {vpcId: $v}) { id } }", json!({"v": "a"}), 0),
        ("query ($v: String) { rows: vpcs(where: {vpcId: $v}) { id } }", json!({"v": "z"}), 0),
        (
            "query ($v: String) { rows: vpcs(where: {name_STARTS_WITH: $v}) { id } }",
            json!({"v": "team 12"}),
            100,
        ),
        ("query ($v: String) { rows: vpcs(where: {name_GTE: $v}) { id } }", json!({"v": "team 4990"}), 10),
        (
            "query ($v: [String]) { rows: vpcs(where: {name_IN: $v}) { id } }",
            json!({"v": ["team 0001", "team 0003", "no"]}),
            2,
        ),
        ("query ($v: ID) { rows: vpcs(where: {id: $v}) { id } }", json!({"v": wanted.id}), 1),
        (
            "query ($v: ID) { rows: vpcs(where: {id: $v}) { id } }",
            json!({"v": "arn:aws:ec2:eu-west-1:000000000001:vpc/none"}),
            0,
        ),
    ] {
        let (rows, compared) = inventory.ask(query, variables.clone());
        assert_eq!(rows.len(), expected, "{query} {variables}");
        // Each value of a list, and of an id its two parts, is a search of its own.
        assert!(compared <= 3 * FEW, "{query} {variables}: {compared} values were compared");
    }
}

#[test]
fn every_text_of_a_long_column_is_found_where_it_stands() {
    let inventory = inventory();
    for place in (0..VPCS).step_by(37) {
        let asset = vpc(place);
        let query =
            "query ($v: String, $id: ID!) { rows: vpcs(where: {vpcId: $v}) { id } vpc(id: $id) { id } }";
        let (rows, _) = inventory.ask(query, json!({"v": asset.fields["vpcId"], "id": asset.id}));
        assert_eq!(values(&rows, "id"), [asset.id.as_str()]);
    }
    let names = |from: &str| {
        let (rows, _) = inventory
            .ask("query ($v: String) { rows: vpcs(where: {name_GTE: $v}) { name } }", json!({"v": from}));
        rows.len()
    };
    assert_eq!(
        [names(""), names("team"), names("team 1000"), names("team 10005"), names("u")],
        [VPCS, VPCS, 4_000, 3_999, 0]
    );
}

#[test]
fn what_a_search_cannot_find_is_not_read() {
    let inventory = inventory();
    let search = "query ($text: String!) { rows: search(text: $text) { id field } }";
    let (rows, compared) = inventory.ask(search, json!({"text": "xylophone"}));
    assert_eq!(rows.len(), 0);
    assert!(compared <= 10, "no two letters of it stand beside each other anywhere: {compared}");
    let (rows, compared) = inventory.ask(search, json!({"text": "TEAM 12"}));
    assert_eq!(rows.len(), 100);
    assert!(compared <= VPCS as u64 + 10, "only names are read: {compared}");
}

#[test]
fn a_text_is_found_in_both_pieces_of_an_id_and_across_them() {
    let inventory = inventory();
    let search = "query ($text: String!) { rows: search(text: $text) { id } }";
    let expected = |text: &str| -> Vec<String> {
        let ids = (0..VPCS).map(|place| vpc(place).id).filter(|id| id.to_lowercase().contains(text));
        let mut ids: Vec<String> = ids.collect();
        ids.sort_unstable();
        ids
    };
    for text in [
        ":000000000007:",
        "vpc-0a",
        "vpc/vpc-0a",
        "7:vpc/vpc-00",
        "/vpc-0",
        "c/v",
        "/v",
        "vpc/",
        "vpc/z",
        "9:vpc/vpc-00000000",
    ] {
        let found = values(&inventory.ask(search, json!({"text": text.to_uppercase()})).0, "id");
        assert_eq!(found, expected(text), "{text}");
        let exact = "query ($text: ID) { rows: vpcs(where: {id_CONTAINS: $text}) { id } }";
        assert_eq!(values(&inventory.ask(exact, json!({"text": text})).0, "id"), expected(text), "{text}");
    }
}

#[test]
fn a_conjunction_begins_where_fewest_are_expected() {
    let inventory = inventory();
    // A name is of one VPC, an account of some sixteen, a region of half of all.
    let query = r#"{ rows: vpcs(where: {region: "eu-west-1", accountId: "000000000004", name: "team 0004"}) { id } }"#;
    let request = Request { explain: Some(ExplainRequest::default()), ..Request::new(query) };
    let response = inventory.engine.execute(&inventory.graph, &request, &RunLimits::unlimited());
    let explained = response.explanation.expect("it was asked for");
    assert_eq!(response.rows, 1);
    assert!(explained.visited.rows <= 3, "one candidate is asked three times: {:?}", explained.visited);
}

#[test]
fn a_text_is_found_in_either_half_of_many_megabytes_and_where_they_meet() {
    // Searched by two threads from 4 MB on; each name is 500 bytes long and has its own number at both ends.
    let long = |place: usize| format!("<{place:05}{}{place:05}>", "x".repeat(488));
    let vpcs = (0..9_000).map(|place| vpc(place).with("name", long(place)));
    let inventory = Inventory::new(vpcs);
    for place in [0, 1, 4_499, 4_500, 4_501, 8_999] {
        for part in [format!("<{place:05}x"), format!("x{place:05}>")] {
            let query = "query($part: String!) { rows: vpcs(where: {name_CONTAINS: $part}) { name } }";
            let (rows, _) = inventory.ask(query, json!({"part": part}));
            assert_eq!(values(&rows, "name"), [long(place)]);
        }
    }
    let query = "{ vpcsAggregate(where: {name_CONTAINS: \"xx\"}) { count } }";
    let response = inventory.engine.execute(&inventory.graph, &Request::new(query), &RunLimits::unlimited());
    assert_eq!(response.body, br#"{"data":{"vpcsAggregate":{"count":9000}}}"#);
}
