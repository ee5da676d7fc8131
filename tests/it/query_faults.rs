//! Q1-Q23 of the faults that must be survived, each through the whole engine: what comes back is a refusal with a code
//! or an answer, and the engine answers the next query. The guard's own tests go further into Q1-Q10.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use passmuster::{
    catalog::{Catalog, Source},
    graph::{Graph, GraphBuilder},
    model::{Asset, Time},
    query::{
        Engine, Fragments, GuardLimits, Request,
        run::{RunLimits, Stop},
    },
};
use serde_json::{Value, json};

struct Fixture {
    engine: Engine,
    graph: Graph,
}

fn fixture() -> Fixture {
    let sdl = include_str!("../specification/schema.graphql");
    let catalog = Arc::new(Catalog::read(&[Source::new("schema.graphql", sdl)]).unwrap());
    let mut builder = GraphBuilder::new(Arc::clone(&catalog));
    let long = "a".repeat(100_000);
    for asset in [
        json!({"__typename": "Vpc", "id": "a", "vpcId": "v", "state": "up", "name": "alpha", "stage": "PROD", "size": 3}),
        json!({"__typename": "Vpc", "id": "b", "vpcId": "w", "state": "up", "name": long, "region": "😀"}),
        json!({"__typename": "FlowLog", "id": "f", "resourceId": "v", "level": "LOW"}),
    ] {
        builder.push(&Asset::from_json(asset).unwrap()).unwrap();
    }
    let graph = builder.finish(None, Time::from_millis(0).unwrap()).unwrap();
    Fixture { engine: Engine::new(catalog, Fragments::new(), GuardLimits::default()).unwrap(), graph }
}

impl Fixture {
    fn send(&self, query: &str, variables: Value) -> Value {
        let variables = variables.as_object().unwrap().clone();
        let request = Request { variables, ..Request::new(query) };
        let response = self.engine.execute(&self.graph, &request, &RunLimits::unlimited());
        serde_json::from_slice(&response.body).unwrap()
    }

    /// The code of the first error; the engine must answer the next query all the same.
    fn code(&self, query: &str, variables: Value) -> String {
        let response = self.send(query, variables);
        let shown: String = query.chars().take(200).collect();
        assert_eq!(response.get("data"), None, "{shown}");
        assert_eq!(self.ids("{ vpcs { id } }", json!({})), ["a", "b"]);
        response["errors"][0]["extensions"]["code"].as_str().unwrap().to_owned()
    }

    fn ids(&self, query: &str, variables: Value) -> Vec<String> {
        let response = self.send(query, variables);
        assert_eq!(response.get("errors"), None, "{query}");
        let rows = response["data"].as_object().unwrap().values().next().unwrap().as_array().unwrap();
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    }
}

fn nested(open: &str, close: &str) -> String {
    format!("{{ vpcs(where: {}{}) {{ id }} }}", open.repeat(2_500), close.repeat(2_500))
}

#[test]
fn q1_lists_nested_by_the_thousand() {
    assert_eq!(fixture().code(&nested("[", "]"), json!({})), "nested_too_deep");
    // The same in a variable is no text of ours: JSON has a limit of its own, and what fits it is judged.
    let mut deep = json!({"name": "alpha"});
    for _ in 0..100 {
        deep = json!({ "AND": [deep] });
    }
    let query = "query ($w: VpcWhere) { vpcs(where: $w) { id } }";
    assert_eq!(fixture().ids(query, json!({ "w": deep })), ["a"]);
}

#[test]
fn q2_objects_nested_by_the_thousand() {
    assert_eq!(fixture().code(&nested("{NOT: ", "}"), json!({})), "nested_too_deep");
    let selections = format!("{}id{}", "{ vpcs ".repeat(2_500), "}".repeat(2_500));
    assert_eq!(fixture().code(&selections, json!({})), "nested_too_deep");
}

