//! Reads an AWS account into the store: one file per AWS API under `api/`, each list -> shape -> put.
//!
//! Invariant: a slice is committed whole, with its outcome, as soon as it is ready; only a slice whose every page was
//! read is complete, and only a complete one may remove assets. Nothing here decides what an absence means.

mod api;
mod confirm;
mod connect;
mod cut_short;
mod error;
mod failure;
mod options;
mod pages;
mod permissions;
mod plan;
mod policy;
mod referred;
mod report;
mod run;
mod select;
mod shape;

pub use error::CollectError;
pub use options::{AwsConfig, CollectOptions, Patience};
pub use permissions::{least_policy, needed_actions};
pub use report::{CollectReport, Event, SliceReport};
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
