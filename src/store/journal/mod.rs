//! The journal: the truth of the store, append-only, in segments, each record confirmed by the disk before anybody
//! hears of it.
//!
//! **Invariant**: a record is written only after all records before it are confirmed, but for a group of them that is
//! noted first; so only the last record, or that group, can be torn. Anything else that is wrong is damage, and damage is
//! never repaired by dropping what follows.

mod closed;
mod group;
mod record;
mod segment;

use std::{
    fs::{self, File},
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use closed::Closed;
use group::Unconfirmed;
pub(super) use group::{record_bytes, settle_group};
pub(super) use record::{Hash, NO_HASH, PAYLOAD_LIMIT};
pub(super) use segment::Record;
use segment::{SEGMENT_HEADER_BYTES, SegmentHeader, SegmentReader, Step};

use super::{
    error::StoreError,
    options::{FaultPoint, Faults},
};

/// Where a record stands, or will.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    /// Its number.
    pub(super) sequence: u64,
    /// The first sequence of its segment.
    pub(super) segment: u64,
    /// Where it begins in its segment.
    pub(super) offset: u64,
}

/// The end of a journal.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    /// The last record; 0 where there is none.
    pub(super) sequence: u64,
    /// Its hash.
    pub(super) hash: Hash,
    /// The last segment; nothing where there is none.
    pub(super) segment: Option<u64>,
    /// Where the next record goes in it.
    pub(super) offset: u64,
}

/// What stands after the last whole record: the beginning of one whose writing was cut short.
#[derive(Clone, Debug)]
pub(super) struct Tail {
    /// The segment file.
    pub(super) path: PathBuf,
    /// Where the whole records end; 0 where not even the segment's header is whole.
    pub(super) offset: u64,
    /// How much stands there.
    pub(super) bytes: u64,
}

/// How much of a journal a walk reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Every record.
    Whole,
    /// The segments that hold this record or later ones, and the last one in any case; of the others only what was
    /// noted when they were closed.
    From(u64),
    /// The last segment, and before it only what was noted.
    End,
}

impl Depth {
    /// Whether a closed segment may be taken at the word of its note.
    fn may_skip(self, closed: &Closed) -> bool {
        match self {
            Self::Whole => false,
            Self::From(sequence) => closed.last < sequence,
            Self::End => true,
        }
    }
}

/// What a walk over a journal found.
#[derive(Debug)]
pub(super) struct Scan {
    /// Where it ends.
    pub(super) end: End,
    /// What has to be cut off.
    pub(super) tail: Option<Tail>,
    /// Whole segments.
    pub(super) segments: u64,
    /// Intact records, those of segments that were not read among them.
    pub(super) records: u64,
    /// Segments that were read.
    pub(super) segments_read: u64,
    /// Bytes of all segments.
    pub(super) bytes: u64,
}

/// Walks the journal and checks every record it reads. What is damaged is handed to `on_damage`; where that lets it
/// pass, the walk goes on with the next intact record. A closed segment that had to be read and is sound is noted.
///
/// # Errors
/// What `on_damage` and `visit` return, and where a file can't be read.
pub(super) fn scan(
    dir: &Path,
    depth: Depth,
    on_damage: &mut dyn FnMut(StoreError) -> Result<(), StoreError>,
    visit: &mut dyn FnMut(&Record) -> Result<(), StoreError>,
) -> Result<Scan, StoreError> {
    let firsts = segment::list(dir)?;
    let mut walk = Walk {
        scan: Scan {
            end: End { sequence: 0, hash: NO_HASH, segment: None, offset: 0 },
            tail: None,
            segments: 0,
            records: 0,
            segments_read: 0,
            bytes: 0,
        },
        chained: true,
        unconfirmed: Unconfirmed::read(dir),
    };
    for (number, first) in firsts.iter().enumerate() {
        let next = firsts.get(number + 1);
        let is_last = next.is_none();
        let noted = next.and_then(|_| Closed::read(dir, *first));
        if let (Some(closed), Some(next)) = (noted.filter(|closed| depth.may_skip(closed)), next)
            && walk.skip(dir, &closed, *next)?
        {
            continue;
        }
        walk.segment(dir, *first, is_last, on_damage, visit)?;
        let found = walk.closed(*first);
        // Verifying changes nothing.
        if !is_last && depth != Depth::Whole && noted != Some(found) && found.last >= *first {
            found.write(dir);
        }
    }
    Ok(walk.scan)
}

