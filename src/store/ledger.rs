//! Writing down what follows from an inventory: verdicts, findings, exceptions. Assets of several types go into one
//! record, whole or not at all; what is as it was is left out. Unlike a slice, such a commit lists nothing: what it
//! doesn't name stays.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{MutexGuard, PoisonError},
};

use serde_json::value::RawValue;

use super::{
    Store,
    codec::{self, Entry, LedgerEntry, LedgerName, LedgerPut, Totals},
    commit::{check_name, too_large},
    error::StoreError,
    keys,
    options::FaultPoint,
    read::{AssetRows, read_visible},
    rows::Rows,
};
use crate::model::{Asset, Time, is_ledger_type};

/// What is to be written down.
#[derive(Clone, Debug)]
pub struct LedgerCommit {
    /// When it came to be so.
    pub at: Time,
    /// Assets as they are now, of types of the ledger; of two with the same type and id the later one counts.
    pub puts: Vec<Asset>,
    /// Type and id of what is no longer kept; what is put as well stays.
    pub removes: Vec<(String, String)>,
}

/// What goes into a commit beside what it was made for, such as messages that tell of it.
#[derive(Clone, Debug, Default)]
pub struct LedgerAddition {
    /// Assets as they are now, others than those of the commit.
    pub puts: Vec<Asset>,
    /// Type and id of what is no longer kept.
    pub removes: Vec<(String, String)>,
}

/// What a commit changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerReport {
    /// The number of the commit; nothing where all was as it is, and nothing was written.
    pub sequence: Option<u64>,
    /// Assets that are new or differ.
    pub put: u64,
    /// Assets that are as they were.
    pub unchanged: u64,
    /// Assets that are no longer kept.
    pub removed: u64,
}

/// The turn of one who reads the ledger and writes what follows from it: nobody else does meanwhile.
#[derive(Debug)]
pub struct LedgerTurn<'s> {
    store: &'s Store,
    written: MutexGuard<'s, BTreeMap<String, u64>>,
}

impl Store {
    /// Waits for the turn to read and write the ledger. A thread must not ask for a second one.
    #[must_use]
    pub fn begin_ledger(&self) -> LedgerTurn<'_> {
        LedgerTurn { store: self, written: self.ledger.lock().unwrap_or_else(PoisonError::into_inner) }
    }

    /// Hands the assets of one type of the ledger whose ids begin with `prefix` to `visit`, sorted by id.
    ///
    /// # Errors
    /// Where the index can't be read.
    pub fn read_ledger(
        &self,
        typename: &str,
        prefix: &str,
        visit: &mut dyn FnMut(Asset),
    ) -> Result<(), StoreError> {
        self.reach_read()?;
        let prefix = keys::names_beginning(keys::kind::ASSET, typename, prefix);
        read_visible(&self.index(), &[], &AssetRows::new(), &prefix, visit).map(drop)
    }

    /// One asset of the ledger; nothing where there is none.
    ///
    /// # Errors
    /// Where the index can't be read.
    pub fn find_ledger(&self, typename: &str, id: &str) -> Result<Option<Asset>, StoreError> {
        self.reach_read()?;
        let mut found = None;
        let prefix = keys::names(keys::kind::ASSET, &[typename, id]);
        read_visible(&self.index(), &[], &AssetRows::new(), &prefix, &mut |asset| found = Some(asset))?;
        Ok(found)
    }

    fn reach_read(&self) -> Result<(), StoreError> {
        let faults = &self.options.faults;
        faults.reach(FaultPoint::LedgerRead).map_err(StoreError::io("read", &self.folder.index))
    }
}

