//! The specification (September 2025): hundreds of documents, valid and broken, are accepted or refused as graphql-js
//! does. Its verdicts are kept beside the documents (`tests/specification/verdicts.json`), so that Node is not needed;
//! where it is there, the kept verdicts are held against it. `UPDATE_VERDICTS=1` writes them anew.

mod documents;
mod generated;
mod graphql_js;
mod mutants;

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use passmuster::{
    catalog::{Catalog, Source},
    graph::{Graph, GraphBuilder},
    model::Time,
    query::{Engine, Fragments, GuardLimits, Request, run::RunLimits},
};
use serde_json::{Map, Value, json};

use documents::{Deviation, Document};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/specification")
}

fn engine_and_graph() -> (Engine, Graph) {
    let sdl = fs::read_to_string(folder().join("schema.graphql")).unwrap();
    let catalog = Arc::new(Catalog::read(&[Source::new("schema.graphql", sdl)]).unwrap());
    let graph = GraphBuilder::new(Arc::clone(&catalog)).finish(None, Time::from_millis(0).unwrap()).unwrap();
    (Engine::new(catalog, Fragments::new(), GuardLimits::default()).unwrap(), graph)
}

fn all_documents() -> Vec<Document> {
    let mut documents = documents::written(&folder().join("documents"));
    documents.extend(generated::literals());
    documents.extend(generated::positions());
    documents.extend(generated::values());
    documents.extend(mutants::mutants());
    let names: std::collections::BTreeSet<&str> =
        documents.iter().map(|document| document.name.as_str()).collect();
    assert_eq!(names.len(), documents.len(), "each document has a name of its own");
    documents
}

/// What we say: nothing where the document is accepted, else the first error.
fn our_refusal(engine: &Engine, graph: &Graph, document: &Document) -> Option<String> {
    let request = Request {
        operation_name: document.operation.clone(),
        variables: document.variables.clone(),
        ..Request::new(&document.query)
    };
    let response = engine.execute(graph, &request, &RunLimits::unlimited());
    response.errors.first().map(|error| format!("{}: {error}", error.code()))
}

/// The kept verdicts by document, each with the document it was given for.
fn kept_verdicts() -> BTreeMap<String, Value> {
    let text = fs::read_to_string(folder().join("verdicts.json")).unwrap_or_else(|_| "[]".to_owned());
    let list: Vec<Value> = serde_json::from_str(&text).unwrap();
    list.into_iter().map(|verdict| (verdict["document"].as_str().unwrap().to_owned(), verdict)).collect()
}

/// A verdict in the form that is kept: with a fingerprint of the document, and with the reason where a person wrote it.
fn verdict(document: &Document, judged: &Value) -> Value {
    let mut verdict = judged.as_object().unwrap().clone();
    if document.is_generated {
        verdict.remove("why");
    }
    verdict.insert("document".to_owned(), json!(document.name));
    verdict.insert("fingerprint".to_owned(), json!(document.fingerprint()));
    Value::Object(verdict)
}

fn write_verdicts(verdicts: &[Value]) {
    let lines: Vec<String> = verdicts.iter().map(Value::to_string).collect();
    fs::write(folder().join("verdicts.json"), format!("[\n{}\n]\n", lines.join(",\n"))).unwrap();
}

#[test]
fn the_kept_verdicts_are_those_of_graphql_js() {
    let documents = all_documents();
    let (engine, _) = engine_and_graph();
    let judged = match graphql_js::judge(&folder(), &engine.sdl(), &documents) {
        Ok(judged) => judged,
        Err(reason) => {
            eprintln!("the kept verdicts were not held against graphql-js: {reason}");
            return;
        }
    };
    let now: Vec<Value> =
        documents.iter().zip(&judged).map(|(document, judged)| verdict(document, judged)).collect();
    if std::env::var_os("UPDATE_VERDICTS").is_some() {
        write_verdicts(&now);
    }
    let kept = kept_verdicts();
    for verdict in &now {
        let name = verdict["document"].as_str().unwrap();
        assert_eq!(
            kept.get(name),
            Some(verdict),
            "{name}: run with UPDATE_VERDICTS=1 and look at what changed"
        );
    }
    assert_eq!(kept.len(), now.len(), "a verdict is kept for a document that is gone");
}

