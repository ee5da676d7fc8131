//! The index: one sled tree that can always be rebuilt from the journal. Everything sled does is guarded, because a
//! flipped bit in its file makes it panic or lose rows without a word: a sum over all rows, kept with the sequence in
//! the same batch, tells.

use std::{
    cell::Cell,
    fs,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
    path::{Path, PathBuf},
    sync::Once,
    thread,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{
    codec::Totals,
    error::{IndexFault, StoreError},
    journal::{Hash, NO_HASH},
    keys,
    rows::{Changes, Rows, bad_row},
};

/// Raised whenever a row is written differently; the journal has a format of its own.
pub(super) const FORMAT: u32 = 2;

/// How often, and how long apart, sled's file is tried again while it is locked. The store's own lock is held by then,
/// so this is the copy of a closed index's file that a process just being started by another thread still has.
const LOCK_TRIES: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// How many commits a crash may leave to be taken in again at the next open.
const COMMITS_PER_FLUSH: u64 = 64;

/// What the index holds as a whole; written in the same batch as what it describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Meta {
    /// How the rows are written; an index of another format is rebuilt. The first said nothing.
    #[serde(default)]
    pub(super) format: u32,
    /// The last record taken in.
    pub(super) sequence: u64,
    /// Its hash.
    pub(super) hash: Hash,
    /// The number of rows but this one.
    pub(super) rows: u64,
    /// The wrapping sum of the digests of those rows.
    pub(super) sum: [u8; 16],
    /// What the rows amount to.
    pub(super) totals: Totals,
}

impl Meta {
    /// That of an empty index.
    pub(super) const EMPTY: Self = Self {
        format: FORMAT,
        sequence: 0,
        hash: NO_HASH,
        rows: 0,
        sum: [0; 16],
        totals: Totals { slices: 0, assets: 0, versions: 0, ledger: 0 },
    };

    fn add(&mut self, key: &[u8], value: &[u8]) {
        self.rows = self.rows.wrapping_add(1);
        self.sum = u128::from_le_bytes(self.sum).wrapping_add(row_digest(key, value)).to_le_bytes();
    }

    fn subtract(&mut self, key: &[u8], value: &[u8]) {
        self.rows = self.rows.wrapping_sub(1);
        self.sum = u128::from_le_bytes(self.sum).wrapping_sub(row_digest(key, value)).to_le_bytes();
    }
}

fn row_digest(key: &[u8], value: &[u8]) -> u128 {
    let mut digest = [0; 16];
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(key.len() as u64).to_le_bytes()).update(key).update(value);
    hasher.finalize_xof().fill(&mut digest);
    u128::from_le_bytes(digest)
}

/// What is done with a key and its value.
pub(super) type VisitRow<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), StoreError> + 'a;

/// The same, and whether to go on.
type VisitRowUntil<'a> = dyn FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, StoreError> + 'a;

/// The index, open.
#[derive(Debug)]
pub(super) struct Index {
    db: sled::Db,
}

impl Index {
    /// Opens or creates the index.
    ///
    /// # Errors
    /// Where sled refuses or panics.
    pub(super) fn open(path: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        // No flushing thread: if that panics over a damaged file, dropping the index waits for it for ever.
        let config = sled::Config::new().path(path).cache_capacity(cache_bytes).flush_every_ms(None);
        let mut tries_left = LOCK_TRIES;
        loop {
            match guarded("be opened", || config.open()) {
                Ok(db) => return Ok(Self { db }),
                Err(error) if tries_left > 0 && is_locked(&error) => tries_left -= 1,
                Err(error) => return Err(error),
            }
            thread::sleep(LOCK_PAUSE);
        }
    }

    /// What the index says it holds; nothing where it has never taken anything in.
    ///
    /// # Errors
    /// Where the row can't be read, or is missing though there are others.
    pub(super) fn meta(&self) -> Result<Meta, StoreError> {
        match self.get(&keys::META_KEY)? {
            Some(value) => serde_json::from_slice(&value).map_err(|_| bad_row(keys::kind::META)),
            None if guarded("be read", || self.db.iter().next().transpose())?.is_none() => Ok(Meta::EMPTY),
            None => Err(bad_row(keys::kind::META)),
        }
    }

    /// Counts and sums all rows: whether the index holds what `meta` says.
    ///
    /// # Errors
    /// Where a row can't be read.
    pub(super) fn holds(&self, meta: &Meta) -> Result<bool, StoreError> {
        let mut found = Meta { rows: 0, sum: [0; 16], ..*meta };
        self.scan(&[], &mut |key, value| {
            if key != keys::META_KEY {
                found.add(key, value);
            }
            Ok(())
        })?;
        Ok(found == *meta)
    }

