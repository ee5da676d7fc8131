//! The keys of the index's rows: a letter for the kind of row, then names that sort as their text does.
//!
//! A name ends with the bytes 0, 1 and a NUL within one is written 0, 255, so no name runs into the next.

use crate::model::SliceKey;

/// The kind of a row: the first byte of its key.
pub(super) mod kind {
    /// What the index holds as a whole: one row.
    pub(in crate::store) const META: u8 = b'm';
    /// A current asset as one slice lists it: type, id, account, region.
    pub(in crate::store) const ASSET: u8 = b'a';
    /// A piece of an asset too large for its row: the asset's key, number.
    pub(in crate::store) const CHUNK: u8 = b'c';
    /// What a slice lists: account, region, type, id; the digest of the asset.
    pub(in crate::store) const LISTED: u8 = b'l';
    /// The state of a slice: account, region, type.
    pub(in crate::store) const SLICE: u8 = b's';
    /// A version of an asset: type, id, sequence.
    pub(in crate::store) const VERSION: u8 = b'v';
    /// A commit, one for every record of the journal: sequence; when it was, where its record stands, and what its slice was before.
    pub(in crate::store) const COMMIT: u8 = b'k';
}

/// The key of the row about the index as a whole.
pub(super) const META_KEY: [u8; 1] = [kind::META];

fn push(key: &mut Vec<u8>, name: &str) {
    for byte in name.bytes() {
        key.push(byte);
        if byte == 0 {
            key.push(255);
        }
    }
    key.extend_from_slice(&[0, 1]);
}

/// A byte, then names.
pub(super) fn names(kind: u8, names: &[&str]) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + names.iter().map(|name| name.len() + 2).sum::<usize>());
    key.push(kind);
    for name in names {
        push(&mut key, name);
    }
    key
}

/// A byte, a name, and the beginning of another.
pub(super) fn names_beginning(kind: u8, name: &str, beginning: &str) -> Vec<u8> {
    let mut key = names(kind, &[name, beginning]);
    // The end of the last name.
    key.truncate(key.len() - 2);
    key
}

/// The row of an asset as `slice` lists it.
pub(super) fn asset(typename: &str, id: &str, slice: &SliceKey) -> Vec<u8> {
    names(kind::ASSET, &[typename, id, &slice.account_id, &slice.region])
}

/// A piece of an asset's row.
pub(super) fn chunk(asset_key: &[u8], number: u32) -> Vec<u8> {
    let mut key = Vec::with_capacity(asset_key.len() + 4);
    key.push(kind::CHUNK);
    key.extend(asset_key.iter().skip(1));
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// Everything a slice lists.
pub(super) fn listed_prefix(slice: &SliceKey) -> Vec<u8> {
    names(kind::LISTED, &[&slice.account_id, &slice.region, &slice.asset_type])
}

/// The row that says that a slice lists an asset.
pub(super) fn listed(slice: &SliceKey, id: &str) -> Vec<u8> {
    let mut key = listed_prefix(slice);
    push(&mut key, id);
    key
}

/// What stands in place of a slice for assets that none lists. No slice has an empty name.
pub(super) fn ledger(typename: &str) -> SliceKey {
    SliceKey::new("", "", typename)
}

/// Whether a key is that of the ledger's assets of a type.
pub(super) fn is_ledger(key: &SliceKey) -> bool {
    key.account_id.is_empty()
}

/// The state of a slice.
pub(super) fn slice(key: &SliceKey) -> Vec<u8> {
    names(kind::SLICE, &[&key.account_id, &key.region, &key.asset_type])
}

/// One commit.
pub(super) fn commit(sequence: u64) -> Vec<u8> {
    let mut key = vec![kind::COMMIT];
    key.extend_from_slice(&sequence.to_be_bytes());
    key
}

/// All versions of an asset.
pub(super) fn version_prefix(typename: &str, id: &str) -> Vec<u8> {
    names(kind::VERSION, &[typename, id])
}

/// One version of an asset.
pub(super) fn version(typename: &str, id: &str, sequence: u64) -> Vec<u8> {
    let mut key = version_prefix(typename, id);
    key.extend_from_slice(&sequence.to_be_bytes());
    key
}

/// The names of a key, after its first byte; what follows them is left alone.
pub(super) fn parse<const N: usize>(key: &[u8]) -> Option<[String; N]> {
    let mut rest = key.get(1..)?;
    let mut names = Vec::with_capacity(N);
    for _ in 0..N {
        let (name, after) = first_name(rest)?;
        names.push(name);
        rest = after;
    }
    names.try_into().ok()
}

/// The name that `bytes` begin with, and what follows it.
pub(super) fn first_name(bytes: &[u8]) -> Option<(String, &[u8])> {
    let mut name = Vec::new();
    let mut rest = bytes;
    loop {
        let (piece, after) = rest.split_at_checked(memchr::memchr(0, rest)?)?;
        name.extend_from_slice(piece);
        rest = after.get(2..)?;
        match after.get(1)? {
            1 => return Some((String::from_utf8(name).ok()?, rest)),
            255 => name.push(0),
            _ => return None,
        }
    }
}
