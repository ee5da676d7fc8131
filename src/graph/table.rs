//! The rows of one asset type, sorted by id, or of the embedded objects of one field, in the order of their owners.

use std::borrow::Cow;

use super::column::{Column, Data};
use crate::catalog::{FieldId, TypeId};

/// One table.
#[derive(Debug)]
pub(crate) struct Table {
    /// An asset type or an embedded one.
    pub(crate) of: TypeId,
    /// How many rows it has.
    pub(crate) rows: usize,
    /// By [`FieldId`].
    pub(crate) columns: Vec<Column>,
    /// The column of the id; nothing in a table of embedded objects.
    pub(crate) id: Option<FieldId>,
}

impl Table {
    /// The column of a field.
    #[expect(clippy::indexing_slicing, reason = "a table has a column for every field of its type")]
    pub(crate) fn column(&self, field: FieldId) -> &Column {
        &self.columns[field.0 as usize]
    }

    /// The row of an id. Ids are distinct and rows sorted by them, so the code of an id is its row.
    pub(crate) fn find(&self, id: &str) -> Option<u32> {
        match &self.column(self.id?).data {
            Data::Text(text) => text.dictionary.find(id),
            _ => None,
        }
    }

    /// The id of a row; empty in a table of embedded objects.
    pub(crate) fn id_of(&self, row: u32) -> Cow<'_, str> {
        self.id.and_then(|id| self.column(id).text(row)).unwrap_or_default()
    }

    /// No row.
    pub(crate) fn none(&self) -> super::Bitmap {
        super::Bitmap::zeros(self.rows)
    }

    /// Every row.
    pub(crate) fn all(&self) -> super::Bitmap {
        super::Bitmap::ones(self.rows)
    }
}
