//! What the other commands print: the checks there are, one check in full, how its cases went, and slices.

use std::{collections::BTreeSet, fmt::Write as _};

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    check::{CaseOutcome, Check, Remediation},
    model::{Outcome, SliceState, Time},
};

use super::sheet::{Cell, Sheet, Tone, pretty};
use super::text::{age, counted, printable, thousands};

/// One row a check.
#[must_use]
pub fn check_list(checks: &[Check]) -> Sheet {
    let mut sheet = Sheet::new(&["check", "severity", "covers", "maxAge", "schedule", "#cases", "~title"]);
    for check in checks {
        sheet.rows.push(vec![
            Cell::new(check.id.as_str()),
            Cell::new(check.severity.as_str()),
            Cell::new(check.covers_name.as_str()),
            Cell::new(check.max_age.to_string()),
            Cell::new(check.schedule.as_ref().map_or(Value::Null, |schedule| schedule.to_string().into())),
            Cell::new(check.cases.len()),
            Cell::new(check.title.as_str()),
        ]);
    }
    sheet
}

/// One check in full, for people.
#[must_use]
pub fn check_page(check: &Check) -> String {
    let mut page = String::new();
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(page, "{name:<12}{}", printable(value));
    };
    line("id", &check.id);
    line("title", &check.title);
    line("severity", check.severity.as_str());
    line("covers", &check.covers_name);
    line("expect", &check.expect.to_string());
    line("max age", &check.max_age.to_string());
    if let Some(schedule) = &check.schedule {
        line("schedule", &schedule.to_string());
    }
    line("rests on", &format!("slices of {}", check.touches.join(", ")));
    for rule in &check.priority {
        line("priority", &format!("{}: {}", rule.label, rule.filter));
    }
    for (framework, ids) in &check.controls {
        line("control", &format!("{framework}: {}", ids.join(", ")));
    }
    line("cases", &thousands(check.cases.len() as u64));
    line("file", &check.file);
    let mut section = |name: &str, text: &str| {
        let _ = writeln!(page, "\n{name}\n");
        for line in text.trim_end().lines() {
            let line = printable(line);
            let _ = writeln!(page, "{}", format!("    {line}").trim_end());
        }
    };
    section("QUERY", &check.query);
    if let Some(rationale) = &check.rationale {
        section("RATIONALE", rationale);
    }
    if let Some(remediation) = &check.remediation {
        section("REMEDIATION", remediation.guide());
    }
    if !check.references.is_empty() {
        section("REFERENCES", &check.references.join("\n"));
    }
    page
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CheckView<'a> {
    id: &'a str,
    title: &'a str,
    severity: &'a str,
    covers: &'a str,
    query: &'a str,
    expect: String,
    schedule: Option<String>,
    max_age: String,
    controls: Value,
    priority: Vec<Value>,
    rationale: Option<&'a str>,
    references: &'a [String],
    remediation: Option<&'a str>,
    rests_on_slices_of: &'a [String],
    cases: Vec<&'a str>,
    file: &'a str,
}

/// One check in full, for machines; ends with a newline.
#[must_use]
pub fn check_json(check: &Check) -> String {
    pretty(&CheckView {
        id: &check.id,
        title: &check.title,
        severity: check.severity.as_str(),
        covers: &check.covers_name,
        query: &check.query,
        expect: check.expect.to_string(),
        schedule: check.schedule.as_ref().map(ToString::to_string),
        max_age: check.max_age.to_string(),
        controls: json!(check.controls),
        priority: check
            .priority
            .iter()
            .map(|rule| json!({"label": rule.label, "where": rule.filter}))
            .collect(),
        rationale: check.rationale.as_deref(),
        references: &check.references,
        remediation: check.remediation.as_deref().map(Remediation::guide),
        rests_on_slices_of: &check.touches,
        cases: check.cases.iter().map(|case| case.name.as_str()).collect(),
        file: &check.file,
    })
}

/// How the cases went: what differs, case by case, and one line that counts.
#[must_use]
pub fn cases_text(outcomes: &[CaseOutcome]) -> String {
    let mut text = String::new();
    let failed = outcomes.iter().filter(|outcome| !outcome.differences.is_empty());
    for outcome in failed.clone() {
        let _ = writeln!(text, "{} {}: {}", outcome.check, outcome.case, printable(&outcome.description));
        for difference in &outcome.differences {
            let _ = writeln!(text, "  {}", printable(&difference.to_string()));
        }
        let _ = writeln!(text, "  in {}", printable(&outcome.file));
    }
    let (total, failed) = (outcomes.len() as u64, failed.count() as u64);
    let passed = thousands(total - failed);
    let _ = match failed {
        0 => writeln!(text, "{passed} cases as expected"),
        _ => writeln!(text, "{passed} of {} cases as expected, {} not", thousands(total), thousands(failed)),
    };
    text
}

/// One row a case.
#[must_use]
pub fn case_list(outcomes: &[CaseOutcome]) -> Sheet {
    let mut sheet = Sheet::new(&["check", "case", "asExpected", "~differences"]);
    for outcome in outcomes {
        let as_expected = outcome.differences.is_empty();
        let tone = if as_expected { Tone::Good } else { Tone::Bad };
        let differences: Vec<String> = outcome.differences.iter().map(ToString::to_string).collect();
        sheet.rows.push(vec![
            Cell::new(outcome.check.as_str()),
            Cell::new(outcome.case.as_str()),
            Cell::new(as_expected).toned(tone),
            Cell::new(differences.join("; ")),
        ]);
    }
    sheet
}

