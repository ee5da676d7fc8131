//! `ec2:DescribeTransitGateways`: gateways bring their own ARN, which names the owner; participants see them too.

use aws_sdk_ec2::{Client, types::TransitGateway};

use super::{Ask, Items, PAGE_SIZE, RegionalList};
use crate::{
    collect::{
        failure::Failure,
        shape::{Origin, Shape, given_or, required},
    },
    model::Asset,
};

/// Lists `TransitGateway`.
#[derive(Debug)]
pub(crate) struct DescribeTransitGateways;

impl RegionalList for DescribeTransitGateways {
    const TYPE: &'static str = "TransitGateway";
    const ACTION: &'static str = "ec2:DescribeTransitGateways";
    const ID_FILTER: &'static str = "transit-gateway-id";
    type Item = TransitGateway;

    async fn page(client: &Client, ask: Ask) -> Result<Items<TransitGateway>, Failure> {
        let answer = client
            .describe_transit_gateways()
            .max_results(PAGE_SIZE)
            .set_filters(ask.filters)
            .set_next_token(ask.token)
            .send()
            .await?;
        Ok((answer.transit_gateways.unwrap_or_default(), answer.next_token))
    }

    fn shape(gateway: &TransitGateway, origin: &Origin) -> Result<Asset, Failure> {
        let gateway_id = required(gateway.transit_gateway_id(), "a gateway without `transitGatewayId`")?;
        let owner = required(gateway.owner_id(), "a transit gateway without `ownerId`")?;
        let made = || origin.ec2_arn(owner, &format!("transit-gateway/{gateway_id}"));
        let id = given_or(gateway.transit_gateway_arn(), made);
        Ok(Shape::new("TransitGateway", id, gateway_id, owner, origin)
            .tags(gateway.tags())
            .time("createdAt", gateway.creation_time())
            .text("transitGatewayId", Some(gateway_id))
            .text("ownerId", Some(owner))
            .text("state", gateway.state().map(|state| state.as_str()))
            .text("description", gateway.description())
            .build())
    }
}
