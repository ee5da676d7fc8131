//! What a record changes in the index: one pure function, used by a commit, a replay and a verification alike, so
//! that an index rebuilt from the journal is the same, byte for byte, as the one that was lost.

use std::collections::BTreeMap;

use super::{
    codec::{AssetRow, CommitRow, Entry, LedgerEntry, SliceEntry, SliceRow, Totals, VersionRow, digest},
    error::{IndexFault, StoreError},
    journal::Position,
    keys,
};
use crate::model::{Outcome, SliceKey};

/// What a row's value may hold: sled leaks the space of large values for good.
const ROW_BYTES: usize = 60_000;

/// A sorted set of rows to read from.
pub(super) trait Rows {
    /// The value of a row.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;
    /// The value of the first row whose key begins with `prefix`.
    fn first(&self, prefix: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;
}

/// New values of rows; nothing where the row goes.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// By key.
    pub(super) rows: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// What the store holds afterwards.
    pub(super) totals: Totals,
}

/// A row of the index that can't be read.
pub(super) fn bad_row(kind: u8) -> StoreError {
    StoreError::Index { action: "be read", source: IndexFault::BadRow { kind: char::from(kind) } }
}

/// What the record at `position` changes in `rows`, which hold `totals`.
///
/// # Errors
/// Where a row can't be read.
pub(super) fn changes(
    entry: &Entry,
    position: Position,
    rows: &dyn Rows,
    totals: Totals,
) -> Result<Changes, StoreError> {
    let mut changes = Changes { rows: BTreeMap::new(), totals };
    match entry {
        Entry::Slice(entry) => changes.take_slice(entry, position, rows)?,
        Entry::Ledger(entry) => changes.take_ledger(entry, position, rows)?,
    }
    Ok(changes)
}

/// What lists an asset that a record puts or removes, and the record.
#[derive(Clone, Copy, Debug)]
struct Origin<'a> {
    slice: &'a SliceKey,
    at: i64,
    position: Position,
}

impl Changes {
    fn set(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.rows.insert(key, Some(value));
    }

    fn take_slice(
        &mut self,
        entry: &SliceEntry,
        position: Position,
        rows: &dyn Rows,
    ) -> Result<(), StoreError> {
        let slice = entry.key();
        let origin = Origin { slice: &slice, at: entry.at, position };
        let before = self.totals.assets;
        for put in &entry.puts {
            self.totals.assets += u64::from(self.put(origin, &put.id, put.asset.get().as_bytes(), rows)?);
        }
        for id in &entry.removes {
            let is_gone = u64::from(self.remove(origin, id, rows)?);
            self.totals.assets = self.totals.assets.saturating_sub(is_gone);
        }
        let after = self.totals.assets;
        self.slice(entry, position, (before, after), rows)
    }

    fn take_ledger(
        &mut self,
        entry: &LedgerEntry,
        position: Position,
        rows: &dyn Rows,
    ) -> Result<(), StoreError> {
        for put in &entry.puts {
            let origin = Origin { slice: &keys::ledger(&put.typename), at: entry.at, position };
            self.totals.ledger += u64::from(self.put(origin, &put.id, put.asset.get().as_bytes(), rows)?);
        }
        for name in &entry.removes {
            let origin = Origin { slice: &keys::ledger(&name.typename), at: entry.at, position };
            let is_gone = u64::from(self.remove(origin, &name.id, rows)?);
            self.totals.ledger = self.totals.ledger.saturating_sub(is_gone);
        }
        let commit = CommitRow {
            at: entry.at,
            segment: position.segment,
            offset: position.offset,
            touched: (entry.puts.len() + entry.removes.len()) as u64,
            account_id: String::new(),
            region: String::new(),
            asset_type: String::new(),
            before: None,
        };
        self.commit(&commit, position)
    }

    /// Puts an asset; tells whether there was none.
    fn put(
        &mut self,
        origin: Origin<'_>,
        id: &str,
        body: &[u8],
        rows: &dyn Rows,
    ) -> Result<bool, StoreError> {
        let Origin { slice, at, position } = origin;
        let key = keys::asset(&slice.asset_type, id, slice);
        let old = read_row(rows, &key)?;
        let first_seen = match old {
            Some(old) => old.first_seen,
            None => first_version(rows, &slice.asset_type, id)?.unwrap_or(at),
        };
        let pieces: Vec<&[u8]> =
            if body.len() <= ROW_BYTES { Vec::new() } else { body.chunks(ROW_BYTES).collect() };
        let chunks = u32::try_from(pieces.len()).unwrap_or(u32::MAX);
        let row = AssetRow { first_seen, changed_at: at, sequence: position.sequence, chunks };
        self.set(keys::listed(slice, id), digest(body).to_vec());
        self.drop_chunks(&key, chunks, old.map_or(0, |old| old.chunks));
        for (number, piece) in (0..).zip(&pieces) {
            self.set(keys::chunk(&key, number), piece.to_vec());
        }
        self.set(key, row.encode(if pieces.is_empty() { body } else { &[] }));
        self.version(origin, id, false);
        Ok(old.is_none())
    }