impl LedgerTurn<'_> {
    /// Another number wherever some of these types were written to, as long as the store is open: whoever remembers what
    /// the ledger holds of them can tell whether it still does.
    #[must_use]
    pub fn generation(&self, types: &[&str]) -> u64 {
        types.iter().filter_map(|typename| self.written.get(*typename)).sum()
    }

    /// Commits to the ledger, whole or not at all; returns when the disk has confirmed it. Blocking.
    ///
    /// # Errors
    /// As [`Store::commit_slice`].
    pub fn commit(&mut self, commit: &LedgerCommit) -> Result<LedgerReport, StoreError> {
        self.commit_with(commit, &mut |_| LedgerAddition::default())
    }

    /// Commits, and in the same record what follows from its number: readers and crashes leave both or neither. Where
    /// all is as it was there is no commit, and nothing follows. The report counts what follows as well.
    ///
    /// # Errors
    /// As [`Store::commit_slice`]; what was to follow is not there either then.
    pub fn commit_with(
        &mut self,
        commit: &LedgerCommit,
        follow: &mut dyn FnMut(u64) -> LedgerAddition,
    ) -> Result<LedgerReport, StoreError> {
        let mut writer = self.store.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reason) = &writer.closed {
            return Err(StoreError::Closed { reason: reason.clone() });
        }
        let (mut entry, mut report) = self.compare(commit)?;
        if report.put + report.removed > 0 {
            let sequence = writer.meta.sequence + 1;
            let LedgerAddition { puts, removes } = follow(sequence);
            let (following, added) = self.compare(&LedgerCommit { at: commit.at, puts, removes })?;
            entry.puts.extend(following.puts);
            entry.removes.extend(following.removes);
            report.put += added.put;
            report.unchanged += added.unchanged;
            report.removed += added.removed;
            report.sequence = Some(sequence);
            // Also where it fails: nobody knows then what is there.
            let puts = entry.puts.iter().map(|put| &put.typename);
            let types: BTreeSet<&String> =
                puts.chain(entry.removes.iter().map(|name| &name.typename)).collect();
            for typename in types {
                *self.written.entry(typename.clone()).or_default() += 1;
            }
            self.store.write_or_close(&mut writer, Entry::Ledger(entry))?;
        }
        Ok(report)
    }

    /// What the commit changes.
    fn compare(&self, commit: &LedgerCommit) -> Result<(LedgerEntry, LedgerReport), StoreError> {
        let mut report = LedgerReport::default();
        let index = self.store.index();
        let mut fresh: BTreeMap<(&str, &str), &Asset> = BTreeMap::new();
        for asset in &commit.puts {
            check(&asset.typename, &asset.id)?;
            fresh.insert((&asset.typename, &asset.id), asset);
        }
        let mut gone: BTreeSet<(&str, &str)> = BTreeSet::new();
        for (typename, id) in &commit.removes {
            check(typename, id)?;
            let is_put = fresh.contains_key(&(typename.as_str(), id.as_str()));
            if !is_put && index.get(&keys::listed(&keys::ledger(typename), id))?.is_some() {
                gone.insert((typename, id));
            }
        }
        let mut puts = Vec::new();
        for ((typename, id), asset) in fresh {
            let body = codec::canonical(asset).map_err(|_| too_large(usize::MAX))?;
            let known = index.get(&keys::listed(&keys::ledger(typename), id))?;
            if known.is_some_and(|digest| digest == codec::digest(body.as_bytes())) {
                report.unchanged += 1;
                continue;
            }
            let bytes = body.len();
            let asset = RawValue::from_string(body).map_err(|_| too_large(bytes))?;
            puts.push(LedgerPut { typename: typename.to_owned(), id: id.to_owned(), asset });
        }
        report.put = puts.len() as u64;
        report.removed = gone.len() as u64;
        let name =
            |(typename, id): (&str, &str)| LedgerName { typename: typename.to_owned(), id: id.to_owned() };
        let removes = gone.into_iter().map(name).collect();
        Ok((LedgerEntry { at: commit.at.millis(), puts, removes, totals: Totals::default() }, report))
    }
}

fn check(typename: &str, id: &str) -> Result<(), StoreError> {
    if !is_ledger_type(typename) {
        return Err(StoreError::NotOfLedger { typename: typename.to_owned() });
    }
    check_name(id, || format!("an id of type {typename}"))
}