#[test]
fn q3_a_fragment_bomb() {
    let levels: String =
        (0..30).map(|at| format!("fragment F{at} on Vpc {{ ...F{0} ...F{0} }} ", at + 1)).collect();
    let bomb = format!("{{ vpcs {{ ...F0 }} }} {levels} fragment F30 on Vpc {{ id }}");
    assert_eq!(fixture().code(&bomb, json!({})), "too_many_selections");
    // Descriptions before the fragments hide nothing.
    let described = bomb.replace("fragment", "\"a\" fragment");
    assert_eq!(fixture().code(&described, json!({})), "too_many_selections");
}

#[test]
fn q4_a_fragment_circle() {
    let circle = "{ vpcs { ...A } } fragment A on Vpc { ...B } fragment B on Vpc { ...A }";
    assert_eq!(fixture().code(circle, json!({})), "fragment_cycle");
    let described = circle.replace("fragment", "\"\"\"a\"\"\" fragment");
    assert_eq!(fixture().code(&described, json!({})), "fragment_cycle");
}

#[test]
fn q5_aliases_by_the_thousand() {
    let aliases: String = (0..10_000).map(|at| format!("a{at}: vpcs {{ id }} ")).collect();
    assert_eq!(fixture().code(&format!("{{ {aliases} }}"), json!({})), "too_many_root_fields");
}

#[test]
fn q6_one_field_by_the_thousand() {
    let fields = "id ".repeat(10_000);
    // So many are merged into one; more are refused.
    assert_eq!(fixture().ids(&format!("{{ vpcs {{ {fields} }} }}"), json!({})), ["a", "b"]);
    let more = "id ".repeat(30_000);
    assert_eq!(fixture().code(&format!("{{ vpcs {{ {more} }} }}"), json!({})), "too_many_selections");
}

#[test]
fn q7_unknown_directives_by_the_thousand() {
    let directives = "@x ".repeat(20_000);
    assert_eq!(
        fixture().code(&format!("{{ vpcs {{ id {directives} }} }}"), json!({})),
        "too_many_directives"
    );
    assert_eq!(fixture().code("{ vpcs { id @x @x } }", json!({})), "unknown_directive");
}

#[test]
fn q8_introspection_in_circles() {
    let circle = "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }";
    let response = fixture().send(circle, json!({}));
    assert!(response["errors"][0]["message"].as_str().unwrap().contains("3 times"), "{response}");
    assert_eq!(response.get("data"), None);
}

#[test]
fn q9_strings_that_do_not_end_or_hold_brackets() {
    let fixture = fixture();
    for text in ["{ vpcs(where: {name: \"a}) { id } }", "{ vpcs(where: {name: \"\"\"a}) { id } }"] {
        assert_eq!(fixture.code(text, json!({})), "unterminated_string");
    }
    let brackets = "[{(".repeat(3_000);
    assert!(
        fixture.ids(&format!("{{ vpcs(where: {{name: \"{brackets}\"}}) {{ id }} }}"), json!({})).is_empty()
    );
    assert!(
        fixture
            .ids(&format!("{{ vpcs(where: {{name: \"\"\"{brackets}\"\"\"}}) {{ id }} }}"), json!({}))
            .is_empty()
    );
}

#[test]
fn q10_surrogates_control_characters_and_marks() {
    // Bytes that are no UTF-8 never reach the engine: the server refuses them.
    let fixture = fixture();
    let query = "query ($r: String) { vpcs(where: {region: $r}) { id } }";
    assert_eq!(fixture.ids(query, json!({"r": "😀"})), ["b"]);
    for written in ["😀", "\\uD83D\\uDE00", "\\u{1F600}", "\\u{01F600}"] {
        assert_eq!(
            fixture.ids(&format!("{{ vpcs(where: {{region: \"{written}\"}}) {{ id }} }}"), json!({})),
            ["b"]
        );
    }
    assert_eq!(fixture.code("{ vpcs(where: {region: \"\\uD83D\"}) { id } }", json!({})), "lone_surrogate");
    assert_eq!(fixture.code("{ vpcs(where: {region: \"\0\"}) { id } }", json!({})), "forbidden_character");
    assert_eq!(fixture.ids("\u{feff}{ vpcs {\u{feff} id } }", json!({})), ["a", "b"]);
    // As a value it is a character like any other.
    assert!(fixture.ids(query, json!({"r": "\0"})).is_empty());
}

