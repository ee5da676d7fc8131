//! Which commit was the last at a moment. The order of commits is that of their numbers, never that of a clock.
//!
//! **Invariant**: a moment shows the newest commit (by number) whose time is not after it, and everything before that
//! commit. So where a clock was ahead and has been put back, the commits it dated ahead are seen as soon as one dated
//! rightly follows them; and a later moment never shows less than an earlier one.

use std::{ops::ControlFlow, sync::PoisonError};

use super::{
    Store,
    codec::CommitRow,
    error::StoreError,
    index::Index,
    journal::{self, NO_HASH, Position},
    keys,
    open::Revision,
    rows::{Rows, bad_row},
};
use crate::model::Time;

/// The commit that was the last at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InForce {
    /// Its number.
    pub sequence: u64,
    /// Its own time.
    pub at: Time,
}

/// The times of commits, kept only where no later commit has the same or an earlier time: both columns ascend.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    /// The last commit taken in.
    sequence: u64,
    steps: Vec<InForce>,
}

impl Timeline {
    fn push(&mut self, sequence: u64, at: Time) {
        let kept = self.steps.partition_point(|step| step.at < at);
        self.steps.truncate(kept);
        self.steps.push(InForce { sequence, at });
        self.sequence = sequence;
    }

    fn in_force(&self, moment: Time) -> Option<InForce> {
        let after = self.steps.partition_point(|step| step.at <= moment);
        self.steps.get(after.checked_sub(1)?).copied()
    }

    /// Takes in the commits up to `sequence`.
    fn catch_up(&mut self, index: &Index, sequence: u64) -> Result<(), StoreError> {
        let mut fresh = Vec::new();
        scan_commits(index, self.sequence + 1, sequence, &mut |sequence, row| {
            let at = Time::from_millis(row.at).ok_or_else(|| bad_row(keys::kind::COMMIT))?;
            fresh.push((sequence, at));
            Ok(())
        })?;
        for (sequence, at) in fresh.into_iter().rev() {
            self.push(sequence, at);
        }
        Ok(())
    }
}

impl Store {
    /// The earliest moment that can be asked for; nothing before the first commit.
    ///
    /// # Errors
    /// Where the index can't be read.
    pub fn earliest(&self) -> Result<Option<Time>, StoreError> {
        self.ask_timeline(|timeline| timeline.steps.first().map(|step| step.at))
    }

    /// The last commit of all; nothing before the first.
    ///
    /// # Errors
    /// Where the index can't be read.
    pub fn newest(&self) -> Result<Option<InForce>, StoreError> {
        self.ask_timeline(|timeline| timeline.steps.last().copied())
    }

    /// The last commit at a moment. Moments between two commits share one, so it tells whether two moments show the
    /// same.
    ///
    /// # Errors
    /// [`StoreError::BeforeHistory`], and where the index can't be read.
    pub fn in_force(&self, moment: Time) -> Result<InForce, StoreError> {
        self.ask_timeline(|timeline| {
            let earliest = timeline.steps.first().map(|step| step.at);
            timeline.in_force(moment).ok_or(StoreError::BeforeHistory { moment, earliest })
        })?
    }

    /// What the store held after a commit, by name; nothing for a commit that it doesn't have.
    ///
    /// # Errors
    /// Where the index or the record can't be read.
    pub fn revision_at(&self, sequence: u64) -> Result<Option<Revision>, StoreError> {
        if sequence == 0 {
            return Ok(Some(Revision { sequence, hash: NO_HASH }));
        }
        let Some(row) = self.index().get(&keys::commit(sequence))? else { return Ok(None) };
        let CommitRow { segment, offset, .. } =
            serde_json::from_slice(&row).map_err(|_| bad_row(keys::kind::COMMIT))?;
        let record = journal::read_at(&self.folder.journal, Position { sequence, segment, offset })?;
        Ok(Some(Revision { sequence, hash: record.hash }))
    }

    fn ask_timeline<R>(&self, ask: impl FnOnce(&Timeline) -> R) -> Result<R, StoreError> {
        let mut timeline = self.timeline.lock().unwrap_or_else(PoisonError::into_inner);
        let index = self.index();
        timeline.catch_up(&index, self.sequence())?;
        Ok(ask(&timeline))
    }
}

/// Hands the commits from `first` to `last` to `visit`, the last one first.
///
/// # Errors
/// What `visit` returns, and where a row can't be read or is missing.
pub(super) fn scan_commits(
    index: &Index,
    first: u64,
    last: u64,
    visit: &mut dyn FnMut(u64, CommitRow) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    if first > last {
        return Ok(());
    }
    let bad = || bad_row(keys::kind::COMMIT);
    let mut next = last;
    index.scan_back(&keys::commit(first), &keys::commit(last), &mut |key, value| {
        if *key != *keys::commit(next) {
            return Err(bad());
        }
        visit(next, serde_json::from_slice(value).map_err(|_| bad())?)?;
        next = next.saturating_sub(1);
        Ok(ControlFlow::Continue(()))
    })?;
    if next >= first { Err(bad()) } else { Ok(()) }
}
