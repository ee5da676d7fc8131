//! A bounded cache: what was used longest ago goes first. Split into parts with a lock each, so that requests on several
//! threads seldom wait for one another.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Parts with a lock of their own.
const PARTS: usize = 8;
/// The most entries of a part: few enough to look through.
const MOST_ENTRIES: usize = 64;
/// An entry that would take more than this share of a part is not kept.
const LARGEST_SHARE: usize = 2;

/// Values by key, found by the hash of the key.
#[derive(Debug)]
pub(super) struct Cache<K, V> {
    parts: [Mutex<Part<K, V>>; PARTS],
    /// The most bytes of a part, as the entries are weighed by whoever puts them in.
    bytes: usize,
}

#[derive(Debug)]
struct Part<K, V> {
    entries: Vec<Entry<K, V>>,
    bytes: usize,
    /// Counts the uses.
    uses: u64,
}

#[derive(Debug)]
struct Entry<K, V> {
    hash: u64,
    key: K,
    value: Arc<V>,
    bytes: usize,
    used: u64,
}

impl<K, V> Cache<K, V> {
    /// A cache of about so many bytes; with 0 it keeps nothing.
    pub(super) fn new(bytes: usize) -> Self {
        let part = |_| Mutex::new(Part { entries: Vec::new(), bytes: 0, uses: 0 });
        Self { parts: std::array::from_fn(part), bytes: bytes / PARTS }
    }

    /// The value of a key.
    pub(super) fn get(&self, hash: u64, is_key: impl Fn(&K) -> bool) -> Option<Arc<V>> {
        let mut part = self.part(hash)?;
        part.uses += 1;
        let used = part.uses;
        let entry = part.entries.iter_mut().find(|entry| entry.hash == hash && is_key(&entry.key))?;
        entry.used = used;
        Some(Arc::clone(&entry.value))
    }

    /// Keeps a value. Of two under one key either may be found.
    pub(super) fn put(&self, hash: u64, key: K, value: Arc<V>, bytes: usize) {
        if bytes > self.bytes / LARGEST_SHARE {
            return;
        }
        let Some(mut part) = self.part(hash) else { return };
        // Freed only when the lock is: a large plan takes a while.
        let mut gone = Vec::new();
        while part.entries.len() >= MOST_ENTRIES || part.bytes + bytes > self.bytes {
            let oldest = part.entries.iter().enumerate().min_by_key(|(_, entry)| entry.used);
            let Some((place, _)) = oldest else { break };
            let entry = part.entries.swap_remove(place);
            part.bytes -= entry.bytes;
            gone.push(entry);
        }
        part.uses += 1;
        let used = part.uses;
        part.bytes += bytes;
        part.entries.push(Entry { hash, key, value, bytes, used });
        drop(part);
        drop(gone);
    }

    /// The part of a hash. What a panic left behind is whole: entries are put in and taken out in one step.
    fn part(&self, hash: u64) -> Option<MutexGuard<'_, Part<K, V>>> {
        let place = usize::try_from(hash >> 32).unwrap_or_default() % PARTS;
        Some(self.parts.get(place)?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