#[test]
fn q11_a_variable_that_is_left_out() {
    let fixture = fixture();
    let query = "query ($n: String = \"alpha\") { vpcs(where: {name: $n}) { id } }";
    assert_eq!(fixture.ids(query, json!({})), ["a"]);
    assert!(fixture.ids(query, json!({"n": null})).is_empty());
    let without = "query ($n: String) { vpcs(where: {name: $n}) { id } }";
    assert_eq!(fixture.ids(without, json!({})), ["a", "b"]);
    assert!(fixture.ids(without, json!({"n": null})).is_empty());
}

#[test]
fn q12_null_where_there_is_never_null() {
    let fixture = fixture();
    let query = "query ($n: Int!) { vpcs(limit: $n) { id } }";
    assert_eq!(fixture.code(query, json!({"n": null})), "null_not_allowed");
    assert_eq!(fixture.code(query, json!({})), "missing_variable");
    assert_eq!(fixture.code("query ($n: Int! = null) { vpcs(limit: $n) { id } }", json!({})), "wrong_value");
}

#[test]
fn q13_numbers_beyond_their_range() {
    let fixture = fixture();
    let query = "query ($n: Int) { vpcs(where: {size: $n}) { id } }";
    for value in [json!(2_147_483_648_i64), json!(-2_147_483_649_i64), json!(1.5), json!(1e300), json!("NaN")]
    {
        assert_eq!(fixture.code(query, json!({ "n": value })), "wrong_value", "{value}");
    }
    for literal in ["2147483648", "-2147483649", "1.0", "NaN", "Infinity"] {
        let query = format!("{{ vpcs(where: {{size: {literal}}}) {{ id }} }}");
        assert_eq!(fixture.code(&query, json!({})), "wrong_value", "{literal}");
    }
    assert_eq!(fixture.code("{ vpcs(where: {weight: 1e999}) { id } }", json!({})), "wrong_value");
}

#[test]
fn q14_one_value_for_a_list() {
    let fixture = fixture();
    assert_eq!(fixture.ids("{ vpcs(where: {name_IN: \"alpha\"}) { id } }", json!({})), ["a"]);
    let query = "query ($n: [String!]) { vpcs(where: {name_IN: $n}, sort: {name: ASC}) { id } }";
    assert_eq!(fixture.ids(query, json!({"n": "alpha"})), ["a"]);
    // But a variable of the single type stands for no list.
    let single = "query ($n: String) { vpcs(where: {name_IN: $n}) { id } }";
    assert_eq!(fixture.code(single, json!({"n": "alpha"})), "variable_misplaced");
}

#[test]
fn q15_an_enum_in_quotes() {
    let fixture = fixture();
    assert_eq!(fixture.code("{ vpcs(where: {stage: \"PROD\"}) { id } }", json!({})), "wrong_value");
    assert_eq!(fixture.ids("{ vpcs(where: {stage: PROD}) { id } }", json!({})), ["a"]);
    let query = "query ($s: Stage) { vpcs(where: {stage: $s}) { id } }";
    assert_eq!(fixture.ids(query, json!({"s": "PROD"})), ["a"]);
    assert_eq!(
        fixture.code("query ($s: String) { vpcs(where: {stage: $s}) { id } }", json!({})),
        "variable_misplaced"
    );
}

#[test]
fn q17_selections_in_conflict() {
    let fixture = fixture();
    for query in [
        "{ vpcs { hasFlowLog { a: id } hasFlowLog { a: level } } }",
        "{ things { ... on Vpc { size } ... on FlowLog { size } } }",
        "{ things { ... on Vpc { a: stage } ...F } } fragment F on FlowLog { a: level }",
        "{ vpcs(where: {name_IN: [\"a\"]}) { id } vpcs(where: {name_IN: [\"a\", \"b\"]}) { id } }",
    ] {
        assert_eq!(fixture.code(query, json!({})), "conflicting_fields", "{query}");
    }
}

