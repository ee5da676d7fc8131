//! Rules: filters of a deployment's own in the place of those of the schema's computed fields.

use passmuster::catalog::{Catalog, ComputedRule, FieldKind, RulesRefused, Source, shipped, with_rules};

const SCHEMA: &str = "
interface Named { id: ID! name: String isOdd: Boolean! @computed(where: \"{name: \\\"odd\\\"}\") }
type Vpc implements Named {
  id: ID!
  name: String
  isOdd: Boolean!
  isProduction: Boolean! @computed(where: \"\"\"{name: \"prod\"}\"\"\")
  isOther: Boolean! @computed(where: \"{isProduction: false}\")
}
";

fn schema() -> Vec<Source> {
    vec![Source::new("first.graphql", "type Other { id: ID! }"), Source::new("t.graphql", SCHEMA)]
}

fn rule(name: &str, filter: &str) -> ComputedRule {
    let (type_name, field) = name.split_once('.').expect("a type and a field");
    ComputedRule { type_name: type_name.to_owned(), field: field.to_owned(), filter: filter.to_owned() }
}

fn filter_of(catalog: &Catalog, type_name: &str, field: &str) -> String {
    let (_, definition) = catalog.find(type_name).expect("the type");
    let (_, field) = definition.find(field).expect("the field");
    match &field.kind {
        FieldKind::Computed { filter } => filter.clone(),
        other => panic!("{other:?}"),
    }
}

/// What is said of rules that are refused: the number of each, what is wrong, what to do.
fn refusals(rules: &[ComputedRule]) -> Vec<(usize, String, String)> {
    match with_rules(&schema(), rules) {
        Err(RulesRefused::Rules(errors)) => {
            errors.into_iter().map(|error| (error.rule, error.problem.to_string(), error.remedy)).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_rule_takes_the_place_of_the_schemas_filter_and_nothing_else_changes() {
    let filter = "{name_IN: [\"live\", \"a \\\"quoted\\\" \\\\ word\"]\n}";
    let rules = [rule("Vpc.isOther", "{name: null}"), rule("Vpc.isProduction", filter)];
    let with = Catalog::read(&with_rules(&schema(), &rules).expect("rules")).expect("a schema");
    assert_eq!(filter_of(&with, "Vpc", "isProduction"), filter);
    assert_eq!(filter_of(&with, "Vpc", "isOther"), "{name: null}");
    assert_eq!(filter_of(&with, "Vpc", "isOdd"), "{name: \"odd\"}");
    let without = Catalog::read(&schema()).expect("a schema");
    assert_ne!(with.fingerprint(), without.fingerprint(), "what goes by the schema must notice");
    assert_eq!(with_rules(&schema(), &[]).expect("no rules"), schema());
}

#[test]
fn a_rule_for_an_interface_holds_for_its_types_and_none_is_written_for_one_of_them() {
    let with = with_rules(&schema(), &[rule("Named.isOdd", "{name: \"even\"}")]).expect("a rule");
    let with = Catalog::read(&with).expect("a schema");
    assert_eq!(filter_of(&with, "Vpc", "isOdd"), "{name: \"even\"}");
    let [(0, problem, remedy)] = &refusals(&[rule("Vpc.isOdd", "{name: \"even\"}")])[..] else { panic!() };
    assert_eq!(problem, "`Vpc.isOdd` has its filter from the interface `Named`");
    assert_eq!(remedy, "write the rule for `Named.isOdd`");
}

#[test]
fn rules_that_name_no_computed_field_or_no_filter_are_each_refused() {
    let refused = refusals(&[
        rule("Vcp.isProduction", "{}"),
        rule("Vpc.isProducton", "{}"),
        rule("Vpc.name", "{}"),
        rule("Other.id", "{}"),
        rule("Vpc.isOther", "{}"),
        rule("Vpc.isOther", "{name: null}"),
    ]);
    let told: Vec<_> =
        refused.iter().map(|(rule, problem, remedy)| format!("{rule} {problem}; {remedy}")).collect();
    assert_eq!(
        told,
        [
            "0 there is no type `Vcp`; did you mean `Vpc`?",
            "1 `Vpc` has no field `isProducton`; did you mean `isProduction`?",
            "2 `Vpc.name` is stored and not computed; those of `Vpc` that are: isOdd, isProduction, isOther",
            "3 `Other.id` is stored and not computed; `Other` has no computed fields",
            "5 `Vpc.isOther` has two rules; remove one of the two",
        ]
    );
    let wrong =
        |filter: &str| refusals(&[rule("Vpc.isOther", "{name: null}"), rule("Vpc.isProduction", filter)]);
    for (filter, part) in [
        ("{name: ", "cannot be read"),
        ("name: \"prod\"", "cannot be read"),
        ("{nmae: \"prod\"}", "uses `nmae`, which is no key of `Vpc`"),
        ("{isProduction: true}", "rests on itself: Vpc.isProduction -> Vpc.isProduction"),
    ] {
        let refused = wrong(filter);
        assert!(refused[0].0 == 1 && refused[0].1.contains(part), "{filter}: {refused:?}");
    }
}

#[test]
fn a_circle_through_a_filter_of_the_schema_is_told_of_the_rule_that_closes_it() {
    let rules = [rule("Named.isOdd", "{name: null}"), rule("Vpc.isProduction", "{isOther: true}")];
    let [(1, problem, _)] = &refusals(&rules)[..] else { panic!("{:?}", refusals(&rules)) };
    assert!(problem.contains("rests on itself"), "{problem}");
}

#[test]
fn a_schema_that_is_wrong_by_itself_is_told_as_such() {
    let wrong = [Source::new("t.graphql", "type Vpc { id: ID! of: Nothing }")];
    let refused = with_rules(&wrong, &[rule("Vpc.isProduction", "{}")]);
    assert!(matches!(refused, Err(RulesRefused::Schema(_))), "{refused:?}");
}

#[test]
fn the_shipped_schema_takes_a_rule_for_what_production_is() {
    let filter = "{tags_SOME: {key: \"lifecycle\", value: \"live\"}}";
    let with = with_rules(&shipped(), &[rule("Vpc.isProduction", filter)]).expect("a rule");
    assert_eq!(filter_of(&Catalog::read(&with).expect("a schema"), "Vpc", "isProduction"), filter);
}
