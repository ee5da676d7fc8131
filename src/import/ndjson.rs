//! Reads NDJSON: one asset or slice a line. Assets are handed on one by one, so that a large file is never held twice;
//! on an error the receiver throws away what it has, and nothing of a bad file is kept.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use rustc_hash::FxHashMap;
use serde_json::Value;

use super::{
    ImportError, SinkError,
    lines::{Lines, Next},
    slice_line,
};
use crate::{
    catalog::Catalog,
    model::{Asset, GLOBAL_REGION, Outcome, SliceKey, SliceState},
};

/// The bounds of a file.
#[derive(Clone, Copy, Debug)]
pub struct ImportLimits {
    /// The most bytes of one line.
    pub line_bytes: usize,
}

impl Default for ImportLimits {
    fn default() -> Self {
        Self { line_bytes: 16 * 1024 * 1024 }
    }
}

/// What a file held, besides its assets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileSummary {
    /// How many assets it held.
    pub assets: u64,
    /// The slices it declares, sorted; nothing where it declares none, and so counts as complete as it stands.
    pub slices: Option<Vec<SliceState>>,
}

/// Reads a file from the disk, `-` for the standard input.
///
/// # Errors
/// As [`read_ndjson`].
pub fn read_file(
    path: &Path,
    catalog: &Catalog,
    limits: ImportLimits,
    on_asset: &mut dyn FnMut(Asset) -> Result<(), SinkError>,
) -> Result<FileSummary, ImportError> {
    if path == Path::new("-") {
        return read_ndjson("stdin", std::io::stdin().lock(), catalog, limits, on_asset);
    }
    let name = path.display().to_string();
    #[expect(clippy::disallowed_methods, reason = "reading files of assets is what this room is for")]
    let file = File::open(path).map_err(|source| ImportError::Read { file: name.clone(), source })?;
    read_ndjson(&name, BufReader::with_capacity(256 * 1024, file), catalog, limits, on_asset)
}

/// Reads NDJSON and hands on every asset, judged against the catalog. `name` stands in the messages.
///
/// # Errors
/// The first line that is not an asset or a slice, or stands there twice; whatever was handed on is then to be
/// thrown away.
pub fn read_ndjson(
    name: &str,
    reader: impl BufRead,
    catalog: &Catalog,
    limits: ImportLimits,
    on_asset: &mut dyn FnMut(Asset) -> Result<(), SinkError>,
) -> Result<FileSummary, ImportError> {
    let mut lines = Lines::new(reader, limits.line_bytes);
    let mut reading = Reading::new(name, catalog);
    loop {
        match lines.next().map_err(|source| ImportError::Read { file: name.to_owned(), source })? {
            Next::End => return Ok(reading.finish()),
            Next::TooLong(line) => {
                let (file, limit_bytes) = (name.to_owned(), limits.line_bytes);
                return Err(ImportError::LineTooLong { file, line, limit_bytes });
            }
            Next::Line(line, bytes) => reading.take(line, bytes, on_asset)?,
        }
    }
}

/// What has been read so far.
struct Reading<'a> {
    name: &'a str,
    catalog: &'a Catalog,
    /// The line of every (type, id). Digests, not the texts: ids are half of a large file.
    seen: FxHashMap<[u8; 16], u64>,
    slices: Vec<(u64, SliceState)>,
    counts: FxHashMap<SliceKey, u64>,
    assets: u64,
}

impl<'a> Reading<'a> {
    fn new(name: &'a str, catalog: &'a Catalog) -> Self {
        Self {
            name,
            catalog,
            seen: FxHashMap::default(),
            slices: Vec::new(),
            counts: FxHashMap::default(),
            assets: 0,
        }
    }

    fn take(
        &mut self,
        line: u64,
        bytes: &[u8],
        on_asset: &mut dyn FnMut(Asset) -> Result<(), SinkError>,
    ) -> Result<(), ImportError> {
        let text = self.text(line, bytes)?;
        if text.is_empty() {
            return Ok(());
        }
        let file = || self.name.to_owned();
        let value: Value = serde_json::from_str(text).map_err(|error| self.bad_json(line, text, &error))?;
        if let Value::Object(object) = &value
            && object.get("__typename").and_then(Value::as_str) == Some(slice_line::TYPENAME)
        {
            let slice = slice_line::read(self.catalog, object).map_err(|source| ImportError::BadSlice {
                file: file(),
                line,
                source,
            })?;
            return self.take_slice(line, slice);
        }
        let asset = Asset::from_json(value).map_err(|source| ImportError::NotAnAsset {
            file: file(),
            line,
            source,
        })?;
        self.catalog.check_asset(&asset).map_err(|source| ImportError::Misfit {
            file: file(),
            line,
            source: Box::new(source),
        })?;
        self.note(line, &asset)?;
        on_asset(asset).map_err(|source| ImportError::Refused { file: self.name.to_owned(), line, source })
    }

    /// The line as text, without trailing blanks and, on the first line, without a byte order mark.
    fn text<'line>(&self, line: u64, bytes: &'line [u8]) -> Result<&'line str, ImportError> {
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

    /// Refuses the second of two assets with one type and id, and counts the asset for its slice.
    fn note(&mut self, line: u64, asset: &Asset) -> Result<(), ImportError> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(asset.typename.as_bytes()).update(&[0]).update(asset.id.as_bytes());
        let mut digest = [0; 16];
        hasher.finalize_xof().fill(&mut digest);
        if let Some(first_line) = self.seen.insert(digest, line) {
            return Err(ImportError::DuplicateAsset {
                file: self.name.to_owned(),
                line,
                first_line,
                typename: asset.typename.clone(),
                id: asset.id.clone(),
            });
        }
        self.assets += 1;
        if let Some(account_id) = asset.account_id() {
            let region = asset.region().unwrap_or(GLOBAL_REGION);
            *self.counts.entry(SliceKey::new(account_id, region, asset.typename.as_str())).or_default() += 1;
        }
        Ok(())
    }

    fn take_slice(&mut self, line: u64, slice: SliceState) -> Result<(), ImportError> {
        // The list is short (accounts x regions x types) and its order shows in the message only.
        if let Some((first_line, known)) = self.slices.iter().find(|(_, known)| known.key == slice.key) {
            return Err(ImportError::DuplicateSlice {
                file: self.name.to_owned(),
                line,
                first_line: *first_line,
                key: known.key.clone(),
            });
        }
        self.slices.push((line, slice));
        Ok(())
    }

    fn finish(self) -> FileSummary {
        if self.slices.is_empty() {
            return FileSummary { assets: self.assets, slices: None };
        }
        let mut slices: Vec<_> = self.slices.into_iter().map(|(_, slice)| slice).collect();
        slices.sort_by(|left, right| left.key.cmp(&right.key));
        for slice in &mut slices {
            slice.assets = self.counts.get(&slice.key).copied().unwrap_or(0);
            // A complete slice was complete when it was attempted.
            if slice.outcome == Outcome::Complete && slice.completed_at.is_none() {
                slice.completed_at = slice.attempted_at;
            }
        }
        FileSummary { assets: self.assets, slices: Some(slices) }
    }
}
