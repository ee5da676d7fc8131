//! Reading: the slices, and each current asset once, however many slices list it.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter::once,
    sync::PoisonError,
};

use rustc_hash::FxHashMap;
use serde_json::Value;

use super::{
    Store,
    codec::{AssetRow, SliceRow},
    delta::Hidden,
    error::StoreError,
    index::{Index, Meta, VisitRow},
    keys,
    open::Revision,
    packed::AssetList,
    rows::{Rows, bad_row},
};
use crate::model::{Asset, GLOBAL_REGION, SliceKey, SliceState, Time};

/// The fields that the store fills in where an asset doesn't bring its own: when it was first and last seen.
pub const SEEN_FIELDS: [&str; 2] = ["firstSeenAt", "lastSeenAt"];

/// What was read in one go: assets and slices of the same moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The last commit it holds.
    pub revision: Revision,
    /// The slices, sorted.
    pub slices: Vec<SliceState>,
}

/// Rows of assets of another moment, by their keys; nothing where there was no such row then.
pub(super) type AssetRows = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The states of slices by key.
pub(super) type States<'a> = FxHashMap<&'a SliceKey, &'a SliceState>;

/// When slices were last complete.
pub(super) trait Completed {
    /// Nothing where it never was.
    fn completed_at(&self, key: &SliceKey) -> Option<Time>;
}

impl Completed for States<'_> {
    fn completed_at(&self, key: &SliceKey) -> Option<Time> {
        self.get(key).and_then(|state| state.completed_at)
    }
}

/// An asset as one slice lists it.
#[derive(Debug)]
pub(super) struct Listing {
    slice: SliceKey,
    pub(super) asset: Asset,
    first_seen: i64,
    last_seen: i64,
}

impl Store {
    /// All slices ever collected, sorted.
    ///
    /// # Errors
    /// Where the index can't be read.
    pub fn slices(&self) -> Result<Vec<SliceState>, StoreError> {
        read_slices(&self.index())
    }

    /// Hands every current asset to `visit`, sorted by type and id, with `firstSeenAt` and `lastSeenAt` filled in
    /// where the asset doesn't bring its own. An asset that several slices list comes once: as its owner lists it,
    /// else as it was seen last; one that the owner no longer lists is gone.
    ///
    /// # Errors
    /// Where the index can't be read.
    pub fn read_assets(&self, visit: &mut dyn FnMut(Asset)) -> Result<(), StoreError> {
        self.read_snapshot(visit).map(|_| ())
    }

    /// The assets of one type as [`Store::read_assets`] gives them, at a cost of that type alone.
    ///
    /// # Errors
    /// Where the index can't be read.
    pub fn read_assets_of(&self, asset_type: &str, visit: &mut dyn FnMut(Asset)) -> Result<(), StoreError> {
        let index = self.index();
        let slices = read_slices(&index)?;
        let prefix = keys::names(keys::kind::ASSET, &[asset_type]);
        read_visible(&index, &slices, &AssetRows::new(), &prefix, visit).map(drop)
    }

    /// The slices that list an asset, sorted: its owner's, and those of accounts that see it too.
    ///
    /// # Errors
    /// Where the index can't be read.
    pub fn slices_listing(&self, asset_type: &str, id: &str) -> Result<Vec<SliceKey>, StoreError> {
        let prefix = keys::names(keys::kind::ASSET, &[asset_type, id]);
        let mut slices = Vec::new();
        self.index().scan(&prefix, &mut |key, _| {
            let names = keys::parse::<4>(key).ok_or_else(|| bad_row(keys::kind::ASSET))?;
            let [asset_type, _, account_id, region] = names;
            slices.push(SliceKey { account_id, region, asset_type });
            Ok(())
        })?;
        Ok(slices)
    }

