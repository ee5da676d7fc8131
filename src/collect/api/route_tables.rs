//! `ec2:DescribeRouteTables`: pages of 100 at most.

use aws_sdk_ec2::{
    Client,
    types::{Route, RouteTable},
};
use serde_json::Value;

use super::{Ask, Items, RegionalList, SMALL_PAGE_SIZE};
use crate::{
    collect::{
        failure::Failure,
        shape::{Origin, Shape, object, required},
    },
    model::Asset,
};

/// Lists `RouteTable`.
#[derive(Debug)]
pub(crate) struct DescribeRouteTables;

impl RegionalList for DescribeRouteTables {
    const TYPE: &'static str = "RouteTable";
    const ACTION: &'static str = "ec2:DescribeRouteTables";
    const ID_FILTER: &'static str = "route-table-id";
    type Item = RouteTable;

    async fn page(client: &Client, ask: Ask) -> Result<Items<RouteTable>, Failure> {
        let answer = client
            .describe_route_tables()
            .max_results(SMALL_PAGE_SIZE)
            .set_filters(ask.filters)
            .set_next_token(ask.token)
            .send()
            .await?;
        Ok((answer.route_tables.unwrap_or_default(), answer.next_token))
    }

    fn shape(table: &RouteTable, origin: &Origin) -> Result<Asset, Failure> {
        let table_id = required(table.route_table_id(), "a route table without `routeTableId`")?;
        let owner = table.owner_id().unwrap_or(&origin.caller);
        let id = origin.ec2_arn(owner, &format!("route-table/{table_id}"));
        let is_main = table.associations().iter().any(|association| association.main() == Some(true));
        let subnets = table.associations().iter().filter_map(|association| association.subnet_id());
        Ok(Shape::new("RouteTable", id, table_id, owner, origin)
            .tags(table.tags())
            .text("routeTableId", Some(table_id))
            .text("ownerId", Some(owner))
            .text("vpcId", table.vpc_id())
            .flag("isMain", Some(is_main))
            .texts("subnetIds", subnets)
            .list("routes", routes(table))
            .build())
    }
}

fn routes(table: &RouteTable) -> Vec<Value> {
    let mut routes: Vec<_> = table.routes().iter().map(|route| (destination(route), route)).collect();
    routes.sort_by_key(|(destination, _)| *destination);
    routes
        .into_iter()
        .map(|(destination, route)| {
            object([
                ("destination", destination),
                ("gatewayId", gateway(route)),
                ("natGatewayId", route.nat_gateway_id()),
                ("transitGatewayId", route.transit_gateway_id()),
                ("vpcPeeringConnectionId", route.vpc_peering_connection_id()),
                ("networkInterfaceId", route.network_interface_id()),
                ("state", route.state().map(|state| state.as_str())),
            ])
        })
        .collect()
}

fn destination(route: &Route) -> Option<&str> {
    route
        .destination_cidr_block()
        .or(route.destination_ipv6_cidr_block())
        .or(route.destination_prefix_list_id())
}

fn gateway(route: &Route) -> Option<&str> {
    route.gateway_id().or(route.egress_only_internet_gateway_id()).or(route.carrier_gateway_id())
}
