//! `ec2:DescribeNatGateways`: neither an ARN nor an owner in the answer; the caller owns what it sees.

use aws_sdk_ec2::{Client, types::NatGateway};

use super::{Ask, Items, PAGE_SIZE, RegionalList};
use crate::{
    collect::{
        failure::Failure,
        shape::{Origin, Shape, required},
    },
    model::Asset,
};

/// Lists `NatGateway`.
#[derive(Debug)]
pub(crate) struct DescribeNatGateways;

impl RegionalList for DescribeNatGateways {
    const TYPE: &'static str = "NatGateway";
    const ACTION: &'static str = "ec2:DescribeNatGateways";
    const ID_FILTER: &'static str = "nat-gateway-id";
    type Item = NatGateway;

    async fn page(client: &Client, ask: Ask) -> Result<Items<NatGateway>, Failure> {
        let answer = client
            .describe_nat_gateways()
            .max_results(PAGE_SIZE)
            .set_filter(ask.filters)
            .set_next_token(ask.token)
            .send()
            .await?;
        Ok((answer.nat_gateways.unwrap_or_default(), answer.next_token))
    }

    fn shape(gateway: &NatGateway, origin: &Origin) -> Result<Asset, Failure> {
        let gateway_id = required(gateway.nat_gateway_id(), "a gateway without `natGatewayId`")?;
        // The only resource of EC2 whose ARN is written without a hyphen.
        let id = origin.ec2_arn(&origin.caller, &format!("natgateway/{gateway_id}"));
        let public = gateway.nat_gateway_addresses().iter().filter_map(|address| address.public_ip());
        Ok(Shape::new("NatGateway", id, gateway_id, &origin.caller, origin)
            .tags(gateway.tags())
            .time("createdAt", gateway.create_time())
            .text("natGatewayId", Some(gateway_id))
            .text("vpcId", gateway.vpc_id())
            .text("subnetId", gateway.subnet_id())
            .text("state", gateway.state().map(|state| state.as_str()))
            .text("connectivityType", gateway.connectivity_type().map(|kind| kind.as_str()))
            .texts("publicIps", public)
            .build())
    }
}
