//! Collecting what an image holds: numbers by value, arrays by reference, so that a graph is written from where it
//! stands.

use std::{
    borrow::Cow,
    io,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use rustc_hash::FxHashMap;
use zerocopy::IntoBytes;

use super::{
    FORMAT, HEADER_BYTES, Imaged, MAGIC,
    block::{Digest, Kind, digest},
    reader::threads,
};

/// An image being put together.
#[derive(Debug, Default)]
pub(crate) struct ImageWriter<'g> {
    numbers: Vec<u64>,
    blocks: Vec<(Kind, Cow<'g, [u8]>)>,
    /// Arrays that stand in a block already, by where they are in memory and how long they are.
    arrays: FxHashMap<(Kind, usize, usize), u64>,
    /// Structures that were put in already, by where they are in memory.
    structures: FxHashMap<usize, u64>,
}

impl<'g> ImageWriter<'g> {
    pub(crate) fn number(&mut self, number: u64) {
        self.numbers.push(number);
    }

    pub(crate) fn count(&mut self, count: usize) {
        self.numbers.push(count as u64);
    }

    pub(crate) fn flag(&mut self, flag: bool) {
        self.numbers.push(flag.into());
    }

    pub(crate) fn text(&mut self, text: &'g str) {
        self.block(Kind::Text, text.as_bytes());
    }

    pub(crate) fn u32s(&mut self, values: &'g [u32]) {
        self.block(Kind::U32, values.as_bytes());
    }

    pub(crate) fn shared_u32s(&mut self, values: &'g [u32]) {
        self.shared(Kind::SharedU32, values.as_bytes());
    }

    pub(crate) fn u64s(&mut self, values: &'g [u64]) {
        self.block(Kind::U64, values.as_bytes());
    }

    pub(crate) fn shared_i64s(&mut self, values: &'g [i64]) {
        self.shared(Kind::SharedI64, values.as_bytes());
    }

    pub(crate) fn shared_f64s(&mut self, values: &'g [f64]) {
        self.shared(Kind::SharedF64, values.as_bytes());
    }

    /// An array that several columns may share: it is written once, and its number wherever it is used.
    fn shared(&mut self, kind: Kind, bytes: &'g [u8]) {
        let next = self.arrays.len() as u64;
        let place = (kind, bytes.as_ptr().addr(), bytes.len());
        let number = *self.arrays.entry(place).or_insert(next);
        self.number(number);
        if number == next {
            self.block(kind, bytes);
        }
    }

    /// Puts in a structure that others may share: itself the first time, later its number, counted from 1.
    pub(super) fn structure<T: Imaged>(&mut self, value: &'g T) {
        let place = std::ptr::from_ref(value).addr();
        if let Some(&number) = self.structures.get(&place) {
            self.number(number);
            return;
        }
        self.number(0);
        value.put(self);
        // Those within it have theirs by now.
        let number = self.structures.len() as u64 + 1;
        self.structures.insert(place, number);
    }

    /// Numbers that nobody keeps.
    pub(crate) fn made_u32s(&mut self, values: &[u32]) {
        self.blocks.push((Kind::U32, Cow::Owned(values.as_bytes().to_vec())));
    }

    /// The same.
    pub(crate) fn made_i64s(&mut self, values: &[i64]) {
        self.blocks.push((Kind::I64, Cow::Owned(values.as_bytes().to_vec())));
    }

    /// A text that nobody keeps.
    pub(crate) fn made_text(&mut self, text: String) {
        self.blocks.push((Kind::Text, Cow::Owned(text.into_bytes())));
    }

    fn block(&mut self, kind: Kind, bytes: &'g [u8]) {
        self.blocks.push((kind, Cow::Borrowed(bytes)));
    }

    /// What stands before the blocks.
    pub(super) fn head(&self, stamp: &[u8]) -> Vec<u8> {
        let mut contents = Vec::new();
        contents.extend_from_slice(&(stamp.len() as u64).to_le_bytes());
        contents.extend_from_slice(stamp);
        contents.extend_from_slice(&(self.numbers.len() as u64).to_le_bytes());
        for number in &self.numbers {
            contents.extend_from_slice(&number.to_le_bytes());
        }
        contents.extend_from_slice(&(self.blocks.len() as u64).to_le_bytes());
        for ((kind, bytes), digest) in self.blocks.iter().zip(self.digests()) {
            contents.push(kind.code());
            contents.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            contents.extend_from_slice(&digest);
        }
        let mut head = Vec::with_capacity(HEADER_BYTES + contents.len());
        head.extend_from_slice(&MAGIC);
        head.extend_from_slice(&FORMAT.to_ne_bytes());
        head.extend_from_slice(&(contents.len() as u64).to_le_bytes());
        head.extend_from_slice(blake3::hash(&contents).as_bytes());
        head.extend_from_slice(&contents);
        head
    }

    fn digests(&self) -> Vec<Digest> {
        let next = AtomicUsize::new(0);
        let digests = Mutex::new(vec![Digest::default(); self.blocks.len()]);
        std::thread::scope(|scope| {
            for _ in 0..threads() {
                scope.spawn(|| {
                    while let Some((place, (_, bytes))) = {
                        let place = next.fetch_add(1, Ordering::Relaxed);
                        self.blocks.get(place).map(|block| (place, block))
                    } {
                        let digest = digest(bytes);
                        let mut digests = digests.lock().unwrap_or_else(PoisonError::into_inner);
                        if let Some(slot) = digests.get_mut(place) {
                            *slot = digest;
                        }
                    }
                });
            }
        });
        digests.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes of all blocks.
    pub(super) fn bytes(&self) -> u64 {
        self.blocks.iter().map(|(_, bytes)| bytes.len() as u64).sum()
    }

    /// Writes the blocks, one after the other.
    pub(super) fn write(&self, out: &mut dyn io::Write) -> io::Result<()> {
        self.blocks.iter().try_for_each(|(_, bytes)| out.write_all(bytes))
    }
}
