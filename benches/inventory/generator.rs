//! A seeded inventory: N VPCs, N flow logs (0.95 N where 40 % violate), 3 N subnets, N/20 accounts, 15 fields each,
//! with the names, tags and skew of real organisations: a few large accounts, regions by popularity, ids without an order,
//! flow logs that go to a bucket for each region. The same number and skew give the same assets, in the same order, on
//! every machine. Assets are handed on one by one: a million VPCs with what belongs to them are 5 million assets, too
//! many to hold as JSON.

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

use fastrand::Rng;
use passmuster::{
    collect::collected_types,
    model::{Asset, GLOBAL_REGION},
};
use serde_json::{Value, json};

/// When everything was collected.
pub const COLLECTED_AT: &str = "2026-11-21T00:00:00.000Z";

/// How many VPCs violate the stored check: none of their flow logs is ACTIVE, or they have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skew {
    /// 0.1 %: the usual case of a check.
    Healthy,
    /// 40 %: the large answer.
    Neglected,
}

/// A text that stands in one of 2,000 names of VPCs and in one of 2,000 of their teams.
pub const RARE_TEXT: &str = "mainframe";

/// Regions and how many of 1,000 VPCs are in each.
const REGIONS: [(&str, u32); 17] = [
    ("us-east-1", 300),
    ("eu-west-1", 150),
    ("us-west-2", 130),
    ("eu-central-1", 110),
    ("ap-southeast-1", 60),
    ("us-east-2", 50),
    ("ap-northeast-1", 40),
    ("ap-southeast-2", 35),
    ("ca-central-1", 25),
    ("eu-west-2", 25),
    ("ap-south-1", 20),
    ("sa-east-1", 15),
    ("eu-north-1", 12),
    ("eu-west-3", 10),
    ("us-west-1", 8),
    ("ap-northeast-2", 6),
    ("ap-northeast-3", 4),
];
const WORDS: [&str; 16] = [
    "payments",
    "search",
    "ledger",
    "edge",
    "batch",
    "identity",
    "media",
    "warehouse",
    "orders",
    "catalog",
    "billing",
    "shipping",
    "risk",
    "reports",
    "partner",
    "platform",
];
const STAGES: [(&str, u32); 4] = [("prod", 400), ("dev", 300), ("staging", 200), ("sandbox", 100)];
const TEAMS: u32 = 400;

/// What a VPC shares with everything in it.
struct Place<'i> {
    account: &'i str,
    region: &'static str,
    vpc_id: String,
    index: usize,
    word: &'static str,
    stage: &'static str,
    team: String,
}

/// Hands on every asset of an inventory of `vpcs` VPCs.
pub fn each_asset(vpcs: usize, skew: Skew, mut receive: impl FnMut(Asset)) {
    let mut random = Rng::with_seed(42);
    let violating = match skew {
        Skew::Healthy => 0.001,
        Skew::Neglected => 0.4,
    };
    let accounts: Vec<String> = (0..(vpcs / 20).max(1)).map(account_id).collect();
    for account in &accounts {
        receive(account_asset(&mut random, account));
    }
    // One account has the buckets of all.
    for (region, _) in REGIONS {
        receive(bucket(&accounts[0], region));
    }
    for index in 0..vpcs {
        // By the square of a random number the first account of a million VPCs has 4,500 of them, and half have
        // fewer than 15.
        let place = (random.f64().powi(2) * accounts.len() as f64) as usize;
        let place = Place {
            account: &accounts[place],
            region: pick(&mut random, &REGIONS),
            vpc_id: vpc_id(index),
            index,
            word: WORDS[random.usize(0..WORDS.len())],
            stage: pick(&mut random, &STAGES),
            team: match random.u32(0..2000) {
                0 => format!("team-{RARE_TEXT}"),
                _ => format!("team-{}", random.u32(0..TEAMS)),
            },
        };
        receive(vpc(&mut random, &place));
        let is_active = random.f64() >= violating;
        // Of those that violate seven in eight have a flow log that is switched off.
        if is_active || random.u32(0..8) > 0 {
            receive(flow_log(&mut random, &place, index, is_active));
        }
        for subnet in 0..3 {
            receive(subnet_asset(&place, subnet));
        }
    }
}

