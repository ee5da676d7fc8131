//! The versions of an asset: which record holds each of them, and what it said.

use super::{
    Store,
    codec::{self, VersionRow},
    error::StoreError,
    journal::{self, Position},
    keys,
    rows::bad_row,
};
use crate::model::{Asset, SliceKey, Time};

/// One version of an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The commit that brought it.
    pub sequence: u64,
    /// When that slice was collected.
    pub at: Time,
    /// The slice that listed the asset, or no longer did.
    pub slice: SliceKey,
    /// Whether the asset was found gone.
    pub removed: bool,
    segment: u64,
    offset: u64,
}

impl Store {
    /// All versions of an asset, oldest first; removals included.
    ///
    /// # Errors
    /// Where the index can't be read.
    pub fn versions(&self, typename: &str, id: &str) -> Result<Vec<Version>, StoreError> {
        let mut versions = Vec::new();
        self.index().scan(&keys::version_prefix(typename, id), &mut |key, value| {
            versions.push(read_version(key, value, typename).ok_or_else(|| bad_row(keys::kind::VERSION))?);
            Ok(())
        })?;
        Ok(versions)
    }

    /// The asset as a version of it was, from the journal; nothing where that version is a removal.
    ///
    /// # Errors
    /// Where the record can't be read.
    pub fn read_version(&self, id: &str, version: &Version) -> Result<Option<Asset>, StoreError> {
        let &Version { sequence, segment, offset, .. } = version;
        let record = journal::read_at(&self.folder.journal, Position { sequence, segment, offset })?;
        let mut puts = codec::decode(&record)?.into_puts().into_iter();
        let found = puts.find(|(slice, put)| put.id == id && *slice == version.slice);
        let Some((_, put)) = found else { return Ok(None) };
        let unreadable =
            |problem: String| StoreError::Unreadable { sequence, source: std::io::Error::other(problem) };
        let value = serde_json::from_str(put.asset.get()).map_err(|error| unreadable(error.to_string()))?;
        Asset::from_json(value).map(Some).map_err(|error| unreadable(error.to_string()))
    }
}

fn read_version(key: &[u8], value: &[u8], typename: &str) -> Option<Version> {
    let row = VersionRow::decode(value)?;
    let (_, sequence) = key.split_last_chunk::<8>()?;
    Some(Version {
        sequence: u64::from_be_bytes(*sequence),
        at: Time::from_millis(row.at)?,
        slice: SliceKey::new(row.account_id, row.region, typename),
        removed: row.removed,
        segment: row.segment,
        offset: row.offset,
    })
}
