//! Section 2: the operators of each kind of field, and what null makes of them.

use serde_json::{Value, json};

use super::Inventory;

const SDL: &str = r#"
enum Stage { DEV PROD }
type Row {
  id: ID!  s: String  i: Int  f: Float  b: Boolean  big: BigInt  at: DateTime  day: Date  stage: Stage
  net: CIDR  ip: IPAddress  list: [String!]  numbers: [Int]  other: ID  json: JSON
}
"#;

fn rows() -> Vec<Value> {
    vec![
        json!({"__typename": "Row", "id": "a", "s": "abc", "i": 1, "f": 0.5, "b": true, "big": "9007199254740993",
            "at": "2024-01-01T00:00:00Z", "day": "2024-01-01", "stage": "DEV", "net": "10.0.0.0/8", "ip": "10.1.2.3",
            "list": ["x", "y"], "numbers": [1, null], "other": "k1", "json": {"deep": [1]}}),
        json!({"__typename": "Row", "id": "b", "s": "ABC", "i": 2, "f": 2.0, "b": false, "big": 9007199254740992i64,
            "at": "2024-01-01T00:00:00.001Z", "day": "2024-01-02", "stage": "PROD", "net": "10.1.0.0/16",
            "ip": "fd00::1", "list": [], "numbers": [2], "other": "k2", "json": 7}),
        json!({"__typename": "Row", "id": "c"}),
    ]
}

fn check(cases: &[(&str, &str)]) {
    let inventory = Inventory::new(SDL, &rows());
    for (filter, expected) in cases {
        assert_eq!(inventory.ids(&format!("rows(where: {{{filter}}}) {{ id }}")), *expected, "{filter}");
    }
}

#[test]
fn texts_have_fifteen_operators_that_see_case_and_code_points() {
    check(&[
        ("s: \"abc\"", "a"),
        ("s_NOT: \"abc\"", "b"),
        ("s_IN: [\"abc\", \"x\"]", "a"),
        ("s_NOT_IN: [\"abc\"]", "b"),
        ("s_CONTAINS: \"b\"", "a"),
        ("s_NOT_CONTAINS: \"b\"", "b"),
        ("s_STARTS_WITH: \"A\"", "b"),
        ("s_NOT_STARTS_WITH: \"A\"", "a"),
        ("s_ENDS_WITH: \"c\"", "a"),
        ("s_NOT_ENDS_WITH: \"c\"", "b"),
        ("s_MATCHES: \"a.c\"", "a"),
        ("s_MATCHES: \"b\"", ""),
        ("s_MATCHES: \"(?i)abc\"", "a b"),
        ("s_LT: \"a\"", "b"),
        ("s_LTE: \"abc\"", "a b"),
        ("s_GT: \"ABC\"", "a"),
        ("s_GTE: \"ABC\"", "a b"),
        ("other_STARTS_WITH: \"k\"", "a b"),
        ("id_GT: \"b\"", "c"),
    ]);
}

#[test]
fn numbers_and_moments_have_eight_operators() {
    for field in ["i", "f", "big", "at", "day"] {
        let inventory = Inventory::new(SDL, &rows());
        let (low, high) = match field {
            "i" => ("1", "2"),
            "f" => ("0.5", "2"),
            // Read from a number or a string, whole beyond 2^53.
            "big" => ("9007199254740992", "\"9007199254740993\""),
            // Any ISO form, a bare date included.
            "at" => ("\"2024-01-01\"", "\"2024-01-01T01:00:00.001+01:00\""),
            _ => ("\"2024-01-01\"", "\"2024-01-02\""),
        };
        let (least, most) = if field == "big" { ("b", "a") } else { ("a", "b") };
        for (suffix, operand, expected) in [
            ("", low.to_owned(), least),
            ("_NOT", low.to_owned(), most),
            ("_IN", format!("[{low}]"), least),
            ("_NOT_IN", format!("[{low}]"), most),
            ("_LT", high.to_owned(), least),
            ("_LTE", low.to_owned(), least),
            ("_GT", low.to_owned(), most),
            ("_GTE", high.to_owned(), most),
        ] {
            let query = format!("rows(where: {{{field}{suffix}: {operand}}}) {{ id }}");
            assert_eq!(inventory.ids(&query), expected, "{query}");
        }
    }
}

