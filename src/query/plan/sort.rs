//! Orders: by stored and computed fields, by fields of the asset at the other end of a to-one, by how many are related.

use super::Filter;
use crate::catalog::{FieldId, TypeId};

/// One key of an order. Null sorts greatest: last ascending, first descending.
#[derive(Clone, Debug)]
pub struct SortKey {
    /// What is compared, as a query writes it: `name`, `vpc.name`, `hasFlowLogAggregate.count`.
    pub name: String,
    /// What is compared.
    pub by: SortBy,
    /// Greatest first.
    pub descending: bool,
}

/// What a key of an order compares.
#[derive(Clone, Debug)]
pub enum SortBy {
    /// A field of the row, for each asset type that it can have.
    Value(Vec<(TypeId, SortedValue)>),
    /// How many assets are related.
    Count(Vec<(TypeId, FieldId)>),
    /// A key of the asset at the other end of a to-one; null where there is none.
    Through {
        /// The relation, at its place in each asset type that a row can have.
        relation: Vec<(TypeId, FieldId)>,
        /// What is compared there.
        by: Box<SortBy>,
    },
}

/// A field that rows of one type are compared by.
#[derive(Clone, Debug)]
pub enum SortedValue {
    /// A stored field.
    Field(FieldId),
    /// A computed field: whether the filter is TRUE.
    Computed(Filter),
}
