//! Schemas that are read, and schemas that are refused with a code, a place and a remedy.

use passmuster::{
    catalog::{Catalog, CatalogErrors, FieldKind, RelationKeys, Source, TypeKind, shipped},
    model::Asset,
};
use serde_json::{Value, json};

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
    insta::assert_snapshot!(shown.join("\n"), @"");
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
            FieldKind::Relation { keys, .. } => format!("{keys:?}"),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(keys("Account"), r#"Fields([("accountId", "id")])"#);
    assert_eq!(keys("Role"), r#"Fields([("owner", "accountId")])"#);
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

fn refuse(text: &str) -> CatalogErrors {
    match Catalog::read(&[Source::new("t.graphql", text)]) {
        Err(errors) => errors,
        Ok(_) => panic!("it was read: {text}"),
    }
}

/// What each schema is refused with: code, place, message and remedy.
fn refusals(cases: &[&str]) -> String {
    let shown = cases.iter().map(|text| {
        let errors = refuse(text);
        let lines = errors.errors().iter().map(|error| {
            let written = text.get(error.span.clone()).expect("a span of the text");
            format!("  {} at `{written}`\n  {error}\n", error.code())
        });
        format!("{text}\n{}", lines.collect::<String>())
    });
    shown.collect::<Vec<_>>().join("")
}

#[test]
fn definitions_that_have_no_place_are_refused_f1() {
    let shown = refusals(&[
        "",
        "type Vpc { id: ID!",
        "type Vpc { id: ID! } type Vpc { id: ID! }",
        "type Vpc { id: ID! name: String name: Int }",
        "enum E { A B A } type T { id: ID! e: E }",
        "enum E type T { id: ID! e: E }",
        "type T",
        "union U = A | B type A { id: ID! } type B { id: ID! }",
        "input I { a: Int } type T { id: ID! }",
        "schema { query: Q } type Q { id: ID! }",
        "{ vpcs { id } } type T { id: ID! }",
        "scalar Url type T { id: ID! }",
        "scalar Datetime type T { id: ID! }",
        "directive @relations(a: Int) on OBJECT type T { id: ID! }",
        "extend type Vpz { a: Int } type Vpc { id: ID! }",
        "type __T { id: ID! }",
        "type T { id: ID! __x: Int }",
        "type Int { id: ID! }",
        "type Vpc { id: ID! } type VpcWhere { id: ID! }",
        "type Query { id: ID! }",
    ]);
    insta::assert_snapshot!(shown, @"");
}

#[test]
fn names_that_clash_with_generated_ones_are_refused_f1() {
    let shown = refusals(&[
        "type Vpc { id: ID! } type VPC { id: ID! }",
        "type Vpc { id: ID! } type Vpcs { id: ID! }",
        "type Vpc { id: ID! } type Cloud @plural(value: \"vpcs\") { id: ID! }",
        "type Search { id: ID! } type Look @plural(value: \"search\") { id: ID! }",
        "type T @plural(value: \"my things\") { id: ID! }",
        "type T { id: ID! name_NOT: String name: String }",
        "type T { id: ID! AND: String }",
        "type T { id: ID! u: [T!]! @relation(fields: \"id\", references: \"id\") uConnection: String }",
    ]);
    insta::assert_snapshot!(shown, @"");
}

#[test]
fn fields_that_cannot_be_stored_or_found_are_refused_f1() {
    let shown = refusals(&[
        "type T { id: ID! a: Strin }",
        "type T { id: ID! a: Zebra }",
        "type T { id: ID! a(b: Int): Int }",
        "type T { id: ID! a: [[Int]] }",
        "type T { id: String! }",
        "type T { id: ID }",
        "interface I { name: String }",
        "type T { id: ID! part: Part } type Part { other: T @relation(fields: \"a\", references: \"id\") a: ID }",
        "type T { id: ID! part: Part } type Part { part: Part }",
        "type T { id: ID! part: Part @relation(fields: \"id\", references: \"id\") } type Part { a: Int }",
        "type T { id: ID! a: String @relation(fields: \"id\", references: \"id\") }",
        "type Vpc { id: ID! vpcId: String subnets: [Subnet!]! } type Subnet { id: ID! vpcId: String vpc: Vpc }",
        "type T { id: ID! a: Int @values(list: [\"x\"]) b: String @values c: String @values(list: [1]) }",
        "type T @limit(default: 5, max: 2) { id: ID! } type U @limit(max: -1) { id: ID! } type V @limit { id: ID! }",
    ]);
    insta::assert_snapshot!(shown, @"");
}

#[test]
fn directives_that_are_unknown_or_misplaced_are_refused_f1() {
    let shown = refusals(&[
        "type T @plurals(value: \"x\") { id: ID! }",
        "type T { id: ID! a: Int @deprecated }",
        "type T { id: ID! a: Int @plural(value: \"x\") }",
        "enum E @limit(max: 1) { A } type T { id: ID! e: E }",
        "type T @plural(value: \"x\") @plural(value: \"y\") { id: ID! }",
        "type T @plural(values: \"x\") { id: ID! }",
        "type T { id: ID! t: T @relation(fields: \"id\") }",
        "type T { id: ID! t: T @relation(fields: \"id\", references: 3) }",
        "type T { id: ID! t: [T!]! @relation(fields: \"id\", references: \"id\", paths: \"t\") }",
    ]);
    insta::assert_snapshot!(shown, @"");
}

#[test]
fn relations_that_relate_nothing_are_refused_f1() {
    let shown = refusals(&[
        "type T { id: ID! t: T @relation(fields: [\"id\", \"a\"], references: [\"id\"]) a: Int }",
        "type T { id: ID! vpcId: String u: U @relation(fields: \"vpcid\", references: \"idd\") } type U { id: ID! }",
        "type T { id: ID! a: Int u: U @relation(fields: \"a\", references: \"id\") } type U { id: ID! }",
        "type T { id: ID! a: Float t: T @relation(fields: \"a\", references: \"t\") }",
        "type T { id: ID! c: Boolean @computed(where: \"{}\") t: T @relation(fields: \"c\", references: \"p\") p: P } type P { a: Int }",
        "interface I { id: ID! } type A implements I { id: ID! key: ID } type B implements I { id: ID! key: Int }
         type T { id: ID! is: [I!]! @relation(fields: \"id\", references: \"key\") }",
        "type T { id: ID! us: [U!]! @relation(fields: \"id\", references: \"id\")
           bad: [T!]! @relation(paths: [\"us\", \"us.id\", \"us.no\"]) } type U { id: ID! }",
        "type T { id: ID! a: [T!]! @relation(paths: \"b.b\") b: [T!]! @relation(paths: \"a\") }",
        "type T { id: ID! a: [T!]! @relation(fields: \"id\", references: \"id\") b: T @relation(paths: \"a.a\") }",
    ]);
    insta::assert_snapshot!(shown, @"");
}

#[test]
fn types_that_break_their_interface_are_refused_f1() {
    let shown = refusals(&[
        "interface I { id: ID! a: String! } type T implements I { id: ID! }",
        "interface I { id: ID! a: String! } type T implements I { id: ID! a: String }",
        "interface I { id: ID! a: [String!] } type T implements I { id: ID! a: [Int!] }",
        "interface I { id: ID! i: [I!]! @relation(fields: \"id\", references: \"id\") } type T implements I { id: ID! i: [T!]! }",
        "interface Asset { id: ID! } type T implements Aset { id: ID! }",
        "type U { id: ID! } type T implements U { id: ID! }",
        "interface I { id: ID! } type T implements I & I { id: ID! }",
        "interface I { id: ID! } interface J implements I { id: ID! }",
    ]);
    insta::assert_snapshot!(shown, @"");
}

#[test]
fn computed_fields_that_cannot_be_computed_are_refused_f1() {
    let shown = refusals(&[
        "type T { id: ID! a: String @computed(where: \"{}\") }",
        "type T { id: ID! a: Boolean! @computed }",
        "type T { id: ID! a: Boolean! @computed(where: \"{id: \") }",
        "type T { id: ID! a: Boolean! @computed(where: \"id\") }",
        "type T { id: ID! a: Boolean! @computed(where: \"{}) b(c: {}\") }",
        "type T { id: ID! a: Boolean! @computed(where: \"{OR: [{idd: 1}, {ts_SOME: {NOT: {nam: 1}}}]}\")
           name: String ts: [T!]! @relation(fields: \"id\", references: \"id\") }",
        "type T { id: ID! a: Boolean! @computed(where: \"{a_NOT: true}\") }",
        "type T { id: ID! a: Boolean! @computed(where: \"{us_NONE: {b: true}}\")
           us: [U!]! @relation(fields: \"id\", references: \"id\") }
         type U { id: ID! b: Boolean! @computed(where: \"{tsConnection: {OR: [{node: {a: true}}]}}\")
           ts: [T!]! @relation(fields: \"id\", references: \"id\") }",
        "interface I { id: ID! c: Boolean! @computed(where: \"{id: 1}\") }
         type T implements I { id: ID! c: Boolean! @computed(where: \"{is_SOME: {c: true}}\")
           is: [I!]! @relation(fields: \"id\", references: \"id\") }",
    ]);
    insta::assert_snapshot!(shown, @"");
}

#[test]
fn every_mistake_of_every_file_is_told_in_one_run() {
    let sources = [
        Source::new("a.graphql", "\u{feff}type A { id: ID!\n  é: Int }\n\ntype A { id: ID! }"),
        Source::new("b.graphql", "type B { id: ID!\n  # \"ä\"\n  b: Nope, c: [Nix!]!\n}"),
    ];
    let errors = Catalog::read(&sources[1..]).expect_err("two unknown types");
    assert_eq!(errors.errors().len(), 2);
    let error = &errors.errors()[1];
    assert_eq!((error.line, error.column, error.file.as_str()), (3, 15, "b.graphql"));
    assert_eq!(errors.source_of(error).map(|source| &source.text[error.span.clone()]), Some("Nix"));
    // What GraphQL can't read at all stands alone: the rest would be guesswork.
    let errors = Catalog::read(&sources).expect_err("no GraphQL");
    assert!(
        errors.errors().iter().all(|error| error.code() == "schema_syntax" && error.line == 2),
        "{errors}"
    );
}

#[test]
fn brackets_by_the_thousand_in_a_schema_are_refused_and_overflow_nothing() {
    for text in [
        format!("type T {{ id: ID! a: {}Int{} }}", "[".repeat(20_000), "]".repeat(20_000)),
        format!("type T @limit(max: {}1{}) {{ id: ID! }}", "[".repeat(20_000), "]".repeat(20_000)),
        format!(
            "type T {{ id: ID! a: Boolean @computed(where: \"{}{}\") }}",
            "{NOT: ".repeat(20_000),
            "}".repeat(20_000)
        ),
        format!("{}", "{ a ".repeat(20_000)),
    ] {
        assert!(!refuse(&text).errors().is_empty());
    }
}

fn vpc_with(field: &str, value: Value) -> Asset {
    Asset::new("Vpc", "arn:aws:ec2:eu-west-1:1:vpc/vpc-1").with("vpcId", "vpc-1").with(field, value)
}

#[test]
fn an_asset_that_fits_its_type_is_taken() {
    let catalog = Catalog::read(&shipped()).expect("the shipped schema is sound");
    for (field, value) in [
        ("name", json!(null)),
        ("name", json!("ü")),
        ("isDefault", json!(true)),
        ("createdAt", json!("2026-11-20")),
        ("createdAt", json!("2026-11-20T12:04:11+01:00")),
        ("cidrBlock", json!("10.0.0.0/16")),
        ("cidrBlock", json!("fd00::/8")),
        ("tags", json!([])),
        ("tags", json!([{"key": "env", "value": "prod"}, {"key": "x"}])),
        ("cidrBlockAssociations", json!([{"cidrBlock": "10.0.0.0/16", "state": null}])),
    ] {
        let asset = vpc_with(field, value);
        assert_eq!(catalog.check_asset(&asset), Ok(()), "{asset:?}");
    }
    let mut unseen = Asset::new("Vpc", "arn");
    unseen.unknown.insert("vpcId".to_owned());
    assert_eq!(catalog.check_asset(&unseen), Ok(()));
    let flow_log =
        Asset::new("FlowLog", "arn").with("flowLogId", "fl-1").with("maxAggregationInterval", 600.0);
    assert_eq!(catalog.check_asset(&flow_log), Ok(()));
}

#[test]
fn an_asset_that_does_not_fit_is_refused_by_name_and_field() {
    let catalog = Catalog::read(&shipped()).expect("the shipped schema is sound");
    let mut both = vpc_with("name", json!("x"));
    both.unknown.insert("vpcidd".to_owned());
    let cases = [
        Asset::new("VPC", "a"),
        Asset::new("Spaceship", "a"),
        Asset::new("Asset", "a"),
        Asset::new("Tag", "a"),
        Asset::new("Vpc", "a"),
        both,
        vpc_with("vpcId", json!(null)),
        vpc_with("nmae", json!("x")),
        vpc_with("name", json!(1)),
        vpc_with("isDefault", json!("true")),
        vpc_with("createdAt", json!("yesterday")),
        vpc_with("createdAt", json!(1_700_000_000)),
        vpc_with("cidrBlock", json!("10.0.0.0/33")),
        vpc_with("tags", json!({"env": "prod"})),
        vpc_with("tags", json!([null])),
        vpc_with("tags", json!([{"key": "a"}, {"value": "b"}])),
        vpc_with("tags", json!([{"key": "a"}, {"key": "b", "vaule": "c"}])),
        vpc_with("tags", json!([{"key": "a"}, {"key": ["b"]}])),
        vpc_with("hasFlowLog", json!([])),
        vpc_with("name", json!(["x".repeat(10)])),
        vpc_with("cidrBlock", json!("x".repeat(1_000_000))),
        Asset::new("FlowLog", "a").with("flowLogId", "f").with("maxAggregationInterval", 2_147_483_648_u64),
    ];
    let shown: Vec<String> = cases
        .iter()
        .map(|asset| {
            let misfit = catalog.check_asset(asset).expect_err("it does not fit");
            format!("{}: {misfit}", misfit.code())
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @"");
}

#[test]
fn enums_dates_and_big_numbers_of_an_asset_are_judged() {
    let catalog = read(
        "enum Phase { UP DOWN } type T { id: ID! phase: Phase day: Date big: BigInt ip: IPAddress n: ID l: [Int!] m: [Int] raw: JSON f: Float }",
    )
    .expect("the schema is sound");
    let fits =
        |field: &str, value: Value| catalog.check_asset(&Asset::new("T", "a").with(field, value)).is_ok();
    for (field, value) in [
        ("phase", json!("UP")),
        ("day", json!("2026-02-28")),
        ("big", json!("9223372036854775807")),
        ("big", json!(-9_223_372_036_854_775_808_i64)),
        ("ip", json!("::1")),
        ("n", json!(7)),
        ("l", json!([1, 2])),
        ("m", json!([1, null])),
        ("raw", json!({"a": [1, null]})),
        ("f", json!(1)),
    ] {
        assert!(fits(field, value.clone()), "{field}: {value}");
    }
    for (field, value) in [
        ("phase", json!("up")),
        ("phase", json!("SIDEWAYS")),
        ("day", json!("2026-02-30")),
        ("day", json!("2026-02-28T00:00:00Z")),
        ("big", json!("9223372036854775808")),
        ("big", json!("1.0")),
        ("big", json!(1.5)),
        ("ip", json!("10.0.0.0/8")),
        ("n", json!(1.5)),
        ("l", json!([1, null])),
        ("l", json!(1)),
        ("f", json!("NaN")),
    ] {
        assert!(!fits(field, value.clone()), "{field}: {value}");
    }
}
