//! The language from text to response: documents, coercion, selections, and what is refused with which code and place.

use std::sync::Arc;

use passmuster::{
    catalog::{Catalog, Source},
    graph::{Graph, GraphBuilder},
    model::{Asset, Outcome, SliceKey, SliceState, Time},
    query::{Engine, Fragments, GuardLimits, Request, run::RunLimits},
};
use serde_json::{Value, json};

const SDL: &str = r#"
enum Stage { PROD DEV }
type Tag { key: String! value: String }
interface Thing { id: ID! name: String region: String accountId: String tags: [Tag!] }
type Vpc implements Thing {
  id: ID! name: String region: String accountId: String tags: [Tag!]
  vpcId: String! stage: Stage size: Int weight: Float big: BigInt isDefault: Boolean createdAt: DateTime
  cidrBlock: CIDR zones: [String!]
  hasFlowLog: [FlowLog!]! @relation(fields: ["vpcId", "region"], references: ["resourceId", "region"])
  mainLog: FlowLog @relation(fields: ["vpcId"], references: ["resourceId"])
}
type FlowLog implements Thing {
  id: ID! name: String region: String accountId: String tags: [Tag!]
  resourceId: String flowLogStatus: String
  vpc: Vpc! @relation(fields: ["resourceId"], references: ["vpcId"])
}
"#;

fn assets() -> Vec<Value> {
    vec![
        json!({"__typename": "Vpc", "id": "a", "vpcId": "vpc-a", "name": "alpha", "region": "r1", "accountId": "1",
            "stage": "PROD", "size": 3, "weight": 1.5, "big": "9007199254740993", "isDefault": false,
            "createdAt": "2024-01-02", "cidrBlock": "10.0.0.0/16", "zones": ["x", "y"],
            "tags": [{"key": "env", "value": "prod"}]}),
        json!({"__typename": "Vpc", "id": "b", "vpcId": "vpc-b", "name": "beta \"quoted\"\n", "region": "r1",
            "accountId": "1", "stage": "DEV", "size": 1}),
        json!({"__typename": "Vpc", "id": "c", "vpcId": "vpc-c", "region": "r2", "accountId": "1"}),
        json!({"__typename": "FlowLog", "id": "f", "resourceId": "vpc-a", "region": "r1", "accountId": "1",
            "flowLogStatus": "ACTIVE", "name": "flow"}),
    ]
}

struct Fixture {
    engine: Engine,
    graph: Graph,
}

fn fixture_with(assets: Vec<Value>, slices: Option<Vec<SliceState>>) -> Fixture {
    let catalog =
        Catalog::read(&[Source::new("test.graphql", SDL)]).unwrap_or_else(|errors| panic!("{errors}"));
    let catalog = Arc::new(catalog);
    let mut builder = GraphBuilder::new(Arc::clone(&catalog));
    for asset in assets {
        builder.push(&Asset::from_json(asset).unwrap()).unwrap();
    }
    let graph = builder.finish(slices, Time::from_millis(0).unwrap()).unwrap();
    let mut fragments = Fragments::new();
    fragments.insert("Short".to_owned(), "fragment Short on Thing { id name }".to_owned());
    fragments.insert("Long".to_owned(), "fragment Long on Thing { ...Short region }".to_owned());
    fragments.insert("Broken".to_owned(), "fragment Broken on Thing { nme }".to_owned());
    Fixture { engine: Engine::new(catalog, fragments, GuardLimits::default()).unwrap(), graph }
}

fn fixture() -> Fixture {
    fixture_with(assets(), None)
}

