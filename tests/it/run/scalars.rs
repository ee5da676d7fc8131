//! The table of section 2 of the query language, row by row, and every operator.

use ipnet::IpNet;
use passmuster::query::{Comparison, Filter, Operand, Pattern, Test};
use serde_json::json;

use super::support::{World, a_box, compares, equals, graph_of, is_in, text};

/// Boxes with a text each: `n` is null, `x` and `y` hold their names.
fn texts() -> World {
    graph_of(vec![a_box("n", json!({})), a_box("x", json!({"text": "x"})), a_box("y", json!({"text": "y"}))])
}

fn pair(kept: &str, kept_by_negation: &str) -> (String, String) {
    (kept.to_owned(), kept_by_negation.to_owned())
}

#[test]
fn null_is_kept_by_equality_with_null_and_dropped_by_its_negation() {
    let world = texts();
    assert_eq!(world.both(world.is_null("text")), pair("n", "x y"));
}

#[test]
fn null_is_dropped_by_every_comparison_and_by_its_negation() {
    let world = texts();
    let both = |test| world.both(world.test("text", test));
    assert_eq!(both(equals(text("x"))), pair("x", "y"));
    assert_eq!(both(compares(Comparison::Less, text("y"))), pair("x", "y"));
    assert_eq!(both(Test::Contains("x".to_owned())), pair("x", "y"));
    assert_eq!(both(is_in(vec![text("x")], false)), pair("x", "y"));
}

#[test]
fn an_empty_in_keeps_nothing_and_its_negation_everything() {
    let world = texts();
    assert_eq!(world.both(Filter::Constant(false)), pair("", "n x y"));
}

#[test]
fn an_in_with_a_null_keeps_only_its_values_and_its_negation_nothing() {
    let world = texts();
    assert_eq!(world.both(world.test("text", is_in(vec![text("x")], true))), pair("x", ""));
    assert_eq!(world.both(world.test("text", is_in(vec![], true))), pair("", ""));
}

#[test]
fn includes_drops_a_null_list_either_way_and_an_empty_list_is_not_null() {
    let world = graph_of(vec![
        a_box("empty", json!({"words": []})),
        a_box("null", json!({})),
        a_box("with", json!({"words": ["a", "v"]})),
        a_box("without", json!({"words": ["a"]})),
    ]);
    let includes = world.test("words", Test::Includes(text("v")));
    assert_eq!(world.both(includes), pair("with", "empty without"));
    assert_eq!(world.both(world.is_null("words")), pair("null", "empty with without"));
}

#[test]
fn a_null_element_leaves_includes_undecided() {
    let world = graph_of(vec![
        a_box("holds", json!({"numbers": [1, null]})),
        a_box("maybe", json!({"numbers": [2, null]})),
        a_box("no", json!({"numbers": [2]})),
    ]);
    assert_eq!(world.both(world.test("numbers", Test::Includes(Operand::Int(1)))), pair("holds", "no"));
}

#[test]
fn a_list_equals_only_the_whole_list_in_order() {
    let world = graph_of(vec![
        a_box("ab", json!({"words": ["a", "b"]})),
        a_box("ba", json!({"words": ["b", "a"]})),
        a_box("empty", json!({"words": []})),
        a_box("null", json!({})),
    ]);
    let equal = |operands: &[&str]| {
        let operands = operands.iter().map(|operand| Some(text(operand))).collect();
        world.both(world.test("words", Test::ListEqual(operands)))
    };
    assert_eq!(equal(&["a", "b"]), pair("ab", "ba empty"));
    assert_eq!(equal(&[]), pair("empty", "ab ba"));
    assert_eq!(equal(&["a", "absent"]), pair("", "ab ba empty"));
}

