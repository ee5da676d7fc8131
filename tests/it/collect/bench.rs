//! What every collection test stands on: an account, an endpoint, options that are quick to give up, a store.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use passmuster::{
    collect::{AwsConfig, CollectError, CollectOptions, CollectReport, Event, Patience, collect},
    model::{Asset, FixedClock, GLOBAL_REGION, SliceKey, SliceState, Time},
    store::{Store, StoreOptions},
};
use tempfile::TempDir;

use crate::support::aws::TestAccount;

pub(crate) const EARLIER: &str = "2026-11-20T12:00:00Z";
pub(crate) const LATER: &str = "2026-11-20T13:00:00Z";

pub(crate) fn time(text: &str) -> Time {
    text.parse().expect("a time")
}

/// An account, and what has been collected of it so far.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) account: TestAccount,
    pub(crate) endpoint: String,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) store: Arc<Store>,
    _folder: TempDir,
    pub(crate) events: Arc<Mutex<Vec<Event>>>,
    pub(crate) patience: Patience,
}

impl Bench {
    pub(crate) fn new(account: TestAccount, endpoint: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            account,
            endpoint: endpoint.to_owned(),
            clock: Arc::new(FixedClock::at(time(EARLIER))),
            store: open(folder.path()),
            _folder: folder,
            events: Arc::default(),
            patience: quick(),
        }
    }

    /// What `--regions .. --only ..` ask for.
    pub(crate) fn options(&self, regions: &[&str], only: &[&str]) -> CollectOptions {
        CollectOptions {
            aws: AwsConfig::Given(Box::new(self.account.sdk_config(&self.endpoint, "us-east-1"))),
            regions: regions.iter().map(|&region| region.to_owned()).collect(),
            only: only.iter().map(|&asset_type| asset_type.to_owned()).collect(),
            patience: self.patience,
            ..CollectOptions::default()
        }
    }

    /// What `passmuster collect --regions .. --only ..` does.
    pub(crate) async fn collect(
        &self,
        regions: &[&str],
        only: &[&str],
    ) -> Result<CollectReport, CollectError> {
        let events = Arc::clone(&self.events);
        let on_event = Arc::new(move |event| events.lock().expect("events").push(event));
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock) as _);
        collect(self.options(regions, only), store, clock, on_event).await
    }

    /// The state of one slice of the account.
    pub(crate) fn slice(&self, region: &str, asset_type: &str) -> SliceState {
        let key = SliceKey::new(&self.account.id, region, asset_type);
        let slices = self.store.slices().expect("slices");
        slices.into_iter().find(|slice| slice.key == key).expect("the slice was committed")
    }

    /// The keys of all slices, sorted.
    pub(crate) fn keys(&self) -> Vec<SliceKey> {
        self.store.slices().expect("slices").into_iter().map(|slice| slice.key).collect()
    }

    /// The assets of a type in a region, or in all of them, sorted by id.
    pub(crate) fn assets(&self, region: &str, asset_type: &str) -> Vec<Asset> {
        assets_of(&self.store, region, asset_type)
    }

    /// Their native ids, sorted.
    pub(crate) fn native_ids(&self, region: &str, asset_type: &str) -> Vec<String> {
        let assets = self.assets(region, asset_type);
        let mut ids: Vec<_> =
            assets.iter().map(|asset| asset.text("nativeId").expect("a native id").to_owned()).collect();
        ids.sort();
        ids
    }
}

/// The assets of a type that a store holds for a region, or for all of them, sorted by id.
pub(crate) fn assets_of(store: &Store, region: &str, asset_type: &str) -> Vec<Asset> {
    let mut assets = Vec::new();
    let mut keep = |asset: Asset| {
        if asset.typename == asset_type && (region == GLOBAL_REGION || asset.region() == Some(region)) {
            assets.push(asset);
        }
    };
    store.read_assets(&mut keep).expect("assets");
    assets
}

/// A store in a folder.
pub(crate) fn open(folder: &Path) -> Arc<Store> {
    Arc::new(Store::open(folder, &StoreOptions::default()).expect("a store").store)
}

/// Real retries and time-outs, only shorter.
pub(crate) fn quick() -> Patience {
    Patience {
        connect_timeout: Duration::from_secs(5),
        attempt_timeout: Duration::from_secs(10),
        operation_timeout: Duration::from_secs(30),
        attempts: 3,
        initial_backoff: Duration::from_millis(1),
        max_backoff: Duration::from_millis(5),
    }
}
