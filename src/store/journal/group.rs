//! Several records confirmed at once. Whatever of them a power cut leaves behind is cut off by the next opening, because
//! it is noted, and confirmed, which records those are before the first of them is written; the note is taken back, and
//! that confirmed as well, before anybody hears of them.
//!
//! **Invariant**: while a note stands, no record in it has been acknowledged, and none stands behind it.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::FileExt,
    path::Path,
};

use super::{
    super::{
        error::StoreError,
        options::{FaultPoint, Faults},
    },
    Hash, Journal, PAYLOAD_LIMIT, Position, record, segment, take_back,
};

const NAME: &str = "group";
const MAGIC: [u8; 8] = *b"PMGRUP\x00\x01";
const BYTES: usize = 8 + 8 * 5 + 4;

/// Records that were about to be written together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unconfirmed {
    /// The first sequence of their segment.
    segment: u64,
    /// Their first and last sequence.
    first: u64,
    last: u64,
    /// Where they begin and end in their segment.
    offset: u64,
    end: u64,
}

impl Unconfirmed {
    /// What was noted; nothing where no group was being written.
    pub(super) fn read(dir: &Path) -> Option<Self> {
        let bytes: [u8; BYTES] = fs::read(dir.join(NAME)).ok()?.try_into().ok()?;
        let (body, crc) = bytes.split_last_chunk::<4>()?;
        let (numbers, _) = body.strip_prefix(&MAGIC)?.as_chunks::<8>();
        let &[segment, first, last, offset, end] = numbers else { return None };
        let [segment, first, last, offset, end] = [segment, first, last, offset, end].map(u64::from_le_bytes);
        let is_right = crc32fast::hash(body) == u32::from_le_bytes(*crc);
        (is_right && first <= last).then_some(Self { segment, first, last, offset, end })
    }

    /// Whether a record that is damaged, or the end of a file of so many bytes, is what a crash left of the group.
    pub(super) fn explains(&self, segment: u64, (sequence, offset): (u64, u64), length: u64) -> bool {
        self.segment == segment
            && (self.first..=self.last).contains(&sequence)
            && offset >= self.offset
            && length <= self.end
    }

    fn encode(&self) -> [u8; BYTES] {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend_from_slice(&MAGIC);
        for number in [self.segment, self.first, self.last, self.offset, self.end] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        bytes.try_into().unwrap_or([0; BYTES])
    }

    /// Notes the group; the disk has confirmed it.
    fn note(&self, dir: &Path) -> io::Result<()> {
        let path = dir.join(NAME);
        if path.exists() {
            return overwrite(&path, &self.encode());
        }
        let mut file = File::create(&path)?;
        file.write_all(&self.encode())?;
        file.sync_all()?;
        File::open(dir)?.sync_all()
    }
}

/// Makes what a crash has left whole of a group as good as confirmed: what was torn has been cut off.
///
/// # Errors
/// Where a file can't be written.
pub(in crate::store) fn settle_group(dir: &Path) -> Result<(), StoreError> {
    let Some(group) = Unconfirmed::read(dir) else { return Ok(()) };
    let segment = segment::path_of(dir, group.segment);
    if segment.exists() {
        let file = File::options().write(true).open(&segment);
        file.and_then(|file| file.sync_data()).map_err(StoreError::not_writable(&segment))?;
    }
    forget(dir).map_err(StoreError::not_writable(&dir.join(NAME)))
}

/// Takes back what was noted; the disk has confirmed it.
fn forget(dir: &Path) -> io::Result<()> {
    match Unconfirmed::read(dir) {
        Some(_) => overwrite(&dir.join(NAME), &[0; BYTES]),
        None => Ok(()),
    }
}

fn overwrite(path: &Path, bytes: &[u8; BYTES]) -> io::Result<()> {
    let file = File::options().write(true).open(path)?;
    file.write_all_at(bytes, 0)?;
    file.sync_data()
}

/// How many bytes a record takes.
pub(in crate::store) fn record_bytes(payload: &[u8]) -> u64 {
    (record::HEADER_BYTES + payload.len()) as u64
}

impl Journal {
    /// Appends records one after the other from the place that [`Journal::prepare`] named, and waits until the disk has
    /// confirmed all of them. Returns the hash of the last.
    ///
    /// # Errors
    /// As [`Journal::append`], of the group as a whole.
    pub(in crate::store) fn append_group(
        &mut self,
        begin: Position,
        payloads: &[Vec<u8>],
    ) -> Result<Hash, StoreError> {
        let path = segment::path_of(&self.dir, begin.segment);
        let mut records = Vec::with_capacity(payloads.len());
        let (mut hash, mut next) = (self.end.hash, begin);
        for payload in payloads {
            let (bytes, its_hash) = record::encode(&hash, next.sequence, payload)
                .ok_or(StoreError::TooLarge { bytes: payload.len(), limit: PAYLOAD_LIMIT })?;
            hash = its_hash;
            next.sequence += 1;
            next.offset += bytes.len() as u64;
            records.push(bytes);
        }
        let group = Unconfirmed {
            segment: begin.segment,
            first: begin.sequence,
            last: next.sequence - 1,
            offset: begin.offset,
            end: next.offset,
        };
        let faults = self.faults.clone();
        if let Err(source) = faults.reach(FaultPoint::GroupNote).and_then(|()| group.note(&self.dir)) {
            // Half a note is none, but a whole one must not stand beside what is appended later.
            return Err(match forget(&self.dir) {
                Ok(()) => StoreError::NotWritten { segment: path, source },
                Err(_) => StoreError::NotSynced { segment: path, source },
            });
        }
        let Some(file) = self.file.as_mut() else {
            return Err(StoreError::Closed { reason: "no segment is open".to_owned() });
        };
        if let Err(source) = write_records(file, &records, &faults) {
            let is_undone = take_back(file, begin.offset).is_ok() && forget(&self.dir).is_ok();
            return Err(if is_undone {
                StoreError::NotWritten { segment: path, source }
            } else {
                StoreError::NotSynced { segment: path, source }
            });
        }
        if let Err(source) = faults.reach(FaultPoint::RecordSync).and_then(|()| file.sync_data()) {
            let _ = take_back(file, begin.offset);
            return Err(StoreError::NotSynced { segment: path, source });
        }
        if let Err(source) = forget(&self.dir) {
            return Err(StoreError::NotSynced { segment: path, source });
        }
        self.end.sequence = group.last;
        self.end.hash = hash;
        self.end.offset = group.end;
        Ok(hash)
    }
}

fn write_records(file: &mut File, records: &[Vec<u8>], faults: &Faults) -> io::Result<()> {
    records.iter().try_for_each(|record| {
        faults.reach(FaultPoint::RecordWrite)?;
        file.write_all(record)
    })
}
