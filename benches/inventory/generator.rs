//! A seeded inventory: N VPCs, 0.95 N flow logs, 3 N subnets, N/20 accounts, with names, tags and the skew of real
//! organisations. The same seed gives the same inventory on every machine.

use fastrand::Rng;
use passmuster::model::Asset;
use serde_json::{Value, json};

/// Share of VPCs whose newest flow log is not ACTIVE, or that have none: what the seed check finds.
#[derive(Clone, Copy, Debug)]
pub enum Skew {
    /// 0.1 % violate: the usual case of a check.
    Healthy,
    /// 40 % violate: the large answer.
    Neglected,
}

const REGIONS: [&str; 6] =
    ["us-east-1", "eu-west-1", "eu-central-1", "us-west-2", "ap-southeast-2", "sa-east-1"];
const WORDS: [&str; 8] = ["payments", "search", "ledger", "edge", "batch", "identity", "media", "warehouse"];
const STAGES: [&str; 4] = ["prod", "staging", "dev", "sandbox"];

/// All assets of an inventory of `vpcs` VPCs.
pub fn inventory(vpcs: usize, skew: Skew) -> Vec<Asset> {
    let mut random = Rng::with_seed(42);
    let violating = match skew {
        Skew::Healthy => 0.001,
        Skew::Neglected => 0.4,
    };
    let accounts: Vec<String> =
        (0..(vpcs / 20).max(1)).map(|index| format!("{:012}", 100_000_000_000 + index)).collect();
    let mut assets: Vec<Asset> = accounts.iter().map(|account| account_asset(account)).collect();
    for index in 0..vpcs {
        let account = &accounts[random.usize(0..accounts.len())];
        // Half of all VPCs live in the first region.
        let region = REGIONS[if random.bool() { 0 } else { random.usize(0..REGIONS.len()) }];
        let word = WORDS[random.usize(0..WORDS.len())];
        let stage = STAGES[random.usize(0..STAGES.len())];
        let vpc_id = format!("vpc-{index:017x}");
        assets.push(vpc(&mut random, account, region, &vpc_id, word, stage));
        let has_active = random.f64() >= violating;
        if has_active || random.f64() < 0.8 {
            assets.push(flow_log(&mut random, account, region, &vpc_id, index, has_active));
        }
        for subnet in 0..3 {
            assets.push(subnet_asset(account, region, &vpc_id, index, subnet, word));
        }
    }
    assets
}

fn header(asset: Asset, account: &str, region: &str, native_id: &str, name: &str, stage: &str) -> Asset {
    asset
        .with("provider", "aws")
        .with("partition", "aws")
        .with("accountId", account)
        .with("region", region)
        .with("nativeId", native_id)
        .with("name", name)
        .with("tags", json!([{"key": "Name", "value": name}, {"key": "stage", "value": stage}]))
        .with("source", "import")
}

fn account_asset(account: &str) -> Asset {
    Asset::new("Account", format!("arn:aws:iam::{account}:root"))
        .with("accountId", account)
        .with("state", "ACTIVE")
}

fn vpc(random: &mut Rng, account: &str, region: &str, vpc_id: &str, word: &str, stage: &str) -> Asset {
    let name = format!("{word}-{stage}-{}", random.u16(0..1000));
    let asset = Asset::new("Vpc", format!("arn:aws:ec2:{region}:{account}:vpc/{vpc_id}"))
        .with("vpcId", vpc_id)
        .with("ownerId", account)
        .with("state", "available")
        .with("cidrBlock", format!("10.{}.0.0/16", random.u8(..)))
        .with("isDefault", random.u8(0..10) == 0)
        .with("instanceTenancy", "default")
        .with("dhcpOptionsId", format!("dopt-{:08x}", random.u16(..)));
    header(asset, account, region, vpc_id, &name, stage)
}

fn flow_log(
    random: &mut Rng,
    account: &str,
    region: &str,
    vpc_id: &str,
    index: usize,
    active: bool,
) -> Asset {
    let id = format!("fl-{index:017x}");
    let traffic = ["ALL", "REJECT", "ACCEPT"][random.usize(0..3)];
    let asset = Asset::new("FlowLog", format!("arn:aws:ec2:{region}:{account}:vpc-flow-log/{id}"))
        .with("flowLogId", id.as_str())
        .with("flowLogStatus", if active { "ACTIVE" } else { "INACTIVE" })
        .with("deliverLogsStatus", "SUCCESS")
        .with("resourceId", vpc_id)
        .with("resourceType", "VPC")
        .with("trafficType", traffic)
        .with("logDestinationType", "cloud-watch-logs")
        .with("logGroupName", format!("/vpc/{vpc_id}"))
        .with("maxAggregationInterval", if random.bool() { 60 } else { 600 });
    header(asset, account, region, &id, &id, "prod")
}

fn subnet_asset(account: &str, region: &str, vpc_id: &str, index: usize, subnet: usize, word: &str) -> Asset {
    let id = format!("subnet-{:017x}", index * 3 + subnet);
    let asset = Asset::new("Subnet", format!("arn:aws:ec2:{region}:{account}:subnet/{id}"))
        .with("subnetId", id.as_str())
        .with("vpcId", vpc_id)
        .with("ownerId", account)
        .with("state", "available")
        .with("cidrBlock", format!("10.{}.{}.0/24", index % 256, subnet))
        .with("availabilityZone", format!("{region}{}", ["a", "b", "c"][subnet]))
        .with("mapPublicIpOnLaunch", subnet == 0);
    header(asset, account, region, &id, &format!("{word}-{subnet}"), "prod")
}

/// The text of a field, for the peer's structs.
pub fn text(asset: &Asset, field: &str) -> Option<String> {
    asset.fields.get(field).and_then(Value::as_str).map(str::to_owned)
}