impl Fixture {
    fn ask(&self, request: &Request) -> Value {
        let response = self.engine.execute(&self.graph, request, &RunLimits::unlimited());
        serde_json::from_slice(&response.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&response.body)))
    }

    /// The `data` of a query that must succeed.
    fn data(&self, query: &str) -> Value {
        self.data_with(query, json!({}))
    }

    fn data_with(&self, query: &str, variables: Value) -> Value {
        let request =
            Request { variables: variables.as_object().unwrap().clone(), ..Request::new(query.to_owned()) };
        let response = self.ask(&request);
        assert_eq!(response.get("errors"), None, "{query}");
        response["data"].clone()
    }

    /// The ids of the rows of the only root field.
    fn ids(&self, query: &str, variables: Value) -> Vec<String> {
        let data = self.data_with(query, variables);
        let rows = data.as_object().unwrap().values().next().unwrap().as_array().unwrap().clone();
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The first error of a query that must be refused: code, line, column, message, help.
    fn refusal(&self, query: &str, variables: Value) -> (String, u64, u64, String, String) {
        let request =
            Request { variables: variables.as_object().unwrap().clone(), ..Request::new(query.to_owned()) };
        let response = self.ask(&request);
        assert_eq!(response.get("data"), None, "{query}: {response}");
        let error = &response["errors"][0];
        let place = &error["locations"][0];
        (
            error["extensions"]["code"].as_str().unwrap().to_owned(),
            place["line"].as_u64().unwrap_or(0),
            place["column"].as_u64().unwrap_or(0),
            error["message"].as_str().unwrap().to_owned(),
            error["extensions"]["help"].as_str().unwrap_or("").to_owned(),
        )
    }
}

#[test]
fn a_bare_root_selection_is_a_whole_query() {
    let fixture = fixture();
    for query in [
        "{ vpcs { id } }",
        "query { vpcs { id } }",
        "query Named { vpcs { id } }",
        "vpcs { id }",
        "  # a comment\n, vpcs{id}",
        "\u{feff}vpcs { id }",
        "vpcs(where: {}) { id } # at the end",
    ] {
        assert_eq!(fixture.ids(query, json!({})), ["a", "b", "c"], "{query}");
    }
    assert_eq!(
        fixture.data("one: vpcs(limit: 1) {id} two: flowLogs {id}"),
        json!({"one": [{"id": "a"}], "two": [{"id": "f"}]})
    );
}

#[test]
fn fragments_that_a_document_does_not_define_are_the_stored_ones() {
    let fixture = fixture();
    let expected = json!({"vpcs": [{"id": "a", "name": "alpha", "region": "r1"}]});
    assert_eq!(fixture.data("vpcs(limit: 1) { ...Long }"), expected);
    let own = "query { vpcs(limit: 1) { ...Short } } fragment Short on Vpc { vpcId }";
    assert_eq!(fixture.data(own), json!({"vpcs": [{"vpcId": "vpc-a"}]}));
    let (code, line, column, _, help) = fixture.refusal("vpcs { ...Shirt }", json!({}));
    assert_eq!((code.as_str(), line, column), ("unknown_fragment", 1, 11));
    assert_eq!(help, "did you mean `Short`?");
    let (code, _, _, message, _) = fixture.refusal("vpcs { ...Broken }", json!({}));
    assert_eq!(code, "unknown_field");
    assert!(message.contains("in the stored fragment `Broken`"), "{message}");
}

#[test]
fn the_response_keeps_the_order_of_the_query() {
    // Q19: aliases, merged fields and fragments included.
    let fixture = fixture();
    let query =
        "{ z: vpcs(limit: 1) { region ...Short ... on Vpc { vpcId } region __typename } a: __typename }";
    let response = fixture.engine.execute(&fixture.graph, &Request::new(query), &RunLimits::unlimited());
    assert_eq!(
        String::from_utf8(response.body).unwrap(),
        r#"{"data":{"z":[{"region":"r1","id":"a","name":"alpha","vpcId":"vpc-a","__typename":"Vpc"}],"a":"Query"}}"#
    );
}

