//! What a collection is asked to do, and how patient it is with AWS.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Where the AWS configuration comes from.
#[derive(Clone, Debug)]
pub enum AwsConfig {
    /// As with the AWS CLI: environment, profile files, single sign-on, container and instance roles.
    /// `AWS_PROFILE`, `AWS_REGION` and `AWS_ENDPOINT_URL` hold.
    Ambient,
    /// A configuration made by the caller: credentials, region and endpoint are taken from it as they stand.
    Given(Box<aws_config::SdkConfig>),
}

/// What to collect, and how.
#[derive(Clone, Debug)]
pub struct CollectOptions {
    /// Credentials, region and endpoint.
    pub aws: AwsConfig,
    /// These accounts; with those of the organisation, if it is asked. Where neither is said, the caller's own.
    pub accounts: Vec<AccountOptions>,
    /// Which accounts of the caller's organisation, if it is to be asked for them.
    pub organization: Option<OrganizationOptions>,
    /// How roles in other accounts are taken on.
    pub role: RoleOptions,
    /// Only these regions; empty means every region that is enabled for the account.
    pub regions: BTreeSet<String>,
    /// Only these types (`Vpc`, `FlowLog`..); empty means all of them.
    pub only: BTreeSet<String>,
    /// Only these accounts of those that are known; empty means all of them.
    pub only_accounts: BTreeSet<String>,
    /// Only the slices behind these assets, by id or the cloud's own id; empty means all slices.
    pub assets: BTreeSet<String>,
    /// How many slices are read at the same time, at least 1.
    pub concurrency: usize,
    /// How many slices of one account are read at the same time, at least 1.
    pub account_concurrency: usize,
    /// How long to wait, and how often to try again.
    pub patience: Patience,
}

/// One account that is to be collected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountOptions {
    /// Twelve digits.
    pub account_id: String,
    /// What people call it, for where the organisation doesn't say.
    pub name: Option<String>,
    /// The role to take on in it, instead of the one of all accounts; see [`RoleOptions::role`].
    pub role: Option<String>,
    /// The external id its role asks for, instead of the one of all accounts.
    pub external_id: Option<String>,
    /// The profile of the AWS configuration that leads into it, or may take on its role; the role of all accounts is
    /// not taken on then.
    pub profile: Option<String>,
    /// Only these regions, instead of those of all accounts; empty means those.
    pub regions: BTreeSet<String>,
}

/// How roles in other accounts are taken on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleOptions {
    /// A name (with its path, as in `audit/Passmuster`), or a whole ARN with `{account}` and `{partition}` in it.
    pub role: Option<String>,
    /// What the roles' trust policies ask for, if they ask for one.
    pub external_id: Option<String>,
    /// What CloudTrail shows; `passmuster` unless it is said.
    pub session_name: Option<String>,
    /// How long a session lasts; as AWS has it (an hour) unless it is said.
    pub session_duration: Option<Duration>,
    /// Tags of the session.
    pub session_tags: BTreeMap<String, String>,
}

/// Which accounts of an organisation are collected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrganizationOptions {
    /// Accounts must meet every kind of condition that is given. Where no states are, they must be `ACTIVE`.
    pub include: AccountFilter,
    /// Accounts that meet any condition are left out.
    pub exclude: AccountFilter,
    /// Whether the tags of all accounts are read, a call each; those of a condition are anyway.
    pub read_tags: bool,
    /// The role that the organisation is listed with, where the caller itself may not; see [`RoleOptions::role`], a name
    /// being one in the caller's account.
    pub role: Option<String>,
    /// The external id that this role asks for, instead of the one of all roles.
    pub external_id: Option<String>,
}

/// Conditions on accounts, by kind; of each kind one must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// Their ids.
    pub accounts: BTreeSet<String>,
    /// Organisational units that they are in, at any depth: an id (`ou-..`, `r-..`) or a path of names below the root
    /// (`Workloads/Production`).
    pub units: BTreeSet<String>,
    /// Their states, such as `ACTIVE` or `SUSPENDED`.
    pub states: BTreeSet<String>,
    /// Their tags, as pairs of key and value.
    pub tags: BTreeSet<(String, String)>,
}

/// How long one call may take, and how often it is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Until a connection stands.
    pub connect_timeout: Duration,
    /// One attempt of one page.
    pub attempt_timeout: Duration,
    /// One page with all its attempts and the waits between them.
    pub operation_timeout: Duration,
    /// Attempts in all, at least 1.
    pub attempts: u32,
    /// The first wait, before jitter; it doubles with each attempt.
    pub initial_backoff: Duration,
    /// The longest wait, before jitter.
    pub max_backoff: Duration,
}

impl Default for CollectOptions {
    fn default() -> Self {
        Self {
            aws: AwsConfig::Ambient,
            accounts: Vec::new(),
            organization: None,
            role: RoleOptions::default(),
            regions: BTreeSet::new(),
            only: BTreeSet::new(),
            only_accounts: BTreeSet::new(),
            assets: BTreeSet::new(),
            concurrency: 32,
            account_concurrency: 16,
            patience: Patience::default(),
        }
    }
}

impl Default for Patience {
    /// 6 attempts wait 16 s on average between them: enough for AWS's buckets (100 calls, 20 more a second) to refill,
    /// short enough that a region which refuses for ever doesn't hold up the answer.
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            attempt_timeout: Duration::from_secs(20),
            operation_timeout: Duration::from_secs(120),
            attempts: 6,
            initial_backoff: Duration::from_secs(1),
            max_backoff: Duration::from_secs(20),
        }
    }
}