/// The number of an account, by its size: 0 is the largest.
pub fn account_id(rank: usize) -> String {
    format!("{:012}", 100_000_000_000 + mix(rank as u64) % 900_000_000_000)
}

/// The id of the VPC that comes at a place.
pub fn vpc_id(index: usize) -> String {
    format!("vpc-0{:016x}", mix(index as u64))
}

/// Writes the inventory as NDJSON, and says how many lines. With slices, everything was collected: a complete one stands
/// at the end for each account, region and type of which there are many, and for each account and other type.
pub fn write(vpcs: usize, skew: Skew, with_slices: bool, out: &mut impl Write) -> io::Result<usize> {
    let mut lines = 0;
    let mut places: BTreeSet<[String; 2]> = BTreeSet::new();
    let mut written = Ok(());
    let mut write_line = |out: &mut dyn Write, line: &Value| {
        lines += 1;
        serde_json::to_writer(&mut *out, line).map_err(io::Error::from).and_then(|()| out.write_all(b"\n"))
    };
    each_asset(vpcs, skew, |asset| {
        if written.is_ok() {
            written = write_line(out, &asset.to_json());
        }
        if with_slices {
            let place =
                [asset.account_id(), asset.region()].map(|name| name.unwrap_or(GLOBAL_REGION).to_owned());
            places.insert(place);
        }
    });
    written?;
    for ([account_id, region], asset_type) in
        places.iter().flat_map(|place| types_at(place).map(move |of| (place, of)))
    {
        let slice = json!({
            "__typename": "Slice", "accountId": account_id, "region": region, "assetType": asset_type,
            "outcome": "COMPLETE", "api": format!("ec2:Describe{asset_type}s"), "completedAt": COLLECTED_AT,
            "attemptedAt": COLLECTED_AT,
        });
        write_line(out, &slice)?;
    }
    out.flush().map(|()| lines)
}

/// The types whose slices stand at a place: those of most assets in each region, the others for a whole account.
pub fn types_at([_, region]: &[String; 2]) -> impl Iterator<Item = &'static str> {
    const BY_REGION: [&str; 3] = ["Vpc", "FlowLog", "Subnet"];
    let is_regional = region != GLOBAL_REGION;
    collected_types().into_iter().filter(move |asset_type| BY_REGION.contains(asset_type) == is_regional)
}

