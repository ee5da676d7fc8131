//! Messages that tell of a run are in the record of the run itself, so that a crash leaves both or neither. What a
//! message says, and to whom it goes, is the business of whoever fills the outbox.

use std::collections::BTreeSet;

use super::{settle::FindingChange, unknown::UnknownVerdict};
use crate::{
    model::{Asset, FINDING_TYPE, UNKNOWN_VERDICT_TYPE},
    store::LedgerAddition,
};

/// What one record changes, as far as others are told.
#[derive(Clone, Debug, Default)]
pub struct News<'a> {
    /// What became of findings.
    pub changes: Vec<&'a FindingChange>,
    /// What was known and no longer is.
    pub unknown: Vec<&'a UnknownVerdict>,
}

/// Makes messages of what goes on record.
pub trait Outbox {
    /// The messages, as assets of the ledger, of what the commit with this number changes. It is not on record yet, and
    /// may never be.
    fn messages(&mut self, sequence: u64, news: &News<'_>) -> LedgerAddition;

    /// What [`Outbox::messages`] was asked for last is on record, and its messages are.
    fn confirm(&mut self);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug)]
pub struct NoOutbox;

impl Outbox for NoOutbox {
    fn messages(&mut self, _: u64, _: &News<'_>) -> LedgerAddition {
        LedgerAddition::default()
    }

    fn confirm(&mut self) {}
}

impl News<'_> {
    /// Takes out what some of the assets tell of, and leaves the rest.
    #[must_use]
    pub fn split_off(&mut self, puts: &[Asset]) -> Self {
        let of = |typename: &str| -> BTreeSet<&str> {
            puts.iter().filter(|put| put.typename == typename).map(|put| put.id.as_str()).collect()
        };
        let (findings, verdicts) = (of(FINDING_TYPE), of(UNKNOWN_VERDICT_TYPE));
        let changes = self.changes.extract_if(.., |change| findings.contains(change.finding.id.as_str()));
        let unknown = self.unknown.extract_if(.., |unknown| verdicts.contains(unknown.id.as_str()));
        Self { changes: changes.collect(), unknown: unknown.collect() }
    }
}
