//! The values of a column by row: a part that is shared with the graphs before and after, and the rows that were
//! appended since that part was made.

use std::sync::Arc;

use super::bitmap::Bitmap;

/// Values by row.
#[derive(Clone, Debug)]
pub(crate) struct Cells<T> {
    base: Arc<[T]>,
    tail: Vec<T>,
}

impl<T> From<Vec<T>> for Cells<T> {
    fn from(values: Vec<T>) -> Self {
        Self { base: values.into(), tail: Vec::new() }
    }
}

impl<T: Copy> Cells<T> {
    /// The value of a row.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> Option<&T> {
        self.base.get(row).or_else(|| self.tail.get(row - self.base.len()))
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.base.len() + self.tail.len()
    }

    /// Every value, in the order of rows.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slices().into_iter().flatten()
    }

    /// The values as two slices, the second of which continues the first: for loops that want plain memory.
    pub(crate) fn slices(&self) -> [&[T]; 2] {
        [&self.base, &self.tail]
    }

    /// The rows whose value `holds`: the scan of a column.
    pub(crate) fn scan(&self, mut holds: impl FnMut(T) -> bool) -> Bitmap {
        let rows = Bitmap::from_values(&self.base, &mut holds);
        if self.tail.is_empty() {
            return rows;
        }
        let mut rows = rows.resized(self.len());
        for (row, value) in (self.base.len()..).zip(&self.tail) {
            if holds(*value) {
                rows.set(row);
            }
        }
        rows
    }
}
