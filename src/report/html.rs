//! A run as one page of HTML that needs nothing else: no script, no font, no picture from elsewhere. It prints, and it
//! follows the reader's choice of light or dark. Every value is escaped.

use std::fmt::Write as _;

use crate::check::{CheckResult, Counts, Reason, Verdict};

use super::checks::{checks_sheet, figure_words, tone_of};
use super::frameworks::{compliance_table, summary};
use super::junit::xml;
use super::run::Run;
use super::sheet::{Sheet, Tone};
use super::text::{counted, heading, printable, thousands};

/// The most assets listed under a check; the rest is counted.
const MOST_ASSETS: usize = 500;
/// Width of a bar in the units of its picture.
const BAR: f64 = 300.0;

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--line:#d5dae1;--faint:#667;--good:#1a7f4b;--bad:#c22f3b;--unsure:#b07d00;--plain:#8893a3}\
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--paper:#14171b;--line:#343a43;--faint:#98a2b0;--good:#43b77d;--bad:#f0717b;--unsure:#e0b040;--plain:#6b7686}}\
*{box-sizing:border-box}body{margin:0 auto;max-width:100rem;padding:2rem 1.5rem;font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}\
h1{margin:0}h2{margin:2.2rem 0 .6rem;font-size:1.2rem;overflow-wrap:anywhere}p{margin:.3rem 0}.faint{color:var(--faint)}\
table{border-collapse:collapse;width:100%;margin:.6rem 0;font-size:.92rem}th,td{padding:.35rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top;white-space:nowrap}\
.wide{overflow-x:auto}td.w{white-space:normal;overflow-wrap:break-word;min-width:7rem}p.faint{max-width:60rem}\
th{font-size:.78rem;letter-spacing:.03em;color:var(--faint)}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}\
.good{color:var(--good)}.bad{color:var(--bad);font-weight:600}.unsure{color:var(--unsure)}\
.bars{display:grid;grid-template-columns:max-content minmax(6rem,20rem) 1fr;gap:.35rem 1rem;align-items:center;font-size:.88rem;margin-bottom:1rem}\
svg{display:block;width:100%;height:1.1rem;border-radius:3px}\
.f{fill:var(--bad)}.u{fill:var(--unsure)}.p{fill:var(--good)}.e{fill:var(--line)}\
pre{white-space:pre-wrap;overflow-wrap:anywhere;border-left:3px solid var(--line);padding-left:1rem;font-size:.88rem}\
@media(max-width:100rem){table{font-size:.77rem}th,td{padding:.3rem .4rem}th{white-space:normal}td.w{min-width:6.5rem;overflow-wrap:anywhere}}\
@media(max-width:48rem){table{font-size:.88rem}body{padding:1.2rem 1rem}.bars{grid-template-columns:1fr;gap:.15rem}.bars span+svg+span{margin-bottom:.7rem}\
table,tbody,tr{display:block}td,td.w,td.n{white-space:normal;text-align:left;min-width:0}tr.h{display:none}tr{border-bottom:1px solid var(--line);padding:.5rem 0}\
td,td.w,td.n{display:flex;border:0;padding:.1rem 0;overflow-wrap:anywhere}td::before{content:attr(data-h);flex:0 0 8.5rem;font-size:.78rem;letter-spacing:.03em;color:var(--faint);font-weight:400}}\
@media print{body{max-width:none;padding:0}h2{break-after:avoid}tr,svg{break-inside:avoid}details{display:none}details[open]{display:block}}";

/// A run as a page. `audit` answers what auditors ask of each VPC (see `audit_sheet`).
#[must_use]
pub fn html(run: &Run<'_>, audit: Option<&Sheet>) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>Passmuster</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>Passmuster</h1>\n<p class=\"faint\">{}</p>\n",
        text(&run.now.to_string())
    );
    if let Some(compliance) = run.compliance {
        let _ = writeln!(page, "<h2>{}</h2>\n<p>{}</p>", text(&compliance.title), text(&summary(compliance)));
        table(&compliance_table(compliance), &mut page);
    }
    page.push_str("<h2>Checks</h2>\n");
    chart(run.results, &mut page);
    table(&checks_sheet(run.results, run.now), &mut page);
    if let Some(audit) = audit.filter(|audit| !audit.rows.is_empty()) {
        page.push_str("<h2>Each VPC</h2>\n");
        table(audit, &mut page);
    }
    for result in run.results {
        section(run, result, &mut page);
    }
    page.push_str("</body>\n</html>\n");
    page
}

/// A bar for each check: how many of its assets fail, are not known and pass.
fn chart(results: &[CheckResult], page: &mut String) {
    page.push_str(
        "<div class=\"bars\" role=\"group\" aria-label=\"Assets that fail, are not known and pass, for each check\">\n",
    );
    for result in results {
        let _ = writeln!(
            page,
            "<span>{}</span><svg viewBox=\"0 0 {BAR} 18\" preserveAspectRatio=\"none\" aria-hidden=\"true\">",
            text(&result.id)
        );
        bar(result.counts, page);
        let _ = writeln!(page, "</svg><span>{}</span>", text(&bar_words(result)));
    }
    page.push_str("</div>\n");
}

