//! What is remembered of requests changes no answer: random documents and variables, asked of an engine that remembers
//! everything, of one that forgets soon, and of one that remembers nothing. And it saves the work: on a hit nothing is
//! parsed, validated or planned.

use std::sync::Arc;

use fastrand::Rng;
use passmuster::{
    catalog::{Catalog, Source},
    graph::{Graph, GraphBuilder},
    model::{Asset, Time},
    query::{CacheLimits, Engine, Fragments, GuardLimits, Preparations, Request, run::RunLimits},
};
use serde_json::{Map, Value, json};

const SDL: &str = r#"
interface Thing { id: ID! name: String region: String accountId: String tags: [Tag!] }
type Tag { key: String value: String }
enum Stage { PROD DEV }
type Vpc implements Thing {
  id: ID! name: String region: String accountId: String tags: [Tag!]
  vpcId: String stage: Stage size: Int weight: Float big: BigInt isDefault: Boolean createdAt: Date
  cidrBlock: CIDR zones: [String!]
  hasFlowLog: [FlowLog!]! @relation(fields: ["vpcId", "region"], references: ["resourceId", "region"])
}
type FlowLog implements Thing {
  id: ID! name: String region: String accountId: String tags: [Tag!]
  resourceId: String flowLogStatus: String
  vpc: Vpc @relation(fields: ["resourceId"], references: ["vpcId"])
}
"#;

fn catalog() -> Arc<Catalog> {
    Arc::new(Catalog::read(&[Source::new("test.graphql", SDL)]).unwrap_or_else(|errors| panic!("{errors}")))
}

fn engine(catalog: &Arc<Catalog>, cache: CacheLimits) -> Engine {
    let short = ("Short".to_owned(), "fragment Short on Thing { id name }".to_owned());
    let fragments = Fragments::from([short]);
    Engine::with_cache(Arc::clone(catalog), fragments, GuardLimits::default(), cache).unwrap()
}

fn graph(catalog: &Arc<Catalog>) -> Graph {
    let mut builder = GraphBuilder::new(Arc::clone(catalog));
    for place in 0..12 {
        let stage = if place % 3 == 0 { "PROD" } else { "DEV" };
        let vpc = json!({"__typename": "Vpc", "id": format!("v{place}"), "vpcId": format!("vpc-{place}"),
            "name": format!("name {}", place % 5), "region": format!("r{}", place % 2), "stage": stage,
            "size": place, "weight": f64::from(place) / 2.0, "isDefault": place % 4 == 0, "big": "9007199254740993",
            "cidrBlock": format!("10.{place}.0.0/16"), "zones": ["x", "y"], "createdAt": "2024-01-02",
            "tags": [{"key": "env", "value": stage}]});
        let log = json!({"__typename": "FlowLog", "id": format!("f{place}"), "resourceId": format!("vpc-{}", place / 2),
            "region": format!("r{}", place % 2), "flowLogStatus": if place % 2 == 0 { "ACTIVE" } else { "DEAD" }});
        for asset in [vpc, log] {
            builder.push(&Asset::from_json(asset).unwrap()).unwrap();
        }
    }
    builder.finish(None, Time::from_millis(0).unwrap()).unwrap()
}

