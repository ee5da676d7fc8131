//! One collection from beginning to end: who asks, which accounts, all of them side by side, a summary.
//!
//! Dropping the future stops it between two awaits: slices committed so far stay, a commit under way ends whole.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{
    account_run::{AccountRun, Gathered},
    accounts::{self, Account},
    api::{self, Caller},
    connect::Connection,
    error::CollectError,
    failure::{Failure, FailureKind},
    fleet::Fleet,
    options::CollectOptions,
    organization::{self, Listing},
    plan,
    referred::Referred,
    report::{CollectReport, Event},
    scope::Scope,
};
use crate::{
    model::{Clock, GLOBAL_REGION, SliceKey},
    store::Store,
};

/// Collects the accounts that the options ask for: every slice is committed with its outcome as soon as it is ready.
///
/// # Errors
/// When there is nothing to collect with or from (no region, no credentials, a caller AWS doesn't know, an organisation
/// that can't be listed, options that make no sense), and when the store refuses a slice. A slice that could not be read
/// is no error, nor is an account that lets nobody in: the report says so.
pub async fn collect(
    options: CollectOptions,
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    on_event: Arc<dyn Fn(Event) + Send + Sync>,
) -> Result<CollectReport, CollectError> {
    plan::check_types(&options.only)?;
    let scope = Scope::read(&options, &store).await?;
    let home = Connection::open(&options).await?;
    let caller = api::identify(&home.sts()).await.map_err(|failure| refuse_caller(&failure))?;
    let (accounts, missing) = Box::pin(choose_accounts(&options, &scope, &home, &caller)).await?;
    let fleet = Fleet::new((options, scope), (home, caller), accounts.len(), (store, clock), on_event);
    let mut report = collect_accounts(&fleet, accounts).await?;
    if !missing.is_empty() {
        report.notes.push(format!("the organisation has no account {}", missing.join(", ")));
    }
    let is_whole = fleet.options.only_accounts.is_empty() && fleet.options.assets.is_empty();
    if fleet.options.organization.is_some() && is_whole {
        let left_out = accounts_left_out(&fleet, &report).await?;
        if !left_out.is_empty() {
            let accounts = left_out.into_iter().collect::<Vec<_>>().join(", ");
            report.notes.push(format!(
                "not collected any more: {accounts}; what is known of them stays, and grows too old for checks"
            ));
        }
    }
    Ok(report)
}

/// The accounts, and those that were asked for and are not in the organisation.
pub(crate) async fn choose_accounts(
    options: &CollectOptions,
    scope: &Scope,
    home: &Connection,
    caller: &Caller,
) -> Result<(Vec<Account>, Vec<String>), CollectError> {
    let Listing { members, missing } = match &options.organization {
        Some(asked) => {
            let lister = match accounts::listing_role(asked, caller, &options.role) {
                Some(role) => Box::pin(home.assume(&role))
                    .await
                    .map_err(|failure| organization::refuse_role(&failure))?,
                None => home.clone(),
            };
            Box::pin(organization::list(&lister.organizations(), asked)).await?
        }
        None => Listing::default(),
    };
    let mut accounts = accounts::choose((options, scope.accounts(options)), caller, members)?;
    scope.sort_accounts(&mut accounts);
    if accounts.is_empty() { Err(CollectError::NoAccount) } else { Ok((accounts, missing)) }
}

/// Both passes. The second begins when the first has ended for all accounts, since what one account's flow logs name
/// may be another's.
async fn collect_accounts(fleet: &Fleet, accounts: Vec<Account>) -> Result<CollectReport, CollectError> {
    let at_a_time = fleet.options.concurrency.max(1);
    let begun = stream::iter(accounts).map(|account| Box::pin(AccountRun::begin(fleet, account)));
    let begun: Vec<(Option<AccountRun<'_>>, Gathered)> =
        begun.buffer_unordered(at_a_time).try_collect().await?;
    let (mut runs, mut all) = (Vec::new(), Vec::new());
    for (run, gathered) in begun {
        runs.extend(run);
        all.push(gathered);
    }
    all.sort_by(|one, other| one.account.account_id.cmp(&other.account.account_id));
    let mut report = CollectReport::default();
    for gathered in all {
        report.accounts.push(gathered.account);
        report.notes.extend(gathered.notes);
        report.slices.extend(gathered.slices);
    }
    if !plan::wanted_referred(&fleet.options.only).is_empty() && !runs.is_empty() {
        let of = SliceKey::new(&fleet.caller.account_id, GLOBAL_REGION, "FlowLog");
        let referred = fleet.in_store(of.clone(), Referred::read).await?;
        let chosen = match fleet.scope.selection() {
            Some(selection) => {
                let told = selection.lists().len();
                let chosen = fleet.in_store(of, move |store| selection.named(store)).await?;
                fleet.plan_more(chosen.len().saturating_sub(told));
                Some(chosen)
            }
            None => None,
        };
        let named = stream::iter(&runs).map(|run| Box::pin(run.collect_referred(&referred, chosen.as_ref())));
        let mut named = named.buffer_unordered(at_a_time);
        while let Some(slices) = named.next().await {
            report.slices.extend(slices?);
        }
    }
    report.slices.sort_by(|one, other| one.key.cmp(&other.key));
    report.metered = fleet.home.metered();
    tracing::info!(calls = report.metered.values().sum::<u64>(), "calls that AWS counts, retries included");
    Ok(report)
}

/// The accounts of the store that were not asked for this time.
async fn accounts_left_out(fleet: &Fleet, report: &CollectReport) -> Result<BTreeSet<String>, CollectError> {
    let of = SliceKey::new(&fleet.caller.account_id, GLOBAL_REGION, "Account");
    let slices = fleet.in_store(of, Store::slices).await?;
    let known = slices.into_iter().map(|slice| slice.key.account_id);
    let is_asked = |id: &String| report.accounts.iter().any(|account| account.account_id == *id);
    Ok(known.filter(|id| !is_asked(id)).collect())
}

/// Why nothing can be collected as a caller whom AWS does not know.
pub(crate) fn refuse_caller(failure: &Failure) -> CollectError {
    let reason = failure.reason(api::CALLER_IDENTITY);
    let remedy = match failure.kind {
        FailureKind::NotSent => return CollectError::NoCredentials { reason },
        FailureKind::Credentials => "renew the credentials (`aws sso login`), then collect again",
        FailureKind::RegionOrCredentials => "check the access key and `AWS_REGION`",
        FailureKind::Denied => "allow the call (docs/aws-permissions.md)",
        FailureKind::Throttled => "collect again in a while",
        FailureKind::NotFound | FailureKind::TimedOut | FailureKind::GivenUp | FailureKind::Other => {
            "check the network, a proxy and `AWS_ENDPOINT_URL`"
        }
    };
    CollectError::UnknownCaller { reason, remedy }
}
