//! Where the items of each list of a column stand: one after the other, but for lists that changed since, whose items
//! were appended.

use std::{ops::Range, sync::Arc};

use rustc_hash::FxHashMap;

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