fn bar_words(result: &CheckResult) -> String {
    match &result.figure {
        Some(figure) => format!("{} ({})", result.verdict, figure.found),
        None => {
            let Counts { fail, excepted, unknown, pass } = result.counts;
            let words =
                format!("{} fail, {} unknown, {} pass", thousands(fail), thousands(unknown), thousands(pass));
            if excepted > 0 { format!("{words}, {} accepted", thousands(excepted)) } else { words }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a length on paper")]
fn bar(counts: Counts, page: &mut String) {
    let total = counts.total();
    let _ = writeln!(page, "<rect class=\"e\" width=\"{BAR}\" height=\"18\"/>");
    let mut at = 0.0;
    for (class, count) in [("f", counts.fail), ("u", counts.unknown), ("p", counts.pass)] {
        if count == 0 {
            continue;
        }
        let length = BAR * count as f64 / total as f64;
        let _ = writeln!(page, "<rect class=\"{class}\" x=\"{at:.2}\" width=\"{length:.2}\" height=\"18\"/>");
        at += length;
    }
}

fn section(run: &Run<'_>, result: &CheckResult, page: &mut String) {
    let tone = class(tone_of(result.verdict));
    let _ = writeln!(
        page,
        "<h2>{} <span class=\"{tone}\">{}</span></h2>\n<p>{}</p>",
        text(&result.id),
        result.verdict,
        text(&result.title)
    );
    let check = run.check_of(result);
    if let Some(rationale) = check.and_then(|check| check.rationale.as_ref()) {
        for paragraph in rationale.split("\n\n") {
            let _ = writeln!(page, "<p class=\"faint\">{}</p>", lines(paragraph.trim()));
        }
    }
    if let Some(error) = &result.error {
        let _ = writeln!(page, "<p class=\"bad\">Could not be run: {}</p>", text(error));
    }
    if let Some(figure) = &result.figure {
        let _ = writeln!(page, "<p>{}</p>", text(&figure_words(figure)));
    }
    assets(result, page);
    if !result.unknown_coverage.is_empty() {
        page.push_str("<p class=\"unsure\">Not all was seen:</p>\n<ul>\n");
        for reason in &result.unknown_coverage {
            let _ = writeln!(page, "<li>{}</li>", text(&reason.to_string()));
        }
        page.push_str("</ul>\n");
    }
    let remediation =
        check.and_then(|check| check.remediation.as_ref()).map(|remediation| remediation.guide());
    if let (Some(remediation), Verdict::Fail) = (remediation, result.verdict) {
        let _ = writeln!(
            page,
            "<details><summary>Remediation</summary>\n<pre>{}</pre>\n</details>",
            lines(remediation.trim())
        );
    }
}

fn assets(result: &CheckResult, page: &mut String) {
    if result.findings.is_empty() && result.unknown.is_empty() {
        return;
    }
    page.push_str("<div class=\"wide\">\n<table>\n<tr class=\"h\">");
    for column in ["ASSET", "NAME", "ACCOUNT", "REGION", "VERDICT", "DETAIL"] {
        let _ = write!(page, "<th>{column}</th>");
    }
    page.push_str("</tr>\n");
    let failing = result.findings.iter().map(|finding| (&finding.asset, Verdict::Fail, finding.detail()));
    let unknown = result.unknown.iter().map(|unknown| {
        let why: Vec<String> = unknown.reasons.iter().map(Reason::to_string).collect();
        (&unknown.asset, Verdict::Unknown, why.join("; "))
    });
    for (asset, verdict, detail) in failing.chain(unknown).take(MOST_ASSETS) {
        let or_dash = |value: &Option<String>| text(value.as_deref().unwrap_or("–"));
        let _ = writeln!(
            page,
            "<tr><td data-h=\"ASSET\" title=\"{}\">{}</td><td data-h=\"NAME\" class=\"w\">{}</td><td data-h=\"ACCOUNT\">{}</td>\
             <td data-h=\"REGION\">{}</td><td data-h=\"VERDICT\" class=\"{}\">{verdict}</td><td data-h=\"DETAIL\" class=\"w\">{}</td></tr>",
            text(&asset.id),
            text(asset.short_id()),
            or_dash(&asset.name),
            or_dash(&asset.account_id),
            or_dash(&asset.region),
            class(tone_of(verdict)),
            broken(&text(&detail))
        );
    }
    page.push_str("</table>\n</div>\n");
    let more = (result.findings.len() + result.unknown.len()).saturating_sub(MOST_ASSETS);
    if more > 0 {
        let more = counted(more as u64, &result.covers);
        let _ = writeln!(page, "<p>{} more: the JSON report lists all.</p>", text(&more));
    }
}

fn table(sheet: &Sheet, page: &mut String) {
    page.push_str("<div class=\"wide\">\n<table>\n<tr class=\"h\">");
    for column in &sheet.columns {
        let class = if column.numbers { " class=\"n\"" } else { "" };
        let _ = write!(page, "<th{class}>{}</th>", text(&heading(&column.key)));
    }
    page.push_str("</tr>\n");
    for row in &sheet.rows {
        page.push_str("<tr>");
        for (column, cell) in sheet.columns.iter().zip(row) {
            let number = match column.least {
                _ if column.numbers => "n ",
                Some(_) => "w ",
                None => "",
            };
            let shown = text(&cell.for_people());
            let shown = if column.least.is_some() { broken(&shown) } else { shown };
            let head = text(&heading(&column.key));
            let _ = write!(
                page,
                "<td data-h=\"{head}\" class=\"{number}{}\"><span>{shown}</span></td>",
                class(cell.tone)
            );
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</table>\n</div>\n");
}

fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "",
        Tone::Good => "good",
        Tone::Bad => "bad",
        Tone::Unsure => "unsure",
        Tone::Faint => "faint",
    }
}

/// A value as text of the page.
fn text(value: &str) -> String {
    xml(&printable(value))
}

/// Text of the page that may be broken where a path or an ARN has its joints.
fn broken(text: &str) -> String {
    text.replace('/', "/<wbr>").replace(':', ":<wbr>")
}

/// A value as text of the page, with its own line breaks.
fn lines(value: &str) -> String {
    value.lines().map(text).collect::<Vec<_>>().join("\n")
}
