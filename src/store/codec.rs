//! What a record of the journal says, as JSON inside zstd, and the small rows of the index as bytes.
//!
//! JSON, because the journal is evidence that must be readable without this program in ten years; a new kind of
//! entry is a new variant, and an old program refuses it by name.

use std::{collections::BTreeMap, io};

use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use super::{
    error::StoreError,
    journal::{PAYLOAD_LIMIT, Record},
    keys,
};
use crate::model::{Asset, Outcome, SliceKey, SliceState, Time};

/// What one record says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Entry {
    /// A slice was collected.
    Slice(SliceEntry),
    /// Verdicts, findings, exceptions and the like were written down.
    Ledger(LedgerEntry),
}

impl Entry {
    /// What the store holds after the record.
    pub(super) fn totals(&self) -> Totals {
        match self {
            Self::Slice(entry) => entry.totals,
            Self::Ledger(entry) => entry.totals,
        }
    }

    /// Says what the store holds after the record.
    pub(super) fn set_totals(&mut self, totals: Totals) {
        match self {
            Self::Slice(entry) => entry.totals = totals,
            Self::Ledger(entry) => entry.totals = totals,
        }
    }

    /// The assets that the record put or removed, each with the slice that lists it.
    pub(super) fn into_touched(self) -> Vec<(SliceKey, String)> {
        match self {
            Self::Slice(entry) => {
                let key = entry.key();
                let ids = entry.puts.into_iter().map(|put| put.id).chain(entry.removes);
                ids.map(|id| (key.clone(), id)).collect()
            }
            Self::Ledger(entry) => {
                let puts = entry.puts.into_iter().map(|put| (put.typename, put.id));
                let removes = entry.removes.into_iter().map(|name| (name.typename, name.id));
                puts.chain(removes).map(|(typename, id)| (keys::ledger(&typename), id)).collect()
            }
        }
    }

    /// The assets that the record put, each with the slice that lists it.
    pub(super) fn into_puts(self) -> Vec<(SliceKey, Put)> {
        match self {
            Self::Slice(entry) => {
                let key = entry.key();
                entry.puts.into_iter().map(|put| (key.clone(), put)).collect()
            }
            Self::Ledger(entry) => {
                let puts = entry.puts.into_iter();
                puts.map(|LedgerPut { typename, id, asset }| (keys::ledger(&typename), Put { id, asset }))
                    .collect()
            }
        }
    }
}

/// What the collection of a slice changed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SliceEntry {
    pub(super) account_id: String,
    pub(super) region: String,
    pub(super) asset_type: String,
    pub(super) api: String,
    pub(super) outcome: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) reason: Option<String>,
    /// Milliseconds since 1970.
    pub(super) at: i64,
    /// New and changed assets, by id.
    pub(super) puts: Vec<Put>,
    /// The ids of assets that are no longer there.
    pub(super) removes: Vec<String>,
    /// What the store holds after this record.
    pub(super) totals: Totals,
}

/// What was written down at one moment: of several types, and whole or not at all.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LedgerEntry {
    /// Milliseconds since 1970.
    pub(super) at: i64,
    /// New and changed assets, by type and id.
    pub(super) puts: Vec<LedgerPut>,
    /// What is no longer kept.
    pub(super) removes: Vec<LedgerName>,
    /// What the store holds after this record.
    pub(super) totals: Totals,
}

/// A new or changed asset of the ledger.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LedgerPut {
    #[serde(rename = "type")]
    pub(super) typename: String,
    pub(super) id: String,
    /// The whole asset in its NDJSON form.
    pub(super) asset: Box<RawValue>,
}

/// Type and id of an asset of the ledger.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LedgerName {
    #[serde(rename = "type")]
    pub(super) typename: String,
    pub(super) id: String,
}

/// A new or changed asset.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Put {
    pub(super) id: String,
    /// The whole asset in its NDJSON form.
    pub(super) asset: Box<RawValue>,
}

/// How much the store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Totals {
    /// Slices ever collected.
    pub(super) slices: u64,
    /// Current assets, counted once for each slice that lists them.
    pub(super) assets: u64,
    /// Versions of assets, removals included.
    pub(super) versions: u64,
    /// What the ledger holds now: findings, runs and the like.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) ledger: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl SliceEntry {
    /// Which slice.
    pub(super) fn key(&self) -> SliceKey {
        SliceKey::new(&self.account_id, &self.region, &self.asset_type)
    }
}

/// The payload of a record.
///
/// # Errors
/// [`StoreError::TooLarge`].
pub(super) fn encode(entry: &Entry) -> Result<Vec<u8>, StoreError> {
    let too_large = |bytes| StoreError::TooLarge { bytes, limit: PAYLOAD_LIMIT };
    let json = serde_json::to_vec(entry).map_err(|_| too_large(usize::MAX))?;
    if json.len() > PAYLOAD_LIMIT {
        return Err(too_large(json.len()));
    }
    zstd::encode_all(json.as_slice(), 3).map_err(|_| too_large(json.len()))
}

/// What a record says.
///
/// # Errors
/// [`StoreError::Unreadable`]: it passed its checks, so it was written by another version.
pub(super) fn decode(record: &Record) -> Result<Entry, StoreError> {
    let unreadable = |source| StoreError::Unreadable { sequence: record.sequence, source };
    let json = zstd::decode_all(record.payload.as_slice()).map_err(unreadable)?;
    serde_json::from_slice(&json).map_err(|error| unreadable(io::Error::other(error)))
}

