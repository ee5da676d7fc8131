//! `ec2:DescribeFlowLogs`: a flow log has no ARN, no owner and no resource type in the answer. The caller owns what it
//! can see; the type of what is logged follows from the prefix of its id.

use aws_sdk_ec2::types::FlowLog;
use futures_util::future::BoxFuture;

use super::{PAGE_SIZE, RegionalApi};
use crate::{
    collect::{
        failure::Failure,
        pages::Page,
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

impl RegionalApi for DescribeFlowLogs {
    fn asset_type(&self) -> &'static str {
        "FlowLog"
    }

    fn action(&self) -> &'static str {
        "ec2:DescribeFlowLogs"
    }

    fn page<'a>(
        &'a self,
        client: &'a aws_sdk_ec2::Client,
        origin: &'a Origin,
        token: Option<String>,
    ) -> BoxFuture<'a, Result<Page, Failure>> {
        Box::pin(async move {
            let call = client.describe_flow_logs().max_results(PAGE_SIZE).set_next_token(token);
            let answer = call.send().await.map_err(|error| Failure::of(&error))?;
            let assets = answer.flow_logs().iter().map(|log| shape(log, origin)).collect::<Result<_, _>>()?;
            Ok(Page { assets, next_token: answer.next_token().map(str::to_owned) })
        })
    }
}

fn shape(log: &FlowLog, origin: &Origin) -> Result<Asset, Failure> {
    let flow_log_id = required(log.flow_log_id(), "a flow log without `flowLogId`")?;
    let options = log.destination_options();
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
        .text("logDestination", log.log_destination())
        .text("logGroupName", log.log_group_name())
        .text("logFormat", log.log_format())
        .number("maxAggregationInterval", log.max_aggregation_interval())
        .text("fileFormat", options.and_then(|options| options.file_format()).map(|format| format.as_str()))
        .flag("hiveCompatiblePartitions", options.and_then(|options| options.hive_compatible_partitions()))
        .flag("perHourPartition", options.and_then(|options| options.per_hour_partition()))
        .time("creationTime", log.creation_time())
        .build())
}

fn resource_type(resource_id: &str) -> Option<&'static str> {
    RESOURCE_TYPES.iter().find(|(prefix, _)| resource_id.starts_with(prefix)).map(|(_, name)| *name)
}
