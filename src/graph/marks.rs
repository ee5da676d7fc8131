//! The rows of each text of a column that has few: a set for each, made when it is first asked for and kept up to date
//! by patches. A condition on such a column costs a copy of sets, whatever the rows hold.

use std::sync::OnceLock;

use super::{bitmap::Bitmap, cells::Cells};

/// A column with more texts has no sets: together they would be larger than its codes.
const MOST_TEXTS: usize = 32;

/// Sets of rows by code.
#[derive(Clone, Debug)]
pub(super) struct Marks(Box<[OnceLock<Bitmap>]>);

impl Marks {
    /// Whether a column of so many texts has sets.
    pub(super) fn are_for(texts: usize) -> bool {
        texts <= MOST_TEXTS
    }

    /// Of so many texts, none asked for yet.
    pub(super) fn new(texts: usize) -> Self {
        Self((0..texts).map(|_| OnceLock::new()).collect())
    }

    /// Adds the rows with a code to a set.
    pub(super) fn add(&self, code: u32, codes: &Cells<u32>, rows: &mut Bitmap) {
        if let Some(marked) = self.0.get(code as usize) {
            rows.or(marked.get_or_init(|| codes.scan(|other| other == code)));
        }
    }

    /// The same for `rows` rows and `texts` texts, some of which are set: each has the code it had, and has, beside it.
    pub(super) fn patched(&self, rows: usize, texts: usize, set: &[(u32, u32, u32)]) -> Self {
        let known = self.0.iter().map(|marked| Some(marked.get()?.clone().resized(rows)));
        let mut known: Vec<Option<Bitmap>> = known.collect();
        for &(row, before, after) in set {
            if before == after {
                continue;
            }
            // No value has no set.
            if let Some(Some(marked)) = known.get_mut(before as usize) {
                marked.clear(row as usize);
            }
            if let Some(Some(marked)) = known.get_mut(after as usize) {
                marked.set(row as usize);
            }
        }
        let mut known = known.into_iter();
        Self((0..texts).map(|_| known.next().flatten().map_or_else(OnceLock::new, OnceLock::from)).collect())
    }
}