/// Distinct for distinct numbers, without an order: the finalizer of SplitMix64.
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn pick(random: &mut Rng, choices: &[(&'static str, u32)]) -> &'static str {
    let mut rest = random.u32(0..1000);
    for (choice, share) in choices {
        if rest < *share {
            return choice;
        }
        rest -= share;
    }
    choices[0].0
}

fn seen(random: &mut Rng) -> String {
    let second = random.u32(0..86_400);
    format!("2026-11-20T{:02}:{:02}:{:02}.000Z", second / 3600, second / 60 % 60, second % 60)
}

fn common(random: &mut Rng, asset: Asset, place: &Place<'_>, native_id: &str, name: &str) -> Asset {
    let tags = json!([
        {"key": "Name", "value": name},
        {"key": "stage", "value": place.stage},
        {"key": "team", "value": place.team},
    ]);
    asset
        .with("provider", "aws")
        .with("accountId", place.account)
        .with("region", place.region)
        .with("nativeId", native_id)
        .with("name", name)
        .with("tags", tags)
        .with("lastSeenAt", seen(random))
        .with("source", "import")
}

fn account_asset(random: &mut Rng, account: &str) -> Asset {
    let word = WORDS[random.usize(0..WORDS.len())];
    let name = format!("{word}-{}", pick(random, &STAGES));
    Asset::new("Account", format!("arn:aws:organizations::100000000000:account/o-a1b2c3d4e5/{account}"))
        .with("provider", "aws")
        .with("accountId", account)
        .with("nativeId", account)
        .with("name", name.as_str())
        .with("email", format!("aws+{account}@example.com"))
        .with("tags", json!([{"key": "team", "value": format!("team-{}", random.u32(0..TEAMS))}]))
        .with("state", "ACTIVE")
        .with("joinedMethod", "CREATED")
        .with("joinedAt", "2024-02-01T09:00:00.000Z")
        .with("organizationId", "o-a1b2c3d4e5")
        .with("lastSeenAt", seen(random))
        .with("source", "import")
}

fn vpc(random: &mut Rng, place: &Place<'_>) -> Asset {
    let Place { account, region, vpc_id, word, stage, .. } = place;
    let word = if random.u32(0..2000) == 0 { RARE_TEXT } else { word };
    let name = format!("{word}-{stage}-{region}-{:03}", random.u32(0..1000));
    let cidr = match random.u32(0..10) {
        0 => format!("192.168.{}.0/24", random.u8(..)),
        1 | 2 => format!("172.{}.0.0/16", random.u8(16..32)),
        _ => format!("10.{}.{}.0/20", random.u8(..), random.u8(0..16) * 16),
    };
    let asset = Asset::new("Vpc", format!("arn:aws:ec2:{region}:{account}:vpc/{vpc_id}"))
        .with("vpcId", vpc_id.as_str())
        .with("ownerId", *account)
        .with("state", if random.u32(0..1000) == 0 { "pending" } else { "available" })
        .with("cidrBlock", cidr)
        .with("isDefault", random.u32(0..10) == 0)
        .with("instanceTenancy", "default")
        .with("dhcpOptionsId", format!("dopt-0{:016x}", mix(u64::from(random.u16(..)))));
    common(random, asset, place, vpc_id, &name)
}

fn flow_log(random: &mut Rng, place: &Place<'_>, number: usize, is_active: bool) -> Asset {
    let Place { account, region, vpc_id, .. } = place;
    let id = format!("fl-0{:016x}", mix(number as u64 | 1 << 60));
    let traffic = pick(random, &[("ALL", 980), ("REJECT", 10), ("ACCEPT", 10)]);
    let asset = Asset::new("FlowLog", format!("arn:aws:ec2:{region}:{account}:vpc-flow-log/{id}"))
        .with("flowLogId", id.as_str())
        .with("flowLogStatus", if is_active { "ACTIVE" } else { "INACTIVE" })
        .with("deliverLogsStatus", if random.u32(0..50) == 0 { "FAILED" } else { "SUCCESS" })
        .with("resourceId", vpc_id.as_str())
        .with("resourceType", "Vpc")
        .with("trafficType", traffic)
        .with("logDestinationType", "s3")
        .with("bucketName", bucket_name(region));
    common(random, asset, place, &id, &format!("{}-flow-log", place.word))
}

fn bucket_name(region: &str) -> String {
    format!("flow-logs-of-all-{region}")
}

/// Where the flow logs of a region go, whoever's they are.
fn bucket(account: &str, region: &str) -> Asset {
    let name = bucket_name(region);
    Asset::new("S3Bucket", format!("arn:aws:s3:::{name}"))
        .with("provider", "aws")
        .with("accountId", account)
        .with("region", GLOBAL_REGION)
        .with("nativeId", name.as_str())
        .with("name", name.as_str())
        .with("bucketName", name.as_str())
        .with("bucketRegion", region)
        .with("publicAccessBlock", true)
        .with("minExpirationDays", 400)
        .with("notificationTargets", json!(["eventbridge"]))
        .with("lastSeenAt", COLLECTED_AT)
        .with("source", "import")
}

fn subnet_asset(place: &Place<'_>, number: usize) -> Asset {
    let Place { account, region, vpc_id, index, word, .. } = place;
    let id = format!("subnet-0{:016x}", mix((index * 3 + number) as u64 | 1 << 61));
    let zone = ["a", "b", "c"][number];
    let mut random = Rng::with_seed((index * 3 + number) as u64);
    let asset = Asset::new("Subnet", format!("arn:aws:ec2:{region}:{account}:subnet/{id}"))
        .with("subnetId", id.as_str())
        .with("vpcId", vpc_id.as_str())
        .with("ownerId", *account)
        .with("state", "available")
        .with("cidrBlock", format!("10.{}.{}.0/24", index % 256, number * 64 + index / 256 % 64))
        .with("availabilityZone", format!("{region}{zone}"))
        .with("mapPublicIpOnLaunch", number == 0);
    common(&mut random, asset, place, &id, &format!("{word}-{}-{zone}", place.stage))
}
