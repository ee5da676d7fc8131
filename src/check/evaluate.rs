//! Check and graph to verdict: a pure function of the two and the moment. The engine judges each asset in an open
//! world; here that becomes findings, reasons and one answer.

use std::{
    cell::RefCell,
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    graph::{Graph, Slices},
    model::{
        Outcome, Time,
        parallel::{in_parallel, in_parallel_with},
    },
    query::{
        Engine, Filters, QueryError, QueryErrorKind,
        run::{Judgement, Judging, Reason as WhyUnknown, Why, WhyWorld},
    },
};

use super::definition::{Check, PriorityRule};
use super::expect::Demand;
use super::figure;
use super::names::{Names, Row};
use super::rego;
use super::result::{CheckResult, Counts, Finding, Reason, RestsOn, SliceCount, UnknownAsset, Verdict};

/// Some assets, by type and row.
pub(super) type Rows = FxHashSet<Row>;

/// The open worlds of one graph, one for each age of collections that is still believed. What is found out about one
/// (which rows are stale, of which relations something is missing) serves all checks that believe as much.
#[derive(Debug)]
struct Worlds<'g> {
    graph: &'g Graph,
    by_oldest: RefCell<BTreeMap<Option<Time>, Rc<Judging<'g>>>>,
}

impl<'g> Worlds<'g> {
    fn new(graph: &'g Graph) -> Self {
        Self { graph, by_oldest: RefCell::default() }
    }

    fn since(&self, oldest: Option<Time>) -> Rc<Judging<'g>> {
        let mut known = self.by_oldest.borrow_mut();
        Rc::clone(known.entry(oldest).or_insert_with(|| Rc::new(Judging::new(self.graph, oldest))))
    }
}

/// A check that was asked, before its findings are told.
#[derive(Debug)]
pub(super) struct Asked<'c> {
    check: &'c Check,
    oldest: Time,
    result: CheckResult,
    told: Told<'c>,
}

/// What is left to be told of a check.
#[derive(Debug)]
enum Told<'c> {
    /// What the engine says of each asset; for each priority rule, those of which it is true.
    Judged { judgement: Judgement, urgent: Vec<Rows> },
    /// What a policy says of all assets; for each priority rule, those of which it is true.
    Policy { policy: &'c rego::Policy, urgent: Vec<Rows> },
    /// Nothing: the check has one verdict as a whole, or could not be run.
    Nothing,
}

impl<'c> Asked<'c> {
    /// Asks the engine. `now` decides which collections are too old to be believed.
    fn new(worlds: &Worlds<'_>, check: &'c Check, engine: &Engine, now: Time) -> Self {
        let oldest = now.before(check.max_age.0);
        let result = CheckResult {
            id: check.id.clone(),
            title: check.title.clone(),
            severity: check.severity,
            covers: check.covers_name.clone(),
            verdict: Verdict::Error,
            counts: Counts::default(),
            findings: Vec::new(),
            excepted: Vec::new(),
            unknown: Vec::new(),
            unknown_coverage: Vec::new(),
            figure: None,
            rests_on: RestsOn::default(),
            error: None,
        };
        let mut asked = Self { check, oldest, result, told: Told::Nothing };
        match asked.ask(worlds, engine) {
            Ok(told) => asked.told = told,
            Err(errors) => asked.fail(&errors),
        }
        asked
    }

