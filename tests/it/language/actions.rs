//! Mutations and subscriptions through the engine: what is declared, what is refused and where, and what is printed of
//! what came of them.

use passmuster::{
    model::Time,
    query::{
        Action, Collection, Command, FINDING_CHANGE_KINDS, MutationField, NewException, NotDone, Request,
        SubscriptionField, WaitsFor, run::RunLimits,
    },
};
use serde_json::{Value, json};

use super::Inventory;

const SDL: &str = r#"
type Check { id: ID!  title: String!  runs: [CheckRun!]! @relation(fields: ["id"], references: ["checkId"]) }
type CheckRun { id: ID!  checkId: String!  verdict: String!  note: String!
  check: Check @relation(fields: ["checkId"], references: ["id"]) }
type Exception { id: ID!  status: String }
type Finding { id: ID!  severity: String  status: String!
  check: Check @relation(fields: ["checkId"], references: ["id"])  checkId: String }
type ScheduledJob { id: ID! }
"#;

fn inventory() -> Inventory {
    Inventory::new(
        SDL,
        &[
            json!({"__typename": "Check", "id": "c1", "title": "Logged"}),
            json!({"__typename": "CheckRun", "id": "c1@1", "checkId": "c1", "verdict": "FAIL", "note": "n"}),
            json!({"__typename": "Exception", "id": "e1", "status": "ACTIVE"}),
            json!({"__typename": "Finding", "id": "f1", "severity": "HIGH", "status": "OPEN", "checkId": "c1"}),
            json!({"__typename": "Finding", "id": "f2", "severity": "LOW", "status": "OPEN"}),
        ],
    )
}

fn mutation(inventory: &Inventory, query: &str, variables: Value) -> Vec<MutationField> {
    let request = Request { variables: variables.as_object().unwrap().clone(), ..Request::new(query) };
    match inventory.engine.action(&request) {
        Ok(Some(Action::Mutation(fields))) => fields,
        other => panic!("{query}: {other:?}"),
    }
}

fn subscription(inventory: &Inventory, query: &str) -> SubscriptionField {
    match inventory.engine.action(&Request::new(query)) {
        Ok(Some(Action::Subscription(field))) => field,
        other => panic!("{query}: {other:?}"),
    }
}

fn commands(inventory: &Inventory, query: &str, variables: Value) -> Vec<Option<Command>> {
    mutation(inventory, query, variables).into_iter().map(|field| field.command).collect()
}

fn answer(inventory: &Inventory, query: &str, done: &[Result<String, NotDone>]) -> Value {
    let fields = mutation(inventory, query, json!({}));
    let response = inventory.engine.answer_mutation(&inventory.graph, &fields, done, &RunLimits::unlimited());
    serde_json::from_slice(&response.body).unwrap()
}

fn told(inventory: &Inventory, query: &str, id: &str, kind: &str) -> Option<Value> {
    let field = subscription(inventory, query);
    let at: Time = "2026-11-20T12:00".parse().unwrap();
    let told = inventory.engine.tell(&inventory.graph, &field, (id, kind, at), &RunLimits::unlimited());
    told.map(|text| serde_json::from_str(&text).unwrap())
}

#[test]
fn arguments_of_mutations_are_coerced_like_those_of_queries() {
    let inventory = inventory();
    assert_eq!(
        commands(
            &inventory,
            "mutation { a: runCheck(id: \"c1\") { id } revokeException(id: 7) { id } }",
            json!({})
        ),
        [
            Some(Command::RunCheck { id: "c1".to_owned() }),
            Some(Command::RevokeException { id: "7".to_owned() })
        ],
        "an ID may be written as a number"
    );
    let query = "mutation M($owner: String!, $asset: ID, $end: DateTime!, $no: Boolean!) {
        addException(check: null, asset: $asset, owner: $owner, reason: \"r\", expiresAt: $end) { id }
        runCheck(id: \"c1\") @include(if: $no) { id }
        __typename
    }";
    let variables = json!({"owner": "me", "asset": "vpc-1", "end": "2027-01-01", "no": false});
    let wanted = NewException {
        check: None,
        asset: Some("vpc-1".to_owned()),
        account: None,
        filter: None,
        asset_type: None,
        owner: "me".to_owned(),
        reason: "r".to_owned(),
        expires_at: "2027-01-01".parse().unwrap(),
    };
    assert_eq!(commands(&inventory, query, variables), [Some(Command::AddException(wanted)), None]);
    let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        commands(
            &inventory,
            "mutation { collect(regions: \"r1\", only: [\"Vpc\", \"FlowLog\"], accounts: null) { id } }",
            json!({})
        ),
        [Some(Command::Collect(Collection {
            accounts: Vec::new(),
            regions: list(&["r1"]),
            only: list(&["Vpc", "FlowLog"]),
        }))],
        "a single value is a list of one"
    );
}

