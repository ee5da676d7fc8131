//! Filters that can't match: each is warned of at its place, and no answer changes by it.

use std::sync::Arc;

use passmuster::{
    catalog::{Catalog, Source},
    graph::{Graph, GraphBuilder},
    model::{Asset, Time},
    query::{Engine, Fragments, GuardLimits, Request, Warning, run::RunLimits},
};
use serde_json::{Value, json};

const SDL: &str = r#"
enum Stage { PROD DEV }
interface Thing { id: ID! name: String owner: String status: String @values(list: ["ACTIVE", "INACTIVE"]) }
type Tag { key: String! value: String note: String }
type Vpc implements Thing {
  tags: [Tag!] first: Tag id: ID! name: String owner: String status: String
  stage: Stage size: Int weight: Float at: DateTime kinds: [String!] @values(list: ["a", "b"])
  unused: String parentId: String
  logs: [Log!]! @relation(fields: ["id"], references: ["vpcId"])
  children: [Vpc!]! @relation(fields: ["id"], references: ["parentId"])
  isOdd: Boolean! @computed(where: "{status: \"odd\"}")
}
type Log implements Thing { id: ID! name: String owner: String status: String vpcId: String }
"#;

struct Fixture {
    engine: Engine,
    graph: Graph,
}

fn fixture() -> Fixture {
    let catalog =
        Catalog::read(&[Source::new("test.graphql", SDL)]).unwrap_or_else(|errors| panic!("{errors}"));
    let catalog = Arc::new(catalog);
    let mut builder = GraphBuilder::new(Arc::clone(&catalog));
    let vpc = |id: &str, fields: Value| {
        let mut object = json!({"__typename": "Vpc", "id": id});
        object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        object
    };
    let mut assets = vec![
        vpc(
            "a",
            json!({"name": "Alpha", "status": "ACTIVE", "stage": "PROD", "size": 1, "weight": 1.5,
            "tags": [{"key": "Env", "value": "prod"}], "first": {"key": "Owner"}}),
        ),
        vpc("b", json!({"name": "Beta", "status": "NEW", "size": 2, "kinds": ["a"], "at": "2024-01-01"})),
        json!({"__typename": "Log", "id": "l", "name": "Alpha", "vpcId": "a", "owner": "me"}),
    ];
    for size in -2..9 {
        assets.push(vpc(&format!("size {size}"), json!({ "size": size })));
    }
    for asset in assets {
        builder.push(&Asset::from_json(asset).unwrap()).unwrap();
    }
    let graph = builder.finish(None, Time::from_millis(0).unwrap()).unwrap();
    Fixture { engine: Engine::new(catalog, Fragments::new(), GuardLimits::default()).unwrap(), graph }
}

impl Fixture {
    fn warnings(&self, query: &str, with_data: bool) -> Vec<Warning> {
        let graph = with_data.then_some(&self.graph);
        self.engine.lint(&Request::new(query), graph).unwrap_or_else(|errors| panic!("{query}: {errors:?}"))
    }

    /// The codes of the warnings about a filter over VPCs.
    fn codes(&self, filter: &str) -> Vec<&'static str> {
        let query = format!("{{ vpcs(where: {filter}) {{ id }} }}");
        self.warnings(&query, true).iter().map(|warning| warning.kind.code()).collect()
    }
}

