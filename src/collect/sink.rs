//! Where slices go. The store is one; tests have one that only remembers.

use std::error::Error;

use crate::model::{Asset, Outcome, SliceKey, Time};

/// One slice, ready to be put away.
#[derive(Clone, Debug)]
pub struct SliceCommit {
    /// Which slice.
    pub key: SliceKey,
    /// The call behind it.
    pub api: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it is not complete.
    pub reason: Option<String>,
    /// When it ended.
    pub at: Time,
    /// Its assets.
    pub assets: Vec<Asset>,
}

/// What a commit changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommitReport {
    /// The sequence.
    pub sequence: u64,
    /// New assets.
    pub added: u64,
    /// Changed assets.
    pub changed: u64,
    /// Unchanged assets.
    pub unchanged: u64,
    /// Removed assets.
    pub removed: u64,
}

/// Takes slices, from any thread.
pub trait SliceSink: Send + Sync + std::fmt::Debug {
    /// Puts one slice away whole, or not at all.
    ///
    /// # Errors
    /// Whatever keeps it from being put away.
    fn commit(&self, commit: SliceCommit) -> Result<CommitReport, Box<dyn Error + Send + Sync>>;
}
