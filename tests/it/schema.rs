//! The generated GraphQL schema: sound, the same every time, and a strict judge of queries.

use std::collections::BTreeMap;

use apollo_compiler::Schema;
use passmuster::{
    catalog::{Catalog, Source, shipped},
    query::schema::{GeneratedSchema, ValidationError, ValidationRequest},
};
use serde_json::{Map, Value, json};

fn generate(sources: &[Source]) -> GeneratedSchema {
    let catalog = Catalog::read(sources).unwrap_or_else(|errors| panic!("{errors}"));
    GeneratedSchema::new(&catalog).unwrap_or_else(|error| panic!("{error}"))
}

fn validate(
    schema: &GeneratedSchema,
    document: &str,
    variables: &Map<String, Value>,
) -> Result<BTreeMap<String, Vec<u8>>, Vec<ValidationError>> {
    let request = ValidationRequest { document, operation_name: None, variables, wants_introspection: true };
    schema.validate(&request)
}

fn messages(schema: &GeneratedSchema, document: &str) -> Vec<String> {
    match validate(schema, document, &Map::new()) {
        Ok(_) => Vec::new(),
        Err(errors) => errors
            .into_iter()
            .map(|error| format!("{}:{} {}", error.line, error.column, error.message))
            .collect(),
    }
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
fn the_schema_of_every_vector_is_valid_and_takes_its_query() {
    // What these queries need comes with connections, aggregates and groups.
    let later = ["Connection {", "Connection(", "Aggregate {", "Aggregate(where"];
    for (name, vector) in vectors() {
        let text = vector["schema"].as_str().expect("a schema");
        let schema = generate(&[Source::new("vector.graphql", text)]);
        assert_sound(&schema.sdl(), &name);
        let query = vector["query"].as_str().expect("a query");
        if later.iter().any(|field| query.contains(field)) {
            continue;
        }
        let variables = vector["variables"].as_object().cloned().unwrap_or_default();
        if let Err(errors) = validate(&schema, query, &variables) {
            panic!("{name}: {errors:?}\n{query}");
        }
    }
}

#[test]
fn a_query_is_refused_with_its_place_and_the_nearest_name() {
    let schema = generate(&shipped());
    let cases = [
        "{ vpcz { id } }",
        "{ vpcs { vpcid } }",
        "{ vpcs(were: {}) { id } }",
        "{ vpcs(where: {hasFlowLogs_NONE: {}}) { id } }",
        "{ vpcs }",
        "{ vpcs { id { x } } }",
        "{ vpc { id } }",
        "{ vpcs { ...Missing } }",
        "{ vpcs { ... on Subnetz { id } } }",
        "query ($x: Nope) { vpcs(limit: $x) { id } }",
        "{ vpcs(limit: $x) { id } }",
        "{ vpcs(sort: [{name: UP}]) { id } }",
        "fragment A on Vpc { ...B } fragment B on Vpc { ...A } { vpcs { ...A } }",
        "{ vpcs(where: ",
    ];
    let found: Vec<String> =
        cases.iter().map(|case| format!("{case}\n    {}", messages(&schema, case).join("\n    "))).collect();
    insta::assert_snapshot!(found.join("\n"), @r#"
        { vpcz { id } }
            1:3 Unknown field "vpcz" on type "Query". Did you mean "vpcs", "vpc"?
        { vpcs { vpcid } }
            1:10 Unknown field "vpcid" on type "Vpc". Did you mean "vpcId"?
        { vpcs(were: {}) { id } }
            1:8 Unknown argument "were" on field "vpcs" of type "Query". Did you mean "where"?
        { vpcs(where: {hasFlowLogs_NONE: {}}) { id } }
            1:8 Invalid value for argument "where", unknown field "hasFlowLogs_NONE" of type "VpcWhere"
        { vpcs }
            1:3 Field "vpcs" of type "Vpc" must have a selection of subfields
        { vpcs { id { x } } }
            1:10 Field "id" must not have a selection since type "ID" has no subfields
            1:15 Unknown field "x" on type "ID".
        { vpc { id } }
            1:3 Field "vpc" argument "id" of type "Query" is required but not provided
        { vpcs { ...Missing } }
            1:10 Unknown fragment: "Missing"
        { vpcs { ... on Subnetz { id } } }
            1:10 Unknown type "Subnetz"
        query ($x: Nope) { vpcs(limit: $x) { id } }
            1:8 Unknown type "Nope"
        { vpcs(limit: $x) { id } }
            1:8 Variable "$x" is not defined
        { vpcs(sort: [{name: UP}]) { id } }
            1:8 Invalid value for argument "sort.0.name", enumeration type "SortDirection" does not contain the value "UP"
        fragment A on Vpc { ...B } fragment B on Vpc { ...A } { vpcs { ...A } }
            1:46 The recursion depth of the query cannot be greater than `128`
        { vpcs(where: 
            1:15 syntax error: expected value
        "#);
}

#[test]
fn introspection_is_answered_by_response_key_and_inventory_is_left_alone() {
    let schema = generate(&shipped());
    let document = "query Q($w: Boolean!) { vpcs { id } n: __type(name: \"Vpc\") { name kind } ...R }
        fragment R on Query { __schema @include(if: $w) { queryType { name } } }";
    let variables = json!({"w": true}).as_object().cloned().expect("an object");
    let answers = validate(&schema, document, &variables).expect("a valid query");
    let shown: Vec<String> =
        answers.iter().map(|(key, json)| format!("{key} {}", String::from_utf8_lossy(json))).collect();
    assert_eq!(shown, [r#"__schema {"queryType":{"name":"Query"}}"#, r#"n {"name":"Vpc","kind":"OBJECT"}"#]);
    let request = ValidationRequest {
        document,
        operation_name: Some("Q"),
        variables: &variables,
        wants_introspection: false,
    };
    assert!(schema.validate(&request).expect("a valid query").is_empty());
}

#[test]
fn the_introspection_query_of_the_usual_tools_is_answered() {
    let schema = generate(&shipped());
    let document = "query IntrospectionQuery { __schema { queryType { name } types { ...FullType }
          directives { name locations args { ...InputValue } } } }
        fragment FullType on __Type { kind name description
          fields(includeDeprecated: true) { name args { ...InputValue } type { ...TypeRef } isDeprecated }
          inputFields { ...InputValue } interfaces { ...TypeRef } enumValues { name } possibleTypes { ...TypeRef } }
        fragment InputValue on __InputValue { name type { ...TypeRef } defaultValue }
        fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name
          ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } }";
    let answers = validate(&schema, document, &Map::new()).expect("a valid query");
    let text = String::from_utf8_lossy(&answers["__schema"]).into_owned();
    assert!(text.contains(r#""name":"FlowLogWhere""#) && text.len() > 50_000, "{} bytes", text.len());
}

#[test]
fn introspection_in_circles_is_refused_q8() {
    let schema = generate(&shipped());
    let circle = "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }";
    let refused = messages(&schema, circle);
    assert!(refused.len() == 1 && refused[0].contains("3 times"), "{refused:?}");
    let through_fragments = "{ ...Q } fragment Q on Query { __type(name: \"Vpc\") { ...T } }
        fragment T on __Type { fields { type { ...U } } } fragment U on __Type { fields { type { ...V } } }
        fragment V on __Type { fields { type { ...W } } } fragment W on __Type { possibleTypes { name } }";
    assert_eq!(messages(&schema, through_fragments).len(), 1);
}
