//! What all accounts of one collection share: how many slices are read at a time, where they are stored, who is told.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OnceCell, Semaphore};

use super::{
    api::{self, Caller, RegionStatus},
    connect::Connection,
    error::CollectError,
    failure::Failure,
    one_thread::OneThread,
    options::CollectOptions,
    report::{Event, SliceReport},
    scope::Scope,
    shape::Origin,
};
use crate::{
    model::{Clock, GLOBAL_REGION, Outcome, SliceKey},
    store::{Packed, SliceCommit, Store, StoreError},
};

/// What one slice came to, before it is committed.
pub(crate) type Reading = Result<Packed, (Outcome, String)>;

/// The same for every account.
pub(crate) struct Fleet {
    pub(crate) options: CollectOptions,
    /// As the caller, whose credentials everything begins with.
    pub(crate) home: Connection,
    pub(crate) caller: Caller,
    /// Which slices are read, and which first.
    pub(crate) scope: Scope,
    /// How many accounts are collected.
    pub(crate) accounts: usize,
    /// How many slices are read at a time.
    pub(crate) gate: Semaphore,
    store: Arc<Store>,
    committing: OneThread,
    clock: Arc<dyn Clock>,
    on_event: Arc<dyn Fn(Event) + Send + Sync>,
    progress: Mutex<Progress>,
    /// By account, the regions in which something of it was collected before; read at most once.
    regions_before: OnceCell<BTreeMap<String, BTreeSet<String>>>,
    /// The regions that are enabled for the caller, asked for at most once.
    usual_regions: OnceCell<Vec<String>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    planned: usize,
    done: usize,
}

impl fmt::Debug for Fleet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Fleet").field("caller", &self.caller).finish_non_exhaustive()
    }
}

impl Fleet {
    pub(crate) fn new(
        (options, scope): (CollectOptions, Scope),
        (home, caller): (Connection, Caller),
        accounts: usize,
        (store, clock): (Arc<Store>, Arc<dyn Clock>),
        on_event: Arc<dyn Fn(Event) + Send + Sync>,
    ) -> Self {
        let gate = Semaphore::new(options.concurrency.max(1));
        Self {
            options,
            scope,
            home,
            caller,
            accounts,
            gate,
            store,
            committing: OneThread::start(),
            clock,
            on_event,
            progress: Mutex::default(),
            regions_before: OnceCell::new(),
            usual_regions: OnceCell::new(),
        }
    }

