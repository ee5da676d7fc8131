//! `ec2:DescribeSubnets`: subnets bring their own ARN, which names the owner.

use aws_sdk_ec2::{Client, types::Subnet};

use super::{Ask, Items, PAGE_SIZE, RegionalList};
use crate::{
    collect::{
        failure::Failure,
        shape::{Origin, Shape, given_or, required},
    },
    model::Asset,
};

/// Lists `Subnet`.
#[derive(Debug)]
pub(crate) struct DescribeSubnets;

impl RegionalList for DescribeSubnets {
    const TYPE: &'static str = "Subnet";
    const ACTION: &'static str = "ec2:DescribeSubnets";
    const ID_FILTER: &'static str = "subnet-id";
    type Item = Subnet;

    async fn page(client: &Client, ask: Ask) -> Result<Items<Subnet>, Failure> {
        let answer = client
            .describe_subnets()
            .max_results(PAGE_SIZE)
            .set_filters(ask.filters)
            .set_next_token(ask.token)
            .send()
            .await?;
        Ok((answer.subnets.unwrap_or_default(), answer.next_token))
    }

    fn shape(subnet: &Subnet, origin: &Origin) -> Result<Asset, Failure> {
        let subnet_id = required(subnet.subnet_id(), "a subnet without `subnetId`")?;
        let owner = required(subnet.owner_id(), "a subnet without `ownerId`")?;
        let made = || origin.ec2_arn(owner, &format!("subnet/{subnet_id}"));
        let id = given_or(subnet.subnet_arn(), made);
        Ok(Shape::new("Subnet", id, subnet_id, owner, origin)
            .tags(subnet.tags())
            .text("subnetId", Some(subnet_id))
            .text("vpcId", subnet.vpc_id())
            .text("ownerId", Some(owner))
            .text("state", subnet.state().map(|state| state.as_str()))
            .text("cidrBlock", subnet.cidr_block())
            .text("availabilityZone", subnet.availability_zone())
            .flag("defaultForAz", subnet.default_for_az())
            .flag("mapPublicIpOnLaunch", subnet.map_public_ip_on_launch())
            .flag("isShared", origin.sees_as_participant(owner))
            .build())
    }
}