/// Root fields: `§` stands for a variable of the type that follows it.
const ROOTS: [&str; 22] = [
    "vpcs(where: {vpcId: §String}) { id ...Short hasFlowLog { flowLogStatus } }",
    "vpcs(where: {stage: §Stage, region_IN: §[String]}) { id stage }",
    "vpcs(where: {stage_IN: §[Stage]}) { id stage }",
    "vpcs(where: {OR: [{name: §String}, {size_GT: §Int}, {NOT: {isDefault: §Boolean}}]}) { id }",
    "vpcs(where: §VpcWhere) { id name }",
    "vpcs(where: {AND: [§VpcWhere, {hasFlowLog_SOME: §FlowLogWhere}]}) { id }",
    "vpcs(sort: §[VpcSort!], limit: §Int, offset: §Int) { id }",
    "vpcs(sort: [{name: §SortDirection}]) { id name }",
    "vpcs(limit: 3) { id name @include(if: §Boolean!) size @skip(if: §Boolean!) }",
    "vpcs(where: {cidrBlock_WITHIN: §CIDR, weight_LTE: §Float, big: §BigInt}) { cidrBlock weight big }",
    "vpcs(where: {createdAt_GTE: §Date, name_MATCHES: §String, zones_INCLUDES: §String}) { createdAt zones }",
    "vpcs(where: {hasFlowLogAggregate: {count_GT: §Int}}) { id hasFlowLogAggregate(where: §FlowLogWhere) { count } }",
    "vpcs(where: {tags_SOME: {key: §String, value_STARTS_WITH: §String}}) { tags { key value } }",
    "vpc(id: §ID!) { id name }",
    "things(where: {typename_IN: §[ThingImplementation!], name_CONTAINS: §String}) { __typename id }",
    "vpcsConnection(first: §Int, after: §String, where: §VpcWhere) { totalCount edges { cursor node { id } } }",
    "vpcsAggregate(where: {region: §String}) { count size { max } }",
    "vpcsGroup(by: [region], where: {size_LT: §Int}) { key { region } count }",
    "search(text: §String!, limit: §Int) { id typename }",
    "__type(name: §String!) { name kind }",
    "vpcs(asOf: §DateTime, limit: 1) { id }",
    "flowLogs(where: {vpc: §VpcWhere, flowLogStatus_NOT: §String}) { id vpc(where: {name: §String}) { id } }",
];

/// One random document, with the names of its variables and the types of the places they stand in.
fn document(random: &mut Rng) -> (String, Vec<(String, String)>) {
    let (mut declared, mut names, mut roots) = (Vec::new(), Vec::new(), Vec::new());
    for place in 0..random.usize(1..3) {
        let mut parts = random.choice(ROOTS).unwrap().split('§');
        let mut root = format!("k{place}: {}", parts.next().unwrap());
        for part in parts {
            let end = part.find([',', '}', ')']).unwrap();
            let (of, rest) = part.split_at(end);
            if random.u8(0..40) == 0 {
                root += random.choice(["null", "\"r1\"", "1", "true", "{size: 1}", "[]", "$gone"]).unwrap();
            } else {
                let name = format!("v{}", names.len());
                let place = of.to_owned();
                let of = match random.u8(0..40) {
                    0 => format!("{}!", of.trim_end_matches('!')),
                    1 => "String".to_owned(),
                    _ => of.to_owned(),
                };
                let default = match (random.u8(0..10), of.trim_end_matches('!')) {
                    (0, _) if !of.ends_with('!') => " = null",
                    (1, "String") => " = \"r1\"",
                    (1 | 2, "Int") => " = 2",
                    (1, "[String]") => " = [\"r1\", null]",
                    (1, "VpcWhere") => " = {size_GT: 3}",
                    _ => "",
                };
                declared.push(format!("${name}: {of}{default}"));
                root += &format!("${name}");
                names.push((name, place));
            }
            root += rest;
        }
        roots.push(root);
    }
    let heading =
        if declared.is_empty() { String::new() } else { format!("query Q({}) ", declared.join(", ")) };
    let mut text = format!("{heading}{{ {} }}", roots.join(" "));
    match random.u8(0..40) {
        0 => text += " query Other { __typename }",
        1 => text = text.replacen("id", "idd", 1),
        2 => drop(text.pop()),
        3 => text = text.replacen("where", "were", 1),
        _ => {}
    }
    (text, names)
}

