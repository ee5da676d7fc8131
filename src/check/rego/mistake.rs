//! What the interpreter says of a policy, as a mistake in its file: it tells `--> file:line:column` and then what is wrong.

use std::ops::Range;

use super::super::{
    error::{CheckError, Problem},
    source::SourceFile,
};

/// A mistake in a policy, at the place that the text names.
pub(super) fn of_text(file: &SourceFile, text: &str) -> CheckError {
    let span = place_of(text).map(|(line, column)| span_at(&file.text, line, column));
    file.error(span.or(Some(0..0)), Problem::Rego { reason: line_of(text) })
}

/// What is wrong, in one line.
pub(super) fn line_of(text: &str) -> String {
    let told = text.lines().find_map(|line| line.trim().strip_prefix("error:"));
    let line = told.or_else(|| text.lines().map(str::trim).find(|line| !line.is_empty()));
    line.unwrap_or("it can't be run").trim().trim_end_matches('.').to_owned()
}

/// Line and column, both counted from 1.
fn place_of(text: &str) -> Option<(usize, usize)> {
    let (_, rest) = text.split_once("--> ")?;
    let mut parts = rest.lines().next()?.rsplitn(3, ':');
    let column = parts.next()?.trim().parse().ok()?;
    let line = parts.next()?.trim().parse().ok()?;
    Some((line, column))
}

/// The word that stands at a line and column.
pub(super) fn span_at(text: &str, line: usize, column: usize) -> Range<usize> {
    let begun: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = text.get(begun..).unwrap_or_default();
    let rest_of_line = rest.lines().next().unwrap_or_default();
    let skipped: usize = rest_of_line.chars().take(column.saturating_sub(1)).map(char::len_utf8).sum();
    let word = rest_of_line.get(skipped..).unwrap_or_default();
    let length = word.find(|letter: char| !(letter.is_alphanumeric() || letter == '_')).unwrap_or(word.len());
    let start = (begun + skipped).min(text.len());
    start..(start + length.max(1)).min(text.len())
}

/// Where one of these functions is named outside a comment for the first time.
pub(super) fn call_of<'n>(text: &str, names: &[&'n str]) -> Option<(Range<usize>, &'n str)> {
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let code = line.split('#').next().unwrap_or_default();
        for name in names {
            let Some(at) = code.find(name) else { continue };
            let after = code.get(at + name.len()..).and_then(|after| after.chars().next());
            if !after.is_some_and(|letter| letter.is_alphanumeric() || letter == '_') {
                return Some((offset + at..offset + at + name.len(), *name));
            }
        }
        offset += line.len();
    }
    None
}

/// Where a word stands for the first time; the beginning where it doesn't.
pub(super) fn word(text: &str, word: &str) -> Range<usize> {
    text.find(word).map_or(0..0, |at| at..at + word.len())
}