#[test]
fn what_came_of_a_mutation_is_printed_in_the_order_asked() {
    let inventory = inventory();
    let query = "mutation {
        second: revokeException(id: \"e1\") { ...E }
        __typename
        first: runCheck(id: \"c1\") { verdict check { title runs { id } } __typename }
        lost: runCheck(id: \"c2\") { id }
    }
    fragment E on Exception { status }";
    let busy = NotDone { code: "busy", message: "wait".to_owned() };
    let done = [Ok("e1".to_owned()), Ok(String::new()), Ok("c1@1".to_owned()), Err(busy)];
    let fields = mutation(&inventory, query, json!({}));
    let response =
        inventory.engine.answer_mutation(&inventory.graph, &fields, &done, &RunLimits::unlimited());
    let text = String::from_utf8(response.body).unwrap();
    let place = |key: &str| text.find(key).unwrap();
    assert!(
        place("second") < place("Mutation")
            && place("Mutation") < place("first")
            && place("first") < place("lost")
    );
    assert_eq!(
        serde_json::from_str::<Value>(&text).unwrap(),
        json!({
            "data": {
                "second": {"status": "ACTIVE"},
                "__typename": "Mutation",
                "first": {"verdict": "FAIL", "check": {"title": "Logged", "runs": [{"id": "c1@1"}]},
                          "__typename": "CheckRun"},
                "lost": null,
            },
            "errors": [{"message": "wait", "path": ["lost"], "extensions": {"code": "busy"}}],
        })
    );
    assert_eq!(
        answer(&inventory, "mutation { runCheck(id: \"c1\") { id } }", &[Ok("nowhere".to_owned())]),
        json!({"data": {"runCheck": null}}),
    );
}

#[test]
fn mistakes_are_told_with_their_place_before_anything_is_done() {
    let inventory = inventory();
    let cases = [
        ("mutation { runChek(id: \"c1\") { id } }", "unknown_field", "did you mean `runCheck`?", (1, 12)),
        ("mutation { runCheck { id } }", "missing_argument", "", (1, 12)),
        ("mutation { runCheck(id: null) { id } }", "null_not_allowed", "", (1, 25)),
        ("mutation { runCheck(id: \"c1\") }", "selection_missing", "write `runCheck { id }`", (1, 12)),
        ("mutation { runCheck(id: \"c1\", force: true) { id } }", "unknown_argument", "it takes id", (1, 31)),
        ("mutation { runCheck(id: \"c1\") { verdct } }", "unknown_field", "did you mean `verdict`?", (1, 33)),
        ("mutation { runCheck(id: true) { id } }", "wrong_value", "", (1, 25)),
        ("mutation { collect(regions: [1]) { id } }", "wrong_value", "", (1, 30)),
        ("mutation { collect(regions: [null]) { id } }", "null_not_allowed", "leave it out", (1, 30)),
        (
            "mutation { addException(asset: \"a\", owner: \"o\", reason: \"r\", expiresAt: \"soon\") { id } }",
            "wrong_value",
            "",
            (1, 73),
        ),
        (
            "mutation { addException(asset: \"a\", owner: \"o\", expiresAt: \"2027\") { id } }",
            "missing_argument",
            "",
            (1, 12),
        ),
        ("mutation { zzz { id } }", "unknown_field", "it has runCheck", (1, 12)),
        (
            "subscription { findingChangd { kind } }",
            "unknown_field",
            "did you mean `findingChanged`?",
            (1, 16),
        ),
        ("subscription { findingChanged { kin } }", "unknown_field", "did you mean `kind`?", (1, 33)),
        ("subscription { findingChanged { finding } }", "selection_missing", "finding { id }", (1, 33)),
        (
            "subscription { findingChanged(where: {severty: \"HIGH\"}) { kind } }",
            "unknown_key",
            "did you mean `severity`?",
            (1, 39),
        ),
    ];
    for (query, code, help, (line, column)) in cases {
        let errors = inventory.engine.action(&Request::new(query)).unwrap_err();
        let error = errors.iter().find(|error| error.code() == code);
        let error = error.unwrap_or_else(|| panic!("{query}: {errors:?}"));
        let place = error.place.as_ref().unwrap();
        assert_eq!((place.line, place.column), (line, column), "{query}: {error:?}");
        assert!(error.help.clone().unwrap_or_default().contains(help), "{query}: {error:?}");
    }
}

/// Q1, Q3: the guard comes before everything else, as it does for queries.
#[test]
fn mutations_and_subscriptions_are_guarded() {
    let inventory = inventory();
    for root in ["mutation", "subscription"] {
        let nested =
            format!("{root} {{ runCheck(id: {}\"c\"{}) {{ id }} }}", "[".repeat(5000), "]".repeat(5000));
        let errors = inventory.engine.action(&Request::new(nested)).unwrap_err();
        assert_eq!(errors[0].code(), "nested_too_deep", "{errors:?}");
    }
    let two = "subscription { checkRunFinished { id } findingChanged { kind } }";
    assert!(inventory.engine.action(&Request::new(two)).is_err(), "a subscription has one root field");
    let introspective = "subscription { __typename }";
    assert!(inventory.engine.action(&Request::new(introspective)).is_err());
}

#[test]
fn a_query_is_no_action_and_an_action_is_no_query() {
    let inventory = inventory();
    assert!(inventory.engine.action(&Request::new("{ checks { id } }")).unwrap().is_none());
    let limits = RunLimits::unlimited();
    for (query, word) in [
        ("mutation { runCheck(id: \"c1\") { id } }", "a mutation"),
        ("subscription { checkRunFinished { id } }", "a subscription"),
    ] {
        let response = inventory.engine.execute(&inventory.graph, &Request::new(query), &limits);
        assert_eq!(response.errors[0].code(), "not_a_query");
        assert!(response.errors[0].to_string().starts_with(word), "{}", response.errors[0]);
    }
}

#[test]
fn a_subscriber_is_told_of_what_its_filter_keeps() {
    let inventory = inventory();
    let query = "subscription { it: findingChanged(where: {severity: \"HIGH\"}) {
        how: kind at __typename finding { id check { title } } again: finding { status } } }";
    assert_eq!(
        told(&inventory, query, "f1", "OPENED"),
        Some(json!({"data": {"it": {
            "how": "OPENED", "at": "2026-11-20T12:00:00.000Z", "__typename": "FindingChange",
            "finding": {"id": "f1", "check": {"title": "Logged"}}, "again": {"status": "OPEN"},
        }}}))
    );
    assert_eq!(told(&inventory, query, "f2", "OPENED"), None, "another severity");
    assert_eq!(told(&inventory, query, "f3", "OPENED"), None, "it is not there");
    assert_eq!(
        told(&inventory, "subscription { findingChanged { kind } }", "f2", "RESOLVED"),
        Some(json!({"data": {"findingChanged": {"kind": "RESOLVED"}}}))
    );
    assert_eq!(
        told(
            &inventory,
            "subscription { r: checkRunFinished(check: \"c1\") { verdict check { id } } }",
            "c1@1",
            ""
        ),
        Some(json!({"data": {"r": {"verdict": "FAIL", "check": {"id": "c1"}}}}))
    );
    let field = subscription(&inventory, "subscription { checkRunFinished(check: \"c1\") { id } }");
    assert_eq!(field.waits_for, WaitsFor::CheckRunFinished { check: Some("c1".to_owned()) });
}

