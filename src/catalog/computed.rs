//! The filters of computed fields: they must be filters, name keys that exist, and not rest on themselves (F1).
//! Their values are judged when they are planned.

use std::collections::{BTreeMap, BTreeSet};

use apollo_compiler::{
    Name, Node,
    ast::{Definition, Selection, Value},
    parser::Parser,
};

use super::{
    directives::Word,
    error::{Report, SchemaProblem},
    keys::{COMBINATORS, TYPENAME_KEY},
    read::Draft,
    syntax::check_entries,
    types::{FieldId, FieldKind, TypeId},
};
use crate::model::nearest;

/// A filter nests at most so deep; the parser counts a few levels of its own.
const NESTING: usize = 64;
/// Names, brackets and values a filter may have.
const TOKENS: usize = 20_000;

type Cell = (TypeId, FieldId);

/// Notes filters that can't be read, keys that don't exist, and cycles.
pub(super) fn check(draft: &Draft<'_>, report: &mut Report<'_>) {
    let mut uses: BTreeMap<Cell, BTreeSet<Cell>> = BTreeMap::new();
    for (id, definition, field, notes) in draft.fields() {
        let (FieldKind::Computed { filter }, Some(word)) = (&field.kind, &notes.filter) else { continue };
        let Some((at, _)) = definition.find(&field.name) else { continue };
        let (owner, name) = (definition.name.clone(), field.name.clone());
        match parse_filter(filter) {
            Ok(value) => {
                let mut walk = Walk { draft, owner, field: name, word, uses: BTreeSet::new(), report };
                walk.object(id, &value);
                uses.insert((id, at), walk.uses);
            }
            Err(message) => report.add(
                &word.place,
                SchemaProblem::ComputedFilter { owner, field: name, message },
                "write it as in `{hasFlowLog_NONE: {flowLogStatus: \"ACTIVE\"}}`",
            ),
        }
    }
    report_cycles(draft, &uses, report);
}

/// Reads a filter: one GraphQL object.
fn parse_filter(text: &str) -> Result<Node<Value>, String> {
    let document = format!("{{f(a: {text})}}");
    check_entries(&document).map_err(|malformed| malformed.message)?;
    let mut parser = Parser::new().recursion_limit(NESTING).token_limit(TOKENS);
    let parsed = parser.parse_ast(document, "filter").map_err(|refused| {
        let first = refused.errors.iter().next().map(|each| each.error.to_string());
        first.unwrap_or_else(|| "it is no GraphQL".to_owned())
    })?;
    let [Definition::OperationDefinition(operation)] = parsed.definitions.as_slice() else {
        return Err("it is more than one object".to_owned());
    };
    let [Selection::Field(field)] = operation.selection_set.as_slice() else {
        return Err("it is more than one object".to_owned());
    };
    match field.arguments.as_slice() {
        [argument] if field.selection_set.is_empty() && field.directives.is_empty() => {
            match &*argument.value {
                Value::Object(_) => Ok(argument.value.clone()),
                _ => Err("it is no object in braces".to_owned()),
            }
        }
        _ => Err("it is more than one object".to_owned()),
    }
}

/// Walks one filter, noting the computed fields it uses.
struct Walk<'w, 'd, 's> {
    draft: &'w Draft<'d>,
    owner: String,
    field: String,
    word: &'w Word,
    uses: BTreeSet<Cell>,
    report: &'w mut Report<'s>,
}