    /// Removes an asset; tells whether there was one.
    fn remove(&mut self, origin: Origin<'_>, id: &str, rows: &dyn Rows) -> Result<bool, StoreError> {
        let slice = origin.slice;
        let key = keys::asset(&slice.asset_type, id, slice);
        let Some(old) = read_row(rows, &key)? else { return Ok(false) };
        self.drop_chunks(&key, 0, old.chunks);
        self.rows.insert(key, None);
        self.rows.insert(keys::listed(slice, id), None);
        self.version(origin, id, true);
        Ok(true)
    }

    fn drop_chunks(&mut self, key: &[u8], from: u32, to: u32) {
        for number in from..to {
            self.rows.insert(keys::chunk(key, number), None);
        }
    }

    fn version(&mut self, origin: Origin<'_>, id: &str, removed: bool) {
        let Origin { slice, at, position } = origin;
        let row = VersionRow {
            at,
            segment: position.segment,
            offset: position.offset,
            removed,
            account_id: slice.account_id.clone(),
            region: slice.region.clone(),
        };
        self.set(keys::version(&slice.asset_type, id, position.sequence), row.encode());
        self.totals.versions += 1;
    }

    fn slice(
        &mut self,
        entry: &SliceEntry,
        position: Position,
        (before, after): (u64, u64),
        rows: &dyn Rows,
    ) -> Result<(), StoreError> {
        let key = keys::slice(&entry.key());
        let bad = || bad_row(keys::kind::SLICE);
        let old: Option<SliceRow> =
            rows.get(&key)?.map(|value| serde_json::from_slice(&value)).transpose().map_err(|_| bad())?;
        let is_complete = entry.outcome == Outcome::Complete.as_str();
        let assets = old.as_ref().map_or(0, |old| old.assets);
        let row = SliceRow {
            api: entry.api.clone(),
            outcome: entry.outcome.clone(),
            reason: entry.reason.clone(),
            attempted_at: entry.at,
            completed_at: if is_complete {
                Some(entry.at)
            } else {
                old.as_ref().and_then(|old| old.completed_at)
            },
            assets: (assets + after).saturating_sub(before),
        };
        self.totals.slices += u64::from(old.is_none());
        self.set(key, serde_json::to_vec(&row).map_err(|_| bad())?);
        let commit = CommitRow {
            at: entry.at,
            segment: position.segment,
            offset: position.offset,
            touched: (entry.puts.len() + entry.removes.len()) as u64,
            account_id: entry.account_id.clone(),
            region: entry.region.clone(),
            asset_type: entry.asset_type.clone(),
            before: old,
        };
        self.commit(&commit, position)
    }

    fn commit(&mut self, commit: &CommitRow, position: Position) -> Result<(), StoreError> {
        let commit = serde_json::to_vec(commit).map_err(|_| bad_row(keys::kind::COMMIT))?;
        self.set(keys::commit(position.sequence), commit);
        Ok(())
    }
}

fn read_row(rows: &dyn Rows, key: &[u8]) -> Result<Option<AssetRow>, StoreError> {
    rows.get(key)?
        .map(|value| AssetRow::decode(&value).map(|(row, _)| row).ok_or_else(|| bad_row(keys::kind::ASSET)))
        .transpose()
}

fn first_version(rows: &dyn Rows, typename: &str, id: &str) -> Result<Option<i64>, StoreError> {
    rows.first(&keys::version_prefix(typename, id))?
        .map(|value| VersionRow::decode(&value).map(|row| row.at).ok_or_else(|| bad_row(keys::kind::VERSION)))
        .transpose()
}

/// Rows in memory.
#[derive(Debug, Default)]
pub(super) struct MemoryRows(pub(super) BTreeMap<Vec<u8>, Vec<u8>>);

impl MemoryRows {
    /// Takes changes in.
    pub(super) fn take(&mut self, changes: Changes) {
        for (key, value) in changes.rows {
            match value {
                Some(value) => self.0.insert(key, value),
                None => self.0.remove(&key),
            };
        }
    }
}

impl Rows for MemoryRows {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.get(key).cloned())
    }

    fn first(&self, prefix: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let next = self.0.range(prefix.to_vec()..).next();
        Ok(next.filter(|(key, _)| key.starts_with(prefix)).map(|(_, value)| value.clone()))
    }
}
