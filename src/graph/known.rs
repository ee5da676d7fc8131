//! Which texts are known, and the number of each: an open hash table. A short text is its own key, so that finding it
//! takes one look; of a long one its hash is, and it is compared where it stands.

use std::hash::Hasher;

use rustc_hash::FxHasher;

/// What a text is found by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Key {
    /// The first eight bytes, or the hash.
    first: u64,
    /// The others, and above them the length and one.
    rest: u64,
}

/// The longest text that is its own key.
const SHORT: usize = 15;
const LONG: u64 = 0xff << 56;

impl Key {
    /// The key of a text that is its own.
    #[inline]
    pub(super) fn short(text: &[u8]) -> Option<Self> {
        let length = text.len();
        if length > SHORT {
            return None;
        }
        let (first, rest) = match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
            (Some(first), Some(last)) => {
                // The last eight begin among the first eight.
                let behind = u64::from_le_bytes(*last).checked_shr(8 * (16 - length as u32)).unwrap_or(0);
                (u64::from_le_bytes(*first), behind)
            }
            _ => match (text.first_chunk::<4>(), text.last_chunk::<4>()) {
                (Some(first), Some(last)) => {
                    let last = u64::from(u32::from_le_bytes(*last)) << (8 * (length - 4));
                    (u64::from(u32::from_le_bytes(*first)) | last, 0)
                }
                _ => (text.iter().rev().fold(0, |key, &byte| key << 8 | u64::from(byte)), 0),
            },
        };
        Some(Self { first, rest: rest | (length as u64 + 1) << 56 })
    }

    /// The key of a text that is longer.
    pub(super) fn long(text: &[u8]) -> Self {
        let mut hasher = FxHasher::default();
        hasher.write(text);
        Self { first: hasher.finish(), rest: LONG }
    }

    fn hash(self) -> usize {
        let product =
            u128::from(self.first ^ 0x9e37_79b9_7f4a_7c15) * u128::from(self.rest ^ 0xe703_7ed1_a0b4_28db);
        ((product >> 64) as u64 ^ product as u64) as usize
    }
}

/// The table.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    slots: Vec<Slot>,
    len: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// Nothing where the slot is free.
    key: Key,
    number: u32,
}

impl Known {
    /// Whether it has to grow before it takes another text.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.len * 4 >= self.slots.len() * 3
    }

    /// Makes room for twice as many.
    pub(super) fn grow(&mut self) {
        let more = vec![Slot::default(); (self.slots.len() * 2).max(64)];
        let known = std::mem::replace(&mut self.slots, more);
        for slot in known.into_iter().filter(|slot| slot.key != Key::default()) {
            // All are distinct: none is another one that is there.
            if let Err(free) = self.find(slot.key, |_| false)
                && let Some(free) = self.slots.get_mut(free)
            {
                *free = slot;
            }
        }
    }

    /// The number of a text by its key, or the place that is free for it. `is_it` is asked of a number where the key does
    /// not tell by itself.
    #[inline]
    pub(super) fn find(&self, key: Key, is_it: impl Fn(u32) -> bool) -> Result<u32, usize> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut place = key.hash() & mask;
        loop {
            match self.slots.get(place) {
                Some(slot) if slot.key == key && (key.rest != LONG || is_it(slot.number)) => {
                    return Ok(slot.number);
                }
                Some(slot) if slot.key != Key::default() => place = (place + 1) & mask,
                _ => return Err(place),
            }
        }
    }

    /// Puts a number where there was none.
    pub(super) fn set(&mut self, place: usize, key: Key, number: u32) {
        if let Some(slot) = self.slots.get_mut(place) {
            *slot = Slot { key, number };
            self.len += 1;
        }
    }
}
