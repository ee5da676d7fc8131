//! One account of a collection: as whom, which regions, every slice at its own pace.

use std::collections::BTreeSet;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::{
    sync::{OnceCell, Semaphore, SemaphorePermit},
    time::Instant,
};

use super::{
    accounts::Account,
    api::{self, Asked, Caller, NOT_OPTED_IN, ReferredApi, RegionStatus, RegionalApi},
    breaker::Breaker,
    confirm,
    connect::Connection,
    enter::{Closed, enter},
    error::CollectError,
    failure::{Failure, FailureKind},
    fleet::{Fleet, Reading},
    pages,
    plan::{self, RegionPlan},
    referred::Referred,
    report::{AccountReport, SliceReport},
    role,
    shape::Origin,
};
use crate::{
    model::{Asset, GLOBAL_REGION, Outcome, SliceKey},
    store::{Packed, Store},
};

/// An account while it is collected.
#[derive(Debug)]
pub(crate) struct AccountRun<'f> {
    fleet: &'f Fleet,
    account: Account,
    connection: Connection,
    origin: Origin,
    regions: RegionPlan,
    /// How many of its slices are read at a time.
    gate: Semaphore,
    breaker: Breaker,
    /// Asked at most once, when a region refuses the credentials.
    credentials_hold: OnceCell<bool>,
}

/// What was gathered of an account so far.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) account: AccountReport,
    pub(crate) slices: Vec<SliceReport>,
    pub(crate) notes: Vec<String>,
}

impl<'f> AccountRun<'f> {
    /// The first pass over an account: everything but what its flow logs name. An account that lets nobody in gives
    /// slices that say so, and no run that could go on.
    pub(crate) async fn begin(
        fleet: &'f Fleet,
        account: Account,
    ) -> Result<(Option<Self>, Gathered), CollectError> {
        let connection = match Box::pin(enter(&fleet.home, &account)).await {
            Ok(connection) => connection,
            Err(closed) => return Ok((None, give_up(fleet, &account, &closed).await?)),
        };
        let origin = Origin {
            partition: fleet.caller.partition.clone(),
            caller: account.account_id.clone(),
            region: connection.home_region().to_owned(),
        };
        let (listed, gone) = Box::pin(fleet.regions_of(&connection, &origin)).await?;
        let mut regions = match &listed {
            Ok(known) => plan::plan_regions(&account.regions, known)?,
            Err(_) => {
                plan::plan_without_list(&account.regions, fleet.likely_regions(&account.account_id).await?)
            }
        };
        fleet.scope.narrow(&account.account_id, &mut regions);
        let slices = fleet.scope.slices(&account.account_id, &regions);
        fleet.plan(&account.account_id, &regions.read, slices);
        let run = Self {
            gate: Semaphore::new(fleet.options.account_concurrency.max(1)),
            breaker: Breaker::default(),
            credentials_hold: OnceCell::new(),
            fleet,
            account,
            connection,
            origin,
            regions,
        };
        let mut gathered = run.collect_lists(listed).await?;
        gathered.notes.extend(note_gone_regions(&run.account.account_id, &gone));
        Ok((Some(run), gathered))
    }

