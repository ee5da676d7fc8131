//! JUnit XML, as Ant writes it and CI servers read it: a suite for each check, a case for each asset that fails or is
//! not known. What is not known is an error, not a pass: nobody knows whether it would fail.

use std::fmt::Write as _;

use crate::check::{CheckResult, Verdict};

use super::run::{Run, Statement, called};

/// A run as one XML document.
#[must_use]
pub fn junit(run: &Run<'_>) -> String {
    let mut body = String::new();
    let mut totals = [0; 3];
    for (index, result) in run.results.iter().enumerate() {
        let counts = suite(run, index, result, &mut body);
        for (total, count) in totals.iter_mut().zip(counts) {
            *total += count;
        }
    }
    let [tests, failures, errors] = totals;
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"passmuster\" tests=\"{tests}\" failures=\"{failures}\" \
         errors=\"{errors}\" time=\"0\">\n{body}</testsuites>\n"
    )
}

/// Writes a suite; returns how many cases it has, how many of them are failures and how many errors.
fn suite(run: &Run<'_>, index: usize, result: &CheckResult, body: &mut String) -> [usize; 3] {
    let statements = run.statements(result);
    let count = |verdicts: &[Verdict]| {
        let counted = statements.iter().filter(|statement| statement.accepted.is_none());
        counted.filter(|statement| verdicts.contains(&statement.verdict)).count()
    };
    let passing = usize::from(result.counts.pass > 0 && result.verdict != Verdict::Pass);
    let tests = statements.len() + passing;
    let failures = count(&[Verdict::Fail]);
    let errors = count(&[Verdict::Unknown, Verdict::Error]);
    let accepted = statements.iter().filter(|statement| statement.accepted.is_some()).count();
    let skipped = count(&[Verdict::NotApplicable]) + accepted;
    let id = xml(&result.id);
    // To the second and without a zone, as the format has it; the time is UTC.
    let time: String = run.now.to_string().chars().take(19).collect();
    let _ = writeln!(
        body,
        "  <testsuite name=\"{id}\" package=\"{id}\" id=\"{index}\" tests=\"{tests}\" failures=\"{failures}\" \
         errors=\"{errors}\" skipped=\"{skipped}\" timestamp=\"{time}\" hostname=\"localhost\" time=\"0\">"
    );
    body.push_str("    <properties>\n");
    for (name, value) in [("title", result.title.as_str()), ("severity", result.severity.as_str())] {
        let _ = writeln!(body, "      <property name=\"{name}\" value=\"{}\"/>", xml(value));
    }
    body.push_str("    </properties>\n");
    for statement in &statements {
        case(statement, body);
    }
    if passing > 0 {
        let name = format!("{} that pass", super::text::counted(result.counts.pass, &result.covers));
        let _ = writeln!(body, "    <testcase classname=\"{id}\" name=\"{}\" time=\"0\"/>", xml(&name));
    }
    body.push_str("    <system-out></system-out>\n    <system-err></system-err>\n  </testsuite>\n");
    [tests, failures, errors]
}

fn case(statement: &Statement<'_>, body: &mut String) {
    let name = statement.asset.map_or_else(|| statement.result.title.clone(), called);
    let message = xml(&statement.message);
    let _ = write!(
        body,
        "    <testcase classname=\"{}\" name=\"{}\" time=\"0\"",
        xml(&statement.result.id),
        xml(&name)
    );
    let _ = match statement.verdict {
        Verdict::Pass => writeln!(body, "/>"),
        _ if statement.accepted.is_some() => {
            writeln!(body, ">\n      <skipped/>\n    </testcase>")
        }
        Verdict::NotApplicable => writeln!(body, ">\n      <skipped/>\n    </testcase>"),
        Verdict::Fail | Verdict::Unknown | Verdict::Error => {
            let element = if statement.verdict == Verdict::Fail { "failure" } else { "error" };
            let detail = statement.asset.map_or_else(String::new, |asset| xml(&asset.id));
            writeln!(
                body,
                ">\n      <{element} type=\"{}\" message=\"{message}\">{detail}</{element}>\n    </testcase>",
                statement.verdict.as_str()
            )
        }
    };
}

/// Text for an attribute or an element; characters that XML 1.0 has no place for become U+FFFD.
pub(super) fn xml(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut safe, letter| {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\t' => safe.push_str("&#9;"),
            '\n' => safe.push_str("&#10;"),
            '\r' => safe.push_str("&#13;"),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            _ => safe.push(letter),
        }
        safe
    })
}
