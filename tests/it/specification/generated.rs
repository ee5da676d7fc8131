//! Documents made from templates: every kind of literal at every kind of position, every declared type at every
//! position, and every kind of JSON for every declared type.

use serde_json::{Value, json};

use super::documents::{Deviation, Document};

/// A position a value can stand at: its name, and the document around it.
type Position = (&'static str, &'static str);

const POSITIONS: &[Position] = &[
    ("an Int", "vpcs(where: {size: @}) { id }"),
    ("a Float", "vpcs(where: {weight: @}) { id }"),
    ("a String", "vpcs(where: {name: @}) { id }"),
    ("an ID", "vpcs(where: {id: @}) { id }"),
    ("a Boolean", "vpcs(where: {isDefault: @}) { id }"),
    ("an enum", "vpcs(where: {stage: @}) { id }"),
    ("a list of strings", "vpcs(where: {name_IN: @}) { id }"),
    ("a list of strings that are never null", "vpcs(where: {zones: @}) { id }"),
    ("a list of numbers", "vpcs(where: {ports: @}) { id }"),
    ("a list of enums", "vpcs(where: {stage_IN: @}) { id }"),
    ("a filter", "vpcs(where: @) { id }"),
    ("a relation", "vpcs(where: {hasFlowLog: @}) { id }"),
    ("a quantifier", "vpcs(where: {hasFlowLog_SOME: @}) { id }"),
    ("a negation", "vpcs(where: {NOT: @}) { id }"),
    ("a list of filters", "vpcs(where: {OR: @}) { id }"),
    ("an aggregate", "vpcs(where: {hasFlowLogAggregate: @}) { id }"),
    ("a limit", "vpcs(limit: @) { id }"),
    ("a sort", "vpcs(sort: @) { id }"),
    ("a direction", "vpcs(sort: [{name: @}]) { id }"),
    ("an id that must be given", "vpc(id: @) { id }"),
    ("a condition", "vpcs { id name @include(if: @) }"),
];

const LITERALS: &[&str] = &[
    "null",
    "0",
    "1",
    "-1",
    "1.0",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "1e3",
    "1e999",
    "\"x\"",
    "\"\"\"x\"\"\"",
    "\"1\"",
    "\"PROD\"",
    "true",
    "PROD",
    "UP",
    "ASC",
    "[]",
    "[1]",
    "[\"x\"]",
    "[null]",
    "[[1]]",
    "[PROD]",
    "{}",
    "[{}]",
    "{nothing: 1}",
    "{name: \"a\"}",
    "{name: ASC}",
    "{count: 1}",
];

/// Fills a template in; what stands for the value is the last at sign.
fn fill(template: &str, value: &str) -> String {
    let (before, after) = template.rsplit_once('@').unwrap();
    format!("{before}{value}{after}")
}

/// Every literal at every position.
pub fn literals() -> Vec<Document> {
    let mut documents = Vec::new();
    for (position, template) in POSITIONS {
        for literal in LITERALS {
            let query = format!("{{ {} }}", fill(template, literal));
            let mut document = Document::new(format!("literals: {literal} for {position}"), query);
            document.deviation = stricter_literal(position, literal);
            documents.push(document);
        }
    }
    documents
}

/// Where the language refuses what the specification accepts.
fn stricter_literal(position: &str, literal: &str) -> Option<Deviation> {
    let stricter = |why: &str| Some(Deviation::Stricter(why.to_owned()));
    match (position, literal) {
        ("a list of strings" | "a list of enums", "null") => stricter("null says nothing here"),
        ("a quantifier" | "a negation" | "a list of filters" | "an aggregate" | "a direction", "null") => {
            stricter("null says nothing here")
        }
        ("a Float", "1e999") => stricter("a Float is finite, says the specification"),
        ("a limit", "-1" | "-2147483648") => stricter("a negative limit asks for nothing"),
        _ => None,
    }
}

const TYPES: &[&str] = &[
    "Int",
    "Int!",
    "Float",
    "String",
    "String!",
    "ID",
    "ID!",
    "Boolean",
    "Boolean!",
    "Stage",
    "BigInt",
    "[String]",
    "[String!]",
    "[String!]!",
    "[Int]",
    "[Stage]",
    "VpcWhere",
    "VpcWhere!",
    "[VpcWhere!]",
    "FlowLogWhere",
    "VpcSort",
    "SortDirection",
    "[VpcSort!]",
    "VpcFlowLogAggregate",
    "Vpc",
    "[[String]]",
];

