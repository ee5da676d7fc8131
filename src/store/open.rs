//! Opening a store: whatever a crash, a full disk or a flipped bit has left behind, the index ends up saying exactly
//! what the journal says, or the store doesn't open and the error says why.

use std::{
    fs, io,
    path::Path,
    sync::{Mutex, RwLock, atomic::AtomicU64},
};

use super::{
    Store, Writer,
    codec::{self, Totals},
    error::{IndexFault, StoreError},
    folder::Folder,
    image::ImageFile,
    index::{self, Index, Meta},
    journal::{self, Depth, Hash, Journal, NO_HASH, Position, Record, Scan},
    lock::Lock,
    options::{FaultPoint, StoreOptions},
    rows,
};

/// A store that has been opened.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: Store,
    /// What had to be repaired, one line each, for people; empty where all was well.
    pub notes: Vec<String>,
}

/// What a store holds after a commit, by name: two stores of one revision hold the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revision {
    /// The number of the commit; 0 before the first.
    pub sequence: u64,
    /// The hash of its record, which stands for everything before it.
    pub hash: [u8; 32],
}

/// A store whose journal has been read and whose index has not: it is known what the store holds, and nobody else can
/// open it, but it can't be asked yet.
#[derive(Debug)]
pub struct Opening {
    folder: Folder,
    options: StoreOptions,
    revision: Revision,
    /// Dropped last.
    lock: Lock,
}

impl Store {
    /// Opens the store in `dir`, or creates one there; repairs what can be repaired without losing anything.
    ///
    /// # Errors
    /// Where another process has it open, the folder can't be written, the disk is too full, another version wrote
    /// it, or the journal is damaged.
    pub fn open(dir: &Path, options: &StoreOptions) -> Result<Opened, StoreError> {
        Opening::begin(dir, options)?.finish()
    }
}

impl Opening {
    /// Takes the store in `dir`, or creates one there, and reads the end of its journal: the time this takes doesn't
    /// grow with what the store holds.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn begin(dir: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        let folder = Folder::new(dir);
        folder.create()?;
        let lock = Lock::take(dir)?;
        let exists = folder.has_store()?;
        folder.check_room(options.min_free_bytes)?;
        if !exists {
            folder.begin_store()?;
        }
        folder.begin_journal()?;
        let scan = journal::scan(&folder.journal, Depth::End, &mut Err, &mut |_| Ok(()))?;
        let revision = Revision { sequence: scan.end.sequence, hash: scan.end.hash };
        Ok(Self { folder, options: options.clone(), revision, lock })
    }

    /// What the store holds once it is open.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Where what was derived from the store is kept.
    #[must_use]
    pub fn image(&self) -> ImageFile {
        ImageFile::of(&self.folder, &self.options)
    }

    /// Opens the index: every row of it is read, because what it says is believed from then on.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn finish(self) -> Result<Opened, StoreError> {
        let Self { folder, options, lock, .. } = self;
        let mut notes = Vec::new();
        let (index, meta, scan) = Repair { folder: &folder, options: &options, notes: &mut notes }.run()?;
        let journal =
            Journal::open(folder.journal.clone(), scan.end, options.segment_bytes, options.faults.clone())?;
        let store = Store {
            sequence: AtomicU64::new(meta.sequence),
            writer: Mutex::new(Writer { journal, meta, closed: None }),
            index: RwLock::new(index),
            folder,
            options,
            timeline: Mutex::default(),
            hidden: Mutex::default(),
            ledger: Mutex::default(),
            _lock: lock,
        };
        Ok(Opened { store, notes })
    }
}

/// The index being made to say what the journal says.
struct Repair<'a> {
    folder: &'a Folder,
    options: &'a StoreOptions,
    notes: &'a mut Vec<String>,
}

/// What the walk over the journal found out about the record the index took in last.
struct Walked {
    scan: Scan,
    /// The hash of that record; nothing where the journal has no such record.
    hash_at_index: Option<Hash>,
    /// What the store held after that record.
    totals_at_index: Totals,
}

