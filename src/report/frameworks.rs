//! What is said of a framework: a table of controls for people, with the accounts that do not pass, and the same for
//! machines.
//!
//! JSON: `{"at", "exitCode", "framework": {"id", "title", "controls": [{"id", "title", "verdict" | null, "checks": [id],
//! "counts", "accounts": [{"accountId", "verdict", "counts"}]}]}, "checks": [..]}`, the checks as in `checks_json`. The
//! verdict is null where no check answers for the control.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    check::{CheckResult, Compliance, ControlResult, Counts, ExitCode, Framework, Verdict},
    model::Time,
};

use super::checks::tone_of;
use super::machine::{CheckView, CountsView};
use super::sheet::{Cell, Sheet, Style, Tone, pretty};
use super::text::{printable, thousands};

/// What stands for the verdict of a control that no check answers for.
pub(super) const NO_CHECK: &str = "NO_CHECK";

/// One row a framework.
#[must_use]
pub fn framework_list(frameworks: &[Framework]) -> Sheet {
    let mut sheet = Sheet::new(&["framework", "#controls", "#covered", "~title"]);
    for framework in frameworks {
        let covered = framework.controls.iter().filter(|control| !control.checks.is_empty());
        sheet.rows.push(vec![
            Cell::new(framework.id.as_str()),
            Cell::new(framework.controls.len()),
            Cell::new(covered.count()),
            Cell::new(framework.title.as_str()),
        ]);
    }
    sheet
}

/// The controls with their verdicts, under each the accounts in which it fails or is not known.
#[must_use]
pub fn compliance_text(compliance: &Compliance, style: Style) -> String {
    let mut text = format!("{} · {}\n\n", compliance.id, printable(&compliance.title));
    text.push_str(&compliance_table(compliance).table(style));
    let _ = writeln!(text, "\n{}", summary(compliance));
    text
}

/// One row a control for people, under it the accounts in which it fails or is not known.
pub(super) fn compliance_table(compliance: &Compliance) -> Sheet {
    let mut sheet = Sheet::new(&["control", "verdict", "#fail", "#unknown", "#pass", "~"]);
    for result in &compliance.controls {
        let words = match result.verdict {
            Some(_) => result.control.checks.join(", "),
            None => "no check answers for it".to_owned(),
        };
        sheet.rows.push(row(&result.control.id, result.verdict, result.counts, &words));
        for account in &result.accounts {
            if matches!(account.verdict, Verdict::Fail | Verdict::Unknown) {
                let name = format!("  {}", account.account_id);
                sheet.rows.push(row(&name, Some(account.verdict), account.counts, ""));
            }
        }
    }
    sheet
}

/// How many controls there are of each verdict, in words.
pub(super) fn summary(compliance: &Compliance) -> String {
    let count = |verdict: Option<Verdict>| {
        compliance.controls.iter().filter(|result| result.verdict == verdict).count() as u64
    };
    let words = [
        (count(Some(Verdict::Pass)), "pass"),
        (count(Some(Verdict::Fail)), "fail"),
        (count(Some(Verdict::Unknown)), "not known"),
        (count(Some(Verdict::NotApplicable)), "not applicable"),
        (count(Some(Verdict::Error)), "could not be judged"),
        (count(None), "without a check"),
    ];
    let told: Vec<String> = words
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{} {words}", thousands(*count)))
        .collect();
    let total = compliance.controls.len() as u64;
    let noun = if total == 1 { "control" } else { "controls" };
    format!("{} {noun}: {}", thousands(total), told.join(", "))
}

fn row(name: &str, verdict: Option<Verdict>, counts: Counts, words: &str) -> Vec<Cell> {
    let tone = verdict.map_or(Tone::Faint, tone_of);
    let count = |count: u64| Cell::new(count).toned(if count == 0 { Tone::Faint } else { Tone::Plain });
    vec![
        Cell::new(name),
        Cell::new(verdict.map_or(NO_CHECK, Verdict::as_str)).toned(tone),
        count(counts.fail),
        count(counts.unknown),
        count(counts.pass),
        Cell::new(words),
    ]
}

/// One row a control, and one for each account of it.
#[must_use]
pub fn compliance_sheet(compliance: &Compliance) -> Sheet {
    let columns = ["framework", "control", "accountId", "verdict", "#fail", "#unknown", "#pass", "~checks"];
    let mut sheet = Sheet::new(&columns);
    for result in &compliance.controls {
        let mut push = |account: Option<&str>, verdict: Option<Verdict>, counts: Counts| {
            sheet.rows.push(vec![
                Cell::new(compliance.id.as_str()),
                Cell::new(result.control.id.as_str()),
                Cell::new(account.map_or(Value::Null, Value::from)),
                Cell::new(verdict.map_or(NO_CHECK, Verdict::as_str)),
                Cell::new(counts.fail),
                Cell::new(counts.unknown),
                Cell::new(counts.pass),
                Cell::new(result.control.checks.clone()),
            ]);
        };
        push(None, result.verdict, result.counts);
        for account in &result.accounts {
            push(Some(&account.account_id), Some(account.verdict), account.counts);
        }
    }
    sheet
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    at: String,
    exit_code: u8,
    framework: Value,
    checks: Vec<CheckView<'a>>,
}

/// Everything as one JSON object, ending with a newline.
#[must_use]
pub fn compliance_json(
    compliance: &Compliance,
    results: &[CheckResult],
    exit: ExitCode,
    now: Time,
) -> String {
    let controls: Vec<Value> = compliance.controls.iter().map(control_json).collect();
    pretty(&View {
        at: now.to_string(),
        exit_code: exit.code(),
        framework: json!({"id": compliance.id, "title": compliance.title, "controls": controls}),
        checks: results.iter().map(CheckView::of).collect(),
    })
}

/// One JSON object a control and line.
#[must_use]
pub fn compliance_ndjson(compliance: &Compliance) -> String {
    compliance.controls.iter().fold(String::new(), |text, result| format!("{text}{}\n", control_json(result)))
}

fn control_json(result: &ControlResult) -> Value {
    let accounts: Vec<Value> = result
        .accounts
        .iter()
        .map(|account| {
            json!({
                "accountId": account.account_id,
                "verdict": account.verdict.as_str(),
                "counts": CountsView::of(account.counts),
            })
        })
        .collect();
    json!({
        "id": result.control.id,
        "title": result.control.title,
        "verdict": result.verdict.map(Verdict::as_str),
        "checks": result.control.checks,
        "counts": CountsView::of(result.counts),
        "accounts": accounts,
    })
}
