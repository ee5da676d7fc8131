//! The keys and paths of relations: reading them, and checking that both ends exist and can be equal.

use std::collections::BTreeSet;

use apollo_compiler::{Node, ast::Directive};

use super::{
    definitions::Places,
    directives::{self, Word},
    error::{Report, SchemaProblem, suggest},
    read::{Draft, FieldNotes},
    types::{Field, FieldKind, KeyPairs, RelationKeys, ScalarType, TypeDef, TypeId, TypeKind},
};

const EXPECTED: &str =
    "lists of field names `fields` and `references` (and `anywhere`, true or false), or `paths`";

/// Reads the arguments of `@relation`; notes their places for the checks to come.
pub(super) fn read_keys(
    directive: &Node<Directive>,
    places: &Places,
    notes: &mut FieldNotes,
    report: &mut Report<'_>,
) -> Option<RelationKeys> {
    let fields = directives::texts(directive, "fields", EXPECTED, places, report);
    let references = directives::texts(directive, "references", EXPECTED, places, report);
    let paths = directives::texts(directive, "paths", EXPECTED, places, report);
    let anywhere = directives::flag(directive, "anywhere", EXPECTED, places, report);
    let given = |name| directive.specified_argument_by_name(name).is_some();
    match (fields, references, paths) {
        (Some(fields), Some(references), None) if !given("paths") => {
            if fields.len() != references.len() {
                let problem = SchemaProblem::KeyCount { fields: fields.len(), references: references.len() };
                report.add(&places.of(directive.location()), problem, "give each field its reference");
                return None;
            }
            let texts = |words: &[Word]| words.iter().map(|word| word.text.clone()).collect::<Vec<_>>();
            let pairs = texts(&fields).into_iter().zip(texts(&references)).collect();
            notes.fields = fields;
            notes.references = references;
            Some(RelationKeys::Fields(KeyPairs { pairs, anywhere: anywhere? }))
        }
        (None, None, Some(paths)) if !given("fields") && !given("references") && !given("anywhere") => {
            let steps = paths.iter().map(|path| path.text.split('.').map(str::to_owned).collect()).collect();
            notes.paths = paths;
            Some(RelationKeys::Paths(steps))
        }
        (fields, references, paths) => {
            // An argument of the wrong kind was noted where it stands.
            let misread = (fields.is_none() && given("fields"))
                || (references.is_none() && given("references"))
                || (paths.is_none() && given("paths"))
                || anywhere.is_none();
            if !misread {
                directives::refuse(directive, None, EXPECTED, places, report);
            }
            None
        }
    }
}

/// Notes keys that don't exist or can't be equal, paths that lead nowhere, and cycles.
pub(super) fn check(draft: &Draft<'_>, report: &mut Report<'_>) {
    for (id, definition, field, notes) in draft.fields() {
        let FieldKind::Relation { target, keys, .. } = &field.kind else { continue };
        match keys {
            RelationKeys::Fields(_) => check_pairs(draft, id, *target, notes, report),
            RelationKeys::Paths(_) => {
                for path in &notes.paths {
                    check_path(draft, id, *target, path, report);
                }
                check_path_cycle(draft, id, definition, field, notes, report);
            }
        }
    }
    check_embedded_cycles(draft, report);
}

fn check_pairs(
    draft: &Draft<'_>,
    owner: TypeId,
    target: TypeId,
    notes: &FieldNotes,
    report: &mut Report<'_>,
) {
    for (field, reference) in notes.fields.iter().zip(&notes.references) {
        let own = stored_key(draft, owner, field, report);
        for holder in holders(draft, target, &reference.text) {
            let theirs = stored_key(draft, holder, reference, report);
            if let (Some(own), Some(theirs)) = (own, theirs)
                && kind_of_key(own) != kind_of_key(theirs)
            {
                let catalog = &draft.catalog;
                let problem = SchemaProblem::KeyKinds {
                    field: format!("{}.{}", catalog.get(owner).name, field.text),
                    field_type: catalog.scalar_name(own).to_owned(),
                    reference: format!("{}.{}", catalog.get(holder).name, reference.text),
                    reference_type: catalog.scalar_name(theirs).to_owned(),
                };
                report.add(&field.place, problem, "make both of one type, or use other fields");
            }
        }
    }
}

/// The types to look a reference up on: an interface that has the field, else everything that implements it.
fn holders(draft: &Draft<'_>, target: TypeId, field: &str) -> Vec<TypeId> {
    let definition = draft.catalog.get(target);
    if definition.find(field).is_some() || definition.implementors.is_empty() {
        vec![target]
    } else {
        definition.implementors.clone()
    }
}

/// The scalar of a key field; notes a field that is unknown or not stored.
fn stored_key(draft: &Draft<'_>, owner: TypeId, word: &Word, report: &mut Report<'_>) -> Option<ScalarType> {
    let definition = draft.catalog.get(owner);
    let field = known_field(draft, owner, word, &word.text, report)?;
    let what = match &field.kind {
        FieldKind::Scalar { scalar: ScalarType::Json, .. } => "JSON",
        FieldKind::Scalar { scalar: ScalarType::Float, .. } => "a Float",
        FieldKind::Scalar { scalar, .. } => return Some(*scalar),
        FieldKind::Embedded { .. } => "an embedded object",
        FieldKind::Relation { .. } => "a relation",
        FieldKind::Computed { .. } => "computed",
    };
    let problem =
        SchemaProblem::KeyNotStored { owner: definition.name.clone(), name: word.text.clone(), what };
    report.add(&word.place, problem, "use a stored string, id, number or time");
    None
}