#[test]
fn false_beats_unknown_in_and_true_beats_it_in_or() {
    let world = texts();
    let is_x = || world.test("text", equals(text("x")));
    let unknown_or = Filter::Any(vec![is_x(), Filter::Constant(true)]);
    assert_eq!(world.both(unknown_or), pair("n x y", ""));
    let unknown_and = Filter::All(vec![is_x(), Filter::Constant(false)]);
    assert_eq!(world.both(unknown_and), pair("", "n x y"));
    // Unknown itself is kept by neither.
    assert_eq!(world.both(Filter::All(vec![is_x(), Filter::Constant(true)])), pair("x", "y"));
}

#[test]
fn a_computed_filter_is_two_valued_over_unknown() {
    let world = texts();
    let holds = Filter::Holds(Box::new(world.test("text", equals(text("x")))));
    assert_eq!(world.both(holds), pair("x", "n y"));
}

#[test]
fn strings_compare_by_code_point_and_case() {
    let ids = ["A", "Z", "a", "é", "😀"];
    let world = graph_of(ids.iter().map(|id| a_box(id, json!({"text": id}))).collect());
    let kept = |test| world.kept(world.test("text", test));
    assert_eq!(kept(compares(Comparison::Less, text("a"))), "A Z");
    assert_eq!(kept(compares(Comparison::LessOrEqual, text("a"))), "A Z a");
    assert_eq!(kept(compares(Comparison::Greater, text("a"))), "é 😀");
    assert_eq!(kept(compares(Comparison::GreaterOrEqual, text("é"))), "é 😀");
    // An operand that no row holds still has its place.
    assert_eq!(kept(compares(Comparison::Less, text("B"))), "A");
    assert_eq!(kept(equals(text("z"))), "");
}

#[test]
fn text_operators_see_the_raw_text_not_its_escapes() {
    let world = graph_of(vec![
        a_box("line", json!({"text": "a\nb"})),
        a_box("plain", json!({"text": "a-nb"})),
        a_box("quote", json!({"text": "say \"n\""})),
    ]);
    let kept = |test| world.kept(world.test("text", test));
    assert_eq!(kept(Test::Contains("n".to_owned())), "plain quote");
    assert_eq!(kept(Test::Contains("\n".to_owned())), "line");
    assert_eq!(kept(Test::Contains("\\".to_owned())), "");
    assert_eq!(kept(Test::StartsWith("a\n".to_owned())), "line");
    assert_eq!(kept(Test::EndsWith("\"".to_owned())), "quote");
    assert_eq!(kept(equals(text("say \"n\""))), "quote");
    assert_eq!(kept(Test::StartsWith(String::new())), "line plain quote");
}

#[test]
fn a_pattern_matches_the_whole_value() {
    let world = graph_of(vec![a_box("ab", json!({"text": "ab"})), a_box("xabx", json!({"text": "xabx"}))]);
    let pattern = Pattern::new("a.".to_owned()).unwrap();
    assert_eq!(world.kept(world.test("text", Test::Matches(pattern))), "ab");
}

#[test]
fn numbers_and_times_compare_by_size() {
    let world = graph_of(vec![
        a_box(
            "a",
            json!({"int": -5, "big": "-9223372036854775808", "float": -0.5, "at": "1969-12-31", "day": "2026-01-01"}),
        ),
        a_box(
            "b",
            json!({"int": 7, "big": 9_223_372_036_854_775_807i64, "float": 2, "at": "2026-01-01", "day": "2026-01-02"}),
        ),
        a_box("n", json!({})),
    ]);
    for (field, operand) in [
        ("int", Operand::Int(-5)),
        ("big", Operand::Int(i64::MIN)),
        ("float", Operand::Float(-0.5)),
        ("at", Operand::Int(-86_400_000)),
        ("day", Operand::Int(20_454)),
    ] {
        let both = |comparison| world.both(world.test(field, compares(comparison, operand.clone())));
        assert_eq!(both(Comparison::Less), pair("", "a b"), "{field}");
        assert_eq!(both(Comparison::LessOrEqual), pair("a", "b"), "{field}");
        assert_eq!(both(Comparison::Greater), pair("b", "a"), "{field}");
        assert_eq!(both(Comparison::GreaterOrEqual), pair("a b", ""), "{field}");
        assert_eq!(world.both(world.test(field, equals(operand.clone()))), pair("a", "b"), "{field}");
        assert_eq!(
            world.both(world.test(field, is_in(vec![operand.clone()], false))),
            pair("a", "b"),
            "{field}"
        );
    }
    let beyond = compares(Comparison::Greater, Operand::Int(i64::MAX));
    assert_eq!(world.both(world.test("big", beyond)), pair("", "a b"));
}