/// Every declared type at every position; a value is given where one must be.
pub fn positions() -> Vec<Document> {
    let mut documents = Vec::new();
    for (position, template) in POSITIONS {
        for of in TYPES {
            let query = format!("query ($x: {of}) {{ {} }}", fill(template, "$x"));
            let mut document =
                Document::new(format!("positions: a variable of type {of} for {position}"), query);
            if of.ends_with('!') {
                let value = match *of {
                    "Int!" => json!(1),
                    "Boolean!" => json!(true),
                    "VpcWhere!" => json!({}),
                    "[String!]!" => json!(["x"]),
                    _ => json!("x"),
                };
                document.variables.insert("x".to_owned(), value);
            }
            documents.push(document);
        }
    }
    documents
}

/// A declared type with a position that takes it.
const DECLARED: &[(&str, &str)] = &[
    ("Int", "vpcs(where: {size: @}) { id }"),
    ("Int!", "vpcs(where: {size: @}) { id }"),
    ("Float", "vpcs(where: {weight: @}) { id }"),
    ("String", "vpcs(where: {name: @}) { id }"),
    ("String!", "vpcs(where: {name: @}) { id }"),
    ("ID", "vpcs(where: {id: @}) { id }"),
    ("Boolean", "vpcs(where: {isDefault: @}) { id }"),
    ("Stage", "vpcs(where: {stage: @}) { id }"),
    ("[String]", "vpcs(where: {name_IN: @}) { id }"),
    ("[String!]", "vpcs(where: {zones: @}) { id }"),
    ("[Int]!", "vpcs(where: {ports: @}) { id }"),
    ("[Stage]", "vpcs(where: {stage_IN: @}) { id }"),
    ("VpcWhere", "vpcs(where: @) { id }"),
    ("[VpcWhere!]", "vpcs(where: {OR: @}) { id }"),
    ("[VpcSort!]", "vpcs(sort: @) { id }"),
];

fn json_values() -> Vec<Value> {
    let texts = [
        "null",
        "0",
        "1",
        "-1",
        "1.0",
        "1.5",
        "2147483647",
        "2147483648",
        "-2147483649",
        "1e2",
        "9007199254740993",
        "1e300",
        "\"\"",
        "\"x\"",
        "\"1\"",
        "\"PROD\"",
        "true",
        "[]",
        "[1]",
        "[\"x\"]",
        "[null]",
        "[[\"x\"]]",
        "[\"x\", 1]",
        "{}",
        "[{}]",
        "{\"name\": \"a\"}",
        "{\"name\": \"ASC\"}",
        "{\"name\": null}",
        "{\"name\": 1}",
        "{\"nothing\": 1}",
        "[{\"nothing\": 1}]",
        "{\"OR\": {\"size\": 2147483648}}",
        "{\"stage\": \"PROD\"}",
        "{\"stage\": \"PRD\"}",
    ];
    texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}

/// Every kind of JSON for every declared type, and none at all.
pub fn values() -> Vec<Document> {
    let mut documents = Vec::new();
    for (of, template) in DECLARED {
        let query = format!("query ($x: {of}) {{ {} }}", fill(template, "$x"));
        documents.push(Document::new(format!("variables: nothing for {of}"), query.clone()));
        for value in json_values() {
            let mut document = Document::new(format!("variables: {value} for {of}"), query.clone());
            document.deviation = stricter_value(of, &value);
            document.variables.insert("x".to_owned(), value);
            documents.push(document);
        }
    }
    documents
}

fn stricter_value(of: &str, value: &Value) -> Option<Deviation> {
    let why = match of {
        "[String]" | "[Stage]" | "[VpcWhere!]" if value.is_null() => "null says nothing here",
        "[VpcSort!]" if *value == json!({"name": null}) => "null says nothing here",
        "ID" if *value == json!(1e300) => "no id is written in this way",
        _ => return None,
    };
    Some(Deviation::Stricter(why.to_owned()))
}
