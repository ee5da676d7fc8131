//! Values that come in one by one, kept in pieces: none of them is moved when more come, and no memory is asked for
//! twice.

/// How many values a piece has at most.
const LENGTH: usize = 1 << 15;

/// Values in the order they came.
#[derive(Clone, Debug)]
pub(crate) struct Pieces<T> {
    full: Vec<Vec<T>>,
    last: Vec<T>,
}

impl<T> Default for Pieces<T> {
    fn default() -> Self {
        Self { full: Vec::new(), last: Vec::new() }
    }
}

impl<T: Copy> Pieces<T> {
    /// Adds a value behind all others.
    #[inline]
    pub(crate) fn push(&mut self, value: T) {
        if self.last.len() == LENGTH {
            self.begin_another();
        }
        self.last.push(value);
    }

    #[cold]
    fn begin_another(&mut self) {
        self.full.push(std::mem::replace(&mut self.last, Vec::with_capacity(LENGTH)));
    }

    /// Sets the value of a place behind all others, with a filler in those before it that have none.
    #[inline]
    pub(crate) fn put(&mut self, place: usize, filler: T, value: T) {
        while self.len() < place {
            self.push(filler);
        }
        self.push(value);
    }

    /// How many there are.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.full.len() * LENGTH + self.last.len()
    }

    /// The value of a place; nothing beyond the end.
    pub(crate) fn get(&self, place: usize) -> Option<T> {
        let piece = place / LENGTH;
        let values = if piece == self.full.len() { &self.last } else { self.full.get(piece)? };
        values.get(place % LENGTH).copied()
    }

    /// The last value.
    pub(crate) fn last(&self) -> Option<T> {
        self.last.last().copied()
    }

    /// All values, a piece after the other.
    pub(crate) fn slices(&self) -> impl Iterator<Item = &[T]> {
        self.full.iter().chain([&self.last]).map(Vec::as_slice)
    }

    /// Each value.
    pub(crate) fn iter(&self) -> impl Iterator<Item = T> {
        self.slices().flatten().copied()
    }
}