/// A walk in progress.
struct Walk {
    scan: Scan,
    /// Whether the hash of the record before is known (it isn't right after damage).
    chained: bool,
    /// Records that a crash may have left torn.
    unconfirmed: Option<Unconfirmed>,
}

impl Walk {
    /// What would be noted about the segment that was read last.
    fn closed(&self, first: u64) -> Closed {
        let End { sequence, hash, offset, .. } = self.scan.end;
        Closed { first, last: sequence, length: offset, hash }
    }

    /// Steps over a segment that is as it was noted, between its neighbours; false, and nothing is changed, where it
    /// isn't.
    fn skip(&mut self, dir: &Path, closed: &Closed, next: u64) -> Result<bool, StoreError> {
        let (reader, header) = SegmentReader::open(dir, closed.first)?;
        let (_, next_header) = SegmentReader::open(dir, next)?;
        let follows = closed.first == self.scan.end.sequence + 1
            && header.is_some_and(|header| header.previous == self.scan.end.hash);
        let leads =
            closed.last + 1 == next && next_header.is_none_or(|header| header.previous == closed.hash);
        if !self.chained || !follows || !leads || reader.length != closed.length {
            return Ok(false);
        }
        self.scan.segments += 1;
        self.scan.records += closed.last - closed.first + 1;
        self.scan.bytes += reader.length;
        self.scan.end = End {
            sequence: closed.last,
            hash: closed.hash,
            segment: Some(closed.first),
            offset: closed.length,
        };
        Ok(true)
    }

