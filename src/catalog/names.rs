//! The names of root fields, made from the names of types, and the names that clash with something generated.

use std::collections::{BTreeMap, BTreeSet};

use apollo_compiler::Name;
use heck::ToLowerCamelCase;

use super::{
    error::{Report, SchemaProblem},
    read::{Draft, FieldNotes},
    types::{FieldId, TypeDef, TypeKind},
};

/// The name of one and of many: `FlowLog` gives `flowLog` and `flowLogs`, `_Private` gives `_private` and `_privates`.
///
/// Where English has one word for both (`Series`), the word is the many, and one is `seriesById`.
pub(super) fn root_names(type_name: &str, plural: Option<&str>) -> (String, String) {
    let singular = camel_case(type_name);
    let plural = plural.map_or_else(|| pluralizer::pluralize(&singular, 2, false), str::to_owned);
    if singular == plural { (format!("{singular}ById"), plural) } else { (singular, plural) }
}

fn camel_case(type_name: &str) -> String {
    let bare = type_name.trim_start_matches('_');
    let underscores = "_".repeat(type_name.len() - bare.len());
    underscores + &bare.to_lower_camel_case()
}

fn capitalised(name: &str) -> String {
    let mut rest = name.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// Whether GraphQL takes it for a name.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first == '_' || first.is_ascii_alphabetic())
        && text.chars().all(|each| each == '_' || each.is_ascii_alphanumeric())
}

/// Notes types whose names, root fields or filter keys are taken.
pub(super) fn check(draft: &Draft<'_>, report: &mut Report<'_>) {
    check_type_names(draft, report);
    check_root_fields(draft, report);
    for (definition, notes) in draft.catalog.types.iter().zip(&draft.notes) {
        check_keys(definition, notes, report);
    }
}

/// Types of the generated schema that belong to no type of the catalog.
const GENERATED_TYPES: [&str; 16] = [
    "Query",
    "Mutation",
    "Subscription",
    "SortDirection",
    "CountSort",
    "PageInfo",
    "SearchHit",
    "SearchedAsset",
    "SearchableType",
    "IntFigures",
    "BigIntFigures",
    "FloatFigures",
    "StringFigures",
    "IDFigures",
    "DateTimeFigures",
    "DateFigures",
];

/// What the generated schema puts behind the name of a type.
const GENERATED_SUFFIXES: [&str; 17] = [
    "Where",
    "Sort",
    "ConnectionWhere",
    "ConnectionSort",
    "AggregateWhere",
    "AggregateNodeWhere",
    "Implementation",
    "Connection",
    "Edge",
    "Aggregation",
    "Figures",
    "Group",
    "GroupBy",
    "GroupKey",
    "GroupSort",
    "GroupKeySort",
    "Change",
];

fn check_type_names(draft: &Draft<'_>, report: &mut Report<'_>) {
    let types = draft.catalog.types.iter().map(|definition| definition.name.as_str());
    let bases: BTreeSet<&str> = types.clone().collect();
    let rooted = draft.catalog.types.iter().filter(|definition| definition.kind != TypeKind::Embedded);
    let connections: BTreeSet<String> =
        rooted.map(|definition| format!("{}Connection", capitalised(&definition.plural))).collect();
    let enums = draft.catalog.enums.iter().map(|definition| definition.name.as_str());
    for name in types.chain(enums) {
        let generated = GENERATED_SUFFIXES
            .iter()
            .any(|suffix| name.strip_suffix(suffix).is_some_and(|base| bases.contains(base)));
        if generated || connections.contains(name) || GENERATED_TYPES.contains(&name) {
            let location = draft.names().find(|each| *each == name).and_then(Name::location);
            let place = draft.places.of(location);
            let problem = SchemaProblem::ReservedTypeName { name: name.to_owned() };
            report.add(&place, problem, "rename the type");
        }
    }
}

/// The root field over all types.
const SEARCH: &str = "search";

fn check_root_fields(draft: &Draft<'_>, report: &mut Report<'_>) {
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    for (definition, raw) in draft.catalog.types.iter().zip(&draft.raw) {
        if definition.kind == TypeKind::Embedded {
            continue;
        }
        let TypeDef { name, singular, plural, .. } = definition;
        let place = draft.places.of(raw.name.location());
        let many = ["", "Connection", "Aggregate", "Group"].map(|suffix| format!("{plural}{suffix}"));
        for root in many.into_iter().chain([singular.clone()]) {
            let remedy = format!(
                "rename it, or give it another plural, as in `type {name} @plural(value: \"{plural}Of\")`"
            );
            let problem = match taken.get(&root) {
                Some(other) => {
                    SchemaProblem::DuplicateRootField { name: name.clone(), other: other.clone(), root }
                }
                None if root == SEARCH => SchemaProblem::ReservedRootField { name: name.clone(), root },
                None => {
                    taken.insert(root, name.clone());
                    continue;
                }
            };
            report.add(&place, problem, remedy);
            break;
        }
    }
}

fn check_keys(definition: &TypeDef, notes: &[FieldNotes], report: &mut Report<'_>) {
    let mut taken: BTreeMap<String, FieldId> = BTreeMap::new();
    let mut refused: BTreeSet<FieldId> = BTreeSet::new();
    for key in definition.filter_keys() {
        match taken.get(&key.name) {
            Some(other) if !refused.contains(&key.field) => {
                // The longer name is the one that looks like a key.
                let (first, second) = (definition.get(*other), definition.get(key.field));
                let (field, other) =
                    if first.name.len() > second.name.len() { (first, second) } else { (second, first) };
                let place = definition
                    .find(&field.name)
                    .and_then(|(at, _)| notes.get(at.0 as usize))
                    .map(|notes| notes.name.clone())
                    .unwrap_or_default();
                let problem = SchemaProblem::KeyClash {
                    owner: definition.name.clone(),
                    field: field.name.clone(),
                    other: other.name.clone(),
                    key: key.name.clone(),
                };
                report.add(&place, problem, format!("rename `{}`", field.name));
                refused.insert(key.field);
            }
            Some(_) => {}
            None => {
                taken.insert(key.name, key.field);
            }
        }
    }
}
