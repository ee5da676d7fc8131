//! One record of the journal as bytes: magic, length, sequence, CRC32, chained hash, compressed payload.
//!
//! The CRC finds accidents at once; the hash covers the record before as well, so that a journal can't be shortened
//! in the middle, reordered or edited without every later hash being wrong.

/// Where a record begins; also what a search for records after a damaged one looks for.
pub(super) const MAGIC: [u8; 4] = *b"PMr\x01";

/// Bytes before the payload.
pub(super) const HEADER_BYTES: usize = 4 + 4 + 8 + 4 + 32;

/// The most a payload may hold.
pub(in crate::store) const PAYLOAD_LIMIT: usize = 1 << 30;

/// A hash of the chain.
pub(in crate::store) type Hash = [u8; 32];

/// What the first record of a journal is chained to.
pub(in crate::store) const NO_HASH: Hash = [0; 32];

/// What stands before a payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    /// Bytes of payload.
    pub(super) length: u32,
    /// One more than the record before.
    pub(super) sequence: u64,
    /// Over length, sequence, hash and payload.
    pub(super) crc: u32,
    /// Over the hash before, the sequence and the payload.
    pub(super) hash: Hash,
}

impl Header {
    /// Reads a header; nothing where the magic is missing.
    pub(super) fn read(bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let rest = bytes.strip_prefix(&MAGIC)?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (sequence, rest) = rest.split_first_chunk::<8>()?;
        let (crc, rest) = rest.split_first_chunk::<4>()?;
        let (hash, _) = rest.split_first_chunk::<32>()?;
        Some(Self {
            length: u32::from_le_bytes(*length),
            sequence: u64::from_le_bytes(*sequence),
            crc: u32::from_le_bytes(*crc),
            hash: *hash,
        })
    }

    /// Whether the payload, and this header itself, are as they were written.
    pub(super) fn is_intact(&self, payload: &[u8]) -> bool {
        u32::try_from(payload.len()) == Ok(self.length) && self.crc == self.crc_of(payload)
    }

    fn crc_of(&self, payload: &[u8]) -> u32 {
        let mut crc = crc32fast::Hasher::new();
        crc.update(&self.length.to_le_bytes());
        crc.update(&self.sequence.to_le_bytes());
        crc.update(&self.hash);
        crc.update(payload);
        crc.finalize()
    }
}

/// The hash of a record that follows the one with the hash `previous`.
pub(super) fn chain(previous: &Hash, sequence: u64, payload: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(previous);
    hasher.update(&sequence.to_le_bytes());
    hasher.update(payload);
    *hasher.finalize().as_bytes()
}

/// A whole record and its hash; nothing where the payload is larger than [`PAYLOAD_LIMIT`].
pub(super) fn encode(previous: &Hash, sequence: u64, payload: &[u8]) -> Option<(Vec<u8>, Hash)> {
    let length = u32::try_from(payload.len()).ok().filter(|_| payload.len() <= PAYLOAD_LIMIT)?;
    let hash = chain(previous, sequence, payload);
    let mut header = Header { length, sequence, crc: 0, hash };
    header.crc = header.crc_of(payload);
    let mut bytes = Vec::with_capacity(HEADER_BYTES + payload.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&header.length.to_le_bytes());
    bytes.extend_from_slice(&header.sequence.to_le_bytes());
    bytes.extend_from_slice(&header.crc.to_le_bytes());
    bytes.extend_from_slice(&header.hash);
    bytes.extend_from_slice(payload);
    Some((bytes, hash))
}
