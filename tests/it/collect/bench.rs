//! What every collection test stands on: an account, an endpoint, options that are quick to give up, a place for
//! slices.

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex},
    time::Duration,
};

use passmuster::{
    collect::{
        AwsConfig, CollectError, CollectOptions, CollectReport, CommitReport, Event, Patience, SliceCommit,
        SliceSink, collect,
    },
    model::{Asset, FixedClock, Outcome, SliceKey, SliceState, Time},
};

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
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) events: Arc<Mutex<Vec<Event>>>,
    pub(crate) patience: Patience,
}

impl Bench {
    pub(crate) fn new(account: TestAccount, endpoint: &str) -> Self {
        Self {
            account,
            endpoint: endpoint.to_owned(),
            clock: Arc::new(FixedClock::at(time(EARLIER))),
            shelf: Arc::default(),
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
        let (sink, clock) = (Arc::clone(&self.shelf) as _, Arc::clone(&self.clock) as _);
        collect(self.options(regions, only), sink, clock, on_event).await
    }

    /// The state of one regional slice.
    pub(crate) fn slice(&self, region: &str, asset_type: &str) -> SliceState {
        self.shelf
            .state(&SliceKey::new(&self.account.id, region, asset_type))
            .expect("the slice was committed")
    }

    /// The assets of one regional slice, sorted by id.
    pub(crate) fn assets(&self, region: &str, asset_type: &str) -> Vec<Asset> {
        self.shelf.assets(&SliceKey::new(&self.account.id, region, asset_type))
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

/// A store that only remembers, under the store's own rule: a complete slice replaces, any other leaves as it was.
#[derive(Debug, Default)]
pub(crate) struct Shelf(Mutex<BTreeMap<SliceKey, (SliceState, BTreeMap<String, Asset>)>>);

impl Shelf {
    fn state(&self, key: &SliceKey) -> Option<SliceState> {
        self.0.lock().expect("shelf").get(key).map(|(state, _)| state.clone())
    }

    fn assets(&self, key: &SliceKey) -> Vec<Asset> {
        let slices = self.0.lock().expect("shelf");
        slices.get(key).map(|(_, assets)| assets.values().cloned().collect()).unwrap_or_default()
    }

    pub(crate) fn keys(&self) -> Vec<SliceKey> {
        self.0.lock().expect("shelf").keys().cloned().collect()
    }
}

impl SliceSink for Shelf {
    fn commit(&self, commit: SliceCommit) -> Result<CommitReport, Box<dyn Error + Send + Sync>> {
        let mut slices = self.0.lock().expect("shelf");
        let sequence = u64::try_from(slices.len()).expect("few slices");
        let before = slices.remove(&commit.key);
        let (completed_before, before) =
            before.map(|(state, assets)| (state.completed_at, assets)).unwrap_or_default();
        let complete = commit.outcome == Outcome::Complete;
        let mut report = CommitReport { sequence, ..CommitReport::default() };
        let mut after = BTreeMap::new();
        for asset in commit.assets {
            match before.get(&asset.id) {
                None => report.added += 1,
                Some(old) if *old == asset => report.unchanged += 1,
                Some(_) => report.changed += 1,
            }
            after.insert(asset.id.clone(), asset);
        }
        if complete {
            report.removed = before.keys().filter(|id| !after.contains_key(*id)).count() as u64;
        } else {
            after = before;
        }
        let state = SliceState {
            key: commit.key.clone(),
            api: commit.api,
            outcome: commit.outcome,
            reason: commit.reason,
            attempted_at: Some(commit.at),
            completed_at: if complete { Some(commit.at) } else { completed_before },
            assets: after.len() as u64,
        };
        slices.insert(commit.key, (state, after));
        Ok(report)
    }
}
