//! What was collected, and how well: the slices a graph was built from, found by type, account and region.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    catalog::{Catalog, FieldKind},
    model::{Asset, GLOBAL_REGION, SliceKey, SliceState},
};

/// The type whose assets are the slices themselves. It is always complete.
pub(crate) const SLICE_TYPE: &str = "Slice";

/// A slice as an asset, with those of its fields that the schema stores; nothing where the schema has no such type.
pub(crate) fn as_asset(slice: &SliceState, catalog: &Catalog) -> Option<Asset> {
    let (_, definition) =
        catalog.find(SLICE_TYPE).filter(|(_, definition)| definition.find("id").is_some())?;
    let SliceKey { account_id, region, asset_type } = &slice.key;
    let asset = Asset::new(SLICE_TYPE, format!("{account_id}/{region}/{asset_type}"))
        .with("accountId", account_id.as_str())
        .with("region", region.as_str())
        .with("assetType", asset_type.as_str())
        .with("api", Some(slice.api.as_str()).filter(|api| !api.is_empty()))
        .with("outcome", slice.outcome.as_str())
        .with("reason", slice.reason.as_deref())
        .with("attemptedAt", slice.attempted_at.map(|time| time.to_string()))
        .with("completedAt", slice.completed_at.map(|time| time.to_string()))
        .with("assetCount", slice.assets);
    let is_stored = |name: &String| {
        let field = definition.find(name).map(|(_, field)| &field.kind);
        matches!(field, Some(FieldKind::Scalar { .. }))
    };
    let fields = asset.fields.into_iter().filter(|(name, _)| is_stored(name)).collect();
    Some(Asset { fields, ..asset })
}

/// The slices of an inventory.
#[derive(Clone, Debug, Default)]
pub struct Slices {
    states: Vec<SliceState>,
    /// The places of those that are not complete.
    incomplete: Vec<usize>,
    /// Type, then account, then region, to the place in `states`.
    places: BTreeMap<String, BTreeMap<String, BTreeMap<String, usize>>>,
    /// Every account with a slice of any type, and the regions it has regional slices in.
    accounts: BTreeMap<String, BTreeSet<String>>,
}

/// A slice that something needs and that is not complete: its state, or nothing where it was never collected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) key: SliceKey,
    pub(crate) state: Option<SliceState>,
}

impl Slices {
    /// Takes the slices in any order; of two with one key the last counts.
    #[must_use]
    pub fn new(mut states: Vec<SliceState>) -> Self {
        states.sort_by(|left, right| left.key.cmp(&right.key));
        let mut slices = Self::default();
        for (place, state) in states.iter().enumerate() {
            if !state.is_complete_since(None) {
                slices.incomplete.push(place);
            }
            let key = &state.key;
            let regions = slices.accounts.entry(key.account_id.clone()).or_default();
            if key.region != GLOBAL_REGION {
                regions.insert(key.region.clone());
            }
            let by_account = slices.places.entry(key.asset_type.clone()).or_default();
            by_account.entry(key.account_id.clone()).or_default().insert(key.region.clone(), place);
        }
        slices.states = states;
        slices
    }

    /// All slices, ordered by account, region, type.
    #[must_use]
    pub fn all(&self) -> &[SliceState] {
        &self.states
    }

    /// The slices that are not complete, in the same order.
    pub fn incomplete(&self) -> impl Iterator<Item = &SliceState> {
        self.incomplete.iter().filter_map(|place| self.states.get(*place))
    }

    /// The slice of a type in one region (or account-wide, under [`GLOBAL_REGION`]).
    #[must_use]
    pub fn find(&self, asset_type: &str, account_id: &str, region: &str) -> Option<&SliceState> {
        let place = self.places.get(asset_type)?.get(account_id)?.get(region)?;
        self.states.get(*place)
    }

    /// The slice that lists the assets of a type, account and region: the regional one, else the account-wide one.
    pub(crate) fn own(
        &self,
        asset_type: &str,
        account_id: &str,
        region: Option<&str>,
    ) -> Option<&SliceState> {
        region
            .and_then(|region| self.find(asset_type, account_id, region))
            .or_else(|| self.find(asset_type, account_id, GLOBAL_REGION))
    }

    /// Whether a type is collected for whole accounts, never by region.
    pub(crate) fn is_account_wide(&self, asset_type: &str) -> bool {
        self.places.get(asset_type).is_some_and(|accounts| {
            accounts.values().all(|regions| regions.keys().all(|region| region == GLOBAL_REGION))
        })
    }

    /// The accounts that anything was collected from.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = &str> {
        self.accounts.keys().map(String::as_str)
    }

    /// The regions that anything was collected from in an account.
    pub(crate) fn regions_of(&self, account_id: &str) -> impl Iterator<Item = &str> {
        self.accounts.get(account_id).into_iter().flatten().map(String::as_str)
    }

    /// Appends the slices of `asset_type` that keep a relation of an asset in this account and region from being
    /// complete; appends nothing where it is. An asset without a region needs the type in every region of its
    /// account, one without an account in all accounts.
    pub(crate) fn missing_for(
        &self,
        asset_type: &str,
        account_id: Option<&str>,
        region: Option<&str>,
        is_complete: &dyn Fn(&SliceState) -> bool,
        missing: &mut Vec<Need>,
    ) {
        if asset_type == SLICE_TYPE {
            return;
        }
        let Some(account_id) = account_id else {
            for account_id in self.accounts() {
                self.missing_for(asset_type, Some(account_id), None, is_complete, missing);
            }
            return;
        };
        let global = self.find(asset_type, account_id, GLOBAL_REGION);
        if global.is_some_and(is_complete) {
            return;
        }
        let regions: Vec<&str> = match region.filter(|region| *region != GLOBAL_REGION) {
            _ if self.is_account_wide(asset_type) => Vec::new(),
            Some(region) => vec![region],
            None => self.regions_of(account_id).collect(),
        };
        if regions.is_empty() {
            let key = SliceKey::new(account_id, GLOBAL_REGION, asset_type);
            missing.push(Need { key, state: global.cloned() });
        }
        for region in regions {
            let state = self.find(asset_type, account_id, region);
            if state.is_some_and(is_complete) {
                continue;
            }
            match state.or(global) {
                Some(state) => missing.push(Need { key: state.key.clone(), state: Some(state.clone()) }),
                None => {
                    missing.push(Need { key: SliceKey::new(account_id, region, asset_type), state: None });
                }
            }
        }
    }
}
