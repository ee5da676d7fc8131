//! What is noted beside a segment when the next one is begun: how long it is and where its chain ends. So opening a
//! journal reads the open segment alone, however long the history is.
//!
//! A note is a cache: it vouches for a segment only while that has the same beginning and length; where it is missing
//! or wrong, the segment is read whole. It never vouches for a record: whoever reads one checks that.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use super::record::Hash;

const MAGIC: [u8; 8] = *b"PMCLSD\x00\x01";
const BYTES: usize = 8 + 8 + 8 + 8 + 32 + 4;

/// What is known of a segment that nothing is appended to any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Closed {
    /// Its first record.
    pub(super) first: u64,
    /// Its last record.
    pub(super) last: u64,
    /// Its bytes.
    pub(super) length: u64,
    /// The hash of its last record, which stands for everything before.
    pub(super) hash: Hash,
}

impl Closed {
    /// The note about a segment; nothing where there is none that can be read.
    pub(super) fn read(dir: &Path, first: u64) -> Option<Self> {
        let bytes: [u8; BYTES] = fs::read(path_of(dir, first)).ok()?.try_into().ok()?;
        let (body, crc) = bytes.split_last_chunk::<4>()?;
        let rest = body.strip_prefix(&MAGIC)?;
        let (noted, rest) = rest.split_first_chunk::<8>()?;
        let (last, rest) = rest.split_first_chunk::<8>()?;
        let (length, rest) = rest.split_first_chunk::<8>()?;
        let (hash, _) = rest.split_first_chunk::<32>()?;
        let closed = Self {
            first: u64::from_le_bytes(*noted),
            last: u64::from_le_bytes(*last),
            length: u64::from_le_bytes(*length),
            hash: *hash,
        };
        let is_right = crc32fast::hash(body) == u32::from_le_bytes(*crc);
        (is_right && closed.first == first && closed.last >= first).then_some(closed)
    }

    /// Writes the note. Where that fails the segment is read whole at the next opening, so nobody has to know.
    pub(super) fn write(&self, dir: &Path) {
        let path = path_of(dir, self.first);
        let written = File::create(&path).and_then(|mut file| {
            file.write_all(&self.encode())?;
            file.sync_data()
        });
        if let Err(error) = written {
            tracing::debug!(%error, path = %path.display(), "a closed segment could not be noted");
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&self.first.to_le_bytes());
        bytes.extend_from_slice(&self.last.to_le_bytes());
        bytes.extend_from_slice(&self.length.to_le_bytes());
        bytes.extend_from_slice(&self.hash);
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }
}

fn path_of(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{first:020}.closed"))
}
