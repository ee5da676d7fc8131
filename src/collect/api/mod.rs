//! The AWS APIs that are collected, one file each. To add one: a file with its list and its shape, and a line in
//! [`REGIONAL`].

mod caller_identity;
mod flow_logs;
mod regions;
mod subnets;
mod vpcs;

use futures_util::future::BoxFuture;

pub(crate) use caller_identity::{ACTION as CALLER_IDENTITY, Caller, identify, shape as shape_account};
pub(crate) use regions::{ACTION as REGIONS, NOT_OPTED_IN, RegionStatus, list as list_regions};

use super::{failure::Failure, pages::Page, shape::Origin};

/// An API that lists one type of asset, region by region.
pub(crate) trait RegionalApi: Sync {
    /// The type it lists, e.g. `Vpc`.
    fn asset_type(&self) -> &'static str;

    /// The call as a policy names it, e.g. `ec2:DescribeVpcs`.
    fn action(&self) -> &'static str;

    /// Reads and shapes one page.
    fn page<'a>(
        &'a self,
        client: &'a aws_sdk_ec2::Client,
        origin: &'a Origin,
        token: Option<String>,
    ) -> BoxFuture<'a, Result<Page, Failure>>;
}

/// Every API that is read in each region.
pub(crate) const REGIONAL: &[&dyn RegionalApi] =
    &[&vpcs::DescribeVpcs, &flow_logs::DescribeFlowLogs, &subnets::DescribeSubnets];

/// The largest page these APIs give.
const PAGE_SIZE: i32 = 1000;

/// The types that one call answers for the whole account, and that call.
pub(crate) fn account_wide() -> [(&'static str, &'static str); 2] {
    [("Account", CALLER_IDENTITY), ("Region", REGIONS)]
}
