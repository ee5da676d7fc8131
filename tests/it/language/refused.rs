//! What is refused of the wider language, with its code, place and what to write instead; and names that a schema may
//! not take, since they are generated.

use passmuster::catalog::{Catalog, Source};

use super::Inventory;

const SDL: &str = r#"
interface Asset { id: ID!  name: String }
type Vpc implements Asset {
  id: ID!  name: String
  logs: [Log!]! @relation(fields: ["id"], references: ["of"])
  main: Log @relation(fields: ["name"], references: ["id"])
}
type Log implements Asset { id: ID!  name: String  of: ID }
"#;

#[test]
fn q23_unknown_names_are_refused_with_the_nearest() {
    let inventory = Inventory::new(SDL, &[]);
    for (query, code, column, help) in [
        ("vpcsConection { totalCount }", "unknown_field", 1, "did you mean `vpcsConnection`?"),
        ("vpcsAgregate { count }", "unknown_field", 1, "did you mean `vpcsAggregate`?"),
        ("vpcsGruop(by: [name]) { count }", "unknown_field", 1, "did you mean `vpcsGroup`?"),
        ("serch(text: \"a\") { id }", "unknown_field", 1, "did you mean `search`?"),
        ("vpcsConnection { totalcount }", "unknown_field", 18, "did you mean `totalCount`?"),
        ("vpcsConnection { nodes { id } }", "unknown_field", 18, "it has totalCount, pageInfo, edges"),
        ("vpcsConnection { edges { id } }", "unknown_field", 26, "it has cursor, node"),
        ("vpcsConnection { edges { node { nme } } }", "unknown_field", 33, "did you mean `name`?"),
        ("vpcsConnection { pageInfo { hasNext } }", "unknown_field", 29, ""),
        ("vpcsConnection { totalCount { x } }", "selection_on_scalar", 18, ""),
        ("vpcsConnection { edges }", "selection_missing", 18, "write `edges { cursor }`"),
        ("vpcsConnection { pageInfo }", "selection_missing", 18, "write `pageInfo { hasNextPage }`"),
        ("vpcsConnection", "selection_missing", 1, "write `vpcsConnection { totalCount }`"),
        (
            "vpcsConnection(limit: 1) { totalCount }",
            "unknown_argument",
            16,
            "it takes where, sort, first, after, asOf",
        ),
        ("vpcsConnection { edges(first: 1) { cursor } }", "unknown_argument", 24, "it takes none"),
        ("vpcs { logsConection { totalCount } }", "unknown_field", 8, "did you mean `logsConnection`?"),
        ("vpcs { mainConnection { totalCount } }", "unknown_field", 8, "did you mean `logsConnection`?"),
        ("vpcs { logsAggregate }", "selection_missing", 8, "write `logsAggregate { count }`"),
        ("vpcs { logsConnection(where: {name: \"a\"}) { totalCount } }", "unknown_key", 31, ""),
        (
            "vpcs { logsConnection(sort: [{name: ASC}]) { totalCount } }",
            "unknown_key",
            31,
            "write `{node: {name: ASC}}`",
        ),
        ("vpcsConnection(where: {node: {name: \"a\"}}) { totalCount }", "unknown_key", 24, ""),
        ("vpcsConnection { ... on VpcConnection { totalCount } }", "unknown_type", 25, ""),
        ("vpcsConnection { a: totalCount a: __typename }", "conflicting_fields", 32, ""),
        ("vpcsConnection { edges { node { id } } edges { node: cursor } }", "conflicting_fields", 48, ""),
        (
            "assetsConnection { edges { node { logs { id } } } }",
            "unknown_field",
            35,
            "`Vpc` has it: write `... on Vpc { logs }`",
        ),
    ] {
        let (actual, at, message, actual_help) = inventory.refusal(query);
        assert_eq!((actual.as_str(), at), (code, column), "{query}: {message}");
        if !help.is_empty() {
            assert_eq!(actual_help, help, "{query}");
        }
    }
}

#[test]
fn a_fragment_on_a_type_that_cannot_be_there_is_refused() {
    let inventory = Inventory::new(SDL, &[]);
    for query in [
        "vpcsConnection { ... on PageInfo { hasNextPage } }",
        "vpcsConnection { edges { ... on LogEdge { cursor } } }",
        "vpcsAggregate { ... on LogAggregation { count } }",
        "vpcs { ... on SearchHit { id } }",
    ] {
        assert_eq!(inventory.refusal(query).0, "fragment_never_applies", "{query}");
    }
}

#[test]
fn names_that_are_generated_cannot_be_taken() {
    for name in [
        "VpcsConnection",
        "VpcEdge",
        "VpcAggregation",
        "VpcFigures",
        "VpcGroup",
        "VpcGroupBy",
        "VpcGroupKey",
        "VpcGroupSort",
        "VpcGroupKeySort",
        "VpcConnectionSort",
        "PageInfo",
        "SearchHit",
        "SearchedAsset",
        "SearchableType",
        "CountSort",
        "IntFigures",
        "StringFigures",
    ] {
        let sdl = format!("type Vpc {{ id: ID! }} type {name} {{ id: ID! }}");
        let refused = Catalog::read(&[Source::new("names.graphql", sdl.as_str())]).unwrap_err();
        assert!(refused.to_string().contains(name), "{refused}");
    }
    for sdl in [
        "type Vpc { id: ID! } type Other @plural(value: \"vpcsConnection\") { id: ID! }",
        "type Vpc { id: ID! } type Other @plural(value: \"vpcsAggregate\") { id: ID! }",
        "type Vpc { id: ID! } type Other @plural(value: \"vpcsGroup\") { id: ID! }",
        "type Other @plural(value: \"search\") { id: ID! }",
        "type Vpc { id: ID!  logsConnection: String  logs: [Vpc!]! @relation(fields: [\"id\"], references: [\"id\"]) }",
        "type Vpc { id: ID!  logsAggregate: String  logs: [Vpc!]! @relation(fields: [\"id\"], references: [\"id\"]) }",
    ] {
        assert!(Catalog::read(&[Source::new("names.graphql", sdl)]).is_err(), "{sdl}");
    }
    // A field may be called as the aggregate's own, and is then found under `node`.
    let inventory =
        Inventory::new("type Row { id: ID!  count: Int  node: Int  key: String  cursor: String }", &[]);
    assert_eq!(
        inventory.root("rowsAggregate { count node { count { sum } node { sum } } }"),
        serde_json::json!({"count": 0, "node": {"count": {"sum": 0}, "node": {"sum": 0}}})
    );
}
