//! `[store]`: where the store is.

use std::path::PathBuf;

use super::reader::{Reader, Table};

const KEYS: &[&str] = &["path"];

/// What the section says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StoreSection {
    /// The folder of the store.
    pub(crate) path: Option<PathBuf>,
}

/// Reads the section.
pub(super) fn read(reader: &mut Reader<'_>, root: &Table<'_>) -> StoreSection {
    let section = reader.table(root, "store", "[store]", KEYS);
    StoreSection { path: reader.path(&section, "path") }
}
