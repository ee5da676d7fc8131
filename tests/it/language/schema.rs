//! Section 1: what a deployment's schema may write, from the SDL to the answer.

use passmuster::model::{Outcome, SliceKey, SliceState};
use serde_json::{Value, json};

use super::Inventory;

const SDL: &str = r#"
type Tag { key: String!  value: String }
interface Asset @plural(value: "everything") {
  id: ID!  accountId: String  region: String  tags: [Tag!]!
  logs: [Log!]! @relation(fields: ["id"], references: ["of"])
}
type Vpc implements Asset {
  id: ID!  accountId: String  region: String  tags: [Tag!]!  main: Tag
  zones: [String!]
  logs: [Log!]! @relation(fields: ["id"], references: ["of"])
  subnets: [Subnet!]! @relation(fields: ["id"], references: ["vpcId"])
  byZone: [Subnet!]! @relation(fields: ["zones"], references: ["zone"])
  allLogs: [Log!]! @relation(paths: ["logs", "subnets.logs"])
  logged: Boolean! @computed(where: "{allLogs_SOME: {active: true}}")
  lonely: Boolean! @computed(where: "{logged_NOT: true, subnets: null}")
}
type Subnet implements Asset @limit(default: 2, max: 3) {
  id: ID!  accountId: String  region: String  tags: [Tag!]!  vpcId: ID  zone: String
  logs: [Log!]! @relation(fields: ["id"], references: ["of"])
  vpc: Vpc @relation(fields: ["vpcId"], references: ["id"])
}
type Log implements Asset {
  id: ID!  accountId: String  region: String  tags: [Tag!]!  of: ID  active: Boolean
  status: String @values(list: ["ACTIVE", "GONE"])
  logs: [Log!]! @relation(fields: ["id"], references: ["of"])
}
"#;

fn assets() -> Vec<Value> {
    let at = |mut asset: Value| {
        let object = asset.as_object_mut().unwrap();
        object.insert("accountId".to_owned(), json!("1"));
        object.insert("region".to_owned(), json!("r1"));
        object.entry("tags").or_insert(json!([]));
        asset
    };
    let tag = |key: &str, value: Option<&str>| json!({"key": key, "value": value});
    [
        json!({"__typename": "Vpc", "id": "v1", "zones": ["z1", "z2"], "main": tag("m", Some("x")),
            "tags": [tag("env", Some("prod")), tag("team", None)]}),
        json!({"__typename": "Vpc", "id": "v2", "tags": [tag("env", Some("dev"))]}),
        json!({"__typename": "Vpc", "id": "v3"}),
        json!({"__typename": "Subnet", "id": "s1", "vpcId": "v1", "zone": "z1"}),
        json!({"__typename": "Subnet", "id": "s2", "vpcId": "v1", "zone": "z2"}),
        json!({"__typename": "Subnet", "id": "s3", "vpcId": "v1", "zone": "z3"}),
        json!({"__typename": "Subnet", "id": "s4", "vpcId": "v2"}),
        json!({"__typename": "Log", "id": "l1", "of": "v1", "active": false}),
        json!({"__typename": "Log", "id": "l2", "of": "s1", "active": true, "status": "ACTIVE"}),
        json!({"__typename": "Log", "id": "l3", "of": "s2"}),
    ]
    .map(at)
    .to_vec()
}

fn inventory() -> Inventory {
    Inventory::new(SDL, &assets())
}

fn check(cases: &[(&str, &str)]) {
    let inventory = inventory();
    for (query, expected) in cases {
        assert_eq!(inventory.ids(&format!("{query} {{ id }}")), *expected, "{query}");
    }
}

#[test]
fn a_relation_along_paths_is_the_distinct_union_of_their_ends() {
    check(&[
        ("vpcs(where: {allLogs_SOME: {id: \"l2\"}})", "v1"),
        ("vpcs(where: {allLogs: null})", "v2 v3"),
        ("vpcs(where: {allLogsAggregate: {count: 3}})", "v1"),
        ("vpcs(sort: [{allLogsAggregate: {count: DESC}}], limit: 1)", "v1"),
    ]);
    let query = "vpc(id: \"v1\") { allLogs(sort: [{id: DESC}]) { id } allLogsConnection(first: 1) { totalCount edges { node { id } } }
        allLogsAggregate { count status { longest } } }";
    let expected = json!({"allLogs": [{"id": "l3"}, {"id": "l2"}, {"id": "l1"}],
        "allLogsConnection": {"totalCount": 3, "edges": [{"node": {"id": "l1"}}]},
        "allLogsAggregate": {"count": 3, "status": {"longest": "ACTIVE"}}});
    assert_eq!(inventory().root(query), expected);
}

