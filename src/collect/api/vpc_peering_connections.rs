//! `ec2:DescribeVpcPeeringConnections`: both ends see a connection, in two accounts and two regions perhaps; it is one
//! asset, of the end that asked for it.

use aws_sdk_ec2::{Client, types::VpcPeeringConnection};

use super::{Ask, Items, PAGE_SIZE, RegionalList};
use crate::{
    collect::{
        failure::Failure,
        shape::{Origin, Shape, required},
    },
    model::Asset,
};

/// Lists `VpcPeeringConnection`.
#[derive(Debug)]
pub(crate) struct DescribeVpcPeeringConnections;

impl RegionalList for DescribeVpcPeeringConnections {
    const TYPE: &'static str = "VpcPeeringConnection";
    const ACTION: &'static str = "ec2:DescribeVpcPeeringConnections";
    const ID_FILTER: &'static str = "vpc-peering-connection-id";
    type Item = VpcPeeringConnection;

    async fn page(client: &Client, ask: Ask) -> Result<Items<VpcPeeringConnection>, Failure> {
        let answer = client
            .describe_vpc_peering_connections()
            .max_results(PAGE_SIZE)
            .set_filters(ask.filters)
            .set_next_token(ask.token)
            .send()
            .await?;
        Ok((answer.vpc_peering_connections.unwrap_or_default(), answer.next_token))
    }

    fn shape(peering: &VpcPeeringConnection, origin: &Origin) -> Result<Asset, Failure> {
        let complaint = "a peering connection without `vpcPeeringConnectionId`";
        let peering_id = required(peering.vpc_peering_connection_id(), complaint)?;
        let (requester, accepter) = (peering.requester_vpc_info(), peering.accepter_vpc_info());
        let owner = requester.and_then(|end| end.owner_id()).unwrap_or(&origin.caller);
        let home = origin.within(requester.and_then(|end| end.region()).unwrap_or(&origin.region));
        let id = home.ec2_arn(owner, &format!("vpc-peering-connection/{peering_id}"));
        let status = peering.status().and_then(|status| status.code());
        Ok(Shape::new("VpcPeeringConnection", id, peering_id, owner, &home)
            .tags(peering.tags())
            .text("vpcPeeringConnectionId", Some(peering_id))
            .text("status", status.map(|status| status.as_str()))
            .text("requesterVpcId", requester.and_then(|end| end.vpc_id()))
            .text("requesterOwnerId", requester.and_then(|end| end.owner_id()))
            .text("requesterRegion", requester.and_then(|end| end.region()))
            .text("accepterVpcId", accepter.and_then(|end| end.vpc_id()))
            .text("accepterOwnerId", accepter.and_then(|end| end.owner_id()))
            .text("accepterRegion", accepter.and_then(|end| end.region()))
            .build())
    }
}