#[test]
fn every_scalar_is_written_in_its_one_form() {
    let query =
        "vpcs(limit: 1) { stage size weight big isDefault createdAt cidrBlock zones tags { key value } }";
    let expected = json!({"vpcs": [{"stage": "PROD", "size": 3, "weight": 1.5, "big": "9007199254740993",
        "isDefault": false, "createdAt": "2024-01-02T00:00:00.000Z", "cidrBlock": "10.0.0.0/16",
        "zones": ["x", "y"], "tags": [{"key": "env", "value": "prod"}]}]});
    assert_eq!(fixture().data(query), expected);
    assert_eq!(fixture().data("vpc(id: \"b\") { name }"), json!({"vpc": {"name": "beta \"quoted\"\n"}}));
}

#[test]
fn directives_decide_what_is_shown() {
    let fixture = fixture();
    let query = "query ($yes: Boolean!) { vpcs(limit: 1) { id @include(if: $yes) name @skip(if: $yes)
        ... @include(if: false) { region } ...Short @skip(if: $yes) } }";
    assert_eq!(fixture.data_with(query, json!({"yes": true})), json!({"vpcs": [{"id": "a"}]}));
    assert_eq!(
        fixture.data_with(query, json!({"yes": false})),
        json!({"vpcs": [{"name": "alpha", "id": "a"}]})
    );
    let (code, ..) = fixture.refusal("vpcs { id @includ(if: true) }", json!({}));
    assert_eq!(code, "unknown_directive");
}

#[test]
fn introspection_stands_beside_data_in_the_order_asked() {
    let fixture = fixture();
    let query = "{ vpcs(limit: 1) { id } __type(name: \"Vpc\") { name kind } flowLogs { id } }";
    let response = fixture.engine.execute(&fixture.graph, &Request::new(query), &RunLimits::unlimited());
    assert_eq!(
        String::from_utf8(response.body).unwrap(),
        r#"{"data":{"vpcs":[{"id":"a"}],"__type":{"name":"Vpc","kind":"OBJECT"},"flowLogs":[{"id":"f"}]}}"#
    );
    let schema = fixture.data("{ __schema { queryType { name } } }");
    assert_eq!(schema, json!({"__schema": {"queryType": {"name": "Query"}}}));
}

#[test]
fn a_variable_that_is_not_provided_removes_its_key_and_a_null_is_a_null() {
    let fixture = fixture();
    let query = "query ($name: String) { vpcs(where: {name: $name}) { id } }";
    assert_eq!(fixture.ids(query, json!({})), ["a", "b", "c"]);
    assert_eq!(fixture.ids(query, json!({"name": null})), ["c"]);
    assert_eq!(fixture.ids(query, json!({"name": "alpha"})), ["a"]);
    let inside = "query ($n: String) { vpcs(where: {OR: [{name: $n}, {region: \"r2\"}]}) { id } }";
    assert_eq!(fixture.ids(inside, json!({})), ["c"]);
}

#[test]
fn defaults_and_declared_types_of_variables_hold() {
    let fixture = fixture();
    // Q11: an omitted variable with a default.
    let query = "query ($limit: Int = 1, $in: [String!] = [\"alpha\"]) { vpcs(where: {name_IN: $in}, limit: $limit) { id } }";
    assert_eq!(fixture.ids(query, json!({})), ["a"]);
    assert_eq!(fixture.ids(query, json!({"in": ["beta \"quoted\"\n", "alpha"], "limit": 2})), ["a", "b"]);
    // Q14: a single value for a list, in the query and in a variable.
    assert_eq!(fixture.ids(query, json!({"in": "alpha"})), ["a"]);
    assert_eq!(fixture.ids("vpcs(where: {id_IN: \"b\"}) { id }", json!({})), ["b"]);
    assert_eq!(fixture.ids("vpcs(where: {OR: {id: \"b\"}}) { id }", json!({})), ["b"]);
    // A whole filter as a variable.
    let whole = "query ($where: VpcWhere) { vpcs(where: $where) { id } }";
    assert_eq!(fixture.ids(whole, json!({"where": {"stage": "PROD"}})), ["a"]);
    assert_eq!(
        fixture.ids(whole, json!({"where": {"hasFlowLog_NONE": {"flowLogStatus": "ACTIVE"}}})),
        ["b", "c"]
    );
}

