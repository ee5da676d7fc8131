//! Search: assets of any type that hold a text in their id, name or tags.

use super::Output;
use crate::catalog::TypeId;

/// A search over several types.
#[derive(Clone, Debug)]
pub struct Search {
    /// What to look for; never empty. Case does not count.
    pub text: String,
    /// Asset types, in the order of the catalog.
    pub types: Vec<TypeId>,
    /// The most hits; 0 gives none.
    pub limit: Option<u32>,
    /// What to print of each hit.
    pub fields: Vec<SearchField>,
}

/// One entry of a hit.
#[derive(Clone, Debug)]
pub struct SearchField {
    /// The response key.
    pub key: String,
    /// What stands behind it.
    pub kind: SearchKind,
}

/// What a hit shows.
#[derive(Clone, Debug)]
pub enum SearchKind {
    /// `__typename`: the name of the hit's own type.
    HitTypename,
    /// The name of the asset's type.
    Typename,
    /// The asset's id.
    Id,
    /// The asset's name; null where it has none.
    Name,
    /// The field that holds the text.
    Field,
    /// The asset.
    Asset(Output),
}
