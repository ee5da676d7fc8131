//! `ec2:DescribeTransitGatewayAttachments`: an attachment belongs to the owner of what is attached.

use aws_sdk_ec2::{Client, types::TransitGatewayAttachment};

use super::{Ask, Items, PAGE_SIZE, RegionalList};
use crate::{
    collect::{
        failure::Failure,
        shape::{Origin, Shape, required},
    },
    model::Asset,
};

/// Lists `TransitGatewayAttachment`.
#[derive(Debug)]
pub(crate) struct DescribeTransitGatewayAttachments;

impl RegionalList for DescribeTransitGatewayAttachments {
    const TYPE: &'static str = "TransitGatewayAttachment";
    const ACTION: &'static str = "ec2:DescribeTransitGatewayAttachments";
    const ID_FILTER: &'static str = "transit-gateway-attachment-id";
    type Item = TransitGatewayAttachment;

    async fn page(client: &Client, ask: Ask) -> Result<Items<TransitGatewayAttachment>, Failure> {
        let answer = client
            .describe_transit_gateway_attachments()
            .max_results(PAGE_SIZE)
            .set_filters(ask.filters)
            .set_next_token(ask.token)
            .send()
            .await?;
        Ok((answer.transit_gateway_attachments.unwrap_or_default(), answer.next_token))
    }

    fn shape(attachment: &TransitGatewayAttachment, origin: &Origin) -> Result<Asset, Failure> {
        let complaint = "an attachment without `transitGatewayAttachmentId`";
        let attachment_id = required(attachment.transit_gateway_attachment_id(), complaint)?;
        let owner = attachment.resource_owner_id().unwrap_or(&origin.caller);
        let id = origin.ec2_arn(owner, &format!("transit-gateway-attachment/{attachment_id}"));
        Ok(Shape::new("TransitGatewayAttachment", id, attachment_id, owner, origin)
            .tags(attachment.tags())
            .time("createdAt", attachment.creation_time())
            .text("transitGatewayAttachmentId", Some(attachment_id))
            .text("transitGatewayId", attachment.transit_gateway_id())
            .text("transitGatewayOwnerId", attachment.transit_gateway_owner_id())
            .text("state", attachment.state().map(|state| state.as_str()))
            .text("ownerId", Some(owner))
            .text("resourceType", attachment.resource_type().map(|kind| kind.as_str()))
            .text("resourceId", attachment.resource_id())
            .build())
    }
}
