//! `ec2:DescribeRegions`: every region of the partition, and whether the account may use it.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::Filter;

use crate::{
    collect::{
        connect::Connection,
        failure::Failure,
        shape::{Origin, Shape, required},
    },
    model::Asset,
};

/// The call as a policy names it.
pub(crate) const ACTION: &str = "ec2:DescribeRegions";

/// The status of a region the account can't use.
pub(crate) const NOT_OPTED_IN: &str = "not-opted-in";

/// A region, and the asset that says so.
#[derive(Debug)]
pub(crate) struct RegionStatus {
    pub(crate) name: String,
    pub(crate) enabled: bool,
    pub(crate) asset: Asset,
}

/// Lists all regions, sorted by name. The answer has no pages.
pub(crate) async fn list(connection: &Connection, origin: &Origin) -> Result<Vec<RegionStatus>, Failure> {
    let regions = describe(connection, origin, None).await?;
    if regions.is_empty() {
        return Err(Failure::other("the answer has no regions"));
    }
    Ok(regions)
}

/// What AWS has of some regions: of those that are not there it says nothing.
pub(crate) async fn list_these(
    connection: &Connection,
    origin: &Origin,
    names: &BTreeSet<String>,
) -> Result<Vec<RegionStatus>, Failure> {
    let filter = Filter::builder().name("region-name").set_values(Some(names.iter().cloned().collect()));
    let mut shown = describe(connection, origin, Some(vec![filter.build()])).await?;
    shown.retain(|region| names.contains(&region.name));
    Ok(shown)
}

async fn describe(
    connection: &Connection,
    origin: &Origin,
    filters: Option<Vec<Filter>>,
) -> Result<Vec<RegionStatus>, Failure> {
    connection.pace(&origin.caller, &origin.region, ACTION).await;
    let client = connection.ec2(&origin.caller, &origin.region);
    let call = client.describe_regions().all_regions(true).set_filters(filters);
    let answer = call.send().await.map_err(|error| Failure::of(&error))?;
    let mut regions =
        answer.regions().iter().map(|region| shape(region, origin)).collect::<Result<Vec<_>, _>>()?;
    regions.sort_by(|one, other| one.name.cmp(&other.name));
    regions.dedup_by(|one, other| one.name == other.name);
    Ok(regions)
}

fn shape(region: &aws_sdk_ec2::types::Region, origin: &Origin) -> Result<RegionStatus, Failure> {
    let name = required(region.region_name(), "a region without `regionName`")?;
    let origin = origin.within(name);
    let id = origin.ec2_arn(&origin.caller, &format!("region/{name}"));
    let asset = Shape::new("Region", id, name, &origin.caller, &origin)
        .text("name", Some(name))
        .list("tags", Vec::new())
        .text("endpoint", region.endpoint())
        .text("optInStatus", region.opt_in_status())
        .build();
    let enabled = !region.opt_in_status().is_some_and(|status| status.eq_ignore_ascii_case(NOT_OPTED_IN));
    Ok(RegionStatus { name: name.to_owned(), enabled, asset })
}