    async fn collect_lists(
        &self,
        listed: Result<Vec<RegionStatus>, Failure>,
    ) -> Result<Gathered, CollectError> {
        let mut gathered = Gathered {
            account: AccountReport {
                account_id: self.account.account_id.clone(),
                name: name_of(&self.account),
                regions: self.regions.read.clone(),
                not_opted_in: self.regions.not_opted_in.clone(),
            },
            notes: self.note_missing_list(&listed),
            slices: Vec::new(),
        };
        let regions = match listed {
            Ok(known) => Ok(known.into_iter().map(|region| region.asset).collect()),
            Err(failure) => Err(failure),
        };
        let [account_type, region_type] = api::account_wide();
        let (account, action) = account_asset(self.fleet, &self.account);
        for (asset_type, action, reading) in
            [(account_type.0, action, Ok(vec![account])), (region_type.0, region_type.1, regions)]
        {
            if self.fleet.scope.reads(&self.account.account_id, GLOBAL_REGION, asset_type) {
                let reading = match reading.and_then(|assets: Vec<Asset>| packed(&assets)) {
                    Ok(assets) => Ok(assets),
                    Err(failure) => Err(self.judge(&failure, action).await),
                };
                gathered.slices.push(self.commit(GLOBAL_REGION, asset_type, action, reading).await?);
            }
        }
        self.commit_disabled(&mut gathered.slices).await?;
        let in_order = self.fleet.scope.in_order(&self.account.account_id, &self.regions.read);
        let mut regions: FuturesUnordered<_> =
            in_order.into_iter().map(|region| Box::pin(self.collect_region(region))).collect();
        while let Some(slices) = regions.next().await {
            gathered.slices.extend(slices?);
        }
        Ok(gathered)
    }

    async fn commit_disabled(&self, slices: &mut Vec<SliceReport>) -> Result<(), CollectError> {
        let lists = api::REGIONAL.iter().map(|api| (api.asset_type(), api.action()));
        let named = api::REFERRED.iter().filter(|api| !api.is_account_wide());
        let apis: Vec<_> = lists.chain(named.map(|api| (api.asset_type(), api.action()))).collect();
        for region in &self.regions.disabled {
            let is_read = |asset_type| self.fleet.scope.reads(&self.account.account_id, region, asset_type);
            for (asset_type, action) in apis.iter().filter(|(asset_type, _)| is_read(asset_type)) {
                let reason = format!("{action}: the region is {NOT_OPTED_IN}");
                let reading = Err((Outcome::Disabled, reason));
                slices.push(self.commit(region, asset_type, action, reading).await?);
            }
        }
        Ok(())
    }

    /// Reads one region: one list first, and all others once it has answered. A region that hangs is so found out by
    /// one call, and holds up no other.
    async fn collect_region(&self, region: &str) -> Result<Vec<SliceReport>, CollectError> {
        let apis = self.fleet.scope.lists(&self.account.account_id, region);
        let origin = self.origin.within(region);
        let client = self.connection.ec2(&self.account.account_id, region);
        let mut slices = Vec::with_capacity(apis.len());
        let Some((first, others)) = apis.split_first() else { return Ok(slices) };
        slices.push(Box::pin(self.collect_slice(*first, &origin, &client)).await?);
        let mut others: FuturesUnordered<_> =
            others.iter().map(|api| Box::pin(self.collect_slice(*api, &origin, &client))).collect();
        while let Some(slice) = others.next().await {
            slices.push(slice?);
        }
        Ok(slices)
    }

    async fn collect_slice(
        &self,
        api: &dyn RegionalApi,
        origin: &Origin,
        client: &aws_sdk_ec2::Client,
    ) -> Result<SliceReport, CollectError> {
        let _turn = self.turn().await;
        let (region, clients) = (origin.region.as_str(), (&self.connection, client));
        let mut read = self.read(region, api.action(), || pages::read_all(api, clients, origin)).await;
        if let Ok(list) = read {
            let (list, missing) = self.no_longer_named(region, api.asset_type(), list).await?;
            let native_ids = confirm::native_ids(&missing);
            let again = || pages::read_these(api, clients, origin, &native_ids);
            read = confirm::confirm(list, &missing, self.read(region, api.action(), again)).await;
        }
        let reading = match read {
            Ok(assets) => Ok(assets),
            Err(failure) => Err(self.judge(&failure, api.action()).await),
        };
        self.commit(&origin.region, api.asset_type(), api.action(), reading).await
    }

