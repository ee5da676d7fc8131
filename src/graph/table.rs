//! The rows of one asset type, or of the embedded objects of one field in the order of their owners. Nobody outside
//! this room may take the order of rows for the order of ids, or every row for an asset: the methods here say which.

use std::{borrow::Cow, sync::Arc};

use super::{
    bitmap::Bitmap,
    column::{Column, Data},
    text::TextData,
};
use crate::catalog::{FieldId, TypeId};

/// One table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// An asset type or an embedded one.
    pub(crate) of: TypeId,
    /// How many rows it has: the length of its columns and of every set of its rows.
    pub(crate) rows: usize,
    /// By [`FieldId`].
    pub(crate) columns: Vec<Arc<Column>>,
    /// The column of the id; nothing in a table of embedded objects.
    pub(crate) id: Option<FieldId>,
}

impl Table {
    /// A table built whole: rows sorted by id, every row an asset (or an embedded object).
    pub(crate) fn new(of: TypeId, rows: usize, columns: Vec<Column>, id: Option<FieldId>) -> Self {
        Self { of, rows, columns: columns.into_iter().map(Arc::new).collect(), id }
    }

    /// The column of a field.
    #[expect(clippy::indexing_slicing, reason = "a table has a column for every field of its type")]
    pub(crate) fn column(&self, field: FieldId) -> &Column {
        &self.columns[field.0 as usize]
    }

    fn ids(&self) -> Option<&TextData> {
        match &self.column(self.id?).data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The row of an id. Ids are distinct and numbered as the rows are, so the code of an id is its row.
    pub(crate) fn find(&self, id: &str) -> Option<u32> {
        self.ids()?.find(id).filter(|&row| self.holds(row))
    }

    /// The id of a row; empty in a table of embedded objects.
    pub(crate) fn id_of(&self, row: u32) -> Cow<'_, str> {
        self.id.and_then(|id| self.column(id).text(row)).unwrap_or_default()
    }

    /// How many assets (or embedded objects) it holds.
    pub(crate) fn count(&self) -> usize {
        self.rows
    }

    /// Whether a row holds anything.
    #[inline]
    pub(crate) fn holds(&self, row: u32) -> bool {
        (row as usize) < self.rows
    }

    /// No row.
    pub(crate) fn none(&self) -> Bitmap {
        Bitmap::zeros(self.rows)
    }

    /// Every row that holds something.
    pub(crate) fn all(&self) -> Bitmap {
        Bitmap::ones(self.rows)
    }

    /// Whether a set is that of every row that holds something.
    pub(crate) fn is_all(&self, rows: &Bitmap) -> bool {
        rows.is_full()
    }

    /// Every row that holds something and is not in the set.
    pub(crate) fn complement(&self, rows: Bitmap) -> Bitmap {
        rows.complement()
    }

    /// Leaves out the rows that hold nothing: what a scan of a column finds may be left over from before.
    pub(crate) fn keep_held(&self, _rows: &mut Bitmap) {}

    /// A number for each row that ascends with the ids of the rows. Not a place: there are gaps.
    #[inline]
    pub(crate) fn rank(&self, row: u32) -> u64 {
        u64::from(row) << 32 | u64::from(u32::MAX)
    }

    /// The least [rank](Self::rank) that the row of this id, or of a greater one, can have; and whether a row has the id.
    pub(crate) fn rank_of_id(&self, id: &str) -> (u64, bool) {
        let Some(ids) = self.ids() else { return (0, false) };
        match self.find(id) {
            Some(row) => (self.rank(row), true),
            None => (u64::from(ids.lower_bound(id)) << 32, false),
        }
    }

    /// The rows of a set in the order of their ids (in a table of embedded objects, in that of rows).
    pub(crate) fn in_id_order<'t>(&'t self, rows: &'t Bitmap) -> impl Iterator<Item = u32> + 't {
        rows.iter()
    }

    /// The same, from a [rank](Self::rank) on.
    pub(crate) fn in_id_order_from<'t>(
        &'t self,
        rows: &'t Bitmap,
        rank: u64,
    ) -> impl Iterator<Item = u32> + 't {
        rows.iter_from(u32::try_from(rank >> 32).unwrap_or(u32::MAX))
    }

    /// Every row that holds something, in the order of ids.
    pub(crate) fn all_in_id_order(&self) -> impl Iterator<Item = u32> {
        (0u32..).take(self.rows)
    }

    /// Puts rows in the order of their ids.
    pub(crate) fn sort_by_id(&self, rows: &mut [u32]) {
        rows.sort_unstable_by_key(|&row| self.rank(row));
    }
}
