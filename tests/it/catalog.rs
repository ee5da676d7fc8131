//! Schemas that are read, and schemas that are refused with a code, a place and a remedy.

use passmuster::catalog::{Catalog, FieldKind, RelationKeys, Source, TypeKind, shipped};

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

#[test]
fn the_shipped_schema_describes_every_type_and_field() {
    let catalog = Catalog::read(&shipped()).unwrap_or_else(|errors| panic!("{errors}"));
    for definition in catalog.types() {
        assert!(definition.description.is_some(), "{}", definition.name);
        for field in &definition.fields {
            assert!(field.description.is_some(), "{}.{}", definition.name, field.name);
        }
    }
    let (_, vpc) = catalog.find("Vpc").expect("there is a Vpc");
    let (_, relation) = vpc.find("hasFlowLog").expect("it has flow logs");
    let pairs = [("vpcId", "resourceId"), ("region", "region")]
        .map(|(field, reference)| (field.to_owned(), reference.to_owned()));
    assert!(
        matches!(&relation.kind, FieldKind::Relation { many: true, keys, .. } if *keys == RelationKeys::Fields(pairs.to_vec()))
    );
    let (_, account) = vpc.find("account").expect("it inherits its account");
    assert!(matches!(account.kind, FieldKind::Relation { many: false, .. }));
}