#[test]
fn a_computed_field_is_used_like_a_stored_boolean() {
    check(&[
        ("vpcs(where: {logged: true})", "v1"),
        ("vpcs(where: {logged: false})", "v2 v3"),
        ("vpcs(where: {logged_NOT: true})", "v2 v3"),
        ("vpcs(where: {NOT: {logged: true}})", "v2 v3"),
        // One computed field may rest on another.
        ("vpcs(where: {lonely: true})", "v3"),
        ("subnets(where: {vpc: {logged: true}})", "s1 s2"),
        ("vpcs(sort: [{lonely: DESC}, {logged: DESC}])", "v3 v1 v2"),
        ("subnets(sort: [{vpc: {logged: ASC}}])", "s4 s1"),
    ]);
    let shown = inventory().root("vpcs { logged lonely }");
    assert_eq!(
        shown,
        json!([{"logged": true, "lonely": false}, {"logged": false, "lonely": false}, {"logged": false, "lonely": true}])
    );
    assert_eq!(inventory().refusal("vpcs(where: {logged: null}) { id }").0, "wrong_value");
    assert_eq!(inventory().refusal("vpcs(where: {logged: \"true\"}) { id }").0, "wrong_value");
    assert_eq!(inventory().refusal("vpcs(where: {logged_IN: [true]}) { id }").0, "unknown_key");
}

#[test]
fn in_an_open_world_a_computed_field_is_as_unknown_as_what_it_rests_on() {
    let slice = |asset_type: &str, outcome: Outcome| SliceState {
        key: SliceKey::new("1", "r1", asset_type),
        api: String::new(),
        outcome,
        reason: None,
        attempted_at: None,
        completed_at: (outcome == Outcome::Complete)
            .then(|| passmuster::model::Time::from_millis(0).unwrap()),
        assets: 0,
    };
    let slices = vec![
        slice("Vpc", Outcome::Complete),
        slice("Subnet", Outcome::Complete),
        slice("Log", Outcome::Denied),
    ];
    let inventory = Inventory::with_slices(SDL, &assets(), Some(slices));
    // An active log is seen below v1; below the others one may hide.
    assert_eq!(
        inventory.verdicts("vpcs(where: {logged: true}) { id }"),
        ("v1".to_owned(), 0, "v2 v3".to_owned())
    );
    assert_eq!(
        inventory.verdicts("vpcs(where: {logged_NOT: true}) { id }"),
        (String::new(), 1, "v2 v3".to_owned())
    );
    assert_eq!(inventory.verdicts("vpcs(where: {lonely: true}) { id }"), (String::new(), 2, "v3".to_owned()));
    // The path's first hop is whole, its second is not.
    assert_eq!(
        inventory.verdicts("vpcs(where: {allLogs_NONE: {active: true}}) { id }"),
        (String::new(), 1, "v2 v3".to_owned())
    );
    assert_eq!(inventory.verdicts("vpcs(where: {allLogsAggregate: {count_GT: 2}}) { id }").0, "v1");
    // The same with everything seen.
    let whole = Inventory::new(SDL, &assets());
    assert_eq!(
        whole.verdicts("vpcs(where: {logged_NOT: true}) { id }"),
        ("v2 v3".to_owned(), 1, String::new())
    );
}

#[test]
fn what_was_not_complete_is_named_for_every_kind_of_field() {
    let denied = SliceState {
        key: SliceKey::new("1", "r1", "Log"),
        api: String::new(),
        outcome: Outcome::Denied,
        reason: None,
        attempted_at: None,
        completed_at: None,
        assets: 0,
    };
    let inventory = Inventory::with_slices(SDL, &assets(), Some(vec![denied]));
    for (query, touches_logs) in [
        ("vpcsConnection { totalCount }", false),
        ("vpcsConnection { edges { node { logs { id } } } }", true),
        ("vpcsConnection(sort: [{logsAggregate: {count: ASC}}]) { totalCount }", true),
        ("vpcs(sort: [{logged: ASC}]) { id }", true),
        ("vpcs { allLogsAggregate { count } }", true),
        ("vpcs { logsConnection { totalCount } }", true),
        ("vpcsAggregate { count }", false),
        ("vpcsAggregate(where: {logs: null}) { count }", true),
        ("vpcsGroup(by: [region]) { count }", false),
        ("vpcsGroup(by: [logged]) { count }", true),
        ("subnets(sort: [{vpc: {id: ASC}}]) { id }", false),
        ("search(text: \"v\", types: [Vpc]) { id }", false),
        ("search(text: \"v\") { id }", true),
        ("logsAggregate { count }", true),
    ] {
        let answer = inventory.answer(&inventory.graph, query, &json!({}));
        assert_eq!(answer.get("errors"), None, "{query}");
        assert_eq!(answer.get("extensions").is_some(), touches_logs, "{query}");
    }
}