    fn ask(&mut self, worlds: &Worlds<'_>, engine: &Engine) -> Result<Told<'c>, Vec<QueryError>> {
        let Self { check, oldest, result, .. } = self;
        let (check, graph): (&'c Check, _) = (check, worlds.graph);
        let judging = worlds.since(Some(*oldest));
        match &check.expect.demand {
            Demand::NoAsset { of, violating, .. } => {
                let judgement = judging.judge(*of, violating);
                let urgent = urgent_rows(check, engine, &judging, &judgement)?;
                Ok(Told::Judged { judgement, urgent })
            }
            Demand::Rego(policy) => {
                let all = engine.catalog().concrete(check.covers).into_iter().map(|of| (of, None));
                let judged = judging.judge(check.covers, &Filters(all.collect()));
                let urgent = urgent_rows(check, engine, &judging, &judged)?;
                Ok(Told::Policy { policy, urgent })
            }
            demand => {
                figure::fill(result, check, demand, (graph, &judging), *oldest)?;
                Ok(Told::Nothing)
            }
        }
    }

    fn fail(&mut self, errors: &[QueryError]) {
        let told: Vec<String> = errors.iter().map(QueryError::to_string).collect();
        self.result.error = Some(told.join("; "));
    }

    /// The assets that the result names.
    fn rows(&self, graph: &Graph) -> Vec<Row> {
        match &self.told {
            Told::Judged { judgement, .. } => {
                let unknown = judgement
                    .types
                    .iter()
                    .flat_map(|judged| judged.unknown.iter().map(|unknown| (judged.of, unknown.row)));
                failing(judgement).chain(unknown).collect()
            }
            Told::Policy { .. } => rego::covered_rows(graph, self.check.covers).collect(),
            Told::Nothing => Vec::new(),
        }
    }

    /// Tells what was found, with the names of all assets that it names.
    fn tell(mut self, graph: &Graph, names: &Names) -> CheckResult {
        let told = std::mem::replace(&mut self.told, Told::Nothing);
        let Self { check, oldest, result, .. } = &mut self;
        let filled = match told {
            Told::Judged { judgement, urgent } => {
                fill(result, check, (graph, names), *oldest, &judgement, &urgent);
                Ok(())
            }
            Told::Policy { policy, urgent } => {
                rego::fill(result, (check, policy), (graph, names), *oldest, &urgent)
            }
            Told::Nothing => Ok(()),
        };
        if let Err(errors) = filled {
            self.fail(&errors);
        }
        self.result
    }
}

/// Judges one check over one graph. `now` decides which collections are too old to be believed.
#[must_use]
pub fn evaluate(check: &Check, engine: &Engine, graph: &Graph, now: Time) -> CheckResult {
    let asked = Asked::new(&Worlds::new(graph), check, engine, now);
    let names = Names::of(graph, asked.rows(graph).into_iter(), &Names::default());
    asked.tell(graph, &names)
}

/// Why one asset (named by its id or the cloud's own) fails, passes or is unknown.
///
/// # Errors
/// That there is no such asset, or that the check has one verdict as a whole.
pub fn explain(
    check: &Check,
    engine: &Engine,
    graph: &Graph,
    asset: &str,
    now: Time,
) -> Result<Why, Vec<QueryError>> {
    let oldest = Some(now.before(check.max_age.0));
    match &check.expect.demand {
        Demand::NoAsset { is_query: true, .. } => engine.explain_verdict(graph, &check.query, asset, oldest),
        Demand::NoAsset { of, violating, .. } => {
            engine.why_of(graph, (*of, violating), asset, WhyWorld::Open { oldest })
        }
        Demand::Count { .. } | Demand::Value { .. } | Demand::Rego(_) => {
            let message = format!(
                "`{}` is one verdict as a whole: no asset has a verdict of its own in `{}`",
                check.expect, check.id
            );
            Err(vec![QueryError::new(QueryErrorKind::Invalid { message })])
        }
    }
}

/// Judges every check, in the order given. A check that can't be run is an [`Verdict::Error`] and stops no other.
#[must_use]
pub fn evaluate_all(checks: &[Check], engine: &Engine, graph: &Graph, now: Time) -> Vec<CheckResult> {
    evaluate_each(&checks.iter().collect::<Vec<_>>(), engine, graph, now, &Names::default()).0
}

/// As [`evaluate_all`], with the names of assets of an evaluation before; those of this one are returned beside the
/// results.
pub(super) fn evaluate_each(
    checks: &[&Check],
    engine: &Engine,
    graph: &Graph,
    now: Time,
    before: &Names,
) -> (Vec<CheckResult>, Names) {
    let is_large = graph.is_large();
    // What several checks ask, a thread remembers for its own.
    let asked = in_parallel_with(
        checks.to_vec(),
        is_large,
        || Worlds::new(graph),
        |worlds, check| Asked::new(worlds, check, engine, now),
    );
    let names = Names::of(graph, asked.iter().flat_map(|asked| asked.rows(graph)), before);
    let results = in_parallel(asked, is_large, |asked| asked.tell(graph, &names));
    (results, names)
}

/// For each priority rule, the failing assets of which its filter is certainly true.
fn urgent_rows(
    check: &Check,
    engine: &Engine,
    judging: &Judging<'_>,
    judgement: &Judgement,
) -> Result<Vec<Rows>, Vec<QueryError>> {
    let of_rule = |rule: &PriorityRule| {
        let filters = engine.plan_check(&rule.query)?.filters;
        let certain = judgement.types.iter().flat_map(|judged| {
            let rows = judging.certain(judged.of, &judged.failing, &filters);
            rows.into_iter().map(|row| (judged.of, row))
        });
        Ok(certain.collect())
    };
    check.priority.iter().map(of_rule).collect()
}

fn failing(judgement: &Judgement) -> impl Iterator<Item = Row> {
    judgement.types.iter().flat_map(|judged| judged.failing.iter().map(|row| (judged.of, *row)))
}

fn fill(
    result: &mut CheckResult,
    check: &Check,
    (graph, names): (&Graph, &Names),
    oldest: Time,
    judgement: &Judgement,
    urgent: &[Rows],
) {
    let mut words = Words::new(judgement);
    let mut unknown: Vec<(u32, UnknownAsset)> = Vec::new();
    for judged in &judgement.types {
        result.counts.fail += judged.failing.len() as u64;
        result.counts.unknown += judged.unknown.len() as u64;
        result.counts.pass += judged.passing as u64;
        unknown.extend(judged.unknown.iter().filter_map(|row| {
            let (place, name) = names.get((judged.of, row.row))?;
            Some((place, UnknownAsset { asset: Arc::clone(name), reasons: words.of(&row.reasons) }))
        }));
    }
    unknown.sort_unstable_by_key(|(place, _)| *place);
    result.unknown = unknown.into_iter().map(|(_, unknown)| unknown).collect();
    result.findings = findings(check, names, judgement, urgent);
    result.unknown_coverage = coverage(graph, judgement.gaps.iter());
    result.rests_on = rests_on(check, graph, oldest, result);
    result.verdict = Verdict::of(result.counts, !result.unknown_coverage.is_empty());
}

/// The reasons of a judgement in the words of a report. Assets that are unknown for the same reasons share them: there
/// may be a million of these, and many reasons for each.
struct Words {
    /// As the judgement numbers them: their order, and what they are.
    reasons: Vec<(usize, Reason)>,
    /// By where the numbers stand, which the judgement keeps.
    lists: FxHashMap<*const usize, Arc<[Reason]>>,
}

impl Words {
    fn new(judgement: &Judgement) -> Self {
        let reasons: Vec<Reason> = judgement.reasons.iter().map(reason_of).collect();
        let mut sorted: Vec<&Reason> = reasons.iter().collect();
        sorted.sort_unstable();
        sorted.dedup();
        let order = |reason| sorted.binary_search(&reason).unwrap_or_default();
        let orders: Vec<usize> = reasons.iter().map(order).collect();
        Self { reasons: orders.into_iter().zip(reasons).collect(), lists: FxHashMap::default() }
    }

    /// Those with these numbers, sorted and distinct; that nobody can say where there are none.
    fn of(&mut self, numbers: &[usize]) -> Arc<[Reason]> {
        if let Some(known) = self.lists.get(&numbers.as_ptr()) {
            return Arc::clone(known);
        }
        let mut reasons: Vec<&(usize, Reason)> =
            numbers.iter().filter_map(|number| self.reasons.get(*number)).collect();
        reasons.sort_unstable_by_key(|(order, _)| *order);
        reasons.dedup_by_key(|(order, _)| *order);
        let list: Arc<[Reason]> = match reasons.as_slice() {
            [] => [Reason::Undecided].into(),
            reasons => reasons.iter().map(|(_, reason)| reason.clone()).collect(),
        };
        self.lists.insert(numbers.as_ptr(), Arc::clone(&list));
        list
    }
}

/// Reasons in the words of a report, sorted; one alone where nothing at all was collected.
pub(super) fn coverage<'r>(graph: &Graph, reasons: impl Iterator<Item = &'r WhyUnknown>) -> Vec<Reason> {
    if graph.slices().is_some_and(Slices::is_empty) {
        return vec![Reason::NothingCollected];
    }
    let sorted: BTreeSet<Reason> = reasons.map(reason_of).collect();
    sorted.into_iter().collect()
}

/// The failing assets, the most urgent first.
fn findings(check: &Check, names: &Names, judgement: &Judgement, urgent: &[Rows]) -> Vec<Finding> {
    let finding = |row: Row| {
        let (place, name) = names.get(row)?;
        let (is_urgent, priority) = labels(check, urgent, row);
        let asset = Arc::clone(name);
        Some(((Reverse(is_urgent), place), Finding { asset, priority, message: None, since: None }))
    };
    let mut findings: Vec<_> = failing(judgement).filter_map(finding).collect();
    findings.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    findings.into_iter().map(|(_, finding)| finding).collect()
}

/// Which priority rules are true of an asset, and their labels.
pub(super) fn labels(check: &Check, urgent: &[Rows], row: Row) -> (Vec<bool>, Vec<String>) {
    let is_urgent: Vec<bool> = urgent.iter().map(|rows| rows.contains(&row)).collect();
    let rules = check.priority.iter().zip(&is_urgent).filter(|(_, holds)| **holds);
    let labels = rules.map(|(rule, _)| rule.label.clone()).collect();
    (is_urgent, labels)
}

/// The engine's reason in the words of a report.
fn reason_of(why: &WhyUnknown) -> Reason {
    match why {
        WhyUnknown::Slice { key, state: None } => Reason::NeverCollected { slice: key.clone() },
        WhyUnknown::Slice { key, state: Some(state) } if state.outcome == Outcome::Complete => {
            Reason::TooOld { slice: key.clone(), completed_at: state.completed_at }
        }
        WhyUnknown::Slice { key, state: Some(state) } => Reason::NotComplete {
            slice: key.clone(),
            api: state.api.clone(),
            outcome: state.outcome,
            reason: state.reason.clone(),
        },
        WhyUnknown::Stale { key, completed_at } => {
            Reason::TooOld { slice: key.clone(), completed_at: *completed_at }
        }
        WhyUnknown::Cell { typename, id, field } => {
            Reason::Cell { typename: typename.clone(), id: id.clone(), field: field.clone() }
        }
        WhyUnknown::Stub { typename, id, why } => {
            Reason::NotRead { typename: typename.clone(), id: id.clone(), why: why.clone() }
        }
    }
}

/// How many slices were needed and never collected.
fn never_collected(result: &CheckResult) -> u64 {
    let mut lists: FxHashSet<*const Reason> = FxHashSet::default();
    let unknown = result.unknown.iter().filter(|unknown| lists.insert(unknown.reasons.as_ptr()));
    let reasons = unknown.flat_map(|unknown| unknown.reasons.iter()).chain(&result.unknown_coverage);
    let missing: FxHashSet<_> = reasons
        .filter_map(|reason| match reason {
            Reason::NeverCollected { slice } => Some(slice),
            _ => None,
        })
        .collect();
    missing.len() as u64
}

pub(super) fn rests_on(check: &Check, graph: &Graph, oldest: Time, result: &CheckResult) -> RestsOn {
    let Some(slices) = graph.slices() else { return RestsOn::default() };
    let touched = || check.touches.iter().map(String::as_str);
    let complete: usize = touched().map(|asset_type| slices.count_complete(asset_type, oldest)).sum();
    let total: usize = touched().map(|asset_type| slices.count_of(asset_type)).sum();
    RestsOn {
        slices: Some(SliceCount { complete: complete as u64, total: total as u64 + never_collected(result) }),
        oldest: touched().filter_map(|asset_type| slices.first_completed(asset_type, oldest)).min(),
    }
}
