//! `s3:ListBuckets` says which of the buckets that flow logs name are the account's own; only of these the settings are
//! read. Of another account's bucket no more is known than its name, or that there is none.

use std::{collections::BTreeMap, future::Future};

use aws_sdk_s3::{
    Client,
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput,
    types::{ExpirationStatus, LifecycleRule, ReplicationRuleStatus},
};
use futures_util::future::BoxFuture;

use super::{Asked, ReferredApi};
use crate::{
    collect::{
        connect::Connection,
        failure::{Failure, FailureKind},
        pages::Tokens,
        referred::{Kind, Referred, Target},
        shape::{Origin, Shape, StubReason, stub},
    },
    model::{Asset, GLOBAL_REGION},
};

/// Reads `S3Bucket`.
#[derive(Debug)]
pub(crate) struct ListBuckets;

const PAGE_SIZE: i32 = 10_000;

/// What else is called for what is named.
const MORE_ACTIONS: [&str; 8] = [
    "s3:GetBucketNotification",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetReplicationConfiguration",
    "s3:ListBucket",
];

impl ReferredApi for ListBuckets {
    fn asset_type(&self) -> &'static str {
        "S3Bucket"
    }

    fn action(&self) -> &'static str {
        "s3:ListAllMyBuckets"
    }

    fn more_actions(&self) -> &'static [&'static str] {
        &MORE_ACTIONS
    }

    /// Which buckets are the account's own, each of which takes seven more, is what the one call says.
    fn least_calls(&self, _origin: &Origin, referred: &Referred) -> usize {
        usize::from(!referred.buckets().is_empty())
    }

    fn is_account_wide(&self) -> bool {
        true
    }

    fn read<'a>(&'a self, asked: Asked<'a>) -> BoxFuture<'a, Result<Vec<Asset>, Failure>> {
        Box::pin(async move {
            let Asked { connection, origin, referred } = asked;
            if referred.buckets().is_empty() {
                return Ok(Vec::new());
            }
            let client = connection.s3(&origin.caller, connection.home_region());
            let own = list(&client, connection.home_region()).await?;
            let mut assets = Vec::new();
            for (name, region) in own.iter().filter(|(name, _)| referred.buckets().contains(*name)) {
                let bucket = Bucket { connection, name, region, origin };
                assets.extend(Box::pin(bucket.read()).await?);
            }
            for target in referred.foreign_anywhere(Kind::Bucket, &origin.caller) {
                if !own.contains_key(&target.name) {
                    assets.extend(Box::pin(look_at(&client, target, origin)).await?);
                }
            }
            Ok(assets)
        })
    }
}

/// The account's own buckets and their regions.
async fn list(client: &Client, home_region: &str) -> Result<BTreeMap<String, String>, Failure> {
    let mut buckets = BTreeMap::new();
    let mut tokens = Tokens::default();
    let mut token = None;
    loop {
        let call = client.list_buckets().max_buckets(PAGE_SIZE).set_continuation_token(token);
        let answer = call.send().await?;
        for bucket in answer.buckets.unwrap_or_default() {
            let region = bucket.bucket_region.unwrap_or_else(|| home_region.to_owned());
            buckets.extend(bucket.name.map(|name| (name, region)));
        }
        token = tokens.next(answer.continuation_token)?;
        if token.is_none() {
            return Ok(buckets);
        }
    }
}

/// Another account's bucket: whether it is there is all that can be asked.
async fn look_at(client: &Client, target: &Target, origin: &Origin) -> Result<Option<Asset>, Failure> {
    let reason = match client.head_bucket().bucket(&target.name).send().await.map_err(Failure::from) {
        Ok(_) => StubReason::NotScanned,
        Err(failure) if failure.kind == FailureKind::NotFound => return Ok(None),
        Err(failure) if failure.kind == FailureKind::Denied => StubReason::Denied,
        // It is in another region, so it is there.
        Err(failure) if failure.code.as_deref().is_some_and(is_redirect) => StubReason::NotScanned,
        Err(failure) => return Err(failure.during("s3:ListBucket")),
    };
    let origin = origin.within(GLOBAL_REGION);
    let shape = stub("S3Bucket", target, &origin, reason).text("bucketName", Some(&target.name));
    Ok(Some(shape.unseen(&["createdAt", "bucketRegion"]).unseen(&SETTINGS).build()))
}