    fn segment(
        &mut self,
        dir: &Path,
        first: u64,
        is_last: bool,
        on_damage: &mut dyn FnMut(StoreError) -> Result<(), StoreError>,
        visit: &mut dyn FnMut(&Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let path = segment::path_of(dir, first);
        let expected = self.scan.end.sequence + 1;
        let damaged = |offset, sequence, problem: &str| StoreError::JournalDamaged {
            segment: path.clone(),
            offset,
            sequence,
            problem: problem.to_owned(),
        };
        let (mut reader, header) = SegmentReader::open(dir, first)?;
        self.scan.bytes += reader.length;
        self.scan.segments_read += 1;
        if header.is_none() && is_last && reader.length <= SEGMENT_HEADER_BYTES as u64 && first == expected {
            self.scan.tail = Some(Tail { path, offset: 0, bytes: reader.length });
            return Ok(());
        }
        self.scan.segments += 1;
        if first != expected {
            on_damage(damaged(
                0,
                expected,
                &format!("it begins with record {first}, a file before it is missing"),
            ))?;
            self.scan.end.sequence = first.saturating_sub(1);
            self.chained = false;
        }
        match header {
            None => {
                on_damage(damaged(0, first, "the header of the file is damaged"))?;
                self.chained = false;
            }
            Some(header) if self.chained && header.previous != self.scan.end.hash => {
                on_damage(damaged(0, first, "the file doesn't follow from the one before it"))?;
                self.scan.end.hash = header.previous;
            }
            Some(header) => {
                self.scan.end.hash = header.previous;
                self.chained = true;
            }
        }
        self.scan.end.segment = Some(first);
        self.scan.end.offset = reader.offset;
        loop {
            let sequence = self.scan.end.sequence + 1;
            match reader.next(sequence, self.chained.then_some(&self.scan.end.hash))? {
                Step::End => return Ok(()),
                Step::Record(record) => {
                    self.scan.end.sequence = sequence;
                    self.scan.end.hash = record.hash;
                    self.scan.end.offset = reader.offset;
                    self.scan.records += 1;
                    self.chained = true;
                    visit(&record)?;
                }
                Step::Bad(problem) => {
                    let offset = reader.offset;
                    let next = reader.find_next()?;
                    let place = (sequence, offset);
                    let is_torn_group =
                        self.unconfirmed.is_some_and(|group| group.explains(first, place, reader.length));
                    if is_last && (next.is_none() || is_torn_group) {
                        self.scan.tail = Some(Tail { path, offset, bytes: reader.length - offset });
                        return Ok(());
                    }
                    on_damage(damaged(offset, sequence, &problem))?;
                    let Some((place, found, _)) = next else { return Ok(()) };
                    reader.seek(place)?;
                    self.scan.end.sequence = found.saturating_sub(1);
                    self.chained = false;
                }
            }
        }
    }
}

/// Hands every record after `sequence` to `visit`, in order; the journal has been scanned before.
///
/// # Errors
/// What `visit` returns, and where a record can't be read (any more).
pub(super) fn replay(
    dir: &Path,
    sequence: u64,
    visit: &mut dyn FnMut(&Record) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let firsts = segment::list(dir)?;
    let begin = firsts.partition_point(|first| *first <= sequence + 1).saturating_sub(1);
    for first in firsts.into_iter().skip(begin) {
        let (mut reader, _) = SegmentReader::open(dir, first)?;
        let mut next = first;
        loop {
            match reader.next(next, None)? {
                Step::End => break,
                Step::Record(record) if next > sequence => visit(&record)?,
                Step::Record(_) => {}
                Step::Bad(problem) => {
                    let segment = segment::path_of(dir, first);
                    return Err(StoreError::JournalDamaged {
                        segment,
                        offset: reader.offset,
                        sequence: next,
                        problem,
                    });
                }
            }
            next += 1;
        }
    }
    Ok(())
}

/// Reads one record.
///
/// # Errors
/// Where it can't be read or isn't there.
pub(super) fn read_at(dir: &Path, position: Position) -> Result<Record, StoreError> {
    let (mut reader, _) = SegmentReader::open(dir, position.segment)?;
    reader.seek(position.offset)?;
    let problem = match reader.next(position.sequence, None)? {
        Step::Record(record) => return Ok(record),
        Step::End => "the file ends before it".to_owned(),
        Step::Bad(problem) => problem,
    };
    let segment = segment::path_of(dir, position.segment);
    Err(StoreError::JournalDamaged { segment, offset: position.offset, sequence: position.sequence, problem })
}

/// Cuts a torn tail off; what stands there is first copied to `keep`, if given.
///
/// # Errors
/// Where the file can't be read or written.
pub(super) fn cut(dir: &Path, tail: &Tail, keep: Option<&Path>) -> Result<(), StoreError> {
    if let Some(keep) = keep {
        fs::copy(&tail.path, keep).map_err(StoreError::not_writable(keep))?;
    }
    if tail.offset == 0 {
        fs::remove_file(&tail.path).map_err(StoreError::io("remove", &tail.path))?;
        return sync_dir(dir);
    }
    let file = File::options().write(true).open(&tail.path).map_err(StoreError::io("open", &tail.path))?;
    file.set_len(tail.offset).and_then(|()| file.sync_data()).map_err(StoreError::io("shorten", &tail.path))
}

/// Makes the entries of a folder durable.
pub(super) fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    File::open(dir).and_then(|folder| folder.sync_all()).map_err(StoreError::io("sync", dir))
}

/// The journal, open for writing.
#[derive(Debug)]
pub(super) struct Journal {
    dir: PathBuf,
    segment_bytes: u64,
    faults: Faults,
    end: End,
    file: Option<File>,
}

impl Journal {
    /// Opens a journal that has been scanned, at its end.
    ///
    /// # Errors
    /// Where the last segment can't be opened for writing.
    pub(super) fn open(
        dir: PathBuf,
        end: End,
        segment_bytes: u64,
        faults: Faults,
    ) -> Result<Self, StoreError> {
        let file = match end.segment {
            None => None,
            Some(first) => {
                let path = segment::path_of(&dir, first);
                let mut file =
                    File::options().write(true).open(&path).map_err(StoreError::not_writable(&path))?;
                file.seek(SeekFrom::Start(end.offset)).map_err(StoreError::io("read", &path))?;
                Some(file)
            }
        };
        Ok(Self { dir, segment_bytes, faults, end, file })
    }