/// The row of a current asset without its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AssetRow {
    /// When the first version of the asset was seen, by whichever slice.
    pub(super) first_seen: i64,
    /// When this version was seen first.
    pub(super) changed_at: i64,
    /// The record that holds this version.
    pub(super) sequence: u64,
    /// How many further rows hold the body; 0 where it follows.
    pub(super) chunks: u32,
}

impl AssetRow {
    /// The row, followed by the body where that is in it.
    pub(super) fn encode(&self, body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(28 + body.len());
        bytes.extend_from_slice(&self.first_seen.to_le_bytes());
        bytes.extend_from_slice(&self.changed_at.to_le_bytes());
        bytes.extend_from_slice(&self.sequence.to_le_bytes());
        bytes.extend_from_slice(&self.chunks.to_le_bytes());
        bytes.extend_from_slice(body);
        bytes
    }

    /// The row and the body that follows it.
    pub(super) fn decode(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (first_seen, rest) = bytes.split_first_chunk::<8>()?;
        let (changed_at, rest) = rest.split_first_chunk::<8>()?;
        let (sequence, rest) = rest.split_first_chunk::<8>()?;
        let (chunks, body) = rest.split_first_chunk::<4>()?;
        let row = Self {
            first_seen: i64::from_le_bytes(*first_seen),
            changed_at: i64::from_le_bytes(*changed_at),
            sequence: u64::from_le_bytes(*sequence),
            chunks: u32::from_le_bytes(*chunks),
        };
        Some((row, body))
    }
}

/// The row of one version of an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct VersionRow {
    /// When it was seen.
    pub(super) at: i64,
    /// The segment of its record.
    pub(super) segment: u64,
    /// Where the record begins.
    pub(super) offset: u64,
    /// Whether the asset was found gone.
    pub(super) removed: bool,
    /// The account of the slice.
    pub(super) account_id: String,
    /// The region of the slice.
    pub(super) region: String,
}

impl VersionRow {
    /// The bytes of the row.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(32 + self.account_id.len() + self.region.len());
        bytes.extend_from_slice(&self.at.to_le_bytes());
        bytes.extend_from_slice(&self.segment.to_le_bytes());
        bytes.extend_from_slice(&self.offset.to_le_bytes());
        let op = if self.removed { b'-' } else { b'+' };
        bytes.extend_from_slice(&keys::names(op, &[&self.account_id, &self.region]));
        bytes
    }

    /// Reads the row.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (at, rest) = bytes.split_first_chunk::<8>()?;
        let (segment, rest) = rest.split_first_chunk::<8>()?;
        let (offset, rest) = rest.split_first_chunk::<8>()?;
        let [account_id, region] = keys::parse(rest)?;
        Some(Self {
            at: i64::from_le_bytes(*at),
            segment: u64::from_le_bytes(*segment),
            offset: u64::from_le_bytes(*offset),
            removed: rest.first() == Some(&b'-'),
            account_id,
            region,
        })
    }
}

/// The row of a slice.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SliceRow {
    pub(super) api: String,
    pub(super) outcome: String,
    pub(super) reason: Option<String>,
    pub(super) attempted_at: i64,
    pub(super) completed_at: Option<i64>,
    pub(super) assets: u64,
}

impl SliceRow {
    /// The state the row describes; nothing where an outcome or a time makes no sense.
    pub(super) fn into_state(self, key: SliceKey) -> Option<SliceState> {
        let completed_at = match self.completed_at {
            Some(millis) => Some(Time::from_millis(millis)?),
            None => None,
        };
        Some(SliceState {
            key,
            api: self.api,
            outcome: self.outcome.parse::<Outcome>().ok()?,
            reason: self.reason,
            attempted_at: Some(Time::from_millis(self.attempted_at)?),
            completed_at,
            assets: self.assets,
        })
    }
}

/// The row of a commit: what it takes to go back behind it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CommitRow {
    /// When it was.
    pub(super) at: i64,
    /// The segment of its record.
    pub(super) segment: u64,
    /// Where the record begins.
    pub(super) offset: u64,
    /// How many assets it put or removed.
    pub(super) touched: u64,
    // The names are empty where it was no slice that was committed.
    pub(super) account_id: String,
    pub(super) region: String,
    pub(super) asset_type: String,
    /// The row of its slice before it; nothing where this was the first commit of the slice.
    pub(super) before: Option<SliceRow>,
}

impl CommitRow {
    /// Which slice; nothing where it was the ledger.
    pub(super) fn slice(&self) -> Option<SliceKey> {
        let is_slice = !self.account_id.is_empty();
        is_slice.then(|| SliceKey::new(&self.account_id, &self.region, &self.asset_type))
    }
}

/// The one form of an asset that is stored and compared: the NDJSON form, compact, with sorted keys at every level
/// (the maps of `serde_json` are sorted).
///
/// # Errors
/// None that a JSON value can bring about.
pub(super) fn canonical(asset: &Asset) -> serde_json::Result<String> {
    let typename = Value::from(asset.typename.as_str());
    let id = Value::from(asset.id.as_str());
    let unknown = Value::from_iter(asset.unknown.iter().map(String::as_str));
    let mut object: BTreeMap<&str, &Value> =
        asset.fields.iter().map(|(name, value)| (name.as_str(), value)).collect();
    object.insert("__typename", &typename);
    object.insert("id", &id);
    if !asset.unknown.is_empty() {
        object.insert("__unknown", &unknown);
    }
    serde_json::to_string(&object)
}

/// Tells whether two canonical forms are the same.
pub(super) fn digest(body: &[u8]) -> [u8; 16] {
    let mut digest = [0; 16];
    blake3::Hasher::new().update(body).finalize_xof().fill(&mut digest);
    digest
}
