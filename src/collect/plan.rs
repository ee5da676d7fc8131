//! Which slices a collection reads: a pure function of what was asked and what AWS says about its regions.

use std::collections::BTreeSet;

use super::{
    api::{self, ReferredApi, RegionStatus, RegionalApi},
    collected_types,
    error::CollectError,
};
use crate::model::{GLOBAL_REGION, SliceKey, nearest};

/// The regions a collection reads, refuses and leaves out, each sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RegionPlan {
    /// Read these.
    pub(crate) read: Vec<String>,
    /// Asked for, but the account has not opted in: disabled without a call.
    pub(crate) disabled: Vec<String>,
    /// Not opted in and not asked for: no slices.
    pub(crate) not_opted_in: Vec<String>,
}

/// Decides on the regions, from AWS's own list.
pub(crate) fn plan_regions(
    asked: &BTreeSet<String>,
    known: &[RegionStatus],
) -> Result<RegionPlan, CollectError> {
    if let Some(given) = asked.iter().find(|given| !known.iter().any(|region| region.name == **given)) {
        let nearest = nearest(given, known.iter().map(|region| region.name.as_str())).map(str::to_owned);
        return Err(CollectError::UnknownRegion { given: given.clone(), nearest });
    }
    let mut plan = RegionPlan::default();
    for region in known {
        let wanted = asked.is_empty() || asked.contains(&region.name);
        match (region.enabled, wanted) {
            (true, true) => plan.read.push(region.name.clone()),
            (true, false) => {}
            (false, _) if asked.contains(&region.name) => plan.disabled.push(region.name.clone()),
            (false, _) => plan.not_opted_in.push(region.name.clone()),
        }
    }
    Ok(plan)
}

/// Decides on the regions where AWS does not list them: the ones asked for, else the likely ones.
pub(crate) fn plan_without_list(asked: &BTreeSet<String>, likely: Vec<String>) -> RegionPlan {
    let read = if asked.is_empty() { likely } else { asked.iter().cloned().collect() };
    RegionPlan { read, ..RegionPlan::default() }
}

/// Refuses types that nothing collects.
pub(crate) fn check_types(only: &BTreeSet<String>) -> Result<(), CollectError> {
    let known = collected_types();
    match only.iter().find(|given| !known.contains(&given.as_str())) {
        None => Ok(()),
        Some(given) => Err(CollectError::UnknownType {
            given: given.clone(),
            nearest: nearest(given, known.iter().copied()).map(str::to_owned),
            known: known.into_iter().map(str::to_owned).collect(),
        }),
    }
}

/// Whether a type was asked for.
pub(crate) fn wants(only: &BTreeSet<String>, asset_type: &str) -> bool {
    only.is_empty() || only.contains(asset_type)
}

/// The APIs that were asked for.
pub(crate) fn wanted_apis(only: &BTreeSet<String>) -> Vec<&'static dyn RegionalApi> {
    api::REGIONAL.iter().copied().filter(|api| wants(only, api.asset_type())).collect()
}

/// The APIs of the second pass that were asked for.
pub(crate) fn wanted_referred(only: &BTreeSet<String>) -> Vec<&'static dyn ReferredApi> {
    api::REFERRED.iter().copied().filter(|api| wants(only, api.asset_type())).collect()
}

/// Every slice that will be committed, sorted.
pub(crate) fn plan_slices(account_id: &str, only: &BTreeSet<String>, regions: &RegionPlan) -> Vec<SliceKey> {
    let account_wide = api::account_wide().into_iter().map(|(asset_type, _)| asset_type);
    let mut slices: Vec<SliceKey> = account_wide
        .filter(|asset_type| wants(only, asset_type))
        .map(|asset_type| SliceKey::new(account_id, GLOBAL_REGION, asset_type))
        .collect();
    let (wide, regional): (Vec<_>, Vec<_>) =
        wanted_referred(only).into_iter().partition(|api| api.is_account_wide());
    slices.extend(wide.iter().map(|api| SliceKey::new(account_id, GLOBAL_REGION, api.asset_type())));
    for region in regions.read.iter().chain(&regions.disabled) {
        let types = wanted_apis(only).into_iter().map(RegionalApi::asset_type);
        let types = types.chain(regional.iter().map(|api| api.asset_type()));
        slices.extend(types.map(|asset_type| SliceKey::new(account_id, region, asset_type)));
    }
    slices.sort();
    slices
}
