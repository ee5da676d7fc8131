//! The past: the present, minus what was changed since. Commits are taken back one by one from the newest to the
//! moment asked for; the older versions of what they touched come from the journal. So the cost of a moment is what
//! has changed since it, never the length of the whole history.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    ops::ControlFlow,
    path::Path,
};

use super::{
    Store,
    codec::{self, AssetRow, Entry, VersionRow},
    error::StoreError,
    index::Index,
    journal::{self, Position},
    keys,
    read::{AssetRows, read_slices, read_visible},
    rows::{Rows, bad_row},
    timeline::{InForce, scan_commits},
};
use crate::model::{Asset, SliceKey, SliceState, Time};

/// What was read of a past moment, beside its assets.
#[derive(Clone, Debug)]
pub struct Past {
    /// The last commit at that moment.
    pub in_force: InForce,
    /// The slices as they were, sorted.
    pub slices: Vec<SliceState>,
    /// What it took.
    pub work: PastWork,
}

/// What it took to go back to a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PastWork {
    /// Commits taken back.
    pub commits: u64,
    /// Records of the journal that were read, for what they touched or for older versions.
    pub records: u64,
    /// Assets (as one slice lists them) that were put back to an older version, or left out.
    pub assets: u64,
}

/// The assets and slices of a moment, as far as they differ from the present.
#[derive(Debug, Default)]
pub(super) struct Undone {
    pub(super) slices: Vec<SliceState>,
    /// Rows of assets by their keys: other than in the index, or not there at all.
    pub(super) rows: AssetRows,
    pub(super) work: PastWork,
}

impl Store {
    /// The inventory as it was at a moment: hands every asset of then to `visit`, as [`Store::read_assets`] does for
    /// the present and through the same rules, `firstSeenAt` and `lastSeenAt` as of then; what was removed since is
    /// there again. Commits wait meanwhile, so `visit` must not call the store.
    ///
    /// # Errors
    /// [`StoreError::BeforeHistory`], and where index or journal can't be read.
    pub fn as_of(&self, moment: Time, visit: &mut dyn FnMut(Asset)) -> Result<Past, StoreError> {
        self.read_past(self.in_force(moment)?, visit)
    }

    /// The same for a commit that [`Store::in_force`] has named.
    ///
    /// # Errors
    /// Where index or journal can't be read.
    pub fn read_past(&self, in_force: InForce, visit: &mut dyn FnMut(Asset)) -> Result<Past, StoreError> {
        let index = self.index();
        let Undone { slices, rows, work } = self.undo(&index, in_force.sequence)?;
        read_visible(&index, &slices, &rows, &[keys::kind::ASSET], visit)?;
        Ok(Past { in_force, slices, work })
    }

    /// Takes back every commit after `sequence`.
    pub(super) fn undo(&self, index: &Index, sequence: u64) -> Result<Undone, StoreError> {
        let journal = &self.folder.journal;
        let mut work = PastWork::default();
        let mut states: BTreeMap<SliceKey, SliceState> =
            read_slices(index)?.into_iter().map(|state| (state.key.clone(), state)).collect();
        let mut touched: BTreeSet<(SliceKey, String)> = BTreeSet::new();
        scan_commits(index, sequence + 1, self.sequence(), &mut |sequence, commit| {
            work.commits += 1;
            if commit.touched > 0 {
                work.records += 1;
                let position = Position { sequence, segment: commit.segment, offset: commit.offset };
                touched.extend(read_entry(journal, position)?.into_touched());
            }
            let Some(key) = commit.slice() else { return Ok(()) };
            match commit.before {
                None => states.remove(&key),
                Some(row) => {
                    let state = row.into_state(key.clone()).ok_or_else(|| bad_row(keys::kind::COMMIT))?;
                    states.insert(key, state)
                }
            };
            Ok(())
        })?;
        work.assets = touched.len() as u64;
        let rows = Older::find(index, touched, sequence)?.read(index, journal, &mut work)?;
        Ok(Undone { slices: states.into_values().collect(), rows, work })
    }
}

/// Where the rows of a moment come from.
#[derive(Debug, Default)]
pub(super) struct Older {
    /// Assets that the slice didn't list then.
    absent: Vec<(SliceKey, String)>,
    /// By record, the assets whose version of then it holds.
    by_record: BTreeMap<u64, (VersionRow, BTreeSet<(SliceKey, String)>)>,
}

impl Older {
    /// Finds, for each asset that a slice lists, the version of then in the index.
    pub(super) fn find(
        index: &Index,
        touched: BTreeSet<(SliceKey, String)>,
        sequence: u64,
    ) -> Result<Self, StoreError> {
        let mut older = Self::default();
        for (slice, id) in touched {
            match version_at(index, &slice, &id, sequence)? {
                Some((sequence, version)) if !version.removed => {
                    let (_, assets) =
                        older.by_record.entry(sequence).or_insert_with(|| (version, BTreeSet::new()));
                    assets.insert((slice, id));
                }
                _ => older.absent.push((slice, id)),
            }
        }
        Ok(older)
    }

    /// Reads those versions, each record once.
    pub(super) fn read(
        self,
        index: &Index,
        journal: &Path,
        work: &mut PastWork,
    ) -> Result<AssetRows, StoreError> {
        let mut rows = AssetRows::new();
        for (slice, id) in self.absent {
            rows.insert(keys::asset(&slice.asset_type, &id, &slice), None);
        }
        for (sequence, (version, mut assets)) in self.by_record {
            work.records += 1;
            let VersionRow { at, segment, offset, .. } = version;
            let entry = read_entry(journal, Position { sequence, segment, offset })?;
            for (slice, put) in entry.into_puts() {
                let Some((slice, id)) = assets.take(&(slice, put.id)) else { continue };
                let typename = &slice.asset_type;
                let first_seen = index
                    .first(&keys::version_prefix(typename, &id))?
                    .and_then(|value| VersionRow::decode(&value))
                    .ok_or_else(|| bad_row(keys::kind::VERSION))?
                    .at;
                let row = AssetRow { first_seen, changed_at: at, sequence, chunks: 0 };
                let key = keys::asset(typename, &id, &slice);
                rows.insert(key, Some(row.encode(put.asset.get().as_bytes())));
            }
            if let Some((slice, id)) = assets.into_iter().next() {
                let source = io::Error::other(format!("it doesn't hold `{id}` of {slice}"));
                return Err(StoreError::Unreadable { sequence, source });
            }
        }
        Ok(rows)
    }
}

/// The last version up to `sequence` of an asset as `slice` lists it.
fn version_at(
    index: &Index,
    slice: &SliceKey,
    id: &str,
    sequence: u64,
) -> Result<Option<(u64, VersionRow)>, StoreError> {
    let (first, last) =
        (keys::version(&slice.asset_type, id, 0), keys::version(&slice.asset_type, id, sequence));
    let mut found = None;
    index.scan_back(&first, &last, &mut |key, value| {
        let bad = || bad_row(keys::kind::VERSION);
        let row = VersionRow::decode(value).ok_or_else(bad)?;
        if row.account_id != slice.account_id || row.region != slice.region {
            return Ok(ControlFlow::Continue(()));
        }
        let (_, sequence) = key.split_last_chunk::<8>().ok_or_else(bad)?;
        found = Some((u64::from_be_bytes(*sequence), row));
        Ok(ControlFlow::Break(()))
    })?;
    Ok(found)
}

pub(super) fn read_entry(journal: &Path, position: Position) -> Result<Entry, StoreError> {
    codec::decode(&journal::read_at(journal, position)?)
}
