//! `ec2:DescribeFlowLogs`: a flow log has no ARN, no owner and no resource type in the answer. The caller owns what it
//! can see; the type of what is logged follows from the prefix of its id.

use aws_sdk_ec2::{Client, types::FlowLog};

use super::{Ask, Items, PAGE_SIZE, RegionalList};
use crate::{
    collect::{
        failure::Failure,
        shape::{Origin, Shape, required},
    },
    model::Asset,
};

/// Lists `FlowLog`.
#[derive(Debug)]
pub(crate) struct DescribeFlowLogs;

/// Id prefixes and the type of asset they name, the longer of two that match first.
const RESOURCE_TYPES: [(&str, &str); 6] = [
    ("vpc-", "Vpc"),
    ("subnet-", "Subnet"),
    ("eni-", "NetworkInterface"),
    ("tgw-attach-", "TransitGatewayAttachment"),
    ("tgw-", "TransitGateway"),
    ("nat-", "NatGateway"),
];

impl RegionalList for DescribeFlowLogs {
    const TYPE: &'static str = "FlowLog";
    const ACTION: &'static str = "ec2:DescribeFlowLogs";
    const ID_FILTER: &'static str = "flow-log-id";
    type Item = FlowLog;

    async fn page(client: &Client, ask: Ask) -> Result<Items<FlowLog>, Failure> {
        let answer = client
            .describe_flow_logs()
            .max_results(PAGE_SIZE)
            .set_filter(ask.filters)
            .set_next_token(ask.token)
            .send()
            .await?;
        Ok((answer.flow_logs.unwrap_or_default(), answer.next_token))
    }

    fn shape(log: &FlowLog, origin: &Origin) -> Result<Asset, Failure> {
        let flow_log_id = required(log.flow_log_id(), "a flow log without `flowLogId`")?;
        let options = log.destination_options();
        let destination = log.log_destination().map(|arn| arn.strip_suffix(":*").unwrap_or(arn).to_owned());
        let id = origin.ec2_arn(&origin.caller, &format!("vpc-flow-log/{flow_log_id}"));
        Ok(Shape::new("FlowLog", id, flow_log_id, &origin.caller, origin)
            .tags(log.tags())
            .time("createdAt", log.creation_time())
            .text("flowLogId", Some(flow_log_id))
            .text("flowLogStatus", log.flow_log_status())
            .text("deliverLogsStatus", log.deliver_logs_status())
            .text("deliverLogsErrorMessage", log.deliver_logs_error_message())
            .text("deliverLogsPermissionArn", log.deliver_logs_permission_arn())
            .text("deliverCrossAccountRole", log.deliver_cross_account_role())
            .text("resourceId", log.resource_id())
            .text("resourceType", log.resource_id().and_then(resource_type))
            .text("trafficType", log.traffic_type().map(|traffic| traffic.as_str()))
            .text("logDestinationType", log.log_destination_type().map(|kind| kind.as_str()))
            .text("logDestination", destination.as_deref())
            .text("logGroupName", log_group_of(log, destination.as_deref(), origin))
            .text("bucketName", destination.as_deref().and_then(bucket_of))
            .text("logFormat", log.log_format())
            .number("maxAggregationInterval", log.max_aggregation_interval())
            .text(
                "fileFormat",
                options.and_then(|options| options.file_format()).map(|format| format.as_str()),
            )
            .flag(
                "hiveCompatiblePartitions",
                options.and_then(|options| options.hive_compatible_partitions()),
            )
            .flag("perHourPartition", options.and_then(|options| options.per_hour_partition()))
            .time("creationTime", log.creation_time())
            .build())
    }
}

fn resource_type(resource_id: &str) -> Option<&'static str> {
    RESOURCE_TYPES.iter().find(|(prefix, _)| resource_id.starts_with(prefix)).map(|(_, name)| *name)
}

/// The log group of the caller's own account. One of another account may have the same name, so it goes by its ARN.
fn log_group_of<'a>(log: &'a FlowLog, destination: Option<&str>, origin: &Origin) -> Option<&'a str> {
    let account = destination.filter(|arn| arn.starts_with("arn:")).and_then(|arn| arn.split(':').nth(4));
    let elsewhere = account.is_some_and(|account| account.len() == 12 && account != origin.caller);
    log.log_group_name().filter(|_| !elsewhere)
}

/// `arn:aws:s3:::central-logs/vpc/` names the bucket `central-logs`.
fn bucket_of(destination: &str) -> Option<&str> {
    let mut parts = destination.splitn(6, ':');
    let service = parts.nth(2)?;
    let path = parts.nth(2)?;
    path.split('/').next().filter(|name| service == "s3" && !name.is_empty())
}
