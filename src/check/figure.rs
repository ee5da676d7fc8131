//! Checks with one verdict as a whole: a count, decided by the least and the most it may be, and any other part of the
//! answer, decided only where nothing that the query looks at was left unseen.

use std::{cmp::Ordering, collections::BTreeMap};

use serde_json::Value;

use crate::{
    catalog::TypeId,
    graph::{Graph, Slices},
    model::Time,
    query::{
        Filters, Plan, QueryError,
        run::{Judgement, Judging, RunLimits, run, unseen},
    },
};

use super::definition::Check;
use super::evaluate::{coverage, rests_on};
use super::expect::{Demand, Order, Step, as_number};
use super::result::{CheckResult, Figure, Found, Verdict};

/// Decides a demand on the answer as a whole.
///
/// # Errors
/// What stopped the query.
pub(super) fn fill(
    result: &mut CheckResult,
    check: &Check,
    demand: &Demand,
    (graph, judging): (&Graph, &Judging<'_>),
    oldest: Time,
) -> Result<(), Vec<QueryError>> {
    let found = match demand {
        Demand::NoAsset { .. } | Demand::Rego(_) => return Ok(()),
        Demand::Count { of, filters, order, wanted } => {
            let (found, reasons) = count(graph, judging, *of, filters);
            let holds = match found {
                Found::Count { least, most } => order.decide(least, most, *wanted),
                Found::Value(_) => None,
            };
            result.verdict = holds.map_or(Verdict::Unknown, of_truth);
            if holds.is_none() {
                result.unknown_coverage = coverage(graph, reasons.gaps.iter().chain(&reasons.reasons));
            }
            found
        }
        Demand::Value { path, order, wanted } => {
            result.unknown_coverage = coverage(graph, unseen(&check.plan, graph, Some(oldest)).iter());
            let is_seen = result.unknown_coverage.is_empty();
            // What was not seen may be why the query can't be answered.
            let found = match answer(check, graph, path) {
                Err(errors) if is_seen => return Err(errors),
                found => found.unwrap_or(Value::Null),
            };
            result.verdict = match compare(&found, *order, wanted) {
                _ if !is_seen => Verdict::Unknown,
                // There is nothing of which there could be a least or a mean.
                None => Verdict::NotApplicable,
                Some(holds) => of_truth(holds),
            };
            Found::Value(found)
        }
    };
    result.figure = Some(Figure { expected: check.expect.to_string(), found, accepted_by: None });
    result.rests_on = rests_on(check, graph, oldest, result);
    Ok(())
}

fn of_truth(holds: bool) -> Verdict {
    if holds { Verdict::Pass } else { Verdict::Fail }
}

/// How many assets satisfy filters: those that must at least, with those that may at most, and any number more where
/// not all of them were seen.
fn count(graph: &Graph, judging: &Judging<'_>, of: TypeId, filters: &Filters) -> (Found, Judgement) {
    let judgement = judging.judge(of, filters);
    let least = judgement.types.iter().map(|judged| judged.failing.len() as u64).sum();
    let unknown: u64 = judgement.types.iter().map(|judged| judged.unknown.len() as u64).sum();
    let has_gaps = !judgement.gaps.is_empty() || graph.slices().is_some_and(Slices::is_empty);
    let most = (!has_gaps).then_some(least + unknown);
    (Found::Count { least, most }, judgement)
}

/// The answer of a plan, from what is known, as JSON.
pub(super) fn answer_of(plan: &Plan, graph: &Graph) -> Result<Vec<u8>, Vec<QueryError>> {
    let ran = run(plan, graph, &BTreeMap::new(), &RunLimits::unlimited())
        .map_err(|stopped| vec![QueryError::from(stopped)])?;
    if !ran.errors.is_empty() {
        return Err(ran.errors.into_iter().map(QueryError::from).collect());
    }
    Ok(ran.data)
}

/// The part of the answer that a path leads to.
fn answer(check: &Check, graph: &Graph, path: &[Step]) -> Result<Value, Vec<QueryError>> {
    let mut at: Value = serde_json::from_slice(&answer_of(&check.plan, graph)?).unwrap_or(Value::Null);
    for step in path {
        at = match (step, &mut at) {
            (Step::Key(key), Value::Object(entries)) => entries.remove(key).unwrap_or(Value::Null),
            (Step::Length, Value::Array(items)) => Value::from(items.len()),
            _ => Value::Null,
        };
    }
    Ok(at)
}

/// Whether two values compare as they must; nothing where there is no value to put in order.
fn compare(found: &Value, order: Order, wanted: &Value) -> Option<bool> {
    if order.is_ordering() {
        return sequence(found, wanted).map(|sequence| order.holds(sequence));
    }
    let is_equal = found == wanted || (!found.is_null() && sequence(found, wanted) == Some(Ordering::Equal));
    Some(is_equal == (order == Order::Equal))
}

/// Which of two numbers or texts comes first. A number that is written as text is a number.
fn sequence(found: &Value, wanted: &Value) -> Option<Ordering> {
    match (found, wanted) {
        (Value::String(found), Value::String(wanted)) => Some(found.cmp(wanted)),
        (Value::Number(_) | Value::String(_), Value::Number(_) | Value::String(_)) => {
            Some(as_number(found)?.total_cmp(&as_number(wanted)?))
        }
        _ => None,
    }
}