#[test]
fn values_of_the_wrong_kind_are_refused_where_they_stand() {
    let fixture = fixture();
    let none = json!({});
    for (query, variables, code, column) in [
        // Q12, Q13, Q15
        ("query ($n: Int!) { vpcs(limit: $n) { id } }", json!({"n": null}), "null_not_allowed", 9),
        ("query ($n: Int!) { vpcs(limit: $n) { id } }", none.clone(), "missing_variable", 9),
        ("vpcs(where: {size: 2147483648}) { id }", none.clone(), "wrong_value", 20),
        ("vpcs(where: {size: 1.5}) { id }", none.clone(), "wrong_value", 20),
        ("vpcs(where: {size: \"1\"}) { id }", none.clone(), "wrong_value", 20),
        ("vpcs(where: {weight: 1e999}) { id }", none.clone(), "wrong_value", 22),
        ("vpcs(where: {stage: \"PROD\"}) { id }", none.clone(), "wrong_value", 21),
        ("vpcs(where: {stage: PRD}) { id }", none.clone(), "wrong_value", 21),
        ("vpcs(where: {name: PROD}) { id }", none.clone(), "wrong_value", 20),
        ("vpcs(where: {name: 1}) { id }", none.clone(), "wrong_value", 20),
        ("vpcs(where: {createdAt_GT: \"yesterday\"}) { id }", none.clone(), "wrong_value", 28),
        ("vpcs(where: {cidrBlock_WITHIN: \"10.0.0.0/33\"}) { id }", none.clone(), "wrong_value", 32),
        ("vpcs(where: {name_MATCHES: \"(\"}) { id }", none.clone(), "bad_pattern", 28),
        ("vpcs(limit: -1) { id }", none.clone(), "wrong_value", 13),
        ("vpcs(offset: 2147483648) { id }", none.clone(), "wrong_value", 14),
        ("vpcs(where: [{}]) { id }", none.clone(), "wrong_value", 13),
        ("vpcs(where: {name: $x}) { id }", none.clone(), "unknown_variable", 20),
        ("vpcs(sort: [{name: UP}]) { id }", none.clone(), "wrong_value", 20),
        ("vpcs(sort: [{zones: ASC}]) { id }", none.clone(), "unknown_key", 14),
    ] {
        let (actual, line, at, message, _) = fixture.refusal(query, variables);
        assert_eq!((actual.as_str(), line, at), (code, 1, column), "{query}: {message}");
    }
}

#[test]
fn an_explicit_null_says_what_to_write_instead() {
    let fixture = fixture();
    for (query, help) in [
        (
            "vpcs(where: {name_IN: null}) { id }",
            "write `name: null` for no value, `name_NOT: null` for any value",
        ),
        (
            "vpcs(where: {name_CONTAINS: null}) { id }",
            "write `name: null` for no value, `name_NOT: null` for any value",
        ),
        (
            "vpcs(where: {hasFlowLog_SOME: null}) { id }",
            "write `hasFlowLog: null` for none related, `hasFlowLog_NOT: null` for at least one",
        ),
        ("vpcs(where: {AND: null}) { id }", "leave it out"),
        ("vpcs(where: {NOT: null}) { id }", "leave it out"),
        ("vpcs(where: {OR: [null]}) { id }", "leave it out"),
    ] {
        let (code, _, _, _, actual) = fixture.refusal(query, json!({}));
        assert_eq!((code.as_str(), actual.as_str()), ("null_not_allowed", help), "{query}");
    }
    assert_eq!(fixture.ids("vpcs(where: {name: null}) { id }", json!({})), ["c"]);
    assert_eq!(fixture.ids("vpcs(where: {hasFlowLog_NOT: null}) { id }", json!({})), ["a"]);
    assert_eq!(fixture.ids("vpcs(where: null, limit: null) { id }", json!({})), ["a", "b", "c"]);
}

