//! A dense set of row numbers, one bit a row: what filters are evaluated to. Every bitmap has the length of its table,
//! and no bit beyond that length is ever set.

use std::ops::Range;

use super::image::{ImageError, ImageReader, ImageWriter, Imaged};

/// A set of rows of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bitmap {
    words: Vec<u64>,
    len: usize,
}

const BITS: usize = 64;

impl Bitmap {
    /// No row of `len`.
    #[must_use]
    pub fn zeros(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(BITS)], len }
    }

    /// Every row of `len`.
    #[must_use]
    pub fn ones(len: usize) -> Self {
        let mut all = Self { words: vec![u64::MAX; len.div_ceil(BITS)], len };
        all.clear_tail();
        all
    }

    /// The rows for which `holds`, asked in order.
    pub fn from_fn(len: usize, mut holds: impl FnMut(usize) -> bool) -> Self {
        let mut words = Vec::with_capacity(len.div_ceil(BITS));
        let mut start = 0;
        while start < len {
            let end = (start + BITS).min(len);
            let mut word = 0u64;
            for row in start..end {
                word |= u64::from(holds(row)) << (row - start);
            }
            words.push(word);
            start = end;
        }
        Self { words, len }
    }

    /// The rows whose value `holds`: the scan of a column. A test without branches is done for many values at once.
    pub fn from_values<T: Copy>(values: &[T], mut holds: impl FnMut(T) -> bool) -> Self {
        let words = values
            .chunks(BITS)
            .map(|chunk| {
                let mut held = [0u8; BITS];
                for (held, &value) in held.iter_mut().zip(chunk) {
                    *held = u8::from(holds(value));
                }
                pack(&held)
            })
            .collect();
        Self { words, len: values.len() }
    }

    /// The rows named, in any order; those beyond `len` are left out.
    pub fn from_rows(len: usize, rows: impl IntoIterator<Item = u32>) -> Self {
        let mut set = Self::zeros(len);
        for row in rows {
            set.set(row as usize);
        }
        set
    }

    /// The same rows among more (or fewer, where those beyond the end are left out).
    #[must_use]
    pub(crate) fn resized(mut self, len: usize) -> Self {
        self.words.resize(len.div_ceil(BITS), 0);
        self.len = len;
        self.clear_tail();
        self
    }

    /// How many rows the table has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no row is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    /// Whether every row is in the set.
    #[must_use]
    pub fn is_full(&self) -> bool {
        // Most sets that are not full show it early.
        let used = self.len % BITS;
        let last = if used == 0 { u64::MAX } else { (1 << used) - 1 };
        match self.words.split_last() {
            None => true,
            Some((end, words)) => *end == last && words.iter().all(|&word| word == u64::MAX),
        }
    }

    /// How many rows are in the set.
    #[must_use]
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether a row is in the set; false beyond the end.
    #[must_use]
    #[inline]
    pub fn get(&self, row: usize) -> bool {
        self.words.get(row / BITS).is_some_and(|word| word >> (row % BITS) & 1 == 1)
    }

    /// Adds a row; beyond the end nothing happens.
    #[inline]
    pub fn set(&mut self, row: usize) {
        if row < self.len
            && let Some(word) = self.words.get_mut(row / BITS)
        {
            *word |= 1 << (row % BITS);
        }
    }

    /// Adds all rows of a range; those beyond the length are left out.
    pub(crate) fn set_range(&mut self, rows: Range<usize>) {
        let end = rows.end.min(self.len);
        let mut row = rows.start;
        while row < end {
            let bits = (BITS - row % BITS).min(end - row);
            if let Some(word) = self.words.get_mut(row / BITS) {
                *word |= u64::MAX >> (BITS - bits) << (row % BITS);
            }
            row += bits;
        }
    }

    /// Removes a row.
    #[inline]
    pub fn clear(&mut self, row: usize) {
        if let Some(word) = self.words.get_mut(row / BITS) {
            *word &= !(1 << (row % BITS));
        }
    }

    /// Keeps what is in both.
    pub fn and(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    /// Adds what is in the other.
    pub fn or(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    /// Removes what is in the other.
    pub fn and_not(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
    }

    /// Every row that was not in the set.
    #[must_use]
    pub fn complement(mut self) -> Self {
        for word in &mut self.words {
            *word = !*word;
        }
        self.clear_tail();
        self
    }

    /// Visits the rows of the set, ascending: for loops that do little for each.
    #[inline]
    pub fn for_each(&self, mut visit: impl FnMut(u32)) {
        for (place, &word) in (0u32..).zip(&self.words) {
            let mut rest = word;
            while rest != 0 {
                visit(place * 64 + rest.trailing_zeros());
                rest &= rest - 1;
            }
        }
    }

    /// The rows of the set, 64 by 64: the first row of each word, and its bits.
    pub(crate) fn words(&self) -> impl Iterator<Item = (u32, u64)> {
        (0u32..).zip(&self.words).map(|(place, &word)| (place * 64, word))
    }

    /// The rows of the set, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0u32..).zip(&self.words).flat_map(|(place, &word)| rows_of_word(place * 64, word))
    }

    /// The rows of the set from one on, ascending.
    pub fn iter_from(&self, first: u32) -> impl Iterator<Item = u32> + '_ {
        let place = first as usize / BITS;
        let first_word = self.words.get(place).map(|word| word & (u64::MAX << (first as usize % BITS)));
        let words = first_word.into_iter().chain(self.words.iter().skip(place + 1).copied());
        (first / 64..).zip(words).flat_map(|(place, word)| rows_of_word(place * 64, word))
    }

    fn clear_tail(&mut self) {
        let used = self.len % BITS;
        if used != 0
            && let Some(last) = self.words.last_mut()
        {
            *last &= (1 << used) - 1;
        }
    }
}

/// A bit for each byte that is 1; the others are 0.
fn pack(held: &[u8; BITS]) -> u64 {
    let (eights, _) = held.as_chunks::<8>();
    eights.iter().rev().fold(0, |word, eight| {
        // Each product moves one byte's bit to its place in the highest byte, and no two meet on the way.
        word << 8 | u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56
    })
}

/// The rows of one word, ascending.
pub(crate) fn rows_of_word(base: u32, word: u64) -> impl Iterator<Item = u32> {
    let mut rest = word;
    std::iter::from_fn(move || {
        (rest != 0).then(|| {
            let bit = rest.trailing_zeros();
            rest &= rest - 1;
            base + bit
        })
    })
}

impl Imaged for Bitmap {
    fn put<'g>(&'g self, image: &mut ImageWriter<'g>) {
        let Self { words, len } = self;
        image.count(*len);
        image.u64s(words);
    }

    fn take_from(image: &mut ImageReader) -> Result<Self, ImageError> {
        Ok(Self { len: image.count()?, words: image.u64s()? })
    }
}
