//! Rules: other filters for computed fields, as a deployment writes them outside the schema. They are written into the
//! text of the schema, so that whatever goes by that text (a fingerprint, a bundle of evidence) knows of them.

use super::{
    definitions::Parsed,
    error::{CatalogErrors, Report, SchemaProblem},
    read::{self, Draft},
    source::{Place, Source},
    types::{Catalog, FieldKind, TypeKind},
};
use crate::model::nearest;

/// Another filter for a computed field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComputedRule {
    /// The type, as in `Vpc`.
    pub type_name: String,
    /// Its computed field, as in `isProduction`.
    pub field: String,
    /// The filter in force instead of the schema's, as in `{tags_SOME: {key: "env", value: "prod"}}`.
    pub filter: String,
}

/// Why rules can't be written into a schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesRefused {
    /// The schema is wrong without them.
    #[error(transparent)]
    Schema(#[from] CatalogErrors),
    /// Some of the rules are wrong.
    #[error("{} of the rules of computed fields are wrong", .0.len())]
    Rules(Vec<RuleError>),
}

/// What is wrong with one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// Which one, an index into the rules that were given.
    pub rule: usize,
    /// What is wrong.
    pub problem: RuleProblem,
    /// What to do about it, as a sentence without a full stop.
    pub remedy: String,
}

/// What is wrong with a rule, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it is and what its fields hold")]
pub enum RuleProblem {
    #[error("there is no type `{name}`")]
    UnknownType { name: String },
    #[error("`{owner}` has no field `{field}`")]
    UnknownField { owner: String, field: String },
    #[error("`{owner}.{field}` is stored and not computed")]
    NotComputed { owner: String, field: String },
    #[error("`{owner}.{field}` has its filter from the interface `{interface}`")]
    Inherited { owner: String, field: String, interface: String },
    #[error("`{owner}.{field}` has two rules")]
    Twice { owner: String, field: String },
    #[error(transparent)]
    Filter(#[from] SchemaProblem),
}

/// The sources of a schema with the filters of rules in the places of its own.
///
/// # Errors
/// Where the schema is wrong without them, and every rule that is: it names no computed field, or its filter can't be
/// read, has a key that isn't there, or rests on itself.
pub fn with_rules(sources: &[Source], rules: &[ComputedRule]) -> Result<Vec<Source>, RulesRefused> {
    if rules.is_empty() {
        return Ok(sources.to_vec());
    }
    Catalog::read(sources)?;
    let mut errors = Vec::new();
    let mut replaced: Vec<(Place, &ComputedRule)> = Vec::new();
    let mut report = Report::new(sources);
    let parsed = Parsed::read(sources, &mut report);
    let draft = read::build(parsed.definitions(&mut report), &parsed.places, &mut report);
    for (index, rule) in rules.iter().enumerate() {
        match place_of(&draft, rule) {
            Ok(place) if replaced.iter().any(|(other, _)| *other == place) => {
                let (owner, field) = (rule.type_name.clone(), rule.field.clone());
                let problem = RuleProblem::Twice { owner, field };
                errors.push(RuleError { rule: index, problem, remedy: "remove one of the two".to_owned() });
            }
            Ok(place) => replaced.push((place, rule)),
            Err(refusal) => {
                let (problem, remedy) = *refusal;
                errors.push(RuleError { rule: index, problem, remedy });
            }
        }
    }
    if !errors.is_empty() {
        return Err(RulesRefused::Rules(errors));
    }
    let sources = replace(sources, replaced);
    match Catalog::read(&sources) {
        Ok(_) => Ok(sources),
        Err(wrong) => Err(RulesRefused::Rules(of_rules(&wrong, rules))),
    }
}

/// What is wrong with a rule, and what to do about it.
type Refusal = (RuleProblem, String);

/// Where the filter of a rule's field is written.
fn place_of(draft: &Draft<'_>, rule: &ComputedRule) -> Result<Place, Box<Refusal>> {
    let catalog = &draft.catalog;
    let did_you_mean = |name: &str, known: &[&str]| match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`passmuster schema` lists what there is".to_owned(),
    };
    let Some((id, definition)) = catalog.find(&rule.type_name) else {
        let known: Vec<&str> = catalog.types().iter().map(|definition| definition.name.as_str()).collect();
        let problem = RuleProblem::UnknownType { name: rule.type_name.clone() };
        return Err(Box::new((problem, did_you_mean(&rule.type_name, &known))));
    };
    let (owner, field) = (definition.name.clone(), rule.field.clone());
    let is_computed = |kind: &FieldKind| matches!(kind, FieldKind::Computed { .. });
    let computed: Vec<&str> = definition
        .fields
        .iter()
        .filter(|field| is_computed(&field.kind))
        .map(|field| field.name.as_str())
        .collect();
    let Some((_, found)) = definition.find(&field) else {
        let remedy = did_you_mean(&field, &computed);
        return Err(Box::new((RuleProblem::UnknownField { owner, field }, remedy)));
    };
    if !is_computed(&found.kind) {
        let remedy = match computed.as_slice() {
            [] => format!("`{owner}` has no computed fields"),
            computed => format!("those of `{owner}` that are: {}", computed.join(", ")),
        };
        return Err(Box::new((RuleProblem::NotComputed { owner, field }, remedy)));
    }
    let filter_of = |of| draft.fields().find(|(id, _, other, _)| *id == of && other.name == field);
    let place = filter_of(id).and_then(|(.., notes)| notes.filter.as_ref()).map(|word| word.place.clone());
    let place = place.unwrap_or_default();
    let mut interfaces = definition.interfaces.iter().filter_map(|interface| filter_of(*interface));
    let inherited =
        interfaces.find(|(.., notes)| notes.filter.as_ref().is_some_and(|word| word.place == place));
    match inherited {
        Some((_, interface, ..)) if definition.kind != TypeKind::Interface => {
            let remedy = format!("write the rule for `{}.{field}`", interface.name);
            let interface = interface.name.clone();
            Err(Box::new((RuleProblem::Inherited { owner, field, interface }, remedy)))
        }
        _ => Ok(place),
    }
}

