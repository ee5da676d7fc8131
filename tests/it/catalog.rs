//! Schemas and what is read out of them.

mod assets;
mod refused;
mod rules;

use passmuster::catalog::{Catalog, FieldKind, KeyPairs, RelationKeys, Source, TypeKind, shipped};

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
        matches!(&relation.kind, FieldKind::Relation { many: true, keys, .. } if *keys == RelationKeys::Fields(KeyPairs { pairs: pairs.to_vec(), anywhere: false }))
    );
    let (_, account) = vpc.find("account").expect("it inherits its account");
    assert!(matches!(account.kind, FieldKind::Relation { many: false, .. }));
}

#[test]
fn scalars_enums_lists_and_embedded_types_are_told_apart() {
    let catalog = read(
        "scalar BigInt directive @limit(default: Int, max: Int) on OBJECT
         enum Phase { UP DOWN }
         type Thing @limit(default: 10, max: 20) {
           id: ID! phase: Phase at: DateTime! day: Date net: CIDR ip: IPAddress raw: JSON big: BigInt
           names: [String!]! maybe: [Int] part: Part parts: [Part!]! state: String @values(list: [\"on\", \"off\"])
         }
         type Part { size: Float inner: [Inner!] } type Inner { id_: Int }
         extend type Thing { added: Boolean } extend enum Phase { SIDEWAYS }",
    )
    .expect("the schema is sound");
    let (_, thing) = catalog.find("Thing").expect("there is a Thing");
    assert_eq!(thing.limit.map(|limit| (limit.default, limit.max)), Some((Some(10), Some(20))));
    assert_eq!(catalog.enums()[0].values, ["UP", "DOWN", "SIDEWAYS"]);
    let shown: Vec<String> = thing
        .fields
        .iter()
        .map(|field| {
            let null = if field.nullable { "" } else { "!" };
            match &field.kind {
                FieldKind::Scalar { scalar, list, known_values } => {
                    let items =
                        list.map(|list| if list.nullable_items { "[]" } else { "[!]" }).unwrap_or_default();
                    format!("{}: {}{items}{null} {known_values:?}", field.name, catalog.scalar_name(*scalar))
                }
                FieldKind::Embedded { of, list } => {
                    let items = if list.is_some() { "[!]" } else { "" };
                    format!("{}: {}{items}{null}", field.name, catalog.get(*of).name)
                }
                other => format!("{}: {other:?}", field.name),
            }
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
        id: ID! []
        phase: Phase []
        at: DateTime! []
        day: Date []
        net: CIDR []
        ip: IPAddress []
        raw: JSON []
        big: BigInt []
        names: String[!]! []
        maybe: Int[] []
        part: Part
        parts: Part[!]!
        state: String ["on", "off"]
        added: Boolean []
        "#);
}

#[test]
fn an_implementor_takes_the_relation_of_its_interface_unless_it_has_its_own() {
    let catalog = read(
        "interface Asset { id: ID! accountId: String account: Account @relation(fields: [\"accountId\"], references: [\"id\"])
           isLone: Boolean! @computed(where: \"{account: null}\") }
         type Account implements Asset { id: ID! accountId: String account: Account isLone: Boolean! }
         type Role implements Asset { id: ID! accountId: String owner: String isLone: Boolean!
           account: Account @relation(fields: [\"owner\"], references: [\"accountId\"]) }
         interface Nobody { id: ID! }",
    )
    .expect("the schema is sound");
    let keys = |name: &str| {
        let (_, definition) = catalog.find(name).expect("it is defined");
        match &definition.find("account").expect("it has an account").1.kind {
            FieldKind::Relation { keys: RelationKeys::Fields(keys), .. } => format!("{:?}", keys.pairs),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(keys("Account"), r#"[("accountId", "id")]"#);
    assert_eq!(keys("Role"), r#"[("owner", "accountId")]"#);
    let (id, asset) = catalog.find("Asset").expect("the interface");
    assert_eq!(
        (asset.plural.as_str(), asset.implementors.len(), catalog.concrete(id).len()),
        ("assets", 2, 2)
    );
    let (_, role) = catalog.find("Role").expect("it is defined");
    assert!(matches!(role.find("isLone").expect("inherited").1.kind, FieldKind::Computed { .. }));
}

#[test]
fn a_relation_may_follow_paths_over_other_relations() {
    let catalog = read(
        "type Vpc { id: ID! subnets: [Subnet!]! @relation(fields: \"id\", references: \"vpcId\")
           logs: [Log!]! @relation(fields: \"id\", references: \"of\")
           all: [Log!]! @relation(paths: [\"logs\", \"subnets.logs\"]) }
         type Subnet { id: ID! vpcId: ID logs: [Log!]! @relation(fields: \"id\", references: \"of\") }
         type Log { id: ID! of: [ID!] }",
    )
    .expect("the schema is sound");
    let (_, vpc) = catalog.find("Vpc").expect("it is defined");
    let FieldKind::Relation { keys: RelationKeys::Paths(paths), .. } =
        &vpc.find("all").expect("it is there").1.kind
    else {
        panic!("not by paths")
    };
    assert_eq!(*paths, [vec!["logs".to_owned()], vec!["subnets".to_owned(), "logs".to_owned()]]);
}
