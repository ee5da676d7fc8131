//! One file of the journal: named by its first record, begun by a header that chains it to the segment before.

use std::{
    fs::{self, File},
    io::{BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use super::{
    super::error::StoreError,
    record::{HEADER_BYTES, Hash, Header, MAGIC, PAYLOAD_LIMIT, chain},
};

const SEGMENT_MAGIC: [u8; 8] = *b"PMJRNL\x00\x01";
const SUFFIX: &str = ".journal";

/// Bytes before the first record of a segment.
pub(super) const SEGMENT_HEADER_BYTES: usize = 8 + 8 + 32 + 4;

/// What stands at the beginning of a segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct SegmentHeader {
    /// The sequence of its first record.
    pub(super) first: u64,
    /// The hash its first record is chained to.
    pub(super) previous: Hash,
}

impl SegmentHeader {
    /// The bytes of the header.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SEGMENT_HEADER_BYTES);
        bytes.extend_from_slice(&SEGMENT_MAGIC);
        bytes.extend_from_slice(&self.first.to_le_bytes());
        bytes.extend_from_slice(&self.previous);
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }

    fn read(bytes: &[u8; SEGMENT_HEADER_BYTES]) -> Option<Self> {
        let (body, crc) = bytes.split_last_chunk::<4>()?;
        let rest = body.strip_prefix(&SEGMENT_MAGIC)?;
        let (first, rest) = rest.split_first_chunk::<8>()?;
        let (previous, _) = rest.split_first_chunk::<32>()?;
        (crc32fast::hash(body) == u32::from_le_bytes(*crc))
            .then(|| Self { first: u64::from_le_bytes(*first), previous: *previous })
    }
}

/// The file of the segment that begins with the record `first`.
pub(super) fn path_of(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{first:020}{SUFFIX}"))
}

/// The first sequences of all segments, ascending; files of other names are left alone.
pub(super) fn list(dir: &Path) -> Result<Vec<u64>, StoreError> {
    let mut firsts = Vec::new();
    for entry in fs::read_dir(dir).map_err(StoreError::io("list", dir))? {
        let name = entry.map_err(StoreError::io("list", dir))?.file_name();
        let first = name.to_str().and_then(|name| name.strip_suffix(SUFFIX));
        if let Some(first) = first.filter(|digits| digits.len() == 20).and_then(|digits| digits.parse().ok())
        {
            firsts.push(first);
        }
    }
    firsts.sort_unstable();
    Ok(firsts)
}

/// A record as it stands in a segment.
#[derive(Debug)]
pub(in crate::store) struct Record {
    /// Its number, counted from 1.
    pub(in crate::store) sequence: u64,
    /// Its place in the chain.
    pub(in crate::store) hash: Hash,
    /// The first sequence of its segment.
    pub(in crate::store) segment: u64,
    /// Where it begins in its segment.
    pub(in crate::store) offset: u64,
    /// The compressed payload.
    pub(in crate::store) payload: Vec<u8>,
}

/// What stands at a place where a record should be.
#[derive(Debug)]
pub(super) enum Step {
    /// A record, intact and rightly chained.
    Record(Record),
    /// The segment ends here.
    End,
    /// Something else.
    Bad(String),
}

/// Reads a segment record by record.
#[derive(Debug)]
pub(super) struct SegmentReader {
    path: PathBuf,
    file: BufReader<File>,
    first: u64,
    /// Where the next record begins.
    pub(super) offset: u64,
    /// Bytes of the file.
    pub(super) length: u64,
}

impl SegmentReader {
    /// Opens a segment and reads its header; the header is nothing where it is torn or damaged.
    pub(super) fn open(dir: &Path, first: u64) -> Result<(Self, Option<SegmentHeader>), StoreError> {
        let path = path_of(dir, first);
        let file = File::open(&path).map_err(StoreError::io("open", &path))?;
        let length = file.metadata().map_err(StoreError::io("read", &path))?.len();
        let mut reader =
            Self { path, file: BufReader::with_capacity(1 << 18, file), first, offset: 0, length };
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        let header = if reader.fill(&mut bytes)? {
            reader.offset = SEGMENT_HEADER_BYTES as u64;
            SegmentHeader::read(&bytes).filter(|header| header.first == first)
        } else {
            None
        };
        Ok((reader, header))
    }

    /// Goes to a place in the segment.
    pub(super) fn seek(&mut self, offset: u64) -> Result<(), StoreError> {
        self.file.seek(SeekFrom::Start(offset)).map_err(StoreError::io("read", &self.path))?;
        self.offset = offset;
        Ok(())
    }

    /// Reads the next record, which must be `sequence` and follow `previous`; without `previous` the chain isn't
    /// looked at. After anything but a record the place is where the record should have begun.
    pub(super) fn next(&mut self, sequence: u64, previous: Option<&Hash>) -> Result<Step, StoreError> {
        let offset = self.offset;
        let step = self.read_record(sequence, previous)?;
        if matches!(step, Step::Bad(_)) {
            self.seek(offset)?;
        }
        Ok(step)
    }

    fn read_record(&mut self, sequence: u64, previous: Option<&Hash>) -> Result<Step, StoreError> {
        let left = self.length.saturating_sub(self.offset);
        if left == 0 {
            return Ok(Step::End);
        }
        let bad = |problem: &str| Ok(Step::Bad(problem.to_owned()));
        let mut bytes = [0; HEADER_BYTES];
        if left < HEADER_BYTES as u64 || !self.fill(&mut bytes)? {
            return bad("the file ends within its header");
        }
        let Some(header) = Header::read(&bytes) else {
            return bad("no record begins there");
        };
        let payload_left = left - HEADER_BYTES as u64;
        let length = header.length as usize;
        if u64::from(header.length) > payload_left || length > PAYLOAD_LIMIT {
            return bad("the file ends within it");
        }
        let mut payload = vec![0; length];
        if !self.fill(&mut payload)? {
            return bad("the file ends within it");
        }
        if !header.is_intact(&payload) {
            return bad("its checksum is wrong");
        }
        if header.sequence != sequence {
            return Ok(Step::Bad(format!("record {} stands there instead", header.sequence)));
        }
        if previous.is_some_and(|previous| chain(previous, sequence, &payload) != header.hash) {
            return bad("it doesn't follow from the record before (the hash chain is broken)");
        }
        let record =
            Record { sequence, hash: header.hash, segment: self.first, offset: self.offset, payload };
        self.offset += (HEADER_BYTES + length) as u64;
        Ok(Step::Record(record))
    }

    /// Looks for an intact record after the present place: its place, sequence and hash.
    pub(super) fn find_next(&mut self) -> Result<Option<(u64, u64, Hash)>, StoreError> {
        let from = self.offset;
        let mut rest = Vec::new();
        self.file.read_to_end(&mut rest).map_err(StoreError::io("read", &self.path))?;
        self.seek(from)?;
        let hits = memchr::memmem::find_iter(&rest, &MAGIC).filter(|at| *at > 0);
        Ok(hits
            .filter_map(|at| {
                let (bytes, payload) = rest.get(at..)?.split_first_chunk::<HEADER_BYTES>()?;
                let header = Header::read(bytes)?;
                let payload = payload.get(..header.length as usize)?;
                header.is_intact(payload).then_some((from + at as u64, header.sequence, header.hash))
            })
            .next())
    }

    /// Fills the buffer; false where the file ends first.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<bool, StoreError> {
        match self.file.read_exact(buffer) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(StoreError::io("read", &self.path)(error)),
        }
    }
}
