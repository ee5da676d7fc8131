//! Which slices a collection reads, and which of them first: those that were tried longest ago, so that a collection after one
//! that was cut short begins with what that one did not come to (`docs/decisions/019`).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    accounts::Account,
    api::RegionalApi,
    error::CollectError,
    options::CollectOptions,
    plan::{self, RegionPlan},
    select::{NoSuchAsset, Selection},
};
use crate::{
    model::{GLOBAL_REGION, SliceKey, Time},
    store::{Store, StoreError},
};

/// What a collection reads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    /// Only these types; empty means all of them.
    only: BTreeSet<String>,
    /// Only the slices behind some assets.
    selection: Option<Selection>,
    /// The accounts of these slices, and of what flow logs name that is known to be behind the assets.
    selected_accounts: BTreeSet<String>,
    /// When each slice was tried last.
    tried: BTreeMap<SliceKey, Time>,
}

impl Scope {
    /// Finds out from the store what the options mean.
    pub(crate) async fn read(options: &CollectOptions, store: &Arc<Store>) -> Result<Self, CollectError> {
        let (only, assets, store) = (options.only.clone(), options.assets.clone(), Arc::clone(store));
        let read = tokio::task::spawn_blocking(move || Self::read_now(only, &assets, &store)).await;
        let unreadable = |source| CollectError::Unreadable { source: Box::new(source) };
        match read.unwrap_or_else(|broken_off| Err(StoreError::Closed { reason: broken_off.to_string() })) {
            Ok(Ok(scope)) => Ok(scope),
            Ok(Err(NoSuchAsset { given, nearest })) => Err(CollectError::UnknownAsset { given, nearest }),
            Err(source) => Err(unreadable(source)),
        }
    }

    fn read_now(
        only: BTreeSet<String>,
        assets: &BTreeSet<String>,
        store: &Store,
    ) -> Result<Result<Self, NoSuchAsset>, StoreError> {
        let tried = store.slices()?.into_iter().filter_map(|slice| Some((slice.key, slice.attempted_at?)));
        let mut scope = Self { only, tried: tried.collect(), ..Self::default() };
        if !assets.is_empty() {
            let selection = match Selection::find(store, assets)? {
                Ok(selection) => selection,
                Err(unknown) => return Ok(Err(unknown)),
            };
            let slices = selection.named(store)?;
            scope.selected_accounts = slices.iter().map(|slice| slice.account_id.clone()).collect();
            scope.selection = Some(selection);
        }
        Ok(Ok(scope))
    }

    /// What is behind the assets that were named, if some were.
    pub(crate) fn selection(&self) -> Option<Selection> {
        self.selection.clone()
    }

    /// The accounts that are meant; nothing for all that are known.
    pub(crate) fn accounts(&self, options: &CollectOptions) -> Option<BTreeSet<String>> {
        let only = Some(&options.only_accounts).filter(|only| !only.is_empty());
        match (&self.selection, only) {
            (None, only) => only.cloned(),
            (Some(_), None) => Some(self.selected_accounts.clone()),
            (Some(_), Some(only)) => Some(self.selected_accounts.intersection(only).cloned().collect()),
        }
    }

    /// Whether a slice is read.
    pub(crate) fn reads(&self, account_id: &str, region: &str, asset_type: &str) -> bool {
        let is_selected = |selection: &Selection| {
            selection.lists().contains(&SliceKey::new(account_id, region, asset_type))
        };
        plan::wants(&self.only, asset_type) && self.selection.as_ref().is_none_or(is_selected)
    }

    /// Leaves out the regions in which nothing is read.
    pub(crate) fn narrow(&self, account_id: &str, regions: &mut RegionPlan) {
        let Some(selection) = &self.selection else { return };
        let is_selected = |region: &String| {
            let mut slices = selection.lists().iter();
            slices.any(|slice| slice.account_id == account_id && slice.region == *region)
        };
        regions.read.retain(is_selected);
        regions.disabled.retain(is_selected);
        regions.not_opted_in.clear();
    }

    /// Every slice of an account that is read, sorted, as far as it is known before the first pass.
    pub(crate) fn slices(&self, account_id: &str, regions: &RegionPlan) -> Vec<SliceKey> {
        let mut slices = plan::plan_slices(account_id, &self.only, regions);
        slices.retain(|slice| self.reads(account_id, &slice.region, &slice.asset_type));
        slices
    }

    /// The lists that are read of a region, the one that was tried longest ago first.
    pub(crate) fn lists(&self, account_id: &str, region: &str) -> Vec<&'static dyn RegionalApi> {
        let mut apis = plan::wanted_apis(&self.only);
        apis.retain(|api| self.reads(account_id, region, api.asset_type()));
        apis.sort_by_key(|api| self.tried.get(&SliceKey::new(account_id, region, api.asset_type())));
        apis
    }

    /// Regions, the one of which something was tried longest ago first.
    pub(crate) fn in_order<'r>(&self, account_id: &str, regions: &'r [String]) -> Vec<&'r str> {
        let mut ordered: Vec<&str> = regions.iter().map(String::as_str).collect();
        ordered.sort_by_cached_key(|region| {
            let apis = self.lists(account_id, region).into_iter();
            apis.map(|api| self.tried.get(&SliceKey::new(account_id, *region, api.asset_type())))
                .min()
                .flatten()
        });
        ordered
    }

    /// Accounts in the same order: those that were never tried, then by what was tried longest ago.
    pub(crate) fn sort_accounts(&self, accounts: &mut [Account]) {
        let mut oldest: BTreeMap<&str, Time> = BTreeMap::new();
        for (slice, tried) in self.tried.iter().filter(|(slice, _)| slice.region != GLOBAL_REGION) {
            let known = oldest.entry(slice.account_id.as_str()).or_insert(*tried);
            *known = (*known).min(*tried);
        }
        accounts.sort_by_key(|account| oldest.get(account.account_id.as_str()).copied());
    }
}
