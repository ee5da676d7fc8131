//! What assets look like: ids, headers, and the fields of each type.

use std::sync::Arc;

use passmuster::model::{Asset, GLOBAL_REGION};
use serde_json::json;

use super::bench::Bench;
use crate::support::{
    aws::{REGIONS, Situation, TestAccount, Truth, populate},
    fault_server::{Fault, FaultServer, Rule},
    moto::moto,
};

fn of_situation<'a>(truth: &Truth, region: &str, wanted: Situation, assets: &'a [Asset]) -> Vec<&'a Asset> {
    let ids = truth.ids(region, |situation| situation == wanted);
    assets.iter().filter(|asset| asset.text("resourceId").is_some_and(|id| ids.contains(id))).collect()
}

#[tokio::test]
async fn a_populated_account_is_collected_as_it_is() {
    let truth = populate().await;
    let bench = Bench::new(truth.account.clone(), &moto().url);
    let report = bench.collect(&REGIONS, &[]).await.expect("a collection");

    assert!(report.is_complete(), "{:?}", report.slices);
    let mut flow_logs = 0;
    for region in REGIONS {
        let expected: Vec<String> = truth.ids(region, |_| true).into_iter().collect();
        assert_eq!(bench.native_ids(region, "Vpc"), expected);
        let logs = bench.assets(region, "FlowLog");
        flow_logs += logs.len();

        let active: std::collections::BTreeSet<&str> = logs
            .iter()
            .filter(|log| log.text("flowLogStatus") == Some("ACTIVE"))
            .filter_map(|log| log.text("resourceId"))
            .collect();
        let without: std::collections::BTreeSet<String> =
            expected.into_iter().filter(|id| !active.contains(id.as_str())).collect();
        assert_eq!(without, truth.without_active_flow_log(region));
        check_flow_logs(&truth, region, &logs);
    }
    assert_eq!(flow_logs, truth.flow_logs);
}

fn check_flow_logs(truth: &Truth, region: &str, logs: &[Asset]) {
    let kind = |log: &Asset| {
        let text = |field: &str| log.text(field).unwrap_or_default().to_owned();
        (text("trafficType"), text("logDestinationType"), text("deliverLogsStatus"))
    };
    let kinds = |situation| {
        let mut kinds: Vec<_> = of_situation(truth, region, situation, logs).into_iter().map(kind).collect();
        kinds.sort();
        kinds
    };
    let of = |traffic: &str, destination: &str, status: &str| {
        (traffic.to_owned(), destination.to_owned(), status.to_owned())
    };
    assert_eq!(kinds(Situation::AllToCloudWatch), [of("ALL", "cloud-watch-logs", "SUCCESS")]);
    assert_eq!(kinds(Situation::AllToS3), [of("ALL", "s3", "SUCCESS")]);
    assert_eq!(kinds(Situation::RejectOnly), [of("REJECT", "cloud-watch-logs", "SUCCESS")]);
    assert_eq!(kinds(Situation::DeliveryFailed), [of("ALL", "cloud-watch-logs", "FAILED")]);
    let both = [of("ACCEPT", "s3", "SUCCESS"), of("REJECT", "cloud-watch-logs", "SUCCESS")];
    assert_eq!(kinds(Situation::AcceptPlusReject), both);
    assert_eq!(kinds(Situation::Deleted), []);

    let mut types: Vec<&str> = logs.iter().filter_map(|log| log.text("resourceType")).collect();
    types.sort_unstable();
    types.dedup();
    assert_eq!(types, ["NetworkInterface", "Subnet", "Vpc"]);
}

