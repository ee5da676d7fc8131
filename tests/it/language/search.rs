//! `search`: assets of any type by id, name and tags, whether the schema has an interface or not.

use serde_json::{Value, json};

use super::Inventory;

const SDL: &str = r#"
type Tag { key: String!  value: String }
interface Named { id: ID!  name: String }
type Vpc implements Named { id: ID!  name: String  tags: [Tag!]!  size: Int }
type Log { id: ID!  tags: [Tag!]  note: String }
"#;

fn inventory() -> Inventory {
    let tag = |key: &str, value: &str| json!({"key": key, "value": value});
    let assets: Vec<Value> = vec![
        json!({"__typename": "Vpc", "id": "prod", "tags": []}),
        json!({"__typename": "Vpc", "id": "v1", "name": "Production \"east\"", "tags": [tag("env", "prod")], "size": 1}),
        json!({"__typename": "Vpc", "id": "v2", "name": "tab\there", "tags": [tag("a", "non-prod"), tag("b", "PROD")]}),
        json!({"__typename": "Vpc", "id": "v3", "name": "ÄÖ", "tags": []}),
        json!({"__typename": "Log", "id": "l-prod", "note": "here it is not looked for: secret"}),
        json!({"__typename": "Log", "id": "l2", "tags": [tag("production", "x")]}),
    ];
    Inventory::new(SDL, &assets)
}

#[test]
fn whole_values_come_first_then_beginnings_then_the_rest() {
    let expected = json!([
        {"typename": "Vpc", "id": "prod", "name": null, "field": "id"},
        {"typename": "Vpc", "id": "v1", "name": "Production \"east\"", "field": "tags"},
        {"typename": "Vpc", "id": "v2", "name": "tab\there", "field": "tags"},
        {"typename": "Log", "id": "l2", "name": null, "field": "tags"},
        {"typename": "Log", "id": "l-prod", "name": null, "field": "id"},
    ]);
    assert_eq!(inventory().root("search(text: \"PROD\") { typename id name field }"), expected);
}

#[test]
fn a_search_is_bounded_by_types_and_limit() {
    let inventory = inventory();
    for (arguments, expected) in [
        ("text: \"prod\", types: [Log]", "l2 l-prod"),
        ("text: \"prod\", types: Named", "prod v1 v2"),
        ("text: \"prod\", types: [Named, Log, Vpc], limit: 2", "prod v1"),
        ("text: \"prod\", types: []", ""),
        ("text: \"prod\", limit: 0", ""),
        ("text: \"nothing\"", ""),
        ("text: \"secret\"", ""),
        // Text is text: no pattern, and an escape in storage is none of it.
        ("text: \"p.od\"", ""),
        ("text: \"\\\"EAST\\\"\"", "v1"),
        ("text: \"b\\th\"", "v2"),
        ("text: \"th\"", ""),
        ("text: \"äö\"", "v3"),
    ] {
        assert_eq!(inventory.ids(&format!("search({arguments}) {{ id }}")), expected, "{arguments}");
    }
}

#[test]
fn the_asset_itself_is_shown_by_type() {
    let query = "search(text: \"prod\", limit: 4) { __typename asset { __typename id ... on Vpc { size } ... on Named { name } ...L } }
        __typename";
    let query = format!("{{ {query} }} fragment L on Log {{ tags {{ key }} }}");
    let hit = |asset: Value| json!({"__typename": "SearchHit", "asset": asset});
    let expected = json!({"search": [
        hit(json!({"__typename": "Vpc", "id": "prod", "size": null, "name": null})),
        hit(json!({"__typename": "Vpc", "id": "v1", "size": 1, "name": "Production \"east\""})),
        hit(json!({"__typename": "Vpc", "id": "v2", "size": null, "name": "tab\there"})),
        hit(json!({"__typename": "Log", "id": "l2", "tags": [{"key": "production"}]})),
    ], "__typename": "Query"});
    assert_eq!(inventory().data(&query), expected);
}

#[test]
fn a_search_that_cannot_be_says_what_to_write() {
    let inventory = inventory();
    for (query, code, help) in [
        ("search { id }", "missing_argument", "write `search(text: \"..\") { id }`"),
        ("search(text: null) { id }", "null_not_allowed", "say what to look for"),
        ("search(text: \"\") { id }", "wrong_value", ""),
        ("search(text: 7) { id }", "wrong_value", ""),
        ("search(text: \"a\", types: [Vcp]) { id }", "unknown_type", "did you mean `Vpc`?"),
        ("search(text: \"a\", types: [Tag]) { id }", "unknown_type", ""),
        ("search(text: \"a\", types: [\"Vpc\"]) { id }", "wrong_value", ""),
        ("search(text: \"a\", limit: -1) { id }", "wrong_value", ""),
        (
            "search(text: \"a\") { asset { size } }",
            "unknown_field",
            "`Vpc` has it: write `... on Vpc { size }`",
        ),
        ("search(text: \"a\") { asset }", "selection_missing", "write `asset { id }`"),
        ("search(text: \"a\") { nmae }", "unknown_field", "did you mean `name`?"),
    ] {
        let (actual, _, message, actual_help) = inventory.refusal(query);
        assert_eq!(actual, code, "{query}: {message}");
        if !help.is_empty() {
            assert_eq!(actual_help, help, "{query}");
        }
    }
}
