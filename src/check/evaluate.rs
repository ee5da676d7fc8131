//! Check and graph to verdict: a pure function of the two and the moment. The engine judges each asset in an open
//! world; here that becomes findings, reasons and one answer.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    catalog::TypeId,
    graph::{Graph, Slices, in_parallel_with},
    model::{Outcome, Time},
    query::{
        Engine, Filters, QueryError, QueryErrorKind,
        run::{Judgement, Judging, Reason as WhyUnknown, Why, WhyWorld},
    },
};

use super::definition::{Check, PriorityRule};
use super::expect::Demand;
use super::figure;
use super::rego;
use super::result::{
    AssetName, CheckResult, Counts, Finding, Reason, RestsOn, SliceCount, UnknownAsset, Verdict,
};

/// Assets by type and row.
pub(super) type Rows = BTreeSet<(TypeId, u32)>;

/// The open worlds of one graph, one for each age of collections that is still believed. What is found out about one
/// (which rows are stale, of which relations something is missing) serves all checks that believe as much.
#[derive(Debug)]
pub(super) struct Worlds<'g> {
    graph: &'g Graph,
    by_oldest: RefCell<BTreeMap<Option<Time>, Rc<Judging<'g>>>>,
}

impl<'g> Worlds<'g> {
    pub(super) fn new(graph: &'g Graph) -> Self {
        Self { graph, by_oldest: RefCell::default() }
    }

    pub(super) fn graph(&self) -> &'g Graph {
        self.graph
    }

    pub(super) fn since(&self, oldest: Option<Time>) -> Rc<Judging<'g>> {
        let mut known = self.by_oldest.borrow_mut();
        Rc::clone(known.entry(oldest).or_insert_with(|| Rc::new(Judging::new(self.graph, oldest))))
    }
}

/// Judges one check over one graph. `now` decides which collections are too old to be believed.
#[must_use]
pub fn evaluate(check: &Check, engine: &Engine, graph: &Graph, now: Time) -> CheckResult {
    evaluate_in(&Worlds::new(graph), check, engine, now)
}

/// Judges one of several checks over one graph.
pub(super) fn evaluate_in(worlds: &Worlds<'_>, check: &Check, engine: &Engine, now: Time) -> CheckResult {
    let graph = worlds.graph;
    let oldest = now.before(check.max_age.0);
    let mut result = CheckResult {
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
    let told = match &check.expect.demand {
        Demand::NoAsset { of, violating, .. } => {
            let judging = worlds.since(Some(oldest));
            let judgement = judging.judge(*of, violating);
            urgent_rows(check, engine, &judging, &judgement)
                .map(|urgent| fill(&mut result, check, graph, oldest, &judgement, &urgent))
        }
        Demand::Rego(policy) => {
            let judging = worlds.since(Some(oldest));
            let all = engine.catalog().concrete(check.covers).into_iter().map(|of| (of, None));
            let judged = judging.judge(check.covers, &Filters(all.collect()));
            urgent_rows(check, engine, &judging, &judged)
                .and_then(|urgent| rego::fill(&mut result, (check, policy), graph, oldest, &urgent))
        }
        demand => figure::fill(&mut result, check, demand, (graph, &worlds.since(Some(oldest))), oldest),
    };
    if let Err(errors) = told {
        let told: Vec<String> = errors.iter().map(QueryError::to_string).collect();
        result.error = Some(told.join("; "));
    }
    result
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
    judge_each(checks.iter().collect(), graph, |worlds, check| evaluate_in(worlds, check, engine, now))
}

/// Does something with each check, side by side: what several of them ask, a thread remembers for its own.
pub(super) fn judge_each<'c, 'g, R: Send>(
    checks: Vec<&'c Check>,
    graph: &'g Graph,
    judge: impl Fn(&Worlds<'g>, &'c Check) -> R + Sync,
) -> Vec<R> {
    in_parallel_with(checks, graph.is_large(), || Worlds::new(graph), judge)
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

fn failing(judgement: &Judgement) -> impl Iterator<Item = (TypeId, u32)> {
    judgement.types.iter().flat_map(|judged| judged.failing.iter().map(|row| (judged.of, *row)))
}

fn fill(
    result: &mut CheckResult,
    check: &Check,
    graph: &Graph,
    oldest: Time,
    judgement: &Judgement,
    urgent: &[Rows],
) {
    let mut words = Words::new(judgement);
    for judged in &judgement.types {
        result.counts.fail += judged.failing.len() as u64;
        result.counts.unknown += judged.unknown.len() as u64;
        result.counts.pass += judged.passing as u64;
        for unknown in &judged.unknown {
            let reasons = words.of(&unknown.reasons);
            result.unknown.push(UnknownAsset { asset: name_of(graph, (judged.of, unknown.row)), reasons });
        }
    }
    result.unknown.sort_by(|left, right| left.asset.cmp(&right.asset));
    result.findings = findings(check, graph, judgement, urgent);
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
fn findings(check: &Check, graph: &Graph, judgement: &Judgement, urgent: &[Rows]) -> Vec<Finding> {
    let mut findings: Vec<(Vec<bool>, Finding)> = failing(judgement)
        .map(|row| {
            let (is_urgent, priority) = labels(check, urgent, row);
            (is_urgent, Finding { asset: name_of(graph, row), priority, message: None, since: None })
        })
        .collect();
    findings.sort_by(|(left_urgent, left), (right_urgent, right)| {
        right_urgent.cmp(left_urgent).then_with(|| left.asset.cmp(&right.asset))
    });
    findings.into_iter().map(|(_, finding)| finding).collect()
}

/// Which priority rules are true of an asset, and their labels.
pub(super) fn labels(check: &Check, urgent: &[Rows], row: (TypeId, u32)) -> (Vec<bool>, Vec<String>) {
    let is_urgent: Vec<bool> = urgent.iter().map(|rows| rows.contains(&row)).collect();
    let rules = check.priority.iter().zip(&is_urgent).filter(|(_, holds)| **holds);
    let labels = rules.map(|(rule, _)| rule.label.clone()).collect();
    (is_urgent, labels)
}

pub(super) fn name_of(graph: &Graph, (of, row): (TypeId, u32)) -> AssetName {
    let text = |field: &str| graph.text(of, row, field).map(|text| text.into_owned());
    AssetName {
        account_id: text("accountId"),
        region: text("region"),
        typename: graph.catalog().get(of).name.clone(),
        native_id: text("nativeId"),
        id: graph.id(of, row).into_owned(),
        name: text("name"),
    }
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
