//! Reads AWS accounts into the store: one file per AWS API under `api/`, each list -> shape -> put.
//!
//! Invariant: a slice is committed whole, with its outcome, as soon as it is ready; only a slice whose every page was
//! read is complete, and only a complete one may remove assets. Nothing here decides what an absence means.

mod account_run;
mod accounts;
mod api;
mod breaker;
mod budget;
mod confirm;
mod connect;
mod cut_short;
mod dry_run;
mod enter;
mod error;
mod failure;
mod fleet;
mod one_thread;
mod options;
mod organization;
mod pages;
mod permissions;
mod plan;
mod policy;
mod profile;
mod referred;
mod report;
mod retries;
mod role;
mod run;
mod scope;
mod select;
mod shape;

pub use budget::{Bucket, Quota, budget_of};
pub use dry_run::{DryAccount, DryCall, DryRun, dry_run};
pub use error::CollectError;
pub use options::{
    AccountFilter, AccountOptions, AwsConfig, CollectOptions, OrganizationOptions, Patience, RoleOptions,
};
pub use permissions::{least_policy, needed_actions};
pub use report::{AccountReport, CollectReport, Event, SliceReport};
pub use run::collect;

/// The types this version collects, sorted: what `--only` takes.
#[must_use]
pub fn collected_types() -> Vec<&'static str> {
    let mut types: Vec<&str> = api::account_wide().into_iter().map(|(asset_type, _)| asset_type).collect();
    types.extend(api::REGIONAL.iter().map(|api| api.asset_type()));
    types.extend(api::REFERRED.iter().map(|api| api.asset_type()));
    types.sort_unstable();
    types
}
