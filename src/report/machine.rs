//! The results of checks for machines. The shapes are stable: keys are only ever added.
//!
//! JSON: `{"at": time, "exitCode": n, "checks": [{"id", "title", "severity", "covers", "verdict",
//! "counts": {"fail", "excepted", "unknown", "pass"}, "restsOn": {"slices": {"complete", "total"} | null, "oldest": time | null},
//! "findings": [{asset.., "priority": [..], "since": time | null}], "excepted": [{finding.., "exceptionId"}], "unknown": [{asset.., "reasons": [reason]}], "unknownCoverage":
//! [reason], "figure": {"expected", "found": {"least", "most"} | {"value"}, "exceptionId" where it
//! is accepted} where there is one, "error": text | null}]}`, an asset being `typename, id, nativeId, name, accountId, region` and a reason
//! `code, message, remedy, assetType, accountId, region`. Times are RFC 3339 in UTC.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    check::{AssetName, CheckResult, Counts, ExitCode, Figure, Finding, Found, Reason, UnknownAsset},
    model::Time,
};

use super::checks::figure_words;
use super::sheet::{Cell, Sheet, pretty};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    at: String,
    exit_code: u8,
    checks: Vec<CheckView<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CheckView<'a> {
    id: &'a str,
    title: &'a str,
    severity: &'a str,
    covers: &'a str,
    verdict: &'a str,
    counts: CountsView,
    rests_on: RestsOnView,
    findings: Vec<FindingView<'a>>,
    excepted: Vec<ExceptedView<'a>>,
    unknown: Vec<UnknownView<'a>>,
    unknown_coverage: Vec<ReasonView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    figure: Option<FigureView<'a>>,
    error: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FigureView<'a> {
    expected: &'a str,
    found: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception_id: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct CountsView {
    fail: u64,
    excepted: u64,
    unknown: u64,
    pass: u64,
}

#[derive(Serialize)]
struct RestsOnView {
    slices: Option<SlicesView>,
    oldest: Option<String>,
}

#[derive(Serialize)]
struct SlicesView {
    complete: u64,
    total: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AssetView<'a> {
    typename: &'a str,
    id: &'a str,
    native_id: Option<&'a str>,
    name: Option<&'a str>,
    account_id: Option<&'a str>,
    region: Option<&'a str>,
}

#[derive(Serialize)]
struct FindingView<'a> {
    #[serde(flatten)]
    asset: AssetView<'a>,
    priority: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    since: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExceptedView<'a> {
    #[serde(flatten)]
    finding: FindingView<'a>,
    exception_id: &'a str,
}

#[derive(Serialize)]
pub(super) struct UnknownView<'a> {
    #[serde(flatten)]
    asset: AssetView<'a>,
    reasons: Vec<ReasonView<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReasonView<'a> {
    code: &'a str,
    message: String,
    remedy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asset_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
}

/// All results as one JSON object, ending with a newline.
#[must_use]
pub fn checks_json(results: &[CheckResult], exit: ExitCode, now: Time) -> String {
    let checks = results.iter().map(CheckView::of).collect();
    pretty(&Report { at: now.to_string(), exit_code: exit.code(), checks })
}

/// One JSON object a check and line: the entries of `checks` in [`checks_json`].
#[must_use]
pub fn checks_ndjson(results: &[CheckResult]) -> String {
    results.iter().fold(String::new(), |mut text, result| {
        text.push_str(&serde_json::to_string(&CheckView::of(result)).unwrap_or_default());
        text.push('\n');
        text
    })
}

