//! Files to checks: every mistake is found here, with its place, and only a check without one comes out.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use crate::{
    catalog::{Catalog, TypeId, TypeKind},
    graph::GraphBuilder,
    model::{Cron, MaxAge, Time, nearest},
    query::{
        Engine, Plan, QueryError, Request,
        run::{touched_by_filters, touched_types},
    },
};

use super::cases::Case;
use super::definition::{Check, PriorityRule, Severity};
use super::error::{CheckError, CheckErrors, Problem};
use super::expect::{Demand, Expectation, Fault, Written, bind, whole_answer};
use super::figure::answer_of;
use super::framework::{controls_of, load_frameworks};
use super::raw::{RawCheck, RawExpect, Text};
use super::rego::Policy;
use super::remediation::Remediation;
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
    let known: BTreeSet<String> = taken.into_keys().collect();
    let frameworks = load_frameworks(sources, &known).unwrap_or_else(|wrong| {
        errors.extend(wrong.0);
        Vec::new()
    });
    if errors.is_empty() {
        let mut controls = controls_of(&frameworks);
        for check in &mut checks {
            check.controls = controls.remove(check.id.as_str()).unwrap_or_default();
        }
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

/// A check made of a query and an expectation that stand in no file: `--query` and `--expect` of the command line, whose
/// names are those of the files in errors.
///
/// # Errors
/// Every mistake, with its place.
pub fn pasted(query: &str, expect: &str, max_age: MaxAge, engine: &Engine) -> Result<Check, CheckErrors> {
    let file = |name: &str, text: &str| SourceFile {
        path: name.to_owned(),
        shown: name.to_owned(),
        text: text.into(),
    };
    let folder = CheckFolder {
        path: "pasted-query".to_owned(),
        check: file("--expect", expect),
        query: file("--query", query),
        policies: Vec::new(),
        remediation: None,
        related: None,
        cases: Vec::new(),
    };
    let mut errors = Vec::new();
    let mut binder = Binder { folder: &folder, engine, errors: &mut errors };
    let expected = Text { value: expect.to_owned(), span: 0..expect.len() };
    let written = binder.expectation(&expected);
    let asked = binder.demand(None, "", &expected, written.as_ref());
    match asked {
        Some(Asked { of, expect, plan, touches, judged }) if errors.is_empty() => {
            let covers_name = engine.catalog().get(of).name.clone();
            Ok(Check {
                id: folder.path.clone(),
                title: match &expect.demand {
                    Demand::NoAsset { is_query: true, .. } => format!("No {covers_name} matches the query"),
                    _ => format!("The answer of the query is as expected: {expect}"),
                },
                severity: Severity::Medium,
                covers: of,
                covers_name,
                query: folder.query.text.clone(),
                expect,
                plan: Arc::new(plan),
                schedule: None,
                max_age,
                controls: BTreeMap::new(),
                priority: Vec::new(),
                rationale: None,
                references: Vec::new(),
                remediation: None,
                touches,
                judged,
                file: folder.check.shown.clone(),
                cases: Vec::new(),
            })
        }
        _ => Err(CheckErrors(errors)),
    }
}

/// What a check asks, bound to the catalog.
struct Asked {
    /// The type that the root field meant is about.
    of: TypeId,
    expect: Expectation,
    plan: Plan,
    /// The names of the types whose slices the verdict rests on; sorted.
    touches: Vec<String>,
    /// The names of the types of which each asset has a verdict of its own; sorted.
    judged: Vec<String>,
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
        let max_age = self.max_age(raw.max_age.as_ref());
        let schedule = self.schedule(raw.schedule.as_ref());
        let covers = self.covers(&raw.covers);
        let asked = match &raw.expect {
            RawExpect::Words(text) => {
                let written = self.expectation(text);
                self.demand(covers, &raw.covers.value, text, written.as_ref())
            }
            RawExpect::Rego(name) => self.policy(covers, &raw.covers.value, name),
        };
        let priority = self.priority(covers, &raw);
        let remediation = self.remediation(covers, &raw);
        let cases = self.folder.cases.iter().filter_map(|file| Case::read(file, self.errors)).collect();
        if self.errors.len() > before {
            return None;
        }
        let Asked { expect, plan, touches, judged, .. } = asked?;
        Some(Check {
            id: raw.id.value,
            title: raw.title.value.trim().to_owned(),
            severity: severity?,
            covers: covers?,
            covers_name: raw.covers.value,
            query: self.folder.query.text.clone(),
            expect,
            plan: Arc::new(plan),
            schedule,
            max_age: max_age?,
            // Filled in from the frameworks.
            controls: BTreeMap::new(),
            priority,
            rationale: raw.rationale.map(|text| text.value),
            references: raw.references.into_iter().map(|text| text.value).collect(),
            remediation,
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

    /// The expectation, split. Its meaning is a matter of the query.
    fn expectation(&mut self, text: &Text) -> Option<Written> {
        match Written::read(&text.value) {
            Ok(written) => Some(written),
            Err((span, problem)) => {
                self.expectation_error(text, &span, problem);
                None
            }
        }
    }

    fn expectation_error(&mut self, text: &Text, span: &Range<usize>, problem: Problem) {
        let span = text.part(&self.folder.check.text, span);
        self.errors.push(self.folder.check.error(Some(span), problem));
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

    fn schedule(&mut self, text: Option<&Text>) -> Option<Cron> {
        let text = text?;
        match text.value.parse() {
            Ok(schedule) => Some(schedule),
            Err(error) => {
                self.error(text, Problem::BadSchedule(error));
                None
            }
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

    /// The query, planned.
    fn plan(&mut self) -> Option<Plan> {
        let file = &self.folder.query;
        match self.engine.plan(&Request::new(&*file.text)) {
            Ok(plan) => Some(plan),
            Err(errors) => {
                self.errors.extend(errors.iter().map(|error| query_error(file, error)));
                None
            }
        }
    }

    /// A policy over the answer of the query.
    fn policy(&mut self, covers: Option<TypeId>, covers_name: &str, name: &Text) -> Option<Asked> {
        let plan = self.plan()?;
        let policies = &self.folder.policies;
        let named = |file: &&SourceFile| file.path.rsplit('/').next() == Some(name.value.as_str());
        let Some(file) = policies.iter().find(named) else {
            let names = policies.iter().filter_map(|file| file.path.rsplit('/').next());
            let nearest = nearest(&name.value, names).map(str::to_owned);
            self.error(name, Problem::NoPolicy { name: name.value.clone(), nearest });
            return None;
        };
        let of = match whole_answer(&plan, self.engine.catalog()) {
            Ok(of) => of,
            Err((word, problem)) => {
                let span = word_in(&self.folder.query.text, &word);
                self.errors.push(self.folder.query.error(Some(span), problem));
                return None;
            }
        };
        self.check_covered(covers, covers_name, of, &plan)?;
        let catalog = self.engine.catalog();
        let empty = GraphBuilder::new(Arc::clone(catalog)).finish(None, Time::from_millis(0)?).ok()?;
        let empty = answer_of(&plan, &empty).unwrap_or_default();
        let policy = Policy::read(file, &String::from_utf8_lossy(&empty), self.errors)?;
        let text = format!("rego: {}", policy.name);
        let expect = Expectation { text, demand: Demand::Rego(Arc::new(policy)) };
        let touches = type_names(catalog, &touched_types(catalog, &plan));
        let judged = type_names(catalog, &catalog.concrete(of).into_iter().collect());
        Some(Asked { of, expect, plan, touches, judged })
    }

    /// What is demanded of the answer of the query.
    fn demand(
        &mut self,
        covers: Option<TypeId>,
        covers_name: &str,
        expect: &Text,
        written: Option<&Written>,
    ) -> Option<Asked> {
        let file = &self.folder.query;
        let plan = self.plan()?;
        let bound = match bind(written?, &plan, self.engine) {
            Ok(bound) => bound,
            Err(faults) => {
                for fault in faults {
                    match fault {
                        Fault::Expectation((span, problem)) => {
                            self.expectation_error(expect, &span, problem);
                        }
                        Fault::Query(word, problem) => {
                            let span = word_in(&file.text, &word);
                            self.errors.push(file.error(Some(span), problem));
                        }
                    }
                }
                return None;
            }
        };
        self.check_covered(covers, covers_name, bound.of, &plan)?;
        let catalog = self.engine.catalog();
        let (touched, judged) = match &bound.demand {
            Demand::NoAsset { of, violating, .. } => {
                (touched_by_filters(catalog, *of, violating), catalog.concrete(*of).into_iter().collect())
            }
            Demand::Count { of, filters, .. } => (touched_by_filters(catalog, *of, filters), BTreeSet::new()),
            Demand::Value { .. } | Demand::Rego(_) => (touched_types(catalog, &plan), BTreeSet::new()),
        };
        let text = written.map(|written| written.whole.text.clone()).unwrap_or_default();
        let expect = Expectation { text, demand: bound.demand };
        let (touches, judged) = (type_names(catalog, &touched), type_names(catalog, &judged));
        Some(Asked { of: bound.of, expect, plan, touches, judged })
    }

    /// Reports a query about another type than the check covers.
    fn check_covered(
        &mut self,
        covers: Option<TypeId>,
        covers_name: &str,
        of: TypeId,
        plan: &Plan,
    ) -> Option<()> {
        let (file, catalog) = (&self.folder.query, self.engine.catalog());
        if covers.is_none_or(|covers| covers == of) {
            return Some(());
        }
        let covered = covers.map(|covers| catalog.get(covers));
        let problem = Problem::WrongRoot {
            found: catalog.get(of).name.clone(),
            covers: covers_name.to_owned(),
            plural: covered.map(|covered| covered.plural.clone()).unwrap_or_default(),
        };
        let root = plan.roots.first().map_or("", |root| root.key.as_str());
        let plural = word_in(&file.text, &catalog.get(of).plural);
        let span = if plural.is_empty() { word_in(&file.text, root) } else { plural };
        self.errors.push(file.error(Some(span), problem));
        None
    }

    fn remediation(&mut self, covers: Option<TypeId>, raw: &RawCheck) -> Option<Arc<Remediation>> {
        let (file, related) = (self.folder.remediation.as_ref()?, self.folder.related.as_ref());
        let check = (raw.id.value.as_str(), raw.title.value.trim());
        Remediation::read(file, related, check, covers?, self.engine, self.errors)
    }

    fn priority(&mut self, covers: Option<TypeId>, raw: &RawCheck) -> Vec<PriorityRule> {
        let Some(covers) = covers else { return Vec::new() };
        let plural = &self.engine.catalog().get(covers).plural;
        let mut rules = Vec::new();
        for entry in &raw.priority {
            let query = format!("{plural}(where: {}) {{ id }}", entry.filter.value);
            if let Err(errors) = self.engine.plan(&Request::new(query.as_str())) {
                for error in errors {
                    self.error(&entry.filter, Problem::of_query(&error));
                }
            }
            let (label, filter) = (entry.label.value.clone(), entry.filter.value.clone());
            rules.push(PriorityRule { label, filter, query });
        }
        rules
    }
}

/// The names of types, sorted.
fn type_names(catalog: &Catalog, ids: &BTreeSet<TypeId>) -> Vec<String> {
    let sorted: BTreeSet<String> = ids.iter().map(|id| catalog.get(*id).name.clone()).collect();
    sorted.into_iter().collect()
}

fn query_error(file: &SourceFile, error: &QueryError) -> CheckError {
    let place = error.place.as_ref().filter(|place| place.fragment.is_none());
    file.error(place.map(|place| place.start..place.end), Problem::of_query(error))
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
