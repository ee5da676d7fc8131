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

/// The slices of a file, sorted, each with its line.
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

    /// The slices, sorted, with how many assets each has; nothing where there are none, and then nobody counts.
    pub(super) fn finish(self, counts: impl FnOnce() -> BTreeMap<SliceKey, u64>) -> Option<Vec<SliceState>> {
        if self.0.is_empty() {
            return None;
        }
        let counts = counts();
        let mut slices: Vec<_> = self.0.into_values().map(|(_, slice)| slice).collect();
        for slice in &mut slices {
            slice.assets = counts.get(&slice.key).copied().unwrap_or(0);
            // A complete slice was complete when it was attempted.
            if slice.outcome == Outcome::Complete && slice.completed_at.is_none() {
                slice.completed_at = slice.attempted_at;
            }
        }
        Some(slices)
    }
}
