//! What one line of a file is, whatever it looks like, and what is wrong with one that is neither an asset nor a
//! slice.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{ImportError, slice_line};
use crate::{
    catalog::{AssetMisfit, Catalog},
    model::{Asset, Outcome, SliceKey, SliceState},
};

/// Reads lines of a file by name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judge<'a> {
    /// What stands in the messages.
    pub(super) name: &'a str,
    pub(super) catalog: &'a Catalog,
}

/// What a line holds.
#[derive(Debug)]
pub(super) enum Entry {
    /// An asset that the catalog has not judged yet.
    Asset(Asset),
    Slice(SliceState),
}

impl Judge<'_> {
    /// The line as text, without trailing blanks and, on the first line, without a byte order mark.
    pub(super) fn text<'line>(&self, line: u64, bytes: &'line [u8]) -> Result<&'line str, ImportError> {
        let is_utf16 = bytes.starts_with(&[0xff, 0xfe])
            || bytes.starts_with(&[0xfe, 0xff])
            || bytes.iter().take(4).any(|byte| *byte == 0);
        if line == 1 && is_utf16 {
            return Err(ImportError::Utf16 { file: self.name.to_owned() });
        }
        let text = std::str::from_utf8(bytes).map_err(|error| ImportError::NotUtf8 {
            file: self.name.to_owned(),
            line,
            column: error.valid_up_to() + 1,
        })?;
        let text = if line == 1 { text.strip_prefix('\u{feff}').unwrap_or(text) } else { text };
        // Leading blanks stay, or columns would be off.
        Ok(text.trim_ascii_end())
    }

    /// What a line holds that is not empty.
    pub(super) fn read(&self, line: u64, text: &str) -> Result<Entry, ImportError> {
        let file = || self.name.to_owned();
        let value: Value = serde_json::from_str(text).map_err(|error| self.bad_json(line, text, &error))?;
        if let Value::Object(object) = &value
            && object.get("__typename").and_then(Value::as_str) == Some(slice_line::TYPENAME)
        {
            let slice = slice_line::read(self.catalog, object);
            return slice.map(Entry::Slice).map_err(|source| ImportError::BadSlice {
                file: file(),
                line,
                source,
            });
        }
        let asset = Asset::from_json(value);
        asset.map(Entry::Asset).map_err(|source| ImportError::NotAnAsset { file: file(), line, source })
    }

    /// That an asset does not fit its type.
    pub(super) fn misfit(&self, line: u64, misfit: AssetMisfit) -> ImportError {
        ImportError::Misfit { file: self.name.to_owned(), line, source: Box::new(misfit) }
    }

    fn bad_json(&self, line: u64, text: &str, error: &serde_json::Error) -> ImportError {
        let file = self.name.to_owned();
        if matches!(text.trim_ascii(), "{" | "[") {
            return ImportError::NotLines { file, line };
        }
        let message = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        let message = message.strip_suffix(&place).unwrap_or(&message).to_owned();
        ImportError::BadJson { file, line, column: error.column().max(1), message }
    }
}

/// The slices of a file that is read line by line, each with its line.
#[derive(Debug, Default)]
pub(super) struct Slices(BTreeMap<SliceKey, (u64, SliceState)>);

impl Slices {
    /// Adds the slice of a line.
    pub(super) fn take(&mut self, name: &str, line: u64, slice: SliceState) -> Result<(), ImportError> {
        if let Some((first_line, _)) = self.0.get(&slice.key) {
            let (file, first_line) = (name.to_owned(), *first_line);
            return Err(ImportError::DuplicateSlice { file, line, first_line, key: slice.key });
        }
        self.0.insert(slice.key.clone(), (line, slice));
        Ok(())
    }

    /// The slices, sorted; nothing where there are none.
    pub(super) fn finish(self) -> Option<Vec<SliceState>> {
        let slices: Vec<SliceState> = self.0.into_values().map(|(_, slice)| slice).collect();
        (!slices.is_empty()).then(|| completed(slices))
    }
}

/// Puts slices of lines in order. Where there are two of one key, the line of the first second one and what is wrong.
pub(super) fn sorted_slices(
    name: &str,
    lines: Vec<(u64, SliceState)>,
) -> Result<Option<Vec<SliceState>>, (u64, ImportError)> {
    if lines.is_empty() {
        return Ok(None);
    }
    let mut lines: Vec<(u64, Option<SliceState>)> =
        lines.into_iter().map(|(line, slice)| (line, Some(slice))).collect();
    let mut order: Vec<usize> = (0..lines.len()).collect();
    let at = |place: usize| {
        lines.get(place).and_then(|(line, slice)| slice.as_ref().map(|slice| (&slice.key, *line)))
    };
    // A file is most often sorted as it stands, but for the threads that read it.
    order.sort_by_key(|place| at(*place).map(|(_, line)| line));
    order.sort_by(|one, other| at(*one).cmp(&at(*other)));
    let pairs = order.windows(2).filter_map(|pair| match pair {
        [one, other] => at(*one).zip(at(*other)),
        _ => None,
    });
    let repeated = pairs.filter(|((one, _), (other, _))| one == other).min_by_key(|(_, (_, line))| *line);
    if let Some(((key, first_line), (_, line))) = repeated {
        let (file, key) = (name.to_owned(), key.clone());
        return Err((line, ImportError::DuplicateSlice { file, line, first_line, key }));
    }
    let take = |place: usize| lines.get_mut(place).and_then(|(_, slice)| slice.take());
    Ok(Some(completed(order.into_iter().filter_map(take).collect())))
}

/// A complete slice was complete when it was attempted.
fn completed(mut slices: Vec<SliceState>) -> Vec<SliceState> {
    for slice in &mut slices {
        if slice.outcome == Outcome::Complete && slice.completed_at.is_none() {
            slice.completed_at = slice.attempted_at;
        }
    }
    slices
}
