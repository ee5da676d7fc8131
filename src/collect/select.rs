//! The slices behind some assets, for a look at just these after somebody has worked on them: the slices that list the
//! assets, those of the flow logs that record them, and in the second pass those of what these flow logs name.

use std::collections::{BTreeMap, BTreeSet};

use super::referred::{Kind, Referred};
use crate::{
    model::{Asset, GLOBAL_REGION, SliceKey, is_ledger_type, nearest},
    store::{Store, StoreError},
};

/// The type of the flow logs.
const FLOW_LOG: &str = "FlowLog";

/// What flow logs record.
const RECORDED: [&str; 6] =
    ["Vpc", "Subnet", "NetworkInterface", "TransitGateway", "TransitGatewayAttachment", "NatGateway"];

/// The slices behind some assets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    /// Slices of lists, and those of what flow logs name that were asked for themselves.
    slices: BTreeSet<SliceKey>,
    /// Region and native id of what flow logs may record.
    recorded: BTreeSet<(String, String)>,
    /// Ids of flow logs that were asked for themselves.
    flow_logs: BTreeSet<String>,
}

/// An id that no asset of the store has, and the one that is most like it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NoSuchAsset {
    pub(crate) given: String,
    pub(crate) nearest: Option<String>,
}

impl Selection {
    /// Finds assets by their ids or the cloud's own; several may have the same of the latter, and all are meant.
    pub(crate) fn find(
        store: &Store,
        wanted: &BTreeSet<String>,
    ) -> Result<Result<Self, NoSuchAsset>, StoreError> {
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        read_collected(store, &mut |asset| {
            let names = [Some(asset.id.as_str()), asset.text("nativeId")];
            let mut called = names.into_iter().flatten().filter_map(|name| wanted.get(name)).peekable();
            if called.peek().is_some() {
                seen.extend(called.cloned());
                found.push(asset);
            }
        })?;
        if let Some(given) = wanted.difference(&seen).next() {
            let nearest = nearest_name(store, given)?;
            return Ok(Err(NoSuchAsset { given: given.clone(), nearest }));
        }
        let mut selection = Self::default();
        for asset in &found {
            selection.add(store, asset)?;
        }
        Ok(Ok(selection))
    }

    fn add(&mut self, store: &Store, asset: &Asset) -> Result<(), StoreError> {
        let listed_by = store.slices_listing(&asset.typename, &asset.id)?;
        if RECORDED.contains(&asset.typename.as_str()) {
            let beside = |key: &SliceKey| SliceKey::new(&key.account_id, &key.region, FLOW_LOG);
            self.slices.extend(listed_by.iter().map(beside));
            let native_id = asset.text("nativeId").unwrap_or_default();
            self.recorded.insert((asset.region().unwrap_or_default().to_owned(), native_id.to_owned()));
        }
        if asset.typename == FLOW_LOG {
            self.flow_logs.insert(asset.id.clone());
        }
        self.slices.extend(listed_by);
        Ok(())
    }

    /// The slices that are read first, sorted.
    pub(crate) fn lists(&self) -> &BTreeSet<SliceKey> {
        &self.slices
    }

    /// The same with the slices of what the flow logs in question name, as the store knows these after the first pass:
    /// those that list it, and the one that would.
    pub(crate) fn named(&self, store: &Store) -> Result<BTreeSet<SliceKey>, StoreError> {
        let mut by_place: BTreeMap<(String, String), Referred> = BTreeMap::new();
        store.read_assets_of(FLOW_LOG, &mut |log| {
            let (Some(account), Some(region)) = (log.account_id(), log.region()) else { return };
            let recorded = log.text("resourceId").map(|id| (region.to_owned(), id.to_owned()));
            if self.flow_logs.contains(&log.id)
                || recorded.is_some_and(|recorded| self.recorded.contains(&recorded))
            {
                by_place.entry((account.to_owned(), region.to_owned())).or_default().add(&log);
            }
        })?;
        let mut slices = self.slices.clone();
        for ((account_id, region), referred) in &by_place {
            for target in referred.all() {
                let (asset_type, along) = types_of(target.kind);
                let region = if is_account_wide(target.kind) { GLOBAL_REGION } else { region };
                let mut places = vec![SliceKey::new(account_id, region, asset_type)];
                places.extend(store.slices_listing(asset_type, &target.arn)?);
                let of = |asset_type| {
                    move |place: &SliceKey| SliceKey::new(&place.account_id, &place.region, asset_type)
                };
                slices.extend(
                    along.into_iter().flat_map(|along| places.iter().map(of(along))).collect::<Vec<_>>(),
                );
                slices.extend(places);
            }
        }
        Ok(slices)
    }
}

/// The type of what a flow log names, and the type that is read along with it.
fn types_of(kind: Kind) -> (&'static str, Option<&'static str>) {
    match kind {
        Kind::LogGroup => ("LogGroup", Some("SubscriptionFilter")),
        Kind::DeliveryStream => ("DeliveryStream", None),
        Kind::Role => ("IamRole", None),
        Kind::Bucket => ("S3Bucket", None),
    }
}

fn is_account_wide(kind: Kind) -> bool {
    matches!(kind, Kind::Role | Kind::Bucket)
}

/// Hands on what was collected. What is on record of an asset has its name, and no slice behind it.
fn read_collected(store: &Store, take: &mut dyn FnMut(Asset)) -> Result<(), StoreError> {
    store.read_assets(&mut |asset| {
        if !is_ledger_type(&asset.typename) {
            take(asset);
        }
    })
}

fn nearest_name(store: &Store, given: &str) -> Result<Option<String>, StoreError> {
    let mut names = BTreeSet::new();
    read_collected(store, &mut |asset| {
        let name = if given.starts_with("arn:") { Some(asset.id.as_str()) } else { asset.text("nativeId") };
        names.extend(name.map(str::to_owned));
    })?;
    Ok(nearest(given, names.iter().map(String::as_str)).map(str::to_owned))
}