/// A value that fits a place.
fn fitting(random: &mut Rng, of: &str) -> Value {
    if let Some(item) = of.strip_prefix('[').and_then(|of| of.trim_end_matches('!').strip_suffix(']')) {
        return (0..random.u8(0..3)).map(|_| fitting(random, item)).collect();
    }
    match of.trim_end_matches('!') {
        "Int" | "BigInt" => json!(random.i64(0..8)),
        "Float" => json!(random.f64()),
        "Boolean" => json!(random.bool()),
        "Stage" => json!(random.choice(["PROD", "DEV"])),
        "SortDirection" => json!(random.choice(["ASC", "DESC"])),
        "VpcSort" => json!({"size": random.choice(["ASC", "DESC"])}),
        "CIDR" => json!("10.0.0.0/13"),
        "Date" => json!("2024-01-01"),
        "ThingImplementation" => json!(random.choice(["Vpc", "FlowLog"])),
        "FlowLogWhere" => json!({"flowLogStatus": random.choice(["ACTIVE", "DEAD"])}),
        "VpcWhere" => match random.u8(0..4) {
            0 => json!({}),
            1 => json!({"size_GT": random.u8(0..9)}),
            2 => json!({"OR": [{"name": "name 1"}, {"stage": "DEV", "size_LT": random.u8(0..9)}]}),
            _ => json!({"hasFlowLog_NONE": {"flowLogStatus": "ACTIVE"}, "isDefault": random.bool()}),
        },
        _ => match random.u8(0..5) {
            0 => json!(format!("v{}", random.u8(0..12))),
            1 => json!(format!("vpc-{}", random.u8(0..12))),
            2 => json!(format!("name {}", random.u8(0..6))),
            3 => json!(random.choice(["Vpc", "env", "name", ""])),
            _ => json!(format!("r{}", random.u8(0..3))),
        },
    }
}

/// Any value.
fn value(random: &mut Rng, depth: u8) -> Value {
    match random.u8(0..if depth == 0 { 14 } else { 18 }) {
        0 => Value::Null,
        1 => json!(random.i64(-1..8)),
        2 => json!(2.0),
        3 => json!(1.5),
        4 | 5 => json!(random.bool()),
        6 => json!("PROD"),
        7 => json!(format!("v{}", random.u8(0..12))),
        8 => json!(format!("vpc-{}", random.u8(0..12))),
        9 => json!("10.0.0.0/8"),
        10 => json!("2024-01-01T00:00:00Z"),
        11 => json!(*random.choice(["Vpc", "DESC", "env", "(", "2024-01-01", ""]).unwrap()),
        12 | 13 => json!(format!("r{}", random.u8(0..3))),
        14 | 15 => (0..random.u8(0..3)).map(|_| value(random, depth - 1)).collect(),
        _ => {
            let keys = [
                "size",
                "name",
                "name_IN",
                "size_GT",
                "stage",
                "OR",
                "hasFlowLog_NONE",
                "flowLogStatus",
                "nme",
            ];
            let entries = (0..random.u8(0..3))
                .map(|_| ((*random.choice(keys).unwrap()).to_owned(), value(random, depth - 1)));
            Value::Object(entries.collect())
        }
    }
}

fn requests(random: &mut Rng) -> Vec<Request> {
    let (query, names) = document(random);
    let requests = (0..4).map(|_| {
        let mut variables = Map::new();
        for (name, of) in &names {
            let value = match random.u8(0..20) {
                0 => value(random, 2),
                1 if !of.ends_with('!') => continue,
                2 if !of.ends_with('!') => Value::Null,
                _ => fitting(random, of),
            };
            variables.insert(name.clone(), value);
        }
        if random.u8(0..10) == 0 {
            variables.insert("unasked".to_owned(), json!(1));
        }
        Request {
            query: query.clone(),
            operation_name: (random.u8(0..4) == 0)
                .then(|| (*random.choice(["Q", "Other"]).unwrap()).to_owned()),
            variables,
            explain: None,
            as_of: (random.u8(0..20) == 0).then(|| Time::from_millis(5).unwrap()),
        }
    });
    let mut requests: Vec<Request> = requests.collect();
    let again = requests.clone();
    requests.extend(again);
    random.shuffle(&mut requests);
    requests
}

