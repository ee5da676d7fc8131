//! Schemas that are read, and schemas that are refused with a code, a place and a remedy.

use passmuster::catalog::{Catalog, Source, TypeKind};

fn read(text: &str) -> Result<Catalog, String> {
    Catalog::read(&[Source::new("t.graphql", text)]).map_err(|errors| errors.to_string())
}

#[test]
fn every_schema_of_the_vectors_is_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the vectors are there") {
        let path = entry.expect("a readable folder").path();
        let text = std::fs::read_to_string(&path).expect("a readable vector");
        let vector: serde_json::Value = serde_json::from_str(&text).expect("a vector is JSON");
        let schema = vector["schema"].as_str().expect("a vector has a schema");
        if let Err(errors) = read(schema) {
            panic!("{}: {errors}", path.display());
        }
        count += 1;
    }
    assert!(count > 70, "{count} vectors");
}

#[test]
fn root_fields_are_named_in_camel_case_and_english_plural() {
    let catalog = read(
        "type Person { id: ID! } type Series { id: ID! } type Policy { id: ID! } type FlowLog { id: ID! }
         type EC2Instance { id: ID! } type Child { id: ID! } type _Private { id: ID! }
         type snake_case_type { id: ID! } type Address { id: ID! } type VPC { id: ID! }
         type Ox @plural(value: \"herd\") { id: ID! }",
    )
    .expect("the schema is sound");
    let names: Vec<_> = catalog
        .types()
        .iter()
        .map(|definition| {
            assert_eq!(definition.kind, TypeKind::Asset);
            format!("{} {}", definition.singular, definition.plural)
        })
        .collect();
    assert_eq!(
        names,
        [
            "person people",
            "seriesById series",
            "policy policies",
            "flowLog flowLogs",
            "ec2Instance ec2Instances",
            "child children",
            "_private _privates",
            "snakeCaseType snakeCaseTypes",
            "address addresses",
            "vpc vpcs",
            "ox herd",
        ]
    );
}
