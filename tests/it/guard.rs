//! The guard before the parsers: what it stops, and that it lets through what the parsers survive.

use std::sync::Arc;

use passmuster::{
    catalog::{Catalog, shipped},
    query::{
        Engine, Fragments, Request,
        guard::{GuardError, GuardLimit, GuardLimits, guard},
    },
};

fn engine() -> Engine {
    let catalog = Arc::new(Catalog::read(&shipped()).expect("sound"));
    Engine::new(catalog, Fragments::new(), GuardLimits::default()).expect("sound")
}

fn refusal(text: &str) -> GuardError {
    match guard(text, &GuardLimits::default()) {
        Err(error) => error,
        Ok(()) => panic!("the guard let through: {}", text.chars().take(200).collect::<String>()),
    }
}

fn passes(text: &str) {
    if let Err(error) = guard(text, &GuardLimits::default()) {
        panic!("{error} at {}: {}", error.offset(), text.chars().take(200).collect::<String>());
    }
}

fn limit_of(error: &GuardError) -> GuardLimit {
    match error {
        GuardError::Limit { limit, .. } => *limit,
        other => panic!("{other:?}"),
    }
}

#[test]
fn brackets_nested_by_the_thousand_are_refused_q1_q2() {
    for (open, close) in [("[", "]"), ("{a:", "}")] {
        let text = format!("{{ vpcs(where: {}1{}) {{ id }} }}", open.repeat(2_000), close.repeat(2_000));
        assert_eq!(limit_of(&refusal(&text)), GuardLimit::Nesting);
    }
    let selections = format!("{}id{}", "{ vpcs ".repeat(2_000), "}".repeat(2_000));
    assert_eq!(limit_of(&refusal(&selections)), GuardLimit::Nesting);
    let unclosed = "[".repeat(100_000);
    assert_eq!(limit_of(&refusal(&format!("{{ vpcs(a: {unclosed}"))), GuardLimit::Nesting);
}

#[test]
fn what_the_guard_lets_through_the_parsers_survive() {
    let engine = engine();
    // Valid or not is another matter: the parser must come back, and with more than "too deep".
    let survives = |text: &str| {
        passes(text);
        match engine.plan(&Request::new(text)) {
            Ok(_) => true,
            Err(errors) => errors.iter().all(|error| error.code() != "syntax"),
        }
    };
    let deep = GuardLimits::default().nesting;
    let lists = deep - 2;
    let text = format!("{{ vpcs(sort: {}{}) {{ id }} }}", "[".repeat(lists), "]".repeat(lists));
    assert!(survives(&text));
    let objects =
        format!("{{ vpcs(where: {}{}) {{ id }} }}", "{NOT: ".repeat(lists - 1) + "{", "}".repeat(lists));
    assert!(survives(&objects));
    let levels = (deep - 2) / 2;
    let selections =
        format!("{{ vpcs {} {{ id }} {} }}", "{ subnets { vpc".repeat(levels), "} }".repeat(levels));
    assert!(survives(&selections));
    let fragments: Vec<String> =
        (0..60).map(|at| format!("fragment F{at} on Vpc {{ ...F{} }}", at + 1)).collect();
    let chain = format!("{{ vpcs {{ ...F0 }} }} {} fragment F60 on Vpc {{ id }}", fragments.join(" "));
    assert!(survives(&chain));
}