    /// What a slice lists in the store and a new list of it does not, sorted by id, each as the slice lists it.
    ///
    /// # Errors
    /// Where the index can't be read, or the list holds what is none of the slice's.
    pub fn listed_besides(&self, slice: &SliceKey, list: &impl AssetList) -> Result<Vec<Asset>, StoreError> {
        let index = self.index();
        let prefix = keys::listed_prefix(slice);
        let mut besides = BTreeSet::new();
        index.scan(&prefix, &mut |key, _| {
            let bad = || bad_row(keys::kind::LISTED);
            let (id, _) = key.strip_prefix(prefix.as_slice()).and_then(keys::first_name).ok_or_else(bad)?;
            besides.insert(id);
            Ok(())
        })?;
        if !besides.is_empty() {
            list.visit(slice, &mut |id, _| {
                besides.remove(id);
                Ok(())
            })?;
        }
        let states = States::default();
        let listed = besides.iter().map(|id| {
            let key = keys::asset(&slice.asset_type, id, slice);
            let row = index.get(&key)?.ok_or_else(|| bad_row(keys::kind::ASSET))?;
            Ok(read_listing(&index, &key, &row, &states)?.asset)
        });
        listed.collect()
    }

    /// The assets as [`Store::read_assets`] gives them, and the slices of the very same moment: no commit comes
    /// between them. Commits wait meanwhile, so `visit` must not call the store.
    ///
    /// # Errors
    /// Where the index can't be read.
    pub fn read_snapshot(&self, visit: &mut dyn FnMut(Asset)) -> Result<Snapshot, StoreError> {
        let index = self.index();
        let slices = read_slices(&index)?;
        let assets = read_visible(&index, &slices, &AssetRows::new(), &[keys::kind::ASSET], visit)?;
        // The row about the whole, not the writer's notes: those may be a commit ahead of the index.
        let Meta { sequence, hash, .. } = index.meta()?;
        *self.hidden.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Hidden { since: sequence, assets });
        Ok(Snapshot { revision: Revision { sequence, hash }, slices })
    }
}

/// Hands on every asset that can be seen where the slices are in these states and `rows` stand in place of those of
/// the index; only of keys that begin with `prefix`, which never splits the rows of one asset. Returns type and id of
/// those that are listed and can't be seen.
pub(super) fn read_visible(
    index: &Index,
    slices: &[SliceState],
    rows: &AssetRows,
    prefix: &[u8],
    visit: &mut dyn FnMut(Asset),
) -> Result<BTreeSet<(String, String)>, StoreError> {
    let states = states_of(slices);
    let mut group: Vec<Listing> = Vec::new();
    let mut hidden = BTreeSet::new();
    scan_over(index, prefix, rows, &mut |key, value| {
        let listing = read_listing(index, key, value, &states)?;
        if group.first().is_some_and(|first| !first.is_same(&listing)) {
            hidden.extend(visit_group(&mut group, &states, visit));
        }
        group.push(listing);
        Ok(())
    })?;
    hidden.extend(visit_group(&mut group, &states, visit));
    Ok(hidden)
}

/// The rows that begin with `prefix`, in order, with `rows` in place of those of the index.
pub(super) fn scan_over(
    index: &Index,
    prefix: &[u8],
    rows: &AssetRows,
    visit: &mut VisitRow<'_>,
) -> Result<(), StoreError> {
    let begins = |(key, _): &(&Vec<u8>, &Option<Vec<u8>>)| key.starts_with(prefix);
    let mut rows = rows.range(prefix.to_vec()..).take_while(begins).peekable();
    index.scan(prefix, &mut |key, value| {
        while let Some((earlier, row)) = rows.next_if(|(other, _)| other.as_slice() < key) {
            row.as_ref().map_or(Ok(()), |row| visit(earlier, row))?;
        }
        match rows.next_if(|(other, _)| other.as_slice() == key) {
            Some((_, Some(row))) => visit(key, row),
            Some((_, None)) => Ok(()),
            None => visit(key, value),
        }
    })?;
    rows.try_for_each(|(key, row)| row.as_ref().map_or(Ok(()), |row| visit(key, row)))
}

/// The states of slices by key.
pub(super) fn states_of(slices: &[SliceState]) -> States<'_> {
    slices.iter().map(|state| (&state.key, state)).collect()
}

impl Listing {
    /// One that is not in the index: an asset with the times of its first version and of this one.
    pub(super) fn new(
        slice: SliceKey,
        asset: Asset,
        (first_seen, changed_at): (i64, i64),
        states: &dyn Completed,
    ) -> Self {
        let completed = states.completed_at(&slice);
        let last_seen = completed.map_or(changed_at, |completed| completed.millis().max(changed_at));
        Self { slice, asset, first_seen, last_seen }
    }

