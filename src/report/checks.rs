//! The results of checks for people: a table of verdicts, then what fails and what is not known, and why.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use crate::{
    check::{AssetName, CheckResult, Figure, Reason, RestsOn, UnknownAsset, Verdict},
    model::Time,
};

use super::sheet::{Cell, Sheet, Style, Tone};
use super::text::{age, counted, day, noun, printable, shortened, thousands};

/// How much a terminal report shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detail {
    /// Failing assets listed under each check; the rest is counted.
    pub assets: usize,
    /// Reasons listed for what is unknown; the rest is counted.
    pub reasons: usize,
}

impl Default for Detail {
    fn default() -> Self {
        Self { assets: 10, reasons: 10 }
    }
}

/// The report on a terminal: the table, then a paragraph for each check that fails or could not be run, then what is
/// not known, by reason, over all checks.
#[must_use]
pub fn checks_text(results: &[CheckResult], now: Time, style: Style, detail: Detail) -> String {
    let mut text = verdicts(results, now, style);
    for result in results {
        let paragraph = paragraph(result, now, style, detail);
        if !paragraph.is_empty() {
            text.push('\n');
            text.push_str(&paragraph);
        }
    }
    let unknown = unknown_text(results, detail.reasons);
    if !unknown.is_empty() {
        text.push('\n');
        text.push_str(&unknown);
    }
    text
}

/// The table; on a terminal too narrow for it, what the verdicts rest on stands below.
fn verdicts(results: &[CheckResult], now: Time, style: Style) -> String {
    let mut sheet = checks_sheet(results, now);
    if sheet.fits(style) {
        return sheet.table(style);
    }
    sheet.columns.pop();
    for row in &mut sheet.rows {
        row.pop();
    }
    let mut text = sheet.table(style);
    let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for result in results {
        groups.entry(rests_on(result, now)).or_default().push(&result.id);
    }
    if let [(words, _)] = groups.iter().collect::<Vec<_>>().as_slice() {
        let _ = writeln!(text, "resting on {words}");
        return text;
    }
    for (words, ids) in groups {
        let _ = writeln!(text, "resting on {words}: {}", ids.join(", "));
    }
    text
}

/// One row a check: id, severity, verdict, counts, what the verdict rests on.
#[must_use]
pub fn checks_sheet(results: &[CheckResult], now: Time) -> Sheet {
    // Where nothing is accepted, as at first, there is nothing to tell apart.
    let tells_excepted = results.iter().any(|result| result.counts.excepted > 0);
    let columns = ["check", "severity", "verdict", "#fail", "#excepted", "#unknown", "#pass", "~restsOn"];
    let columns: Vec<&str> =
        columns.into_iter().filter(|column| tells_excepted || *column != "#excepted").collect();
    let mut sheet = Sheet::new(&columns);
    if let Some(rests_on) = sheet.columns.last_mut() {
        rests_on.least = Some(24);
    }
    for result in results {
        let tone = tone_of(result.verdict);
        let count =
            |count: u64, tone: Tone| Cell::new(count).toned(if count == 0 { Tone::Faint } else { tone });
        let mut row = vec![
            Cell::new(result.id.as_str()),
            Cell::new(result.severity.as_str()),
            Cell::new(result.verdict.as_str()).toned(tone),
            count(result.counts.fail, Tone::Bad),
        ];
        if tells_excepted {
            row.push(count(result.counts.excepted, Tone::Plain));
        }
        row.extend([
            count(result.counts.unknown, Tone::Unsure),
            count(result.counts.pass, Tone::Plain),
            Cell::new(rests_on(result, now)),
        ]);
        sheet.rows.push(row);
    }
    sheet
}

pub(super) fn tone_of(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Pass => Tone::Good,
        Verdict::Fail | Verdict::Error => Tone::Bad,
        Verdict::Unknown => Tone::Unsure,
        Verdict::NotApplicable => Tone::Faint,
    }
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
    let mut words = match &result.figure {
        Some(figure) => {
            let accepted = if figure.accepted_by.is_some() { " (accepted)" } else { "" };
            format!("found {}{accepted}", printable(&shortened(&figure.found.to_string(), 40)))
        }
        None => counted(result.counts.total(), &result.covers),
    };
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