#[test]
fn booleans_and_enums_are_equal_or_not() {
    let world = graph_of(vec![
        a_box("f", json!({"flag": false, "status": "INACTIVE"})),
        a_box("n", json!({})),
        a_box("t", json!({"flag": true, "status": "ACTIVE"})),
    ]);
    assert_eq!(world.both(world.test("flag", equals(Operand::Bool(true)))), pair("t", "f"));
    assert_eq!(world.both(world.test("flag", equals(Operand::Bool(false)))), pair("f", "t"));
    assert_eq!(world.both(world.test("status", equals(text("ACTIVE")))), pair("t", "f"));
    assert_eq!(
        world.both(world.test("status", is_in(vec![text("ACTIVE"), text("INACTIVE")], false))),
        pair("f t", "")
    );
}

#[test]
fn nets_are_equal_inside_around_or_overlapping() {
    let net = |text: &str| text.parse::<IpNet>().unwrap();
    let world = graph_of(vec![
        a_box("n", json!({})),
        a_box("six", json!({"net": "fd00::/8", "ip": "fd00::1"})),
        a_box("small", json!({"net": "10.9.0.0/16", "ip": "10.9.0.1"})),
        a_box("wide", json!({"net": "10.0.0.0/8", "ip": "11.0.0.1"})),
    ]);
    let both = |field: &str, test| world.both(world.test(field, test));
    assert_eq!(both("net", Test::Equal(Operand::Net(net("10.0.0.0/8")))), pair("wide", "six small"));
    assert_eq!(both("net", Test::Within(net("10.0.0.0/8"))), pair("small wide", "six"));
    assert_eq!(both("net", Test::ContainsNet(net("10.9.3.0/24"))), pair("small wide", "six"));
    assert_eq!(both("net", Test::Overlaps(net("10.9.3.0/24"))), pair("small wide", "six"));
    assert_eq!(both("net", Test::Overlaps(net("0.0.0.0/0"))), pair("small wide", "six"));
    assert_eq!(both("ip", Test::Within(net("10.0.0.0/8"))), pair("small", "six wide"));
    assert_eq!(both("ip", is_in(vec![Operand::Net(net("fd00::1/128"))], false)), pair("six", "small wide"));
}

#[test]
fn a_cell_that_could_not_be_seen_is_kept_by_nothing_in_a_plain_query() {
    let world = graph_of(vec![a_box("seen", json!({})), a_box("unseen", json!({"__unknown": ["text"]}))]);
    assert_eq!(world.both(world.is_null("text")), pair("seen", ""));
    assert_eq!(world.both(world.test("text", equals(text("x")))), pair("", ""));
}

#[test]
fn a_point_lookup_and_a_scan_keep_the_same() {
    // Enough rows that an index is worth it for the rare value and not for the common one.
    let boxes = (0..200).map(|number| {
        let name = if number == 77 { "rare" } else { "common" };
        a_box(&format!("b{number:03}"), json!({"text": name, "int": number % 2}))
    });
    let world = graph_of(boxes.collect());
    let is = |value| world.test("text", equals(text(value)));
    let odd = world.test("int", equals(Operand::Int(1)));
    assert_eq!(world.kept(is("rare")), "b077");
    assert_eq!(world.kept(Filter::All(vec![odd.clone(), is("rare")])), "b077");
    assert_eq!(world.kept(Filter::All(vec![Filter::Not(Box::new(odd)), is("rare")])), "");
    assert_eq!(world.kept(Filter::Any(vec![is("rare"), is("absent")])), "b077");
    assert_eq!(world.kept(is("common")).split(' ').count(), 199);
}
