//! Some text fields of a type, read row by row: what a report names assets by. A later graph can be asked whether a row
//! still says the same, so that what was read of it once need not be read again.

use std::{borrow::Cow, cmp::Ordering, sync::Arc};

use super::{Column, Graph, TextData};
use crate::catalog::TypeId;

/// Text fields of the rows of one type in one graph. Holds their columns.
#[derive(Clone, Debug)]
pub struct TextFields {
    /// Nothing where the type has no such field.
    columns: Vec<Option<Arc<Column>>>,
}

impl Graph {
    /// Some text fields of a type, by name; those it does not have are null. Nothing for a type without assets of its own.
    #[must_use]
    pub fn text_fields(&self, of: TypeId, names: &[&str]) -> Option<TextFields> {
        let (_, table) = self.table_of(of)?;
        let column = |name: &&str| {
            let (field, _) = self.catalog().get(of).find(name)?;
            table.columns.get(field.0 as usize).cloned()
        };
        Some(TextFields { columns: names.iter().map(column).collect() })
    }
}

impl TextFields {
    fn data(&self, place: usize) -> Option<&TextData> {
        self.columns.get(place)?.as_ref()?.text_data()
    }

    /// The text of a row in the field at a place; nothing where it is null or unknown.
    #[must_use]
    pub fn text(&self, place: usize, row: u32) -> Option<Cow<'_, str>> {
        let data = self.data(place)?;
        Some(data.text(data.code(row)?))
    }

    /// What stands for the text of a row in the field at a place where rows are [compared](Self::compare).
    #[must_use]
    pub fn code(&self, place: usize, row: u32) -> Option<u32> {
        self.data(place)?.code(row)
    }

    /// How the texts of two codes of the field at a place compare; no text is least.
    #[must_use]
    pub fn compare(&self, place: usize, one: Option<u32>, other: Option<u32>) -> Ordering {
        self.data(place).map_or(Ordering::Equal, |data| data.compare(one, other))
    }

    /// Whether a row says in every field what it said in another graph. False, too, where the two graphs have nothing in
    /// common, so that only reading would tell.
    #[must_use]
    pub fn says_as(&self, other: &Self, row: u32) -> bool {
        self.columns.iter().zip(&other.columns).all(|columns| match columns {
            (Some(own), Some(other)) if Arc::ptr_eq(own, other) => true,
            (Some(own), Some(other)) => {
                own.text_data().zip(other.text_data()).is_some_and(|(own, other)| own.says_as(other, row))
            }
            (own, other) => own.is_none() && other.is_none(),
        })
    }
}