impl Walk<'_, '_, '_> {
    fn object(&mut self, of: TypeId, value: &Value) {
        match value {
            Value::List(items) => items.iter().for_each(|item| self.object(of, item)),
            Value::Object(entries) => entries.iter().for_each(|(key, value)| self.entry(of, key, value)),
            _ => {}
        }
    }

    fn entry(&mut self, of: TypeId, key: &Name, value: &Value) {
        let draft = self.draft;
        let definition = draft.catalog.get(of);
        if COMBINATORS.contains(&key.as_str()) {
            return self.object(of, value);
        }
        if key == TYPENAME_KEY && !definition.implementors.is_empty() {
            return;
        }
        let Some(found) = definition.find_key(key) else {
            return self.unknown(of, key);
        };
        match &definition.get(found.field).kind {
            FieldKind::Computed { .. } => self.computed(of, found.field),
            FieldKind::Embedded { of, .. } => self.object(*of, value),
            FieldKind::Relation { target, .. } => match found.operator {
                "Aggregate" => {}
                operator if operator.starts_with("Connection") => self.connection(*target, value),
                _ => self.object(*target, value),
            },
            FieldKind::Scalar { .. } => {}
        }
    }

    /// `{node: {..}}`, and combinations of such.
    fn connection(&mut self, target: TypeId, value: &Value) {
        match value {
            Value::List(items) => items.iter().for_each(|item| self.connection(target, item)),
            Value::Object(entries) => {
                for (key, value) in entries {
                    match key.as_str() {
                        "node" => self.object(target, value),
                        _ => self.connection(target, value),
                    }
                }
            }
            _ => {}
        }
    }

    /// A computed field of an interface stands for those of all its types.
    fn computed(&mut self, of: TypeId, field: FieldId) {
        let catalog = &self.draft.catalog;
        self.uses.insert((of, field));
        let name = &catalog.get(of).get(field).name;
        for concrete in catalog.concrete(of) {
            if let Some((at, _)) = catalog.get(concrete).find(name) {
                self.uses.insert((concrete, at));
            }
        }
    }

    fn unknown(&mut self, of: TypeId, key: &Name) {
        let catalog = &self.draft.catalog;
        let definition = catalog.get(of);
        if self.draft.raw_field_of_key(of, key) {
            return;
        }
        let names = catalog.key_names(of);
        let remedy = match nearest(key, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("name a field of `{}`", definition.name),
        };
        let problem = SchemaProblem::ComputedKey {
            owner: self.owner.clone(),
            field: self.field.clone(),
            key: key.to_string(),
            type_name: definition.name.clone(),
        };
        self.report.add(&self.word.place, problem, remedy);
    }
}

fn report_cycles(draft: &Draft<'_>, uses: &BTreeMap<Cell, BTreeSet<Cell>>, report: &mut Report<'_>) {
    let mut told: BTreeSet<Cell> = BTreeSet::new();
    for start in uses.keys() {
        if told.contains(start) {
            continue;
        }
        let Some(cycle) = find_cycle(*start, uses) else { continue };
        told.extend(&cycle);
        let written = |(id, field): &Cell| {
            let definition = draft.catalog.get(*id);
            format!("{}.{}", definition.name, definition.get(*field).name)
        };
        let path: Vec<String> = cycle.iter().chain([start]).map(written).collect();
        let definition = draft.catalog.get(start.0);
        let place = draft
            .notes
            .get(start.0.0 as usize)
            .and_then(|notes| notes.get(start.1.0 as usize))
            .map(|notes| notes.name.clone())
            .unwrap_or_default();
        report.add(
            &place,
            SchemaProblem::ComputedCycle {
                owner: definition.name.clone(),
                field: definition.get(start.1).name.clone(),
                cycle: path.join(" -> "),
            },
            "let one of the filters use stored fields instead",
        );
    }
}

/// The shortest way from a field back to itself, the field first.
fn find_cycle(start: Cell, uses: &BTreeMap<Cell, BTreeSet<Cell>>) -> Option<Vec<Cell>> {
    let mut came_from: BTreeMap<Cell, Cell> = BTreeMap::new();
    let mut open = std::collections::VecDeque::from([start]);
    while let Some(here) = open.pop_front() {
        for next in uses.get(&here).into_iter().flatten() {
            if *next == start {
                let mut cycle = vec![here];
                let mut back = here;
                while back != start {
                    back = *came_from.get(&back)?;
                    cycle.push(back);
                }
                cycle.reverse();
                return Some(cycle);
            }
            if !came_from.contains_key(next) {
                came_from.insert(*next, here);
                open.push_back(*next);
            }
        }
    }
    None
}
