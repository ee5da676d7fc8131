//! The values of a column by row: a part that is shared with the graphs before and after, and the rows that were
//! appended since that part was made.

use std::sync::Arc;

use super::{
    bitmap::Bitmap,
    image::{ImageError, ImageReader, ImageWriter, Imaged},
};

/// Values by row.
#[derive(Clone, Debug)]
pub(crate) struct Cells<T> {
    base: Arc<[T]>,
    tail: Vec<T>,
}

impl<T> FromIterator<T> for Cells<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self { base: values.into_iter().collect(), tail: Vec::new() }
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

    /// The part that is shared: as long as it is held, no other stands at its address.
    pub(super) fn shared(&self) -> &Arc<[T]> {
        &self.base
    }

    /// The value of one row as a slice; empty beyond the end.
    pub(super) fn slice_at(&self, row: usize) -> &[T] {
        let (cells, row) =
            if row < self.base.len() { (&*self.base, row) } else { (&*self.tail, row - self.base.len()) };
        cells.get(row..row + 1).unwrap_or_default()
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

    /// The same values with some rows set, and others appended where they are given in order. The part that is shared
    /// is copied only where one of its rows is set; how many values that takes is added to `copied`.
    pub(super) fn patched(&self, set: impl IntoIterator<Item = (u32, T)>, copied: &mut u64) -> Self {
        let mut patched = self.clone();
        let mut is_copied = false;
        for (row, value) in set {
            let row = row as usize;
            if row < patched.base.len() {
                if !is_copied {
                    *copied += patched.base.len() as u64;
                    is_copied = true;
                }
                if let Some(cell) = Arc::make_mut(&mut patched.base).get_mut(row) {
                    *cell = value;
                }
            } else if row == patched.len() {
                patched.tail.push(value);
            } else if let Some(cell) = patched.tail.get_mut(row - patched.base.len()) {
                *cell = value;
            }
        }
        patched
    }
}

/// Numbers as an image holds them: the shared part as it is read, without a copy.
macro_rules! imaged {
    ($number:ty, $put:ident) => {
        impl Imaged for Cells<$number> {
            fn put<'g>(&'g self, image: &mut ImageWriter<'g>) {
                let Self { base, tail } = self;
                image.$put(base);
                image.$put(tail);
            }

            fn take_from(image: &mut ImageReader) -> Result<Self, ImageError> {
                Ok(Self { base: image.$put()?, tail: image.$put()?.to_vec() })
            }
        }
    };
}

imaged!(u32, shared_u32s);
imaged!(i64, shared_i64s);
imaged!(f64, shared_f64s);
