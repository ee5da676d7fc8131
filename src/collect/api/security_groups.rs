//! `ec2:DescribeSecurityGroups`: groups bring their own ARN, which names the owner.

use aws_sdk_ec2::{
    Client,
    types::{IpPermission, SecurityGroup},
};
use serde_json::{Value, json};

use super::{Ask, Items, PAGE_SIZE, RegionalList};
use crate::{
    collect::{
        failure::Failure,
        shape::{Origin, Shape, given_or, required, sorted},
    },
    model::Asset,
};

/// Lists `SecurityGroup`.
#[derive(Debug)]
pub(crate) struct DescribeSecurityGroups;

impl RegionalList for DescribeSecurityGroups {
    const TYPE: &'static str = "SecurityGroup";
    const ACTION: &'static str = "ec2:DescribeSecurityGroups";
    const ID_FILTER: &'static str = "group-id";
    type Item = SecurityGroup;

    async fn page(client: &Client, ask: Ask) -> Result<Items<SecurityGroup>, Failure> {
        let answer = client
            .describe_security_groups()
            .max_results(PAGE_SIZE)
            .set_filters(ask.filters)
            .set_next_token(ask.token)
            .send()
            .await?;
        Ok((answer.security_groups.unwrap_or_default(), answer.next_token))
    }

    fn shape(group: &SecurityGroup, origin: &Origin) -> Result<Asset, Failure> {
        let group_id = required(group.group_id(), "a security group without `groupId`")?;
        let owner = group.owner_id().unwrap_or(&origin.caller);
        let made = || origin.ec2_arn(owner, &format!("security-group/{group_id}"));
        let id = given_or(group.security_group_arn(), made);
        Ok(Shape::new("SecurityGroup", id, group_id, owner, origin)
            .tags(group.tags())
            .text("groupId", Some(group_id))
            .text("ownerId", Some(owner))
            .text("groupName", group.group_name())
            .text("description", group.description())
            .text("vpcId", group.vpc_id())
            .list("ingress", rules(group.ip_permissions()))
            .list("egress", rules(group.ip_permissions_egress()))
            .build())
    }
}

/// The rules in an order of their own: AWS gives them in any, and a list that only changes its order is no change.
fn rules(permissions: &[IpPermission]) -> Vec<Value> {
    let mut rules: Vec<Value> = permissions.iter().map(rule).collect();
    rules.sort_by_cached_key(Value::to_string);
    rules
}

fn rule(permission: &IpPermission) -> Value {
    let ipv4 = permission.ip_ranges().iter().filter_map(|range| range.cidr_ip());
    let ipv6 = permission.ipv6_ranges().iter().filter_map(|range| range.cidr_ipv6());
    let lists = permission.prefix_list_ids().iter().filter_map(|list| list.prefix_list_id());
    let groups = permission.user_id_group_pairs().iter().filter_map(|pair| pair.group_id());
    json!({
        "protocol": permission.ip_protocol(),
        "fromPort": permission.from_port(),
        "toPort": permission.to_port(),
        "cidrs": sorted(ipv4.chain(ipv6)),
        "prefixListIds": sorted(lists),
        "groupIds": sorted(groups),
    })
}