#[test]
fn q19_the_order_of_the_response() {
    let query = "{ z: vpcs(limit: 1) { state ... on Thing { name id } a: state name } __typename b: flowLogs { id } }";
    let fixture = fixture();
    let response = fixture.engine.execute(&fixture.graph, &Request::new(query), &RunLimits::unlimited());
    assert_eq!(
        String::from_utf8(response.body).unwrap(),
        r#"{"data":{"z":[{"state":"up","name":"alpha","id":"a","a":"up"}],"__typename":"Query","b":[{"id":"f"}]}}"#
    );
}

#[test]
fn q20_pages_of_nothing_of_less_and_of_too_much() {
    let fixture = fixture();
    assert!(fixture.ids("{ vpcs(limit: 0) { id } }", json!({})).is_empty());
    assert_eq!(fixture.ids("{ vpcs(limit: 2147483647) { id } }", json!({})), ["a", "b"]);
    assert!(fixture.ids("{ vpcs(offset: 2147483647) { id } }", json!({})).is_empty());
    for page in ["limit: -1", "limit: 2147483648", "offset: -1", "offset: 2147483648"] {
        assert_eq!(fixture.code(&format!("{{ vpcs({page}) {{ id }} }}"), json!({})), "wrong_value", "{page}");
    }
}

#[test]
fn q22_patterns_and_filters_made_to_take_forever() {
    let fixture = fixture();
    // Quadratic or worse for an engine that backtracks, over 100,000 characters.
    for pattern in ["(a*)*b", "(a|a)*b", "(a+)+[^a]", "((a{0,5}){0,5})*b", "(?i)(A|a|aa)+!"] {
        let query = "query ($p: String) { vpcs(where: {name_MATCHES: $p}) { id } }";
        assert!(fixture.ids(query, json!({ "p": pattern })).is_empty(), "{pattern}");
    }
    for pattern in
        ["((a{100}){100}){100}", "(((a{0,30}){0,30}){0,30})*b", "(", "a**{", "(?P<n>a)(?P<n>b)", "\\1"]
    {
        let query = "query ($p: String) { vpcs(where: {name_MATCHES: $p}) { id } }";
        assert_eq!(fixture.code(query, json!({ "p": pattern })), "bad_pattern", "{pattern}");
    }
    // A filter as wide as the guard lets through, over an interface.
    let items = "{region_CONTAINS: \"aaab\"}".repeat(10_000);
    assert!(fixture.ids(&format!("{{ things(where: {{OR: [{items}]}}) {{ id }} }}"), json!({})).is_empty());
    let wider: Vec<Value> = (0..300_000).map(|at| json!({"name": at.to_string()})).collect();
    let query = "query ($w: [VpcWhere!]) { vpcs(where: {OR: $w}) { id } }";
    assert_eq!(fixture.code(query, json!({ "w": wider })), "plan_too_large");
}

/// A VPC whose name is this.
fn named(name: &str) -> Fixture {
    let Fixture { engine, graph } = fixture();
    let mut builder = GraphBuilder::new(Arc::clone(graph.catalog()));
    let asset = json!({"__typename": "Vpc", "id": "x", "vpcId": "v", "state": "up", "name": name});
    builder.push(&Asset::from_json(asset).unwrap()).unwrap();
    Fixture { engine, graph: builder.finish(None, Time::from_millis(0).unwrap()).unwrap() }
}

/// The first error of a query that is stopped at the given look at the clock, and how often it was looked at.
fn stopped_at(fixture: &Fixture, filter: &str, stop_at: usize) -> (Option<String>, usize) {
    let looks = AtomicUsize::new(0);
    let stop = || {
        let look = looks.fetch_add(1, Ordering::SeqCst);
        (look >= stop_at).then_some(Stop::Cancelled)
    };
    let limits = RunLimits { max_rows: 1_000, max_bytes: 1_000_000, stop: &stop, ..RunLimits::unlimited() };
    let request = Request::new(format!("{{ vpcs(where: {filter}) {{ id }} }}"));
    let response = fixture.engine.execute(&fixture.graph, &request, &limits);
    let code = response.errors.first().map(|error| error.kind.code().to_owned());
    (code, looks.load(Ordering::SeqCst))
}