fn paragraph(result: &CheckResult, now: Time, style: Style, detail: Detail) -> String {
    let mut text = String::new();
    if let Some(error) = &result.error {
        let _ = writeln!(text, "{}: could not be run: {}", result.id, printable(error));
        return text;
    }
    if let Some(figure) = &result.figure
        && (result.verdict == Verdict::Fail || figure.accepted_by.is_some())
    {
        let title = printable(&result.title);
        let _ = writeln!(text, "{} · {title} · {}", result.id, printable(&figure_words(figure)));
    }
    if result.counts.fail > 0 {
        let total = counted(result.counts.total(), &result.covers);
        let verb = if result.counts.fail == 1 { "fails" } else { "fail" };
        let fail = thousands(result.counts.fail);
        let _ = writeln!(text, "{} · {} · {fail} of {total} {verb}", result.id, printable(&result.title));
        text.push_str(&indented(&findings_sheet(result, now, detail.assets), style));
        let more = result.findings.len().saturating_sub(detail.assets);
        if more > 0 {
            let _ = writeln!(text, "  .. {} more (-o json lists all)", thousands(more as u64));
        }
    }
    if result.counts.excepted > 0 {
        let verb = if result.counts.excepted == 1 { "is" } else { "are" };
        let excepted = counted(result.counts.excepted, &result.covers);
        let _ = writeln!(
            text,
            "{} · {excepted} {verb} accepted: passmuster findings {} --status excepted",
            result.id, result.id
        );
    }
    text
}

/// What was found and what was expected.
pub(super) fn figure_words(figure: &Figure) -> String {
    let Figure { expected, found, accepted_by } = figure;
    let accepted = accepted_by.as_ref().map(|id| format!(", accepted by {id}")).unwrap_or_default();
    format!("expected {expected}, found {}{accepted}", shortened(&found.to_string(), 200))
}

fn findings_sheet(result: &CheckResult, now: Time, limit: usize) -> Sheet {
    let mut sheet = Sheet::new(&["", "~", "", "", "~", ""]);
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
            Cell::new(finding.detail()),
            // One that has just opened says nothing by that.
            Cell::new(finding.since.filter(|since| *since < now).map_or_else(String::new, since)),
        ]);
    }
    sheet
}

/// Since which day, in words.
fn since(time: Time) -> String {
    format!("since {}", day(time))
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

/// What is not known, by reason, each asset counted once however many checks need it; the most frequent first.
fn unknown_text(results: &[CheckResult], limit: usize) -> String {
    let mut text = String::new();
    let assets: BTreeSet<&AssetName> = unknown_of(results).map(|unknown| &*unknown.asset).collect();
    if !assets.is_empty() {
        let _ = writeln!(text, "Unknown · {}", counted_assets(&assets));
        let mut groups: BTreeMap<&Reason, BTreeSet<&AssetName>> = BTreeMap::new();
        for unknown in unknown_of(results) {
            for reason in unknown.reasons.iter() {
                groups.entry(reason).or_default().insert(&unknown.asset);
            }
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by(|left, right| right.1.len().cmp(&left.1.len()).then_with(|| left.0.cmp(right.0)));
        let lines = groups.iter().map(|(reason, assets)| (format!("{}: ", counted_assets(assets)), *reason));
        push_reasons(&mut text, lines, limit);
    }
    let (whole, listed): (Vec<&CheckResult>, Vec<&CheckResult>) = results
        .iter()
        .filter(|result| !result.unknown_coverage.is_empty())
        .partition(|result| result.figure.is_some());
    let reasons_of = |results: &[&'_ CheckResult]| -> BTreeSet<Reason> {
        results.iter().flat_map(|result| &result.unknown_coverage).cloned().collect()
    };
    if !listed.is_empty() {
        let types: BTreeSet<&str> = listed.iter().map(|result| result.covers.as_str()).collect();
        let nouns: Vec<String> = types.into_iter().map(|of| noun(of, 2)).collect();
        let _ = writeln!(text, "Unknown · there may be more {} than were seen", nouns.join(", "));
        push_reasons(&mut text, reasons_of(&listed).iter().map(|reason| (String::new(), reason)), limit);
    }
    if !whole.is_empty() {
        let ids: Vec<&str> = whole.iter().map(|result| result.id.as_str()).collect();
        let _ = writeln!(text, "Unknown · not all was seen that {} rests on", ids.join(", "));
        push_reasons(&mut text, reasons_of(&whole).iter().map(|reason| (String::new(), reason)), limit);
    }
    text
}

fn unknown_of(results: &[CheckResult]) -> impl Iterator<Item = &UnknownAsset> {
    results.iter().flat_map(|result| &result.unknown)
}

fn counted_assets(assets: &BTreeSet<&AssetName>) -> String {
    let types: BTreeSet<&str> = assets.iter().map(|asset| asset.typename.as_str()).collect();
    let typename = if types.len() == 1 { types.into_iter().next() } else { None };
    counted(assets.len() as u64, typename.unwrap_or("Asset"))
}

/// Appends one line a reason, and under it what makes it known.
fn push_reasons<'r>(text: &mut String, lines: impl Iterator<Item = (String, &'r Reason)>, limit: usize) {
    let lines: Vec<_> = lines.collect();
    for (prefix, reason) in lines.iter().take(limit) {
        let _ = writeln!(text, "  {prefix}{}", printable(&reason.to_string()));
        if let Some(remedy) = reason.remedy() {
            let _ = writeln!(text, "    {}", printable(&remedy));
        }
    }
    if lines.len() > limit {
        let more = thousands((lines.len() - limit) as u64);
        let _ = writeln!(text, "  .. {more} more reasons (-o json lists all)");
    }
}