#[test]
fn unknown_names_are_refused_with_the_nearest_known_one() {
    // Q23
    let fixture = fixture();
    for (query, code, line, column, help) in [
        ("vpc { id }", "missing_argument", 1, 1, ""),
        ("vcps { id }", "unknown_field", 1, 1, "did you mean `vpcs`?"),
        ("vpcs { vpcID }", "unknown_field", 1, 8, "did you mean `vpcId`?"),
        ("things { vpcId }", "unknown_field", 1, 10, "`Vpc` has it: write `... on Vpc { vpcId }`"),
        ("vpcs(filter: {}) { id }", "unknown_argument", 1, 6, "it takes where, sort, limit, offset, asOf"),
        (
            "vpcs(\n  where: {hasFlowLogs_NONE: {flowLogStatus: \"ACTIVE\"}}\n) { id }",
            "unknown_key",
            2,
            11,
            "did you mean `hasFlowLog_NONE`?",
        ),
        ("vpcs(where: {hasFlowLog: {status: 1}}) { id }", "unknown_key", 1, 27, ""),
        ("vpcs { ... on Vcp { id } }", "unknown_type", 1, 15, "did you mean `Vpc`?"),
        ("things(where: {typename_IN: [Vcp]}) { id }", "unknown_type", 1, 30, "did you mean `Vpc`?"),
        ("vpcs { hasFlowLog }", "selection_missing", 1, 8, "write `hasFlowLog { id }`"),
        ("vpcs { name { x } }", "selection_on_scalar", 1, 8, ""),
        (
            "vpcs { a: name a: region }",
            "conflicting_fields",
            1,
            16,
            "give one of the two another name: `other: region`",
        ),
        ("vpcs { hasFlowLog(limit: 1) {id} hasFlowLog {id} }", "conflicting_fields", 1, 34, ""),
        ("vpcs(where: {name: \"a\", name: \"b\"}) { id }", "given_twice", 1, 25, ""),
        ("query A { vpcs { id } } query B { vpcs { id } }", "which_operation", 1, 1, ""),
        ("mutation { vpcs { id } }", "not_a_query", 1, 1, ""),
    ] {
        let (actual, at_line, at_column, message, actual_help) = fixture.refusal(query, json!({}));
        assert_eq!((actual.as_str(), at_line, at_column), (code, line, column), "{query}: {message}");
        if !help.is_empty() {
            assert_eq!(actual_help, help, "{query}");
        }
    }
}

#[test]
fn an_operation_is_chosen_by_its_name() {
    let fixture = fixture();
    let query = "query A { vpcs(limit: 1) { id } } query B { flowLogs { id } }";
    let named = |name: &str| Request { operation_name: Some(name.to_owned()), ..Request::new(query) };
    assert_eq!(fixture.ask(&named("B")), json!({"data": {"flowLogs": [{"id": "f"}]}}));
    assert_eq!(fixture.ask(&named("C"))["errors"][0]["extensions"]["code"], "unknown_operation");
}

#[test]
fn a_missing_object_that_may_not_be_null_becomes_the_null_of_the_nearest_object_that_may() {
    let mut assets = assets();
    assets.push(json!({"__typename": "FlowLog", "id": "g", "resourceId": "vpc-gone"}));
    let fixture = fixture_with(assets, None);
    let response = fixture
        .ask(&Request::new("{ flowLog(id: \"g\") { id vpc { id } } flowLogs(limit: 1) { vpc { id } } }"));
    assert_eq!(response["data"], json!({"flowLog": null, "flowLogs": [{"vpc": {"id": "a"}}]}));
    assert_eq!(response["errors"][0]["path"], json!(["flowLog", "vpc"]));
    let response = fixture.ask(&Request::new("{ flowLogs { vpc { id } } }"));
    assert_eq!(response["data"], Value::Null);
    assert_eq!(response["errors"][0]["path"], json!(["flowLogs", 1, "vpc"]));
}

