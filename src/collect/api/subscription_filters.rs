//! `logs:DescribeSubscriptionFilters`, one log group a call, and `logs:DescribeAccountPolicies`: an account-wide policy
//! sends on the records of every log group but those it leaves out, so each group gets an asset of its own for it.

use std::collections::BTreeMap;

use aws_sdk_cloudwatchlogs::{
    Client,
    types::{AccountPolicy, PolicyType, SubscriptionFilter},
};
use futures_util::future::BoxFuture;
use serde_json::Value;

use super::{Asked, ReferredApi};
use crate::{
    collect::{
        failure::{Failure, FailureKind},
        pages::Tokens,
        referred::{Kind, Referred, Target},
        shape::{Origin, Shape, StubReason, required},
    },
    model::Asset,
};

/// Reads `SubscriptionFilter`.
#[derive(Debug)]
pub(crate) struct DescribeSubscriptionFilters;

const POLICIES: &str = "logs:DescribeAccountPolicies";

const FILTERS: &str = "logs:DescribeSubscriptionFilters";

impl ReferredApi for DescribeSubscriptionFilters {
    fn asset_type(&self) -> &'static str {
        "SubscriptionFilter"
    }

    fn action(&self) -> &'static str {
        FILTERS
    }

    fn more_actions(&self) -> &'static [&'static str] {
        &[POLICIES]
    }

    fn least_calls(&self, origin: &Origin, referred: &Referred) -> usize {
        let groups = referred.own(Kind::LogGroup, &origin.caller, &origin.region).len();
        if groups == 0 { 0 } else { groups + 1 }
    }

    fn read<'a>(&'a self, asked: Asked<'a>) -> BoxFuture<'a, Result<Vec<Asset>, Failure>> {
        Box::pin(async move {
            let Asked { connection, origin, referred } = asked;
            let groups = referred.own(Kind::LogGroup, &origin.caller, &origin.region);
            if groups.is_empty() {
                return Ok(Vec::new());
            }
            let client = connection.logs(&origin.caller, &origin.region);
            let policies = read_policies(&client, asked).await.map_err(|failure| failure.during(POLICIES))?;
            let mut assets = BTreeMap::new();
            for group in groups {
                // A group that isn't there has no filters, and no records that a policy could send on.
                let Some(filters) = read_filters(&client, &group.name, asked).await? else { continue };
                for filter in &filters {
                    let asset = shape_filter(filter, group, origin)?;
                    assets.insert(asset.id.clone(), asset);
                }
                for asset in policies.iter().filter_map(|policy| shape_policy(policy, group, origin)) {
                    assets.insert(asset.id.clone(), asset);
                }
            }
            Ok(assets.into_values().collect())
        })
    }
}

async fn read_filters(
    client: &Client,
    group: &str,
    asked: Asked<'_>,
) -> Result<Option<Vec<SubscriptionFilter>>, Failure> {
    let mut filters = Vec::new();
    let mut tokens = Tokens::default();
    let mut token = None;
    loop {
        asked.pace(FILTERS).await;
        let call = client.describe_subscription_filters().log_group_name(group).set_next_token(token);
        let answer = match call.send().await.map_err(Failure::from) {
            Err(failure) if failure.kind == FailureKind::NotFound => return Ok(None),
            answer => answer?,
        };
        filters.extend(answer.subscription_filters.unwrap_or_default());
        token = tokens.next(answer.next_token)?;
        if token.is_none() {
            return Ok(Some(filters));
        }
    }
}

async fn read_policies(client: &Client, asked: Asked<'_>) -> Result<Vec<AccountPolicy>, Failure> {
    let mut policies = Vec::new();
    let mut tokens = Tokens::default();
    let mut token = None;
    loop {
        asked.pace(POLICIES).await;
        let call = client.describe_account_policies().policy_type(PolicyType::SubscriptionFilterPolicy);
        let answer = call.set_next_token(token).send().await?;
        policies.extend(answer.account_policies.unwrap_or_default());
        token = tokens.next(answer.next_token)?;
        if token.is_none() {
            return Ok(policies);
        }
    }
}

fn shape_filter(filter: &SubscriptionFilter, group: &Target, origin: &Origin) -> Result<Asset, Failure> {
    let name = required(filter.filter_name(), "a subscription filter without `filterName`")?;
    let id = format!("{}#subscription-filter/{name}", group.arn);
    Ok(begin(id, name, "log-group", group, origin)
        .millis("createdAt", filter.creation_time())
        .text("filterPattern", filter.filter_pattern())
        .text("destinationArn", filter.destination_arn())
        .text("destinationKind", filter.destination_arn().and_then(service_of))
        .text("roleArn", filter.role_arn())
        .build())
}

/// The policy as it holds for one group; nothing where it leaves the group out.
fn shape_policy(policy: &AccountPolicy, group: &Target, origin: &Origin) -> Option<Asset> {
    let name = policy.policy_name().filter(|name| !name.is_empty())?;
    let id = format!("{}#account-policy/{name}", group.arn);
    let shape = begin(id, name, "account", group, origin);
    let document: Option<Value> = policy.policy_document().and_then(|text| serde_json::from_str(text).ok());
    let (Some(document), Some(leaves_out)) = (document, leaves_out(policy, &group.name)) else {
        let fields = ["filterPattern", "destinationArn", "destinationKind", "roleArn"];
        return Some(shape.stub_reason(StubReason::Unreadable).unseen(&fields).build());
    };
    let text = |key: &str| document.get(key).and_then(Value::as_str);
    let shape = shape
        .text("filterPattern", text("FilterPattern"))
        .text("destinationArn", text("DestinationArn"))
        .text("destinationKind", text("DestinationArn").and_then(service_of))
        .text("roleArn", text("RoleArn"));
    (!leaves_out).then(|| shape.build())
}

/// Whether the policy's criteria, `LogGroupName NOT IN ["one", "two"]`, leave a group out; nothing where they are of
/// another form.
fn leaves_out(policy: &AccountPolicy, group: &str) -> Option<bool> {
    let criteria = policy.selection_criteria().map(str::trim).filter(|criteria| !criteria.is_empty());
    let Some(criteria) = criteria else { return Some(false) };
    let (words, list) = criteria.split_at_checked(criteria.find('[')?)?;
    let words: Vec<&str> = words.split_ascii_whitespace().collect();
    if words != ["LogGroupName", "NOT", "IN"] {
        return None;
    }
    let names: Vec<String> = serde_json::from_str(list).ok()?;
    Some(names.iter().any(|name| name == group))
}

fn begin(id: String, name: &str, scope: &str, group: &Target, origin: &Origin) -> Shape {
    Shape::new("SubscriptionFilter", id, name, &origin.caller, origin)
        .text("name", Some(name))
        .list("tags", Vec::new())
        .text("filterName", Some(name))
        .text("logGroupArn", Some(&group.arn))
        .text("scope", Some(scope))
}

/// `arn:aws:firehose:..` is of `firehose`.
fn service_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(2)
}