#[test]
fn documents_are_accepted_and_refused_as_the_specification_says() {
    // Q10-Q15, Q17 and all of section 5 and 6 of the specification.
    let (engine, graph) = engine_and_graph();
    let kept = kept_verdicts();
    let documents = all_documents();
    let mut wrong = Vec::new();
    let (mut accepted, mut refused, mut deviating) = (0, 0, 0);
    for document in &documents {
        let name = &document.name;
        let kept = kept.get(name).unwrap_or_else(|| panic!("no verdict is kept for `{name}`"));
        assert_eq!(
            kept["fingerprint"],
            json!(document.fingerprint()),
            "{name}: the kept verdict is for another document"
        );
        let theirs = kept["accepted"].as_bool().unwrap();
        let ours = our_refusal(&engine, &graph, document);
        let expected = match &document.deviation {
            None => theirs,
            Some(Deviation::Stricter(why)) => {
                assert!(theirs, "{name} is listed as stricter ({why}), but graphql-js refuses it too");
                false
            }
            Some(Deviation::Looser(why)) => {
                assert!(!theirs, "{name} is listed as looser ({why}), but graphql-js accepts it too");
                true
            }
        };
        deviating += usize::from(document.deviation.is_some());
        if theirs {
            accepted += 1;
        } else {
            refused += 1;
        }
        if ours.is_none() != expected {
            let variables = Value::Object(document.variables.clone());
            wrong.push(format!(
                "{name}\n  {}\n  variables {variables}\n  graphql-js: {} {}\n  ours: {}",
                document.query,
                kept["stage"],
                kept["why"],
                ours.unwrap_or_else(|| "accepted".to_owned())
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), documents.len(), wrong.join("\n"));
    assert!(accepted > 200 && refused > 400, "{accepted} accepted, {refused} refused, {deviating} deviate");
}

#[test]
fn every_refusal_has_a_place_and_a_code() {
    let (engine, _) = engine_and_graph();
    for document in all_documents() {
        let request = Request {
            operation_name: document.operation.clone(),
            variables: document.variables.clone(),
            ..Request::new(&document.query)
        };
        let Err(errors) = engine.plan(&request) else { continue };
        for error in errors {
            let message = error.to_string();
            assert_ne!(error.code(), "invalid", "{}: {message}", document.name);
            assert!(error.place.is_some(), "{}: {message}", document.name);
            let first = message.chars().next().unwrap();
            assert!(!first.is_uppercase() && !message.ends_with('.'), "{}: {message}", document.name);
        }
    }
}

/// No variables.
fn none() -> Map<String, Value> {
    Map::new()
}

#[test]
fn a_broken_rule_is_shown_where_it_stands_with_what_to_write() {
    let (engine, _) = engine_and_graph();
    for (query, code, column, help) in [
        (
            "query ($x: Int) { vpcs { id } }",
            "unused_variable",
            8,
            "use it, or leave it out of the operation's head",
        ),
        (
            "query ($x: String) { vpcs(limit: $x) { id } }",
            "variable_misplaced",
            34,
            "declare it as `$x: Int`",
        ),
        (
            "query ($x: VpcWhere) { vpcs(where: {OR: [$x]}) { id } }",
            "variable_misplaced",
            42,
            "declare it as `$x: VpcWhere!`",
        ),
        (
            "{ vpcs { id ... on FlowLog { id } } }",
            "fragment_never_applies",
            13,
            "nothing can be both: leave it out, or spread it somewhere else",
        ),
        ("{ vpcs(where: {name \"a\"}) { id } }", "syntax", 21, ""),
        (
            "{ vpcs { id } } fragment F on Vpc { id }",
            "unused_fragment",
            17,
            "spread it somewhere, or leave it out",
        ),
        ("{ vpcs { id @skip(if: true) @skip(if: true) } }", "directive_repeated", 29, "write it once"),
        ("query @skip(if: true) { vpcs { id } }", "directive_misplaced", 7, ""),
    ] {
        let errors = engine.plan(&Request::new(query)).unwrap_err();
        let error = &errors[0];
        assert_eq!(
            (error.code(), error.place.as_ref().unwrap().column),
            (code, column),
            "{query}: {errors:?}"
        );
        assert_eq!(error.help.as_deref().unwrap_or_default(), help, "{query}");
        assert_eq!(errors.len(), 1, "{query}: {errors:?}");
    }
}

#[test]
fn a_rule_broken_in_a_stored_fragment_names_it() {
    let sdl = fs::read_to_string(folder().join("schema.graphql")).unwrap();
    let catalog = Arc::new(Catalog::read(&[Source::new("schema.graphql", sdl)]).unwrap());
    let mut fragments = Fragments::new();
    fragments.insert(
        "Loose".to_owned(),
        "# first\nfragment Loose on Vpc { hasFlowLog(limit: $n) { id } }".to_owned(),
    );
    let several = "fragment Used on Vpc { id } \"kept for others\" fragment Spare on Vpc { name }";
    fragments.insert("Used".to_owned(), several.to_owned());
    let engine = Engine::new(catalog, fragments, GuardLimits::default()).unwrap();
    let errors = engine.plan(&Request::new("query ($n: String) { vpcs { ...Loose } }")).unwrap_err();
    let place = errors[0].place.as_ref().unwrap();
    assert_eq!(errors[0].code(), "variable_misplaced");
    assert_eq!((place.fragment.as_deref(), place.line, place.column), (Some("Loose"), 2, 43));
    engine.plan(&Request::new("vpcs { ...Used }")).unwrap();
}

#[test]
fn is_one_of_is_answered_for_inputs_and_null_for_the_rest() {
    let (engine, graph) = engine_and_graph();
    let query = "{ a: __type(name: \"VpcWhere\") { kind isOneOf again: isOneOf name } b: __type(name: \"Vpc\") { ...T } }
        fragment T on __Type { isOneOf } ";
    let response = engine.execute(&graph, &Request::new(query), &RunLimits::unlimited());
    assert_eq!(
        String::from_utf8(response.body).unwrap(),
        r#"{"data":{"a":{"kind":"INPUT_OBJECT","isOneOf":false,"again":false,"name":"VpcWhere"},"b":{"isOneOf":null}}}"#
    );
}
