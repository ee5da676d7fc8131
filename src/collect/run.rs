//! One collection from beginning to end: who asks, which regions, every slice at its own pace, a summary.
//!
//! Dropping the future stops it between two awaits: slices committed so far stay, a commit under way ends whole.

use std::{fmt, sync::Arc};

use futures_util::{StreamExt, stream};
use tokio::sync::OnceCell;

use super::{
    api::{self, Asked, Caller, NOT_OPTED_IN, ReferredApi, RegionStatus, RegionalApi},
    confirm,
    connect::Connection,
    error::CollectError,
    failure::{Failure, FailureKind},
    options::CollectOptions,
    pages,
    plan::{self, RegionPlan},
    referred::Referred,
    report::{CollectReport, Event, SliceReport},
    shape::Origin,
};
use crate::{
    model::{Asset, Clock, GLOBAL_REGION, Outcome, SliceKey},
    store::{SliceCommit, Store, StoreError},
};

/// Collects one account, as the options say: every slice is committed with its outcome as soon as it is ready.
///
/// # Errors
/// When there is nothing to collect with or from (no region, no credentials, a caller AWS doesn't know, options that
/// make no sense), and when the store refuses a slice. A slice that could not be read is no error: the report says so.
pub async fn collect(
    options: CollectOptions,
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    on_event: Arc<dyn Fn(Event) + Send + Sync>,
) -> Result<CollectReport, CollectError> {
    plan::check_types(&options.only)?;
    let connection = Connection::open(&options).await?;
    let caller = api::identify(&connection.sts()).await.map_err(|failure| refuse_caller(&failure))?;
    let origin = Origin {
        partition: caller.partition.clone(),
        caller: caller.account_id.clone(),
        region: connection.home_region().to_owned(),
    };
    let home = connection.ec2(&caller.account_id, connection.home_region());
    let listed = Box::pin(api::list_regions(&home, &origin)).await;
    let regions = match &listed {
        Ok(known) => plan::plan_regions(&options.regions, known)?,
        Err(_) => plan::plan_without_list(&options.regions, connection.home_region()),
    };
    let slices = plan::plan_slices(&caller.account_id, &options.only, &regions);
    let run = Run {
        options: &options,
        connection: &connection,
        caller: &caller,
        credentials_hold: OnceCell::new(),
        store,
        clock,
        on_event,
        planned: slices.len(),
    };
    (run.on_event)(Event::Planned {
        account_id: caller.account_id.clone(),
        regions: regions.read.clone(),
        slices,
    });
    run.collect_all(&origin, listed, regions).await
}

fn refuse_caller(failure: &Failure) -> CollectError {
    let reason = failure.reason(api::CALLER_IDENTITY);
    let remedy = match failure.kind {
        FailureKind::NotSent => return CollectError::NoCredentials { reason },
        FailureKind::Credentials => "renew the credentials (`aws sso login`), then collect again",
        FailureKind::RegionOrCredentials => "check the access key and `AWS_REGION`",
        FailureKind::Denied => "allow the call (docs/aws-permissions.md)",
        FailureKind::Throttled => "collect again in a while",
        FailureKind::NotFound | FailureKind::Other => "check the network, a proxy and `AWS_ENDPOINT_URL`",
    };
    CollectError::UnknownCaller { reason, remedy }
}

/// What every slice of one collection shares.
struct Run<'a> {
    options: &'a CollectOptions,
    connection: &'a Connection,
    caller: &'a Caller,
    /// Asked at most once, when a region refuses the credentials.
    credentials_hold: OnceCell<bool>,
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    on_event: Arc<dyn Fn(Event) + Send + Sync>,
    planned: usize,
}

impl fmt::Debug for Run<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Run").field("caller", &self.caller).finish_non_exhaustive()
    }
}

/// What one slice came to, before it is committed.
type Reading = Result<Vec<Asset>, (Outcome, String)>;

