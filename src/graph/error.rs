//! Why a graph could not be built.

use crate::catalog::AssetMisfit;

/// Why an asset is refused or a graph can't be finished. Nothing of a refused batch is kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// The asset does not fit its type; the message names asset, field and problem.
    #[error(transparent)]
    Misfit(#[from] AssetMisfit),
    /// Two assets of one type under one id.
    #[error("{typename} `{id}` is given twice: an id is unique within its type, remove one of the two")]
    Duplicate {
        /// The type.
        typename: String,
        /// The id.
        id: String,
    },
    /// A row that was written can't be read back, which nothing that was built is.
    #[error("{typename} `{id}` can't be read back out of the graph")]
    Unreadable {
        /// The type.
        typename: String,
        /// The id.
        id: String,
    },
    /// More than the row and edge numbers can hold.
    #[error("{what} of {typename} need more than {limit} entries: split the inventory by account")]
    TooLarge {
        /// The type.
        typename: String,
        /// What is too large, e.g. "rows".
        what: &'static str,
        /// The most there can be.
        limit: u64,
    },
}
