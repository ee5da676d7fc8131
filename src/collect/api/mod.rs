//! The AWS APIs that are collected, one file each. To add one: a file with its list and its shape, and a line in
//! [`REGIONAL`]; for what is only read where a flow log names it, in [`REFERRED`].

mod caller_identity;
mod delivery_streams;
mod flow_logs;
mod iam_roles;
mod internet_gateways;
mod log_groups;
mod nat_gateways;
mod network_interfaces;
mod organization_accounts;
mod regions;
mod route_tables;
mod s3_buckets;
mod security_groups;
mod subnets;
mod subscription_filters;
mod transit_gateway_attachments;
mod transit_gateways;
mod vpc_peering_connections;
mod vpcs;

use std::future::Future;

use aws_sdk_ec2::{Client, types::Filter};
use futures_util::future::BoxFuture;

pub(crate) use caller_identity::{ACTION as CALLER_IDENTITY, Caller, identify, shape as shape_account};
pub(crate) use organization_accounts::{
    ACTION as ACCOUNTS, Member, Unit, is_unit, list as list_members, list_tags as list_member_tags,
    shape as shape_member, walk as walk_units,
};
pub(crate) use regions::{
    ACTION as REGIONS, NOT_OPTED_IN, RegionStatus, list as list_regions, list_these as list_these_regions,
};

use super::{connect::Connection, failure::Failure, pages::Page, referred::Referred, shape::Origin};
use crate::model::Asset;

/// What one page holds, and where the next one starts.
pub(crate) type Items<I> = (Vec<I>, Option<String>);

/// Which page of which list is wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ask {
    /// Where the page starts; nothing for the first.
    pub(crate) token: Option<String>,
    /// What the list is narrowed to; nothing for all there is. A filter that finds nothing gives an empty list, where
    /// an id that is not there would be an error.
    pub(crate) filters: Option<Vec<Filter>>,
}

/// An API of EC2 that lists one type of asset, region by region: what its file has to say.
pub(crate) trait RegionalList: Sync {
    /// The type it lists, e.g. `Vpc`.
    const TYPE: &'static str;
    /// The call as a policy names it, e.g. `ec2:DescribeVpcs`.
    const ACTION: &'static str;
    /// The filter that narrows the list to some native ids, e.g. `vpc-id`.
    const ID_FILTER: &'static str;
    /// What the SDK calls an item.
    type Item: Send + Sync;

    /// Reads one page.
    fn page(client: &Client, ask: Ask) -> impl Future<Output = Result<Items<Self::Item>, Failure>> + Send;

    /// Makes an asset of an item; fails where what an asset can't do without is missing.
    fn shape(item: &Self::Item, origin: &Origin) -> Result<Asset, Failure>;
}

/// The same for the registry: any such list.
pub(crate) trait RegionalApi: Sync {
    /// The type it lists, e.g. `Vpc`.
    fn asset_type(&self) -> &'static str;

    /// The call as a policy names it, e.g. `ec2:DescribeVpcs`.
    fn action(&self) -> &'static str;

    /// The filter that narrows the list to some native ids, e.g. `vpc-id`.
    fn id_filter(&self) -> &'static str;

    /// Reads and shapes one page.
    fn page<'a>(
        &'a self,
        client: &'a Client,
        origin: &'a Origin,
        ask: Ask,
    ) -> BoxFuture<'a, Result<Page, Failure>>;
}

impl<L: RegionalList> RegionalApi for L {
    fn asset_type(&self) -> &'static str {
        L::TYPE
    }

    fn action(&self) -> &'static str {
        L::ACTION
    }

    fn id_filter(&self) -> &'static str {
        L::ID_FILTER
    }

    fn page<'a>(
        &'a self,
        client: &'a Client,
        origin: &'a Origin,
        ask: Ask,
    ) -> BoxFuture<'a, Result<Page, Failure>> {
        Box::pin(async move {
            let (items, next_token) = <L as RegionalList>::page(client, ask).await?;
            let assets = items.iter().map(|item| L::shape(item, origin)).collect::<Result<_, _>>()?;
            Ok(Page { assets, next_token })
        })
    }
}

/// What an API of the second pass goes by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) connection: &'a Connection,
    /// The account that is asked, and the region (or the home region, for what has none).
    pub(crate) origin: &'a Origin,
    /// What flow logs name.
    pub(crate) referred: &'a Referred,
}

impl Asked<'_> {
    /// Waits until the account may make a call.
    async fn pace(&self, action: &'static str) {
        self.connection.pace(&self.origin.caller, &self.origin.region, action).await;
    }
}

/// An API that reads, of one type, what flow logs name. Its slice holds everything of the account (and region) that
/// any flow log names, and a stub of what the account's own flow logs name elsewhere; it is complete if each of these
/// was answered for, be it with "there is no such thing".
pub(crate) trait ReferredApi: Sync {
    /// The type it reads, e.g. `LogGroup`.
    fn asset_type(&self) -> &'static str;

    /// The call as a policy names it, e.g. `logs:DescribeLogGroups`; of several, the first.
    fn action(&self) -> &'static str;

    /// The other calls that a reading takes.
    fn more_actions(&self) -> &'static [&'static str] {
        &[]
    }

    /// How many calls a reading takes at least.
    fn least_calls(&self, origin: &Origin, referred: &Referred) -> usize;

    /// Whether one slice holds those of all regions.
    fn is_account_wide(&self) -> bool {
        false
    }

    /// Reads and shapes all of a slice, each asset once. Makes no call where nothing is named.
    fn read<'a>(&'a self, asked: Asked<'a>) -> BoxFuture<'a, Result<Vec<Asset>, Failure>>;

    /// Looks again for what a reading no longer had and an earlier one did. These APIs have no filter of the kind, so
    /// everything that is named is read once more.
    fn read_again<'a>(&'a self, asked: Asked<'a>) -> BoxFuture<'a, Result<Vec<Asset>, Failure>> {
        self.read(asked)
    }
}

/// Every API of the second pass.
pub(crate) const REFERRED: &[&dyn ReferredApi] = &[
    &log_groups::DescribeLogGroups,
    &subscription_filters::DescribeSubscriptionFilters,
    &s3_buckets::ListBuckets,
    &delivery_streams::DescribeDeliveryStream,
    &iam_roles::GetRole,
];

/// Every API that is read in each region, what decides most verdicts first.
pub(crate) const REGIONAL: &[&dyn RegionalApi] = &[
    &vpcs::DescribeVpcs,
    &flow_logs::DescribeFlowLogs,
    &subnets::DescribeSubnets,
    &network_interfaces::DescribeNetworkInterfaces,
    &route_tables::DescribeRouteTables,
    &internet_gateways::DescribeInternetGateways,
    &nat_gateways::DescribeNatGateways,
    &security_groups::DescribeSecurityGroups,
    &transit_gateways::DescribeTransitGateways,
    &transit_gateway_attachments::DescribeTransitGatewayAttachments,
    &vpc_peering_connections::DescribeVpcPeeringConnections,
];

/// The largest page most of these APIs give.
const PAGE_SIZE: i32 = 1000;

/// The largest page the others give.
const SMALL_PAGE_SIZE: i32 = 100;

/// The types that one call answers for the whole account, and that call.
pub(crate) fn account_wide() -> [(&'static str, &'static str); 2] {
    [("Account", CALLER_IDENTITY), ("Region", REGIONS)]
}