#[test]
fn q22_the_clock_is_looked_at_by_the_bytes_a_pattern_reads_not_by_the_values() {
    let long = named(&"a".repeat(1 << 20));
    for filter in [
        r#"{name_MATCHES: "(a*)*b"}"#,
        // Asked of one row, as behind an index.
        r#"{vpcId: "v", name_MATCHES: "(a*)*b"}"#,
    ] {
        let (code, looks) = stopped_at(&long, filter, usize::MAX);
        assert_eq!(code, None, "{filter}");
        assert!(looks >= (1 << 20) / 4096, "{filter}: {looks} looks");
        let (code, looks) = stopped_at(&long, filter, 20);
        assert_eq!(code.as_deref(), Some("cancelled"), "{filter}");
        assert!(looks <= 22, "it goes on after a stop: {looks} looks");
    }
}

#[test]
fn q22_a_long_text_matches_as_a_short_one_does() {
    let patterns = [
        "a+",
        "a*b?",
        "(a|aa)+",
        "(?i)A+",
        "a{3,}",
        "[^b]*",
        ".*a$",
        "^a.*",
        r"\\w+",
        r"\\ba+\\b",
        r"\\ba+é\\b",
        ".*é",
        r"a+\\B",
        "(?s).*",
        "a+|b",
        "b|a+",
        "",
        "a+(?m)$",
    ];
    let mut matching = 0;
    for end in ["", "b", "é", "\n", "a b"] {
        let (short, long) = (named(&format!("aaa{end}")), named(&format!("{}{end}", "a".repeat(9_000))));
        for pattern in patterns {
            let query = format!("{{ vpcs(where: {{name_MATCHES: \"{pattern}\"}}) {{ id }} }}");
            let expected = short.ids(&query, json!({}));
            matching += expected.len();
            assert_eq!(long.ids(&query, json!({})), expected, "{pattern} {end:?}");
        }
    }
    assert!(matching > 20, "{matching} matches");
}

#[test]
fn q22_a_pattern_that_cannot_be_read_in_pieces_is_refused_over_a_text_that_is_too_long() {
    let long = named(&format!("{}é", "a".repeat(1 << 20)));
    let filter = |pattern: &str| format!("{{name_MATCHES: \"{pattern}\"}}");
    let (code, _) = stopped_at(&long, &filter(r"\\w{3}.*\\b.*"), usize::MAX);
    assert_eq!(code.as_deref(), Some("pattern_too_costly"));
    for allowed in [r"(?-u:\\w{3}).*(?-u:\\b).*é", r"a*\\bé", r"\\w{3}.*é"] {
        assert_eq!(stopped_at(&long, &filter(allowed), usize::MAX).0, None, "{allowed}");
    }
}

#[test]
fn q23_unknown_names_with_the_nearest_known_one() {
    let fixture = fixture();
    for (query, help) in [
        ("{ flowLgs { id } }", "did you mean `flowLogs`?"),
        ("{ vpcs { nmae } }", "did you mean `name`?"),
        ("{ vpcs(limmit: 1) { id } }", "did you mean `limit`?"),
        ("{ vpcs(where: {stat: \"up\"}) { id } }", "did you mean `state`?"),
        ("{ vpcs { ... on Vcp { id } } }", "did you mean `Vpc`?"),
        ("{ vpcs(where: {stage: PRDO}) { id } }", "did you mean `PROD`?"),
        (
            "query ($name: String) { vpcs(where: {name: $nmae, region: $name}) { id } }",
            "did you mean `name`?",
        ),
    ] {
        let response = fixture.send(query, json!({}));
        assert_eq!(response["errors"][0]["extensions"]["help"], help, "{query}: {response}");
    }
}