    /// The last record.
    pub(super) fn end(&self) -> &End {
        &self.end
    }

    /// Where the next record will stand; begins a new segment where the present one is full.
    ///
    /// # Errors
    /// Where a new segment can't be created; the journal is as before.
    pub(super) fn prepare(&mut self) -> Result<Position, StoreError> {
        let sequence = self.end.sequence + 1;
        let is_full = self.end.offset >= self.segment_bytes && self.end.segment != Some(sequence);
        let segment = match self.end.segment {
            Some(segment) if !is_full => segment,
            _ => self.begin_segment(sequence)?,
        };
        Ok(Position { sequence, segment, offset: self.end.offset })
    }

    fn begin_segment(&mut self, first: u64) -> Result<u64, StoreError> {
        if let Some(full) = self.end.segment {
            let End { sequence, hash, offset, .. } = self.end;
            Closed { first: full, last: sequence, length: offset, hash }.write(&self.dir);
        }
        let path = segment::path_of(&self.dir, first);
        let header = SegmentHeader { first, previous: self.end.hash }.encode();
        let create = || {
            self.faults.reach(FaultPoint::SegmentCreate)?;
            // A file of this name can only be one whose creation failed before: it holds no confirmed record.
            let mut file = File::options().write(true).create(true).truncate(true).open(&path)?;
            file.write_all(&header)?;
            file.sync_data()?;
            File::open(&self.dir)?.sync_all()?;
            Ok(file)
        };
        match create() {
            Ok(file) => {
                self.file = Some(file);
                self.end.segment = Some(first);
                self.end.offset = header.len() as u64;
                Ok(first)
            }
            Err(source) => {
                // What was begun holds no record; where removing it fails as well, the next open does it.
                let _ = fs::remove_file(&path);
                Err(StoreError::NotWritten { segment: path, source })
            }
        }
    }

    /// Appends a record at the place [`Journal::prepare`] named and waits until the disk confirms it.
    ///
    /// # Errors
    /// [`StoreError::NotWritten`]: the journal is as before. [`StoreError::NotSynced`]: nothing may be appended
    /// until the store is opened again.
    pub(super) fn append(&mut self, position: Position, payload: &[u8]) -> Result<Hash, StoreError> {
        let path = segment::path_of(&self.dir, position.segment);
        let (bytes, hash) = record::encode(&self.end.hash, position.sequence, payload)
            .ok_or(StoreError::TooLarge { bytes: payload.len(), limit: PAYLOAD_LIMIT })?;
        let Some(file) = self.file.as_mut() else {
            return Err(StoreError::Closed { reason: "no segment is open".to_owned() });
        };
        let written = self.faults.reach(FaultPoint::RecordWrite).and_then(|()| file.write_all(&bytes));
        if let Err(source) = written {
            return Err(match take_back(file, position.offset) {
                Ok(()) => StoreError::NotWritten { segment: path, source },
                Err(_) => StoreError::NotSynced { segment: path, source },
            });
        }
        if let Err(source) = self.faults.reach(FaultPoint::RecordSync).and_then(|()| file.sync_data()) {
            // After a failed sync nothing is known about the file; taking the record back is only the likelier way
            // to have the next open agree with what the caller was told.
            let _ = take_back(file, position.offset);
            return Err(StoreError::NotSynced { segment: path, source });
        }
        self.end.sequence = position.sequence;
        self.end.hash = hash;
        self.end.offset = position.offset + bytes.len() as u64;
        Ok(hash)
    }
}

fn take_back(file: &mut File, offset: u64) -> std::io::Result<()> {
    file.set_len(offset)?;
    file.seek(SeekFrom::Start(offset))?;
    file.sync_data()
}
