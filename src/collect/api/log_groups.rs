//! `logs:DescribeLogGroups`: only the groups that flow logs name, 50 a call. A group that isn't there is no error: AWS
//! makes it when the first record comes.

use aws_sdk_cloudwatchlogs::{Client, types::LogGroup};
use futures_util::future::BoxFuture;

use super::{Asked, ReferredApi};
use crate::{
    collect::{
        failure::{Failure, FailureKind},
        pages::Tokens,
        referred::{Kind, Referred, Target, log_group_arn},
        shape::{Origin, Shape, StubReason, required, stub},
    },
    model::Asset,
};

/// Reads `LogGroup`.
#[derive(Debug)]
pub(crate) struct DescribeLogGroups;

/// How many names one call takes.
const NAMES: usize = 50;

const DESCRIBE: &str = "logs:DescribeLogGroups";

impl ReferredApi for DescribeLogGroups {
    fn asset_type(&self) -> &'static str {
        "LogGroup"
    }

    fn action(&self) -> &'static str {
        DESCRIBE
    }

    fn least_calls(&self, origin: &Origin, referred: &Referred) -> usize {
        referred.own(Kind::LogGroup, &origin.caller, &origin.region).len().div_ceil(NAMES)
    }

    fn read<'a>(&'a self, asked: Asked<'a>) -> BoxFuture<'a, Result<Vec<Asset>, Failure>> {
        Box::pin(async move {
            let Asked { connection, origin, referred } = asked;
            let own = referred.own(Kind::LogGroup, &origin.caller, &origin.region);
            let foreign = referred.foreign(Kind::LogGroup, &origin.caller, &origin.region);
            let mut assets: Vec<Asset> = foreign.into_iter().map(|target| stub_of(target, origin)).collect();
            if !own.is_empty() {
                let client = connection.logs(&origin.caller, &origin.region);
                assets.extend(describe(&client, &own, asked).await?);
            }
            Ok(assets)
        })
    }
}

/// Asks for many at once; where one that isn't there makes AWS refuse them all, for fewer.
async fn describe(client: &Client, own: &[&Target], asked: Asked<'_>) -> Result<Vec<Asset>, Failure> {
    let mut assets = Vec::new();
    let mut open: Vec<&[&Target]> = own.chunks(NAMES).collect();
    while let Some(batch) = open.pop() {
        match read_batch(client, batch, asked).await {
            Ok(groups) => {
                let named = |group: &&LogGroup| {
                    batch.iter().any(|target| group.log_group_name() == Some(target.name.as_str()))
                };
                let found = groups.iter().filter(named).map(|group| shape(group, asked.origin));
                assets.extend(found.collect::<Result<Vec<_>, _>>()?);
            }
            Err(failure) if failure.kind == FailureKind::NotFound => {
                if batch.len() > 1 {
                    let (first, second) = batch.split_at(batch.len() / 2);
                    open.extend([first, second]);
                }
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(assets)
}

async fn read_batch(client: &Client, batch: &[&Target], asked: Asked<'_>) -> Result<Vec<LogGroup>, Failure> {
    let names: Vec<String> = batch.iter().map(|target| target.name.clone()).collect();
    let mut groups = Vec::new();
    let mut tokens = Tokens::default();
    let mut token = None;
    loop {
        asked.pace(DESCRIBE).await;
        let call = client.describe_log_groups().set_log_group_identifiers(Some(names.clone()));
        let answer = call.set_next_token(token).send().await?;
        groups.extend(answer.log_groups.unwrap_or_default());
        token = tokens.next(answer.next_token)?;
        if token.is_none() {
            return Ok(groups);
        }
    }
}

fn shape(group: &LogGroup, origin: &Origin) -> Result<Asset, Failure> {
    let name = required(group.log_group_name(), "a log group without `logGroupName`")?;
    let id = log_group_arn(&origin.partition, &origin.region, &origin.caller, name);
    Ok(Shape::new("LogGroup", id, name, &origin.caller, origin)
        .text("name", Some(name))
        .unseen(&["tags"])
        .millis("createdAt", group.creation_time())
        .text("logGroupName", Some(name))
        .number("retentionInDays", group.retention_in_days())
        .long("storedBytes", group.stored_bytes())
        .text("kmsKeyId", group.kms_key_id())
        .text("logGroupClass", group.log_group_class().map(|class| class.as_str()))
        .millis("creationTime", group.creation_time())
        .build())
}

fn stub_of(target: &Target, origin: &Origin) -> Asset {
    stub("LogGroup", target, origin, StubReason::NotScanned)
        .text("logGroupName", Some(&target.name))
        .unseen(&["createdAt", "retentionInDays", "storedBytes", "kmsKeyId", "logGroupClass", "creationTime"])
        .build()
}
