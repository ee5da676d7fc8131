//! Schemas that are refused, each mistake with a code, a place and a remedy.

use passmuster::catalog::{Catalog, CatalogErrors, Source, shipped};

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
    insta::assert_snapshot!(shown, @r#"

          schema_syntax at ``
          t.graphql:1:1: syntax error: Unexpected <EOF>; write it as the GraphQL schema language does
        type Vpc { id: ID!
          schema_syntax at ``
          t.graphql:1:19: expected a field or `}` before the end of the file; write it as in `name: String`
        type Vpc { id: ID! } type Vpc { id: ID! }
          duplicate_type at `Vpc`
          t.graphql:1:27: `Vpc` is defined twice: first at t.graphql:1:6; rename one of the two, or add fields with `extend type Vpc`
        type Vpc { id: ID! name: String name: Int }
          duplicate_field at `name`
          t.graphql:1:33: `Vpc.name` is defined twice; remove one of the two
        enum E { A B A } type T { id: ID! e: E }
          duplicate_enum_value at `A`
          t.graphql:1:14: `E` has the value `A` twice; remove one of the two
        enum E type T { id: ID! e: E }
          empty_type at `E`
          t.graphql:1:6: `E` has no values; write them in braces behind its name
        type T
          empty_type at `T`
          t.graphql:1:6: `T` has no fields; write them in braces behind its name, `id: ID!` first
        union U = A | B type A { id: ID! } type B { id: ID! }
          unsupported_definition at `U`
          t.graphql:1:7: a union has no place in an inventory schema; write an interface that the types implement
        input I { a: Int } type T { id: ID! }
          unsupported_definition at `I`
          t.graphql:1:7: an input type has no place in an inventory schema; remove it: filters are generated from the types
        schema { query: Q } type Q { id: ID! }
          unsupported_definition at `schema { query: Q }`
          t.graphql:1:1: a `schema` definition has no place in an inventory schema; remove it: the root types are generated
        { vpcs { id } } type T { id: ID! }
          unsupported_definition at `{ vpcs { id } }`
          t.graphql:1:1: a query has no place in an inventory schema; put queries and fragments into the folder `queries`
        scalar Url type T { id: ID! }
          unknown_scalar at `Url`
          t.graphql:1:8: there is no scalar `Url`; there are: BigInt, Boolean, CIDR, Date, DateTime, Float, ID, IPAddress, Int, JSON, String
        scalar Datetime type T { id: ID! }
          unknown_scalar at `Datetime`
          t.graphql:1:8: there is no scalar `Datetime`; did you mean `DateTime`?
        directive @relations(a: Int) on OBJECT type T { id: ID! }
          unknown_directive at `relations`
          t.graphql:1:12: there is no directive `@relations`; did you mean `relation`?
        extend type Vpz { a: Int } type Vpc { id: ID! }
          unknown_extension at `Vpz`
          t.graphql:1:13: `Vpz` is extended, but defined nowhere; did you mean `Vpc`?
        type __T { id: ID! }
          reserved_name at `__T`
          t.graphql:1:6: the name `__T` starts with two underscores, which GraphQL keeps for itself; rename the type
        type T { id: ID! __x: Int }
          reserved_name at `__x`
          t.graphql:1:18: the name `__x` starts with two underscores, which GraphQL keeps for itself; rename the field
        type Int { id: ID! }
          reserved_type_name at `Int`
          t.graphql:1:6: the name `Int` is taken by the generated GraphQL schema; rename it: this is the name of a scalar
        type Vpc { id: ID! } type VpcWhere { id: ID! }
          reserved_type_name at `VpcWhere`
          t.graphql:1:27: the name `VpcWhere` is taken by the generated GraphQL schema; rename the type
        type Query { id: ID! }
          reserved_type_name at `Query`
          t.graphql:1:6: the name `Query` is taken by the generated GraphQL schema; rename the type
        "#);
}

/// What the parser would drop without a word.
#[test]
fn forms_that_the_grammar_does_not_have_are_refused_f1() {
    let shown = refusals(&[
        "type T @limit(default 5) { id: ID! }",
        "type T @limit(default: 5 max 10) { id: ID! }",
        "type T @limit(default:) { id: ID! }",
        "type T @limit() { id: ID! }",
        "type T @limit(: 5) { id: ID! }",
        "type T @limit(default: 5 { id: ID! }",
        "type T @ { id: ID! }",
        "type T { id: ID! r: T @relation(fields: [\"a\"] references [\"b\"]) }",
        "type T { id: ID! r: T @relation(fields: [\"a\", references: [\"b\"]) }",
        "type T { id: ID! r: T @relation(fields [\"a\"], references: [\"b\"]) }",
        "type T { id: ID! name }",
        "type T { id: ID! name String }",
        "type T { id: ID! name: }",
        "type T { id: ID! names: [String }",
        "type T { id: ID! name: String!! }",
        "type T { id: ID! name: String = \"x\" }",
        "type T { id: ID! : String }",
        "type T { id: ID! } }",
        "type T id: ID!",
        "type { id: ID! }",
        "type T implements { id: ID! }",
        "interface A { id: ID! } interface B { id: ID! } type T implements A B { id: ID! }",
        "enum E { A: 1 } type T { id: ID! e: E }",
        "enum E { A | B } type T { id: ID! e: E }",
        "types T { id: ID! }",
        "type T { id: ID! name: String @values(list: [\"a\") }",
        "type T { id: ID! name: String @values(list: [\"a\" }",
        "type T { id: ID! name: String @values(list: [\"a]) }",
        "directive @limit(default Int) on OBJECT type T { id: ID! }",
        "directive @limit(default: Int) OBJECT type T { id: ID! }",
        "type T { id: ID! c: Boolean @computed(where: \"{id \\\"x\\\"}\") }",
    ]);
    insta::assert_snapshot!(shown, @r#"
        type T @limit(default 5) { id: ID! }
          schema_syntax at `5`
          t.graphql:1:23: expected a colon and the value of `default` before `5`; an argument is a name, a colon and a value, as in `default: 100`
        type T @limit(default: 5 max 10) { id: ID! }
          schema_syntax at `10`
          t.graphql:1:30: expected a colon and the value of `max` before `10`; an argument is a name, a colon and a value, as in `default: 100`
        type T @limit(default:) { id: ID! }
          schema_syntax at `)`
          t.graphql:1:23: expected a value before `)`; an argument is a name, a colon and a value, as in `default: 100`
        type T @limit() { id: ID! }
          schema_syntax at `)`
          t.graphql:1:15: expected the name of an argument before `)`; an argument is a name, a colon and a value, as in `default: 100`
        type T @limit(: 5) { id: ID! }
          schema_syntax at `:`
          t.graphql:1:15: expected the name of an argument before `:`; an argument is a name, a colon and a value, as in `default: 100`
        type T @limit(default: 5 { id: ID! }
          schema_syntax at `{`
          t.graphql:1:26: expected the name of an argument or `)` before `{`; an argument is a name, a colon and a value, as in `default: 100`
        type T @ { id: ID! }
          schema_syntax at `{`
          t.graphql:1:10: expected the name of a directive before `{`; an argument is a name, a colon and a value, as in `default: 100`
        type T { id: ID! r: T @relation(fields: ["a"] references ["b"]) }
          schema_syntax at `[`
          t.graphql:1:58: expected a colon and the value of `references` before `[`; an argument is a name, a colon and a value, as in `default: 100`
        type T { id: ID! r: T @relation(fields: ["a", references: ["b"]) }
          schema_syntax at `:`
          t.graphql:1:57: expected a value or `]` before `:`; write it as in `["vpcId", "region"]`
        type T { id: ID! r: T @relation(fields ["a"], references: ["b"]) }
          schema_syntax at `[`
          t.graphql:1:40: expected a colon and the value of `fields` before `[`; an argument is a name, a colon and a value, as in `default: 100`
        type T { id: ID! name }
          schema_syntax at `}`
          t.graphql:1:23: expected a colon and the type of `name` before `}`; write it as in `name: String`
        type T { id: ID! name String }
          schema_syntax at `String`
          t.graphql:1:23: expected a colon and the type of `name` before `String`; write it as in `name: String`
        type T { id: ID! name: }
          schema_syntax at `}`
          t.graphql:1:24: expected a type before `}`; write it as in `name: String`
        type T { id: ID! names: [String }
          schema_syntax at `}`
          t.graphql:1:33: expected `]` before `}`; write it as in `subnets: [Subnet!]!`
        type T { id: ID! name: String!! }
          schema_syntax at `!`
          t.graphql:1:31: expected a field or `}` before `!`; write it as in `name: String`
        type T { id: ID! name: String = "x" }
          schema_syntax at `=`
          t.graphql:1:31: expected a field or `}` before `=`; write it as in `name: String`
        type T { id: ID! : String }
          schema_syntax at `:`
          t.graphql:1:18: expected a field or `}` before `:`; write it as in `name: String`
        type T { id: ID! } }
          schema_syntax at `}`
          t.graphql:1:20: expected a definition before `}`; write it as in `type Vpc { id: ID! }`
        type T id: ID!
          schema_syntax at `id`
          t.graphql:1:8: expected a definition before `id`; write it as in `type Vpc { id: ID! }`
        type { id: ID! }
          schema_syntax at `{`
          t.graphql:1:6: expected the name of the type before `{`; write it as in `type Vpc { id: ID! }`
        type T implements { id: ID! }
          schema_syntax at `{`
          t.graphql:1:19: expected an interface before `{`; write it as in `implements Asset & Taggable`
        interface A { id: ID! } interface B { id: ID! } type T implements A B { id: ID! }
          schema_syntax at `B`
          t.graphql:1:69: expected a definition before `B`; write it as in `type Vpc { id: ID! }`
        enum E { A: 1 } type T { id: ID! e: E }
          schema_syntax at `:`
          t.graphql:1:11: expected a value of the enum or `}` before `:`; write it as in `enum Stage { PROD DEV }`
        enum E { A | B } type T { id: ID! e: E }
          schema_syntax at `|`
          t.graphql:1:12: expected a value of the enum or `}` before `|`; write it as in `enum Stage { PROD DEV }`
        types T { id: ID! }
          schema_syntax at `types`
          t.graphql:1:1: expected a definition before `types`; write it as in `type Vpc { id: ID! }`
        type T { id: ID! name: String @values(list: ["a") }
          schema_syntax at `)`
          t.graphql:1:49: expected a value or `]` before `)`; write it as in `["vpcId", "region"]`
        type T { id: ID! name: String @values(list: ["a" }
          schema_syntax at `}`
          t.graphql:1:50: expected a value or `]` before `}`; write it as in `["vpcId", "region"]`
        type T { id: ID! name: String @values(list: ["a]) }
          schema_syntax at `"`
          t.graphql:1:46: a string begins here and does not end; close it with `"`; a string ends on the line it begins on, unless it has `"""`
        directive @limit(default Int) on OBJECT type T { id: ID! }
          schema_syntax at `Int`
          t.graphql:1:26: expected a colon and the type of `default` before `Int`; write it as in `name: String`
        directive @limit(default: Int) OBJECT type T { id: ID! }
          schema_syntax at `OBJECT`
          t.graphql:1:32: expected `on` and where the directive may stand before `OBJECT`; write it as in `directive @limit(default: Int) on OBJECT`
        type T { id: ID! c: Boolean @computed(where: "{id \"x\"}") }
          computed_filter at `"{id \"x\"}"`
          t.graphql:1:46: the filter of `T.c` cannot be read: expected a colon and a value before `"x"`; write it as in `{hasFlowLog_NONE: {flowLogStatus: "ACTIVE"}}`
        "#);
}

#[test]
fn a_schema_nested_too_deep_is_refused_f1() {
    for text in [
        format!("type T {{ id: ID! f: {}Int{} }}", "[".repeat(200_000), "]".repeat(200_000)),
        format!("type T @limit(default: {}{}) {{ id: ID! }}", "[".repeat(200_000), "]".repeat(200_000)),
        format!("type T @limit(default: {}1{}) {{ id: ID! }}", "{a:".repeat(200_000), "}".repeat(200_000)),
    ] {
        let errors = refuse(&text);
        assert!(
            errors.errors()[0].to_string().contains("expected fewer brackets inside brackets"),
            "{errors}"
        );
    }
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
    insta::assert_snapshot!(shown, @r#"
        type Vpc { id: ID! } type VPC { id: ID! }
          duplicate_root_field at `VPC`
          t.graphql:1:27: `VPC` and `Vpc` would both be the root field `vpcs`; rename it, or give it another plural, as in `type VPC @plural(value: "vpcsOf")`
        type Vpc { id: ID! } type Vpcs { id: ID! }
          duplicate_root_field at `Vpcs`
          t.graphql:1:27: `Vpcs` and `Vpc` would both be the root field `vpcs`; rename it, or give it another plural, as in `type Vpcs @plural(value: "vpcsOf")`
        type Vpc { id: ID! } type Cloud @plural(value: "vpcs") { id: ID! }
          duplicate_root_field at `Cloud`
          t.graphql:1:27: `Cloud` and `Vpc` would both be the root field `vpcs`; rename it, or give it another plural, as in `type Cloud @plural(value: "vpcsOf")`
        type Search { id: ID! } type Look @plural(value: "search") { id: ID! }
          reserved_root_field at `Search`
          t.graphql:1:6: `Search` would be the root field `search`, which searches all assets; rename it, or give it another plural, as in `type Search @plural(value: "searchesOf")`
          reserved_root_field at `Look`
          t.graphql:1:30: `Look` would be the root field `search`, which searches all assets; rename it, or give it another plural, as in `type Look @plural(value: "searchOf")`
        type T @plural(value: "my things") { id: ID! }
          bad_plural at `"my things"`
          t.graphql:1:23: `my things` cannot be the name of a root field; use letters, digits and single underscores, a letter first
        type T { id: ID! name_NOT: String name: String }
          key_clash at `name_NOT`
          t.graphql:1:18: `T.name_NOT` and `T.name` would both be the filter key `name_NOT`; rename `name_NOT`
        type T { id: ID! AND: String }
          combinator_name at `AND`
          t.graphql:1:18: `T.AND` has the name of a combinator of filters; rename the field
        type T { id: ID! u: [T!]! @relation(fields: "id", references: "id") uConnection: String }
          key_clash at `uConnection`
          t.graphql:1:69: `T.uConnection` and `T.u` would both be the filter key `uConnection`; rename `uConnection`
        "#);
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
    insta::assert_snapshot!(shown, @r#"
        type T { id: ID! a: Strin }
          unknown_type at `Strin`
          t.graphql:1:21: there is no type `Strin`; did you mean `String`?
        type T { id: ID! a: Zebra }
          unknown_type at `Zebra`
          t.graphql:1:21: there is no type `Zebra`; define it, as in `type Zebra { id: ID! }`
        type T { id: ID! a(b: Int): Int }
          field_arguments at `a`
          t.graphql:1:18: `T.a` takes arguments; remove them: the arguments of fields are generated
        type T { id: ID! a: [[Int]] }
          nested_list at `a`
          t.graphql:1:18: `T.a` is a list of lists; use an embedded type that holds the inner list
        type T { id: String! }
          id_type at `id`
          t.graphql:1:10: `T.id` is `String!`; write `id: ID!`, or rename the field of an embedded type
        type T { id: ID }
          id_type at `id`
          t.graphql:1:10: `T.id` is `ID`; write `id: ID!`, or rename the field of an embedded type
        interface I { name: String }
          interface_without_id at `I`
          t.graphql:1:11: the interface `I` has no `id: ID!`; add `id: ID!`: only assets can share an interface
        type T { id: ID! part: Part } type Part { other: T @relation(fields: "a", references: "id") a: ID }
          derived_in_embedded at `other`
          t.graphql:1:43: `Part` has no id and is stored inside other assets, so `Part.other` cannot be derived; keep the id, and put the relation on the asset that holds it
        type T { id: ID! part: Part } type Part { part: Part }
          embedded_cycle at `part`
          t.graphql:1:43: `Part` contains itself through `part`; give it `id: ID!` and a relation, or use JSON
        type T { id: ID! part: Part @relation(fields: "id", references: "id") } type Part { a: Int }
          relation_to_no_asset at `@relation(fields: "id", references: "id")`
          t.graphql:1:29: `T.part` has a `@relation`, but `Part` is not a type of assets; remove the directive, or name a type of assets
        type T { id: ID! a: String @relation(fields: "id", references: "id") }
          relation_to_no_asset at `@relation(fields: "id", references: "id")`
          t.graphql:1:28: `T.a` has a `@relation`, but `String` is not a type of assets; remove the directive, or name a type of assets
        type Vpc { id: ID! vpcId: String subnets: [Subnet!]! } type Subnet { id: ID! vpcId: String vpc: Vpc }
          missing_relation at `subnets`
          t.graphql:1:34: `Vpc.subnets` holds assets, and nothing says which ones; write `subnets: [Subnet!]! @relation(fields: ["vpcId"], references: ["vpcId"])`
          missing_relation at `vpc`
          t.graphql:1:92: `Subnet.vpc` holds assets, and nothing says which ones; write `vpc: Vpc @relation(fields: ["vpcId"], references: ["vpcId"])`
        type T { id: ID! a: Int @values(list: ["x"]) b: String @values c: String @values(list: [1]) }
          values_on_other at `@values(list: ["x"])`
          t.graphql:1:25: `@values` stands on `T.a`, which is not a string; remove it
          bad_directive_argument at `@values`
          t.graphql:1:56: `@values` needs a list of texts `list`; write it as in @values(list: ["ACTIVE", "INACTIVE"])
          bad_directive_argument at `[1]`
          t.graphql:1:88: `@values` needs a list of texts `list`; write it as in @values(list: ["ACTIVE", "INACTIVE"])
        type T @limit(default: 5, max: 2) { id: ID! } type U @limit(max: -1) { id: ID! } type V @limit { id: ID! }
          limit_order at `@limit(default: 5, max: 2)`
          t.graphql:1:8: `@limit` has a default of 5, more than its max of 2; lower the default or raise the max
          bad_directive_argument at `-1`
          t.graphql:1:66: `@limit` needs `default` and `max` to be counts; write it as in @limit(default: 100, max: 1000)
          bad_directive_argument at `@limit`
          t.graphql:1:89: `@limit` needs a `default`, a `max` or both; write it as in @limit(default: 100, max: 1000)
        "#);
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
        "type T { id: ID! t: T @relation(fields: \"id\", references: \"id\", anywhere: \"yes\") }",
        "type T { id: ID! t: [T!]! @relation(paths: \"t.t\", anywhere: true) }",
    ]);
    insta::assert_snapshot!(shown, @r#"
        type T @plurals(value: "x") { id: ID! }
          unknown_directive at `plurals`
          t.graphql:1:9: there is no directive `@plurals`; did you mean `plural`?
        type T { id: ID! a: Int @deprecated }
          unknown_directive at `deprecated`
          t.graphql:1:26: there is no directive `@deprecated`; there are: computed, limit, plural, relation, values
        type T { id: ID! a: Int @plural(value: "x") }
          misplaced_directive at `plural`
          t.graphql:1:26: `@plural` cannot stand on a field; it belongs behind the name of a type
        enum E @limit(max: 1) { A } type T { id: ID! e: E }
          misplaced_directive at `limit`
          t.graphql:1:9: `@limit` cannot stand on an enum; it belongs behind the name of a type
        type T @plural(value: "x") @plural(value: "y") { id: ID! }
          duplicate_directive at `plural`
          t.graphql:1:29: `@plural` is given twice; remove one of the two
        type T @plural(values: "x") { id: ID! }
          bad_directive_argument at `@plural(values: "x")`
          t.graphql:1:8: `@plural` needs a text `value`; write it as in @plural(value: "virtualClouds")
          unknown_directive_argument at `values`
          t.graphql:1:16: `@plural` has no argument `values`; did you mean `value`?
        type T { id: ID! t: T @relation(fields: "id") }
          bad_directive_argument at `@relation(fields: "id")`
          t.graphql:1:23: `@relation` needs lists of field names `fields` and `references` (and `anywhere`, true or false), or `paths`; write it as in @relation(fields: ["vpcId"], references: ["vpcId"])
        type T { id: ID! t: T @relation(fields: "id", references: 3) }
          bad_directive_argument at `3`
          t.graphql:1:59: `@relation` needs lists of field names `fields` and `references` (and `anywhere`, true or false), or `paths`; write it as in @relation(fields: ["vpcId"], references: ["vpcId"])
        type T { id: ID! t: [T!]! @relation(fields: "id", references: "id", paths: "t") }
          bad_directive_argument at `@relation(fields: "id", references: "id", paths: "t")`
          t.graphql:1:27: `@relation` needs lists of field names `fields` and `references` (and `anywhere`, true or false), or `paths`; write it as in @relation(fields: ["vpcId"], references: ["vpcId"])
        type T { id: ID! t: T @relation(fields: "id", references: "id", anywhere: "yes") }
          bad_directive_argument at `"yes"`
          t.graphql:1:75: `@relation` needs lists of field names `fields` and `references` (and `anywhere`, true or false), or `paths`; write it as in @relation(fields: ["vpcId"], references: ["vpcId"])
        type T { id: ID! t: [T!]! @relation(paths: "t.t", anywhere: true) }
          bad_directive_argument at `@relation(paths: "t.t", anywhere: true)`
          t.graphql:1:27: `@relation` needs lists of field names `fields` and `references` (and `anywhere`, true or false), or `paths`; write it as in @relation(fields: ["vpcId"], references: ["vpcId"])
        "#);
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
    insta::assert_snapshot!(shown, @r#"
        type T { id: ID! t: T @relation(fields: ["id", "a"], references: ["id"]) a: Int }
          key_count at `@relation(fields: ["id", "a"], references: ["id"])`
          t.graphql:1:23: `@relation` pairs 2 fields with 1 references; give each field its reference
        type T { id: ID! vpcId: String u: U @relation(fields: "vpcid", references: "idd") } type U { id: ID! }
          unknown_key_field at `"vpcid"`
          t.graphql:1:55: `T` has no field `vpcid`; did you mean `vpcId`?
          unknown_key_field at `"idd"`
          t.graphql:1:76: `U` has no field `idd`; did you mean `id`?
        type T { id: ID! a: Int u: U @relation(fields: "a", references: "id") } type U { id: ID! }
          key_kinds at `"a"`
          t.graphql:1:48: `T.a` is Int and `U.id` is ID: they are never equal; make both of one type, or use other fields
        type T { id: ID! a: Float t: T @relation(fields: "a", references: "t") }
          key_not_stored at `"a"`
          t.graphql:1:50: `T.a` is a Float, which cannot be a key; use a stored string, id, number or time
          key_not_stored at `"t"`
          t.graphql:1:67: `T.t` is a relation, which cannot be a key; use a stored string, id, number or time
        type T { id: ID! c: Boolean @computed(where: "{}") t: T @relation(fields: "c", references: "p") p: P } type P { a: Int }
          key_not_stored at `"c"`
          t.graphql:1:75: `T.c` is computed, which cannot be a key; use a stored string, id, number or time
          key_not_stored at `"p"`
          t.graphql:1:92: `T.p` is an embedded object, which cannot be a key; use a stored string, id, number or time
        interface I { id: ID! } type A implements I { id: ID! key: ID } type B implements I { id: ID! key: Int }
                 type T { id: ID! is: [I!]! @relation(fields: "id", references: "key") }
          key_kinds at `"id"`
          t.graphql:2:55: `T.id` is ID and `B.key` is Int: they are never equal; make both of one type, or use other fields
        type T { id: ID! us: [U!]! @relation(fields: "id", references: "id")
                   bad: [T!]! @relation(paths: ["us", "us.id", "us.no"]) } type U { id: ID! }
          path_target at `"us"`
          t.graphql:2:41: the path `us` ends at `U`, and the relation is to `T`; let every path end at `T`
          path_step at `"us.id"`
          t.graphql:2:47: `U.id` is a stored value, and every step of a path must be a relation; name relations, with dots between them
          unknown_key_field at `"us.no"`
          t.graphql:2:56: `U` has no field `no`; its fields are: id
        type T { id: ID! a: [T!]! @relation(paths: "b.b") b: [T!]! @relation(paths: "a") }
          path_cycle at `a`
          t.graphql:1:18: the paths of `T.a` lead over relations that rest on `T.a`; let its paths use other relations
          path_cycle at `b`
          t.graphql:1:51: the paths of `T.b` lead over relations that rest on `T.b`; let its paths use other relations
        type T { id: ID! a: [T!]! @relation(fields: "id", references: "id") b: T @relation(paths: "a.a") }
          path_to_one at `b`
          t.graphql:1:69: the path relation `T.b` is to one asset; write `b: [T!]!`
        "#);
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
    insta::assert_snapshot!(shown, @r#"
        interface I { id: ID! a: String! } type T implements I { id: ID! }
          missing_interface_field at `T`
          t.graphql:1:41: `T` implements `I` and lacks its field `a`; add `a: String!`
        interface I { id: ID! a: String! } type T implements I { id: ID! a: String }
          interface_field_type at `a`
          t.graphql:1:66: `T.a` is `String`, and `I.a` is `String!`; write `a: String!`
        interface I { id: ID! a: [String!] } type T implements I { id: ID! a: [Int!] }
          interface_field_type at `a`
          t.graphql:1:68: `T.a` is `[Int!]`, and `I.a` is `[String!]`; write `a: [String!]`
        interface I { id: ID! i: [I!]! @relation(fields: "id", references: "id") } type T implements I { id: ID! i: [T!]! }
          interface_field_type at `i`
          t.graphql:1:106: `T.i` is `[T!]!`, and `I.i` is `[I!]!`; write `i: [I!]!`
        interface Asset { id: ID! } type T implements Aset { id: ID! }
          not_an_interface at `Aset`
          t.graphql:1:47: `T` implements `Aset`, which is not an interface; did you mean `Asset`?
        type U { id: ID! } type T implements U { id: ID! }
          not_an_interface at `U`
          t.graphql:1:38: `T` implements `U`, which is not an interface; write `interface U { id: ID! }`, or leave it out
        interface I { id: ID! } type T implements I & I { id: ID! }
          duplicate_interface at `I`
          t.graphql:1:47: `T` implements `I` twice; name it once
        interface I { id: ID! } interface J implements I { id: ID! }
          interface_implements at `J`
          t.graphql:1:35: the interface `J` implements another interface; let the types implement both interfaces instead
        "#);
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
    insta::assert_snapshot!(shown, @r#"
        type T { id: ID! a: String @computed(where: "{}") }
          computed_type at `a`
          t.graphql:1:18: `T.a` is `String`, and a computed field is true or false; write `a: Boolean!`
        type T { id: ID! a: Boolean! @computed }
          bad_directive_argument at `@computed`
          t.graphql:1:30: `@computed` needs a filter as a text `where`; write it as in @computed(where: "{hasFlowLog_NONE: {flowLogStatus: \"ACTIVE\"}}")
        type T { id: ID! a: Boolean! @computed(where: "{id: ") }
          computed_filter at `"{id: "`
          t.graphql:1:47: the filter of `T.a` cannot be read: expected a value before `)`; write it as in `{hasFlowLog_NONE: {flowLogStatus: "ACTIVE"}}`
        type T { id: ID! a: Boolean! @computed(where: "id") }
          computed_filter at `"id"`
          t.graphql:1:47: the filter of `T.a` cannot be read: it is no object in braces; write it as in `{hasFlowLog_NONE: {flowLogStatus: "ACTIVE"}}`
        type T { id: ID! a: Boolean! @computed(where: "{}) b(c: {}") }
          computed_filter at `"{}) b(c: {}"`
          t.graphql:1:47: the filter of `T.a` cannot be read: it is more than one object; write it as in `{hasFlowLog_NONE: {flowLogStatus: "ACTIVE"}}`
        type T { id: ID! a: Boolean! @computed(where: "{OR: [{idd: 1}, {ts_SOME: {NOT: {nam: 1}}}]}")
                   name: String ts: [T!]! @relation(fields: "id", references: "id") }
          computed_key at `"{OR: [{idd: 1}, {ts_SOME: {NOT: {nam: 1}}}]}"`
          t.graphql:1:47: the filter of `T.a` uses `idd`, which is no key of `T`; did you mean `id`?
          computed_key at `"{OR: [{idd: 1}, {ts_SOME: {NOT: {nam: 1}}}]}"`
          t.graphql:1:47: the filter of `T.a` uses `nam`, which is no key of `T`; did you mean `name`?
        type T { id: ID! a: Boolean! @computed(where: "{a_NOT: true}") }
          computed_cycle at `a`
          t.graphql:1:18: the filter of `T.a` rests on itself: T.a -> T.a; let one of the filters use stored fields instead
        type T { id: ID! a: Boolean! @computed(where: "{us_NONE: {b: true}}")
                   us: [U!]! @relation(fields: "id", references: "id") }
                 type U { id: ID! b: Boolean! @computed(where: "{tsConnection: {OR: [{node: {a: true}}]}}")
                   ts: [T!]! @relation(fields: "id", references: "id") }
          computed_cycle at `a`
          t.graphql:1:18: the filter of `T.a` rests on itself: T.a -> U.b -> T.a; let one of the filters use stored fields instead
        interface I { id: ID! c: Boolean! @computed(where: "{id: 1}") }
                 type T implements I { id: ID! c: Boolean! @computed(where: "{is_SOME: {c: true}}")
                   is: [I!]! @relation(fields: "id", references: "id") }
          computed_cycle at `c`
          t.graphql:2:40: the filter of `T.c` rests on itself: T.c -> T.c; let one of the filters use stored fields instead
        "#);
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
    assert_eq!((error.line, error.column, error.file.as_str()), (3, 16, "b.graphql"));
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
        "{ a ".repeat(20_000),
    ] {
        assert!(!refuse(&text).errors().is_empty());
    }
}

#[test]
fn every_problem_has_a_code_of_its_own() {
    let sources = [
        include_str!("../../../src/catalog/error.rs"),
        include_str!("../../../src/catalog/asset.rs"),
        include_str!("../../../src/query/guard/mod.rs"),
    ];
    let mut codes: Vec<&str> = sources
        .iter()
        .flat_map(|source| source.lines())
        .filter_map(|line| line.trim().strip_prefix("Self::")?.split_once(" => \"")?.1.strip_suffix("\","))
        .filter(|code| {
            code.chars().all(|each| each == '_' || each.is_ascii_lowercase()) && code.contains('_')
        })
        .collect();
    let count = codes.len();
    codes.sort_unstable();
    codes.dedup();
    assert!(count > 60 && codes.len() == count, "{count} codes, {} of them different", codes.len());
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 60, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_damage_to_a_schema_makes_the_reader_panic(
        cuts in proptest::collection::vec((0.0f64..1.0, 0usize..40, 0.0f64..1.0), 1..4),
    ) {
        let mut text: Vec<char> = shipped()[0].text.chars().collect();
        for (from, length, to) in cuts {
            let at = |share: f64| (share * text.len() as f64) as usize;
            let (from, to) = (at(from), at(to));
            let cut: Vec<char> = text[from..text.len().min(from + length)].to_vec();
            text.splice(to..to, cut);
            text.drain(from..text.len().min(from + length / 2));
        }
        let text: String = text.into_iter().collect();
        if let Err(errors) = Catalog::read(&[Source::new("t.graphql", text.as_str())]) {
            for error in errors.errors() {
                assert!(text.get(error.span.clone()).is_some(), "{error}");
            }
        }
    }
}