/// One row a slice: what was collected, how it ended and why.
#[must_use]
pub fn slice_list(slices: &[SliceState], now: Time) -> Sheet {
    let mut sheet = Sheet::new(&[
        "accountId",
        "region",
        "assetType",
        "outcome",
        "#assets",
        "completedAt",
        "attemptedAt",
        "api",
        "~reason",
    ]);
    for slice in slices {
        let tone = if slice.outcome == Outcome::Complete { Tone::Good } else { Tone::Unsure };
        let time = |time: Option<Time>| match time {
            Some(time) => Cell::new(time.to_string()).shown_as(age(now.since(time))),
            None => Cell::new(Value::Null).toned(Tone::Faint),
        };
        sheet.rows.push(vec![
            Cell::new(slice.key.account_id.as_str()),
            Cell::new(slice.key.region.as_str()),
            Cell::new(slice.key.asset_type.as_str()),
            Cell::new(slice.outcome.as_str()).shown_as(slice.outcome.word()).toned(tone),
            Cell::new(slice.assets),
            time(slice.completed_at),
            time(slice.attempted_at),
            Cell::new(slice.api.as_str()),
            Cell::new(slice.reason.clone().map_or(Value::Null, Value::from)),
        ]);
    }
    sheet
}

/// What happened to the assets of one collection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Assets that are there now.
    pub assets: u64,
    /// That weren't before.
    pub added: u64,
    /// That are not as they were.
    pub changed: u64,
    /// That are no more.
    pub removed: u64,
}

/// A collection in a few lines: slices by outcome, what changed, and for what is not complete what that means.
/// `slices` are those of this collection.
#[must_use]
pub fn collection_text(slices: &[SliceState], changes: Changes) -> String {
    let count = |outcome: Outcome| slices.iter().filter(|slice| slice.outcome == outcome).count() as u64;
    let mut text = String::new();
    for outcome in Outcome::ALL {
        let mark = match outcome {
            Outcome::Complete => "✔",
            Outcome::Disabled => "○",
            Outcome::Denied | Outcome::Throttled | Outcome::Failed => "✖",
        };
        let count = count(outcome);
        if count > 0 || outcome == Outcome::Complete {
            let gap = if text.is_empty() { "" } else { "   " };
            let _ = write!(text, "{gap}{mark} {} {}", thousands(count), outcome.word());
        }
    }
    let Changes { assets, added, changed, removed } = changes;
    let noun = if assets == 1 { "asset" } else { "assets" };
    let [assets, added, changed, removed] = [assets, added, changed, removed].map(thousands);
    let _ = writeln!(text, "      {assets} {noun}: {added} new, {changed} changed, {removed} gone");
    // An account that lets nobody in has hundreds of slices that all say the same.
    let mut groups: Vec<Vec<&SliceState>> = Vec::new();
    for slice in slices.iter().filter(|slice| slice.outcome != Outcome::Complete) {
        let says_the_same =
            |group: &&mut Vec<&SliceState>| group.first().is_some_and(|first| said(first) == said(slice));
        match groups.iter_mut().find(says_the_same) {
            Some(group) => group.push(slice),
            None => groups.push(vec![slice]),
        }
    }
    for group in &groups {
        let _ = writeln!(text, "! {}", printable(&consequence(group)));
    }
    text
}

/// Whose a slice is and how it ended.
fn said(slice: &SliceState) -> (&str, Outcome, Option<&str>) {
    (&slice.key.account_id, slice.outcome, slice.reason.as_deref())
}

/// What is missing of one account for one reason, and what that makes unknown.
fn consequence(group: &[&SliceState]) -> String {
    let Some(first) = group.first() else { return String::new() };
    let types: BTreeSet<&str> = group.iter().map(|slice| slice.key.asset_type.as_str()).collect();
    let regions: BTreeSet<&str> = group.iter().map(|slice| slice.key.region.as_str()).collect();
    let apis: BTreeSet<&str> = group.iter().map(|slice| slice.api.as_str()).collect();
    let what = if types.len() == 1 {
        let nouns = counted(2, &first.key.asset_type);
        nouns.split_once(' ').map_or(nouns.as_str(), |(_, noun)| noun).to_owned()
    } else {
        format!("{} types", types.len())
    };
    let place = if regions.len() <= 3 {
        regions.into_iter().collect::<Vec<_>>().join(", ")
    } else {
        format!("{} regions", regions.len())
    };
    let why = match &first.reason {
        Some(reason) => format!("{} ({reason})", first.outcome.word()),
        None => first.outcome.word().to_owned(),
    };
    let remedy = match first.outcome {
        Outcome::Denied if apis.len() == 1 && !first.api.is_empty() => format!("; allow {}", first.api),
        _ => String::new(),
    };
    let account = &first.key.account_id;
    format!("{what} of {account} in {place}: {why}; checks that need them answer UNKNOWN there{remedy}")
}