    /// Takes changes in, whole or not at all, and returns what the index holds then.
    ///
    /// # Errors
    /// Where sled refuses or panics; what it holds then is not known.
    pub(super) fn write(
        &self,
        changes: Changes,
        sequence: u64,
        hash: Hash,
        meta: &Meta,
    ) -> Result<Meta, StoreError> {
        let mut next = Meta { sequence, hash, totals: changes.totals, ..*meta };
        let mut batch = sled::Batch::default();
        for (key, value) in changes.rows {
            // A version and a commit are new by their keys; every other row may replace one.
            let is_new = matches!(key.first(), Some(&(keys::kind::VERSION | keys::kind::COMMIT)));
            if let Some(old) = if is_new { None } else { self.get(&key)? } {
                next.subtract(&key, &old);
            }
            match value {
                Some(value) => {
                    next.add(&key, &value);
                    batch.insert(key, value);
                }
                None => batch.remove(key),
            }
        }
        let row = serde_json::to_vec(&next).map_err(|_| bad_row(keys::kind::META))?;
        batch.insert(keys::META_KEY.as_slice(), row);
        guarded("be written", || self.db.apply_batch(batch))?;
        if sequence / COMMITS_PER_FLUSH != meta.sequence / COMMITS_PER_FLUSH {
            guarded("be written", || self.db.flush())?;
        }
        Ok(next)
    }

    /// Hands the rows from `first` to `last`, both included, to `visit`, the last one first, until that says to stop.
    ///
    /// # Errors
    /// What `visit` returns, and where a row can't be read.
    pub(super) fn scan_back(
        &self,
        first: &[u8],
        last: &[u8],
        visit: &mut VisitRowUntil<'_>,
    ) -> Result<(), StoreError> {
        let mut rows = guarded("be read", || Ok(self.db.range(first..=last).rev()))?;
        while let Some((key, value)) = guarded("be read", || rows.next().transpose())? {
            if visit(&key, &value)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Hands every row whose key begins with `prefix` to `visit`, in order.
    ///
    /// # Errors
    /// What `visit` returns, and where a row can't be read.
    pub(super) fn scan(&self, prefix: &[u8], visit: &mut VisitRow<'_>) -> Result<(), StoreError> {
        let mut rows = guarded("be read", || Ok(self.db.scan_prefix(prefix)))?;
        while let Some((key, value)) = guarded("be read", || rows.next().transpose())? {
            visit(&key, &value)?;
        }
        Ok(())
    }
}

impl Rows for Index {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(guarded("be read", || self.db.get(key))?.map(|value| value.to_vec()))
    }

    fn first(&self, prefix: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let row = guarded("be read", || self.db.scan_prefix(prefix).next().transpose())?;
        Ok(row.map(|(_, value)| value.to_vec()))
    }
}

/// Removes what a kill during a snapshot leaves behind, after which sled could not be opened; returns how many.
///
/// # Errors
/// Where the folder can't be read or a file not removed.
pub(super) fn clear_leftovers(path: &Path) -> Result<usize, StoreError> {
    let leftovers = leftovers(path)?;
    for leftover in &leftovers {
        fs::remove_file(leftover).map_err(StoreError::not_writable(leftover))?;
    }
    Ok(leftovers.len())
}

/// What a kill during a snapshot has left behind.
///
/// # Errors
/// Where the folder can't be read.
pub(super) fn leftovers(path: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut found = Vec::new();
    if !path.is_dir() {
        return Ok(found);
    }
    for entry in fs::read_dir(path).map_err(StoreError::io("list", path))? {
        let entry = entry.map_err(StoreError::io("list", path))?;
        if entry.file_name().to_string_lossy().ends_with(".generating") {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

fn is_locked(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Index { source: IndexFault::Reported(sled::Error::Io(error)), .. }
            if error.to_string().contains("could not acquire lock")
    )
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Calls sled; a panic becomes an error, and isn't printed.
fn guarded<T>(action: &'static str, call: impl FnOnce() -> sled::Result<T>) -> Result<T, StoreError> {
    silence_guarded_panics();
    let outer = GUARDED.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(call));
    GUARDED.set(outer);
    let source = match outcome {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => IndexFault::Reported(error),
        Err(panic) => IndexFault::Panicked(
            panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                .unwrap_or_else(|| "no message".to_owned()),
        ),
    };
    Err(StoreError::Index { action, source })
}

/// What a damaged index makes sled panic with is reported as an error, so it must not be printed as a crash; panics
/// anywhere else go to whatever handler there was.
fn silence_guarded_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |panic| {
            if !GUARDED.try_with(Cell::get).unwrap_or(false) {
                previous(panic);
            }
        }));
    });
}