    /// The second pass: what the flow logs name, those of this collection and those known from before. Only these
    /// slices, where some are given.
    pub(crate) async fn collect_referred(
        &self,
        referred: &Referred,
        chosen: Option<&BTreeSet<SliceKey>>,
    ) -> Result<Vec<SliceReport>, CollectError> {
        let account_id = self.account.account_id.as_str();
        let regions = match chosen {
            Some(chosen) => regions_of(chosen, account_id),
            None => self.fleet.scope.in_order(account_id, &self.regions.read),
        };
        let places: Vec<Origin> = regions.into_iter().map(|region| self.origin.within(region)).collect();
        let home = [self.origin.within(self.connection.home_region())];
        let is_read = |api: &dyn ReferredApi, origin: &Origin| {
            let region = if api.is_account_wide() { GLOBAL_REGION } else { origin.region.as_str() };
            match chosen {
                Some(chosen) => chosen.contains(&SliceKey::new(account_id, region, api.asset_type())),
                None => self.fleet.scope.reads(account_id, region, api.asset_type()),
            }
        };
        let mut work: FuturesUnordered<_> = api::REFERRED
            .iter()
            .flat_map(|api| {
                let places = if api.is_account_wide() { home.as_slice() } else { places.as_slice() };
                places.iter().map(move |origin| (*api, origin))
            })
            .filter(|(api, origin)| is_read(*api, origin))
            .map(|(api, origin)| Box::pin(self.collect_named(api, origin, referred)))
            .collect();
        let mut slices = Vec::with_capacity(work.len());
        while let Some(slice) = work.next().await {
            slices.push(slice?);
        }
        Ok(slices)
    }

