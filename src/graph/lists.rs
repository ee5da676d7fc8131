//! Where the items of each list of a column stand: one after the other, but for lists that changed since, whose items
//! were appended.

use std::{ops::Range, sync::Arc};

use rustc_hash::FxHashMap;

use super::image::{ImageError, ImageReader, ImageWriter, Imaged};

/// The items of each row, as ranges of the item column.
#[derive(Clone, Debug)]
pub(crate) struct Lists {
    /// Where each row's items begin, and at the end how many there are.
    offsets: Arc<[u32]>,
    /// Rows whose items stand elsewhere.
    moved: Option<Arc<FxHashMap<u32, Range<u32>>>>,
    /// The row of each item that was appended.
    owners: Vec<u32>,
}

impl Lists {
    pub(crate) fn new(offsets: Vec<u32>) -> Self {
        Self { offsets: offsets.into(), moved: None, owners: Vec::new() }
    }

    fn base_items(&self) -> u32 {
        self.offsets.last().copied().unwrap_or(0)
    }

    /// How many items there are, those of no row included.
    pub(super) fn items(&self) -> u32 {
        self.base_items().saturating_add(u32::try_from(self.owners.len()).unwrap_or(u32::MAX))
    }

    /// The items of a row.
    pub(crate) fn of(&self, row: u32) -> Option<Range<u32>> {
        if let Some(moved) = &self.moved
            && let Some(items) = moved.get(&row)
        {
            return Some(items.clone());
        }
        let row = row as usize;
        Some(*self.offsets.get(row)?..*self.offsets.get(row + 1)?)
    }

    /// The row that an item is of; nothing for one that belongs to no row any more.
    pub(super) fn owner(&self, item: u32) -> Option<u32> {
        let row = match item.checked_sub(self.base_items()) {
            Some(place) => *self.owners.get(place as usize)?,
            None => {
                let after = self.offsets.partition_point(|&start| start <= item);
                u32::try_from(after.checked_sub(1)?).ok()?
            }
        };
        self.of(row).is_some_and(|items| items.contains(&item)).then_some(row)
    }

    /// How many lists have moved.
    pub(super) fn moved(&self) -> usize {
        self.moved.as_ref().map_or(0, |moved| moved.len())
    }

    /// The same with some lists replaced by so many items, which are appended in this order.
    pub(super) fn with(&self, lists: impl IntoIterator<Item = (u32, usize)>) -> Self {
        let mut moved = self.moved.as_deref().cloned().unwrap_or_default();
        let mut owners = self.owners.clone();
        for (row, items) in lists {
            let place = |owners: &Vec<u32>| {
                self.base_items().saturating_add(u32::try_from(owners.len()).unwrap_or(u32::MAX))
            };
            let start = place(&owners);
            owners.extend(std::iter::repeat_n(row, items));
            moved.insert(row, start..place(&owners));
        }
        Self { offsets: Arc::clone(&self.offsets), moved: Some(Arc::new(moved)), owners }
    }
}

impl Imaged for Lists {
    fn put<'g>(&'g self, image: &mut ImageWriter<'g>) {
        let Self { offsets, moved, owners } = self;
        image.shared_u32s(offsets);
        image.u32s(owners);
        image.flag(moved.is_some());
        if let Some(moved) = moved {
            let mut places: Vec<[u32; 3]> =
                moved.iter().map(|(row, items)| [*row, items.start, items.end]).collect();
            places.sort_unstable();
            image.made_u32s(places.as_flattened());
        }
    }

    fn take_from(image: &mut ImageReader) -> Result<Self, ImageError> {
        let (offsets, owners) = (image.shared_u32s()?, image.u32s()?);
        let moved = if image.flag()? {
            let places = image.u32s()?;
            let (places, _) = places.as_chunks::<3>();
            Some(Arc::new(places.iter().map(|&[row, start, end]| (row, start..end)).collect()))
        } else {
            None
        };
        Ok(Self { offsets, moved, owners })
    }
}