fn known_field<'c>(
    draft: &'c Draft<'_>,
    owner: TypeId,
    word: &Word,
    name: &str,
    report: &mut Report<'_>,
) -> Option<&'c Field> {
    let definition = draft.catalog.get(owner);
    let found = definition.find(name).map(|(_, field)| field);
    if found.is_none() && !draft.was_refused(owner, name) {
        let known: Vec<&str> = definition.fields.iter().map(|field| field.name.as_str()).collect();
        let remedy = suggest(name, &known, "its fields are");
        let problem =
            SchemaProblem::UnknownKeyField { owner: definition.name.clone(), name: name.to_owned() };
        report.add(&word.place, problem, remedy);
    }
    found
}

/// Scalars of one kind can be equal: text, whole numbers, addresses, and the others each on its own.
fn kind_of_key(scalar: ScalarType) -> ScalarType {
    match scalar {
        ScalarType::Id | ScalarType::Enum(_) => ScalarType::String,
        ScalarType::BigInt => ScalarType::Int,
        ScalarType::IpAddress => ScalarType::Cidr,
        other => other,
    }
}

fn check_path(draft: &Draft<'_>, owner: TypeId, target: TypeId, path: &Word, report: &mut Report<'_>) {
    let mut here = owner;
    for step in path.text.split('.') {
        let Some(field) = known_field(draft, here, path, step, report) else { return };
        let FieldKind::Relation { target, .. } = &field.kind else {
            let what = match &field.kind {
                FieldKind::Embedded { .. } => "an embedded object",
                FieldKind::Computed { .. } => "computed",
                _ => "a stored value",
            };
            let owner = draft.catalog.get(here).name.clone();
            report.add(
                &path.place,
                SchemaProblem::PathStep { owner, name: step.to_owned(), what },
                "name relations, with dots between them",
            );
            return;
        };
        here = *target;
    }
    let (found, expected) = (draft.catalog.get(here), draft.catalog.get(target));
    if here != target && !found.interfaces.contains(&target) {
        let problem = SchemaProblem::PathTarget {
            path: path.text.clone(),
            found: found.name.clone(),
            expected: expected.name.clone(),
        };
        report.add(&path.place, problem, format!("let every path end at `{}`", expected.name));
    }
}

fn check_path_cycle(
    draft: &Draft<'_>,
    id: TypeId,
    definition: &TypeDef,
    field: &Field,
    notes: &FieldNotes,
    report: &mut Report<'_>,
) {
    let start = (id, field.name.clone());
    let mut seen = BTreeSet::new();
    let mut open = path_relations(draft, id, field);
    while let Some((at, name)) = open.pop() {
        if (at, &name) == (start.0, &start.1) {
            let (owner, field) = (definition.name.clone(), field.name.clone());
            let problem = SchemaProblem::PathCycle { owner, field };
            report.add(&notes.name, problem, "let its paths use other relations");
            return;
        }
        if let Some((_, next)) = draft.catalog.get(at).find(&name)
            && seen.insert((at, name))
        {
            open.extend(path_relations(draft, at, next));
        }
    }
}

/// The relations that the paths of a relation step over; over an interface, those of all its types.
fn path_relations(draft: &Draft<'_>, owner: TypeId, field: &Field) -> Vec<(TypeId, String)> {
    let FieldKind::Relation { keys: RelationKeys::Paths(paths), .. } = &field.kind else { return Vec::new() };
    let catalog = &draft.catalog;
    let mut found = Vec::new();
    for path in paths {
        let mut here = owner;
        for step in path {
            let concrete = catalog.concrete(here);
            found.extend(concrete.into_iter().chain([here]).map(|each| (each, step.clone())));
            match catalog.get(here).find(step).map(|(_, field)| &field.kind) {
                Some(FieldKind::Relation { target, .. }) => here = *target,
                _ => break,
            }
        }
    }
    found
}

/// An embedded object inside itself has no end.
fn check_embedded_cycles(draft: &Draft<'_>, report: &mut Report<'_>) {
    for (id, definition, field, notes) in draft.fields() {
        if definition.kind != TypeKind::Embedded {
            continue;
        }
        let FieldKind::Embedded { of, .. } = field.kind else { continue };
        let mut seen = BTreeSet::new();
        let mut open = vec![of];
        while let Some(next) = open.pop() {
            if next == id {
                let (owner, field) = (definition.name.clone(), field.name.clone());
                let problem = SchemaProblem::EmbeddedCycle { owner, field };
                report.add(&notes.name, problem, "give it `id: ID!` and a relation, or use JSON");
                break;
            }
            if seen.insert(next) {
                open.extend(draft.catalog.get(next).fields.iter().filter_map(|field| match field.kind {
                    FieldKind::Embedded { of, .. } => Some(of),
                    _ => None,
                }));
            }
        }
    }
}
