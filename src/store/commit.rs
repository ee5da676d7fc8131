//! Committing a slice: what changed against what the slice listed, into the journal, into the index, acknowledged.
//!
//! **Invariant**: only a complete slice removes; a list that isn't whole proves nothing about what is missing.

use std::{
    collections::BTreeMap,
    sync::{PoisonError, atomic::Ordering},
};

use serde_json::value::RawValue;

use super::{
    Store, Writer,
    codec::{self, Entry, Put, SliceEntry, Totals},
    error::StoreError,
    journal::PAYLOAD_LIMIT,
    keys,
    options::FaultPoint,
    packed::AssetList,
    rows,
};
use crate::model::{Asset, Outcome, SliceKey, Time, is_ledger_type};

/// The longest name that can be part of a key, in bytes (an ARN has at most 2,048).
const NAME_LIMIT: usize = 8_192;

/// What the collection of one slice brought.
#[derive(Clone, Debug)]
pub struct SliceCommit<L = Vec<Asset>> {
    /// Which slice.
    pub key: SliceKey,
    /// The call behind it, e.g. `ec2:DescribeVpcs`.
    pub api: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it wasn't complete.
    pub reason: Option<String>,
    /// When it ended.
    pub at: Time,
    /// What was listed, all of the slice's type; of two with the same id the later one counts.
    pub assets: L,
}

/// What a commit changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitReport {
    /// The number of the commit.
    pub sequence: u64,
    /// Assets the slice didn't list before.
    pub added: u64,
    /// Assets that differ from what was stored.
    pub changed: u64,
    /// Assets that are as they were.
    pub unchanged: u64,
    /// Assets that are no longer there (complete slices only).
    pub removed: u64,
}

