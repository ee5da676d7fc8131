//! Reads NDJSON: one asset or slice a line. Assets are handed on one by one, so that a large file is never held twice;
//! on an error the receiver throws away what it has, and nothing of a bad file is kept.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use rustc_hash::FxHashMap;

use super::{
    ImportError, SinkError,
    judge::{Entry, Judge, Slices},
    lines::{Lines, Next},
};
use crate::{
    catalog::Catalog,
    model::{Asset, GLOBAL_REGION, SliceKey, SliceState},
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
    let (name, reader) = open(path)?;
    read_ndjson(&name, BufReader::with_capacity(256 * 1024, reader), catalog, limits, on_asset)
}

/// A file, or the standard input for `-`, with the name that stands in messages.
pub(super) fn open(path: &Path) -> Result<(String, Box<dyn Read + Send>), ImportError> {
    if path == Path::new("-") {
        return Ok(("stdin".to_owned(), Box::new(std::io::stdin())));
    }
    let name = path.display().to_string();
    #[expect(clippy::disallowed_methods, reason = "reading files of assets is what this room is for")]
    let file = File::open(path).map_err(|source| ImportError::Read { file: name.clone(), source })?;
    Ok((name, Box::new(file)))
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
    slices: Slices,
    counts: BTreeMap<SliceKey, u64>,
    assets: u64,
}

impl<'a> Reading<'a> {
    fn new(name: &'a str, catalog: &'a Catalog) -> Self {
        Self {
            name,
            catalog,
            seen: FxHashMap::default(),
            slices: Slices::default(),
            counts: BTreeMap::new(),
            assets: 0,
        }
    }

    fn take(
        &mut self,
        line: u64,
        bytes: &[u8],
        on_asset: &mut dyn FnMut(Asset) -> Result<(), SinkError>,
    ) -> Result<(), ImportError> {
        let judge = Judge { name: self.name, catalog: self.catalog };
        let text = judge.text(line, bytes)?;
        if text.is_empty() {
            return Ok(());
        }
        match judge.read(line, text)? {
            Entry::Slice(slice) => self.slices.take(self.name, line, slice),
            Entry::Asset(asset) => {
                self.catalog.check_asset(&asset).map_err(|misfit| judge.misfit(line, misfit))?;
                self.note(line, &asset)?;
                on_asset(asset).map_err(|source| ImportError::Refused {
                    file: self.name.to_owned(),
                    line,
                    source,
                })
            }
        }
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

    fn finish(self) -> FileSummary {
        let mut slices = self.slices.finish();
        for slice in slices.iter_mut().flatten() {
            slice.assets = self.counts.get(&slice.key).copied().unwrap_or(0);
        }
        FileSummary { assets: self.assets, slices }
    }
}
