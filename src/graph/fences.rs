//! A few of the texts of a sorted dictionary in eight bytes each, close together in memory: a search begins among them,
//! and looks at whole texts only where the rest is decided. Made at the first search.

use std::ops::Range;

/// Every so many texts have a fence.
const STRIDE: u32 = 64;
/// Fewer texts need none.
const FEWEST: u32 = 16 * STRIDE;

/// The fences of a dictionary in the order of code points.
#[derive(Debug)]
pub(super) struct Fences {
    /// What all texts begin with.
    common: Vec<u8>,
    /// Of every [`STRIDE`]th text what follows that, as a number; equal where texts differ only further on.
    keys: Vec<u64>,
    count: u32,
}

impl Fences {
    /// Of `count` texts, each of which can be asked for; nothing where there are few.
    pub(super) fn new<'t, T: AsRef<str> + 't>(count: u32, text: impl Fn(u32) -> T) -> Option<Self> {
        let last = count.checked_sub(1).filter(|_| count >= FEWEST)?;
        let (first, last) = (text(0), text(last));
        let pairs = first.as_ref().bytes().zip(last.as_ref().bytes());
        let common: Vec<u8> = pairs.take_while(|(one, other)| one == other).map(|(one, _)| one).collect();
        let rest = |code| text(code).as_ref().as_bytes().get(common.len()..).map_or(0, key);
        let keys = (0..count).step_by(STRIDE as usize).map(rest).collect();
        Some(Self { common, keys, count })
    }

    /// Where the first text stands that is not before this one: at a code of the range, or at its end.
    pub(super) fn around(&self, text: &str) -> Range<u32> {
        let Some(rest) = text.as_bytes().strip_prefix(self.common.as_slice()) else {
            let place = if text.as_bytes() < self.common.as_slice() { 0 } else { self.count };
            return place..place;
        };
        let wanted = key(rest);
        let fence = |place: usize| u32::try_from(place).map_or(self.count, |place| place * STRIDE);
        // What stands at a fence before it is before the text; what stands at a fence behind it is not.
        let before = self.keys.partition_point(|&key| key < wanted);
        let behind = self.keys.partition_point(|&key| key <= wanted);
        before.checked_sub(1).map_or(0, |place| fence(place) + 1)..fence(behind).min(self.count)
    }
}

/// The first eight bytes as a number that ascends with them.
fn key(bytes: &[u8]) -> u64 {
    let mut first = [0; 8];
    for (slot, byte) in first.iter_mut().zip(bytes) {
        *slot = *byte;
    }
    u64::from_be_bytes(first)
}
