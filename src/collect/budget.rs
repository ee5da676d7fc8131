//! Half of what AWS allows: each API has a bucket of calls for each account and region, which refills while time goes by.
//! Other tools of the account need theirs, and who is throttled waits longer than who asks more slowly.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// How many calls may come at once, and how many more each second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quota {
    /// The most calls that come at once after a pause.
    pub burst: f64,
    /// Calls a second after that.
    pub per_second: f64,
}

/// What AWS allows of an API to one account in one region, as far as it says so; nothing for what it doesn't count, or
/// doesn't say.
fn allowed(action: &str) -> Option<Quota> {
    let (burst, per_second) = match action {
        "ec2:DescribeNetworkInterfaces" | "ec2:DescribeSecurityGroups" => (50.0, 10.0),
        "logs:DescribeLogGroups" => (10.0, 10.0),
        "logs:DescribeSubscriptionFilters" | "logs:DescribeAccountPolicies" => (5.0, 5.0),
        "firehose:DescribeDeliveryStream" => (5.0, 5.0),
        _ if action.starts_with("ec2:Describe") => (100.0, 20.0),
        _ => return None,
    };
    Some(Quota { burst, per_second })
}

/// The part of AWS's quotas that is used.
const SHARE: f64 = 0.5;

/// What is used of an API (`ec2:DescribeVpcs`) by one collection, of one account in one region; nothing where AWS says no
/// quota.
#[must_use]
pub fn budget_of(action: &str) -> Option<Quota> {
    let Quota { burst, per_second } = allowed(action)?;
    Some(Quota { burst: burst * SHARE, per_second: per_second * SHARE })
}

/// Calls that may be made, as a function of time. Moments are spans since some beginning of the caller's.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    quota: Quota,
    /// Below zero where calls have been promised that wait for their time.
    left: f64,
    at: Duration,
}

impl Bucket {
    /// A full one. A burst below one call is one call.
    #[must_use]
    pub fn full(quota: Quota, now: Duration) -> Self {
        let quota = Quota { burst: quota.burst.max(1.0), ..quota };
        Self { quota, left: quota.burst, at: now }
    }

    /// Takes a call out and says how long it has to wait: each waits for its own, in the order they came.
    pub fn take(&mut self, now: Duration) -> Duration {
        // A clock that goes back refills nothing.
        let passed = now.saturating_sub(self.at);
        self.at = self.at.max(now);
        self.left = passed.as_secs_f64().mul_add(self.quota.per_second, self.left).min(self.quota.burst);
        self.left -= 1.0;
        if self.left >= 0.0 {
            return Duration::ZERO;
        }
        Duration::try_from_secs_f64(-self.left / self.quota.per_second).unwrap_or(Duration::MAX)
    }
}

/// A bucket, and how many calls were taken out of it.
#[derive(Debug)]
struct Metered {
    bucket: Bucket,
    calls: u64,
}

/// The buckets of all accounts, regions and APIs of one collection.
#[derive(Debug)]
pub(crate) struct Budgets {
    began: Instant,
    buckets: Mutex<BTreeMap<(String, String, String), Metered>>,
}

impl Budgets {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), buckets: Mutex::default() }
    }

    /// Waits until an account may make a call in a region.
    pub(crate) async fn wait(&self, account_id: &str, region: &str, action: &str) {
        let wait = self.take(account_id, region, action);
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// Takes a call out of its bucket, if AWS counts it; says how long it has to wait.
    pub(crate) fn take(&self, account_id: &str, region: &str, action: &str) -> Duration {
        let Some(quota) = budget_of(action) else { return Duration::ZERO };
        let now = self.began.elapsed();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (account_id.to_owned(), region.to_owned(), action.to_owned());
        let metered =
            buckets.entry(key).or_insert_with(|| Metered { bucket: Bucket::full(quota, now), calls: 0 });
        metered.calls += 1;
        metered.bucket.take(now)
    }

    /// How many calls were taken out of the buckets of all accounts and regions so far, by API.
    pub(crate) fn metered(&self) -> BTreeMap<String, u64> {
        let buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut calls = BTreeMap::new();
        for ((_, _, action), metered) in buckets.iter() {
            *calls.entry(action.clone()).or_default() += metered.calls;
        }
        calls
    }
}
