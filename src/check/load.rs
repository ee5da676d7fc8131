//! Files to checks: every mistake is found here, with its place, and only a check without one comes out.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use crate::{
    catalog::{Catalog, FieldKind, RelationKeys, TypeId, TypeKind},
    model::{MaxAge, nearest},
    query::{Engine, Filter, Filters, Nodes, Plan, QueryError, Request, RootKind},
};

use super::cases::Case;
use super::definition::{Check, Expectation, PriorityRule, Severity};
use super::error::{CheckError, CheckErrors, Problem};
use super::raw::{RawCheck, Text};
use super::source::{CheckFolder, SourceFile, Sources};

/// Every check of a folder, sorted by id.
///
/// # Errors
/// Every mistake in every file, in the order of the files.
pub fn load(sources: &Sources, engine: &Engine) -> Result<Vec<Check>, CheckErrors> {
    let mut errors = sources.errors.clone();
    let mut checks: Vec<Check> = Vec::new();
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    for folder in &sources.folders {
        let Some(raw) = RawCheck::read(&folder.check, &mut errors) else { continue };
        match taken.get(&raw.id.value) {
            Some(other) => {
                let problem = Problem::IdTaken { id: raw.id.value.clone(), other: other.clone() };
                errors.push(folder.check.error(Some(raw.id.span.clone()), problem));
            }
            None => drop(taken.insert(raw.id.value.clone(), folder.check.shown.clone())),
        }
        let mut binder = Binder { folder, engine, errors: &mut errors };
        checks.extend(binder.bind(raw));
    }
    if sources.folders.is_empty() && errors.is_empty() {
        let place = SourceFile { path: String::new(), shown: sources.shown.clone(), text: "".into() };
        errors.push(place.error(None, Problem::NoChecks));
    }
    if errors.is_empty() {
        checks.sort_by(|left, right| left.id.cmp(&right.id));
        Ok(checks)
    } else {
        errors.sort_by(|left, right| {
            let start = |error: &CheckError| error.place.as_ref().map_or(0, |place| place.span.start);
            left.file.cmp(&right.file).then_with(|| start(left).cmp(&start(right)))
        });
        Err(CheckErrors(errors))
    }
}

/// Gives one raw check its meaning.
struct Binder<'a> {
    folder: &'a CheckFolder,
    engine: &'a Engine,
    errors: &'a mut Vec<CheckError>,
}

