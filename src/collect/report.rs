//! What a collection tells while it runs, and what it says at the end.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::{GLOBAL_REGION, Outcome, SliceKey},
    store::CommitReport,
};

/// Something happened: for progress bars and log lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It is known what will be read of an account. Comes once for each, before its slices.
    Planned {
        /// The account.
        account_id: String,
        /// How many accounts are collected in all.
        accounts: usize,
        /// The regions that will be read, sorted.
        regions: Vec<String>,
        /// The slices that will be committed, sorted.
        slices: Vec<SliceKey>,
    },
    /// One slice was committed.
    SliceDone {
        /// How it went.
        slice: SliceReport,
        /// How many are done, this one included.
        done: usize,
        /// How many are planned so far, for all accounts.
        of: usize,
    },
}

/// How one slice went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SliceReport {
    /// Which slice.
    pub key: SliceKey,
    /// The call behind it, e.g. `ec2:DescribeFlowLogs`.
    pub api: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it is not complete, e.g. `ec2:DescribeFlowLogs: UnauthorizedOperation`; nothing for a complete one.
    pub reason: Option<String>,
    /// How many assets were read; 0 unless complete.
    pub assets: u64,
    /// What the commit changed.
    pub commit: CommitReport,
}

/// One account of a collection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountReport {
    /// Twelve digits.
    pub account_id: String,
    /// What people call it, where the organisation or the configuration says.
    pub name: Option<String>,
    /// The regions that were read, sorted; none where the account's role could not be taken on.
    pub regions: Vec<String>,
    /// The regions AWS says the account has not opted in to, sorted; they have no slices.
    pub not_opted_in: Vec<String>,
}

/// What a whole collection came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CollectReport {
    /// The accounts, sorted by id.
    pub accounts: Vec<AccountReport>,
    /// Every slice, sorted by account, region, type.
    pub slices: Vec<SliceReport>,
    /// What the reader of the summary must know besides, one sentence each.
    pub notes: Vec<String>,
    /// How often each API was called that AWS counts, retries included.
    pub metered: BTreeMap<String, u64>,
}

impl CollectReport {
    /// How many slices ended so.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> usize {
        self.slices.iter().filter(|slice| slice.outcome == outcome).count()
    }

    /// Whether every slice is complete.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.slices.iter().all(|slice| slice.outcome == Outcome::Complete)
    }

    /// Whether nothing was collected: no region gave anything, or, where only account-wide types were asked for, none
    /// of those.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        let regional = |slice: &&SliceReport| slice.key.region != GLOBAL_REGION;
        let complete = |slice: &SliceReport| slice.outcome == Outcome::Complete;
        if self.slices.iter().any(|slice| regional(&slice)) {
            !self.slices.iter().filter(regional).any(complete)
        } else {
            !self.slices.iter().any(complete)
        }
    }

    /// Assets read, and how many of them were new, changed, unchanged; and how many are gone.
    #[must_use]
    pub fn totals(&self) -> CommitReport {
        let mut totals = CommitReport { sequence: 0, added: 0, changed: 0, unchanged: 0, removed: 0 };
        for slice in &self.slices {
            totals.sequence = totals.sequence.max(slice.commit.sequence);
            totals.added = totals.added.saturating_add(slice.commit.added);
            totals.changed = totals.changed.saturating_add(slice.commit.changed);
            totals.unchanged = totals.unchanged.saturating_add(slice.commit.unchanged);
            totals.removed = totals.removed.saturating_add(slice.commit.removed);
        }
        totals
    }

    /// How many assets were read in all.
    #[must_use]
    pub fn assets(&self) -> u64 {
        self.slices.iter().map(|slice| slice.assets).sum()
    }

    /// The calls that were denied, sorted: what a policy has to allow.
    #[must_use]
    pub fn denied_calls(&self) -> BTreeSet<&str> {
        let denied = self.slices.iter().filter(|slice| slice.outcome == Outcome::Denied);
        denied.map(|slice| slice.api.as_str()).collect()
    }
}
