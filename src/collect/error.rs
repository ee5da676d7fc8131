//! Why a collection could not begin, or had to stop. A slice that fails is no error of the collection.

use crate::{model::SliceKey, store::StoreError};

/// Why nothing (or nothing more) was collected.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// Neither the configuration nor the options name a region.
    #[error("no region is known: set `AWS_REGION`, or write `--regions eu-west-1`")]
    NoRegion,
    /// The AWS SDK found no credentials, or could not get them.
    #[error(
        "no usable AWS credentials ({reason}): set `AWS_PROFILE` or `AWS_ACCESS_KEY_ID`, or sign in with `aws sso login`"
    )]
    NoCredentials {
        /// The call that could not be signed.
        reason: String,
    },
    /// AWS does not say who the caller is, so there is no account to collect into.
    #[error("nothing was collected, AWS does not accept the caller: {reason}; {remedy}")]
    UnknownCaller {
        /// The call and its error, e.g. `sts:GetCallerIdentity: ExpiredToken`.
        reason: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// An account is named, and no role that could be taken on in it.
    #[error(
        "no role is known for account {account_id}, and the credentials belong to {caller}: write `role` into `[collect]` or into its `[[accounts]]`"
    )]
    NoRole {
        /// The account.
        account_id: String,
        /// The account of the credentials.
        caller: String,
    },
    /// The organisation's accounts can't be listed, so that nobody knows what to collect.
    #[error("nothing was collected, the organisation's accounts can't be listed: {reason}; {remedy}")]
    NoOrganization {
        /// The call and its error.
        reason: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// The conditions on accounts name an organisational unit that there isn't.
    #[error("the organisation has no unit `{given}`{}", did_you_mean(.nearest.as_deref()))]
    UnknownUnit {
        /// As written.
        given: String,
        /// The path that is most like it.
        nearest: Option<String>,
    },
    /// The conditions on the organisation's accounts leave none.
    #[error("no account of the organisation meets the conditions of `[organization]`: nothing was collected")]
    NoAccount,
    /// `--only` names a type this version doesn't collect.
    #[error("`{given}` is not a type that is collected{}: write one of {}", did_you_mean(.nearest.as_deref()), .known.join(", "))]
    UnknownType {
        /// What was written.
        given: String,
        /// The most similar type, if one is similar.
        nearest: Option<String>,
        /// All types, sorted.
        known: Vec<String>,
    },
    /// `--accounts` names an account that is neither configured nor one of the organisation's.
    #[error("account `{given}` is not among those that are collected{}: write it into `[[accounts]]`", did_you_mean(.nearest.as_deref()))]
    UnknownAccount {
        /// What was written.
        given: String,
        /// The most similar account, if one is similar.
        nearest: Option<String>,
    },
    /// `--assets` names an asset that the store doesn't have.
    #[error("the store has no asset `{given}`{}: `passmuster query` lists what it has, `passmuster collect` reads everything", did_you_mean(.nearest.as_deref()))]
    UnknownAsset {
        /// What was written.
        given: String,
        /// The most similar id, if one is similar.
        nearest: Option<String>,
    },
    /// The store could not be read.
    #[error("what was collected before can't be read")]
    Unreadable {
        /// What the store says.
        #[source]
        source: Box<StoreError>,
    },
    /// `--regions` names a region AWS doesn't know.
    #[error("AWS has no region `{given}`{}: `aws ec2 describe-regions --all-regions` lists them", did_you_mean(.nearest.as_deref()))]
    UnknownRegion {
        /// What was written.
        given: String,
        /// The most similar region, if one is similar.
        nearest: Option<String>,
    },
    /// A slice was read, and the store would not take it.
    #[error("slice `{slice}` could not be stored, the collection stopped: slices stored before it are safe")]
    Store {
        /// The slice.
        slice: SliceKey,
        /// What the store says.
        #[source]
        source: Box<StoreError>,
    },
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|nearest| format!(", did you mean `{nearest}`?")).unwrap_or_default()
}