#[test]
fn remembered_documents_and_plans_answer_as_new_ones_do() {
    let catalog = catalog();
    let graph = graph(&catalog);
    let forgetful = engine(&catalog, CacheLimits::NONE);
    let small = CacheLimits { document_bytes: 300_000, plan_bytes: 100_000 };
    let remembering = [engine(&catalog, CacheLimits::default()), engine(&catalog, small)];
    let mut random = Rng::with_seed(20_261_120);
    let (mut asked, mut answered, mut refused) = (0, 0, 0);
    let mut earlier: Vec<Request> = Vec::new();
    for _ in 0..150 {
        let mut now = requests(&mut random);
        // Some come back after others were asked.
        now.extend((0..2).filter_map(|_| random.choice(&earlier).cloned()));
        for request in &now {
            let expected = forgetful.execute(&graph, request, &RunLimits::unlimited());
            for engine in &remembering {
                let actual = engine.execute(&graph, request, &RunLimits::unlimited());
                let texts = [&actual.body, &expected.body].map(|body| String::from_utf8_lossy(body));
                assert_eq!(texts[0], texts[1], "{request:?}");
                assert_eq!(actual.errors, expected.errors, "{request:?}");
            }
            asked += 1;
            *if expected.errors.is_empty() { &mut answered } else { &mut refused } += 1;
        }
        earlier.extend(now);
    }
    // A generator that makes no answers, or no refusals, proves nothing.
    assert!(answered > asked / 4 && refused > asked / 10, "{answered} and {refused} of {asked}");
    let [all, few] = remembering.map(|engine| engine.preparations());
    assert_eq!(forgetful.preparations().parsed, asked);
    assert!(all.parsed < few.parsed && few.parsed < asked, "{all:?} {few:?}");
}

fn request(query: &str, variables: Value) -> Request {
    let Value::Object(variables) = variables else { panic!("{variables} is no object") };
    Request { variables, ..Request::new(query) }
}

const BY_ID: &str = "query ($id: String) { vpcs(where: {vpcId: $id}) { id } }";

#[test]
fn nothing_is_parsed_validated_or_planned_on_a_cache_hit() {
    let catalog = catalog();
    let (graph, engine) = (graph(&catalog), engine(&catalog, CacheLimits::default()));
    let ask = |request: &Request| {
        let response = engine.execute(&graph, request, &RunLimits::unlimited());
        assert_eq!(response.errors, [], "{request:?}");
        let Preparations { parsed, validated, planned } = engine.preparations();
        (parsed, validated, planned)
    };
    assert_eq!(ask(&request(BY_ID, json!({"id": "vpc-1"}))), (1, 1, 1), "the first is new");
    assert_eq!(ask(&request(BY_ID, json!({"id": "vpc-1"}))), (1, 1, 1), "the same again");
    assert_eq!(
        ask(&request(BY_ID, json!({"id": "vpc-2"}))),
        (1, 1, 2),
        "another value is planned, not parsed"
    );
    assert_eq!(ask(&request(BY_ID, json!({"id": null}))), (1, 1, 3));
    assert_eq!(ask(&request(BY_ID, json!({}))), (1, 1, 4));
    for _ in 0..100 {
        for value in [json!({"id": "vpc-1"}), json!({"id": "vpc-2"}), json!({"id": null}), json!({})] {
            assert_eq!(ask(&request(BY_ID, value)), (1, 1, 4), "all of them again");
        }
    }
}

/// Asks for rows, and says how many plans were made so far.
fn ids(engine: &Engine, graph: &Graph, query: &str, variables: Value) -> (String, u64) {
    let response = engine.execute(graph, &request(query, variables.clone()), &RunLimits::unlimited());
    assert_eq!(response.errors, [], "{query} {variables}");
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    let rows = match &body["data"]["rows"] {
        Value::Array(rows) => rows.clone(),
        row => vec![row.clone()],
    };
    let ids: Vec<&str> = rows.iter().map(|row| row["id"].as_str().unwrap_or("none")).collect();
    (ids.join(" "), engine.preparations().planned)
}