#[tokio::test]
async fn every_asset_has_its_header_and_its_fields() {
    let truth = populate().await;
    let account = truth.account.id.as_str();
    let bench = Bench::new(truth.account.clone(), &moto().url);
    bench.collect(&["eu-west-1"], &[]).await.expect("a collection");

    let vpcs = bench.assets("eu-west-1", "Vpc");
    let vpc = vpcs.iter().find(|vpc| vpc.text("name") == Some("AllToCloudWatch")).expect("the VPC");
    let vpc_id = vpc.text("vpcId").expect("its id");
    assert_eq!(vpc.id, format!("arn:aws:ec2:eu-west-1:{account}:vpc/{vpc_id}"));
    for (field, value) in [
        ("provider", json!("aws")),
        ("partition", json!("aws")),
        ("accountId", json!(account)),
        ("ownerId", json!(account)),
        ("region", json!("eu-west-1")),
        ("nativeId", json!(vpc_id)),
        ("source", json!("live")),
        ("state", json!("available")),
        ("cidrBlock", json!("10.1.0.0/16")),
        ("isDefault", json!(false)),
        ("instanceTenancy", json!("default")),
        (
            "tags",
            json!([{"key": "Environment", "value": "production"}, {"key": "Name", "value": "AllToCloudWatch"}]),
        ),
        ("ipv6CidrBlockAssociations", json!([])),
    ] {
        assert_eq!(vpc.fields.get(field), Some(&value), "{field}");
    }
    let block = &vpc.fields["cidrBlockAssociations"][0];
    assert_eq!((&block["cidrBlock"], &block["state"]), (&json!("10.1.0.0/16"), &json!("associated")));
    assert!(block["associationId"].as_str().expect("an id").starts_with("vpc-cidr-assoc-"));

    let logs = bench.assets("eu-west-1", "FlowLog");
    let log = of_situation(&truth, "eu-west-1", Situation::AllToCloudWatch, &logs)[0];
    let log_id = log.text("flowLogId").expect("its id");
    assert_eq!(log.id, format!("arn:aws:ec2:eu-west-1:{account}:vpc-flow-log/{log_id}"));
    assert_eq!(log.text("logGroupName"), Some("flow-logs"));
    assert_eq!(log.fields["maxAggregationInterval"], json!(600));
    assert_eq!(log.text("createdAt"), log.text("creationTime"));
    assert!(log.text("createdAt").expect("a time").ends_with('Z'));

    let subnets = bench.assets("eu-west-1", "Subnet");
    let subnet =
        subnets.iter().find(|subnet| subnet.text("cidrBlock") == Some("10.1.1.0/24")).expect("a subnet");
    let subnet_id = subnet.text("subnetId").expect("its id");
    assert_eq!(subnet.id, format!("arn:aws:ec2:eu-west-1:{account}:subnet/{subnet_id}"));
    for field in ["vpcId", "state", "availabilityZone", "defaultForAz", "mapPublicIpOnLaunch", "ownerId"] {
        assert!(subnet.fields.contains_key(field), "{field}");
    }

    let account_asset = &bench.assets(GLOBAL_REGION, "Account")[0];
    assert_eq!(account_asset.id, format!("arn:aws:iam::{account}:root"));
    assert!(account_asset.unknown.contains("organizationId"), "nobody asked the organisation");
    let regions = bench.assets(GLOBAL_REGION, "Region");
    let region = regions.iter().find(|region| region.text("name") == Some("eu-west-1")).expect("the region");
    assert_eq!(region.id, format!("arn:aws:ec2:eu-west-1:{account}:region/eu-west-1"));
    assert_eq!(region.text("optInStatus"), Some("opt-in-not-required"));
    assert_eq!(region.text("endpoint"), Some("ec2.eu-west-1.amazonaws.com"));
    assert!(regions.iter().any(|region| region.text("optInStatus") == Some("not-opted-in")));
}

fn rewrite(change: impl Fn(String) -> String + Send + Sync + 'static) -> Fault {
    Fault::Rewrite(Arc::new(change))
}