#[test]
fn a_fragment_bomb_is_measured_without_being_written_out_q3() {
    let levels: Vec<String> =
        (0..30).map(|at| format!("fragment F{at} on Vpc {{ ...F{n} ...F{n} }}", n = at + 1)).collect();
    let bomb = format!("{{ vpcs {{ ...F0 }} }} {} fragment F30 on Vpc {{ id }}", levels.join("\n"));
    assert_eq!(limit_of(&refusal(&bomb)), GuardLimit::Selections);
    // Small operations by the hundred over one large fragment.
    let operations: String = (0..500).map(|at| format!("query Q{at} {{ vpcs {{ ...F }} }} ")).collect();
    let text = format!("{operations} fragment F on Vpc {{ {} }}", "id ".repeat(100));
    assert_eq!(limit_of(&refusal(&text)), GuardLimit::Selections);
    // The parser of the library needs no blank behind the keyword.
    let glued = bomb.replace("fragment F", "fragmentF");
    assert_eq!(limit_of(&refusal(&glued)), GuardLimit::Selections);
    let bare = bomb.replace("{ vpcs { ...F0 } }", "vpcs { ...F0 }");
    assert_eq!(limit_of(&refusal(&bare)), GuardLimit::Selections);
    let long: Vec<String> =
        (0..5_000).map(|at| format!("fragment F{at} on Vpc {{ ...F{} }}", at + 1)).collect();
    assert_eq!(
        limit_of(&refusal(&format!("{{ vpcs {{ ...F0 }} }} {}", long.join(" ")))),
        GuardLimit::Nesting
    );
}

#[test]
fn a_fragment_that_contains_itself_is_named_with_the_way_back_q4() {
    let text =
        "{ vpcs { ...A } } fragment A on Vpc { id subnets { ...B } }\nfragment B on Subnet { vpc { ...A } }";
    let error = refusal(text);
    assert_eq!(error.to_string(), "the fragment `A` contains itself: A -> B -> A; break the circle");
    assert_eq!(error.offset(), 18);
    assert_eq!(refusal("fragment S on Vpc { ...S } { vpcs { id } }").code(), "fragment_cycle");
    assert_eq!(refusal("{ vpcs { ...on } } fragment on on Vpc { ...on#\n Vpc }").code(), "fragment_cycle");
}

#[test]
fn aliases_fields_and_directives_by_the_thousand_are_refused_q5_q6_q7() {
    let aliases: String = (0..10_000).map(|at| format!("a{at}: vpcs {{ id }} ")).collect();
    assert_eq!(limit_of(&refusal(&format!("{{ {aliases} }}"))), GuardLimit::RootFields);
    assert_eq!(limit_of(&refusal(&format!("{{ ... on Query {{ {aliases} }} }}"))), GuardLimit::RootFields);
    let spread = format!("{{ ...R }} fragment R on Query {{ {aliases} }}");
    assert_eq!(limit_of(&refusal(&spread)), GuardLimit::RootFields);
    let fields = "id ".repeat(30_000);
    assert_eq!(limit_of(&refusal(&format!("{{ vpcs {{ {fields} }} }}"))), GuardLimit::Selections);
    let directives = "@x ".repeat(20_000);
    assert_eq!(limit_of(&refusal(&format!("{{ vpcs {{ id {directives} }} }}"))), GuardLimit::Directives);
    let bytes = format!("{{ vpcs {{ id }} }} #{}", "x".repeat(1_000_000));
    assert_eq!(limit_of(&refusal(&bytes)), GuardLimit::Bytes);
    let tokens = format!("{{ vpcs(where: {{id_IN: [{}]}}) {{ id }} }}", "1 ".repeat(100_000));
    assert_eq!(limit_of(&refusal(&tokens)), GuardLimit::Tokens);
}

#[test]
fn a_limit_names_itself_its_value_and_what_was_found() {
    let limits = GuardLimits { root_fields: 2, ..GuardLimits::default() };
    let error =
        guard("{ a: vpcs { id } b: vpcs { id } c: vpcs { id } }", &limits).expect_err("three are too many");
    assert_eq!(
        error.to_string(),
        "the query has 3 root fields or more, and 2 are allowed; ask for less at once"
    );
    guard("a: vpcs { id name region } b: vpcs { id }", &limits).expect("two bare root fields");
}

