//! The generated GraphQL schema: sound, the same every time, and what introspection says of it.

use std::sync::Arc;

use apollo_compiler::Schema;
use passmuster::{
    catalog::{Catalog, Source, shipped},
    graph::GraphBuilder,
    model::Time,
    query::{Engine, Fragments, GuardLimits, Request, run::RunLimits, schema::GeneratedSchema},
};
use serde_json::{Value, json};

fn generate(sources: &[Source]) -> GeneratedSchema {
    let catalog = Catalog::read(sources).unwrap_or_else(|errors| panic!("{errors}"));
    GeneratedSchema::new(&catalog).unwrap_or_else(|error| panic!("{error}"))
}

/// The response over an empty inventory of the shipped types.
fn ask(document: &str, variables: Value) -> Value {
    let catalog = Arc::new(Catalog::read(&shipped()).unwrap());
    let graph = GraphBuilder::new(Arc::clone(&catalog)).finish(None, Time::from_millis(0).unwrap()).unwrap();
    let engine = Engine::new(catalog, Fragments::new(), GuardLimits::default()).unwrap();
    let request = Request { variables: variables.as_object().unwrap().clone(), ..Request::new(document) };
    let response = engine.execute(&graph, &request, &RunLimits::unlimited());
    serde_json::from_slice(&response.body).unwrap()
}

fn vectors() -> Vec<(String, Value)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .expect("the vectors are there")
        .map(|entry| {
            let path = entry.expect("a readable folder").path();
            let text = std::fs::read_to_string(&path).expect("a readable vector");
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, serde_json::from_str(&text).expect("a vector is JSON"))
        })
        .collect();
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found
}

fn assert_sound(sdl: &str, name: &str) {
    if let Err(refused) = Schema::parse_and_validate(sdl, name) {
        panic!("{name}: {}\n{sdl}", refused.errors);
    }
}

#[test]
fn the_generated_schema_of_the_shipped_types_is_valid_graphql() {
    let sdl = generate(&shipped()).sdl();
    assert_sound(&sdl, "aws");
    for line in [
        "  vpcs(",
        "  vpc(",
        "  hasFlowLog_SINGLE: FlowLogWhere",
        "  hasFlowLogConnection_NONE: FlowLogConnectionWhere",
        "  hasFlowLogAggregate: FlowLogAggregateWhere",
        "  tags_SOME: TagWhere",
        "  cidrBlock_WITHIN: String",
        "  typename_IN: [AssetImplementation!]",
        "  flowLogStatus_NOT_IN: [String]",
        "  maxAggregationInterval_AVERAGE_GTE: Float",
        "  account_NOT: AccountWhere",
    ] {
        assert!(sdl.lines().any(|each| each.starts_with(line)), "{line} is not in\n{sdl}");
    }
}

#[test]
fn the_same_catalog_gives_the_same_schema() {
    assert_eq!(generate(&shipped()).sdl(), generate(&shipped()).sdl());
}

#[test]
fn the_schema_of_every_vector_is_valid() {
    for (name, vector) in vectors() {
        let text = vector["schema"].as_str().expect("a schema");
        assert_sound(&generate(&[Source::new("vector.graphql", text)]).sdl(), &name);
    }
}

#[test]
fn introspection_is_answered_by_response_key_beside_the_inventory() {
    let document = "query Q($w: Boolean!) { vpcs { id } n: __type(name: \"Vpc\") { name kind } ...R }
        fragment R on Query { __schema @include(if: $w) { queryType { name } } }";
    let vpc = json!({"name": "Vpc", "kind": "OBJECT"});
    assert_eq!(
        ask(document, json!({"w": true})),
        json!({"data": {"vpcs": [], "n": vpc, "__schema": {"queryType": {"name": "Query"}}}})
    );
    assert_eq!(ask(document, json!({"w": false})), json!({"data": {"vpcs": [], "n": vpc}}));
}

#[test]
fn the_introspection_query_of_the_usual_tools_is_answered() {
    let document = "query IntrospectionQuery { __schema { queryType { name } types { ...FullType }
          directives { name locations args { ...InputValue } } } }
        fragment FullType on __Type { kind name description
          fields(includeDeprecated: true) { name args { ...InputValue } type { ...TypeRef } isDeprecated }
          inputFields { ...InputValue } interfaces { ...TypeRef } enumValues { name } possibleTypes { ...TypeRef } }
        fragment InputValue on __InputValue { name type { ...TypeRef } defaultValue }
        fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name
          ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } }";
    let text = ask(document, json!({}))["data"]["__schema"].to_string();
    assert!(text.contains(r#""name":"FlowLogWhere""#) && text.len() > 50_000, "{} bytes", text.len());
}

#[test]
fn introspection_in_circles_is_refused_q8() {
    let circle = "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }";
    let refused = ask(circle, json!({}));
    assert!(refused.get("data").is_none() && refused["errors"].as_array().unwrap().len() == 1, "{refused}");
    let through_fragments = "{ ...Q } fragment Q on Query { __type(name: \"Vpc\") { ...T } }
        fragment T on __Type { fields { type { ...U } } } fragment U on __Type { fields { type { ...V } } }
        fragment V on __Type { fields { type { ...W } } } fragment W on __Type { possibleTypes { name } }";
    assert!(ask(through_fragments, json!({})).get("data").is_none());
}