impl Binder<'_> {
    fn bind(&mut self, raw: RawCheck) -> Option<Check> {
        let before = self.errors.len();
        self.check_id(&raw.id);
        let severity = self.severity(&raw.severity);
        let expect = self.expectation(&raw.expect);
        let max_age = self.max_age(raw.max_age.as_ref());
        self.check_schedule(raw.schedule.as_ref());
        let covers = self.covers(&raw.covers);
        let query = self.query(covers, &raw.covers.value);
        let priority = self.priority(covers, &raw);
        let cases = self.folder.cases.iter().filter_map(|file| Case::read(file, self.errors)).collect();
        if self.errors.len() > before {
            return None;
        }
        let (touches, judged) = query?;
        Some(Check {
            id: raw.id.value,
            title: raw.title.value.trim().to_owned(),
            severity: severity?,
            covers: covers?,
            covers_name: raw.covers.value,
            query: self.folder.query.text.clone(),
            expect: expect?,
            schedule: raw.schedule.map(|text| text.value),
            max_age: max_age?,
            controls: raw.controls,
            priority,
            rationale: raw.rationale.map(|text| text.value),
            references: raw.references.into_iter().map(|text| text.value).collect(),
            remediation: self.folder.remediation.as_ref().map(|file| file.text.clone()),
            touches,
            judged,
            file: self.folder.check.shown.clone(),
            cases,
        })
    }

    fn error(&mut self, text: &Text, problem: Problem) {
        self.errors.push(self.folder.check.error(Some(text.span.clone()), problem));
    }

    fn check_id(&mut self, id: &Text) {
        let is_plain = id.value.split('-').all(|part| {
            !part.is_empty()
                && part.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
        });
        let folder = self.folder.path.replace('/', "-");
        if !is_plain {
            self.error(id, Problem::BadId { id: id.value.clone() });
        } else if id.value != folder {
            self.error(id, Problem::IdNotFolder { id: id.value.clone(), folder });
        }
    }

    fn severity(&mut self, text: &Text) -> Option<Severity> {
        let severity = text.value.parse().ok();
        if severity.is_none() {
            let nearest = nearest(&text.value, Severity::ALL.map(Severity::as_str)).map(str::to_owned);
            self.error(text, Problem::UnknownSeverity { value: text.value.clone(), nearest });
        }
        severity
    }

    fn expectation(&mut self, text: &Text) -> Option<Expectation> {
        match read_expectation(&text.value) {
            Ok(expectation) => Some(expectation),
            Err(problem) => {
                self.error(text, problem);
                None
            }
        }
    }

    fn max_age(&mut self, text: Option<&Text>) -> Option<MaxAge> {
        let Some(text) = text else { return Some(MaxAge::DEFAULT) };
        match text.value.parse() {
            Ok(max_age) => Some(max_age),
            Err(error) => {
                let reason = format!("{error}");
                self.error(text, Problem::BadMaxAge { reason });
                None
            }
        }
    }

    fn check_schedule(&mut self, text: Option<&Text>) {
        let Some(text) = text else { return };
        let fields: Vec<&str> = text.value.split_whitespace().collect();
        let is_field = |field: &&str| {
            field.chars().all(|letter| letter.is_ascii_alphanumeric() || "*,-/#?".contains(letter))
        };
        if fields.len() != 5 || !fields.iter().all(is_field) {
            self.error(text, Problem::BadSchedule { value: text.value.clone() });
        }
    }

    fn covers(&mut self, text: &Text) -> Option<TypeId> {
        let catalog = self.engine.catalog();
        let judgeable = |kind| matches!(kind, TypeKind::Asset | TypeKind::Interface);
        match catalog.find(&text.value) {
            Some((id, definition)) if judgeable(definition.kind) => return Some(id),
            Some(_) => self.error(text, Problem::NotAnAssetType { name: text.value.clone() }),
            None => {
                let types = catalog.types().iter().filter(|definition| judgeable(definition.kind));
                let nearest =
                    nearest(&text.value, types.map(|definition| definition.name.as_str())).map(str::to_owned);
                self.error(text, Problem::UnknownType { name: text.value.clone(), nearest });
            }
        }
        None
    }

    /// The types that the query touches and those it judges.
    fn query(&mut self, covers: Option<TypeId>, covers_name: &str) -> Option<(Vec<String>, Vec<String>)> {
        let file = &self.folder.query;
        let plan = match self.engine.plan(&Request::new(&*file.text)) {
            Ok(plan) => plan,
            Err(errors) => {
                self.errors.extend(errors.iter().map(|error| query_error(file, error)));
                return None;
            }
        };
        let catalog = self.engine.catalog();
        match single_list(&plan, catalog, &file.text) {
            Ok(nodes) if covers.is_some_and(|covers| covers != nodes.of) => {
                let covered = covers.map(|covers| catalog.get(covers));
                let problem = Problem::WrongRoot {
                    found: catalog.get(nodes.of).name.clone(),
                    covers: covers_name.to_owned(),
                    plural: covered.map(|covered| covered.plural.clone()).unwrap_or_default(),
                };
                let span = word_in(&file.text, &catalog.get(nodes.of).plural);
                self.errors.push(file.error(Some(span), problem));
                None
            }
            Ok(nodes) => {
                let names = |ids: Vec<TypeId>| -> Vec<String> {
                    let sorted: BTreeSet<String> =
                        ids.iter().map(|id| catalog.get(*id).name.clone()).collect();
                    sorted.into_iter().collect()
                };
                let judged = catalog.concrete(nodes.of);
                let mut touched: BTreeSet<TypeId> = judged.iter().copied().collect();
                touched_by(&nodes.filters, catalog, &mut touched);
                Some((names(touched.into_iter().collect()), names(judged)))
            }
            Err((span, problem)) => {
                self.errors.push(file.error(Some(span), problem));
                None
            }
        }
    }

    fn priority(&mut self, covers: Option<TypeId>, raw: &RawCheck) -> Vec<PriorityRule> {
        let Some(covers) = covers else { return Vec::new() };
        let plural = &self.engine.catalog().get(covers).plural;
        let mut rules = Vec::new();
        for entry in &raw.priority {
            let query = format!("{plural}(where: {}) {{ id }}", entry.filter.value);
            if let Err(errors) = self.engine.plan(&Request::new(query.as_str())) {
                for error in errors {
                    self.error(&entry.filter, problem_of(&error));
                }
            }
            let (label, filter) = (entry.label.value.clone(), entry.filter.value.clone());
            rules.push(PriorityRule { label, filter, query });
        }
        rules
    }
}

fn problem_of(error: &QueryError) -> Problem {
    Problem::Query { code: error.code().to_owned(), message: error.to_string(), help: error.help.clone() }
}

fn query_error(file: &SourceFile, error: &QueryError) -> CheckError {
    let place = error.place.as_ref().filter(|place| place.fragment.is_none());
    file.error(place.map(|place| place.start..place.end), problem_of(error))
}