impl Store {
    /// Commits a slice, whole or not at all; returns when the disk has confirmed it. Blocking.
    ///
    /// # Errors
    /// Where the commit makes no sense, the disk is too full or fails, or an earlier failure has closed the store.
    /// Nothing is acknowledged then; after [`StoreError::NotWritten`] and [`StoreError::DiskFull`] the store can go
    /// on.
    pub fn commit_slice<L: AssetList>(&self, commit: SliceCommit<L>) -> Result<CommitReport, StoreError> {
        check_slice(&commit.key)?;
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reason) = &writer.closed {
            return Err(StoreError::Closed { reason: reason.clone() });
        }
        let (entry, report) = self.compare(commit, writer.meta.sequence + 1)?;
        self.write_or_close(&mut writer, Entry::Slice(entry))?;
        Ok(report)
    }

    /// What the commit changes in the slice.
    pub(super) fn compare<L: AssetList>(
        &self,
        commit: SliceCommit<L>,
        sequence: u64,
    ) -> Result<(SliceEntry, CommitReport), StoreError> {
        let mut report = CommitReport { sequence, added: 0, changed: 0, unchanged: 0, removed: 0 };
        let mut listed = self.listed(&commit.key)?;
        // By id; without a form where that is the one that is stored.
        let mut fresh: BTreeMap<String, Option<String>> = BTreeMap::new();
        commit.assets.visit(&commit.key, &mut |id, body| {
            let is_stored = listed.get(id).is_some_and(|digest| *digest == codec::digest(body.as_bytes()));
            fresh.insert(id.to_owned(), (!is_stored).then_some(body));
            Ok(())
        })?;
        let mut puts = Vec::new();
        for (id, body) in fresh {
            let was_listed = listed.remove(&id).is_some();
            let Some(body) = body else {
                report.unchanged += 1;
                continue;
            };
            match was_listed {
                true => report.changed += 1,
                false => report.added += 1,
            }
            let bytes = body.len();
            let asset = RawValue::from_string(body).map_err(|_| too_large(bytes))?;
            puts.push(Put { id, asset });
        }
        let removes: Vec<String> =
            if commit.outcome == Outcome::Complete { listed.into_keys().collect() } else { Vec::new() };
        report.removed = removes.len() as u64;
        let entry = SliceEntry {
            account_id: commit.key.account_id,
            region: commit.key.region,
            asset_type: commit.key.asset_type,
            api: commit.api,
            outcome: commit.outcome.as_str().to_owned(),
            reason: commit.reason,
            at: commit.at.millis(),
            puts,
            removes,
            totals: Totals::default(),
        };
        Ok((entry, report))
    }

    /// What the slice lists now: the digest of each asset, by id.
    pub(super) fn listed(&self, slice: &SliceKey) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
        let mut listed = BTreeMap::new();
        let prefix = keys::listed_prefix(slice);
        self.index().scan(&prefix, &mut |key, digest| {
            let (id, _) = key
                .strip_prefix(prefix.as_slice())
                .and_then(keys::first_name)
                .ok_or_else(|| rows::bad_row(keys::kind::LISTED))?;
            listed.insert(id, digest.to_vec());
            Ok(())
        })?;
        Ok(listed)
    }

    /// Writes a record; takes no more commits where it is not clear afterwards what is stored.
    pub(super) fn write_or_close(&self, writer: &mut Writer, entry: Entry) -> Result<(), StoreError> {
        let written = self.write(writer, entry);
        if let Err(error @ (StoreError::NotSynced { .. } | StoreError::Index { .. })) = &written {
            writer.closed = Some(error.to_string());
        }
        written
    }

    /// Journal, index, acknowledgement, in this order.
    fn write(&self, writer: &mut Writer, mut entry: Entry) -> Result<(), StoreError> {
        let faults = &self.options.faults;
        self.folder.check_room(self.options.min_free_bytes)?;
        let position = writer.journal.prepare()?;
        let changes = rows::changes(&entry, position, &*self.index(), writer.meta.totals)?;
        entry.set_totals(changes.totals);
        let payload = codec::encode(&entry)?;
        self.folder.check_room(self.options.min_free_bytes.saturating_add(payload.len() as u64))?;
        let hash = writer.journal.append(position, &payload)?;
        let not_indexed = StoreError::io("write", &self.folder.index);
        let index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        let indexed = faults
            .reach(FaultPoint::IndexWrite)
            .map_err(not_indexed)
            .and_then(|()| index.write(changes, position.sequence, hash, &writer.meta));
        match indexed {
            Ok(meta) => writer.meta = meta,
            Err(error) => {
                writer.closed = Some(error.to_string());
                return Err(error);
            }
        }
        self.sequence.store(position.sequence, Ordering::Release);
        drop(index);
        faults.reach(FaultPoint::Acknowledge).map_err(StoreError::io("write", &self.folder.dir))
    }
}

pub(super) fn too_large(bytes: usize) -> StoreError {
    StoreError::TooLarge { bytes, limit: PAYLOAD_LIMIT }
}

pub(super) fn check_names(commit: &SliceCommit) -> Result<(), StoreError> {
    check_slice(&commit.key)?;
    commit.assets.iter().try_for_each(|asset| check_asset(&commit.key, &asset.typename, &asset.id))
}

fn check_slice(slice: &SliceKey) -> Result<(), StoreError> {
    let SliceKey { account_id, region, asset_type } = slice;
    for (what, name) in [("an account id", account_id), ("a region", region), ("a type", asset_type)] {
        check_name(name, || what.to_owned())?;
    }
    if is_ledger_type(asset_type) {
        return Err(StoreError::NotCollected { typename: asset_type.clone() });
    }
    Ok(())
}

pub(super) fn check_asset(slice: &SliceKey, typename: &str, id: &str) -> Result<(), StoreError> {
    if typename != slice.asset_type {
        return Err(StoreError::WrongType {
            slice: slice.to_string(),
            slice_type: slice.asset_type.clone(),
            typename: typename.to_owned(),
            id: id.to_owned(),
        });
    }
    check_name(id, || format!("an id of type {}", slice.asset_type))
}

pub(super) fn check_name(name: &str, what: impl FnOnce() -> String) -> Result<(), StoreError> {
    let length = name.len();
    if length == 0 || length > NAME_LIMIT {
        return Err(StoreError::BadName { what: what(), length, limit: NAME_LIMIT });
    }
    Ok(())
}
