//! Reads NDJSON straight into rows, on several threads: each takes a block of whole lines, reads them into a part of its
//! own, and takes the next. What is refused, and with which words, is what reading line by line refuses.

use std::{
    io::Read,
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use super::{
    FileSummary, ImportError, ImportLimits,
    blocks::Blocks,
    judge::{Entry, Judge, sorted_slices},
    ndjson::open,
    straight::Straight,
};
use crate::{
    catalog::{Catalog, RowBuffer, RowShard, RowTarget},
    model::{
        SliceState,
        parallel::{WORTH_A_THREAD, beside, threads},
    },
};

/// How a file is divided among threads.
#[derive(Clone, Copy, Debug)]
pub struct Division {
    /// How many threads read; a file of one block is read by one.
    pub threads: usize,
    /// About how many bytes a thread takes at a time.
    pub block_bytes: usize,
}

impl Default for Division {
    /// As many threads as the machine runs at once, up to four, and blocks that stay in a cache.
    fn default() -> Self {
        let threads = threads().min(4);
        Self { threads, block_bytes: 1024 * 1024 }
    }
}

/// Reads a file from the disk, `-` for the standard input, into a target.
///
/// # Errors
/// As [`read_rows`].
pub fn read_file_rows<T: RowTarget>(
    path: &Path,
    catalog: &Catalog,
    limits: ImportLimits,
    target: &mut T,
) -> Result<FileSummary, ImportError> {
    let (name, reader) = open(path)?;
    read_rows(&name, reader, catalog, limits, Division::default(), target)
}

/// Reads NDJSON into a target, judged against the catalog. `name` stands in the messages.
///
/// # Errors
/// The first line that is not an asset or a slice, or stands there twice; the target is then to be thrown away.
pub fn read_rows<T: RowTarget>(
    name: &str,
    reader: impl Read + Send,
    catalog: &Catalog,
    limits: ImportLimits,
    division: Division,
    target: &mut T,
) -> Result<FileSummary, ImportError> {
    let source = Source {
        judge: Judge { name, catalog },
        limits,
        blocks: Mutex::new(Blocks::new(reader, division.block_bytes, limits.line_bytes)),
        has_failed: AtomicBool::new(false),
    };
    let parts = source.read_all(division.threads.max(1), &|| target.shard());
    finish(name, parts, target)
}

/// What all threads read from.
struct Source<'a, R> {
    judge: Judge<'a>,
    limits: ImportLimits,
    blocks: Mutex<Blocks<R>>,
    /// Whether a thread has found a mistake: what comes after the blocks that are being read makes no difference.
    has_failed: AtomicBool,
}

/// What one thread has read.
struct Part<S> {
    shard: S,
    assets: u64,
    slices: Vec<(u64, SliceState)>,
    /// The first mistake, and its line.
    failure: Option<(u64, ImportError)>,
}

