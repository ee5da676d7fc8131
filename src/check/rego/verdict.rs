//! The verdict of a policy. A policy is not monotone: with more assets in the answer it may deny more, or no longer deny.
//!
//! **Invariant**: where anything that the query looks at was not seen, the verdict is UNKNOWN, whatever the policy says of
//! the rest; so is each covered asset, since which ones it would deny is not known.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::json;

use super::super::{
    definition::Check,
    evaluate::{Rows, coverage, labels, rests_on},
    figure::answer_of,
    names::{Names, Row},
    result::{AssetName, CheckResult, Figure, Finding, Found, Reason, UnknownAsset, Verdict},
};
use super::Policy;
use crate::{
    catalog::TypeId,
    graph::Graph,
    model::Time,
    query::{QueryError, QueryErrorKind, run::unseen},
};

/// The most reasons given for each asset; the check has all.
const MOST_REASONS: usize = 5;

/// Decides what a policy says of a graph.
///
/// # Errors
/// What stopped the query or the policy.
pub(in super::super) fn fill(
    result: &mut CheckResult,
    (check, policy): (&Check, &Policy),
    (graph, names): (&Graph, &Names),
    oldest: Time,
    urgent: &[Rows],
) -> Result<(), Vec<QueryError>> {
    result.unknown_coverage = coverage(graph, unseen(&check.plan, graph, Some(oldest)).iter());
    let covered = covered(graph, names, check.covers);
    if result.unknown_coverage.is_empty() {
        let answer = answer_of(&check.plan, graph)?;
        let answer = String::from_utf8_lossy(&answer);
        let denials = policy.denials(&answer).map_err(|reason| {
            vec![QueryError::new(QueryErrorKind::Invalid { message: format!("{}: {reason}", policy.name) })]
        })?;
        let by_name = by_name(&covered);
        let mut messages: BTreeMap<&Covered, BTreeSet<String>> = BTreeMap::new();
        let mut others = BTreeSet::new();
        for denial in &denials {
            match denial.names.iter().find_map(|text| named_in(text, &by_name)) {
                Some(covered) => messages.entry(covered).or_default().insert(denial.message.clone()),
                None => others.insert(denial.message.clone()),
            };
        }
        let mut findings: Vec<(Vec<bool>, Finding)> = messages
            .into_iter()
            .map(|(covered, told)| {
                let (is_urgent, priority) = labels(check, urgent, covered.row);
                let message = Some(told.into_iter().collect::<Vec<_>>().join("; "));
                (is_urgent, Finding { asset: Arc::clone(&covered.asset), priority, message, since: None })
            })
            .collect();
        // Sorted by asset already.
        findings.sort_by(|(left, _), (right, _)| right.cmp(left));
        result.findings = findings.into_iter().map(|(_, finding)| finding).collect();
        result.counts.fail = result.findings.len() as u64;
        result.counts.pass = (covered.len() - result.findings.len()) as u64;
        if !others.is_empty() {
            let found = Found::Value(json!(others));
            result.figure = Some(Figure { expected: check.expect.to_string(), found, accepted_by: None });
        }
        result.verdict = match (denials.is_empty(), covered.is_empty()) {
            (false, _) => Verdict::Fail,
            (true, true) => Verdict::NotApplicable,
            (true, false) => Verdict::Pass,
        };
    } else {
        let reasons: Arc<[Reason]> = result.unknown_coverage.iter().take(MOST_REASONS).cloned().collect();
        result.counts.unknown = covered.len() as u64;
        result.unknown = covered
            .into_iter()
            .map(|covered| UnknownAsset { asset: covered.asset, reasons: reasons.clone() })
            .collect();
        result.verdict = Verdict::Unknown;
    }
    result.rests_on = rests_on(check, graph, oldest, result);
    Ok(())
}

/// A covered asset and where it stands.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Covered {
    asset: Arc<AssetName>,
    row: Row,
}

/// The assets of a type, in the order of their ids.
pub(in super::super) fn covered_rows(graph: &Graph, of: TypeId) -> impl Iterator<Item = Row> {
    let of_type = |of| graph.table_of(of).map(|(_, table)| table.all_in_id_order().map(move |row| (of, row)));
    graph.catalog().concrete(of).into_iter().filter_map(of_type).flatten()
}

/// The assets of a type, in the order of their names.
fn covered(graph: &Graph, names: &Names, of: TypeId) -> Vec<Covered> {
    let rows = covered_rows(graph, of).filter_map(|row| Some((names.get(row)?, row)));
    let mut covered: Vec<_> =
        rows.map(|((place, name), row)| (place, Covered { asset: Arc::clone(name), row })).collect();
    covered.sort_unstable_by_key(|(place, _)| *place);
    covered.into_iter().map(|(_, covered)| covered).collect()
}

/// Assets by what a policy may call them: the id, and the cloud's own where only one asset has it.
fn by_name(assets: &[Covered]) -> BTreeMap<&str, Option<&Covered>> {
    let mut names: BTreeMap<&str, Option<&Covered>> = BTreeMap::new();
    for covered in assets {
        if let Some(native_id) = covered.asset.native_id.as_deref() {
            names.entry(native_id).and_modify(|named| *named = None).or_insert(Some(covered));
        }
    }
    names.extend(assets.iter().map(|covered| (covered.asset.id.as_str(), Some(covered))));
    names
}

/// The first asset that a text names: as a whole, or as a word of it.
fn named_in<'a>(text: &str, names: &BTreeMap<&str, Option<&'a Covered>>) -> Option<&'a Covered> {
    let is_end = |letter: char| letter.is_whitespace() || "\"'`()[]{}<>,;".contains(letter);
    let find = |word: &str| names.get(word).copied().flatten();
    find(text).or_else(|| {
        let mut words = text.split(is_end);
        words.find_map(|word| find(word).or_else(|| find(word.trim_end_matches(['.', ':', '!', '?']))))
    })
}