    /// Tells what will be read of an account.
    pub(crate) fn plan(&self, account_id: &str, regions: &[String], slices: Vec<SliceKey>) {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).planned += slices.len();
        (self.on_event)(Event::Planned {
            account_id: account_id.to_owned(),
            accounts: self.accounts,
            regions: regions.to_vec(),
            slices,
        });
    }

    /// Takes in that more slices are read than was told.
    pub(crate) fn plan_more(&self, slices: usize) {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).planned += slices;
    }

    /// Commits off the async threads: the store waits for the disk.
    pub(crate) async fn commit(
        &self,
        key: SliceKey,
        action: &str,
        reading: Reading,
    ) -> Result<SliceReport, CollectError> {
        let (outcome, reason, assets) = match reading {
            Ok(assets) => (Outcome::Complete, None, assets),
            Err((outcome, reason)) => (outcome, Some(reason), Packed::default()),
        };
        let slice = SliceCommit {
            key: key.clone(),
            api: action.to_owned(),
            outcome,
            reason: reason.clone(),
            at: self.clock.now(),
            assets,
        };
        let store = Arc::clone(&self.store);
        // The store is let go of before anybody hears that this is done.
        let committed = self.committing.run(move || {
            let committed = store.commit_slice(slice);
            drop(store);
            committed
        });
        let commit = committed
            .await
            .unwrap_or_else(|| Err(StoreError::Closed { reason: "a commit has panicked".to_owned() }))
            .map_err(|source| CollectError::Store { slice: key.clone(), source: Box::new(source) })?;
        let read = commit.added + commit.changed + commit.unchanged;
        let slice = SliceReport { key, api: action.to_owned(), outcome, reason, assets: read, commit };
        // Told under the lock, so that who listens hears the count go up.
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.done += 1;
        (self.on_event)(Event::SliceDone { slice: slice.clone(), done: progress.done, of: progress.planned });
        Ok(slice)
    }

    /// Work of the store for a slice, where it may block.
    pub(crate) async fn in_store<T: Send + 'static>(
        &self,
        slice: SliceKey,
        work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, CollectError> {
        let store = Arc::clone(&self.store);
        tokio::task::spawn_blocking(move || work(&store))
            .await
            .unwrap_or_else(|broken_off| Err(StoreError::Closed { reason: broken_off.to_string() }))
            .map_err(|source| CollectError::Store { slice, source: Box::new(source) })
    }

    /// The regions of an account, and those that AWS no longer names: a region that the store knows of and the list lacks
    /// is asked for once more by its name, since a list that misses one would leave it out of everything that follows.
    pub(crate) async fn regions_of(
        &self,
        connection: &Connection,
        origin: &Origin,
    ) -> Result<(Result<Vec<RegionStatus>, Failure>, Vec<String>), CollectError> {
        let mut known = match Box::pin(api::list_regions(connection, origin)).await {
            Ok(known) => known,
            Err(failure) => return Ok((Err(failure), Vec::new())),
        };
        let mut gone = self.regions_before(&origin.caller).await?;
        gone.extend(self.regions_listed(&origin.caller).await?);
        gone.retain(|name| !known.iter().any(|region| region.name == *name));
        if gone.is_empty() {
            return Ok((Ok(known), Vec::new()));
        }
        match Box::pin(api::list_these_regions(connection, origin, &gone)).await {
            Err(failure) => Ok((Err(failure.when_confirming()), Vec::new())),
            Ok(shown) => {
                known.extend(shown);
                known.sort_by(|one, other| one.name.cmp(&other.name));
                known.dedup_by(|one, other| one.name == other.name);
                gone.retain(|name| !known.iter().any(|region| region.name == *name));
                Ok((Ok(known), gone.into_iter().collect()))
            }
        }
    }

    /// The regions in which something of an account was collected before.
    async fn regions_before(&self, account_id: &str) -> Result<BTreeSet<String>, CollectError> {
        let read = |store: &Store| {
            let mut regions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for SliceKey { account_id, region, .. } in store.slices()?.into_iter().map(|slice| slice.key) {
                if region != GLOBAL_REGION {
                    regions.entry(account_id).or_default().insert(region);
                }
            }
            Ok(regions)
        };
        let of = SliceKey::new(account_id, GLOBAL_REGION, "Region");
        let regions = self.regions_before.get_or_try_init(|| self.in_store(of, read)).await?;
        Ok(regions.get(account_id).cloned().unwrap_or_default())
    }

    /// The regions that the store lists of an account.
    async fn regions_listed(&self, account_id: &str) -> Result<BTreeSet<String>, CollectError> {
        let of = SliceKey::new(account_id, GLOBAL_REGION, "Region");
        let slice = of.clone();
        let read = move |store: &Store| store.listed_besides(&slice, &Packed::default());
        let listed = self.in_store(of, read).await?;
        Ok(listed.iter().filter_map(|region| region.text("name").map(str::to_owned)).collect())
    }

    /// The regions of an account that can't be asked for them: those in which it was collected before, else those that
    /// are enabled for the caller.
    pub(crate) async fn likely_regions(&self, account_id: &str) -> Result<Vec<String>, CollectError> {
        let before = self.regions_before(account_id).await?;
        if !before.is_empty() {
            return Ok(before.into_iter().collect());
        }
        if account_id == self.caller.account_id {
            return Ok(vec![self.home.home_region().to_owned()]);
        }
        let ask = || async {
            let region = self.home.home_region();
            let origin = Origin {
                partition: self.caller.partition.clone(),
                caller: self.caller.account_id.clone(),
                region: region.to_owned(),
            };
            match Box::pin(api::list_regions(&self.home, &origin)).await {
                Ok(known) => {
                    known.into_iter().filter(|region| region.enabled).map(|region| region.name).collect()
                }
                Err(_) => vec![region.to_owned()],
            }
        };
        Ok(self.usual_regions.get_or_init(ask).await.clone())
    }
}
