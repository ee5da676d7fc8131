//! `ec2:DescribeVpcs`: a VPC has neither an ARN nor a region in the answer. Its ARN takes the owner, so that a shared
//! VPC is one asset whoever sees it.

use aws_sdk_ec2::{
    Client,
    types::{Vpc, VpcCidrBlockState},
};
use serde_json::Value;

use super::{Ask, Items, PAGE_SIZE, RegionalList};
use crate::{
    collect::{
        failure::Failure,
        shape::{Origin, Shape, object, required},
    },
    model::Asset,
};

/// Lists `Vpc`.
#[derive(Debug)]
pub(crate) struct DescribeVpcs;

impl RegionalList for DescribeVpcs {
    const TYPE: &'static str = "Vpc";
    const ACTION: &'static str = "ec2:DescribeVpcs";
    const ID_FILTER: &'static str = "vpc-id";
    type Item = Vpc;

    async fn page(client: &Client, ask: Ask) -> Result<Items<Vpc>, Failure> {
        let answer = client
            .describe_vpcs()
            .max_results(PAGE_SIZE)
            .set_filters(ask.filters)
            .set_next_token(ask.token)
            .send()
            .await?;
        Ok((answer.vpcs.unwrap_or_default(), answer.next_token))
    }

    fn shape(vpc: &Vpc, origin: &Origin) -> Result<Asset, Failure> {
        let vpc_id = required(vpc.vpc_id(), "a VPC without `vpcId`")?;
        let owner = required(vpc.owner_id(), "a VPC without `ownerId`")?;
        let block_mode =
            vpc.block_public_access_states().and_then(|states| states.internet_gateway_block_mode());
        let id = origin.ec2_arn(owner, &format!("vpc/{vpc_id}"));
        Ok(Shape::new("Vpc", id, vpc_id, owner, origin)
            .tags(vpc.tags())
            .text("vpcId", Some(vpc_id))
            .text("ownerId", Some(owner))
            .text("state", vpc.state().map(|state| state.as_str()))
            .text("cidrBlock", vpc.cidr_block())
            .list("cidrBlockAssociations", ipv4_blocks(vpc))
            .list("ipv6CidrBlockAssociations", ipv6_blocks(vpc))
            .flag("isDefault", vpc.is_default())
            .text("instanceTenancy", vpc.instance_tenancy().map(|tenancy| tenancy.as_str()))
            .text("dhcpOptionsId", vpc.dhcp_options_id())
            .text("internetGatewayBlockMode", block_mode.map(|mode| mode.as_str()))
            .flag("isShared", origin.sees_as_participant(owner))
            .build())
    }
}

fn ipv4_blocks(vpc: &Vpc) -> Vec<Value> {
    let mut blocks: Vec<_> = vpc.cidr_block_association_set().iter().collect();
    blocks.sort_by_key(|block| block.association_id());
    let block = |id, cidr, state| association(id, cidr, state);
    blocks
        .into_iter()
        .map(|found| block(found.association_id(), found.cidr_block(), found.cidr_block_state()))
        .collect()
}

fn ipv6_blocks(vpc: &Vpc) -> Vec<Value> {
    let mut blocks: Vec<_> = vpc.ipv6_cidr_block_association_set().iter().collect();
    blocks.sort_by_key(|block| block.association_id());
    blocks
        .into_iter()
        .map(|found| {
            association(found.association_id(), found.ipv6_cidr_block(), found.ipv6_cidr_block_state())
        })
        .collect()
}

fn association(id: Option<&str>, cidr: Option<&str>, state: Option<&VpcCidrBlockState>) -> Value {
    let state = state.and_then(VpcCidrBlockState::state).map(|state| state.as_str());
    object([("associationId", id), ("cidrBlock", cidr), ("state", state)])
}
