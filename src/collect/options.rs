//! What a collection is asked to do, and how patient it is with AWS.

use std::{collections::BTreeSet, time::Duration};

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
    /// Only these regions; empty means every region that is enabled for the account.
    pub regions: BTreeSet<String>,
    /// Only these types (`Vpc`, `FlowLog`..); empty means all of them.
    pub only: BTreeSet<String>,
    /// How many slices are read at the same time, at least 1.
    pub concurrency: usize,
    /// How long to wait, and how often to try again.
    pub patience: Patience,
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
            regions: BTreeSet::new(),
            only: BTreeSet::new(),
            concurrency: 16,
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