    fn is_same(&self, other: &Self) -> bool {
        self.asset.id == other.asset.id && self.asset.typename == other.asset.typename
    }

    fn is_owners(&self) -> bool {
        self.asset.account_id() == Some(self.slice.account_id.as_str())
    }

    /// Whether the owner has been collected whole since, and no longer has the asset (it would have a listing of
    /// its own, which counts before this one).
    fn is_gone(&self, states: &dyn Completed) -> bool {
        let Some(owner) = self.asset.account_id().filter(|_| !self.is_owners()) else { return false };
        let region = self.asset.region().unwrap_or(&self.slice.region);
        once(region).chain(once(GLOBAL_REGION)).any(|region| {
            let key = SliceKey::new(owner, region, &self.slice.asset_type);
            let completed = states.completed_at(&key);
            completed.is_some_and(|completed| completed.millis() > self.last_seen)
        })
    }

    pub(super) fn into_asset(mut self) -> Asset {
        for (field, millis) in SEEN_FIELDS.into_iter().zip([self.first_seen, self.last_seen]) {
            if self.asset.fields.contains_key(field) || self.asset.unknown.contains(field) {
                continue;
            }
            if let Some(time) = Time::from_millis(millis) {
                self.asset.fields.insert(field.to_owned(), Value::String(time.to_string()));
            }
        }
        self.asset
    }
}

/// Hands on the one listing of an asset that counts, and empties the group; returns type and id where none does.
fn visit_group(
    group: &mut Vec<Listing>,
    states: &States<'_>,
    visit: &mut dyn FnMut(Asset),
) -> Option<(String, String)> {
    let name = group.first().map(|listing| (listing.asset.typename.clone(), listing.asset.id.clone()));
    match choose(group.drain(..), states) {
        Some(listing) => {
            visit(listing.into_asset());
            None
        }
        None => name,
    }
}

/// Of the listings of one asset, sorted by slice, the one that counts; nothing where the asset is gone.
pub(super) fn choose(listings: impl Iterator<Item = Listing>, states: &dyn Completed) -> Option<Listing> {
    // `max_by_key` takes the last of equals, so the choice is the same every time.
    let best = listings.max_by_key(|listing| (listing.is_owners(), listing.last_seen));
    best.filter(|listing| !listing.is_gone(states))
}

/// All slices, sorted.
pub(super) fn read_slices(index: &Index) -> Result<Vec<SliceState>, StoreError> {
    let mut slices = Vec::new();
    let bad = || bad_row(keys::kind::SLICE);
    index.scan(&[keys::kind::SLICE], &mut |key, value| {
        let [account_id, region, asset_type] = keys::parse::<3>(key).ok_or_else(bad)?;
        let row: SliceRow = serde_json::from_slice(value).map_err(|_| bad())?;
        slices.push(row.into_state(SliceKey { account_id, region, asset_type }).ok_or_else(bad)?);
        Ok(())
    })?;
    slices.sort_by(|left, right| left.key.cmp(&right.key));
    Ok(slices)
}

/// Reads a row of an asset; its pieces, where it has any, come from the index.
pub(super) fn read_listing(
    index: &Index,
    key: &[u8],
    value: &[u8],
    states: &dyn Completed,
) -> Result<Listing, StoreError> {
    let bad = || bad_row(keys::kind::ASSET);
    let [typename, _, account_id, region] = keys::parse::<4>(key).ok_or_else(bad)?;
    let (row, body) = AssetRow::decode(value).ok_or_else(bad)?;
    let asset = match row.chunks {
        0 => parse_asset(body),
        chunks => parse_asset(&read_chunks(index, key, chunks)?),
    }
    .ok_or_else(bad)?;
    let slice = SliceKey { account_id, region, asset_type: typename };
    Ok(Listing::new(slice, asset, (row.first_seen, row.changed_at), states))
}

fn read_chunks(index: &Index, key: &[u8], chunks: u32) -> Result<Vec<u8>, StoreError> {
    let mut body = Vec::new();
    for number in 0..chunks {
        let piece = index.get(&keys::chunk(key, number))?.ok_or_else(|| bad_row(keys::kind::CHUNK))?;
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

fn parse_asset(body: &[u8]) -> Option<Asset> {
    serde_json::from_slice(body).ok().and_then(|value| Asset::from_json(value).ok())
}
