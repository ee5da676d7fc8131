//! Groups: how many assets there are for each value of some fields.

use super::{Filters, SortBy};
use crate::catalog::TypeId;

/// Counts by value.
#[derive(Clone, Debug)]
pub struct Groups {
    /// An asset type or an interface.
    pub of: TypeId,
    /// Which of the candidates.
    pub filters: Filters,
    /// By what; never empty.
    pub by: Vec<GroupedBy>,
    /// The order asked for. What it leaves open is decided by the count, greatest first, then by the values, null last.
    pub sort: Vec<GroupSort>,
    /// The most groups; 0 gives none.
    pub limit: Option<u32>,
    /// What to print of each.
    pub fields: Vec<GroupField>,
}

/// One of the values that make a group.
#[derive(Clone, Debug)]
pub struct GroupedBy {
    /// As a query writes it.
    pub name: String,
    /// The value; nothing for the name of the asset's type.
    pub by: Option<SortBy>,
}

/// One key of the order of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupSort {
    /// A place in [`Groups::by`], or nothing for the count.
    pub by: Option<usize>,
    /// Greatest first.
    pub descending: bool,
}

/// One entry of a group.
#[derive(Clone, Debug)]
pub struct GroupField {
    /// The response key.
    pub key: String,
    /// What stands behind it.
    pub kind: GroupKind,
}

/// What a group shows.
#[derive(Clone, Debug)]
pub enum GroupKind {
    /// The name of the group's type.
    Typename,
    /// How many assets it has.
    Count,
    /// The values it stands for.
    Key(Vec<GroupKeyField>),
}

/// One entry of a group's key.
#[derive(Clone, Debug)]
pub struct GroupKeyField {
    /// The response key.
    pub key: String,
    /// What stands behind it.
    pub kind: GroupKeyKind,
}

/// What a group's key shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupKeyKind {
    /// The name of the key's type.
    Typename,
    /// A place in [`Groups::by`].
    Value(usize),
}
