//! `ec2:DescribeInternetGateways`: a gateway has no ARN in the answer; its owner is named.

use aws_sdk_ec2::{Client, types::InternetGateway};

use super::{Ask, Items, PAGE_SIZE, RegionalList};
use crate::{
    collect::{
        failure::Failure,
        shape::{Origin, Shape, required},
    },
    model::Asset,
};

/// Lists `InternetGateway`.
#[derive(Debug)]
pub(crate) struct DescribeInternetGateways;

impl RegionalList for DescribeInternetGateways {
    const TYPE: &'static str = "InternetGateway";
    const ACTION: &'static str = "ec2:DescribeInternetGateways";
    const ID_FILTER: &'static str = "internet-gateway-id";
    type Item = InternetGateway;

    async fn page(client: &Client, ask: Ask) -> Result<Items<InternetGateway>, Failure> {
        let answer = client
            .describe_internet_gateways()
            .max_results(PAGE_SIZE)
            .set_filters(ask.filters)
            .set_next_token(ask.token)
            .send()
            .await?;
        Ok((answer.internet_gateways.unwrap_or_default(), answer.next_token))
    }

    fn shape(gateway: &InternetGateway, origin: &Origin) -> Result<Asset, Failure> {
        let gateway_id = required(gateway.internet_gateway_id(), "a gateway without `internetGatewayId`")?;
        let owner = gateway.owner_id().unwrap_or(&origin.caller);
        let id = origin.ec2_arn(owner, &format!("internet-gateway/{gateway_id}"));
        let attached = gateway.attachments().iter().filter_map(|attachment| attachment.vpc_id());
        Ok(Shape::new("InternetGateway", id, gateway_id, owner, origin)
            .tags(gateway.tags())
            .text("internetGatewayId", Some(gateway_id))
            .text("ownerId", Some(owner))
            .texts("attachedVpcIds", attached)
            .build())
    }
}