/// The sources with other texts in some places, none of which overlap.
fn replace(sources: &[Source], mut replaced: Vec<(Place, &ComputedRule)>) -> Vec<Source> {
    let mut sources = sources.to_vec();
    // From the end on, so that what is before stays where it is.
    replaced.sort_by_key(|(place, _)| std::cmp::Reverse(place.span.start));
    for (place, rule) in replaced {
        if let Some(source) = sources.get_mut(place.source) {
            // A text of JSON is one of GraphQL.
            let filter = serde_json::Value::from(rule.filter.as_str()).to_string();
            source.text.replace_range(place.span, &filter);
        }
    }
    sources
}

/// What is wrong with a schema that was right before rules were written into it, each mistake told of the rule that it
/// is of.
fn of_rules(wrong: &CatalogErrors, rules: &[ComputedRule]) -> Vec<RuleError> {
    let mut errors: Vec<RuleError> = Vec::new();
    for error in wrong.errors() {
        let is_of = |rule: &ComputedRule| match &error.problem {
            SchemaProblem::ComputedFilter { owner, field, .. }
            | SchemaProblem::ComputedKey { owner, field, .. } => {
                (owner, field) == (&rule.type_name, &rule.field)
            }
            SchemaProblem::ComputedCycle { cycle, .. } => {
                let name = format!("{}.{}", rule.type_name, rule.field);
                cycle.split(" -> ").any(|step| step == name)
            }
            _ => false,
        };
        // Where none is named, the first is as good as any: without rules nothing is wrong.
        let rule = rules.iter().position(is_of).unwrap_or_default();
        errors.push(RuleError { rule, problem: error.problem.clone().into(), remedy: error.remedy.clone() });
    }
    errors.sort_by_key(|error| error.rule);
    errors
}
