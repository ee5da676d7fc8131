//! The store: a journal that is the truth and an index (sled) that can always be rebuilt from it.
//!
//! A commit is one record of the journal, confirmed by the disk, then one batch of the index, then the
//! acknowledgement. `docs/decisions/003-journal-and-index.md` says why, and how a record looks.
#![expect(clippy::disallowed_methods, reason = "this room is where the store's files are read and written")]

mod codec;
mod commit;
mod delta;
mod diff;
mod error;
mod folder;
mod group;
mod held;
mod image;
mod index;
mod journal;
mod keys;
mod ledger;
mod lock;
mod open;
mod options;
mod packed;
mod past;
mod proof;
mod read;
mod rows;
mod timeline;
mod verify;
mod versions;

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicU64, Ordering},
    },
};

pub use commit::{CommitReport, SliceCommit};
pub use delta::{Delta, Owned};
pub use error::{IndexFault, StoreError};
pub use held::read_held_ledger;
pub use image::ImageFile;
pub use ledger::{LedgerAddition, LedgerCommit, LedgerReport, LedgerTurn};
pub use open::{Opened, Opening, Revision};
pub use options::StoreOptions;
#[doc(hidden)]
pub use options::{FaultPoint, Faults};
pub use packed::{AssetList, Packed};
pub use past::{Past, PastWork};
pub use proof::{ChainFault, Proof, ProofRecord, RecordBody, Replayed, compare_with_journal};
pub use read::{SEEN_FIELDS, Snapshot};
pub use timeline::InForce;
pub use verify::{Problem, VerifyReport, verify};
pub use versions::Version;

use folder::Folder;
use index::{Index, Meta};
use journal::Journal;
use lock::Lock;
use timeline::Timeline;

/// A store, open for reading and writing by this process alone; may be shared between threads.
#[derive(Debug)]
pub struct Store {
    sequence: AtomicU64,
    /// The one writer. Taken before the index.
    writer: Mutex<Writer>,
    /// Locked for writing only while a commit goes in, so that a reader sees each commit whole or not at all.
    index: RwLock<Index>,
    folder: Folder,
    options: StoreOptions,
    /// The times of the commits, as far as somebody has asked. Taken before the index.
    timeline: Mutex<Timeline>,
    /// What is listed and not shown, once everything was read. Taken after the index.
    hidden: Mutex<Option<delta::Hidden>>,
    /// Taken by whoever reads the ledger to write what follows from it: how often each type was written to since the
    /// store was opened. Taken before the writer.
    ledger: Mutex<BTreeMap<String, u64>>,
    /// Dropped last: by then the index is closed.
    _lock: Lock,
}

/// What only one commit at a time may touch.
#[derive(Debug)]
struct Writer {
    journal: Journal,
    meta: Meta,
    /// Why no more commits are taken.
    closed: Option<String>,
}

impl Store {
    /// The number of the last commit that readers see; 0 before the first.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::Acquire)
    }

    /// Where what was derived from the store is kept.
    #[must_use]
    pub fn image(&self) -> ImageFile {
        ImageFile::of(&self.folder, &self.options)
    }

    /// The hash of the last record of the journal, in hexadecimal: whoever notes it can prove later that nothing
    /// before it was changed.
    #[must_use]
    pub fn journal_hash(&self) -> String {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        blake3::Hash::from_bytes(writer.journal.end().hash).to_hex().to_string()
    }

    fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }
}