#[test]
fn what_can_not_be_told_of_an_asset_is_an_error_at_its_place_in_what_is_told() {
    let sdl = SDL.replace("type Check { id: ID!  title: String!", "type Check { id: ID!  title: String!  owner: Owner! @relation(fields: [\"id\"], references: [\"checkId\"])")
        + "type Owner { id: ID!  checkId: String }";
    let inventory = Inventory::new(
        &sdl,
        &[
            json!({"__typename": "Check", "id": "c1", "title": "Logged"}),
            json!({"__typename": "CheckRun", "id": "c1@1", "checkId": "c1", "verdict": "FAIL", "note": "n"}),
            json!({"__typename": "Finding", "id": "f1", "severity": "LOW", "status": "OPEN", "checkId": "c1"}),
        ],
    );
    // The check of a run, and of a finding, may be null, and so is where its owner is missing.
    let run = "subscription { r: checkRunFinished { verdict check { owner { id } } } }";
    let answer = told(&inventory, run, "c1@1", "").unwrap();
    assert_eq!(answer["data"], json!({"r": {"verdict": "FAIL", "check": null}}), "{answer}");
    assert_eq!(answer["errors"][0]["path"], json!(["r", "check", "owner"]), "{answer}");
    let change = "subscription { c: findingChanged { kind f: finding { id check { o: owner { id } } } } }";
    let answer = told(&inventory, change, "f1", "OPENED").unwrap();
    let expected = json!({"c": {"kind": "OPENED", "f": {"id": "f1", "check": null}}});
    assert_eq!(answer["data"], expected, "{answer}");
    assert_eq!(answer["errors"][0]["path"], json!(["c", "f", "check", "o"]), "{answer}");
    // Where the asset itself can't stand, nothing can; its subscriber hears of it all the same.
    let sdl = sdl.replace("verdict: String!  note: String!", "verdict: String!  note: String!  owner: Owner! @relation(fields: [\"id\"], references: [\"checkId\"])");
    let run =
        json!({"__typename": "CheckRun", "id": "c1@1", "checkId": "c1", "verdict": "FAIL", "note": "n"});
    let inventory = Inventory::new(&sdl, &[run]);
    let answer =
        told(&inventory, "subscription { r: checkRunFinished { owner { id } } }", "c1@1", "").unwrap();
    assert_eq!((&answer["data"], &answer["errors"][0]["path"]), (&Value::Null, &json!(["r", "owner"])));
}