#[test]
fn booleans_enums_and_lists_have_their_few() {
    check(&[
        ("b: true", "a"),
        ("b_NOT: true", "b"),
        ("stage: DEV", "a"),
        ("stage_NOT: DEV", "b"),
        ("stage_IN: [DEV, PROD]", "a b"),
        ("stage_NOT_IN: [PROD]", "a"),
        ("list: [\"x\", \"y\"]", "a"),
        ("list: [\"y\", \"x\"]", ""),
        ("list: []", "b"),
        ("list_NOT: []", "a"),
        ("list_INCLUDES: \"x\"", "a"),
        ("list_NOT_INCLUDES: \"x\"", "b"),
        ("numbers: [1, null]", "a"),
        ("numbers_INCLUDES: 2", "b"),
    ]);
}

#[test]
fn networks_are_inside_around_or_overlapping() {
    check(&[
        ("net: \"10.0.0.0/8\"", "a"),
        ("net_NOT: \"10.0.0.0/8\"", "b"),
        ("net_IN: [\"10.1.0.0/16\"]", "b"),
        ("net_NOT_IN: [\"10.1.0.0/16\"]", "a"),
        ("net_WITHIN: \"10.1.0.0/12\"", "b"),
        ("net_CONTAINS: \"10.2.0.1\"", "a"),
        ("net_CONTAINS: \"10.1.2.0/24\"", "a b"),
        ("net_OVERLAPS: \"10.1.255.0/24\"", "a b"),
        ("net_OVERLAPS: \"11.0.0.0/8\"", ""),
        ("ip_WITHIN: \"10.0.0.0/8\"", "a"),
        ("ip_WITHIN: \"fd00::/8\"", "b"),
        ("ip: \"FD00:0::1\"", "b"),
    ]);
}

#[test]
fn json_is_kept_as_it_is_and_has_no_operator_but_null() {
    check(&[("json: null", "c"), ("json_NOT: null", "a b")]);
    let inventory = Inventory::new(SDL, &rows());
    let shown = json!([{"json": {"deep": [1]}}, {"json": 7}, {"json": null}]);
    assert_eq!(inventory.root("rows { json }"), shown);
    assert_eq!(inventory.refusal("rows(where: {json: {deep: 1}}) { id }").0, "wrong_value");
    assert_eq!(inventory.refusal("rows(sort: [{json: ASC}]) { id }").0, "unknown_key");
    assert_eq!(inventory.refusal("rowsGroup(by: [json]) { count }").0, "wrong_value");
}

#[test]
fn null_is_kept_by_null_and_dropped_by_everything_else() {
    check(&[
        ("s: null", "c"),
        ("s_NOT: null", "a b"),
        ("NOT: {s: \"abc\"}", "b"),
        ("NOT: {s_NOT: \"abc\"}", "a"),
        ("NOT: {s_CONTAINS: \"q\"}", "a b"),
        ("s_IN: []", ""),
        ("s_NOT_IN: []", "a b c"),
        ("s_IN: [\"abc\", null]", "a"),
        ("s_NOT_IN: [\"abc\", null]", ""),
        ("s_IN: [null]", ""),
        ("NOT: {s_IN: [\"abc\", null]}", ""),
        ("list_NOT_INCLUDES: \"q\"", "a b"),
        ("numbers_NOT_INCLUDES: 9", "b"),
        ("list: null", "c"),
        ("OR: [{s_NOT: \"abc\"}, {s: null}]", "b c"),
    ]);
}

#[test]
fn false_beats_unknown_in_and_true_beats_it_in_or() {
    check(&[
        ("NOT: {AND: [{s: \"q\"}, {id: \"zzz\"}]}", "a b c"),
        ("NOT: {AND: [{s: \"q\"}, {id: \"c\"}]}", "a b"),
        ("OR: [{s: \"q\"}, {id: \"c\"}]", "c"),
        ("NOT: {OR: [{s: \"q\"}, {id: \"zzz\"}]}", "a b"),
    ]);
}

#[test]
fn no_predicate_is_dropped_wherever_it_stands() {
    check(&[
        ("", "a b c"),
        ("OR: []", "a b c"),
        ("AND: []", "a b c"),
        ("NOT: {}", "a b c"),
        ("OR: [{}]", "a b c"),
        ("NOT: {OR: []}", "a b c"),
        ("OR: [{}, {id: \"b\"}]", "b"),
        ("OR: {id: \"b\"}", "b"),
        ("AND: {id: \"b\"}", "b"),
        ("OR: [{id: \"b\", s: \"ABC\"}, {id: \"a\", s: \"ABC\"}]", "b"),
    ]);
}