fn is_redirect(code: &str) -> bool {
    matches!(code, "HTTP 301" | "HTTP 307" | "PermanentRedirect" | "MovedPermanently")
}

/// The fields that take a call each.
const SETTINGS: [&str; 7] = [
    "versioningStatus",
    "publicAccessBlock",
    "minExpirationDays",
    "objectLockMode",
    "kmsKeyArn",
    "replicationTargets",
    "notificationTargets",
];

/// An own bucket whose settings are to be read, in its own region.
struct Bucket<'a> {
    connection: &'a Connection,
    name: &'a str,
    region: &'a str,
    origin: &'a Origin,
}

/// What one call says of a bucket.
enum Setting<T> {
    Is(T),
    IsNot,
    Unseen,
}

/// The bucket itself is gone.
struct Vanished;

impl Bucket<'_> {
    /// Nothing where the bucket vanishes between two calls.
    async fn read(&self) -> Result<Option<Asset>, Failure> {
        let origin = self.origin.within(self.region);
        let id = format!("arn:{}:s3:::{}", origin.partition, self.name);
        let shape = Shape::new("S3Bucket", id, self.name, &origin.caller, &origin)
            .text("name", Some(self.name))
            .unseen(&["tags", "createdAt"])
            .text("bucketName", Some(self.name))
            .text("bucketRegion", Some(self.region));
        let client = self.connection.s3(&origin.caller, self.region);
        let Some(shape) = self.protection(&client, shape).await? else { return Ok(None) };
        Ok(self.forwarding(&client, shape).await?.map(Shape::build))
    }

    async fn protection(&self, client: &Client, shape: Shape) -> Result<Option<Shape>, Failure> {
        let name = self.name;
        let call = client.get_bucket_versioning().bucket(name).send();
        let Ok(versioning) = ask("s3:GetBucketVersioning", call).await? else { return Ok(None) };
        let shape = shape.setting("versioningStatus", versioning, |answer, shape| {
            shape.text("versioningStatus", answer.status().map(|status| status.as_str()))
        });
        let call = client.get_public_access_block().bucket(name).send();
        let Ok(block) = ask("s3:GetBucketPublicAccessBlock", call).await? else { return Ok(None) };
        let block = match block {
            Setting::IsNot => Setting::Is(false),
            Setting::Unseen => Setting::Unseen,
            Setting::Is(answer) => {
                let block = answer.public_access_block_configuration();
                let all = block.map(|block| {
                    [
                        block.block_public_acls(),
                        block.ignore_public_acls(),
                        block.block_public_policy(),
                        block.restrict_public_buckets(),
                    ]
                });
                Setting::Is(all.is_some_and(|all| all.iter().all(|part| *part == Some(true))))
            }
        };
        let shape = shape.setting("publicAccessBlock", block, |blocked, shape| {
            shape.flag("publicAccessBlock", Some(*blocked))
        });
        let call = client.get_bucket_lifecycle_configuration().bucket(name).send();
        let Ok(lifecycle) = ask("s3:GetLifecycleConfiguration", call).await? else { return Ok(None) };
        let shape = shape.setting("minExpirationDays", lifecycle, |answer, shape| {
            shape.number("minExpirationDays", first_expiry(answer.rules()))
        });
        let call = client.get_object_lock_configuration().bucket(name).send();
        let Ok(lock) = ask("s3:GetBucketObjectLockConfiguration", call).await? else { return Ok(None) };
        let shape = shape.setting("objectLockMode", lock, |answer, shape| {
            let rule = answer.object_lock_configuration().and_then(|lock| lock.rule());
            let mode = rule.and_then(|rule| rule.default_retention()).and_then(|kept| kept.mode());
            shape.text("objectLockMode", mode.map(|mode| mode.as_str()))
        });
        Ok(Some(shape))
    }

    async fn forwarding(&self, client: &Client, shape: Shape) -> Result<Option<Shape>, Failure> {
        let name = self.name;
        let call = client.get_bucket_encryption().bucket(name).send();
        let Ok(encryption) = ask("s3:GetEncryptionConfiguration", call).await? else { return Ok(None) };
        let shape = shape.setting("kmsKeyArn", encryption, |answer, shape| {
            let rules = answer.server_side_encryption_configuration().map(|all| all.rules());
            let mut defaults =
                rules.into_iter().flatten().filter_map(|rule| rule.apply_server_side_encryption_by_default());
            shape.text("kmsKeyArn", defaults.find_map(|default| default.kms_master_key_id()))
        });
        let call = client.get_bucket_replication().bucket(name).send();
        let Ok(replication) = ask("s3:GetReplicationConfiguration", call).await? else { return Ok(None) };
        let shape = match replication {
            Setting::IsNot => shape.list("replicationTargets", Vec::new()),
            replication => shape.setting("replicationTargets", replication, |answer, shape| {
                let rules = answer.replication_configuration().map(|all| all.rules());
                let enabled = rules
                    .into_iter()
                    .flatten()
                    .filter(|rule| *rule.status() == ReplicationRuleStatus::Enabled);
                let targets = enabled.filter_map(|rule| rule.destination()).map(|to| to.bucket());
                shape.texts("replicationTargets", targets)
            }),
        };
        let call = client.get_bucket_notification_configuration().bucket(name).send();
        let Ok(notification) = ask("s3:GetBucketNotification", call).await? else { return Ok(None) };
        let shape = shape.setting("notificationTargets", notification, |answer, shape| {
            shape.texts("notificationTargets", told(answer))
        });
        Ok(Some(shape))
    }
}