impl<R: Read + Send> Source<'_, R> {
    fn read_all<S: RowShard>(&self, threads: usize, shard: &dyn Fn() -> S) -> Vec<Part<S>> {
        let mut first = Part { shard: shard(), assets: 0, slices: Vec::new(), failure: None };
        let mut block = Vec::new();
        // A small file is read before a thread would have begun.
        self.read_block(&mut block, &mut Straight::new(self.judge.catalog), &mut first);
        if self.lock().is_at_end() || self.has_failed.load(Ordering::Relaxed) {
            return vec![first];
        }
        let others: Vec<Part<S>> = (1..threads)
            .map(|_| Part { shard: shard(), assets: 0, slices: Vec::new(), failure: None })
            .collect();
        thread::scope(|scope| {
            let others: Vec<_> = others.into_iter().map(|part| scope.spawn(|| self.read_on(part))).collect();
            let first = self.read_on(first);
            let others = others
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            std::iter::once(first).chain(others).collect()
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Blocks<R>> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_on<S: RowShard>(&self, mut part: Part<S>) -> Part<S> {
        let mut straight = Straight::new(self.judge.catalog);
        let mut block = Vec::new();
        loop {
            let is_wanted = !self.has_failed.load(Ordering::Relaxed);
            if !is_wanted || !self.read_block(&mut block, &mut straight, &mut part) {
                return part;
            }
        }
    }

    /// Whether there was a block.
    fn read_block<S: RowShard>(
        &self,
        block: &mut Vec<u8>,
        straight: &mut Straight<'_>,
        part: &mut Part<S>,
    ) -> bool {
        let next = self.lock().next(block);
        let failure = match next {
            Ok(None) => return false,
            Ok(Some(first_line)) => self.read_lines(block, first_line, straight, part),
            Err(source) => Err((u64::MAX, ImportError::Read { file: self.judge.name.to_owned(), source })),
        };
        if let Err(failure) = failure {
            part.failure = Some(failure);
            self.has_failed.store(true, Ordering::Relaxed);
        }
        true
    }

    fn read_lines<S: RowShard>(
        &self,
        block: &[u8],
        first_line: u64,
        straight: &mut Straight<'_>,
        part: &mut Part<S>,
    ) -> Result<(), (u64, ImportError)> {
        // Once for all lines; where it fails, each is asked for itself.
        let whole = simdutf8::basic::from_utf8(block).ok();
        let mut buffer = RowBuffer::default();
        let mut start = 0;
        let mut line = first_line;
        while start < block.len() {
            let rest = block.get(start..).unwrap_or_default();
            let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let end = start + length;
            if length > self.limits.line_bytes {
                let (file, limit_bytes) = (self.judge.name.to_owned(), self.limits.line_bytes);
                return Err((line, ImportError::LineTooLong { file, line, limit_bytes }));
            }
            let plain = whole.filter(|_| line > 1).and_then(|whole| whole.get(start..end));
            match plain.map(str::trim_ascii_end) {
                Some("") => {}
                Some(text) => match straight.read(text, line, &mut buffer) {
                    Some(row) => {
                        part.shard.push(&row);
                        part.assets += 1;
                    }
                    None => match straight.read_slice(text) {
                        Some(slice) => part.slices.push((line, slice)),
                        None => self.read_any(line, text.as_bytes(), part).map_err(|error| (line, error))?,
                    },
                },
                None => {
                    let bytes = rest.get(..length).unwrap_or_default();
                    self.read_any(line, bytes, part).map_err(|error| (line, error))?;
                }
            }
            start = end + 1;
            line += 1;
        }
        Ok(())
    }

    /// Reads a line whatever it looks like.
    #[cold]
    fn read_any<S: RowShard>(&self, line: u64, bytes: &[u8], part: &mut Part<S>) -> Result<(), ImportError> {
        let text = self.judge.text(line, bytes)?;
        if text.is_empty() {
            return Ok(());
        }
        match self.judge.read(line, text)? {
            Entry::Slice(slice) => part.slices.push((line, slice)),
            Entry::Asset(asset) => {
                let mut buffer = RowBuffer::default();
                let row = self.judge.catalog.row_of(&asset, line, &mut buffer);
                part.shard.push(&row.map_err(|misfit| self.judge.misfit(line, misfit))?);
                part.assets += 1;
            }
        }
        Ok(())
    }
}

/// Puts the parts together. Of several mistakes, the one on the first line counts.
fn finish<T: RowTarget>(
    name: &str,
    parts: Vec<Part<T::Shard>>,
    target: &mut T,
) -> Result<FileSummary, ImportError> {
    let mut assets = 0;
    let mut slice_lines = Vec::new();
    let mut shards = Vec::new();
    let mut failure: Option<(u64, ImportError)> = None;
    let first_of = |one: Option<(u64, ImportError)>, other: Option<(u64, ImportError)>| {
        one.into_iter().chain(other).min_by_key(|(line, _)| *line)
    };
    for part in parts {
        assets += part.assets;
        slice_lines.extend(part.slices);
        shards.push(part.shard);
        failure = first_of(failure, part.failure);
    }
    let mut slices = None;
    let is_large = slice_lines.len() > WORTH_A_THREAD;
    let (sorted, repeated) = beside(is_large, || sorted_slices(name, slice_lines), || target.join(shards));
    match sorted {
        Ok(sorted) => slices = sorted,
        Err(repeated) => failure = first_of(failure, Some(repeated)),
    }
    let repeated = repeated.map(|repeated| {
        let (line, first_line) = (repeated.line, repeated.first_line);
        let (file, typename, id) = (name.to_owned(), repeated.typename, repeated.id);
        (line, ImportError::DuplicateAsset { file, line, first_line, typename, id })
    });
    if let Some((_, error)) = first_of(failure, repeated) {
        return Err(error);
    }
    if let Some(slices) = &mut slices {
        target.count_assets(slices);
    }
    Ok(FileSummary { assets, slices })
}