impl Run<'_> {
    async fn collect_all(
        &self,
        origin: &Origin,
        listed: Result<Vec<RegionStatus>, Failure>,
        regions: RegionPlan,
    ) -> Result<CollectReport, CollectError> {
        let mut report = CollectReport {
            account_id: self.caller.account_id.clone(),
            notes: note_missing_list(&listed, &regions),
            ..CollectReport::default()
        };
        for (asset_type, action, reading) in self.read_account_wide(listed).await {
            if plan::wants(&self.options.only, asset_type) {
                let slice = self.commit(GLOBAL_REGION, asset_type, action, reading).await?;
                self.add(&mut report, slice);
            }
        }
        self.commit_disabled(&regions, &mut report).await?;
        self.collect_regions(origin, &regions, &mut report).await?;
        self.collect_referred(origin, &regions, &mut report).await?;
        report.slices.sort_by(|one, other| one.key.cmp(&other.key));
        report.regions = regions.read;
        report.not_opted_in = regions.not_opted_in;
        Ok(report)
    }

    async fn read_account_wide(
        &self,
        listed: Result<Vec<RegionStatus>, Failure>,
    ) -> [(&'static str, &'static str, Reading); 2] {
        let [account, region] = api::account_wide();
        let regions = match listed {
            Ok(known) => Ok(known.into_iter().map(|region| region.asset).collect()),
            Err(failure) => Err(self.judge(&failure, api::REGIONS).await),
        };
        [(account.0, account.1, Ok(vec![api::shape_account(self.caller)])), (region.0, region.1, regions)]
    }

    async fn commit_disabled(
        &self,
        regions: &RegionPlan,
        report: &mut CollectReport,
    ) -> Result<(), CollectError> {
        let lists = plan::wanted_apis(&self.options.only).into_iter();
        let lists = lists.map(|api| (api.asset_type(), api.action()));
        let named = plan::wanted_referred(&self.options.only).into_iter();
        let named = named.filter(|api| !api.is_account_wide()).map(|api| (api.asset_type(), api.action()));
        let apis: Vec<_> = lists.chain(named).collect();
        for region in &regions.disabled {
            for (asset_type, action) in &apis {
                let reason = format!("{action}: the region is {NOT_OPTED_IN}");
                let reading = Err((Outcome::Disabled, reason));
                let slice = self.commit(region, asset_type, action, reading).await?;
                self.add(report, slice);
            }
        }
        Ok(())
    }

    /// Reads all regions at the same time. Type by type, so that the calls in flight are spread over many regions,
    /// each of which counts calls on its own.
    async fn collect_regions(
        &self,
        origin: &Origin,
        regions: &RegionPlan,
        report: &mut CollectReport,
    ) -> Result<(), CollectError> {
        let clients: Vec<(Origin, aws_sdk_ec2::Client)> = regions
            .read
            .iter()
            .map(|region| (origin.within(region), self.connection.ec2(&self.caller.account_id, region)))
            .collect();
        let apis = plan::wanted_apis(&self.options.only);
        let work: Vec<_> = apis
            .into_iter()
            .flat_map(|api| clients.iter().map(move |(origin, client)| (api, origin, client)))
            .map(|(api, origin, client)| Box::pin(self.collect_slice(api, origin, client)))
            .collect();
        let mut slices = stream::iter(work).buffer_unordered(self.options.concurrency.max(1));
        while let Some(slice) = slices.next().await {
            self.add(report, slice?);
        }
        Ok(())
    }

    /// The second pass: what the flow logs name, those of this collection and those known from before.
    async fn collect_referred(
        &self,
        origin: &Origin,
        regions: &RegionPlan,
        report: &mut CollectReport,
    ) -> Result<(), CollectError> {
        let apis = plan::wanted_referred(&self.options.only);
        if apis.is_empty() {
            return Ok(());
        }
        let store = Arc::clone(&self.store);
        let key = SliceKey::new(&self.caller.account_id, GLOBAL_REGION, "FlowLog");
        let referred = self.off_thread(key, move || Referred::read(&store)).await?;
        let places: Vec<Origin> = regions.read.iter().map(|region| origin.within(region)).collect();
        let home = [origin.within(self.connection.home_region())];
        let work: Vec<_> = apis
            .into_iter()
            .flat_map(|api| {
                let places = if api.is_account_wide() { home.as_slice() } else { places.as_slice() };
                places.iter().map(move |origin| (api, origin))
            })
            .map(|(api, origin)| Box::pin(self.collect_named(api, origin, &referred)))
            .collect();
        let mut slices = stream::iter(work).buffer_unordered(self.options.concurrency.max(1));
        while let Some(slice) = slices.next().await {
            self.add(report, slice?);
        }
        Ok(())
    }

    async fn collect_named(
        &self,
        api: &dyn ReferredApi,
        origin: &Origin,
        referred: &Referred,
    ) -> Result<SliceReport, CollectError> {
        let region = if api.is_account_wide() { GLOBAL_REGION } else { origin.region.as_str() };
        let asked = Asked { connection: self.connection, origin, referred };
        let slice = SliceKey::new(&self.caller.account_id, region, api.asset_type());
        let mut read = api.read(asked).await;
        if let Ok(list) = read {
            let missing = self.no_longer_named(&slice, &list).await?;
            read = confirm::confirm(list, &missing, api.read_again(asked)).await;
        }
        match read {
            Ok(assets) => self.commit(region, api.asset_type(), api.action(), Ok(assets)).await,
            Err(failure) => {
                let action = failure.action.unwrap_or(api.action());
                let reading = Err(self.judge(&failure, action).await);
                self.commit(region, api.asset_type(), action, reading).await
            }
        }
    }

    async fn collect_slice(
        &self,
        api: &dyn RegionalApi,
        origin: &Origin,
        client: &aws_sdk_ec2::Client,
    ) -> Result<SliceReport, CollectError> {
        let slice = SliceKey::new(&self.caller.account_id, &origin.region, api.asset_type());
        let mut read = pages::read_all(api, client, origin).await;
        if let Ok(list) = read {
            let missing = self.no_longer_named(&slice, &list).await?;
            let native_ids = confirm::native_ids(&missing);
            read =
                confirm::confirm(list, &missing, pages::read_these(api, client, origin, &native_ids)).await;
        }
        let reading = match read {
            Ok(assets) => Ok(assets),
            Err(failure) => Err(self.judge(&failure, api.action()).await),
        };
        self.commit(&origin.region, api.asset_type(), api.action(), reading).await
    }

    /// What the store has under a slice and the list no longer names.
    async fn no_longer_named(&self, slice: &SliceKey, list: &[Asset]) -> Result<Vec<Asset>, CollectError> {
        self.off_thread(slice.clone(), confirm::no_longer_named(&self.store, slice, list)).await
    }

    /// Some codes are given for a region that is not enabled and for bad credentials alike: where the credentials
    /// still hold elsewhere, it is the region.
    async fn judge(&self, failure: &Failure, action: &str) -> (Outcome, String) {
        let credentials_hold = match failure.kind {
            FailureKind::RegionOrCredentials => {
                let ask = || async { api::identify(&self.connection.sts()).await.is_ok() };
                *self.credentials_hold.get_or_init(ask).await
            }
            _ => true,
        };
        let mut reason = failure.reason(action);
        if !credentials_hold {
            reason.push_str(" (the credentials are no longer accepted)");
        }
        (failure.outcome(credentials_hold), reason)
    }

    /// Commits off the async threads: the store waits for the disk.
    async fn commit(
        &self,
        region: &str,
        asset_type: &str,
        action: &str,
        reading: Reading,
    ) -> Result<SliceReport, CollectError> {
        let (outcome, reason, assets) = match reading {
            Ok(assets) => (Outcome::Complete, None, assets),
            Err((outcome, reason)) => (outcome, Some(reason), Vec::new()),
        };
        let key = SliceKey::new(&self.caller.account_id, region, asset_type);
        let read = u64::try_from(assets.len()).unwrap_or(u64::MAX);
        let slice = SliceCommit {
            key: key.clone(),
            api: action.to_owned(),
            outcome,
            reason: reason.clone(),
            at: self.clock.now(),
            assets,
        };
        let store = Arc::clone(&self.store);
        let commit = self.off_thread(key.clone(), move || store.commit_slice(slice)).await?;
        Ok(SliceReport { key, api: action.to_owned(), outcome, reason, assets: read, commit })
    }

    /// Work of the store for a slice, where it may block.
    async fn off_thread<T: Send + 'static>(
        &self,
        slice: SliceKey,
        work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, CollectError> {
        tokio::task::spawn_blocking(work)
            .await
            .unwrap_or_else(|broken_off| Err(StoreError::Closed { reason: broken_off.to_string() }))
            .map_err(|source| CollectError::Store { slice, source: Box::new(source) })
    }

    fn add(&self, report: &mut CollectReport, slice: SliceReport) {
        report.slices.push(slice.clone());
        (self.on_event)(Event::SliceDone { slice, done: report.slices.len(), of: self.planned });
    }
}

fn note_missing_list(listed: &Result<Vec<RegionStatus>, Failure>, regions: &RegionPlan) -> Vec<String> {
    match listed {
        Ok(_) => Vec::new(),
        Err(failure) => vec![format!(
            "the account's regions are not known ({}): only {} was read; name others with `--regions`",
            failure.reason(api::REGIONS),
            regions.read.join(", ")
        )],
    }
}