#[test]
fn the_schema_declares_them_where_it_has_the_types_that_come_of_them() {
    let sdl = inventory().engine.sdl();
    for declared in [
        "runCheck(",
        "addException(",
        "revokeException(",
        "collect(",
        "type Mutation",
        "type Subscription",
        "findingChanged(",
        "checkRunFinished(",
        "type FindingChange ",
        "enum FindingChangeKind",
    ] {
        assert!(sdl.contains(declared), "{declared}: {sdl}");
    }
    for (kind, _) in FINDING_CHANGE_KINDS {
        assert!(sdl.contains(&format!("\n  {kind}\n")), "{kind}: {sdl}");
    }
    let bare = Inventory::new("type Vpc { id: ID! }", &[]);
    assert!(!bare.engine.sdl().contains("Mutation") && !bare.engine.sdl().contains("Subscription"));
    let errors = bare.engine.action(&Request::new("mutation { runCheck(id: 1) { id } }")).unwrap_err();
    assert_eq!(errors[0].code(), "unknown_field", "{errors:?}");
    let partly = Inventory::new("type CheckRun { id: ID! }", &[]);
    let sdl = partly.engine.sdl();
    assert!(
        sdl.contains("runCheck(") && !sdl.contains("addException(") && !sdl.contains("findingChanged"),
        "{sdl}"
    );
}

#[test]
fn introspection_shows_the_roots() {
    let inventory = inventory();
    let query =
        "{ __schema { mutationType { name fields { name } } subscriptionType { name fields { name } } } }";
    let answer = inventory.answer(&inventory.graph, query, &json!({}));
    let names = |root: &str| -> Vec<String> {
        let fields =
            answer["data"]["__schema"][root]["fields"].as_array().unwrap_or_else(|| panic!("{answer}"));
        let mut names: Vec<String> =
            fields.iter().map(|field| field["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names("mutationType"), ["addException", "collect", "revokeException", "runCheck"]);
    assert_eq!(names("subscriptionType"), ["checkRunFinished", "findingChanged"]);
}
