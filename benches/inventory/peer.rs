//! What a user would write instead: async-graphql's derived resolvers over `Vec<struct>`, with a hand-written filter
//! and indexes by id and by the VPC a flow log names.

use std::collections::HashMap;

use async_graphql::{Context, EmptyMutation, EmptySubscription, Object, Schema, SimpleObject};
use passmuster::model::Asset;

use crate::generator::text;

#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
struct Vpc {
    id: String,
    vpc_id: String,
    account_id: Option<String>,
    region: Option<String>,
    name: Option<String>,
    cidr_block: Option<String>,
    state: Option<String>,
    is_default: Option<bool>,
}

#[derive(Clone, Debug, SimpleObject)]
struct FlowLog {
    id: String,
    flow_log_id: Option<String>,
    flow_log_status: Option<String>,
    traffic_type: Option<String>,
}

#[derive(Clone, Debug, SimpleObject)]
struct Subnet {
    id: String,
    subnet_id: Option<String>,
    cidr_block: Option<String>,
}

#[derive(Debug, Default)]
pub struct Inventory {
    vpcs: Vec<Vpc>,
    by_id: HashMap<String, usize>,
    flow_logs: HashMap<String, Vec<FlowLog>>,
    subnets: HashMap<String, Vec<Subnet>>,
}

impl Inventory {
    pub fn new(assets: &[Asset]) -> Self {
        let mut inventory = Self::default();
        for asset in assets {
            match asset.typename.as_str() {
                "Vpc" => {
                    inventory.by_id.insert(asset.id.clone(), inventory.vpcs.len());
                    inventory.vpcs.push(Vpc {
                        id: asset.id.clone(),
                        vpc_id: text(asset, "vpcId").unwrap_or_default(),
                        account_id: text(asset, "accountId"),
                        region: text(asset, "region"),
                        name: text(asset, "name"),
                        cidr_block: text(asset, "cidrBlock"),
                        state: text(asset, "state"),
                        is_default: asset.fields.get("isDefault").and_then(|value| value.as_bool()),
                    });
                }
                "FlowLog" => {
                    let vpc = text(asset, "resourceId").unwrap_or_default();
                    inventory.flow_logs.entry(vpc).or_default().push(FlowLog {
                        id: asset.id.clone(),
                        flow_log_id: text(asset, "flowLogId"),
                        flow_log_status: text(asset, "flowLogStatus"),
                        traffic_type: text(asset, "trafficType"),
                    });
                }
                "Subnet" => {
                    let vpc = text(asset, "vpcId").unwrap_or_default();
                    inventory.subnets.entry(vpc).or_default().push(Subnet {
                        id: asset.id.clone(),
                        subnet_id: text(asset, "subnetId"),
                        cidr_block: text(asset, "cidrBlock"),
                    });
                }
                _ => {}
            }
        }
        inventory
    }
}

#[async_graphql::ComplexObject]
impl Vpc {
    async fn has_flow_log<'a>(&self, context: &Context<'a>) -> &'a [FlowLog] {
        let inventory: &Inventory = context.data_unchecked();
        inventory.flow_logs.get(&self.vpc_id).map_or(&[], Vec::as_slice)
    }

    async fn subnets<'a>(&self, context: &Context<'a>) -> &'a [Subnet] {
        let inventory: &Inventory = context.data_unchecked();
        inventory.subnets.get(&self.vpc_id).map_or(&[], Vec::as_slice)
    }
}

pub struct Query;

#[Object]
impl Query {
    /// The seed check, its filter written by hand.
    async fn vpcs_without_active_flow_log<'a>(&self, context: &Context<'a>) -> Vec<&'a Vpc> {
        let inventory: &Inventory = context.data_unchecked();
        let is_active = |log: &FlowLog| log.flow_log_status.as_deref() == Some("ACTIVE");
        inventory
            .vpcs
            .iter()
            .filter(|vpc| {
                !inventory.flow_logs.get(&vpc.vpc_id).is_some_and(|logs| logs.iter().any(is_active))
            })
            .collect()
    }

    /// One VPC by its id.
    async fn vpc<'a>(&self, context: &Context<'a>, id: String) -> Option<&'a Vpc> {
        let inventory: &Inventory = context.data_unchecked();
        inventory.by_id.get(&id).map(|index| &inventory.vpcs[*index])
    }
}

pub type PeerSchema = Schema<Query, EmptyMutation, EmptySubscription>;

pub fn schema(assets: &[Asset]) -> PeerSchema {
    Schema::build(Query, EmptyMutation, EmptySubscription).data(Inventory::new(assets)).finish()
}
