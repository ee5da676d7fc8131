//! The results of checks for people: a table of verdicts, then what fails and what is not known, and why.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{
    check::{CheckResult, Reason, RestsOn, Verdict},
    model::Time,
};

use super::sheet::{Cell, Sheet, Style, Tone};
use super::text::{age, counted, noun, printable, shortened, thousands};

/// How much a terminal report shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detail {
    /// Failing assets listed under each check; the rest is counted.
    pub assets: usize,
    /// Reasons listed under each check; the rest is counted.
    pub reasons: usize,
}

impl Default for Detail {
    fn default() -> Self {
        Self { assets: 10, reasons: 5 }
    }
}

/// The report on a terminal: the table, then one paragraph a check that fails, is unknown or could not be run.
#[must_use]
pub fn checks_text(results: &[CheckResult], now: Time, style: Style, detail: Detail) -> String {
    let mut text = checks_sheet(results, now).table(style);
    for result in results {
        let paragraph = paragraph(result, style, detail);
        if !paragraph.is_empty() {
            text.push('\n');
            text.push_str(&paragraph);
        }
    }
    text
}

/// One row a check: id, severity, verdict, counts, what the verdict rests on.
#[must_use]
pub fn checks_sheet(results: &[CheckResult], now: Time) -> Sheet {
    let mut sheet = Sheet::new(&["check", "severity", "verdict", "#fail", "#unknown", "#pass", "restsOn"]);
    for result in results {
        let tone = match result.verdict {
            Verdict::Pass => Tone::Good,
            Verdict::Fail | Verdict::Error => Tone::Bad,
            Verdict::Unknown => Tone::Unsure,
            Verdict::NotApplicable => Tone::Faint,
        };
        let count =
            |count: u64, tone: Tone| Cell::new(count).toned(if count == 0 { Tone::Faint } else { tone });
        sheet.rows.push(vec![
            Cell::new(result.id.as_str()),
            Cell::new(result.severity.as_str()),
            Cell::new(result.verdict.as_str()).toned(tone),
            count(result.counts.fail, Tone::Bad),
            count(result.counts.unknown, Tone::Unsure),
            count(result.counts.pass, Tone::Plain),
            Cell::new(rests_on(result, now)),
        ]);
    }
    sheet
}

/// What a verdict rests on, in a few words: `41 VPCs, 66 of 67 slices, 2 min old`.
#[must_use]
pub fn rests_on(result: &CheckResult, now: Time) -> String {
    if let Some(error) = &result.error {
        return printable(&shortened(error, 60));
    }
    if result.unknown_coverage.contains(&Reason::NothingCollected) {
        return Reason::NothingCollected.to_string();
    }
    let mut words = counted(result.counts.total(), &result.covers);
    let RestsOn { slices, oldest } = &result.rests_on;
    match slices {
        Some(slices) if slices.complete == slices.total => {
            let _ = write!(words, ", all {} slices", thousands(slices.total));
        }
        Some(slices) => {
            let _ = write!(words, ", {} of {} slices", thousands(slices.complete), thousands(slices.total));
        }
        None => words.push_str(", a file as it stands"),
    }
    if let Some(oldest) = oldest {
        let _ = write!(words, ", {}", age(now.since(*oldest)));
    }
    words
}

fn paragraph(result: &CheckResult, style: Style, detail: Detail) -> String {
    let mut text = String::new();
    if let Some(error) = &result.error {
        let _ = writeln!(text, "{}: could not be run: {}", result.id, printable(error));
        return text;
    }
    if result.counts.fail > 0 {
        let total = counted(result.counts.total(), &result.covers);
        let verb = if result.counts.fail == 1 { "fails" } else { "fail" };
        let title = printable(&result.title);
        let _ = writeln!(text, "{}: {} of {total} {verb}: {title}", result.id, thousands(result.counts.fail));
        text.push_str(&indented(&findings_sheet(result, detail.assets), style));
        let more = result.findings.len().saturating_sub(detail.assets);
        if more > 0 {
            let _ = writeln!(text, "  .. {} more (-o json lists all)", thousands(more as u64));
        }
    }
    if result.verdict == Verdict::Unknown || result.counts.unknown > 0 || !result.unknown_coverage.is_empty()
    {
        if text.is_empty() {
            let _ = writeln!(text, "{}: {}", result.id, printable(&result.title));
        }
        text.push_str(&unknown_lines(result, detail.reasons));
    }
    text
}

fn findings_sheet(result: &CheckResult, limit: usize) -> Sheet {
    let mut sheet = Sheet::new(&["", "", "", "", ""]);
    for finding in result.findings.iter().take(limit) {
        let asset = &finding.asset;
        let faint = |text: &Option<String>| match text {
            Some(text) => Cell::new(text.as_str()),
            None => Cell::new(serde_json::Value::Null).toned(Tone::Faint),
        };
        sheet.rows.push(vec![
            Cell::new(asset.short_id()).toned(Tone::Bad),
            faint(&asset.name),
            faint(&asset.account_id),
            faint(&asset.region),
            Cell::new(finding.priority.join(", ")),
        ]);
    }
    sheet
}

/// A sheet's rows without its header, set in by two spaces.
fn indented(sheet: &Sheet, style: Style) -> String {
    let width = style.width.map(|width| width.saturating_sub(2));
    let table = sheet.table(Style { width, ..style });
    table.lines().skip(1).fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "  {line}");
        text
    })
}

/// What is not known, by reason: the most frequent reason first.
fn unknown_lines(result: &CheckResult, limit: usize) -> String {
    let mut groups: BTreeMap<String, u64> = BTreeMap::new();
    for reason in result.unknown.iter().flat_map(|unknown| &unknown.reasons) {
        *groups.entry(reason.to_string()).or_default() += 1;
    }
    let mut groups: Vec<(String, u64)> = groups.into_iter().collect();
    groups.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
    let mut text = String::new();
    if result.counts.unknown > 0 {
        let assets = counted(result.counts.unknown, &result.covers);
        let _ = writeln!(text, "  {assets} unknown:");
        for (reason, count) in groups.iter().take(limit) {
            let noun = noun(&result.covers, *count);
            let _ = writeln!(text, "    {} {noun}: {}", thousands(*count), printable(reason));
        }
        if groups.len() > limit {
            let _ = writeln!(text, "    .. {} more reasons (-o json lists all)", groups.len() - limit);
        }
    }
    if !result.unknown_coverage.is_empty() {
        let noun = noun(&result.covers, 2);
        let _ = writeln!(text, "  there may be more {noun} than are known:");
        for reason in result.unknown_coverage.iter().take(limit) {
            let _ = writeln!(text, "    {}", printable(&reason.to_string()));
        }
        if result.unknown_coverage.len() > limit {
            let more = result.unknown_coverage.len() - limit;
            let _ = writeln!(text, "    .. {more} more (-o json lists all)");
        }
    }
    text
}