/// Reads `eq []`. The operators are those of the format; this version runs one of them.
fn read_expectation(text: &str) -> Result<Expectation, Problem> {
    let value = text.trim().to_owned();
    let (operator, operand) = value.split_once(char::is_whitespace).unwrap_or((value.as_str(), ""));
    let operand = operand.trim();
    if !["eq", "ne", "lt", "lte", "gt", "gte", "all", "none"].contains(&operator) || operand.is_empty() {
        let is_later = operator.contains('.') || operator == "count" || operator == "rego";
        return Err(if is_later {
            Problem::UnsupportedExpectation { value }
        } else {
            Problem::BadExpectation { value }
        });
    }
    match (operator, serde_json::from_str::<serde_json::Value>(operand)) {
        ("eq", Ok(serde_json::Value::Array(items))) if items.is_empty() => Ok(Expectation::NoneMatch),
        ("eq", Ok(serde_json::Value::Array(_))) => Err(Problem::UnsupportedExpectation { value }),
        ("eq", Ok(_)) | ("lt" | "lte" | "gt" | "gte", Ok(serde_json::Value::Array(_))) => {
            Err(Problem::ImpossibleExpectation { value })
        }
        ("all" | "none", _) | (_, Ok(_)) => Err(Problem::UnsupportedExpectation { value }),
        (_, Err(_)) => Err(Problem::BadExpectation { value }),
    }
}

/// The one list of assets that a plan asks for, if its verdict would cover all of them.
fn single_list<'p>(
    plan: &'p Plan,
    catalog: &Catalog,
    text: &str,
) -> Result<&'p Nodes, (Range<usize>, Problem)> {
    let [root] = plan.roots.as_slice() else {
        let second = plan.roots.get(1).map_or(0..0, |root| word_in(text, &root.key));
        return Err((second, Problem::SeveralRoots { count: plan.roots.len() }));
    };
    let RootKind::Nodes(nodes) = &root.kind else {
        return Err((word_in(text, &root.key), Problem::NotAList { root: root.key.clone() }));
    };
    // A limit that equals the type's own default was not necessarily written, and cuts nothing off a verdict.
    let default_limit = catalog.get(nodes.of).limit.and_then(|limit| limit.default);
    if nodes.limit.is_some() && nodes.limit != default_limit {
        return Err((word_in(text, "limit"), Problem::PartOfTheResult { argument: "limit" }));
    }
    if nodes.offset > 0 {
        return Err((word_in(text, "offset"), Problem::PartOfTheResult { argument: "offset" }));
    }
    Ok(nodes)
}

/// Where a name stands in a query for the first time, outside comments; the query's beginning where it doesn't.
fn word_in(text: &str, word: &str) -> Range<usize> {
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let code = line.split('#').next().unwrap_or_default();
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        for (at, _) in code.match_indices(word) {
            let before = code.get(..at).unwrap_or_default().chars().next_back();
            let after = code.get(at + word.len()..).unwrap_or_default().chars().next();
            if !before.is_some_and(is_name) && !after.is_some_and(is_name) {
                return offset + at..offset + at + word.len();
            }
        }
        offset += line.len();
    }
    0..0
}

/// Adds the asset types that filters look at through relations, those on the way included.
pub(super) fn touched_by(filters: &Filters, catalog: &Catalog, touched: &mut BTreeSet<TypeId>) {
    for (of, filter) in &filters.0 {
        if let Some(filter) = filter {
            touched_by_filter(filter, *of, catalog, touched);
        }
    }
}

fn touched_by_filter(filter: &Filter, of: TypeId, catalog: &Catalog, touched: &mut BTreeSet<TypeId>) {
    match filter {
        Filter::Constant(_) | Filter::IsNull(_) | Filter::Field(..) => {}
        Filter::All(filters) | Filter::Any(filters) => {
            filters.iter().for_each(|filter| touched_by_filter(filter, of, catalog, touched));
        }
        Filter::Not(filter) | Filter::Holds(filter) => touched_by_filter(filter, of, catalog, touched),
        Filter::Related { field, filters, .. } => {
            touched_by_relation(&catalog.get(of).get(*field).kind, of, catalog, touched);
            touched_by(filters, catalog, touched);
        }
        Filter::NoneRelated(field) | Filter::Aggregate { field, .. } => {
            touched_by_relation(&catalog.get(of).get(*field).kind, of, catalog, touched);
        }
    }
}

fn touched_by_relation(kind: &FieldKind, of: TypeId, catalog: &Catalog, touched: &mut BTreeSet<TypeId>) {
    let FieldKind::Relation { target, keys, .. } = kind else { return };
    touched.extend(catalog.concrete(*target));
    let RelationKeys::Paths(paths) = keys else { return };
    for path in paths {
        let mut at = vec![of];
        for hop in path {
            let mut next = Vec::new();
            for (id, field) in
                at.iter().filter_map(|id| catalog.get(*id).find(hop).map(|(_, field)| (*id, field)))
            {
                touched_by_relation(&field.kind, id, catalog, touched);
                if let FieldKind::Relation { target, .. } = &field.kind {
                    next.extend(catalog.concrete(*target));
                }
            }
            at = next;
        }
    }
}
