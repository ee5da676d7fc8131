//! What a file means for a store: which slices it commits, with which outcome and which assets.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

use rustc_hash::FxHashMap;
use serde::de::Error as _;

use crate::{
    catalog::{Catalog, TypeDef, TypeKind},
    model::{Asset, GLOBAL_REGION, Outcome, SliceKey, SliceState, Time, is_ledger_type},
};

/// Why the assets of no declared slice prove nothing about what is not there.
pub const UNDECLARED_REASON: &str = "the file declares no slice for these assets";

/// The account of the slice that holds assets without an account.
pub const NO_ACCOUNT: &str = "none";

/// The assets of a file that wait for its end, where it shows which slices they are of: as text, which takes a tenth of
/// the memory.
#[derive(Clone, Debug, Default)]
pub struct WaitingAssets {
    /// The slices that they would be of if each were declared, by number.
    places: FxHashMap<SliceKey, u32>,
    /// The number of its place, and the asset.
    assets: Vec<(u32, AssetText)>,
}

impl WaitingAssets {
    /// Takes an asset in.
    pub fn push(&mut self, asset: Asset) {
        let next = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        let number = *self.places.entry(own_slice(&asset)).or_insert(next);
        self.assets.push((number, AssetText(asset.into_json().to_string().into())));
    }

    /// The assets of each slice, as they came.
    fn by_slice(self, declared: &Declared) -> BTreeMap<SliceKey, Vec<AssetText>> {
        let mut numbers: BTreeMap<SliceKey, usize> = BTreeMap::new();
        let mut of_place = vec![0; self.places.len()];
        for (place, number) in self.places {
            let next = numbers.len();
            if let Some(slot) = of_place.get_mut(number as usize) {
                *slot = *numbers.entry(declared.slice_of(&place)).or_insert(next);
            }
        }
        let mut listed: Vec<Vec<AssetText>> = vec![Vec::new(); numbers.len()];
        for (place, asset) in self.assets {
            if let Some(assets) = of_place.get(place as usize).and_then(|slice| listed.get_mut(*slice)) {
                assets.push(asset);
            }
        }
        let take = |(slice, number): (SliceKey, usize)| {
            (slice, listed.get_mut(number).map(mem::take).unwrap_or_default())
        };
        numbers.into_iter().map(take).collect()
    }
}

/// An asset as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetText(Box<str>);

impl AssetText {
    /// The asset.
    ///
    /// # Errors
    /// None that an asset can bring about.
    pub fn read(&self) -> serde_json::Result<Asset> {
        Asset::from_json(serde_json::from_str(&self.0)?).map_err(serde_json::Error::custom)
    }
}

/// One commit to a store.
#[derive(Clone, Debug, PartialEq)]
pub struct SliceBatch {
    /// Which slice.
    pub key: SliceKey,
    /// The call behind it; empty where the file doesn't say.
    pub api: String,
    /// How its collection ended.
    pub outcome: Outcome,
    /// Why it was not complete.
    pub reason: Option<String>,
    /// When it ended; nothing where the file doesn't say, which is now.
    pub at: Option<Time>,
    /// What it found.
    pub assets: Vec<AssetText>,
}

/// The commits of a file, in the order to make them: sorted by slice. An asset belongs to the slice of its type,
/// account and region, or to the account-wide one.
///
/// With slices: each declared one, and a FAILED one for assets that no declared slice covers. A slice that failed
/// after an earlier complete collection is two commits, so that the store knows of both. Without slices: each
/// account and region of the file is complete for every asset type.
#[must_use]
pub fn slice_batches(
    catalog: &Catalog,
    assets: WaitingAssets,
    slices: Option<Vec<SliceState>>,
) -> Vec<SliceBatch> {
    let slices = slices.unwrap_or_else(|| whole_slices(catalog, assets.places.keys()));
    let mut by_slice = assets.by_slice(&Declared::of(&slices));
    let mut batches: Vec<SliceBatch> = slices
        .into_iter()
        .flat_map(|slice| {
            let assets = by_slice.remove(&slice.key).unwrap_or_default();
            declared_batches(slice, assets)
        })
        .collect();
    batches.extend(by_slice.into_iter().map(|(key, assets)| SliceBatch {
        key,
        api: String::new(),
        outcome: Outcome::Failed,
        reason: Some(UNDECLARED_REASON.to_owned()),
        at: None,
        assets,
    }));
    // Stable: the two commits of one slice stay in their order.
    batches.sort_by(|left, right| left.key.cmp(&right.key));
    batches
}