#[test]
fn brackets_in_strings_and_comments_are_none_q9() {
    let many = "[".repeat(5_000);
    passes(&format!("{{ vpcs(where: {{name: \"{many}\"}}) {{ id }} }}"));
    passes(&format!("{{ vpcs(where: {{name: \"\\\"{many}\"}}) {{ id }} }}"));
    passes(&format!("{{ vpcs(where: {{name: \"\"\"{many} \\\"\"\" {many} \" \"\" \"\"\"}}) {{ id }} }}"));
    passes(&format!("{{ vpcs {{ id # {many}\n }} }}"));
    passes(&format!("{{ vpcs {{ id # \" {many}\r }} }}"));
    passes("{ vpcs(where: {name: \"\"}) { id } }");
    // A string that ends earlier than it seems hides nothing.
    let error = refusal(&format!("{{ vpcs(where: {{name: \"\\\\\" a: {many}"));
    assert_eq!(limit_of(&error), GuardLimit::Nesting);
    for text in ["{ vpcs(a: \"x", "{ vpcs(a: \"x\n\") }", "{ vpcs(a: \"\"\"x\"\" ) }", "{ vpcs(a: \"x\\"] {
        let error = refusal(text);
        assert_eq!((error.code(), error.offset()), ("unterminated_string", 10), "{text}");
    }
}

#[test]
fn brackets_without_a_partner_are_shown_where_they_stand() {
    for (text, offset) in
        [("{ vpcs", 0), ("{ vpcs { id }", 0), ("{ vpcs ) }", 7), ("{ a(b: [1) }", 9), ("}", 0)]
    {
        let error = refusal(text);
        assert_eq!((error.code(), error.offset()), ("unbalanced_bracket", offset), "{text}");
    }
}

#[test]
fn control_characters_and_half_surrogates_are_refused_and_a_mark_is_skipped_q10() {
    passes("\u{feff}{ vpcs { id } }");
    passes("{ vpcs(where: {name: \"\\uD83D\\uDE00 \\u00e9 😀\"}) { id } }");
    for text in ["{ vpcs \0 }", "{ vpcs # \0 \n }", "{ vpcs(a: \"\0\") }", "{ vpcs(a: \"\"\"\u{1b}\"\"\") }"]
    {
        assert_eq!(refusal(text).code(), "forbidden_character", "{text:?}");
    }
    for escape in ["\\uD83D", "\\uDE00", "\\uD83Dx\\uDE00", "\\uDE00\\uD83D", "\\uD83D\\n"] {
        let error = refusal(&format!("{{ vpcs(a: \"{escape}\") }}"));
        assert_eq!(error.code(), "lone_surrogate", "{escape}");
    }
    // In a block string an escape is plain text.
    passes("{ vpcs(where: {name: \"\"\"\\uD83D\"\"\"}) { id } }");
}

/// Pieces that queries are made of, well and badly.
const PIECES: [&str; 40] = [
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ":",
    "...",
    "@include(if: true)",
    "@skip",
    "vpcs",
    "vpc",
    "id",
    "name",
    "subnets",
    "where",
    "hasFlowLog_NONE",
    "OR",
    "NOT",
    "on",
    "Vpc",
    "fragment F",
    "...F",
    "query",
    "query ($a: Int)",
    "$a",
    "null",
    "1",
    "-",
    "\"x\"",
    "\"\"\"y\"\"\"",
    "#c\n",
    ",",
    "__schema",
    "__typename",
    "sort: [{name: ASC}]",
    "=",
    "!",
    "mutation",
    "types { name }",
];

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 400, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_text_makes_the_guard_or_the_engine_panic(picks in proptest::collection::vec(0..PIECES.len(), 0..40)) {
        thread_local! {
            static ENGINE: Engine = engine();
        }
        let soup: Vec<&str> = picks.iter().map(|pick| PIECES[*pick]).collect();
        let text = soup.join(" ");
        for text in [text.clone(), format!("{{ vpcs(where: {{{text}}}) {{ id }} }}"), format!("{{ vpcs {{ {text} }} }}")] {
            if guard(&text, &GuardLimits::default()).is_ok() {
                let _ = ENGINE.with(|engine| engine.plan(&Request::new(text.as_str())));
            }
        }
    }

    #[test]
    fn no_bytes_make_the_guard_panic(text in "\\PC*|[\\\\\"u0-9dDeEfF\\n#{}()\\u{feff}]{0,60}") {
        let _ = guard(&text, &GuardLimits::default());
    }
}