#[test]
fn what_the_query_touched_and_was_not_complete_is_named() {
    let slice = |asset_type: &str, outcome: Outcome| SliceState {
        key: SliceKey::new("1", "r1", asset_type),
        api: String::new(),
        outcome,
        reason: Some("ec2:Describe: UnauthorizedOperation".to_owned()),
        attempted_at: None,
        completed_at: None,
        assets: 0,
    };
    let slices = vec![slice("Vpc", Outcome::Complete), slice("FlowLog", Outcome::Denied)];
    let fixture = fixture_with(assets(), Some(slices));
    let plain = fixture.ask(&Request::new("vpcs { id }"));
    assert_eq!(plain.get("extensions"), None);
    for query in [
        "vpcs(where: {hasFlowLog: null}) { id }",
        "vpcs(where: {NOT: {hasFlowLog_SOME: {flowLogStatus: \"ACTIVE\"}}}) { id }",
        "vpcs { hasFlowLog { id } }",
        "flowLogs { id }",
    ] {
        let response = fixture.ask(&Request::new(query));
        assert_eq!(
            response["extensions"]["incomplete"],
            json!([{"assetType": "FlowLog", "accountId": "1", "region": "r1", "outcome": "DENIED",
                "reason": "ec2:Describe: UnauthorizedOperation"}]),
            "{query}"
        );
    }
}

#[test]
fn texts_that_kill_parsers_are_refused_by_the_guard() {
    // Q1-Q4, Q7, Q9, Q10
    let fixture = fixture();
    let bomb: String =
        (0..30).map(|at| format!("fragment F{at} on Vpc {{ ...F{0} ...F{0} }} ", at + 1)).collect();
    for (query, code) in [
        (
            format!("{{ vpcs(where: {{OR: {}{}}}) {{ id }} }}", "[".repeat(2_000), "]".repeat(2_000)),
            "nested_too_deep",
        ),
        (
            format!("{{ vpcs(where: {}{}) {{ id }} }}", "{NOT: ".repeat(2_000), "}".repeat(2_000)),
            "nested_too_deep",
        ),
        (format!("{{ vpcs {{ ...F0 }} }} {bomb} fragment F30 on Vpc {{ id }}"), "too_many_selections"),
        (
            "{ vpcs { ...A } } fragment A on Vpc { ...B } fragment B on Vpc { ...A }".to_owned(),
            "fragment_cycle",
        ),
        (format!("{{ vpcs {{ id {} }} }}", "@x ".repeat(20_000)), "too_many_directives"),
        ("{ vpcs(where: {name: \"[[[}) { id } }".to_owned(), "unterminated_string"),
        ("{ vpcs { id }".to_owned(), "unbalanced_bracket"),
    ] {
        let (actual, _, _, message, _) = fixture.refusal(&query, json!({}));
        assert_eq!(actual, code, "{message}");
    }
}

#[test]
fn characters_beyond_the_basic_plane_are_read_in_every_form() {
    let mut assets = assets();
    assets.push(json!({"__typename": "Vpc", "id": "d", "vpcId": "vpc-d", "name": "😀"}));
    let fixture = fixture_with(assets, None);
    for query in [
        "vpcs(where: {name: \"😀\"}) { id }",
        r#"vpcs(where: {name: "\uD83D\uDE00"}) { id }"#,
        r#"vpcs(where: {name: "\u{1F600}"}) { id }"#,
        "vpcs(where: {name: \"\"\"😀\"\"\"}) { id }",
    ] {
        assert_eq!(fixture.ids(query, json!({})), ["d"], "{query}");
    }
}

#[test]
fn limits_on_the_answer_name_the_limit_and_the_actual_value() {
    let fixture = fixture();
    let limits = RunLimits { max_rows: 2, ..RunLimits::unlimited() };
    let response = fixture.engine.execute(&fixture.graph, &Request::new("vpcs { id }"), &limits);
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(body["data"], Value::Null);
    assert_eq!(body["errors"][0]["extensions"]["code"], "too_many_rows");
    assert!(body["errors"][0]["message"].as_str().unwrap().contains("limit of 2"), "{body}");
}