#[test]
fn values_that_are_only_compared_with_fill_one_outline() {
    let catalog = catalog();
    let (graph, engine) = (graph(&catalog), engine(&catalog, CacheLimits::default()));
    for (query, asked) in [
        (
            "query ($id: String) { rows: vpcs(where: {vpcId: $id}) { id } }",
            [json!({"id": "vpc-1"}), json!({"id": "vpc-2"}), json!({"id": "vpc-3"}), json!({"id": "no"})],
        ),
        (
            "query ($id: ID!) { rows: vpc(id: $id) { id } }",
            [json!({"id": "v1"}), json!({"id": "v2"}), json!({"id": "v3"}), json!({"id": 7})],
        ),
        (
            "query ($in: [String], $min: Int) { rows: vpcs(where: {vpcId_IN: $in, size_GTE: $min}) { id } }",
            [
                json!({"in": ["vpc-1"], "min": 0}),
                json!({"in": ["vpc-2", "no", "vpc-4"], "min": 2}),
                json!({"in": "vpc-3", "min": 3}),
                json!({"in": ["vpc-9", "vpc-8"], "min": 9}),
            ],
        ),
        (
            "query ($net: String, $not: String) { rows: vpcs(where: {cidrBlock_WITHIN: $net, NOT: {name: $not}}) { id } }",
            [
                json!({"net": "10.0.0.0/15", "not": "name 0"}),
                json!({"net": "10.2.0.0/16", "not": "name 1"}),
                json!({"net": "10.3.0.1", "not": "x"}),
                json!({"net": "10.11.0.0/16", "not": "name 1"}),
            ],
        ),
    ] {
        let forgetful = self::engine(&catalog, CacheLimits::NONE);
        let before = engine.preparations().planned;
        let expected: Vec<String> =
            asked.iter().map(|values| ids(&forgetful, &graph, query, values.clone()).0).collect();
        for (values, expected) in asked.iter().zip(&expected) {
            assert_eq!(ids(&engine, &graph, query, values.clone()).0, *expected, "{query} {values}");
        }
        let planned = engine.preparations().planned - before;
        assert_eq!(planned, 2, "{query}: the first, and an outline for all others");
        assert!(expected.iter().any(|ids| ids != &expected[0]), "{query}: the values make a difference");
    }
}

#[test]
fn what_a_plan_depends_on_is_part_of_what_its_outline_is_for() {
    let catalog = catalog();
    let (graph, engine) = (graph(&catalog), engine(&catalog, CacheLimits::default()));
    let page = "query ($id: String, $limit: Int, $more: Boolean!) {
        rows: vpcs(where: {vpcId_NOT: $id}, limit: $limit) { id name @include(if: $more) } }";
    let ask = |id: &str, limit: i64, more: bool| {
        ids(&engine, &graph, page, json!({"id": id, "limit": limit, "more": more}))
    };
    assert_eq!(ask("vpc-0", 2, true), ("v1 v10".to_owned(), 1));
    // The first outline is tried without the limit, which it turns out to depend on.
    assert_eq!(ask("vpc-1", 2, true), ("v0 v10".to_owned(), 3));
    assert_eq!(ask("vpc-10", 2, true), ("v0 v1".to_owned(), 3));
    assert_eq!(ask("vpc-10", 1, true), ("v0".to_owned(), 4), "another limit is another plan");
    assert_eq!(ask("vpc-0", 1, true), ("v1".to_owned(), 4));
    assert_eq!(ask("vpc-1", 1, false), ("v0".to_owned(), 5), "so is another selection");
    for limit in 0..50 {
        ask("vpc-1", limit, false);
    }
    let planned = engine.preparations().planned;
    ask("vpc-2", 100, false);
    assert_eq!(
        engine.preparations().planned,
        planned + 1,
        "where no outline serves twice, none is made any more"
    );
}

