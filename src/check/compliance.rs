//! What the results of checks say of a framework: a verdict for each control, as a whole and for each account.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    graph::Graph,
    query::{Engine, Request, run::RunLimits},
};

use super::framework::{Control, Framework};
use super::result::{AssetName, CheckResult, Counts, Reason, Verdict};

/// What is said of a framework.
#[derive(Clone, Debug, PartialEq)]
pub struct Compliance {
    /// The framework's id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// In the order of the framework.
    pub controls: Vec<ControlResult>,
}

/// What is said of one control.
#[derive(Clone, Debug, PartialEq)]
pub struct ControlResult {
    /// The control.
    pub control: Control,
    /// The verdict of all its checks together; nothing where no check answers for it.
    pub verdict: Option<Verdict>,
    /// How many assets, over all its checks: one that two checks judge counts twice.
    pub counts: Counts,
    /// By account, sorted; none for checks with one verdict as a whole.
    pub accounts: Vec<AccountResult>,
}

/// What is said of one control in one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountResult {
    /// The account that owns the assets.
    pub account_id: String,
    /// The verdict of all checks of the control together.
    pub verdict: Verdict,
    /// How many assets.
    pub counts: Counts,
}

/// Judges a framework by the results of its checks over a graph.
#[must_use]
pub fn comply(framework: &Framework, results: &[CheckResult], engine: &Engine, graph: &Graph) -> Compliance {
    let mut owned: BTreeMap<&str, BTreeMap<String, u64>> = BTreeMap::new();
    for result in results {
        owned.entry(&result.covers).or_insert_with(|| assets_by_account(&result.covers, engine, graph));
    }
    let by_check: BTreeMap<&str, Accounts> = results
        .iter()
        .map(|result| (result.id.as_str(), of_accounts(result, owned.get(result.covers.as_str()))))
        .collect();
    let controls = framework.controls.iter().map(|control| {
        let results: Vec<&CheckResult> =
            control.checks.iter().filter_map(|id| results.iter().find(|result| result.id == *id)).collect();
        let mut accounts: BTreeMap<&str, Vec<(Verdict, Counts)>> = BTreeMap::new();
        for (account, told) in results.iter().filter_map(|result| by_check.get(result.id.as_str())).flatten()
        {
            accounts.entry(account).or_default().push(*told);
        }
        ControlResult {
            control: control.clone(),
            verdict: together(results.iter().map(|result| result.verdict)),
            counts: sum(results.iter().map(|result| result.counts)),
            accounts: accounts
                .into_iter()
                .filter_map(|(account, told)| {
                    Some(AccountResult {
                        account_id: account.to_owned(),
                        verdict: together(told.iter().map(|(verdict, _)| *verdict))?,
                        counts: sum(told.iter().map(|(_, counts)| *counts)),
                    })
                })
                .collect(),
        }
    });
    Compliance { id: framework.id.clone(), title: framework.title.clone(), controls: controls.collect() }
}

/// What one check says of each account.
type Accounts = BTreeMap<String, (Verdict, Counts)>;

/// How many assets of a type each account owns.
fn assets_by_account(typename: &str, engine: &Engine, graph: &Graph) -> BTreeMap<String, u64> {
    let catalog = engine.catalog();
    let plural = catalog.find(typename).map(|(_, of)| of.plural.clone()).unwrap_or_default();
    let query = format!("{plural}Group(by: [accountId]) {{ count key {{ accountId }} }}");
    let response = engine.execute(graph, &Request::new(query), &RunLimits::unlimited());
    let body: Value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
    let groups = body.pointer(&format!("/data/{plural}Group")).and_then(Value::as_array).cloned();
    let entry = |group: &Value| {
        let account = group.pointer("/key/accountId")?.as_str()?.to_owned();
        Some((account, group.get("count")?.as_u64()?))
    };
    groups.iter().flatten().filter_map(entry).collect()
}

fn of_accounts(result: &CheckResult, owned: Option<&BTreeMap<String, u64>>) -> Accounts {
    let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
    if result.figure.is_some() || result.error.is_some() {
        return Accounts::new();
    }
    for (account, total) in owned.into_iter().flatten() {
        counts.entry(account.clone()).or_default().pass = *total;
    }
    let mut moved = |asset: &AssetName, to: fn(&mut Counts) -> &mut u64| {
        if let Some(account) = &asset.account_id {
            let counts = counts.entry(account.clone()).or_default();
            counts.pass = counts.pass.saturating_sub(1);
            *to(counts) += 1;
        }
    };
    result.findings.iter().for_each(|finding| moved(&finding.asset, |counts| &mut counts.fail));
    let excepted = result.excepted.iter().map(|excepted| &excepted.finding.asset);
    excepted.for_each(|asset| moved(asset, |counts| &mut counts.excepted));
    result.unknown.iter().for_each(|unknown| moved(&unknown.asset, |counts| &mut counts.unknown));
    let open: BTreeSet<&str> = result
        .unknown_coverage
        .iter()
        .filter_map(Reason::slice)
        .map(|slice| slice.account_id.as_str())
        .collect();
    for account in &open {
        counts.entry((*account).to_owned()).or_default();
    }
    counts
        .into_iter()
        .map(|(account, counts)| {
            let is_open = open.contains(account.as_str());
            let verdict = Verdict::of(counts, is_open);
            (account, (verdict, counts))
        })
        .collect()
}

/// The verdict of several together: the worst that is certain, then what is not known.
fn together(verdicts: impl Iterator<Item = Verdict>) -> Option<Verdict> {
    let verdicts: Vec<Verdict> = verdicts.collect();
    let worst_first =
        [Verdict::Error, Verdict::Fail, Verdict::Unknown, Verdict::Pass, Verdict::NotApplicable];
    worst_first.into_iter().find(|verdict| verdicts.contains(verdict))
}

fn sum(counts: impl Iterator<Item = Counts>) -> Counts {
    counts.fold(Counts::default(), |sum, counts| Counts {
        fail: sum.fail + counts.fail,
        excepted: sum.excepted + counts.excepted,
        unknown: sum.unknown + counts.unknown,
        pass: sum.pass + counts.pass,
    })
}