#[test]
fn embedded_objects_have_every_quantifier() {
    check(&[
        ("vpcs(where: {tags_SOME: {key: \"env\", value: \"prod\"}})", "v1"),
        ("vpcs(where: {tags: {key: \"env\"}})", "v1 v2"),
        ("vpcs(where: {tags_NONE: {key: \"env\"}})", "v3"),
        ("vpcs(where: {tags_ALL: {key: \"env\"}})", "v2"),
        ("vpcs(where: {tags_SINGLE: {value_NOT: null}})", "v1 v2"),
        ("vpcs(where: {tags_NOT: {value: null}})", "v2 v3"),
        ("vpcs(where: {tags: null})", "v3"),
        ("vpcs(where: {tags_NOT: null})", "v1 v2"),
        ("vpcs(where: {main: {key: \"m\"}})", "v1"),
        ("vpcs(where: {main: null})", "v2 v3"),
        ("vpcs(where: {main_NOT: null})", "v1"),
        ("everything(where: {tags_SOME: {OR: [{value: \"dev\"}, {key: \"team\"}]}})", "v1 v2"),
    ]);
    let shown = inventory().root("vpc(id: \"v1\") { main { key } tags { t: __typename value } }");
    let expected =
        json!({"main": {"key": "m"}, "tags": [{"t": "Tag", "value": "prod"}, {"t": "Tag", "value": null}]});
    assert_eq!(shown, expected);
}

#[test]
fn a_list_valued_key_relates_by_any_element_and_a_null_to_nothing() {
    check(&[("vpcs(where: {byZone_NOT: null})", "v1"), ("vpcs(where: {byZoneAggregate: {count: 2}})", "v1")]);
}

#[test]
fn a_plural_names_every_root_field() {
    let inventory = inventory();
    assert_eq!(inventory.root("everythingConnection { totalCount }"), json!({"totalCount": 10}));
    assert_eq!(inventory.root("everythingAggregate { count }"), json!({"count": 10}));
    assert_eq!(
        inventory.root("everythingGroup(by: typename) { key { typename } count }"),
        json!([{"key": {"typename": "Subnet"}, "count": 4}, {"key": {"typename": "Log"}, "count": 3},
            {"key": {"typename": "Vpc"}, "count": 3}])
    );
    assert_eq!(inventory.root("asset(id: \"l1\") { __typename }"), json!({"__typename": "Log"}));
    assert_eq!(inventory.refusal("assetsConnection { totalCount }").0, "unknown_field");
}

#[test]
fn a_limit_of_the_schema_bounds_lists_relations_and_pages() {
    check(&[
        ("subnets", "s1 s2"),
        ("subnets(limit: 1)", "s1"),
        ("subnets(limit: 99)", "s1 s2 s3"),
        ("subnets(limit: 0)", ""),
        ("subnets(offset: 2)", "s3 s4"),
    ]);
    let query = "vpc(id: \"v1\") { subnets { id } more: subnets(limit: 9) { id } subnetsConnection { totalCount edges { node { id } } }
        subnetsAggregate { count } }";
    let list = |ids: &[&str]| ids.iter().map(|id| json!({"id": id})).collect::<Value>();
    let expected = json!({"subnets": list(&["s1", "s2"]), "more": list(&["s1", "s2", "s3"]),
        "subnetsConnection": {"totalCount": 3, "edges": [{"node": {"id": "s1"}}, {"node": {"id": "s2"}}]},
        "subnetsAggregate": {"count": 3}});
    assert_eq!(inventory().root(query), expected);
}

#[test]
fn an_interface_has_root_fields_and_relations() {
    check(&[
        (
            "everything(where: {typename_IN: [Subnet, Log], region: \"r1\"}, sort: [{id: DESC}])",
            "s4 s3 s2 s1 l3 l2 l1",
        ),
        ("everything(where: {logs_SOME: {active: true}})", "s1"),
        ("everything(where: {NOT: {typename_IN: [Subnet, Log]}})", "v1 v2 v3"),
        (
            "everything(where: {OR: [{typename_IN: [Vpc], logs_NOT: null}, {typename_IN: [Subnet], logs: null}]})",
            "s3 s4 v1",
        ),
        ("everything(sort: [{logsAggregate: {count: DESC}}, {id: ASC}], limit: 4)", "s1 s2 v1 l1"),
        ("everything(where: {typename_IN: []})", ""),
    ]);
    let query = "everything(where: {logs_NOT: null}) { __typename id logs { id } logsConnection { totalCount } logsAggregate { count }
        ... on Vpc { subnetsAggregate { count } } }";
    let expected = json!([
        {"__typename": "Subnet", "id": "s1", "logs": [{"id": "l2"}], "logsConnection": {"totalCount": 1}, "logsAggregate": {"count": 1}},
        {"__typename": "Subnet", "id": "s2", "logs": [{"id": "l3"}], "logsConnection": {"totalCount": 1}, "logsAggregate": {"count": 1}},
        {"__typename": "Vpc", "id": "v1", "logs": [{"id": "l1"}], "logsConnection": {"totalCount": 1}, "logsAggregate": {"count": 1},
            "subnetsAggregate": {"count": 3}},
    ]);
    assert_eq!(inventory().root(query), expected);
}