fn declared_batches(slice: SliceState, assets: Vec<AssetText>) -> Vec<SliceBatch> {
    let SliceState { key, api, outcome, reason, attempted_at, completed_at, .. } = slice;
    if outcome == Outcome::Complete {
        let at = completed_at.or(attempted_at);
        return vec![SliceBatch { key, api, outcome, reason, at, assets }];
    }
    if completed_at.is_none() {
        return vec![SliceBatch { key, api, outcome, reason, at: attempted_at, assets }];
    }
    let earlier = SliceBatch {
        key: key.clone(),
        api: api.clone(),
        outcome: Outcome::Complete,
        reason: None,
        at: completed_at,
        assets,
    };
    vec![earlier, SliceBatch { key, api, outcome, reason, at: attempted_at, assets: Vec::new() }]
}

/// What a file declares.
struct Declared {
    slices: BTreeSet<SliceKey>,
    accounts: BTreeSet<String>,
    /// By type and region the first slice.
    seen_by: FxHashMap<(String, String), SliceKey>,
}

impl Declared {
    fn of(slices: &[SliceState]) -> Self {
        let slices: BTreeSet<SliceKey> = slices.iter().map(|slice| slice.key.clone()).collect();
        let accounts = slices.iter().map(|slice| slice.account_id.clone()).collect();
        let mut seen_by = FxHashMap::default();
        for slice in &slices {
            let kind = (slice.asset_type.clone(), slice.region.clone());
            seen_by.entry(kind).or_insert_with(|| slice.clone());
        }
        Self { slices, accounts, seen_by }
    }

    /// The slice of an asset's own account and region, or the account-wide one; for an asset of an account that the file
    /// declares nothing of (a shared VPC, as its participants see it) the first slice of its type and region, as a
    /// collection stores what it sees of others.
    fn slice_of(&self, own: &SliceKey) -> SliceKey {
        let account_wide = SliceKey { region: GLOBAL_REGION.to_owned(), ..own.clone() };
        if self.slices.contains(own) {
            return own.clone();
        }
        if self.slices.contains(&account_wide) {
            return account_wide;
        }
        let seen_by = self.seen_by.get(&(own.asset_type.clone(), own.region.clone()));
        seen_by.filter(|_| !self.accounts.contains(&own.account_id)).unwrap_or(own).clone()
    }
}

fn own_slice(asset: &Asset) -> SliceKey {
    SliceKey::new(
        asset.account_id().unwrap_or(NO_ACCOUNT),
        asset.region().unwrap_or(GLOBAL_REGION),
        asset.typename.as_str(),
    )
}

/// Every account and region of the file, complete for every asset type; account-wide for the types whose assets have
/// no region, and for the accounts that have none.
fn whole_slices<'k>(catalog: &Catalog, places: impl Iterator<Item = &'k SliceKey>) -> Vec<SliceState> {
    let mut keys: BTreeSet<SliceKey> = places.cloned().collect();
    let account_wide: BTreeSet<String> =
        keys.iter().filter(|key| key.region == GLOBAL_REGION).map(|key| key.asset_type.clone()).collect();
    let mut places: BTreeSet<(String, String)> =
        keys.iter().map(|key| (key.account_id.clone(), key.region.clone())).collect();
    let with_region: BTreeSet<String> = places
        .iter()
        .filter(|(_, region)| region != GLOBAL_REGION)
        .map(|(account, _)| account.clone())
        .collect();
    places.retain(|(account, region)| region != GLOBAL_REGION || !with_region.contains(account));
    let is_collected = |of: &&TypeDef| of.kind == TypeKind::Asset && !is_ledger_type(&of.name);
    for definition in catalog.types().iter().filter(is_collected) {
        let is_account_wide = account_wide.contains(&definition.name);
        for (account, region) in &places {
            let region = if is_account_wide { GLOBAL_REGION } else { region };
            keys.insert(SliceKey::new(account, region, &definition.name));
        }
    }
    keys.into_iter()
        .map(|key| SliceState {
            key,
            api: String::new(),
            outcome: Outcome::Complete,
            reason: None,
            attempted_at: None,
            completed_at: None,
            assets: 0,
        })
        .collect()
}
