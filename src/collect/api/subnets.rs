//! `ec2:DescribeSubnets`: subnets bring their own ARN, which names the owner.

use aws_sdk_ec2::types::Subnet;
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

/// Lists `Subnet`.
#[derive(Debug)]
pub(crate) struct DescribeSubnets;

impl RegionalApi for DescribeSubnets {
    fn asset_type(&self) -> &'static str {
        "Subnet"
    }

    fn action(&self) -> &'static str {
        "ec2:DescribeSubnets"
    }

    fn page<'a>(
        &'a self,
        client: &'a aws_sdk_ec2::Client,
        origin: &'a Origin,
        token: Option<String>,
    ) -> BoxFuture<'a, Result<Page, Failure>> {
        Box::pin(async move {
            let call = client.describe_subnets().max_results(PAGE_SIZE).set_next_token(token);
            let answer = call.send().await.map_err(|error| Failure::of(&error))?;
            let assets =
                answer.subnets().iter().map(|subnet| shape(subnet, origin)).collect::<Result<_, _>>()?;
            Ok(Page { assets, next_token: answer.next_token().map(str::to_owned) })
        })
    }
}

fn shape(subnet: &Subnet, origin: &Origin) -> Result<Asset, Failure> {
    let subnet_id = required(subnet.subnet_id(), "a subnet without `subnetId`")?;
    let owner = required(subnet.owner_id(), "a subnet without `ownerId`")?;
    let id = match subnet.subnet_arn() {
        Some(arn) if !arn.is_empty() => arn.to_owned(),
        _ => origin.ec2_arn(owner, &format!("subnet/{subnet_id}")),
    };
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
        .build())
}
