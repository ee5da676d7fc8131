//! What a collection would do, and what AWS would have to allow for it: only who is calling, which accounts there are and
//! which regions they have is asked.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::Value;

use super::{
    accounts::Account,
    api::{self, ReferredApi},
    connect::Connection,
    enter::enter,
    error::CollectError,
    options::CollectOptions,
    permissions,
    plan::{self, RegionPlan},
    referred::Referred,
    role,
    run::{choose_accounts, refuse_caller},
    scope::Scope,
    shape::Origin,
};
use crate::{
    model::GLOBAL_REGION,
    store::{Store, StoreError},
};

/// What a collection would do.
#[derive(Clone, Debug, PartialEq)]
pub struct DryRun {
    /// The accounts, sorted by id.
    pub accounts: Vec<DryAccount>,
    /// The least policy that allows all of it, as IAM takes it; without what listing an organisation takes.
    pub policy: Value,
}

/// What a collection would call as one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DryAccount {
    /// Twelve digits.
    pub account_id: String,
    /// The regions that would be read, sorted.
    pub regions: Vec<String>,
    /// The calls, those of the whole account first, then by region.
    pub calls: Vec<DryCall>,
    /// Why its regions or anything of it is not known, where that is so.
    pub note: Option<String>,
}

/// A call that would be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DryCall {
    /// As a policy names it, e.g. `ec2:DescribeVpcs`.
    pub action: &'static str,
    /// The region that would be asked; `global` for what has none.
    pub region: String,
    /// How many calls it takes at least: one a page, and pages are not known before.
    pub at_least: usize,
}

impl DryAccount {
    /// How many calls there are at least.
    #[must_use]
    pub fn at_least(&self) -> usize {
        self.calls.iter().map(|call| call.at_least).sum()
    }
}

/// Finds out what [`collect`](super::collect) would do with the same options, and collects nothing.
///
/// # Errors
/// As a collection: nothing to collect with or from, or options that make no sense.
pub async fn dry_run(options: CollectOptions, store: Arc<Store>) -> Result<DryRun, CollectError> {
    plan::check_types(&options.only)?;
    let scope = Scope::read(&options, &store).await?;
    let home = Connection::open(&options).await?;
    let caller = api::identify(&home.sts()).await.map_err(|failure| refuse_caller(&failure))?;
    let (mut accounts, _) = Box::pin(choose_accounts(&options, &scope, &home, &caller)).await?;
    accounts.sort_by(|one, other| one.account_id.cmp(&other.account_id));
    let named = tokio::task::spawn_blocking(move || Referred::read(&store)).await;
    let named = named.unwrap_or_else(|broken_off| Err(StoreError::Closed { reason: broken_off.to_string() }));
    let referred = named.map_err(|source| CollectError::Unreadable { source: Box::new(source) })?;
    let mut planned = Vec::with_capacity(accounts.len());
    for account in &accounts {
        planned.push(Box::pin(plan_account(&scope, &home, &caller.partition, account, &referred)).await?);
    }
    let policy = permissions::least_policy(&permissions::needed_actions(&options.only));
    Ok(DryRun { accounts: planned, policy })
}

async fn plan_account(
    scope: &Scope,
    home: &Connection,
    partition: &str,
    account: &Account,
    referred: &Referred,
) -> Result<DryAccount, CollectError> {
    let mut planned = DryAccount {
        account_id: account.account_id.clone(),
        regions: Vec::new(),
        calls: Vec::new(),
        note: None,
    };
    let once = |action| DryCall { action, region: GLOBAL_REGION.to_owned(), at_least: 1 };
    planned.calls.push(once(if account.role.is_some() { role::ACTION } else { api::CALLER_IDENTITY }));
    let connection = match Box::pin(enter(home, account)).await {
        Ok(connection) => connection,
        Err(closed) => {
            planned.note = Some(closed.failure.reason(closed.action));
            return Ok(planned);
        }
    };
    planned.calls.push(once(api::REGIONS));
    let origin = Origin {
        partition: partition.to_owned(),
        caller: account.account_id.clone(),
        region: connection.home_region().to_owned(),
    };
    let mut regions = match Box::pin(api::list_regions(&connection, &origin)).await {
        Ok(known) => plan::plan_regions(&account.regions, &known)?,
        Err(failure) => {
            planned.note = Some(format!("its regions are not known ({})", failure.reason(api::REGIONS)));
            plan::plan_without_list(&account.regions, vec![connection.home_region().to_owned()])
        }
    };
    scope.narrow(&account.account_id, &mut regions);
    planned.calls.extend(calls(scope, &origin, &regions, referred));
    planned.regions = regions.read;
    Ok(planned)
}

/// The calls of both passes, the second by what the store knows flow logs to name.
fn calls(scope: &Scope, origin: &Origin, regions: &RegionPlan, referred: &Referred) -> Vec<DryCall> {
    let account_id = origin.caller.as_str();
    let named = |api: &dyn ReferredApi, region: &str| DryCall {
        action: api.action(),
        region: region.to_owned(),
        at_least: api.least_calls(&origin.within(region), referred),
    };
    let wanted: Vec<&dyn ReferredApi> = api::REFERRED.to_vec();
    let is_read = |api: &&&dyn ReferredApi, region: &str| {
        scope.selection().is_some() || scope.reads(account_id, region, api.asset_type())
    };
    let wide = wanted.iter().filter(|api| api.is_account_wide());
    let mut calls: Vec<DryCall> =
        wide.filter(|api| is_read(api, GLOBAL_REGION)).map(|api| named(*api, GLOBAL_REGION)).collect();
    for region in regions.read.iter().collect::<BTreeSet<_>>() {
        let lists = scope.lists(account_id, region).into_iter();
        calls.extend(lists.map(|api| DryCall { action: api.action(), region: region.clone(), at_least: 1 }));
        let regional = wanted.iter().filter(|api| !api.is_account_wide() && is_read(api, region));
        calls.extend(regional.map(|api| named(*api, region)));
    }
    calls.retain(|call| call.at_least > 0);
    calls
}