#[tokio::test]
async fn c9_a_shared_vpc_is_an_asset_of_its_owner() {
    let account = TestAccount::new().await;
    let caller = account.id.clone();
    let share = rewrite(move |text| {
        text.replace(&format!("<ownerId>{caller}</ownerId>"), "<ownerId>999999999999</ownerId>")
    });
    let server = FaultServer::start(&moto().url, [Rule::on("DescribeVpcs", share)]);
    let bench = Bench::new(account, &server.url);
    bench.collect(&["eu-west-1"], &["Vpc"]).await.expect("a collection");

    let vpcs = bench.assets("eu-west-1", "Vpc");
    let vpc_id = vpcs[0].text("vpcId").expect("an id");
    assert_eq!(vpcs[0].id, format!("arn:aws:ec2:eu-west-1:999999999999:vpc/{vpc_id}"));
    assert_eq!(vpcs[0].account_id(), Some("999999999999"));
    assert_eq!(bench.slice("eu-west-1", "Vpc").key.account_id, bench.account.id, "the slice is the caller's");
}

#[tokio::test]
async fn c6_an_enum_value_the_sdk_does_not_know_is_kept_as_it_came() {
    let future = rewrite(|text| text.replace("<state>available</state>", "<state>hibernating-Soon</state>"));
    let server = FaultServer::start(&moto().url, [Rule::on("DescribeVpcs", future)]);
    let bench = Bench::new(TestAccount::new().await, &server.url);
    bench.collect(&["eu-west-1"], &["Vpc"]).await.expect("a collection");
    assert_eq!(bench.assets("eu-west-1", "Vpc")[0].text("state"), Some("hibernating-Soon"));
}

#[tokio::test]
async fn c6_an_answer_without_an_id_or_owner_fails_the_slice_instead_of_guessing() {
    for field in ["vpcId", "ownerId"] {
        let drop_field = rewrite(move |text| text.replace(field, "somethingElse"));
        let server = FaultServer::start(&moto().url, [Rule::on("DescribeVpcs", drop_field)]);
        let bench = Bench::new(TestAccount::new().await, &server.url);
        let report = bench.collect(&["eu-west-1"], &["Vpc"]).await.expect("a collection");
        assert!(!report.is_complete());
        let reason = format!("ec2:DescribeVpcs: a VPC without `{field}`");
        assert_eq!(bench.slice("eu-west-1", "Vpc").reason, Some(reason));
    }
}

#[tokio::test]
async fn c6_a_missing_optional_field_is_left_out_and_a_huge_tag_is_kept() {
    let huge = "x".repeat(1_000_000);
    let tag = format!("<tagSet><item><key>notes</key><value>{huge}</value></item></tagSet>");
    let change = rewrite(move |text| {
        text.replace("<tagSet/>", &tag).replace("<dhcpOptionsId>default</dhcpOptionsId>", "")
    });
    let server = FaultServer::start(&moto().url, [Rule::on("DescribeVpcs", change)]);
    let bench = Bench::new(TestAccount::new().await, &server.url);
    bench.collect(&["eu-west-1"], &["Vpc"]).await.expect("a collection");
    let vpc = &bench.assets("eu-west-1", "Vpc")[0];
    assert!(!vpc.fields.contains_key("dhcpOptionsId"));
    assert_eq!(vpc.fields["tags"][0]["value"].as_str().map(str::len), Some(1_000_000));
}

#[tokio::test]
async fn the_partition_comes_from_the_caller() {
    let china = rewrite(|text| text.replace("arn:aws:", "arn:aws-cn:"));
    let server = FaultServer::start(&moto().url, [Rule::on("GetCallerIdentity", china)]);
    let bench = Bench::new(TestAccount::new().await, &server.url);
    bench.collect(&["eu-west-1"], &["Vpc"]).await.expect("a collection");
    let vpc = &bench.assets("eu-west-1", "Vpc")[0];
    assert!(vpc.id.starts_with("arn:aws-cn:ec2:"), "{}", vpc.id);
    assert_eq!(vpc.text("partition"), Some("aws-cn"));
}
