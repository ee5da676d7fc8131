//! Check and graph to verdict: a pure function of the two and the moment. The engine judges each asset in an open
//! world; here that becomes findings, reasons and one answer.

use std::collections::BTreeSet;

use crate::{
    catalog::TypeId,
    graph::{Graph, Slices},
    model::{Outcome, SliceState, Time},
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

/// Judges one check over one graph. `now` decides which collections are too old to be believed.
#[must_use]
pub fn evaluate(check: &Check, engine: &Engine, graph: &Graph, now: Time) -> CheckResult {
    let oldest = Some(now.before(check.max_age.0));
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
            let judging = Judging::new(graph, oldest);
            let judgement = judging.judge(*of, violating);
            urgent_rows(check, engine, &judging, &judgement)
                .map(|urgent| fill(&mut result, check, graph, oldest, &judgement, &urgent))
        }
        Demand::Rego(policy) => {
            let judging = Judging::new(graph, oldest);
            let all = engine.catalog().concrete(check.covers).into_iter().map(|of| (of, None));
            let judged = judging.judge(check.covers, &Filters(all.collect()));
            urgent_rows(check, engine, &judging, &judged)
                .and_then(|urgent| rego::fill(&mut result, (check, policy), graph, oldest, &urgent))
        }
        demand => figure::fill(&mut result, check, demand, graph, oldest),
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
    checks.iter().map(|check| evaluate(check, engine, graph, now)).collect()
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
    oldest: Option<Time>,
    judgement: &Judgement,
    urgent: &[Rows],
) {
    for judged in &judgement.types {
        result.counts.fail += judged.failing.len() as u64;
        result.counts.unknown += judged.unknown.len() as u64;
        result.counts.pass += judged.passing as u64;
        for unknown in &judged.unknown {
            let reasons: BTreeSet<Reason> = judgement.reasons_of(unknown).map(reason_of).collect();
            let reasons =
                if reasons.is_empty() { vec![Reason::Undecided] } else { reasons.into_iter().collect() };
            result.unknown.push(UnknownAsset { asset: name_of(graph, (judged.of, unknown.row)), reasons });
        }
    }
    result.unknown.sort_by(|left, right| left.asset.cmp(&right.asset));
    result.findings = findings(check, graph, judgement, urgent);
    result.unknown_coverage = coverage(graph, judgement.gaps.iter());
    result.rests_on = rests_on(check, graph, oldest, result);
    result.verdict = Verdict::of(result.counts, !result.unknown_coverage.is_empty());
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
    let reasons = result.unknown.iter().flat_map(|unknown| &unknown.reasons).chain(&result.unknown_coverage);
    let missing: BTreeSet<_> = reasons
        .filter_map(|reason| match reason {
            Reason::NeverCollected { slice } => Some(slice),
            _ => None,
        })
        .collect();
    missing.len() as u64
}

pub(super) fn rests_on(check: &Check, graph: &Graph, oldest: Option<Time>, result: &CheckResult) -> RestsOn {
    let Some(slices) = graph.slices() else { return RestsOn::default() };
    let touched: Vec<&SliceState> =
        check.touches.iter().flat_map(|asset_type| slices.of_type(asset_type)).collect();
    let complete = touched.iter().filter(|slice| slice.is_complete_since(oldest));
    RestsOn {
        slices: Some(SliceCount {
            complete: complete.clone().count() as u64,
            total: touched.len() as u64 + never_collected(result),
        }),
        oldest: complete.filter_map(|slice| slice.completed_at).min(),
    }
}
