//! `ec2:DescribeNetworkInterfaces`: an interface has no ARN in the answer; in a shared VPC its owner need not own the
//! subnet.

use aws_sdk_ec2::{Client, types::NetworkInterface};

use super::{Ask, Items, PAGE_SIZE, RegionalList};
use crate::{
    collect::{
        failure::Failure,
        shape::{Origin, Shape, required},
    },
    model::Asset,
};

/// Lists `NetworkInterface`.
#[derive(Debug)]
pub(crate) struct DescribeNetworkInterfaces;

impl RegionalList for DescribeNetworkInterfaces {
    const TYPE: &'static str = "NetworkInterface";
    const ACTION: &'static str = "ec2:DescribeNetworkInterfaces";
    const ID_FILTER: &'static str = "network-interface-id";
    type Item = NetworkInterface;

    async fn page(client: &Client, ask: Ask) -> Result<Items<NetworkInterface>, Failure> {
        let answer = client
            .describe_network_interfaces()
            .max_results(PAGE_SIZE)
            .set_filters(ask.filters)
            .set_next_token(ask.token)
            .send()
            .await?;
        Ok((answer.network_interfaces.unwrap_or_default(), answer.next_token))
    }

    fn shape(interface: &NetworkInterface, origin: &Origin) -> Result<Asset, Failure> {
        let interface_id =
            required(interface.network_interface_id(), "an interface without `networkInterfaceId`")?;
        let owner = interface.owner_id().unwrap_or(&origin.caller);
        let id = origin.ec2_arn(owner, &format!("network-interface/{interface_id}"));
        let groups = interface.groups().iter().filter_map(|group| group.group_id());
        Ok(Shape::new("NetworkInterface", id, interface_id, owner, origin)
            .tags(interface.tag_set())
            .text("networkInterfaceId", Some(interface_id))
            .text("ownerId", Some(owner))
            .text("interfaceType", interface.interface_type().map(|kind| kind.as_str()))
            .text("status", interface.status().map(|status| status.as_str()))
            .text("subnetId", interface.subnet_id())
            .text("vpcId", interface.vpc_id())
            .text("privateIpAddress", interface.private_ip_address())
            .text("publicIp", interface.association().and_then(|association| association.public_ip()))
            .texts("securityGroupIds", groups)
            .text("instanceId", interface.attachment().and_then(|attachment| attachment.instance_id()))
            .text("description", interface.description())
            .build())
    }
}
