//! Everything that can go wrong with a store, in words that say where and what to do about it.

use std::{io, path::PathBuf};

use crate::model::Time;

/// Why a store could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process (or another part of this one) has the store open.
    #[error(
        "the store `{}` is in use by {}: stop it, or give this one another folder",
        dir.display(),
        match pid { Some(pid) => format!("process {pid}"), None => "another process".to_owned() }
    )]
    InUse {
        /// The folder of the store.
        dir: PathBuf,
        /// The process that holds it, where the lock file says so.
        pid: Option<u32>,
    },
    /// The folder, or a file in it, can't be created or written.
    #[error("can't write `{}`: make it a folder that this user may write, or give another one", path.display())]
    NotWritable {
        /// What could not be created or written.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// A file of the store can't be read, or a system call about it failed.
    #[error("can't {action} `{}`: see to the disk and the permissions, then try again", path.display())]
    Io {
        /// What was tried, e.g. `read`.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// There is no store in the folder.
    #[error("there is no store in `{}`: collect or import into it first", dir.display())]
    Absent {
        /// The folder.
        dir: PathBuf,
    },
    /// The store was written by another version of the program.
    #[error(
        "the store `{}` has the format `{found}`, this version reads `{expected}`: open it with the version that \
         wrote it, or give another folder",
        dir.display()
    )]
    OtherFormat {
        /// The folder of the store.
        dir: PathBuf,
        /// What its format file says.
        found: String,
        /// What this version writes.
        expected: &'static str,
    },
    /// Too little room on the disk to open the store or to write to it safely.
    #[error(
        "`{}` has {free} bytes free and needs {needed}: make room on that disk, nothing was written",
        dir.display()
    )]
    DiskFull {
        /// The folder of the store.
        dir: PathBuf,
        /// Bytes free for this user.
        free: u64,
        /// Bytes that must be free.
        needed: u64,
    },
    /// A record of the journal is damaged and others follow it, or the chain is broken.
    #[error(
        "the journal is damaged: `{}`, byte {offset}, where record {sequence} should be: {problem}; nothing was \
         changed; put that file back from a backup, or start a new store in another folder",
        segment.display()
    )]
    JournalDamaged {
        /// The segment file.
        segment: PathBuf,
        /// Bytes from its beginning.
        offset: u64,
        /// The record that should be there.
        sequence: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// The index knows of records that the journal no longer has.
    #[error(
        "the journal in `{}` ends at record {journal}, but record {index} was acknowledged: put the missing files \
         back from a backup; to go on without them, delete the folder `{}`",
        dir.join("journal").display(),
        dir.join("index").display()
    )]
    JournalShort {
        /// The folder of the store.
        dir: PathBuf,
        /// The last record of the journal.
        journal: u64,
        /// The last record the index has taken in.
        index: u64,
    },
    /// A commit could not be written; what was there before is intact and the store can go on.
    #[error("the commit was not written to `{}`, what was stored before is intact: see to the disk, then try again", segment.display())]
    NotWritten {
        /// The segment file.
        segment: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// The disk would not confirm a write, so no later confirmation can be trusted either.
    #[error(
        "the disk did not confirm a write to `{}`, so the store takes no more: see to the disk, then open the store \
         again",
        segment.display()
    )]
    NotSynced {
        /// The segment file.
        segment: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// An earlier failure left it unclear what is stored until the store is opened again.
    #[error("the store takes no more commits after an earlier failure ({reason}): open it again")]
    Closed {
        /// The earlier failure.
        reason: String,
    },
    /// The index failed; the journal is intact and the index is repaired from it at the next open.
    #[error("the index can't {action}: open the store again, which repairs the index from the journal")]
    Index {
        /// What was tried, e.g. `read`.
        action: &'static str,
        /// What the index said.
        #[source]
        source: IndexFault,
    },
    /// A slice was given an asset of another type.
    #[error(
        "the slice `{slice}` lists `{slice_type}`, so it can't take the `{typename}` `{id}`: commit it in a slice of its own type"
    )]
    WrongType {
        /// The slice, as `account region type`.
        slice: String,
        /// The type the slice lists.
        slice_type: String,
        /// The type of the asset.
        typename: String,
        /// The id of the asset.
        id: String,
    },
    /// A slice of a type that is never collected.
    #[error("`{typename}` is what Passmuster itself keeps: it can't be collected or imported, leave it out")]
    NotCollected {
        /// The type.
        typename: String,
    },
    /// A type that is collected was given to the ledger.
    #[error("`{typename}` is no type of the ledger: commit it in a slice")]
    NotOfLedger {
        /// The type.
        typename: String,
    },
    /// A name is empty or too long to be a key.
    #[error("{what} has {length} bytes: it must have 1 to {limit}")]
    BadName {
        /// Which name, e.g. `an id of type Vpc`.
        what: String,
        /// How long it is.
        length: usize,
        /// How long it may be.
        limit: usize,
    },
    /// A commit is too large for one record.
    #[error("a commit of {bytes} bytes is more than a record holds ({limit}): split it by region or type")]
    TooLarge {
        /// The size of the commit.
        bytes: usize,
        /// The most a record may hold.
        limit: usize,
    },
    /// A moment before anything was collected.
    #[error("{}", match earliest {
        Some(earliest) => format!("nothing is known of {moment}: the first collection was at {earliest}"),
        None => format!("nothing is known of {moment}: nothing was ever collected; collect or import first"),
    })]
    BeforeHistory {
        /// The moment asked for.
        moment: Time,
        /// The earliest moment that can be asked for; nothing where the store is empty.
        earliest: Option<Time>,
    },
    /// What was read could not be held until it is committed.
    #[error("what was read of a slice can't be held packed")]
    NotPacked {
        /// What the coder said.
        #[source]
        source: io::Error,
    },
    /// A record passed its checks and still can't be understood.
    #[error("record {sequence} of the journal can't be read: use the version of the program that wrote it")]
    Unreadable {
        /// The record.
        sequence: u64,
        /// What the decoder said.
        #[source]
        source: io::Error,
    },
}

/// What the index said when it failed.
#[derive(Debug, thiserror::Error)]
pub enum IndexFault {
    /// An error it reported.
    #[error(transparent)]
    Reported(#[from] sled::Error),
    /// It panicked.
    #[error("it panicked: {0}")]
    Panicked(String),
    /// It holds a row that makes no sense.
    #[error("a row of kind `{kind}` makes no sense")]
    BadRow {
        /// The first letter of the row's key.
        kind: char,
    },
}

impl StoreError {
    /// For [`Result::map_err`] on a system call.
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    /// For [`Result::map_err`] where the folder must be writable.
    pub(super) fn not_writable(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::NotWritable { path, source }
    }
}