impl Repair<'_> {
    fn run(&mut self) -> Result<(Index, Meta, Scan), StoreError> {
        if index::clear_leftovers(&self.folder.index)? > 0 {
            self.notes.push("removed an unfinished snapshot that a crash had left in the index".to_owned());
        }
        let existed = self.folder.index.is_dir();
        let mut index = self.open_index()?;
        let meta = index.as_ref().map_or(Meta::EMPTY, |(_, meta)| *meta);
        let walked = self.walk(&meta)?;
        self.cut_tail(&walked.scan, &meta)?;
        journal::settle_group(&self.folder.journal)?;
        let usable = match &index {
            Some((index, meta)) => self.is_usable(index, meta, &walked, existed)?,
            None => false,
        };
        if !usable {
            drop(index.take());
            // Nothing is thrown away before it is known that all of it can be read again.
            self.walk(&Meta::EMPTY)?;
            index = Some(self.empty_index()?);
        }
        let Some((index, mut meta)) = index else {
            return Err(rows::bad_row(super::keys::kind::META));
        };
        let behind = walked.scan.end.sequence.saturating_sub(meta.sequence);
        if behind > 0 && usable {
            self.notes.push(format!(
                "the index was behind: took in {} from the journal",
                count(behind, "commit", "commits")
            ));
        }
        journal::replay(&self.folder.journal, meta.sequence, &mut |record| {
            self.options
                .faults
                .reach(FaultPoint::Replay)
                .map_err(StoreError::io("write", &self.folder.index))?;
            meta = take_in(&index, record, &meta)?;
            Ok(())
        })?;
        Ok((index, meta, walked.scan))
    }

    /// The index and what it says it holds; nothing, and a note, where it is beyond use.
    fn open_index(&mut self) -> Result<Option<(Index, Meta)>, StoreError> {
        let opened = Index::open(&self.folder.index, self.options.cache_bytes)
            .and_then(|index| index.meta().map(|meta| (index, meta)));
        match opened {
            Ok(opened) => Ok(Some(opened)),
            Err(StoreError::Index { source: IndexFault::Reported(sled::Error::Io(source)), .. })
                if matches!(
                    source.kind(),
                    io::ErrorKind::PermissionDenied
                        | io::ErrorKind::ReadOnlyFilesystem
                        | io::ErrorKind::StorageFull
                ) =>
            {
                Err(StoreError::NotWritable { path: self.folder.index.clone(), source })
            }
            Err(error) => {
                tracing::debug!(?error, "the index could not be opened");
                self.notes.push(
                    "the index was damaged and could not be opened: rebuilt it from the journal".to_owned(),
                );
                Ok(None)
            }
        }
    }

    fn walk(&self, meta: &Meta) -> Result<Walked, StoreError> {
        let mut hash_at_index = (meta.sequence == 0).then_some(NO_HASH);
        let mut totals_at_index = Totals::default();
        let depth = Depth::From(meta.sequence);
        let scan = journal::scan(&self.folder.journal, depth, &mut Err, &mut |record| {
            if record.sequence == meta.sequence {
                hash_at_index = Some(record.hash);
                totals_at_index = codec::decode(record)?.totals();
            }
            Ok(())
        })?;
        let end = scan.end.sequence;
        // A disk that confirms too early can lose the last record in a power cut. More than that is no crash, and a
        // journal that somebody has taken away must not empty the index.
        if meta.sequence > end + 1 {
            let dir = self.folder.dir.clone();
            return Err(StoreError::JournalShort { dir, journal: end, index: meta.sequence });
        }
        Ok(Walked { scan, hash_at_index, totals_at_index })
    }

    fn cut_tail(&mut self, scan: &Scan, meta: &Meta) -> Result<(), StoreError> {
        let lost = scan.end.sequence + 1;
        let was_confirmed = meta.sequence == lost;
        if was_confirmed {
            self.notes.push(format!(
                "the disk has lost record {lost} although it had confirmed it: the store is as it was before that \
                 commit, collect again and check the disk"
            ));
        }
        let Some(tail) = &scan.tail else { return Ok(()) };
        let keep = was_confirmed.then(|| self.folder.journal.join(format!("record-{lost}.lost")));
        journal::cut(&self.folder.journal, tail, keep.as_deref())?;
        if !was_confirmed {
            self.notes.push(format!(
                "record {lost} of the journal was cut short by a crash before it was confirmed: removed its {} at \
                 byte {} of `{}`",
                count(tail.bytes, "byte", "bytes"),
                tail.offset,
                tail.path.display()
            ));
        }
        Ok(())
    }

    /// Whether the index holds what the journal said at the record it took in last.
    fn is_usable(
        &mut self,
        index: &Index,
        meta: &Meta,
        walked: &Walked,
        existed: bool,
    ) -> Result<bool, StoreError> {
        let records = walked.scan.end.sequence;
        if meta.sequence == 0 && records > 0 {
            let what = if existed { "empty" } else { "missing" };
            self.notes.push(format!("the index was {what}: rebuilt it from the journal"));
            return Ok(false);
        }
        if meta.format != index::FORMAT {
            self.notes
                .push("the index was written by another version: rebuilt it from the journal".to_owned());
            return Ok(false);
        }
        if meta.sequence > records {
            return Ok(false);
        }
        if walked.hash_at_index != Some(meta.hash) {
            self.notes.push("the index belonged to another journal: rebuilt it".to_owned());
            return Ok(false);
        }
        let holds = meta.totals == walked.totals_at_index
            && match index.holds(meta) {
                Ok(holds) => holds,
                Err(StoreError::Index { .. }) => false,
                Err(error) => return Err(error),
            };
        if !holds {
            self.notes.push("the index didn't hold what the journal says: rebuilt it".to_owned());
        }
        Ok(holds)
    }

    fn empty_index(&self) -> Result<(Index, Meta), StoreError> {
        let path = &self.folder.index;
        match fs::remove_dir_all(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::not_writable(path)(error)),
        }
        let index = Index::open(path, self.options.cache_bytes)?;
        Ok((index, Meta::EMPTY))
    }
}

/// Takes one record into the index.
fn take_in(index: &Index, record: &Record, meta: &Meta) -> Result<Meta, StoreError> {
    let entry = codec::decode(record)?;
    let position = Position { sequence: record.sequence, segment: record.segment, offset: record.offset };
    let changes = rows::changes(&entry, position, index, meta.totals)?;
    if changes.totals != entry.totals() {
        let source =
            io::Error::other(format!("it says {:?}, and {:?} was found", entry.totals(), changes.totals));
        return Err(StoreError::Unreadable { sequence: record.sequence, source });
    }
    index.write(changes, record.sequence, record.hash, meta)
}

fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