impl Shape {
    /// Sets a field from what its call said; null where the setting was never made.
    fn setting<T>(self, field: &str, setting: Setting<T>, set: impl FnOnce(&T, Self) -> Self) -> Self {
        match setting {
            Setting::Is(answer) => set(&answer, self),
            Setting::IsNot => self,
            Setting::Unseen => self.unseen(&[field]),
        }
    }
}

async fn ask<T, E>(
    action: &'static str,
    call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
) -> Result<Result<Setting<T>, Vanished>, Failure>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match Box::pin(call).await.map_err(Failure::from) {
        Ok(answer) => Ok(Ok(Setting::Is(answer))),
        Err(failure) if failure.code.as_deref() == Some("NoSuchBucket") => Ok(Err(Vanished)),
        Err(failure) if failure.kind == FailureKind::NotFound => Ok(Ok(Setting::IsNot)),
        Err(failure) if failure.kind == FailureKind::Denied => Ok(Ok(Setting::Unseen)),
        Err(failure) => Err(failure.during(action)),
    }
}

/// The days after which the first object expires, by any rule that is switched on; a rule with a date has expired
/// some already, or will on one day.
fn first_expiry(rules: &[LifecycleRule]) -> Option<i32> {
    let enabled = rules.iter().filter(|rule| *rule.status() == ExpirationStatus::Enabled);
    let expirations = enabled.filter_map(|rule| rule.expiration());
    expirations.filter_map(|expiration| expiration.days().or(expiration.date().map(|_| 0))).min()
}

/// What is told of new objects.
fn told(answer: &GetBucketNotificationConfigurationOutput) -> impl Iterator<Item = &str> {
    let topics = answer.topic_configurations().iter().map(|topic| topic.topic_arn());
    let queues = answer.queue_configurations().iter().map(|queue| queue.queue_arn());
    let functions = answer.lambda_function_configurations().iter().map(|each| each.lambda_function_arn());
    let bridge = answer.event_bridge_configuration().map(|_| "eventbridge");
    topics.chain(queues).chain(functions).chain(bridge)
}
