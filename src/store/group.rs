//! Committing many slices with one confirmation of the disk: a file of assets has hundreds of thousands. Each slice is a
//! record of its own and whole or not at all, as ever; a crash leaves a beginning of the group.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{PoisonError, atomic::Ordering},
};

use super::{
    Store, Writer,
    codec::{self, Entry, SliceEntry},
    commit::{CommitReport, SliceCommit, check_names},
    error::StoreError,
    index::Index,
    journal::{self, Position},
    options::FaultPoint,
    rows::{self, Changes, Rows},
};

impl Store {
    /// Commits slices in their order, and returns when the disk has confirmed all of them. Readers see them at once.
    /// Blocking.
    ///
    /// # Errors
    /// As [`Store::commit_slice`]. None of the slices is acknowledged then, and of those before one that was committed
    /// twice in one call a beginning may be there.
    pub fn commit_slices(&self, commits: Vec<SliceCommit>) -> Result<Vec<CommitReport>, StoreError> {
        commits.iter().try_for_each(check_names)?;
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reports = Vec::with_capacity(commits.len());
        let mut keys = BTreeSet::new();
        let mut group = Vec::new();
        for commit in commits {
            // What a slice lists is compared with the index, so one that comes again waits for what came before.
            if !keys.insert(commit.key.clone()) {
                reports.extend(self.commit_group(&mut writer, std::mem::take(&mut group))?);
                keys = BTreeSet::from([commit.key.clone()]);
            }
            group.push(commit);
        }
        reports.extend(self.commit_group(&mut writer, group)?);
        Ok(reports)
    }

    fn commit_group(
        &self,
        writer: &mut Writer,
        commits: Vec<SliceCommit>,
    ) -> Result<Vec<CommitReport>, StoreError> {
        if let Some(reason) = &writer.closed {
            return Err(StoreError::Closed { reason: reason.clone() });
        }
        let mut reports = Vec::with_capacity(commits.len());
        let mut entries = Vec::with_capacity(commits.len());
        for (commit, sequence) in commits.into_iter().zip(writer.meta.sequence + 1..) {
            let (entry, report) = self.compare(commit, sequence)?;
            entries.push(entry);
            reports.push(report);
        }
        match self.write_group(writer, entries) {
            Ok(()) => Ok(reports),
            Err(error) => {
                if matches!(error, StoreError::NotSynced { .. } | StoreError::Index { .. }) {
                    writer.closed = Some(error.to_string());
                }
                Err(error)
            }
        }
    }

    /// Journal, index, acknowledgement, in this order, as for one slice.
    fn write_group(&self, writer: &mut Writer, entries: Vec<SliceEntry>) -> Result<(), StoreError> {
        if entries.is_empty() {
            return Ok(());
        }
        let faults = &self.options.faults;
        self.folder.check_room(self.options.min_free_bytes)?;
        let begin = writer.journal.prepare()?;
        let mut position = begin;
        let mut payloads = Vec::with_capacity(entries.len());
        let mut all = Changes { rows: BTreeMap::new(), totals: writer.meta.totals };
        for entry in entries {
            let index = self.index();
            let known = Over { index: &index, rows: &all.rows };
            let mut entry = Entry::Slice(entry);
            let changes = rows::changes(&entry, position, &known, all.totals)?;
            all.totals = changes.totals;
            entry.set_totals(changes.totals);
            all.rows.extend(changes.rows);
            let payload = codec::encode(&entry)?;
            position = Position {
                sequence: position.sequence + 1,
                offset: position.offset + journal::record_bytes(&payload),
                ..position
            };
            payloads.push(payload);
        }
        let bytes = position.offset - begin.offset;
        self.folder.check_room(self.options.min_free_bytes.saturating_add(bytes))?;
        let hash = writer.journal.append_group(begin, &payloads)?;
        let last = position.sequence - 1;
        let not_indexed = StoreError::io("write", &self.folder.index);
        let index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        let indexed = faults
            .reach(FaultPoint::IndexWrite)
            .map_err(not_indexed)
            .and_then(|()| index.write(all, last, hash, &writer.meta));
        match indexed {
            Ok(meta) => writer.meta = meta,
            Err(error) => {
                writer.closed = Some(error.to_string());
                return Err(error);
            }
        }
        self.sequence.store(last, Ordering::Release);
        drop(index);
        faults.reach(FaultPoint::Acknowledge).map_err(StoreError::io("write", &self.folder.dir))
    }
}

/// The rows of the index with those of the group over them that it will have by then.
struct Over<'a> {
    index: &'a Index,
    rows: &'a BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl Rows for Over<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.rows.get(key) {
            Some(row) => Ok(row.clone()),
            None => self.index.get(key),
        }
    }

    /// Only versions are asked for, which are never removed, and those of the index are older.
    fn first(&self, prefix: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(row) = self.index.first(prefix)? {
            return Ok(Some(row));
        }
        let mut rows = self.rows.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
        Ok(rows.find_map(|(_, row)| row.clone()))
    }
}