#[test]
fn a_value_that_does_not_fit_is_refused_as_without_an_outline() {
    let catalog = catalog();
    let graph = graph(&catalog);
    let (engine, forgetful) = (engine(&catalog, CacheLimits::default()), engine(&catalog, CacheLimits::NONE));
    let query = "query ($net: String, $pattern: String) {
        vpcs(where: {cidrBlock_OVERLAPS: $net, name_MATCHES: $pattern}) { id } }";
    for values in [
        json!({"net": "10.0.0.0/8", "pattern": "name .*"}),
        json!({"net": "10.1.0.0/16", "pattern": "name 1"}),
        json!({"net": "10.1.0.0/99", "pattern": "name 1"}),
        json!({"net": "10.1.0.0/16", "pattern": "("}),
        json!({"net": "nowhere", "pattern": "("}),
        json!({"net": 7, "pattern": "x"}),
        json!({"net": ["10.0.0.0/8"], "pattern": "x"}),
        json!({"net": null, "pattern": null}),
        json!({"net": "10.2.0.0/16", "pattern": "name [2-9]"}),
    ] {
        let request = request(query, values.clone());
        let [actual, expected] =
            [&engine, &forgetful].map(|engine| engine.execute(&graph, &request, &RunLimits::unlimited()));
        assert_eq!(
            String::from_utf8_lossy(&actual.body),
            String::from_utf8_lossy(&expected.body),
            "{values}"
        );
    }
}

#[test]
fn warnings_are_of_the_values_that_were_sent() {
    let catalog = catalog();
    let (graph, engine) = (graph(&catalog), engine(&catalog, CacheLimits::default()));
    let query = "query ($a: String, $b: String) { rows: vpcs(where: {name: $a, name_IN: [\"name 1\", \"name 2\"], region: $b}) { id } }";
    let warnings = |a: &str, b: &str| {
        let response =
            engine.execute(&graph, &request(query, json!({"a": a, "b": b})), &RunLimits::unlimited());
        response.warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(warnings("name 2", "r1"), Vec::<String>::new());
    assert_eq!(warnings("name 1", "r0"), Vec::<String>::new());
    assert_eq!(warnings("name 3", "r0"), ["`name_IN` can't hold where `name` does"]);
    assert_eq!(warnings("name 1", "R0"), ["`region` is never \"R0\", but \"r0\" (case matters)"]);
}

#[test]
fn a_default_moment_is_no_part_of_what_is_remembered() {
    let catalog = catalog();
    let (graph, engine) = (graph(&catalog), engine(&catalog, CacheLimits::default()));
    let now = request(BY_ID, json!({"id": "vpc-1"}));
    let then = Request { as_of: Time::from_millis(1), ..now.clone() };
    for _ in 0..2 {
        assert_eq!(engine.execute(&graph, &now, &RunLimits::unlimited()).errors, []);
        let refused = engine.execute(&graph, &then, &RunLimits::unlimited()).errors;
        assert_eq!(refused.len(), 1, "there is no graph of that moment");
    }
    let Preparations { parsed, planned, .. } = engine.preparations();
    assert_eq!((parsed, planned), (1, 1));
}

#[test]
fn refusals_are_not_remembered() {
    let catalog = catalog();
    let (graph, engine) = (graph(&catalog), engine(&catalog, CacheLimits::default()));
    for times in 1..4 {
        let response = engine.execute(&graph, &Request::new("{ vpcs { nme } }"), &RunLimits::unlimited());
        assert_eq!(response.errors.len(), 1);
        assert_eq!(engine.preparations().parsed, times);
    }
}

#[test]
fn what_was_used_longest_ago_is_forgotten_first() {
    let catalog = catalog();
    let cache = CacheLimits { document_bytes: 1 << 20, ..CacheLimits::default() };
    let (graph, engine) = (graph(&catalog), engine(&catalog, cache));
    let ask = |query: &str| {
        let before = engine.preparations().parsed;
        assert_eq!(engine.execute(&graph, &Request::new(query), &RunLimits::unlimited()).errors, []);
        engine.preparations().parsed > before
    };
    let often = "{ vpcs { id } }";
    assert!(ask(often));
    for place in 0..2000 {
        assert!(ask(&format!("{{ a{place}: vpcs(limit: 1) {{ id }} }}")), "each is new");
        assert!(!ask(often), "what is used stays");
    }
    assert!(ask("{ a0: vpcs(limit: 1) { id } }"), "what is not used goes");
}