    async fn collect_named(
        &self,
        api: &dyn ReferredApi,
        origin: &Origin,
        referred: &Referred,
    ) -> Result<SliceReport, CollectError> {
        let _turn = self.turn().await;
        let region = if api.is_account_wide() { GLOBAL_REGION } else { origin.region.as_str() };
        let asked = Asked { connection: &self.connection, origin, referred };
        let mut read =
            self.read(region, api.action(), || api.read(asked)).await.and_then(|list| packed(&list));
        if let Ok(list) = read {
            let (list, missing) = self.no_longer_named(region, api.asset_type(), list).await?;
            let again = self.read(region, api.action(), || api.read_again(asked));
            read = confirm::confirm(list, &missing, again).await;
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

    /// What the store has under a slice and a list of it no longer names, sorted by id; with the list.
    async fn no_longer_named(
        &self,
        region: &str,
        asset_type: &str,
        list: Packed,
    ) -> Result<(Packed, Vec<Asset>), CollectError> {
        let slice = SliceKey::new(&self.account.account_id, region, asset_type);
        let compare = move |store: &Store| {
            let missing = store.listed_besides(&slice, &list)?;
            Ok((list, missing))
        };
        let slice = SliceKey::new(&self.account.account_id, region, asset_type);
        self.fleet.in_store(slice, compare).await
    }

    /// Reads for as long as the region answers; once more as anew, where the role's session has ended before its time.
    async fn read<T, R: Future<Output = Result<T, Failure>>>(
        &self,
        region: &str,
        action: &'static str,
        read: impl Fn() -> R,
    ) -> Result<T, Failure> {
        let began = Instant::now();
        match self.breaker.guard(region, action, read()).await {
            Err(failure)
                if failure.kind == FailureKind::Credentials && self.connection.renew(began).await =>
            {
                self.breaker.guard(region, action, read()).await
            }
            read => read,
        }
    }

    /// Waits until a slice may be read: of this account, then of all.
    async fn turn(&self) -> [Option<SemaphorePermit<'_>>; 2] {
        // Neither is ever closed.
        let own = self.gate.acquire().await.ok();
        [own, self.fleet.gate.acquire().await.ok()]
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

    async fn commit(
        &self,
        region: &str,
        asset_type: &str,
        action: &str,
        reading: Reading,
    ) -> Result<SliceReport, CollectError> {
        let key = SliceKey::new(&self.account.account_id, region, asset_type);
        self.fleet.commit(key, action, reading).await
    }

    fn note_missing_list(&self, listed: &Result<Vec<RegionStatus>, Failure>) -> Vec<String> {
        match listed {
            Ok(_) => Vec::new(),
            Err(failure) => vec![format!(
                "the regions of account {} are not known ({}): only {} was read; name others with `--regions`",
                self.account.account_id,
                failure.reason(api::REGIONS),
                self.regions.read.join(", ")
            )],
        }
    }
}

/// Says of regions that there are no more what becomes of what is known of them.
fn note_gone_regions(account_id: &str, gone: &[String]) -> Option<String> {
    (!gone.is_empty()).then(|| {
        format!(
            "AWS no longer names of account {account_id}: {}; what is known of them stays, and grows too old for checks",
            gone.join(", ")
        )
    })
}

/// What was read at once, as it waits for its commit.
fn packed(assets: &[Asset]) -> Result<Packed, Failure> {
    let mut packed = Packed::default();
    pages::pack(&mut packed, assets)?;
    Ok(packed)
}

/// The regions that slices of an account are in, sorted.
fn regions_of<'s>(slices: &'s BTreeSet<SliceKey>, account_id: &str) -> Vec<&'s str> {
    let own = slices.iter().filter(|slice| slice.account_id == account_id && slice.region != GLOBAL_REGION);
    own.map(|slice| slice.region.as_str()).collect::<BTreeSet<_>>().into_iter().collect()
}

fn name_of(account: &Account) -> Option<String> {
    account.name.clone().or_else(|| account.member.as_ref().and_then(|member| member.name.clone()))
}

/// The account itself, as its organisation sees it, or as its own credentials do; and the call that says so.
fn account_asset(fleet: &Fleet, account: &Account) -> (Asset, &'static str) {
    let partition = fleet.caller.partition.clone();
    match (&account.member, &account.role) {
        (Some(member), _) => (api::shape_member(member, &partition), api::ACCOUNTS),
        (None, role) => {
            let caller = Caller { account_id: account.account_id.clone(), partition };
            let action = if role.is_some() { role::ACTION } else { api::CALLER_IDENTITY };
            (api::shape_account(&caller, account.name.as_deref()), action)
        }
    }
}

/// An account that lets nobody in: every slice that it would have, in the regions where it was collected before, says
/// why it has no more than was known.
async fn give_up(fleet: &Fleet, account: &Account, closed: &Closed) -> Result<Gathered, CollectError> {
    let account_id = account.account_id.as_str();
    let mut regions: Vec<String> = account.regions.iter().cloned().collect();
    if regions.is_empty() {
        regions = fleet.likely_regions(account_id).await?;
    }
    let reason = closed.reason();
    // Whether credentials hold is not the question here: who takes the role on has been told who it is.
    let outcome = match closed.failure.outcome(false) {
        Outcome::Complete | Outcome::Disabled => Outcome::Failed,
        outcome => outcome,
    };
    let planned = RegionPlan { read: regions, ..RegionPlan::default() };
    let slices = fleet.scope.slices(account_id, &planned);
    fleet.plan(account_id, &[], slices.clone());
    let mut gathered = Gathered {
        account: AccountReport {
            account_id: account_id.to_owned(),
            name: name_of(account),
            ..AccountReport::default()
        },
        ..Gathered::default()
    };
    let [account_type, _] = api::account_wide();
    for key in slices {
        let (action, reading) = match &account.member {
            // The organisation still says what it is.
            Some(member) if key.asset_type == account_type.0 => {
                (api::ACCOUNTS, Ok(api::shape_member(member, &fleet.caller.partition)))
            }
            _ => (closed.action, Err((outcome, reason.clone()))),
        };
        let reading = reading
            .and_then(|asset| packed(&[asset]).map_err(|failure| (Outcome::Failed, failure.reason(action))));
        gathered.slices.push(fleet.commit(key, action, reading).await?);
    }
    Ok(gathered)
}
