//! A run as Markdown, for pull requests and tickets. Every value is escaped: a name from an inventory is shown, never
//! read as markup.

use std::fmt::Write as _;

use crate::check::{CheckResult, Reason, Verdict};

use super::checks::{checks_sheet, figure_words};
use super::frameworks::{compliance_table, summary};
use super::run::Run;
use super::sheet::{Cell, Sheet};
use super::text::{heading, thousands};

/// The most assets listed under a check; the rest is counted.
const MOST_ASSETS: usize = 100;

/// A run as a page of Markdown.
#[must_use]
pub fn markdown(run: &Run<'_>) -> String {
    let mut page = format!("# Passmuster\n\n{}\n\n", escaped(&run.now.to_string()));
    if let Some(compliance) = run.compliance {
        let _ = writeln!(page, "## {}\n\n{}\n", escaped(&compliance.title), escaped(&summary(compliance)));
        table(&compliance_table(compliance), &mut page);
    }
    page.push_str("## Checks\n\n");
    table(&checks_sheet(run.results, run.now), &mut page);
    for result in run.results {
        section(result, &mut page);
    }
    page
}

fn section(result: &CheckResult, page: &mut String) {
    if matches!(result.verdict, Verdict::Pass | Verdict::NotApplicable) {
        return;
    }
    let _ = writeln!(page, "## {}\n\n{}\n", escaped(&result.id), escaped(&result.title));
    if let Some(error) = &result.error {
        let _ = writeln!(page, "Could not be run: {}\n", escaped(error));
    }
    if let Some(figure) = &result.figure {
        let _ = writeln!(page, "{}\n", escaped(&figure_words(figure)));
    }
    let mut sheet = Sheet::new(&["asset", "name", "account", "region", "verdict", "detail"]);
    let rows = result.findings.iter().map(|finding| (&finding.asset, "FAIL", finding.detail())).chain(
        result.unknown.iter().map(|unknown| {
            let why: Vec<String> = unknown.reasons.iter().map(Reason::to_string).collect();
            (&unknown.asset, "UNKNOWN", why.join("; "))
        }),
    );
    for (asset, verdict, detail) in rows.clone().take(MOST_ASSETS) {
        let text =
            |text: &Option<String>| Cell::new(text.clone().map_or(serde_json::Value::Null, Into::into));
        sheet.rows.push(vec![
            Cell::new(asset.short_id()),
            text(&asset.name),
            text(&asset.account_id),
            text(&asset.region),
            Cell::new(verdict),
            Cell::new(detail),
        ]);
    }
    if !sheet.rows.is_empty() {
        table(&sheet, page);
    }
    let more = rows.count().saturating_sub(MOST_ASSETS);
    if more > 0 {
        let _ = writeln!(page, "{} more: the JSON report lists all.\n", thousands(more as u64));
    }
    for reason in &result.unknown_coverage {
        let _ = writeln!(page, "- not all was seen: {}", escaped(&reason.to_string()));
    }
    if !result.unknown_coverage.is_empty() {
        page.push('\n');
    }
}

fn table(sheet: &Sheet, page: &mut String) {
    let heads: Vec<String> = sheet.columns.iter().map(|column| escaped(&heading(&column.key))).collect();
    let rule: Vec<&str> =
        sheet.columns.iter().map(|column| if column.numbers { "---:" } else { "---" }).collect();
    let _ = writeln!(page, "| {} |\n| {} |", heads.join(" | "), rule.join(" | "));
    for row in &sheet.rows {
        let cells: Vec<String> = row.iter().map(|cell| escaped(&cell.for_people())).collect();
        let _ = writeln!(page, "| {} |", cells.join(" | "));
    }
    page.push('\n');
}

/// Text that Markdown shows as it is: no markup, no HTML, no link, no mention, one line.
pub(super) fn escaped(text: &str) -> String {
    let text = super::text::printable(text);
    text.chars().fold(String::with_capacity(text.len()), |mut safe, letter| {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            // What would mention somebody or become a link by itself.
            '@' => safe.push_str("&#64;"),
            ':' => safe.push_str("&#58;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '!' | '|' | '~'
            | '$' => {
                safe.push('\\');
                safe.push(letter);
            }
            _ => safe.push(letter),
        }
        safe
    })
}