#[test]
fn what_can_not_match_is_warned_of() {
    let fixture = fixture();
    for (filter, expected) in [
        (r#"{status: "Active"}"#, vec!["unknown_value"]),
        (r#"{status_NOT: "Active"}"#, vec!["unknown_value"]),
        (r#"{NOT: {status_IN: ["ACTIVE", "gone"]}}"#, vec!["unknown_value"]),
        (r#"{kinds_INCLUDES: "c"}"#, vec!["unknown_value"]),
        (r#"{name: "alpha"}"#, vec!["wrong_case"]),
        (r#"{name_IN: ["Alpha", "BETA"]}"#, vec!["wrong_case"]),
        (r#"{name_IN: []}"#, vec!["empty_list"]),
        (r#"{unused: "x"}"#, vec!["always_null"]),
        (r#"{unused_STARTS_WITH: "x"}"#, vec!["always_null"]),
        (r#"{AND: [{size: 1}, {size: 2}]}"#, vec!["contradiction"]),
        (r#"{size: 1, size_NOT: 1}"#, vec!["contradiction"]),
        (r#"{size_GT: 5, size_LT: 3}"#, vec!["contradiction"]),
        (r#"{size_GT: 2, size_LT: 3}"#, vec!["contradiction"]),
        (r#"{size: null, size_GT: 3}"#, vec!["contradiction"]),
        (r#"{size: null, size_NOT: null}"#, vec!["contradiction"]),
        (r#"{name: "Alpha", name_STARTS_WITH: "B"}"#, vec!["contradiction"]),
        (r#"{name_STARTS_WITH: "A", AND: {name_STARTS_WITH: "B"}}"#, vec!["contradiction"]),
        (r#"{stage: PROD, stage_IN: [DEV]}"#, vec!["contradiction"]),
        (r#"{weight_GTE: 2.5, weight_LT: 2.5}"#, vec!["contradiction"]),
        (r#"{at_GT: "2025-01-01", at_LT: "2024-01-01"}"#, vec!["contradiction"]),
        (r#"{logs_SOME: {name: "alpha"}}"#, vec!["wrong_case"]),
        (r#"{OR: [{size: 1}, {name_IN: []}]}"#, vec!["empty_list"]),
        (r#"{tags_SOME: {key: "env"}}"#, vec!["wrong_case"]),
        (r#"{tags_SOME: {note: "x"}}"#, vec!["always_null"]),
        (r#"{tags_SOME: {key: "Env", AND: {key: "x"}}}"#, vec!["contradiction"]),
    ] {
        assert_eq!(fixture.codes(filter), expected, "{filter}");
    }
}

#[test]
fn what_can_match_is_not_warned_of() {
    let fixture = fixture();
    for filter in [
        r#"{status: "ACTIVE"}"#,
        r#"{status: "INACTIVE"}"#,
        // What assets have is known better than what the schema documents.
        r#"{status: "NEW"}"#,
        r#"{status_CONTAINS: "ctiv"}"#,
        r#"{name: "nobody"}"#,
        r#"{tags_SOME: {key: "Env", value: "prod"}}"#,
        // Another field holds such objects, too.
        r#"{tags_SOME: {key: "Owner"}}"#,
        r#"{tags_SOME: {key: "Env"}, AND: {tags_SOME: {key: "Owner"}}}"#,
        r#"{name_NOT_IN: []}"#,
        r#"{unused: null}"#,
        r#"{unused_NOT: null}"#,
        r#"{OR: [{size: 1}, {size: 2}]}"#,
        r#"{size: 1, OR: [{size: 2}, {size_GT: 7}]}"#,
        r#"{size: 1, NOT: {size: 2}}"#,
        r#"{size_NOT: 1, AND: {size_NOT: 2}}"#,
        r#"{size_GTE: 2, size_LTE: 2}"#,
        r#"{size_GT: 1, size_LT: 3}"#,
        r#"{size_IN: [1, 2], AND: {size_IN: [2, 3]}}"#,
        // Another asset of the same type.
        r#"{size: 1, children_SOME: {size: 2}}"#,
        r#"{size: 1, childrenConnection_SOME: {node: {size: 2}}}"#,
        r#"{childrenConnection_SOME: {OR: [{node: {size: 1}}, {node: {size: 2}}]}}"#,
        r#"{isOdd: true}"#,
        "{}",
    ] {
        assert_eq!(fixture.codes(filter), Vec::<&str>::new(), "{filter}");
    }
}

#[test]
fn a_contradiction_is_warned_of_exactly_where_no_number_is_left() {
    let fixture = fixture();
    let operators = ["", "_NOT", "_LT", "_LTE", "_GT", "_GTE"];
    for one in operators {
        for other in operators {
            for left in 2..5 {
                for right in 2..5 {
                    let filter = format!("{{AND: [{{size{one}: {left}}}, {{size{other}: {right}}}]}}");
                    let query = format!("{{ vpcs(where: {filter}) {{ id }} }}");
                    let response = fixture.engine.execute(
                        &fixture.graph,
                        &Request::new(query.as_str()),
                        &RunLimits::unlimited(),
                    );
                    // The inventory has every whole number that these filters could keep.
                    assert_eq!(!response.warnings.is_empty(), response.rows == 0, "{filter}");
                }
            }
        }
    }
}

#[test]
fn over_an_interface_a_key_must_be_odd_for_every_type() {
    let fixture = fixture();
    let codes = |filter: &str| {
        let query = format!("{{ things(where: {filter}) {{ id }} }}");
        fixture.warnings(&query, true).iter().map(|warning| warning.kind.code()).collect::<Vec<_>>()
    };
    assert_eq!(codes(r#"{owner: "me"}"#), Vec::<&str>::new(), "logs have owners");
    assert_eq!(codes(r#"{status: "Active"}"#), ["unknown_value"]);
    assert_eq!(codes(r#"{status: "NEW"}"#), Vec::<&str>::new(), "some VPC is NEW");
    assert_eq!(codes(r#"{name: "x", name_NOT: "x"}"#), ["contradiction"]);
}

#[test]
fn a_warning_has_its_place_and_says_what_was_meant() {
    let fixture = fixture();
    let query =
        "query($status: String) {\n  vpcs(where: {status: $status}) { logs(where: {name_IN: []}) { id } }\n}";
    let request = Request {
        variables: json!({"status": "Active"}).as_object().unwrap().clone(),
        ..Request::new(query)
    };
    let response = fixture.engine.execute(&fixture.graph, &request, &RunLimits::unlimited());
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(
        body,
        json!({
            "data": {"vpcs": []},
            "extensions": {"warnings": [
                {
                    "message": "`status` is never \"Active\": known values are ACTIVE, INACTIVE (case matters)",
                    "locations": [{"line": 2, "column": 16}],
                    "extensions": {"code": "unknown_value", "help": "did you mean `\"ACTIVE\"`?"},
                },
                {
                    "message": "`name_IN: []` matches nothing",
                    "locations": [{"line": 2, "column": 49}],
                    "extensions": {
                        "code": "empty_list",
                        "help": "leave it out for no demand, or write `name: null` for no value",
                    },
                },
            ]},
        })
    );
}

#[test]
fn without_data_only_the_schema_is_asked() {
    let fixture = fixture();
    let count = |query: &str| fixture.warnings(query, false).len();
    assert_eq!(count(r#"{ vpcs(where: {status: "NEW"}) { id } }"#), 1);
    assert_eq!(count(r#"{ vpcs(where: {name: "alpha", unused: "x"}) { id } }"#), 0);
}

#[test]
fn an_answer_without_oddities_has_no_warnings_entry() {
    let fixture = fixture();
    let request = Request::new(r#"{ vpcs(where: {name: "Alpha"}) { id } }"#);
    let response = fixture.engine.execute(&fixture.graph, &request, &RunLimits::unlimited());
    assert_eq!(String::from_utf8(response.body).unwrap(), r#"{"data":{"vpcs":[{"id":"a"}]}}"#);
}

#[test]
fn only_so_many_warnings_are_given_and_the_same_one_once() {
    let fixture = fixture();
    let keys: String = (0..200).map(|number| format!("{{status: \"s{number}\"}}, ")).collect();
    assert_eq!(fixture.codes(&format!("{{OR: [{keys}]}}")).len(), 20);
    assert_eq!(fixture.codes(r#"{OR: [{status: "x", size: 1}, {status: "x", size: 2}]}"#).len(), 1);
}