/// One CSV line for each failing and each unknown asset, and one without an asset for a check with neither.
#[must_use]
pub fn checks_csv(results: &[CheckResult]) -> String {
    let mut sheet = Sheet::new(&[
        "check",
        "severity",
        "verdict",
        "status",
        "typename",
        "nativeId",
        "name",
        "accountId",
        "region",
        "id",
        "detail",
    ]);
    for result in results {
        let mut push = |status: &str, asset: Option<&AssetName>, detail: Vec<String>| {
            let asset_cell = |read: fn(&AssetName) -> Option<&str>| {
                Cell::new(asset.and_then(read).map_or(Value::Null, Value::from))
            };
            sheet.rows.push(vec![
                Cell::new(result.id.as_str()),
                Cell::new(result.severity.as_str()),
                Cell::new(result.verdict.as_str()),
                Cell::new(status),
                asset_cell(|asset| Some(&asset.typename)),
                asset_cell(|asset| asset.native_id.as_deref()),
                asset_cell(|asset| asset.name.as_deref()),
                asset_cell(|asset| asset.account_id.as_deref()),
                asset_cell(|asset| asset.region.as_deref()),
                asset_cell(|asset| Some(&asset.id)),
                Cell::new(json!(detail.join("; "))),
            ]);
        };
        for finding in &result.findings {
            let detail = finding.priority.iter().chain(&finding.message).cloned().collect();
            push("FAIL", Some(&finding.asset), detail);
        }
        for excepted in &result.excepted {
            let detail = vec![excepted.exception_id.clone()];
            push("EXCEPTED", Some(&excepted.finding.asset), detail);
        }
        let accepted = result.figure.as_ref().filter(|figure| figure.accepted_by.is_some());
        if let Some(figure) = accepted {
            push("EXCEPTED", None, vec![figure_words(figure)]);
        }
        for unknown in &result.unknown {
            push("UNKNOWN", Some(&unknown.asset), unknown.reasons.iter().map(Reason::to_string).collect());
        }
        let is_told =
            !(result.findings.is_empty() && result.excepted.is_empty() && result.unknown.is_empty());
        if !is_told && accepted.is_none() {
            let coverage = result.unknown_coverage.iter().map(Reason::to_string);
            let figure = result.figure.iter().map(figure_words);
            let detail = result.error.iter().cloned().chain(figure).chain(coverage).collect();
            push(result.verdict.as_str(), None, detail);
        }
    }
    sheet.csv()
}

impl CountsView {
    pub(super) fn of(counts: Counts) -> Self {
        Self { fail: counts.fail, excepted: counts.excepted, unknown: counts.unknown, pass: counts.pass }
    }
}

impl<'a> CheckView<'a> {
    pub(super) fn of(result: &'a CheckResult) -> Self {
        Self {
            id: &result.id,
            title: &result.title,
            severity: result.severity.as_str(),
            covers: &result.covers,
            verdict: result.verdict.as_str(),
            counts: CountsView::of(result.counts),
            rests_on: RestsOnView {
                slices: result
                    .rests_on
                    .slices
                    .map(|slices| SlicesView { complete: slices.complete, total: slices.total }),
                oldest: result.rests_on.oldest.map(|time| time.to_string()),
            },
            findings: result.findings.iter().map(FindingView::of).collect(),
            excepted: result
                .excepted
                .iter()
                .map(|excepted| ExceptedView {
                    finding: FindingView::of(&excepted.finding),
                    exception_id: &excepted.exception_id,
                })
                .collect(),
            unknown: result.unknown.iter().map(UnknownView::of).collect(),
            unknown_coverage: result.unknown_coverage.iter().map(ReasonView::of).collect(),
            figure: result.figure.as_ref().map(FigureView::of),
            error: result.error.as_deref(),
        }
    }
}

impl<'a> UnknownView<'a> {
    pub(super) fn of(unknown: &'a UnknownAsset) -> Self {
        Self {
            asset: AssetView::of(&unknown.asset),
            reasons: unknown.reasons.iter().map(ReasonView::of).collect(),
        }
    }
}

impl<'a> FindingView<'a> {
    fn of(finding: &'a Finding) -> Self {
        Self {
            asset: AssetView::of(&finding.asset),
            priority: &finding.priority,
            message: finding.message.as_deref(),
            since: finding.since.map(|since| since.to_string()),
        }
    }
}

impl<'a> FigureView<'a> {
    fn of(figure: &'a Figure) -> Self {
        let found = match &figure.found {
            Found::Count { least, most } => json!({"least": least, "most": most}),
            Found::Value(value) => json!({ "value": value }),
        };
        Self { expected: &figure.expected, found, exception_id: figure.accepted_by.as_deref() }
    }
}

impl<'a> AssetView<'a> {
    pub(super) fn of(asset: &'a AssetName) -> Self {
        Self {
            typename: &asset.typename,
            id: &asset.id,
            native_id: asset.native_id.as_deref(),
            name: asset.name.as_deref(),
            account_id: asset.account_id.as_deref(),
            region: asset.region.as_deref(),
        }
    }
}

impl<'a> ReasonView<'a> {
    fn of(reason: &'a Reason) -> Self {
        let slice = reason.slice();
        Self {
            code: reason.code(),
            message: reason.to_string(),
            remedy: reason.remedy(),
            asset_type: slice.map(|slice| slice.asset_type.as_str()),
            account_id: slice.map(|slice| slice.account_id.as_str()),
            region: slice.map(|slice| slice.region.as_str()),
        }
    }
}
